//! Pages about the verifier's codes.

use oxbpf_verifier::Code;

use super::line;

/// The page about a code by its name, `OX301`.
pub fn explain(word: &str) -> Option<String> {
    // A bare number means an opcode to people.
    let named = word.get(..2).is_some_and(|start| start.eq_ignore_ascii_case("ox"));
    named.then(|| Code::by_name(word)).flatten().map(page)
}

/// The page: what is wrong, what is missing, what helps, and a program with the fault beside one without.
pub fn page(code: Code) -> String {
    let mut out = format!("{code}\n  {}\n\n", code.title());
    out += &line("missing", code.missing());
    out += &line("help", code.help());
    out += "\n";
    out += &wrapped(code.prose());
    for (title, program) in [("rejected", code.rejected()), ("accepted", code.accepted())] {
        if let Some(program) = program {
            out += &format!("\n  {title}\n\n");
            out.extend(program.lines().map(|text| format!("    {text}\n")));
        }
    }
    out
}

/// The code's section of the book.
pub fn section(code: Code) -> String {
    let mut out = format!("\n## {code}: {}\n\n{}\n\n", code.title(), code.prose());
    out += &format!("Missing: {}.\n\nHelp: {}.\n", code.missing(), code.help());
    for (title, program) in [("Rejected", code.rejected()), ("Accepted", code.accepted())] {
        if let Some(program) = program {
            out += &format!("\n{title}:\n\n```text\n{program}```\n");
        }
    }
    out
}

/// Prose in lines of a terminal's width; what is indented as code stays as it is.
fn wrapped(prose: &str) -> String {
    const WIDTH: usize = 100;
    let mut out = String::new();
    let mut code = false;
    for text in prose.lines() {
        if text.starts_with("```") {
            code = !code;
            continue;
        }
        let mut width = 2;
        out += if code { "    " } else { "  " };
        for word in text.split_inclusive(' ') {
            if !code && width + word.trim_end().chars().count() > WIDTH {
                out.truncate(out.trim_end().len());
                out += "\n  ";
                width = 2;
            }
            width += word.chars().count();
            out += word;
        }
        out.truncate(out.trim_end_matches(' ').len());
        out += "\n";
    }
    out
}
