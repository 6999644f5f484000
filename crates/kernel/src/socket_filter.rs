//! Classic programs as the kernel runs them: attached to a socket.

use std::io;
use std::os::fd::AsFd;
use std::os::unix::net::UnixDatagram;

use oxbpf_isa::cbpf::SockFilter;

use crate::{Errno, sys};

/// A pair of Unix datagram sockets, of which one filters what it gets.
///
/// There is no link layer, device, network header or tag here: those extensions and origins answer as for a packet
/// that has none.
///
/// ```
/// use oxbpf_isa::cbpf::SockFilter;
/// use oxbpf_kernel::SocketFilter;
///
/// # if !cfg!(target_os = "linux") { return Ok(()) }
/// // ldb [3]; ret a
/// let mut filter = SocketFilter::new()?;
/// filter.attach(&[SockFilter::stmt(0x30, 3), SockFilter::stmt(0x16, 0)]).unwrap();
/// assert_eq!(filter.kept(&[0, 1, 2, 3, 4, 5])?, 3);
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug)]
pub struct SocketFilter {
    sender: UnixDatagram,
    receiver: UnixDatagram,
    buffer: Vec<u8>,
}

impl SocketFilter {
    /// A pair without a filter.
    pub fn new() -> io::Result<SocketFilter> {
        let (sender, receiver) = UnixDatagram::pair()?;
        receiver.set_nonblocking(true)?;
        Ok(SocketFilter { sender, receiver, buffer: Vec::new() })
    }

    /// Attaches a program in place of the one before, under the kernel's check.
    pub fn attach(&self, program: &[SockFilter]) -> Result<(), Errno> {
        sys::attach_filter(self.receiver.as_fd(), program)
    }

    /// How many bytes of a packet the filter keeps: the smaller of its result and the packet's length.
    pub fn kept(&mut self, packet: &[u8]) -> io::Result<usize> {
        self.buffer.resize(packet.len().max(self.buffer.len()), 0);
        self.sender.send(packet)?;
        match self.receiver.recv(&mut self.buffer) {
            Err(e) if e.kind() == io::ErrorKind::WouldBlock => Ok(0),
            received => received,
        }
    }
}
