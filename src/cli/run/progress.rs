//! A bar on standard error while a large capture is read.

use std::io::{IsTerminal, stderr, stdout};

use indicatif::{ProgressBar, ProgressStyle};

use super::options::Arguments;

/// Files below this size are read in less time than a bar is worth.
const MIN_SIZE: u64 = 16 << 20;
/// Packets between two looks at how far it is.
const EVERY: u64 = 4096;

/// The bar, where there is to be one.
pub(super) struct Progress(Option<ProgressBar>);

impl Progress {
    /// A bar for a file of that size; none where nobody would see it, or it would stand between lines of the report.
    pub(super) fn new(arguments: &Arguments, size: Option<u64>) -> Progress {
        let lines =
            (arguments.jsonl || arguments.trace || arguments.capture.events_to_stdout()) && stdout().is_terminal();
        let wanted = !arguments.capture.no_progress && !arguments.capture.follow && stderr().is_terminal() && !lines;
        let bar = size.filter(|size| wanted && *size >= MIN_SIZE).map(|size| {
            let bar = ProgressBar::new(size);
            let style = ProgressStyle::with_template("{bar:40} {bytes} of {total_bytes}, {eta} left");
            bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
            bar
        });
        Progress(bar)
    }

    /// Says how far it is, from time to time.
    pub(super) fn at(&self, packet: u64, read: impl FnOnce() -> u64) {
        if let Some(bar) = &self.0
            && packet.is_multiple_of(EVERY)
        {
            bar.set_position(read());
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Some(bar) = &self.0 {
            bar.finish_and_clear();
        }
    }
}
