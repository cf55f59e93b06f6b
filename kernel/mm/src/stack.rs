//! Kernel stacks: in the vmalloc segment, a guard page at either end, painted for their high-water mark.

use crate::MemoryError;
use crate::label::Label;
use crate::paging;
use crate::vmalloc::{Mapping, VMALLOC};
use arch::stack::Bounds;

/// Bytes of a task's stack.
pub const TASK: u64 = 8 * 1024;
/// Bytes of an interrupt stack: a line's, a CPU's, one of the interrupt stack table's.
pub const INTERRUPT: u64 = 16 * 1024;

/// A stack that is freed when dropped.
pub struct KernelStack {
    mapping: Mapping,
}

impl KernelStack {
    /// A painted stack of `bytes`. The label is what reports call it: `irq 8 rtc`.
    ///
    /// # Errors
    /// [`MemoryError`].
    pub fn new(bytes: u64, label: Label) -> Result<Self, MemoryError> {
        let mapping = Mapping::new(&VMALLOC, bytes, paging::WRITE, label)?;
        let stack = Self { mapping };
        // SAFETY: the stack was just mapped and nobody knows it yet.
        unsafe { stack.bounds().paint() };
        Ok(stack)
    }

    /// Where it is.
    pub fn bounds(&self) -> Bounds {
        Bounds { bottom: self.mapping.address(), top: self.mapping.address() + self.mapping.bytes() }
    }

    /// Keeps the stack for ever.
    pub fn leak(self) -> Bounds {
        let bounds = self.bounds();
        self.mapping.leak();
        bounds
    }
}
