//! Settings, functions and variables of the kernel, from `objects/kernel.c`.

use oxbpf_elf::{ElfError, ExternKind, Kconfig, Object, load};
use oxbpf_ir::{InsnId, MapInit, MapPurpose, Unit};
use oxbpf_isa::{CallTarget, Insn};

const KERNEL: &[u8] = include_bytes!("objects/kernel.o");

const CONFIG: &str = "\
#
# Linux/x86 6.12.300 Kernel Configuration
#
CONFIG_HZ=250
CONFIG_BPF=y
CONFIG_NET_CLS_BPF=m
CONFIG_IPV6=y
CONFIG_DEFAULT_HOSTNAME=\"(none) at all\"
# CONFIG_MISSING is not set
CONFIG_TOO_LARGE=128
CONFIG_TOO_WIDE=0x8000
";

fn object() -> Object {
    let mut object = load(KERNEL).unwrap();
    object.resolve_kconfig(&Kconfig::parse(CONFIG));
    object
}

fn link(object: &Object, section: &str) -> Result<Unit, ElfError> {
    object.unit("t", &[object.select(Some(section)).unwrap()], |_| Some(oxbpf_abi::ProgType::SchedCls))
}

fn value(object: &Object, name: &str) -> Vec<u8> {
    let found = object.externs().iter().find(|e| e.name() == name).unwrap();
    found.value().unwrap_or_default().to_vec()
}

#[test]
fn settings_are_bytes_of_a_constant_map() {
    let object = object();
    let unit = link(&object, "tc/settings").unwrap();
    let map = &unit.maps()[0];
    assert_eq!((unit.maps().len(), map.name.as_str(), map.purpose), (1, ".kconfig", MapPurpose::Rodata));
    assert!(map.frozen());
    let MapInit::Entries(entries) = &map.init else { panic!("bytes") };
    assert_eq!(entries[0].1.len(), map.value_size as usize);
    assert_eq!(value(&object, "LINUX_KERNEL_VERSION"), 0x06_0c_ffu32.to_le_bytes());
    assert_eq!(value(&object, "CONFIG_HZ"), 250u64.to_le_bytes());
    assert_eq!(value(&object, "CONFIG_BPF"), [1]);
    assert_eq!(value(&object, "CONFIG_NET_CLS_BPF"), 2u32.to_le_bytes());
    assert_eq!(value(&object, "CONFIG_IPV6"), [b'y']);
    assert_eq!(value(&object, "CONFIG_DEFAULT_HOSTNAME"), *b"(none) \0");
    let all = object.externs().iter().filter_map(|e| e.value());
    assert!(all.into_iter().all(|bytes| entries[0].1.windows(bytes.len()).any(|w| w == bytes)));
}

#[test]
fn settings_that_are_missing_or_do_not_fit_are_refused_by_name() {
    let object = object();
    let refused = |section| {
        let error = link(&object, section).unwrap_err();
        assert_eq!(error.code(), "elf-kconfig");
        error.to_string()
    };
    let missing = "kernel setting CONFIG_MISSING: the kernel's configuration does not set it, and it is not weak";
    assert_eq!(refused("tc/missing"), missing);
    assert_eq!(refused("tc/too_wide"), "kernel setting CONFIG_TOO_WIDE: its type does not hold 32768");
    let unread = link(&load(KERNEL).unwrap(), "tc/settings").unwrap_err();
    assert!(unread.to_string().ends_with(": no configuration of a kernel was given"), "{unread}");
    // Others do not care.
    assert!(link(&load(KERNEL).unwrap(), "tc/weak").is_ok());
}

#[test]
fn functions_and_variables_are_refused_by_name() {
    let object = object();
    let refused = |section| {
        let error = link(&object, section).unwrap_err();
        assert_eq!(error.code(), "elf-unsupported");
        error.to_string()
    };
    let function = "section tc/function: kernel function kernel_function at 0x0 is not supported";
    assert_eq!(refused("tc/function"), function);
    let variable = "section tc/variable: kernel variable kernel_variable at 0x0 is not supported";
    assert_eq!(refused("tc/variable"), variable);
}

#[test]
fn weak_functions_and_variables_are_absent() {
    let unit = link(&object(), "tc/absent").unwrap();
    let insns = unit.programs()[0].insns();
    let zeros = insns.iter().filter(|i| matches!(i, Insn::LoadImm64 { value: 0, .. })).count();
    assert_eq!(zeros, 2, "{insns:?}");
    let call = insns.iter().find_map(|i| match i {
        Insn::Call(CallTarget::Helper(id)) => Some(*id),
        _ => None,
    });
    let number = object().externs().iter().position(|e| e.name() == "absent_function").unwrap();
    assert_eq!(call.map(i64::from), Some(2_002_000_000 + number as i64));
}

#[test]
fn externs_are_listed() {
    let object = object();
    let kind = |name: &str| {
        let found = object.externs().iter().find(|e| e.name() == name).unwrap();
        (found.kind(), found.is_weak())
    };
    assert_eq!(kind("CONFIG_NOWHERE"), (ExternKind::Setting, true));
    assert_eq!(kind("kernel_function"), (ExternKind::Function, false));
    assert_eq!(kind("absent_variable"), (ExternKind::Variable, true));
}

#[test]
fn weak_functions_of_the_object_are_there() {
    let unit = link(&object(), "tc/weak").unwrap();
    let program = &unit.programs()[0];
    let callees = (0..program.insns().len() as u32).filter_map(|i| program.callee(InsnId(i)));
    assert_eq!(callees.map(|f| program.functions()[f.index()].name.as_str()).collect::<Vec<_>>(), ["weak_function"]);
}

#[test]
fn static_functions_are_programs_where_they_are_alone() {
    let object = object();
    let named = |section: &str| {
        let there = object.programs().iter().filter(|p| p.section() == section);
        there.map(|p| p.name().to_string()).collect::<Vec<_>>()
    };
    assert_eq!(named("custom"), ["lone"]);
    assert_eq!(named("tc/pair"), ["pair"]);
    let notes: Vec<String> = object.notes().iter().map(|n| n.to_string()).collect();
    assert_eq!(notes, ["section custom: the static function lone is taken as its program"]);
    let unit = link(&object, "tc/pair").unwrap();
    let names: Vec<_> = unit.programs()[0].functions().iter().map(|f| f.name.as_str()).collect();
    assert_eq!(names, ["pair", "second"]);
}

#[test]
fn faults_are_told_program_by_program() {
    let object = object();
    let all = object.survey();
    for (program, survey) in object.programs().iter().zip(&all) {
        let alone = link(&object, &format!("{}/{}", program.section(), program.name()));
        assert_eq!(alone.err(), survey.fault, "{}", program.name());
    }
    assert_eq!(all.iter().filter(|s| s.fault.is_some()).count(), 4);
    let pair = object.programs().iter().position(|p| p.name() == "pair").unwrap();
    assert_eq!((all[pair].functions, all[pair].slots, all[pair].helpers.len()), (2, 5, 0));
}

#[test]
fn configurations_are_read_as_they_come() {
    let config = Kconfig::parse("CONFIG_A=-5\r\nnonsense=1\nCONFIG_B\nCONFIG_A=6\n# Linux/x86 six Kernel\n");
    assert_eq!((config.version(), config.value("CONFIG_A")), (None, Some("6")));
    assert_eq!((config.value("nonsense"), config.value("CONFIG_B")), (None, None));
    assert_eq!(config.clone().or_release("5.4.0-42-generic").version(), Some(0x05_04_00));
    assert_eq!(config.or_release("6.18.44-fc-v657").version(), Some(0x06_12_2c));
    assert_eq!(Kconfig::parse("# Linux/x86 6.1 Kernel\n").or_release("5.4.0").version(), Some(0x06_01_00));
    assert_eq!(Kconfig::default().or_release("300.1.1").version(), None);
}
