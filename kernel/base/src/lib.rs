//! What every part of the kernel leans on: locks, per-CPU data, errors, the log, parameters, the clock's reading.
//!
//! | part | idea |
//! |---|---|
//! | [`percpu`] | each CPU's own copy of some statics, reached through the GS register |
//! | [`irq`] | masking interrupts on this CPU |
//! | [`sync`] | the two spin locks, the order in which they are taken, cells that are set once |
//! | [`error`](mod@error) | [`Error`], Linux's error numbers as a type |
//! | [`clock`] | nanoseconds since the kernel's first instruction |
//! | [`log`] | records in a ring, lines on the consoles, the panic path's words |
//! | [`param`](mod@param) | one declaration for the boot command line, module insertion and run time |
//! | [`symbols`] | the name of the function at an address |
//!
//! The layer allocates nothing and knows no device. `unsafe` is denied here except in the files that say at their head
//! what they need it for: [`percpu`], [`clock`], `sync/once.rs`, `param/table.rs`. Declarations of per-CPU data and
//! parameters place statics in sections, which counts as unsafe; in other crates their macros answer for it, even under
//! `forbid(unsafe_code)`.
#![cfg_attr(not(test), no_std)]
#![deny(unsafe_code)]
#![cfg_attr(
    test,
    allow(
        clippy::disallowed_types,
        clippy::disallowed_methods,
        clippy::disallowed_macros,
        reason = "the tests run on the host, with std"
    )
)]

pub mod clock;
pub mod error;
pub mod irq;
pub mod log;
pub mod param;
pub mod percpu;
pub mod symbols;
pub mod sync;

pub use error::{Error, Result};
