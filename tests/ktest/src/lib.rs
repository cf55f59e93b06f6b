//! In-kernel tests.
//!
//! A test module is an ordinary module whose init runs tests:
//!
//! ```ignore
//! #![no_std]
//! mod frames;
//! ktest::module! { frames }
//!
//! // frames.rs
//! use ktest::{check, check_eq, ktest};
//! ktest! {
//!     fn a_block_is_aligned_to_its_size() {
//!         let block = mm::frame::alloc(3)?;
//!         check_eq!(block % 0x8000, 0);
//!         mm::frame::free(block, 3);
//!     }
//! }
//! ```
//!
//! A test never panics: a check that does not hold returns from the test, and so does `?` on any error. What the console
//! says of a test, line by line (the host's side is `tests/src/ktest.rs`):
//!
//! ```text
//! ktest: begins test_mm::frames::a_block_is_aligned_to_its_size
//! ktest: FAILED test_mm::frames::a_block_is_aligned_to_its_size: tests/kernel/.../frames.rs:7: 4096 is not 0: ...
//! ktest: ok test_mm::frames::another
//! ```
//!
//! Parameters of every test module: `only=stack,slabs::` runs the tests with one of these in their names (the host passes
//! `@` and a hash of the name), `long=1` the long forms.
//!
//! Tests run one after the other on a stack of 8 KiB of their own.
//!
//! Each module has a copy of this crate of its own, statics and all.
#![no_std]
#![deny(unsafe_code)]

mod check;
mod deep;
mod rng;
mod run;
mod stack;

pub use check::{Failed, Result};
pub use deep::with_stack_used;
pub use kernel;
pub use rng::Rng;
pub use run::{Test, long, note, run};
pub use stack::loaders_stack;

/// Declares tests and the array of them that [`module!`] looks for in each file it is told of.
#[macro_export]
macro_rules! ktest {
    ($($(#[$meta:meta])* fn $name:ident() $body:block)*) => {
        $(
            $(#[$meta])*
            fn $name() -> $crate::Result {
                $body
                #[allow(unreachable_code)]
                Ok(())
            }
        )*

        /// The tests of this file.
        #[used]
        #[unsafe(link_section = ".ktest")]
        pub(crate) static KTESTS: [$crate::Test; [$(stringify!($name)),*].len()] =
            [$($crate::Test::new(concat!(module_path!(), "::", stringify!($name)), $name)),*];
    };
}

/// Makes the crate a module that runs the tests of these files when it is loaded.
#[macro_export]
macro_rules! module {
    ($($file:ident),* $(,)?) => {
        use $crate::kernel::prelude::*;

        $crate::kernel::prelude::param! {
            /// Pieces of names of the tests to run, separated by commas; all when empty.
            static ONLY as "only": Text<256> = "", mode 0o444;
            /// Runs the long forms.
            static LONG as "long": bool = false, mode 0o444;
        }

        $crate::kernel::prelude::module! { type: Tests }

        struct Tests;

        impl Module for Tests {
            #[init]
            fn init() -> Result<Self> {
                $crate::run(&[$(&$file::KTESTS),*], ONLY.get().as_str(), LONG.get());
                Ok(Tests)
            }
        }
    };
}
