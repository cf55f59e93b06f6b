//! Box, Vec, String and Arc that say so when memory is out.
#![no_std]

/// There is no memory for what was asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AllocError;

impl core::fmt::Display for AllocError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("cannot allocate memory")
    }
}

impl core::error::Error for AllocError {}
