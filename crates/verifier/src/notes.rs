//! What acceptance rested on, by instruction, gathered over all visits.

use oxbpf_ir::{Fact, Facts, InsnId, RegionClass};

use crate::reg::{Kind, MapRef};

/// Something that is the same at every visit, or is not.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) enum Same<T> {
    /// Not seen yet.
    #[default]
    Unseen,
    /// So far always this.
    Always(T),
    /// Different things.
    Varies,
}

impl<T: Copy + PartialEq> Same<T> {
    pub fn meet(&mut self, seen: Option<T>) {
        *self = match (*self, seen) {
            (Same::Unseen, Some(t)) => Same::Always(t),
            (Same::Always(was), Some(t)) if was == t => *self,
            _ => Same::Varies,
        };
    }

    pub fn get(self) -> Option<T> {
        match self {
            Same::Always(t) => Some(t),
            _ => None,
        }
    }
}

/// What is noted of one instruction.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Note {
    /// Whether control gets here.
    pub visited: bool,
    /// The memory that a load or store reaches.
    pub region: Same<RegionClass>,
    /// The kind of the pointer that the first access went through, where others must be alike.
    pub base: Option<Kind>,
    /// The map that a helper is given.
    pub map: Same<MapRef>,
    /// The constant key that a look-up is given.
    pub key: Same<u32>,
}

impl Note {
    /// Notes the memory that an access through a pointer of this kind reaches.
    pub fn access(&mut self, kind: Kind) {
        self.region.meet(match kind {
            Kind::Stack(_) => Some(RegionClass::Stack),
            Kind::Packet | Kind::PacketMeta => Some(RegionClass::Packet),
            Kind::MapValue(MapRef { map, inner: false }) => Some(RegionClass::MapValue(map)),
            Kind::Ctx => Some(RegionClass::Context),
            _ => None,
        });
    }
}

/// The facts that the notes of an accepted program amount to.
pub(crate) fn facts(notes: &[Note]) -> Facts {
    let mut rows = Vec::new();
    for (i, note) in notes.iter().enumerate() {
        let id = InsnId(i as u32);
        if !note.visited {
            rows.push((id, Fact::Dead));
            continue;
        }
        rows.extend(note.region.get().map(|class| (id, Fact::InBounds(class))));
        if let Some(MapRef { map, inner: false }) = note.map.get() {
            rows.push((id, Fact::MapConst(map)));
        }
        rows.extend(note.key.get().map(|key| (id, Fact::KeyConst(key))));
    }
    Facts::new(rows)
}
