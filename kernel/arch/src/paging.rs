//! Page tables as mechanism: four levels of 512 entries, reached through the direct map.
//!
//! A [`Table`] is a shared view of one page table; entries are atomics, so that a walk by one CPU beside a change by
//! another reads either the old entry or the new one. Who may change which part at a time is the caller's rule (the
//! memory layer holds its page-table lock). Flushing is the caller's too: [`flush_all`], [`crate::tlb`].
//!
//! Levels are counted as the manual counts them: a leaf at level 1 maps 4 KiB, at level 2 2 MiB, at level 3 1 GiB.
//! Source: Intel SDM volume 3, section 4.5.

use core::sync::atomic::{AtomicU64, Ordering::Relaxed};
pub use x86_64::structures::paging::PageTableFlags as Flags;

/// Where all physical memory is mapped.
pub const DIRECT_MAP: u64 = 0xffff_8800_0000_0000;
/// Bytes in the smallest page.
pub const PAGE_SIZE: u64 = 4096;

const ADDRESS: u64 = 0x000f_ffff_ffff_f000;
/// What an entry that leads to another table carries: the leaf alone decides what is forbidden.
const TO_TABLE: u64 = Flags::PRESENT.bits() | Flags::WRITABLE.bits();

/// The address at which the direct map shows physical address `phys`.
pub const fn phys_to_virt(phys: u64) -> u64 {
    DIRECT_MAP + phys
}

/// Bytes that a leaf at `level` maps.
pub const fn level_size(level: u8) -> u64 {
    PAGE_SIZE << (9 * (level as u32 - 1))
}

/// Why a mapping could not be made or changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MapError {
    /// No frame for a page table.
    NoMemory,
    /// Something is mapped there already, or lies in the way as a larger page.
    Occupied,
    /// Nothing is mapped there.
    Missing,
}

/// Where new page tables come from: a zeroed frame's physical address, or `None` when memory is out.
pub type Source<'a> = &'a mut dyn FnMut() -> Option<u64>;

/// A leaf found by a look-up or a walk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Leaf {
    /// First virtual address that the leaf maps.
    pub virt: u64,
    /// First physical address.
    pub phys: u64,
    /// 1, 2 or 3: 4 KiB, 2 MiB, 1 GiB.
    pub level: u8,
    /// The leaf's own flags.
    pub flags: Flags,
}

/// A level-4 table with all below it.
#[derive(Clone, Copy, Debug)]
pub struct Table {
    phys: u64,
}

impl Table {
    /// The tables that this CPU runs on.
    pub fn current() -> Self {
        Self { phys: x86_64::registers::control::Cr3::read().0.start_address().as_u64() }
    }

    /// The table in the frame at `phys`.
    ///
    /// # Safety
    /// The frame is a page table of level 4, reached through the direct map, and stays one while this value is used.
    pub const unsafe fn at(phys: u64) -> Self {
        Self { phys }
    }

    /// Physical address of the level-4 table.
    pub fn phys(self) -> u64 {
        self.phys
    }

    /// Makes this CPU run on these tables.
    ///
    /// # Safety
    /// They map the running code, its stack and its data as the tables in use do.
    pub unsafe fn load(self) {
        use x86_64::PhysAddr;
        use x86_64::registers::control::{Cr3, Cr3Flags};
        use x86_64::structures::paging::PhysFrame;
        let frame = PhysFrame::containing_address(PhysAddr::new_truncate(self.phys));
        // SAFETY: the caller's condition.
        unsafe { Cr3::write(frame, Cr3Flags::empty()) };
    }

    /// Gives slot `slot` of the level-4 table a table of level 3, so that the slot's entry never changes again.
    ///
    /// # Errors
    /// [`MapError::NoMemory`].
    pub fn reserve_slot(self, slot: usize, source: Source) -> Result<(), MapError> {
        let entry = &entries(self.phys)[slot & 511];
        if entry.load(Relaxed) == 0 {
            entry.store(source().ok_or(MapError::NoMemory)? | TO_TABLE, Relaxed);
        }
        Ok(())
    }

    /// Takes over the entries of slots 256 to 511 from `other`.
    pub fn copy_kernel_half(self, other: Table) {
        for slot in 256..512 {
            entries(self.phys)[slot].store(entries(other.phys)[slot].load(Relaxed), Relaxed);
        }
    }

    /// Maps the page of `level` at `virt` to `phys`. Cost: three dependent loads and a store where the tables are there.
    ///
    /// # Errors
    /// [`MapError::Occupied`] where something is mapped, [`MapError::NoMemory`] where a table is wanting.
    pub fn map(self, virt: u64, phys: u64, level: u8, flags: Flags, source: Source) -> Result<(), MapError> {
        let mut table = entries(self.phys);
        let mut at = 4;
        while at > level {
            let entry = &table[index(virt, at)];
            let mut value = entry.load(Relaxed);
            if value & Flags::PRESENT.bits() == 0 {
                value = source().ok_or(MapError::NoMemory)? | TO_TABLE;
                entry.store(value, Relaxed);
            } else if value & Flags::HUGE_PAGE.bits() != 0 {
                return Err(MapError::Occupied);
            }
            table = entries(value & ADDRESS);
            at -= 1;
        }
        let entry = &table[index(virt, level)];
        if entry.load(Relaxed) & Flags::PRESENT.bits() != 0 {
            return Err(MapError::Occupied);
        }
        entry.store(leaf_value(phys, level, flags), Relaxed);
        Ok(())
    }

    /// Takes the leaf at `virt` away and returns it. The tables above it stay. The caller flushes.
    ///
    /// # Errors
    /// [`MapError::Missing`].
    pub fn unmap(self, virt: u64) -> Result<Leaf, MapError> {
        let (entry, level) = self.find(virt).ok_or(MapError::Missing)?;
        Ok(leaf(virt, level, entry.swap(0, Relaxed)))
    }

    /// Gives the leaf at `virt` other flags. The caller flushes.
    ///
    /// # Errors
    /// [`MapError::Missing`].
    pub fn protect(self, virt: u64, flags: Flags) -> Result<(), MapError> {
        let (entry, level) = self.find(virt).ok_or(MapError::Missing)?;
        let phys = entry.load(Relaxed) & ADDRESS & !(level_size(level) - 1);
        entry.store(leaf_value(phys, level, flags), Relaxed);
        Ok(())
    }

    /// Makes sure that `virt` is mapped by a leaf of 4 KiB: larger leaves are split, each into 512 with its flags.
    ///
    /// # Errors
    /// [`MapError::Missing`], [`MapError::NoMemory`].
    pub fn split(self, virt: u64, source: Source) -> Result<(), MapError> {
        loop {
            let (entry, level) = self.find(virt).ok_or(MapError::Missing)?;
            if level == 1 {
                return Ok(());
            }
            let old = leaf(virt, level, entry.load(Relaxed));
            let table = source().ok_or(MapError::NoMemory)?;
            let step = level_size(level - 1);
            for (i, lower) in entries(table).iter().enumerate() {
                lower.store(leaf_value(old.phys + i as u64 * step, level - 1, old.flags), Relaxed);
            }
            entry.store(table | TO_TABLE, Relaxed);
        }
    }

    /// The leaf that maps `virt`.
    pub fn lookup(self, virt: u64) -> Option<Leaf> {
        let (entry, level) = self.find(virt)?;
        Some(leaf(virt, level, entry.load(Relaxed)))
    }

    /// The physical address behind `virt`.
    pub fn translate(self, virt: u64) -> Option<u64> {
        let leaf = self.lookup(virt)?;
        Some(leaf.phys + (virt - leaf.virt))
    }

    /// Calls `visit` for every leaf under the level-4 slots `slots`, in address order.
    pub fn walk(self, slots: core::ops::Range<usize>, visit: &mut dyn FnMut(Leaf)) {
        for slot in slots {
            let value = entries(self.phys)[slot & 511].load(Relaxed);
            if value & Flags::PRESENT.bits() != 0 {
                let sign = if slot >= 256 { 0xffff_0000_0000_0000 } else { 0 };
                walk_table(value & ADDRESS, 3, sign | (slot as u64) << 39, visit);
            }
        }
    }

    /// The raw level-4 entry of `slot`, for checks that compare CPUs.
    pub fn slot(self, slot: usize) -> u64 {
        entries(self.phys)[slot & 511].load(Relaxed)
    }

    fn find(self, virt: u64) -> Option<(&'static AtomicU64, u8)> {
        let mut table = entries(self.phys);
        let mut level = 4;
        loop {
            let entry = &table[index(virt, level)];
            let value = entry.load(Relaxed);
            if value & Flags::PRESENT.bits() == 0 {
                return None;
            }
            if level == 1 || (level < 4 && value & Flags::HUGE_PAGE.bits() != 0) {
                return Some((entry, level));
            }
            table = entries(value & ADDRESS);
            level -= 1;
        }
    }
}

fn walk_table(phys: u64, level: u8, base: u64, visit: &mut dyn FnMut(Leaf)) {
    for (i, entry) in entries(phys).iter().enumerate() {
        let value = entry.load(Relaxed);
        if value & Flags::PRESENT.bits() == 0 {
            continue;
        }
        let virt = base + i as u64 * level_size(level);
        if level == 1 || value & Flags::HUGE_PAGE.bits() != 0 {
            visit(leaf(virt, level, value));
        } else {
            walk_table(value & ADDRESS, level - 1, virt, visit);
        }
    }
}

fn leaf(virt: u64, level: u8, value: u64) -> Leaf {
    let mask = level_size(level) - 1;
    // Bit 12 of a large leaf belongs to the memory type, not to the address.
    Leaf {
        virt: virt & !mask,
        phys: value & ADDRESS & !mask,
        level,
        flags: Flags::from_bits_truncate(value) - Flags::HUGE_PAGE,
    }
}

fn leaf_value(phys: u64, level: u8, flags: Flags) -> u64 {
    let large = if level > 1 { Flags::HUGE_PAGE } else { Flags::empty() };
    phys | (flags | large | Flags::PRESENT).bits()
}

fn index(virt: u64, level: u8) -> usize {
    (virt >> (12 + 9 * (u32::from(level) - 1))) as usize & 511
}

fn entries(phys: u64) -> &'static [AtomicU64; 512] {
    // SAFETY: `phys` is the frame of a page table (the root by `Table::at`, those below by an entry that leads to a
    // table); the direct map shows it, it is never freed while its tables are in use, and atomics allow sharing.
    unsafe { &*(phys_to_virt(phys) as *const [AtomicU64; 512]) }
}

/// Forgets all of this CPU's cached translations, global ones included.
pub fn flush_all() {
    use x86_64::registers::control::{Cr4, Cr4Flags};
    // SAFETY: turning the global bit off and on again changes no mapping; it empties the buffer (SDM 4.10.4.1).
    unsafe {
        Cr4::update(|f| f.remove(Cr4Flags::PAGE_GLOBAL));
        Cr4::update(|f| f.insert(Cr4Flags::PAGE_GLOBAL));
    }
}
