//! Packet captures: pcap, read and written.
