//! A piece of a program: bytes of the file, then zeros, at an address.
//!
//! ```text
//!          address               address + file_bytes      address + bytes
//!             |                           |                      |
//! |...........#############|##############00000000|00000000000000......|
//! ^ file_pages: mapped from `file_offset`         ^ zero_pages         ^
//!                                         ^ zero_tail: cleared by hand
//! ```

use crate::PAGE;
use crate::error::Error;
use crate::record;
use core::ops::Range;

/// The largest alignment that a segment may ask for: that of the largest pages.
pub(crate) const MAX_ALIGN: u64 = 1 << 30;

const EXECUTE: u32 = 1;
const WRITE: u32 = 2;
const READ: u32 = 4;

/// What a program may do with a segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Prot {
    /// Read it.
    pub read: bool,
    /// Write it.
    pub write: bool,
    /// Execute it.
    pub execute: bool,
}

/// A segment to load. Addresses are as linked: the bias of a program that may lie anywhere is still to be added.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Segment {
    /// Its first byte in memory.
    pub address: u64,
    /// Its length in memory: not 0.
    pub bytes: u64,
    /// Its first byte in the file.
    pub offset: u64,
    /// How many bytes come from the file, at most `bytes`; zeros follow.
    pub file_bytes: u64,
    /// What the program may do with it.
    pub prot: Prot,
    /// The bias is a multiple of this power of two.
    pub align: u64,
}

/// A program header as it stands in the file.
pub(crate) struct Record {
    pub(crate) kind: u32,
    pub(crate) flags: u32,
    pub(crate) offset: u64,
    address: u64,
    pub(crate) file_bytes: u64,
    bytes: u64,
    align: u64,
}

impl Record {
    pub(crate) fn parse(bytes: &[u8]) -> Option<Self> {
        Some(Self {
            kind: record::u32(bytes, 0)?,
            flags: record::u32(bytes, 4)?,
            offset: record::u64(bytes, 8)?,
            address: record::u64(bytes, 16)?,
            file_bytes: record::u64(bytes, 32)?,
            bytes: record::u64(bytes, 40)?,
            align: record::u64(bytes, 48)?,
        })
    }

    pub(crate) fn executable(&self) -> bool {
        self.flags & EXECUTE != 0
    }

    /// The bytes of the file, if it has them.
    pub(crate) fn in_file(&self, file_size: u64) -> Option<Range<u64>> {
        let end = self.offset.checked_add(self.file_bytes)?;
        (end <= file_size).then_some(self.offset..end)
    }

    /// As a segment to load; not checked.
    pub(crate) fn segment(&self) -> Segment {
        let flag = |flag| self.flags & flag != 0;
        Segment {
            address: self.address,
            bytes: self.bytes,
            offset: self.offset,
            file_bytes: self.file_bytes,
            prot: Prot { read: flag(READ), write: flag(WRITE), execute: flag(EXECUTE) },
            align: self.align.max(PAGE),
        }
    }

    /// Whether this segment, for a file of that size, can be loaded somewhere in `user`.
    pub(crate) fn check(&self, index: u16, file_size: u64, user: &Range<u64>) -> Result<(), Error> {
        if self.file_bytes > self.bytes || self.in_file(file_size).is_none() {
            return Err(Error::SegmentFile { index });
        }
        // The end is rounded up to a page later: user space ends at one.
        let end = self.address.checked_add(self.bytes).filter(|end| *end <= user.end & !(PAGE - 1));
        if end.is_none() || down(self.address) < user.start {
            return Err(Error::SegmentAddress { index });
        }
        let shifted = self.file_bytes > 0 && !(self.address.wrapping_sub(self.offset)).is_multiple_of(PAGE);
        if shifted || self.align > MAX_ALIGN || !self.align.max(1).is_power_of_two() {
            return Err(Error::SegmentAlign { index });
        }
        Ok(())
    }
}

fn down(address: u64) -> u64 {
    address & !(PAGE - 1)
}

fn up(address: u64) -> u64 {
    // No segment of a plan ends in the last page there is.
    down(address.saturating_add(PAGE - 1))
}

impl Segment {
    /// All pages of it.
    pub fn pages(&self) -> Range<u64> {
        down(self.address)..up(self.address + self.bytes)
    }

    /// The pages that hold bytes of the file, to be mapped from [`file_offset`](Self::file_offset). Empty if there are none.
    pub fn file_pages(&self) -> Range<u64> {
        let start = down(self.address);
        if self.file_bytes == 0 { start..start } else { start..up(self.address + self.file_bytes) }
    }

    /// Where in the file the first of [`file_pages`](Self::file_pages) lies: a multiple of a page.
    pub fn file_offset(&self) -> u64 {
        down(self.offset)
    }

    /// The bytes to be cleared at the end of [`file_pages`](Self::file_pages): the file goes on there, but the segment's zeros
    /// begin. Empty if it has none.
    pub fn zero_tail(&self) -> Range<u64> {
        let file_end = self.address + self.file_bytes;
        let end = self.file_pages().end;
        if self.file_bytes == self.bytes || self.file_bytes == 0 { end..end } else { file_end..end }
    }

    /// The pages of nothing but zeros, after [`file_pages`](Self::file_pages).
    pub fn zero_pages(&self) -> Range<u64> {
        self.file_pages().end..self.pages().end
    }
}
