//! Where an area that is still to come can lie.
//!
//! A gap belongs to the leaf of the area above it. The index keeps the widest one of each leaf, guards not counted, so a
//! leaf in which nothing is wide enough costs one comparison. It is found out here, when all gaps of a leaf were looked at
//! anyway, and forgotten when the leaf changes.

use crate::PAGE;
use crate::index::UNKNOWN;
use crate::leaf::ROOM;
use crate::map::Map;
use crate::value::Value;
use core::ops::Range;

/// From which end [`Map::find_free`] searches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// The highest address that will do.
    TopDown,
    /// The lowest.
    BottomUp,
}

/// What [`Map::find_free`] is to find.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// Bytes, rounded up to pages.
    pub size: u64,
    /// The address is a multiple of this: a power of two, at least [`PAGE`].
    pub align: u64,
    /// The area lies in here, wholly.
    pub within: Range<u64>,
    /// From which end.
    pub order: Order,
}

/// A request that makes sense, with its size in whole pages.
struct Wanted {
    size: u64,
    align: u64,
    low: u64,
    high: u64,
    order: Order,
}

impl Wanted {
    fn new(request: &Request) -> Option<Self> {
        let Request { size, align, within: Range { start: low, end: high }, order } = *request;
        let size = size.checked_next_multiple_of(PAGE).filter(|size| *size > 0)?;
        let align = align.max(PAGE);
        (align.is_power_of_two() && low <= high).then_some(Self { size, align, low, high, order })
    }

    /// The address to take in a gap, if it is wide enough.
    fn place(&self, bottom: u64, top: u64) -> Option<u64> {
        let (bottom, top) = (bottom.max(self.low), top.min(self.high));
        let address = match self.order {
            Order::TopDown => top.checked_sub(self.size)? & !(self.align - 1),
            Order::BottomUp => bottom.checked_next_multiple_of(self.align)?,
        };
        (bottom <= address && address.checked_add(self.size)? <= top).then_some(address)
    }
}

impl<T: Value> Map<T> {
    /// An address for an area: free, and not in the [`guard`](Value::guard) of the area above. The exclusive borrow is for
    /// what the index learns on the way.
    pub fn find_free(&mut self, request: &Request) -> Option<u64> {
        let wanted = Wanted::new(request)?;
        match wanted.order {
            Order::TopDown => self.highest(&wanted),
            Order::BottomUp => self.lowest(&wanted),
        }
    }

    fn highest(&mut self, wanted: &Wanted) -> Option<u64> {
        // All areas from here on start at `high` or above: only the gap below the first of them is of interest.
        let end = self.place(wanted.high.checked_sub(1)?);
        let below = self.before(end).and_then(|position| self.at(position)).map_or(0, |area| area.end);
        let above = self.at(self.area_from(end));
        let top = above.map_or(u64::MAX, |area| area.start.saturating_sub(area.value.guard()));
        if let Some(address) = wanted.place(below, top) {
            return Some(address);
        }
        let mut areas = end.at;
        for leaf in (0..=end.leaf).rev() {
            if self.leaves.get(leaf).is_some_and(|entry| entry.gap >= wanted.size) {
                let found = self.search_leaf(leaf, areas, wanted);
                if found.is_some() {
                    return found;
                }
            }
            if self.leaves.get(leaf).is_some_and(|entry| entry.first <= wanted.low) {
                return None;
            }
            areas = ROOM;
        }
        None
    }

    fn lowest(&mut self, wanted: &Wanted) -> Option<u64> {
        for leaf in self.leaf_of(wanted.low)..self.leaves.len() {
            let entry = self.leaves.get(leaf)?;
            if entry.gap >= wanted.size {
                let found = self.search_leaf(leaf, ROOM, wanted);
                if found.is_some() {
                    return found;
                }
            }
            if self.leaves.get(leaf)?.leaf.last_end() >= wanted.high {
                return None;
            }
        }
        wanted.place(self.leaves.last().map_or(0, |entry| entry.leaf.last_end()), u64::MAX)
    }

    /// Looks at the gaps below the first `areas` of a leaf.
    fn search_leaf(&mut self, leaf: usize, areas: usize, wanted: &Wanted) -> Option<u64> {
        let below = leaf.checked_sub(1).and_then(|below| self.leaves.get(below));
        let below = below.map_or(0, |entry| entry.leaf.last_end());
        let entry = self.leaves.get_mut(leaf)?;
        let len = entry.leaf.len();
        let areas = areas.min(len);
        let mut widest = 0;
        for step in 0..areas {
            let at = if wanted.order == Order::TopDown { areas - 1 - step } else { step };
            let bottom = at.checked_sub(1).map_or(below, |at| entry.leaf.end(at));
            let top = entry.leaf.start(at);
            widest = widest.max(top - bottom);
            if top - bottom >= wanted.size {
                let guard = entry.leaf.value(at).map_or(0, T::guard);
                let found = wanted.place(bottom, top.saturating_sub(guard));
                if found.is_some() {
                    return found;
                }
            }
        }
        if areas == len && entry.gap == UNKNOWN {
            entry.gap = widest;
        }
        None
    }
}
