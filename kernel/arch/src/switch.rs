//! From one kernel stack to another: the part of a task switch that no language has words for.
//!
//! A task that does not run is its stack pointer: below it lie the callee-saved registers and the address to go on at.
//! Everything else the compiler saved itself, since the switch looks to it like a call.

use core::arch::naked_asm;

/// Saves this task's stack pointer in `*from` and goes on with the one that was saved as `to`. Returns when somebody
/// switches back. `argument` arrives as the return value on the other side.
///
/// # Safety
/// `to` was saved by a switch or made by [`prepare`], its stack is intact and nobody else runs on it; interrupts are off.
#[unsafe(naked)]
pub unsafe extern "C" fn switch(from: *mut u64, to: u64, argument: u64) -> u64 {
    naked_asm!(
        "push rbp",
        "push rbx",
        "push r12",
        "push r13",
        "push r14",
        "push r15",
        "mov [rdi], rsp",
        "mov rsp, rsi",
        "mov rax, rdx",
        "pop r15",
        "pop r14",
        "pop r13",
        "pop r12",
        "pop rbx",
        "pop rbp",
        "ret",
    )
}

/// Prepares a fresh stack that ends at `top`: the first switch to it calls `entry(previous, argument)` with what the switch
/// handed over as `previous`. Returns what to switch to.
///
/// # Safety
/// The stack is mapped, 16-byte aligned, and nobody's.
pub unsafe fn prepare(top: u64, entry: extern "C" fn(u64, u64) -> !, argument: u64) -> u64 {
    let words = [
        0,                         // r15
        0,                         // r14
        0,                         // r13
        argument,                  // r12
        entry as usize as u64,     // rbx
        0,                         // rbp: ends a backtrace
        begin as *const () as u64, // where `ret` goes
        0,                         // a return address that ends a backtrace
    ];
    let start = top - size_of_val(&words) as u64;
    // SAFETY: the caller's condition.
    unsafe { *(start as *mut [u64; 8]) = words };
    start
}

/// The first instructions of a task.
#[unsafe(naked)]
extern "C" fn begin() -> ! {
    // Here the stack pointer is 8 below a multiple of 16, as it is at a function's entry.
    naked_asm!("mov rdi, rax", "mov rsi, r12", "jmp rbx")
}
