//! What the writer writes, the reader reads; what is damaged, the reader names.

use cpio::{Archive, Attributes, Device, Error, Kind, Place, Problem, Writer};

const FILE: Attributes =
    Attributes { mode: 0o100_644, uid: 1, gid: 2, mtime: 3, rdev: Device { major: 0, minor: 0 } };
const DIRECTORY: Attributes = Attributes { mode: 0o040_755, ..FILE };
const CONSOLE: Attributes = Attributes { mode: 0o020_600, rdev: Device { major: 5, minor: 1 }, ..FILE };

fn small() -> Vec<u8> {
    let mut writer = Writer::new(Vec::new());
    writer.add("etc", &DIRECTORY, &[], Place::Anywhere).unwrap();
    writer.add("etc/motd", &FILE, b"hello", Place::Anywhere).unwrap();
    writer.add("dev/console", &CONSOLE, &[], Place::Anywhere).unwrap();
    writer.add("boot/ottawa", &FILE, &[7; 5000], Place::Page).unwrap();
    writer.finish().unwrap()
}

fn names(bytes: &[u8]) -> Result<Vec<String>, Error> {
    Archive::new(bytes).entries().map(|e| e.map(|e| e.name_str().unwrap_or("?").to_owned())).collect()
}

#[test]
fn what_is_written_is_read_back() {
    let bytes = small();
    let entries: Vec<_> = Archive::new(&bytes).entries().collect::<Result<_, _>>().unwrap();
    assert_eq!(entries.len(), 4);
    assert_eq!(entries[0].kind(), Some(Kind::Directory));
    assert_eq!((entries[0].nlink, entries[0].ino), (2, 1));
    assert_eq!((entries[1].name_str(), entries[1].data), (Some("etc/motd"), &b"hello"[..]));
    assert_eq!((entries[1].uid, entries[1].gid, entries[1].mtime), (1, 2, 3));
    assert_eq!((entries[1].permissions(), entries[1].verify()), (0o644, Ok(())));
    assert_eq!(entries[2].kind(), Some(Kind::CharDevice));
    assert_eq!(entries[2].rdev, Device { major: 5, minor: 1 });
    assert_eq!((entries[3].name, entries[3].data), (&b"boot/ottawa"[..], &[7; 5000][..]));
}

#[test]
fn data_starts_at_a_page_where_asked() {
    for length in 1..300 {
        let mut writer = Writer::new(Vec::new());
        writer.add(&"x".repeat(length), &FILE, b"odd", Place::Anywhere).unwrap();
        writer.add(&"y".repeat(length), &FILE, &[9; 10], Place::Page).unwrap();
        let bytes = writer.finish().unwrap();
        let entry = Archive::new(&bytes).find(&"y".repeat(length)).unwrap().unwrap();
        assert_eq!((entry.data.as_ptr().addr() - bytes.as_ptr().addr()) % 4096, 0);
        assert_eq!(bytes.len() % 4096, 0);
    }
}

#[test]
fn the_same_calls_give_the_same_bytes() {
    assert_eq!(small(), small());
}

#[test]
fn several_archives_are_one_and_the_last_file_wins() {
    let mut writer = Writer::new(Vec::new());
    writer.add("etc/motd", &FILE, b"laid over", Place::Anywhere).unwrap();
    let mut bytes = small();
    bytes.extend([0; 512]);
    bytes.extend(writer.finish().unwrap());
    bytes.extend([0; 3]);
    assert_eq!(names(&bytes).unwrap(), ["etc", "etc/motd", "dev/console", "boot/ottawa", "etc/motd"]);
    assert_eq!(Archive::new(&bytes).find("etc/motd").unwrap().unwrap().data, b"laid over");
    assert_eq!(Archive::new(&bytes).find_first("etc/motd").unwrap().unwrap().data, b"hello");
    assert_eq!(Archive::new(&bytes).find("etc/passwd"), Ok(None));
}

#[test]
fn every_truncation_is_an_error() {
    let bytes = small();
    let end = bytes.windows(10).position(|w| w == b"TRAILER!!!").unwrap() + 11;
    for length in 0..end {
        assert!(names(&bytes[..length]).is_err(), "{length}");
    }
    for length in end..bytes.len() {
        assert!(names(&bytes[..length]).is_ok(), "{length}");
    }
}

#[test]
fn errors_name_the_record_and_the_problem() {
    let good = small();
    let second = Archive::new(&good).entries().nth(1).unwrap().unwrap().offset;
    let damaged = |at: usize, with: &[u8]| {
        let mut bytes = good.clone();
        bytes[second + at..second + at + with.len()].copy_from_slice(with);
        let error = names(&bytes).unwrap_err();
        assert_eq!(error.offset, second);
        assert_eq!(error.to_string().lines().count(), 1);
        error.problem
    };
    assert_eq!(damaged(0, b"070707"), Problem::Magic);
    assert_eq!(damaged(14, b"x"), Problem::Number { field: "mode" });
    assert_eq!(damaged(94, b"00000000"), Problem::Name);
    assert_eq!(damaged(94, b"ffffffff"), Problem::Name);
    assert_eq!(damaged(94, b"00000004"), Problem::NameEnd);
    assert_eq!(damaged(54, b"ffffffff"), Problem::ShortData { size: u32::MAX });
    assert_eq!(names(&good[..second]).unwrap_err().problem, Problem::NoTrailer);
}

#[test]
fn a_checksum_is_verified_where_there_is_one() {
    let mut bytes = small();
    let second = Archive::new(&bytes).entries().nth(1).unwrap().unwrap().offset;
    bytes[second + 5] = b'2';
    let verify = |bytes: &[u8]| Archive::new(bytes).find("etc/motd").unwrap().unwrap().verify();
    assert_eq!(verify(&bytes), Err(Error { offset: second, problem: Problem::Checksum }));
    let sum: u32 = b"hello".iter().map(|b| u32::from(*b)).sum();
    bytes[second + 102..second + 110].copy_from_slice(format!("{sum:08X}").as_bytes());
    assert_eq!(verify(&bytes), Ok(()));
}

#[test]
fn names_that_no_archive_can_hold_are_refused() {
    let mut writer = Writer::new(Vec::new());
    for name in ["", "a\0b", "TRAILER!!!"] {
        assert!(writer.add(name, &FILE, &[], Place::Anywhere).is_err(), "{name:?}");
    }
}

/// Walks whatever `bytes` are; the borrowed parts must lie inside.
fn walk(bytes: &[u8]) {
    let mut entries = Archive::new(bytes).entries();
    for entry in entries.by_ref().flatten() {
        let range = bytes.as_ptr_range();
        assert!(entry.data.is_empty() || range.contains(&entry.data.as_ptr()));
        assert!(!entry.name.contains(&0));
        let _ = (entry.verify(), entry.kind(), entry.name_str());
    }
    assert!(entries.next().is_none());
}

fn fuzz_time() -> std::time::Duration {
    let long = std::env::var_os("OTTAWA_LONG").is_some();
    std::time::Duration::from_secs(if long { 600 } else { 2 })
}

#[test]
fn any_bytes_are_survived() {
    bolero::check!().with_test_time(fuzz_time()).for_each(walk);
}

#[test]
fn any_damage_to_an_archive_is_survived() {
    let good = small();
    bolero::check!().with_test_time(fuzz_time()).with_type::<Vec<(u16, u8)>>().for_each(|damage| {
        let mut bytes = good.clone();
        for (at, byte) in damage {
            let at = usize::from(*at) % bytes.len();
            // Digits reach deeper than arbitrary bytes.
            bytes[at] = if byte & 1 == 0 { b"0123456789abcdef"[usize::from(*byte >> 4)] } else { *byte };
        }
        walk(&bytes);
    });
}
