//! The symbols that a linked module defines: for its entry points, for modules that use it, and for
//! backtraces through it.

use crate::{
    name::Name,
    object::Object,
    plan::Slot,
    record::{Record, SymbolRecord},
    region::Region,
};

/// A symbol that the module defines.
#[derive(Clone, Copy, Debug)]
pub struct Symbol<'a> {
    /// Its name.
    pub name: Name<'a>,
    /// Where it lies.
    pub address: u64,
    /// Bytes; 0 if unknown.
    pub size: u64,
    /// Whether it is a function.
    pub function: bool,
    /// Whether other modules may refer to it.
    pub global: bool,
    /// The region it lies in.
    pub region: Region,
}

/// Iterates over the named symbols of the loaded sections, in the file's order.
#[derive(Clone, Debug)]
pub struct Symbols<'a, 's> {
    object: &'s Object<'a>,
    places: &'s [Slot],
    rest: &'a [Record<3>],
}

impl<'a, 's> Symbols<'a, 's> {
    pub(crate) fn new(object: &'s Object<'a>, places: &'s [Slot]) -> Self {
        Self { object, places, rest: object.symbols }
    }

    fn symbol(&self, record: &Record<3>) -> Option<Symbol<'a>> {
        let symbol = SymbolRecord::read(record);
        if !matches!(symbol.kind(), SymbolRecord::NOTYPE | SymbolRecord::OBJECT | SymbolRecord::FUNCTION) {
            return None;
        }
        if symbol.section == SymbolRecord::UNDEFINED {
            return None;
        }
        // Reserved indices lie beyond every table of sections.
        let place = self.places.get(usize::from(symbol.section))?;
        let region = place.region?;
        Some(Symbol {
            name: self.object.symbol_name(symbol.name).filter(|name| !name.0.is_empty())?,
            address: place.address + symbol.value,
            size: symbol.size,
            function: symbol.kind() == SymbolRecord::FUNCTION,
            global: !symbol.is_local(),
            region,
        })
    }
}

impl<'a> Iterator for Symbols<'a, '_> {
    type Item = Symbol<'a>;

    fn next(&mut self) -> Option<Self::Item> {
        while let Some((record, rest)) = self.rest.split_first() {
            self.rest = rest;
            if let Some(symbol) = self.symbol(record) {
                return Some(symbol);
            }
        }
        None
    }
}
