//! The firmware's memory map, and the list of regions that the kernel gets.
//!
//! Firmware says which ranges are memory, in any order, with overlaps, and knows nothing of what a loader
//! put there. So the list is found by a sweep: from one boundary to the next, each stretch is judged
//! by all ranges that cover it. Reserved beats memory, in use beats usable; neighbours of one kind are joined. That
//! is quadratic in the number of ranges, of which there are a dozen, and needs neither sorting nor memory.

use crate::error::Error;
use crate::{page_down, page_up};
use bootloader_api::info::{MemoryRegion, MemoryRegionKind};

/// The most ranges that are kept.
pub const CAPACITY: usize = 256;

/// Below this no memory is usable: the firmware's and the loader's data lie there.
pub const LOW: u64 = 1 << 20;

/// Conventional memory, in e820's numbers, which PVH and Multiboot2 share.
const RAM: u32 = 1;
/// ACPI's tables and its non-volatile storage, in e820's numbers: memory, too.
const ACPI: [u32; 2] = [3, 4];

/// A range of physical addresses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Range {
    /// First byte.
    pub start: u64,
    /// The byte after the last.
    pub end: u64,
}

impl Range {
    /// The range of `size` bytes from `start` on, up to the end of the address space.
    #[must_use]
    pub const fn new(start: u64, size: u64) -> Self {
        Self { start, end: start.saturating_add(size) }
    }

    /// Bytes in it.
    #[must_use]
    pub const fn size(&self) -> u64 {
        self.end.saturating_sub(self.start)
    }

    /// All of the frames that it touches.
    #[must_use]
    pub const fn outward(&self) -> Self {
        Self { start: page_down(self.start), end: page_up(self.end) }
    }

    const fn contains(&self, address: u64) -> bool {
        self.start <= address && address < self.end
    }
}

/// The firmware's map.
pub struct Map {
    entries: [(Range, u32); CAPACITY],
    count: usize,
}

impl Map {
    /// A map of nothing.
    #[must_use]
    pub const fn new() -> Self {
        Self { entries: [(Range { start: 0, end: 0 }, 0); CAPACITY], count: 0 }
    }

    /// Adds a range with its e820 type. Memory counts in whole frames only, all else as the frames it touches.
    ///
    /// # Errors
    ///
    /// [`Error::MapTooLong`] if there are too many.
    pub fn add(&mut self, start: u64, size: u64, kind: u32) -> Result<(), Error> {
        let range = Range::new(start, size);
        let range = match kind {
            RAM => Range { start: page_up(range.start), end: page_down(range.end) },
            _ => range.outward(),
        };
        if range.start < range.end {
            *self.entries.get_mut(self.count).ok_or(Error::MapTooLong)? = (range, kind);
            self.count += 1;
        }
        Ok(())
    }

    /// Number of ranges.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.count
    }

    /// Whether there are none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// The end of memory, ACPI's included. (What is reserved does not count: QEMU reserves a hole below 1 TiB.)
    #[must_use]
    pub fn memory_end(&self) -> u64 {
        self.ranges()
            .filter(|(_, kind)| *kind == RAM || ACPI.contains(kind))
            .map(|(range, _)| range.end)
            .max()
            .unwrap_or(0)
    }

    /// All regions in order, joined, without overlaps. What lies in `used`, or below [`LOW`], is not usable.
    pub fn regions<'a>(&'a self, used: &'a [Range]) -> impl Iterator<Item = MemoryRegion> + 'a {
        let mut at = 0;
        core::iter::from_fn(move || {
            // What no range covers is no region.
            let (start, kind) = loop {
                match self.judge(at, used) {
                    Some(kind) => break (at, kind),
                    None => at = self.next_boundary(at, used)?,
                }
            };
            while self.judge(at, used) == Some(kind) {
                let Some(next) = self.next_boundary(at, used) else { break };
                at = next;
            }
            Some(MemoryRegion { start, end: at, kind })
        })
    }

    /// The most regions that there can be with `used` ranges in use.
    #[must_use]
    pub const fn most_regions(&self, used: usize) -> usize {
        2 * (self.count + used) + 2
    }

    /// The largest usable region below `limit`.
    #[must_use]
    pub fn largest_gap(&self, used: &[Range], limit: u64) -> Option<Range> {
        self.regions(used)
            .filter(|region| region.kind == MemoryRegionKind::Usable && region.start < limit)
            .map(|region| Range { start: region.start, end: region.end.min(limit) })
            .max_by_key(Range::size)
    }

    fn ranges(&self) -> impl Iterator<Item = (Range, u32)> {
        self.entries.iter().take(self.count).copied()
    }

    /// What the byte at `address` is.
    fn judge(&self, address: u64, used: &[Range]) -> Option<MemoryRegionKind> {
        let covering = || self.ranges().filter(|(range, _)| range.contains(address)).map(|(_, kind)| kind);
        match covering().find(|kind| *kind != RAM) {
            Some(kind) => Some(MemoryRegionKind::UnknownBios(kind)),
            None => {
                covering().next()?;
                let in_use = address < LOW || used.iter().any(|range| range.outward().contains(address));
                Some(if in_use { MemoryRegionKind::Bootloader } else { MemoryRegionKind::Usable })
            }
        }
    }

    /// The first address after `address` where something starts or ends.
    fn next_boundary(&self, address: u64, used: &[Range]) -> Option<u64> {
        let used = used.iter().map(Range::outward);
        let all = self.ranges().map(|(range, _)| range).chain(used).chain([Range { start: 0, end: LOW }]);
        all.flat_map(|range| [range.start, range.end]).filter(|boundary| *boundary > address).min()
    }
}

impl Default for Map {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use MemoryRegionKind::{Bootloader, UnknownBios, Usable};

    const M: u64 = 1 << 20;

    fn map(ranges: &[(u64, u64, u32)]) -> Map {
        let mut map = Map::new();
        for (start, end, kind) in ranges {
            map.add(*start, end - start, *kind).unwrap();
        }
        map
    }

    fn list(map: &Map, used: &[Range]) -> Vec<(u64, u64, MemoryRegionKind)> {
        map.regions(used).map(|r| (r.start, r.end, r.kind)).collect()
    }

    #[test]
    fn what_is_in_use_is_not_usable() {
        let map = map(&[
            (0, 0x9fc00, 1),
            (0x9fc00, 0xa0000, 2),
            (M, 16 * M, 1),
            (0xfd_0000_0000, 0x100_0000_0000, 2),
        ]);
        let used = [Range::new(M, 0x12345), Range::new(14 * M, 2 * M)];
        assert_eq!(
            list(&map, &used),
            [
                (0, 0x9f000, Bootloader),
                (0x9f000, 0xa0000, UnknownBios(2)),
                (M, M + 0x13000, Bootloader),
                (M + 0x13000, 14 * M, Usable),
                (14 * M, 16 * M, Bootloader),
                (0xfd_0000_0000, 0x100_0000_0000, UnknownBios(2)),
            ]
        );
        assert_eq!(map.memory_end(), 16 * M);
        assert_eq!(map.largest_gap(&used, 1 << 32), Some(Range { start: M + 0x13000, end: 14 * M }));
    }

    #[test]
    fn overlaps_in_any_order_come_out_sorted_and_joined() {
        let map = map(&[(8 * M, 16 * M, 1), (2 * M, 9 * M, 1), (4 * M, 5 * M, 3), (4 * M, 4 * M + 1, 2)]);
        let expected = [(2 * M, 4 * M, Usable), (4 * M, 5 * M, UnknownBios(3)), (5 * M, 16 * M, Usable)];
        assert_eq!(list(&map, &[]), expected);
    }

    #[test]
    fn regions_are_right_at_every_frame() {
        bolero::check!().with_type::<(Vec<(u8, u8, bool)>, Vec<(u8, u8)>)>().for_each(|(ranges, used)| {
            // 256 frames from 0xf0000 on, so that the low border lies inside.
            const BASE: u64 = 0xf0_000;
            let range =
                |(start, size): (u8, u8)| Range::new(BASE + u64::from(start) * 4096, u64::from(size) * 4096);
            let mut map = Map::new();
            for (start, size, ram) in ranges.iter().take(CAPACITY) {
                let r = range((*start, *size));
                map.add(r.start, r.size(), if *ram { 1 } else { 2 }).unwrap();
            }
            let used: Vec<_> = used.iter().copied().map(range).collect();
            let regions: Vec<_> = map.regions(&used).collect();
            assert!(regions.len() <= map.most_regions(used.len()));
            for pair in regions.windows(2) {
                assert!(pair[0].end <= pair[1].start);
                assert!(pair[0].end < pair[1].start || pair[0].kind != pair[1].kind, "not joined");
            }
            for frame in 0..600 {
                let address = BASE + frame * 4096;
                let covering: Vec<_> =
                    map.ranges().filter(|(r, _)| r.contains(address)).map(|(_, k)| k).collect();
                let expected = if covering.contains(&2) {
                    Some(UnknownBios(2))
                } else if covering.is_empty() {
                    None
                } else if address < LOW || used.iter().any(|r| r.contains(address)) {
                    Some(Bootloader)
                } else {
                    Some(Usable)
                };
                let found = regions.iter().find(|r| r.start <= address && address < r.end).map(|r| r.kind);
                assert_eq!(found, expected, "{address:#x}");
            }
        });
    }

    #[test]
    fn numbers_at_the_end_of_the_address_space_are_survived() {
        bolero::check!().with_type::<Vec<(u64, u64, u8)>>().for_each(|ranges| {
            let mut map = Map::new();
            for (start, size, kind) in ranges.iter().take(CAPACITY) {
                map.add(*start, *size, u32::from(*kind % 4)).unwrap();
            }
            assert!(map.regions(&[Range::new(u64::MAX, u64::MAX)]).count() <= map.most_regions(1));
        });
    }
}
