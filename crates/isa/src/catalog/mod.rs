//! Every instruction of the set, to be listed, explained and tested: the product of the operators' rows.
//!
//! [`Kind`] is an instruction without its operands. Each has a name (`add32`, `ldxsb`, `jslt`), forms of operands, a
//! conformance group (RFC 9669 section 2.4), the edge rules that bind it, and a sample.
//!
//! ```
//! use oxbpf_isa::catalog::{Form, Group, Kind};
//!
//! let div = Kind::by_name("div32").unwrap();
//! assert_eq!(div.group(), Group::DivMul32);
//! assert_eq!(div.sample(Form::Reg).to_string(), "w1 /= w2");
//! assert!(div.edges(Form::Reg).any(|edge| edge.name() == "zero-divisor"));
//! assert_eq!(Kind::of(&div.sample(Form::Reg)), div);
//! ```

mod edges;
mod kind;
mod sample;

pub use edges::Edge;
pub use kind::{CpuLevel, Form, Kind, PseudoKind};

/// A conformance group: what a runtime may support as a whole (RFC 9669 section 2.4).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[allow(missing_docs)]
pub enum Group {
    Base32,
    Base64,
    DivMul32,
    DivMul64,
    Atomic32,
    Atomic64,
    Packet,
    /// Instructions that Linux has beyond the RFC.
    Linux,
}

/// What a [`Group`] is called and holds.
#[derive(Clone, Copy, Debug)]
pub struct GroupRow {
    /// The group.
    pub group: Group,
    /// Its registered name.
    pub name: &'static str,
    /// The group that a runtime with this one has too.
    pub includes: Option<Group>,
    /// What it holds.
    pub about: &'static str,
}

const fn group(group: Group, name: &'static str, includes: Option<Group>, about: &'static str) -> GroupRow {
    GroupRow { group, name, includes, about }
}

impl Group {
    /// All groups, in the order of the enum.
    pub const ROWS: [GroupRow; 8] = [
        group(Group::Base32, "base32", None, "instructions that every runtime has"),
        group(Group::Base64, "base64", Some(Group::Base32), "arithmetic, jumps and memory accesses of 64 bits"),
        group(Group::DivMul32, "divmul32", None, "multiplication, division and remainder of 32 bits"),
        group(Group::DivMul64, "divmul64", Some(Group::DivMul32), "multiplication, division and remainder of 64 bits"),
        group(Group::Atomic32, "atomic32", None, "atomic operations on 4 bytes"),
        group(Group::Atomic64, "atomic64", Some(Group::Atomic32), "atomic operations on 8 bytes"),
        group(Group::Packet, "packet", None, "loads from packets as in classic BPF, historical"),
        group(Group::Linux, "linux", None, "what Linux has beyond the RFC; not a registered group"),
    ];

    /// This group's row.
    pub const fn row(self) -> &'static GroupRow {
        &Self::ROWS[self as usize]
    }

    /// The group of this name.
    pub fn by_name(name: &str) -> Option<Group> {
        Self::ROWS.iter().find(|row| row.name == name).map(|row| row.group)
    }
}

impl std::fmt::Display for Group {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.row().name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_are_of_their_kind_and_form() {
        let mut names = std::collections::HashSet::new();
        for kind in Kind::all() {
            assert!(names.insert(kind.name()), "{} twice", kind.name());
            assert_eq!(Kind::by_name(&kind.name()), Some(kind));
            for &form in kind.forms() {
                let sample = kind.sample(form);
                assert_eq!(Kind::of(&sample), kind);
                assert_eq!(Form::of(&sample), form);
                let words = sample.encode();
                assert_eq!(crate::decode(words.words(), crate::Slot(0)).unwrap().0, sample);
            }
        }
    }

    #[test]
    fn rows_stand_in_the_order_of_their_enum() {
        for (index, row) in Group::ROWS.iter().enumerate() {
            assert_eq!(row.group as usize, index);
        }
    }
}
