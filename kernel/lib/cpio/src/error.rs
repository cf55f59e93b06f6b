//! What can be wrong with an archive, and where.

use core::fmt;

/// What is wrong with an archive, and the place of the record it was found in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Error {
    /// Offset of the record's header from the start of the archive, in bytes.
    pub offset: usize,
    /// What is wrong there.
    pub problem: Problem,
}

/// What is wrong with a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Problem {
    /// The bytes end inside a header.
    ShortHeader,
    /// The header starts neither with `070701` nor with `070702`.
    Magic,
    /// A field of the header is not eight hexadecimal digits.
    Number {
        /// The field's name in the format's description.
        field: &'static str,
    },
    /// The name's size is 0, or the bytes end inside the name.
    Name,
    /// The name has no NUL at its end.
    NameEnd,
    /// The bytes end inside the data.
    ShortData {
        /// The size that the header gives, in bytes.
        size: u32,
    },
    /// The data's sum is not the one that the header gives (`070702` only).
    Checksum,
    /// The bytes end before the archive's end mark.
    NoTrailer,
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cpio archive, offset {}: ", self.offset)?;
        match self.problem {
            Problem::ShortHeader => write!(f, "it ends inside a header"),
            Problem::Magic => write!(f, "no record of the newc format starts here"),
            Problem::Number { field } => write!(f, "the header's {field} is not a hexadecimal number"),
            Problem::Name => write!(f, "the name does not fit"),
            Problem::NameEnd => write!(f, "the name has no end"),
            Problem::ShortData { size } => write!(f, "it ends inside a file of {size} bytes"),
            Problem::Checksum => write!(f, "the file's checksum is wrong"),
            Problem::NoTrailer => write!(f, "it ends without its end mark"),
        }
    }
}

impl core::error::Error for Error {}
