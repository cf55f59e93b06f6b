//! The face of the kernel that modules see.
//!
//! A module is a crate with one dependency, this one, and one import, [`prelude`]. Drivers that are
//! built in use the same interface. `doc/modules.md` is the author's page; the shortest module is
//!
//! ```ignore
//! #![no_std]
//! #![deny(unsafe_code)]
//! //! Says hello.
//! use kernel::prelude::*;
//!
//! module! { type: Hello }
//!
//! struct Hello;
//!
//! impl Module for Hello {
//!     #[init]
//!     fn init() -> Result<Self> {
//!         println!("Hello!");
//!         Ok(Hello)
//!     }
//! }
//! ```
//!
//! What Rust makes `pub` in the kernel's crates is what a module can name, and what the linker
//! exports: visibility is the export control, checked by the compiler where the module is built. That
//! an old module meets a new kernel is what the build identity catches. The alternative, an explicit
//! table of exported symbols, says the same thing a second time, and cannot say it for generic code
//! and trait objects.
#![no_std]
#![deny(unsafe_code)]

#[doc(hidden)]
pub mod entry;
mod macros;

pub use entry::Module;

/// All that a module usually needs.
pub mod prelude {
    pub use crate::{Module, debug, error, info, module, println, warn};
    pub use base::param;
    pub use base::param::Size;
    pub use base::{Error, Result};
    pub use containers::{AllocError, Arc, Box, String, Vec, try_format, unsize};
    pub use core::time::Duration;
    pub use macros::init;
}

#[doc(hidden)]
pub mod private {
    //! What the macros' expansions name.
    pub use base::log::{Level, print, write};
}
