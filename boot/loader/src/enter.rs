//! The last step: boot information, and the jump.
//!
//! It runs on the kernel's page tables, so what is written through the kernel's addresses is what the kernel
//! will read there, and pointers in it are right when they are made.

use crate::door::Handover;
use crate::memory::Memory;
use crate::space::Space;
use bootloader_api::BootInfo;
use bootloader_api::info::{MemoryRegion, MemoryRegions};
use core::arch::asm;
use core::mem::size_of;
use loader::image::Image;
use loader::layout::Layout;
use loader::map::Range;
use loader::page_up;

/// Ranges that may be in use: see [`Memory::used`].
const USED: usize = 7;

/// Where the region list starts in the boot information's pages.
const REGIONS: usize = size_of::<BootInfo>().next_multiple_of(align_of::<MemoryRegion>());

/// Bytes of the boot information with its region list, in whole pages.
pub(crate) fn boot_info_size(handover: &Handover) -> u64 {
    page_up((REGIONS + handover.map.most_regions(USED) * size_of::<MemoryRegion>()) as u64)
}

/// A kernel, loaded and mapped.
pub(crate) struct Kernel<'a> {
    /// What the loader was handed.
    pub(crate) handover: &'a Handover,
    /// The ELF file in the bundle.
    pub(crate) file: &'a [u8],
    /// What the file says.
    pub(crate) image: Image<'a>,
    /// Where things are.
    pub(crate) layout: Layout,
    /// What was taken.
    pub(crate) memory: Memory,
    /// Its address space.
    pub(crate) space: Space,
}

impl Kernel<'_> {
    /// Leaves the loader.
    pub(crate) fn enter(self) -> ! {
        // SAFETY: `prepare` mapped the loader one to one, and from here on only its own memory and the
        // kernel's are used.
        unsafe { self.space.activate() };
        let boot_info = self.write_boot_info();
        // SAFETY: entry and stack are mapped as the kernel's file says. At the entry the stack looks as after
        // a call from address 0: aligned to 16 before the return address, and a backtrace ends there.
        unsafe {
            asm!(
                "mov rsp, {stack}",
                "xor ebp, ebp",
                "push 0",
                "jmp {entry}",
                stack = in(reg) self.layout.stack.end,
                entry = in(reg) self.image.entry,
                in("rdi") boot_info,
                options(noreturn)
            )
        }
    }

    /// Writes region list and boot information where the kernel finds them.
    fn write_boot_info(&self) -> *mut BootInfo {
        let start = self.layout.boot_info.start as *mut u8;
        let used = self.memory.used();
        let list = start.wrapping_add(REGIONS).cast::<MemoryRegion>();
        let mut count = 0;
        for region in self.handover.map.regions(&used) {
            // SAFETY: the pages are mapped, fresh, and large enough for the most regions that there can be.
            unsafe { list.add(count).write(region) };
            count += 1;
        }
        // SAFETY: `count` regions were written there, and nobody else has a reference to them.
        let regions = unsafe { core::slice::from_raw_parts_mut(list, count) };

        let mut info = BootInfo::new(MemoryRegions::from(regions));
        let Range { start: bundle, end } = self.handover.bundle;
        let Layout { direct_map, stack, ramdisk, .. } = self.layout;
        info.physical_memory_offset = direct_map.map(|range| range.start).into();
        info.rsdp_addr = self.handover.rsdp.into();
        info.tls_template = self.image.tls.into();
        // In a mapping of its own the bundle lies as in its first page.
        let own = ramdisk.map(|range| range.start + bundle % loader::PAGE);
        info.ramdisk_addr = own.or(direct_map.map(|range| range.start + bundle)).into();
        info.ramdisk_len = end - bundle;
        info.kernel_addr = self.file.as_ptr() as u64;
        info.kernel_len = self.file.len() as u64;
        info.kernel_image_offset = self.image.span.start;
        info.kernel_stack_bottom = stack.start;
        info.kernel_stack_len = stack.size();
        let boot_info = start.cast::<BootInfo>();
        // SAFETY: as above; the start of a page is aligned for it.
        unsafe { boot_info.write(info) };
        boot_info
    }
}
