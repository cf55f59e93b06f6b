//! A module whose init fails when asked to, after it has taken memory.
#![no_std]
#![deny(unsafe_code)]

use kernel::prelude::*;

param! {
    /// Fails, with EIO.
    static FAIL as "fail": bool = false, mode 0o444;
}

module! { type: Flaky }

struct Flaky {
    /// Memory that goes with the module.
    _kept: Vec<u64>,
}

impl Module for Flaky {
    #[init]
    fn init() -> Result<Self> {
        let kept = Vec::try_from_iter(0..1000)?;
        if FAIL.get() {
            return Err(Error::EIO);
        }
        Ok(Self { _kept: kept })
    }
}
