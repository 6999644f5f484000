//! Objects as compilers make them: every example from clang 14, 16 and 19 at each level of instructions it has, with
//! and without debug information. All are loaded, and run as the committed object runs.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use oxbpf::abi::ProgType;
use oxbpf::capture::Reader;
use oxbpf::interp::Interp;
use oxbpf::ir::{MapIdx, MapPurpose};
use oxbpf::prog::{self, Types};
use oxbpf::runtime::maps::Entry;
use oxbpf::runtime::skb::{self, Link};
use oxbpf::runtime::{Engine, Env, Input};
use oxbpf_elf::MapSource;

/// Compilers, and the levels of instructions each has.
const COMPILERS: [(&str, &[&str]); 3] =
    [("clang-14", &["v1", "v2", "v3"]), ("clang-16", &["v1", "v2", "v3"]), ("clang-19", &["v1", "v2", "v3", "v4"])];

/// The level that every example must compile for; below it atomics that answer are missing.
const LEAST: &str = "v3";

/// Packets of each capture that are run: enough for all paths of the examples.
const PACKETS: u32 = 60;

/// One way to compile one example.
struct Job {
    source: String,
    compiler: &'static str,
    level: &'static str,
    debug: bool,
}

impl Job {
    fn shown(&self) -> String {
        format!("{} {} -mcpu={}{}", self.source, self.compiler, self.level, if self.debug { " -g" } else { "" })
    }

    /// Compiles the example, or tells what the compiler has against it.
    fn compile(&self, include: &Option<PathBuf>, object: &Path) -> Result<Vec<u8>, String> {
        let mut command = Command::new(self.compiler);
        let cpu = format!("-mcpu={}", self.level);
        command.current_dir("examples").args(["-O2", "-target", "bpf", &cpu, "-Iinclude", "-c", &self.source, "-o"]);
        command.arg(object).args(include.iter().map(|dir| format!("-I{}", dir.display())));
        if self.debug {
            command.arg("-g");
        }
        let output = command.output().map_err(|e| e.to_string())?;
        match output.status.success() {
            true => Ok(std::fs::read(object).map_err(|e| e.to_string())?),
            false => Err(String::from_utf8_lossy(&output.stderr).into_owned()),
        }
    }
}

/// The examples' sources, from their directory on.
fn sources() -> Vec<String> {
    let of = |dir: &str| {
        let names = std::fs::read_dir(Path::new("examples").join(dir)).unwrap();
        let names = names.map(|e| e.unwrap().file_name().into_string().unwrap()).filter(|n| n.ends_with(".c"));
        names.map(|name| format!("{dir}{name}")).collect::<Vec<_>>()
    };
    let mut names = of("");
    match Path::new(KERNEL_TYPES).exists() {
        true => names.extend(of("core/")),
        false => eprintln!("skipped: examples/core: no {KERNEL_TYPES}"),
    }
    names.sort();
    assert!(names.len() >= 10, "examples are missing: {names:?}");
    names
}

/// What examples are adapted to.
const KERNEL_TYPES: &str = "/sys/kernel/btf/vmlinux";

/// Where Debian keeps `asm/types.h`, which `-target bpf` does not search.
fn multiarch_include() -> Option<PathBuf> {
    let dirs = std::fs::read_dir("/usr/include").ok()?.filter_map(|entry| Some(entry.ok()?.path()));
    dirs.filter(|dir| dir.join("asm/types.h").is_file()).min()
}

#[test]
fn every_compiler_and_level_makes_objects_that_load_and_run_the_same() {
    let mut jobs = Vec::new();
    for (compiler, levels) in COMPILERS {
        if Command::new(compiler).arg("--version").output().is_err() {
            assert!(std::env::var("OXBPF_DEV").as_deref() != Ok("1"), "{compiler} is not installed");
            eprintln!("skipped: {compiler} is not installed");
            continue;
        }
        for source in sources() {
            for &level in levels {
                jobs.extend([true, false].map(|debug| Job { source: source.clone(), compiler, level, debug }));
            }
        }
    }
    let expected: BTreeMap<String, Vec<Behaviour>> = sources()
        .into_iter()
        .map(|source| {
            let bytes = std::fs::read(Path::new("examples").join(&source).with_extension("o")).unwrap();
            let behaviours = behaviours(&source, &bytes).unwrap();
            assert!(behaviours.iter().any(|b| !b.verdicts.is_empty()), "{source} runs");
            (source, behaviours)
        })
        .collect();

    let dir = std::env::temp_dir().join(format!("oxbpf-compiled-{}", std::process::id()));
    std::fs::create_dir_all(&dir).unwrap();
    let (next, faults, refused) = (AtomicUsize::new(0), Mutex::new(Vec::new()), Mutex::new(Vec::new()));
    let include = multiarch_include();
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(2, |n| n.get().min(8)) {
            scope.spawn(|| {
                while let Some((number, job)) = next_of(&jobs, &next) {
                    match job.compile(&include, &dir.join(format!("{number}.o"))) {
                        Ok(bytes) => {
                            if let Err(fault) = check(job, &bytes, &expected[&job.source]) {
                                faults.lock().unwrap().push(format!("{}: {fault}", job.shown()));
                            }
                        }
                        Err(why) if job.level < LEAST || !job.debug => refused.lock().unwrap().push((job.shown(), why)),
                        Err(why) => faults.lock().unwrap().push(format!("{}: {why}", job.shown())),
                    }
                }
            });
        }
    });
    let _ = std::fs::remove_dir_all(&dir);
    let (faults, refused) = (faults.into_inner().unwrap(), refused.into_inner().unwrap());
    for (job, why) in &refused {
        // The compiler's back end says so, and not a mistake in the source.
        let known =
            ["atomic", "XADD", "Cannot select", "nsupported", "without -g"].iter().any(|word| why.contains(word));
        assert!(known, "{job}: {why}");
    }
    eprintln!("{} objects compiled, {} refused by the compiler", jobs.len() - refused.len(), refused.len());
    assert!(faults.is_empty(), "{} of {}:\n{}", faults.len(), jobs.len(), faults.join("\n"));
}

fn next_of<'j>(jobs: &'j [Job], next: &AtomicUsize) -> Option<(usize, &'j Job)> {
    let number = next.fetch_add(1, Ordering::Relaxed);
    jobs.get(number).map(|job| (number, job))
}

/// Whether a compiled object is what the committed one is.
fn check(job: &Job, bytes: &[u8], expected: &[Behaviour]) -> Result<(), String> {
    if job.debug {
        return equal(&behaviours(&job.source, bytes)?, expected);
    }
    // Without debug types BTF maps are only names; what does not use them is as good as ever.
    let object = oxbpf_elf::load(bytes).map_err(|e| e.to_string())?;
    let survey = object.survey();
    for (program, survey) in object.programs().iter().zip(&survey) {
        match survey.fault.as_ref().map(|f| f.code()) {
            None | Some("elf-map-needs-btf") => {}
            Some(other) => return Err(format!("program {}: {other}", program.name())),
        }
    }
    let refused = survey.iter().filter(|s| s.fault.is_some()).count();
    match object.map_sources().any(|source| source == MapSource::Btf) {
        true if refused == 0 => Err("no program misses the types of its maps".to_string()),
        true => Ok(()),
        false => equal(&behaviours(&job.source, bytes)?, expected),
    }
}

fn equal(found: &[Behaviour], expected: &[Behaviour]) -> Result<(), String> {
    if found.len() != expected.len() {
        return Err(format!("{} programs instead of {}", found.len(), expected.len()));
    }
    for (found, expected) in found.iter().zip(expected) {
        if found.program != expected.program {
            return Err(format!("program {} instead of {}", found.program, expected.program));
        }
        if let Some(at) = (0..expected.verdicts.len()).find(|&at| found.verdicts.get(at) != expected.verdicts.get(at)) {
            let (found, wanted) = (&found.verdicts.get(at), &expected.verdicts[at]);
            return Err(format!("{}: packet {at}: {found:?} instead of {wanted:?}", expected.program));
        }
        if found.maps != expected.maps {
            return Err(format!("{}: maps hold {:?} instead of {:?}", expected.program, found.maps, expected.maps));
        }
    }
    Ok(())
}

/// What a program did to the captures.
struct Behaviour {
    program: String,
    /// For each packet the verdict and the packet, or why it was stopped.
    verdicts: Vec<Result<(u32, Vec<u8>), String>>,
    /// What the maps that people declared hold in the end.
    maps: BTreeMap<String, Vec<Entry>>,
}

/// Runs every program of an object that is not only entered by tail calls.
fn behaviours(name: &str, bytes: &[u8]) -> Result<Vec<Behaviour>, String> {
    let object = oxbpf_elf::load(bytes).map_err(|e| format!("error[{}]: {e}", e.code()))?;
    let entries = object.programs().iter().filter(|p| !p.is_tail());
    entries.map(|p| behaviour(name, bytes, &format!("{}/{}", p.section(), p.name()))).collect()
}

fn behaviour(name: &str, bytes: &[u8], program: &str) -> Result<Behaviour, String> {
    let loaded = prog::load_bytes(name, bytes, Some(program), Types::new(ProgType::SchedCls));
    let loaded = loaded.map_err(|e| format!("error[{}]: {e}", e.code()))?;
    let mut instance = Interp.prepare(&loaded.image(), &Env::default()).map_err(|e| e.to_string())?;
    let mut verdicts = Vec::new();
    for capture in ["http.pcap", "mixed.pcap"] {
        let mut reader = Reader::open(Path::new("examples/captures").join(capture)).map_err(|e| e.to_string())?;
        while let Some(packet) = reader.next_packet().map_err(|e| e.to_string())? {
            if packet.number > PACKETS.into() {
                break;
            }
            let len = packet.len.max(packet.data.len() as u32);
            let mut ctx = skb::derive(packet.data, len, Link::Ethernet);
            skb::set(&mut ctx, "mark", packet.number % 4).unwrap();
            let input = Input { skb: ctx, time_ns: packet.time_ns, ..Input::new(packet.data, Link::Ethernet) };
            let outcome = instance.run(&input).map_err(|e| e.to_string())?;
            let verdict = outcome.verdict().map(|v| (v, instance.packet()));
            verdicts.push(verdict.ok_or(format!("{outcome:?}")));
        }
    }
    let mut maps = BTreeMap::new();
    for (i, def) in loaded.unit.maps().iter().enumerate().filter(|(_, def)| def.purpose == MapPurpose::User) {
        let mut entries = instance.map_entries(MapIdx(i as u32)).map_err(|e| e.to_string())?;
        entries.sort();
        maps.insert(def.name.clone(), entries);
    }
    Ok(Behaviour { program: program.to_string(), verdicts, maps })
}

#[test]
fn a_map_may_be_declared_either_way() {
    let committed = |name: &str| behaviours(name, &std::fs::read(format!("examples/{name}.o")).unwrap()).unwrap();
    let (legacy, btf) = (committed("proto_count_legacy"), committed("proto_count_btf"));
    equal(&legacy, &btf).unwrap();
    let counted = legacy[0].maps["protocols"].iter().filter(|e| e.1.iter().any(|b| *b != 0)).count();
    assert!(counted >= 2, "TCP and others are counted: {counted}");
}

#[test]
fn two_programs_of_an_object_share_its_maps() {
    use oxbpf::ir::ProgIdx;
    use oxbpf::runtime::Image;
    use oxbpf::runtime::maps::MapSet;

    let bytes = std::fs::read("examples/two_ways.o").unwrap();
    let object = oxbpf_elf::load(&bytes).unwrap();
    let roots = ["tcx/egress", "tcx/ingress"].map(|s| object.select(Some(s)).unwrap());
    let unit = std::sync::Arc::new(object.unit("two_ways", &roots, |p| p.prog_type()).unwrap());
    let env = Env::default();
    let maps = MapSet::new(&unit, env.memory).unwrap();
    let world = |program| {
        let image = Image::unproven(unit.clone(), ProgIdx(program));
        Interp.compile(&image).unwrap().instance(&maps, &env).unwrap()
    };
    let (mut out, mut back) = (world(0), world(1));
    let mut packets = Vec::new();
    let mut reader = Reader::open("examples/captures/http.pcap").unwrap();
    while let Some(packet) = reader.next_packet().unwrap() {
        packets.push(packet.data.to_vec());
    }
    let ip = |packet: &[u8]| packet.get(12..14) == Some(&[8, 0]);
    let first = packets.iter().find(|p| ip(p)).expect("there is IPv4").clone();
    let mut answer = first.clone();
    answer[26..30].copy_from_slice(&first[30..34]);
    answer[30..34].copy_from_slice(&first[26..30]);
    let mut run = |out_of: bool, packet: &[u8]| {
        let world = if out_of { &mut out } else { &mut back };
        world.run(&Input::new(packet, Link::Ethernet)).unwrap().verdict()
    };
    assert_eq!(run(false, &answer), Some(2), "nobody asked");
    assert_eq!(run(true, &first), Some(0));
    assert_eq!(run(false, &answer), Some(0), "an answer");
    assert_eq!(run(false, &first), Some(2), "not the question itself");
}
