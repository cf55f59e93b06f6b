//! Accesses that no page allows.

use core::arch::asm;
use core::hint::black_box;
use mm::label::Label;
use mm::layout::{PAGE_SIZE, image, phys_to_virt};
use mm::paging;
use mm::vmalloc::{Mapping, VMALLOC};

static READ_ONLY: [u64; 4] = [1, 2, 3, 4];

pub(crate) fn run(kind: &str) {
    match kind {
        "write-text" => write(image::text().start),
        "write-text-alias" => write(alias(image::text().start)),
        "write-rodata" => write(image::rodata().start),
        "write-rodata-alias" => write(alias(image::rodata().start)),
        "write-module-text" => write(own_code()),
        "write-module-text-alias" => write(alias(own_code())),
        "write-module-rodata" => write(black_box(&READ_ONLY).as_ptr() as u64),
        "execute-data" => execute(image::data().start),
        "execute-text-alias" => execute(alias(image::text().start)),
        "execute-stack" => execute(arch::stack::pointer() & !15),
        "call-init" => call_init(),
        "read-null" => read(0x10),
        "above-an-area" => beside(true),
        "below-an-area" => beside(false),
        _ => {}
    }
}

fn own_code() -> u64 {
    run as fn(&str) as usize as u64
}

fn alias(virt: u64) -> u64 {
    paging::kernel_tables().translate(virt).map_or(0, phys_to_virt)
}

fn write(address: u64) {
    // SAFETY: not sound, on purpose: the page is read-only or absent and the machine ends here. Where the kernel is wrong
    // and the write succeeds, it writes back what was there.
    unsafe {
        let pointer = address as *mut u8;
        let value = core::ptr::read_volatile(pointer);
        core::ptr::write_volatile(pointer, value);
    }
}

fn read(address: u64) {
    // SAFETY: nothing is mapped there: the machine ends here.
    black_box(unsafe { core::ptr::read_volatile(address as *const u8) });
}

fn execute(address: u64) {
    // SAFETY: not sound, on purpose: the page cannot be executed and the machine ends here.
    unsafe { asm!("call {}", in(reg) address, clobber_abi("C")) };
}

fn beside(above: bool) {
    let label = Label::new(format_args!("the test's area"));
    if let Ok(area) = Mapping::new(&VMALLOC, 3 * PAGE_SIZE, paging::WRITE, label) {
        let address = if above { area.address() + area.bytes() } else { area.address() - 1 };
        // SAFETY: not sound, on purpose: the guard page is absent and the machine ends here.
        unsafe { core::ptr::write_volatile(address as *mut u8, 1) };
        drop(area);
    }
}

/// Loads a module that calls its initialisation code when it is removed, and removes it.
fn call_init() {
    if module::load_by_name("test_init").is_ok() {
        let _ = module::unload("test_init");
    }
}
