//! The locks' rules on the host, where a thread stands for a CPU.

#![allow(unsafe_code, reason = "per-CPU data lies in a section of its own")]

use super::*;
use crate::{irq, percpu};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

/// What the checks say about `work`.
fn complaint(work: impl FnOnce()) -> String {
    let panic = catch_unwind(AssertUnwindSafe(work)).expect_err("the check must panic");
    panic.downcast_ref::<String>().expect("with a message").clone()
}

fn nothing_held() -> bool {
    percpu::held() == (0, 0) && percpu::preempt_count() == 0 && irq::enabled()
}

#[test]
fn one_cpu_at_a_time_holds_a_lock() {
    let lock = IrqSpinLock::new(rank::FRAMES, 0u32);
    let inside = AtomicU32::new(0);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..1000 {
                    let mut count = lock.lock();
                    assert_eq!(inside.fetch_add(1, Relaxed), 0);
                    *count += 1;
                    inside.fetch_sub(1, Relaxed);
                }
            });
        }
    });
    assert_eq!(lock.into_inner(), 4000);
}

#[test]
fn a_lock_turns_preemption_off_and_perhaps_interrupts() {
    let task = SpinLock::new(rank::MODULE, ());
    let irq = IrqSpinLock::new(rank::LOG, ());
    {
        let _task = task.lock();
        assert_eq!((percpu::preempt_count(), irq::enabled()), (1, true));
        {
            let _irq = irq.lock();
            assert_eq!((percpu::preempt_count(), irq::enabled()), (2, false));
            assert!(task.try_lock().is_none() && irq.try_lock().is_none());
            assert_eq!((percpu::preempt_count(), irq::enabled()), (2, false));
        }
        assert_eq!((percpu::preempt_count(), irq::enabled()), (1, true));
    }
    assert!(nothing_held());
}

#[test]
fn interrupts_stay_masked_where_they_were() {
    let state = irq::disable();
    drop(IrqSpinLock::new(rank::LOG, ()).lock());
    assert!(!irq::enabled());
    irq::restore(state);
    assert!(nothing_held());
}

#[test]
fn locks_are_taken_in_the_order_of_their_ranks() {
    let frames = IrqSpinLock::new(rank::FRAMES, ());
    let other_frames = IrqSpinLock::new(rank::FRAMES, ());
    let slab = IrqSpinLock::new(rank::SLAB, ());
    let module = SpinLock::new(rank::MODULE, ());
    drop((slab.lock(), frames.lock()));
    let held = frames.lock();
    assert_eq!(complaint(|| drop(slab.lock())), "lock order: SLAB is waited for while FRAMES is held");
    assert_eq!(
        complaint(|| drop(other_frames.lock())),
        "lock order: FRAMES is waited for while FRAMES is held"
    );
    // Never waiting is always allowed, and is forgotten with the lock.
    drop((slab.try_lock(), other_frames.try_lock()));
    assert_eq!(percpu::held().0.count_ones(), 1);
    drop(held);
    let held = module.try_lock();
    drop((slab.lock(), held));
    assert!(nothing_held());
}

#[test]
fn below_a_masking_lock_and_in_handlers_only_masking_locks_are_taken() {
    let outer = IrqSpinLock::new(rank::MODULE, ());
    let inner = SpinLock::new(rank::PARAM, ());
    let held = outer.lock();
    let text = complaint(|| drop(inner.lock()));
    assert!(text.contains("PARAM, which leaves interrupts on") && text.contains("MODULE"), "{text}");
    drop(held);
    percpu::irq_enter();
    drop(outer.lock());
    assert!(complaint(|| drop(inner.lock())).ends_with("in an interrupt handler"));
    percpu::irq_leave();
    assert!(nothing_held());
}

#[test]
fn a_cell_is_set_by_exactly_one() {
    let cell = OnceCell::new();
    assert_eq!(cell.get(), None);
    let set = AtomicU32::new(0);
    std::thread::scope(|scope| {
        for n in 0..4 {
            let (cell, set) = (&cell, &set);
            scope.spawn(move || match cell.set(std::vec![n; 3]) {
                Ok(()) => {
                    set.fetch_add(1, Relaxed);
                }
                Err(back) => assert_eq!(back, [n; 3]),
            });
        }
    });
    assert_eq!(set.into_inner(), 1);
    let value = cell.get().expect("one has set it");
    assert!(value.iter().all(|n| *n == value[0]));
}

crate::per_cpu! {
    static MINE: core::cell::Cell<u32> = core::cell::Cell::new(3);
}

#[test]
fn per_cpu_data_is_used_with_interrupts_masked() {
    MINE.with(|mine| {
        assert!(!irq::enabled());
        mine.set(mine.get() + 1);
    });
    assert_eq!(MINE.get(), 4);
    assert!(nothing_held());
}
