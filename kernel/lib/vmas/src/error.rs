//! Why the map refused.

use containers::AllocError;
use core::fmt;

/// Why an operation was refused. The map is as it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Error {
    /// The range is empty, runs backwards or does not lie at multiples of [`PAGE`](crate::PAGE).
    Range,
    /// Part of the range is taken.
    Taken,
    /// No area to grow, or another one too close below.
    Gap,
    /// Memory is out.
    NoMemory,
}

impl From<AllocError> for Error {
    fn from(_: AllocError) -> Self {
        Self::NoMemory
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Range => "not a range of whole pages",
            Self::Taken => "the range is taken",
            Self::Gap => "no area that can grow down to there",
            Self::NoMemory => "cannot allocate memory",
        })
    }
}

impl core::error::Error for Error {}
