//! What a load costs beside a large process: `cargo bench -p oxbpf-kernel --bench cost`.

#[path = "../tests/common/mod.rs"]
mod common;

use std::time::{Duration, Instant};

use common::*;
use oxbpf_kernel::{KernelProg, LoadSpec, LogPolicy, TestRun};

const BATCH: u32 = 300;

fn main() {
    if !kernel("cost") {
        return;
    }
    measure("small process");
    let ballast = std::hint::black_box(vec![1u8; 100 << 20]);
    measure("100 MB more");
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| measure("100 MB more, two threads"));
        }
    });
    drop(ballast);
    let prog = load(SCHED_CLS, &[mov(0, 3), exit()]);
    let data = frame(60, 0x806);
    let here = TestRun::new(&data, &[]);
    each("test_run here", || drop(prog.test_run(&here).unwrap()));
    let child = TestRun { deadline: Some(Duration::from_secs(5)), ..here };
    each("test_run in a child", || drop(prog.test_run(&child).unwrap()));
}

fn measure(what: &str) {
    let prog = [mov(0, 3), exit()];
    for log in [LogPolicy::Never, LogPolicy::OnReject, LogPolicy::Level(1)] {
        let spec = LoadSpec { log, ..LoadSpec::new(SCHED_CLS, &prog) };
        each(&format!("{what}, log {log:?}"), || drop(KernelProg::load(&spec).unwrap()));
    }
}

/// The best of ten batches, because others use the machine too.
fn each(what: &str, mut call: impl FnMut()) {
    let mut batch = || {
        let started = Instant::now();
        for _ in 0..BATCH {
            call();
        }
        started.elapsed().as_secs_f64() * 1e6 / f64::from(BATCH)
    };
    let best = (0..10).map(|_| batch()).fold(f64::INFINITY, f64::min);
    println!("{what}: {best:.1} µs");
}
