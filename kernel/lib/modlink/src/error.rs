//! What can be wrong with a module: one clear line each, with the place and what would be right.

use crate::{
    MAX_REGION_BYTES, MAX_SECTIONS, name::Name, object::MAX_NAME_BYTES, region::Region, reloc::Kind,
};
use core::fmt::{self, Display, Formatter};

/// A place in a section, shown as `.text+0x1c`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Site<'a> {
    /// The section's name.
    pub section: Name<'a>,
    /// Bytes from the section's start.
    pub offset: u64,
}

impl Display for Site<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{}+{:#x}", self.section, self.offset)
    }
}

/// Why an object cannot be linked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum LinkError<'a> {
    /// The file does not begin as an ELF file.
    NotElf,
    /// An ELF file of another kind.
    NotModule {
        /// `e_type`; 1 is right.
        kind: u16,
        /// `e_machine`; 62 is right.
        machine: u16,
    },
    /// A table lies outside the file.
    Truncated {
        /// Which.
        what: &'static str,
    },
    /// More sections than [`MAX_SECTIONS`].
    TooManySections {
        /// How many.
        count: u16,
    },
    /// The object has no symbol table.
    NoSymbols,
    /// A section that no module may have.
    Section {
        /// Its name.
        section: Name<'a>,
        /// What is wrong with it.
        fault: Fault,
    },
    /// A symbol that no module may have.
    Symbol {
        /// Its name.
        symbol: Name<'a>,
        /// What is wrong with it.
        fault: Fault,
    },
    /// A relocation that cannot be applied.
    Relocation {
        /// The field to be relocated.
        site: Site<'a>,
        /// Which relocation.
        kind: Kind,
        /// The symbol it names.
        symbol: Name<'a>,
        /// What is wrong with it.
        fault: Fault,
    },
    /// Nobody has this symbol.
    Unresolved {
        /// Its name.
        symbol: Name<'a>,
        /// The first use found.
        site: Site<'a>,
    },
    /// The caller gave fewer slots than the object has sections and symbols.
    Workspace,
    /// The caller gave memory too small, not aligned, or at the end of the address space.
    Memory {
        /// For this region.
        region: Region,
    },
}

/// What is wrong with a section, symbol or relocation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fault {
    /// Part of it lies outside the file.
    Truncated,
    /// The name is not terminated, outside its table or absurdly long.
    BadName,
    /// A loaded section that is writable and executable.
    WritableCode,
    /// Thread-local storage.
    ThreadLocal,
    /// A loaded section of an unknown type: this one.
    SectionType(u32),
    /// Compressed contents.
    Compressed,
    /// An alignment that is no power of two or above a page.
    Alignment(u64),
    /// The region it belongs to passes [`MAX_REGION_BYTES`].
    TooLarge,
    /// There are two of it.
    Twice,
    /// The wrong size or entry size.
    BadSize,
    /// Refers to a section or symbol that there is not.
    BadIndex,
    /// Lies outside its section.
    Outside,
    /// A common symbol.
    Common,
    /// A symbol of an unknown type: this one.
    SymbolType(u8),
    /// Relocations without addends.
    NoAddend,
    /// A relocation of an unknown type.
    UnknownKind,
    /// The symbol lies in a section that is not loaded.
    NotLoaded,
    /// The value does not fit the field: this one.
    Range(u64),
}

impl Display for LinkError<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match *self {
            Self::NotElf => {
                write!(f, "not an ELF file; a module is what the builder makes of a module crate")
            }
            Self::NotModule { kind, machine } => write!(
                f,
                "not a relocatable 64-bit x86-64 object (type {kind}, machine {machine}; \
                 1 and 62 are right); link modules with -r"
            ),
            Self::Truncated { what } => {
                write!(f, "truncated: the {what} reaches past the end of the file; build it again")
            }
            Self::TooManySections { count } => write!(
                f,
                "{count} sections, at most {MAX_SECTIONS}; link modules with the builder's linker script"
            ),
            Self::NoSymbols => write!(f, "no symbol table; do not strip modules"),
            Self::Section { section, fault } => write!(f, "section {section}: {fault}"),
            Self::Symbol { symbol, fault } => write!(f, "symbol '{symbol}': {fault}"),
            Self::Relocation { site, kind, symbol, fault } => {
                write!(f, "{site}: relocation {kind} against '{symbol}': {fault}")
            }
            Self::Unresolved { symbol, site } => {
                write!(f, "unresolved symbol '{symbol}', used at {site}")
            }
            Self::Workspace => write!(f, "the linker was given too few slots"),
            Self::Memory { region } => write!(f, "the linker was given bad memory for {region:?}"),
        }
    }
}

impl Display for Fault {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Truncated => write!(f, "reaches past the end of the file"),
            Self::BadName => write!(f, "no name of at most {MAX_NAME_BYTES} bytes in the string table"),
            Self::WritableCode => write!(f, "writable and executable; no page may be both"),
            Self::ThreadLocal => write!(f, "thread-local storage, which modules do not have"),
            Self::SectionType(kind) => write!(f, "type {kind:#x} cannot be loaded"),
            Self::Compressed => write!(f, "compressed; leave modules uncompressed"),
            Self::Alignment(align) => write!(f, "alignment {align}, not a power of two up to 4096"),
            Self::TooLarge => {
                write!(f, "too large; a module has at most {} MiB a region", MAX_REGION_BYTES >> 20)
            }
            Self::Twice => write!(f, "there twice; link modules with the builder's linker script"),
            Self::BadSize => write!(f, "bad size"),
            Self::BadIndex => write!(f, "refers to a section or symbol that there is not"),
            Self::Outside => write!(f, "lies outside its section"),
            Self::Common => write!(f, "common; compile C with -fno-common"),
            Self::SymbolType(kind) => write!(f, "type {kind}, unknown in modules"),
            Self::NoAddend => write!(f, "relocations without addends, unknown on x86-64"),
            Self::UnknownKind => write!(f, "not supported; compile with -C code-model=kernel"),
            Self::NotLoaded => write!(f, "in a section that is not loaded"),
            Self::Range(value) => write!(
                f,
                "out of range ({value:#x}); compile with -C relocation-model=static -C code-model=kernel"
            ),
        }
    }
}

impl core::error::Error for LinkError<'_> {}
