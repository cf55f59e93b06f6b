//! The kernel's log: a line a fact, with time and level, in a ring and on the consoles.
//!
//! ```text
//!   info!(..) -> text on the stack -> ring (lock LOG) -> whoever holds CONSOLES -> each console
//! ```
//!
//! - A record is one line. Its text is formatted before any lock is taken, into 256 bytes on the caller's stack; more is
//!   cut off, marked by `...`. Control characters are written as `\n` or `\x1b`, so that no text can forge a line.
//! - Works in every context, interrupt handlers included; allocates nothing; waits only for the ring's short lock.
//! - The consoles get the records in the ring's order, through [`CONSOLES`](crate::sync::rank::CONSOLES): who does not get
//!   that lock leaves his record to the one who has it. A console that comes late gets what the ring still holds.
//! - With `quiet` the consoles get warnings and worse, and what modules print; the ring gets everything.
//! - The panic path uses [`panic_write`], which takes no lock by waiting.

mod console;
mod line;
mod panic;
mod ring;

pub use console::{Console, add_console, console_write, flush};
pub use panic::panic_write;
pub use ring::{Record, TEXT_MAX};

use crate::clock;
use crate::sync::{IrqSpinLock, rank};
use core::fmt;
use core::sync::atomic::AtomicU64;
use ring::{Ring, Words};

/// How much a record matters; the numbers are Linux's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum Level {
    /// The machine cannot go on.
    Emergency = 0,
    /// Something does not work.
    Error = 3,
    /// Something is odd, and the kernel went on.
    Warning = 4,
    /// A fact.
    Info = 6,
    /// For who looks for a fault.
    Debug = 7,
}

impl Level {
    /// The level with Linux's number, or the nearest less urgent one.
    pub const fn from_number(number: u8) -> Self {
        match number {
            0 => Self::Emergency,
            1..=3 => Self::Error,
            4 => Self::Warning,
            5 | 6 => Self::Info,
            _ => Self::Debug,
        }
    }
}

static WORDS: Words = [const { AtomicU64::new(0) }; size_of::<Words>() / 8];
static RING: IrqSpinLock<Ring> = IrqSpinLock::new(rank::LOG, Ring::new(&WORDS));

/// Logs one line. Behind the macros.
pub fn write(level: Level, args: fmt::Arguments<'_>) {
    record(level, false, None, args);
}

/// Prints one line of a module: without a time, with the module's name before it, shown with `quiet` too. Behind
/// `println!`.
pub fn print(module: &str, args: fmt::Arguments<'_>) {
    record(Level::Info, true, Some(module), args);
}

fn record(level: Level, plain: bool, module: Option<&str>, args: fmt::Arguments<'_>) {
    append(level, plain, module, args);
    flush();
}

/// On its own, so that the text's room on the stack is free again when the consoles are served.
#[inline(never)]
fn append(level: Level, plain: bool, module: Option<&str>, args: fmt::Arguments<'_>) {
    let mut text = line::Line::new();
    match module {
        Some(module) => text.write(format_args!("{module}: {args}")),
        None => text.write(args),
    }
    let time_ns = clock::now_ns();
    RING.lock().push(level, plain, time_ns, text.as_bytes());
}

/// Copies the oldest record numbered `from` or higher into `record`; its number, or nothing when there is none yet.
/// A reader goes on with that number plus 1; a gap between the two says how many records were overwritten.
pub fn read(from: u64, record: &mut Record) -> Option<u64> {
    RING.lock().read(from, record)
}

/// The number that the next record will get.
pub fn next_number() -> u64 {
    RING.lock().next_number()
}

/// Logs that something does not work.
#[macro_export]
macro_rules! error {
    ($($arg:tt)*) => { $crate::log::write($crate::log::Level::Error, ::core::format_args!($($arg)*)) };
}

/// Logs something odd; the kernel went on.
#[macro_export]
macro_rules! warn {
    ($($arg:tt)*) => { $crate::log::write($crate::log::Level::Warning, ::core::format_args!($($arg)*)) };
}

/// Logs a fact.
#[macro_export]
macro_rules! info {
    ($($arg:tt)*) => { $crate::log::write($crate::log::Level::Info, ::core::format_args!($($arg)*)) };
}

/// Logs something for who looks for a fault.
#[macro_export]
macro_rules! debug {
    ($($arg:tt)*) => { $crate::log::write($crate::log::Level::Debug, ::core::format_args!($($arg)*)) };
}

/// Prints a line on the console, with the crate's name before it: `hello: Hello, world!`.
#[macro_export]
macro_rules! kernel_println {
    () => { $crate::kernel_println!("") };
    ($($arg:tt)*) => { $crate::log::print(::core::env!("CARGO_CRATE_NAME"), ::core::format_args!($($arg)*)) };
}
