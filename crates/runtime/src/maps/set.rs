//! The maps of a unit, to be shared by the worlds that run its programs.

use std::sync::Arc;

use oxbpf_ir::{MapDef, MapIdx, Unit};

use super::{Map, MapError};
use crate::memory::ArenaError;

/// Maps by [`MapIdx`]. Cheap to clone: clones share the maps.
#[derive(Clone, Debug)]
pub struct MapSet {
    maps: Vec<Arc<Map>>,
}

impl MapSet {
    /// New maps for a unit's definitions, which take at most `limit` bytes together.
    ///
    /// Fails where a definition is not one that the kernel takes, and where memory is out.
    pub fn new(unit: &Unit, limit: u64) -> Result<MapSet, MapError> {
        let mut left = limit;
        let new = |def: &MapDef| {
            let wanted = Map::size_of(def).unwrap_or(u64::MAX);
            let over = || MapError::Memory { map: def.name.clone(), source: ArenaError::Limit { wanted, limit } };
            left = left.checked_sub(wanted).ok_or_else(over)?;
            Map::new(def).map(Arc::new)
        };
        Ok(MapSet { maps: unit.maps().iter().map(new).collect::<Result<_, _>>()? })
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
