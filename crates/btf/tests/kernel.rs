//! The running kernel's own BTF, where there is one.

use oxbpf_btf::{Btf, Kind, Type};

const VMLINUX: &str = "/sys/kernel/btf/vmlinux";

#[test]
fn the_running_kernel_describes_sk_buff() {
    let bytes = match std::fs::read(VMLINUX) {
        Ok(bytes) => bytes,
        Err(e) => {
            eprintln!("skipped: {VMLINUX}: {e}");
            return;
        }
    };
    let btf = Btf::parse(&bytes).unwrap();
    let sk_buff = btf.find(Kind::Struct, "sk_buff").unwrap();
    let size = btf.size_of(sk_buff).unwrap();
    assert!(size > 0);
    // Every member starts within the structure.
    for (name, member) in btf.members(sk_buff) {
        let end = u64::from(member.bit_offset) / 8;
        assert!(end <= size, "{name}");
    }
    let mut sized = 0;
    for (id, t) in btf.types() {
        if let Type::Struct(s) = t {
            assert_eq!(btf.size_of(id), Ok(u64::from(s.size)));
            sized += 1;
        }
    }
    assert!(sized > 1000);
}
