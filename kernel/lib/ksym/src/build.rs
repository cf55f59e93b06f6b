//! The builder, for the host that packs the kernel: sorts, hashes, writes.
//!
//! The same symbols in any order give the same bytes.

use crate::hash::hash;
use crate::layout::{self, EMPTY, ENTRY, HEADER, KERNEL_BASE, Kind, MAGIC, SLOT, field, first_slot};
use std::collections::HashMap;
use std::fmt;
use std::string::String;
use std::vec;
use std::vec::Vec;

/// Collects symbols and packs them.
#[derive(Debug, Clone)]
pub struct Builder {
    build_id: [u8; 16],
    base: u64,
    text: (u64, u64),
    symbols: Vec<Input>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Input {
    name: String,
    address: u64,
    size: u64,
    kind: Kind,
}

/// A packed table, and what is to be said of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Built {
    /// The file's contents.
    pub bytes: Vec<u8>,
    /// Names that stand for several addresses, by name: found by address, not by name.
    pub ambiguous: Vec<String>,
}

/// Why symbols cannot be packed.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum BuildError {
    /// A symbol lies before the base or 4 GiB and more after it.
    Address {
        /// Its name.
        name: String,
        /// Its address.
        address: u64,
    },
    /// A name of 64 KiB or more.
    Name {
        /// Its beginning.
        start: String,
    },
    /// 4 GiB of names, or as many symbols.
    TooMany,
}

impl fmt::Display for BuildError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Address { name, address } => {
                write!(f, "symbol {name} at {address:#x} lies outside the 4 GiB that a symbol table spans")
            }
            Self::Name { start } => write!(f, "the symbol name {start}... is longer than 65,535 bytes"),
            Self::TooMany => write!(f, "too many symbols for a symbol table"),
        }
    }
}

impl std::error::Error for BuildError {}

impl Builder {
    /// A table for the build `build_id`, whose text goes from `text.0` up to, without, `text.1`.
    #[must_use]
    pub fn new(build_id: [u8; 16], text: (u64, u64)) -> Self {
        Self { build_id, base: KERNEL_BASE, text, symbols: Vec::new() }
    }

    /// Counts addresses from `base` instead of [`KERNEL_BASE`].
    #[must_use]
    pub fn base(mut self, base: u64) -> Self {
        self.base = base;
        self
    }

    /// Adds a symbol: its (mangled) name, address, size in bytes (0 if unknown) and kind.
    pub fn add(&mut self, name: impl Into<String>, address: u64, size: u64, kind: Kind) {
        self.symbols.push(Input { name: name.into(), address, size, kind });
    }

    /// Packs the table.
    ///
    /// # Errors
    ///
    /// If a symbol cannot be told in the file's numbers.
    pub fn build(mut self) -> Result<Built, BuildError> {
        // At one address the larger symbol comes last: a search backwards meets it first.
        self.symbols
            .sort_by(|a, b| (a.address, a.size, a.kind, &a.name).cmp(&(b.address, b.size, b.kind, &b.name)));
        self.symbols.dedup();

        let mut addresses: HashMap<&str, (u64, bool)> = HashMap::new();
        for symbol in &self.symbols {
            let seen = addresses.entry(&symbol.name).or_insert((symbol.address, false));
            seen.1 |= seen.0 != symbol.address;
        }
        let mut ambiguous: Vec<_> = addresses
            .iter()
            .filter(|(_, (_, several))| *several)
            .map(|(name, _)| String::from(*name))
            .collect();
        ambiguous.sort();

        let symbols = u32::try_from(self.symbols.len()).map_err(|_| BuildError::TooMany)?;
        // One slot is empty at least: that ends the search for a name that is not there.
        let slots =
            (symbols.checked_add(symbols / 2)).and_then(|n| n.checked_add(1)).ok_or(BuildError::TooMany)?;
        let mut entries = Vec::with_capacity(self.symbols.len() * ENTRY);
        let mut table = vec![(0, EMPTY); slots as usize];
        let mut names = Vec::new();
        for (number, symbol) in (0..).zip(&self.symbols) {
            self.entry(symbol, &mut entries, &mut names)?;
            if addresses
                .get_mut(symbol.name.as_str())
                .is_some_and(|(_, taken)| !core::mem::replace(taken, true))
            {
                insert(&mut table, hash(symbol.name.as_bytes()), number);
            }
        }

        let mut bytes = self.header(symbols, slots, names.len())?;
        bytes.extend(entries);
        bytes.extend(
            table.iter().flat_map(|(hash, number)| [hash.to_le_bytes(), number.to_le_bytes()]).flatten(),
        );
        debug_assert_eq!(bytes.len(), HEADER + self.symbols.len() * ENTRY + table.len() * SLOT);
        bytes.extend(names);
        Ok(Built { bytes, ambiguous })
    }

    fn entry(&self, symbol: &Input, entries: &mut Vec<u8>, names: &mut Vec<u8>) -> Result<(), BuildError> {
        let Input { name, address, size, kind } = symbol;
        let distance = address
            .checked_sub(self.base)
            .and_then(|distance| u32::try_from(distance).ok())
            .ok_or_else(|| BuildError::Address { name: name.clone(), address: *address })?;
        let length = u16::try_from(name.len())
            .map_err(|_| BuildError::Name { start: name.chars().take(80).collect() })?;
        let offset = u32::try_from(names.len()).map_err(|_| BuildError::TooMany)?;
        entries.extend(distance.to_le_bytes());
        entries.extend(u32::try_from(*size).unwrap_or(u32::MAX).to_le_bytes());
        entries.extend(offset.to_le_bytes());
        entries.extend(length.to_le_bytes());
        entries.extend([*kind as u8, 0]);
        names.extend(name.as_bytes());
        Ok(())
    }

    fn header(&self, symbols: u32, slots: u32, names: usize) -> Result<Vec<u8>, BuildError> {
        let names = u32::try_from(names).map_err(|_| BuildError::TooMany)?;
        let mut header = vec![0; HEADER];
        let mut put = |at: usize, bytes: &[u8]| header[at..at + bytes.len()].copy_from_slice(bytes);
        put(0, &MAGIC);
        put(field::VERSION, &layout::VERSION.to_le_bytes());
        put(field::SYMBOLS, &symbols.to_le_bytes());
        put(field::SLOTS, &slots.to_le_bytes());
        put(field::NAMES, &names.to_le_bytes());
        put(field::BUILD_ID, &self.build_id);
        put(field::BASE, &self.base.to_le_bytes());
        put(field::TEXT_START, &self.text.0.to_le_bytes());
        put(field::TEXT_END, &self.text.1.to_le_bytes());
        Ok(header)
    }
}

fn insert(table: &mut [(u32, u32)], hash: u32, number: u32) {
    let mut at = first_slot(hash, table.len() as u32) as usize;
    while table[at].1 != EMPTY {
        at = (at + 1) % table.len();
    }
    table[at] = (hash, number);
}
