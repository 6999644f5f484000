//! `--follow`: waiting for more at the end of a growing file.

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::sleep;
use std::time::Duration;

use oxbpf_capture::{CaptureError, CaptureErrorKind, Reader};
use signal_hook::consts::SIGINT;
use signal_hook::flag;

use super::Failure;

/// How long a file may have grown unnoticed.
const INTERVAL: Duration = Duration::from_millis(50);

/// Until when the end of a file is not the end.
pub(super) struct Follow {
    stop: Arc<AtomicBool>,
}

impl Follow {
    /// From now on SIGINT ends the waiting; a second one ends the process, as it would without us.
    pub(super) fn new() -> io::Result<Follow> {
        let stop = Arc::new(AtomicBool::new(false));
        // In this order: the first signal finds the flag unset, and sets it.
        flag::register_conditional_default(SIGINT, stop.clone())?;
        flag::register(SIGINT, stop.clone())?;
        Ok(Follow { stop })
    }

    /// Whether the user has seen enough.
    pub(super) fn stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    /// Waits a little; false once the user has seen enough.
    pub(super) fn wait(&self) -> bool {
        if !self.stopped() {
            sleep(INTERVAL);
        }
        !self.stopped()
    }

    /// Opens a capture, once its header is there; none where the user gives up first.
    pub(super) fn open(&self, path: &Path) -> Result<Option<Reader<oxbpf_capture::Source>>, CaptureError> {
        loop {
            match Reader::open(path) {
                Err(e) if matches!(e.kind, CaptureErrorKind::Empty | CaptureErrorKind::Truncated { .. }) => {
                    if !self.wait() {
                        return Ok(None);
                    }
                }
                opened => return opened.map(Some),
            }
        }
    }
}

/// Why a capture cannot be followed.
pub(super) fn check(reader: &Reader<oxbpf_capture::Source>, path: &Path) -> Result<(), Failure> {
    let reason = match reader.source() {
        source if source.compressed() => "is compressed: whether its end is the end cannot be told",
        source if source.file_len().is_none() => "is no regular file, and is read to its end without --follow",
        _ => return Ok(()),
    };
    Err(Failure::usage(format!("error[follow]: {} {reason}", path.display())))
}
