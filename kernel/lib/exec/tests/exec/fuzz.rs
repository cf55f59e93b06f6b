//! Any bytes: an error or a plan that holds, and never a panic.

use crate::support::{LOAD, Program, STACK, USER, elf, load, plan};
use bolero::TypeGenerator;
use exec::{Arguments, Error, Image, Plan, Stack, interpreter_path};
use std::time::Duration;

fn fuzz_time() -> Duration {
    let long = std::env::var_os("OTTAWA_LONG").is_some();
    Duration::from_secs(if long { 600 } else { 2 })
}

/// What a kernel relies on when it maps a plan.
fn holds(plan: &Plan<'_>, file_size: u64) {
    let mut end = if plan.pie { 0 } else { USER.start };
    let mut last = 0;
    for segment in plan.segments() {
        let pages = segment.pages();
        assert!(end <= pages.start && pages.start < pages.end && pages.end <= USER.end);
        assert!(plan.pages.start <= pages.start && pages.end <= plan.pages.end);
        end = pages.end;
        last = segment.address + segment.bytes;
        let (file, tail, zeros) = (segment.file_pages(), segment.zero_tail(), segment.zero_pages());
        assert!(file.start == pages.start && file.end == zeros.start && zeros.end == pages.end);
        for edge in [pages.start, pages.end, file.end, segment.file_offset()] {
            assert!(edge.is_multiple_of(4096));
        }
        if !file.is_empty() {
            // What is mapped of the file has bytes of the file in its last page.
            assert!(segment.file_offset() + (file.end - file.start) - 4096 < file_size);
            assert_eq!(segment.address - file.start, segment.offset - segment.file_offset());
            let tail_at = segment.address + segment.file_bytes;
            assert!(
                tail.is_empty()
                    || (tail.start == tail_at && tail.end == file.end && tail.end - tail.start < 4096)
            );
        } else {
            assert!(segment.file_bytes == 0 && tail.is_empty());
        }
        assert!(segment.align.is_power_of_two() && segment.align <= plan.align);
    }
    assert_eq!((end, last), (plan.pages.end, plan.end));
    assert!(plan.align.is_power_of_two() && plan.align >= 4096);
    assert!(plan.entry < USER.end);
    assert!(plan.headers.is_none_or(|at| plan.pages.contains(&at)));
    assert!(
        plan.interpreter.as_ref().is_none_or(|path| path.end <= file_size && path.end - path.start <= 4096)
    );
}

fn survive(file: &[u8]) {
    if let Ok(plan) = plan(file) {
        holds(&plan, file.len() as u64);
        if let Some(path) = &plan.interpreter {
            let _ = interpreter_path(&file[path.start as usize..path.end as usize]);
        }
    }
    if let Ok(Image::Script(script)) = Image::parse(file) {
        assert!(!script.interpreter.is_empty() && script.interpreter.len() < 254);
        let inside = |part: &[u8]| part.iter().all(|byte| *byte != 0 && *byte != b'\n');
        assert!(inside(script.interpreter) && script.argument.is_none_or(inside));
    }
}

#[test]
fn any_bytes_are_survived() {
    bolero::check!().with_test_time(fuzz_time()).for_each(survive);
}

#[test]
fn any_script_is_survived() {
    bolero::check!().with_test_time(fuzz_time()).with_type::<Vec<u8>>().for_each(|bytes| {
        // Few different bytes, so that each means something.
        let line = bytes.iter().map(|byte| b"\n \t\0/abc"[usize::from(byte % 8)]);
        survive(&b"#!".iter().copied().chain(line).collect::<Vec<u8>>());
    });
}

/// A number in a header: near something that matters.
#[derive(Clone, Copy, Debug, TypeGenerator)]
enum Number {
    Any(u64),
    Small(u16),
    Pages(u8),
    NearEnd(i16),
    NearFile(i8),
    Bit(u8),
}

impl Number {
    fn get(self) -> u64 {
        match self {
            Self::Any(number) => number,
            Self::Small(number) => number.into(),
            Self::Pages(number) => u64::from(number) << 12,
            Self::NearEnd(near) => USER.end.wrapping_add_signed(near.into()),
            Self::NearFile(near) => 0x4000u64.wrapping_add_signed(near.into()),
            Self::Bit(bit) => 1 << (bit % 64),
        }
    }
}

#[derive(Clone, Debug, TypeGenerator)]
struct Made {
    pie: bool,
    entry: u16,
    /// Segments in order: pages before it, pages, bytes of the file in the last page, pages of zeros.
    segments: Vec<(u8, u8, u16, u8)>,
    /// Segment, field, and what to put there.
    damage: Vec<(u8, u8, Number)>,
    bytes: Vec<(u16, u8)>,
}

#[test]
fn any_damage_to_a_program_is_survived() {
    bolero::check!().with_test_time(fuzz_time()).with_type::<Made>().for_each(|made| {
        let mut address = 0x40_0000;
        let mut programs: Vec<Program> = made
            .segments
            .iter()
            .take(8)
            .map(|(before, pages, odd, zeros)| {
                address += u64::from(*before) << 12;
                let file_bytes = (u64::from(*pages % 3) << 12) + u64::from(odd % 0xf00) + 1;
                let bytes = file_bytes + (u64::from(*zeros) << 10);
                let segment = load(0, address, file_bytes, bytes, u32::from(*odd) % 8);
                address = (address + bytes).next_multiple_of(4096);
                segment
            })
            .collect();
        programs.push(Program { kind: STACK, ..load(0, 0, 0, 0, 6) });
        let whole = programs.clone();
        for (at, field, number) in &made.damage {
            let at = usize::from(*at) % programs.len();
            let (program, number) = (&mut programs[at], number.get());
            match field % 8 {
                0 => program.kind = [LOAD, 3, STACK, number as u32][usize::from(field / 8) % 4],
                1 => program.flags = number as u32,
                2 => program.offset = number,
                3 => program.address = number,
                4 => program.file_bytes = number,
                5 => program.bytes = number,
                6 => program.align = number,
                _ => program.address = program.address.wrapping_add(number),
            }
        }
        let kind = if made.pie { 3 } else { 2 };
        let mut file = elf(kind, 0x40_0000 + u64::from(made.entry), &programs);
        if made.damage.is_empty() && made.bytes.is_empty() && whole.len() > 1 {
            plan(&file).expect("sound");
        }
        for (at, byte) in &made.bytes {
            let len = file.len();
            file[usize::from(*at) % len.min(600)] = *byte;
        }
        survive(&file);
    });
}

#[test]
fn any_arguments_make_a_stack_or_are_refused() {
    bolero::check!().with_test_time(fuzz_time()).with_type::<(Vec<Vec<u8>>, u8, u16, u16)>().for_each(
        |(strings, args, limit, jitter)| {
            let mut arguments = Arguments::new(u64::from(*limit));
            let args = usize::from(*args).min(strings.len());
            let fill = |arguments: &mut Arguments| {
                strings[..args].iter().try_for_each(|string| arguments.push(string))?;
                arguments.begin_environment()?;
                strings[args..].iter().try_for_each(|string| arguments.push(string))?;
                if let Ok(Image::Script(script)) = Image::parse(b"#!/bin/sh -x\n") {
                    arguments.interpret(&script, strings.first().map_or(b"script", |first| first))?;
                }
                Ok::<_, exec::ArgumentError>(())
            };
            if fill(&mut arguments).is_err() {
                return;
            }
            let aux = crate::support::aux();
            let top = 0x10_0000;
            if let Ok(stack) = Stack::new(top, u64::from(*jitter), b"path", &arguments, &aux) {
                let mut pages = crate::support::Pages::new(stack.rsp()..top);
                stack.write(&mut pages).expect("within its bounds, and nothing twice");
                assert_eq!(pages.word(stack.rsp()), arguments.arg_count());
                assert!(
                    arguments.bytes() + 8 * (arguments.arg_count() + arguments.env_count())
                        <= u64::from(*limit)
                );
            }
        },
    );
}

#[test]
fn every_short_file_is_refused() {
    let file = elf(2, 0x40_0000, &[load(0, 0x40_0000, 0x4000, 0x4000, 7)]);
    for len in 0..file.len() {
        assert!(matches!(
            plan(&file[..len]),
            Err(Error::Unknown | Error::Truncated | Error::SegmentFile { .. })
        ));
    }
}
