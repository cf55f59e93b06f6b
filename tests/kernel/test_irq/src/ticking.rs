//! The clock and its tick.

use arch::clock;
use ktest::{check, ktest, note};

/// How long a test waits for hardware, in cycles of at least half a nanosecond: 5 s and more.
const PATIENCE: u64 = 10_000_000_000;

/// Waits until the condition holds; false when that takes too long.
pub(crate) fn wait_until(condition: &dyn Fn() -> bool) -> bool {
    let start = clock::cycles();
    while !condition() {
        if clock::cycles().wrapping_sub(start) > PATIENCE {
            return false;
        }
        core::hint::spin_loop();
    }
    true
}

ktest! {
    fn the_clock_never_goes_back() {
        let mut last = clock::cycles();
        for _ in 0..100_000 {
            let now = clock::cycles();
            check!(now >= last, "{last}, then {now}");
            last = now;
        }
    }

    fn the_frequency_is_that_of_a_machine_of_this_century() {
        let hz = clock::hz();
        note(format_args!("{hz} Hz"));
        check!((100_000_000..20_000_000_000).contains(&hz), "{hz} Hz");
    }

    fn ticks_come_as_often_as_the_clock_says() {
        let (ticks, cycles) = (driver::timer::ticks(), clock::cycles());
        check!(wait_until(&|| driver::timer::ticks() >= ticks + 50));
        let passed = u128::from(clock::cycles() - cycles) * 1000 / u128::from(clock::hz());
        let expected = 50 * 1000 / u128::from(driver::timer::HZ);
        note(format_args!("50 ticks in {passed} ms, {expected} ms expected"));
        // A busy host delivers them late, and leaves some out, but never makes them up.
        check!(passed + 10 >= expected, "50 ticks in {passed} ms");
        check!(passed <= expected * 10, "50 ticks in {passed} ms");
    }

    fn the_clock_chips_periodic_interrupt_comes_only_when_asked_for() {
        let quiet = driver::rtc::periods();
        let ticks = driver::timer::ticks();
        check!(wait_until(&|| driver::timer::ticks() >= ticks + 5));
        check!(driver::rtc::periods() == quiet, "{} periods before it was started", driver::rtc::periods() - quiet);
        driver::rtc::start_periodic();
        let came = wait_until(&|| driver::rtc::periods() >= quiet + 20);
        driver::rtc::stop_periodic();
        check!(came, "{} periods", driver::rtc::periods() - quiet);
        // One may be on its way still.
        let stopped = driver::rtc::periods();
        let ticks = driver::timer::ticks();
        check!(wait_until(&|| driver::timer::ticks() >= ticks + 5));
        check!(driver::rtc::periods() <= stopped + 1, "{} periods after the end", driver::rtc::periods() - stopped);
    }
}
