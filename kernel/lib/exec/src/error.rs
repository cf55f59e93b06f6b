//! Why a file is no program. Each of them is `ENOEXEC` to whoever called execve.

use crate::image::{MAX_SEGMENTS, SEGMENT_BYTES};
use crate::segment::MAX_ALIGN;
use core::fmt;

/// Why a file cannot be executed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Error {
    /// Neither an ELF file nor a script.
    Unknown,
    /// The file ends within its header or its table of program headers.
    Truncated,
    /// An ELF file for another machine: its class (2: 64 bits) and `e_machine` (62: x86-64).
    Machine {
        /// `EI_CLASS`.
        class: u8,
        /// `e_machine`.
        machine: u16,
    },
    /// No program: this `e_type` (an object or a core file).
    Kind(u16),
    /// Program headers of another size, none, or too many.
    Table {
        /// `e_phentsize`.
        size: u16,
        /// `e_phnum`.
        count: u16,
    },
    /// Nothing to load.
    NoSegments,
    /// A segment's bytes lie beyond the end of the file, or it has more of them than memory.
    SegmentFile {
        /// Its program header.
        index: u16,
    },
    /// A segment reaches out of user space.
    SegmentAddress {
        /// Its program header.
        index: u16,
    },
    /// A segment begins before the one before it ends, or in the same page.
    SegmentOrder {
        /// Its program header.
        index: u16,
    },
    /// A segment's place in memory and in the file differ within a page, or its alignment is none.
    SegmentAlign {
        /// Its program header.
        index: u16,
    },
    /// The entry lies outside user space.
    Entry(u64),
    /// The interpreter's path is missing, too long, or lies beyond the end of the file.
    Interpreter,
    /// A script without an interpreter, or with one whose name does not fit into 255 bytes.
    Script,
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Unknown => f.pad("neither an ELF program nor a script"),
            Self::Truncated => f.pad("truncated: the headers reach past the end of the file"),
            Self::Machine { class, machine } => {
                write!(f, "for another machine (class {class}, machine {machine}; 2 and 62 are right)")
            }
            Self::Kind(kind) => write!(f, "no program (type {kind}; 2 and 3 are right)"),
            Self::Table { size, count } => write!(
                f,
                "{count} program headers of {size} bytes; 1 to {MAX_SEGMENTS} of {SEGMENT_BYTES} are right"
            ),
            Self::NoSegments => f.pad("no segment to load"),
            Self::SegmentFile { index } => {
                write!(f, "program header {index}: its bytes reach past the end of the file or of its memory")
            }
            Self::SegmentAddress { index } => write!(f, "program header {index}: outside user space"),
            Self::SegmentOrder { index } => {
                write!(f, "program header {index}: begins before the page behind the segment before it")
            }
            Self::SegmentAlign { index } => write!(
                f,
                "program header {index}: not aligned in memory as in the file, \
                 or to something that is no power of two up to {MAX_ALIGN:#x}"
            ),
            Self::Entry(entry) => write!(f, "the entry {entry:#x} lies outside user space"),
            Self::Interpreter => f.pad("the interpreter has no path of at most 4095 bytes"),
            Self::Script => f.pad("the #! line names no interpreter within 255 bytes"),
        }
    }
}

impl core::error::Error for Error {}
