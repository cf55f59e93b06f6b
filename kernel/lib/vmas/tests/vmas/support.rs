//! Memory that counts and fails on demand, and a value that notices what is done to it.

use containers::{AllocError, Box};
use std::alloc::Layout;
use std::cell::Cell;
use vmas::{Map, PAGE, Value};

thread_local! {
    /// Allocations until they fail.
    static LEFT: Cell<usize> = const { Cell::new(usize::MAX) };
    /// Allocations that were not given back.
    static LIVE: Cell<isize> = const { Cell::new(0) };
}

#[unsafe(no_mangle)]
unsafe fn ottawa_alloc(size: usize, align: usize) -> *mut u8 {
    if LEFT.get() == 0 {
        return std::ptr::null_mut();
    }
    LEFT.set(LEFT.get().saturating_sub(1));
    LIVE.set(LIVE.get() + 1);
    // SAFETY: the size is not 0.
    unsafe { std::alloc::alloc(Layout::from_size_align(size, align).expect("a layout")) }
}

#[unsafe(no_mangle)]
unsafe fn ottawa_dealloc(memory: *mut u8, size: usize, align: usize) {
    LIVE.set(LIVE.get() - 1);
    // SAFETY: allocated above with this layout.
    unsafe { std::alloc::dealloc(memory, Layout::from_size_align_unchecked(size, align)) };
}

/// Allocations of this thread that are still there.
pub(crate) fn live() -> isize {
    LIVE.get()
}

/// Runs `work` with allocations failing after the first `left`.
pub(crate) fn with_allocations<R>(left: usize, work: impl FnOnce() -> R) -> R {
    LEFT.set(left);
    let result = work();
    LEFT.set(usize::MAX);
    result
}

/// A kind of area, with an offset that follows the addresses, and memory of its own so that leaks and cuts that fail show.
#[derive(Debug, PartialEq)]
pub(crate) struct Kind {
    pub(crate) kind: u8,
    pub(crate) offset: u64,
    token: Box<u64>,
}

/// Below this, kinds are stacks, with as many pages of guard.
pub(crate) const STACKS: u8 = 3;
/// The kind that nobody can touch.
pub(crate) const NOBODY: u8 = 3;

impl Kind {
    pub(crate) fn new(kind: u8, offset: u64) -> Result<Self, AllocError> {
        Ok(Self { kind, offset, token: Box::new(1)? })
    }

    /// How many values this one has taken over, itself counted.
    pub(crate) fn taken_over(&self) -> u64 {
        *self.token
    }
}

impl Value for Kind {
    fn above(&self, offset: u64) -> Result<Self, AllocError> {
        Self::new(self.kind, self.offset + offset)
    }

    fn merges(&self, length: u64, above: &Self) -> bool {
        self.kind == above.kind && self.offset + length == above.offset && self.kind >= STACKS
    }

    fn absorb(&mut self, above: Self) {
        *self.token += *above.token;
    }

    fn lowered(&mut self, bytes: u64) {
        self.offset -= bytes;
    }

    fn guard(&self) -> u64 {
        if self.kind < STACKS { u64::from(self.kind) * PAGE } else { 0 }
    }

    fn inaccessible(&self) -> bool {
        self.kind == NOBODY
    }
}

/// Offsets are far from 0, so that stacks can grow.
pub(crate) const OFFSET: u64 = 1 << 40;

/// A map with the areas `(first page, last page + 1, kind)`; offsets are such that neighbours of a kind are one.
pub(crate) fn map(areas: &[(u64, u64, u8)]) -> Map<Kind> {
    let mut map = Map::new();
    for (start, end, kind) in areas {
        let value = Kind::new(*kind, OFFSET + start * PAGE).expect("memory");
        map.insert(start * PAGE..end * PAGE, value).expect("free");
    }
    map
}

/// What is in a map, as [`map`] takes it.
pub(crate) fn areas(map: &Map<Kind>) -> Vec<(u64, u64, u8)> {
    assert!(map.is_sound(), "{map:?}");
    map.iter().map(|area| (area.start / PAGE, area.end / PAGE, area.value.kind)).collect()
}
