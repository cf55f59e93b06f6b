//! A module's symbols, kept as long as the module: the file they come from may be gone by then.
//!
//! Entries and text are two flat vectors. Searches are linear: a backtrace asks now and then, and a
//! linking module asks only for what the kernel does not have.

use containers::{AllocError, Vec};
use core::ops::Range;
use modlink::Symbol;

/// Functions, and data that others may refer to.
#[derive(Default)]
pub(crate) struct Names {
    entries: Vec<Entry>,
    text: Vec<u8>,
}

struct Entry {
    address: u64,
    size: u64,
    name: Range<u32>,
    function: bool,
    global: bool,
}

impl Names {
    /// Takes those of `symbols` that somebody could ask for.
    pub(crate) fn of<'a>(symbols: impl Iterator<Item = Symbol<'a>> + Clone) -> Result<Self, AllocError> {
        let wanted = symbols.filter(|symbol| symbol.function || symbol.global);
        let (count, bytes) =
            wanted.clone().fold((0, 0), |(count, bytes), symbol| (count + 1, bytes + symbol.name.0.len()));
        let mut names = Self { entries: Vec::with_capacity(count)?, text: Vec::with_capacity(bytes)? };
        for symbol in wanted {
            // The file is far below 4 GiB, and so are its names.
            let start = names.text.len() as u32;
            names.text.extend_from_slice(symbol.name.0)?;
            names.entries.push(Entry {
                address: symbol.address,
                size: symbol.size,
                name: start..names.text.len() as u32,
                function: symbol.function,
                global: symbol.global,
            })?;
        }
        Ok(names)
    }

    fn name(&self, entry: &Entry) -> &[u8] {
        self.text.get(entry.name.start as usize..entry.name.end as usize).unwrap_or_default()
    }

    /// The address of the symbol `name`, if others may use it.
    pub(crate) fn export(&self, name: &str) -> Option<u64> {
        let is_it = |entry: &&Entry| entry.global && self.name(entry) == name.as_bytes();
        self.entries.iter().find(is_it).map(|entry| entry.address)
    }

    /// The function around `address`: its name and the distance from its start.
    pub(crate) fn function_at(&self, address: u64) -> Option<(&str, u64)> {
        let around =
            |entry: &&Entry| entry.function && address.wrapping_sub(entry.address) < entry.size.max(1);
        let entry = self.entries.iter().find(around)?;
        Some((core::str::from_utf8(self.name(entry)).ok()?, address - entry.address))
    }
}
