//! A lock whose holder may sleep; who wants it sleeps until it is free.
//!
//! Cost without contention: one compare-and-exchange to take, one exchange to give. Not for interrupt handlers, and not under
//! a spin lock: builds with debug assertions panic.

use crate::sched;
use crate::wait::WaitQueue;
use core::cell::UnsafeCell;
use core::marker::PhantomData;
use core::ops::{Deref, DerefMut};
use core::sync::atomic::{
    AtomicU32,
    Ordering::{Acquire, Relaxed, Release},
};

const FREE: u32 = 0;
const HELD: u32 = 1;
/// Held, and somebody may be waiting.
const WANTED: u32 = 2;

/// A sleeping lock around a value.
pub struct Mutex<T: ?Sized> {
    state: AtomicU32,
    waiters: WaitQueue,
    value: UnsafeCell<T>,
}

#[allow(unsafe_code, reason = "a lock is what makes sharing its value sound")]
mod sound {
    use super::{Mutex, MutexGuard};
    // SAFETY: the value is reached by one guard at a time, on whatever task holds it.
    unsafe impl<T: ?Sized + Send> Sync for Mutex<T> {}
    // SAFETY: the value goes with the lock.
    unsafe impl<T: ?Sized + Send> Send for Mutex<T> {}
    // SAFETY: a shared guard gives shared references to the value only.
    unsafe impl<T: ?Sized + Sync> Sync for MutexGuard<'_, T> {}
}

/// The right to the value; giving it up wakes the next. The task that took it gives it up.
pub struct MutexGuard<'a, T: ?Sized>(&'a Mutex<T>, PhantomData<*mut T>);

impl<T> Mutex<T> {
    /// A free lock around `value`.
    pub const fn new(value: T) -> Self {
        Self { state: AtomicU32::new(FREE), waiters: WaitQueue::new(), value: UnsafeCell::new(value) }
    }
}

impl<T: ?Sized> Mutex<T> {
    /// Takes the lock, sleeping until it is free.
    #[inline]
    pub fn lock(&self) -> MutexGuard<'_, T> {
        sched::may_sleep();
        if self.state.compare_exchange(FREE, HELD, Acquire, Relaxed).is_err() {
            self.waiters.wait_until(|| self.state.swap(WANTED, Acquire) == FREE);
        }
        MutexGuard(self, PhantomData)
    }

    /// Takes the lock if it is free.
    #[inline]
    pub fn try_lock(&self) -> Option<MutexGuard<'_, T>> {
        self.state.compare_exchange(FREE, HELD, Acquire, Relaxed).ok()?;
        Some(MutexGuard(self, PhantomData))
    }
}

impl<T: ?Sized> Drop for MutexGuard<'_, T> {
    #[inline]
    fn drop(&mut self) {
        if self.0.state.swap(FREE, Release) == WANTED {
            self.0.waiters.wake_one();
        }
    }
}

impl<T: ?Sized> Deref for MutexGuard<'_, T> {
    type Target = T;
    #[inline]
    #[allow(unsafe_code)]
    fn deref(&self) -> &T {
        // SAFETY: this guard holds the lock.
        unsafe { &*self.0.value.get() }
    }
}

impl<T: ?Sized> DerefMut for MutexGuard<'_, T> {
    #[inline]
    #[allow(unsafe_code)]
    fn deref_mut(&mut self) -> &mut T {
        // SAFETY: this guard holds the lock, and is borrowed alone.
        unsafe { &mut *self.0.value.get() }
    }
}
