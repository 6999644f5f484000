//! Taking and giving back the lock in a map's value.

use oxbpf_isa::Reg as R;

use crate::call::{Call, SPIN_LOCK};
use crate::code::Code;
use crate::explore::Explorer;
use crate::reg::{Kind, Reg};
use crate::report::{Checked, Fault};
use crate::state::{Held, Reference};

/// Bytes of a map's name that the kernel keeps.
const NAME: usize = 15;

impl Explorer<'_> {
    pub(super) fn check_lock(&mut self, call: &Call, reg: R, value: &Reg) -> Checked {
        let Kind::MapValue(map) = value.kind else { return Err(call.unsupported()) };
        let misuse = |text: String| Err(Fault::new(Code::LockMisuse, text));
        let Some(var) = value.num.as_const() else {
            let text = "doesn't have constant offset. bpf_spin_lock has to be at the constant offset";
            return misuse(format!("R{} {text}", reg as u8));
        };
        let def = self.map(map);
        let name: String = def.name.chars().take(NAME).collect();
        let Some(lock) = def.lock else {
            return misuse(match def.types {
                None => format!("map '{name}' has to have BTF in order to use bpf_spin_lock"),
                Some(_) => format!("map '{name}' has no valid bpf_spin_lock"),
            });
        };
        let at = var as i64 + i64::from(value.off);
        if at != i64::from(lock) {
            return misuse(format!("off {at} doesn't point to 'struct bpf_spin_lock' that is at {lock}"));
        }
        let held = Held::Lock { id: value.id, map: Some(map) };
        if call.proto.id == SPIN_LOCK {
            if self.cur.state.locked() {
                return misuse("Locking two bpf_spin_locks are not allowed".into());
            }
            let (id, insn) = (value.id, self.insn);
            self.cur.state.refs.push(Reference { id, insn, held });
            return Ok(());
        }
        if !self.cur.state.locked() {
            return misuse("bpf_spin_unlock without taking a lock".into());
        }
        let refs = &mut self.cur.state.refs;
        match refs.iter().position(|r| r.held == held) {
            None => misuse("bpf_spin_unlock of different lock".into()),
            Some(at) => {
                refs.remove(at);
                Ok(())
            }
        }
    }
}
