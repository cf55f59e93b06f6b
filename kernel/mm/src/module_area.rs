//! Memory for a module's sections: written first, then sealed with its permission, never both writable and executable.
//!
//! A [`ModuleRegion`] is mapped writable and not executable. [`ModuleRegion::seal`] gives it its permission; for code and
//! read-only data the direct map's view of its frames becomes read-only too, so that no mapping can write them. Dropping a
//! region fills it with breakpoints, makes its frames ordinary memory again, and unmaps it: a stale pointer faults.

use crate::label::Label;
use crate::layout::PAGE_SIZE;
use crate::paging::{self, EXECUTE, READ, WRITE};
use crate::vmalloc::{MODULES, Mapping};
use crate::{MemoryError, frame};

/// The byte that freed module memory is filled with: the one-byte breakpoint instruction.
pub const POISON: u8 = 0xcc;

/// What may be done with a sealed region.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Permission {
    /// Executed and read.
    Text,
    /// Read.
    RoData,
    /// Read and written.
    Data,
}

/// A region that is being written.
pub struct ModuleRegion {
    mapping: Mapping,
    /// Pages from the start whose direct-map view is read-only.
    guarded: u64,
}

/// A region with its permission.
pub struct SealedRegion(ModuleRegion);

impl ModuleRegion {
    /// `bytes` (at least 1), rounded up to pages and cleared, within reach of the kernel's code.
    ///
    /// # Errors
    /// [`MemoryError`].
    pub fn new(bytes: usize, label: Label) -> Result<Self, MemoryError> {
        let mapping = Mapping::new(&MODULES, bytes.max(1) as u64, WRITE, label)?;
        paging::zero(mapping.address(), mapping.bytes());
        Ok(Self { mapping, guarded: 0 })
    }

    /// First address.
    pub fn address(&self) -> u64 {
        self.mapping.address()
    }

    /// Its bytes.
    pub fn bytes_mut(&mut self) -> &mut [u8] {
        // SAFETY: the region is mapped writable as long as this value lives unsealed, and is this value's alone.
        unsafe {
            core::slice::from_raw_parts_mut(self.mapping.address() as *mut u8, self.mapping.bytes() as usize)
        }
    }

    /// Gives the region its permission.
    ///
    /// # Errors
    /// [`MemoryError::NoMemory`] for a page table; the region is dropped then.
    pub fn seal(mut self, permission: Permission) -> Result<SealedRegion, MemoryError> {
        let flags = match permission {
            Permission::Text => EXECUTE,
            Permission::RoData => READ,
            Permission::Data => return Ok(SealedRegion(self)),
        };
        for page in 0..self.mapping.bytes() / PAGE_SIZE {
            let virt = self.mapping.address() + page * PAGE_SIZE;
            let phys = paging::kernel_tables().translate(virt).ok_or(MemoryError::BadMap)?;
            paging::protect_direct(phys, false)?;
            self.guarded = page + 1;
            paging::protect_page(virt, flags)?;
        }
        arch::tlb::flush_everywhere();
        Ok(SealedRegion(self))
    }
}

impl SealedRegion {
    /// First address.
    pub fn address(&self) -> u64 {
        self.0.address()
    }

    /// Length in bytes, a multiple of the page size.
    pub fn bytes(&self) -> u64 {
        self.0.mapping.bytes()
    }

    /// Whether `address` lies in the region.
    pub fn contains(&self, address: u64) -> bool {
        (self.address()..self.address() + self.bytes()).contains(&address)
    }
}

impl Drop for ModuleRegion {
    fn drop(&mut self) {
        let page = |page| paging::kernel_tables().translate(self.mapping.address() + page * PAGE_SIZE);
        for phys in (0..self.guarded).filter_map(page) {
            // The page is mapped by a 4 KiB leaf, so the change cannot need memory.
            let _ = paging::protect_direct(phys, true);
        }
        if self.guarded > 0 {
            arch::tlb::flush_everywhere();
        }
        for phys in (0..self.mapping.bytes() / PAGE_SIZE).filter_map(page) {
            frame::fill(phys, POISON);
        }
        // The mapping's own drop unmaps the pages and frees the frames.
    }
}
