//! Threads that end, queues, and the lock whose holder may sleep.

use crate::crew::{cpus, together};
use core::sync::atomic::{AtomicU64, AtomicUsize, Ordering::SeqCst};
use ktest::{check, check_eq, ktest};
use mm::frame;
use task::{Mutex, WaitQueue};

static TURN: AtomicUsize = AtomicUsize::new(0);
static TURNS: WaitQueue = WaitQueue::new();
static COUNTED: Mutex<u64> = Mutex::new(0);
static INSIDE: AtomicU64 = AtomicU64::new(0);

fn ends(number: usize) -> i32 {
    number as i32 * 3
}

fn takes_turns(number: usize) -> i32 {
    for round in 0..ROUNDS {
        TURNS.wait_until(|| TURN.load(SeqCst) == round * PLAYERS + number);
        TURN.fetch_add(1, SeqCst);
        TURNS.wake_all();
    }
    0
}
const PLAYERS: usize = 5;
const ROUNDS: usize = 300;

fn counts(_: usize) -> i32 {
    let mut alone = true;
    for round in 0..2000 {
        let mut counted = COUNTED.lock();
        alone &= INSIDE.fetch_add(1, SeqCst) == 0;
        *counted += 1;
        if round % 64 == 0 {
            // The holder goes away with the lock.
            task::yield_now();
        }
        INSIDE.fetch_sub(1, SeqCst);
    }
    i32::from(!alone)
}

ktest! {
    fn a_thread_ends_with_what_its_function_returns() {
        for number in 0..20 {
            let thread = task::spawn(format_args!("ends"), number, ends)?;
            check_eq!(thread.join(), number as i32 * 3);
        }
    }

    fn threads_that_ended_leave_no_frame_behind() {
        together(8, |_| 0)?;
        let before = settled()?;
        for _ in 0..30 {
            together(8, |_| 0)?;
        }
        let after = settled()?;
        check!(after <= before, "{before} frames before, {after} after");
    }

    fn who_waits_goes_on_when_it_is_woken_and_no_sooner() {
        TURN.store(0, SeqCst);
        together(PLAYERS, takes_turns)?;
        check_eq!(TURN.load(SeqCst), PLAYERS * ROUNDS);
    }

    fn one_task_at_a_time_holds_a_mutex() {
        *COUNTED.lock() = 0;
        let crew = 2 * cpus() + 1;
        together(crew, counts)?;
        check_eq!(*COUNTED.lock(), 2000 * crew as u64);
    }
}

/// Frames in use once the CPUs have let go of the threads that ended.
fn settled() -> Result<u64, ktest::Failed> {
    task::timer::sleep(5_000_000)?;
    Ok(frame::usage().allocated)
}
