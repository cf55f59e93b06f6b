//! Running tests one after the other, and saying how each went.

use crate::Result;
use crate::stack::TestStack;
use core::fmt;
use core::sync::atomic::{AtomicBool, AtomicPtr, Ordering::Relaxed};
use kernel::prelude::*;

/// Bytes of a name, zeroes included.
const NAME: usize = 120;

/// One test: 128 bytes in section `.ktest`, where the host reads the name.
#[repr(C)]
pub struct Test {
    run: fn() -> Result,
    name: [u8; NAME],
}

const _: () = assert!(size_of::<Test>() == 128);

impl Test {
    /// A test; its name has at most 119 bytes.
    pub const fn new(name: &str, run: fn() -> Result) -> Self {
        let text = name.as_bytes();
        assert!(text.len() < NAME, "the test's name is too long");
        let mut name = [0; NAME];
        let mut i = 0;
        while i < text.len() {
            name[i] = text[i];
            i += 1;
        }
        Self { run, name }
    }

    pub(crate) fn call(&self) -> Result {
        (self.run)()
    }

    fn name(&self) -> &str {
        let length = self.name.iter().position(|&byte| byte == 0).unwrap_or(NAME);
        // The name was made of text.
        self.name.get(..length).and_then(|name| core::str::from_utf8(name).ok()).unwrap_or("")
    }
}

/// Whether `only` asks for the test of this name. It is empty (all of them), or has pieces of names and `@` with the hash
/// of a whole name, separated by commas.
fn wants(only: &str, name: &str) -> bool {
    only.is_empty()
        || only.split(',').any(|one| match one.strip_prefix('@') {
            Some(digits) => u32::from_str_radix(digits, 16) == Ok(hash(name)),
            None => name.contains(one),
        })
}

/// FNV-1a, 32 bits: short enough for a list of many on the command line. The host has the same function.
fn hash(name: &str) -> u32 {
    name.bytes().fold(0x811c_9dc5, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193))
}

/// The name of the test that runs. A test module's tests run one at a time, so one word is enough.
static RUNNING: AtomicPtr<Test> = AtomicPtr::new(core::ptr::null_mut());
static LONG: AtomicBool = AtomicBool::new(false);

/// Whether the long forms are wanted.
pub fn long() -> bool {
    LONG.load(Relaxed)
}

/// Runs tests. Behind `module!`.
pub fn run(files: &[&'static [Test]], only: &str, long: bool) {
    LONG.store(long, Relaxed);
    let mut stack = match TestStack::new() {
        Ok(stack) => stack,
        Err(error) => return println!("no stack to run tests on: {error}"),
    };
    for test in files.iter().copied().flatten() {
        if wants(only, test.name()) {
            println!("begins {}", test.name());
            RUNNING.store(core::ptr::from_ref(test).cast_mut(), Relaxed);
            if stack.run(test) {
                println!("ok {}", test.name());
            }
        }
    }
    println!("note at most {} bytes of stack in use", stack.high_water());
}

/// Says something that a person may want to know of the running test: a count, a seed, a figure.
pub fn note(what: fmt::Arguments<'_>) {
    println!("note {what}");
}

pub(crate) fn say_failed(file: &str, line: u32, why: fmt::Arguments<'_>) {
    println!("FAILED {}: {file}:{line}: {why}", running());
}

#[allow(unsafe_code)]
fn running() -> &'static str {
    let test = RUNNING.load(Relaxed);
    // SAFETY: null, or the address of a `static` test, which lives as long as the module whose code this is.
    unsafe { test.as_ref() }.map_or("", Test::name)
}
