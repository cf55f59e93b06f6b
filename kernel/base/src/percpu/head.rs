//! The head of a CPU's area: its fields, and functions that read and write them.
//!
//! Each is a single instruction, so that neither an interrupt nor a move to another CPU comes between finding the CPU and
//! touching its field.

use super::machine;
use crate::irq;
use crate::sync::OnceCell;
use core::mem::offset_of;

/// What GS points at. The offsets are part of the entry stubs' contract.
#[repr(C, align(64))]
#[derive(Debug)]
pub struct CpuHead {
    /// Offset 0: this head's own address.
    pub self_ptr: u64,
    /// Offset 8: the CPU's number, from 0.
    pub cpu_id: u32,
    /// Offset 12: how often preemption is disabled, and in the highest bit whether *no* other task wants to run. So the word
    /// is 0 exactly when the task should be switched away and may be: enabling preemption is one decrement and one jump.
    pub preempt_count: u32,
    /// Offset 16: how many interrupt handlers are on top of each other.
    pub irq_nest: u32,
    /// Offset 20: unused.
    pub spare: u32,
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

/// In [`CpuHead::preempt_count`]: no other task wants to run.
pub(super) const NO_RESCHED: u32 = 1 << 31;

const _: () = {
    assert!(offset_of!(CpuHead, self_ptr) == 0 && offset_of!(CpuHead, cpu_id) == 8);
    assert!(offset_of!(CpuHead, preempt_count) == 12 && offset_of!(CpuHead, irq_nest) == 16);
    assert!(offset_of!(CpuHead, spare) == 20 && offset_of!(CpuHead, current_task) == 24);
    assert!(offset_of!(CpuHead, kernel_stack) == 32 && offset_of!(CpuHead, user_stack) == 40);
    assert!(size_of::<CpuHead>() == 64);
};

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

/// Takes one [`preempt_disable`] back, and switches at once where a switch was put off.
#[inline]
pub fn preempt_enable() {
    debug_assert!(preempt_count() != 0, "preempt_enable without preempt_disable");
    if machine::decrement32::<{ offset_of!(CpuHead, preempt_count) }>() {
        preempt_point();
    }
}

/// How often preemption is disabled on this CPU.
#[inline]
pub fn preempt_count() -> u32 {
    machine::load32::<{ offset_of!(CpuHead, preempt_count) }>() & !NO_RESCHED
}

/// Whether the task that runs should be switched away and preemption is not disabled.
#[inline]
pub fn preempt_due() -> bool {
    machine::load32::<{ offset_of!(CpuHead, preempt_count) }>() == 0
}

/// Switches away if that is due and nothing else stands against it: interrupts are on and no handler is running.
#[cold]
pub fn preempt_point() {
    if preempt_due()
        && irq_nest() == 0
        && irq::enabled()
        && let Some(hook) = PREEMPT.get()
    {
        hook();
    }
}

static PREEMPT: OnceCell<fn()> = OnceCell::new();

/// The task layer's way to be called when the running task should be switched away. Set once.
pub fn set_preempt_hook(hook: fn()) {
    let _ = PREEMPT.set(hook);
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
    machine::load32::<{ offset_of!(CpuHead, preempt_count) }>() & NO_RESCHED == 0
}

/// Asks this CPU to run another task as soon as it may, or takes that back.
#[inline]
pub fn set_need_resched(on: bool) {
    if on {
        machine::and32::<{ offset_of!(CpuHead, preempt_count) }>(!NO_RESCHED);
    } else {
        machine::or32::<{ offset_of!(CpuHead, preempt_count) }>(NO_RESCHED);
    }
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
