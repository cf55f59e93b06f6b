//! Physical memory: the bundle, and fresh frames.
//!
//! Frames come one after another from the largest free range below 4 GiB, from its start: on QEMU's machines
//! that is right after the loader, with the bundle at the range's end. So what is left to the kernel
//! stays in one piece. Nothing is given back.

use crate::door::Handover;
use loader::PAGE;
use loader::error::Error;
use loader::map::Range;
use x86_64::structures::paging::{FrameAllocator, PhysFrame, Size4KiB};
use x86_64::{PhysAddr, VirtAddr};

/// The end of what is mapped one to one.
pub(crate) const REACH: u64 = 1 << 32;

unsafe extern "C" {
    static __loader_start: u8;
    static __rodata_start: u8;
    static __data_start: u8;
    static __loader_end: u8;
}

/// The loader's own pages: code, read-only data, data.
pub(crate) fn loader() -> [Range; 3] {
    let (start, rodata) = (&raw const __loader_start as u64, &raw const __rodata_start as u64);
    let (data, end) = (&raw const __data_start as u64, &raw const __loader_end as u64);
    [Range { start, end: rodata }, Range { start: rodata, end: data }, Range { start: data, end }]
}

/// The bundle's bytes.
pub(crate) fn bundle(handover: &Handover) -> Result<&[u8], Error> {
    let Range { start, end } = handover.bundle;
    if start == 0 || start >= end {
        return Err(Error::NoBundle);
    }
    if end > REACH {
        return Err(Error::BundleTooHigh);
    }
    // SAFETY: the range is in the identity map, not 0, and `Memory` never hands it out, so nobody writes there.
    Ok(unsafe { core::slice::from_raw_parts(start as *const u8, (end - start) as usize) })
}

/// The frames that the loader takes.
pub(crate) struct Memory {
    /// All that was there to take.
    gap: Range,
    /// Where the next frames come from.
    next: u64,
    /// What else is in use.
    used: [Range; 6],
}

impl Memory {
    /// Looks for the largest free range.
    pub(crate) fn new(handover: &Handover) -> Result<Self, Error> {
        let [code, _, data] = loader();
        let [a, b, c, d] = handover.held;
        let used = [Range { start: code.start, end: data.end }, handover.bundle, a, b, c, d];
        let gap = handover.map.largest_gap(&used, REACH).ok_or(Error::Memory { wanted: PAGE })?;
        Ok(Self { gap, next: gap.start, used })
    }

    /// Takes frames for `size` bytes, one after another, whose address agrees with `like` modulo `align` (a
    /// power of two): their physical address and their bytes, with whatever is in them.
    pub(crate) fn take(
        &mut self,
        size: u64,
        align: u64,
        like: u64,
    ) -> Result<(u64, &'static mut [u8]), Error> {
        let align = align.max(PAGE);
        let start = self.next.wrapping_add(like.wrapping_sub(self.next) & (align - 1));
        let taken = Range::new(start, size).outward();
        if taken.end > self.gap.end || start < self.next {
            return Err(Error::Memory { wanted: size });
        }
        self.next = taken.end;
        // SAFETY: the range is memory below 4 GiB, mapped one to one, in no other use, and never handed out again.
        Ok((start, unsafe { core::slice::from_raw_parts_mut(start as *mut u8, size as usize) }))
    }

    /// All that is in use, what was taken included.
    pub(crate) fn used(&self) -> [Range; 7] {
        let [a, b, c, d, e, f] = self.used;
        [Range { start: self.gap.start, end: self.next }, a, b, c, d, e, f]
    }
}

// SAFETY: `take` hands out each frame once, and nobody else uses it.
unsafe impl FrameAllocator<Size4KiB> for Memory {
    fn allocate_frame(&mut self) -> Option<PhysFrame> {
        let (start, _) = self.take(PAGE, PAGE, 0).ok()?;
        Some(PhysFrame::containing_address(PhysAddr::new_truncate(start)))
    }
}

/// Where the identity map begins, for code that wants an offset.
pub(crate) const IDENTITY: VirtAddr = VirtAddr::zero();
