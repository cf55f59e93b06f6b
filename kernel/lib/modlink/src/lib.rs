//! The module linker: a relocatable ELF object becomes code and data at given addresses.
//!
//! The kernel links its modules itself. This crate is the part of that which needs no kernel: it
//! allocates nothing, touches no memory but what it is given, and has no `unsafe`. Whatever bytes
//! it is fed, it answers with a [`LinkError`] or a linked module, in time linear in the file.
//!
//! # Protocol
//!
//! ```text
//! Object::parse(image)            headers and sections; .modinfo and build identity readable
//!   .plan(&mut slots)             every section, symbol and relocation checked; sizes known
//!     .link(&mut memory, resolve) copied, relocated
//!       Linked                    addresses of the module's own symbols and sections
//! ```
//!
//! `parse` and `plan` find everything that can be told from the file alone, so that a bad module is
//! refused before memory is spent on it. `link` can only fail for what depends on addresses: a
//! symbol nobody has, or a value that does not fit its field.
//!
//! Between `parse` and `plan` the caller provides one [`Slot`] for each section and symbol: the
//! linker's memory, of which it needs 16 bytes an entry. Undefined symbols are looked up when a
//! relocation first uses them, once each.
//!
//! # Regions
//!
//! Sections are gathered into six [`Region`]s, by flags and by name, one for each pair of
//! permissions and lifetime: the caller gives each its own pages. A global offset table lies at the
//! end of `RoData`, one word for each symbol that a `GOTPCREL` relocation names; `rustc` reaches
//! `memcpy` and its kind only that way.
//!
//! Understood are the relocations that `rustc` and C compilers emit for the static and
//! position-independent models with code model `kernel`; for others, [`LinkError`] says how to
//! compile.

#![no_std]
#![forbid(unsafe_code)]

mod error;
mod link;
mod name;
mod object;
mod plan;
mod record;
mod region;
mod reloc;
mod symbol;

pub use error::{Fault, LinkError, Site};
pub use link::Linked;
pub use name::Name;
pub use object::{IDENTITY_BYTES, MAX_SECTIONS, Modinfo, Object};
pub use plan::{Plan, Slot};
pub use region::{Extent, MAX_REGION_BYTES, Memory, Region};
pub use reloc::Kind;
pub use symbol::{Symbol, Symbols};
