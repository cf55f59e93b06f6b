//! Where things are in the kernel's half of the address space.
//!
//! | slot | from | what |
//! |--:|---|---|
//! | 272 ... | `0xffff_8800_0000_0000` | direct map of all physical memory |
//! | 468 | `0xffff_ea00_0000_0000` | frame descriptors |
//! | 507 | `0xffff_fd80_0000_0000` | kmap slots (empty until there is memory outside the direct map) |
//! | 508 | `0xffff_fe00_0000_0000` | per-CPU areas (empty: they fit in slab objects so far) |
//! | 509 | `0xffff_fe80_0000_0000` | device memory |
//! | 510 | `0xffff_ff00_0000_0000` | vmalloc, 512 GB: stacks and everything else with guard pages |
//! | 511 | `0xffff_ffff_8000_0000` | kernel image; modules from `0xffff_ffff_a000_0000`; vsyscall page |
//!
//! A slot is one entry of a level-4 table, 512 GB. Slots 256 to 511 are filled once at boot and never change after that,
//! so every CPU's level-4 table can carry the same entries.

pub use arch::paging::{DIRECT_MAP, PAGE_SIZE, phys_to_virt};
use core::ops::Range;

/// Frame descriptors.
pub const FRAMES: u64 = 0xffff_ea00_0000_0000;
/// Device memory.
pub const MMIO: Range<u64> = 0xffff_fe80_0000_0000..0xffff_feff_ffff_f000;
/// The vmalloc segment.
pub const VMALLOC: Range<u64> = 0xffff_ff00_0000_0000..0xffff_ff7f_ffff_f000;
/// The kernel's image.
pub const KERNEL: u64 = 0xffff_ffff_8000_0000;
/// Modules.
pub const MODULES: Range<u64> = 0xffff_ffff_a000_0000..0xffff_ffff_fef0_0000;
/// The level-4 slots besides the direct map's that get their level-3 table at boot.
pub const FIXED_SLOTS: [usize; 6] = [468, 507, 508, 509, 510, 511];
/// The first slot of the direct map.
pub const DIRECT_SLOT: usize = 272;

/// Where the loader is asked to put the boot stack: the first page of the vmalloc segment is its guard page.
pub const BOOT_STACK: u64 = VMALLOC.start;
/// Usable bytes of the boot stack.
pub const BOOT_STACK_SIZE: u64 = 8192;

/// Rounds down to a multiple of `to`, a power of two.
pub const fn round_down(value: u64, to: u64) -> u64 {
    value & !(to - 1)
}

/// Rounds up to a multiple of `to`, a power of two.
pub const fn round_up(value: u64, to: u64) -> u64 {
    (value + to - 1) & !(to - 1)
}

/// The bounds of the kernel's image, from its linker script.
pub mod image {
    unsafe extern "C" {
        static __text_start: u8;
        static __text_end: u8;
        static __rodata_start: u8;
        static __rodata_end: u8;
        static __data_start: u8;
        static __data_end: u8;
    }
    use core::ops::Range;

    /// Executable code.
    pub fn text() -> Range<u64> {
        (&raw const __text_start) as u64..(&raw const __text_end) as u64
    }
    /// Read-only data.
    pub fn rodata() -> Range<u64> {
        (&raw const __rodata_start) as u64..(&raw const __rodata_end) as u64
    }
    /// Data, per-CPU template and zeroed data.
    pub fn data() -> Range<u64> {
        (&raw const __data_start) as u64..(&raw const __data_end) as u64
    }
}
