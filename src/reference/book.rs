//! The pages of `docs/reference/`, made from the rows. A test fails where a page in the repository is another.

use oxbpf_abi::uapi;
use oxbpf_isa::catalog::{Group, Kind};

use super::{codes, fields, helpers, insns, maps, terms};

/// File names and contents.
pub fn pages() -> Vec<(&'static str, String)> {
    vec![
        ("instructions.md", instructions()),
        ("helpers.md", helper_page()),
        ("program-types.md", program_types()),
        ("map-types.md", map_types()),
        ("context-fields.md", context_fields()),
        ("terms.md", term_page()),
        ("verifier-codes.md", code_page()),
    ]
}

fn page(title: &str, about: &str, verb: &str) -> String {
    format!("# {title}\n\n{about}\n\nThis page is generated; `{verb}` shows the same.\n")
}

/// A section with a heading and a page's text below its first line.
fn section(heading: &str, text: &str) -> String {
    let body = text.split_once('\n').map_or(text, |(_, body)| body);
    format!("\n## {heading}\n\n```text\n{}\n```\n", body.trim_end())
}

fn instructions() -> String {
    let about = "Every instruction of RFC 9669 and of Linux beyond it. `src` and `dst` are registers, or the immediate in \
                 the place of `src`. In a layout, `any` is an operand.";
    let mut out = page("Instructions", about, "oxbpf isa NAME");
    out += "\n| conformance group | |\n|---|---|\n";
    for row in Group::ROWS {
        out += &format!("| {} | {} |\n", row.name, row.about);
    }
    Kind::all().fold(out, |out, kind| out + &section(&kind.name(), &insns::page(kind)))
}

fn helper_page() -> String {
    let about = "Every helper of Linux 6.18: its declaration, since when there is one, under which licence, and for which \
                 program types. Licence and program types are what the kernel answers; of types that are loaded with \
                 something to attach to (tracing, lsm, struct_ops, ext) only what is theirs alone is told. What this \
                 toolchain's engines run, and how that is compared with the kernel, is in `../helpers.md`.";
    let mut out = page("Helpers", about, "oxbpf helpers NAME");
    for helper in &uapi::HELPERS {
        out += &section(&format!("{} {}", helper.id, helper.name), &helpers::page(helper));
    }
    out += "\n# Kernel functions that networking programs call\n";
    for kfunc in uapi::KFUNCS {
        out += &section(kfunc.name, &helpers::explain(kfunc.name).unwrap_or_default());
    }
    out
}

fn program_types() -> String {
    let about = "Every program type of Linux 6.18, and which helpers it may call.";
    let mut out = page("Program types", about, "oxbpf explain TYPE");
    for info in &uapi::PROG_TYPES {
        out += &section(info.name, &helpers::prog_type(info));
    }
    out
}

fn map_types() -> String {
    let out = page("Map types", "Every map type of Linux 6.18.", "oxbpf maps --types NAME");
    uapi::MAP_TYPES.iter().fold(out, |out, info| out + &section(maps::name(info), &maps::page(info)))
}

fn context_fields() -> String {
    let about = "The fields of the contexts of networking programs.";
    let out = page("Context fields", about, "oxbpf fields NAME");
    fields::all().fold(out, |out, (layout, field, info)| {
        out + &section(&format!("{}.{}", layout.name, field.name), &fields::page(layout, field, info))
    })
}

fn term_page() -> String {
    let out = page("Terms", "The field's terms, each in a paragraph.", "oxbpf explain TERM");
    terms::TERMS.iter().fold(out + "\n", |out, (term, text)| out + &format!("**{term}**: {text}\n\n"))
}

fn code_page() -> String {
    let about = "Why the verifier refuses programs: each reason's code, what is missing, what helps, and a program with the \
                 fault beside one without. The programs are tests: they are judged as it stands here, by the kernel too.";
    let out = page("Verifier codes", about, "oxbpf explain CODE");
    oxbpf_verifier::Code::ALL.iter().fold(out, |out, code| out + &codes::section(*code))
}
