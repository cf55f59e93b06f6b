//! Starting the other CPUs.
//!
//! A CPU that gets the start-up message begins in real mode at a page of the first MiB. The trampoline copied there goes
//! through protected mode straight to long mode, on tables that show the trampoline at its own address besides the
//! kernel's half, takes its stack from the trampoline's mailbox and jumps to the kernel's entry. CPUs are started one at a
//! time, so there is one mailbox.
//!
//! ```text
//! page + 0      code: 16-bit, 32-bit, 64-bit
//! page + 0xf00  mailbox: level-4 table, stack top, entry, argument
//! ```

use crate::paging::phys_to_virt;
use core::arch::global_asm;
use core::sync::atomic::{AtomicU32, AtomicU64, Ordering};

/// The most CPUs that are started.
pub const MAX_CPUS: usize = 64;

static ONLINE: AtomicU64 = AtomicU64::new(1);
static APIC_IDS: [AtomicU32; MAX_CPUS] = [const { AtomicU32::new(0) }; MAX_CPUS];

/// The CPUs that run, a bit each.
pub fn online() -> u64 {
    ONLINE.load(Ordering::SeqCst)
}

/// Says that CPU `cpu`, whose controller is `apic_id`, runs; from here on it is sent messages.
pub fn set_online(cpu: usize, apic_id: u32) {
    APIC_IDS[cpu].store(apic_id, Ordering::SeqCst);
    ONLINE.fetch_or(1 << cpu, Ordering::SeqCst);
}

/// The controller of CPU `cpu`.
pub fn apic_id(cpu: usize) -> u32 {
    APIC_IDS[cpu].load(Ordering::Relaxed)
}

/// The numbers of the bits in `mask`.
pub fn cpus(mut mask: u64) -> impl Iterator<Item = usize> {
    core::iter::from_fn(move || {
        let cpu = mask.trailing_zeros() as usize;
        mask &= mask.wrapping_sub(1);
        (cpu < MAX_CPUS).then_some(cpu)
    })
}

/// Physical address of the page that CPUs start at; free in every PC's memory map.
pub const TRAMPOLINE: u64 = 0x8000;
const MAILBOX: u64 = TRAMPOLINE + 0xf00;

unsafe extern "C" {
    static trampoline_start: u8;
    static trampoline_end: u8;
}

/// Puts the trampoline's code in its place.
///
/// # Safety
/// The page at [`TRAMPOLINE`] is nobody else's.
pub unsafe fn install() {
    let (start, end) = (&raw const trampoline_start, &raw const trampoline_end);
    // SAFETY: the code is smaller than the page, whose memory the caller vouches for; the direct map shows it.
    unsafe {
        core::ptr::copy_nonoverlapping(
            start,
            phys_to_virt(TRAMPOLINE) as *mut u8,
            end as usize - start as usize,
        );
    }
}

/// What the next CPU to start finds in the mailbox.
pub struct Mail {
    /// Physical address of its level-4 table, below 4 GiB, with the first MiB mapped at its own address.
    pub tables: u64,
    /// Top of its first stack.
    pub stack: u64,
    /// Where it enters the kernel.
    pub entry: extern "C" fn(u64) -> !,
    /// What it is handed there.
    pub argument: u64,
}

/// Fills the mailbox.
pub fn post(mail: &Mail) {
    let words = [mail.tables, mail.stack, mail.entry as usize as u64, mail.argument];
    for (i, word) in words.into_iter().enumerate() {
        // SAFETY: the mailbox lies in the trampoline's page, aligned; only a CPU being started reads it.
        let slot = unsafe { &*((phys_to_virt(MAILBOX) + 8 * i as u64) as *const AtomicU64) };
        slot.store(word, Ordering::Release);
    }
}

global_asm!(
    r#"
    .pushsection .rodata.trampoline, "a"
    .balign 16
    .global trampoline_start, trampoline_end
trampoline_start:
    .code16
    cli
    cld
    xorw %ax, %ax
    movw %ax, %ds
    lgdtl 0x8000 + (81f - trampoline_start)
    movl %cr0, %eax
    orl $1, %eax
    movl %eax, %cr0
    ljmpl $8, $(0x8000 + (82f - trampoline_start))

    .code32
82:
    movw $16, %ax
    movw %ax, %ds
    movw %ax, %ss
    movl $0x20, %eax            /* physical address extension */
    movl %eax, %cr4
    movl 0x8f00, %eax           /* the level-4 table */
    movl %eax, %cr3
    movl $0xc0000080, %ecx      /* long mode, no-execute */
    rdmsr
    orl $0x900, %eax
    wrmsr
    movl $0x80010033, %eax      /* paging, write protection, native FPU errors, protected mode */
    movl %eax, %cr0
    ljmpl $24, $(0x8000 + (83f - trampoline_start))

    .code64
83:
    movq 0x8f08, %rsp
    movq 0x8f10, %rax
    movq 0x8f18, %rdi
    xorl %ebp, %ebp
    pushq %rbp
    jmpq *%rax

    .balign 8
80:
    .quad 0
    .quad 0x00cf9b000000ffff    /* 8: 32-bit code */
    .quad 0x00cf93000000ffff    /* 16: data */
    .quad 0x00af9b000000ffff    /* 24: 64-bit code */
81:
    .word 31
    .long 0x8000 + (80b - trampoline_start)
trampoline_end:
    .popsection
    "#,
    options(att_syntax)
);
