//! A growing array.

mod into_iter;

pub use into_iter::IntoIter;

use crate::AllocError;
use crate::memory::{allocate, free};
use core::alloc::Layout;
use core::fmt;
use core::marker::PhantomData;
use core::mem::ManuallyDrop;
use core::ops::{Deref, DerefMut};
use core::ptr::{self, NonNull};
use core::slice;

/// An array that grows at its end.
///
/// Invariant: `start` is memory from `allocate` for `room` values (nothing, if that is no bytes), of which the first `len`
/// are initialised; `len <= room`. For values of size zero `room` is `usize::MAX`.
pub struct Vec<T> {
    start: NonNull<T>,
    room: usize,
    len: usize,
    owns: PhantomData<T>,
}

// SAFETY: the vector is its values' only way in, as if it held them directly.
unsafe impl<T: Send> Send for Vec<T> {}
// SAFETY: as above.
unsafe impl<T: Sync> Sync for Vec<T> {}

impl<T> Vec<T> {
    const NO_BYTES: bool = size_of::<T>() == 0;
    /// The first growth goes to a line of the cache, or to one value.
    const FIRST_ROOM: usize = if Self::NO_BYTES || size_of::<T>() > 64 { 1 } else { 64 / size_of::<T>() };

    /// An empty vector, without memory.
    pub const fn new() -> Self {
        let room = if Self::NO_BYTES { usize::MAX } else { 0 };
        Self { start: NonNull::dangling(), room, len: 0, owns: PhantomData }
    }

    /// An empty vector with room for `room` values.
    ///
    /// # Errors
    /// When memory is out.
    pub fn with_capacity(room: usize) -> Result<Self, AllocError> {
        let mut vec = Self::new();
        vec.reserve_exact(room)?;
        Ok(vec)
    }

    /// How many values there is room for without allocating.
    pub const fn capacity(&self) -> usize {
        self.room
    }

    /// Makes room for `more` values behind those that are there, and for some after them.
    ///
    /// # Errors
    /// When memory is out.
    #[inline]
    pub fn reserve(&mut self, more: usize) -> Result<(), AllocError> {
        if more <= self.room - self.len {
            return Ok(());
        }
        let needed = self.len.checked_add(more).ok_or(AllocError)?;
        self.grow(needed.max(self.room.saturating_mul(2)).max(Self::FIRST_ROOM))
            // Twice as much may be too much where what is needed is not.
            .or_else(|_| self.grow(needed))
    }

    /// Makes room for exactly `more` values behind those that are there.
    ///
    /// # Errors
    /// When memory is out.
    pub fn reserve_exact(&mut self, more: usize) -> Result<(), AllocError> {
        if more <= self.room - self.len {
            return Ok(());
        }
        self.grow(self.len.checked_add(more).ok_or(AllocError)?)
    }

    /// Moves to memory for `room` values, more than now; never called for values of size zero.
    #[inline(never)]
    fn grow(&mut self, room: usize) -> Result<(), AllocError> {
        let layout = Layout::array::<T>(room).map_err(|_| AllocError)?;
        let start = allocate(layout)?.cast::<T>();
        // SAFETY: the first `len` values are initialised, the new memory is larger and separate. The bytes move; the old
        // memory is given back without dropping them.
        unsafe {
            ptr::copy_nonoverlapping(self.start.as_ptr(), start.as_ptr(), self.len);
            self.free();
        }
        self.start = start;
        self.room = room;
        Ok(())
    }

    /// Gives the memory back without dropping the values.
    ///
    /// # Safety
    /// The memory is not used afterwards.
    unsafe fn free(&mut self) {
        if Self::NO_BYTES || self.room == 0 {
            return;
        }
        if let Ok(layout) = Layout::array::<T>(self.room) {
            // SAFETY: the invariant: the memory came from `allocate` with this layout.
            unsafe { free(self.start.cast(), layout) };
        }
    }

    /// Adds `value` at the end.
    ///
    /// # Errors
    /// When memory is out; `value` is dropped.
    #[inline]
    pub fn push(&mut self, value: T) -> Result<(), AllocError> {
        self.reserve(1)?;
        self.push_within_capacity(value).map_err(|_| AllocError)
    }

    /// Adds `value` at the end if there is room: after [`reserve`](Self::reserve) this cannot fail.
    ///
    /// # Errors
    /// Gives `value` back when there is no room.
    #[inline]
    pub fn push_within_capacity(&mut self, value: T) -> Result<(), T> {
        if self.len == self.room {
            return Err(value);
        }
        // SAFETY: `len < room`, so the place is in the vector's memory and not initialised.
        unsafe { self.start.add(self.len).write(value) };
        self.len += 1;
        Ok(())
    }

    /// Takes the last value.
    #[inline]
    pub fn pop(&mut self) -> Option<T> {
        self.len = self.len.checked_sub(1)?;
        // SAFETY: it was initialised and is no longer counted.
        Some(unsafe { self.start.add(self.len).read() })
    }

    /// Puts `value` before the one at `index`, or at the end.
    ///
    /// # Errors
    /// When memory is out or `index` lies behind the end; `value` is dropped.
    pub fn insert(&mut self, index: usize, value: T) -> Result<(), AllocError> {
        if index > self.len {
            return Err(AllocError);
        }
        self.push(value)?;
        if let Some(tail) = self.get_mut(index..) {
            tail.rotate_right(1);
        }
        Ok(())
    }

    /// Takes the value at `index`; those behind it move up.
    pub fn remove(&mut self, index: usize) -> Option<T> {
        if index >= self.len {
            return None;
        }
        self.get_mut(index..)?.rotate_left(1);
        self.pop()
    }

    /// Takes the value at `index`; the last one takes its place.
    pub fn swap_remove(&mut self, index: usize) -> Option<T> {
        let last = self.len.checked_sub(1)?;
        if index > last {
            return None;
        }
        self.swap(index, last);
        self.pop()
    }

    /// Drops all values from `len` on.
    pub fn truncate(&mut self, len: usize) {
        while self.len > len {
            drop(self.pop());
        }
    }

    /// Drops all values; the memory stays.
    pub fn clear(&mut self) {
        self.truncate(0);
    }

    /// Drops the values that `keep` refuses; the order stays.
    pub fn retain(&mut self, mut keep: impl FnMut(&mut T) -> bool) {
        let mut kept = 0;
        for at in 0..self.len {
            if self.get_mut(at).is_some_and(&mut keep) {
                self.swap(kept, at);
                kept += 1;
            }
        }
        self.truncate(kept);
    }

    /// Adds what `values` yields.
    ///
    /// # Errors
    /// When memory is out; what was added until then stays.
    pub fn try_extend(&mut self, values: impl IntoIterator<Item = T>) -> Result<(), AllocError> {
        let values = values.into_iter();
        self.reserve(values.size_hint().0)?;
        for value in values {
            self.push(value)?;
        }
        Ok(())
    }

    /// A vector of what `values` yields.
    ///
    /// # Errors
    /// When memory is out.
    pub fn try_from_iter(values: impl IntoIterator<Item = T>) -> Result<Self, AllocError> {
        let mut vec = Self::new();
        vec.try_extend(values)?;
        Ok(vec)
    }

    /// The values, for ever; the memory behind them is not used again.
    pub fn leak<'a>(self) -> &'a mut [T] {
        let this = ManuallyDrop::new(self);
        // SAFETY: the first `len` values are initialised, and ownership goes into the one reference.
        unsafe { slice::from_raw_parts_mut(this.start.as_ptr(), this.len) }
    }
}

impl<T: Clone> Vec<T> {
    /// Adds clones of `values`.
    ///
    /// # Errors
    /// When memory is out; nothing was added.
    pub fn extend_from_slice(&mut self, values: &[T]) -> Result<(), AllocError> {
        self.reserve(values.len())?;
        values.iter().cloned().try_for_each(|value| self.push(value))
    }

    /// Cuts off at `len` values, or adds clones of `value` up to there.
    ///
    /// # Errors
    /// When memory is out; nothing was added.
    pub fn resize(&mut self, len: usize, value: T) -> Result<(), AllocError> {
        self.truncate(len);
        self.reserve(len - self.len)?;
        while self.len < len {
            self.push(value.clone())?;
        }
        Ok(())
    }

    /// A second vector with clones of the values.
    ///
    /// # Errors
    /// When memory is out.
    pub fn try_clone(&self) -> Result<Self, AllocError> {
        let mut vec = Self::with_capacity(self.len)?;
        vec.extend_from_slice(self)?;
        Ok(vec)
    }
}

impl<T: Copy> Vec<T> {
    /// Adds copies of `values`: one copy of memory, however many they are.
    ///
    /// # Errors
    /// When memory is out; nothing was added.
    pub fn extend_from_copy(&mut self, values: &[T]) -> Result<(), AllocError> {
        self.reserve(values.len())?;
        // SAFETY: `reserve` made room for so many values behind the first `len`; `values` is borrowed shared, so it does not lie
        // in this vector, which is borrowed alone. A copy is a value of its own, `T` being `Copy`.
        unsafe {
            ptr::copy_nonoverlapping(values.as_ptr(), self.start.add(self.len).as_ptr(), values.len());
        }
        self.len += values.len();
        Ok(())
    }
}

impl<T> Drop for Vec<T> {
    fn drop(&mut self) {
        let values: *mut [T] = &mut **self;
        // SAFETY: the values are dropped once, first to last, then the memory given back; the vector is gone after this.
        unsafe {
            values.drop_in_place();
            self.free();
        }
    }
}

impl<T> Deref for Vec<T> {
    type Target = [T];
    #[inline]
    fn deref(&self) -> &[T] {
        // SAFETY: the first `len` values are initialised; shared as long as the vector is.
        unsafe { slice::from_raw_parts(self.start.as_ptr(), self.len) }
    }
}

impl<T> DerefMut for Vec<T> {
    #[inline]
    fn deref_mut(&mut self) -> &mut [T] {
        // SAFETY: the first `len` values are initialised; exclusive as long as the vector is.
        unsafe { slice::from_raw_parts_mut(self.start.as_ptr(), self.len) }
    }
}

impl<T> Default for Vec<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T: fmt::Debug> fmt::Debug for Vec<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

impl<T: PartialEq> PartialEq for Vec<T> {
    fn eq(&self, other: &Self) -> bool {
        **self == **other
    }
}

impl<T: Eq> Eq for Vec<T> {}
