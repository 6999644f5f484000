//! The maps of a unit, to be shared by the worlds that run its programs.

use std::sync::Arc;

use oxbpf_ir::{MapDef, MapIdx, MapInit, Unit};

use super::{Map, MapError};
use crate::engine::Env;
use crate::memory::ArenaError;

/// Maps by [`MapIdx`]: a unit's first, then those that were added for maps of maps to hold. Cheap to clone: clones share
/// the maps.
#[derive(Clone, Debug)]
pub struct MapSet {
    maps: Vec<Arc<Map>>,
    cpus: u32,
    limit: u64,
    left: u64,
}

impl MapSet {
    /// New maps for a unit's definitions, which take at most `limit` bytes together, where there is one CPU.
    ///
    /// Fails where a definition is not one that the kernel takes, and where memory is out.
    pub fn new(unit: &Unit, limit: u64) -> Result<MapSet, MapError> {
        MapSet::in_env(unit, &Env { memory: limit, ..Env::default() })
    }

    /// New maps for a unit's definitions, in an environment's memory and for its CPUs.
    pub fn in_env(unit: &Unit, env: &Env) -> Result<MapSet, MapError> {
        let Env { memory, cpus, .. } = *env;
        let mut set = MapSet { maps: Vec::new(), cpus, limit: memory, left: memory };
        unit.maps().iter().try_for_each(|def| set.add(&def.for_cpus(cpus)).map(drop))?;
        unit.maps().iter().zip(0..).try_for_each(|(def, i)| set.fill(def, MapIdx(i)))?;
        Ok(set)
    }

    /// Adds a map that is none of the unit's.
    ///
    /// Fails as [`MapSet::in_env`] does.
    pub fn add(&mut self, def: &MapDef) -> Result<MapIdx, MapError> {
        // What is wrong with a definition is worth more than what it would take.
        super::define::check(def)?;
        let wanted = Map::size_of(def, self.cpus).unwrap_or(u64::MAX);
        let limit = self.limit;
        let over = || MapError::Memory { map: def.name.clone(), source: ArenaError::Limit { wanted, limit } };
        self.left = self.left.checked_sub(wanted).ok_or_else(over)?;
        let map = MapIdx(self.maps.len() as u32);
        self.maps.push(Arc::new(Map::with_cpus(def, self.cpus)?));
        Ok(map)
    }

    /// Puts the unit's maps into a map of maps.
    fn fill(&self, def: &MapDef, map: MapIdx) -> Result<(), MapError> {
        let MapInit::Maps(entries) = &def.init else { return Ok(()) };
        entries.iter().try_for_each(|(key, inner)| {
            let put = self.maps[map.index()].put_map(key, *inner, self.get(*inner).map(|m| &**m), 0);
            put.map_err(|errno| MapError::Init { map: def.name.clone(), key: key.clone(), errno })
        })
    }

    /// Sets an entry from outside: of a map of maps, by the number of a map of this set.
    pub fn write(&self, map: MapIdx, key: &[u8], value: &[u8], flags: u64) -> Result<(), i64> {
        let map = self.get(map).ok_or(oxbpf_abi::errno::EBADF)?;
        match super::define::holds_maps(map.def().map_type) {
            false => map.write(key, value, flags),
            true if value.len() != 4 => Err(oxbpf_abi::errno::EINVAL),
            true => {
                let inner = MapIdx(super::store::number(value));
                map.write_map(key, inner, self.get(inner).map(|m| &**m), flags)
            }
        }
    }

    /// A map.
    pub fn get(&self, map: MapIdx) -> Option<&Arc<Map>> {
        self.maps.get(map.index())
    }

    /// All maps in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &Arc<Map>> {
        self.maps.iter()
    }
}
