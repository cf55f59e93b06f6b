//! Masking interrupts on this CPU.
//!
//! What was found is kept and put back, so that the pairs nest:
//!
//! ```ignore
//! let state = irq::disable();
//! // nothing interrupts this CPU here, except exceptions, NMI and machine check
//! irq::restore(state);
//! ```
//!
//! A lock that a handler takes is an [`IrqSpinLock`](crate::sync::IrqSpinLock), which does this by itself.

/// Whether interrupts were enabled when [`disable`] was called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use = "interrupts stay masked until the state is restored"]
pub struct IrqState {
    enabled: bool,
}

/// Masks interrupts on this CPU and returns what was before.
#[inline]
pub fn disable() -> IrqState {
    let enabled = enabled();
    if enabled {
        machine::disable();
    }
    IrqState { enabled }
}

/// Puts back what [`disable`] found.
#[inline]
pub fn restore(state: IrqState) {
    if state.enabled {
        machine::enable();
        if crate::percpu::preempt_due() {
            crate::percpu::preempt_point();
        }
    }
}

/// Whether this CPU takes interrupts.
#[inline]
pub fn enabled() -> bool {
    machine::enabled()
}

/// Masks interrupts for as long as it lives. Stays on its CPU.
pub struct IrqGuard {
    state: IrqState,
    _not_send: core::marker::PhantomData<*const ()>,
}

impl IrqGuard {
    /// Masks interrupts.
    #[inline]
    #[expect(clippy::new_without_default, reason = "a guard is made on purpose, never by default")]
    pub fn new() -> Self {
        Self { state: disable(), _not_send: core::marker::PhantomData }
    }
}

impl Drop for IrqGuard {
    #[inline]
    fn drop(&mut self) {
        restore(self.state);
    }
}

#[cfg(not(test))]
mod machine {
    pub(super) use x86_64::instructions::interrupts::{are_enabled as enabled, disable, enable};
}

/// On the host, a flag a thread.
#[cfg(test)]
mod machine {
    use std::cell::Cell;
    std::thread_local! { static ENABLED: Cell<bool> = const { Cell::new(true) }; }

    pub(super) fn enabled() -> bool {
        ENABLED.get()
    }
    pub(super) fn disable() {
        ENABLED.set(false);
    }
    pub(super) fn enable() {
        ENABLED.set(true);
    }
}
