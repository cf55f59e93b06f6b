//! The panic path's words: straight to the consoles, without any lock. The ring, which nobody will read any more, is left out.

use super::console;
use super::ring::Stamp;
use crate::clock;
use core::fmt::{self, Write};
use core::sync::atomic::{AtomicBool, Ordering::Relaxed};

/// Whether the last word ended its line.
static AT_START: AtomicBool = AtomicBool::new(true);

/// Writes a piece of the panic report. Lines may come in several pieces; each begins with the time. For the one CPU that
/// panics: it takes no lock by waiting, and cuts through whatever a console was just showing.
pub fn panic_write(args: fmt::Arguments<'_>) {
    let _ = Emergency.write_fmt(args);
}

struct Emergency;

impl Emergency {
    fn raw(text: &[u8]) {
        console::consoles().for_each(|console| console.write_emergency(text));
    }
}

impl Write for Emergency {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for line in text.split_inclusive('\n') {
            if AT_START.swap(line.ends_with('\n'), Relaxed) {
                write!(Stamped, "{}", Stamp(clock::now_ns()))?;
            }
            Self::raw(line.as_bytes());
        }
        Ok(())
    }
}

struct Stamped;

impl Write for Stamped {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        Emergency::raw(text.as_bytes());
        Ok(())
    }
}
