//! What a run hands to the world outside: events for whoever listens, and packets for other interfaces.
//!
//! Helpers put things here, and [`Instance::sent`](crate::Instance::sent) shows them after the run. What one run may
//! send is bounded; what is beyond that is counted, as a full ring buffer would lose it.

use oxbpf_ir::MapIdx;

/// The most bytes that one run may send, with [`OVERHEAD`] for each event and packet.
const MAX_SENT: usize = 16 << 20;
/// What a sent thing costs besides its bytes, so that empty ones are bounded too.
const OVERHEAD: usize = 64;

/// Which kind of map an event went through.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum EventKind {
    /// A ring buffer.
    Ringbuf,
    /// A perf event array.
    Perf,
}

impl EventKind {
    /// The word that lines of events have for it.
    pub const fn name(self) -> &'static str {
        match self {
            EventKind::Ringbuf => "ringbuf",
            EventKind::Perf => "perf",
        }
    }
}

/// Bytes that a program sent to whoever listens.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Event {
    /// The map that it went through.
    pub map: MapIdx,
    /// What kind of map that is.
    pub kind: EventKind,
    /// The CPU of the run.
    pub cpu: u32,
    /// The number of the run's packet.
    pub packet: u64,
    /// When, by the program's clock.
    pub time_ns: u64,
    /// What was sent.
    pub bytes: Vec<u8>,
}

/// Where a packet is sent.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Target {
    /// The interface's number.
    pub ifindex: u32,
    /// Whether the packet arrives there, instead of leaving there.
    pub ingress: bool,
}

/// A copy of the packet, sent to another interface while the run goes on (`clone_redirect`).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Redirect {
    /// Where to.
    pub target: Target,
    /// The packet from the link header on, as it was then.
    pub packet: Vec<u8>,
}

/// What one run has sent.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Sent {
    events: Vec<Event>,
    clones: Vec<Redirect>,
    target: Option<Target>,
    bytes: usize,
    lost: u64,
}

impl Sent {
    /// Events, in order.
    pub fn events(&self) -> &[Event] {
        &self.events
    }

    /// Copies of the packet for other interfaces, in order.
    pub fn clones(&self) -> &[Redirect] {
        &self.clones
    }

    /// Where the packet itself is to go, should the verdict be redirect (`redirect`): the last target named.
    pub fn target(&self) -> Option<Target> {
        self.target
    }

    /// Events and copies beyond what one run may send.
    pub fn lost(&self) -> u64 {
        self.lost
    }

    /// Forgets everything.
    pub fn clear(&mut self) {
        self.events.clear();
        self.clones.clear();
        (self.target, self.bytes, self.lost) = (None, 0, 0);
    }

    /// Keeps an event; false where there is no room.
    pub fn emit(&mut self, event: Event) -> bool {
        let room = self.room(event.bytes.len());
        if room {
            self.events.push(event);
        }
        room
    }

    /// Keeps a copy of the packet; false where there is no room.
    pub fn send_clone(&mut self, clone: Redirect) -> bool {
        let room = self.room(clone.packet.len());
        if room {
            self.clones.push(clone);
        }
        room
    }

    /// Says where the packet is to go, should the verdict be redirect.
    pub fn set_target(&mut self, target: Target) {
        self.target = Some(target);
    }

    /// Takes room for `len` bytes, or counts a loss.
    fn room(&mut self, len: usize) -> bool {
        let after = self.bytes + len + OVERHEAD;
        let fits = after <= MAX_SENT;
        if fits {
            self.bytes = after;
        } else {
            self.lost += 1;
        }
        fits
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(size: usize) -> Event {
        Event { map: MapIdx(0), kind: EventKind::Perf, cpu: 0, packet: 1, time_ns: 0, bytes: vec![0; size] }
    }

    #[test]
    fn a_run_sends_so_much_and_no_more() {
        let mut sent = Sent::default();
        let most = MAX_SENT / OVERHEAD;
        assert!((0..most).all(|_| sent.emit(event(0))));
        assert!(!sent.emit(event(0)));
        let clone = Redirect { target: Target { ifindex: 1, ingress: false }, packet: Vec::new() };
        assert!(!sent.send_clone(clone));
        assert_eq!((sent.events().len(), sent.clones().len(), sent.lost()), (most, 0, 2));
        sent.clear();
        assert_eq!(sent, Sent::default());
        assert!(sent.emit(event(MAX_SENT - OVERHEAD)));
        assert!(!sent.emit(event(0)));
    }
}
