//! ELF64's records as arrays of little-endian words.
//!
//! Every record that a linker reads is a whole number of 64-bit words, so a table of them is a
//! slice of word arrays, and reading a field is a shift. No offset is computed from input, hence
//! nothing here can fail: a table is only as long as the whole records in it.

/// A record of `W` words, as it lies in the file.
pub(crate) type Record<const W: usize> = [[u8; 8]; W];

/// The whole records at the start of `bytes`.
pub(crate) fn records<const W: usize>(bytes: &[u8]) -> &[Record<W>] {
    bytes.as_chunks::<8>().0.as_chunks::<W>().0
}

fn words<const W: usize>(record: &Record<W>) -> [u64; W] {
    record.map(u64::from_le_bytes)
}

/// The file's header, as far as a relocatable object uses it.
pub(crate) struct Header {
    ident: u64,
    pub(crate) kind: u16,
    pub(crate) machine: u16,
    pub(crate) section_table: u64,
    pub(crate) section_entry_bytes: u16,
    pub(crate) section_count: u16,
    pub(crate) section_names: u16,
}

impl Header {
    pub(crate) fn read(record: &Record<8>) -> Self {
        let [ident, _, kind, _, _, section_table, _, counts] = words(record);
        Self {
            ident,
            kind: kind as u16,
            machine: (kind >> 16) as u16,
            section_table,
            section_entry_bytes: (counts >> 16) as u16,
            section_count: (counts >> 32) as u16,
            section_names: (counts >> 48) as u16,
        }
    }

    /// Whether the file begins as an ELF file does.
    pub(crate) fn is_elf(&self) -> bool {
        self.ident as u32 == u32::from_le_bytes(*b"\x7fELF")
    }

    /// 64-bit, little-endian, version 1.
    pub(crate) fn is_elf64_little(&self) -> bool {
        (self.ident >> 32) as u32 & 0x00ff_ffff == 0x01_01_02
    }
}

/// A section's header.
#[derive(Clone, Copy)]
pub(crate) struct Section {
    pub(crate) name: u32,
    pub(crate) kind: u32,
    pub(crate) flags: u64,
    pub(crate) offset: u64,
    pub(crate) size: u64,
    pub(crate) link: u32,
    pub(crate) info: u32,
    pub(crate) align: u64,
    pub(crate) entry_bytes: u64,
}

impl Section {
    pub(crate) const NULL: u32 = 0;
    pub(crate) const PROGBITS: u32 = 1;
    pub(crate) const SYMTAB: u32 = 2;
    pub(crate) const STRTAB: u32 = 3;
    pub(crate) const RELA: u32 = 4;
    pub(crate) const NOTE: u32 = 7;
    pub(crate) const NOBITS: u32 = 8;
    pub(crate) const REL: u32 = 9;
    pub(crate) const X86_64_UNWIND: u32 = 0x7000_0001;

    pub(crate) const WRITE: u64 = 1;
    pub(crate) const ALLOC: u64 = 2;
    pub(crate) const EXECUTE: u64 = 4;
    pub(crate) const TLS: u64 = 0x400;
    pub(crate) const COMPRESSED: u64 = 0x800;

    pub(crate) fn read(record: &Record<8>) -> Self {
        let [name, flags, _, offset, size, link, align, entry_bytes] = words(record);
        Self {
            name: name as u32,
            kind: (name >> 32) as u32,
            flags,
            offset,
            size,
            link: link as u32,
            info: (link >> 32) as u32,
            align,
            entry_bytes,
        }
    }

    pub(crate) fn has(&self, flag: u64) -> bool {
        self.flags & flag != 0
    }
}

/// An entry of the symbol table.
#[derive(Clone, Copy)]
pub(crate) struct SymbolRecord {
    pub(crate) name: u32,
    info: u8,
    pub(crate) section: u16,
    pub(crate) value: u64,
    pub(crate) size: u64,
}

impl SymbolRecord {
    pub(crate) const UNDEFINED: u16 = 0;
    pub(crate) const FIRST_RESERVED: u16 = 0xff00;
    pub(crate) const ABSOLUTE: u16 = 0xfff1;
    pub(crate) const COMMON: u16 = 0xfff2;

    pub(crate) const NOTYPE: u8 = 0;
    pub(crate) const OBJECT: u8 = 1;
    pub(crate) const FUNCTION: u8 = 2;
    pub(crate) const SECTION: u8 = 3;
    pub(crate) const FILE: u8 = 4;

    const LOCAL: u8 = 0;
    const WEAK: u8 = 2;

    pub(crate) fn read(record: &Record<3>) -> Self {
        let [head, value, size] = words(record);
        Self { name: head as u32, info: (head >> 32) as u8, section: (head >> 48) as u16, value, size }
    }

    pub(crate) fn kind(&self) -> u8 {
        self.info & 0xf
    }

    pub(crate) fn is_local(&self) -> bool {
        self.info >> 4 == Self::LOCAL
    }

    pub(crate) fn is_weak(&self) -> bool {
        self.info >> 4 == Self::WEAK
    }
}

/// A relocation with addend.
#[derive(Clone, Copy)]
pub(crate) struct Rela {
    pub(crate) offset: u64,
    pub(crate) kind: u32,
    pub(crate) symbol: u32,
    pub(crate) addend: u64,
}

impl Rela {
    pub(crate) fn read(record: &Record<3>) -> Self {
        let [offset, info, addend] = words(record);
        Self { offset, kind: info as u32, symbol: (info >> 32) as u32, addend }
    }
}
