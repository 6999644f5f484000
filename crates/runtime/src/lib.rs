//! What a running BPF program sees: arena, packet, skb, maps, helpers, traps.
