//! Each kind of stack, overflowed for real: by calls within calls, on the stack in question.

use arch::gdt::{self, Ist};
use arch::irq::{self, LineHandler};
use arch::stack::call_on;
use arch::trap::Frame;
use core::arch::asm;
use core::hint::black_box;
use mm::layout::{BOOT_STACK, BOOT_STACK_SIZE, PAGE_SIZE};

pub(crate) fn run(kind: &str) {
    match kind {
        "task-stack" => overflow(0),
        "line-stack" => on_a_line(),
        "vector-stack" => on_a_vector(),
        "boot-stack" => on_stack(BOOT_STACK + PAGE_SIZE + BOOT_STACK_SIZE),
        "double-fault-stack" => on_stack(gdt::ist_stack_top(Ist::DoubleFault)),
        "nmi-stack" => on_stack(gdt::ist_stack_top(Ist::Nmi)),
        "machine-check-stack" => on_stack(gdt::ist_stack_top(Ist::MachineCheck)),
        "debug-stack" => on_stack(gdt::ist_stack_top(Ist::Debug)),
        _ => {}
    }
}

/// Calls itself until the stack ends. Each call has room of its own and needs it afterwards.
#[inline(never)]
extern "C" fn overflow(depth: u64) {
    let mut room = [depth; 40];
    black_box(&mut room);
    // What looks like a choice to the compiler is none.
    if black_box(true) {
        overflow(depth + 1);
    }
    black_box(&room);
}

fn on_stack(top: u64) {
    // SAFETY: a kernel stack that is mapped, aligned and not in use; whatever it held, the machine ends here.
    unsafe { call_on(top, overflow, 0) };
}

struct Overflowing;

impl LineHandler for Overflowing {
    fn handle(&self) {
        overflow(0);
    }
}

fn on_a_line() {
    if irq::replace_handler(0, &Overflowing).is_ok() {
        // The next tick ends the machine.
        loop {
            core::hint::spin_loop();
        }
    }
}

fn on_a_vector() {
    fn handler(_: &mut Frame) {
        overflow(0);
    }
    if irq::set_vector(0xe1, handler).is_ok() {
        // SAFETY: the vector has a handler.
        unsafe { asm!("int 0xe1") };
    }
}
