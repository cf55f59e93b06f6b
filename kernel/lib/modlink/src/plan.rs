//! The second stage: every section has its place, every symbol and relocation is one we can link.

use crate::{
    error::{Fault, LinkError, Site},
    name::Name,
    object::Object,
    record::{Record, Rela, Section, SymbolRecord, records},
    region::{Extent, Region},
    reloc::{Formula, Kind},
};

/// The largest alignment that pages give.
const MAX_ALIGN: u64 = 4096;

/// What the linker remembers of one section or one symbol.
#[derive(Clone, Copy, Debug)]
pub struct Slot {
    /// A section: its offset in its region, then its address. A symbol: its address.
    pub(crate) address: u64,
    /// A symbol: the number of its word in the global offset table, counted from 1.
    pub(crate) got: u32,
    /// A section: where it goes; `None` if it is not loaded.
    pub(crate) region: Option<Region>,
    /// A symbol: whether `address` is known.
    pub(crate) known: bool,
}

impl Slot {
    /// A slot as [`Object::plan`] wants it.
    pub const EMPTY: Self = Self { address: 0, got: 0, region: None, known: false };
}

/// An object that can be linked once it has memory.
#[derive(Debug)]
pub struct Plan<'a, 's> {
    pub(crate) object: &'s Object<'a>,
    /// One for each section.
    pub(crate) places: &'s mut [Slot],
    /// One for each symbol.
    pub(crate) symbols: &'s mut [Slot],
    pub(crate) extents: [Extent; 6],
    /// Where the global offset table begins in `RoData`.
    pub(crate) table: u32,
}

/// A section of relocations for a section that is loaded.
pub(crate) struct Relocations<'a> {
    /// The index of the section to be changed.
    pub(crate) target: usize,
    /// Its name.
    pub(crate) name: Name<'a>,
    /// The bytes it has in the file, which are those that can be changed.
    pub(crate) size: u64,
    pub(crate) records: &'a [Record<3>],
}

impl<'a> Object<'a> {
    /// Lays the module out and checks every symbol and relocation. `slots` are
    /// [`slots`](Self::slots) entries or more; what they hold is overwritten.
    pub fn plan<'s>(&'s self, slots: &'s mut [Slot]) -> Result<Plan<'a, 's>, LinkError<'a>> {
        let slots = slots.get_mut(..self.slots()).ok_or(LinkError::Workspace)?;
        slots.fill(Slot::EMPTY);
        let (places, symbols) =
            slots.split_at_mut_checked(self.sections.len()).ok_or(LinkError::Workspace)?;
        let mut plan = Plan { object: self, places, symbols, extents: [Extent::EMPTY; 6], table: 0 };
        plan.place_sections()?;
        self.check_symbols()?;
        plan.check_relocations()?;
        Ok(plan)
    }

    fn check_symbols(&self) -> Result<(), LinkError<'a>> {
        for record in self.symbols {
            let symbol = SymbolRecord::read(record);
            if let Err(fault) = self.check_symbol(&symbol) {
                let symbol = self.symbol_name(symbol.name).unwrap_or(Name(b"?"));
                return Err(LinkError::Symbol { symbol, fault });
            }
        }
        Ok(())
    }

    fn check_symbol(&self, symbol: &SymbolRecord) -> Result<(), Fault> {
        match symbol.kind() {
            SymbolRecord::NOTYPE | SymbolRecord::OBJECT | SymbolRecord::FUNCTION => {}
            SymbolRecord::SECTION | SymbolRecord::FILE => {}
            5 => return Err(Fault::Common),
            6 => return Err(Fault::ThreadLocal),
            kind => return Err(Fault::SymbolType(kind)),
        }
        match symbol.section {
            SymbolRecord::UNDEFINED | SymbolRecord::ABSOLUTE => Ok(()),
            SymbolRecord::COMMON => Err(Fault::Common),
            SymbolRecord::FIRST_RESERVED.. => Err(Fault::BadIndex),
            index => {
                let section = self.section(index.into()).ok_or(Fault::BadIndex)?;
                // A symbol may mark a section's end, but its bytes lie in the section.
                let end = symbol.value.checked_add(symbol.size).ok_or(Fault::Outside)?;
                if end <= section.size { Ok(()) } else { Err(Fault::Outside) }
            }
        }
    }
}

impl<'a> Plan<'a, '_> {
    /// What memory the region needs.
    pub fn extent(&self, region: Region) -> Extent {
        self.extents[region as usize]
    }

    /// The object that is being linked.
    pub fn object(&self) -> &Object<'a> {
        self.object
    }

    fn place_sections(&mut self) -> Result<(), LinkError<'a>> {
        for (slot, record) in self.places.iter_mut().zip(self.object.sections) {
            let section = Section::read(record);
            let name = self.object.section_name(&section);
            if section.kind != Section::NULL && section.has(Section::ALLOC) && !is_metadata(name) {
                let (region, offset) = place(self.object, &section, name, &mut self.extents)
                    .map_err(|fault| LinkError::Section { section: name, fault })?;
                slot.address = offset.into();
                slot.region = Some(region);
            }
        }
        Ok(())
    }

    /// Checks what can be told of relocations before there are addresses, and counts the words of
    /// the global offset table.
    fn check_relocations(&mut self) -> Result<(), LinkError<'a>> {
        let mut words = 0u32;
        for index in 0..self.object.sections.len() {
            let Some(relocations) = self.relocations(index)? else { continue };
            for rela in relocations.records.iter().map(Rela::read) {
                let formula = self
                    .check_relocation(&relocations, &rela)
                    .map_err(|fault| self.error_at(&relocations, &rela, fault))?;
                if formula == Formula::Table
                    && let Some(slot) = self.symbols.get_mut(rela.symbol as usize)
                    && slot.got == 0
                {
                    words += 1;
                    slot.got = words;
                }
            }
        }
        if words > 0 {
            let error = LinkError::Section { section: Name(b"GOT"), fault: Fault::TooLarge };
            self.table = self.extents[Region::RoData as usize].push(u64::from(words) * 8, 8).ok_or(error)?;
        }
        Ok(())
    }

    fn check_relocation(&self, relocations: &Relocations<'a>, rela: &Rela) -> Result<Formula, Fault> {
        let formula = Kind(rela.kind).formula().ok_or(Fault::UnknownKind)?;
        let symbol = self.object.symbols.get(rela.symbol as usize).map(SymbolRecord::read);
        let symbol = symbol.ok_or(Fault::BadIndex)?;
        let end = rela.offset.checked_add(formula.width() as u64).ok_or(Fault::Outside)?;
        if end > relocations.size {
            return Err(Fault::Outside);
        }
        match symbol.section {
            SymbolRecord::UNDEFINED | SymbolRecord::ABSOLUTE => Ok(formula),
            index => match self.places.get(usize::from(index)) {
                Some(Slot { region: Some(_), .. }) => Ok(formula),
                _ if formula == Formula::None => Ok(formula),
                _ => Err(Fault::NotLoaded),
            },
        }
    }

    /// The relocations in section `index`, if that is what it holds and they change a loaded one.
    pub(crate) fn relocations(&self, index: usize) -> Result<Option<Relocations<'a>>, LinkError<'a>> {
        let Some(section) = self.object.section(index) else { return Ok(None) };
        if section.kind != Section::RELA && section.kind != Section::REL {
            return Ok(None);
        }
        let name = self.object.section_name(&section);
        let error = |fault| LinkError::Section { section: name, fault };
        let target = section.info as usize;
        let changed = self.object.section(target).ok_or(error(Fault::BadIndex))?;
        if self.places.get(target).is_none_or(|place| place.region.is_none()) {
            return Ok(None);
        }
        if section.kind == Section::REL {
            return Err(error(Fault::NoAddend));
        }
        if section.link as usize != self.object.symbol_section {
            return Err(error(Fault::BadIndex));
        }
        if section.entry_bytes != size_of::<Record<3>>() as u64 {
            return Err(error(Fault::BadSize));
        }
        Ok(Some(Relocations {
            target,
            name: self.object.section_name(&changed),
            size: if changed.kind == Section::NOBITS { 0 } else { changed.size },
            records: records(self.object.file_bytes(&section).ok_or(error(Fault::Truncated))?),
        }))
    }

    pub(crate) fn error_at(&self, relocations: &Relocations<'a>, rela: &Rela, fault: Fault) -> LinkError<'a> {
        LinkError::Relocation {
            site: Site { section: relocations.name, offset: rela.offset },
            kind: Kind(rela.kind),
            symbol: self.shown_symbol(rela.symbol),
            fault,
        }
    }

    /// A symbol's name for a message; a section's symbol goes by the section's name.
    pub(crate) fn shown_symbol(&self, index: u32) -> Name<'a> {
        let symbol = self.object.symbols.get(index as usize).map(SymbolRecord::read);
        let name = symbol.and_then(|symbol| match symbol.kind() {
            SymbolRecord::SECTION => {
                self.object.section(symbol.section.into()).map(|section| self.object.section_name(&section))
            }
            _ => self.object.symbol_name(symbol.name),
        });
        name.unwrap_or(Name(b"?"))
    }
}

/// Sections that tell about the module, to the kernel or to tools, and are read from the file.
fn is_metadata(name: Name<'_>) -> bool {
    matches!(name.0, b".modinfo" | b".ottawa.build" | b".paraminfo")
}

fn place(
    object: &Object<'_>,
    section: &Section,
    name: Name<'_>,
    extents: &mut [Extent; 6],
) -> Result<(Region, u32), Fault> {
    match section.kind {
        _ if section.has(Section::TLS) => return Err(Fault::ThreadLocal),
        _ if section.has(Section::COMPRESSED) => return Err(Fault::Compressed),
        Section::PROGBITS | Section::NOBITS | Section::NOTE | Section::X86_64_UNWIND => {}
        kind => return Err(Fault::SectionType(kind)),
    }
    if object.file_bytes(section).is_none() {
        return Err(Fault::Truncated);
    }
    // 0 and 1 both mean that any address will do.
    let align = section.align.max(1);
    if !align.is_power_of_two() || align > MAX_ALIGN {
        return Err(Fault::Alignment(align));
    }
    let region = Region::of(section, name.0).ok_or(Fault::WritableCode)?;
    let offset = extents[region as usize].push(section.size, align as u32).ok_or(Fault::TooLarge)?;
    Ok((region, offset))
}
