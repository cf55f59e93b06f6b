//! Areas come and go: insert, replace, remove.
//!
//! Each first computes the values of the parts that it will cut and makes room for the area that it will add. From there on
//! nothing can fail.

use crate::check::whole_pages;
use crate::error::Error;
use crate::index::Position;
use crate::leaf::ROOM;
use crate::map::Map;
use crate::value::{Area, Value};
use containers::AllocError;
use core::mem;
use core::ops::Range;

/// How a range lies over areas.
pub(crate) struct Cuts<T> {
    /// The first area that reaches into it.
    pub(crate) first: Position,
    /// Whether it does not go beyond that one.
    pub(crate) in_one: bool,
    /// The value of what lies above the range's start in the area that the start cuts.
    pub(crate) head: Option<T>,
    /// The value of what lies above the range's end in the area that the end cuts.
    pub(crate) tail: Option<T>,
}

impl<T: Value> Map<T> {
    /// Adds an area. It becomes one with its neighbours where the values allow it.
    ///
    /// # Errors
    /// [`Error::Range`], [`Error::Taken`], [`Error::NoMemory`]; the value is dropped.
    pub fn insert(&mut self, range: Range<u64>, mut value: T) -> Result<(), Error> {
        if !whole_pages(&range) {
            return Err(Error::Range);
        }
        let place = self.place(range.start);
        let next = self.area_from(place);
        let last = self.before(place);
        let above = self.at(next);
        let below = last.and_then(|last| self.at(last));
        if below.is_some_and(|below| below.end > range.start)
            || above.is_some_and(|above| above.start < range.end)
        {
            return Err(Error::Taken);
        }
        let bytes = range.end - range.start;
        let joins_above =
            above.is_some_and(|above| above.start == range.end && value.merges(bytes, above.value));
        let joins_below =
            below.is_some_and(|below| below.end == range.start && below.value.merges(below.bytes(), &value));
        if let Some(last) = last.filter(|_| joins_below) {
            self.lengthen(last, range.end, value);
            if self.join_one(last, next) {
                self.settle(last.leaf, next.leaf);
            }
        } else if joins_above && let Some(entry) = self.leaves.get_mut(next.leaf) {
            entry.leaf.set_start(next.at, range.start);
            if let Some(old) = entry.leaf.value_mut(next.at) {
                mem::swap(old, &mut value);
                old.absorb(value);
            }
            self.touch(next.leaf);
        } else {
            self.add(place, Area { start: range.start, end: range.end, value })?;
        }
        self.bytes += bytes;
        Ok(())
    }

    /// Adds an area that joins nothing at the place where it belongs.
    fn add(&mut self, mut place: Position, area: Area<T>) -> Result<(), AllocError> {
        if self.make_room(place.leaf, 1)? {
            place = self.place(area.start);
        }
        self.leaves.get_mut(place.leaf).ok_or(AllocError)?.leaf.insert(place.at, area)?;
        self.areas += 1;
        self.touch(place.leaf);
        Ok(())
    }

    /// Adds an area in place of what is there: mmap with `MAP_FIXED`. What was there goes to `sink` as in
    /// [`remove`](Self::remove).
    ///
    /// # Errors
    /// [`Error::Range`], [`Error::NoMemory`].
    pub fn replace(&mut self, range: Range<u64>, value: T, sink: impl FnMut(Area<T>)) -> Result<(), Error> {
        if !whole_pages(&range) {
            return Err(Error::Range);
        }
        if self.is_free(range.clone()) {
            return self.insert(range, value);
        }
        // A hole into one area adds one, and what fills it another.
        self.make_room(self.leaf_of(range.start), 2)?;
        if self.leaves.get(self.leaf_of(range.start)).is_some_and(|entry| entry.first >= range.start) {
            // Of this leaf perhaps nothing stays, and the one below may be full.
            self.keep_spares(1)?;
        }
        self.remove(range.clone(), sink)?;
        self.insert(range, value)
    }

    /// Takes all that lies in `range` out of the map: areas and parts of areas, each given to `sink`, in order.
    ///
    /// # Errors
    /// [`Error::Range`]; [`Error::NoMemory`] when a value cannot be cut, or one area is to become two.
    pub fn remove(&mut self, range: Range<u64>, mut sink: impl FnMut(Area<T>)) -> Result<(), Error> {
        if !whole_pages(&range) {
            return Err(Error::Range);
        }
        let Some(Cuts { first, in_one, head, tail }) = self.cuts(&range)? else { return Ok(()) };
        let mut bytes = 0;
        let mut sink = |area: Area<T>| {
            bytes += area.bytes();
            sink(area);
        };
        match (head, tail) {
            (None, None) if in_one => {
                self.take_one(first).map(&mut sink);
                self.settle(first.leaf, first.leaf);
            }
            (Some(value), None) if in_one => self.trim_end(first, range.start, value, &mut sink),
            (None, Some(value)) if in_one => self.trim_start(first, range.end, value, &mut sink),
            (Some(value), Some(tail)) if in_one => {
                self.punch(first, range.clone(), tail)?;
                sink(Area { start: range.start, end: range.end, value });
            }
            (head, tail) => {
                let mut next = first;
                if let Some(value) = head {
                    self.trim_end(first, range.start, value, &mut sink);
                    next = self.after(first);
                }
                self.take_whole(next, range.end, &mut sink);
                if let Some(value) = tail {
                    self.trim_start(self.seek(range.start), range.end, value, &mut sink);
                }
                self.settle(first.leaf, first.leaf + 1);
            }
        }
        self.bytes -= bytes;
        Ok(())
    }

    /// How a range lies over areas; nothing if there are none in it.
    #[inline]
    pub(crate) fn cuts(&self, range: &Range<u64>) -> Result<Option<Cuts<T>>, AllocError> {
        let above = |area: Area<&T>, address: u64| area.value.above(address - area.start).map(Some);
        let first = self.seek(range.start);
        let Some(area) = self.at(first).filter(|area| area.start < range.end) else { return Ok(None) };
        let head = if area.start < range.start { above(area, range.start)? } else { None };
        let in_one = range.end <= area.end;
        let last = if in_one { Some(area) } else { self.find(range.end) };
        let tail = match last {
            Some(last) if last.start < range.end && range.end < last.end => above(last, range.end)?,
            _ => None,
        };
        Ok(Some(Cuts { first, in_one, head, tail }))
    }

    /// Makes a hole into an area; `tail` is the value of what lies above it.
    fn punch(&mut self, mut position: Position, hole: Range<u64>, tail: T) -> Result<(), AllocError> {
        if self.make_room(position.leaf, 1)? {
            position = self.seek(hole.start);
        }
        let entry = self.leaves.get_mut(position.leaf).ok_or(AllocError)?;
        let upper = Area { start: hole.end, end: entry.leaf.end(position.at), value: tail };
        entry.leaf.insert(position.at + 1, upper)?;
        entry.leaf.set_end(position.at, hole.start);
        self.areas += 1;
        self.touch(position.leaf);
        Ok(())
    }

    /// Ends an area at `end`; `value` is that of what lies above.
    fn trim_end(&mut self, position: Position, end: u64, value: T, sink: &mut impl FnMut(Area<T>)) {
        if let Some(entry) = self.leaves.get_mut(position.leaf) {
            let old = entry.leaf.end(position.at);
            entry.leaf.set_end(position.at, end);
            self.touch(position.leaf);
            sink(Area { start: end, end: old, value });
        }
    }

    /// Starts an area at `start`; `value` is what it has from there on.
    fn trim_start(&mut self, position: Position, start: u64, value: T, sink: &mut impl FnMut(Area<T>)) {
        if let Some(entry) = self.leaves.get_mut(position.leaf)
            && let Some(there) = entry.leaf.value_mut(position.at)
        {
            let value = mem::replace(there, value);
            let old = entry.leaf.start(position.at);
            entry.leaf.set_start(position.at, start);
            self.touch(position.leaf);
            sink(Area { start: old, end: start, value });
        }
    }

    /// Makes an area and the next one a single one, if they may be; whether they were.
    pub(crate) fn join_one(&mut self, position: Position, next: Position) -> bool {
        let (Some(area), Some(above)) = (self.at(position), self.at(next)) else { return false };
        let joins = area.end == above.start && area.value.merges(area.bytes(), above.value);
        if joins && let Some(above) = self.take_one(next) {
            self.lengthen(position, above.end, above.value);
        }
        joins
    }

    /// Moves the end of an area up; `value` is that of what it gains.
    fn lengthen(&mut self, position: Position, end: u64, value: T) {
        if let Some(entry) = self.leaves.get_mut(position.leaf) {
            entry.leaf.set_end(position.at, end);
            if let Some(old) = entry.leaf.value_mut(position.at) {
                old.absorb(value);
            }
        }
        self.touch(position.leaf);
    }

    /// Takes one area out; its bytes still count, another area may get them. No leaves are joined, so that positions below it
    /// hold.
    fn take_one(&mut self, position: Position) -> Option<Area<T>> {
        let leaf = &mut self.leaves.get_mut(position.leaf)?.leaf;
        let taken = leaf.remove(position.at);
        if leaf.len() == 0 {
            self.drop_leaves(position.leaf, position.leaf + 1);
        }
        self.touch(position.leaf);
        self.areas -= usize::from(taken.is_some());
        taken
    }

    /// Takes out the areas from `first` on that end at or below `end`.
    fn take_whole(&mut self, first: Position, end: u64, sink: &mut impl FnMut(Area<T>)) {
        let Position { mut leaf, mut at } = first;
        let mut empty = leaf..leaf;
        while let Some(entry) = self.leaves.get_mut(leaf) {
            // Areas that end at or below `end` are those that start below it, but for one that reaches beyond.
            let mut to = end.checked_sub(1).map_or(0, |last| entry.leaf.rank(last));
            if to.checked_sub(1).is_some_and(|last| entry.leaf.end(last) > end) {
                to -= 1;
            }
            let all = to == entry.leaf.len();
            self.areas -= to.saturating_sub(at);
            entry.leaf.take(at, to.max(at), &mut *sink);
            if entry.leaf.len() == 0 {
                empty = if empty.is_empty() { leaf..leaf + 1 } else { empty.start..leaf + 1 };
            }
            self.touch(leaf);
            if !all {
                break;
            }
            (leaf, at) = (leaf + 1, 0);
        }
        self.drop_leaves(empty.start, empty.end);
    }
}

const _: () = assert!(ROOM >= 4, "a leaf that was split has room for two more");
