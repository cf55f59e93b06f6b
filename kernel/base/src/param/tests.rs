//! Declarations of every type, set in every way.
#![allow(unsafe_code, reason = "parameters lie in sections of their own")]

use super::*;
use crate::{Error, Result, log, param, param_enum};
use core::sync::atomic::{AtomicU32, Ordering::Relaxed};
use core::time::Duration;
use std::string::String;
use std::vec::Vec;

param_enum! {
    /// How requests are ordered.
    enum Order {
        /// By deadline.
        Deadline = "deadline",
        /// As they come.
        AsTheyCome = "as-they-come",
    }
}

param! {
    part "t";
    /// A text.
    static WHO as "who": Text<8> = "world", mode 0o444;
    /// Another text.
    static ALIAS as "alias": Text<8> = "";
    /// A number.
    /// Of two lines.
    static COUNT as "count": u32 = 1, range 1..=100, mode 0o600, on_set seen;
    /// A signed number.
    static SIGNED as "signed": i8 = -3, range -5..=5;
    /// A bool.
    static FLAG as "some_flag": bool = false;
    /// A size.
    static CHUNK as "chunk": Size = Size::kib(64), range Size::kib(4)..=Size::mib(1);
    /// A duration.
    static WAIT as "wait": Duration = Duration::from_millis(5);
    /// One of several names.
    static ORDER as "order": Order = Order::Deadline;
}

param! {
    part "";
    /// A bare word of the command line.
    static LIMIT as "limit": u64 = 7;
}

param! {
    /// Of the crate that declares it.
    static OWN as "own": u8 = 255, mode 0o400;
}

static SEEN: AtomicU32 = AtomicU32::new(0);

fn seen(count: u32) -> Result<()> {
    if count == 13 {
        return Err(Error::EBUSY);
    }
    SEEN.store(count, Relaxed);
    Ok(())
}

fn entry(name: &str) -> &'static Entry {
    Table::builtin().find("t", name).expect("declared above")
}

fn show(name: &str) -> String {
    let mut text = String::new();
    entry(name).show(&mut text).expect("strings take everything");
    text
}

fn logged(with: &str) -> Vec<String> {
    let mut record = log::Record::new();
    let mut from = 0;
    let mut found = Vec::new();
    while let Some(number) = log::read(from, &mut record) {
        let text = String::from_utf8_lossy(record.text()).into_owned();
        if text.contains(with) {
            found.push(text);
        }
        from = number + 1;
    }
    found
}

#[test]
fn an_entry_describes_its_parameter() {
    let described = |name| {
        let entry = entry(name);
        [entry.type_name(), entry.default(), entry.range()]
    };
    assert_eq!(described("who"), ["string", "world", "8 bytes"]);
    assert_eq!(described("count"), ["u32", "1", "1..=100"]);
    assert_eq!(described("signed"), ["i8", "-3", "-5..=5"]);
    assert_eq!(described("some-flag"), ["bool", "N", ""]);
    assert_eq!(described("chunk"), ["size", "64K", "4K..=1M"]);
    assert_eq!(described("wait"), ["duration", "5ms", ""]);
    assert_eq!(described("order"), ["name", "deadline", "deadline|as-they-come"]);
    assert_eq!((entry("who").mode(), entry("chunk").mode()), (0o444, 0o644));
    assert_eq!(entry("count").doc(), " A number.\n Of two lines.\n");
    let own = Table::builtin().find("base", "own").expect("the part is the crate's name");
    assert_eq!((own.mode(), OWN.get()), (0o400, 255));
    assert!(Table::builtin().find("", "quiet").is_some());
}

#[test]
fn values_are_set_read_and_refused() {
    for (name, good, shown, bad) in [
        ("who", "a b", "a b", "nine char"),
        ("signed", "-0x5", "-5", "6"),
        ("some_flag", "on", "Y", "maybe"),
        ("chunk", "1m", "1M", "2M"),
        ("wait", "7us", "7us", "7"),
        ("order", "as_they_come", "as-they-come", "cfq"),
    ] {
        assert_eq!(set_by_name("t", name, Some(good)), Ok(()));
        assert_eq!(show(name), shown);
        assert!(set_by_name("t", name, Some(bad)).is_err());
        assert_eq!(show(name), shown, "a bad value changes nothing");
    }
    assert_eq!((WHO.get().as_str(), SIGNED.get(), FLAG.get(), CHUNK.get()), ("a b", -5, true, Size::mib(1)));
    assert_eq!((WAIT.get(), ORDER.get()), (Duration::from_micros(7), Order::AsTheyCome));
    assert_eq!(set_by_name("t", "some_flag", None), Ok(()));
    assert_eq!(set_by_name("t", "who", None), Err(SetError::NoValue));
    assert_eq!(set_by_name("t", "nobody", None), Err(SetError::Unknown));
}

#[test]
fn the_command_line_sets_what_it_can_and_keeps_the_rest() {
    // Leaked once: the line stays in memory as long as the kernel runs.
    apply_command_line(
        "limit=0x10 t.count=abc t.count=13 quux t.nope=1 t.own hello.who=\"Big World\" \"hello.how many=2\" \
         hello.c-d base.own=1 x=\"y z\" a/b.c -- init -x=1",
    );
    assert_eq!((LIMIT.get(), COUNT.get(), OWN.get()), (16, 1, 1));
    assert_eq!(logged("t.count=abc"), ["param: t.count=abc: not a u32 in 1..=100; it stays 1"]);
    assert_eq!(logged("t.count=13"), ["param: t.count=13: refused: device or resource busy; it stays 1"]);
    assert_eq!(logged("t.nope"), ["param: t.nope=1: t has no such parameter"]);
    assert_eq!(logged("t.own"), ["param: t.own: t has no such parameter"]);
    assert_eq!(logged("kept for init"), ["param: unknown, kept for init: quux x=\"y z\" a/b.c"]);
    let texts = |words: &mut dyn Iterator<Item = cmdline::Word<'static>>| {
        words.map(|w| w.text().to_string()).collect::<Vec<_>>()
    };
    assert_eq!(texts(&mut words_for("hello")), ["hello.who=Big World", "hello.how many=2", "hello.c-d"]);
    assert_eq!(texts(&mut words_for("he")), [""; 0]);
    assert_eq!(texts(&mut init_args()), ["quux", "a/b.c", "init", "-x=1"]);
    assert_eq!(texts(&mut init_env()), ["x=y z"]);

    // The same in a module's table: strict for what is given when it loads.
    let table = Table::builtin();
    assert_eq!(table.apply_args("t", "count=5 \"alias=o \\\"k\\\"\""), Ok(()));
    assert_eq!((COUNT.get(), SEEN.load(Relaxed), ALIAS.get().as_str()), (5, 5, "o \"k\""));
    assert_eq!(table.apply_args("t", "t.count=6 count=0 count=7"), Err(Error::EINVAL));
    assert_eq!((COUNT.get(), SEEN.load(Relaxed)), (6, 6));
    assert_eq!(table.apply_args("t", "count"), Err(Error::EINVAL));
    assert_eq!(logged("t.count: no"), ["param: t.count: no value given; it stays 6"]);
    let long = std::format!("alias={}", "x".repeat(300));
    assert_eq!(table.apply_args("t", &long), Err(Error::EINVAL));
    let line = logged("t.alias=xxx").pop().expect("a line");
    assert!(line.contains("x...: longer than 8 bytes; it stays "), "{line}");
}
