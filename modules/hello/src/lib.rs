//! `hello`: the smallest whole module. It teaches the frame and the parameters.
//!
//! A module has three parts: parameters (or none), [`module!`], and a type with an `init`. The value
//! that `init` returns is the module as long as it is loaded; dropping it is its removal.
//!
//! Load it with `modules=hello hello.who=Ottawa hello.count=3`.
#![no_std]
#![deny(unsafe_code)]

use kernel::prelude::*;

param! {
    /// Who is greeted.
    static WHO as "who": Text<64> = "world", mode 0o644;
    /// How many times.
    static COUNT as "count": u32 = 1, range 1..=100, mode 0o644;
}

module! { type: Hello }

/// Someone has been greeted, and is owed a goodbye.
struct Hello;

impl Module for Hello {
    #[init]
    fn init() -> Result<Self> {
        for _ in 0..COUNT.get() {
            println!("Hello, {}!", WHO.get());
        }
        Ok(Self)
    }
}

impl Drop for Hello {
    fn drop(&mut self) {
        println!("Goodbye, {}!", WHO.get());
    }
}
