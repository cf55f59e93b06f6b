//! Lines: who has them, what they count.

use arch::irq::{self, LINES, LineError, LineHandler};
use core::sync::atomic::{AtomicU64, Ordering::Relaxed};
use ktest::{check, check_eq, ktest};

struct Counting(AtomicU64);

impl LineHandler for Counting {
    fn handle(&self) {
        self.0.fetch_add(1, Relaxed);
    }
}

static COUNTING: Counting = Counting(AtomicU64::new(0));

ktest! {
    fn timer_serial_and_clock_chip_have_their_lines() {
        for (line, name) in [(0, "timer"), (4, "serial"), (8, "rtc")] {
            let info = irq::line_info(line).ok_or("the line has no handler")?;
            check_eq!((info.line, info.name), (line, name));
        }
    }

    fn a_line_that_is_taken_or_does_not_exist_is_refused() {
        let bounds = irq::line_info(0).ok_or("no timer")?.stack;
        // SAFETY: refused before the stack is used, which is what this test is about.
        let (taken, none) = unsafe {
            (
                irq::request_line(0, "test", &COUNTING, bounds),
                irq::request_line(LINES as u8, "test", &COUNTING, bounds),
            )
        };
        check_eq!(taken, Err(LineError::Busy));
        check_eq!(none, Err(LineError::NoSuchLine));
        check!(irq::line_info(3).is_none() && irq::line_info(LINES as u8).is_none());
        check!(irq::replace_handler(3, &COUNTING).is_err());
    }

    fn a_replaced_handler_gets_the_lines_interrupts_and_the_line_counts_them() {
        let before = irq::line_info(0).ok_or("no timer")?.count;
        let old = irq::replace_handler(0, &COUNTING).map_err(|_| "no timer")?;
        let enough = crate::ticking::wait_until(&|| COUNTING.0.load(Relaxed) >= 20);
        irq::replace_handler(0, old).map_err(|_| "no timer")?;
        let counted = irq::line_info(0).ok_or("no timer")?.count - before;
        check!(enough, "{} interrupts", COUNTING.0.load(Relaxed));
        check!(counted >= COUNTING.0.load(Relaxed), "{counted} counted, {} handled", COUNTING.0.load(Relaxed));
        check!(counted <= COUNTING.0.load(Relaxed) + 2, "{counted} counted, {} handled", COUNTING.0.load(Relaxed));
    }

    fn a_handler_runs_with_interrupts_on_and_nested_once() {
        static SEEN: AtomicU64 = AtomicU64::new(0);
        struct Looking;
        impl LineHandler for Looking {
            fn handle(&self) {
                let on = u64::from(x86_64_interrupts_are_on());
                SEEN.store(1 << 16 | on << 8 | u64::from(irq::nesting()), Relaxed);
            }
        }
        let old = irq::replace_handler(0, &Looking).map_err(|_| "no timer")?;
        let came = crate::ticking::wait_until(&|| SEEN.load(Relaxed) != 0);
        irq::replace_handler(0, old).map_err(|_| "no timer")?;
        check!(came);
        check_eq!(SEEN.load(Relaxed), 1 << 16 | 1 << 8 | 1);
        check_eq!(irq::nesting(), 0);
    }
}

fn x86_64_interrupts_are_on() -> bool {
    let flags: u64;
    // SAFETY: pushes and pops the flags.
    unsafe { core::arch::asm!("pushfq", "pop {}", out(reg) flags, options(nomem)) };
    flags & 1 << 9 != 0
}
