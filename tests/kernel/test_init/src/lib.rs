//! A module that calls its initialisation code when it is removed: by then nothing is there any more.
#![no_std]
#![deny(unsafe_code)]

use kernel::prelude::*;

module! { type: Initial }

struct Initial {
    init: fn() -> Result<Initial>,
}

impl Module for Initial {
    #[init]
    fn init() -> Result<Self> {
        Ok(Self { init: <Self as Module>::init })
    }
}

impl Drop for Initial {
    fn drop(&mut self) {
        // What it makes is not dropped: that would call again, if this call came back.
        core::mem::forget((self.init)());
    }
}
