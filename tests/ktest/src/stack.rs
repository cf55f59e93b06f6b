//! Where tests run: on a stack of 8 KiB of their own, as a task of the kernel would.
//!
//! A test module's init runs deep in the loading of that module. A test that started there would have what is left of
//! the main task's stack, which is nobody's promise.
#![allow(unsafe_code)]

use crate::{Result, Test};
use arch::stack::call_on;
use core::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use mm::MemoryError;
use mm::label::Label;
use mm::stack::{KernelStack, TASK};

static PASSED: AtomicBool = AtomicBool::new(false);
static CALLER: AtomicU64 = AtomicU64::new(0);

/// A stack for tests, used by one at a time.
pub(crate) struct TestStack(KernelStack);

impl TestStack {
    /// A fresh one.
    pub(crate) fn new() -> core::result::Result<Self, MemoryError> {
        KernelStack::new(TASK, Label::new(format_args!("the test's stack"))).map(Self)
    }

    /// Runs a test on it.
    pub(crate) fn run(&mut self, test: &'static Test) -> bool {
        CALLER.store(arch::stack::pointer(), Relaxed);
        let test = core::ptr::from_ref(test) as u64;
        // SAFETY: the stack is mapped, aligned and, as `self` is borrowed mutably, used by nobody else.
        unsafe { call_on(self.0.bounds().top, enter, test) };
        PASSED.load(Relaxed)
    }

    /// The most bytes of it that were ever in use.
    pub(crate) fn high_water(&self) -> u64 {
        // SAFETY: it is mapped as long as `self` is there.
        unsafe { self.0.bounds().high_water() }
    }
}

extern "C" fn enter(test: u64) {
    // SAFETY: `run` passes the address of a static.
    let test: &'static Test = unsafe { &*(test as *const Test) };
    let result: Result = test.call();
    PASSED.store(result.is_ok(), Relaxed);
}

/// An address on the stack of whoever loads this module: the main task's.
pub fn loaders_stack() -> u64 {
    CALLER.load(Relaxed)
}
