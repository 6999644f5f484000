//! A network of the test's own, in which the loopback device is up and nothing that is sent gets out.
#![allow(unsafe_code)]

/// Moves the thread into a network of its own; otherwise says that the test is skipped.
pub fn of_our_own(test: &str) -> bool {
    let made = unshare().and_then(|()| raise_loopback());
    if let Err(error) = &made {
        println!("{test}: skipped: no network of its own: {error}");
    }
    made.is_ok()
}

fn checked(result: libc::c_int) -> std::io::Result<libc::c_int> {
    if result < 0 { Err(std::io::Error::last_os_error()) } else { Ok(result) }
}

fn unshare() -> std::io::Result<()> {
    // SAFETY: takes a number and changes what this thread sees of the network.
    checked(unsafe { libc::unshare(libc::CLONE_NEWNET) }).map(|_| ())
}

fn raise_loopback() -> std::io::Result<()> {
    // SAFETY: all zeros are an empty name and no flags.
    let mut request: libc::ifreq = unsafe { std::mem::zeroed() };
    (request.ifr_name[0], request.ifr_name[1]) = (b'l' as libc::c_char, b'o' as libc::c_char);
    request.ifr_ifru.ifru_flags = libc::IFF_UP as libc::c_short;
    // SAFETY: takes numbers; the descriptor is closed below.
    let socket = checked(unsafe { libc::socket(libc::AF_INET, libc::SOCK_DGRAM | libc::SOCK_CLOEXEC, 0) })?;
    // SAFETY: the request is a whole one, and outlives the call.
    let raised = checked(unsafe { libc::ioctl(socket, libc::SIOCSIFFLAGS, &request) });
    // SAFETY: the descriptor is ours and used no more.
    unsafe { libc::close(socket) };
    raised.map(|_| ())
}
