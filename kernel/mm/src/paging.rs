//! The kernel's own page tables (rows H1's upper half, H2): built once at boot, then changed under one lock.
//!
//! [`build`] makes them from the loader's: the direct map with the largest pages that fit the memory there is, the image
//! with a permission for each segment, read-only also through the direct map; level-3 tables for every slot the layout
//! names, so that slots 256 to 511 never change again. User space (slot 0) is empty here.
//!
//! Lock: `TABLES` (rank `PAGE_TABLE`, interrupts masked) is held for each change. Flushing is local until there are more CPUs.

use crate::early::{PhysRange, Ranges};
use crate::layout::{self, DIRECT_MAP, PAGE_SIZE, image, round_down, round_up};
use crate::{MemoryError, frame};
use arch::paging::{self, Flags, MapError, Table, level_size, phys_to_virt};
use base::sync::{IrqSpinLock, rank};

/// Readable only.
pub const READ: Flags = Flags::PRESENT.union(Flags::NO_EXECUTE).union(Flags::GLOBAL);
/// Readable and writable.
pub const WRITE: Flags = READ.union(Flags::WRITABLE);
/// Readable and executable.
pub const EXECUTE: Flags = Flags::PRESENT.union(Flags::GLOBAL);
/// Device registers: uncached, readable and writable.
pub const DEVICE: Flags = WRITE.union(Flags::NO_CACHE).union(Flags::WRITE_THROUGH);

static TABLES: IrqSpinLock<Option<Table>> = IrqSpinLock::new(rank::PAGE_TABLE, None);

/// Builds the kernel's tables out of `early` and switches to them.
///
/// `ram` is all memory; `largest` the highest level of leaf the CPU has (2 or 3); `stack` an address on the boot stack.
///
/// # Errors
/// [`MemoryError::NoMemory`].
pub(crate) fn build(early: &mut Ranges, ram: &Ranges, largest: u8, stack: u64) -> Result<(), MemoryError> {
    let old = Table::current();
    let mut source = || {
        let table = early.cut(PAGE_SIZE, PAGE_SIZE)?;
        zero_frame(table);
        Some(table)
    };
    let root = source().ok_or(MemoryError::NoMemory)?;
    // SAFETY: the frame was zeroed, is used for nothing else and is never freed.
    let new = unsafe { Table::at(root) };
    for slot in layout::FIXED_SLOTS {
        new.reserve_slot(slot, &mut source)?;
    }
    // The firmware's tables lie beside the ends of memory, the legacy ranges below 1 MiB: whole 2 MiB pages take them in.
    let mut mapped = Ranges::new();
    mapped.push(PhysRange { start: 0, end: level_size(2) });
    for range in ram.iter() {
        mapped.push(PhysRange {
            start: round_down(range.start, level_size(2)),
            end: round_up(range.end, level_size(2)),
        });
    }
    for range in mapped.iter() {
        let first = layout::DIRECT_SLOT + (range.start >> 39) as usize;
        let last = layout::DIRECT_SLOT + ((range.end - 1) >> 39) as usize;
        for slot in first..=last {
            new.reserve_slot(slot, &mut source)?;
        }
        map_range(new, phys_to_virt(range.start), range, largest, WRITE, &mut source)?;
    }
    map_image(old, new, &mut source)?;
    copy_around(old, new, stack, &mut source)?;
    // SAFETY: the new tables map the image at the same frames, the boot stack and the direct map as the old ones do.
    unsafe { new.load() };
    *TABLES.lock() = Some(new);
    Ok(())
}

fn map_image(old: Table, new: Table, source: paging::Source) -> Result<(), MemoryError> {
    let parts = [(image::text(), EXECUTE), (image::rodata(), READ), (image::data(), WRITE)];
    for (range, flags) in parts {
        for virt in range.step_by(PAGE_SIZE as usize) {
            let phys = old.translate(virt).ok_or(MemoryError::BadMap)?;
            new.map(virt, phys, 1, flags, source)?;
            if !flags.contains(Flags::WRITABLE) {
                // No other way to write to it: the direct map's view is read-only too.
                new.split(phys_to_virt(phys), source)?;
                new.protect(phys_to_virt(phys), READ)?;
            }
        }
    }
    Ok(())
}

/// Carries the mapped pages around `address` over: the boot stack, whose ends are unmapped guard pages.
fn copy_around(old: Table, new: Table, address: u64, source: paging::Source) -> Result<(), MemoryError> {
    let mut page = round_down(address, PAGE_SIZE);
    while old.lookup(page - PAGE_SIZE).is_some() && page > layout::VMALLOC.start {
        page -= PAGE_SIZE;
    }
    while let Some(phys) = old.translate(page) {
        new.map(page, phys, 1, WRITE, source)?;
        page += PAGE_SIZE;
    }
    Ok(())
}

/// Maps `range` at `virt` with the largest leaves that alignment and `largest` allow.
pub(crate) fn map_range(
    table: Table,
    mut virt: u64,
    range: PhysRange,
    largest: u8,
    flags: Flags,
    source: paging::Source,
) -> Result<(), MemoryError> {
    let mut phys = range.start;
    while phys < range.end {
        let mut level = largest;
        while level > 1
            && ((virt | phys) & (level_size(level) - 1) != 0 || range.end - phys < level_size(level))
        {
            level -= 1;
        }
        table.map(virt, phys, level, flags, source)?;
        virt += level_size(level);
        phys += level_size(level);
    }
    Ok(())
}

/// The kernel's tables, for walks that only look.
pub fn kernel_tables() -> Table {
    (*TABLES.lock()).unwrap_or_else(Table::current)
}

/// Maps one page of 4 KiB in the kernel's half.
///
/// # Errors
/// [`MemoryError::NoMemory`] for a table, [`MemoryError::BadMap`] where something is mapped already.
pub fn map_page(virt: u64, phys: u64, flags: Flags) -> Result<(), MemoryError> {
    let tables = TABLES.lock();
    let table = (*tables).ok_or(MemoryError::BadMap)?;
    Ok(table.map(virt, phys, 1, flags, &mut table_frame)?)
}

/// Unmaps one page of 4 KiB and returns the frame that was there. The caller makes the CPUs forget it
/// ([`arch::tlb::flush_everywhere`]) before the frame is used again.
///
/// # Errors
/// [`MemoryError::BadMap`] where nothing is mapped.
pub fn unmap_page(virt: u64) -> Result<u64, MemoryError> {
    let tables = TABLES.lock();
    let table = (*tables).ok_or(MemoryError::BadMap)?;
    Ok(table.unmap(virt)?.phys)
}

/// Gives one mapped page of 4 KiB other flags. The caller makes the CPUs forget the old ones.
///
/// # Errors
/// [`MemoryError::BadMap`] where nothing is mapped.
pub fn protect_page(virt: u64, flags: Flags) -> Result<(), MemoryError> {
    let tables = TABLES.lock();
    let table = (*tables).ok_or(MemoryError::BadMap)?;
    Ok(table.protect(virt, flags)?)
}

/// Makes the direct map's view of the frame at `phys` read-only, or writable again. Splits a large page where needed. The
/// caller makes the CPUs forget the old view.
///
/// # Errors
/// [`MemoryError::NoMemory`] for a table; nothing has changed then.
pub fn protect_direct(phys: u64, writable: bool) -> Result<(), MemoryError> {
    let tables = TABLES.lock();
    let table = (*tables).ok_or(MemoryError::BadMap)?;
    let virt = phys_to_virt(phys);
    table.split(virt, &mut table_frame)?;
    Ok(table.protect(virt, if writable { WRITE } else { READ })?)
}

/// A level-4 table for another CPU: the kernel's half, the same entries as every other CPU's; user space empty.
///
/// # Errors
/// [`MemoryError::NoMemory`].
pub fn table_for_cpu() -> Result<Table, MemoryError> {
    let root = frame::alloc_zeroed()?;
    // SAFETY: the frame is fresh and stays a page table for ever.
    let table = unsafe { Table::at(root) };
    table.copy_kernel_half(kernel_tables());
    Ok(table)
}

/// A level-4 table on which a CPU can start: the kernel's half, and the page at `phys` at its own address, executable.
///
/// # Errors
/// [`MemoryError`].
pub fn table_for_start(phys: u64) -> Result<Table, MemoryError> {
    let table = table_for_cpu()?;
    table.map(phys, phys, 1, EXECUTE, &mut table_frame)?;
    Ok(table)
}

fn table_frame() -> Option<u64> {
    let phys = frame::alloc(0).ok()?;
    zero_frame(phys);
    Some(phys)
}

/// Fills the frame at `phys` with zeroes.
pub(crate) fn zero_frame(phys: u64) {
    zero(phys_to_virt(phys), PAGE_SIZE);
}

/// Fills `bytes` of kernel memory at `virt` with zeroes.
pub(crate) fn zero(virt: u64, bytes: u64) {
    debug_assert!(virt >= DIRECT_MAP);
    // SAFETY: the callers own the frames behind the range and nothing refers to them yet. `rep stosq`.
    unsafe { core::slice::from_raw_parts_mut(virt as *mut u64, (bytes / 8) as usize) }.fill(0);
}

impl From<MapError> for MemoryError {
    fn from(error: MapError) -> Self {
        match error {
            MapError::NoMemory => MemoryError::NoMemory,
            MapError::Occupied | MapError::Missing => MemoryError::BadMap,
        }
    }
}
