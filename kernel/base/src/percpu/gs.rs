//! The machine's way to this CPU's area: the GS register.
#![allow(unsafe_code, reason = "reaches memory through the GS register")]

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
    preempt_count: super::head::NO_RESCHED,
    irq_nest: 0,
    spare: 0,
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
    // SAFETY: the linker script makes CPU 0's area of the template's size, apart from it; nobody uses it before GS
    // points at it, and this runs once.
    unsafe { adopt(make_area(&raw const __percpu_cpu0 as u64, 0)) };
}

/// Bytes of a CPU's area; it is aligned to 64.
pub fn area_bytes() -> usize {
    &raw const __percpu_end as usize - &raw const __percpu_start as usize
}

/// Makes the area of CPU `cpu` at `area` from the template and returns its head's address, for [`adopt`].
///
/// # Safety
/// `area` is [`area_bytes`] of memory aligned to 64, used by nobody, and stays for ever.
pub unsafe fn make_area(area: u64, cpu: u32) -> u64 {
    let start = &raw const __percpu_start as u64;
    let head = (area + (&raw const HEAD as u64 - start)) as *mut CpuHead;
    // SAFETY: the caller's condition; the template is apart from the area, and the head's copy lies at the head's place.
    unsafe {
        core::ptr::copy_nonoverlapping(start as *const u8, area as *mut u8, area_bytes());
        (*head).self_ptr = head as u64;
        (*head).cpu_id = cpu;
    }
    head as u64
}

/// Points GS of the running CPU at its area.
///
/// # Safety
/// `head` comes from [`make_area`] and is no other CPU's; interrupts are masked.
pub unsafe fn adopt(head: u64) {
    GsBase::write(VirtAddr::new(head));
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
pub(super) fn add32<const OFFSET: usize, const BY: i32>() {
    // SAFETY: changes a field of this CPU's head, which is reached by these functions only. One instruction: an interrupt falls before or after it.
    unsafe { asm!("add dword ptr gs:[{o}], {by}", o = const OFFSET, by = const BY, options(nostack)) };
}

/// Takes one away; whether that left 0.
#[inline]
pub(super) fn decrement32<const OFFSET: usize>() -> bool {
    let zero: u8;
    // SAFETY: as for `add32`.
    unsafe {
        asm!("sub dword ptr gs:[{o}], 1", "setz {}", out(reg_byte) zero, o = const OFFSET, options(nostack))
    };
    zero != 0
}

#[inline]
pub(super) fn and32<const OFFSET: usize>(value: u32) {
    // SAFETY: as for `add32`.
    unsafe { asm!("and dword ptr gs:[{o}], {:e}", in(reg) value, o = const OFFSET, options(nostack)) };
}

#[inline]
pub(super) fn or32<const OFFSET: usize>(value: u32) {
    // SAFETY: as for `add32`.
    unsafe { asm!("or dword ptr gs:[{o}], {:e}", in(reg) value, o = const OFFSET, options(nostack)) };
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
    // SAFETY: as for `add32`.
    unsafe { asm!("mov gs:[{o}], {}", in(reg) value, o = const OFFSET, options(nostack, preserves_flags)) };
}

#[inline]
#[cfg(debug_assertions)]
pub(super) fn xor64<const OFFSET: usize>(value: u64) {
    // SAFETY: as for `add32`.
    unsafe { asm!("xor gs:[{o}], {}", in(reg) value, o = const OFFSET, options(nostack)) };
}
