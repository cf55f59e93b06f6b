//! The 256 ways in: entry stubs, the frame they leave, and what becomes of an exception.
//!
//! Every stub pushes its vector (and a zero where the CPU pushes no error code) and jumps to one of three entries:
//!
//! - **exception**: vectors 0 to 31. The stack stays the interrupted one; `swapgs` by the saved CS.
//! - **paranoid**: the four vectors with a stack of their own in the interrupt stack table, which can come between any
//!   two instructions: `swapgs` by the sign of the GS base, since the saved CS may already be the kernel's.
//! - **interrupt**: vectors 32 to 255. The frame stays on the interrupted stack, the handler runs on the stack that
//!   [`crate::irq`] names.
//!
//! An exception in the kernel is fatal but for a page fault that the memory layer's hook takes. Stubs are sixteen
//! bytes apart, so an address is arithmetic. Source: SDM volume 3, chapter 6.

use crate::gdt::{Ist, KERNEL_CS};
use base::sync::OnceCell;
use core::arch::global_asm;
use core::cell::UnsafeCell;
use x86_64::VirtAddr;
use x86_64::structures::gdt::SegmentSelector;
use x86_64::structures::idt::InterruptDescriptorTable;

/// The registers of what was interrupted, as the stubs leave them on the stack.
#[repr(C)]
#[derive(Clone, Debug)]
#[allow(missing_docs)]
pub struct Frame {
    pub r15: u64,
    pub r14: u64,
    pub r13: u64,
    pub r12: u64,
    pub rbp: u64,
    pub rbx: u64,
    pub r11: u64,
    pub r10: u64,
    pub r9: u64,
    pub r8: u64,
    pub rax: u64,
    pub rcx: u64,
    pub rdx: u64,
    pub rsi: u64,
    pub rdi: u64,
    pub vector: u64,
    pub error: u64,
    pub rip: u64,
    pub cs: u64,
    pub rflags: u64,
    pub rsp: u64,
    pub ss: u64,
}

impl Frame {
    /// Whether the interrupted code ran with the user's privilege.
    pub fn from_user(&self) -> bool {
        self.cs & 3 == 3
    }
}

/// Takes a page fault: the faulting address, the CPU's error code, the frame. Returns whether it was mended.
pub type PageFaultHook = fn(u64, u64, &mut Frame) -> bool;

static PAGE_FAULT: OnceCell<PageFaultHook> = OnceCell::new();

/// The memory layer's way to take page faults. Set once.
pub fn set_page_fault_hook(hook: PageFaultHook) {
    // A second set changes nothing, which is the rule.
    let _ = PAGE_FAULT.set(hook);
}

/// The table, filled where it lies: at 4 KiB it is half a boot stack.
struct Idt(UnsafeCell<InterruptDescriptorTable>);
// SAFETY: written once, by the boot CPU before it loads the table, and only read after that.
unsafe impl Sync for Idt {}

static IDT: Idt = Idt(UnsafeCell::new(
    // SAFETY: an entry of all zeroes is one that is not present.
    unsafe { core::mem::MaybeUninit::zeroed().assume_init() },
));

unsafe extern "C" {
    static trap_stubs: u8;
}

/// Gives every vector its stub and loads the table. Once, on the boot CPU.
pub fn init() {
    // SAFETY: nobody reads the table yet: no CPU has loaded it.
    fill(unsafe { &mut *IDT.0.get() });
    load();
}

/// Loads the interrupt descriptor table that [`init`] filled.
pub fn load() {
    // SAFETY: the table is a static, filled, and never written again.
    unsafe { (*IDT.0.get()).load_unsafe() };
}

fn fill(idt: &mut InterruptDescriptorTable) {
    let stub = |vector: u64| VirtAddr::new_truncate((&raw const trap_stubs) as u64 + 16 * vector);
    let code = SegmentSelector(KERNEL_CS);
    macro_rules! set {
        ($($vector:literal $name:ident $(, $ist:expr)?;)*) => { $(
            // SAFETY: the stub is entered as the CPU enters a handler of this vector and returns by iretq; the code
            // segment is the kernel's; a stack index names a stack that `gdt::load` filled in.
            unsafe { idt.$name.set_handler_addr(stub($vector)).set_code_selector(code) $(.set_stack_index($ist as u16))?; }
        )* };
    }
    set! {
        0 divide_error; 1 debug, Ist::Debug; 2 non_maskable_interrupt, Ist::Nmi; 3 breakpoint; 4 overflow;
        5 bound_range_exceeded; 6 invalid_opcode; 7 device_not_available; 8 double_fault, Ist::DoubleFault;
        10 invalid_tss; 11 segment_not_present; 12 stack_segment_fault; 13 general_protection_fault;
        14 page_fault; 16 x87_floating_point; 17 alignment_check; 18 machine_check, Ist::MachineCheck;
        19 simd_floating_point; 20 virtualization; 21 cp_protection_exception; 28 hv_injection_exception;
        29 vmm_communication_exception; 30 security_exception;
    }
    for vector in 32..=255u8 {
        // SAFETY: as above; interrupts stay off until `irq` turns them on.
        unsafe { idt[vector].set_handler_addr(stub(vector.into())).set_code_selector(code) };
    }
}

/// The exceptions' names, as the manual has them.
pub fn name(vector: u64) -> &'static str {
    const NAMES: [&str; 22] = [
        "divide error",
        "debug exception",
        "non-maskable interrupt",
        "breakpoint",
        "overflow",
        "bound range exceeded",
        "invalid opcode",
        "device not available",
        "double fault",
        "coprocessor segment overrun",
        "invalid task state segment",
        "segment not present",
        "stack-segment fault",
        "general protection fault",
        "page fault",
        "reserved exception",
        "x87 floating-point error",
        "alignment check",
        "machine check",
        "SIMD floating-point exception",
        "virtualization exception",
        "control protection exception",
    ];
    NAMES.get(vector as usize).copied().unwrap_or("reserved exception")
}

/// Where every exception arrives, on the interrupted stack or on its own.
extern "C" fn exception(frame: &mut Frame) {
    if frame.vector == 14 {
        let address = x86_64::registers::control::Cr2::read_raw();
        if let Some(hook) = PAGE_FAULT.get()
            && hook(address, frame.error, frame)
        {
            return;
        }
    }
    if crate::panic::is_stop(frame.vector) {
        crate::cpu::halt_for_ever();
    }
    crate::panic::exception(frame)
}

global_asm!(
    r#"
    .macro save_registers
        push rdi
        push rsi
        push rdx
        push rcx
        push rax
        push r8
        push r9
        push r10
        push r11
        push rbx
        push rbp
        push r12
        push r13
        push r14
        push r15
        cld
    .endm
    .macro restore_registers
        pop r15
        pop r14
        pop r13
        pop r12
        pop rbp
        pop rbx
        pop r11
        pop r10
        pop r9
        pop r8
        pop rax
        pop rcx
        pop rdx
        pop rsi
        pop rdi
    .endm
    .macro swapgs_from_user
        test byte ptr [rsp + 24], 3
        jz 71f
        swapgs
    71:
    .endm

    .pushsection .text
    .balign 16
    .global trap_stubs
trap_stubs:
    .set vector, 0
    .rept 256
        .balign 16
        .if !((vector == 8) || ((vector >= 10) && (vector <= 14)) || (vector == 17) || (vector == 21) || (vector == 29) || (vector == 30))
            push 0
        .endif
        push vector
        .if vector >= 32
            jmp interrupt_entry
        .elseif (vector == 1) || (vector == 2) || (vector == 8) || (vector == 18)
            jmp paranoid_entry
        .else
            jmp exception_entry
        .endif
        .set vector, vector + 1
    .endr

exception_entry:
    swapgs_from_user
    save_registers
    mov rdi, rsp
    call {exception}
    restore_registers
    swapgs_from_user
    add rsp, 16
    iretq

paranoid_entry:
    save_registers
    xor ebx, ebx
    mov ecx, 0xc0000101
    rdmsr
    test edx, edx
    js 72f
    swapgs
    inc ebx
72:
    mov rdi, rsp
    call {exception}
    test ebx, ebx
    jz 73f
    swapgs
73:
    restore_registers
    add rsp, 16
    iretq

    /* irq::enter names the stack to run on, or 0 where there is nothing to run. */
interrupt_entry:
    swapgs_from_user
    save_registers
    mov rdi, rsp
    call {enter}
    test rax, rax
    jz 74f
    mov rbx, rsp
    mov rsp, rax
    /* As if the interrupted code had called: a backtrace crosses over to it. */
    push [rbx + {rip}]
    push rbp
    mov rbp, rsp
    mov rdi, rbx
    call {run}
    mov rsp, rbx
    mov rdi, rbx
    call {leave}
74:
    restore_registers
    swapgs_from_user
    add rsp, 16
    iretq
    .popsection
    "#,
    exception = sym exception,
    rip = const core::mem::offset_of!(Frame, rip),
    enter = sym crate::irq::enter,
    run = sym crate::irq::run,
    leave = sym crate::irq::leave,
);
