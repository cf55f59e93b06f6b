//! The kernel's address space: its page tables, built while the loader still runs on its own.

use crate::memory::{self, IDENTITY, Memory};
use loader::PAGE;
use loader::error::Error;
use loader::image::Segment;
use loader::map::Range;
use x86_64::registers::control::{Cr3, Cr3Flags};
use x86_64::structures::paging::mapper::MapToError;
use x86_64::structures::paging::{
    FrameAllocator, Mapper, OffsetPageTable, Page, PageSize, PageTable, PageTableFlags, PhysFrame, Size1GiB,
    Size2MiB, Size4KiB,
};
use x86_64::{PhysAddr, VirtAddr};

/// The least alignment of the direct map's address: its smallest page.
pub(crate) const DIRECT_ALIGN: u64 = Size2MiB::SIZE;

/// Tables allow everything; the last level decides.
const TABLE: PageTableFlags = PageTableFlags::PRESENT.union(PageTableFlags::WRITABLE);

/// How much the direct map covers: all memory and at least 4 GiB, where the devices are.
pub(crate) fn direct_map_size(memory_end: u64) -> u64 {
    memory_end.max(memory::REACH).next_multiple_of(Size1GiB::SIZE)
}

/// Page tables under construction.
pub(crate) struct Space {
    mapper: OffsetPageTable<'static>,
    root: PhysFrame,
}

impl Space {
    /// An empty address space.
    pub(crate) fn new(memory: &mut Memory) -> Result<Self, Error> {
        let root = memory.allocate_frame().ok_or(Error::Memory { wanted: PAGE })?;
        let table = root.start_address().as_u64() as *mut PageTable;
        // SAFETY: a fresh frame, page-aligned and mapped one to one, for which there is no other reference.
        let table = unsafe {
            table.write(PageTable::new());
            &mut *table
        };
        // SAFETY: all tables are frames of `Memory`, below 4 GiB, where the identity map has them.
        Ok(Self { mapper: unsafe { OffsetPageTable::new(table, IDENTITY) }, root })
    }

    /// Maps the loader one to one: it runs here until it jumps.
    pub(crate) fn map_loader(&mut self, memory: &mut Memory) -> Result<(), Error> {
        let [code, rodata, data] = memory::loader();
        let read_only = PageTableFlags::empty();
        self.map::<Size4KiB>(code, code.start, read_only, memory)?;
        self.map::<Size4KiB>(rodata, rodata.start, PageTableFlags::NO_EXECUTE, memory)?;
        self.map_data(data, data.start, memory)
    }

    /// Maps a segment of the kernel to the frames from `physical` on.
    pub(crate) fn map_segment(
        &mut self,
        segment: &Segment<'_>,
        physical: u64,
        memory: &mut Memory,
    ) -> Result<(), Error> {
        let mut flags = PageTableFlags::empty();
        flags.set(PageTableFlags::WRITABLE, segment.writable);
        flags.set(PageTableFlags::NO_EXECUTE, !segment.executable);
        self.map::<Size4KiB>(segment.pages, physical, flags, memory)
    }

    /// Maps pages for reading and writing to the frames from `physical` on.
    pub(crate) fn map_data(&mut self, pages: Range, physical: u64, memory: &mut Memory) -> Result<(), Error> {
        let flags = PageTableFlags::WRITABLE | PageTableFlags::NO_EXECUTE;
        self.map::<Size4KiB>(pages, physical, flags, memory)
    }

    /// Maps all physical memory, in the largest pages that processor and address allow.
    pub(crate) fn map_direct(&mut self, pages: Range, memory: &mut Memory) -> Result<(), Error> {
        let flags = PageTableFlags::WRITABLE | PageTableFlags::NO_EXECUTE;
        if has_gib_pages() && pages.start.is_multiple_of(Size1GiB::SIZE) {
            self.map::<Size1GiB>(pages, 0, flags, memory)
        } else {
            self.map::<Size2MiB>(pages, 0, flags, memory)
        }
    }

    /// Makes this the processor's address space.
    ///
    /// # Safety
    ///
    /// What runs and what it uses must be mapped: see [`Self::map_loader`].
    pub(crate) unsafe fn activate(&self) {
        // SAFETY: the tables are complete; the caller vouches for the rest.
        unsafe { Cr3::write(self.root, Cr3Flags::empty()) };
    }

    fn map<S: PageSize>(
        &mut self,
        pages: Range,
        physical: u64,
        flags: PageTableFlags,
        memory: &mut Memory,
    ) -> Result<(), Error>
    where
        for<'a> OffsetPageTable<'a>: Mapper<S>,
    {
        let flags = flags | PageTableFlags::PRESENT;
        for offset in (0..pages.size()).step_by(S::SIZE as usize) {
            let page = Page::containing_address(VirtAddr::new_truncate(pages.start + offset));
            let frame = PhysFrame::containing_address(PhysAddr::new_truncate(physical + offset));
            // SAFETY: these tables are not in use yet, so nothing can change under running code.
            let mapped = unsafe { self.mapper.map_to_with_table_flags(page, frame, flags, TABLE, memory) };
            match mapped {
                Ok(flush) => flush.ignore(),
                Err(MapToError::FrameAllocationFailed) => return Err(Error::Memory { wanted: PAGE }),
                Err(_) => return Err(Error::Placement { what: "a mapping", address: pages.start }),
            }
        }
        Ok(())
    }
}

fn has_gib_pages() -> bool {
    core::arch::x86_64::__cpuid(0x8000_0001).edx & (1 << 26) != 0
}
