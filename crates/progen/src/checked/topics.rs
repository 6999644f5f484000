//! What is in a generated program.

macro_rules! topics {
    ($($name:ident)*) => {
        /// Something that verifiers have rules for.
        #[derive(Clone, Copy, PartialEq, Eq, Debug)]
        #[allow(missing_docs)]
        pub enum Topic { $($name),* }

        impl Topic {
            /// All of them.
            pub const ALL: &'static [Topic] = &[$(Topic::$name),*];
        }
    };
}

topics! {
    PacketCheck PacketVariable PacketWrite PacketMeta PacketMoved MapLookup MapVariable MapWrite MapGlobal MapInMap
    MapFrozen QueueStack StackBytes StackVariable Spill ContextLoad ContextStore HelperMemory HelperVariableSize
    Subprogram Callback BoundedLoop VariableLoop NestedLoop MayGoto TailCall Atomic LegacyLoad Ringbuf SocketRef
    SpinLock Branch Switch Bound Arithmetic SignExtend LinkedScalars CallerMemory
}

/// A set of topics.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Topics(u64);

impl Topics {
    /// Whether a topic is in the set.
    pub fn has(self, topic: Topic) -> bool {
        self.0 & (1 << topic as u32) != 0
    }

    pub(crate) fn add(&mut self, topic: Topic) {
        self.0 |= 1 << topic as u32;
    }
}
