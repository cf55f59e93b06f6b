//! What a caller can get wrong.

use crate::State;
use core::fmt;

/// Why the allocator refused. Nothing has changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Error {
    /// No allocated block of this order starts at this frame: freed twice, or never allocated.
    NotAllocated {
        /// The frame.
        frame: u32,
        /// The order given.
        order: u8,
        /// What the frame is.
        found: State,
    },
    /// The frame is the allocator's already.
    Taken {
        /// The frame.
        frame: u32,
    },
    /// The range goes beyond the last frame number, or a block is not aligned to its size.
    Range {
        /// The first frame.
        first: u32,
        /// How many.
        count: u32,
    },
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotAllocated { frame, order, found } => {
                write!(f, "frame {frame:#x} is no allocated block of order {order} but ")?;
                match found {
                    State::Other => write!(f, "inside or outside of one"),
                    State::Allocated(order) => write!(f, "one of order {order}"),
                    State::Free(order) => write!(f, "a free one of order {order}"),
                }
            }
            Self::Taken { frame } => write!(f, "frame {frame:#x} is the allocator's already"),
            Self::Range { first, count } => write!(f, "{count} frames from {first:#x} are no range"),
        }
    }
}

impl core::error::Error for Error {}
