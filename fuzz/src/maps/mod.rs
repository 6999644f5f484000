//! Map contents as JSON, for a run to begin with or to be checked against.

use std::sync::{Arc, LazyLock};

use oxbpf::map_json::{Contents, MapJsonError, bpftool, plain};
use oxbpf::text_unit::{Options, parse};
use oxbpf_abi::{MapType, ProgType};
use oxbpf_interp::Interp;
use oxbpf_ir::{MapIdx, ProgIdx, Unit};
use oxbpf_runtime::maps::{Entry, MapSet};
use oxbpf_runtime::{Engine, Env, Image};
use serde_json::{Map, Value};

/// A map of each kind.
const KINDS: &str = include_str!("unit.bpf");

/// Maps whose keys and values have types.
const TYPED: [&[u8]; 3] = [
    include_bytes!("../../../examples/lpm_policy.o"),
    include_bytes!("../../../examples/lru_flows.o"),
    include_bytes!("../../../examples/tc_flow.o"),
];

static UNITS: LazyLock<Vec<Arc<Unit>>> = LazyLock::new(|| {
    let kinds = parse(KINDS, "unit", &Options::default()).expect("the text is a unit");
    let typed = TYPED.iter().map(|bytes| {
        let object = oxbpf_elf::load(bytes).expect("the example is an object");
        let roots: Vec<_> = (0..object.programs().len()).collect();
        let unit = object.unit_to_list("fuzz", &roots, |p| p.prog_type().or(Some(ProgType::SchedCls)));
        unit.expect("the example links")
    });
    [kinds].into_iter().chain(typed).map(Arc::new).collect()
});

/// Bytes as the contents of some of a unit's maps: what is taken can be put in and compared, and what maps hold then
/// prints and reads back as the same; all else is refused with a code.
pub fn map_json(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    for unit in UNITS.iter() {
        match Contents::parse(text, unit) {
            Ok(contents) => taken(unit, &contents),
            Err(error) => sound(&error, &["map-json"]),
        }
    }
}

fn sound(error: &MapJsonError, codes: &[&str]) {
    assert!(codes.contains(&error.code()) && !error.to_string().is_empty());
}

fn taken(unit: &Arc<Unit>, contents: &Contents) {
    // Little enough memory that inner maps, one for each entry, meet its end.
    let env = Env { memory: 16 << 20, cpus: 3, ..Env::default() };
    let mut maps = MapSet::in_env(unit, &env).expect("the unit's maps are well defined");
    if let Err(error) = contents.put(unit, &mut maps) {
        return sound(&error, &["map-init"]);
    }
    let image = Image::unproven(unit.clone(), ProgIdx(0));
    let code = Interp.compile(&image).expect("the unit's programs compile");
    let Ok(instance) = code.instance(&maps, &env) else { return };
    let differ = |contents: &Contents| contents.differences(unit, &*instance).expect("an engine tells what maps hold");
    assert!(differ(contents).iter().all(|line| line.starts_with("map ")));

    let dump = shown(unit, &maps);
    let text = dump.to_string();
    let again = Contents::parse(&text, unit).unwrap_or_else(|e| panic!("{e}: {text}"));
    assert_eq!(differ(&again), [""; 0], "{text}");
    let mut copy = MapSet::in_env(unit, &env).expect("the unit's maps are well defined");
    again.put(unit, &mut copy).unwrap_or_else(|e| panic!("{e}: {text}"));
    for (i, def) in (0..).map(MapIdx).zip(unit.maps()).filter(|(_, def)| reads_back(def.map_type)) {
        let [mut was, mut is] = [&maps, &copy].map(|set| entries(set, i));
        if !matches!(def.map_type, MapType::QUEUE | MapType::STACK) {
            was.sort();
            is.sort();
        }
        assert_eq!(was, is, "{}", def.name);
    }
}

fn entries(set: &MapSet, map: MapIdx) -> Vec<Entry> {
    set.get(map).map_or(Vec::new(), |map| map.entries())
}

/// Everything that maps hold, of those that have contents which can be read again; the others only print.
fn shown(unit: &Unit, maps: &MapSet) -> Value {
    let mut all = Map::new();
    for (i, def) in (0..).map(MapIdx).zip(unit.maps()) {
        let entries = entries(maps, i);
        assert!(plain(def, &entries).contains("Found "));
        let json = bpftool(def, &entries, unit.types().map(|t| &**t));
        if reads_back(def.map_type) {
            all.insert(def.name.clone(), json);
        }
    }
    Value::Object(all)
}

/// Bloom filters and events have nothing to list; maps that were added for maps of maps have no name to be read by.
fn reads_back(map_type: MapType) -> bool {
    use MapType as T;
    !matches!(map_type, T::BLOOM_FILTER | T::PERF_EVENT_ARRAY | T::ARRAY_OF_MAPS | T::HASH_OF_MAPS)
}
