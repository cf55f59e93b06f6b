//! Modules: how they come, what they are while they are there, and how they go.
//!
//! | file | idea |
//! |---|---|
//! | `load` | the steps from a file's bytes to a live module |
//! | `need` | loading by name, what a module needs first |
//! | `unload` | the way back |
//! | `files` | the modules of the initramfs |
//! | `list` | the modules there are, their states, who holds whom |
//! | `memory` | pages for each region, sealed with its permission |
//! | `names` | a module's symbols: what others may use, what backtraces show |
//! | [`entry`] | calling into a module's memory: the one file with `unsafe` |
//! | `error` | what can go wrong, a line each |
//!
//! # States
//!
//! ```text
//!            reserve            link, seal            init
//!   (none) ----------> Unformed ----------> Coming ----------> Live
//!      ^                   |                   |                 | unload: nobody holds it
//!      +-------------------+-------------------+<---- Going <----+
//!                   any error: all is undone          exit
//! ```
//!
//! A name is taken from `Unformed` on, so of two loads of one module one gets EEXIST. A module can be
//! linked against when it is `Live`. Its memory goes when the list and the last holder have let go of
//! it: a module holds what it was linked against.
//!
//! # What a module is linked against
//!
//! The kernel's symbols first, then those of the modules that its `depends` names, and of no others: a
//! module must not bind to another one's copy of generic code without holding it.
//!
//! Lock: the list's, rank `MODULE`, held for looking and noting only. Linking and module code run
//! without it.
#![no_std]
#![deny(unsafe_code)]

pub mod entry;
mod error;
mod files;
mod list;
mod load;
mod memory;
mod names;
mod need;
mod unload;

pub use error::{Cause, LoadError, UnloadError};
pub use list::{Module, State, find, for_each};
pub use load::{link_only, load};
pub use need::load_by_name;
pub use unload::unload;

/// Finds the modules in the initramfs, and makes names in modules known to backtraces.
///
/// A damaged archive is a line in the log; what lies before the damage is found.
pub fn init(initramfs: &'static [u8]) {
    files::index(initramfs);
    base::symbols::set_module_resolver(entry::name_for_backtrace);
}

/// The file of the module `name` in the initramfs, for who looks at it without loading it.
pub fn image(name: &str) -> Option<&'static [u8]> {
    files::find(name).map(|file| file.image)
}
