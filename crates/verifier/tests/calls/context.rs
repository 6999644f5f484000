//! Every offset and width of contexts and sockets, loaded, loaded with its sign and stored to.

use oxbpf_abi::{PROG_TYPES, ProgType};
use oxbpf_isa::{CallTarget, Insn, MemSize, Narrow, Operand, Reg};
use oxbpf_verifier::ctx::{self, Use};
use oxbpf_verifier::{Fault, Options, Sock};

use crate::kernel::{copy, imm, load, measured, or_leave, refusal};

/// The instruction that does it: between r2 and memory at `base`.
fn insn(what: Use, size: MemSize, base: Reg, off: i16) -> Option<Insn> {
    Some(match what {
        Use::Load => load(size, Reg::R2, base, off),
        Use::LoadSigned => {
            let size = match size {
                MemSize::B => Narrow::B,
                MemSize::H => Narrow::H,
                MemSize::W => Narrow::W,
                MemSize::Dw => return None,
            };
            Insn::LoadSx { size, dst: Reg::R2, base, off }
        }
        Use::Store => Insn::Store { size, base, off, src: Operand::Reg(Reg::R2) },
    })
}

/// Asks about all accesses at these offsets; answers what differs, and how many there were.
fn compare(
    prog_type: ProgType,
    before: &[Insn],
    base: Reg,
    offs: std::ops::Range<i16>,
    ours: impl Fn(i32, u32, Use) -> Result<(), Box<Fault>>,
) -> (usize, Vec<String>) {
    let (mut asked, mut different) = (0, Vec::new());
    for off in offs {
        for size in MemSize::ALL {
            for what in [Use::Load, Use::LoadSigned, Use::Store] {
                let Some(insn) = insn(what, size, base, off) else { continue };
                asked += 1;
                let program = [before, &[imm(Reg::R2, 0), insn, imm(Reg::R0, 0), Insn::Exit]].concat();
                let told = refusal(prog_type, &program);
                let ours = ours(off.into(), size.bytes(), what).err().map(|fault| fault.message().to_string());
                if told != ours {
                    different.push(format!("{prog_type} {what:?} {size:?} at {off}: {ours:?}, kernel {told:?}"));
                }
            }
        }
    }
    (asked, different)
}

#[test]
fn contexts_are_as_the_kernel_has_them() {
    if !measured() {
        return;
    }
    let (mut asked, mut different) = (0, Vec::new());
    for row in &PROG_TYPES {
        let options = Options { attach_type: row.attach_type, ..Options::default() };
        let ours = |off, size, what| ctx::access(row.prog_type, &options, off, size, what).map(|_| ());
        let end = row.prog_type.ctx().size as i16 + 8;
        let (count, differ) = compare(row.prog_type, &[], Reg::R1, -8..end, ours);
        asked += count;
        different.extend(differ);
    }
    println!("{asked} accesses");
    assert!(asked > 8_000 && different.is_empty(), "{} of {asked}:\n{}", different.len(), different.join("\n"));
}

/// Instructions that leave a socket of this kind in r6.
fn socket(sock: Sock) -> Vec<Insn> {
    let mut insns = vec![load(MemSize::Dw, Reg::R1, Reg::R1, 168)];
    insns.extend(or_leave(Reg::R1));
    let helper = match sock {
        Sock::Common => {
            insns.push(copy(Reg::R6, Reg::R1));
            return insns;
        }
        Sock::Full => 95,
        Sock::Tcp => 96,
        Sock::Xdp => unreachable!("an XDP socket comes from a map"),
    };
    insns.push(Insn::Call(CallTarget::Helper(helper)));
    insns.extend(or_leave(Reg::R0));
    insns.push(copy(Reg::R6, Reg::R0));
    insns
}

#[test]
fn sockets_are_as_the_kernel_has_them() {
    if !measured() {
        return;
    }
    let (mut asked, mut different) = (0, Vec::new());
    for sock in [Sock::Common, Sock::Full, Sock::Tcp] {
        let ours = |off, size, what| ctx::sock_access(Reg::R6, sock, off, size, what == Use::Store);
        let (count, differ) = compare(ProgType::SchedCls, &socket(sock), Reg::R6, -8..128, ours);
        asked += count;
        different.extend(differ);
    }
    println!("{asked} accesses");
    assert!(asked > 4_000 && different.is_empty(), "{} of {asked}:\n{}", different.len(), different.join("\n"));
}
