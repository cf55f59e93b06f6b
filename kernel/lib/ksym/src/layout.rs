//! Where each number of the file lies. Reader and builder share these and nothing else.

/// What addresses are counted from where the builder is told nothing else: the kernel image's start.
pub const KERNEL_BASE: u64 = 0xffff_ffff_8000_0000;

/// The first bytes of the file.
pub(crate) const MAGIC: [u8; 8] = *b"OTTASYM\n";

/// The layout described here.
pub(crate) const VERSION: u32 = 1;

/// Offsets of the header's fields, in bytes.
pub(crate) mod field {
    /// The layout's version, u32.
    pub(crate) const VERSION: usize = 8;
    /// Number of symbols, u32.
    pub(crate) const SYMBOLS: usize = 12;
    /// Number of slots, u32; more than symbols.
    pub(crate) const SLOTS: usize = 16;
    /// Bytes of all names, u32.
    pub(crate) const NAMES: usize = 20;
    /// The build identity, 16 bytes.
    pub(crate) const BUILD_ID: usize = 24;
    /// What symbols' addresses are counted from, u64.
    pub(crate) const BASE: usize = 40;
    /// Start of the kernel's text, u64.
    pub(crate) const TEXT_START: usize = 48;
    /// End of the kernel's text, exclusive, u64.
    pub(crate) const TEXT_END: usize = 56;
}

/// Bytes of the header, 16 of them spare.
pub(crate) const HEADER: usize = 80;

/// Bytes of an entry: address u32, size u32, name's offset u32, name's length u16, kind u8, spare u8.
pub(crate) const ENTRY: usize = 16;

/// Bytes of a slot: hash u32, entry's number u32.
pub(crate) const SLOT: usize = 8;

/// The entry's number in a slot that holds none.
pub(crate) const EMPTY: u32 = u32::MAX;

/// What a symbol stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Kind {
    /// A label without a type, from assembler or the linker script.
    Label = 0,
    /// Code.
    Text = 1,
    /// Data, read-only or not.
    Data = 2,
}

impl Kind {
    pub(crate) fn from_byte(byte: u8) -> Self {
        match byte {
            1 => Self::Text,
            2 => Self::Data,
            _ => Self::Label,
        }
    }
}

/// The slot where the search for a hash begins: the hash scaled to the number of slots, which needs neither
/// a division nor a power of two.
pub(crate) fn first_slot(hash: u32, slots: u32) -> u32 {
    ((u64::from(hash) * u64::from(slots)) >> 32) as u32
}
