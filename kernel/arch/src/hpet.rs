//! The high precision event timer, as a clock to measure by: a counter of known period.
//!
//! Only the main counter is used. Source: IA-PC HPET specification 1.0a, section 2.3.

use core::ptr::NonNull;
use volatile::VolatilePtr;

const CAPABILITIES: usize = 0x00;
const CONFIGURATION: usize = 0x10;
const MAIN_COUNTER: usize = 0xf0;
const ENABLE: u64 = 1;
const FEMTOSECONDS: u64 = 1_000_000_000_000_000;

/// A running counter.
#[derive(Clone, Copy)]
pub struct Hpet {
    base: u64,
    hz: u64,
}

impl Hpet {
    /// Starts the counter whose registers are mapped at `base`. `None` where the registers make no sense.
    ///
    /// # Safety
    /// The 1 KiB at `base` are the registers of a high precision event timer, mapped uncached, for ever.
    pub unsafe fn start(base: u64) -> Option<Self> {
        let mut hpet = Self { base, hz: 0 };
        let period = hpet.register(CAPABILITIES).read() >> 32;
        // The specification allows no period above 100 ns.
        if period == 0 || period > 100_000_000 {
            return None;
        }
        hpet.hz = FEMTOSECONDS / period;
        let configuration = hpet.register(CONFIGURATION);
        configuration.write(configuration.read() | ENABLE);
        Some(hpet)
    }

    /// The counter. Its low 32 bits are enough for what is measured here and are there on every chip.
    pub fn count(&self) -> u32 {
        self.register(MAIN_COUNTER).read() as u32
    }

    /// Counts a second.
    pub fn hz(&self) -> u64 {
        self.hz
    }

    fn register(&self, offset: usize) -> VolatilePtr<'_, u64> {
        let address = (self.base as usize + offset) as *mut u64;
        // SAFETY: `start` was promised mapped registers; the offsets are the specification's and never null.
        unsafe { VolatilePtr::new(NonNull::new_unchecked(address)) }
    }
}
