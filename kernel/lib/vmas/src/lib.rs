//! The map of an address space's areas: what mmap, munmap, mprotect, mremap, brk, the growth of a stack and every page
//! fault lean on.
//!
//! A [`Map`] holds areas `start..end`, at multiples of a page, in order, never overlapping. What an area is (permissions, file
//! and offset, kind) is the user's [`Value`]: the map asks it only whether two neighbours may be one, and what its upper
//! part is when an area is cut.
//!
//! # Structure
//!
//! Two levels. A leaf holds up to 16 areas: their bounds in arrays of their own, so that a search touches two or three
//! lines of the cache, and their values in places that do not move while areas come and go. An index holds each leaf's first
//! address, in order.
//!
//! ```text
//! index  [first gap leaf] [first gap leaf] [first gap leaf] ...      binary search, 24 bytes a leaf
//!                    |
//! leaf   starts[16] ends[16] places[16] -> values                    4 steps without a branch
//! ```
//!
//! Two levels are enough: a process has some 20 areas, which is two leaves, and at 65,530 (Linux's limit) the index has
//! less than 11,000 entries, half of which one insertion in eight moves. No allocation is larger than the index, and none
//! but the index is larger than a leaf's values. Leaves that run low are joined, so that memory goes back.
//!
//! | instructions | 20 areas | 10,000 areas |
//! |---|--:|--:|
//! | [`Map::find`] | 60 | 160 |
//! | [`Map::find_free`] | 200 | 310 |
//! | [`Map::insert`] and [`Map::remove`] of an area that joins no other, together | 850 | 1,030 |
//!
//! A cached last hit would save some 40 instructions of a fault that costs 900, at the price of a line of the cache that all
//! faulting CPUs write: it is left out.
//!
//! [`Map::find_free`] skips a leaf at a time: the index remembers the widest gap below any of a leaf's areas, found out when
//! a search has to look and forgotten when the leaf changes.
//!
//! # Failure
//!
//! Whatever may allocate does so first: an operation that returns an error has changed nothing. [`Map::remove`] needs no
//! memory unless it cuts a hole into one area, and [`Map::reserve`] allocates for a sequence of operations ahead.
//!
//! The map has no lock and hands nothing out that outlives a borrow: its user locks it.

#![no_std]
#![forbid(unsafe_code)]

mod change;
mod check;
mod edit;
mod error;
mod free;
mod index;
mod iter;
mod leaf;
mod map;
mod value;

pub use error::Error;
pub use free::{Order, Request};
pub use iter::Areas;
pub use map::Map;
pub use value::{Area, Value};

/// Bytes in a page: areas begin and end at multiples of it.
pub const PAGE: u64 = 4096;
