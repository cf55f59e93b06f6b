//! Box, Vec, String and Arc that say so when memory is out.
//!
//! `alloc`'s containers abort the machine when an allocation fails; the kernel does not use that crate at all. These have
//! the same names and the same feel, with two differences:
//!
//! - whatever may allocate returns `Result<_, AllocError>`, and on failure everything is as before (a value that was to
//!   be stored is dropped);
//! - nothing panics: where `alloc` panics on a bad index, these return an `Option`. (Indexing a slice is still the
//!   language's own.)
//!
//! Memory comes from two functions that the memory layer defines with `#[unsafe(no_mangle)]`:
//!
//! ```ignore
//! unsafe fn ottawa_alloc(size: usize, align: usize) -> *mut u8;         // null: none left
//! unsafe fn ottawa_dealloc(ptr: *mut u8, size: usize, align: usize);
//! ```
//!
//! A value of size zero takes no memory and never fails. What becomes of a `Box` or `Arc` of a trait: [`unsize!`].
#![cfg_attr(not(test), no_std)]

mod arc;
mod boxed;
mod heap;
mod memory;
mod string;
mod vec;

#[cfg(test)]
mod tests;

pub use arc::Arc;
pub use boxed::Box;
pub use heap::Heap;
pub use memory::AllocError;
pub use string::{String, format};
pub use vec::{IntoIter, Vec};

/// Turns a `Box` or `Arc` of a value into one of a trait or slice of it: `unsize!(boxed => dyn Driver)`.
#[macro_export]
macro_rules! unsize {
    ($pointer:expr => $to:ty) => {
        $pointer.unsize::<$to>(|value| value)
    };
}

/// Formats into a new [`String`]: `try_format!("{a} {b}")?`. Fails when memory is out.
#[macro_export]
macro_rules! try_format {
    ($($arg:tt)*) => { $crate::format(::core::format_args!($($arg)*)) };
}
