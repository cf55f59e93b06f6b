//! Memory before the frame allocator: the firmware's ranges, from which page tables and descriptors are cut.
//!
//! Pieces are cut from the top of the highest range that has room, so that low memory stays whole. What is left goes to
//! the frame allocator in one hand-over. Single-threaded: boot, one CPU, interrupts off.

use crate::layout::{PAGE_SIZE, round_down, round_up};
use bootloader_api::info::{MemoryRegion, MemoryRegionKind};

/// The most ranges that are kept; the smallest ones beyond that are left unused.
pub(crate) const MAX_RANGES: usize = 24;

/// A range of physical memory, page-aligned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct PhysRange {
    /// First byte.
    pub(crate) start: u64,
    /// The byte after the last.
    pub(crate) end: u64,
}

impl PhysRange {
    /// Bytes in the range.
    pub(crate) fn size(&self) -> u64 {
        self.end - self.start
    }
}

/// A list of ranges in ascending order.
pub(crate) struct Ranges {
    list: [PhysRange; MAX_RANGES],
    count: usize,
}

impl Ranges {
    /// No ranges.
    pub(crate) const fn new() -> Self {
        Self { list: [PhysRange { start: 0, end: 0 }; MAX_RANGES], count: 0 }
    }

    /// Adds a range, joining it to the last one where they touch. Ranges come in ascending order.
    /// Returns false where there is no room for another.
    pub(crate) fn push(&mut self, range: PhysRange) -> bool {
        if range.start >= range.end {
            return true;
        }
        if let Some(last) = self.list[..self.count].last_mut()
            && last.end >= range.start
        {
            last.end = last.end.max(range.end);
            return true;
        }
        match self.list.get_mut(self.count) {
            Some(slot) => {
                *slot = range;
                self.count += 1;
                true
            }
            None => false,
        }
    }

    /// The ranges.
    pub(crate) fn iter(&self) -> impl Iterator<Item = PhysRange> + '_ {
        self.list[..self.count].iter().copied()
    }

    /// All bytes together.
    pub(crate) fn bytes(&self) -> u64 {
        self.iter().map(|r| r.size()).sum()
    }

    /// Cuts `size` bytes aligned to `align` from the highest range below `limit` that has them.
    pub(crate) fn cut(&mut self, size: u64, align: u64) -> Option<u64> {
        for range in self.list[..self.count].iter_mut().rev() {
            let start = round_down(range.end.saturating_sub(size), align);
            if range.end >= size && start >= range.start {
                // What alignment left above is lost to the early allocator only if it cannot be kept as a range of
                // its own; callers ask for the aligned pieces first, so that is rare and small.
                range.end = start;
                return Some(start);
            }
        }
        None
    }
}

/// Reads the loader's map: `usable` memory (up to `limit`), and all memory that is `ram`, usable or in use by the loader.
pub(crate) fn read_map(regions: &[MemoryRegion], limit: u64, usable: &mut Ranges, ram: &mut Ranges) {
    for region in regions {
        let inner =
            PhysRange { start: round_up(region.start, PAGE_SIZE), end: round_down(region.end, PAGE_SIZE) };
        if region.kind == MemoryRegionKind::Usable {
            usable.push(PhysRange { start: inner.start, end: inner.end.min(limit) });
        }
        if matches!(region.kind, MemoryRegionKind::Usable | MemoryRegionKind::Bootloader) {
            ram.push(PhysRange {
                start: round_down(region.start, PAGE_SIZE),
                end: round_up(region.end, PAGE_SIZE),
            });
        }
    }
}
