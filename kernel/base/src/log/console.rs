//! Bringing the ring's records to the consoles.
//!
//! The lock of rank `CONSOLES` holds the number of the next record to show. Whoever logs tries to take it, shows one record,
//! lets go, and so on until there is none. Who finds it taken leaves: the holder, after letting go, looks once more for what
//! came meanwhile. So no record stays behind, and nobody waits for a slow line.

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

/// Writes `text` to every console, after the records that are waiting. For what programs write. Interrupts are let in
/// every few hundred bytes; records that come meanwhile are shown there.
pub fn console_write(text: &[u8]) {
    for piece in text.chunks(256) {
        flush();
        let _shown = SHOWN.lock();
        consoles().for_each(|console| console.write(piece));
    }
    flush();
}

/// Shows the records that no console has shown yet, unless another CPU is at it. Before the first console there is nothing
/// to do: the records wait for it. Interrupts are let in after each record.
pub fn flush() {
    while consoles().next().is_some() && show_next() {}
}

/// Shows one record, if there is one and the lock is free; whether there may be another.
#[inline(never)]
fn show_next() -> bool {
    let mut record = Record::new();
    let Some(mut shown) = SHOWN.try_lock() else { return false };
    let next = *shown;
    let Some(number) = RING.lock().read(next, &mut record) else {
        drop(shown);
        return super::next_number() > next;
    };
    *shown = number + 1;
    let limit = if params::QUIET.get() { Level::Warning } else { Level::Info };
    if record.plain || record.level <= limit {
        let _ = show_record(&record);
    }
    true
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::log::Level;
    use std::sync::Mutex;

    struct Screen(Mutex<String>);

    impl Console for Screen {
        fn write(&self, text: &[u8]) {
            self.0.lock().expect("no panic").push_str(std::str::from_utf8(text).expect("text"));
        }
        fn write_emergency(&self, text: &[u8]) {
            self.write(b"!");
            self.write(text);
        }
    }

    static SCREEN: Screen = Screen(Mutex::new(String::new()));

    /// Lines on the screen that hold `mark`, without their times.
    fn lines(mark: &str) -> Vec<String> {
        let screen = SCREEN.0.lock().expect("no panic");
        let line = |line: &str| line.split_once("] ").map_or(line, |(_, text)| text).to_string();
        screen.lines().filter(|line| line.contains(mark)).map(line).collect()
    }

    #[test]
    fn a_console_shows_the_log_in_order_from_before_it_came() {
        crate::info!("early-mark {}", 1);
        add_console(&SCREEN);
        assert_eq!(lines("early-mark"), ["early-mark 1"]);

        std::thread::scope(|scope| {
            for thread in 0..4 {
                scope.spawn(move || (0..50).for_each(|n| crate::info!("many-mark {thread} {n}")));
            }
        });
        let many = lines("many-mark");
        assert_eq!(many.len(), 200, "no record is left behind");
        for thread in 0..4 {
            let own = many.iter().filter(|line| line.starts_with(&std::format!("many-mark {thread} ")));
            assert!(own.enumerate().all(|(n, line)| line.ends_with(&std::format!(" {n}"))));
        }

        super::super::write(Level::Debug, format_args!("quiet-mark debug"));
        let quiet = |text| crate::param::set_by_name("", "quiet", text).expect("a bool");
        quiet(None);
        crate::info!("quiet-mark info");
        crate::warn!("quiet-mark warn");
        crate::error!("quiet-mark error");
        crate::kernel_println!("quiet-mark {}", "print\nline");
        quiet(Some("n"));
        assert_eq!(
            lines("quiet-mark"),
            ["quiet-mark warn", "quiet-mark error", "base: quiet-mark print\\nline"]
        );

        console_write(b"program-mark\n");
        crate::log::panic_write(format_args!("panic-mark {}", 1));
        crate::log::panic_write(format_args!("2\nnext-mark\n"));
        assert_eq!(lines("program-mark"), ["program-mark"]);
        let panic = lines("panic-mark").concat();
        assert_eq!(panic.replace('!', ""), "panic-mark 12");
        assert_eq!(lines("next-mark").len(), 1);
    }
}
