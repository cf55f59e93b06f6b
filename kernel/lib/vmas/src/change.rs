//! What areas are changes: they are cut where the change begins and ends, and become one where they have become alike.
//!
//! As everywhere, the values of the parts and the room for them come first; from there on nothing can fail.

use crate::check::whole_pages;
use crate::edit::Cuts;
use crate::error::Error;
use crate::index::Position;
use crate::map::Map;
use crate::value::{Area, Value};
use containers::AllocError;
use core::ops::Range;

impl<T: Value> Map<T> {
    /// Gives each area in `range` to `change`, cut at the range's ends: mprotect, madvise. Areas become one where the new
    /// values allow it, also with those outside.
    ///
    /// # Errors
    /// [`Error::Range`], [`Error::NoMemory`].
    pub fn change(
        &mut self,
        range: Range<u64>,
        mut change: impl FnMut(Range<u64>, &mut T),
    ) -> Result<(), Error> {
        if !whole_pages(&range) {
            return Err(Error::Range);
        }
        let Some(Cuts { first, head, tail, .. }) = self.cuts(&range)? else { return Ok(()) };
        if head.is_some() {
            self.make_room(first.leaf, 1)?;
        }
        if tail.is_some() {
            // Both cuts may be in one leaf.
            self.make_room(self.leaf_of(range.end), 2)?;
        }
        self.cut(range.start, head)?;
        self.cut(range.end, tail)?;
        let mut position = self.seek(range.start);
        while let Some(entry) = self.leaves.get_mut(position.leaf) {
            let (start, end) = (entry.leaf.start(position.at), entry.leaf.end(position.at));
            if start >= range.end {
                break;
            }
            if let Some(value) = entry.leaf.value_mut(position.at) {
                change(start..end, value);
            }
            position = self.after(position);
        }
        self.join(range);
        Ok(())
    }

    /// Makes the area around `address` two, the upper one with the value given. There is room.
    fn cut(&mut self, address: u64, value: Option<T>) -> Result<(), AllocError> {
        let Some(value) = value else { return Ok(()) };
        let Position { leaf, at } = self.place(address);
        if let Some(last) = at.checked_sub(1)
            && let Some(entry) = self.leaves.get_mut(leaf)
        {
            let end = entry.leaf.end(last);
            entry.leaf.insert(at, Area { start: address, end, value })?;
            entry.leaf.set_end(last, address);
            self.areas += 1;
            self.touch(leaf);
        }
        Ok(())
    }

    /// Makes areas one where they may be, from the one that ends at the range's start to the one that starts at its end.
    fn join(&mut self, range: Range<u64>) {
        let mut position = self.seek(range.start.saturating_sub(1));
        let first = position.leaf;
        while self.at(position).is_some_and(|area| area.start < range.end) {
            let next = self.after(position);
            if !self.join_one(position, next) {
                position = next;
            }
        }
        self.settle(first, position.leaf);
    }
}
