//! `cargo xtask captures`: the captures under `examples/captures`, the same bytes each time.

mod http;
mod mixed;
mod odd;

use std::fs;
use std::path::{Path, PathBuf};

use oxbpf_capture::{CaptureError, Header, LinkType, Resolution, Writer};

use crate::packets::Mac;

/// A capture to be written, packet by packet.
struct Capture {
    resolution: Resolution,
    packets: Vec<Captured>,
}

/// A packet, and the length it had before it was cut.
struct Captured {
    time_ns: u64,
    len: u32,
    data: Vec<u8>,
}

impl Capture {
    fn new(resolution: Resolution) -> Capture {
        Capture { resolution, packets: Vec::new() }
    }

    /// Adds a frame, a step of time after the one before.
    fn push(&mut self, frame: Vec<u8>) {
        self.push_cut(frame.len(), frame);
    }

    /// Adds the beginning of a frame of `len` bytes.
    fn push_cut(&mut self, len: usize, data: Vec<u8>) {
        let time_ns = START_NS + self.packets.len() as u64 * STEP_NS;
        self.packets.push(Captured { time_ns, len: len as u32, data });
    }

    /// The capture as the bytes of a file.
    fn bytes(&self) -> Result<Vec<u8>, CaptureError> {
        let header = Header { resolution: self.resolution, ..Header::new(LinkType::EN10MB) };
        let mut writer = Writer::new(Vec::new(), "capture", header)?;
        for Captured { time_ns, len, data } in &self.packets {
            writer.write_packet(*time_ns, *len, data)?;
        }
        writer.finish()
    }
}

/// Makes a capture.
type Make = fn() -> Capture;

/// What is written: the name and the maker of each capture.
const CAPTURES: [(&str, Make); 3] =
    [("http.pcap", http::capture), ("mixed.pcap", mixed::capture), ("odd.pcap", odd::capture)];

const DIRECTORY: &str = "examples/captures";

/// Runs the verb with the arguments after its name: there are none.
pub fn run(args: &[String]) -> Result<(), String> {
    if !args.is_empty() {
        return Err("usage: cargo xtask captures".into());
    }
    let directory = directory();
    fs::create_dir_all(&directory).map_err(|error| format!("{}: {error}", directory.display()))?;
    for (name, make) in CAPTURES {
        let capture = make();
        let bytes = capture.bytes().map_err(|error| error.to_string())?;
        let path = directory.join(name);
        fs::write(&path, &bytes).map_err(|error| format!("{}: {error}", path.display()))?;
        println!("{DIRECTORY}/{name}: {} packets, {} bytes", capture.packets.len(), bytes.len());
    }
    Ok(())
}

fn directory() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(DIRECTORY)
}

/// 2024-01-01 00:00:00 UTC.
const START_NS: u64 = 1_704_067_200 * 1_000_000_000;
/// Something that shows each of the units: 1.234567 ms.
const STEP_NS: u64 = 1_234_567;

/// The hosts that talk, by number: locally administered, unicast.
const fn mac(host: u8) -> Mac {
    [0x02, 0, 0, 0, 0, host]
}

#[cfg(test)]
mod tests {
    use super::*;
    use oxbpf_capture::Reader;

    #[test]
    fn committed_captures_are_what_is_made() {
        for (name, make) in CAPTURES {
            let committed = fs::read(directory().join(name)).unwrap();
            assert!(committed == make().bytes().unwrap(), "{name} differs: run `cargo xtask captures`");
        }
    }

    #[test]
    fn captures_stay_small() {
        let sizes = CAPTURES.map(|(_, make)| make().bytes().unwrap().len());
        assert!(sizes.iter().sum::<usize>() < 400_000, "{sizes:?}");
    }

    #[test]
    fn odd_has_the_sizes_that_matter() {
        let bytes = odd::capture().bytes().unwrap();
        let mut reader = Reader::new(bytes.as_slice(), "odd.pcap").unwrap();
        let mut sizes = Vec::new();
        while let Some(packet) = reader.next_packet().unwrap() {
            sizes.push((packet.data.len(), packet.len as usize));
        }
        for size in [0, 1, 13, 14, 15, 33, 34, 60, 9_000, 262_144] {
            assert!(sizes.contains(&(size, size)), "{size}");
        }
        assert!(sizes.iter().any(|(captured, len)| captured < len));
    }
}
