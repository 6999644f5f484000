//! Where a capture is written to, so that a reader never meets half of one.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, Stdout, Write};
use std::path::{Path, PathBuf};
use std::process;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::error::CaptureErrorKind;

/// What [`Writer::create`](crate::Writer::create) writes to.
#[derive(Debug)]
pub enum Sink {
    /// A file, a pipe or a device.
    File(BufWriter<File>),
    /// Standard output.
    Stdout(BufWriter<Stdout>),
}

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Sink::File(file) => file.write(bytes),
            Sink::Stdout(stdout) => stdout.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Sink::File(file) => file.flush(),
            Sink::Stdout(stdout) => stdout.flush(),
        }
    }
}

/// A temporary file beside its target. Dropped, it is removed; committed, it becomes the target.
#[derive(Debug)]
pub(crate) struct Pending {
    temporary: PathBuf,
    target: PathBuf,
}

impl Pending {
    /// Renames the temporary file to its target, over what was there.
    pub(crate) fn commit(self) -> io::Result<()> {
        fs::rename(&self.temporary, &self.target)
    }
}

impl Drop for Pending {
    fn drop(&mut self) {
        // After a commit nothing is there any more, and without one there is nobody to tell.
        let _ = fs::remove_file(&self.temporary);
    }
}

/// Opens `path` for writing: a regular file or a new one by way of a temporary sibling, anything else directly.
pub(crate) fn create(path: &Path) -> Result<(Sink, Option<Pending>), CaptureErrorKind> {
    if path.as_os_str() == "-" {
        return Ok((Sink::Stdout(BufWriter::new(io::stdout())), None));
    }
    match fs::metadata(path) {
        Ok(metadata) if metadata.is_dir() => Err(CaptureErrorKind::Directory),
        Ok(metadata) if !metadata.is_file() || names_descriptor(path) => open_directly(path),
        Ok(metadata) => {
            // Through a symbolic link the file is replaced, not the link.
            let target = path.canonicalize().map_err(CaptureErrorKind::Open)?;
            let (file, pending) = create_sibling(target)?;
            // A replaced file keeps its mode where the system lets it.
            let _ = file.set_permissions(metadata.permissions());
            Ok((Sink::File(BufWriter::new(file)), Some(pending)))
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let (file, pending) = create_sibling(path.to_owned())?;
            Ok((Sink::File(BufWriter::new(file)), Some(pending)))
        }
        Err(error) => Err(CaptureErrorKind::Open(error)),
    }
}

/// Whether the path stands for an open descriptor, which may append or be shared and must not be replaced.
fn names_descriptor(path: &Path) -> bool {
    ["/dev/fd", "/dev/stdout", "/dev/stderr", "/proc"].iter().any(|prefix| path.starts_with(prefix))
}

fn open_directly(path: &Path) -> Result<(Sink, Option<Pending>), CaptureErrorKind> {
    let file = OpenOptions::new().write(true).open(path).map_err(CaptureErrorKind::Open)?;
    Ok((Sink::File(BufWriter::new(file)), None))
}

/// Makes a new file beside `target` under a name of its own.
fn create_sibling(target: PathBuf) -> Result<(File, Pending), CaptureErrorKind> {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let Some(name) = target.file_name() else {
        return Err(CaptureErrorKind::Open(io::ErrorKind::InvalidFilename.into()));
    };
    loop {
        let mut hidden = std::ffi::OsString::from(".");
        hidden.push(name);
        hidden.push(format!(".{}-{}.tmp", process::id(), COUNT.fetch_add(1, Ordering::Relaxed)));
        let temporary = target.with_file_name(hidden);
        match OpenOptions::new().write(true).create_new(true).open(&temporary) {
            Ok(file) => return Ok((file, Pending { temporary, target })),
            // Left behind by a process of the same id that was killed.
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(CaptureErrorKind::Open(error)),
        }
    }
}
