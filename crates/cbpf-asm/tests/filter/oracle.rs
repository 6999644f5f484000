//! The programs that tcpdump compiles, and what programs say of packets.

use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use oxbpf_cbpf_asm::filter::Link;
use oxbpf_cbpf_asm::{Format, Options, read};
use oxbpf_interp::classic::{Code, Packet};
use oxbpf_isa::cbpf::{Program, SockFilter};
use oxbpf_runtime::Input;

/// What tcpdump says to an expression.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Answer {
    Program(Vec<SockFilter>),
    /// No packet matches, which its optimiser has seen.
    Never,
    /// The message.
    Refused(String),
}

/// Whether tcpdump is there. Where it is not, why that matters is said; on a development machine it must be there.
pub fn available() -> bool {
    let found = Command::new("tcpdump").arg("--version").output().is_ok();
    if !found {
        eprintln!("skipped: no tcpdump here to compare with");
        assert!(std::env::var_os("OXBPF_DEV").is_none(), "a development machine has tcpdump");
    }
    found
}

/// What tcpdump compiles an expression to, optimised or not.
pub fn tcpdump(link: Link, expr: &str, optimize: bool) -> Answer {
    let mut command = Command::new("tcpdump");
    if !optimize {
        command.arg("-O");
    }
    let output = command.args(["-y", link.row().name, "-ddd", "--", expr]).output().expect("tcpdump starts");
    if output.status.success() {
        let read = read(&output.stdout, Some(Format::Ddd), &Options::default());
        return Answer::Program(read.unwrap_or_else(|e| panic!("{expr}: {e:?}")).code);
    }
    let message = String::from_utf8_lossy(&output.stderr).trim().to_string();
    if message.ends_with("expression rejects all packets") { Answer::Never } else { Answer::Refused(message) }
}

/// What a program says of each packet: whether it matches.
pub fn verdicts(link: Link, code: &[SockFilter], packets: &[Vec<u8>]) -> Vec<bool> {
    let program = Program::check(code).unwrap_or_else(|e| panic!("{e}"));
    let code = Code::new(&program);
    let header = if link == Link::Ethernet { oxbpf_runtime::skb::Link::Ethernet } else { oxbpf_runtime::skb::Link::Ip };
    let run = |packet: &Vec<u8>| code.run(&Packet::new(&Input::new(packet, header), false, 0)) != 0;
    packets.iter().map(run).collect()
}

/// `work` for each item, on several threads, in the order of the items.
pub fn in_parallel<T: Sync, R: Send + Clone>(items: &[T], work: impl Fn(&T) -> R + Sync) -> Vec<R> {
    let next = AtomicUsize::new(0);
    let threads = thread::available_parallelism().map_or(2, |n| n.get()).min(8) * 2;
    let mut results: Vec<(usize, R)> = thread::scope(|scope| {
        let worker = || {
            let mut own = Vec::new();
            loop {
                let i = next.fetch_add(1, Ordering::Relaxed);
                let Some(item) = items.get(i) else { return own };
                own.push((i, work(item)));
            }
        };
        let workers: Vec<_> = (0..threads).map(|_| scope.spawn(worker)).collect();
        workers.into_iter().flat_map(|w| w.join().expect("a worker ends")).collect()
    });
    results.sort_by_key(|r| r.0);
    results.into_iter().map(|r| r.1).collect()
}
