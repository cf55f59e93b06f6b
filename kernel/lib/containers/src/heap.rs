//! A heap that gives its least key first.
//!
//! Equal keys come out in no particular order; who cares makes the key a pair with a running number. Room is made by
//! [`Heap::reserve`] or, where no memory may be asked for, by handing in a larger buffer ([`Heap::exchange`]); pushing into
//! room that is there cannot fail.

use crate::{AllocError, Vec};

/// The heap.
pub struct Heap<K, V> {
    nodes: Vec<(K, V)>,
}

impl<K: Ord + Copy, V> Heap<K, V> {
    /// An empty heap; allocates nothing.
    pub const fn new() -> Self {
        Self { nodes: Vec::new() }
    }

    /// How many values it holds.
    pub fn len(&self) -> usize {
        self.nodes.len()
    }

    /// Whether it holds none.
    pub fn is_empty(&self) -> bool {
        self.nodes.is_empty()
    }

    /// How many values it has room for.
    pub fn capacity(&self) -> usize {
        self.nodes.capacity()
    }

    /// Makes room for `more` values.
    ///
    /// # Errors
    /// When memory is out.
    pub fn reserve(&mut self, more: usize) -> Result<(), AllocError> {
        self.nodes.reserve(more)
    }

    /// Goes over to `buffer`, which is empty and has room for what the heap holds; returns the old buffer, empty. Gives
    /// `buffer` back unused where it is too small.
    pub fn exchange(&mut self, mut buffer: Vec<(K, V)>) -> Vec<(K, V)> {
        if buffer.capacity() < self.nodes.len() {
            return buffer;
        }
        core::mem::swap(&mut self.nodes, &mut buffer);
        // Reversing twice keeps the order, and with it the heap.
        buffer.reverse();
        while let Some(node) = buffer.pop() {
            if self.nodes.push_within_capacity(node).is_err() {
                break;
            }
        }
        buffer
    }

    /// Adds a value; gives it back where there is no room.
    ///
    /// # Errors
    /// The value.
    pub fn push(&mut self, key: K, value: V) -> Result<(), V> {
        self.nodes.push_within_capacity((key, value)).map_err(|(_, value)| value)?;
        self.rise(self.nodes.len() - 1);
        Ok(())
    }

    /// The least key.
    pub fn first(&self) -> Option<(K, &V)> {
        self.nodes.first().map(|(key, value)| (*key, value))
    }

    /// Takes the value with the least key.
    pub fn pop(&mut self) -> Option<(K, V)> {
        self.take(0)
    }

    /// Takes one value that `wanted` picks. Looks at all of them.
    pub fn remove(&mut self, mut wanted: impl FnMut(&K, &V) -> bool) -> Option<(K, V)> {
        let place = self.nodes.iter().position(|(key, value)| wanted(key, value))?;
        self.take(place)
    }

    /// All values, in no order.
    pub fn iter(&self) -> impl Iterator<Item = (K, &V)> {
        self.nodes.iter().map(|(key, value)| (*key, value))
    }

    fn take(&mut self, place: usize) -> Option<(K, V)> {
        let taken = self.nodes.swap_remove(place)?;
        if place < self.nodes.len() {
            self.sink(place);
            self.rise(place);
        }
        Some(taken)
    }

    fn rise(&mut self, mut at: usize) {
        while at > 0 {
            let parent = (at - 1) / 2;
            if self.nodes[parent].0 <= self.nodes[at].0 {
                break;
            }
            self.nodes.swap(parent, at);
            at = parent;
        }
    }

    fn sink(&mut self, mut at: usize) {
        loop {
            let mut least = at;
            for child in [2 * at + 1, 2 * at + 2] {
                if child < self.nodes.len() && self.nodes[child].0 < self.nodes[least].0 {
                    least = child;
                }
            }
            if least == at {
                break;
            }
            self.nodes.swap(at, least);
            at = least;
        }
    }
}

impl<K: Ord + Copy, V> Default for Heap<K, V> {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::vec::Vec as StdVec;

    #[test]
    fn values_come_out_by_key_and_removal_keeps_the_order() {
        let mut heap = Heap::new();
        heap.reserve(500).unwrap();
        let mut model = StdVec::new();
        let mut seed = 1u64;
        for step in 0..4000u64 {
            seed = seed.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
            match seed >> 60 {
                0..=8 if model.len() < 500 => {
                    heap.push((seed >> 40, step), step).unwrap();
                    model.push(((seed >> 40, step), step));
                }
                9..=11 if !model.is_empty() => {
                    let (_, wanted) = model.swap_remove(step as usize % model.len());
                    assert_eq!(heap.remove(|_, v| *v == wanted).map(|n| n.1), Some(wanted));
                }
                _ => {
                    let least = model.iter().copied().min();
                    model.retain(|n| Some(*n) != least);
                    assert_eq!(heap.pop(), least);
                }
            }
            assert_eq!(heap.len(), model.len());
        }
    }

    #[test]
    fn a_full_heap_gives_the_value_back_and_takes_a_larger_buffer() {
        let mut heap = Heap::new();
        assert_eq!(heap.push(1, 'a'), Err('a'));
        heap.exchange(Vec::with_capacity(3).unwrap());
        for (key, value) in [(3, 'c'), (1, 'a'), (2, 'b')] {
            heap.push(key, value).unwrap();
        }
        let old = heap.exchange(Vec::with_capacity(8).unwrap());
        assert!(old.is_empty() && heap.capacity() >= 8);
        let small = heap.exchange(Vec::with_capacity(1).unwrap());
        assert_eq!(small.capacity(), 1);
        assert_eq!(
            [heap.pop(), heap.pop(), heap.pop(), heap.pop()],
            [Some((1, 'a')), Some((2, 'b')), Some((3, 'c')), None]
        );
    }
}
