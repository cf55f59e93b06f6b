//! Segments and the task state segment, one set a CPU.
//!
//! The order of the descriptors is what SYSCALL and SYSRET expect (SDM volume 3, section 5.8.8): kernel code and data
//! side by side; 32-bit user code, user data, 64-bit user code side by side.
//!
//! Four vectors must not trust the stack pointer they find: double fault, NMI, machine check and debug. Each has a
//! stack of its own in the interrupt stack table. Until the memory layer gives guarded ones ([`set_ist_stack`]) they
//! share two early stacks in the kernel's image.

use base::sync::OnceCell;
use core::cell::UnsafeCell;
use x86_64::VirtAddr;
use x86_64::instructions::tables::load_tss;
use x86_64::registers::segmentation::{CS, DS, ES, SS, Segment};
use x86_64::structures::gdt::{Descriptor, DescriptorFlags, GlobalDescriptorTable, SegmentSelector};
use x86_64::structures::tss::TaskStateSegment;

/// The interrupt stack table's entries in use, by index.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Ist {
    /// Double fault.
    DoubleFault = 0,
    /// Non-maskable interrupt.
    Nmi = 1,
    /// Machine check.
    MachineCheck = 2,
    /// Debug exception.
    Debug = 3,
}

impl Ist {
    /// All of them.
    pub const ALL: [Ist; 4] = [Ist::DoubleFault, Ist::Nmi, Ist::MachineCheck, Ist::Debug];

    /// What the stack is called in reports.
    pub fn name(self) -> &'static str {
        match self {
            Ist::DoubleFault => "double fault",
            Ist::Nmi => "nmi",
            Ist::MachineCheck => "machine check",
            Ist::Debug => "debug",
        }
    }
}

/// Kernel code.
pub const KERNEL_CS: u16 = 0x08;
/// Kernel data.
pub const KERNEL_DS: u16 = 0x10;
/// 32-bit user code, with the user's privilege.
pub const USER_CS32: u16 = 0x18 | 3;
/// User data.
pub const USER_DS: u16 = 0x20 | 3;
/// 64-bit user code.
pub const USER_CS: u16 = 0x28 | 3;

const EARLY_STACK: usize = 8192;

#[repr(C, align(16))]
struct Tables {
    tss: UnsafeCell<TaskStateSegment>,
    gdt: OnceCell<GlobalDescriptorTable<8>>,
    early: UnsafeCell<[[u8; EARLY_STACK]; 2]>,
}

// SAFETY: the task state segment is written only by its own CPU with interrupts off (`load`, `set_ist_stack`), the
// early stacks only by the CPU itself as stacks.
unsafe impl Sync for Tables {}

static BOOT_CPU: Tables = Tables {
    tss: UnsafeCell::new(TaskStateSegment::new()),
    gdt: OnceCell::new(),
    early: UnsafeCell::new([[0; EARLY_STACK]; 2]),
};

/// Loads this CPU's segments and task state. Called once on the boot CPU, interrupts off.
pub fn load() {
    let tss = BOOT_CPU.tss.get();
    let early = BOOT_CPU.early.get() as u64;
    for ist in Ist::ALL {
        let which = if ist == Ist::DoubleFault { 1 } else { 2 };
        // SAFETY: only this CPU writes its own segment, and the entry is not in use before the table is loaded below.
        unsafe {
            (*tss).interrupt_stack_table[ist as usize] =
                VirtAddr::new_truncate(early + (which * EARLY_STACK) as u64)
        };
    }
    let mut gdt = GlobalDescriptorTable::<8>::empty();
    gdt.append(Descriptor::kernel_code_segment());
    gdt.append(Descriptor::kernel_data_segment());
    gdt.append(Descriptor::UserSegment(DescriptorFlags::USER_CODE32.bits()));
    gdt.append(Descriptor::user_data_segment());
    gdt.append(Descriptor::user_code_segment());
    // SAFETY: the segment is a static and lives for ever.
    let tss_selector = gdt.append(unsafe { Descriptor::tss_segment_unchecked(tss) });
    if BOOT_CPU.gdt.set(gdt).is_err() {
        return;
    }
    if let Some(gdt) = BOOT_CPU.gdt.get() {
        gdt.load();
        // SAFETY: the selectors name the descriptors appended above, flat segments of privilege 0 and the task state.
        unsafe {
            CS::set_reg(SegmentSelector(KERNEL_CS));
            SS::set_reg(SegmentSelector(KERNEL_DS));
            DS::set_reg(SegmentSelector(0));
            ES::set_reg(SegmentSelector(0));
            load_tss(tss_selector);
        }
    }
}

/// Gives vector `ist` of this CPU the stack that ends at `top`.
///
/// # Safety
/// The stack is mapped, 16-byte aligned, used by nothing else, and stays for ever; interrupts are off.
pub unsafe fn set_ist_stack(ist: Ist, top: u64) {
    // SAFETY: only this CPU reads and writes its own segment; the CPU reads the entry anew at each interrupt.
    unsafe { (*BOOT_CPU.tss.get()).interrupt_stack_table[ist as usize] = VirtAddr::new_truncate(top) };
}

/// The end of the stack that vector `ist` of this CPU starts on.
pub fn ist_stack_top(ist: Ist) -> u64 {
    // SAFETY: the segment is a static, and an entry is copied out; only this CPU writes it, with interrupts off.
    unsafe { (*BOOT_CPU.tss.get()).interrupt_stack_table[ist as usize] }.as_u64()
}
