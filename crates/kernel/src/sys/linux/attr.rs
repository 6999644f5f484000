//! The arguments of bpf(2), command by command, as the kernel's public header lays them out.
//!
//! Each command reads a prefix of one union; a shorter argument counts as zero-extended, and a longer one
//! is accepted by an older kernel as long as what it does not know is zero. So every struct here ends
//! with the last field this crate sets, and is zero in all others.

/// `BPF_MAP_CREATE`.
pub const MAP_CREATE: u64 = 0;
/// `BPF_MAP_LOOKUP_ELEM`.
pub const MAP_LOOKUP_ELEM: u64 = 1;
/// `BPF_MAP_UPDATE_ELEM`.
pub const MAP_UPDATE_ELEM: u64 = 2;
/// `BPF_MAP_DELETE_ELEM`.
pub const MAP_DELETE_ELEM: u64 = 3;
/// `BPF_MAP_GET_NEXT_KEY`.
pub const MAP_GET_NEXT_KEY: u64 = 4;
/// `BPF_PROG_LOAD`.
pub const PROG_LOAD: u64 = 5;
/// `BPF_PROG_TEST_RUN`.
pub const PROG_TEST_RUN: u64 = 10;
/// `BPF_OBJ_GET_INFO_BY_FD`.
pub const OBJ_GET_INFO_BY_FD: u64 = 15;
/// `BPF_BTF_LOAD`.
pub const BTF_LOAD: u64 = 18;
/// `BPF_MAP_LOOKUP_AND_DELETE_ELEM`.
pub const MAP_LOOKUP_AND_DELETE_ELEM: u64 = 21;
/// `BPF_MAP_FREEZE`.
pub const MAP_FREEZE: u64 = 22;

/// Argument of [`MAP_CREATE`].
#[repr(C)]
#[derive(Default)]
pub struct MapCreate {
    pub map_type: u32,
    pub key_size: u32,
    pub value_size: u32,
    pub max_entries: u32,
    pub map_flags: u32,
    pub inner_map_fd: u32,
    pub numa_node: u32,
    pub map_name: [u8; 16],
    pub map_ifindex: u32,
    pub btf_fd: u32,
    pub btf_key_type_id: u32,
    pub btf_value_type_id: u32,
    pub btf_vmlinux_value_type_id: u32,
    pub map_extra: u64,
}

/// Argument of the four element commands; `value` is also the next key.
#[repr(C)]
#[derive(Default)]
pub struct MapElem {
    pub map_fd: u32,
    pub pad: u32,
    pub key: u64,
    pub value: u64,
    pub flags: u64,
}

/// Argument of [`PROG_LOAD`].
#[repr(C)]
#[derive(Default)]
pub struct ProgLoad {
    pub prog_type: u32,
    pub insn_cnt: u32,
    pub insns: u64,
    pub license: u64,
    pub log_level: u32,
    pub log_size: u32,
    pub log_buf: u64,
    pub kern_version: u32,
    pub prog_flags: u32,
    pub prog_name: [u8; 16],
    pub prog_ifindex: u32,
    pub expected_attach_type: u32,
    pub prog_btf_fd: u32,
    pub func_info_rec_size: u32,
    pub func_info: u64,
    pub func_info_cnt: u32,
    pub line_info_rec_size: u32,
    pub line_info: u64,
    pub line_info_cnt: u32,
    pub attach_btf_id: u32,
    pub attach_prog_fd: u32,
    pub core_relo_cnt: u32,
    pub fd_array: u64,
    pub core_relos: u64,
    pub core_relo_rec_size: u32,
    /// Written by the kernel (since 6.4): bytes the whole log would have taken.
    pub log_true_size: u32,
}

/// Argument of [`PROG_TEST_RUN`].
#[repr(C)]
#[derive(Default)]
pub struct TestRun {
    pub prog_fd: u32,
    pub retval: u32,
    pub data_size_in: u32,
    pub data_size_out: u32,
    pub data_in: u64,
    pub data_out: u64,
    pub repeat: u32,
    pub duration: u32,
    pub ctx_size_in: u32,
    pub ctx_size_out: u32,
    pub ctx_in: u64,
    pub ctx_out: u64,
    pub flags: u32,
    pub cpu: u32,
    pub batch_size: u32,
    pub pad: u32,
}

/// Argument of [`OBJ_GET_INFO_BY_FD`].
#[repr(C)]
#[derive(Default)]
pub struct InfoByFd {
    pub bpf_fd: u32,
    pub info_len: u32,
    pub info: u64,
}

/// Argument of [`BTF_LOAD`].
#[repr(C)]
#[derive(Default)]
pub struct BtfLoad {
    pub btf: u64,
    pub btf_log_buf: u64,
    pub btf_size: u32,
    pub btf_log_size: u32,
    pub btf_log_level: u32,
    pub btf_log_true_size: u32,
}

/// Argument of [`MAP_FREEZE`].
#[repr(C)]
#[derive(Default)]
pub struct MapFreeze {
    pub map_fd: u32,
}

/// An argument that may be handed over as bytes.
///
/// # Safety
/// Implementors are `#[repr(C)]`, made of integers only and have no padding.
pub unsafe trait Attr {}

macro_rules! attrs {
    ($($name:ident: $size:literal, $($field:ident @ $at:literal),*;)*) => { $(
        // SAFETY: repr(C), integers only; the asserted size is the sum of the fields', so there is no padding.
        unsafe impl Attr for $name {}
        const _: () = {
            assert!(size_of::<$name>() == $size);
            $( assert!(std::mem::offset_of!($name, $field) == $at); )*
        };
    )* };
}

attrs! {
    MapCreate: 72, map_name @ 28, btf_fd @ 48, map_extra @ 64;
    MapElem: 32, key @ 8, value @ 16, flags @ 24;
    ProgLoad: 144, insns @ 8, log_buf @ 32, prog_name @ 48, func_info @ 80, line_info @ 96, fd_array @ 120, log_true_size @ 140;
    TestRun: 80, data_in @ 16, repeat @ 32, ctx_in @ 48, batch_size @ 72;
    InfoByFd: 16, info @ 8;
    BtfLoad: 32, btf_size @ 16, btf_log_true_size @ 28;
    MapFreeze: 4,;
}
