//! Who may do what with the image, with modules and with everything else.

use crate::wx::{is_executable, is_writable, search};
use arch::paging::{Flags, Leaf};
use core::ops::Range;
use ktest::{check, check_eq, ktest, note};
use mm::label::Label;
use mm::layout::{self, PAGE_SIZE, image, phys_to_virt};
use mm::module_area::{ModuleRegion, Permission};
use mm::paging;
use mm::vmalloc::{Mapping, VMALLOC};

ktest! {
    fn no_frame_is_writable_and_executable_through_any_mapping() {
        let (executable, found) = search()?;
        note(format_args!("{executable} executable pages"));
        check!(executable > 16, "{executable} executable pages: the walk sees nothing");
        check!(found.is_empty(), "{:x?}", &found[..]);
    }

    fn the_search_finds_a_page_made_writable_and_executable() {
        let area = area()?;
        paging::protect_page(area.address(), Flags::PRESENT | Flags::WRITABLE)?;
        let found = search();
        paging::protect_page(area.address(), paging::WRITE)?;
        let (_, found) = found?;
        check!(found.iter().any(|both| both.executable == area.address() && both.writable == area.address()));
        // The direct map writes it as well.
        check!(found.iter().any(|both| both.executable == area.address() && both.writable != area.address()));
    }

    fn the_search_finds_a_writable_alias_of_kernel_text() {
        let text = image::text().start;
        let phys = paging::kernel_tables().translate(text).ok_or("text is not mapped")?;
        let start = VMALLOC.reserve(1, Label::new(format_args!("the test's alias")))?;
        paging::map_page(start, phys, paging::WRITE)?;
        let found = search();
        paging::unmap_page(start)?;
        VMALLOC.release(start);
        let (_, found) = found?;
        check!(found.iter().any(|both| both.executable == text && both.writable == start));
        check_eq!(found.len(), 1);
    }

    fn kernel_text_is_executable_and_read_only() {
        let pages = every_page(image::text(), &mut |leaf| is_executable(&leaf) && !is_writable(&leaf))?;
        note(format_args!("{pages} pages of text"));
    }

    fn read_only_data_is_read_only_and_not_executable() {
        every_page(image::rodata(), &mut |leaf| !is_executable(&leaf) && !is_writable(&leaf))?;
    }

    fn data_is_writable_and_not_executable() {
        every_page(image::data(), &mut |leaf| !is_executable(&leaf) && is_writable(&leaf))?;
    }

    fn the_direct_map_shows_text_and_read_only_data_read_only() {
        let table = paging::kernel_tables();
        for page in pages(image::text()).chain(pages(image::rodata())) {
            let phys = table.translate(page).ok_or("the image has a hole")?;
            let alias = table.lookup(phys_to_virt(phys)).ok_or("the direct map has a hole")?;
            check!(!is_writable(&alias) && !is_executable(&alias), "{page:#x} at {:#x}", alias.virt);
        }
    }

    fn a_modules_text_is_read_only_through_every_mapping_while_it_is_loaded() {
        let table = paging::kernel_tables();
        let mut region = ModuleRegion::new(3 * PAGE_SIZE as usize, Label::new(format_args!("the test's text")))?;
        region.bytes_mut().fill(0x90);
        let address = region.address();
        let before = table.lookup(address).ok_or("not mapped")?;
        check!(is_writable(&before) && !is_executable(&before), "before it is sealed: {before:x?}");
        let sealed = region.seal(Permission::Text)?;
        for page in (0..3).map(|i| address + i * PAGE_SIZE) {
            let leaf = table.lookup(page).ok_or("not mapped")?;
            check!(!is_writable(&leaf) && is_executable(&leaf), "{leaf:x?}");
            let alias = table.lookup(phys_to_virt(leaf.phys)).ok_or("not in the direct map")?;
            check!(!is_writable(&alias), "{alias:x?}");
        }
        let phys = table.translate(address).ok_or("not mapped")?;
        drop(sealed);
        check!(table.lookup(address).is_none());
        let alias = table.lookup(phys_to_virt(phys)).ok_or("not in the direct map")?;
        check!(is_writable(&alias), "after it is gone: {alias:x?}");
    }

    fn a_modules_read_only_data_and_data_have_their_permissions() {
        let table = paging::kernel_tables();
        for (permission, writable) in [(Permission::RoData, false), (Permission::Data, true)] {
            let region = ModuleRegion::new(1, Label::new(format_args!("the test's data")))?;
            let sealed = region.seal(permission)?;
            let leaf = table.lookup(sealed.address()).ok_or("not mapped")?;
            let alias = table.lookup(phys_to_virt(leaf.phys)).ok_or("not in the direct map")?;
            check_eq!((is_writable(&leaf), is_executable(&leaf)), (writable, false), "{permission:?}");
            check_eq!((is_writable(&alias), is_executable(&alias)), (writable, false), "{permission:?}, direct map");
        }
    }

    fn everything_outside_image_and_modules_is_not_executable() {
        let mut stranger = None;
        paging::kernel_tables().walk(0..512, &mut |leaf| {
            let at_home = image::text().contains(&leaf.virt) || layout::MODULES.contains(&leaf.virt);
            if is_executable(&leaf) && !at_home {
                stranger = Some(leaf);
            }
        });
        check!(stranger.is_none(), "{stranger:x?}");
    }

    fn no_page_is_the_users() {
        let mut count = 0;
        paging::kernel_tables().walk(0..512, &mut |leaf| {
            count += usize::from(leaf.flags.contains(Flags::USER_ACCESSIBLE));
        });
        check_eq!(count, 0);
    }

    fn the_cpu_obeys_the_tables() {
        use x86_64::registers::control::{Cr0, Cr0Flags, Cr4, Cr4Flags};
        use x86_64::registers::model_specific::{Efer, EferFlags};
        let (features, cr4) = (arch::cpu::features(), Cr4::read());
        check!(Cr0::read().contains(Cr0Flags::WRITE_PROTECT));
        check!(Efer::read().contains(EferFlags::NO_EXECUTE_ENABLE));
        check_eq!(cr4.contains(Cr4Flags::SUPERVISOR_MODE_EXECUTION_PROTECTION), features.smep);
        check_eq!(cr4.contains(Cr4Flags::SUPERVISOR_MODE_ACCESS_PREVENTION), features.smap);
        check_eq!(cr4.contains(Cr4Flags::USER_MODE_INSTRUCTION_PREVENTION), features.umip);
    }
}

fn pages(range: Range<u64>) -> impl Iterator<Item = u64> {
    range.step_by(PAGE_SIZE as usize)
}

/// How many pages the range has, each of which is mapped and as wanted.
fn every_page(range: Range<u64>, wanted: &mut dyn FnMut(Leaf) -> bool) -> Result<u64, ktest::Failed> {
    let table = paging::kernel_tables();
    let mut count = 0;
    for page in pages(range) {
        let leaf = table.lookup(page).ok_or("the image has a hole")?;
        check!(wanted(leaf), "{page:#x}: {leaf:x?}");
        count += 1;
    }
    check!(count > 0, "the image has none of it");
    Ok(count)
}

fn area() -> Result<Mapping, mm::MemoryError> {
    Mapping::new(&VMALLOC, PAGE_SIZE, paging::WRITE, Label::new(format_args!("the test's area")))
}
