//! The map, and what can be asked of it.

use crate::error::Error;
use crate::index::{Entry, Position};
use crate::iter::Areas;
use crate::leaf::{Leaf, ROOM};
use crate::value::{Area, Value};
use crate::{PAGE, check::whole_pages};
use containers::{AllocError, Box, Vec};
use core::fmt;
use core::ops::Range;

/// The areas of an address space.
pub struct Map<T> {
    pub(crate) leaves: Vec<Entry<T>>,
    /// Empty leaves, reserved.
    pub(crate) spares: Vec<Box<Leaf<T>>>,
    pub(crate) areas: usize,
    pub(crate) bytes: u64,
}

impl<T> Map<T> {
    /// A map without areas, and without memory of its own.
    pub const fn new() -> Self {
        Self { leaves: Vec::new(), spares: Vec::new(), areas: 0, bytes: 0 }
    }

    /// Number of areas.
    pub fn len(&self) -> usize {
        self.areas
    }

    /// Whether there are no areas.
    pub fn is_empty(&self) -> bool {
        self.areas == 0
    }

    /// Bytes in all areas together.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// The area that `address` lies in. What a page fault asks.
    #[inline]
    pub fn find(&self, address: u64) -> Option<Area<&T>> {
        let Position { leaf, at } = self.place(address);
        let leaf = &self.leaves.get(leaf)?.leaf;
        let at = at.checked_sub(1).filter(|at| address < leaf.end(*at))?;
        Some(Area { start: leaf.start(at), end: leaf.end(at), value: leaf.value(at)? })
    }

    /// As [`find`](Self::find), with the value to be changed. Whether neighbours may be one is not asked again.
    #[inline]
    pub fn find_mut(&mut self, address: u64) -> Option<Area<&mut T>> {
        let Position { leaf, at } = self.place(address);
        let leaf = &mut self.leaves.get_mut(leaf)?.leaf;
        let at = at.checked_sub(1).filter(|at| address < leaf.end(*at))?;
        Some(Area { start: leaf.start(at), end: leaf.end(at), value: leaf.value_mut(at)? })
    }

    /// The area that `address` lies in, or else the next one above: the one that may grow down to it.
    pub fn find_above(&self, address: u64) -> Option<Area<&T>> {
        self.at(self.seek(address))
    }

    /// The last area that starts below `address`.
    pub fn find_below(&self, address: u64) -> Option<Area<&T>> {
        let Position { leaf, at } = self.place(address.checked_sub(1)?);
        self.leaves.get(leaf)?.leaf.get(at.checked_sub(1)?)
    }

    /// All areas, in order.
    pub fn iter(&self) -> Areas<'_, T> {
        Areas::new(self, Position { leaf: 0, at: 0 }, u64::MAX)
    }

    /// The areas that reach into `range`, in order.
    pub fn range(&self, range: Range<u64>) -> Areas<'_, T> {
        Areas::new(self, self.seek(range.start), range.end)
    }

    /// The first address in `range` that no area has, if there is one.
    pub fn first_hole(&self, range: Range<u64>) -> Option<u64> {
        let mut covered = range.start;
        for area in self.range(range.clone()) {
            if area.start > covered {
                break;
            }
            covered = area.end;
        }
        (covered < range.end).then_some(covered)
    }

    /// Whether no area reaches into `range`.
    pub fn is_free(&self, range: Range<u64>) -> bool {
        self.range(range).next().is_none()
    }

    /// Allocates what the next `operations` that change the map may need, so that they do not fail for lack of memory
    /// (unless the values do). An operation that moves areas does its parts one by one after this.
    ///
    /// # Errors
    /// [`Error::NoMemory`].
    pub fn reserve(&mut self, operations: usize) -> Result<(), Error> {
        // One splits two leaves at most: those at the two ends of its range.
        Ok(self.keep_spares(operations.checked_mul(2).ok_or(Error::NoMemory)?)?)
    }

    /// Gives back what [`reserve`](Self::reserve) allocated and nobody needed.
    pub fn unreserve(&mut self) {
        self.spares = Vec::new();
    }

    /// A map with the areas for which `value` returns one: what fork does.
    ///
    /// # Errors
    /// What `value` returns, or when memory is out.
    pub fn try_clone_with<E: From<AllocError>>(
        &self,
        mut value: impl FnMut(Area<&T>) -> Result<Option<T>, E>,
    ) -> Result<Self, E> {
        let mut map = Self::new();
        for area in self.iter() {
            if let Some(value) = value(area)? {
                map.append(Area { start: area.start, end: area.end, value })?;
            }
        }
        Ok(map)
    }

    /// Adds an area above all others. Leaves are filled to three quarters: room for what the child maps.
    fn append(&mut self, area: Area<T>) -> Result<(), AllocError> {
        let bytes = area.bytes();
        match self.leaves.last_mut() {
            Some(entry) if entry.leaf.len() < ROOM * 3 / 4 => entry.leaf.push(area)?,
            _ => {
                let mut leaf = self.new_leaf()?;
                leaf.push(area)?;
                self.add_leaf(self.leaves.len(), leaf)?;
            }
        }
        self.areas += 1;
        self.bytes += bytes;
        Ok(())
    }
}

impl<T: Value> Map<T> {
    /// Whether an area may be put at `range` with the guards that [`find_free`](Self::find_free) keeps. What mmap asks of an
    /// address that it is free to take or leave.
    pub fn fits(&self, range: Range<u64>) -> bool {
        if !whole_pages(&range) {
            return false;
        }
        let above = self.find_above(range.start);
        above.is_none_or(|above| range.end <= above.start.saturating_sub(above.value.guard()))
    }

    /// Lets the next area above `to`, a multiple of [`PAGE`], begin there: a stack. Between it and the area below stays its
    /// [`guard`](Value::guard), unless that is [`inaccessible`](Value::inaccessible).
    ///
    /// # Errors
    /// [`Error::Gap`] when there is no area above, or the one below is too close; [`Error::Range`] when `to` is no multiple
    /// of a page or lies in an area.
    pub fn grow_down(&mut self, to: u64) -> Result<Area<&T>, Error> {
        let position = self.seek(to);
        let area = self.at(position).ok_or(Error::Gap)?;
        if area.start <= to || !to.is_multiple_of(PAGE) {
            return Err(Error::Range);
        }
        if let Some(below) = self.before(position).and_then(|below| self.at(below))
            && !below.value.inaccessible()
            && to - below.end < area.value.guard()
        {
            return Err(Error::Gap);
        }
        let bytes = area.start - to;
        if let Some(entry) = self.leaves.get_mut(position.leaf) {
            entry.leaf.set_start(position.at, to);
            if let Some(value) = entry.leaf.value_mut(position.at) {
                value.lowered(bytes);
            }
        }
        self.bytes += bytes;
        self.touch(position.leaf);
        self.at(position).ok_or(Error::Gap)
    }
}

impl<T> Default for Map<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T: fmt::Debug> fmt::Debug for Map<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter().map(|area| (area.range(), area.value))).finish()
    }
}
