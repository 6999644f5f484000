//! The commands of bpf(2), each with its buffers' lengths established before the kernel sees their addresses.

use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::sync::OnceLock;
use std::time::Duration;

use super::attr::{self, Attr};
use super::child::{self, ChildError, Scratch};
use super::values::{count_cpus, user_value_size};
use crate::Errno;
use crate::sys::{CallError, LoadAnswer, LoadArgs, MapArgs, ProgTables, RunAnswer, RunArgs};

/// Why this build can never reach a kernel; `None` as it can.
pub const ABSENT: Option<&str> = None;

/// A map's descriptor with the sizes that its element calls rely on.
#[derive(Debug)]
pub struct MapFd {
    fd: OwnedFd,
    key_size: usize,
    value_size: usize,
}

/// A loaded program's descriptor.
#[derive(Debug)]
pub struct ProgFd(OwnedFd);

/// A BTF object's descriptor.
#[derive(Debug)]
pub struct BtfFd(OwnedFd);

impl Errno {
    /// The calling thread's last error.
    pub(super) fn last() -> Self {
        Self(std::io::Error::last_os_error().raw_os_error().unwrap_or(0))
    }
}

impl MapFd {
    /// Creates an anonymous map.
    pub fn create(args: &MapArgs) -> Result<Self, Errno> {
        let value_size = user_value_size(args.map_type, args.value_size, possible_cpus()?).ok_or(Errno::OPNOTSUPP)?;
        let mut attr = attr::MapCreate {
            map_type: args.map_type,
            key_size: args.key_size,
            value_size: args.value_size,
            max_entries: args.max_entries,
            map_flags: args.flags,
            inner_map_fd: args.inner_fd,
            map_name: args.name,
            btf_fd: args.btf_fd,
            btf_key_type_id: args.btf_key_type_id,
            btf_value_type_id: args.btf_value_type_id,
            map_extra: args.extra,
            ..Default::default()
        };
        // SAFETY: the command reads its argument only.
        let fd = unsafe { bpf(attr::MAP_CREATE, &mut attr) }?;
        Ok(Self { fd: own(fd), key_size: args.key_size as usize, value_size })
    }

    /// Bytes of one value as user space reads and writes it.
    pub fn value_size(&self) -> usize {
        self.value_size
    }

    /// The descriptor's number, as instructions name it.
    pub fn raw(&self) -> i32 {
        self.fd.as_raw_fd()
    }

    /// Fills `value` with the element at `key`.
    pub fn lookup(&self, key: &[u8], value: &mut [u8], flags: u64) -> Result<(), Errno> {
        self.check(key, value.len())?;
        self.elem(attr::MAP_LOOKUP_ELEM, address(key), value.as_mut_ptr() as u64, flags)
    }

    /// Sets the element at `key`.
    pub fn update(&self, key: &[u8], value: &[u8], flags: u64) -> Result<(), Errno> {
        self.check(key, value.len())?;
        self.elem(attr::MAP_UPDATE_ELEM, address(key), address(value), flags)
    }

    /// Removes the element at `key`.
    pub fn delete(&self, key: &[u8]) -> Result<(), Errno> {
        self.check(key, self.value_size)?;
        self.elem(attr::MAP_DELETE_ELEM, address(key), 0, 0)
    }

    /// Fills `value` with the element at `key` and removes it.
    pub fn take(&self, key: &[u8], value: &mut [u8], flags: u64) -> Result<(), Errno> {
        self.check(key, value.len())?;
        self.elem(attr::MAP_LOOKUP_AND_DELETE_ELEM, address(key), value.as_mut_ptr() as u64, flags)
    }

    /// Fills `next` with the key after `key`, or the first one.
    pub fn next_key(&self, key: Option<&[u8]>, next: &mut [u8]) -> Result<(), Errno> {
        self.check(key.unwrap_or(next), self.value_size)?;
        self.check(next, self.value_size)?;
        let key = key.map_or(0, address);
        self.elem(attr::MAP_GET_NEXT_KEY, key, next.as_mut_ptr() as u64, 0)
    }

    /// Forbids user space to write from now on.
    pub fn freeze(&self) -> Result<(), Errno> {
        let mut attr = attr::MapFreeze { map_fd: self.raw() as u32 };
        // SAFETY: the command reads its argument only.
        unsafe { bpf(attr::MAP_FREEZE, &mut attr) }.map(drop)
    }

    fn check(&self, key: &[u8], value_len: usize) -> Result<(), Errno> {
        if key.len() == self.key_size && value_len == self.value_size { Ok(()) } else { Err(Errno::INVAL) }
    }

    /// One element call; the caller has checked both lengths.
    fn elem(&self, command: u64, key: u64, value: u64, flags: u64) -> Result<(), Errno> {
        let mut attr = attr::MapElem { map_fd: self.raw() as u32, key, value, flags, ..Default::default() };
        // SAFETY: `key` names key_size bytes (or is null) and `value` as many as user space sees of an element, or
        // key_size for the next key; `check` established both, and they are exclusively ours where written.
        unsafe { bpf(command, &mut attr) }.map(drop)
    }
}

impl ProgFd {
    /// Loads a program in a child process, so that a verifier that hangs or dies takes only the child along.
    pub fn load(args: &LoadArgs<'_>) -> Result<LoadAnswer<Self>, CallError> {
        let log_size = if args.log_level == 0 { 0 } else { args.log_size };
        let payload = size_of::<attr::ProgLoad>()
            + size_of_val(args.insns)
            + args.license.len()
            + args.func_info.0.len()
            + args.line_info.0.len()
            + log_size as usize;
        let mut scratch = Scratch::new(payload, 6)?;
        let full = CallError::Errno(Errno::NOMEM);
        let log_buf = scratch.room(log_size as usize);
        let mut place = || {
            Some(attr::ProgLoad {
                prog_type: args.prog_type,
                insn_cnt: u32::try_from(args.insns.len()).ok()?,
                insns: scratch.put(args.insns.as_flattened())?,
                license: scratch.put(args.license)?,
                log_level: args.log_level,
                log_size,
                log_buf: log_buf?,
                prog_flags: args.flags,
                prog_name: args.name,
                expected_attach_type: args.expected_attach_type,
                prog_btf_fd: args.btf_fd,
                func_info_rec_size: args.func_info.1,
                func_info: scratch.put(args.func_info.0)?,
                func_info_cnt: records(args.func_info)?,
                line_info_rec_size: args.line_info.1,
                line_info: scratch.put(args.line_info.0)?,
                line_info_cnt: records(args.line_info)?,
                attach_btf_id: args.attach_btf_id,
                ..Default::default()
            })
        };
        let attr = place().ok_or(full)?;
        let log_buf = attr.log_buf;
        // SAFETY: every address in the argument is one of the scratch, with its length beside it.
        let (prog, attr, scratch) = unsafe { bpf_in_child(attr::PROG_LOAD, attr, scratch, args.deadline) }?;
        let log = scratch.bytes(log_buf, log_size as usize);
        let end = log.iter().position(|&byte| byte == 0).unwrap_or(log.len());
        Ok(LoadAnswer {
            prog: prog.map(|fd| Self(own(fd))),
            log: log[..end].to_vec(),
            log_true_size: attr.log_true_size,
        })
    }

    /// The descriptor's number, as a prog array takes it.
    pub fn raw(&self) -> i32 {
        self.0.as_raw_fd()
    }

    /// Runs the program on the given packet and context: here, or with a deadline in a child process.
    pub fn test_run(&self, args: &RunArgs<'_>) -> Result<RunAnswer, CallError> {
        match args.deadline {
            Some(deadline) => self.run_in_child(args, deadline),
            None => self.run_here(args),
        }
    }

    fn run_here(&self, args: &RunArgs<'_>) -> Result<RunAnswer, CallError> {
        let (mut data, mut ctx) = (vec![0; args.data_out], vec![0; args.ctx_out]);
        let mut attr = attr::TestRun {
            data_in: address(args.data),
            ctx_in: address(args.ctx),
            data_out: address_mut(&mut data),
            ctx_out: address_mut(&mut ctx),
            ..self.run_sizes(args)?
        };
        // SAFETY: the four buffers have the sizes given beside them, null where empty.
        let result = unsafe { bpf(attr::PROG_TEST_RUN, &mut attr) };
        data.truncate(attr.data_size_out as usize);
        ctx.truncate(attr.ctx_size_out as usize);
        run_answer(args, result, &attr, data, ctx)
    }

    fn run_in_child(&self, args: &RunArgs<'_>, deadline: Duration) -> Result<RunAnswer, CallError> {
        let payload = [args.data.len(), args.ctx.len(), args.data_out, args.ctx_out]
            .into_iter()
            .try_fold(size_of::<attr::TestRun>(), usize::checked_add)
            .ok_or(Errno::NOMEM)?;
        let mut scratch = Scratch::new(payload, 5)?;
        let attr = attr::TestRun {
            data_in: scratch.put(args.data).ok_or(Errno::NOMEM)?,
            ctx_in: scratch.put(args.ctx).ok_or(Errno::NOMEM)?,
            data_out: scratch.room(args.data_out).ok_or(Errno::NOMEM)?,
            ctx_out: scratch.room(args.ctx_out).ok_or(Errno::NOMEM)?,
            ..self.run_sizes(args)?
        };
        let (data_at, ctx_at) = (attr.data_out, attr.ctx_out);
        // SAFETY: every address in the argument is null or one of the scratch, with its length beside it.
        let (result, attr, scratch) = unsafe { bpf_in_child(attr::PROG_TEST_RUN, attr, scratch, deadline) }?;
        let taken = |at, size: u32, room: usize| scratch.bytes(at, room.min(size as usize)).to_vec();
        let data = taken(data_at, attr.data_size_out, args.data_out);
        let ctx = taken(ctx_at, attr.ctx_size_out, args.ctx_out);
        run_answer(args, result, &attr, data, ctx)
    }

    /// The argument of a run without its addresses.
    fn run_sizes(&self, args: &RunArgs<'_>) -> Result<attr::TestRun, Errno> {
        let size = |len| u32::try_from(len).map_err(|_| Errno::TOOBIG);
        Ok(attr::TestRun {
            prog_fd: self.raw() as u32,
            data_size_in: size(args.data.len())?,
            data_size_out: size(args.data_out)?,
            repeat: args.repeat,
            ctx_size_in: size(args.ctx.len())?,
            ctx_size_out: size(args.ctx_out)?,
            flags: args.flags,
            cpu: args.cpu,
            batch_size: args.batch_size,
            ..Default::default()
        })
    }

    /// The first bytes of `struct bpf_prog_info`, as many as the kernel has of `len`.
    pub fn info(&self, len: usize) -> Result<Vec<u8>, Errno> {
        let mut info = vec![0u8; len.min(4096)];
        let mut attr =
            attr::InfoByFd { bpf_fd: self.raw() as u32, info_len: info.len() as u32, info: info.as_mut_ptr() as u64 };
        // SAFETY: `info` has info_len bytes, all zero, so it asks for no further buffers.
        unsafe { bpf(attr::OBJ_GET_INFO_BY_FD, &mut attr) }?;
        info.truncate(attr.info_len as usize);
        Ok(info)
    }

    /// What the kernel made of the program: the tables of [`PROG_TABLES`], each as the kernel has it at most.
    pub fn tables(&self) -> Result<ProgTables, Errno> {
        let mut info = self.info(PROG_INFO)?;
        info.resize(PROG_INFO, 0);
        let word = |info: &[u8], at: usize| u32::from_ne_bytes([info[at], info[at + 1], info[at + 2], info[at + 3]]);
        let mut asked = vec![0u8; PROG_INFO];
        let mut tables = PROG_TABLES.map(|table| {
            let count = word(&info, table.count_at) as usize;
            // Of instructions, bytes are counted.
            vec![0u8; (count * if table.counts_bytes { 1 } else { table.record }).min(TABLE_LIMIT)]
        });
        for (table, bytes) in PROG_TABLES.iter().zip(&mut tables) {
            let count = bytes.len() / if table.counts_bytes { 1 } else { table.record };
            asked[table.count_at..][..4].copy_from_slice(&(count as u32).to_ne_bytes());
            asked[table.address_at..][..8].copy_from_slice(&address_mut(bytes).to_ne_bytes());
            if let Some(at) = table.record_at {
                asked[at..][..4].copy_from_slice(&(table.record as u32).to_ne_bytes());
            }
        }
        let (info_len, info) = (PROG_INFO as u32, asked.as_mut_ptr() as u64);
        let mut attr = attr::InfoByFd { bpf_fd: self.raw() as u32, info_len, info };
        // SAFETY: `asked` has info_len bytes; each table in it has the number of records given beside it, or is null and
        // has none, and the kernel writes no more of them.
        unsafe { bpf(attr::OBJ_GET_INFO_BY_FD, &mut attr) }?;
        for (table, bytes) in PROG_TABLES.iter().zip(&mut tables) {
            let count = word(&asked, table.count_at) as usize;
            bytes.truncate(count * if table.counts_bytes { 1 } else { table.record });
            // A kernel that does not show a table says so by an address of zero.
            if asked[table.address_at..][..8] == [0; 8] {
                bytes.clear();
            }
        }
        let [insns, map_ids, ksyms, func_info, line_info] = tables;
        Ok(ProgTables { insns, map_ids, ksyms, func_info, line_info })
    }
}

/// Bytes of `struct bpf_prog_info` that tables are asked with: through `verified_insns`.
const PROG_INFO: usize = 220;

/// Most bytes of a table that are read back: more than a million instructions become.
const TABLE_LIMIT: usize = 1 << 26;

/// A table of `struct bpf_prog_info`: where its count and its address stand, and how long a record is.
struct Table {
    count_at: usize,
    counts_bytes: bool,
    address_at: usize,
    record: usize,
    /// Where the record's length is to be said.
    record_at: Option<usize>,
}

const fn table(count_at: usize, address_at: usize, record: usize, record_at: Option<usize>) -> Table {
    Table { count_at, counts_bytes: false, address_at, record, record_at }
}

/// Instructions, map ids, addresses of functions, function records, line records.
const PROG_TABLES: [Table; 5] = [
    Table { counts_bytes: true, ..table(20, 32, 8, None) },
    table(52, 56, 4, None),
    table(104, 112, 8, None),
    table(144, 136, 8, Some(132)),
    table(148, 152, 16, Some(172)),
];

impl BtfFd {
    /// Loads BTF; the log, which is empty unless `log_size` is given, comes with either answer.
    pub fn load(btf: &[u8], log_size: u32) -> (Result<Self, Errno>, Vec<u8>) {
        let mut log = vec![0u8; log_size as usize];
        let Ok(btf_size) = u32::try_from(btf.len()) else {
            return (Err(Errno::TOOBIG), log);
        };
        let mut attr = attr::BtfLoad {
            btf: address(btf),
            btf_size,
            btf_log_buf: address_mut(&mut log),
            btf_log_size: log_size,
            btf_log_level: u32::from(log_size > 0),
            ..Default::default()
        };
        // SAFETY: both buffers have the lengths given beside them.
        let fd = unsafe { bpf(attr::BTF_LOAD, &mut attr) };
        let end = log.iter().position(|&byte| byte == 0).unwrap_or(log.len());
        log.truncate(end);
        (fd.map(|fd| Self(own(fd))), log)
    }

    /// The descriptor's number.
    pub fn raw(&self) -> i32 {
        self.0.as_raw_fd()
    }
}

/// The answer of a run, from its result and the argument as the kernel left it.
fn run_answer(
    args: &RunArgs<'_>,
    result: Result<i32, Errno>,
    attr: &attr::TestRun,
    data: Vec<u8>,
    ctx: Vec<u8>,
) -> Result<RunAnswer, CallError> {
    let short = attr.data_size_out as usize > args.data_out || attr.ctx_size_out as usize > args.ctx_out;
    match result {
        Ok(_) => {}
        // An output buffer was too small: the run took place, and the true sizes are in the argument.
        Err(Errno::NOSPC) if short => {}
        Err(errno) => return Err(errno.into()),
    }
    Ok(RunAnswer {
        retval: attr.retval,
        duration: attr.duration,
        data,
        data_size: attr.data_size_out,
        ctx,
        ctx_size: attr.ctx_size_out,
    })
}

/// How many CPUs the kernel may ever run: it does not change while the kernel is up.
pub fn possible_cpus() -> Result<usize, Errno> {
    static COUNT: OnceLock<Option<usize>> = OnceLock::new();
    let read = || count_cpus(&std::fs::read_to_string("/sys/devices/system/cpu/possible").ok()?);
    COUNT.get_or_init(read).ok_or(Errno::NOENT)
}

/// How many whole records the bytes hold; `None` when they are not whole records.
fn records((bytes, size): (&[u8], u32)) -> Option<u32> {
    match (bytes.len(), size as usize) {
        (0, _) => Some(0),
        (len, size) if size > 0 && len.is_multiple_of(size) => u32::try_from(len / size).ok(),
        _ => None,
    }
}

/// Where the bytes are; null for none, because to bpf(2) an output address with size 0 is one without a bound.
fn address(bytes: &[u8]) -> u64 {
    if bytes.is_empty() { 0 } else { bytes.as_ptr() as u64 }
}

/// As [`address`], of bytes to be written.
fn address_mut(bytes: &mut [u8]) -> u64 {
    if bytes.is_empty() { 0 } else { bytes.as_mut_ptr() as u64 }
}

/// Takes a descriptor over from the command that has just made it.
fn own(fd: i32) -> OwnedFd {
    // SAFETY: only called once per command, with the number it answered, which nobody else was told.
    unsafe { OwnedFd::from_raw_fd(fd) }
}

/// One command in this thread.
///
/// # Safety
/// The addresses in `attr` name memory that the command may read and write to the lengths given.
unsafe fn bpf<T: Attr>(command: u64, attr: &mut T) -> Result<i32, Errno> {
    let at: *mut T = attr;
    // SAFETY: the argument has the size given; the caller vouches for what it points to.
    let result = unsafe { libc::syscall(libc::SYS_bpf, command, at, size_of::<T>()) };
    if result < 0 { Err(Errno::last()) } else { Ok(result as i32) }
}

/// One command in a child process; answers its result, the argument as the kernel left it, and the scratch.
///
/// # Safety
/// The addresses in `attr` name memory of the scratch that the command may read and write to the lengths given.
unsafe fn bpf_in_child<T: Attr>(
    command: u64,
    attr: T,
    mut scratch: Scratch,
    deadline: Duration,
) -> Result<(Result<i32, Errno>, T, Scratch), CallError> {
    // SAFETY: an `Attr` is integers without padding, so all its bytes are initialised.
    let bytes = unsafe { std::slice::from_raw_parts((&raw const attr).cast::<u8>(), size_of::<T>()) };
    let at = scratch.put(bytes).ok_or(Errno::NOMEM)?;
    let args = [command, at, size_of::<T>() as u64];
    // SAFETY: the command keeps to the argument, which is in the scratch, and to what it points to.
    match unsafe { child::run(libc::SYS_bpf, args, scratch, deadline) } {
        Ok((result, scratch)) => {
            // SAFETY: `put` placed a T there, 8-aligned, and any bytes are a T.
            let attr = unsafe { (at as *const T).read() };
            let result = match i32::try_from(result) {
                Ok(fd) if fd >= 0 => Ok(fd),
                Ok(errno) => Err(Errno(-errno)),
                Err(_) => Err(Errno::INVAL),
            };
            Ok((result, attr, scratch))
        }
        Err(ChildError::Start(errno)) => Err(CallError::Errno(errno)),
        Err(ChildError::Failed(how)) => Err(CallError::Failed(how)),
    }
}
