//! `producer`: a module that other modules use. It teaches the export: `pub` is all there is to it.
//!
//! Whoever calls [`produce`] names this crate in its `Cargo.toml`. The kernel then loads this module
//! first, and keeps it as long as the other one is there.
#![no_std]
#![deny(unsafe_code)]

use core::sync::atomic::{AtomicU64, Ordering::Relaxed};
use kernel::prelude::*;

module! { type: Producer }

/// What was produced last. A static of a module lives as long as the module.
static LAST: AtomicU64 = AtomicU64::new(41);

/// The next number. The first is 42.
///
/// `inline(never)` so that there is one function to call, here: what the compiler copies into the
/// caller does not count as a use of this module.
#[inline(never)]
pub fn produce() -> u64 {
    LAST.fetch_add(1, Relaxed) + 1
}

struct Producer;

impl Module for Producer {
    #[init]
    fn init() -> Result<Self> {
        Ok(Self)
    }
}
