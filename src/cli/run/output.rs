//! Where a run's report goes.

use std::io::{self, BufWriter, ErrorKind, Write};
use std::path::Path;

use super::options::Arguments;

/// Standard output; with `-w -` or `--events -`, which go there, standard error.
pub(super) type Output = BufWriter<Listener>;

/// Who reads the report, and whether the run goes on when nobody does.
pub(super) struct Listener {
    to: Box<dyn Write>,
    goes_on: bool,
}

impl Listener {
    /// Output for a run with these arguments.
    pub(super) fn output(arguments: &Arguments) -> Output {
        let taken = arguments.write.as_deref() == Some(Path::new("-")) || arguments.capture.events_to_stdout();
        let to: Box<dyn Write> = if taken { Box::new(io::stderr()) } else { Box::new(io::stdout()) };
        // A capture is to be whole and an expectation to be judged, whoever still listens.
        BufWriter::new(Listener { to, goes_on: arguments.goes_on() })
    }
}

impl Write for Listener {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self.to.write(bytes) {
            Err(e) if e.kind() == ErrorKind::BrokenPipe && self.goes_on => {
                self.to = Box::new(io::sink());
                Ok(bytes.len())
            }
            result => result,
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self.to.flush() {
            Err(e) if e.kind() == ErrorKind::BrokenPipe && self.goes_on => Ok(()),
            result => result,
        }
    }
}
