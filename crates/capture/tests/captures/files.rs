//! Paths: what can be opened, and what a writer leaves behind.

use std::fs;
use std::path::{Path, PathBuf};

use oxbpf_capture::{Header, LinkType, Reader, Writer};

/// An empty directory for the test of that name.
fn directory(test: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("captures-{test}"));
    let _ = fs::remove_dir_all(&path);
    fs::create_dir_all(&path).unwrap();
    path
}

/// The names of what is in the directory.
fn listing(path: &Path) -> Vec<String> {
    let mut names: Vec<String> =
        fs::read_dir(path).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn a_file_appears_whole_when_finished() {
    let dir = directory("appears");
    let path = dir.join("out.pcap");
    let mut writer = Writer::create(&path, Header::new(LinkType::EN10MB)).unwrap();
    writer.write_packet(1, 3, b"abc").unwrap();
    assert!(!path.exists());
    writer.finish().unwrap();
    assert_eq!(listing(&dir), ["out.pcap"]);

    let mut reader = Reader::open(&path).unwrap();
    assert_eq!(reader.next_packet().unwrap().unwrap().data, b"abc");
    assert!(reader.next_packet().unwrap().is_none());
}

#[test]
fn an_unfinished_writer_leaves_what_was_there() {
    let dir = directory("unfinished");
    let path = dir.join("out.pcap");
    fs::write(&path, "before").unwrap();
    let mut writer = Writer::create(&path, Header::new(LinkType::EN10MB)).unwrap();
    writer.write_packet(1, 3, b"abc").unwrap();
    drop(writer);
    assert_eq!((fs::read_to_string(&path).unwrap().as_str(), listing(&dir)), ("before", vec!["out.pcap".to_owned()]));
}

#[test]
fn a_capture_can_be_written_over_itself() {
    let path = directory("itself").join("x.pcap");
    let mut writer = Writer::create(&path, Header::new(LinkType::RAW)).unwrap();
    for number in 0..1000 {
        writer.write_packet(number, 300, &[number as u8; 300]).unwrap();
    }
    writer.finish().unwrap();

    let mut reader = Reader::open(&path).unwrap();
    let mut writer = Writer::create(&path, *reader.header().unwrap()).unwrap();
    while let Some(packet) = reader.next_packet().unwrap() {
        writer.write_packet(packet.time_ns, packet.len, packet.data).unwrap();
    }
    let before = fs::read(&path).unwrap();
    writer.finish().unwrap();
    assert_eq!(fs::read(&path).unwrap(), before);
}

#[test]
fn paths_that_are_no_capture_have_clear_errors() {
    let dir = directory("errors");
    let header = Header::new(LinkType::EN10MB);
    let missing = dir.join("missing/x.pcap");
    assert_eq!(Reader::open(&dir).unwrap_err().code(), "capture-directory");
    assert_eq!(Writer::create(&dir, header).unwrap_err().code(), "capture-directory");
    assert_eq!(Reader::open(&missing).unwrap_err().code(), "capture-open");
    assert_eq!(Writer::create(&missing, header).unwrap_err().code(), "capture-open");
    assert_eq!(Writer::create("", header).unwrap_err().code(), "capture-open");
    assert_eq!(Writer::create("..", header).unwrap_err().code(), "capture-directory");

    fs::write(dir.join("empty.pcap"), "").unwrap();
    let error = Reader::open(dir.join("empty.pcap")).unwrap_err();
    assert_eq!(error.code(), "capture-empty");
    assert!(error.to_string().contains("empty.pcap: is empty"), "{error}");
}

#[cfg(unix)]
mod unix {
    use std::fs;
    use std::os::unix::fs::{PermissionsExt, symlink};

    use oxbpf_capture::{Header, LinkType, Reader, Writer};

    use super::{directory, listing};

    #[test]
    fn an_unreadable_file_has_a_clear_error() {
        let path = directory("unreadable").join("secret.pcap");
        fs::write(&path, "").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o000)).unwrap();
        if fs::File::open(&path).is_ok() {
            println!("skipped: this user may read everything");
            return;
        }
        assert_eq!(Reader::open(&path).unwrap_err().code(), "capture-open");
    }

    #[test]
    fn devices_are_written_directly() {
        let mut writer = Writer::create("/dev/null", Header::new(LinkType::EN10MB)).unwrap();
        writer.write_packet(1, 3, b"abc").unwrap();
        writer.finish().unwrap();
        assert!(!fs::metadata("/dev/null").unwrap().is_file());
        assert_eq!(Reader::open("/dev/null").unwrap_err().code(), "capture-empty");
    }

    #[test]
    fn a_full_device_is_a_write_error() {
        if !std::path::Path::new("/dev/full").exists() {
            println!("skipped: no /dev/full");
            return;
        }
        let writer = Writer::create("/dev/full", Header::new(LinkType::EN10MB)).unwrap();
        assert_eq!(writer.finish().unwrap_err().code(), "capture-write");
    }

    #[test]
    fn a_link_stays_and_its_file_keeps_its_mode() {
        let dir = directory("link");
        let (file, link) = (dir.join("file.pcap"), dir.join("link.pcap"));
        fs::write(&file, "before").unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o640)).unwrap();
        symlink("file.pcap", &link).unwrap();
        Writer::create(&link, Header::new(LinkType::EN10MB)).unwrap().finish().unwrap();
        assert_eq!(listing(&dir), ["file.pcap", "link.pcap"]);
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        let metadata = fs::metadata(&file).unwrap();
        assert_eq!((metadata.len(), metadata.permissions().mode() & 0o777), (24, 0o640));
    }
}
