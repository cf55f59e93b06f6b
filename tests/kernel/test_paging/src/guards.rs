//! Guard pages: the pages around every stack are absent.

use arch::irq;
use arch::paging::Table;
use arch::stack::Bounds;
use ktest::{check, check_eq, ktest};
use mm::layout::{BOOT_STACK, BOOT_STACK_SIZE, PAGE_SIZE};
use mm::paging;

ktest! {
    fn every_lines_stack_has_16_kib_between_guards() {
        let mut lines = 0;
        for info in (0..irq::LINES as u8).filter_map(irq::line_info) {
            check_eq!(info.stack.size(), 16 << 10, "line {}", info.line);
            check!(is_guarded(info.stack), "line {}, {:x?}", info.line, info.stack);
            lines += 1;
        }
        check!(lines >= 3, "{lines} lines");
    }

    fn the_stack_of_vectors_that_are_no_line_is_guarded() {
        check_eq!(irq::vector_stack().size(), 16 << 10);
        check!(is_guarded(irq::vector_stack()));
    }

    fn the_boot_stack_is_guarded() {
        let bounds = Bounds { bottom: BOOT_STACK + PAGE_SIZE, top: BOOT_STACK + PAGE_SIZE + BOOT_STACK_SIZE };
        check!(is_guarded(bounds), "{bounds:x?}");
    }

    fn the_interrupt_stack_tables_stacks_are_guarded() {
        for ist in arch::gdt::Ist::ALL {
            let top = arch::gdt::ist_stack_top(ist);
            let bounds = Bounds { bottom: top - (16 << 10), top };
            check!(is_guarded(bounds), "{}: {bounds:x?}", ist.name());
        }
    }
}

/// All pages between the bounds are there, those beside them are not.
fn is_guarded(bounds: Bounds) -> bool {
    let table: Table = paging::kernel_tables();
    let inside =
        (bounds.bottom..bounds.top).step_by(PAGE_SIZE as usize).all(|page| table.lookup(page).is_some());
    inside && table.lookup(bounds.bottom - PAGE_SIZE).is_none() && table.lookup(bounds.top).is_none()
}
