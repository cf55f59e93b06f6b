//! What execve needs to know, without a kernel: programs, scripts, arguments and the first stack.
//!
//! ```text
//! Image::parse(first 256 bytes)     an ELF program's header, or a script's #! line
//!   Plan::new(header, its table)    segments, entry, interpreter: all checked, nothing mapped
//! Arguments                         argv and envp, copied out of the old address space once
//!   interpret(script, path)         a script's become its interpreter's
//! Stack::new(top, ...)              where everything on the first stack lies, and rsp
//!   write(&aux, memory)             through a trait, straight into the program's pages
//! ```
//!
//! Whatever bytes a file has, the answer is an [`Error`] (execve's `ENOEXEC`) or a plan that holds: segments in order, page
//! by page apart, inside the file and inside user space. So execve refuses a bad program while the caller still lives; what is
//! left to fail after that is memory and reading the file.
//!
//! Nothing here trusts a second look: a plan borrows the table that it checked, and arguments are copied before they are
//! counted.

#![no_std]
#![forbid(unsafe_code)]

mod arguments;
mod auxv;
mod error;
mod image;
mod plan;
mod record;
mod script;
mod segment;
mod stack;

pub use arguments::{ArgumentError, Arguments, MAX_STRING, argument_limit};
pub use auxv::{Aux, Auxv};
pub use error::Error;
pub use image::{Header, Image};
pub use plan::{Plan, Segments, interpreter_path};
pub use script::Script;
pub use segment::{Prot, Segment};
pub use stack::{Memory, Stack};

/// Bytes in a page: segments are mapped in multiples of it.
pub const PAGE: u64 = 4096;

/// How many bytes of a file's start [`Image::parse`] wants to see.
pub const START_BYTES: usize = 256;
