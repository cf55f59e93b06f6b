//! The third stage: sections are copied to their memory and every relocation is applied.

use crate::{
    error::{Fault, LinkError, Site},
    name::Name,
    object::Object,
    plan::{Plan, Relocations, Slot},
    record::{Rela, Section, SymbolRecord},
    region::{Memory, Region},
    reloc::{Field, Formula, Kind},
    symbol::Symbols,
};
use core::ops::Range;

/// A module in its memory, ready to run.
#[derive(Debug)]
pub struct Linked<'a, 's> {
    object: &'s Object<'a>,
    /// One for each section, with its address.
    places: &'s [Slot],
}

impl<'a, 's> Plan<'a, 's> {
    /// Copies the sections to `memory` (indexed by [`Region`]) and applies the relocations.
    ///
    /// `resolve` is asked at most once for each undefined symbol that is used. Every byte of every
    /// region's extent is written, gaps and zeroed variables too, so the memory's old contents do
    /// not matter. After an error they are undefined.
    pub fn link(
        mut self,
        memory: &mut [Memory<'_>; 6],
        mut resolve: impl FnMut(&'a str) -> Option<u64>,
    ) -> Result<Linked<'a, 's>, LinkError<'a>> {
        self.check_memory(memory)?;
        self.copy(memory);
        for index in 0..self.object.sections.len() {
            let Some(relocations) = self.relocations(index)? else { continue };
            for rela in relocations.records.iter().map(Rela::read) {
                self.apply(&relocations, &rela, memory, &mut resolve)?;
            }
        }
        Ok(Linked { object: self.object, places: self.places })
    }

    fn check_memory(&self, memory: &[Memory<'_>; 6]) -> Result<(), LinkError<'a>> {
        for region in Region::ALL {
            let (extent, memory) = (self.extent(region), &memory[region as usize]);
            let fits = extent.size as usize <= memory.bytes.len()
                && memory.address.is_multiple_of(extent.align.into())
                && memory.address.checked_add(extent.size.into()).is_some();
            if !fits && extent.size > 0 {
                return Err(LinkError::Memory { region });
            }
        }
        Ok(())
    }

    /// Copies each section to its place and fills what lies between. From here on the sections'
    /// slots hold addresses.
    fn copy(&mut self, memory: &mut [Memory<'_>; 6]) {
        let mut ends = [0usize; 6];
        for (slot, record) in self.places.iter_mut().zip(self.object.sections) {
            let Some(region) = slot.region else { continue };
            let section = Section::read(record);
            let bytes = self.object.file_bytes(&section).unwrap_or_default();
            let (memory, end) = (&mut memory[region as usize], &mut ends[region as usize]);
            let start = slot.address as usize;
            fill(memory.bytes, *end..start, region.filler());
            *end = start + section.size as usize;
            if let Some(target) = memory.bytes.get_mut(start..start + bytes.len()) {
                target.copy_from_slice(bytes);
            }
            fill(memory.bytes, start + bytes.len()..*end, 0);
            slot.address += memory.address;
        }
        for region in Region::ALL {
            let (extent, memory) = (self.extents[region as usize], &mut memory[region as usize]);
            fill(memory.bytes, ends[region as usize]..extent.size as usize, region.filler());
        }
    }

    fn apply(
        &mut self,
        relocations: &Relocations<'a>,
        rela: &Rela,
        memory: &mut [Memory<'_>; 6],
        resolve: &mut impl FnMut(&'a str) -> Option<u64>,
    ) -> Result<(), LinkError<'a>> {
        let Some(formula) = Kind(rela.kind).formula() else { return Ok(()) };
        if formula == Formula::None {
            return Ok(());
        }
        let Some(symbol) = self.address_of(rela.symbol, resolve) else {
            let site = Site { section: relocations.name, offset: rela.offset };
            return Err(LinkError::Unresolved { symbol: self.shown_symbol(rela.symbol), site });
        };
        // `plan` has checked that the field lies in its section, and `link` that the section lies in
        // its memory.
        let outside = |plan: &Self| plan.error_at(relocations, rela, Fault::Outside);
        let place = self.places.get(relocations.target).copied().unwrap_or(Slot::EMPTY);
        let Some(region) = place.region else { return Err(outside(self)) };
        let here = place.address.wrapping_add(rela.offset);
        let (value, field) = match formula {
            Formula::Absolute(field) => (symbol.wrapping_add(rela.addend), field),
            Formula::Relative(field) => (symbol.wrapping_add(rela.addend).wrapping_sub(here), field),
            Formula::None | Formula::Table => {
                let word = self.store_in_table(rela.symbol, symbol, memory).ok_or_else(|| outside(self))?;
                (word.wrapping_add(rela.addend).wrapping_sub(here), Field::Signed32)
            }
        };
        let memory = &mut memory[region as usize];
        let start = (here - memory.address) as usize;
        let target = memory.bytes.get_mut(start..start + formula.width()).ok_or_else(|| outside(self))?;
        field.store(value, target).ok_or_else(|| self.error_at(relocations, rela, Fault::Range(value)))
    }

    /// A symbol's address, looked up once and then remembered; `None` if nobody has it.
    fn address_of(&mut self, index: u32, resolve: &mut impl FnMut(&'a str) -> Option<u64>) -> Option<u64> {
        let slot = self.symbols.get_mut(index as usize)?;
        if slot.known {
            return Some(slot.address);
        }
        let symbol = SymbolRecord::read(self.object.symbols.get(index as usize)?);
        let address = match symbol.section {
            // The first entry of every symbol table: no symbol, and 0 by the ABI.
            SymbolRecord::UNDEFINED if index == 0 => 0,
            SymbolRecord::UNDEFINED => {
                let name = self.object.symbol_name(symbol.name)?.as_str()?;
                match resolve(name) {
                    None if symbol.is_weak() => 0,
                    found => found?,
                }
            }
            SymbolRecord::ABSOLUTE => symbol.value,
            section => self.places.get(usize::from(section))?.address.wrapping_add(symbol.value),
        };
        slot.address = address;
        slot.known = true;
        Some(address)
    }

    /// Writes the symbol's address to its word of the global offset table and returns the word's.
    fn store_in_table(&self, symbol: u32, address: u64, memory: &mut [Memory<'_>; 6]) -> Option<u64> {
        let number = self.symbols.get(symbol as usize)?.got.checked_sub(1)?;
        let start = self.table as usize + number as usize * 8;
        let table = &mut memory[Region::RoData as usize];
        Field::Word64.store(address, table.bytes.get_mut(start..start + 8)?)?;
        Some(table.address + start as u64)
    }
}

fn fill(bytes: &mut [u8], range: Range<usize>, value: u8) {
    if let Some(bytes) = bytes.get_mut(range) {
        bytes.fill(value);
    }
}

impl<'a, 's> Linked<'a, 's> {
    /// The object that was linked.
    pub fn object(&self) -> &Object<'a> {
        self.object
    }

    /// The symbols that the module defines.
    pub fn symbols(&self) -> Symbols<'a, 's> {
        Symbols::new(self.object, self.places)
    }

    /// The address of the module's own global symbol `name`.
    pub fn symbol(&self, name: &str) -> Option<u64> {
        self.symbols().find(|symbol| symbol.global && symbol.name.0 == name.as_bytes()).map(|s| s.address)
    }

    /// The addresses of the loaded section `name`, the first if there are several.
    pub fn section(&self, name: &str) -> Option<Range<u64>> {
        self.places.iter().zip(self.object.sections).find_map(|(slot, record)| {
            let section = Section::read(record);
            let found = slot.region.is_some() && self.object.section_name(&section) == Name(name.as_bytes());
            found.then(|| slot.address..slot.address + section.size)
        })
    }
}
