//! Classic filters on sockets.

use std::os::fd::{AsRawFd, BorrowedFd};

use oxbpf_isa::cbpf::SockFilter;

use crate::Errno;

/// Attaches a classic filter in place of the one before.
pub fn attach_filter(socket: BorrowedFd<'_>, filter: &[SockFilter]) -> Result<(), Errno> {
    let len = u16::try_from(filter.len()).map_err(|_| Errno::INVAL)?;
    // The kernel copies the instructions; it does not write through the pointer.
    let program = libc::sock_fprog { len, filter: filter.as_ptr().cast::<libc::sock_filter>().cast_mut() };
    // SAFETY: the option's argument is a `sock_fprog`, whose pointer leads to `len` instructions of `sock_filter`'s
    // layout that live through the call.
    let result = unsafe {
        libc::setsockopt(
            socket.as_raw_fd(),
            libc::SOL_SOCKET,
            libc::SO_ATTACH_FILTER,
            (&raw const program).cast(),
            size_of::<libc::sock_fprog>() as libc::socklen_t,
        )
    };
    if result == 0 { Ok(()) } else { Err(Errno::last()) }
}
