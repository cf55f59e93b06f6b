//! Address space with guards: what is mapped, what is not, what is used again.

use containers::Vec;
use ktest::{Rng, check, check_eq, ktest};
use mm::label::Label;
use mm::layout::PAGE_SIZE;
use mm::vmalloc::{Mapping, VMALLOC};
use mm::{frame, paging};

ktest! {
    fn an_area_is_mapped_and_the_pages_around_it_are_not() {
        for pages in [1, 2, 3, 16] {
            let area = area(pages)?;
            let (start, end) = (area.address(), area.address() + area.bytes());
            let table = paging::kernel_tables();
            check_eq!(area.bytes(), pages * PAGE_SIZE);
            for page in (start..end).step_by(PAGE_SIZE as usize) {
                check!(table.lookup(page).is_some_and(|leaf| leaf.level == 1), "{page:#x}");
            }
            check!(table.lookup(start - PAGE_SIZE).is_none(), "below {start:#x}");
            check!(table.lookup(end).is_none(), "above {end:#x}");
        }
    }

    fn a_dropped_area_is_unmapped_and_its_frames_come_back() {
        // The first one may need page tables, which stay.
        drop(area(8)?);
        let (before, usage) = (frame::usage().allocated, VMALLOC.usage());
        let dropped = area(8)?;
        let start = dropped.address();
        check_eq!(frame::usage().allocated, before + 8);
        drop(dropped);
        check!(paging::kernel_tables().lookup(start).is_none());
        check_eq!(frame::usage().allocated, before);
        check_eq!(VMALLOC.usage(), usage);
    }

    fn no_two_areas_meet() {
        let mut rng = Rng::new(0xa7ea);
        let mut held: Vec<Mapping> = Vec::new();
        for _ in 0..2_000 {
            if held.len() < 64 && (rng.below(2) == 0 || held.is_empty()) {
                let new = area(1 + rng.below(6))?;
                let apart = |other: &Mapping| {
                    new.address() >= other.address() + other.bytes() + PAGE_SIZE
                        || other.address() >= new.address() + new.bytes() + PAGE_SIZE
                };
                check!(held.iter().all(apart), "{:#x}", new.address());
                held.push(new)?;
            } else {
                held.swap_remove(rng.below(held.len() as u64) as usize);
            }
        }
    }

    fn an_address_in_an_area_or_its_guard_is_named() {
        let area = area(2)?;
        let end = area.address() + area.bytes();
        for (address, expected) in [
            (area.address() - 8, "the guard page below the test's area, 8 KiB: it overflowed"),
            (area.address() + 8, "in the test's area"),
            (end + 8, "the guard page above the test's area"),
        ] {
            let mut name = containers::String::new();
            check!(mm::vmalloc::name_address(address, &mut name).is_some(), "{address:#x}");
            check_eq!(name.as_str(), expected);
        }
        let mut name = containers::String::new();
        check!(mm::vmalloc::name_address(0x1000, &mut name).is_none());
    }

    fn more_than_the_segment_holds_is_an_error() {
        let usage = (frame::usage().allocated, VMALLOC.usage());
        check_eq!(area(1 << 27).err(), Some(mm::MemoryError::NoSpace));
        check_eq!((frame::usage().allocated, VMALLOC.usage()), usage);
    }
}

fn area(pages: u64) -> Result<Mapping, mm::MemoryError> {
    Mapping::new(&VMALLOC, pages * PAGE_SIZE, paging::WRITE, Label::new(format_args!("the test's area")))
}
