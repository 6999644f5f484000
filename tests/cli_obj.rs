//! `oxbpf obj`, and what loading says of settings and licences.

mod cli;

use cli::{oxbpf, scratch, stderr, stdout, write};
use serde_json::Value;

const KERNEL: &str = "crates/elf/tests/objects/kernel.o";

fn document(arguments: &[&str]) -> Value {
    let output = oxbpf(arguments);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    serde_json::from_slice(&output.stdout).unwrap()
}

fn row<'d>(document: &'d Value, table: &str, key: &str, name: &str) -> &'d Value {
    let rows = document[table].as_array().unwrap();
    rows.iter().find(|r| r[key] == name).unwrap_or_else(|| panic!("{table} has {name}"))
}

#[test]
fn the_listing_is_for_people() {
    let output = oxbpf(&["obj", "examples/tail_call.o"]);
    assert_eq!(output.status.code(), Some(0));
    let text = stdout(&output);
    let at = text.find("\nprograms\n").expect("programs are listed");
    let wanted = "
programs
 section     function     type          insns  functions  maps       remarks
 1/0         by_protocol  its caller's     11          1
 1/1         by_length    its caller's     14          1  jmp_table
 classifier  entry        sched_cls        36          1  jmp_table

maps
 name       type        key  value  entries  flags  defined by                                                       remarks
 jmp_table  prog_array    4      4        3         struct bpf_elf_map of 36 bytes (the only one of that length)  id 1; 0 = by_protocol; 1 = by_length
";
    let found = &text[at..];
    let squeezed = |text: &str| {
        let lines = text.lines().map(|l| l.split_whitespace().collect::<Vec<_>>().join(" "));
        lines.collect::<Vec<_>>()
    };
    let (found, wanted) = (squeezed(found), squeezed(wanted));
    let numbers = |lines: &[String]| lines.iter().map(|l| l.replace(char::is_numeric, "")).collect::<Vec<_>>();
    assert_eq!(numbers(&found[..wanted.len()]), numbers(&wanted));
    assert_eq!(found[7..wanted.len()], wanted[7..], "sizes and entries of maps");
}

#[test]
fn the_document_names_everything() {
    let flow = document(&["obj", "examples/tc_flow.o", "--json", "--lines"]);
    assert_eq!(
        (&flow["schema"], &flow["license"], &flow["byte_order"]),
        (&"oxbpf.obj/1".into(), &"GPL".into(), &"little".into())
    );
    assert!(flow["btf"]["types"].as_u64().unwrap() > 10);
    let program = row(&flow, "programs", "function", "tc_flow");
    assert_eq!((&program["type"], &program["functions"]), (&"sched_cls".into(), &3.into()));
    assert_eq!((&program["gpl_only"], &program["licensed"]), (&serde_json::json!(["trace_printk"]), &true.into()));
    assert!(program["lines"].as_array().unwrap().len() > 20);
    let flows = row(&flow, "maps", "name", "flows");
    assert_eq!(
        (&flows["type"], &flows["key"], &flows["defined_by"]["kind"]),
        (&"hash".into(), &16.into(), &"btf".into())
    );
    assert_eq!(row(&flow, "maps", "name", ".rodata")["read_only"], true);
    let relocation = row(&flow, "relocations", "symbol", "packet_budget");
    assert_eq!((&relocation["kind"], &relocation["section"]), (&"R_BPF_64_64".into(), &"tc".into()));
    assert_eq!(row(&flow, "sections", "name", ".bss")["type"], "nobits");

    let nested = document(&["obj", "examples/map_in_map.o", "--json"]);
    let policies = row(&nested, "maps", "name", "policies");
    assert_eq!((&policies["type"], &policies["inner"]["value"]), (&"array_of_maps".into(), &8.into()));
    assert_eq!(policies["values"][0], serde_json::json!({ "key": 6, "name": "tcp_policy" }));
    let legacy = document(&["obj", "examples/mark_stats.o", "--json"]);
    let defined = &row(&legacy, "maps", "name", "mark_counters")["defined_by"];
    assert_eq!((&defined["structure"], &defined["bytes"]), (&"bpf_elf_map".into(), &36.into()));
}

#[test]
fn settings_come_from_a_named_configuration() {
    let dir = scratch("settings");
    let config = write(
        &dir,
        "config",
        "# Linux/x86 5.10.7 Kernel Configuration\nCONFIG_HZ=1000\nCONFIG_BPF=y\n\
        CONFIG_NET_CLS_BPF=m\nCONFIG_IPV6=m\nCONFIG_DEFAULT_HOSTNAME=\"host\"\nCONFIG_TOO_WIDE=70000\n",
    );
    let listed = document(&["obj", KERNEL, "--json", "--kconfig", &config]);
    let value = |name: &str| row(&listed, "externs", "name", name)["value"].clone();
    assert_eq!((value("LINUX_KERNEL_VERSION"), value("CONFIG_IPV6")), ("070a0500".into(), "6d".into()));
    assert_eq!((value("CONFIG_HZ"), value("CONFIG_MISSING")), ("e803000000000000".into(), Value::Null));
    let fault = &row(&listed, "programs", "function", "too_wide")["fault"];
    assert_eq!(fault["message"], "kernel setting CONFIG_TOO_WIDE: its type does not hold 70000");

    let program = format!("{KERNEL}:tc/settings");
    let run = [
        "run",
        &program,
        "--pcap",
        "examples/captures/http.pcap",
        "--kconfig",
        &config,
        "--jsonl",
        "--limit",
        "1",
        "--with",
        "ctx",
    ];
    let output = oxbpf(&run);
    let line: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(
        (&line["ctx"]["mark"], &line["ctx"]["cb"][0]),
        (&0x05_0a_07.into(), &1000.into()),
        "{}",
        stderr(&output)
    );
    let missing =
        oxbpf(&["run", &format!("{KERNEL}:tc/missing"), "--pcap", "examples/captures/http.pcap", "--kconfig", &config]);
    assert_eq!(missing.status.code(), Some(2));
    assert!(stderr(&missing).contains("error[elf-kconfig]: "), "{}", stderr(&missing));
    let nowhere = oxbpf(&["obj", KERNEL, "--kconfig", "/nonexistent"]);
    assert_eq!(nowhere.status.code(), Some(2));
}

#[test]
fn helpers_for_the_gpl_are_not_for_others() {
    let dir = scratch("licence");
    let text = |license: &str| {
        format!(".license \"{license}\"\n.rodata fmt 6100\nr1 = fmt ll\nr2 = 2\ncall bpf_trace_printk\nr0 = 0\nexit\n")
    };
    let run = |license: &str| {
        let file = write(&dir, "program.bpf", text(license));
        oxbpf(&["run", &file, "--pcap", "examples/captures/http.pcap", "--limit", "1"])
    };
    for license in ["GPL", "Dual BSD/GPL", "GPL and additional rights"] {
        assert_eq!(run(license).status.code(), Some(0), "{license}");
    }
    for license in ["", "Proprietary", "GPLv2", "gpl"] {
        let output = run(license);
        assert_eq!(output.status.code(), Some(1), "{license}");
        let wanted =
            format!("program calls bpf_trace_printk, which is for GPL-compatible licences; it declares {license:?}");
        assert!(
            stderr(&output).contains("error[prog-license]: ") && stderr(&output).contains(&wanted),
            "{}",
            stderr(&output)
        );
    }
}

#[test]
fn the_kernel_judges_licences_alike() {
    use oxbpf::kernel::Kernel;
    use oxbpf::runtime::{Availability, Engine, Env};

    if let Availability::Unavailable(reason) = Kernel.availability() {
        assert!(std::env::var("OXBPF_DEV").as_deref() != Ok("1"), "{reason}");
        eprintln!("skipped: {reason}");
        return;
    }
    let licenses = [
        "GPL",
        "GPL v2",
        "GPL and additional rights",
        "Dual BSD/GPL",
        "Dual MIT/GPL",
        "Dual MPL/GPL",
        "",
        "gpl",
        "GPL-2.0",
        "GPLv2",
        "MIT",
        "Dual MIT",
        "GPL v3",
        "LGPL",
        "Proprietary",
        "GPL ",
    ];
    for license in licenses {
        let source = format!(
            ".license \"{license}\"\n.rodata fmt 6100\nr1 = fmt ll\nr2 = 2\ncall bpf_trace_printk\nr0 = 0\nexit\n"
        );
        let unit = oxbpf::text_unit::parse(&source, "p", &oxbpf::text_unit::Options::default()).unwrap();
        let image = oxbpf::runtime::Image::unproven(unit.into(), oxbpf::ir::ProgIdx(0));
        let taken = Kernel.prepare(&image, &Env::default()).is_ok();
        assert_eq!(taken, oxbpf::abi::is_gpl_compatible(license), "{license:?}");
    }
}

#[test]
fn big_endian_objects_are_listed_and_not_run() {
    const BIG: &str = "crates/elf/tests/objects/counts_be.o";
    assert_eq!(document(&["obj", BIG, "--json"])["byte_order"], "big");
    let listing = oxbpf(&["disasm", BIG]);
    assert_eq!(listing.status.code(), Some(0), "{}", stderr(&listing));
    assert!(stdout(&listing).contains("r1 = legacy ll"), "{}", stdout(&listing));
    let run = oxbpf(&["run", BIG, "--pcap", "examples/captures/http.pcap"]);
    assert_eq!(run.status.code(), Some(3));
    assert!(stderr(&run).contains("error[elf-big-endian]: "), "{}", stderr(&run));
}

#[test]
fn what_is_no_object_is_refused() {
    let dir = scratch("broken");
    for (bytes, code) in [(&b"text"[..], "elf-malformed"), (b"\x7fELF\x01", "elf-wrong-file")] {
        let output = oxbpf(&["obj", &write(&dir, "broken.o", bytes)]);
        assert_eq!(output.status.code(), Some(2));
        assert!(stderr(&output).starts_with(&format!("error[{code}]: ")), "{}", stderr(&output));
    }
}

#[test]
fn a_map_nobody_has_blocks_no_program_without_it() {
    let run = |section: &str| {
        let program = format!("crates/elf/tests/objects/nested.o:{section}");
        oxbpf(&["run", &program, "--pcap", "examples/captures/http.pcap", "--limit", "1"])
    };
    assert_eq!(run("tc/data").status.code(), Some(0));
    assert_eq!(run("tc/xsk").status.code(), Some(3), "{}", stderr(&run("tc/xsk")));
}

#[test]
fn what_comes_from_the_kernel_is_the_same_there() {
    use oxbpf::kernel::Kernel;
    use oxbpf::runtime::{Availability, Engine};

    if let Availability::Unavailable(reason) = Kernel.availability() {
        assert!(std::env::var("OXBPF_DEV").as_deref() != Ok("1"), "{reason}");
        eprintln!("skipped: {reason}");
        return;
    }
    for section in ["tc/settings", "tc/absent", "tc/weak", "tc/pair"] {
        let program = format!("{KERNEL}:{section}");
        let output = oxbpf(&["run", &program, "--pcap", "examples/captures/http.pcap", "--engine", "all"]);
        assert_eq!(output.status.code(), Some(0), "{section}: {}", stderr(&output));
        assert!(stdout(&output).contains("interp = kernel on "), "{section}: {}", stdout(&output));
    }
}
