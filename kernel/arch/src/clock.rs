//! The clock: the time stamp counter, told by CPUID or measured once at boot.
//!
//! It is measured against the high precision event timer (10 ns in QEMU) for 400 us, or against the power management
//! timer (279 ns) for 1 ms.

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
pub fn init(hpet: Option<Hpet>) -> Frequency {
    let (hz, source) = if let Some(hz) = cpu::tsc_hz() {
        (hz, Source::Cpuid)
    } else if let Some(hpet) = hpet {
        (measure(&|| hpet.count(), hpet.hz(), hpet.hz() / 2_500, u32::MAX), Source::Hpet)
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
    Frequency { hz, source }
}

/// The counter's frequency and how it is known: `TSC 2400.012 MHz, measured against the HPET`.
#[derive(Clone, Copy, Debug)]
pub struct Frequency {
    /// In Hz.
    pub hz: u64,
    /// Where it comes from.
    pub source: Source,
}

impl fmt::Display for Frequency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TSC {}.{:03} MHz, {}", self.hz / 1_000_000, self.hz / 1000 % 1000, self.source)
    }
}

/// Measures the counter over `ticks` of a clock that runs at `hz` and counts up to `mask`.
///
/// A clock's tick is long beside a cycle, so each end of the interval is read [`SAMPLES`] times: of all samples, the one
/// with the earliest counter for its tick stood closest behind the tick's edge. That error is the same at both ends.
fn measure(clock: &dyn Fn() -> u32, hz: u64, ticks: u64, mask: u32) -> u64 {
    let passed = |from: u32, to: u32| u64::from(to.wrapping_sub(from) & mask);
    let first = sample(clock);
    while passed(first[0].1, clock()) < ticks {
        core::hint::spin_loop();
    }
    let last = sample(clock);
    // Cycles a tick, in 1/65536: good enough to bring the few ticks between samples to one edge.
    let coarse = (last[0].0.wrapping_sub(first[0].0) << 16) / passed(first[0].1, last[0].1).max(1);
    let edge = |samples: &[(u64, u32); SAMPLES]| {
        let back =
            |&(cycles, count): &(u64, u32)| cycles.wrapping_sub((coarse * passed(samples[0].1, count)) >> 16);
        samples.iter().map(back).min().unwrap_or(0)
    };
    let cycles = edge(&last).wrapping_sub(edge(&first));
    (u128::from(cycles) * u128::from(hz) / u128::from(passed(first[0].1, last[0].1).max(1))) as u64
}

const SAMPLES: usize = 24;

/// Pairs of the counter and the clock, the counter read just before; a pair with an interruption between is read again.
fn sample(clock: &dyn Fn() -> u32) -> [(u64, u32); SAMPLES] {
    let pair = || {
        let before = cycles();
        let count = clock();
        (before, count, cycles().wrapping_sub(before))
    };
    let usual = (0..4).map(|_| pair().2).min().unwrap_or(0);
    core::array::from_fn(|_| {
        let mut best = pair();
        for _ in 0..8 {
            if best.2 <= usual * 2 {
                break;
            }
            best = pair();
        }
        (best.0, best.1)
    })
}
