//! Under which rules a program is judged.

/// What the loading process may do, as far as the verdict depends on it.
///
/// ```
/// use oxbpf_verifier::Caps;
///
/// assert_eq!(Caps::default(), Caps::ROOT);
/// assert!(!Caps::parse("bpf,net_admin").unwrap().perfmon);
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Caps {
    /// `CAP_BPF`: loops, subprograms, scalars followed precisely, a million instructions.
    pub bpf: bool,
    /// `CAP_PERFMON`: pointers may leak, stack may be read before it is written.
    pub perfmon: bool,
    /// `CAP_NET_ADMIN`: programs of networking other than socket filters.
    pub net_admin: bool,
}

impl Caps {
    /// Everything.
    pub const ROOT: Caps = Caps { bpf: true, perfmon: true, net_admin: true };
    /// Nothing: socket filters and cgroup skb programs under restricted rules.
    pub const NONE: Caps = Caps { bpf: false, perfmon: false, net_admin: false };

    /// The names that [`Caps::parse`] takes.
    pub const NAMES: [&'static str; 5] = ["root", "none", "bpf", "perfmon", "net_admin"];

    /// Capabilities by name, separated by commas: `root`, `none`, or of `bpf`, `perfmon` and `net_admin` some.
    ///
    /// Fails with the first word that is none of these.
    pub fn parse(text: &str) -> Result<Caps, String> {
        let mut caps = Caps::NONE;
        for word in text.split(',').map(str::trim) {
            match word.to_ascii_lowercase().trim_start_matches("cap_") {
                "root" | "all" | "sys_admin" => caps = Caps::ROOT,
                "none" => {}
                "bpf" => caps.bpf = true,
                "perfmon" => caps.perfmon = true,
                "net_admin" => caps.net_admin = true,
                _ => return Err(word.to_string()),
            }
        }
        Ok(caps)
    }
}

impl Default for Caps {
    fn default() -> Self {
        Caps::ROOT
    }
}

/// What is written down while a program is verified.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
pub enum LogLevel {
    /// Nothing but the verdict.
    #[default]
    Off,
    /// Each instruction as it is visited, with what changed.
    Trace,
}

/// How a program is judged.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Options {
    /// What the loading process may do.
    pub caps: Caps,
    /// Whether accesses must be aligned as on machines that cannot do otherwise (`BPF_F_STRICT_ALIGNMENT`).
    pub strict_alignment: bool,
    /// The most instructions that are visited, over all paths; the kernel's is a million.
    pub limit: u32,
    /// The type that the program will be attached as (`expected_attach_type`).
    pub attach_type: u32,
    /// How many CPUs there may be: `get_smp_processor_id` answers less than this.
    pub cpus: u32,
    /// What is written down.
    pub log: LogLevel,
}

/// The most CPUs that a kernel for x86-64 can be built for.
pub const MAX_CPUS: u32 = 8192;

/// The kernel's limit of visited instructions.
pub const INSN_LIMIT: u32 = 1_000_000;

impl Default for Options {
    fn default() -> Self {
        Options {
            caps: Caps::ROOT,
            strict_alignment: false,
            limit: INSN_LIMIT,
            attach_type: 0,
            cpus: MAX_CPUS,
            log: LogLevel::Off,
        }
    }
}
