//! Exceptions, panics, and ends without a word.

use arch::irq::{self, LineHandler};
use core::arch::asm;
use core::fmt;

pub(crate) fn run(kind: &str) {
    match kind {
        "panic" => outer_of_panic(7),
        "panic-on-a-line" => on_a_line(),
        "registers" => registers(),
        "panic-within-panic" => panic!("{}", Panics),
        // SAFETY: not sound, on purpose: it raises an exception and the machine ends here.
        "divide-error" => unsafe {
            asm!("xor edx, edx", "xor ecx, ecx", "mov eax, 1", "div ecx", out("eax") _, out("ecx") _, out("edx") _)
        },
        // SAFETY: not sound, on purpose: it raises an exception and the machine ends here.
        "invalid-opcode" => unsafe { asm!("ud2") },
        // SAFETY: not sound, on purpose: it raises an exception and the machine ends here.
        "breakpoint" => unsafe { asm!("int3") },
        // SAFETY: not sound, on purpose: it raises an exception and the machine ends here.
        "general-protection" => unsafe {
            asm!("mov al, [{}]", in(reg) 0x8000_0000_0000_0000u64, out("al") _)
        },
        // SAFETY: not sound, on purpose: it raises an exception and the machine ends here.
        "debug" => unsafe { asm!("pushfq", "or qword ptr [rsp], 0x100", "popfq", "nop", "nop") },
        // SAFETY: not sound, on purpose: it raises an exception and the machine ends here.
        "nmi" => unsafe { asm!("int 2") },
        // SAFETY: not sound, on purpose: it raises an exception and the machine ends here.
        "machine-check" => unsafe { asm!("int 18") },
        "double-fault" => no_stack(),
        "triple-fault" => no_table(),
        "hang" => loop {
            core::hint::spin_loop();
        },
        _ => {}
    }
}

/// In the backtrace, by name.
#[inline(never)]
fn outer_of_panic(number: u32) {
    inner_of_panic(core::hint::black_box(number));
    core::hint::black_box(number);
}

#[inline(never)]
fn inner_of_panic(number: u32) {
    if number > 0 {
        panic!("test_fault asked for it, number {number}");
    }
}

struct Panics;

impl fmt::Display for Panics {
    fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
        panic!("while it is shown")
    }
}

/// A fault that cannot be delivered on the stack there is.
fn no_stack() {
    // SAFETY: not sound, on purpose: there is no stack at that address, and the machine ends here.
    unsafe { asm!("mov rsp, {}", "push 0", in(reg) 0xffff_ff7f_ffff_f000u64, options(noreturn)) }
}

/// An exception without a table to look its handler up in.
fn no_table() {
    #[repr(C, packed)]
    struct Pointer(u16, u64);
    let none = Pointer(0, 0);
    // SAFETY: not sound, on purpose: the machine ends here.
    unsafe { asm!("lidt [{}]", "int3", in(reg) &raw const none) };
}

struct PanickingLine;

impl LineHandler for PanickingLine {
    fn handle(&self) {
        panic!("on the timer's stack");
    }
}

/// In the backtrace, below the handler that interrupts it.
#[inline(never)]
fn on_a_line() {
    if irq::replace_handler(0, &PanickingLine).is_ok() {
        loop {
            core::hint::spin_loop();
        }
    }
}

fn registers() {
    // SAFETY: not sound, on purpose: the invalid instruction ends the machine.
    unsafe { asm!("ud2", in("rax") 0xdead_beefu64, in("r15") 0x0bad_cafeu64) };
}
