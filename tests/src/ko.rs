//! Bad modules, made from good ones: each function changes one thing in a `.ko`'s bytes.

use object::elf;
use object::{Object, ObjectSection};
use std::ops::Range;
use std::path::Path;

/// Bytes of a symbol's record and of a relocation's.
const RECORD: usize = 24;

/// A module's file.
#[derive(Debug, Clone)]
pub struct Ko(pub Vec<u8>);

impl Ko {
    /// Reads one.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn read(path: &Path) -> Result<Self, String> {
        std::fs::read(path).map(Self).map_err(|why| format!("{}: {why}", path.display()))
    }

    /// A section's place in the file.
    ///
    /// # Errors
    /// There is no such section.
    pub fn section(&self, name: &str) -> Result<Range<usize>, String> {
        let file = object::File::parse(&*self.0).map_err(|why| why.to_string())?;
        let section =
            file.section_by_name(name).ok_or_else(|| format!("the module has no section {name}"))?;
        let (start, size) = section.file_range().ok_or_else(|| format!("section {name} has no bytes"))?;
        Ok(start as usize..(start + size) as usize)
    }

    fn u64_at(&self, at: usize) -> u64 {
        u64::from_le_bytes(std::array::from_fn(|i| self.0[at + i]))
    }

    fn put_u64(&mut self, at: usize, value: u64) {
        self.0[at..at + 8].copy_from_slice(&value.to_le_bytes());
    }

    /// The file, cut off after so many bytes.
    #[must_use]
    pub fn truncated(mut self, bytes: usize) -> Self {
        self.0.truncate(bytes);
        self
    }

    /// Built for another kernel: an identity with every bit turned.
    ///
    /// # Errors
    /// The module has no identity.
    pub fn foreign(mut self) -> Result<Self, String> {
        let place = self.section(".ottawa.build")?;
        self.0[place].iter_mut().for_each(|byte| *byte = !*byte);
        Ok(self)
    }

    /// For another machine: AArch64.
    #[must_use]
    pub fn for_another_machine(mut self) -> Self {
        self.0[18..20].copy_from_slice(&elf::EM_AARCH64.0.to_le_bytes());
        self
    }

    /// Needs a symbol that nobody has; its name.
    ///
    /// # Errors
    /// The module needs no symbol at all.
    pub fn with_unknown_symbol(mut self) -> Result<(Self, String), String> {
        let (symbols, strings) = (self.section(".symtab")?, self.section(".strtab")?);
        for at in symbols.step_by(RECORD).skip(1) {
            let head = self.u64_at(at);
            let (name, info, section) = (head as u32 as usize, (head >> 32) as u8, (head >> 48) as u16);
            let used = self.relocations()?.any(|(_, symbol, _)| symbol == self.index_of(at).unwrap_or(0));
            if section == 0 && info >> 4 == 1 && used {
                let start = strings.start + name;
                let length = self.0[start..].iter().take_while(|byte| **byte != 0).count();
                // As long as it was, so that nothing moves.
                let new: String = "_no_such_symbol".chars().cycle().take(length).collect();
                self.0[start..start + length].copy_from_slice(new.as_bytes());
                return Ok((self, new));
            }
        }
        Err("the module needs no symbol".into())
    }

    fn index_of(&self, at: usize) -> Result<u64, String> {
        Ok(((at - self.section(".symtab")?.start) / RECORD) as u64)
    }

    /// Relocations of `.text` and `.init.text`: place in the file, symbol, type.
    fn relocations(&self) -> Result<impl Iterator<Item = (usize, u64, u32)> + '_, String> {
        let mut places = Vec::new();
        for name in [".rela.text", ".rela.init.text"] {
            places.extend(self.section(name).into_iter().flat_map(|place| place.step_by(RECORD)));
        }
        if places.is_empty() {
            return Err("the module has no relocations".into());
        }
        Ok(places.into_iter().map(|at| {
            let info = self.u64_at(at + 8);
            (at, info >> 32, info as u32)
        }))
    }

    /// With a 32-bit relocation whose value does not fit.
    ///
    /// # Errors
    /// The module has none.
    pub fn with_relocation_out_of_range(mut self) -> Result<Self, String> {
        let wanted = [elf::R_X86_64_PC32.0, elf::R_X86_64_PLT32.0, elf::R_X86_64_32S.0];
        let found = self.relocations()?.find(|(_, _, kind)| wanted.contains(kind));
        let (at, _, _) = found.ok_or("the module has no 32-bit relocation")?;
        self.put_u64(at + 16, 1 << 40);
        Ok(self)
    }

    /// With a relocation of a type that there is not.
    ///
    /// # Errors
    /// The module has none.
    pub fn with_unknown_relocation(mut self) -> Result<Self, String> {
        let (at, symbol, _) = self.relocations()?.next().ok_or("the module has no relocation")?;
        self.put_u64(at + 8, symbol << 32 | 200);
        Ok(self)
    }

    /// With code that may be written to.
    ///
    /// # Errors
    /// The module has no `.text`.
    pub fn with_writable_code(mut self) -> Result<Self, String> {
        let file = object::File::parse(&*self.0).map_err(|why| why.to_string())?;
        let index = file.section_by_name(".text").ok_or("the module has no .text")?.index().0;
        let at = self.u64_at(40) as usize + index * 64 + 8;
        let flags = self.u64_at(at);
        self.put_u64(at, flags | 1);
        Ok(self)
    }

    /// That says it needs these modules. No longer than what it says now, padding included.
    ///
    /// # Errors
    /// The module says nothing of its needs, or there is no room.
    pub fn needing(mut self, modules: &str) -> Result<Self, String> {
        let place = self.section(".modinfo")?;
        let text = &self.0[place.clone()];
        // The builder's entry is the last one; a description before it makes room.
        let start = find(text, b"description=").ok_or("no description in .modinfo")?;
        let mut new = format!("description=\0depends={modules}\0").into_bytes();
        if new.len() > text.len() - start {
            return Err("no room in .modinfo".into());
        }
        new.resize(text.len() - start, 0);
        self.0[place.start + start..place.end].copy_from_slice(&new);
        Ok(self)
    }
}

fn find(text: &[u8], what: &[u8]) -> Option<usize> {
    text.windows(what.len()).position(|window| window == what)
}
