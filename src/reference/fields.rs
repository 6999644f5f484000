//! Pages about context fields.

use oxbpf_abi::ctx::{Field, Layout, SKB, Shape, XDP};
use oxbpf_abi::uapi::{self, FieldInfo};
use oxbpf_abi::{PROG_TYPES, ProgType};
use serde_json::{Value, json};

use super::line;

/// The fields of the contexts, with what is said of them.
pub fn all() -> impl Iterator<Item = (&'static Layout, &'static Field, &'static FieldInfo)> {
    let fields = [&SKB, &XDP].into_iter().flat_map(|layout| layout.fields.iter().map(move |field| (layout, field)));
    fields.filter_map(|(layout, field)| {
        let info = uapi::FIELDS.iter().find(|info| info.ctx == layout.name && info.name == field.name)?;
        Some((layout, field, info))
    })
}

/// The fields that programs of this type may load, or of all types, a line each.
pub fn list(prog_type: Option<ProgType>) -> String {
    let wanted = |field: &Field| prog_type.is_none_or(|t| field.readable_by(t) || field.writable_by(t));
    let row = |(layout, field, info): (&Layout, &Field, &FieldInfo)| {
        let writes = if field.writers.is_empty() { "r" } else { "rw" };
        format!(
            "{:10} {:16} {:>3} {:>2} {writes:2} {:5} {}\n",
            layout.name, field.name, field.off, field.size, info.since, info.is
        )
    };
    let rows =
        all().filter(|(layout, field, _)| wanted(field) && prog_type.is_none_or(|t| t.ctx().name == layout.name));
    format!("{:10} {:16} {:>3} {:>2} {:2} {:5} {}\n", "context", "field", "off", "sz", "", "since", "what it holds")
        + &rows.map(row).collect::<String>()
}

/// The pages about the fields of this name, `skb->mark` and `__sk_buff.mark` included.
pub fn explain(word: &str) -> Option<String> {
    let plain = word.rsplit_once("->").or(word.rsplit_once('.')).map_or(word, |(_, field)| field);
    let pages: Vec<_> = all().filter(|(_, field, _)| field.name == plain).map(|(l, f, i)| page(l, f, i)).collect();
    if pages.is_empty() { None } else { Some(pages.join("\n")) }
}

/// The page about a field.
pub fn page(layout: &Layout, field: &Field, info: &FieldInfo) -> String {
    let mut out = format!("{}->{}\n  {}\n\n", layout.name, field.name, info.is);
    out += &line("offset", &format!("{}, {} bytes", field.off, field.size));
    out += &line("since", &format!("Linux {}", info.since));
    out += &line("access", access(field.shape));
    out += &line("read by", &types(field.readers));
    out += &line("written by", &types(field.writers));
    let told = match (field.test_run_in, field.test_run_out) {
        (true, _) => "taken and told by the kernel's test run",
        _ => "not taken by the kernel's test run",
    };
    out + &line("test run", told)
}

/// A field as a JSON value.
pub fn value(layout: &Layout, field: &Field, info: &FieldInfo) -> Value {
    let names = |types: &[ProgType]| types.iter().map(|t| t.row().name).collect::<Vec<_>>();
    json!({
        "context": layout.name,
        "name": field.name,
        "offset": field.off,
        "size": field.size,
        "since": info.since,
        "is": info.is,
        "access": access(field.shape),
        "readers": names(field.readers),
        "writers": names(field.writers),
        "test_run": field.test_run_in,
    })
}

fn types(types: &[ProgType]) -> String {
    match types.len() {
        0 => "nobody".to_string(),
        n if n == PROG_TYPES.len() => "all networking types".to_string(),
        _ => types.iter().map(|t| t.row().name).collect::<Vec<_>>().join(", "),
    }
}

const fn access(shape: Shape) -> &'static str {
    match shape {
        Shape::U32 => "loads of 1, 2 and 4 aligned bytes, stores of 4",
        Shape::Queue => "loads of 1, 2 and 4 aligned bytes, stores of 4; 0xffff and above are not stored",
        Shape::Word => "4 bytes at once",
        Shape::U64 => "8 bytes at once",
        Shape::Bytes => "loads and stores of any aligned width",
        Shape::Pointer => "loads of 4 bytes, which yield a packet pointer of 64 bits",
        Shape::U8 => "one byte",
        Shape::Opaque => {
            "loads of 8 bytes, which yield a pointer to a kernel object; not answered by this toolchain's engines"
        }
    }
}
