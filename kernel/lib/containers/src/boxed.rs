//! A value on the heap with one owner.

use crate::AllocError;
use crate::memory::{allocate, free};
use core::alloc::Layout;
use core::fmt;
use core::marker::PhantomData;
use core::mem::{ManuallyDrop, MaybeUninit};
use core::ops::{Deref, DerefMut};
use core::pin::Pin;
use core::ptr::NonNull;

/// Owns a value on the heap.
///
/// Invariant: `value` is memory from `allocate` with the value's layout, initialised, and nobody else's.
pub struct Box<T: ?Sized> {
    value: NonNull<T>,
    owns: PhantomData<T>,
}

// SAFETY: the box is its value's only way in, as if it held it directly.
unsafe impl<T: ?Sized + Send> Send for Box<T> {}
// SAFETY: as above.
unsafe impl<T: ?Sized + Sync> Sync for Box<T> {}
// The value does not move when the box does.
impl<T: ?Sized> Unpin for Box<T> {}

impl<T> Box<T> {
    /// Moves `value` to the heap.
    ///
    /// # Errors
    /// When memory is out; `value` is dropped.
    #[inline]
    pub fn new(value: T) -> Result<Self, AllocError> {
        Ok(Self::new_uninit()?.write(value))
    }

    /// Memory for a value that is written later, without going over the stack.
    ///
    /// # Errors
    /// When memory is out.
    #[inline]
    pub fn new_uninit() -> Result<Box<MaybeUninit<T>>, AllocError> {
        let value = allocate(Layout::new::<T>())?.cast();
        Ok(Box { value, owns: PhantomData })
    }

    /// Memory for a value that is written later, all bytes 0.
    ///
    /// # Errors
    /// When memory is out.
    pub fn new_zeroed() -> Result<Box<MaybeUninit<T>>, AllocError> {
        let memory = Self::new_uninit()?;
        // SAFETY: the box owns that much memory, and bytes of 0 are allowed in `MaybeUninit`.
        unsafe { memory.value.as_ptr().write_bytes(0, 1) };
        Ok(memory)
    }

    /// Moves `value` to the heap, where it stays.
    ///
    /// # Errors
    /// When memory is out; `value` is dropped.
    pub fn pin(value: T) -> Result<Pin<Self>, AllocError> {
        Self::new(value).map(Self::into_pin)
    }

    /// Moves the value back out.
    pub fn into_inner(self) -> T {
        let value = Self::into_raw(self);
        // SAFETY: `into_raw` made this function the owner; the value is moved out once, then its memory, which came from
        // `allocate` with this layout, is given back.
        unsafe {
            let inner = value.read();
            free(NonNull::new_unchecked(value).cast(), Layout::new::<T>());
            inner
        }
    }
}

impl<T> Box<MaybeUninit<T>> {
    /// Writes the value that was missing.
    #[inline]
    pub fn write(mut self, value: T) -> Box<T> {
        (*self).write(value);
        // SAFETY: just written.
        unsafe { self.assume_init() }
    }

    /// Says that the value is there.
    ///
    /// # Safety
    /// It has been written.
    #[inline]
    pub unsafe fn assume_init(self) -> Box<T> {
        let value = Self::into_raw(self);
        // SAFETY: from `into_raw`, and of the same layout; the caller says that it is initialised.
        unsafe { Box::from_raw(value.cast()) }
    }
}

impl<T: ?Sized> Box<T> {
    /// Gives up ownership.
    #[inline]
    pub fn into_raw(this: Self) -> *mut T {
        ManuallyDrop::new(this).value.as_ptr()
    }

    /// Takes up ownership again.
    ///
    /// # Safety
    /// `value` came from [`into_raw`](Self::into_raw), once, and nobody else uses it.
    #[inline]
    pub unsafe fn from_raw(value: *mut T) -> Self {
        // SAFETY: what `into_raw` returned is not null.
        Self { value: unsafe { NonNull::new_unchecked(value) }, owns: PhantomData }
    }

    /// Lets the value live for ever.
    pub fn leak<'a>(this: Self) -> &'a mut T {
        // SAFETY: the value is initialised, and ownership goes into the one reference.
        unsafe { &mut *Self::into_raw(this) }
    }

    /// Promises that the value stays where it is.
    pub fn into_pin(this: Self) -> Pin<Self> {
        // SAFETY: the value is on the heap and leaves it only by `into_inner`, which a pinned box does not reach.
        unsafe { Pin::new_unchecked(this) }
    }
}

impl<T> Box<T> {
    /// Behind [`unsize!`](crate::unsize): `coerce` is the coercion of a reference to the value.
    ///
    /// A function that is no coercion (one that returns another value than it was given) gets its box leaked.
    #[doc(hidden)]
    pub fn unsize<U: ?Sized>(self, coerce: for<'a> fn(&'a mut T) -> &'a mut U) -> Box<U> {
        let value = Self::into_raw(self);
        // SAFETY: the box owned the value, so the reference is the only one.
        let unsized_value: *mut U = coerce(unsafe { &mut *value });
        // SAFETY: `coerce` returned a valid reference: one into the value, or one that lives for ever.
        let layout = Layout::for_value(unsafe { &*unsized_value });
        if unsized_value.cast::<T>() == value && layout == Layout::new::<T>() {
            // SAFETY: of the value's address and layout, hence the value itself (or a field that fills it, or, at size 0,
            // something without memory that was given away for ever): owned by nobody else since `into_raw`.
            unsafe { Box::from_raw(unsized_value) }
        } else {
            not_a_coercion()
        }
    }
}

/// Reached by a hand-written `coerce` only; the machine stops rather than free what it does not own.
#[cold]
pub(crate) fn not_a_coercion() -> ! {
    panic!("unsize: the function given is no coercion")
}

impl<T: ?Sized> Drop for Box<T> {
    #[inline]
    fn drop(&mut self) {
        let layout = Layout::for_value(&**self);
        // SAFETY: the invariant; the value is dropped once, then its memory given back.
        unsafe {
            self.value.drop_in_place();
            free(self.value.cast(), layout);
        }
    }
}

impl<T: ?Sized> Deref for Box<T> {
    type Target = T;
    #[inline]
    fn deref(&self) -> &T {
        // SAFETY: the invariant; shared as long as the box is.
        unsafe { self.value.as_ref() }
    }
}

impl<T: ?Sized> DerefMut for Box<T> {
    #[inline]
    fn deref_mut(&mut self) -> &mut T {
        // SAFETY: the invariant; exclusive as long as the box is.
        unsafe { self.value.as_mut() }
    }
}

impl<T: ?Sized + fmt::Debug> fmt::Debug for Box<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

impl<T: ?Sized + fmt::Display> fmt::Display for Box<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

impl<T: ?Sized + PartialEq> PartialEq for Box<T> {
    fn eq(&self, other: &Self) -> bool {
        **self == **other
    }
}

impl<T: ?Sized + Eq> Eq for Box<T> {}

const _: () = assert!(size_of::<Option<Box<u8>>>() == size_of::<usize>());
