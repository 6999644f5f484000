//! Generated programs under the running kernel's seccomp: which it takes, and what each does to a system call, against
//! `oxbpf::seccomp` and the direct interpreter.
//!
//! A filter belongs to the thread that installs it, cannot be taken off, and ends with the thread: each program has one.
//! It looks only at numbers that no system call has, so that the thread can go on. `OXBPF_PROGRAMS=20000 cargo test
//! --release --test seccomp_live` runs more than 300 programs.
#![cfg(all(target_os = "linux", target_arch = "x86_64"))]
#![allow(unsafe_code)]

use std::arch::asm;
use std::io;
use std::thread;

use oxbpf::interp::classic::{Code, Packet};
use oxbpf::isa::Narrow;
use oxbpf::isa::cbpf::{AluOp, Cond, Insn, Operand, Program, SockFilter};
use oxbpf::seccomp::{self, SeccompData};
use oxbpf_progen::{ClassicFeatures, classic, with_result};

/// No system call has such a number.
const NONE: u32 = 0x10_0000;
const ALLOW: u32 = 0x7fff_0000;
const ERRNO: u32 = 0x0005_0000;
/// How many bits of a result a call shows as its error number.
const BITS: u32 = 12;

fn programs() -> u64 {
    std::env::var("OXBPF_PROGRAMS").map_or(300, |n| n.parse().expect("OXBPF_PROGRAMS is a number"))
}

/// Makes a program the calling thread's filter.
fn install(code: &[SockFilter]) -> io::Result<()> {
    let program = libc::sock_fprog { len: code.len() as u16, filter: code.as_ptr().cast_mut().cast() };
    // SAFETY: takes numbers only.
    let alone = unsafe { libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) };
    assert_eq!(alone, 0, "{}", io::Error::last_os_error());
    // SAFETY: the program's instructions live through the call, which copies them.
    let result = unsafe { libc::syscall(libc::SYS_seccomp, libc::SECCOMP_SET_MODE_FILTER, 0, &raw const program) };
    if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

/// Makes a system call: its result, and where it was made as seccomp tells it.
fn call(nr: u32, args: [u64; 6]) -> (i64, u64) {
    let (result, ip): (i64, u64);
    // SAFETY: calls with these numbers do nothing, whatever their arguments; the instruction itself changes rcx and r11.
    unsafe {
        asm!(
            "lea r12, [rip + 2f]", "syscall", "2:",
            inlateout("rax") u64::from(nr) => result,
            in("rdi") args[0], in("rsi") args[1], in("rdx") args[2], in("r10") args[3], in("r8") args[4],
            in("r9") args[5], out("r12") ip, out("rcx") _, out("r11") _,
        );
    }
    (result, ip)
}

/// Instructions that come to the program for calls that do not exist, and allow all others.
fn guarded(body: &[Insn]) -> Vec<SockFilter> {
    let guard = [
        Insn::ld_abs(Narrow::W, 0),
        Insn::JumpIf { cond: Cond::Ge, src: Operand::K(NONE), jt: 1, jf: 0 },
        Insn::RetK(ALLOW),
        Insn::LdImm(0),
    ];
    guard.iter().chain(body).map(Insn::encode).collect()
}

/// The same program with loads from a call's data in place of what seccomp does not have.
fn of_seccomp(program: &Program) -> Program {
    let insn = |insn: &Insn| match *insn {
        Insn::LdAbs { k, .. } => Insn::ld_abs(Narrow::W, k.k() % 16 * 4),
        Insn::LdInd { k, .. } => Insn::ld_abs(Narrow::W, k % 16 * 4),
        Insn::LdExt { .. } => Insn::Neg,
        Insn::LdxMsh(k) => Insn::LdxImm(k % 32),
        Insn::Alu { op: AluOp::Mod, src } => Insn::Alu { op: AluOp::Xor, src },
        // Division by zero kills the thread.
        Insn::Alu { op: AluOp::Div, src: Operand::X } => Insn::Alu { op: AluOp::Mul, src: Operand::X },
        insn => insn,
    };
    let raw: Vec<SockFilter> = program.insns().iter().map(|i| insn(i).encode()).collect();
    Program::check(&raw).expect("no rule is broken that was not before")
}

/// The program with some bits of its result as an error number.
fn shown(program: &Program, part: u32) -> Program {
    let steps = [(AluOp::Rsh, part * BITS), (AluOp::And, (1 << BITS) - 1), (AluOp::Or, ERRNO)];
    // The last one stands nearest to `ret a`.
    steps.into_iter().fold(program.clone(), |program, (op, k)| {
        with_result(&program, Insn::Alu { op, src: Operand::K(k) }, |result| op.eval(result, k).unwrap_or(0))
    })
}

fn features() -> ClassicFeatures {
    ClassicFeatures { headers: false, hosts_own: false, packet_len: 64 }
}

/// A call's number and arguments, from a seed.
fn numbers(seed: u64) -> (u32, [u64; 6]) {
    let mut state = seed;
    let mut next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        state ^ state >> 29
    };
    (NONE + (next() as u32 & 0xffff), std::array::from_fn(|i| next() >> (i * 8)))
}

/// Whether filters can be installed here; on a development machine they can.
fn available(test: &str) -> bool {
    let can = thread::spawn(|| install(&guarded(&[Insn::RetK(ALLOW)]))).join().expect("the thread lives");
    if let Err(e) = &can {
        assert_ne!(std::env::var("OXBPF_DEV").as_deref(), Ok("1"), "{test}: no seccomp: {e}");
        println!("{test}: skipped: no seccomp: {e}");
    }
    can.is_ok()
}

#[test]
fn results_are_the_kernels() {
    if !available("results_are_the_kernels") {
        return;
    }
    let mut seen = std::collections::BTreeSet::new();
    for seed in 0..programs() {
        let program = of_seccomp(&classic(seed, &features()));
        for part in 0..3 {
            let code = guarded(shown(&program, part).insns());
            let checked = Program::check(&code).expect("the guard breaks no rule");
            seccomp::check(&checked).expect("seccomp's rules are kept");
            let (nr, args) = numbers(seed);
            let (result, ip) = thread::spawn(move || {
                install(&code).unwrap_or_else(|e| panic!("seed {seed}: {e}"));
                call(nr, args)
            })
            .join()
            .expect("the thread lives");
            let words = SeccompData { nr, arch: 0xc000_003e, ip, args }.words();
            let ours = Code::new(&checked).run(&Packet::new(&seccomp::input(&words), false, 0));
            assert_eq!(ours >> 16, ERRNO >> 16);
            assert_eq!(-result, i64::from(ours & 0xffff), "seed {seed}, part {part}: {:#?}", program.insns());
            seen.insert(ours);
        }
    }
    assert!(seen.len() as u64 > programs() / 4, "{} different results", seen.len());
}

/// What the command line says of a call, and what becomes of it.
#[test]
fn actions_are_the_kernels() {
    if !available("actions_are_the_kernels") {
        return;
    }
    const MISSING: i64 = -(libc::ENOSYS as i64);
    let semantics =
        oxbpf::tc::Semantics { hook: oxbpf::tc::Hook::Ingress, mode: oxbpf::tc::Mode::Seccomp, flowid: None };
    for (value, words, expected) in [
        (ALLOW, "allow", MISSING),
        (ERRNO | 1, "errno 1", -1),
        (ERRNO | 38, "errno 38", -38),
        // Zero is success.
        (ERRNO, "errno", 0),
        (ERRNO | 4095, "errno 4095", -4095),
        // No error number is above that.
        (ERRNO | 4096, "errno 4096", -4095),
        (ERRNO | 0xffff, "errno 65535", -4095),
        // Without a tracer or a listener there is no such call.
        (0x7ff0_0000, "trace", MISSING),
        (0x7fc0_0000, "user notification", MISSING),
    ] {
        let thread = thread::spawn(move || {
            install(&guarded(&[Insn::RetK(value)])).expect("the kernel takes it");
            call(NONE, [0; 6]).0
        });
        assert_eq!(thread.join().expect("the thread lives"), expected, "{value:#x}");
        assert_eq!(semantics.verdict(value, 0).to_string(), words);
    }
}

/// Programs with everything that classic programs may have: the kernel takes those that keep seccomp's rules too.
#[test]
fn rules_are_the_kernels() {
    if !available("rules_are_the_kernels") {
        return;
    }
    let (mut kept, mut broken) = (0, 0);
    for seed in 0..programs() * 4 {
        let program = classic(seed, &features());
        // Most of them have something that seccomp has not; single instructions of them have not always.
        let mut bodies = vec![program.insns().to_vec(), of_seccomp(&program).insns().to_vec()];
        let alone = program.insns()[seed as usize % program.len()];
        if alone.falls_through() && !matches!(alone, Insn::LdMem(_) | Insn::LdxMem(_)) {
            bodies.push(vec![alone, Insn::RetK(ALLOW)]);
        }
        for body in bodies {
            let code = guarded(&body);
            let ours = seccomp::check(&Program::check(&code).expect("the guard breaks no rule"));
            let theirs = {
                let code = code.clone();
                thread::spawn(move || install(&code)).join().expect("the thread lives")
            };
            assert_eq!(ours.is_ok(), theirs.is_ok(), "seed {seed}: {ours:?}, {theirs:?}: {body:#?}");
            *if ours.is_ok() { &mut kept } else { &mut broken } += 1;
        }
    }
    println!("{kept} kept the rules, {broken} did not");
    assert!(kept > programs() && broken > programs());
}
