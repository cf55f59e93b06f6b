//! A module's symbols, kept as long as the module: the file they come from may be gone by then.
//!
//! Entries and text are two flat vectors. Searches are linear: a backtrace asks now and then, and a
//! linking module asks only for what the kernel does not have.

use containers::{AllocError, String, Vec};
use core::ops::Range;
use modlink::Symbol;

/// Functions, and data that others may refer to.
#[derive(Default)]
pub(crate) struct Names {
    entries: Vec<Entry>,
    text: String,
}

struct Entry {
    address: u64,
    size: u64,
    name: Range<u32>,
    function: bool,
    global: bool,
}

impl Names {
    /// Takes those of `symbols` (`most` or fewer) that somebody could ask for: of what stays, and of
    /// what goes after initialisation. Names are long and finding their ends is most of the work, so
    /// they are gone through once, and copied once to where they stay.
    pub(crate) fn gather<'a>(
        symbols: impl Iterator<Item = Symbol<'a>>,
        most: usize,
    ) -> Result<(Self, Self), AllocError> {
        let mut wanted = Vec::with_capacity(most)?;
        wanted.try_extend(symbols.filter(|symbol| symbol.function || symbol.global))?;
        let of = |init: bool| Self::of(wanted.iter().filter(|symbol| symbol.region.is_init() == init));
        Ok((of(false)?, of(true)?))
    }

    fn of<'s, 'a: 's>(symbols: impl Iterator<Item = &'s Symbol<'a>> + Clone) -> Result<Self, AllocError> {
        let (count, bytes) =
            symbols.clone().fold((0, 0), |(count, bytes), symbol| (count + 1, bytes + symbol.name.0.len()));
        let mut names = Self { entries: Vec::with_capacity(count)?, text: String::with_capacity(bytes)? };
        for symbol in symbols {
            let Some(name) = symbol.name.as_str() else { continue };
            // Names come from a file far below 4 GiB.
            let start = names.text.len() as u32;
            names.text.push_str(name)?;
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

    fn name(&self, entry: &Entry) -> &str {
        self.text.as_str().get(entry.name.start as usize..entry.name.end as usize).unwrap_or_default()
    }

    fn find(&self, name: &str) -> Option<&Entry> {
        self.entries
            .iter()
            .find(|entry| entry.global && entry.name.len() == name.len() && self.name(entry) == name)
    }

    /// The address of the symbol `name`, if others may use it.
    pub(crate) fn export(&self, name: &str) -> Option<u64> {
        self.find(name).map(|entry| entry.address)
    }

    /// The address of the function `name`.
    pub(crate) fn function(&self, name: &str) -> Option<u64> {
        self.find(name).filter(|entry| entry.function).map(|entry| entry.address)
    }

    /// The function around `address`: its name and the distance from its start.
    pub(crate) fn function_at(&self, address: u64) -> Option<(&str, u64)> {
        let around =
            |entry: &&Entry| entry.function && address.wrapping_sub(entry.address) < entry.size.max(1);
        let entry = self.entries.iter().find(around)?;
        Some((self.name(entry), address - entry.address))
    }
}
