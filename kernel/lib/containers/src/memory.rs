//! Memory from the layer that has some.

use core::alloc::Layout;
use core::fmt;
use core::ptr::{self, NonNull};

/// There is no memory for what was asked, or it is more than there can be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AllocError;

impl fmt::Display for AllocError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad("cannot allocate memory")
    }
}

impl core::error::Error for AllocError {}

unsafe extern "Rust" {
    /// Memory of `size` bytes (not 0) at a multiple of `align` (a power of two); null when there is none.
    fn ottawa_alloc(size: usize, align: usize) -> *mut u8;
    /// Takes memory back from [`ottawa_alloc`], with the same numbers.
    fn ottawa_dealloc(ptr: *mut u8, size: usize, align: usize);
}

/// Memory for `layout`; for a size of zero, a well-aligned address that is no memory.
#[inline]
pub(crate) fn allocate(layout: Layout) -> Result<NonNull<u8>, AllocError> {
    if layout.size() == 0 {
        return Ok(NonNull::new(ptr::without_provenance_mut(layout.align())).unwrap_or(NonNull::dangling()));
    }
    // SAFETY: the size is not 0, the alignment a power of two.
    NonNull::new(unsafe { ottawa_alloc(layout.size(), layout.align()) }).ok_or(AllocError)
}

/// Gives memory back.
///
/// # Safety
/// `memory` came from [`allocate`] with the same layout, and nothing uses it any more.
#[inline]
pub(crate) unsafe fn free(memory: NonNull<u8>, layout: Layout) {
    if layout.size() != 0 {
        // SAFETY: the caller's promise; a size other than 0 means that `allocate` went to `ottawa_alloc`.
        unsafe { ottawa_dealloc(memory.as_ptr(), layout.size(), layout.align()) };
    }
}
