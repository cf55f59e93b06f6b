//! The clock: the time stamp counter, told by CPUID or measured once at boot.
//!
//! It is measured against the high precision event timer (10 ns in QEMU) for 100 us, or against the power management
//! timer (279 ns) for 1 ms. Each read of a clock sits between two reads of the counter, and the pair with the shortest
//! gap of several is taken, so that an interruption of the virtual machine does not spoil it.

use crate::hpet::Hpet;
use crate::{acpi, cpu, port};
use core::fmt;
use core::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// The power management timer's frequency, in Hz (ACPI specification, section 4.8.3.3).
const PM_TIMER_HZ: u64 = 3_579_545;

/// How the frequency was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// CPUID told it.
    Cpuid,
    /// Measured against the high precision event timer.
    Hpet,
    /// Measured against the power management timer.
    PmTimer,
    /// Nothing to measure by: a guess of 1 GHz.
    Guess,
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Source::Cpuid => "told by CPUID",
            Source::Hpet => "measured against the HPET",
            Source::PmTimer => "measured against the ACPI timer",
            Source::Guess => "guessed: no clock to measure by",
        })
    }
}

static HZ: AtomicU64 = AtomicU64::new(0);
static START: AtomicU64 = AtomicU64::new(0);

/// The time stamp counter. Not ordered against the instructions around it.
#[inline(always)]
pub fn cycles() -> u64 {
    // SAFETY: reading the counter is always allowed in the kernel.
    unsafe { core::arch::x86_64::_rdtsc() }
}

/// Remembers the counter's value at the kernel's first instruction; log times count from there.
pub fn start_at(cycles: u64) {
    START.store(cycles, Relaxed);
    base::clock::set_epoch(cycles);
}

/// Cycles since the kernel's first instruction.
pub fn cycles_since_start() -> u64 {
    cycles().wrapping_sub(START.load(Relaxed))
}

/// The counter's frequency in Hz; 0 before [`init`].
pub fn hz() -> u64 {
    HZ.load(Relaxed)
}

/// Finds the counter's frequency and sets the kernel's clock by it. Takes at most about 1 ms.
pub fn init(hpet: Option<Hpet>) -> (u64, Source) {
    let (hz, source) = if let Some(hz) = cpu::tsc_hz() {
        (hz, Source::Cpuid)
    } else if let Some(hpet) = hpet {
        (measure(&|| hpet.count(), hpet.hz(), hpet.hz() / 10_000, u32::MAX), Source::Hpet)
    } else if let Some(port) = acpi::facts().pm_timer {
        (
            measure(&|| port::inl(port) & 0xff_ffff, PM_TIMER_HZ, PM_TIMER_HZ / 1000, 0xff_ffff),
            Source::PmTimer,
        )
    } else {
        (1_000_000_000, Source::Guess)
    };
    HZ.store(hz, Relaxed);
    base::clock::set_frequency(hz);
    (hz, source)
}

/// Measures the counter over `ticks` of a clock that runs at `hz` and counts up to `mask`.
fn measure(clock: &dyn Fn() -> u32, hz: u64, ticks: u64, mask: u32) -> u64 {
    let (tsc0, clock0) = edge(clock);
    let elapsed = |now: u32| u64::from(now.wrapping_sub(clock0) & mask);
    while elapsed(clock()) < ticks {
        core::hint::spin_loop();
    }
    let (tsc1, clock1) = edge(clock);
    let passed = elapsed(clock1).max(1);
    (u128::from(tsc1.wrapping_sub(tsc0)) * u128::from(hz) / u128::from(passed)) as u64
}

/// A reading of both clocks at one moment: just as the slower one moves on.
fn edge(clock: &dyn Fn() -> u32) -> (u64, u32) {
    let mut best = (u64::MAX, 0, 0);
    for _ in 0..4 {
        let first = clock();
        loop {
            let before = cycles();
            let now = clock();
            let after = cycles();
            if now != first {
                if after.wrapping_sub(before) < best.0 {
                    best = (after.wrapping_sub(before), before / 2 + after / 2, now);
                }
                break;
            }
        }
    }
    (best.1, best.2)
}
