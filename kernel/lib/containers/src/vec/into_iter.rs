//! Going over a vector's values: borrowed, or taken out.

use super::Vec;
use core::mem;
use core::slice;

impl<'a, T> IntoIterator for &'a Vec<T> {
    type Item = &'a T;
    type IntoIter = slice::Iter<'a, T>;
    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl<'a, T> IntoIterator for &'a mut Vec<T> {
    type Item = &'a mut T;
    type IntoIter = slice::IterMut<'a, T>;
    fn into_iter(self) -> Self::IntoIter {
        self.iter_mut()
    }
}

impl<T> IntoIterator for Vec<T> {
    type Item = T;
    type IntoIter = IntoIter<T>;
    fn into_iter(mut self) -> IntoIter<T> {
        // The memory goes on as a vector of values that may be gone: nothing is dropped but by the iterator.
        let len = mem::take(&mut self.len);
        IntoIter { vec: self, next: 0, len }
    }
}

/// The values of a vector, taken out one after the other.
///
/// Invariant: `vec.len` is 0; its values from `next` to before `len` are initialised and the iterator's.
pub struct IntoIter<T> {
    vec: Vec<T>,
    next: usize,
    len: usize,
}

impl<T> Iterator for IntoIter<T> {
    type Item = T;

    fn next(&mut self) -> Option<T> {
        if self.next == self.len {
            return None;
        }
        // SAFETY: the invariant; the value is no longer the iterator's afterwards.
        let value = unsafe { self.vec.start.add(self.next).read() };
        self.next += 1;
        Some(value)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.len - self.next, Some(self.len - self.next))
    }
}

impl<T> ExactSizeIterator for IntoIter<T> {}

impl<T> Drop for IntoIter<T> {
    fn drop(&mut self) {
        self.for_each(drop);
    }
}
