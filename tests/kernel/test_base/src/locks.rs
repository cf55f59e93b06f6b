//! Locks and per-CPU state on a real CPU.

use base::sync::{IrqSpinLock, OnceCell, SpinLock, rank};
use base::{irq, percpu};
use ktest::{check, check_eq, ktest};

ktest! {
    fn an_interrupt_masking_lock_masks_and_puts_back_what_was() {
        static LOCK: IrqSpinLock<u32> = IrqSpinLock::new(rank::CONTROL, 7);
        check!(irq::enabled());
        {
            let mut value = LOCK.lock();
            check!(!irq::enabled());
            check!(LOCK.try_lock().is_none());
            *value += 1;
        }
        check!(irq::enabled());
        {
            let _masked = irq::IrqGuard::new();
            check_eq!(*LOCK.lock(), 8);
            check!(!irq::enabled(), "the lock turned interrupts on that were off before it");
        }
        check!(irq::enabled());
    }

    fn a_plain_lock_keeps_the_task_on_its_cpu_and_leaves_interrupts_on() {
        static LOCK: SpinLock<u32> = SpinLock::new(rank::MODULE, 7);
        let count = percpu::preempt_count();
        {
            let _held = LOCK.lock();
            check_eq!(percpu::preempt_count(), count + 1);
            check!(irq::enabled());
            check!(LOCK.try_lock().is_none());
        }
        check_eq!(percpu::preempt_count(), count);
        check!(LOCK.try_lock().is_some());
        check_eq!(percpu::preempt_count(), count);
    }

    fn a_cell_is_set_once() {
        static CELL: OnceCell<u32> = OnceCell::new();
        check!(CELL.get().is_none());
        check_eq!(CELL.set(1), Ok(()));
        check_eq!(CELL.set(2), Err(2));
        check_eq!(CELL.get(), Some(&1));
    }

    fn this_runs_on_cpu_0_outside_of_interrupts() {
        check_eq!((percpu::cpu_id(), percpu::irq_nest()), (0, 0));
    }
}
