//! `#!` lines: each case was compared with Linux's own answer.

use exec::{Error, Image};

fn read(start: &[u8]) -> Result<(String, Option<String>), Error> {
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).expect("text");
    match Image::parse(start)? {
        Image::Script(script) => Ok((text(script.interpreter), script.argument.map(text))),
        Image::Elf(_) => Err(Error::Unknown),
    }
}

#[test]
fn an_interpreter_has_at_most_one_argument() {
    let cases: [(&[u8], &str, Option<&str>); 12] = [
        (b"#!/bin/sh\n", "/bin/sh", None),
        (b"#! /bin/sh\nexit 3 # x y\n", "/bin/sh", None),
        (b"#!\t /bin/sh -e\n", "/bin/sh", Some("-e")),
        (b"#!/bin/sh\t-e  -x \t\n", "/bin/sh", Some("-e  -x")),
        (b"#!/bin/sh \t \n", "/bin/sh", None),
        (b"#!/bin/sh\r\n", "/bin/sh\r", None),
        (b"#!/usr/bin/env -S a b", "/usr/bin/env", Some("-S a b")),
        // Behind the end of the file there are NULs: they end a line, and are no blanks.
        (b"#!/bin/sh", "/bin/sh", None),
        (b"#!/bin/sh ", "/bin/sh", Some("")),
        (b"#!/bin/sh x ", "/bin/sh", Some("x ")),
        (b"#!/bin/sh\0 -e\n", "/bin/sh", None),
        (b"#!/bin/sh -e\0f\n", "/bin/sh", Some("-e")),
    ];
    for (start, interpreter, argument) in cases {
        let expected = Ok((interpreter.to_string(), argument.map(str::to_string)));
        assert_eq!(read(start), expected, "{:?}", String::from_utf8_lossy(start));
    }
}

#[test]
fn a_line_without_an_interpreter_is_refused() {
    for start in [
        &b"#!"[..],
        b"#!\n",
        b"#! \t\n/bin/sh\n",
        b"#!   ",
        b"#!\0/bin/sh\n",
        &[b"#!", &[b' '; 300][..]].concat(),
    ] {
        assert_eq!(read(start), Err(Error::Script), "{:?}", String::from_utf8_lossy(start));
    }
    assert_eq!(read(b"#"), Err(Error::Unknown));
    assert_eq!(read(b" #!/bin/sh\n"), Err(Error::Unknown));
}

#[test]
fn only_255_bytes_of_a_line_count() {
    let line = |name: usize, rest: &str| {
        let mut line = b"#!/".to_vec();
        line.resize(2 + name, b'n');
        line.extend(rest.as_bytes());
        line.resize(line.len().max(600), b'z');
        read(&line).map(|(name, argument)| (name.len(), argument.map(|text| text.len())))
    };
    // A name that ends within the first 256 bytes of the file is known.
    assert_eq!(line(253, "\n"), Ok((253, None)));
    assert_eq!(line(253, " "), Ok((253, None)));
    assert_eq!(line(254, "\n"), Err(Error::Script));
    assert_eq!(line(254, ""), Err(Error::Script));
    assert_eq!(line(600, ""), Err(Error::Script));
    // An argument is cut off.
    assert_eq!(line(250, " zz"), Ok((250, Some(2))));
    assert_eq!(line(10, " "), Ok((10, Some(242))));
    assert_eq!(line(10, " \n"), Ok((10, None)));
    assert_eq!(line(251, " \t"), Ok((251, None)));
}
