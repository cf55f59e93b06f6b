//! The first stage: the file is a relocatable object whose tables lie inside it.

use crate::{
    error::{Fault, LinkError},
    name::Name,
    record::{Header, Record, Section, records},
};

/// An object with more sections is refused. The builder's linker script makes about 25.
pub const MAX_SECTIONS: usize = 64;

/// Bytes of a build identity.
pub const IDENTITY_BYTES: usize = 16;

/// A longer name is no name; bounds the time that names take. Names of functions that take closures
/// of iterators of closures reach some hundreds of bytes.
pub(crate) const MAX_NAME_BYTES: usize = 4096;

const RELOCATABLE: u16 = 1;
const X86_64: u16 = 62;

/// A relocatable object, its headers checked.
#[derive(Clone, Copy, Debug)]
pub struct Object<'a> {
    image: &'a [u8],
    pub(crate) sections: &'a [Record<8>],
    section_names: &'a [u8],
    pub(crate) symbols: &'a [Record<3>],
    symbol_names: &'a [u8],
    /// The symbol table's index, which sections of relocations must refer to.
    pub(crate) symbol_section: usize,
    modinfo: &'a [u8],
    build: Option<&'a [u8; IDENTITY_BYTES]>,
}

impl<'a> Object<'a> {
    /// Reads the headers of `image`, the bytes of a `.ko` file.
    pub fn parse(image: &'a [u8]) -> Result<Self, LinkError<'a>> {
        let header = records::<8>(image).first().map(Header::read).ok_or(LinkError::NotElf)?;
        if !header.is_elf() {
            return Err(LinkError::NotElf);
        }
        if !header.is_elf64_little() || header.kind != RELOCATABLE || header.machine != X86_64 {
            return Err(LinkError::NotModule { kind: header.kind, machine: header.machine });
        }
        let sections = section_table(image, &header)?;
        let mut object = Self {
            image,
            sections,
            section_names: &[],
            symbols: &[],
            symbol_names: &[],
            symbol_section: 0,
            modinfo: &[],
            build: None,
        };
        // Without section names, an error cannot name the section: these first.
        let names = object.section(header.section_names.into());
        object.section_names = names
            .filter(|section| section.kind == Section::STRTAB)
            .and_then(|section| object.file_bytes(&section))
            .ok_or(LinkError::Truncated { what: "table of section names" })?;
        object.find_tables()?;
        Ok(object)
    }

    /// Finds symbols and metadata among the sections.
    fn find_tables(&mut self) -> Result<(), LinkError<'a>> {
        let (mut modinfo, mut build) = (None, None);
        for (index, record) in self.sections.iter().enumerate() {
            let section = Section::read(record);
            let name = self.section_name(&section);
            let error = |fault| LinkError::Section { section: name, fault };
            if section.kind == Section::SYMTAB {
                if self.symbol_section != 0 {
                    return Err(error(Fault::Twice));
                }
                self.symbol_section = index;
                self.symbols = records(self.file_bytes(&section).ok_or(error(Fault::Truncated))?);
                if section.entry_bytes != size_of::<Record<3>>() as u64 {
                    return Err(error(Fault::BadSize));
                }
                self.symbol_names = self
                    .section(section.link as usize)
                    .filter(|strings| strings.kind == Section::STRTAB)
                    .and_then(|strings| self.file_bytes(&strings))
                    .ok_or(LinkError::Truncated { what: "table of symbol names" })?;
            }
            let found = match name.0 {
                b".modinfo" => &mut modinfo,
                b".ottawa.build" => &mut build,
                _ => continue,
            };
            let bytes = self.file_bytes(&section).ok_or(error(Fault::Truncated))?;
            if found.replace(bytes).is_some() {
                return Err(error(Fault::Twice));
            }
        }
        if self.symbol_section == 0 {
            return Err(LinkError::NoSymbols);
        }
        self.modinfo = modinfo.unwrap_or_default();
        if let Some(build) = build {
            let section = Name(b".ottawa.build");
            self.build = Some(build.as_array().ok_or(LinkError::Section { section, fault: Fault::BadSize })?);
        }
        Ok(())
    }

    /// How many [`Slot`](crate::Slot)s [`plan`](Self::plan) needs: one for each section and symbol.
    pub fn slots(&self) -> usize {
        self.sections.len() + self.symbols.len()
    }

    /// The identity of the kernel build that the module was made for.
    pub fn build_identity(&self) -> Option<&'a [u8; IDENTITY_BYTES]> {
        self.build
    }

    /// The first value of `key` in `.modinfo`.
    pub fn modinfo(&self, key: &str) -> Option<&'a str> {
        self.modinfo_entries().find(|(found, _)| *found == key).map(|(_, value)| value)
    }

    /// All `key=value` pairs of `.modinfo`, in the file's order.
    pub fn modinfo_entries(&self) -> Modinfo<'a> {
        Modinfo { rest: self.modinfo }
    }

    /// The modules that this one needs, by name.
    pub fn depends(&self) -> impl Iterator<Item = &'a str> + use<'a> {
        self.modinfo("depends").unwrap_or_default().split(',').filter(|name| !name.is_empty())
    }

    pub(crate) fn section(&self, index: usize) -> Option<Section> {
        self.sections.get(index).map(Section::read)
    }

    /// A section's name; one that cannot be read shows as `?`.
    pub(crate) fn section_name(&self, section: &Section) -> Name<'a> {
        name_at(self.section_names, section.name).unwrap_or(Name(b"?"))
    }

    /// A symbol's name, `None` if it has no end or is absurdly long.
    pub(crate) fn symbol_name(&self, name: u32) -> Option<Name<'a>> {
        name_at(self.symbol_names, name)
    }

    /// A section's bytes in the file, `None` if they are not all there. `NOBITS` has none.
    pub(crate) fn file_bytes(&self, section: &Section) -> Option<&'a [u8]> {
        if section.kind == Section::NOBITS {
            return Some(&[]);
        }
        slice(self.image, section.offset, section.size)
    }
}

fn section_table<'a>(image: &'a [u8], header: &Header) -> Result<&'a [Record<8>], LinkError<'a>> {
    let truncated = LinkError::Truncated { what: "section table" };
    let count = header.section_count;
    if usize::from(count) > MAX_SECTIONS {
        return Err(LinkError::TooManySections { count });
    }
    if count == 0 || usize::from(header.section_entry_bytes) != size_of::<Record<8>>() {
        return Err(truncated);
    }
    let bytes = u64::from(count) * size_of::<Record<8>>() as u64;
    slice(image, header.section_table, bytes).map(records).ok_or(truncated)
}

fn slice(image: &[u8], offset: u64, size: u64) -> Option<&[u8]> {
    let start = usize::try_from(offset).ok()?;
    let end = start.checked_add(usize::try_from(size).ok()?)?;
    image.get(start..end)
}

fn name_at(table: &[u8], offset: u32) -> Option<Name<'_>> {
    let rest = table.get(offset as usize..)?;
    let rest = rest.get(..MAX_NAME_BYTES + 1).unwrap_or(rest);
    rest.get(..first_zero(rest)?).map(Name)
}

/// The place of the first zero byte. Eight bytes a step: finding the ends of names is much of the
/// linker's work, and the standard library's search looks at each byte.
fn first_zero(bytes: &[u8]) -> Option<usize> {
    const ONES: u64 = u64::from_le_bytes([1; 8]);
    const HIGH: u64 = ONES << 7;
    let (words, rest) = bytes.as_chunks::<8>();
    for (number, word) in words.iter().enumerate() {
        let word = u64::from_le_bytes(*word);
        // The lowest of these bits belongs to the first zero byte; borrows make false ones above only.
        let zeros = word.wrapping_sub(ONES) & !word & HIGH;
        if zeros != 0 {
            return Some(number * 8 + zeros.trailing_zeros() as usize / 8);
        }
    }
    rest.iter().position(|byte| *byte == 0).map(|place| words.len() * 8 + place)
}

/// The `key=value` pairs of a module's `.modinfo`. Text that is none is passed over.
#[derive(Clone, Debug)]
pub struct Modinfo<'a> {
    rest: &'a [u8],
}

impl<'a> Iterator for Modinfo<'a> {
    type Item = (&'a str, &'a str);

    fn next(&mut self) -> Option<Self::Item> {
        while !self.rest.is_empty() {
            let end = first_zero(self.rest).unwrap_or(self.rest.len());
            let (entry, rest) = self.rest.split_at(end);
            self.rest = rest.get(1..).unwrap_or_default();
            let pair = core::str::from_utf8(entry).ok().and_then(|entry| entry.split_once('='));
            if pair.is_some() {
                return pair;
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::first_zero;

    #[test]
    fn the_first_zero_is_found_wherever_it_stands() {
        for length in 0..40 {
            for (filler, behind) in [(1, 0), (0x80, 0), (0xff, 1), (0x01, 0x80)] {
                let mut bytes = [filler; 40];
                assert_eq!(first_zero(&bytes[..length]), None);
                for zero in 0..length {
                    bytes[zero] = 0;
                    bytes[zero + 1..].fill(behind);
                    assert_eq!(first_zero(&bytes[..length]), Some(zero), "{length} {filler:#x} {behind:#x}");
                    bytes.fill(filler);
                }
            }
        }
    }
}
