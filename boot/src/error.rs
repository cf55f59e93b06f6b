//! What can go wrong on the host's side: one line that says what to do, and the status it ends with.

use std::fmt;
use std::path::Path;

/// A failure, as one line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Error {
    /// The command line asks for what cannot be (status 2).
    Usage(String),
    /// Build, files or QEMU failed (status 123).
    Host(String),
}

/// Wrong usage.
pub const STATUS_USAGE: u8 = 2;
/// The host's side failed.
pub const STATUS_HOST: u8 = 123;
/// The time limit was reached.
pub const STATUS_TIME: u8 = 124;
/// The kernel panicked.
pub const STATUS_PANIC: u8 = 125;

/// A result of this crate.
pub type Result<T> = std::result::Result<T, Error>;

impl Error {
    /// The exit status that goes with it.
    pub fn status(&self) -> u8 {
        match self {
            Self::Usage(_) => STATUS_USAGE,
            Self::Host(_) => STATUS_HOST,
        }
    }

    /// A host failure about a file.
    pub(crate) fn file(what: &str, path: &Path, why: impl fmt::Display) -> Self {
        Self::Host(format!("cannot {what} {}: {why}", path.display()))
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Usage(line) | Self::Host(line) => f.write_str(line),
        }
    }
}

impl std::error::Error for Error {}
