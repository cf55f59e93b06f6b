//! A value on the heap with counted owners.

use crate::AllocError;
use crate::boxed::not_a_coercion;
use crate::memory::{allocate, free};
use core::alloc::Layout;
use core::fmt;
use core::marker::PhantomData;
use core::mem::{ManuallyDrop, offset_of};
use core::ops::Deref;
use core::ptr::{self, NonNull};
use core::sync::atomic::{AtomicUsize, Ordering, fence};

/// From here on a count is no longer believed: the value lives for ever. No honest program gets there, and a leak is the
/// one answer to a count that overflows that frees nothing in use. The distance to the true limit is more than there can
/// be CPUs between an increment and its check.
const SATURATED: usize = usize::MAX / 2;

#[repr(C)]
struct Counted<T: ?Sized> {
    owners: AtomicUsize,
    value: T,
}

/// Owns a value on the heap together with its clones; the last one drops it.
///
/// Invariant: `inner` is memory from `allocate` with the layout of `Counted<T>`, initialised, and `owners` is the number of
/// `Arc`s that lead to it (or saturated).
pub struct Arc<T: ?Sized> {
    inner: NonNull<Counted<T>>,
    owns: PhantomData<Counted<T>>,
}

// SAFETY: clones share the value between CPUs (`Sync`), and whichever goes last drops it (`Send`).
unsafe impl<T: ?Sized + Send + Sync> Send for Arc<T> {}
// SAFETY: a shared `Arc` can be cloned, so as above.
unsafe impl<T: ?Sized + Send + Sync> Sync for Arc<T> {}
// The value does not move when the Arc does.
impl<T: ?Sized> Unpin for Arc<T> {}

impl<T> Arc<T> {
    /// Moves `value` to the heap.
    ///
    /// # Errors
    /// When memory is out; `value` is dropped.
    pub fn new(value: T) -> Result<Self, AllocError> {
        let inner = allocate(Layout::new::<Counted<T>>())?.cast::<Counted<T>>();
        // SAFETY: memory of that layout, nobody else's.
        unsafe { inner.write(Counted { owners: AtomicUsize::new(1), value }) };
        Ok(Self { inner, owns: PhantomData })
    }

    /// Moves the value out if this is its only owner; otherwise this owner is dropped. Of several owners that all do this,
    /// exactly one gets the value.
    pub fn into_inner(this: Self) -> Option<T> {
        let this = ManuallyDrop::new(this);
        if !this.release() {
            return None;
        }
        // SAFETY: `release` said that this was the last owner; the value is moved out once and its memory given back.
        unsafe {
            let value = (&raw const (*this.inner.as_ptr()).value).read();
            free(this.inner.cast(), Layout::new::<Counted<T>>());
            Some(value)
        }
    }

    /// Gives up ownership without counting down; the address is the value's.
    pub fn into_raw(this: Self) -> *const T {
        let inner = ManuallyDrop::new(this).inner.as_ptr();
        // SAFETY: stays within the memory of `inner`.
        unsafe { &raw const (*inner).value }
    }

    /// Takes up ownership again.
    ///
    /// # Safety
    /// `value` came from [`into_raw`](Self::into_raw), once for each call of this.
    pub unsafe fn from_raw(value: *const T) -> Self {
        // SAFETY: `into_raw` returned the address of a `Counted`'s value, which lies this far behind its start.
        let inner = unsafe { value.byte_sub(offset_of!(Counted<T>, value)) }.cast_mut().cast();
        // SAFETY: no memory of the heap lies at 0.
        Self { inner: unsafe { NonNull::new_unchecked(inner) }, owns: PhantomData }
    }

    /// Behind [`unsize!`](crate::unsize): `coerce` is the coercion of a reference to the value.
    #[doc(hidden)]
    pub fn unsize<U: ?Sized>(self, coerce: for<'a> fn(&'a T) -> &'a U) -> Arc<U> {
        let value: &U = coerce(&self);
        let same = ptr::from_ref(value).cast::<T>() == ptr::from_ref(&*self);
        if !same || Layout::for_value(value) != Layout::new::<T>() {
            not_a_coercion()
        }
        // The pointer to the whole is the one to the value with another address: a `Counted<U>` ends in a `U`, and the cast
        // keeps what comes with it (a length, a vtable).
        let mut inner = ptr::from_ref(value) as *mut Counted<U>;
        let whole = ManuallyDrop::new(self).inner;
        // SAFETY: a pointer begins with its address, whatever comes with it; this changes nothing else.
        unsafe { (&raw mut inner).cast::<*mut Counted<T>>().write(whole.as_ptr()) };
        // SAFETY: not null. The `U` there is the value itself (same address, same layout, hence at the same distance from the
        // count), and its owner moved over from `self`.
        Arc { inner: unsafe { NonNull::new_unchecked(inner) }, owns: PhantomData }
    }
}

impl<T: ?Sized> Arc<T> {
    /// Whether both own the same value.
    pub fn ptr_eq(this: &Self, other: &Self) -> bool {
        ptr::addr_eq(this.inner.as_ptr(), other.inner.as_ptr())
    }

    /// The number of owners at this moment; others may clone and drop meanwhile.
    pub fn count(this: &Self) -> usize {
        this.owners().load(Ordering::Relaxed)
    }

    /// The value, to be changed, if this is its only owner.
    pub fn get_mut(this: &mut Self) -> Option<&mut T> {
        // Acquire: what other owners did before they dropped theirs has happened.
        if this.owners().load(Ordering::Acquire) != 1 {
            return None;
        }
        // SAFETY: the only owner is borrowed exclusively, so nobody else reaches the value or clones.
        Some(unsafe { &mut (*this.inner.as_ptr()).value })
    }

    fn owners(&self) -> &AtomicUsize {
        // SAFETY: the invariant: the memory is there as long as an owner is.
        unsafe { &(*self.inner.as_ptr()).owners }
    }

    /// Counts one owner down; whether it was the last, so that the caller drops the value.
    fn release(&self) -> bool {
        let before = self.owners().fetch_sub(1, Ordering::Release);
        if before >= SATURATED {
            self.owners().store(usize::MAX / 4 * 3, Ordering::Relaxed);
            return false;
        }
        if before != 1 {
            return false;
        }
        // Everything that other owners did before they counted down comes before the value's end.
        fence(Ordering::Acquire);
        true
    }
}

impl<T: ?Sized> Clone for Arc<T> {
    #[inline]
    fn clone(&self) -> Self {
        // Relaxed: whoever gets the clone gets it by a way that orders.
        let before = self.owners().fetch_add(1, Ordering::Relaxed);
        if before >= SATURATED {
            self.owners().store(usize::MAX / 4 * 3, Ordering::Relaxed);
        }
        Self { inner: self.inner, owns: PhantomData }
    }
}

impl<T: ?Sized> Drop for Arc<T> {
    #[inline]
    fn drop(&mut self) {
        if self.release() {
            // SAFETY: the last owner: nobody reaches the value any more. It is dropped once, then its memory given back;
            // its layout is taken before.
            unsafe {
                let layout = Layout::for_value(self.inner.as_ref());
                (&raw mut (*self.inner.as_ptr()).value).drop_in_place();
                free(self.inner.cast(), layout);
            }
        }
    }
}

impl<T: ?Sized> Deref for Arc<T> {
    type Target = T;
    #[inline]
    fn deref(&self) -> &T {
        // SAFETY: the invariant: the value is there as long as an owner is, and only shared.
        unsafe { &(*self.inner.as_ptr()).value }
    }
}

impl<T: ?Sized + fmt::Debug> fmt::Debug for Arc<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

impl<T: ?Sized + fmt::Display> fmt::Display for Arc<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

impl<T: ?Sized + PartialEq> PartialEq for Arc<T> {
    fn eq(&self, other: &Self) -> bool {
        **self == **other
    }
}

impl<T: ?Sized + Eq> Eq for Arc<T> {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_count_that_overflows_leaks_and_frees_nothing() {
        let arc = Arc::new(7).expect("memory");
        arc.owners().store(SATURATED, Ordering::Relaxed);
        let clone = arc.clone();
        drop(clone);
        drop(arc.clone());
        assert!(arc.owners().load(Ordering::Relaxed) > SATURATED);
        assert_eq!(*arc, 7);
        // One owner again, so that the test leaks nothing.
        arc.owners().store(1, Ordering::Relaxed);
    }
}
