//! What must hold: of ranges that come in, and of a map between operations.

use crate::PAGE;
use crate::index::UNKNOWN;
use crate::map::Map;
use crate::value::Area;
use core::ops::Range;

/// Whether a range is one of whole pages, at least one.
#[inline]
pub(crate) fn whole_pages(range: &Range<u64>) -> bool {
    range.start < range.end && (range.start | range.end).is_multiple_of(PAGE)
}

impl<T> Map<T> {
    /// Whether the map is in order within: for tests, and for a kernel that looks for what damaged its memory. Looks at
    /// every area.
    pub fn is_sound(&self) -> bool {
        let leaves = self
            .leaves
            .iter()
            .all(|entry| entry.leaf.len() > 0 && entry.leaf.check() && entry.first == entry.leaf.start(0));
        let mut end = 0;
        let ordered = self.iter().all(|area| {
            let follows = end <= area.start && whole_pages(&area.range());
            end = area.end;
            follows
        });
        let mut below = 0;
        let gaps = self.leaves.iter().all(|entry| {
            let right = (0..entry.leaf.len()).map(|at| {
                let gap = entry.leaf.start(at).saturating_sub(below);
                below = entry.leaf.end(at);
                gap
            });
            let widest = right.max();
            entry.gap == UNKNOWN || Some(entry.gap) == widest
        });
        let bytes: u64 = self.iter().map(|area: Area<&T>| area.bytes()).sum();
        leaves && ordered && gaps && bytes == self.bytes && self.iter().count() == self.areas
    }
}
