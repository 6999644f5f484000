//! Filter expressions from outside: `oxbpf filter`, and `filter:DLT:'EXPR'` wherever PROG is taken.

use std::process::{Command, Output};

use serde_json::Value;

const MIXED: &str = "examples/captures/mixed.pcap";

fn oxbpf(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_oxbpf")).args(arguments).output().expect("oxbpf starts")
}

/// Standard output of a run that succeeds and has nothing to complain of.
#[track_caller]
fn succeeds(arguments: &[&str]) -> String {
    let out = oxbpf(arguments);
    assert!(out.status.success() && out.stderr.is_empty(), "{arguments:?}: {}", String::from_utf8_lossy(&out.stderr));
    String::from_utf8(out.stdout).expect("text")
}

/// The exit code and standard error of a run that writes nothing.
#[track_caller]
fn fails(arguments: &[&str]) -> (i32, String) {
    let out = oxbpf(arguments);
    assert!(!out.status.success() && out.stdout.is_empty(), "{arguments:?}");
    (out.status.code().expect("it ends by itself"), String::from_utf8(out.stderr).expect("text"))
}

const IP: &str = "\
(000) ldh      [12]
(001) jeq      #0x800           jt 2\tjf 3
(002) ret      #262144
(003) ret      #0
";

#[test]
fn the_default_is_the_listing_of_tcpdump() {
    assert_eq!(succeeds(&["filter", "ip"]), IP);
    assert_eq!(succeeds(&["filter", "EN10MB", "ip"]), IP);
    assert_eq!(succeeds(&["filter", "--emit", "d", "ip"]), IP);
    assert_eq!(succeeds(&["filter", "ip", "or", "arp"]), succeeds(&["filter", "ip or arp"]), "words are joined");
    assert_eq!(succeeds(&["filter", ""]), "(000) ret      #262144\n");
    assert_eq!(succeeds(&["filter", "-s", "96", "", "--emit", "tc"]), "1,6 0 0 96,\n");
}

#[test]
fn every_format_is_written() {
    let expected = [
        ("tc", "4,40 0 0 12,21 0 1 2048,6 0 0 262144,6 0 0 0,\n"),
        ("ddd", "4\n40 0 0 12\n21 0 1 2048\n6 0 0 262144\n6 0 0 0\n"),
        (
            "dd",
            "{ 0x28, 0, 0, 0x0000000c },\n{ 0x15, 0, 1, 0x00000800 },\n{ 0x6, 0, 0, 0x00040000 },\n{ 0x6, 0, 0, 0x00000000 },\n",
        ),
    ];
    for (format, text) in expected {
        assert_eq!(succeeds(&["filter", "ip", "--emit", format]), text, "{format}");
    }
    for row in oxbpf::cbpf_asm::Format::ROWS {
        let out = oxbpf(&["filter", "tcp port 80", "--emit", row.name]);
        let read = oxbpf::cbpf_asm::read(&out.stdout, Some(row.format), &Default::default()).unwrap();
        assert_eq!(read.code.len(), 20, "{}", row.name);
    }
    let (code, message) = fails(&["filter", "ip", "--emit", "elf"]);
    assert!(code == 2 && message.contains("one of text, tc"), "{message}");
}

#[test]
fn link_types_and_the_optimizer_can_be_chosen() {
    assert_eq!(
        succeeds(&["filter", "RAW", "ip"]),
        "(000) ldb      [0]\n(001) and      #0xf0\n(002) jeq      #0x40            jt 3\tjf 4\n(003) ret      #262144\n\
        (004) ret      #0\n"
    );
    assert_eq!(succeeds(&["filter", "IPV6", "ip6"]), "(000) ret      #262144\n");
    let plain = succeeds(&["filter", "--no-optimize", "tcp port 80 and host 10.0.0.1"]);
    let short = succeeds(&["filter", "tcp port 80 and host 10.0.0.1"]);
    assert!(plain.lines().count() > 2 * short.lines().count(), "{plain}");
}

#[test]
fn json_tells_all() {
    let json: Value = serde_json::from_str(&succeeds(&["filter", "LINUX_SLL", "udp port 53", "--json"])).unwrap();
    assert_eq!(json["schema"], "oxbpf.filter/1");
    assert_eq!((&json["link"], &json["expression"]), (&"LINUX_SLL".into(), &"udp port 53".into()));
    assert_eq!(json["optimized"], true);
    assert_eq!(json["length"], json["insns"].as_array().unwrap().len());
    assert_eq!(json["insns"][0]["text"], "ldh [14]");
}

#[test]
fn mistakes_are_shown_at_their_place() {
    let message = "error[filter-unknown]: no service is called `htp` here; give its number\n  --> filter:1:10\n   |\n \
        1 | tcp port htp\n   |          ^^^\n";
    assert_eq!(fails(&["filter", "tcp port htp"]), (2, message.into()));
    for verb in [&["run", "--pcap", MIXED][..], &["migrate"], &["verify"], &["disasm"]] {
        let (code, found) = fails(&[verb, &["filter:EN10MB:tcp port htp"]].concat());
        assert_eq!((code, found.as_str()), (2, message), "{verb:?}");
    }
    let (code, found) = fails(&["filter", "gateway 10.0.0.1"]);
    assert!(code == 3 && found.starts_with("error[filter-unsupported]: `gateway`"), "{found}");
    let (code, found) = fails(&["run", "filter:EN10MB:protochain 6", "--pcap", MIXED]);
    assert!(code == 3 && found.starts_with("error[filter-unsupported]: `protochain`"), "{found}");
    let deep = format!("{}ip{}", "(".repeat(200), ")".repeat(200));
    assert_eq!(fails(&["filter", &deep]).0, 4);
    assert_eq!(fails(&["run", &format!("filter:RAW:{deep}"), "--pcap", MIXED]).0, 4);
    let (code, found) = fails(&["filter", "RAW", "arp"]);
    assert!(code == 2 && found.starts_with("error[filter-never]"), "{found}");
    let (code, found) = fails(&["run", "filter:EN10MP:ip", "--pcap", MIXED]);
    assert_eq!(
        (code, found.as_str()),
        (
            2,
            "error[prog-link-type]: no link type `EN10MP`; there are EN10MB, RAW, LINUX_SLL, LINUX_SLL2, NULL, LOOP, \
            IPV4, IPV6\n"
        )
    );
}

#[test]
fn filters_run_over_captures() {
    let kept = |arguments: &[&str]| {
        let text = succeeds(&[&["run", "--pcap", MIXED, "--jsonl"], arguments].concat());
        let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let of = |verdict: &str| lines.iter().filter(|line| line["verdict"] == verdict).count();
        (of("keep"), of("drop"))
    };
    let (all, none) = kept(&["filter:EN10MB:"]);
    assert_eq!(none, 0);
    let (ip, others) = kept(&["filter:EN10MB:ip"]);
    assert!(ip > 0 && others > 0 && ip + others == all);
    assert_eq!(kept(&["filter:EN10MB:not ip"]), (others, ip));
    assert_eq!(kept(&["filter:EN10MB:ip", "--engine", "cbpf"]), (ip, others));
    let line =
        succeeds(&["run", "filter:EN10MB:ip", "--pcap", MIXED, "--jsonl", "--verdict-as", "classid", "--limit", "1"]);
    assert!(!line.contains("keep") && !line.contains("drop"), "another meaning can be asked for: {line}");
}

/// A capture of one packet: of 28 bytes behind the header, protocol IPv4.
fn capture(name: &str, link_type: u32, header: &[u8]) -> String {
    let mut ip = vec![0x45, 0, 0, 28, 0, 0, 0, 0, 64, 17, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2];
    ip.extend([0, 53, 0, 9, 0, 8, 0, 0]);
    let packet = [header, &ip].concat();
    let words = |words: &[u32]| words.iter().flat_map(|w| w.to_le_bytes()).collect::<Vec<u8>>();
    let mut bytes = words(&[0xa1b2_c3d4, 0x0004_0002, 0, 0, 262_144, link_type]);
    bytes.extend(words(&[1, 0, packet.len() as u32, packet.len() as u32]));
    bytes.extend(packet);
    let path = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("filter-{name}.pcap"));
    std::fs::write(&path, bytes).expect("written");
    path.display().to_string()
}

#[test]
fn filters_see_the_header_that_they_were_compiled_for() {
    let sll = [&[0, 4, 0, 1, 0, 6, 1, 2, 3, 4, 5, 6, 0, 0, 8, 0][..], &[]].concat();
    let sll2 = [8, 0, 0, 0, 0, 0, 0, 7, 0, 1, 4, 6, 1, 2, 3, 4, 5, 6, 0, 0];
    let ethernet = [2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 8, 0];
    let rows: [(&str, u32, &[u8]); 6] = [
        ("EN10MB", 1, &ethernet),
        ("RAW", 101, &[]),
        ("LINUX_SLL", 113, &sll),
        ("LINUX_SLL2", 276, &sll2),
        ("NULL", 0, &[2, 0, 0, 0]),
        ("LOOP", 108, &[0, 0, 0, 2]),
    ];
    for (name, number, header) in rows {
        let file = capture(name, number, header);
        let length = format!("len = {}", header.len() + 28);
        for engine in ["interp", "cbpf"] {
            for (expression, verdict) in [("udp port 53", "keep"), ("udp port 54", "drop"), (&length, "keep")] {
                let prog = format!("filter:{name}:{expression}");
                let line = succeeds(&["run", &prog, "--pcap", &file, "--jsonl", "--engine", engine]);
                let line: Value = serde_json::from_str(&line).unwrap();
                assert_eq!(line["verdict"], verdict, "{prog} on {engine}");
            }
        }
    }
}

#[test]
fn captures_of_another_link_type_are_refused() {
    let file = capture("refused", 101, &[]);
    let (code, message) = fails(&["run", "filter:EN10MB:udp", "--pcap", &file]);
    let expected = format!(
        "error[filter-link]: {file}: the filter is for EN10MB, packets are RAW\nhelp: filter:RAW:EXPR is for them, \
         --link EN10MB takes them for such, --link bytes applies the filter to what they begin with, --skip-links \
         leaves them out\n"
    );
    assert_eq!((code, message), (2, expected));
    let verdicts = |more: &[&str]| succeeds(&[&["run", "filter:EN10MB:ip", "--pcap", &file, "--jsonl"], more].concat());
    assert!(verdicts(&["--link", "bytes"]).contains("\"verdict\":\"drop\""));
    assert!(verdicts(&["--link", "EN10MB"]).contains("\"verdict\":\"drop\""));
    assert_eq!(verdicts(&["--skip-links"]), "");
    let taken = succeeds(&["run", "filter:IPV4:udp", "--pcap", &file, "--jsonl", "--link", "IPV4"]);
    assert!(taken.contains("\"verdict\":\"keep\""));
}

#[test]
fn filters_are_programs_everywhere() {
    assert_eq!(succeeds(&["disasm", "filter:EN10MB:ip", "--emit", "d"]), IP);
    assert_eq!(succeeds(&["asm", "filter:EN10MB:ip", "--emit", "d"]), IP);
    assert_eq!(succeeds(&["verify", "filter:EN10MB:tcp port 80"]), "filter: accepted, 20 instructions\n");
    let migrated = succeeds(&["migrate", "filter:EN10MB:ip"]);
    assert!(migrated.contains("ldh [12]") && migrated.contains("exit"), "{migrated}");
    // A colon in the expression is part of it.
    let host = "filter:EN10MB:ip6 host 2001:db8::1";
    assert!(succeeds(&["verify", host]).starts_with("filter: accepted"));
}

#[test]
fn help_has_examples() {
    let help = succeeds(&["filter", "--help"]);
    assert!(help.contains("Examples:") && help.contains("oxbpf filter "));
}
