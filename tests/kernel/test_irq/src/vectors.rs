//! Vectors that are no line: one stack a CPU, on which a second one goes on below the first.

use arch::irq::{self, LineError};
use arch::stack;
use arch::trap::Frame;
use core::arch::asm;
use core::sync::atomic::{AtomicU64, Ordering::Relaxed};
use ktest::{check, check_eq, ktest};

static OUTER: AtomicU64 = AtomicU64::new(0);
static INNER: AtomicU64 = AtomicU64::new(0);
static DEPTH: AtomicU64 = AtomicU64::new(0);

fn outer(_: &mut Frame) {
    OUTER.store(stack::pointer(), Relaxed);
    // SAFETY: the vector has a handler that returns.
    unsafe { asm!("int 0xe2") };
}

fn inner(_: &mut Frame) {
    INNER.store(stack::pointer(), Relaxed);
    DEPTH.store(irq::nesting().into(), Relaxed);
}

fn changes_a_register(frame: &mut Frame) {
    frame.rax = 0x5eed;
}

ktest! {
    fn a_vector_runs_on_the_cpus_stack_and_a_second_one_below_it() {
        irq::set_vector(0xe1, outer).map_err(|_| "vector 0xe1 is taken")?;
        irq::set_vector(0xe2, inner).map_err(|_| "vector 0xe2 is taken")?;
        let own = irq::vector_stack();
        for _ in 0..1000 {
            // SAFETY: the vector has a handler that returns.
            unsafe { asm!("int 0xe1") };
            let (outer, inner) = (OUTER.load(Relaxed), INNER.load(Relaxed));
            check!(own.contains(outer) && own.contains(inner), "{outer:#x} and {inner:#x} in {own:x?}");
            check!(inner < outer, "{inner:#x} is above {outer:#x}: the second one started at the top again");
            check_eq!(DEPTH.load(Relaxed), 2);
            check_eq!(irq::nesting(), 0);
        }
        // SAFETY: the stack is mapped.
        let mark = unsafe { own.high_water() };
        check!(mark < own.size() / 2, "{mark} bytes: 2,000 interrupts have left something on the stack");
    }

    fn a_handler_sees_and_changes_the_interrupted_registers() {
        irq::set_vector(0xe3, changes_a_register).map_err(|_| "vector 0xe3 is taken")?;
        let (mut rax, mut rcx, mut rdx): (u64, u64, u64) = (1, 2, 3);
        // SAFETY: the vector has a handler, which changes RAX alone.
        unsafe { asm!("int 0xe3", inout("rax") rax, inout("rcx") rcx, inout("rdx") rdx) };
        check_eq!((rax, rcx, rdx), (0x5eed, 2, 3));
    }

    fn a_vector_without_a_handler_is_passed_over() {
        // SAFETY: nothing handles it, and it returns.
        unsafe { asm!("int 0xee") };
        check_eq!(irq::nesting(), 0);
    }

    fn a_vector_is_given_once_and_lines_have_none() {
        irq::set_vector(0xe4, inner).map_err(|_| "vector 0xe4 is taken")?;
        check_eq!(irq::set_vector(0xe4, inner), Err(LineError::Busy));
        check_eq!(irq::set_vector(0x20, inner), Err(LineError::NoSuchLine));
        check_eq!(irq::set_vector(14, inner), Err(LineError::NoSuchLine));
    }
}
