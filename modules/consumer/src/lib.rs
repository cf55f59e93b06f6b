//! `consumer`: a module that uses another one. It teaches the dependency: a line in `Cargo.toml` and a
//! call like any other.
//!
//! The call is checked by the compiler when this module is built, and bound by the kernel's linker when
//! it is loaded. `producer` is loaded before it and cannot be removed before it.
#![no_std]
#![deny(unsafe_code)]

use kernel::prelude::*;

module! { type: Consumer }

struct Consumer;

impl Module for Consumer {
    #[init]
    fn init() -> Result<Self> {
        println!("producer says {}", producer::produce());
        Ok(Self)
    }
}
