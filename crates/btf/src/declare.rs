//! Functions as bpftool declares them: `int entry(struct __sk_buff * skb)`.

use crate::query::MAX_DEPTH;
use crate::types::{Btf, FuncProto, Type, TypeId};

/// bpftool's room for a function's text, the final zero included; what is longer it does not show.
const ROOM: usize = 1024;

impl Btf {
    /// A function as bpftool writes it above its instructions; none where `id` is no function, or the text longer than
    /// bpftool shows.
    ///
    /// Every word is followed by a blank, so that pointers are `struct __sk_buff * skb`.
    #[must_use]
    pub fn declaration(&self, id: TypeId) -> Option<String> {
        let (func, proto) = self.func(id)?;
        let mut out = String::new();
        self.prototype(&mut out, proto, self.str(func.name), MAX_DEPTH)?;
        (out.len() < ROOM).then_some(out)
    }

    fn prototype(&self, out: &mut String, proto: &FuncProto, name: &str, depth: usize) -> Option<()> {
        self.named(out, proto.ret, depth)?;
        out.push_str(name);
        out.push('(');
        for (i, param) in proto.params.iter().enumerate() {
            if i > 0 {
                out.push_str(", ");
            }
            if param.target == TypeId::VOID {
                out.push_str("...");
                continue;
            }
            self.named(out, param.target, depth)?;
            match self.str(param.name) {
                "" => out.truncate(out.trim_end_matches(' ').len()),
                name => out.push_str(name),
            }
            if out.len() > ROOM {
                return None;
            }
        }
        out.push(')');
        Some(())
    }

    /// A type with a blank behind each word.
    fn named(&self, out: &mut String, id: TypeId, depth: usize) -> Option<()> {
        let depth = depth.checked_sub(1)?;
        let one = self.get(id).ok()?;
        let name = self.str(one.name());
        let (before, inner, behind) = match one {
            Type::Void => ("void ", None, ""),
            Type::Int(_) | Type::Typedef { .. } | Type::Float { .. } => ("", None, ""),
            Type::Struct(_) | Type::Fwd { is_union: false, .. } => ("struct ", None, ""),
            Type::Union(_) | Type::Fwd { is_union: true, .. } => ("union ", None, ""),
            Type::Enum(_) | Type::Enum64(_) => ("enum ", None, ""),
            Type::Ptr(to) => ("", Some(*to), "* "),
            Type::Volatile(to) => ("volatile ", Some(*to), ""),
            Type::Const(to) => ("const ", Some(*to), ""),
            Type::Restrict(to) => ("restrict ", Some(*to), ""),
            Type::Array(t) => {
                self.named(out, t.elem, depth)?;
                out.push_str(&format!("[{}]", t.len));
                return Some(());
            }
            Type::FuncProto(t) => return self.prototype(out, t, "", depth),
            // Nothing of these stands in a prototype.
            Type::Func(_) | Type::Var(_) | Type::DataSec(_) | Type::DeclTag { .. } | Type::TypeTag { .. } => {
                return None;
            }
        };
        out.push_str(before);
        match inner {
            Some(inner) => self.named(out, inner, depth)?,
            None if *one != Type::Void => {
                out.push_str(name);
                out.push(' ');
            }
            None => {}
        }
        out.push_str(behind);
        (out.len() <= ROOM).then_some(())
    }
}
