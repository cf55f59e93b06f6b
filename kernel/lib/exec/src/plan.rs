//! How to load a program: all that its program headers say, checked.

use crate::PAGE;
use crate::error::Error;
use crate::image::{Header, SEGMENT_BYTES};
use crate::segment::{Record, Segment};
use core::ops::Range;
use core::slice::ChunksExact;

const LOAD: u32 = 1;
const INTERP: u32 = 3;
const GNU_STACK: u32 = 0x6474_e551;

/// The longest path of an interpreter, with its NUL.
const MAX_PATH: u64 = 4096;

/// How to load a program. Addresses are as linked; the bias is added to them: 0 unless [`pie`](Self::pie), and then a
/// multiple of [`align`](Self::align).
#[derive(Clone, Debug)]
pub struct Plan<'a> {
    table: &'a [u8],
    /// Whether the program may lie anywhere (`ET_DYN`: a static-PIE, a program with an interpreter, or an interpreter).
    pub pie: bool,
    /// The first instruction.
    pub entry: u64,
    /// Where the program headers come to lie, for `AT_PHDR`, if they are loaded at all.
    pub headers: Option<u64>,
    /// How many program headers there are, for `AT_PHNUM`.
    pub header_count: u16,
    /// All pages from the first segment's to the last one's; there may be holes.
    pub pages: Range<u64>,
    /// The largest alignment that a segment asks for: a power of two, at least a page.
    pub align: u64,
    /// Where the last segment ends: the heap begins behind it.
    pub end: u64,
    /// Where in the file the path of the interpreter is, with its NUL, at most 4,096 bytes: to be read for
    /// [`interpreter_path`].
    pub interpreter: Option<Range<u64>>,
    /// Whether the stack is to be executable, if the program says so (`PT_GNU_STACK`).
    pub executable_stack: Option<bool>,
}

impl<'a> Plan<'a> {
    /// Bytes of a program header, for `AT_PHENT`.
    pub const HEADER_BYTES: u64 = SEGMENT_BYTES as u64;

    /// The plan of the program with that header. `table`: the bytes of the file at [`Header::table`]; `user`: the addresses that
    /// it may have.
    ///
    /// # Errors
    /// [`Error`].
    pub fn new(header: &Header, table: &'a [u8], file_size: u64, user: Range<u64>) -> Result<Self, Error> {
        let bytes = usize::from(header.count) * usize::from(SEGMENT_BYTES);
        let table = table.get(..bytes).ok_or(Error::Truncated)?;
        let mut plan = Self {
            table,
            pie: header.pie,
            entry: header.entry,
            headers: None,
            header_count: header.count,
            pages: 0..0,
            align: PAGE,
            end: 0,
            interpreter: None,
            executable_stack: None,
        };
        // What may lie anywhere is linked to lie at 0 as a rule.
        let user = if header.pie { 0..user.end } else { user };
        for (record, index) in records(table).zip(0..) {
            match record.kind {
                LOAD if record.segment().bytes > 0 => {
                    record.check(index, file_size, &user)?;
                    plan.add(header, &record.segment(), index)?;
                }
                INTERP if plan.interpreter.is_none() => {
                    let path =
                        record.in_file(file_size).filter(|_| (2..=MAX_PATH).contains(&record.file_bytes));
                    plan.interpreter = Some(path.ok_or(Error::Interpreter)?);
                }
                GNU_STACK => plan.executable_stack = Some(record.executable()),
                _ => {}
            }
        }
        if plan.pages.is_empty() {
            return Err(Error::NoSegments);
        }
        if !user.contains(&header.entry) {
            return Err(Error::Entry(header.entry));
        }
        Ok(plan)
    }

    /// Takes a segment up into what is known of all.
    fn add(&mut self, header: &Header, segment: &Segment, index: u16) -> Result<(), Error> {
        let pages = segment.pages();
        if pages.start < self.pages.end {
            return Err(Error::SegmentOrder { index });
        }
        let first = if self.pages.is_empty() { pages.start } else { self.pages.start };
        self.pages = first..pages.end;
        self.end = segment.address + segment.bytes;
        self.align = self.align.max(segment.align);
        let table = header.table();
        if segment.offset <= table.start && table.end <= segment.offset + segment.file_bytes {
            let address = segment.address + (table.start - segment.offset);
            self.headers = self.headers.or(Some(address));
        }
        Ok(())
    }

    /// The segments to load, in the order of their addresses; no two have a page in common.
    pub fn segments(&self) -> Segments<'a> {
        Segments { records: records(self.table) }
    }
}

/// The path in the bytes of [`Plan::interpreter`], without its NUL.
///
/// # Errors
/// [`Error::Interpreter`] if there is none, or no NUL at the end.
pub fn interpreter_path(bytes: &[u8]) -> Result<&[u8], Error> {
    match bytes.split(|byte| *byte == 0).next() {
        Some(path) if !path.is_empty() && bytes.last() == Some(&0) => Ok(path),
        _ => Err(Error::Interpreter),
    }
}

/// The program headers in a table, in order.
#[derive(Clone, Debug)]
struct Records<'a>(ChunksExact<'a, u8>);

fn records(table: &[u8]) -> Records<'_> {
    Records(table.chunks_exact(usize::from(SEGMENT_BYTES)))
}

impl Iterator for Records<'_> {
    type Item = Record;

    fn next(&mut self) -> Option<Record> {
        self.0.next().and_then(Record::parse)
    }
}

/// The segments of a plan.
#[derive(Clone, Debug)]
pub struct Segments<'a> {
    records: Records<'a>,
}

impl Iterator for Segments<'_> {
    type Item = Segment;

    fn next(&mut self) -> Option<Segment> {
        self.records
            .find(|record| record.kind == LOAD && record.segment().bytes > 0)
            .map(|record| record.segment())
    }
}
