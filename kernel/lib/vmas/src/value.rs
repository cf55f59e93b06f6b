//! What an area carries, and the area itself.

use containers::AllocError;
use core::ops::Range;

/// What the user of a map keeps with each area.
///
/// A value speaks for its whole area. If it has something that depends on the place (an offset into a file), that is the one
/// of the area's first byte.
pub trait Value: Sized {
    /// The value of the part that begins `offset` bytes above the area's start, when the area is cut there; this value stays
    /// that of the lower part. Also called for a part that is then removed, or for nothing, when an operation fails.
    ///
    /// # Errors
    /// When memory is out.
    fn above(&self, offset: u64) -> Result<Self, AllocError>;

    /// Whether the area of this value, `length` bytes long, and the one of value `above` that begins where it ends may be one
    /// area, with this value.
    fn merges(&self, length: u64, above: &Self) -> bool;

    /// Takes over what the area above had, which has become part of this one.
    fn absorb(&mut self, above: Self) {
        drop(above);
    }

    /// Adjusts the value to an area whose start has moved `bytes` down ([`Map::grow_down`](crate::Map::grow_down)).
    fn lowered(&mut self, bytes: u64) {
        let _ = bytes;
    }

    /// Bytes below the area that [`Map::find_free`](crate::Map::find_free) leaves free, and that stay free when it grows: 0
    /// unless the area is a stack.
    fn guard(&self) -> u64 {
        0
    }

    /// Whether nobody can touch the area: it serves as a guard itself, so a stack may grow down to its end.
    fn inaccessible(&self) -> bool {
        false
    }
}

/// An area: `Area<&T>` looks at one in the map, `Area<T>` has left it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Area<T> {
    /// Its first byte.
    pub start: u64,
    /// The byte behind its last.
    pub end: u64,
    /// What its user keeps with it.
    pub value: T,
}

impl<T> Area<T> {
    /// Its addresses.
    pub fn range(&self) -> Range<u64> {
        self.start..self.end
    }

    /// Its length in bytes.
    pub fn bytes(&self) -> u64 {
        self.end - self.start
    }
}
