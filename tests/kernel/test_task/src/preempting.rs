//! Preemption: a task in kernel mode is switched away against its will, unless it holds a spin lock or masks interrupts.

use crate::crew::on_first_cpu;
use base::clock::now_ns;
use base::percpu::PreemptGuard;
use core::sync::atomic::{AtomicBool, AtomicU64, Ordering::SeqCst};
use ktest::{check, check_eq, ktest};

static STOP: AtomicBool = AtomicBool::new(false);
static SEEN: AtomicU64 = AtomicU64::new(0);

/// A long stretch in the kernel that never sleeps.
fn spins(_: ()) -> i32 {
    let start = now_ns();
    while !STOP.load(SeqCst) {
        core::hint::spin_loop();
        if now_ns() - start > 5_000_000_000 {
            return 1;
        }
    }
    0
}

fn sets_stop(_: ()) -> i32 {
    STOP.store(true, SeqCst);
    0
}

/// Keeps preemption off for a while, and says whether the other one ran meanwhile, and right after.
fn spins_unpreempted(_: ()) -> i32 {
    let guard = PreemptGuard::new();
    let start = now_ns();
    while now_ns() - start < 30_000_000 {
        core::hint::spin_loop();
    }
    SEEN.store(1 + u64::from(STOP.load(SeqCst)), SeqCst);
    drop(guard);
    let start = now_ns();
    while !STOP.load(SeqCst) {
        if now_ns() - start > 5_000_000_000 {
            return 1;
        }
    }
    0
}

ktest! {
    fn a_task_that_never_sleeps_is_switched_away() {
        STOP.store(false, SeqCst);
        let spinner = on_first_cpu("spinner", (), spins)?;
        let stopper = on_first_cpu("stopper", (), sets_stop)?;
        check_eq!(stopper.join(), 0);
        check_eq!(spinner.join(), 0);
        check!(spinner.switches().1 > 0, "the spinner was never switched away against its will");
    }

    fn a_task_that_disabled_preemption_stays_until_it_enables_it() {
        STOP.store(false, SeqCst);
        SEEN.store(0, SeqCst);
        let spinner = on_first_cpu("holder", (), spins_unpreempted)?;
        while SEEN.load(SeqCst) == 0 && spinner.run_ns() == 0 && spinner.switches().0 == 0 {
            task::timer::sleep(1_000_000)?;
            if base::percpu::cpu_id() == 0 {
                break;
            }
        }
        let stopper = on_first_cpu("stopper", (), sets_stop)?;
        check_eq!(spinner.join(), 0);
        check_eq!(stopper.join(), 0);
        check_eq!(SEEN.load(SeqCst), 1, "the other task ran on the CPU while preemption was disabled");
    }

    fn a_task_remembers_whether_it_left_of_its_own_will() {
        STOP.store(false, SeqCst);
        let spinner = on_first_cpu("spinner", (), spins)?;
        let start = now_ns();
        while spinner.left_voluntarily() && now_ns() - start < 5_000_000_000 {
            // Wakes on CPU 0 as often as not, and takes the CPU from the spinner then.
            let nudge = on_first_cpu("nudge", (), |()| 0)?;
            nudge.join();
        }
        let against = !spinner.left_voluntarily();
        STOP.store(true, SeqCst);
        check_eq!(spinner.join(), 0);
        check!(against, "a spinner that was switched away counts as having left of its own will");
    }
}
