//! Kernel stacks: bounds, paint, marks.

use arch::stack::call_on;
use core::sync::atomic::{AtomicU64, Ordering::Relaxed};
use ktest::{check, check_eq, ktest, with_stack_used};
use mm::label::Label;
use mm::layout::PAGE_SIZE;
use mm::paging;
use mm::stack::{INTERRUPT, KernelStack, TASK};

static SEEN: AtomicU64 = AtomicU64::new(0);

ktest! {
    fn stacks_have_the_documented_sizes_and_guards() {
        check_eq!((TASK, INTERRUPT), (8 << 10, 16 << 10));
        for bytes in [TASK, INTERRUPT] {
            let stack = KernelStack::new(bytes, Label::new(format_args!("the test's stack")))?;
            let bounds = stack.bounds();
            check_eq!(bounds.size(), bytes);
            let table = paging::kernel_tables();
            check!(table.lookup(bounds.bottom - PAGE_SIZE).is_none() && table.lookup(bounds.top).is_none());
        }
    }

    fn the_mark_tells_how_deep_a_stack_was_used() {
        let stack = KernelStack::new(INTERRUPT, Label::new(format_args!("the test's stack")))?;
        let bounds = stack.bounds();
        // SAFETY: the stack is mapped and ours.
        check_eq!(unsafe { bounds.high_water() }, 0);
        for bytes in [500, 1000, 4000, 8000, 12000] {
            // SAFETY: the stack is mapped, aligned and ours; `touch` uses what it is told and returns.
            unsafe { call_on(bounds.top, touch, bytes) };
            check!(bounds.contains(SEEN.load(Relaxed)), "ran at {:#x}", SEEN.load(Relaxed));
            // SAFETY: as above.
            let mark = unsafe { bounds.high_water() };
            check!((bytes..bytes + 1536).contains(&mark), "{mark} bytes for {bytes}");
        }
    }

    fn the_main_task_runs_on_a_guarded_stack_of_8_kib() {
        let table = paging::kernel_tables();
        let there = ktest::loaders_stack() & !(PAGE_SIZE - 1);
        let mapped = |page: u64| table.lookup(page).is_some();
        check!(mapped(there));
        let below = (1..4).take_while(|i| mapped(there - i * PAGE_SIZE)).count();
        let above = (1..4).take_while(|i| mapped(there + i * PAGE_SIZE)).count();
        check_eq!((below + 1 + above) as u64 * PAGE_SIZE, TASK);
    }
}

/// Uses `bytes` bytes of stack, and remembers where it ran.
extern "C" fn touch(bytes: u64) {
    with_stack_used(bytes, &|| SEEN.store(arch::stack::pointer(), Relaxed));
}
