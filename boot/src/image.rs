//! The two files of the kernel that go into the bundle: its ELF without symbols, and its symbols, packed.

use crate::error::{Error, Result};
use ksym::Kind;
use object::build::elf::{Builder, SectionData};
use object::elf;
use object::read::elf::{ElfFile64, FileHeader};
use object::{Endianness, Object, ObjectSymbol, SymbolKind, SymbolSection};
use std::fs;
use std::path::Path;

/// A kernel ELF as the linker left it.
#[derive(Debug)]
pub(crate) struct Image {
    bytes: Vec<u8>,
    name: String,
}

impl Image {
    /// Reads it.
    pub(crate) fn read(path: &Path) -> Result<Self> {
        let bytes = fs::read(path).map_err(|why| Error::file("read", path, why))?;
        Ok(Self { bytes, name: path.display().to_string() })
    }

    /// The ELF without symbols and debug information: what is not loaded is not there.
    pub(crate) fn stripped(&self) -> Result<Vec<u8>> {
        let fail = |why: object::build::Error| Error::Host(format!("cannot strip {}: {why}", self.name));
        let mut builder = Builder::read64(&*self.bytes).map_err(fail)?;
        for section in &mut builder.sections {
            let loaded = section.sh_flags.contains(elf::SHF_ALLOC);
            section.delete = !loaded && !matches!(section.data, SectionData::SectionString);
        }
        for symbol in &mut builder.symbols {
            symbol.delete = true;
        }
        let mut out = Vec::new();
        builder.write(&mut out).map_err(fail)?;
        Ok(out)
    }

    /// The symbols, packed for the kernel.
    pub(crate) fn symbols(&self, build: u128) -> Result<Vec<u8>> {
        let fail = |why: String| Error::Host(format!("cannot read the symbols of {}: {why}", self.name));
        let file = ElfFile64::<Endianness>::parse(&*self.bytes).map_err(|why| fail(why.to_string()))?;
        let place = |name: &str| file.symbol_by_name(name).map(|symbol| symbol.address());
        let text = match (place("__text_start"), place("__text_end")) {
            (Some(start), Some(end)) => (start, end),
            _ => return Err(fail("no __text_start and __text_end".into())),
        };
        let mut table = ksym::Builder::new(build.to_le_bytes(), text);
        for symbol in file.symbols() {
            let kind = match symbol.kind() {
                SymbolKind::Text => Kind::Text,
                SymbolKind::Data | SymbolKind::Tls => Kind::Data,
                SymbolKind::Unknown | SymbolKind::Label => Kind::Label,
                _ => continue,
            };
            let named = symbol.name().ok().filter(|name| !name.is_empty() && !name.starts_with(".L"));
            if let Some(name) = named
                && matches!(symbol.section(), SymbolSection::Section(_))
            {
                table.add(name, symbol.address(), symbol.size(), kind);
            }
        }
        table.build().map(|built| built.bytes).map_err(|why| fail(why.to_string()))
    }

    /// Whether these bytes are an ELF program that runs without a dynamic linker.
    pub(crate) fn is_static(bytes: &[u8]) -> bool {
        let Ok(header) = elf::FileHeader64::<Endianness>::parse(bytes) else { return false };
        let Ok(endian) = header.endian() else { return false };
        let Ok(segments) = header.program_headers(endian, bytes) else { return false };
        segments.iter().all(|segment| segment.p_type.get(endian) != elf::PT_INTERP)
    }
}
