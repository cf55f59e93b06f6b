//! The doors: protocols by which a machine enters. Each is one file with its header or note, its 32-bit
//! entry, and the code that reads what it was handed into a [`Handover`].
//!
//! Behind a door the first 4 GiB are mapped one to one, and nothing has been overwritten yet.

mod pvh;

use crate::console;
use loader::error::Error;
use loader::map::{Map, Range};

/// What the loader is handed, whatever the door.
pub(crate) struct Handover {
    /// The firmware's memory map.
    pub(crate) map: Map,
    /// The command line, without a NUL.
    pub(crate) command_line: &'static [u8],
    /// Physical address of ACPI's root pointer.
    pub(crate) rsdp: Option<u64>,
    /// The bundle; empty if there is none.
    pub(crate) bundle: Range,
    /// Where the door's own data lies, that the loader and the kernel still read. Empty ones count for nothing.
    pub(crate) held: [Range; 4],
}

/// The common way from a door's data to the kernel.
fn enter(handover: Result<Handover, Error>) -> ! {
    let error = match handover {
        Ok(handover) => crate::start(&handover),
        Err(error) => error,
    };
    console::fail(error)
}
