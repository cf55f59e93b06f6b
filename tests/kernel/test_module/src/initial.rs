//! Initialisation code is given back (row M2).

use ktest::{check, check_eq, ktest, note};
use mm::layout::{MODULES, PAGE_SIZE, phys_to_virt};
use mm::module_area::POISON;
use mm::{frame, paging};

ktest! {
    fn the_pages_of_initialisation_are_unmapped_once_it_is_over() {
        let (of_init, of_text) = test_init::places();
        check!(MODULES.contains(&of_init) && MODULES.contains(&of_text), "{of_init:#x} and {of_text:#x}");
        check!(of_init / PAGE_SIZE != of_text / PAGE_SIZE);
        let table = paging::kernel_tables();
        check!(table.lookup(of_text).is_some(), "code that stays is gone");
        check!(table.lookup(of_init).is_none(), "code of initialisation is still there");
    }

    fn the_pages_of_this_modules_initialisation_are_there_while_it_runs() {
        // This runs in the module's init.
        check!(paging::kernel_tables().lookup(test_init::places().1).is_some());
        let mut text = 0;
        paging::kernel_tables().walk(511..512, &mut |leaf| {
            text += u32::from(MODULES.contains(&leaf.virt) && !leaf.flags.contains(paging::READ));
        });
        note(format_args!("{text} executable pages of modules"));
        // Of each loaded module one at least, and of this one two.
        check!(text >= 3, "{text} executable pages of modules");
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
