//! Programs accepted and rejected, each with its log; runs; programs that call programs.

mod common;

use std::time::{Duration, Instant};

use common::*;
use oxbpf_kernel::{Errno, KernelError, KernelMap, KernelProg, LoadError, LoadSpec, LogPolicy, MapSpec, TestRun};

#[test]
fn accepted_with_figures() {
    if !kernel("accepted_with_figures") {
        return;
    }
    let loaded =
        KernelProg::load(&LoadSpec { name: "a name!", ..LoadSpec::new(SCHED_CLS, &[mov(0, 3), exit()]) }).unwrap();
    assert_eq!(loaded.log.stats.unwrap().insns, 2);
    assert!(loaded.log.micros.is_some());
    assert_eq!(loaded.log.error(), None);
    let info = loaded.prog.info().unwrap();
    assert!(info.id > 0 && info.xlated_len == 16, "{info:?}");
    let run = loaded.prog.test_run(&TestRun::new(&frame(60, 0x806), &[])).unwrap();
    assert_eq!((run.retval, run.data), (3, frame(60, 0x806)));
}

#[test]
fn rejected_with_place_and_trace() {
    if !kernel("rejected_with_place_and_trace") {
        return;
    }
    let prog = [mov(0, 0), load64(2, 1, 999), exit()];
    let Err(LoadError::Rejected { errno, log }) = KernelProg::load(&LoadSpec::new(SCHED_CLS, &prog)) else {
        panic!("not rejected");
    };
    assert_eq!((errno, log.at, log.truncated), (Errno::ACCES, Some(1), false));
    assert_eq!(log.error(), Some("invalid bpf_context access off=999 size=8"));
    assert!(log.text.contains("0: (b7) r0 = 0"), "{}", log.text);
    assert_eq!(log.true_size as usize, log.text.len() + 1);
}

#[test]
fn rejected_before_the_trace() {
    if !kernel("rejected_before_the_trace") {
        return;
    }
    let prog = [mov(0, 0), insn(0x05, 0, 0, 7, 0), exit()];
    let Err(LoadError::Rejected { log, .. }) = KernelProg::load(&LoadSpec::new(SCHED_CLS, &prog)) else {
        panic!("not rejected");
    };
    assert_eq!((log.at, log.error()), (Some(1), Some("jump out of range from insn 1 to 9")));
}

#[test]
fn error_that_runs_into_the_figures() {
    if !kernel("error_that_runs_into_the_figures") {
        return;
    }
    let map = array(4);
    let mut prog = map_of(2, &map).to_vec();
    prog.extend([mov(3, 0), call(12), mov(0, 0), exit()]);
    let Err(LoadError::Rejected { log, .. }) = KernelProg::load(&LoadSpec::new(SCHED_CLS, &prog)) else {
        panic!("not rejected");
    };
    assert_eq!(log.error(), Some("expected prog array map for tail call"));
    assert!(log.stats.is_some() && log.at == Some(3), "{}", log.text);
}

#[test]
fn a_short_log_keeps_the_end_and_the_verdict() {
    if !kernel("a_short_log_keeps_the_end_and_the_verdict") {
        return;
    }
    let mut prog = vec![mov(0, 0); 200];
    prog.push(exit());
    fn short(insns: &[Insn]) -> LoadSpec<'_> {
        LoadSpec { log: LogPolicy::Level(1), log_limit: 512, ..LoadSpec::new(SCHED_CLS, insns) }
    }
    let loaded = KernelProg::load(&short(&prog)).unwrap();
    assert!(loaded.log.truncated && loaded.log.text.len() < 512);
    assert!(loaded.log.true_size > 512 && loaded.log.stats.is_some());
    *prog.last_mut().unwrap() = mov(1, 0);
    prog.extend([load64(2, 1, 0), exit()]);
    let Err(LoadError::Rejected { errno, log }) = KernelProg::load(&short(&prog)) else {
        panic!("not rejected");
    };
    assert_ne!(errno, Errno::NOSPC);
    assert!(log.truncated && log.error().unwrap().contains("R1 invalid mem access"), "{}", log.text);
}

#[test]
fn a_load_that_takes_too_long_is_ended() {
    if !kernel("a_load_that_takes_too_long_is_ended") {
        return;
    }
    // A million steps of a counted loop, traced in full, take far longer than the deadline.
    let prog = [mov(0, 0), add(0, 1), insn(0x55, 0, 0, -2, 400_000), exit()];
    let spec =
        LoadSpec { log: LogPolicy::Level(2), deadline: Duration::from_millis(20), ..LoadSpec::new(SCHED_CLS, &prog) };
    let descriptors = || std::fs::read_dir("/proc/self/fd").map_or(0, Iterator::count);
    let before = descriptors();
    let started = Instant::now();
    let error = KernelProg::load(&spec).unwrap_err();
    assert_eq!(error.code(), "kernel-hung", "{error}");
    assert!(started.elapsed() < Duration::from_secs(2));
    // Other tests of this binary hold descriptors too, but not this many.
    assert!(descriptors() < before + 100);
}

#[test]
fn loads_from_many_threads() {
    if !kernel("loads_from_many_threads") {
        return;
    }
    std::thread::scope(|scope| {
        for thread in 0..4 {
            scope.spawn(move || {
                for n in 0..100 {
                    let prog = load(SCHED_CLS, &[mov(0, thread * 100 + n), exit()]);
                    let run = prog.test_run(&TestRun::new(&[0; 14], &[])).unwrap();
                    assert_eq!(run.retval, (thread * 100 + n) as u32);
                }
            });
        }
    });
}

#[test]
fn a_short_answer_keeps_the_true_size() {
    if !kernel("a_short_answer_keeps_the_true_size") {
        return;
    }
    let prog = load(SCHED_CLS, &[mov(0, 1), exit()]);
    let data = frame(100, 0x806);
    let run = |data_out_size| prog.test_run(&TestRun { data_out_size, ..TestRun::new(&data, &[]) }).unwrap();
    assert_eq!((run(10).retval, run(10).data, run(10).data_size), (1, data[..10].to_vec(), 100));
    assert_eq!((run(0).data, run(0).data_size), (vec![], 100));
    let in_child = TestRun { deadline: Some(Duration::from_secs(5)), ..TestRun::new(&data, &[]) };
    let run = prog.test_run(&in_child).unwrap();
    assert_eq!((run.retval, run.data), (1, data.clone()));
}

#[test]
fn a_run_refused() {
    if !kernel("a_run_refused") {
        return;
    }
    let prog = load(SCHED_CLS, &[mov(0, 1), exit()]);
    let error = prog.test_run(&TestRun::new(&[0; 13], &[])).unwrap_err();
    assert_eq!((error.code(), error.errno()), ("kernel-refused", Some(Errno::INVAL)));
    assert_eq!(error.to_string(), "prog_test_run: EINVAL");
}

#[test]
fn maps_read_back() {
    if !kernel("maps_read_back") {
        return;
    }
    let map = KernelMap::create(&MapSpec { name: "hash", ..MapSpec::new(HASH, 4, 8, 3) }).unwrap();
    for key in 1..=3u32 {
        map.update(&key.to_le_bytes(), &u64::from(key * 10).to_le_bytes(), 0).unwrap();
    }
    let mut entries = map.entries().unwrap();
    entries.sort();
    assert_eq!(entries.len(), 3);
    assert_eq!(entries[2], (vec![3, 0, 0, 0], vec![30, 0, 0, 0, 0, 0, 0, 0]));
    let full = map.update(&[4, 0, 0, 0], &[0; 8], 0).unwrap_err();
    assert_eq!(full.errno(), Some(Errno::TOOBIG));
    assert!(map.delete(&[1, 0, 0, 0]).unwrap());
    assert!(!map.delete(&[1, 0, 0, 0]).unwrap());
    assert_eq!(map.lookup(&[1, 0, 0, 0]).unwrap(), None);
    assert_eq!(map.keys().unwrap().len(), 2);
    let length = map.lookup(&[1]).unwrap_err();
    assert_eq!(length, KernelError::Length { call: "map_lookup_elem", what: "key", got: 1, want: 4 });
    assert!(map.update(&[1, 0, 0, 0], &[0; 9], 0).is_err());
    map.freeze().unwrap();
    assert_eq!(map.update(&[2, 0, 0, 0], &[0; 8], 0).unwrap_err().errno(), Some(Errno::PERM));
}

#[test]
fn per_cpu_values_hold_a_slot_per_cpu() {
    if !kernel("per_cpu_values_hold_a_slot_per_cpu") {
        return;
    }
    let map = KernelMap::create(&MapSpec::new(6, 4, 5, 1)).unwrap();
    let value = map.lookup(&[0; 4]).unwrap().unwrap();
    assert!(value.len() == map.value_size() && value.len().is_multiple_of(8));
}

#[test]
fn a_refused_map() {
    if !kernel("a_refused_map") {
        return;
    }
    let refused = |spec: &MapSpec<'_>| KernelMap::create(spec).unwrap_err().errno();
    assert_eq!(refused(&MapSpec::new(ARRAY, 3, 4, 1)), Some(Errno::INVAL));
    assert_eq!(refused(&MapSpec::new(9999, 4, 4, 1)), Some(Errno::OPNOTSUPP));
}

#[test]
fn btf_refused_with_a_log() {
    if !kernel("btf_refused_with_a_log") {
        return;
    }
    let Err(KernelError::Refused { call: "btf_load", log, .. }) = oxbpf_kernel::KernelBtf::load(&[0; 24]) else {
        panic!("not refused");
    };
    assert!(log.contains("magic"), "{log}");
}

#[test]
fn a_map_of_maps_takes_its_model() {
    if !kernel("a_map_of_maps_takes_its_model") {
        return;
    }
    let inner = array(8);
    let outer = KernelMap::create(&MapSpec { inner: Some(&inner), ..MapSpec::new(12, 4, 4, 2) }).unwrap();
    outer.update(&[0; 4], &inner.raw_fd().to_ne_bytes(), 0).unwrap();
    assert!(outer.lookup(&[0; 4]).unwrap().is_some());
    assert_eq!(outer.lookup(&[1, 0, 0, 0]).unwrap(), None);
}
