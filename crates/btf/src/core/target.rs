//! The types to adapt to, found by name.

use std::sync::OnceLock;

use super::error::shown;
use super::name::essential;
use super::work::Work;
use super::{CoreError, MAX_CANDIDATES, MAX_WORK};
use crate::kind::Kind;
use crate::types::{Btf, TypeId};

/// How often each byte of the strings may be read for the index on average, and
/// how many bytes small ones may take. The kernel's are read less than once.
const NAMES_PER_STRING: usize = 16;
const FREE_NAMES: usize = 1 << 20;

/// BTF with an index of names, which is made when it is first needed.
///
/// ```no_run
/// use oxbpf_btf::{Btf, core::CoreTarget};
///
/// let kernel = std::fs::read("/sys/kernel/btf/vmlinux")?;
/// let target = CoreTarget::new(Btf::parse(&kernel)?);
/// assert!(target.btf().len() > 100_000);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct CoreTarget {
    btf: Btf,
    /// Hashes of names without flavour, and the types that have them, in order.
    /// None where the names are too long to be looked at.
    index: OnceLock<Option<Vec<(u32, TypeId)>>>,
}

impl CoreTarget {
    /// Takes BTF as target.
    #[must_use]
    pub fn new(btf: Btf) -> CoreTarget {
        CoreTarget { btf, index: OnceLock::new() }
    }

    /// The types.
    #[must_use]
    pub fn btf(&self) -> &Btf {
        &self.btf
    }

    /// The types of this name, flavours aside, that are of a kind with `kind`.
    pub(super) fn candidates(&self, name: &str, kind: Kind, work: &mut Work) -> Result<Vec<TypeId>, CoreError> {
        let name = essential(name);
        let index = self.index.get_or_init(|| index(&self.btf)).as_deref();
        let index = index.ok_or(CoreError::TooComplex { limit: MAX_WORK })?;
        let wanted = hash(name);
        let from = index.partition_point(|row| row.0 < wanted);
        let mut found = Vec::new();
        for &(_, id) in index[from..].iter().take_while(|row| row.0 == wanted) {
            work.charge(1)?;
            if same_kind(self.btf.get(id)?.kind(), kind) && essential(self.btf.name(id)) == name {
                found.push(id);
                if found.len() > MAX_CANDIDATES {
                    return Err(CoreError::TooManyCandidates { name: shown(name), limit: MAX_CANDIDATES });
                }
            }
        }
        Ok(found)
    }
}

/// Whether types of these kinds may stand for each other: both widths of enumerations do.
pub(super) fn same_kind(a: Kind, b: Kind) -> bool {
    let is_enum = |kind| matches!(kind, Kind::Enum | Kind::Enum64);
    a == b || is_enum(a) && is_enum(b)
}

/// One long string can be the name of every type, so that there is more to read than there are bytes.
fn index(btf: &Btf) -> Option<Vec<(u32, TypeId)>> {
    let mut room = btf.strings.len().saturating_mul(NAMES_PER_STRING) + FREE_NAMES;
    let mut index = Vec::new();
    for (id, t) in btf.types() {
        match t.kind() {
            Kind::Int
            | Kind::Float
            | Kind::Struct
            | Kind::Union
            | Kind::Enum
            | Kind::Enum64
            | Kind::Fwd
            | Kind::Typedef => {
                let name = t.name();
                if !name.is_anonymous() {
                    let name = btf.str(name);
                    room = room.checked_sub(name.len())?;
                    index.push((hash(essential(name)), id));
                }
            }
            // No data is of these; their names are other things' names.
            Kind::Void
            | Kind::Ptr
            | Kind::Array
            | Kind::Volatile
            | Kind::Const
            | Kind::Restrict
            | Kind::Func
            | Kind::FuncProto
            | Kind::Var
            | Kind::DataSec
            | Kind::DeclTag
            | Kind::TypeTag => {}
        }
    }
    index.sort_unstable();
    Some(index)
}

/// FNV-1a of 32 bits. Names are compared too, so collisions only cost time.
fn hash(name: &str) -> u32 {
    name.bytes().fold(0x811c_9dc5, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193))
}
