//! `oxbpf verify` and `oxbpf explain CODE`.

use serde_json::Value;

use crate::cli::{oxbpf, scratch, stderr, stdout, write};

#[test]
fn a_wrong_shape_is_a_verdict() {
    let dir = scratch("a_wrong_shape_is_a_verdict");
    let prog = write(&dir, "end.bpf", "    r0 = 0\n");
    let (sarif, junit) = (dir.join("out.sarif"), dir.join("out.xml"));
    let files = ["--sarif", sarif.to_str().unwrap(), "--junit", junit.to_str().unwrap()];
    let output = oxbpf(&[&["verify", &prog, "--json"][..], &files].concat());
    assert_eq!(output.status.code(), Some(1), "{}", stderr(&output));
    let document: Value = serde_json::from_str(&stdout(&output)).unwrap();
    assert_eq!(document["schema"], "oxbpf.verify/2");
    let program = &document["programs"][0];
    assert_eq!((&program["verdict"], &program["code"]), (&"rejected".into(), &"OX103".into()));
    let sarif: Value = serde_json::from_str(&std::fs::read_to_string(sarif).unwrap()).unwrap();
    let run = &sarif["runs"][0];
    assert_eq!((&sarif["version"], &run["results"][0]["ruleId"]), (&"2.1.0".into(), &"OX103".into()));
    assert_eq!(run["tool"]["driver"]["rules"][0]["id"], "OX103");
    let junit = std::fs::read_to_string(junit).unwrap();
    assert!(junit.contains("failures=\"1\"") && junit.contains("OX103"), "{junit}");
}

#[test]
fn a_rejection_is_shown_with_what_helps() {
    let dir = scratch("a_rejection_is_shown_with_what_helps");
    let output = oxbpf(&["verify", &write(&dir, "end.bpf", "    r0 = 0\n")]);
    let said = stderr(&output);
    assert!(said.starts_with("error[OX103]: control runs off the end of a function\n"), "{said}");
    assert!(said.contains("   = help: end every function"), "{said}");
}

#[test]
fn what_cannot_be_read_outweighs_what_is_rejected() {
    let dir = scratch("what_cannot_be_read");
    let (end, typo) = (write(&dir, "end.bpf", "    r0 = 0\n"), write(&dir, "typo.bpf", "    r0 = \n    exit\n"));
    assert_eq!(oxbpf(&["verify", &end]).status.code(), Some(1));
    for progs in [[&*end, "no-such-file.o"], [&*typo, &*end]] {
        let output = oxbpf(&["verify", progs[0], progs[1], "--json"]);
        assert_eq!(output.status.code(), Some(2));
        let document: Value = serde_json::from_str(&stdout(&output)).unwrap();
        assert_eq!((&document["rejected"], &document["unreadable"]), (&1.into(), &1.into()));
    }
}

#[test]
fn tables_have_the_columns_of_veristat() {
    let dir = scratch("tables_have_the_columns_of_veristat");
    let end = write(&dir, "end.bpf", "    r0 = 0\n");
    let table = stdout(&oxbpf(&["verify", &end, "--csv"]));
    let header = "file_name,prog_name,verdict,duration,total_insns,total_states,peak_states,max_states_per_insn,\
                  max_mark_read_len,prog_size,prog_size_jited,prog_type,attach_type,stack_depth,max_stack_depth,mem_peak,code";
    assert_eq!(table.lines().next(), Some(header));
    assert!(table.lines().nth(1).unwrap().starts_with("end.bpf,end.bpf,failure,0,0,"), "{table}");
    let before = write(&dir, "before.csv", "file_name,prog_name,verdict,total_insns\nend.bpf,end.bpf,success,12\n");
    let compared = stdout(&oxbpf(&["verify", &end, "--baseline", &before]));
    let expected = "\
File     Program  Verdict (A)  Verdict (B)  Verdict (DIFF)  Insns (A)  Insns (B)  Insns (DIFF)
-------  -------  -----------  -----------  --------------  ---------  ---------  --------------
end.bpf  end.bpf  success      failure      MISMATCH               12          0  -12 (-100.00%)
";
    assert_eq!(compared, expected);
    let broken = write(&dir, "broken.csv", "file_name,prog_name\na\n");
    let output = oxbpf(&["verify", &end, "--baseline", &broken]);
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("line 2: 1 cells under 2 columns"), "{}", stderr(&output));
}

#[test]
fn classic_and_extended_programs_go_together() {
    let dir = scratch("classic_and_extended_programs_go_together");
    let end = write(&dir, "end.bpf", "    r0 = 0\n");
    let output = oxbpf(&["verify", "bytecode:1,6 0 0 1", "bytecode:1,5 0 0 7", &end, "--json"]);
    let document: Value = serde_json::from_str(&stdout(&output)).unwrap();
    let verdicts: Vec<_> = (0..3).map(|i| document["programs"][i]["verdict"].as_str().unwrap()).collect();
    assert_eq!(verdicts, ["accepted", "rejected", "rejected"]);
    assert_eq!(document["programs"][1]["code"], "cbpf-jump");
}

const REJECTED: &str = "tests/verifier/rejected/packet_check_too_short.bpf";

#[test]
fn a_verdict_has_everything_that_tools_ask_for() {
    let output = oxbpf(&["verify", "examples/tc_flow.o", REJECTED, "--json"]);
    assert_eq!(output.status.code(), Some(1), "{}", stderr(&output));
    let document: Value = serde_json::from_str(&stdout(&output)).unwrap();
    assert_eq!((&document["accepted"], &document["rejected"]), (&1.into(), &1.into()));
    let [accepted, rejected] = [0, 1].map(|i| &document["programs"][i]);
    assert_eq!((&accepted["verdict"], &accepted["code"]), (&"accepted".into(), &Value::Null));
    assert!(accepted["processed"].as_u64().unwrap() > 200 && accepted["time_us"].is_u64());
    let expected = [("code", "OX301"), ("kernel_message", "R2 offset is outside of the packet"), ("type", "sched_cls")];
    for (key, value) in expected {
        assert_eq!(rejected[key], value, "{key}");
    }
    assert_eq!((&rejected["slot"], &rejected["line"], &rejected["processed"]), (&6.into(), &9.into(), &7.into()));
}

#[test]
fn exit_codes_follow_the_worst_verdict() {
    let dir = scratch("exit_codes_follow_the_worst_verdict");
    let unsupported = oxbpf::verifier::Code::Unsupported.rejected().unwrap();
    let unsupported = write(&dir, "later.bpf", unsupported);
    let exit = |progs: &[&str]| oxbpf(&[&["verify"], progs].concat()).status.code();
    assert_eq!(exit(&["examples/minimal.o", "examples/tail_call.o"]), Some(0));
    assert_eq!(exit(&["examples/minimal.o", &unsupported]), Some(3));
    assert_eq!(exit(&[&unsupported, REJECTED]), Some(1));
    assert_eq!(exit(&["examples/tc_flow.o", "--limit", "100"]), Some(1));
}

#[test]
fn one_program_of_an_object_or_all() {
    let all = stdout(&oxbpf(&["verify", "examples/tail_call.o"]));
    assert_eq!(all.lines().count(), 3, "{all}");
    let one = stdout(&oxbpf(&["verify", "examples/tail_call.o:classifier", "-v"]));
    assert!(
        one.starts_with("examples/tail_call.o: classifier/entry: accepted, 30 instructions, 41 processed\n"),
        "{one}"
    );
    assert!(one.contains("\n  states ") && one.contains("\n  stack "), "{one}");
}

#[test]
fn the_log_ends_as_the_kernels() {
    for (prog, code) in [("examples/minimal.o", 0), (REJECTED, 1)] {
        let output = oxbpf(&["verify", prog, "--log", "kernel"]);
        assert_eq!(output.status.code(), Some(code));
        let log = stdout(&output);
        let last = log.lines().rfind(|line| line.starts_with("processed ")).unwrap_or_default();
        assert!(
            last.contains(" insns (limit 1000000) max_states_per_insn ") && last.ends_with(" mark_read 0"),
            "{log}"
        );
        assert!(log.contains("\n0: ("), "instructions with their opcodes: {log}");
        let parsed = oxbpf::kernel::VerifierLog::parse(log.clone(), false, 0);
        assert!(parsed.stats.is_some() && parsed.error().is_some() == (code == 1), "{log}");
    }
}

#[test]
fn fewer_capabilities_mean_stricter_rules() {
    let dir = scratch("fewer_capabilities_mean_stricter_rules");
    let leak = write(&dir, "leak.bpf", "    r0 = r1\n    exit\n");
    assert_eq!(oxbpf(&["verify", &leak]).status.code(), Some(0));
    let output = oxbpf(&["verify", &leak, "--caps", "bpf,net_admin"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr(&output).starts_with("error[OX205]"), "{}", stderr(&output));
    let output = oxbpf(&["verify", &leak, "--caps", "everything"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("no capability `everything`"), "{}", stderr(&output));
}

#[test]
fn runs_are_verified_first() {
    let http = ["--pcap", "examples/captures/http.pcap"];
    let run = |more: &[&str]| oxbpf(&[&["run", REJECTED][..], &http, more].concat());
    let output = run(&[]);
    let said = stderr(&output);
    assert_eq!((output.status.code(), stdout(&output).as_str()), (Some(1), ""), "{said}");
    assert!(said.starts_with("error[OX301]") && said.contains("--unverified"), "{said}");
    let output = run(&["--unverified"]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let dir = scratch("runs_are_verified_first");
    let later = write(&dir, "later.bpf", oxbpf::verifier::Code::Unsupported.rejected().unwrap());
    let output = oxbpf(&[&["run", &later][..], &http].concat());
    assert!(stderr(&output).contains("note: program later runs unproven"), "{}", stderr(&output));
}

#[test]
fn a_code_is_explained() {
    let page = stdout(&oxbpf(&["explain", "OX301"]));
    assert!(page.starts_with("OX301\n  a packet access is not covered"), "{page}");
    assert!(page.contains("\n  rejected\n") && page.contains("\n  accepted\n"), "{page}");
    let output = oxbpf(&["explain", "OX999"]);
    assert_eq!(output.status.code(), Some(2));
}

#[test]
fn what_the_kernel_refuses_is_explained() {
    if !crate::verdicts::measured("what_the_kernel_refuses_is_explained") {
        return;
    }
    let dir = scratch("what_the_kernel_refuses_is_explained");
    let prog = write(&dir, "read.bpf", "    r2 = *(u32 *)(r1 + 76)\n    r0 = *(u16 *)(r2 + 12)\n    exit\n");
    let output = oxbpf(&["run", &prog, "--engine", "kernel", "--pcap", "examples/captures/http.pcap"]);
    let said = stderr(&output);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.starts_with("error[engine-rejected]"), "{said}");
    let expected = "
error[OX301]: a packet access is not covered by a comparison with data_end
  --> read.bpf:2:5
   |
 2 | r0 = *(u16 *)(r2 + 12)
   | ^^^^^^^^^^^^^^^^^^^^^^
   = insn 1: r0 = *(u16 *)(r2 + 12)
   = missing: a comparison with data_end that covers the bytes
";
    assert!(said.contains(expected), "{said}");
    assert!(said.contains("   = kernel: R2 offset is outside of the packet"), "{said}");
}
