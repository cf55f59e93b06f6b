//! Where in the kernel's address space the loader's mappings go.
//!
//! Addresses that the kernel's configuration fixes are taken as they are. What it leaves open gets level-4
//! slots (512 GiB) of its own in the higher half, first free ones first, inside the dynamic range if one is
//! given: so no two mappings share a table, and a guard page costs nothing.

use crate::error::Error;
use crate::map::Range;
use crate::{PAGE, page_up};
use bootloader_api::BootloaderConfig;
use bootloader_api::config::Mapping;

/// Bytes of a level-4 slot.
const SLOT: u64 = 1 << 39;

/// Below it only what the configuration fixes: the loader's own pages lie there.
const HIGHER_HALF: u64 = 0xffff_8000_0000_0000;

/// The last page, exclusive.
const TOP: u64 = 0xffff_ffff_ffff_f000;

/// How large things are, in bytes.
#[derive(Debug, Clone, Copy)]
pub struct Sizes {
    /// The direct map.
    pub direct_map: u64,
    /// The alignment of the direct map's address: its smallest page.
    pub direct_align: u64,
    /// Boot information and region list.
    pub boot_info: u64,
    /// The bundle.
    pub ramdisk: u64,
}

/// Where things go: ranges of virtual addresses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Layout {
    /// All physical memory, if the kernel wants it mapped.
    pub direct_map: Option<Range>,
    /// The stack without its guard pages.
    pub stack: Range,
    /// Boot information and region list.
    pub boot_info: Range,
    /// The bundle, if it has a mapping of its own; else it is in the direct map.
    pub ramdisk: Option<Range>,
}

/// Finds a place for everything.
///
/// # Errors
///
/// [`Error::Placement`] for an address that is unaligned, not canonical, or taken; [`Error::Kernel`] for
/// requests that this loader does not serve.
pub fn plan(config: &BootloaderConfig, kernel: Range, sizes: Sizes) -> Result<Layout, Error> {
    let mappings = &config.mappings;
    if mappings.page_table_recursive.is_some() {
        return Err(Error::Kernel("asks for a recursive page table, which the loader does not make"));
    }
    if mappings.kernel_base != Mapping::Dynamic {
        return Err(Error::Kernel("asks for a base address but is linked at one"));
    }
    let stack = page_up(config.kernel_stack_size.max(PAGE));
    // One mapping of its own for the bundle where a place is asked for, or where there is no other.
    let own_ramdisk = mappings.physical_memory.is_none() || mappings.ramdisk_memory != Mapping::Dynamic;
    let wishes = [
        Wish {
            what: "the direct map",
            mapping: mappings.physical_memory,
            size: sizes.direct_map,
            align: sizes.direct_align,
        },
        // A guard page before it and one after it.
        Wish {
            what: "the boot stack",
            mapping: Some(mappings.kernel_stack),
            size: stack.saturating_add(2 * PAGE),
            align: PAGE,
        },
        Wish {
            what: "the boot information",
            mapping: Some(mappings.boot_info),
            size: sizes.boot_info,
            align: PAGE,
        },
        Wish {
            what: "the bundle",
            mapping: own_ramdisk.then_some(mappings.ramdisk_memory),
            size: sizes.ramdisk,
            align: PAGE,
        },
    ];
    let [direct_map, stack, boot_info, ramdisk] = place(&wishes, kernel, dynamic_range(config))?;
    let (stack, boot_info) = (stack.unwrap_or_default(), boot_info.unwrap_or_default());
    let stack = Range { start: stack.start + PAGE, end: stack.end - PAGE };
    Ok(Layout { direct_map, stack, boot_info, ramdisk })
}

/// Something to be mapped.
struct Wish {
    what: &'static str,
    /// Nothing: not at all.
    mapping: Option<Mapping>,
    size: u64,
    align: u64,
}

/// Fixed wishes first, so that no other takes their place.
fn place<const N: usize>(
    wishes: &[Wish; N],
    kernel: Range,
    dynamic: Range,
) -> Result<[Option<Range>; N], Error> {
    let mut places = [None; N];
    for (place, wish) in places.iter_mut().zip(wishes) {
        if let Some(Mapping::FixedAddress(address)) = wish.mapping {
            *place = Some(wish.fixed(address)?);
        }
    }
    for (index, wish) in wishes.iter().enumerate() {
        let taken = |range: Range| {
            places
                .iter()
                .enumerate()
                .any(|(i, place)| i != index && place.is_some_and(|other| overlap(other, range)))
                || overlap(kernel, range)
        };
        let found = match (wish.mapping, places.get(index).copied().flatten()) {
            (None, _) => continue,
            (_, Some(fixed)) if taken(fixed) => return Err(wish.refused(fixed.start)),
            (_, Some(fixed)) => fixed,
            (_, None) => wish.anywhere(dynamic, taken).ok_or(wish.refused(0))?,
        };
        if let Some(place) = places.get_mut(index) {
            *place = Some(found);
        }
    }
    Ok(places)
}

impl Wish {
    fn refused(&self, address: u64) -> Error {
        Error::Placement { what: self.what, address }
    }

    fn fixed(&self, address: u64) -> Result<Range, Error> {
        let end = address.checked_add(page_up(self.size)).filter(|end| *end <= TOP);
        let range = Range { start: address, end: end.ok_or(self.refused(address))? };
        // Canonical, and not across the hole between the halves.
        let half = |address: u64| (address as i64) >> 47;
        let canonical = matches!(half(address), 0 | -1) && half(address) == half(range.end - 1);
        // Page 0 stays unmapped.
        if !canonical || !address.is_multiple_of(self.align) || address == 0 {
            return Err(self.refused(address));
        }
        Ok(range)
    }

    /// Whole free slots.
    fn anywhere(&self, dynamic: Range, taken: impl Fn(Range) -> bool) -> Option<Range> {
        let mut start = dynamic.start.checked_next_multiple_of(SLOT)?;
        loop {
            let slots = self.size.checked_next_multiple_of(SLOT)?;
            let end = start.checked_add(slots).filter(|end| *end <= dynamic.end)?;
            if !taken(Range { start, end }) {
                return Some(Range { start, end: start + page_up(self.size) });
            }
            start += SLOT;
        }
    }
}

fn dynamic_range(config: &BootloaderConfig) -> Range {
    Range {
        start: config.mappings.dynamic_range_start.unwrap_or(0).max(HIGHER_HALF),
        end: config.mappings.dynamic_range_end.unwrap_or(TOP),
    }
}

fn overlap(a: Range, b: Range) -> bool {
    a.start < b.end && b.start < a.end
}

#[cfg(test)]
mod tests;
