//! Arguments: copied in pieces, counted, limited, and made an interpreter's.

use crate::support::with_allocations;
use exec::{ArgumentError, Arguments, Image, MAX_STRING, Script, argument_limit};

fn script(line: &str) -> Script<'_> {
    match Image::parse(line.as_bytes()) {
        Ok(Image::Script(script)) => script,
        other => panic!("{other:?}"),
    }
}

#[test]
fn strings_are_copied_in_pieces_up_to_their_nul() {
    let mut arguments = Arguments::new(1000);
    assert_eq!(arguments.append(b"ec"), Ok(false));
    assert_eq!(arguments.append(b""), Ok(false));
    assert_eq!(arguments.append(b"ho\0ignored\0"), Ok(true));
    assert_eq!(arguments.append(b"\0"), Ok(true));
    assert_eq!((arguments.arg_count(), arguments.bytes(), arguments.arg_bytes()), (2, 6, 6));
    arguments.begin_environment().unwrap();
    arguments.push(b"A=b").unwrap();
    arguments.push(b"C=d\0e").unwrap();
    assert_eq!((arguments.arg_count(), arguments.env_count()), (2, 2));
    assert_eq!((arguments.bytes(), arguments.arg_bytes()), (14, 6));
}

#[test]
fn a_program_has_at_least_an_empty_name() {
    let mut arguments = Arguments::new(1000);
    arguments.begin_environment().unwrap();
    assert_eq!((arguments.arg_count(), arguments.bytes(), arguments.arg_bytes()), (1, 1, 1));
}

#[test]
fn limits_hold_for_each_string_and_for_all() {
    let mut arguments = Arguments::new(30);
    arguments.push(b"123456").unwrap();
    assert_eq!(arguments.push(b"12345678"), Err(ArgumentError::TooBig));
    let mut arguments = Arguments::new(30);
    arguments.push(b"123456").unwrap();
    arguments.push(b"123456").unwrap();
    assert_eq!(arguments.append(b"\0"), Err(ArgumentError::TooBig));

    let longest = vec![b'x'; MAX_STRING as usize];
    let mut arguments = Arguments::new(u64::MAX);
    arguments.push(&longest[1..]).unwrap();
    arguments.push(&longest[1..]).unwrap();
    assert_eq!(arguments.push(&longest), Err(ArgumentError::TooBig));

    assert_eq!(argument_limit(8 << 20), 2 << 20);
    assert_eq!(argument_limit(0), 128 << 10);
    assert_eq!(argument_limit(u64::MAX), 6 << 20);
}

#[test]
fn a_script_s_arguments_become_its_interpreter_s() {
    let mut arguments = Arguments::new(1000);
    for string in ["script", "one", "two"] {
        arguments.push(string.as_bytes()).unwrap();
    }
    arguments.begin_environment().unwrap();
    arguments.push(b"A=b").unwrap();
    arguments.interpret(&script("#!/bin/sh -e x\n"), b"./script").unwrap();
    assert_eq!(crate::stacks::strings(&arguments), ["/bin/sh", "-e x", "./script", "one", "two", "A=b"]);
    assert_eq!((arguments.arg_count(), arguments.env_count()), (5, 1));
    assert_eq!((arguments.arg_bytes(), arguments.bytes()), (8 + 5 + 9 + 4 + 4, 8 + 5 + 9 + 4 + 4 + 4));
    // The interpreter is a script itself.
    arguments.interpret(&script("#!/bin/busybox sh\n"), b"/bin/sh").unwrap();
    let expected = ["/bin/busybox", "sh", "/bin/sh", "-e x", "./script", "one", "two", "A=b"];
    assert_eq!(crate::stacks::strings(&arguments), expected);
    assert_eq!(arguments.arg_count(), 7);
}

#[test]
fn a_script_whose_name_fills_many_pieces_loses_it_all() {
    for len in [510, 511, 512, 513, 1023, 1024, 5000] {
        let mut arguments = Arguments::new(10_000);
        arguments.push(&vec![b'n'; len]).unwrap();
        arguments.push(b"one").unwrap();
        arguments.begin_environment().unwrap();
        arguments.interpret(&script("#!/i\n"), b"s").unwrap();
        assert_eq!(crate::stacks::strings(&arguments), ["/i", "s", "one"]);
    }
}

#[test]
fn what_has_no_end_or_two_is_one_string() {
    let mut arguments = Arguments::new(1000);
    arguments.append(b"open").unwrap();
    arguments.begin_environment().unwrap();
    arguments.push(b"A=b").unwrap();
    assert_eq!(crate::stacks::strings(&arguments), ["open", "A=b"]);
    arguments.interpret(&script("#!/i\n"), b"s\0t").unwrap();
    assert_eq!(crate::stacks::strings(&arguments), ["/i", "s", "A=b"]);
    assert_eq!(arguments.bytes(), 3 + 2 + 4);
}

#[test]
fn a_script_s_arguments_are_limited_too() {
    let mut arguments = Arguments::new(40);
    arguments.push(b"s").unwrap();
    arguments.begin_environment().unwrap();
    let long = "#!/bin/a-long-interpreter\n";
    assert_eq!(arguments.interpret(&script(long), b"s"), Err(ArgumentError::TooBig));
}

#[test]
fn lack_of_memory_is_said() {
    let fill = || {
        let mut arguments = Arguments::new(10_000);
        arguments.push(&[b'x'; 2000])?;
        arguments.begin_environment()?;
        arguments.push(&[b'y'; 2000])?;
        arguments.interpret(&script("#!/bin/sh\n"), b"script")
    };
    let mut left = 0;
    while let Err(error) = with_allocations(left, fill) {
        assert_eq!(error, ArgumentError::NoMemory);
        left += 1;
    }
    assert!(left > 8, "{left}");
}
