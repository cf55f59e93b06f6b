//! First stacks, read back as a program's start does.

use crate::support::{Fault, Pages, aux};
use exec::{ArgumentError, Arguments, Aux, Stack};

const TOP: u64 = 0x7f_ffff_f000;

fn arguments(args: &[&[u8]], envs: &[&[u8]]) -> Arguments {
    let mut arguments = Arguments::new(1 << 20);
    args.iter().try_for_each(|string| arguments.push(string)).expect("memory");
    arguments.begin_environment().expect("memory");
    envs.iter().try_for_each(|string| arguments.push(string)).expect("memory");
    arguments
}

/// What a program finds on its stack.
struct Found {
    args: Vec<Vec<u8>>,
    envs: Vec<Vec<u8>>,
    auxv: Vec<(u64, u64)>,
    pages: Pages,
}

fn found(stack: &Stack<'_>) -> Found {
    let mut pages = Pages::new(stack.rsp()..TOP);
    stack.write(&mut pages).expect("all bytes from rsp to the top are memory, and written once");
    assert!(stack.rsp().is_multiple_of(16));
    let mut at = stack.rsp();
    let mut next = || {
        at += 8;
        pages.word(at - 8)
    };
    let count = next();
    let args: Vec<u64> = std::iter::from_fn(|| Some(next()).filter(|pointer| *pointer != 0)).collect();
    let envs: Vec<u64> = std::iter::from_fn(|| Some(next()).filter(|pointer| *pointer != 0)).collect();
    let mut auxv = vec![];
    while auxv.last() != Some(&(0, 0)) {
        auxv.push((next(), next()));
    }
    let random = auxv.iter().find(|entry| entry.0 == 25).expect("there").1;
    assert!(random - at < 16, "nothing is left out but for the alignment");
    assert_eq!(args.len() as u64, count);
    let text = |pointers: Vec<u64>| pointers.into_iter().map(|pointer| pages.string(pointer)).collect();
    Found { args: text(args), envs: text(envs), auxv, pages }
}

/// All strings, as a program finds them.
pub(crate) fn strings(arguments: &Arguments) -> Vec<String> {
    let stack = Stack::new(TOP, 0, b"path", arguments, &aux()).expect("room");
    let Found { args, envs, .. } = found(&stack);
    args.into_iter().chain(envs).map(|string| String::from_utf8(string).expect("text")).collect()
}

#[test]
fn a_program_finds_its_arguments_and_environment() {
    let arguments = arguments(&[b"echo", b"", b"hello"], &[b"A=b", b"LONG=1"]);
    let stack = Stack::new(TOP, 0, b"/bin/echo", &arguments, &aux()).unwrap();
    let found = found(&stack);
    assert_eq!(found.args, [&b"echo"[..], b"", b"hello"]);
    assert_eq!(found.envs, [&b"A=b"[..], b"LONG=1"]);
    // Where /proc shows them, and where programs that change their title take room from.
    let bytes = |range: std::ops::Range<u64>| -> Vec<u8> {
        range.map(|at| found.pages.bytes[(at - found.pages.start) as usize].expect("written")).collect()
    };
    assert_eq!(bytes(stack.arguments()), b"echo\0\0hello\0");
    assert_eq!(bytes(stack.environment()), b"A=b\0LONG=1\0");
    assert_eq!(stack.arguments().end, stack.environment().start);
    assert_eq!(found.pages.word(TOP - 8), 0);
}

#[test]
fn the_auxiliary_vector_says_what_it_was_given() {
    let arguments = arguments(&[b"x"], &[]);
    let stack = Stack::new(TOP, 0, b"/bin/x", &arguments, &aux()).unwrap();
    let Found { auxv, pages, envs, .. } = found(&stack);
    assert!(envs.is_empty());
    assert_eq!(auxv, stack.auxv().entries());
    let value = |tag: u64| {
        let values: Vec<u64> = auxv.iter().filter(|entry| entry.0 == tag).map(|entry| entry.1).collect();
        assert_eq!(values.len(), 1, "tag {tag}");
        values[0]
    };
    // Linux's numbers.
    for (tag, expected) in [
        (3, 101),
        (4, 56),
        (5, 102),
        (6, 4096),
        (7, 104),
        (8, 105),
        (9, 103),
        (11, 106),
        (12, 107),
        (13, 108),
        (14, 109),
        (16, 110),
        (17, 112),
        (23, 1),
        (26, 111),
        (33, 114),
        (51, 113),
    ] {
        assert_eq!(value(tag), expected, "tag {tag}");
    }
    assert_eq!(pages.string(value(31)), b"/bin/x");
    assert_eq!(pages.string(value(15)), b"x86_64");
    assert_eq!(pages.string(value(25))[..16], *b"0123456789abcdef");
    assert_eq!(value(25) % 16, value(25) % 16);

    let plain = Aux { vdso: None, minsigstksz: 0, ..aux() };
    let stack = Stack::new(TOP, 0, b"/bin/x", &arguments, &plain).unwrap();
    assert!(stack.auxv().entries().iter().all(|entry| entry.0 != 33 && entry.0 != 51));
    found(&stack);
}

#[test]
fn the_stack_is_aligned_whatever_lies_on_it() {
    for args in 1..6 {
        for len in 0..20 {
            for jitter in [0, 1, 15, 16, 17, 8191] {
                let string = vec![b's'; len];
                let arguments = arguments(&vec![&string[..]; args], &[b"E=1"]);
                let stack = Stack::new(TOP, jitter, b"p", &arguments, &aux()).unwrap();
                let found = found(&stack);
                assert_eq!(found.args, vec![string; args]);
                assert!(stack.arguments().start - stack.rsp() >= jitter);
            }
        }
    }
}

fn slices(strings: &[Vec<u8>]) -> Vec<&[u8]> {
    strings.iter().map(Vec::as_slice).collect()
}

#[test]
fn many_arguments_take_few_writes() {
    let strings: Vec<Vec<u8>> = (0..5000).map(|i| format!("argument {i}").into_bytes()).collect();
    let (args, envs) = strings.split_at(3000);
    let arguments = arguments(&slices(args), &slices(envs));
    let stack = Stack::new(TOP, 0, b"p", &arguments, &aux()).unwrap();
    let found = found(&stack);
    assert_eq!((&found.args[..], &found.envs[..]), (args, envs));
    assert!(found.pages.writes < 5000 / 32 + 70_000 / 512 + 10, "{}", found.pages.writes);
}

#[test]
fn a_stack_that_has_no_room_is_refused() {
    let mut few = Arguments::new(40);
    few.push(b"1234567").unwrap();
    few.begin_environment().unwrap();
    assert!(Stack::new(TOP, 0, &[b'p'; 23], &few, &aux()).is_ok());
    assert_eq!(Stack::new(TOP, 0, &[b'p'; 24], &few, &aux()).map(|_| ()), Err(ArgumentError::TooBig));
    for top in [0, 16, 64, 400] {
        assert_eq!(Stack::new(top, 0, b"p", &few, &aux()).map(|_| ()), Err(ArgumentError::TooBig));
    }
    assert_eq!(Stack::new(TOP, u64::MAX, b"p", &few, &aux()).map(|_| ()), Err(ArgumentError::TooBig));
}

#[test]
fn memory_that_cannot_be_written_ends_it() {
    let arguments = arguments(&[b"x"], &[b"y"]);
    let stack = Stack::new(TOP, 0, b"p", &arguments, &aux()).unwrap();
    let mut pages = Pages::new(stack.rsp() + 8..TOP);
    assert_eq!(stack.write(&mut pages), Err(Fault(stack.rsp())));
    let mut pages = Pages::new(stack.rsp()..TOP - 8);
    assert_eq!(stack.write(&mut pages), Err(Fault(TOP - 8)));
}
