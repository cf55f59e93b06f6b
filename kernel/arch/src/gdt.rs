//! Segments and the task state segment, one set a CPU.
//!
//! The order of the descriptors is what SYSCALL and SYSRET expect (SDM volume 3, section 5.8.8): kernel code and data
//! side by side; 32-bit user code, user data, 64-bit user code side by side.
//!
//! Four vectors must not trust the stack pointer they find: double fault, NMI, machine check and debug. Each has a
//! stack of its own in the interrupt stack table. Until the memory layer gives guarded ones ([`set_ist_stack`]) they
//! share two early stacks in the kernel's image.

use base::sync::OnceCell;
use core::cell::{Cell, UnsafeCell};
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

/// A CPU's descriptors and task state.
#[repr(C, align(16))]
pub struct Tables {
    tss: UnsafeCell<TaskStateSegment>,
    gdt: OnceCell<GlobalDescriptorTable<8>>,
}

// SAFETY: the task state segment is written only by its own CPU with interrupts off (`load`, `set_ist_stack`).
unsafe impl Sync for Tables {}

impl Tables {
    /// Empty tables, for [`load`].
    #[expect(clippy::new_without_default, reason = "made once a CPU, on purpose")]
    pub const fn new() -> Self {
        Self { tss: UnsafeCell::new(TaskStateSegment::new()), gdt: OnceCell::new() }
    }
}

struct EarlyStacks(UnsafeCell<[[u8; EARLY_STACK]; 2]>);
// SAFETY: used by the boot CPU alone, as stacks.
unsafe impl Sync for EarlyStacks {}

static BOOT_CPU: Tables = Tables::new();
static EARLY: EarlyStacks = EarlyStacks(UnsafeCell::new([[0; EARLY_STACK]; 2]));

base::per_cpu! {
    static OWN: Cell<Option<&'static Tables>> = Cell::new(None);
}

/// Loads the boot CPU's segments and task state, with early stacks for the vectors that need one. Interrupts are off.
pub fn load_boot_cpu() {
    load(&BOOT_CPU);
    for ist in Ist::ALL {
        let which = if ist == Ist::DoubleFault { 1 } else { 2 };
        // SAFETY: the stacks are for this, and live for ever.
        unsafe { set_ist_stack(ist, EARLY.0.get() as u64 + (which * EARLY_STACK) as u64) };
    }
}

/// Loads this CPU's segments and task state; `tables` are this CPU's alone. Interrupts are off.
pub fn load(tables: &'static Tables) {
    let mut gdt = GlobalDescriptorTable::<8>::empty();
    gdt.append(Descriptor::kernel_code_segment());
    gdt.append(Descriptor::kernel_data_segment());
    gdt.append(Descriptor::UserSegment(DescriptorFlags::USER_CODE32.bits()));
    gdt.append(Descriptor::user_data_segment());
    gdt.append(Descriptor::user_code_segment());
    // SAFETY: the segment is a static and lives for ever.
    let tss_selector = gdt.append(unsafe { Descriptor::tss_segment_unchecked(tables.tss.get()) });
    if tables.gdt.set(gdt).is_err() {
        return;
    }
    if let Some(gdt) = tables.gdt.get() {
        gdt.load();
        // SAFETY: the selectors name the descriptors appended above, flat segments of privilege 0 and the task state. FS and
        // GS are left alone: GS holds the CPU's own data.
        unsafe {
            CS::set_reg(SegmentSelector(KERNEL_CS));
            SS::set_reg(SegmentSelector(KERNEL_DS));
            DS::set_reg(SegmentSelector(0));
            ES::set_reg(SegmentSelector(0));
            load_tss(tss_selector);
        }
    }
    OWN.set(Some(tables));
}

/// Gives vector `ist` of this CPU the stack that ends at `top`.
///
/// # Safety
/// The stack is mapped, 16-byte aligned, used by nothing else, and stays for ever; interrupts are off.
pub unsafe fn set_ist_stack(ist: Ist, top: u64) {
    with_tss(|tss| tss.interrupt_stack_table[ist as usize] = VirtAddr::new_truncate(top));
}

fn with_tss(change: impl FnOnce(&mut TaskStateSegment)) {
    OWN.with(|own| {
        if let Some(tables) = own.get() {
            // SAFETY: only this CPU reads and writes its own segment, with interrupts masked; it reads an entry anew each time.
            change(unsafe { &mut *tables.tss.get() });
        }
    });
}

/// The end of the stack that vector `ist` of this CPU starts on.
pub fn ist_stack_top(ist: Ist) -> u64 {
    // SAFETY: the segment is a static, and an entry is copied out; only this CPU writes it, with interrupts off.
    unsafe { (*BOOT_CPU.tss.get()).interrupt_stack_table[ist as usize] }.as_u64()
}
