//! Builds objects and links them at made-up addresses.

use modlink::{Extent, LinkError, Linked, Memory, Object, Region, Slot};
use object::{
    Architecture, BinaryFormat, Endianness, SectionKind, SymbolFlags, SymbolKind, SymbolScope,
    write::{Object as Writer, Relocation, RelocationFlags, SectionId, Symbol, SymbolId, SymbolSection},
};

/// Where the test's regions lie: each far from the others, all in the kernel's top 2 GiB.
pub(crate) const BASE: u64 = 0xffff_ffff_a000_0000;
pub(crate) const STRIDE: u64 = 0x10_0000;

/// What came of linking.
pub(crate) struct Done {
    pub(crate) bytes: [Vec<u8>; 6],
    pub(crate) extents: [Extent; 6],
    pub(crate) symbols: Vec<(String, u64, bool, Region)>,
    pub(crate) asked: Vec<String>,
}

impl Done {
    pub(crate) fn symbol(&self, name: &str) -> u64 {
        self.symbols.iter().find(|symbol| symbol.0 == name).expect(name).1
    }

    pub(crate) fn word32(&self, region: Region, at: usize) -> u32 {
        u32::from_le_bytes(self.bytes[region as usize][at..at + 4].try_into().unwrap())
    }

    pub(crate) fn word64(&self, region: Region, at: usize) -> u64 {
        u64::from_le_bytes(self.bytes[region as usize][at..at + 8].try_into().unwrap())
    }
}

pub(crate) fn address(region: Region) -> u64 {
    BASE + region as u64 * STRIDE
}

/// Links at [`address`], the regions' old contents being 0x55; the error comes as its message.
pub(crate) fn link(image: &[u8], resolve: impl Fn(&str) -> Option<u64>) -> Result<Done, String> {
    link_typed(image, BASE, resolve).map_err(|error| error.to_string())
}

pub(crate) fn link_typed(
    image: &[u8],
    base: u64,
    resolve: impl Fn(&str) -> Option<u64>,
) -> Result<Done, LinkError<'_>> {
    let object = Object::parse(image)?;
    let mut slots = vec![Slot::EMPTY; object.slots()];
    let plan = object.plan(&mut slots)?;
    let extents = Region::ALL.map(|region| plan.extent(region));
    let mut bytes = extents.map(|extent| vec![0x55u8; extent.size as usize]);
    let mut asked = Vec::new();
    let mut index = 0;
    let mut memory = bytes.each_mut().map(|bytes| {
        index += 1;
        Memory { address: base + (index - 1) * STRIDE, bytes }
    });
    let linked = plan.link(&mut memory, |name| {
        asked.push(name.to_string());
        resolve(name)
    })?;
    let symbols = symbols(&linked);
    Ok(Done { bytes, extents, symbols, asked })
}

pub(crate) fn symbols(linked: &Linked<'_, '_>) -> Vec<(String, u64, bool, Region)> {
    linked.symbols().map(|s| (s.name.to_string(), s.address, s.global, s.region)).collect()
}

/// An object made by hand, a relocation at a time.
pub(crate) struct Builder {
    pub(crate) object: Writer<'static>,
}

impl Builder {
    pub(crate) fn new() -> Self {
        Self { object: Writer::new(BinaryFormat::Elf, Architecture::X86_64, Endianness::Little) }
    }

    pub(crate) fn section(&mut self, name: &str, kind: SectionKind, bytes: &[u8], align: u64) -> SectionId {
        let id = self.object.add_section(Vec::new(), name.into(), kind);
        if kind == SectionKind::UninitializedData {
            self.object.append_section_bss(id, bytes.len() as u64, align);
        } else {
            self.object.append_section_data(id, bytes, align);
        }
        id
    }

    pub(crate) fn symbol(&mut self, name: &str, section: SymbolSection, value: u64, size: u64) -> SymbolId {
        self.object.add_symbol(Symbol {
            name: name.into(),
            value,
            size,
            kind: SymbolKind::Text,
            scope: SymbolScope::Linkage,
            weak: false,
            section,
            flags: SymbolFlags::None,
        })
    }

    pub(crate) fn undefined(&mut self, name: &str) -> SymbolId {
        self.symbol(name, SymbolSection::Undefined, 0, 0)
    }

    pub(crate) fn relocate(
        &mut self,
        section: SectionId,
        offset: u64,
        symbol: SymbolId,
        kind: u32,
        addend: i64,
    ) {
        let flags = RelocationFlags::Elf { r_type: object::elf::RelocationType(kind) };
        self.object.add_relocation(section, Relocation { offset, symbol, addend, flags }).unwrap();
    }

    pub(crate) fn image(&self) -> Vec<u8> {
        self.object.write().unwrap()
    }
}

/// A small valid module with something of everything, for the fuzzer to start from.
pub(crate) fn sample() -> Vec<u8> {
    let mut b = Builder::new();
    let text = b.section(".text", SectionKind::Text, &[0x90; 64], 16);
    let rodata = b.section(".rodata", SectionKind::ReadOnlyData, &[1; 40], 8);
    let data = b.section(".data", SectionKind::Data, &[2; 24], 8);
    b.section(".bss", SectionKind::UninitializedData, &[0; 100], 32);
    let init = b.section(".init.text", SectionKind::Text, &[0x90; 32], 16);
    b.section(".init.rodata", SectionKind::ReadOnlyData, &[3; 8], 4);
    b.section(".modinfo", SectionKind::Other, b"name=sample\0depends=one,two\0license=MIT\0", 1);
    b.section(".ottawa.build", SectionKind::Other, &[7; 16], 1);
    let printk = b.undefined("printk");
    let memcpy = b.undefined("memcpy");
    let entry = b.symbol("init_module", SymbolSection::Section(init), 0, 32);
    let helper = b.symbol("helper", SymbolSection::Section(text), 16, 16);
    let value = b.symbol("value", SymbolSection::Section(data), 8, 8);
    b.relocate(text, 0, printk, 4, -4);
    b.relocate(text, 8, value, 2, -4);
    b.relocate(text, 16, memcpy, 9, -4);
    b.relocate(text, 24, memcpy, 42, -4);
    b.relocate(text, 32, value, 11, 0);
    b.relocate(init, 4, helper, 4, -4);
    b.relocate(init, 8, printk, 41, -4);
    b.relocate(data, 0, helper, 1, 3);
    b.relocate(rodata, 8, entry, 24, 0);
    b.relocate(rodata, 16, value, 1, 0);
    b.image()
}
