//! The types that the kernel wants of a map whose values have a lock.

use crate::func_info::Btf;
use crate::{KernelBtf, KernelError};

/// BTF in which a value of `size` bytes has a `struct bpf_spin_lock` at `lock`, with the types of a key and of the value.
pub fn lock_types(key_size: u32, size: u32, lock: u32) -> Result<(KernelBtf, u32, u32), KernelError> {
    let mut btf = Btf::default();
    let int = btf.add_int("int", 4);
    let byte = btf.add_int("char", 1);
    let spin_lock = btf.add_struct("bpf_spin_lock", 4, &[("val", int, 0)]);
    let mut members = Vec::new();
    let mut bytes = |btf: &mut Btf, name, from: u32, to: u32| {
        if from < to {
            members.push((name, btf.add_array(byte, int, to - from), from));
        }
    };
    bytes(&mut btf, "before", 0, lock);
    bytes(&mut btf, "after", lock + 4, size);
    members.push(("lock", spin_lock, lock));
    members.sort_by_key(|m| m.2);
    let value = btf.add_struct("value", size, &members);
    // Arrays want a number.
    let key = match key_size {
        4 => int,
        size => {
            let bytes = btf.add_array(byte, int, size);
            btf.add_struct("key", size, &[("bytes", bytes, 0)])
        }
    };
    Ok((KernelBtf::load(&btf.bytes())?, key, value))
}
