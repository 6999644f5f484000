//! Helpers: one table for all engines, one calling convention, bodies that cannot harm the host.
//!
//! A body is a safe function over [`Vm`]; it copies guest memory in and out, so that arguments may alias.
//! Its wrapper has the C calling convention, catches panics, and leaves a failure in the [`Vm`], where the
//! engine looks after calls that may trap.
#![allow(unsafe_code)]

mod args;
mod bodies;
mod bytes;
mod checksum;
mod classic;
mod ecn;
mod fields;
mod format;
mod host;
mod maps;
mod redirect;
mod refused;
mod resize;
mod text;
mod vlan;
mod xdp;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::LazyLock;

use oxbpf_abi::{CORE_POISON, HELPERS, PRIVATE_HELPERS, PROG_TYPES, ProgType, for_each_helper, plain};

pub use refused::refusal;

use crate::trap::TrapKind;
use crate::vm::Vm;

/// How engines call helpers: the world, then r1 to r5; returns r0.
///
/// # Safety
///
/// The pointer is to a [`Vm`] that nobody else borrows.
pub type HelperFn = unsafe extern "C" fn(*mut Vm, u64, u64, u64, u64, u64) -> u64;

/// What a helper does, given r1 to r5.
type Body = fn(&mut Vm, [u64; 5]) -> Result<u64, TrapKind>;

/// One more than the largest helper number that Linux 6.18 has.
const IDS: usize = 212;
/// How many helpers are this toolchain's own.
const PRIVATE: usize = 6;

/// Where a helper stands in a table: the private ones follow the kernel's.
#[inline(always)]
const fn place(id: u32) -> usize {
    match id {
        PRIVATE_HELPERS.. => IDS + (id - PRIVATE_HELPERS) as usize,
        id if id < IDS as u32 => id as usize,
        _ => usize::MAX,
    }
}

/// The helpers that programs of one type may call.
pub struct Helpers {
    prog_type: ProgType,
    table: [Option<HelperFn>; IDS + PRIVATE],
}

static OF_TYPES: LazyLock<Vec<Helpers>> =
    LazyLock::new(|| PROG_TYPES.iter().map(|r| Helpers::new(r.prog_type)).collect());

impl Helpers {
    /// The table of a program type.
    pub fn of(prog_type: ProgType) -> &'static Helpers {
        &OF_TYPES[prog_type as usize]
    }

    fn new(prog_type: ProgType) -> Helpers {
        let mut table = [None; IDS + PRIVATE];
        for row in HELPERS.iter().filter(|row| row.callable_by(prog_type)) {
            table[place(row.id)] = TABLE[place(row.id)];
        }
        Helpers { prog_type, table }
    }

    /// The function of a helper.
    #[inline(always)]
    pub fn get(&self, id: u32) -> Result<HelperFn, TrapKind> {
        let found = self.table.get(place(id)).copied().flatten();
        found.ok_or_else(|| self.refuse(id))
    }

    #[cold]
    fn refuse(&self, id: u32) -> TrapKind {
        match oxbpf_abi::helper_by_id(id) {
            Some(row) => TrapKind::HelperNotAllowed { name: row.name, prog_type: self.prog_type.row().name },
            None if id == CORE_POISON => TrapKind::CoreUnresolved,
            None => match oxbpf_abi::helper_name(id) {
                Some(name) => match refused::refusal(name) {
                    Some(why) => TrapKind::HelperRefused { name, why },
                    None => TrapKind::Unsupported { what: format!("helper {name}") },
                },
                None => TrapKind::UnknownHelper { id },
            },
        }
    }
}

impl std::fmt::Debug for Helpers {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Helpers({})", self.prog_type)
    }
}

/// Whether a helper may be called while a lock is held: what is about locks, and says itself what is wrong; and what
/// stands in for `for_each_map_elem`, which asks in its name.
const fn under_lock(id: u32) -> bool {
    matches!(id, 93 | 94) || id == PRIVATE_HELPERS + 4
}

/// Runs a body behind the C calling convention.
fn enter(vm: *mut Vm, helper: &'static str, under_lock: bool, args: [u64; 5], body: Body) -> u64 {
    // SAFETY: an engine passes the world it runs in, which nobody else borrows during the call.
    let vm = unsafe { &mut *vm };
    let result = catch_unwind(AssertUnwindSafe(|| {
        if !under_lock {
            vm.without_lock(helper)?;
        }
        body(vm, args)
    }));
    match result.unwrap_or(Err(TrapKind::HelperPanic { helper })) {
        Ok(r0) => r0,
        Err(trap) => {
            vm.raise(trap);
            0
        }
    }
}

macro_rules! wrappers {
    ($($id:literal $name:ident $attributes:tt)*) => {
        /// One wrapper per row; a row whose body is missing does not compile.
        mod wrappers {
            $(pub(super) unsafe extern "C" fn $name(
                vm: *mut super::Vm, r1: u64, r2: u64, r3: u64, r4: u64, r5: u64,
            ) -> u64 {
                let (name, under_lock) = (super::plain(stringify!($name)), const { super::under_lock($id) });
                super::enter(vm, name, under_lock, [r1, r2, r3, r4, r5], super::bodies::$name)
            })*
        }

        static TABLE: [Option<HelperFn>; IDS + PRIVATE] = {
            let mut table: [Option<HelperFn>; IDS + PRIVATE] = [None; IDS + PRIVATE];
            $(table[place($id)] = Some(wrappers::$name);)*
            table
        };
    };
}

for_each_helper!(wrappers);

const _: () = assert!(HELPERS.len() < IDS);
