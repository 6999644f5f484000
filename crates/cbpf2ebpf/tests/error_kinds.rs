//! Every reason not to migrate in its exact words. That the outcome is no program does not happen, or it is a defect.

#[path = "../../../tests/codes/mod.rs"]
mod codes;

use codes::{check, shown};
use oxbpf_abi::ProgType;
use oxbpf_cbpf2ebpf::{MigrateError, migrate};
use oxbpf_ir::{BuildError, BuildFault};
use oxbpf_isa::Slot;
use oxbpf_isa::cbpf::{Program, SockFilter};

#[test]
fn programs() {
    let pass = Program::check(&[SockFilter { code: 6, jt: 0, jf: 0, k: 1 }]).unwrap();
    let malformed = BuildError { slot: Slot(9), fault: BuildFault::JumpOutside { target: 70 } };
    let rows = [
        (
            "migrate-no-skb",
            "programs of type xdp have no skb, which classic programs look at",
            shown!(migrate(&pass, "f", ProgType::Xdp).unwrap_err()),
        ),
        (
            "migrate-malformed",
            "the migrated program is malformed: insn 9: jump to slot 70, which is outside the program",
            shown!(MigrateError::from(malformed)),
        ),
    ];
    check(include_str!("../src/lib.rs"), &rows);
}
