//! The two spin locks.
//!
//! The waiting itself is `spin`'s mutex, which executes `pause` in every turn. Around it come, in this order: interrupts
//! off (for [`IrqSpinLock`]), preemption off, the rank's check; and the same backwards at the end: a guard's fields are
//! dropped in the order in which they stand.
#![allow(clippy::disallowed_types, reason = "the one place where spin's mutex is the raw lock")]

use super::rank::{Held, Rank};
use crate::irq::IrqGuard;
use crate::percpu::PreemptGuard;
use core::fmt;
use core::marker::PhantomData;
use core::ops::{Deref, DerefMut};
use spin::mutex::{SpinMutex, SpinMutexGuard};

/// Data that tasks share and no interrupt handler touches. Preemption is off while it is held.
pub type SpinLock<T> = Lock<T, LeaveIrqs>;
/// Data that interrupt handlers use too. Interrupts and preemption are off while it is held.
pub type IrqSpinLock<T> = Lock<T, MaskIrqs>;
/// Holds a [`SpinLock`] as long as it lives; it stays on its CPU.
pub type SpinLockGuard<'a, T> = Guard<'a, T, LeaveIrqs>;
/// Holds an [`IrqSpinLock`], and masks interrupts, as long as it lives; it stays on its CPU.
pub type IrqSpinLockGuard<'a, T> = Guard<'a, T, MaskIrqs>;

/// What a lock does about interrupts while it is held.
pub trait Mode {
    /// Does it until it is dropped.
    type Mask;
    /// Whether it masks them.
    const MASKS: bool;
    /// Begins to do it.
    fn mask() -> Self::Mask;
}

/// The mode of [`SpinLock`].
pub struct LeaveIrqs;
/// The mode of [`IrqSpinLock`].
pub struct MaskIrqs;

impl Mode for LeaveIrqs {
    type Mask = ();
    const MASKS: bool = false;
    #[inline]
    fn mask() {}
}

impl Mode for MaskIrqs {
    type Mask = IrqGuard;
    const MASKS: bool = true;
    #[inline]
    fn mask() -> IrqGuard {
        IrqGuard::new()
    }
}

/// A value that one CPU at a time can reach. Named by its aliases [`SpinLock`] and [`IrqSpinLock`].
pub struct Lock<T: ?Sized, M> {
    rank: Rank,
    mode: PhantomData<fn() -> M>,
    raw: SpinMutex<T>,
}

/// Holds a lock. Neither `Send` nor `Sync`: what it undoes belongs to this CPU.
pub struct Guard<'a, T: ?Sized, M: Mode> {
    raw: SpinMutexGuard<'a, T>,
    _held: Held,
    _preempt: PreemptGuard,
    _mask: M::Mask,
}

impl<T, M: Mode> Lock<T, M> {
    /// A lock around `value`, at `rank` in the lock order.
    pub const fn new(rank: Rank, value: T) -> Self {
        Self { rank, mode: PhantomData, raw: SpinMutex::new(value) }
    }

    /// Takes the value out; nobody else can hold the lock.
    pub fn into_inner(self) -> T {
        self.raw.into_inner()
    }
}

impl<T: ?Sized, M: Mode> Lock<T, M> {
    /// Waits for the lock.
    #[inline]
    #[track_caller]
    pub fn lock(&self) -> Guard<'_, T, M> {
        let _mask = M::mask();
        let _preempt = PreemptGuard::new();
        let _held = Held::in_order(self.rank, M::MASKS);
        Guard { raw: self.raw.lock(), _held, _preempt, _mask }
    }

    /// Takes the lock if nobody holds it. It never waits, so the lock order does not matter.
    #[inline]
    pub fn try_lock(&self) -> Option<Guard<'_, T, M>> {
        let _mask = M::mask();
        let _preempt = PreemptGuard::new();
        let raw = self.raw.try_lock()?;
        let _held = Held::out_of_turn(self.rank, M::MASKS);
        Some(Guard { raw, _held, _preempt, _mask })
    }

    /// The value, without locking: who has the lock to himself needs none.
    pub fn get_mut(&mut self) -> &mut T {
        self.raw.get_mut()
    }
}

impl<T: fmt::Debug, M: Mode> fmt::Debug for Lock<T, M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut f = f.debug_struct("Lock");
        f.field("rank", &self.rank.name());
        match self.try_lock() {
            Some(guard) => f.field("value", &&*guard).finish(),
            None => f.finish_non_exhaustive(),
        }
    }
}

impl<T: ?Sized, M: Mode> Deref for Guard<'_, T, M> {
    type Target = T;
    #[inline]
    fn deref(&self) -> &T {
        &self.raw
    }
}

impl<T: ?Sized, M: Mode> DerefMut for Guard<'_, T, M> {
    #[inline]
    fn deref_mut(&mut self) -> &mut T {
        &mut self.raw
    }
}
