//! What the user asked for, checked.

use std::path::{Path, PathBuf};

use clap::ValueEnum;
use oxbpf_abi::ProgType;
use oxbpf_capture::LinkType;
use oxbpf_interp::Interp;
use oxbpf_interp::classic::Classic;
use oxbpf_isa::{CallTarget, Insn};
use oxbpf_kernel::Kernel;
use oxbpf_runtime::{Availability, Engine, EngineError, Env};
use oxbpf_tc::{Handle, Hook, Mode, Semantics};
use oxbpf_verifier::Caps;

use super::Failure;
use super::capture_options::CaptureArguments;
use super::expect::Expected;
use super::maps::Maps;
use crate::cli::{EXIT_CODES, say};
use crate::ctx_json::CtxFields;
use crate::prog::Loaded;
use crate::seccomp::SeccompData;

const EXAMPLES: &str = "\
Examples:
  oxbpf run examples/port_redirect.o --pcap examples/captures/http.pcap
  oxbpf run cls.o:classifier --pcap web.pcap --flowid 1:1 --engine all
  oxbpf run filter.o:tc/main --pcap web.pcap --jsonl --with data,ctx
  oxbpf run bytecode:'4,40 0 0 12,21 0 1 2048,6 0 0 65535,6 0 0 0' --pcap web.pcap --verdict-as socket
  oxbpf run filter.txt --seccomp nr=59,arch=x86_64 --seccomp nr=1,args=2:0x1000
  oxbpf run redirect.bpf --pcap - --ctx '{\"queue_mapping\": 3}' -w out.pcap < web.pcap

PROG is obj.o, obj.o:section, obj.o:section/function, a text file, raw:ebpf:FILE or - for standard input; of classic
programs bytecode:'N,code jt jf k,...', filter:DLT:'EXPR' (bytes to keep, unless another meaning is asked for), @FILE in
any format, a text file, raw:cbpf:FILE or raw:cbpf-be:FILE.

The program is verified first; what the kernel would refuse is shown and not run, unless --unverified is given.

A verdict has no meaning without hook and mode: a classifier without direct action that returns 2 chooses
class 0:2, with direct action it drops. Programs in sections tc and tcx/* run direct-action unless --no-da is
given, all others do not unless --da is.";

/// Run a program over a capture and show its verdicts.
#[derive(clap::Args, Clone, Debug)]
#[command(after_help = format!("{EXAMPLES}\n\n{EXIT_CODES}"))]
pub(in crate::cli) struct Arguments {
    /// The program, see below
    pub(super) prog: String,
    /// The capture to read; - for standard input
    #[arg(long, value_name = "FILE", required_unless_present = "seccomp")]
    pcap: Option<PathBuf>,
    /// A system call instead of a capture, as seccomp shows it to a classic program; may be given again
    #[arg(long, value_name = "nr=N,arch=A,ip=N,args=N:N", conflicts_with_all = ["pcap", "engine"])]
    pub(super) seccomp: Vec<SeccompData>,
    /// Where the program is attached
    #[arg(long, value_enum)]
    hook: Option<HookArg>,
    /// The return value is an action code (tc's `da`)
    #[arg(long, overrides_with = "no_da")]
    da: bool,
    /// The return value is a class id
    #[arg(long, overrides_with = "da")]
    no_da: bool,
    /// What the return value means, whatever the program's type
    #[arg(long, value_enum, conflicts_with_all = ["da", "no_da"])]
    verdict_as: Option<VerdictAs>,
    /// The filter's default class, as tc's flowid or classid
    #[arg(long, value_name = "M:m")]
    flowid: Option<Handle>,
    /// Run a program that is refused, or not judged, with every access checked as it runs
    #[arg(long)]
    pub(super) unverified: bool,
    /// What the process that loads the program may do: root, none, or of bpf, perfmon and net_admin some
    #[arg(long, value_name = "LIST", value_parser = crate::cli::verify::caps, default_value = "root")]
    pub(super) caps: Caps,
    /// The program type, where the section's name tells none or another is wanted
    #[arg(long = "type", value_name = "TYPE", value_parser = prog_type)]
    prog_type: Option<ProgType>,
    /// The kernel's types that a CO-RE object is adapted to, as BTF or ELF file; without it the running kernel's
    #[arg(long, value_name = "FILE")]
    pub(super) btf: Option<PathBuf>,
    /// The kernel's configuration that objects take settings from; without it the running kernel's
    #[arg(long, value_name = "FILE")]
    pub(super) kconfig: Option<PathBuf>,
    /// Context fields as JSON, or @FILE: {"mark": 7, "packets": {"2": {"mark": 9}}}
    #[arg(long, value_name = "JSON")]
    ctx: Option<String>,
    /// What runs the program; `all` compares every engine with the interpreter
    #[arg(long, value_enum, default_value_t = EngineArg::Interp)]
    engine: EngineArg,
    /// Stop after so many packets
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    pub(super) limit: Option<u64>,
    /// Leave out the first packets
    #[arg(long, value_name = "N", default_value_t = 0, allow_negative_numbers = true)]
    pub(super) skip: u64,
    /// Start of the random sequence that the program sees
    #[arg(long, value_name = "N", default_value_t = 0, allow_negative_numbers = true)]
    seed: u64,
    /// The most instructions for one packet
    #[arg(long, value_name = "N", default_value_t = Env::default().fuel, allow_negative_numbers = true)]
    fuel: u64,
    /// Write the packets that pass, as the program left them, to .pcap or .pcapng; with - the report goes to standard error
    #[arg(short, long, value_name = "OUT")]
    pub(super) write: Option<PathBuf>,
    /// Show what the program prints; with --json on standard error
    #[arg(long)]
    pub(super) trace: bool,
    /// Show what the maps hold in the end; with --jsonl on standard error
    #[arg(long)]
    pub(super) map_dump: bool,
    /// What maps hold at first, as JSON or @FILE: {"routes": {"10.0.0.0/8": 7}}
    #[arg(long, value_name = "JSON")]
    map_init: Option<String>,
    /// What maps must hold in the end, as JSON or @FILE like --map-init; a difference is a finding
    #[arg(long, value_name = "JSON")]
    map_check: Option<String>,
    /// Compare with a file of lines as --jsonl prints them; only the keys that a line has are compared
    #[arg(long, value_name = "FILE")]
    pub(super) expect: Option<PathBuf>,
    /// Print one JSON document with the totals
    #[arg(long, conflicts_with = "jsonl")]
    pub(super) json: bool,
    /// Print one JSON object per packet and engine
    #[arg(long)]
    pub(super) jsonl: bool,
    /// What else a --jsonl line holds
    #[arg(long, value_enum, value_delimiter = ',', requires = "jsonl", conflicts_with = "json")]
    pub(super) with: Vec<With>,
    #[command(flatten)]
    pub(super) capture: CaptureArguments,
}

/// Hooks by the names users type.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
enum HookArg {
    /// clsact's ingress hook
    Ingress,
    /// clsact's egress hook
    Egress,
    /// A classful qdisc
    Qdisc,
    /// An action behind a filter
    Action,
}

/// Meanings of a return value by the names users type.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
enum VerdictAs {
    /// Bytes that a socket keeps
    Socket,
    /// A class id, as of tc's filter without direct action
    Classid,
    /// An action code, as of tc's action
    Action,
    /// What becomes of a system call
    Seccomp,
}

impl VerdictAs {
    const fn mode(self) -> Mode {
        match self {
            VerdictAs::Socket => Mode::Socket,
            VerdictAs::Classid => Mode::Classid,
            VerdictAs::Action => Mode::Action,
            VerdictAs::Seccomp => Mode::Seccomp,
        }
    }
}

/// Engines by the names users type.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
enum EngineArg {
    /// The interpreter
    Interp,
    /// The interpreter of classic programs, on the program as it was before it was migrated
    Cbpf,
    /// The running kernel
    Kernel,
    /// The interpreter, compared with every other engine that is available
    All,
}

/// Extras of a packet's line.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub(super) enum With {
    /// The packet's bytes after the run, in hexadecimal
    Data,
    /// The context fields that the program may write
    Ctx,
}

fn prog_type(name: &str) -> Result<ProgType, String> {
    let names = || oxbpf_abi::PROG_TYPES.map(|r| r.name).join(", ");
    ProgType::by_name(name).ok_or_else(|| format!("no such program type; there are {}", names()))
}

impl Arguments {
    /// The capture; without one there are system calls.
    pub(super) fn pcap(&self) -> &Path {
        self.pcap.as_deref().unwrap_or(Path::new("-"))
    }

    /// Whether a verdict is asked for before the run: the kernel gives its own.
    pub(super) fn verifies(&self) -> bool {
        !self.unverified && self.engine != EngineArg::Kernel
    }

    /// Whether a run has more to do than to report.
    pub(super) fn goes_on(&self) -> bool {
        let CaptureArguments { redirect_dir, events, .. } = &self.capture;
        self.write.is_some() || self.expect.is_some() || redirect_dir.is_some() || events.is_some()
    }

    pub(super) fn forced_type(&self) -> Option<ProgType> {
        self.prog_type
    }

    /// What each option allows and their combination does not.
    pub(super) fn check(&self) -> Result<(), Failure> {
        let prog = self.prog.strip_prefix("raw:ebpf:").unwrap_or(&self.prog);
        if (prog == "-" || prog.starts_with("-:")) && self.pcap.as_deref() == Some(Path::new("-")) {
            return Err(Failure::usage("error[stdin]: program and capture cannot both be standard input"));
        }
        if (self.json || self.jsonl) && self.write.as_deref() == Some(Path::new("-")) {
            return Err(Failure::usage("error[stdout]: JSON and capture (-w -) cannot both be standard output"));
        }
        self.capture.check(self.json || self.jsonl, self.write.as_deref() == Some(Path::new("-")))
    }

    /// Says which options mean nothing to a program of this type.
    fn note_idle(&self, prog_type: ProgType, mode: Mode) {
        if matches!(mode, Mode::Classid | Mode::DirectAction) {
            return;
        }
        let given = [(self.da, "--da"), (self.no_da, "--no-da"), (self.flowid.is_some(), "--flowid")];
        let hook = (mode != Mode::Action && self.hook.is_some(), "--hook");
        let what = if mode == Mode::Action { "an action".into() } else { format!("a program of type {prog_type}") };
        for (_, option) in given.into_iter().chain([hook]).filter(|(given, _)| *given) {
            say(format_args!("note: {option} means nothing to {what}"));
        }
    }

    /// The type of a program that nothing says more about.
    pub(super) fn fallback_type(&self) -> ProgType {
        match self.hook {
            Some(HookArg::Action) => ProgType::SchedAct,
            _ => ProgType::SchedCls,
        }
    }

    fn hook(&self, prog_type: ProgType) -> Hook {
        match self.hook {
            Some(HookArg::Ingress) => Hook::Ingress,
            Some(HookArg::Egress) => Hook::Egress,
            Some(HookArg::Qdisc) => Hook::Qdisc,
            Some(HookArg::Action) => Hook::Action,
            None if prog_type == ProgType::SchedAct || self.verdict_as == Some(VerdictAs::Action) => Hook::Action,
            None => Hook::Ingress,
        }
    }
}

/// Engines to run: the one whose verdicts are shown, and those to compare it with.
pub(super) struct Engines {
    pub(super) primary: Box<dyn Engine>,
    pub(super) others: Vec<Box<dyn Engine>>,
}

/// Everything a run needs to know besides the program.
pub(super) struct Job {
    pub(super) arguments: Arguments,
    pub(super) semantics: Semantics,
    pub(super) env: Env,
    pub(super) ctx: CtxFields,
    pub(super) prog_type: ProgType,
    pub(super) maps: Maps,
    /// The link type that the program, a filter expression, was compiled for.
    pub(super) filter_link: Option<LinkType>,
}

impl Job {
    pub(super) fn new(arguments: Arguments, loaded: &Loaded) -> Result<Job, Failure> {
        let program = loaded.program();
        let prog_type = program.prog_type();
        let hook = arguments.hook(prog_type);
        let section = program.section();
        let by_section = section == "tc" || section.starts_with("tc/") || section.starts_with("tcx/");
        let direct_action = arguments.da || (by_section && !arguments.no_da);
        // What a filter expression answers is how many bytes to keep.
        let by_form = match arguments.prog.starts_with(crate::prog::filter::PREFIX) && !direct_action {
            true => Mode::Socket,
            false => Mode::of(prog_type, hook, direct_action),
        };
        let mode = arguments.verdict_as.map_or(by_form, VerdictAs::mode);
        arguments.note_idle(prog_type, mode);
        if mode == Mode::Action && loaded.classic.is_some() {
            say("note: an action that is a classic program can only decide: it cannot change packets");
        }
        let semantics = Semantics { hook, mode, flowid: arguments.flowid };
        let ctx = match &arguments.ctx {
            None => CtxFields::default(),
            Some(text) => {
                let text = match text.strip_prefix('@') {
                    Some(file) => {
                        std::fs::read_to_string(file).map_err(|e| Failure::usage(format!("error[ctx]: {file}: {e}")))?
                    }
                    None => text.clone(),
                };
                CtxFields::parse(&text).map_err(|e| Failure::usage(format!("error[ctx]: {e}")))?
            }
        };
        let env = Env { seed: arguments.seed, fuel: arguments.fuel, cpus: arguments.capture.cpus, ..Env::default() };
        let (init, check) = (arguments.map_init.as_deref(), arguments.map_check.as_deref());
        let maps = Maps::new(&loaded.unit, init, check, &env)?;
        let filter_link = loaded.classic.as_ref().and_then(|c| c.link).map(|link| LinkType(link.row().number));
        Ok(Job { arguments, semantics, env, ctx, prog_type, maps, filter_link })
    }

    /// The engines asked for. One that was asked for by name must be there; of `all`, those that are.
    pub(super) fn engines(&self, loaded: &Loaded) -> Result<Engines, Failure> {
        let kernel: Box<dyn Engine> = Box::new(Kernel);
        let interp: Box<dyn Engine> = Box::new(Interp);
        let classic = loaded.classic.as_ref().map(|c| -> Box<dyn Engine> { Box::new(Classic::new(&c.program)) });
        let unavailable = match kernel.availability() {
            Availability::Available(_) => None,
            Availability::Unavailable(reason) => Some(reason),
        };
        let only = |primary| Ok(Engines { primary, others: Vec::new() });
        match self.arguments.engine {
            EngineArg::Interp => only(interp),
            EngineArg::Cbpf => only(classic.ok_or_else(|| {
                let reason = "the program is not a classic one".to_string();
                EngineError::Unavailable { engine: "cbpf", reason }
            })?),
            EngineArg::Kernel => match unavailable {
                None => only(kernel),
                Some(reason) => Err(EngineError::Unavailable { engine: "kernel", reason }.into()),
            },
            EngineArg::All => {
                let mut others: Vec<_> = classic.into_iter().collect();
                match unavailable.or_else(|| own_helper(loaded)) {
                    None => others.push(kernel),
                    Some(reason) => say(format_args!("note: engine kernel is left out: {reason}")),
                }
                Ok(Engines { primary: interp, others })
            }
        }
    }

    pub(super) fn expected(&self, engines: &Engines) -> Result<Expected, Failure> {
        match &self.arguments.expect {
            None => Ok(Expected::default()),
            Some(path) => {
                let error = |e: String| Failure::usage(format!("error[expect]: {}: {e}", path.display()));
                let text = std::fs::read_to_string(path).map_err(|e| error(e.to_string()))?;
                let others: Vec<_> = engines.others.iter().map(|e| e.name()).collect();
                let expected = Expected::parse(&text, engines.primary.name(), &others).map_err(error)?;
                for (engine, lines) in &expected.left_out {
                    let file = path.display();
                    say(format_args!("note: {file}: lines of engine {engine}, which does not run: {lines} left out"));
                }
                Ok(expected)
            }
        }
    }
}

/// Why a migrated program runs here only: it calls what no kernel offers.
fn own_helper(loaded: &Loaded) -> Option<String> {
    let helpers = loaded.program().insns().iter().filter_map(|insn| match insn {
        Insn::Call(CallTarget::Helper(id)) => oxbpf_abi::helper_by_id(*id as u32),
        _ => None,
    });
    let own = helpers.into_iter().find(|h| h.private())?;
    Some(format!("migrated, the program calls {}, which no kernel has", own.name))
}
