//! Areas one after the other.

use crate::index::Position;
use crate::leaf::Leaf;
use crate::map::Map;
use crate::value::Area;

/// The areas of a map, or those that reach into a range, in order.
pub struct Areas<'a, T> {
    map: &'a Map<T>,
    leaf: Option<&'a Leaf<T>>,
    /// Of the next area.
    position: Position,
    /// Areas that start here or above are not wanted.
    end: u64,
}

impl<'a, T> Areas<'a, T> {
    pub(crate) fn new(map: &'a Map<T>, position: Position, end: u64) -> Self {
        Self { map, leaf: map.leaves.get(position.leaf).map(|entry| &*entry.leaf), position, end }
    }
}

impl<'a, T> Iterator for Areas<'a, T> {
    type Item = Area<&'a T>;

    fn next(&mut self) -> Option<Area<&'a T>> {
        loop {
            if let Some(area) = self.leaf?.get(self.position.at) {
                self.position.at += 1;
                return (area.start < self.end).then_some(area);
            }
            self.position = Position { leaf: self.position.leaf + 1, at: 0 };
            self.leaf = self.map.leaves.get(self.position.leaf).map(|entry| &*entry.leaf);
        }
    }
}

impl<T> Clone for Areas<'_, T> {
    fn clone(&self) -> Self {
        Self { ..*self }
    }
}

impl<'a, T> IntoIterator for &'a Map<T> {
    type Item = Area<&'a T>;
    type IntoIter = Areas<'a, T>;

    fn into_iter(self) -> Areas<'a, T> {
        self.iter()
    }
}
