//! The real-time clock (MC146818): the time of day at boot, and line 8 for a periodic interrupt.
//!
//! The periodic interrupt is off until [`start_periodic`]. Its handler reads register C, without which the chip raises no
//! other. Lock: the index and data ports are a pair, so a register access holds the lock in [`arch::rtc`].

use crate::line::{self, RequestError};
use arch::irq::LineHandler;
use arch::rtc::{self, Register};
use core::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// The line the chip raises.
pub const LINE: u8 = 8;

static PERIODS: AtomicU64 = AtomicU64::new(0);

struct Rtc;

impl LineHandler for Rtc {
    fn handle(&self) {
        acknowledge();
        PERIODS.fetch_add(1, Relaxed);
    }
}

/// Takes the line, with the chip silent.
///
/// # Errors
/// [`RequestError`].
pub fn init() -> Result<(), RequestError> {
    stop_periodic();
    line::request(LINE, "rtc", &Rtc)
}

/// Raises the line 1,024 times a second.
pub fn start_periodic() {
    const PERIODIC: u8 = 1 << 6;
    const RATE_1024_HZ: u8 = 6;
    rtc::modify(Register::A, 0xf0, RATE_1024_HZ);
    rtc::modify(Register::B, !PERIODIC, PERIODIC);
    acknowledge();
}

/// Raises the line no more.
pub fn stop_periodic() {
    const ALL_INTERRUPTS: u8 = 0b0111_0000;
    rtc::modify(Register::B, !ALL_INTERRUPTS, 0);
    acknowledge();
}

/// Reads the register that the chip waits for before it raises the line again. Every handler of the line does this.
pub fn acknowledge() {
    rtc::read(Register::C);
}

/// Periodic interrupts taken since boot.
pub fn periods() -> u64 {
    PERIODS.load(Relaxed)
}
