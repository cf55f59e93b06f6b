//! Up to 16 areas in order.
//!
//! The bounds lie in arrays in the order of addresses; the values lie in places that they keep until they leave. `places`
//! says where the value of an area is: its first `len` entries are those of the areas, the others are free places.
//!
//! Unused bounds are such that a search needs no length: starts that are above, ends that are below every address.

use crate::value::Area;
use containers::{AllocError, Box, Vec};
use core::array;
use core::iter;
use core::mem;

/// Areas in a leaf at most.
pub(crate) const ROOM: usize = 16;
/// Keeps indices in the arrays, for the compiler to see.
const MASK: usize = ROOM - 1;

pub(crate) struct Leaf<T> {
    starts: [u64; ROOM],
    ends: [u64; ROOM],
    places: [u8; ROOM],
    len: usize,
    /// `ROOM` of them.
    values: Vec<Option<T>>,
}

impl<T> Leaf<T> {
    pub(crate) fn new() -> Result<Box<Self>, AllocError> {
        let mut values = Vec::with_capacity(ROOM)?;
        values.try_extend(iter::repeat_with(|| None).take(ROOM))?;
        let places = array::from_fn(|place| place as u8);
        Box::new(Self { starts: [u64::MAX; ROOM], ends: [0; ROOM], places, len: 0, values })
    }

    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// How many of the areas start at or below `address`.
    #[inline]
    pub(crate) fn rank(&self, address: u64) -> usize {
        let mut below = 0;
        for step in [8, 4, 2, 1] {
            if self.starts[(below + step - 1) & MASK] <= address {
                below += step;
            }
        }
        // Four steps tell 16 answers apart, and there is a 17th.
        below + usize::from(self.starts[below & MASK] <= address)
    }

    #[inline]
    pub(crate) fn start(&self, at: usize) -> u64 {
        self.starts[at & MASK]
    }

    #[inline]
    pub(crate) fn end(&self, at: usize) -> u64 {
        self.ends[at & MASK]
    }

    /// The end of the last area; 0 without one.
    pub(crate) fn last_end(&self) -> u64 {
        self.len.checked_sub(1).map_or(0, |last| self.end(last))
    }

    pub(crate) fn set_start(&mut self, at: usize, start: u64) {
        self.starts[at & MASK] = start;
    }

    pub(crate) fn set_end(&mut self, at: usize, end: u64) {
        self.ends[at & MASK] = end;
    }

    #[inline]
    pub(crate) fn value(&self, at: usize) -> Option<&T> {
        self.values.get(usize::from(self.places[at & MASK]))?.as_ref()
    }

    #[inline]
    pub(crate) fn value_mut(&mut self, at: usize) -> Option<&mut T> {
        self.values.get_mut(usize::from(self.places[at & MASK]))?.as_mut()
    }

    /// The area of that index, if it is one.
    #[inline]
    pub(crate) fn get(&self, at: usize) -> Option<Area<&T>> {
        if at >= self.len {
            return None;
        }
        Some(Area { start: self.start(at), end: self.end(at), value: self.value(at)? })
    }

    /// Puts an area before the one of index `at`.
    ///
    /// # Errors
    /// When the leaf is full: its user makes room first.
    pub(crate) fn insert(&mut self, at: usize, area: Area<T>) -> Result<(), AllocError> {
        if self.len == ROOM || at > self.len {
            return Err(AllocError);
        }
        let place = self.places[self.len & MASK];
        *self.values.get_mut(usize::from(place)).ok_or(AllocError)? = Some(area.value);
        for i in (at + 1..=self.len).rev() {
            self.starts[i & MASK] = self.starts[(i - 1) & MASK];
            self.ends[i & MASK] = self.ends[(i - 1) & MASK];
            self.places[i & MASK] = self.places[(i - 1) & MASK];
        }
        self.starts[at & MASK] = area.start;
        self.ends[at & MASK] = area.end;
        self.places[at & MASK] = place;
        self.len += 1;
        Ok(())
    }

    /// Puts an area behind all others.
    ///
    /// # Errors
    /// When the leaf is full.
    pub(crate) fn push(&mut self, area: Area<T>) -> Result<(), AllocError> {
        self.insert(self.len, area)
    }

    /// Takes one area out.
    pub(crate) fn remove(&mut self, at: usize) -> Option<Area<T>> {
        if at >= self.len {
            return None;
        }
        let (start, end, place) = (self.start(at), self.end(at), self.places[at & MASK]);
        let value = self.values.get_mut(usize::from(place)).and_then(mem::take);
        for i in at + 1..self.len {
            self.starts[(i - 1) & MASK] = self.starts[i & MASK];
            self.ends[(i - 1) & MASK] = self.ends[i & MASK];
            self.places[(i - 1) & MASK] = self.places[i & MASK];
        }
        self.len -= 1;
        self.starts[self.len & MASK] = u64::MAX;
        self.ends[self.len & MASK] = 0;
        self.places[self.len & MASK] = place;
        value.map(|value| Area { start, end, value })
    }

    /// Takes the areas from index `from` to before `to` out, in order.
    pub(crate) fn take(&mut self, from: usize, to: usize, mut sink: impl FnMut(Area<T>)) {
        let to = to.min(self.len);
        let Some(count) = to.checked_sub(from) else { return };
        // Their places, to be free ones behind the areas that stay.
        let mut freed = [0; ROOM];
        for i in from..to {
            let place = self.places[i & MASK];
            freed[(i - from) & MASK] = place;
            if let Some(value) = self.values.get_mut(usize::from(place)).and_then(mem::take) {
                sink(Area { start: self.starts[i & MASK], end: self.ends[i & MASK], value });
            }
        }
        for i in to..self.len {
            self.starts[(i - count) & MASK] = self.starts[i & MASK];
            self.ends[(i - count) & MASK] = self.ends[i & MASK];
            self.places[(i - count) & MASK] = self.places[i & MASK];
        }
        for i in self.len - count..self.len {
            self.starts[i & MASK] = u64::MAX;
            self.ends[i & MASK] = 0;
            self.places[i & MASK] = freed[(i + count - self.len) & MASK];
        }
        self.len -= count;
    }

    /// Moves the areas from index `from` on to the end of `other`, which has room for them and lies below them.
    pub(crate) fn move_to(&mut self, from: usize, other: &mut Self) {
        self.take(from, ROOM, |area| {
            // There is room: the caller's promise.
            let _ = other.push(area);
        });
    }

    /// Whether the arrays are what this file's page says.
    pub(crate) fn check(&self) -> bool {
        let ordered = (1..self.len).all(|i| self.end(i - 1) <= self.start(i));
        let bounds = (0..self.len).all(|i| self.start(i) < self.end(i) && self.value(i).is_some());
        let unused = (self.len..ROOM)
            .all(|i| self.start(i) == u64::MAX && self.end(i) == 0 && self.value(i).is_none());
        let places = self.places.iter().fold(0u32, |seen, place| seen | 1 << (place & 31));
        ordered && bounds && unused && places == u32::MAX >> (32 - ROOM) && self.values.len() == ROOM
    }
}
