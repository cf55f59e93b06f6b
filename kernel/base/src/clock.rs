//! Nanoseconds since the kernel's first instruction, from the time stamp counter.
//!
//! The architecture layer says where the counter stood at the first instruction and, once it knows, how fast it runs.
//! Reading takes no lock and works in every context, the panic path included. Before the frequency is known a cycle is
//! taken for a nanosecond: true at 1 GHz (and under `--icount`), ahead of the truth on a faster counter.

use core::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// Fraction bits of [`SCALE`].
const SHIFT: u32 = 32;

/// The counter at the kernel's first instruction.
static EPOCH: AtomicU64 = AtomicU64::new(0);
/// Nanoseconds a cycle, as a fixed-point number. Together with the epoch this is all there is, so a reader never sees
/// half of a change.
static SCALE: AtomicU64 = AtomicU64::new(1 << SHIFT);

/// Says where the counter stood at the kernel's first instruction.
pub fn set_epoch(cycles: u64) {
    EPOCH.store(cycles, Relaxed);
}

/// Says how fast the counter runs, in Hz (0 is ignored; frequencies from 1 Hz up are exact to 2^-32 ns a cycle).
pub fn set_frequency(hz: u64) {
    if let Some(scale) = (1_000_000_000u128 << SHIFT).checked_div(hz.into()) {
        SCALE.store(u64::try_from(scale).unwrap_or(u64::MAX), Relaxed);
    }
}

/// The time stamp counter.
#[inline]
pub fn cycles() -> u64 {
    tsc()
}

/// Nanoseconds that `cycles` of the counter take.
#[inline]
pub fn cycles_to_ns(cycles: u64) -> u64 {
    ((u128::from(cycles) * u128::from(SCALE.load(Relaxed))) >> SHIFT) as u64
}

/// Nanoseconds since the kernel's first instruction.
#[inline]
pub fn now_ns() -> u64 {
    cycles_to_ns(cycles().wrapping_sub(EPOCH.load(Relaxed)))
}

#[allow(unsafe_code, reason = "an intrinsic that only reads a counter")]
#[inline]
fn tsc() -> u64 {
    // SAFETY: `rdtsc` is always there on x86-64 and allowed in ring 0.
    unsafe { core::arch::x86_64::_rdtsc() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cycles_become_nanoseconds_at_the_frequency_told() {
        for (hz, cycles, ns) in [
            (1_000_000_000, 123, 123),
            (2_000_000_000, 4_000_000_001, 2_000_000_000),
            (3_000_000, 3_000_000 * 86_400 * 365, 86_400 * 365 * 1_000_000_000),
        ] {
            set_frequency(hz);
            let off = cycles_to_ns(cycles).abs_diff(ns);
            assert!(off <= 1 + ns / 1_000_000_000, "{hz} Hz, {cycles} cycles: off by {off} ns");
        }
        set_frequency(0);
        set_frequency(1_000_000_000);
        assert_eq!(cycles_to_ns(u64::MAX), u64::MAX);
    }
}
