//! The lock order.
//!
//! While a CPU holds a lock it may wait only for locks of a higher rank, that is, further down in this table:
//!
//! | rank | what it guards |
//! |---|---|
//! | [`MODULE`] | the list of modules and their states |
//! | [`PARAM`] | the setting of parameters; their callbacks run under it |
//! | [`VMALLOC`] | the areas of the vmalloc and module ranges |
//! | [`PAGE_TABLE`] | the kernel's page tables |
//! | [`SLAB`] | one slab cache |
//! | [`FRAMES`] | the free lists of page frames |
//! | [`IRQ_LINE`] | a line's handler |
//! | [`PIC`] | the interrupt controller's registers |
//! | [`TEXT`] | the value of one text parameter |
//! | [`RTC`] | the clock chip's registers |
//! | [`INPUT`] | what a console has received |
//! | [`WAIT`] | the tasks that wait for one thing |
//! | [`RUNQUEUE`] | one CPU's run queue; tasks are woken while holding anything above |
//! | [`TIMER`] | one CPU's timers |
//! | [`CONSOLES`] | who brings the log to the consoles |
//! | [`LOG`] | the log's ring: anybody may log while holding anything above |
//! | [`CONTROL`] | the line to the host |
//! | [`CONSOLE`] | one console's registers |
//!
//! Two locks of one rank are never held together. Below an [`IrqSpinLock`](super::IrqSpinLock) only such locks are taken:
//! a `SpinLock` there could be held by code on another CPU that an interrupt handler, waiting for the outer lock, holds up.
//! Builds with debug assertions check both on every CPU, and that no handler takes a `SpinLock`, and panic with the names.

/// A place in the lock order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Rank(u8);

macro_rules! ranks {
    ($($(#[$doc:meta])* $name:ident = $level:literal;)*) => {
        $($(#[$doc])* pub const $name: Rank = Rank($level);)*

        impl Rank {
            /// The rank's name, as in the table.
            pub const fn name(self) -> &'static str {
                match self.0 {
                    $($level => stringify!($name),)*
                    _ => "?",
                }
            }
        }
    };
}

ranks! {
    /// The list of modules and their states.
    MODULE = 4;
    /// The setting of parameters.
    PARAM = 8;
    /// The areas of the vmalloc and module ranges.
    VMALLOC = 16;
    /// The kernel's page tables.
    PAGE_TABLE = 20;
    /// One slab cache.
    SLAB = 24;
    /// The free lists of page frames.
    FRAMES = 28;
    /// An interrupt line's handler.
    IRQ_LINE = 36;
    /// The interrupt controller's registers.
    PIC = 40;
    /// The value of one text parameter.
    TEXT = 44;
    /// The clock chip's registers.
    RTC = 46;
    /// What a console has received.
    INPUT = 47;
    /// The tasks that wait for one thing.
    WAIT = 48;
    /// One CPU's run queue.
    RUNQUEUE = 49;
    /// One CPU's timers.
    TIMER = 50;
    /// Who brings the log to the consoles.
    CONSOLES = 52;
    /// The log's ring.
    LOG = 56;
    /// The line to the host.
    CONTROL = 60;
    /// One console's registers.
    CONSOLE = 62;
}

/// Remembers on this CPU that a lock of some rank is held, for as long as it lives. Preemption must be off.
pub(super) struct Held {
    #[cfg(debug_assertions)]
    bit: u64,
    #[cfg(debug_assertions)]
    masks_irqs: bool,
}

impl Held {
    /// Checks that a lock of this rank may be waited for, and remembers it.
    #[cfg(debug_assertions)]
    #[inline]
    #[track_caller]
    pub(super) fn in_order(rank: Rank, masks_irqs: bool) -> Self {
        let (held, held_irq) = crate::percpu::held();
        if held >> rank.0 != 0 {
            out_of_order(rank, held);
        }
        if !masks_irqs && held_irq != 0 {
            must_mask(rank, held_irq);
        }
        if !masks_irqs && crate::percpu::irq_nest() != 0 {
            not_in_handlers(rank);
        }
        Self::out_of_turn(rank, masks_irqs)
    }

    /// Remembers a lock that was not waited for.
    #[cfg(debug_assertions)]
    #[inline]
    pub(super) fn out_of_turn(rank: Rank, masks_irqs: bool) -> Self {
        // A second lock of one rank, had by `try_lock`, is not remembered: its release must not forget the first.
        let bit = (1 << rank.0) & !crate::percpu::held().0;
        crate::percpu::flip_held(bit, masks_irqs);
        Self { bit, masks_irqs }
    }

    #[cfg(not(debug_assertions))]
    #[inline]
    pub(super) fn in_order(_: Rank, _: bool) -> Self {
        Self {}
    }

    #[cfg(not(debug_assertions))]
    #[inline]
    pub(super) fn out_of_turn(_: Rank, _: bool) -> Self {
        Self {}
    }
}

#[cfg(debug_assertions)]
impl Drop for Held {
    #[inline]
    fn drop(&mut self) {
        crate::percpu::flip_held(self.bit, self.masks_irqs);
    }
}

/// The highest of the ranks in `held`, which is not empty.
#[cfg(debug_assertions)]
fn innermost(held: u64) -> Rank {
    Rank(held.checked_ilog2().unwrap_or(0) as u8)
}

#[cfg(debug_assertions)]
#[cold]
#[track_caller]
fn out_of_order(rank: Rank, held: u64) -> ! {
    panic!("lock order: {} is waited for while {} is held", rank.name(), innermost(held).name())
}

#[cfg(debug_assertions)]
#[cold]
#[track_caller]
fn must_mask(rank: Rank, held_irq: u64) -> ! {
    panic!(
        "lock order: {}, which leaves interrupts on, is waited for while {} is held, which masks them",
        rank.name(),
        innermost(held_irq).name()
    )
}

#[cfg(debug_assertions)]
#[cold]
#[track_caller]
fn not_in_handlers(rank: Rank) -> ! {
    panic!("lock order: {}, which leaves interrupts on, is waited for in an interrupt handler", rank.name())
}
