//! Address space for the kernel with guard pages (row H3): the vmalloc segment, and on the same mechanism the modules' and
//! the devices' ranges.
//!
//! A [`Space`] hands out areas. Between any two areas lies at least one page that is never mapped, so running over an end
//! faults, and [`name_address`] says over whose. Areas are kept in address order; a new one goes into the first hole that
//! fits. An area's label travels with it.
//!
//! Cost: a search and an insertion in a sorted list, linear in the number of areas.
//!
//! Lock: one a space, rank `VMALLOC`, interrupts masked. The list grows under it, so the slab's and the frames' locks come
//! inside; pages are mapped outside it, while the area is the caller's alone.

use crate::MemoryError;
use crate::label::Label;
use crate::layout::{self, PAGE_SIZE, round_up};
use crate::{frame, paging};
use arch::paging::Flags;
use base::sync::{IrqSpinLock, rank};
use containers::Vec;
use core::fmt::{self, Write};
use core::ops::Range;

#[derive(Clone, Copy)]
struct Area {
    start: u64,
    pages: u64,
    label: Label,
}

impl Area {
    fn end(&self) -> u64 {
        self.start + self.pages * PAGE_SIZE
    }
}

/// A range of kernel addresses that hands out areas.
pub struct Space {
    range: Range<u64>,
    areas: IrqSpinLock<Vec<Area>>,
}

/// The vmalloc segment.
pub static VMALLOC: Space = Space::new(layout::VMALLOC);
/// The modules' range, within reach of the kernel's code.
pub static MODULES: Space = Space::new(layout::MODULES);
/// The devices' range.
pub static MMIO: Space = Space::new(layout::MMIO);

impl Space {
    const fn new(range: Range<u64>) -> Self {
        Self { range, areas: IrqSpinLock::new(rank::VMALLOC, Vec::new()) }
    }

    /// Takes an area of `pages` pages with an unmapped page on either side. Nothing is mapped in it yet.
    ///
    /// # Errors
    /// [`MemoryError::NoSpace`], [`MemoryError::NoMemory`].
    pub fn reserve(&self, pages: u64, label: Label) -> Result<u64, MemoryError> {
        let mut areas = self.areas.lock();
        areas.reserve(1)?;
        let mut start = self.range.start + PAGE_SIZE;
        let mut place = areas.len();
        for (i, area) in areas.iter().enumerate() {
            if start + (pages + 1) * PAGE_SIZE <= area.start {
                place = i;
                break;
            }
            start = area.end() + PAGE_SIZE;
        }
        if start + (pages + 1) * PAGE_SIZE > self.range.end {
            return Err(MemoryError::NoSpace);
        }
        areas.insert(place, Area { start, pages, label })?;
        Ok(start)
    }

    /// Notes an area that was there before: the boot stack.
    pub(crate) fn adopt(&self, start: u64, pages: u64, label: Label) -> Result<(), MemoryError> {
        let mut areas = self.areas.lock();
        let place = areas.iter().position(|a| a.start > start).unwrap_or(areas.len());
        Ok(areas.insert(place, Area { start, pages, label })?)
    }

    /// Gives an area back. Its pages are unmapped already.
    pub fn release(&self, start: u64) {
        let mut areas = self.areas.lock();
        if let Some(place) = areas.iter().position(|a| a.start == start) {
            areas.remove(place);
        }
    }

    /// How many areas there are, and how many pages in them.
    pub fn usage(&self) -> (usize, u64) {
        let areas = self.areas.lock();
        (areas.len(), areas.iter().map(|a| a.pages).sum())
    }

    fn name(&self, address: u64, out: &mut dyn Write) -> Option<fmt::Result> {
        if !self.range.contains(&address) {
            return None;
        }
        // The panic path asks: the lock may be held by the very code that failed.
        let areas = self.areas.try_lock()?;
        // The page between two neighbours is above one and below the other. Stacks grow down, so it is named as the
        // one below the upper area, which in the list comes last.
        areas.iter().rev().find_map(|area| {
            let label = &area.label;
            if (area.start - PAGE_SIZE..area.start).contains(&address) {
                Some(write!(out, "the guard page below {label}, {} KiB: it overflowed", area.pages * 4))
            } else if (area.end()..area.end() + PAGE_SIZE).contains(&address) {
                Some(write!(out, "the guard page above {label}"))
            } else if (area.start..area.end()).contains(&address) {
                Some(write!(out, "in {label}"))
            } else {
                None
            }
        })
    }
}

/// Says what lies at `address`, if an area or a guard page does. For reports.
pub fn name_address(address: u64, out: &mut dyn Write) -> Option<fmt::Result> {
    [&VMALLOC, &MODULES, &MMIO].into_iter().find_map(|space| space.name(address, out))
}

/// Memory of its own addresses, page by page from wherever frames are free.
pub struct Mapping {
    space: &'static Space,
    start: u64,
    pages: u64,
}

impl Mapping {
    /// `bytes`, rounded up to pages, mapped with `flags`, not cleared.
    ///
    /// # Errors
    /// [`MemoryError`]; nothing stays allocated then.
    pub fn new(space: &'static Space, bytes: u64, flags: Flags, label: Label) -> Result<Self, MemoryError> {
        let pages = round_up(bytes, PAGE_SIZE) / PAGE_SIZE;
        let start = space.reserve(pages, label)?;
        // From here on dropping the mapping undoes it, as far as it got.
        let mut mapping = Self { space, start, pages: 0 };
        for page in 0..pages {
            let phys = frame::alloc(0)?;
            if let Err(error) = paging::map_page(start + page * PAGE_SIZE, phys, flags) {
                frame::free(phys, 0);
                return Err(error);
            }
            mapping.pages += 1;
        }
        Ok(mapping)
    }

    /// First address.
    pub fn address(&self) -> u64 {
        self.start
    }

    /// Length in bytes, a multiple of the page size.
    pub fn bytes(&self) -> u64 {
        self.pages * PAGE_SIZE
    }

    /// Keeps the mapping for ever.
    pub fn leak(self) -> Range<u64> {
        let range = self.start..self.start + self.bytes();
        core::mem::forget(self);
        range
    }
}

impl Drop for Mapping {
    fn drop(&mut self) {
        // No frame is free before every CPU has forgotten where it was.
        let mut held = frame::Held::new();
        for page in 0..self.pages {
            // Each page was mapped by `new`, so it is there to unmap.
            if let Ok(phys) = paging::unmap_page(self.start + page * PAGE_SIZE) {
                held.push(phys);
            }
        }
        arch::tlb::flush_everywhere();
        drop(held);
        self.space.release(self.start);
    }
}

/// Maps the device registers at physical address `phys`, uncached, for ever; returns their address.
///
/// # Errors
/// [`MemoryError`].
pub fn map_device(phys: u64, bytes: u64, label: Label) -> Result<u64, MemoryError> {
    let first = layout::round_down(phys, PAGE_SIZE);
    let pages = (round_up(phys + bytes, PAGE_SIZE) - first) / PAGE_SIZE;
    let start = MMIO.reserve(pages, label)?;
    for page in 0..pages {
        paging::map_page(start + page * PAGE_SIZE, first + page * PAGE_SIZE, paging::DEVICE)?;
    }
    Ok(start + (phys - first))
}
