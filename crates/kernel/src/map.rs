//! Maps in the kernel.

use crate::sys::{MapArgs, MapFd};
use crate::{Errno, KernelBtf, KernelError, object_name};

/// A map to create; `MapSpec::new` and then the fields that differ.
#[derive(Debug, Clone, Copy)]
pub struct MapSpec<'a> {
    /// The kernel's number of the map type.
    pub map_type: u32,
    /// Bytes of a key.
    pub key_size: u32,
    /// Bytes of a value as programs see it.
    pub value_size: u32,
    /// Elements, or bytes for a ring buffer.
    pub max_entries: u32,
    /// `BPF_F_...` of map creation.
    pub flags: u32,
    /// Shown by tools; shortened and cleaned to what the kernel takes.
    pub name: &'a str,
    /// The model of the inner maps, for a map of maps.
    pub inner: Option<&'a KernelMap>,
    /// The BTF with the ids of the key's and the value's types.
    pub btf: Option<(&'a KernelBtf, u32, u32)>,
    /// What the map type makes of it, such as a bloom filter's number of hashes.
    pub extra: u64,
}

impl MapSpec<'_> {
    /// A map without flags, name, inner map and BTF.
    pub fn new(map_type: u32, key_size: u32, value_size: u32, max_entries: u32) -> Self {
        Self { map_type, key_size, value_size, max_entries, flags: 0, name: "", inner: None, btf: None, extra: 0 }
    }
}

/// A key and its value, as user space sees them.
pub type MapEntry = (Vec<u8>, Vec<u8>);

/// A map in the kernel. It lives until the last of its descriptor and the programs that use it is gone.
#[derive(Debug)]
pub struct KernelMap {
    fd: MapFd,
    key_size: usize,
    max_entries: u32,
}

impl KernelMap {
    /// Creates a map, pinned nowhere.
    ///
    /// # Errors
    /// What the kernel refuses; map types younger than this crate are `EOPNOTSUPP`.
    pub fn create(spec: &MapSpec<'_>) -> Result<Self, KernelError> {
        let (btf_fd, btf_key_type_id, btf_value_type_id) = match spec.btf {
            Some((btf, key, value)) => (btf.raw_fd() as u32, key, value),
            None => (0, 0, 0),
        };
        let args = MapArgs {
            map_type: spec.map_type,
            key_size: spec.key_size,
            value_size: spec.value_size,
            max_entries: spec.max_entries,
            flags: spec.flags,
            name: object_name(spec.name),
            inner_fd: spec.inner.map_or(0, |map| map.raw_fd() as u32),
            btf_fd,
            btf_key_type_id,
            btf_value_type_id,
            extra: spec.extra,
        };
        let fd = MapFd::create(&args).map_err(refused("map_create"))?;
        Ok(Self { fd, key_size: spec.key_size as usize, max_entries: spec.max_entries })
    }

    /// The descriptor's number, as a `lddw` instruction with pseudo source 1 names the map. Valid while `self` lives.
    pub fn raw_fd(&self) -> i32 {
        self.fd.raw()
    }

    /// Bytes of one value as user space sees it: for a per-CPU map one slot, rounded up to eight bytes, per possible CPU.
    pub fn value_size(&self) -> usize {
        self.fd.value_size()
    }

    /// The value at `key`; `None` when there is none.
    ///
    /// # Errors
    /// A key of another length; what the kernel refuses.
    pub fn lookup(&self, key: &[u8]) -> Result<Option<Vec<u8>>, KernelError> {
        const CALL: &str = "map_lookup_elem";
        self.check_key(CALL, key)?;
        let mut value = vec![0; self.value_size()];
        match self.fd.lookup(key, &mut value, 0) {
            Ok(()) => Ok(Some(value)),
            Err(Errno::NOENT) => Ok(None),
            Err(errno) => Err(refused(CALL)(errno)),
        }
    }

    /// Sets the value at `key`, under the kernel's update `flags` (0: in any case, 1: only new, 2: only present).
    ///
    /// # Errors
    /// A key or value of another length; what the kernel refuses.
    pub fn update(&self, key: &[u8], value: &[u8], flags: u64) -> Result<(), KernelError> {
        const CALL: &str = "map_update_elem";
        self.check_key(CALL, key)?;
        check(CALL, "value", value.len(), self.value_size())?;
        self.fd.update(key, value, flags).map_err(refused(CALL))
    }

    /// Removes the element at `key`; whether there was one.
    ///
    /// # Errors
    /// A key of another length; what the kernel refuses.
    pub fn delete(&self, key: &[u8]) -> Result<bool, KernelError> {
        const CALL: &str = "map_delete_elem";
        self.check_key(CALL, key)?;
        match self.fd.delete(key) {
            Ok(()) => Ok(true),
            Err(Errno::NOENT) => Ok(false),
            Err(errno) => Err(refused(CALL)(errno)),
        }
    }

    /// The key after `key` in the kernel's order, or the first; `None` after the last.
    ///
    /// # Errors
    /// A key of another length; what the kernel refuses.
    pub fn next_key(&self, key: Option<&[u8]>) -> Result<Option<Vec<u8>>, KernelError> {
        const CALL: &str = "map_get_next_key";
        key.map_or(Ok(()), |key| self.check_key(CALL, key))?;
        let mut next = vec![0; self.key_size];
        match self.fd.next_key(key, &mut next) {
            Ok(()) => Ok(Some(next)),
            Err(Errno::NOENT) => Ok(None),
            Err(errno) => Err(refused(CALL)(errno)),
        }
    }

    /// All keys in the kernel's order, which for hashes differs from map to map.
    ///
    /// # Errors
    /// What the kernel refuses; [`KernelError::Endless`] when there come more than the map may hold.
    pub fn keys(&self) -> Result<Vec<Vec<u8>>, KernelError> {
        let mut keys: Vec<Vec<u8>> = Vec::new();
        while let Some(key) = self.next_key(keys.last().map(Vec::as_slice))? {
            if keys.len() >= self.max_entries as usize {
                return Err(KernelError::Endless { limit: self.max_entries });
            }
            keys.push(key);
        }
        Ok(keys)
    }

    /// All elements in the kernel's order; those removed while reading are left out.
    ///
    /// # Errors
    /// As [`Self::keys`] and [`Self::lookup`].
    pub fn entries(&self) -> Result<Vec<MapEntry>, KernelError> {
        let entry = |key: Vec<u8>| match self.lookup(&key) {
            Ok(Some(value)) => Some(Ok((key, value))),
            Ok(None) => None,
            Err(error) => Some(Err(error)),
        };
        self.keys()?.into_iter().filter_map(entry).collect()
    }

    /// Takes the element at `key` out; `None` when there is none.
    ///
    /// # Errors
    /// A key of another length; what the kernel refuses, as of most map types.
    pub fn take(&self, key: &[u8]) -> Result<Option<Vec<u8>>, KernelError> {
        const CALL: &str = "map_lookup_and_delete_elem";
        self.check_key(CALL, key)?;
        let mut value = vec![0; self.value_size()];
        match self.fd.take(key, &mut value, 0) {
            Ok(()) => Ok(Some(value)),
            Err(Errno::NOENT) => Ok(None),
            Err(errno) => Err(refused(CALL)(errno)),
        }
    }

    /// The value at `key` by the kernel's look-up `flags`; a Bloom filter says whether it may hold `value`.
    ///
    /// # Errors
    /// A key or value of another length; what the kernel refuses, an absent element too.
    pub fn lookup_with(&self, key: &[u8], value: &mut [u8], flags: u64) -> Result<(), KernelError> {
        const CALL: &str = "map_lookup_elem";
        self.check_key(CALL, key)?;
        check(CALL, "value", value.len(), self.value_size())?;
        self.fd.lookup(key, value, flags).map_err(refused(CALL))
    }

    pub(crate) fn fd(&self) -> &MapFd {
        &self.fd
    }

    /// Forbids user space to write from now on; the verifier then takes a read-only array's values as constants.
    ///
    /// # Errors
    /// What the kernel refuses.
    pub fn freeze(&self) -> Result<(), KernelError> {
        self.fd.freeze().map_err(refused("map_freeze"))
    }

    fn check_key(&self, call: &'static str, key: &[u8]) -> Result<(), KernelError> {
        check(call, "key", key.len(), self.key_size)
    }
}

fn check(call: &'static str, what: &'static str, got: usize, want: usize) -> Result<(), KernelError> {
    if got == want { Ok(()) } else { Err(KernelError::Length { call, what, got, want }) }
}

fn refused(call: &'static str) -> impl FnOnce(Errno) -> KernelError {
    move |errno| KernelError::Refused { call, errno, log: String::new() }
}
