//! The kernel's half as `mm::layout` documents it.

use arch::paging::{Flags, Table, level_size};
use ktest::{check, check_eq, ktest, note};
use mm::layout::{self, DIRECT_MAP, DIRECT_SLOT, FIXED_SLOTS, PAGE_SIZE, image};
use mm::paging;

ktest! {
    fn user_space_is_empty() {
        let table = paging::kernel_tables();
        for slot in 0..256 {
            check_eq!(table.slot(slot), 0, "slot {slot}");
        }
        let mut leaves = 0;
        table.walk(0..256, &mut |_| leaves += 1);
        check_eq!(leaves, 0);
    }

    fn the_slots_are_those_of_the_layout() {
        let table = paging::kernel_tables();
        for slot in 256..512 {
            let present = table.slot(slot) & Flags::PRESENT.bits() != 0;
            if FIXED_SLOTS.contains(&slot) {
                check!(present, "slot {slot} of the layout is not there");
            } else if present {
                check!((DIRECT_SLOT..468).contains(&slot), "slot {slot} is nobody's");
            }
        }
    }

    fn the_documented_addresses_lie_in_their_slots() {
        for (address, slot) in [
            (DIRECT_MAP, DIRECT_SLOT),
            (layout::FRAMES, 468),
            (layout::MMIO.start, 509),
            (layout::VMALLOC.start, 510),
            (layout::VMALLOC.end - 1, 510),
            (layout::KERNEL, 511),
            (layout::MODULES.start, 511),
            (layout::MODULES.end - 1, 511),
        ] {
            check_eq!((address >> 39) as usize & 511, slot, "{address:#x}");
        }
        check_eq!(layout::KERNEL, 0xffff_ffff_8000_0000);
        check_eq!(layout::MODULES, 0xffff_ffff_a000_0000..0xffff_ffff_fef0_0000);
        check_eq!(DIRECT_MAP, 0xffff_8800_0000_0000);
        check_eq!(layout::VMALLOC.start, 0xffff_ff00_0000_0000);
    }

    fn every_page_lies_in_a_range_of_the_layout() {
        let mut stranger = None;
        paging::kernel_tables().walk(256..512, &mut |leaf| {
            let direct = (DIRECT_MAP..layout::FRAMES).contains(&leaf.virt);
            let frames = (layout::FRAMES..layout::FRAMES + level_size(3) * 512).contains(&leaf.virt);
            let image = (layout::KERNEL..image::data().end).contains(&leaf.virt);
            let others = [layout::MMIO, layout::VMALLOC, layout::MODULES].iter().any(|r| r.contains(&leaf.virt));
            if !(direct || frames || image || others) {
                stranger = Some(leaf);
            }
        });
        check!(stranger.is_none(), "{stranger:x?}");
    }

    fn the_direct_map_shows_each_address_at_its_offset() {
        let mut wrong = None;
        let (mut bytes, mut large, mut small) = (0, 0, 0);
        paging::kernel_tables().walk(DIRECT_SLOT..468, &mut |leaf| {
            if leaf.virt != DIRECT_MAP + leaf.phys {
                wrong = Some(leaf);
            }
            bytes += level_size(leaf.level);
            match leaf.level {
                1 => small += 1,
                _ => large += 1,
            }
        });
        note(format_args!("{} MiB in {large} large and {small} small pages", bytes >> 20));
        check!(wrong.is_none(), "{wrong:x?}");
        // Small pages come only from splitting large ones, for what is read-only.
        check!(small % 512 == 0, "{small} pages of 4 KiB");
        check!(bytes >> 21 > 0 && large > 0, "{large} large pages");
    }

    fn the_image_is_where_the_linker_put_it() {
        check!(image::text().start >= layout::KERNEL);
        check!(image::text().end <= image::rodata().start && image::rodata().end <= image::data().start);
        check!(image::data().end <= layout::MODULES.start);
        let here = (the_code as fn() -> u64) as usize as u64;
        // A module's code lies in the modules' range, the kernel's in the image.
        check!(layout::MODULES.contains(&here), "{here:#x}");
        let kernels = (paging::kernel_tables as fn() -> Table) as usize as u64;
        check!(image::text().contains(&kernels), "{kernels:#x}");
    }

    fn the_cpu_runs_on_the_kernels_tables() {
        check_eq!(Table::current().phys(), paging::kernel_tables().phys());
        check_eq!(Table::current().phys() % PAGE_SIZE, 0);
    }
}

fn the_code() -> u64 {
    arch::stack::pointer()
}
