//! Bringing the ring's records to the consoles.
//!
//! The lock of rank `CONSOLES` holds the number of the next record to show. Whoever logs tries to take it and then shows
//! everything that is there; if it is taken, its holder looks once more after it has let go, so no record is left behind,
//! and nobody waits for a slow line while holding up an interrupt.

use super::ring::{Record, Stamp};
use super::{Level, RING};
use crate::sync::{IrqSpinLock, OnceCell, rank};
use core::fmt::{self, Write};

/// What shows the log to a person.
pub trait Console: Sync {
    /// Writes `text`. Called with interrupts masked; lines end in LF.
    fn write(&self, text: &[u8]);

    /// Writes `text` on the panic path: takes no lock by waiting, expects nothing of the rest of the kernel.
    fn write_emergency(&self, text: &[u8]);
}

/// The consoles, in the order in which they came. Read without a lock, by the panic path too.
static CONSOLES: [OnceCell<&'static dyn Console>; 4] = [const { OnceCell::new() }; 4];
/// The number of the next record to show.
static SHOWN: IrqSpinLock<u64> = IrqSpinLock::new(rank::CONSOLES, 0);

#[allow(unsafe_code, reason = "a parameter lies in a section of its own")]
mod params {
    crate::param! {
        part "";
        /// Shows warnings and worse on the console, no facts; what modules print is always shown.
        pub(super) static QUIET as "quiet": bool = false;
    }
}

/// Adds a console. What the ring holds and no console has shown yet goes to it at once. A fifth console is left out.
pub fn add_console(console: &'static dyn Console) {
    let mut console = console;
    for place in &CONSOLES {
        match place.set(console) {
            Ok(()) => break,
            Err(back) => console = back,
        }
    }
    flush();
}

/// Writes `text` to every console, after the records that are waiting. For what programs write.
pub fn console_write(text: &[u8]) {
    flush();
    {
        let _shown = SHOWN.lock();
        consoles().for_each(|console| console.write(text));
    }
    flush();
}

/// Shows the records that no console has shown yet, unless another CPU is at it. Before the first console there is nothing
/// to do: the records wait for it.
pub fn flush() {
    while consoles().next().is_some() {
        let Some(mut shown) = SHOWN.try_lock() else { return };
        show(&mut shown);
        let next = *shown;
        drop(shown);
        // Who came while the lock was taken has left its record to us.
        if next == super::next_number() {
            return;
        }
    }
}

#[inline(never)]
fn show(shown: &mut u64) {
    let mut record = Record::new();
    loop {
        let Some(number) = RING.lock().read(*shown, &mut record) else { return };
        *shown = number + 1;
        if record.plain || record.level <= Level::Warning || !params::QUIET.get() {
            let _ = show_record(&record);
        }
    }
}

fn show_record(record: &Record) -> fmt::Result {
    if !record.plain {
        write!(All, "{}", Stamp(record.time_ns))?;
    }
    consoles().for_each(|console| {
        console.write(record.text());
        console.write(b"\n");
    });
    Ok(())
}

pub(super) fn consoles() -> impl Iterator<Item = &'static dyn Console> {
    CONSOLES.iter().map_while(|place| place.get().copied())
}

struct All;

impl Write for All {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        consoles().for_each(|console| console.write(text.as_bytes()));
        Ok(())
    }
}
