//! The memory layer: frames, page tables, address space with guards, small objects.
//!
//! | file | idea |
//! |---|---|
//! | [`layout`] | where things are |
//! | `early` | the firmware's ranges, before there are frames |
//! | [`frame`] | physical memory in powers of two, descriptors set up lazily |
//! | [`paging`] | the kernel's own tables: direct map (H2), image, permissions |
//! | [`vmalloc`] | address space with guard pages (H3), device memory |
//! | [`stack`] | kernel stacks |
//! | [`slab`], `heap` | small objects; what `containers` allocates from |
//! | [`module_area`] | memory for modules: written, then sealed |
//!
//! Lock order, outermost first: `VMALLOC`, `PAGE_TABLE`, `SLAB`, `FRAMES` (base's table of ranks has them all).
//! Allocation is fallible everywhere: [`MemoryError`] comes back, nothing panics for want of memory.
//!
//! This is one of the layers where `unsafe` lives; each block says why it holds.
#![no_std]

mod early;
pub mod frame;
mod heap;
pub mod label;
pub mod layout;
pub mod module_area;
pub mod paging;
pub mod slab;
pub mod stack;
pub mod vmalloc;

use base::param::Size;
use bootloader_api::BootInfo;
use bootloader_api::config::{BootloaderConfig, Mapping};
use core::fmt;
use early::Ranges;
use label::Label;

base::param! {
    part "";
    /// The most memory to use; all there is when unset.
    static MEM as "mem": Size = Size(u64::MAX), mode 0o444;
}

/// Why memory cannot be had or changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MemoryError {
    /// No free frame.
    NoMemory,
    /// No hole of that size in the address range.
    NoSpace,
    /// Something is mapped there already, or nothing is.
    BadMap,
}

impl fmt::Display for MemoryError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            MemoryError::NoMemory => "out of memory",
            MemoryError::NoSpace => "out of address space",
            MemoryError::BadMap => "bad mapping",
        })
    }
}

impl From<containers::AllocError> for MemoryError {
    fn from(_: containers::AllocError) -> Self {
        MemoryError::NoMemory
    }
}

impl From<MemoryError> for base::Error {
    fn from(_: MemoryError) -> Self {
        base::Error::ENOMEM
    }
}

/// What the kernel asks of the loader.
pub const BOOT_CONFIG: BootloaderConfig = {
    let mut config = BootloaderConfig::new_default();
    config.kernel_stack_size = layout::BOOT_STACK_SIZE;
    config.mappings.physical_memory = Some(Mapping::FixedAddress(layout::DIRECT_MAP));
    config.mappings.kernel_stack = Mapping::FixedAddress(layout::BOOT_STACK);
    config
};

/// The most ranges are few and large; this is what the log says of them.
#[derive(Clone, Copy, Debug)]
pub struct Summary {
    /// Bytes of memory.
    pub bytes: u64,
    /// In how many ranges.
    pub ranges: usize,
    /// Bytes of the direct map's largest pages.
    pub largest_page: u64,
}

/// Takes memory over from the loader: own page tables, frames, small objects.
///
/// # Errors
/// [`MemoryError::NoMemory`] where the machine is too small.
pub fn init(boot: &BootInfo) -> Result<Summary, MemoryError> {
    heap::early_init();
    let (mut usable, mut ram) = (Ranges::new(), Ranges::new());
    let limit = MEM.get().0;
    early::read_map(&boot.memory_regions, limit, &mut usable, &mut ram);
    let largest = if arch::cpu::features().pages_1g { 3 } else { 2 };
    let stack = arch::stack::pointer();
    paging::build(&mut usable, &ram, largest, stack)?;
    frame::init(&mut usable, &ram, largest)?;
    heap::slabs_ready();
    vmalloc::VMALLOC.adopt(
        layout::BOOT_STACK + layout::PAGE_SIZE,
        layout::BOOT_STACK_SIZE / layout::PAGE_SIZE,
        Label::new(format_args!("the boot stack")),
    )?;
    arch::panic::set_namer(vmalloc::name_address);
    let whole = ram.iter().any(|r| r.size() >= arch::paging::level_size(3));
    Ok(Summary {
        bytes: ram.bytes().min(limit),
        ranges: ram.iter().count(),
        largest_page: arch::paging::level_size(if whole { largest } else { 2 }),
    })
}

/// Gives back what lies in the direct map at `start..end` and came from the loader: the kernel's ELF file, once its
/// symbols are packed. Returns the bytes.
///
/// # Safety
/// Nothing refers to that memory any more.
pub unsafe fn adopt_direct(start: u64, end: u64) -> u64 {
    frame::adopt(start - layout::DIRECT_MAP, end - layout::DIRECT_MAP)
}
