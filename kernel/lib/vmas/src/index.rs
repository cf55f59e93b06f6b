//! The leaves in order: where an address is, and how leaves are split, joined and dropped.

use crate::leaf::{Leaf, ROOM};
use crate::map::Map;
use crate::value::Area;
use containers::{AllocError, Box};

/// No area can lie below a gap this wide: the gaps of the leaf have to be looked at.
pub(crate) const UNKNOWN: u64 = u64::MAX;

/// Two neighbours with at most this many areas together become one leaf. Far enough from [`ROOM`] that an area coming and
/// going does not split and join every time.
const SPARSE: usize = ROOM * 3 / 4;

/// A leaf in the index.
pub(crate) struct Entry<T> {
    /// The start of its first area.
    pub(crate) first: u64,
    /// The widest gap right below any of its areas, or [`UNKNOWN`].
    pub(crate) gap: u64,
    /// Never empty, between operations.
    pub(crate) leaf: Box<Leaf<T>>,
}

/// A leaf and an index in it. As the position of an area, it is one that is there; the end is the leaf after the last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Position {
    pub(crate) leaf: usize,
    pub(crate) at: usize,
}

impl<T> Map<T> {
    /// The leaf that an area starting at `address` belongs into.
    #[inline]
    pub(crate) fn leaf_of(&self, address: u64) -> usize {
        self.leaves.partition_point(|entry| entry.first <= address).saturating_sub(1)
    }

    /// Where an area starting at `address` belongs: behind all that start at or below it. Not always the position of an area.
    #[inline]
    pub(crate) fn place(&self, address: u64) -> Position {
        let leaf = self.leaf_of(address);
        Position { leaf, at: self.leaves.get(leaf).map_or(0, |entry| entry.leaf.rank(address)) }
    }

    /// The position of the first area that ends above `address`.
    #[inline]
    pub(crate) fn seek(&self, address: u64) -> Position {
        let place = self.place(address);
        match (self.leaves.get(place.leaf), place.at.checked_sub(1)) {
            (Some(entry), Some(at)) if address < entry.leaf.end(at) => Position { at, ..place },
            _ => self.area_from(place),
        }
    }

    /// The position of the area that is, or would be next, at a place.
    #[inline]
    pub(crate) fn area_from(&self, place: Position) -> Position {
        match self.leaves.get(place.leaf) {
            Some(entry) if place.at < entry.leaf.len() => place,
            _ => Position { leaf: place.leaf + 1, at: 0 },
        }
    }

    pub(crate) fn after(&self, position: Position) -> Position {
        self.area_from(Position { at: position.at + 1, ..position })
    }

    pub(crate) fn before(&self, position: Position) -> Option<Position> {
        let Position { leaf, at } = position;
        if let Some(at) = at.checked_sub(1) {
            return Some(Position { leaf, at });
        }
        let leaf = leaf.checked_sub(1)?;
        Some(Position { leaf, at: self.leaves.get(leaf)?.leaf.len().checked_sub(1)? })
    }

    #[inline]
    pub(crate) fn at(&self, position: Position) -> Option<Area<&T>> {
        self.leaves.get(position.leaf)?.leaf.get(position.at)
    }

    /// Notes that the leaf changed: what the index knows of it and of the gap above it.
    pub(crate) fn touch(&mut self, leaf: usize) {
        if let Some(entry) = self.leaves.get_mut(leaf) {
            entry.first = entry.leaf.start(0);
            entry.gap = UNKNOWN;
        }
        if let Some(entry) = self.leaves.get_mut(leaf + 1) {
            entry.gap = UNKNOWN;
        }
    }

    /// Sees to it that a leaf has room for `count` areas more, at most two; whether it was split for that, so that positions
    /// have to be found again. No area is changed, so nothing has to be undone when what comes after fails.
    pub(crate) fn make_room(&mut self, leaf: usize, count: usize) -> Result<bool, AllocError> {
        match self.leaves.get(leaf) {
            Some(entry) if entry.leaf.len() + count <= ROOM => return Ok(false),
            Some(_) => {}
            None => {
                let first = self.new_leaf()?;
                self.add_leaf(leaf, first)?;
                return Ok(false);
            }
        }
        let mut upper = self.new_leaf()?;
        if let Some(entry) = self.leaves.get_mut(leaf) {
            entry.leaf.move_to(ROOM / 2, &mut upper);
        }
        self.add_leaf(leaf + 1, upper)?;
        self.touch(leaf);
        Ok(true)
    }

    /// An empty leaf, one kept ready or a new one, and room in the index.
    pub(crate) fn new_leaf(&mut self) -> Result<Box<Leaf<T>>, AllocError> {
        self.leaves.reserve(1)?;
        self.spares.pop().map_or_else(Leaf::new, Ok)
    }

    /// Puts a leaf into the index, in which there is room.
    pub(crate) fn add_leaf(&mut self, place: usize, leaf: Box<Leaf<T>>) -> Result<(), AllocError> {
        self.leaves.insert(place, Entry { first: leaf.start(0), gap: UNKNOWN, leaf })
    }

    /// Keeps that many leaves ready, and room for them in the index.
    pub(crate) fn keep_spares(&mut self, count: usize) -> Result<(), AllocError> {
        self.leaves.reserve(count)?;
        while self.spares.len() < count {
            self.spares.push(Leaf::new()?)?;
        }
        Ok(())
    }

    /// Drops the leaves from `from` to before `to`: they are empty.
    pub(crate) fn drop_leaves(&mut self, from: usize, to: usize) {
        let count = to.saturating_sub(from);
        if let Some(tail) = self.leaves.get_mut(from..)
            && count > 0
            && count <= tail.len()
        {
            tail.rotate_left(count);
            self.leaves.truncate(self.leaves.len() - count);
        }
    }

    /// Joins neighbours that have become sparse, among the leaves from the one before `from` to the one after `to`.
    #[inline]
    pub(crate) fn settle(&mut self, from: usize, to: usize) {
        if self.leaves.len() > 1 {
            self.join_leaves(from.saturating_sub(1), to);
        }
    }

    fn join_leaves(&mut self, from: usize, to: usize) {
        for low in (from..=to).rev() {
            let Some([lower, upper]) = self.leaves.get_mut(low..low + 2) else { continue };
            if lower.leaf.len() + upper.leaf.len() <= SPARSE {
                upper.leaf.move_to(0, &mut lower.leaf);
                self.drop_leaves(low + 1, low + 2);
                self.touch(low);
            }
        }
    }
}
