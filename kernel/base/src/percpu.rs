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
//! The head's fields lie at fixed offsets, known to the entry stubs, and are read and written by single instructions, so
//! that neither an interrupt nor a move to another CPU comes between finding the CPU and touching its field.
//!
//! Linker script: `__percpu_start` and `__percpu_end` bound `.percpu` (aligned to 64), `__percpu_cpu0` is room of the
//! same size and alignment for CPU 0. Modules have no section `.percpu`: the macro is for built-in parts.
#![allow(unsafe_code, reason = "reaches data through the GS register")]

use crate::irq;
use core::cell::UnsafeCell;
use core::mem::offset_of;

/// What GS points at. The offsets are part of the entry stubs' contract.
#[repr(C, align(64))]
#[derive(Debug)]
pub struct CpuHead {
    /// Offset 0: this head's own address.
    pub self_ptr: u64,
    /// Offset 8: the CPU's number, from 0.
    pub cpu_id: u32,
    /// Offset 12: above 0 the task that runs may not be switched away.
    pub preempt_count: u32,
    /// Offset 16: how many interrupt handlers are on top of each other.
    pub irq_nest: u32,
    /// Offset 20: not 0 when another task should run.
    pub need_resched: u32,
    /// Offset 24: the task that runs.
    pub current_task: u64,
    /// Offset 32: top of the stack for entries from user mode.
    pub kernel_stack: u64,
    /// Offset 40: the user's stack pointer while the entry stub changes stacks.
    pub user_stack: u64,
    /// Offset 48: ranks of the locks held, a bit each; kept only in builds with debug assertions.
    pub held: u64,
    /// Offset 56: those among them that mask interrupts.
    pub held_irq: u64,
}

const _: () = {
    assert!(offset_of!(CpuHead, self_ptr) == 0 && offset_of!(CpuHead, cpu_id) == 8);
    assert!(offset_of!(CpuHead, preempt_count) == 12 && offset_of!(CpuHead, irq_nest) == 16);
    assert!(offset_of!(CpuHead, need_resched) == 20 && offset_of!(CpuHead, current_task) == 24);
    assert!(offset_of!(CpuHead, kernel_stack) == 32 && offset_of!(CpuHead, user_stack) == 40);
    assert!(size_of::<CpuHead>() == 64);
};

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

/// The number of the CPU that runs this. Unless preemption is off, it may be another one by the time it is used.
#[inline]
pub fn cpu_id() -> u32 {
    machine::load32::<{ offset_of!(CpuHead, cpu_id) }>()
}

/// Keeps the running task on this CPU until [`preempt_enable`]; nests.
#[inline]
pub fn preempt_disable() {
    machine::add32::<{ offset_of!(CpuHead, preempt_count) }, 1>();
}

/// Takes one [`preempt_disable`] back.
#[inline]
pub fn preempt_enable() {
    debug_assert!(preempt_count() != 0, "preempt_enable without preempt_disable");
    machine::add32::<{ offset_of!(CpuHead, preempt_count) }, -1>();
}

/// How often preemption is disabled on this CPU.
#[inline]
pub fn preempt_count() -> u32 {
    machine::load32::<{ offset_of!(CpuHead, preempt_count) }>()
}

/// How many interrupt handlers are on top of each other on this CPU; 0 in a task.
#[inline]
pub fn irq_nest() -> u32 {
    machine::load32::<{ offset_of!(CpuHead, irq_nest) }>()
}

/// A handler begins. For the entry path alone.
#[inline]
pub fn irq_enter() {
    machine::add32::<{ offset_of!(CpuHead, irq_nest) }, 1>();
}

/// A handler ends. For the entry path alone.
#[inline]
pub fn irq_leave() {
    machine::add32::<{ offset_of!(CpuHead, irq_nest) }, -1>();
}

/// Whether another task should run on this CPU.
#[inline]
pub fn need_resched() -> bool {
    machine::load32::<{ offset_of!(CpuHead, need_resched) }>() != 0
}

/// Asks this CPU to run another task as soon as it may, or takes that back.
#[inline]
pub fn set_need_resched(on: bool) {
    machine::store32::<{ offset_of!(CpuHead, need_resched) }>(on.into());
}

/// The word that the task layer keeps for the task that runs; 0 before there are tasks.
#[inline]
pub fn current_task() -> u64 {
    machine::load64::<{ offset_of!(CpuHead, current_task) }>()
}

/// Sets what [`current_task`] returns. For the switch alone.
#[inline]
pub fn set_current_task(task: u64) {
    machine::store64::<{ offset_of!(CpuHead, current_task) }>(task);
}

/// Top of the stack that an entry from user mode starts on.
#[inline]
pub fn kernel_stack() -> u64 {
    machine::load64::<{ offset_of!(CpuHead, kernel_stack) }>()
}

/// Sets what [`kernel_stack`] returns. For the switch alone.
#[inline]
pub fn set_kernel_stack(top: u64) {
    machine::store64::<{ offset_of!(CpuHead, kernel_stack) }>(top);
}

/// The ranks of locks held on this CPU, and of those that mask interrupts. Kept in builds with debug assertions.
#[inline]
#[cfg(debug_assertions)]
pub(crate) fn held() -> (u64, u64) {
    (
        machine::load64::<{ offset_of!(CpuHead, held) }>(),
        machine::load64::<{ offset_of!(CpuHead, held_irq) }>(),
    )
}

/// Flips `bit` in the ranks held.
#[inline]
#[cfg(debug_assertions)]
pub(crate) fn flip_held(bit: u64, masks_irqs: bool) {
    machine::xor64::<{ offset_of!(CpuHead, held) }>(bit);
    if masks_irqs {
        machine::xor64::<{ offset_of!(CpuHead, held_irq) }>(bit);
    }
}

/// Keeps the running task on its CPU for as long as it lives.
pub struct PreemptGuard(core::marker::PhantomData<*const ()>);

impl PreemptGuard {
    /// Disables preemption.
    #[inline]
    #[expect(clippy::new_without_default, reason = "a guard is made on purpose, never by default")]
    pub fn new() -> Self {
        preempt_disable();
        Self(core::marker::PhantomData)
    }
}

impl Drop for PreemptGuard {
    #[inline]
    fn drop(&mut self) {
        preempt_enable();
    }
}

#[cfg(not(test))]
pub use machine::init_cpu0;

#[cfg(not(test))]
mod machine {
    //! The head through GS.
    use super::{CpuHead, PerCpu, UnsafeCell};
    use core::arch::asm;
    use x86_64::VirtAddr;
    use x86_64::registers::model_specific::GsBase;

    unsafe extern "C" {
        static __percpu_start: UnsafeCell<u8>;
        static __percpu_end: UnsafeCell<u8>;
        static __percpu_cpu0: UnsafeCell<u8>;
    }

    #[unsafe(link_section = ".percpu")]
    #[used]
    static HEAD: PerCpu<CpuHead> = PerCpu::new(CpuHead {
        self_ptr: 0,
        cpu_id: 0,
        preempt_count: 0,
        irq_nest: 0,
        need_resched: 0,
        current_task: 0,
        kernel_stack: 0,
        user_stack: 0,
        held: 0,
        held_irq: 0,
    });

    /// Makes CPU 0's area and points GS at it. Nothing before it may log, lock or touch per-CPU data (it would fault).
    ///
    /// # Safety
    /// Called once, by CPU 0, with interrupts masked.
    pub unsafe fn init_cpu0() {
        let start = &raw const __percpu_start as u64;
        let size = &raw const __percpu_end as u64 - start;
        let area = &raw const __percpu_cpu0 as u64;
        let head = (area + (&raw const HEAD as u64 - start)) as *mut CpuHead;
        // SAFETY: the linker script makes the template and CPU 0's area of this size, apart from each other; nobody uses
        // the area before GS points at it, and this runs once. The head's copy lies at the head's place in the template.
        unsafe {
            core::ptr::copy_nonoverlapping(start as *const u8, area as *mut u8, size as usize);
            (*head).self_ptr = head as u64;
        }
        GsBase::write(VirtAddr::new(head as u64));
    }

    /// This CPU's copy of the template's `original`.
    #[inline]
    pub(super) fn copy_of<T>(original: *mut T) -> *mut T {
        let offset = (original as u64).wrapping_sub(&raw const HEAD as u64);
        load64::<0>().wrapping_add(offset) as *mut T
    }

    #[inline]
    pub(super) fn load32<const OFFSET: usize>() -> u32 {
        let value: u32;
        // SAFETY: reads a field of this CPU's head. Not `nomem`: other accesses change it.
        unsafe {
            asm!("mov {:e}, gs:[{o}]", out(reg) value, o = const OFFSET, options(nostack, preserves_flags, readonly));
        }
        value
    }

    #[inline]
    pub(super) fn store32<const OFFSET: usize>(value: u32) {
        // SAFETY: writes a field of this CPU's head, which is reached by these functions only.
        unsafe {
            asm!("mov gs:[{o}], {:e}", in(reg) value, o = const OFFSET, options(nostack, preserves_flags))
        };
    }

    #[inline]
    pub(super) fn add32<const OFFSET: usize, const BY: i32>() {
        // SAFETY: as for `store32`. One instruction: an interrupt falls before or after it.
        unsafe { asm!("add dword ptr gs:[{o}], {by}", o = const OFFSET, by = const BY, options(nostack)) };
    }

    #[inline]
    pub(super) fn load64<const OFFSET: usize>() -> u64 {
        let value: u64;
        // SAFETY: as for `load32`.
        unsafe {
            asm!("mov {}, gs:[{o}]", out(reg) value, o = const OFFSET, options(nostack, preserves_flags, readonly));
        }
        value
    }

    #[inline]
    pub(super) fn store64<const OFFSET: usize>(value: u64) {
        // SAFETY: as for `store32`.
        unsafe {
            asm!("mov gs:[{o}], {}", in(reg) value, o = const OFFSET, options(nostack, preserves_flags))
        };
    }

    #[inline]
    #[cfg(debug_assertions)]
    pub(super) fn xor64<const OFFSET: usize>(value: u64) {
        // SAFETY: as for `add32`.
        unsafe { asm!("xor gs:[{o}], {}", in(reg) value, o = const OFFSET, options(nostack)) };
    }
}

/// On the host a thread stands for a CPU, and statics have no copies.
#[cfg(test)]
mod machine {
    use std::cell::Cell;
    std::thread_local! { static HEAD: [Cell<u32>; 16] = const { [const { Cell::new(0) }; 16] }; }

    pub(super) fn copy_of<T>(original: *mut T) -> *mut T {
        original
    }
    pub(super) fn load32<const OFFSET: usize>() -> u32 {
        HEAD.with(|head| head[OFFSET / 4].get())
    }
    pub(super) fn store32<const OFFSET: usize>(value: u32) {
        HEAD.with(|head| head[OFFSET / 4].set(value));
    }
    pub(super) fn add32<const OFFSET: usize, const BY: i32>() {
        store32::<OFFSET>(load32::<OFFSET>().wrapping_add_signed(BY));
    }
    pub(super) fn load64<const OFFSET: usize>() -> u64 {
        HEAD.with(|head| u64::from(head[OFFSET / 4].get()) | u64::from(head[OFFSET / 4 + 1].get()) << 32)
    }
    pub(super) fn store64<const OFFSET: usize>(value: u64) {
        HEAD.with(|head| {
            head[OFFSET / 4].set(value as u32);
            head[OFFSET / 4 + 1].set((value >> 32) as u32);
        });
    }
    #[cfg(debug_assertions)]
    pub(super) fn xor64<const OFFSET: usize>(value: u64) {
        store64::<OFFSET>(load64::<OFFSET>() ^ value);
    }
}
