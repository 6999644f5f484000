//! Operators, conditions and extensions as rows: declared once, read by codec, text, checker and engines.

/// A constant or the index register.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[allow(missing_docs)]
pub enum Operand {
    K(u32),
    X,
}

/// Where loads relative to the network header begin.
pub const NET_OFF: u32 = -0x10_0000_i32 as u32;
/// Where loads relative to the link-layer header begin.
pub const LL_OFF: u32 = -0x20_0000_i32 as u32;

/// A binary operator of the accumulator.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[allow(missing_docs)]
pub enum AluOp {
    Add,
    Sub,
    Mul,
    Div,
    Or,
    And,
    Lsh,
    Rsh,
    Mod,
    Xor,
}

/// An operator's row.
#[derive(Clone, Copy, Debug)]
pub struct AluRow {
    /// The operator.
    pub op: AluOp,
    /// Its bits in the opcode.
    pub code: u16,
    /// Its mnemonic.
    pub name: &'static str,
}

impl AluOp {
    /// All operators, in the order of the enumeration.
    pub const ROWS: [AluRow; 10] = [
        AluRow { op: AluOp::Add, code: 0x00, name: "add" },
        AluRow { op: AluOp::Sub, code: 0x10, name: "sub" },
        AluRow { op: AluOp::Mul, code: 0x20, name: "mul" },
        AluRow { op: AluOp::Div, code: 0x30, name: "div" },
        AluRow { op: AluOp::Or, code: 0x40, name: "or" },
        AluRow { op: AluOp::And, code: 0x50, name: "and" },
        AluRow { op: AluOp::Lsh, code: 0x60, name: "lsh" },
        AluRow { op: AluOp::Rsh, code: 0x70, name: "rsh" },
        AluRow { op: AluOp::Mod, code: 0x90, name: "mod" },
        AluRow { op: AluOp::Xor, code: 0xa0, name: "xor" },
    ];

    /// This operator's row.
    pub const fn row(self) -> &'static AluRow {
        &AluOp::ROWS[self as usize]
    }

    /// The result, or none where the divisor is zero, which ends the program with 0. Shifts look at the low five
    /// bits of their distance.
    pub const fn eval(self, a: u32, b: u32) -> Option<u32> {
        Some(match self {
            AluOp::Add => a.wrapping_add(b),
            AluOp::Sub => a.wrapping_sub(b),
            AluOp::Mul => a.wrapping_mul(b),
            AluOp::Div => return a.checked_div(b),
            AluOp::Or => a | b,
            AluOp::And => a & b,
            AluOp::Lsh => a.wrapping_shl(b),
            AluOp::Rsh => a.wrapping_shr(b),
            AluOp::Mod => return a.checked_rem(b),
            AluOp::Xor => a ^ b,
        })
    }

    /// Whether a zero on the right ends the program.
    pub const fn divides(self) -> bool {
        matches!(self, AluOp::Div | AluOp::Mod)
    }

    /// Whether the right side is a distance in bits.
    pub const fn shifts(self) -> bool {
        matches!(self, AluOp::Lsh | AluOp::Rsh)
    }
}

/// A comparison of the accumulator, unsigned.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[allow(missing_docs)]
pub enum Cond {
    Eq,
    Gt,
    Ge,
    Set,
}

/// A condition's row.
#[derive(Clone, Copy, Debug)]
pub struct CondRow {
    /// The condition.
    pub cond: Cond,
    /// Its bits in the opcode.
    pub code: u16,
    /// Its mnemonic.
    pub name: &'static str,
}

impl Cond {
    /// All conditions, in the order of the enumeration.
    pub const ROWS: [CondRow; 4] = [
        CondRow { cond: Cond::Eq, code: 0x10, name: "jeq" },
        CondRow { cond: Cond::Gt, code: 0x20, name: "jgt" },
        CondRow { cond: Cond::Ge, code: 0x30, name: "jge" },
        CondRow { cond: Cond::Set, code: 0x40, name: "jset" },
    ];

    /// This condition's row.
    pub const fn row(self) -> &'static CondRow {
        &Cond::ROWS[self as usize]
    }

    /// Whether it holds of `a` and `b`.
    pub const fn eval(self, a: u32, b: u32) -> bool {
        match self {
            Cond::Eq => a == b,
            Cond::Gt => a > b,
            Cond::Ge => a >= b,
            Cond::Set => a & b != 0,
        }
    }
}

/// What a load reads from the host instead of the packet: Linux's extensions ("ancillary data").
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Ext {
    /// The EtherType.
    Proto,
    /// For whom the packet is: host, broadcast, multicast, other, outgoing.
    Type,
    /// The interface's number.
    Ifindex,
    /// The offset of the netlink attribute of type X that follows offset A.
    Nla,
    /// The same inside the attribute at offset A.
    Nlan,
    /// The packet's mark.
    Mark,
    /// The number of its queue.
    Queue,
    /// The device's type, an ARPHRD number.
    Hatype,
    /// The packet's hash.
    Rxhash,
    /// The number of the CPU.
    Cpu,
    /// No load, but `A = A ^ X`, from the time before `xor`; it has no text of its own.
    XorX,
    /// The VLAN tag control information.
    VlanTci,
    /// Whether there is a VLAN tag.
    VlanAvail,
    /// The offset of the payload.
    Poff,
    /// A random number.
    Rand,
    /// The VLAN tag's protocol.
    VlanTpid,
}

/// An extension's row.
#[derive(Clone, Copy, Debug)]
pub struct ExtRow {
    /// The extension.
    pub ext: Ext,
    /// Its distance from [`Ext::BASE`].
    pub off: u32,
    /// Its names in text, the usual one first; none for what only has a number.
    pub names: &'static [&'static str],
}

impl Ext {
    /// Where extensions begin among the offsets of loads; above it there is nothing else.
    pub const BASE: u32 = -0x1000_i32 as u32;

    /// All extensions, in the order of the enumeration and of their offsets.
    pub const ROWS: [ExtRow; 16] = [
        ExtRow { ext: Ext::Proto, off: 0, names: &["proto"] },
        ExtRow { ext: Ext::Type, off: 4, names: &["type"] },
        ExtRow { ext: Ext::Ifindex, off: 8, names: &["ifidx"] },
        ExtRow { ext: Ext::Nla, off: 12, names: &["nla"] },
        ExtRow { ext: Ext::Nlan, off: 16, names: &["nlan"] },
        ExtRow { ext: Ext::Mark, off: 20, names: &["mark"] },
        ExtRow { ext: Ext::Queue, off: 24, names: &["queue"] },
        ExtRow { ext: Ext::Hatype, off: 28, names: &["hatype"] },
        ExtRow { ext: Ext::Rxhash, off: 32, names: &["rxhash"] },
        ExtRow { ext: Ext::Cpu, off: 36, names: &["cpu"] },
        ExtRow { ext: Ext::XorX, off: 40, names: &[] },
        ExtRow { ext: Ext::VlanTci, off: 44, names: &["vlan_tci"] },
        ExtRow { ext: Ext::VlanAvail, off: 48, names: &["vlan_avail", "vlan_pr"] },
        ExtRow { ext: Ext::Poff, off: 52, names: &["poff"] },
        ExtRow { ext: Ext::Rand, off: 56, names: &["rand"] },
        ExtRow { ext: Ext::VlanTpid, off: 60, names: &["vlan_tpid"] },
    ];

    /// This extension's row.
    pub const fn row(self) -> &'static ExtRow {
        &Ext::ROWS[self as usize]
    }

    /// The offset that names it in a load.
    pub const fn k(self) -> u32 {
        Ext::BASE + self.row().off
    }

    /// The extension that an offset names.
    pub fn from_k(k: u32) -> Option<Ext> {
        let off = k.checked_sub(Ext::BASE)?;
        let row = Ext::ROWS.get(off as usize / 4)?;
        (row.off == off).then_some(row.ext)
    }
}
