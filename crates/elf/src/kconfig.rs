//! The kernel's configuration, and what of it an object asks for.
//!
//! A variable in `.kconfig` is filled with a setting before the program is
//! loaded: the kernel's version, or `CONFIG_…` as the kernel was built.

use std::collections::HashMap;

use oxbpf_btf::{Btf, Type, TypeId};

use crate::error::ElfError;

/// The extern that holds the kernel's version.
const VERSION: &str = "LINUX_KERNEL_VERSION";

/// libbpf's name for the type with the values no, yes and module.
const TRISTATE: &str = "libbpf_tristate";

/// A kernel's configuration: the text of `/proc/config.gz` or of a build's `.config`.
///
/// ```
/// use oxbpf_elf::Kconfig;
///
/// let config = Kconfig::parse("# Linux/x86 6.18.1 Kernel Configuration\nCONFIG_HZ=250\n# CONFIG_PREEMPT is not set\n");
/// assert_eq!(config.version(), Some(0x06_12_01));
/// assert_eq!(config.value("CONFIG_HZ"), Some("250"));
/// assert_eq!(config.value("CONFIG_PREEMPT"), None);
/// ```
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Kconfig {
    version: Option<u32>,
    values: HashMap<String, String>,
}

impl Kconfig {
    /// Reads the text. Lines that set nothing are passed over; of the head,
    /// the version is kept.
    pub fn parse(text: &str) -> Kconfig {
        let mut config = Kconfig::default();
        for line in text.lines() {
            if let Some((name, value)) = line.split_once('=') {
                if name.starts_with("CONFIG_") {
                    config.values.insert(name.to_string(), value.trim_end().to_string());
                }
            } else if config.version.is_none() && line.starts_with("# Linux/") {
                config.version = line.split(' ').find_map(version_code);
            }
        }
        config
    }

    /// The same with the version of this release, such as `6.18.4-generic`, where the text told none.
    #[must_use]
    pub fn or_release(mut self, release: &str) -> Kconfig {
        self.version = self.version.or_else(|| version_code(release));
        self
    }

    /// The kernel's version as `LINUX_VERSION_CODE` has it, if it is known.
    pub fn version(&self) -> Option<u32> {
        self.version
    }

    /// What a setting is set to, as it is written.
    pub fn value(&self, name: &str) -> Option<&str> {
        self.values.get(name).map(String::as_str)
    }
}

/// `6.18.4-x` as a number; the last part is at most 255 in it.
fn version_code(release: &str) -> Option<u32> {
    let mut parts = release.split(['.', '-', '+']).map_while(|p| p.parse::<u32>().ok());
    let (major, minor) = (parts.next()?, parts.next()?);
    let patch = parts.next().unwrap_or(0).min(255);
    (major < 256 && minor < 256).then_some(major << 16 | minor << 8 | patch)
}

/// What a variable of `.kconfig` can hold.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Kind {
    Bool,
    Tristate,
    Char,
    Int { signed: bool },
    Text,
}

/// A variable of `.kconfig`: its name, what it holds and how large it is.
pub(crate) struct Variable<'a> {
    pub(crate) name: &'a str,
    kind: Kind,
    pub(crate) size: usize,
}

impl<'a> Variable<'a> {
    /// The variable that the debug types declare, or why it cannot hold a setting.
    pub(crate) fn new(types: &Btf, name: &'a str, target: TypeId) -> Result<Variable<'a>, ElfError> {
        let unfit = || ElfError::Kconfig { name: name.to_string(), what: "its type can hold no setting".to_string() };
        let size = types.size_of(target).map_err(|_| unfit())?;
        let size = usize::try_from(size).ok().filter(|s| *s <= MAX_SIZE).ok_or_else(unfit)?;
        let kind = kind(types, target).ok_or_else(unfit)?;
        Ok(Variable { name, kind, size })
    }

    /// The variable's bytes under this configuration; none where it says nothing of it.
    pub(crate) fn fill(&self, config: &Kconfig) -> Result<Option<Vec<u8>>, ElfError> {
        if self.name == VERSION {
            let value = config.version().map(|v| u128::from(v).cast_signed());
            return value.map(|v| self.number(v)).transpose();
        }
        config.value(self.name).map(|value| self.set(value)).transpose()
    }

    fn set(&self, value: &str) -> Result<Vec<u8>, ElfError> {
        let truth = match value {
            "y" => Some((b'y', 1)),
            "m" => Some((b'm', 2)),
            "n" => Some((b'n', 0)),
            _ => None,
        };
        match (self.kind, truth) {
            (Kind::Char, Some((letter, _))) => Ok(vec![letter]),
            (Kind::Tristate, Some((_, number))) => self.number(number),
            (Kind::Bool, Some((_, number @ (0 | 1)))) => self.number(number),
            (Kind::Text, None) => self.text(value),
            (Kind::Int { .. } | Kind::Char, None) => {
                let number = number(value).ok_or_else(|| self.unfit(value))?;
                self.number(number)
            }
            _ => Err(self.unfit(value)),
        }
    }

    /// A quoted text, cut to what the array holds with a final zero.
    fn text(&self, value: &str) -> Result<Vec<u8>, ElfError> {
        let inner = value.strip_prefix('"').and_then(|v| v.strip_suffix('"'));
        let inner = inner.ok_or_else(|| self.unfit(value))?;
        let mut bytes = inner.as_bytes().to_vec();
        bytes.truncate(self.size.saturating_sub(1));
        bytes.resize(self.size, 0);
        Ok(bytes)
    }

    fn number(&self, value: i128) -> Result<Vec<u8>, ElfError> {
        let bits = self.size as u32 * 8;
        let (low, high) = match self.kind {
            Kind::Int { signed: true } => (-(1i128 << (bits - 1)), (1i128 << (bits - 1)) - 1),
            _ => (0, (1i128 << bits) - 1),
        };
        match (low..=high).contains(&value) {
            true => Ok(value.to_le_bytes()[..self.size].to_vec()),
            false => Err(self.unfit(&value.to_string())),
        }
    }

    fn unfit(&self, value: &str) -> ElfError {
        /// Of a long value, enough to find it by.
        const SHOWN: usize = 64;
        let shown = &value[..value.floor_char_boundary(SHOWN)];
        ElfError::Kconfig { name: self.name.to_string(), what: format!("its type does not hold {shown}") }
    }
}

/// The largest variable; settings are short texts at most.
const MAX_SIZE: usize = 4096;

fn kind(types: &Btf, target: TypeId) -> Option<Kind> {
    match types.resolved(target).ok()? {
        Type::Int(int) if int.is_bool && int.size == 1 => Some(Kind::Bool),
        Type::Int(int) if int.is_bool => None,
        Type::Int(int) if int.size == 1 => Some(Kind::Char),
        Type::Int(int) if int.size <= 8 => Some(Kind::Int { signed: int.signed }),
        Type::Enum(e) if e.size == 4 && types.str_is(e.name, TRISTATE) => Some(Kind::Tristate),
        Type::Array(array) if array.len > 0 && kind(types, array.elem) == Some(Kind::Char) => Some(Kind::Text),
        _ => None,
    }
}

/// A number as configurations write it: decimal or hexadecimal, perhaps negative.
fn number(text: &str) -> Option<i128> {
    let (negative, digits) = text.strip_prefix('-').map_or((false, text), |rest| (true, rest));
    let magnitude = match digits.strip_prefix("0x").or(digits.strip_prefix("0X")) {
        Some(hex) => u64::from_str_radix(hex, 16),
        None => digits.parse(),
    };
    let magnitude = i128::from(magnitude.ok()?);
    Some(if negative { -magnitude } else { magnitude })
}
