//! Programs: what is planned, and what is refused.

use crate::support::{INTERP, LOAD, Program, STACK, USER, elf, load, plan, segments};
use exec::{Error, Image, Plan, interpreter_path};

/// A program as linkers make them: headers and constants, code, data with zeros behind.
fn good() -> Vec<Program> {
    vec![
        load(0, 0x40_0000, 0x800, 0x800, 4),
        load(0x1000, 0x40_1000, 0x1234, 0x1234, 5),
        load(0x2f00, 0x40_3f00, 0x0300, 0x5000, 6),
        Program { kind: STACK, flags: 6, ..load(0, 0, 0, 0, 0) },
    ]
}

fn changed(at: usize, change: impl Fn(&mut Program)) -> Result<(), Error> {
    let mut programs = good();
    change(&mut programs[at]);
    plan(&elf(2, 0x40_1000, &programs)).map(|_| ())
}

#[test]
fn a_program_is_planned_page_by_page() {
    let file = elf(2, 0x40_1010, &good());
    let plan = plan(&file).unwrap();
    assert_eq!((plan.pie, plan.entry, plan.end), (false, 0x40_1010, 0x40_8f00));
    assert_eq!((plan.headers, plan.header_count, Plan::HEADER_BYTES), (Some(0x40_0040), 4, 56));
    assert_eq!((plan.pages.clone(), plan.align), (0x40_0000..0x40_9000, 0x1000));
    assert_eq!((plan.interpreter.clone(), plan.executable_stack), (None, Some(false)));
    let [constants, code, data] = segments(&plan)[..] else { panic!("three segments") };
    assert_eq!((constants.file_pages(), constants.file_offset()), (0x40_0000..0x40_1000, 0));
    assert!(constants.zero_tail().is_empty() && constants.zero_pages().is_empty());
    assert_eq!((code.file_pages(), code.file_offset()), (0x40_1000..0x40_3000, 0x1000));
    assert!(code.prot.read && code.prot.execute && !code.prot.write);
    assert_eq!((data.file_pages(), data.file_offset()), (0x40_3000..0x40_5000, 0x2000));
    assert_eq!((data.zero_tail(), data.zero_pages()), (0x40_4200..0x40_5000, 0x40_5000..0x40_9000));
    assert!(data.prot.read && data.prot.write && !data.prot.execute);
}

#[test]
fn a_segment_of_zeros_has_no_pages_of_the_file() {
    let mut programs = good();
    programs.insert(3, load(0x1_2345, 0x41_0010, 0, 0x1000, 6));
    let file = elf(3, 0, &programs);
    assert_eq!(plan(&file).map(|_| ()), Err(Error::SegmentFile { index: 3 }));
    programs[3].offset = 0x123;
    let file = elf(3, 0, &programs);
    let plan = plan(&file).unwrap();
    let zeros = segments(&plan)[3];
    assert!(zeros.file_pages().is_empty() && zeros.zero_tail().is_empty());
    assert_eq!(zeros.zero_pages(), 0x41_0000..0x41_2000);
    assert!(plan.pie);
}

#[test]
fn what_needs_no_loading_is_passed_over() {
    let mut programs = good();
    programs.push(Program { kind: LOAD, ..load(0x100_0000, 0, 0, 0, 7) });
    programs.push(Program { kind: 7, ..load(1 << 60, 1 << 63, 1 << 62, 3, 0) });
    let file = elf(2, 0x40_1000, &programs);
    assert_eq!(segments(&plan(&file).unwrap()).len(), 3);
}

#[test]
fn a_program_says_whether_it_wants_an_executable_stack() {
    for (flags, wanted) in [(6, Some(false)), (7, Some(true))] {
        let mut programs = good();
        programs[3].flags = flags;
        assert_eq!(plan(&elf(2, 0x40_1000, &programs)).unwrap().executable_stack, wanted);
    }
    assert_eq!(plan(&elf(2, 0x40_1000, &good()[..3])).unwrap().executable_stack, None);
}

#[test]
fn an_interpreter_is_reported() {
    let interpreter = |offset, bytes| {
        let mut programs = good();
        programs.push(Program { kind: INTERP, ..load(offset, 0, bytes, bytes, 4) });
        // Only the first one counts.
        programs.push(Program { kind: INTERP, ..load(1 << 60, 0, 1, 1, 4) });
        plan(&elf(3, 0, &programs)).map(|plan| plan.interpreter)
    };
    assert_eq!(interpreter(0x3000, 16), Ok(Some(0x3000..0x3010)));
    for (offset, bytes) in [(0x3000, 0), (0x3000, 1), (0x2000, 4097), (0x3fff, 2), (u64::MAX, 2)] {
        assert_eq!(interpreter(offset, bytes), Err(Error::Interpreter));
    }
    assert_eq!(interpreter_path(b"/lib64/ld.so\0"), Ok(&b"/lib64/ld.so"[..]));
    assert_eq!(interpreter_path(b"/lib\0ld.so\0"), Ok(&b"/lib"[..]));
    for path in [&b""[..], b"\0", b"/lib", b"\0x\0", b"/lib\0x"] {
        assert_eq!(interpreter_path(path), Err(Error::Interpreter));
    }
}

#[test]
fn headers_that_are_not_loaded_have_no_address() {
    let mut programs = good();
    programs[0] = load(0x100, 0x40_0100, 0x700, 0x700, 4);
    assert_eq!(plan(&elf(2, 0x40_1000, &programs)).unwrap().headers, None);
    programs[0] = load(0, 0x40_0000, 0x41, 0x41, 4);
    assert_eq!(plan(&elf(2, 0x40_1000, &programs)).unwrap().headers, None);
}

#[test]
fn the_largest_alignment_is_the_program_s() {
    for (align, all) in [(0, 0x1000), (1, 0x1000), (16, 0x1000), (0x20_0000, 0x20_0000), (1 << 30, 1 << 30)] {
        let mut programs = good();
        programs[1].align = align;
        assert_eq!(plan(&elf(3, 0, &programs)).unwrap().align, all);
    }
    for align in [3, 0x1800, 1 << 31, 1 << 63, u64::MAX] {
        assert_eq!(changed(1, |p| p.align = align), Err(Error::SegmentAlign { index: 1 }));
    }
}

#[test]
fn segments_that_lie_wrong_are_refused() {
    // In the file.
    assert_eq!(changed(1, |p| p.file_bytes = 0x1235), Err(Error::SegmentFile { index: 1 }));
    assert_eq!(changed(0, |p| p.offset = 0x3801), Err(Error::SegmentFile { index: 0 }));
    assert_eq!(changed(0, |p| p.offset = u64::MAX - 5), Err(Error::SegmentFile { index: 0 }));
    assert_eq!(changed(2, |p| p.file_bytes = u64::MAX), Err(Error::SegmentFile { index: 2 }));
    // Not as in memory.
    assert_eq!(changed(1, |p| p.offset += 1), Err(Error::SegmentAlign { index: 1 }));
    assert_eq!(changed(2, |p| p.address += 0x800), Err(Error::SegmentAlign { index: 2 }));
    // Out of user space.
    assert_eq!(changed(0, |p| p.address = 0xf000), Err(Error::SegmentAddress { index: 0 }));
    assert_eq!(changed(2, |p| p.bytes = 1 << 39), Err(Error::SegmentAddress { index: 2 }));
    assert_eq!(changed(2, |p| p.bytes = u64::MAX), Err(Error::SegmentAddress { index: 2 }));
    assert_eq!(changed(2, |p| p.address = u64::MAX - 0xfff), Err(Error::SegmentAddress { index: 2 }));
    assert_eq!(changed(2, |p| p.address = 0xffff_8000_0000_0f00), Err(Error::SegmentAddress { index: 2 }));
    // Over each other, out of order, in one page.
    assert_eq!(changed(1, |p| p.address = 0x40_0000), Err(Error::SegmentOrder { index: 1 }));
    assert_eq!(changed(1, |p| p.address = 0x3f_0000), Err(Error::SegmentOrder { index: 1 }));
    assert_eq!(
        changed(0, |p| (p.file_bytes, p.bytes) = (0x1001, 0x1001)),
        Err(Error::SegmentOrder { index: 1 })
    );
    assert_eq!(changed(1, |p| p.bytes = 0x2001), Err(Error::SegmentOrder { index: 2 }));
    assert_eq!(changed(1, |p| p.bytes = 0x2000), Ok(()));
    // Up to the last page.
    assert_eq!(changed(2, |p| p.address = USER.end - 0x5100), Ok(()));
    assert_eq!(changed(2, |p| p.address = USER.end - 0x4100), Err(Error::SegmentAddress { index: 2 }));
}

#[test]
fn files_that_are_no_programs_are_refused() {
    let file = elf(2, 0x40_1000, &good());
    let with = |at: usize, bytes: &[u8]| {
        let mut file = file.clone();
        file[at..at + bytes.len()].copy_from_slice(bytes);
        plan(&file).map(|_| ())
    };
    assert_eq!(with(0, b"\x7fELG"), Err(Error::Unknown));
    assert_eq!(with(4, &[1]), Err(Error::Machine { class: 1, machine: 62 }));
    assert_eq!(with(5, &[2]), Err(Error::Machine { class: 2, machine: 62 }));
    assert_eq!(with(18, &[3]), Err(Error::Machine { class: 2, machine: 3 }));
    for kind in [0, 1, 4, 0xff] {
        assert_eq!(with(16, &[kind]), Err(Error::Kind(kind.into())));
    }
    assert_eq!(with(24, &(1u64 << 39).to_le_bytes()), Err(Error::Entry(1 << 39)));
    assert_eq!(with(24, &[0; 8]), Err(Error::Entry(0)));
    assert_eq!(with(32, &u64::MAX.to_le_bytes()), Err(Error::Truncated));
    assert_eq!(with(32, &0x3f80u64.to_le_bytes()), Err(Error::Truncated));
    assert_eq!(with(54, &[55]), Err(Error::Table { size: 55, count: 4 }));
    assert_eq!(with(56, &[0, 0]), Err(Error::Table { size: 56, count: 0 }));
    assert_eq!(with(56, &[0x93, 4]), Err(Error::Table { size: 56, count: 1171 }));
    assert_eq!(with(56, &[0xff, 0xff]), Err(Error::Table { size: 56, count: 0xffff }));
    let empty = elf(2, 0x40_1000, &[Program { kind: STACK, ..good()[0] }]);
    assert_eq!(plan(&empty).map(|_| ()), Err(Error::NoSegments));
    for len in 0..64 {
        let expected = if len < 4 { Error::Unknown } else { Error::Truncated };
        assert_eq!(plan(&file[..len]).map(|_| ()), Err(expected), "{len}");
    }
    for len in 64..0x3200 {
        assert!(matches!(plan(&file[..len]), Err(Error::Truncated | Error::SegmentFile { .. })), "{len}");
    }
    assert!(plan(&file[..0x3200]).is_ok());
}

#[test]
fn errors_say_what_would_be_right() {
    let text = Error::Machine { class: 1, machine: 3 }.to_string();
    assert_eq!(text, "for another machine (class 1, machine 3; 2 and 62 are right)");
    for error in [
        Error::Unknown,
        Error::Truncated,
        Error::Kind(1),
        Error::Table { size: 1, count: 2 },
        Error::NoSegments,
        Error::SegmentFile { index: 1 },
        Error::SegmentAddress { index: 1 },
        Error::SegmentOrder { index: 1 },
        Error::SegmentAlign { index: 1 },
        Error::Entry(1),
        Error::Interpreter,
        Error::Script,
    ] {
        assert!(error.to_string().len() > 10);
    }
    assert_eq!(Image::parse(b"").unwrap_err(), Error::Unknown);
}
