//! Sleeping until a time.

use crate::crew::together;
use base::clock::now_ns;
use core::sync::atomic::{AtomicU64, Ordering::SeqCst};
use ktest::{check, ktest, note};

static LATEST: AtomicU64 = AtomicU64::new(0);

fn sleeps(number: usize) -> i32 {
    let mut early = false;
    for round in 0..40u64 {
        let length = 50_000 * (1 + (round * 7 + number as u64 * 13) % 40);
        let deadline = now_ns() + length;
        if task::timer::sleep_until(deadline).is_err() {
            return 2;
        }
        let now = now_ns();
        early |= now < deadline;
        LATEST.fetch_max(now.saturating_sub(deadline), SeqCst);
    }
    i32::from(early)
}

ktest! {
    fn no_sleeper_wakes_before_its_time() {
        LATEST.store(0, SeqCst);
        together(6, sleeps)?;
        note(format_args!("latest wake-up {} us after its time", LATEST.load(SeqCst) / 1000));
    }

    fn a_time_that_has_passed_is_no_sleep() {
        let start = now_ns();
        task::timer::sleep_until(start.saturating_sub(1))?;
        check!(now_ns() >= start);
    }
}
