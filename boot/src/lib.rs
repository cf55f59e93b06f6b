//! The host's side of Ottawa: builds loader, kernel and modules, packs the bundle, starts QEMU.
//!
//! ```text
//! args, words      the command line: options for the host, words for the kernel
//! guest            one build: toolchain, crates, mirror, cargo, then ko, image, bundle
//! bundle, tree     the cpio archive that the machine is given
//! qemu, run        QEMU's command line, and the loop beside a running machine
//! control, feed    status from the guest, input to it
//! params           the table of parameters
//! harness          machines for tests
//! command          what `cargo run` does
//! ```
//!
//! Tests use [`build`] and [`Guest`]; the program `ottawa` is [`command::main`].

mod args;
mod bundle;
mod cargo;
pub mod command;
mod control;
mod crates;
mod dirs;
mod error;
mod feed;
mod guest;
mod harness;
mod image;
mod ko;
mod mirror;
mod params;
mod qemu;
mod run;
pub mod size;
mod stamp;
mod terminal;
mod toolchain;
mod tree;
mod words;

pub use args::{Accel, Profile};
pub use bundle::MODULES;
pub use dirs::{guest as guest_dir, root};
pub use error::{Error, Result, STATUS_HOST, STATUS_PANIC, STATUS_TIME, STATUS_USAGE};
pub use guest::{Artifacts, BuildOptions, Module, build};
pub use harness::{Guest, Outcome};
pub use params::table as params_table;
pub use qemu::{Machine, version as qemu_version};
pub use words::{LIMIT as LINE_LIMIT, line as kernel_line};
