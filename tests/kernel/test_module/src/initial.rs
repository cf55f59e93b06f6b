//! Initialisation code is given back (row M2).

use ktest::{check, check_eq, ktest};
use mm::layout::{MODULES, PAGE_SIZE, phys_to_virt};
use mm::module_area::POISON;
use mm::{frame, paging};

ktest! {
    fn the_pages_of_initialisation_are_unmapped_once_it_is_over() {
        check_eq!(pages_named("module test_flaky")?, 0);
        let image = module::image("test_flaky").ok_or("no test_flaky")?;
        module::load("test_flaky", image, "")?;
        check!(pages_named("module test_flaky text")? > 0);
        check_eq!(pages_named("module test_flaky init")?, 0);
        module::unload("test_flaky")?;
        check_eq!(pages_named("module test_flaky")?, 0);
    }

    fn the_pages_of_this_modules_initialisation_are_there_while_it_runs() {
        // This runs in the module's init.
        check!(pages_named("module test_module text")? > 0);
        check!(pages_named("module test_module init text")? > 0);
    }

    fn what_a_module_leaves_is_poisoned() {
        let image = module::image("test_flaky").ok_or("no test_flaky")?;
        module::load("test_flaky", image, "")?;
        // Its text: the executable page of the modules' range that is there now and not before, by its label.
        let table = paging::kernel_tables();
        let mut place = None;
        table.walk(511..512, &mut |leaf| {
            let mut name = containers::String::new();
            if MODULES.contains(&leaf.virt) && mm::vmalloc::name_address(leaf.virt, &mut name).is_some()
                && name.as_str() == "in module test_flaky text"
            {
                place = Some(leaf);
            }
        });
        let place = place.ok_or("no text of test_flaky")?;
        module::unload("test_flaky")?;
        check!(table.lookup(place.virt).is_none());
        // SAFETY: the frame is free now, or somebody else's who does not know; it is only read, and shown by the direct map.
        let bytes = unsafe { core::slice::from_raw_parts(phys_to_virt(place.phys) as *const u8, PAGE_SIZE as usize) };
        // A free frame's owner may keep a word or two in it.
        let poisoned = bytes.iter().filter(|&&byte| byte == POISON).count();
        check!(poisoned >= PAGE_SIZE as usize - 64, "{poisoned} bytes of poison");
        check_eq!(frame::alloc(0).map(|phys| frame::free(phys, 0)), Ok(()));
    }
}

/// Mapped pages of the modules' range that lie in areas whose names begin so.
fn pages_named(start: &str) -> Result<u32, ktest::Failed> {
    let mut count = 0;
    let mut failed = false;
    paging::kernel_tables().walk(511..512, &mut |leaf| {
        if MODULES.contains(&leaf.virt) {
            let mut name = containers::String::new();
            failed |= !matches!(mm::vmalloc::name_address(leaf.virt, &mut name), Some(Ok(())));
            let named = name.as_str().strip_prefix("in ").is_some_and(|name| name.starts_with(start));
            count += u32::from(named);
        }
    });
    check!(!failed, "a page without a name");
    Ok(count)
}
