//! What a file begins with: an ELF header, or `#!`.

use crate::error::Error;
use crate::record;
use crate::script::Script;
use core::ops::Range;

/// Bytes of a program header.
pub(crate) const SEGMENT_BYTES: u16 = 56;
/// Program headers in a program at most: 64 KiB of them.
pub(crate) const MAX_SEGMENTS: u16 = u16::MAX / SEGMENT_BYTES;

const CLASS_64: u8 = 2;
const LITTLE_ENDIAN: u8 = 1;
const MACHINE_X86_64: u16 = 62;
const TYPE_EXECUTABLE: u16 = 2;
const TYPE_SHARED: u16 = 3;

/// What a file begins with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Image<'a> {
    /// A program.
    Elf(Header),
    /// A script: its interpreter is to be executed.
    Script(Script<'a>),
}

impl<'a> Image<'a> {
    /// Looks at the start of a file: its first [`START_BYTES`](crate::START_BYTES), or all of it if it is shorter.
    ///
    /// # Errors
    /// [`Error`].
    pub fn parse(start: &'a [u8]) -> Result<Self, Error> {
        if start.starts_with(b"#!") {
            Script::parse(start).map(Self::Script)
        } else if start.starts_with(b"\x7fELF") {
            Header::parse(start).map(Self::Elf)
        } else {
            Err(Error::Unknown)
        }
    }
}

/// What the header of a program says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// Whether it may lie anywhere.
    pub(crate) pie: bool,
    /// The first instruction.
    pub(crate) entry: u64,
    /// Where in the file the program headers begin.
    pub(crate) table: u64,
    /// How many there are.
    pub(crate) count: u16,
}

impl Header {
    fn parse(start: &[u8]) -> Result<Self, Error> {
        let fields = || {
            let [class, data] = record::bytes(start, 4)?;
            let numbers = (record::u16(start, 16)?, record::u16(start, 18)?);
            let addresses = (record::u64(start, 24)?, record::u64(start, 32)?);
            Some((class, data, numbers, addresses, record::u16(start, 54)?, record::u16(start, 56)?))
        };
        let (class, data, (kind, machine), (entry, table), size, count) = fields().ok_or(Error::Truncated)?;
        if class != CLASS_64 || data != LITTLE_ENDIAN || machine != MACHINE_X86_64 {
            return Err(Error::Machine { class, machine });
        }
        if kind != TYPE_EXECUTABLE && kind != TYPE_SHARED {
            return Err(Error::Kind(kind));
        }
        if size != SEGMENT_BYTES || count == 0 || count > MAX_SEGMENTS {
            return Err(Error::Table { size, count });
        }
        // Where the table is has to be a place in a file.
        table.checked_add(u64::from(count) * u64::from(size)).ok_or(Error::Truncated)?;
        Ok(Self { pie: kind == TYPE_SHARED, entry, table, count })
    }

    /// The bytes of the file that are the program headers: at most 64 KiB, to be read for [`Plan::new`](crate::Plan::new).
    pub fn table(&self) -> Range<u64> {
        self.table..self.table + u64::from(self.count) * u64::from(SEGMENT_BYTES)
    }
}
