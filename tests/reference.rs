//! The reference on the command line, and the generated pages of `docs/reference/`.

#[path = "cli/mod.rs"]
mod cli;

use std::path::Path;

use cli::{oxbpf, stderr, stdout};
use oxbpf::isa::catalog::Kind;
use oxbpf::reference;

/// What a page prints.
fn shown(arguments: &[&str]) -> String {
    let output = oxbpf(arguments);
    assert_eq!(output.status.code(), Some(0), "{arguments:?}: {}", stderr(&output));
    stdout(&output)
}

fn json(arguments: &[&str]) -> serde_json::Value {
    serde_json::from_str(&shown(arguments)).unwrap()
}

#[test]
fn generated_pages_are_fresh() {
    let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/reference");
    let bless = std::env::var_os("BLESS").is_some();
    if bless {
        std::fs::create_dir_all(&docs).unwrap();
    }
    for (name, text) in reference::book::pages() {
        let path = docs.join(name);
        if bless {
            std::fs::write(&path, &text).unwrap();
        }
        let stands = std::fs::read_to_string(&path).unwrap_or_default();
        assert!(stands == text, "docs/reference/{name} is stale: BLESS=1 cargo test --test reference");
    }
}

#[test]
fn a_page_about_an_instruction() {
    let page = "\
add32
  dst += src, of 32 bits; the upper half of dst is cleared

  w1 += w2                                 0c 21 00 00 00 00 00 00
  w1 += 8                                  04 01 00 00 08 00 00 00

  +--------+-----+-----+----------------+--------------------------------+
  | opcode | src | dst |      off       |              imm               |
  | 8 bits |  4  |  4  |    16 bits     |            32 bits             |
  +--------+-----+-----+----------------+--------------------------------+
  | 0x0c   | any | any |              0 |                            0x0 |
  | 0x04   |   0 | any |              0 |                            any |
  +--------+-----+-----+----------------+--------------------------------+

  group          base32 (instructions that every runtime has)
  defined        RFC 9669, section 4.1
  since          Linux 3.18, clang -mcpu=v3
  edge           wraps: a result that does not fit is taken modulo two to the width
  edge           upper-half-cleared: an operation on 32 bits clears the upper half of its register
  example        add32 reg 0xffffffff 0x1 = 0x0
";
    assert_eq!(shown(&["isa", "add32"]), page);
    assert_eq!(shown(&["explain", "w3 += w4"]), page);
}

#[test]
fn an_opcode_names_all_instructions_that_share_it() {
    let heads = |word: &str| -> Vec<String> {
        let page = shown(&["explain", word]);
        page.lines().filter(|l| !l.is_empty() && !l.starts_with(' ')).map(String::from).collect()
    };
    assert_eq!(heads("0x37"), ["div64", "sdiv64"]);
    assert_eq!(heads("0x95"), ["exit"]);
    assert_eq!(heads("0xc3").len(), 12, "atomics of 4 bytes, and the two with an order");
}

#[test]
fn everything_has_a_page() {
    for word in reference::words() {
        assert!(reference::explain(&word).is_some(), "{word}");
    }
    assert_eq!(json(&["isa", "--json"])["insns"].as_array().unwrap().len(), Kind::all().count());
    assert_eq!(json(&["helpers", "--json"])["helpers"].as_array().unwrap().len(), 211);
    assert_eq!(json(&["maps", "--types", "--json"])["types"].as_array().unwrap().len(), 33);
    assert_eq!(json(&["fields", "--json"])["fields"].as_array().unwrap().len(), 40);
}

#[test]
fn filters() {
    let names = |arguments: &[&str], of: &str| -> Vec<String> {
        let found = json(&[arguments, &["--json"]].concat());
        found[of].as_array().unwrap().iter().map(|v| v["name"].as_str().unwrap().to_string()).collect()
    };
    let atomics = names(&["isa", "--group", "atomic32"], "insns");
    assert!(atomics.len() == 10 && atomics.contains(&"cmpxchg32".to_string()));
    let xdp = names(&["helpers", "--type", "xdp"], "helpers");
    assert!(xdp.contains(&"xdp_adjust_head".to_string()) && !xdp.contains(&"skb_vlan_push".to_string()));
    assert!(names(&["helpers", "--gpl"], "helpers").contains(&"fib_lookup".to_string()));
    assert!(!names(&["helpers", "--implemented"], "helpers").contains(&"probe_read".to_string()));
    assert!(names(&["helpers", "--kfuncs"], "kfuncs").contains(&"bpf_dynptr_from_skb".to_string()));
    let cgroup = names(&["fields", "--type", "cgroup_skb"], "fields");
    assert!(cgroup.contains(&"family".to_string()) && !cgroup.contains(&"tc_classid".to_string()));
}

#[test]
fn helpers_by_name_and_number() {
    let page = "\
bpf_skb_vlan_push
  adds a VLAN tag

  long bpf_skb_vlan_push(struct sk_buff *skb, __be16 vlan_proto, u16 vlan_tci)

  number         18
  since          Linux 4.3
  licence        any
  callers        sched_cls, sched_act
  here           run by this toolchain's engines; packet pointers from before are void after it
";
    for word in ["skb_vlan_push", "bpf_skb_vlan_push", "18"] {
        assert_eq!(shown(&["helpers", word]), page);
    }
}

#[test]
fn what_is_not_known_is_named_with_what_is_near() {
    let error = |arguments: &[&str]| {
        let output = oxbpf(arguments);
        assert_eq!(output.status.code(), Some(2));
        stderr(&output)
    };
    assert_eq!(error(&["isa", "ad32"]), "error[unknown-instruction]: no instruction `ad32`; did you mean `add32`?\n");
    assert_eq!(
        error(&["helpers", "redirct"]),
        "error[unknown-helper]: no helper `redirct`; did you mean `redirect`?\n"
    );
    assert_eq!(
        error(&["maps", "--types", "lpm_tree"]),
        "error[unknown-map]: no map type `lpm_tree`; did you mean `lpm_trie`?\n"
    );
    assert_eq!(error(&["fields", "marks"]), "error[unknown-field]: no field `marks`; did you mean `mark`?\n");
    assert_eq!(error(&["explain", "flux capacitor"]), "error[unknown-word]: no word `flux capacitor`\n");
}
