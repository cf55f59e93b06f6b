//! The kernel's symbols as one packed file, `ottawa.sym`, used where it lies.
//!
//! The kernel asks it two things: which address a name has (the module linker) and which name an address
//! has (backtraces). The file answers without being unpacked, so the kernel keeps nothing else of its ELF.
//!
//! ```text
//! header   80 bytes: magic, version, counts, build identity, base, text range   (layout.rs)
//! entries  16 bytes a symbol, by address: address - base, size, name's offset and length, kind
//! slots     8 bytes, half as many again as symbols: hash and entry's number, open addressing
//! names    the names one after another, not terminated
//! ```
//!
//! All numbers are little-endian, all places are offsets: the file may lie at any address. [`Table::parse`]
//! looks at the header only; after it every access is checked against the file's end, so that damaged bytes
//! give wrong answers at worst, never a fault and never an endless loop.
//!
//! A name's 32-bit hash stands in its slot, so a lookup compares one string as a rule. Names that stand for
//! several addresses are found by address but not by name: a module must not bind to the wrong one.

#![no_std]
#![forbid(unsafe_code)]

#[cfg(feature = "build")]
extern crate std;

#[cfg(feature = "build")]
mod build;
mod hash;
mod layout;
mod table;

#[cfg(feature = "build")]
pub use build::{BuildError, Builder, Built};
pub use layout::{KERNEL_BASE, Kind};
pub use table::{Error, Resolved, Symbol, Symbols, Table};
