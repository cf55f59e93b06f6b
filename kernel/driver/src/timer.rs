//! The tick: line 0, raised by the interval timer [`HZ`] times a second.

use crate::line::{self, RequestError};
use arch::irq::LineHandler;
use arch::pit;
use core::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// Ticks a second.
pub const HZ: u32 = 250;

static TICKS: AtomicU64 = AtomicU64::new(0);

struct Tick;

impl LineHandler for Tick {
    fn handle(&self) {
        TICKS.fetch_add(1, Relaxed);
    }
}

/// Starts the tick.
///
/// # Errors
/// [`RequestError`].
pub fn init() -> Result<(), RequestError> {
    pit::start(HZ);
    line::request(pit::LINE, "timer", &Tick)
}

/// Ticks since boot.
pub fn ticks() -> u64 {
    TICKS.load(Relaxed)
}
