//! A kernel made by hand, and what each damage to it says.

use super::*;

const BASE: u64 = 0xffff_ffff_8000_0000;
const RX: u32 = 5;
const R: u32 = 4;
const RW: u32 = 6;

/// Type, flags, address, bytes in the file, bytes in memory, alignment.
type Header = (u32, u32, u64, u64, u64, u64);

fn segments() -> Vec<Header> {
    vec![
        (PT_LOAD, RX, BASE, 0x1234, 0x1234, 0x1000),
        (PT_LOAD, R, BASE + 0x2000, 0x800, 0x800, 0x1000),
        (PT_LOAD, RW, BASE + 0x3010, 0x100, 0x5000, 0x1000),
    ]
}

/// An executable with these segments, whose bytes all come from the file's start, and the two sections.
fn kernel(segments: &[Header], entry: u64, command_line: (u64, u64)) -> Vec<u8> {
    let mut bytes = vec![0; 0x2000];
    let mut put = |at: usize, what: &[u8]| bytes[at..at + what.len()].copy_from_slice(what);
    let config = BootloaderConfig::new_default().serialize();
    let names = b"\0.bootloader-config\0.kernel-cmdline\0.shstrtab\0";
    put(0, b"\x7fELF\x02\x01\x01");
    put(16, &2u16.to_le_bytes());
    put(18, &62u16.to_le_bytes());
    put(20, &1u32.to_le_bytes());
    put(24, &entry.to_le_bytes());
    put(32, &64u64.to_le_bytes());
    put(40, &0x800u64.to_le_bytes());
    for (at, half) in [(52, 64), (54, 56), (56, segments.len() as u16), (58, 64), (60, 4), (62, 3)] {
        put(at, &half.to_le_bytes());
    }
    for (i, (kind, flags, address, file, memory, align)) in segments.iter().enumerate() {
        let at = 64 + 56 * i;
        put(at, &kind.to_le_bytes());
        put(at + 4, &flags.to_le_bytes());
        for (n, word) in [0, *address, *address, *file, *memory, *align].iter().enumerate() {
            put(at + 8 + 8 * n, &word.to_le_bytes());
        }
    }
    put(0x600, &config);
    put(0x700, names);
    let (line, room) = command_line;
    let sections = [
        (1u32, 1u32, BASE + 0x2000, 0x600u64, config.len() as u64),
        (20, 1, line, 0x600, room),
        (36, 3, 0, 0x700, names.len() as u64),
    ];
    for (i, (name, kind, address, offset, size)) in sections.iter().enumerate() {
        let at = 0x800 + 64 * (i + 1);
        put(at, &name.to_le_bytes());
        put(at + 4, &kind.to_le_bytes());
        put(at + 16, &address.to_le_bytes());
        put(at + 24, &offset.to_le_bytes());
        put(at + 32, &size.to_le_bytes());
    }
    bytes
}

fn good() -> Vec<u8> {
    kernel(&segments(), BASE + 0x10, (BASE + 0x3100, 2049))
}

fn problem(change: impl FnOnce(&mut Vec<Header>)) -> &'static str {
    let mut list = segments();
    change(&mut list);
    match Image::parse(&kernel(&list, BASE, (BASE + 0x3100, 16))).unwrap_err() {
        Error::Segment { problem, .. } | Error::Kernel(problem) => problem,
        other => panic!("{other}"),
    }
}

#[test]
fn a_good_kernel_is_taken_as_it_is() {
    let bytes = good();
    let image = Image::parse(&bytes).unwrap();
    assert_eq!(image.span, Range { start: BASE, end: BASE + 0x9000 });
    assert_eq!((image.align, image.entry), (0x1000, BASE + 0x10));
    assert_eq!(image.command_line, Some(Range::new(BASE + 0x3100, 2049)));
    let segments: Vec<_> = image.segments().collect();
    assert_eq!(
        segments.iter().map(|s| (s.writable, s.executable)).collect::<Vec<_>>(),
        [(false, true), (false, false), (true, false)]
    );
    assert_eq!((segments[2].address, segments[2].data.len()), (BASE + 0x3010, 0x100));
    assert_eq!(segments[2].pages, Range { start: BASE + 0x3000, end: BASE + 0x9000 });
}

#[test]
fn a_bad_segment_is_refused_by_its_problem() {
    assert_eq!(problem(|s| s[0].1 = 7), "is writable and executable");
    assert_eq!(problem(|s| s[1].2 = BASE + 0x1800), "lies in a page of the one before it");
    assert_eq!(problem(|s| s.swap(0, 1)), "lies in a page of the one before it");
    assert_eq!(problem(|s| s[1].2 = 0x10_0000), "lies outside of the kernel's half");
    assert_eq!(problem(|s| s[1].3 = 0x10_0000), "reaches beyond the file");
    assert_eq!(problem(|s| s[1].3 = u64::MAX), "reaches beyond the file");
    assert_eq!(problem(|s| s[1].4 = 0x7ff), "has more bytes in the file than in memory");
    assert_eq!(problem(|s| s[2].4 = u64::MAX), "reaches beyond the address space");
    assert_eq!(problem(|s| s[2].2 = 0xffff_ffff_ffff_f000), "reaches beyond the address space");
    assert_eq!(problem(|s| s[2].5 = 0x1800), "has an alignment that is not honoured");
    assert_eq!(problem(|s| s[2].5 = 1 << 30), "has an alignment that is not honoured");
    assert_eq!(problem(|s| s[0].1 = R), "starts outside of its code");
    assert_eq!(problem(|s| s.truncate(2)), "has its section .kernel-cmdline outside of writable data");
    assert_eq!(problem(Vec::clear), "has nothing to load");
}

#[test]
fn a_larger_alignment_is_passed_on() {
    let mut list = segments();
    list[2].5 = 0x20_0000;
    assert_eq!(Image::parse(&kernel(&list, BASE, (BASE + 0x3100, 16))).unwrap().align, 0x20_0000);
}

#[test]
fn another_machine_and_another_kind_of_file_are_refused() {
    for (at, byte) in [(0, 0), (4, 1), (5, 2), (16, 1), (16, 3), (18, 3)] {
        let mut bytes = good();
        bytes[at] = byte;
        assert!(matches!(Image::parse(&bytes), Err(Error::Kernel(_))), "{at}");
    }
    let mut bytes = good();
    bytes[0x600] ^= 1;
    assert!(Image::parse(&bytes).unwrap_err().to_string().contains("bootloader_api"));
}

#[test]
fn any_damage_is_survived_and_what_is_taken_is_sound() {
    let good = good();
    bolero::check!().with_type::<Vec<(u16, u8)>>().for_each(|damage| {
        let mut bytes = good.clone();
        for (at, byte) in damage {
            // Headers and sections, mostly.
            let at = usize::from(*at) % 0x900;
            bytes[at] = *byte;
        }
        let Ok(image) = Image::parse(&bytes) else { return };
        let mut end = image.span.start;
        for segment in image.segments() {
            assert!(!(segment.writable && segment.executable));
            assert!(segment.pages.start >= end && segment.pages.end <= image.span.end);
            let data = Range::new(segment.address, segment.data.len() as u64);
            assert!(within(data, segment.pages));
            end = segment.pages.end;
        }
        assert_eq!(end, image.span.end);
        let section = image.command_line.unwrap_or(image.span);
        assert!(within(section, image.span) && section.start <= section.end);
    });
}
