//! COM2, the line to the host program that started the machine: one word a line.
//!
//! The guest says how it ended (`exit N`, `signal S`, `panic`, `off`), when it wants the keyboard's bytes (`input`), and
//! how many cycles it ran (`boot CYCLES`). Where nobody listens the words are lost, which harms nothing. No lock: a line
//! is short, and the panic path writes here too.

use crate::serial::{COM2, uart};
use core::fmt::{self, Write};
use core::sync::atomic::{AtomicBool, Ordering::Relaxed};
use uart_16550::Config;

static PRESENT: AtomicBool = AtomicBool::new(false);

/// What the host program is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Word {
    /// Init ended with this status.
    Exit(u8),
    /// A signal ended init.
    Signal(u8),
    /// The kernel panicked.
    Panic,
    /// Power-off, halt or reboot, as asked.
    Off,
    /// Standard input may come now.
    Input,
    /// Cycles from the kernel's first instruction to here.
    Boot(u64),
}

pub(crate) fn init(config: Config) {
    PRESENT.store(uart(COM2).init(config).is_ok(), Relaxed);
}

/// Says `word` to the host.
pub fn say(word: Word) {
    let mut out = Port;
    // Writing to the port cannot fail.
    let _ = match word {
        Word::Exit(status) => writeln!(out, "exit {status}"),
        Word::Signal(signal) => writeln!(out, "signal {signal}"),
        Word::Panic => writeln!(out, "panic"),
        Word::Off => writeln!(out, "off"),
        Word::Input => writeln!(out, "input"),
        Word::Boot(cycles) => writeln!(out, "boot {cycles}"),
    };
}

struct Port;

impl Write for Port {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        if PRESENT.load(Relaxed) {
            uart(COM2).send_bytes_exact(text.as_bytes());
        }
        Ok(())
    }
}
