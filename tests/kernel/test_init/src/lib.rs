//! A module that says where its initialisation code was: after it is loaded, nothing is there any more.
#![no_std]
#![deny(unsafe_code)]

use core::sync::atomic::{AtomicU64, Ordering::Relaxed};
use kernel::prelude::*;

module! { type: Initial }

/// Where initialisation code, read-only data and data were, in this order.
static PLACES: [AtomicU64; 2] = [AtomicU64::new(0), AtomicU64::new(0)];

struct Initial;

impl Module for Initial {
    #[init]
    fn init() -> Result<Self> {
        let code: fn() -> Result<Self> = <Self as Module>::init;
        let [of_init, of_text] = &PLACES;
        of_init.store(code as usize as u64, Relaxed);
        of_text.store(places as fn() -> (u64, u64) as usize as u64, Relaxed);
        Ok(Self)
    }
}

/// Where code of initialisation was, and where code that stays is.
#[inline(never)]
pub fn places() -> (u64, u64) {
    let [of_init, of_text] = &PLACES;
    (of_init.load(Relaxed), of_text.load(Relaxed))
}
