//! The reader: lookups straight in the file's bytes.

use crate::hash::hash;
use crate::layout::{self, EMPTY, ENTRY, HEADER, Kind, MAGIC, SLOT, field, first_slot};
use core::fmt;

/// How many symbols before an address are looked at for one that spans it. Symbols rarely lie inside each
/// other; labels do, a few at a time.
const BACKWARDS: usize = 16;

/// An opened table.
#[derive(Clone, Copy)]
pub struct Table<'a> {
    entries: &'a [[u8; ENTRY]],
    slots: &'a [[u8; SLOT]],
    names: &'a [u8],
    build_id: &'a [u8; 16],
    base: u64,
    text: (u64, u64),
}

/// One symbol.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Symbol<'a> {
    /// The name as the linker saw it (mangled).
    pub name: &'a str,
    /// Its address.
    pub address: u64,
    /// Its size in bytes; 0 where nobody told (labels).
    pub size: u64,
    /// What it stands for.
    pub kind: Kind,
}

/// What lies at an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Resolved<'a> {
    /// The name as the linker saw it (mangled).
    pub name: &'a str,
    /// The address's distance from the symbol's start, in bytes.
    pub offset: u64,
    /// The symbol's size in bytes; 0 where nobody told.
    pub size: u64,
}

/// Why bytes are no table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Error {
    /// They do not start as a symbol table does.
    Magic,
    /// A layout that this reader does not know.
    Version(u32),
    /// They end before what the header counts.
    Short,
    /// The header's counts contradict each other.
    Counts,
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Magic => write!(f, "no symbol table"),
            Self::Version(version) => {
                write!(f, "a symbol table of version {version}, not {}", layout::VERSION)
            }
            Self::Short => write!(f, "the symbol table is cut off"),
            Self::Counts => write!(f, "the symbol table's header contradicts itself"),
        }
    }
}

impl core::error::Error for Error {}

impl<'a> Table<'a> {
    /// Opens a table: reads the header only, whatever the table's size. Bytes after the table are let be.
    ///
    /// # Errors
    ///
    /// What is wrong with the header, or that the bytes end too early.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, Error> {
        let (header, rest) = bytes.split_first_chunk::<HEADER>().ok_or(Error::Magic)?;
        if !header.starts_with(&MAGIC) {
            return Err(Error::Magic);
        }
        let count = |at| u32_at(header, at).map(|n| n as usize).ok_or(Error::Short);
        let word = |at| u64_at(header, at).ok_or(Error::Short);
        match u32_at(header, field::VERSION) {
            Some(layout::VERSION) => {}
            other => return Err(Error::Version(other.unwrap_or(0))),
        }
        let (symbols, slots, names) = (count(field::SYMBOLS)?, count(field::SLOTS)?, count(field::NAMES)?);
        if slots < symbols {
            return Err(Error::Counts);
        }
        let (entries, rest) = cut::<ENTRY>(rest, symbols)?;
        let (slots, rest) = cut::<SLOT>(rest, slots)?;
        let names = rest.get(..names).ok_or(Error::Short)?;
        let build_id = header.get(field::BUILD_ID..).and_then(|b| b.first_chunk()).ok_or(Error::Short)?;
        let text = (word(field::TEXT_START)?, word(field::TEXT_END)?);
        Ok(Self { entries, slots, names, build_id, base: word(field::BASE)?, text })
    }

    /// The identity of the build that the table belongs to.
    #[must_use]
    pub fn build_id(&self) -> &'a [u8; 16] {
        self.build_id
    }

    /// The kernel's text, as the addresses of its first byte and of the byte after its last.
    #[must_use]
    pub fn text(&self) -> (u64, u64) {
        self.text
    }

    /// Number of symbols.
    #[must_use]
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether it holds no symbol.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The address of the symbol with exactly this (mangled) name, if it is the only one.
    #[must_use]
    pub fn lookup(&self, name: &str) -> Option<u64> {
        self.find(name.as_bytes()).map(|entry| entry.address(self.base))
    }

    /// The symbol with exactly this (mangled) name, if it is the only one.
    #[must_use]
    pub fn symbol(&self, name: &str) -> Option<Symbol<'a>> {
        self.find(name.as_bytes())?.symbol(self)
    }

    /// What lies at `address`: the symbol that spans it. In the kernel's text, the nearest one before it if
    /// none does and it has no size.
    #[must_use]
    pub fn resolve(&self, address: u64) -> Option<Resolved<'a>> {
        let distance = u32::try_from(address.checked_sub(self.base)?).ok()?;
        let after = self.entries.partition_point(|entry| Entry::read(entry).address <= distance);
        let before = self.entries.get(..after)?;
        let spanning = before
            .iter()
            .rev()
            .take(BACKWARDS)
            .map(Entry::read)
            .find(|entry| u64::from(distance) < u64::from(entry.address) + u64::from(entry.size));
        let in_text = (self.text.0..self.text.1).contains(&address);
        let entry = match spanning {
            Some(entry) => entry,
            None => before.last().map(Entry::read).filter(|entry| in_text && entry.size == 0)?,
        };
        let name = entry.name(self)?;
        // In a damaged table the entry may lie after the address.
        let offset = u64::from(distance.checked_sub(entry.address)?);
        Some(Resolved { name, offset, size: u64::from(entry.size) })
    }

    /// All symbols by address.
    #[must_use]
    pub fn symbols(&self) -> Symbols<'a> {
        Symbols { table: *self, next: 0 }
    }

    fn find(&self, name: &[u8]) -> Option<Entry> {
        let hash = hash(name);
        let first = first_slot(hash, u32::try_from(self.slots.len()).ok()?) as usize;
        let (wrapped, start) = self.slots.split_at_checked(first)?;
        for slot in start.iter().chain(wrapped) {
            let (Some(slot_hash), Some(number)) = (u32_at(slot, 0), u32_at(slot, 4)) else { return None };
            if number == EMPTY {
                return None;
            }
            if slot_hash == hash {
                let entry = Entry::read(self.entries.get(number as usize)?);
                if entry.name_bytes(self)? == name {
                    return Some(entry);
                }
            }
        }
        None
    }
}

impl fmt::Debug for Table<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Table")
            .field("symbols", &self.len())
            .field("text", &self.text)
            .finish_non_exhaustive()
    }
}

/// The iterator over all symbols; see [`Table::symbols`]. Leaves out what damage made unreadable.
#[derive(Debug, Clone)]
pub struct Symbols<'a> {
    table: Table<'a>,
    next: usize,
}

impl<'a> Iterator for Symbols<'a> {
    type Item = Symbol<'a>;

    fn next(&mut self) -> Option<Symbol<'a>> {
        loop {
            let entry = Entry::read(self.table.entries.get(self.next)?);
            self.next += 1;
            if let Some(symbol) = entry.symbol(&self.table) {
                return Some(symbol);
            }
        }
    }
}

/// An entry's numbers.
#[derive(Clone, Copy)]
struct Entry {
    /// Distance from the table's base.
    address: u32,
    size: u32,
    name: u32,
    name_len: u16,
    kind: u8,
}

impl Entry {
    fn read(bytes: &[u8; ENTRY]) -> Self {
        let [a0, a1, a2, a3, s0, s1, s2, s3, n0, n1, n2, n3, l0, l1, kind, _] = *bytes;
        Self {
            address: u32::from_le_bytes([a0, a1, a2, a3]),
            size: u32::from_le_bytes([s0, s1, s2, s3]),
            name: u32::from_le_bytes([n0, n1, n2, n3]),
            name_len: u16::from_le_bytes([l0, l1]),
            kind,
        }
    }

    fn address(self, base: u64) -> u64 {
        base.wrapping_add(u64::from(self.address))
    }

    fn name_bytes<'a>(self, table: &Table<'a>) -> Option<&'a [u8]> {
        let start = self.name as usize;
        table.names.get(start..start.checked_add(usize::from(self.name_len))?)
    }

    fn name<'a>(self, table: &Table<'a>) -> Option<&'a str> {
        core::str::from_utf8(self.name_bytes(table)?).ok()
    }

    fn symbol<'a>(self, table: &Table<'a>) -> Option<Symbol<'a>> {
        Some(Symbol {
            name: self.name(table)?,
            address: self.address(table.base),
            size: u64::from(self.size),
            kind: Kind::from_byte(self.kind),
        })
    }
}

/// `count` records of `N` bytes, and what comes after them.
fn cut<const N: usize>(bytes: &[u8], count: usize) -> Result<(&[[u8; N]], &[u8]), Error> {
    let size = count.checked_mul(N).ok_or(Error::Short)?;
    let (records, rest) = bytes.split_at_checked(size).ok_or(Error::Short)?;
    Ok((records.as_chunks::<N>().0, rest))
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..)?.first_chunk().map(|b| u32::from_le_bytes(*b))
}

fn u64_at(bytes: &[u8], at: usize) -> Option<u64> {
    bytes.get(at..)?.first_chunk().map(|b| u64::from_le_bytes(*b))
}
