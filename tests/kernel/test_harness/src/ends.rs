//! The ways in which a test can end.

use core::arch::asm;
use ktest::{check, check_eq, ktest};

ktest! {
    fn good_first() {
        check!(1 < 2);
    }

    fn fails() {
        check_eq!(1 + 1, 3);
    }

    fn good_after_a_failure() {
        check!(1 < 2);
    }

    fn panics() {
        panic!("this test panics on purpose");
    }

    fn good_after_a_panic() {
        check!(1 < 2);
    }

    fn returns_an_error() {
        mm::frame::alloc(u8::MAX)?;
    }

    fn hangs() {
        loop {
            core::hint::spin_loop();
        }
    }

    fn resets() {
        let none = [0u64; 2];
        // SAFETY: not sound, on purpose: without an interrupt table the breakpoint resets the machine.
        unsafe { asm!("lidt [{}]", "int3", in(reg) &raw const none) };
    }

    fn good_last() {
        check!(1 < 2);
    }
}
