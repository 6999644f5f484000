//! Return values in words. Classifier rows were measured on Linux 6.18; action rows are `act_bpf`'s
//! documented behaviour.

use oxbpf_abi::{ProgType, act};

use crate::handle::Handle;

/// Where a program is attached.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Hook {
    /// The ingress hook of clsact or the ingress qdisc.
    Ingress,
    /// The egress hook of clsact.
    Egress,
    /// A classful qdisc on egress.
    Qdisc,
    /// An action behind a filter.
    Action,
}

impl Hook {
    /// The name on command lines.
    pub const fn name(self) -> &'static str {
        match self {
            Hook::Ingress => "ingress",
            Hook::Egress => "egress",
            Hook::Qdisc => "qdisc",
            Hook::Action => "action",
        }
    }
}

/// How a return value is read.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Mode {
    /// A classifier: the value is a class id, or says that there is none.
    Classid,
    /// A classifier with `da`: the value is an action code.
    DirectAction,
    /// `act_bpf`: the value is an action code in a chain of actions.
    Action,
    /// XDP.
    Xdp,
    /// A socket filter: the value is how many bytes to keep.
    Socket,
    /// A cgroup filter: 1 lets pass.
    Cgroup,
    /// A filter of system calls: an action and 16 bits of data.
    Seccomp,
}

impl Mode {
    /// The name in headers and JSON.
    pub const fn name(self) -> &'static str {
        match self {
            Mode::Classid => "classid",
            Mode::DirectAction => "direct-action",
            Mode::Action => "action",
            Mode::Xdp => "xdp",
            Mode::Socket => "socket",
            Mode::Cgroup => "cgroup",
            Mode::Seccomp => "seccomp",
        }
    }

    /// The mode of a program of this type at a hook; classifiers run direct-action where asked.
    pub const fn of(prog_type: ProgType, hook: Hook, direct_action: bool) -> Mode {
        match (prog_type, hook) {
            (ProgType::Xdp, _) => Mode::Xdp,
            (ProgType::SocketFilter, _) => Mode::Socket,
            (ProgType::CgroupSkb, _) => Mode::Cgroup,
            (ProgType::SchedAct, _) | (ProgType::SchedCls, Hook::Action) => Mode::Action,
            (ProgType::SchedCls, _) if direct_action => Mode::DirectAction,
            (ProgType::SchedCls, _) => Mode::Classid,
        }
    }
}

/// What is needed to read a return value.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Semantics {
    /// Where the program is attached.
    pub hook: Hook,
    /// How its value is read.
    pub mode: Mode,
    /// The filter's default class (`flowid`, `classid`), where one is configured.
    pub flowid: Option<Handle>,
}

/// What becomes of a packet.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
#[allow(missing_docs)]
pub enum Verdict {
    /// The filter matches; `default` says that the class is the configured one.
    Match {
        classid: Option<Handle>,
        default: bool,
    },
    /// The filter does not match: the next one is asked.
    Mismatch,
    /// Accepted, no further filter; direct-action mode may choose a class.
    Ok {
        classid: Option<Handle>,
    },
    Shot,
    Stolen,
    /// Sent to another device; without a `bpf_redirect()` before, dropped.
    Redirect,
    Trap,
    /// The next filter is asked.
    NextFilter,
    /// The next action runs.
    NextAction,
    /// Classification starts again.
    Reclassify,
    /// The action configured on the command line decides.
    DefaultAction,
    Pass,
    Drop,
    Tx,
    Aborted,
    /// A socket keeps so many bytes.
    Keep {
        bytes: u32,
    },
    /// What becomes of a system call.
    Syscall {
        action: SyscallAction,
        data: u16,
    },
}

/// What a seccomp filter decides, by the upper half of its value.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
#[allow(missing_docs)]
pub enum SyscallAction {
    KillProcess,
    KillThread,
    Trap,
    /// The call fails with the data as its error number.
    Errno,
    UserNotif,
    Trace,
    Log,
    Allow,
}

/// An action's row.
struct ActionRow {
    action: SyscallAction,
    /// `SECCOMP_RET_…`, the upper half.
    code: u16,
    word: &'static str,
}

impl SyscallAction {
    /// All actions, in the order of the enumeration.
    const ROWS: [ActionRow; 8] = [
        ActionRow { action: SyscallAction::KillProcess, code: 0x8000, word: "kill process" },
        ActionRow { action: SyscallAction::KillThread, code: 0x0000, word: "kill thread" },
        ActionRow { action: SyscallAction::Trap, code: 0x0003, word: "trap" },
        ActionRow { action: SyscallAction::Errno, code: 0x0005, word: "errno" },
        ActionRow { action: SyscallAction::UserNotif, code: 0x7fc0, word: "user notification" },
        ActionRow { action: SyscallAction::Trace, code: 0x7ff0, word: "trace" },
        ActionRow { action: SyscallAction::Log, code: 0x7ffc, word: "log" },
        ActionRow { action: SyscallAction::Allow, code: 0x7fff, word: "allow" },
    ];

    /// The action of a filter's value. One that the kernel does not know kills the process.
    fn of(value: u32) -> SyscallAction {
        let row = SyscallAction::ROWS.iter().find(|r| r.code == (value >> 16) as u16);
        row.map_or(SyscallAction::KillProcess, |r| r.action)
    }

    const fn word(self) -> &'static str {
        SyscallAction::ROWS[self as usize].word
    }
}

impl Semantics {
    /// What a return value means. `tc_classid` is what the program left in that context field.
    pub fn verdict(&self, value: u32, tc_classid: u32) -> Verdict {
        match self.mode {
            Mode::Classid => self.classid(value),
            Mode::DirectAction => self.direct_action(value, tc_classid),
            Mode::Action => action(value),
            Mode::Xdp => xdp(value),
            Mode::Socket if value == 0 => Verdict::Drop,
            Mode::Socket => Verdict::Keep { bytes: value },
            Mode::Cgroup if value & 1 != 0 => Verdict::Pass,
            Mode::Cgroup => Verdict::Drop,
            Mode::Seccomp => Verdict::Syscall { action: SyscallAction::of(value), data: value as u16 },
        }
    }

    /// Any value but 0 and -1 is a class id; also 2, which drops nothing here.
    fn classid(&self, value: u32) -> Verdict {
        match value as i32 {
            0 => Verdict::Mismatch,
            -1 => Verdict::Match { classid: self.flowid, default: true },
            _ => Verdict::Match { classid: Some(Handle(value)), default: false },
        }
    }

    /// The kernel honours OK, SHOT, STOLEN, REDIRECT and TRAP; everything else asks the next filter. The class
    /// has the configured major and the minor that the program left in `tc_classid`.
    fn direct_action(&self, value: u32, tc_classid: u32) -> Verdict {
        match act::tc_word(value as i32) {
            Some("ok") => {
                let major = self.flowid.map_or(0, Handle::major);
                let class = Handle::new(major, tc_classid as u16);
                Verdict::Ok { classid: (class.0 != 0).then_some(class) }
            }
            Some("shot") => Verdict::Shot,
            Some("stolen") => Verdict::Stolen,
            Some("redirect") => Verdict::Redirect,
            Some("trap") => Verdict::Trap,
            _ => Verdict::NextFilter,
        }
    }
}

/// `act_bpf` honours OK, RECLASSIFY, SHOT, PIPE and REDIRECT; everything else is the default action.
fn action(value: u32) -> Verdict {
    match act::tc_word(value as i32) {
        Some("ok") => Verdict::Ok { classid: None },
        Some("reclassify") => Verdict::Reclassify,
        Some("shot") => Verdict::Shot,
        Some("pipe") => Verdict::NextAction,
        Some("redirect") => Verdict::Redirect,
        _ => Verdict::DefaultAction,
    }
}

/// A value that is no XDP action aborts.
fn xdp(value: u32) -> Verdict {
    match act::xdp_word(value) {
        Some("drop") => Verdict::Drop,
        Some("pass") => Verdict::Pass,
        Some("tx") => Verdict::Tx,
        Some("redirect") => Verdict::Redirect,
        _ => Verdict::Aborted,
    }
}

impl Verdict {
    /// One word or two, as tables and JSON carry it.
    pub const fn word(&self) -> &'static str {
        match self {
            Verdict::Match { .. } => "match",
            Verdict::Mismatch => "mismatch",
            Verdict::Ok { .. } => "ok",
            Verdict::Shot => "shot",
            Verdict::Stolen => "stolen",
            Verdict::Redirect => "redirect",
            Verdict::Trap => "trap",
            Verdict::NextFilter => "next filter",
            Verdict::NextAction => "next action",
            Verdict::Reclassify => "reclassify",
            Verdict::DefaultAction => "default action",
            Verdict::Pass => "pass",
            Verdict::Drop => "drop",
            Verdict::Tx => "tx",
            Verdict::Aborted => "aborted",
            Verdict::Keep { .. } => "keep",
            Verdict::Syscall { action, .. } => action.word(),
        }
    }

    /// The class it chooses, if any.
    pub const fn classid(&self) -> Option<Handle> {
        match *self {
            Verdict::Match { classid, .. } | Verdict::Ok { classid } => classid,
            _ => None,
        }
    }

    /// Whether the packet goes on as far as this program can say: matched, accepted, passed on or sent away.
    pub const fn passes(&self) -> bool {
        match self {
            Verdict::Match { .. }
            | Verdict::Ok { .. }
            | Verdict::Redirect
            | Verdict::NextFilter
            | Verdict::NextAction
            | Verdict::Reclassify
            | Verdict::DefaultAction
            | Verdict::Pass
            | Verdict::Tx
            | Verdict::Keep { .. } => true,
            Verdict::Syscall { action, .. } => matches!(action, SyscallAction::Allow | SyscallAction::Log),
            Verdict::Mismatch | Verdict::Shot | Verdict::Stolen | Verdict::Trap | Verdict::Drop | Verdict::Aborted => {
                false
            }
        }
    }
}

impl std::fmt::Display for Verdict {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.word())?;
        match *self {
            Verdict::Match { classid: Some(c), default: true } => write!(f, " classid {c} (default)"),
            Verdict::Match { classid: None, .. } => f.write_str(" (default class, none configured)"),
            Verdict::Match { classid: Some(c), .. } | Verdict::Ok { classid: Some(c) } => write!(f, " classid {c}"),
            Verdict::Keep { bytes } => write!(f, " {bytes} bytes"),
            Verdict::Syscall { data, .. } if data != 0 => write!(f, " {data}"),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FLOW: Option<Handle> = Some(Handle::new(1, 1));

    fn at(mode: Mode) -> Semantics {
        Semantics { hook: Hook::Ingress, mode, flowid: FLOW }
    }

    #[test]
    fn classifier_values_are_class_ids() {
        let v = |value: i32| at(Mode::Classid).verdict(value as u32, 0);
        assert_eq!(v(-1), Verdict::Match { classid: FLOW, default: true });
        assert_eq!(v(0), Verdict::Mismatch);
        for value in [1, 2, 3, 4, 5, 6, 7, 8, 0x1002a] {
            assert_eq!(v(value), Verdict::Match { classid: Some(Handle(value as u32)), default: false });
        }
    }

    #[test]
    fn direct_action_honours_five_codes() {
        let v = |value: i32| at(Mode::DirectAction).verdict(value as u32, 0xabcd_002a);
        assert_eq!(
            v(0),
            Verdict::Ok { classid: Some(Handle::new(1, 0x2a)) },
            "major of the filter, minor of the program"
        );
        assert_eq!([v(2), v(4), v(7), v(8)], [Verdict::Shot, Verdict::Stolen, Verdict::Redirect, Verdict::Trap]);
        for value in [-1, 1, 3, 5, 6, 9, 4711] {
            assert_eq!(v(value), Verdict::NextFilter, "{value}");
        }
    }

    #[test]
    fn actions_fall_back_to_the_configured_one() {
        let v = |value: i32| at(Mode::Action).verdict(value as u32, 0);
        assert_eq!([v(0), v(1), v(2)], [Verdict::Ok { classid: None }, Verdict::Reclassify, Verdict::Shot]);
        assert_eq!([v(3), v(7)], [Verdict::NextAction, Verdict::Redirect]);
        for value in [-1, 4, 5, 6, 8, 99] {
            assert_eq!(v(value), Verdict::DefaultAction, "{value}");
        }
    }

    #[test]
    fn seccomp_values_are_an_action_and_data() {
        let v = |value: u32| at(Mode::Seccomp).verdict(value, 0);
        assert_eq!(v(0x5_0001), Verdict::Syscall { action: SyscallAction::Errno, data: 1 });
        assert_eq!(v(0x5_0001).to_string(), "errno 1");
        let words = [0x7fff_0000, 0, 0x8000_0000, 0x1234_0000].map(|value| v(value).word());
        assert_eq!(words, ["allow", "kill thread", "kill process", "kill process"]);
        assert_eq!([0x7fff_0000, 0x3_0000].map(|value| v(value).passes()), [true, false]);
        assert!(SyscallAction::ROWS.iter().enumerate().all(|(i, r)| r.action as usize == i));
    }

    #[test]
    fn modes_follow_type_and_hook() {
        assert_eq!(Mode::of(ProgType::SchedCls, Hook::Egress, true), Mode::DirectAction);
        assert_eq!(Mode::of(ProgType::SchedCls, Hook::Action, true), Mode::Action);
        assert_eq!(Mode::of(ProgType::SchedAct, Hook::Ingress, false), Mode::Action);
    }
}
