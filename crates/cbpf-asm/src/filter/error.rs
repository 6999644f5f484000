//! What can be wrong with an expression, and how that is shown.

use oxbpf_isa::text::excerpt;
use thiserror::Error;

use super::{Link, MAX_TEXT};

/// A mistake in an expression and the bytes of the text it is about.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
#[error("{fault}")]
pub struct FilterError {
    /// What is wrong.
    pub fault: Fault,
    /// The first byte it is about.
    pub at: usize,
    /// How many bytes; may be 0 at the end of the text.
    pub len: usize,
}

/// What is wrong with an expression. Quoted text is cut at 40 characters.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
#[allow(missing_docs)]
pub enum Fault {
    /// A character that no word or operator begins with.
    #[error("`{found}` begins no word or operator")]
    Character { found: char },
    /// Something else should stand here.
    #[error("expected {expected}, found {found}")]
    Syntax { expected: &'static str, found: String },
    /// A name or number without a word before it that says what it is.
    #[error("`{found}` has no word before it that says what it is: host, net, port, portrange, proto, src or dst")]
    Bare { found: String },
    /// Not a number, or too large.
    #[error("malformed number `{text}`: decimal, 0x1f and 017 are numbers, of 32 bits at most")]
    Number { text: String },
    /// A number that is too large for what it says.
    #[error("{what} {value} is over {max}")]
    Range { what: &'static str, value: u32, max: u32 },
    /// Not an address.
    #[error("`{text}` is no address: IPv4, IPv6 and MAC addresses are")]
    Address { text: String },
    /// An address of another kind.
    #[error("{found} address where {expected} address is meant")]
    Family { found: &'static str, expected: &'static str },
    /// A name that would have to be asked for.
    #[error("names are not looked up: give the address of {kind} `{name}`")]
    HostName { kind: &'static str, name: String },
    /// A name that is in no table here.
    #[error("no {what} is called `{name}` here; give its number")]
    Unknown { what: &'static str, name: String },
    /// A service by its name, with the wrong protocol.
    #[error("port `{name}` is of {is}, not of {asked}")]
    Service { name: String, is: &'static str, asked: &'static str },
    /// A network with bits of hosts.
    #[error("`{text}` has bits set behind its mask")]
    HostBits { text: String },
    /// A mask on a host.
    #[error("a mask belongs to `net`, not to `{kind}`")]
    Masked { kind: &'static str },
    /// Words that cannot stand together.
    #[error("`{word}` cannot be put before `{kind}`: {allowed}")]
    Qualifier { word: &'static str, kind: &'static str, allowed: &'static str },
    /// Known to libpcap, refused here.
    #[error("`{word}` is not supported: {why}")]
    Unsupported { word: String, why: &'static str },
    /// What this link type has not.
    #[error("{link} has no {what}")]
    Link { link: &'static str, what: &'static str },
    /// What cannot follow behind a layer.
    #[error("{what} cannot be told behind `{layer}`")]
    Layer { what: String, layer: &'static str },
    /// The size of a load.
    #[error("1, 2 or 4 bytes can be loaded, not {size}")]
    Size { size: u32 },
    /// A protocol whose bytes are not found.
    #[error("the bytes of `{proto}` cannot be indexed")]
    Index { proto: &'static str },
    /// A constant offset before the packet.
    #[error("offset {off} lies outside of every packet")]
    Offset { off: i64 },
    /// A constant divisor of zero.
    #[error("division by the constant 0")]
    Division,
    /// A constant shift that is too far.
    #[error("shift by {by}, which is not below 32")]
    Shift { by: u32 },
    /// Parentheses and `not` too deep.
    #[error("nested more than {max} deep")]
    Depth { max: usize },
    /// Too many operators in one piece of arithmetic.
    #[error("more than {max} operators in one calculation")]
    Operators { max: usize },
    /// Too long a text.
    #[error("an expression of {bytes} bytes; at most {MAX_TEXT} are read")]
    Text { bytes: usize },
    /// Too long a program.
    #[error("the program would have more than {max} instructions")]
    TooLong { max: usize },
    /// Nothing can match.
    #[error("no packet of link type {link} matches")]
    Never { link: Link },
}

impl Fault {
    /// A stable code, `filter-…`.
    pub const fn code(&self) -> &'static str {
        match self {
            Fault::Character { .. } => "filter-character",
            Fault::Syntax { .. } => "filter-syntax",
            Fault::Bare { .. } => "filter-bare",
            Fault::Number { .. } => "filter-number",
            Fault::Range { .. } => "filter-range",
            Fault::Address { .. } => "filter-address",
            Fault::Family { .. } => "filter-family",
            Fault::HostName { .. } => "filter-host-name",
            Fault::Unknown { .. } => "filter-unknown",
            Fault::Service { .. } => "filter-service",
            Fault::HostBits { .. } => "filter-host-bits",
            Fault::Masked { .. } => "filter-masked",
            Fault::Qualifier { .. } => "filter-qualifier",
            Fault::Unsupported { .. } => "filter-unsupported",
            Fault::Link { .. } => "filter-link",
            Fault::Layer { .. } => "filter-layer",
            Fault::Size { .. } => "filter-size",
            Fault::Index { .. } => "filter-index",
            Fault::Offset { .. } => "filter-offset",
            Fault::Division => "filter-division",
            Fault::Shift { .. } => "filter-shift",
            Fault::Depth { .. } => "filter-depth",
            Fault::Operators { .. } => "filter-operators",
            Fault::Text { .. } => "filter-text",
            Fault::TooLong { .. } => "filter-too-long",
            Fault::Never { .. } => "filter-never",
        }
    }

    /// Whether the expression is meaningful and only not supported.
    pub const fn is_unsupported(&self) -> bool {
        matches!(self, Fault::Unsupported { .. })
    }

    /// Whether a limit of this compiler or of classic programs is in the way.
    pub const fn is_limit(&self) -> bool {
        use Fault::{Depth, Operators, Text, TooLong};
        matches!(self, Depth { .. } | Operators { .. } | Text { .. } | TooLong { .. })
    }
}

impl FilterError {
    /// A stable code, `filter-…`.
    pub const fn code(&self) -> &'static str {
        self.fault.code()
    }

    /// The line and the first character of it that this is about, both from 1, and how many characters, at least 1.
    pub fn place(&self, text: &str) -> (u32, u32, u32) {
        let before = text.get(..self.at).unwrap_or(text);
        let line_start = before.rfind('\n').map_or(0, |n| n + 1);
        let about = text.get(self.at..).and_then(|rest| rest.get(..self.len)).unwrap_or_default();
        let about = about.split('\n').next().unwrap_or_default();
        let line = before.matches('\n').count() as u32 + 1;
        (line, before[line_start..].chars().count() as u32 + 1, about.chars().count().max(1) as u32)
    }

    /// The message above the expression, with carets below what it is about:
    ///
    /// ```text
    /// error[filter-syntax]: expected a relation as `=` or `>`, found the end of the expression
    ///   --> filter:1:11
    ///    |
    ///  1 | tcp[13] & 2
    ///    |            ^
    /// ```
    pub fn render(&self, text: &str, name: &str) -> String {
        excerpt(&format!("error[{}]: {}", self.code(), self.fault), self.place(text), text, name)
    }
}
