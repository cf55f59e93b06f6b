//! Each CPU's own copy of some statics.
//!
//! `per_cpu!` puts a static into the section `.percpu`, which is only a template: each CPU has an area with a copy of it,
//! made before the CPU does anything else. The template holds the head too, and GS points at the head's copy:
//!
//! ```text
//!   __percpu_start            HEAD                        X            __percpu_end
//!        | ..................  | self cpu preempt .. | ..  | ......... |      the template
//!        | ..................  | self cpu preempt .. | ..  | ......... |      a CPU's area
//!                              ^ GS                        ^ gs:[0] + (X - HEAD)
//! ```
//!
//! The head's fields lie at fixed offsets, known to the entry stubs (`head.rs`).
//!
//! Linker script: `__percpu_start` and `__percpu_end` bound `.percpu` (aligned to 64), `__percpu_cpu0` is room of the
//! same size and alignment for CPU 0. Modules have no section `.percpu`: the macro is for built-in parts.
#![allow(unsafe_code, reason = "reaches data through the GS register")]

mod head;
#[cfg_attr(not(test), path = "gs.rs")]
#[cfg_attr(test, path = "host.rs")]
mod machine;

use crate::irq;
use core::cell::UnsafeCell;

pub use head::*;
#[cfg(not(test))]
pub use machine::{adopt, area_bytes, init_cpu0, make_area};

/// Declares statics of which each CPU has its own copy: `per_cpu! { static X: Cell<u32> = Cell::new(0); }`.
#[macro_export]
macro_rules! per_cpu {
    ($($(#[$meta:meta])* $vis:vis static $name:ident: $ty:ty = $init:expr;)*) => {$(
        $(#[$meta])*
        #[unsafe(link_section = ".percpu")]
        $vis static $name: $crate::percpu::PerCpu<$ty> = $crate::percpu::PerCpu::new($init);
    )*};
}

/// A static with a copy a CPU; made by `per_cpu!`.
#[repr(transparent)]
pub struct PerCpu<T>(UnsafeCell<T>);

// SAFETY: the value inside is reached only by `with`, which gives each CPU its own copy with interrupts masked. `T: Send`
// because a copy is used by whatever task the CPU happens to run.
unsafe impl<T: Send> Sync for PerCpu<T> {}

impl<T> PerCpu<T> {
    /// For `per_cpu!` alone: outside its section the value has no copies.
    #[doc(hidden)]
    pub const fn new(value: T) -> Self {
        Self(UnsafeCell::new(value))
    }
}

impl<T: Send> PerCpu<T> {
    /// Calls `f` with this CPU's copy. Interrupts are masked meanwhile, so nothing on this CPU comes between two
    /// accesses; an NMI's handler must not use what others use too.
    #[inline]
    pub fn with<R>(&self, f: impl FnOnce(&T) -> R) -> R {
        let _masked = irq::IrqGuard::new();
        // SAFETY: the address is that of this CPU's copy, initialised by copying the template and never dropped; the
        // reference is shared, lives only as long as interrupts are masked, and no other CPU makes one.
        f(unsafe { &*machine::copy_of(self.0.get()) })
    }
}

impl<T: Send + Copy> PerCpu<core::cell::Cell<T>> {
    /// This CPU's value.
    #[inline]
    pub fn get(&self) -> T {
        self.with(core::cell::Cell::get)
    }

    /// Sets this CPU's value.
    #[inline]
    pub fn set(&self, value: T) {
        self.with(|cell| cell.set(value));
    }
}
