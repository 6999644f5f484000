//! Who may load and store which bytes of the context, asked of the kernel's verifier for every type, offset and width.

mod common;

use common::{Insn, exit, insn, measured, mov};
use oxbpf_abi::{PROG_TYPES, ProgTypeRow};
use oxbpf_isa::MemSize;
use oxbpf_kernel::{KernelProg, LoadSpec, LogPolicy};

/// Bytes asked about in front of and behind the structure.
const AROUND: i16 = 16;

#[derive(Clone, Copy, Debug, PartialEq)]
enum Access {
    Load,
    /// Of a register.
    Store,
    /// Of an immediate.
    StoreImm,
}

impl Access {
    const ALL: [Access; 3] = [Access::Load, Access::Store, Access::StoreImm];

    fn insn(self, size: MemSize, off: i16) -> Insn {
        const MEM: u8 = 0x60;
        match self {
            Access::Load => insn(0x01 | MEM | size.code(), 2, 1, off, 0),
            Access::Store => insn(0x03 | MEM | size.code(), 1, 2, off, 0),
            Access::StoreImm => insn(0x02 | MEM | size.code(), 1, 0, off, 0),
        }
    }
}

#[test]
fn every_access_is_as_the_rows_say() {
    if !measured("every_access_is_as_the_rows_say") {
        return;
    }
    let mut asked = 0;
    let mut different = Vec::new();
    for row in &PROG_TYPES {
        for off in -AROUND..row.prog_type.ctx().size as i16 + AROUND {
            for size in MemSize::ALL {
                for access in Access::ALL {
                    asked += 1;
                    let (ours, kernel) = (rows_allow(row, access, size, off), kernel_allows(row, access, size, off));
                    if ours != kernel {
                        let reason = reason(row, access, size, off);
                        let place = format!("{} {access:?} {} at {off}", row.name, size.bytes());
                        different.push(format!("{place}: rows {ours}, kernel {kernel} {reason}"));
                    }
                }
            }
        }
    }
    println!("{asked} accesses");
    assert!(different.is_empty(), "{} of {asked} differ:\n{}", different.len(), different.join("\n"));
}

fn rows_allow(row: &ProgTypeRow, access: Access, size: MemSize, off: i16) -> bool {
    let write = access != Access::Load;
    let field = u32::try_from(off).ok().and_then(|off| row.prog_type.ctx().access(off, size.bytes(), write));
    field.is_some_and(|f| if write { f.writable_by(row.prog_type) } else { f.readable_by(row.prog_type) })
}

fn program(access: Access, size: MemSize, off: i16) -> [Insn; 4] {
    [mov(2, 0), access.insn(size, off), mov(0, 1), exit()]
}

fn kernel_allows(row: &ProgTypeRow, access: Access, size: MemSize, off: i16) -> bool {
    let insns = program(access, size, off);
    let spec = LoadSpec { log: LogPolicy::Never, ..spec(row, &insns) };
    KernelProg::load(&spec).is_ok()
}

fn reason(row: &ProgTypeRow, access: Access, size: MemSize, off: i16) -> String {
    let insns = program(access, size, off);
    KernelProg::load(&spec(row, &insns)).map(|_| String::new()).unwrap_or_else(|error| error.to_string())
}

fn spec<'a>(row: &ProgTypeRow, insns: &'a [Insn]) -> LoadSpec<'a> {
    LoadSpec { expected_attach_type: row.attach_type, ..LoadSpec::new(row.id, insns) }
}
