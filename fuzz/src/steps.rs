//! Classic programs step by step, as slow and as plain as can be: what programs of filter expressions are held to.

use oxbpf_isa::Narrow;
use oxbpf_isa::cbpf::{Ext, Insn, Operand};

/// What a program returns; none where a load is out of range or a divisor is 0. The host knows nothing: packets are for
/// it, from interface 1.
pub fn run(program: &[Insn], packet: &[u8]) -> Option<u32> {
    let (mut a, mut x, mut m, mut pc) = (0u32, 0u32, [0u32; 16], 0);
    let load = |off: u32, size: Narrow| {
        let len = match size {
            Narrow::B => 1,
            Narrow::H => 2,
            Narrow::W => 4,
        };
        let bytes = packet.get(off as usize..)?.get(..len)?;
        Some(bytes.iter().fold(0u32, |n, &b| n << 8 | u32::from(b)))
    };
    loop {
        let insn = program[pc];
        pc += 1;
        match insn {
            Insn::LdImm(k) => a = k,
            Insn::LdLen => a = packet.len() as u32,
            Insn::LdMem(n) => a = m[n.index()],
            Insn::LdAbs { size, k } => a = load(k.k(), size)?,
            Insn::LdInd { size, k } => a = load(x.wrapping_add(k), size)?,
            Insn::LdExt { ext: Ext::Type, .. } => a = 0,
            Insn::LdExt { .. } => a = 1,
            Insn::LdxImm(k) => x = k,
            Insn::LdxLen => x = packet.len() as u32,
            Insn::LdxMem(n) => x = m[n.index()],
            Insn::LdxMsh(k) => x = 4 * (load(k, Narrow::B)? & 0xf),
            Insn::St(n) => m[n.index()] = a,
            Insn::Stx(n) => m[n.index()] = x,
            Insn::Alu { op, src } => {
                let right = if let Operand::K(k) = src { k } else { x };
                a = op.eval(a, right)?;
            }
            Insn::Neg => a = a.wrapping_neg(),
            Insn::Ja(k) => pc += k as usize,
            Insn::JumpIf { cond, src, jt, jf } => {
                let right = if let Operand::K(k) = src { k } else { x };
                pc += usize::from(if cond.eval(a, right) { jt } else { jf });
            }
            Insn::RetK(k) => return Some(k),
            Insn::RetA => return Some(a),
            Insn::RetX => return Some(x),
            Insn::Tax => x = a,
            Insn::Txa => a = x,
        }
    }
}
