//! The six regions of a module: what shares permissions and lifetime.

use crate::record::Section;

/// A module larger than this in one region is refused: 64 MiB. Bounds what a forged size in a
/// header can make the kernel allocate.
pub const MAX_REGION_BYTES: u32 = 64 << 20;

/// Where a section goes. The discriminant is the index in arrays of six.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Region {
    /// Code: read and execute.
    Text,
    /// Constants and the global offset table: read only once linked.
    RoData,
    /// Variables, zeroed ones included: read and write.
    Data,
    /// Code that runs once: gone after initialisation, as the two below.
    InitText,
    /// Constants of initialisation.
    InitRoData,
    /// Variables of initialisation.
    InitData,
}

impl Region {
    /// All of them, in the order of their indices.
    pub const ALL: [Self; 6] =
        [Self::Text, Self::RoData, Self::Data, Self::InitText, Self::InitRoData, Self::InitData];

    /// Whether the region is discarded after initialisation.
    pub fn is_init(self) -> bool {
        matches!(self, Self::InitText | Self::InitRoData | Self::InitData)
    }

    /// Whether the region holds code.
    pub fn is_text(self) -> bool {
        matches!(self, Self::Text | Self::InitText)
    }

    /// What stands between sections: a breakpoint instruction in code, else zero.
    pub(crate) fn filler(self) -> u8 {
        if self.is_text() { 0xcc } else { 0 }
    }

    /// The region for a loaded section, `None` if no page may have its permissions.
    pub(crate) fn of(section: &Section, name: &[u8]) -> Option<Self> {
        let init = name.starts_with(b".init.");
        match (section.has(Section::EXECUTE), section.has(Section::WRITE), init) {
            (true, true, _) => None,
            (true, false, false) => Some(Self::Text),
            (true, false, true) => Some(Self::InitText),
            (false, false, false) => Some(Self::RoData),
            (false, false, true) => Some(Self::InitRoData),
            (false, true, false) => Some(Self::Data),
            (false, true, true) => Some(Self::InitData),
        }
    }
}

/// What a region needs, or a part of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Extent {
    /// Bytes, at most [`MAX_REGION_BYTES`]; 0 if the module has nothing of the kind.
    pub size: u32,
    /// What the region's address must be a multiple of: a power of two, at most 4,096.
    pub align: u32,
}

impl Extent {
    pub(crate) const EMPTY: Self = Self { size: 0, align: 1 };

    /// Adds `size` bytes at the next multiple of `align` and says where they begin; `None` if the
    /// region would pass its limit.
    pub(crate) fn push(&mut self, size: u64, align: u32) -> Option<u32> {
        let size = u32::try_from(size).ok()?;
        let start = self.size.checked_next_multiple_of(align)?;
        let end = start.checked_add(size).filter(|end| *end <= MAX_REGION_BYTES)?;
        *self = Self { size: end, align: self.align.max(align) };
        Some(start)
    }
}

/// Memory for one region: where it will run, and its bytes to write to now.
#[derive(Debug)]
pub struct Memory<'m> {
    /// The address at which the module will see the first byte.
    pub address: u64,
    /// At least as many bytes as the region's [`Extent`] says.
    pub bytes: &'m mut [u8],
}

impl Memory<'_> {
    /// No memory, for a region of size 0.
    pub const fn empty() -> Self {
        Self { address: 0, bytes: &mut [] }
    }
}
