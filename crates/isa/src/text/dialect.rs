//! The dialects that programs are written in.

/// A way to write instructions. One reader serves each family; rows say what differs within it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub enum Dialect {
    /// `r0 = 1`, as clang, llvm-mc and llvm-objdump write it.
    #[default]
    Clang,
    /// `(b7) r0 = 1`, as the kernel's log and bpftool write it.
    Kernel,
    /// `mov %r0, 1`, of uBPF and the public conformance tests.
    Ubpf,
    /// `mov64 r0, 0x1`, of rbpf.
    Rbpf,
    /// `mov %r0, 1`, of the GNU assembler's normal syntax.
    Gnu,
    /// `BPF_MOV64_IMM(BPF_REG_0, 1),`: the macros of the kernel's C sources.
    Macros,
}

/// How a dialect is shaped.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Family {
    /// Assignments, like C.
    PseudoC,
    /// A mnemonic and its operands.
    Mnemonic,
    /// Calls of macros.
    Macros,
}

/// What a [`Dialect`] is called.
#[derive(Clone, Copy, Debug)]
pub struct DialectRow {
    /// The dialect.
    pub dialect: Dialect,
    /// The name on command lines.
    pub name: &'static str,
    /// Other names on command lines.
    pub aliases: &'static [&'static str],
    /// What messages call it.
    pub title: &'static str,
    /// One instruction, as an example.
    pub example: &'static str,
    pub(super) family: Family,
}

impl Dialect {
    /// All dialects. Where a text is of several, the first of them is meant.
    pub const ROWS: [DialectRow; 6] = [
        DialectRow {
            dialect: Dialect::Clang,
            name: "clang",
            aliases: &["llvm"],
            title: "clang",
            example: "r7 = *(u32 *)(r6 + 112)",
            family: Family::PseudoC,
        },
        DialectRow {
            dialect: Dialect::Kernel,
            name: "kernel",
            aliases: &["bpftool"],
            title: "kernel",
            example: "(61) r7 = *(u32 *)(r6 +112)",
            family: Family::PseudoC,
        },
        DialectRow {
            dialect: Dialect::Ubpf,
            name: "ubpf",
            aliases: &[],
            title: "uBPF",
            example: "ldxw %r7, [%r6+112]",
            family: Family::Mnemonic,
        },
        DialectRow {
            dialect: Dialect::Rbpf,
            name: "rbpf",
            aliases: &[],
            title: "rbpf",
            example: "ldxw r7, [r6+0x70]",
            family: Family::Mnemonic,
        },
        DialectRow {
            dialect: Dialect::Gnu,
            name: "gnu",
            aliases: &["gas"],
            title: "GNU",
            example: "ldxw %r7, [%r6+112]",
            family: Family::Mnemonic,
        },
        DialectRow {
            dialect: Dialect::Macros,
            name: "macros",
            aliases: &["c"],
            title: "opcode macro",
            example: "BPF_LDX_MEM(BPF_W, BPF_REG_7, BPF_REG_6, 112),",
            family: Family::Macros,
        },
    ];

    /// This dialect's row.
    pub const fn row(self) -> &'static DialectRow {
        &Self::ROWS[self as usize]
    }

    /// The dialect of this name or alias.
    ///
    /// ```
    /// use oxbpf_isa::text::Dialect;
    ///
    /// assert_eq!(Dialect::by_name("llvm"), Some(Dialect::Clang));
    /// assert_eq!(Dialect::by_name("intel"), None);
    /// ```
    pub fn by_name(name: &str) -> Option<Dialect> {
        Dialect::ROWS.iter().find(|r| r.name == name || r.aliases.contains(&name)).map(|r| r.dialect)
    }
}

impl core::fmt::Display for Dialect {
    /// The name on command lines.
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(self.row().name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_stand_in_the_order_of_the_enum() {
        assert!(Dialect::ROWS.iter().enumerate().all(|(i, r)| r.dialect as usize == i));
        assert!(Dialect::ROWS.iter().all(|r| Dialect::by_name(r.name) == Some(r.dialect)));
    }
}
