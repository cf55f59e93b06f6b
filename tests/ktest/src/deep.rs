//! Using stack for real: calls within calls, each with room of its own.

use core::hint::black_box;

/// Calls `f` with at least `bytes` of stack in use below the caller.
pub fn with_stack_used(bytes: u64, f: &dyn Fn()) {
    down(arch::stack::pointer().saturating_sub(bytes), f);
}

#[inline(never)]
fn down(until: u64, f: &dyn Fn()) {
    let mut room = [0u64; 48];
    black_box(&mut room);
    if arch::stack::pointer() > until {
        down(until, f);
    } else {
        f();
    }
    // Still needed here, so that the call above is no jump.
    black_box(&room);
}
