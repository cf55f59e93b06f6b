//! cpio archives of the `newc` format: what the bundle (the initramfs) is made of.
//!
//! An archive is a chain of records, each at a multiple of four bytes:
//!
//! ```text
//! header   110 bytes: "070701" (or "070702") and 13 numbers of 8 hexadecimal digits
//! name     with its NUL, padded to a multiple of four
//! data     padded to a multiple of four
//! ```
//!
//! The record named `TRAILER!!!` ends an archive. Several archives one after another, with zeros
//! between them, are one archive: that is how Linux lays files over an initramfs.
//!
//! The reader ([`Archive`]) borrows everything from the archive's bytes, allocates nothing and survives
//! any bytes: what is wrong comes out as an [`Error`] with its offset. A name ends at its first NUL, and
//! the header's name size may count more NULs than one: so the writer (`Writer`, feature `write`) puts a
//! file's data at the start of a page, from where the kernel can use it in place.

#![no_std]
#![forbid(unsafe_code)]

#[cfg(feature = "write")]
extern crate std;

mod error;
mod header;
mod read;
#[cfg(feature = "write")]
mod write;

pub use error::{Error, Problem};
pub use header::{Device, Kind};
pub use read::{Archive, Entries, Entry};
#[cfg(feature = "write")]
pub use write::{Attributes, Place, Writer};

/// The name of the record that ends an archive.
const TRAILER: &[u8] = b"TRAILER!!!";
