//! The frame allocator: alignment, separation, nothing lost.

use crate::pattern::{is_marked, mark};
use containers::Vec;
use ktest::{Rng, check, check_eq, ktest};
use mm::frame::{self, MAX_ORDER};
use mm::layout::{PAGE_SIZE, phys_to_virt};

ktest! {
    fn a_block_of_every_order_is_aligned_and_counted() {
        for order in 0..=MAX_ORDER {
            let before = frame::usage().allocated;
            let phys = frame::alloc(order)?;
            check_eq!(phys % (PAGE_SIZE << order), 0, "block {phys:#x} of order {order}");
            check_eq!(frame::usage().allocated, before + (1 << order));
            frame::free(phys, order);
            check_eq!(frame::usage().allocated, before);
        }
    }

    fn an_order_above_the_largest_is_an_error() {
        check!(frame::alloc(MAX_ORDER + 1).is_err());
        check!(frame::alloc(u8::MAX).is_err());
    }

    fn the_low_megabyte_is_never_given_out() {
        // The last frames to be given out are the odd ones: take nearly all single frames there are in the lowest chunk.
        let mut held: Vec<u64> = Vec::new();
        for _ in 0..4096 {
            let phys = frame::alloc(0)?;
            check!(phys >= 1 << 20, "{phys:#x}");
            held.push(phys)?;
        }
        held.iter().for_each(|&phys| frame::free(phys, 0));
    }

    fn a_cleared_frame_is_clear_after_others_have_used_it() {
        for _ in 0..64 {
            let used = frame::alloc(0)?;
            // SAFETY: the frame is ours.
            unsafe { mark(phys_to_virt(used), PAGE_SIZE, 7) };
            frame::free(used, 0);
            let clear = frame::alloc_zeroed()?;
            // SAFETY: the frame is ours, mapped by the direct map, and a page of words.
            let words = unsafe { core::slice::from_raw_parts(phys_to_virt(clear) as *const u64, 512) };
            let is_clear = words.iter().all(|&word| word == 0);
            frame::free(clear, 0);
            check!(is_clear);
        }
    }

    fn what_one_holds_nobody_else_gets() {
        let steps = if ktest::long() { 2_000_000 } else { 20_000 };
        let before = frame::usage().allocated;
        let mut rng = Rng::new(0x0f4a_3e51);
        let mut held: Vec<(u64, u8, u64)> = Vec::with_capacity(128)?;
        for step in 0..steps {
            if held.len() < 128 && (rng.below(2) == 0 || held.is_empty()) {
                let order = rng.below(5) as u8;
                let phys = frame::alloc(order)?;
                // SAFETY: the block is ours.
                unsafe { mark_ends(phys, order, step) };
                held.push((phys, order, step))?;
            } else if let Some((phys, order, tag)) = held.swap_remove(rng.below(held.len() as u64) as usize) {
                // SAFETY: the block is ours until it is freed.
                check!(unsafe { ends_are_marked(phys, order, tag) }, "{phys:#x} of order {order}, step {step}");
                frame::free(phys, order);
            }
        }
        for &(phys, order, tag) in held.iter() {
            // SAFETY: as above.
            check!(unsafe { ends_are_marked(phys, order, tag) }, "{phys:#x} of order {order}, at the end");
            frame::free(phys, order);
        }
        drop(held);
        check_eq!(frame::usage().allocated, before);
    }

    fn a_block_freed_twice_is_left_alone() {
        let phys = frame::alloc(0)?;
        frame::free(phys, 0);
        let before = frame::usage();
        frame::free(phys, 0);
        check_eq!(frame::usage(), before);
    }
}

/// Marks 64 bytes at either end of each of a block's frames.
///
/// # Safety
/// The block is the caller's.
unsafe fn mark_ends(phys: u64, order: u8, tag: u64) {
    for page in 0..1u64 << order {
        let virt = phys_to_virt(phys + page * PAGE_SIZE);
        // SAFETY: the caller's condition; the direct map shows the frame writable.
        unsafe { (mark(virt, 64, tag), mark(virt + PAGE_SIZE - 64, 64, tag)) };
    }
}

/// Whether they are still marked.
///
/// # Safety
/// The block is the caller's.
unsafe fn ends_are_marked(phys: u64, order: u8, tag: u64) -> bool {
    (0..1u64 << order).all(|page| {
        let virt = phys_to_virt(phys + page * PAGE_SIZE);
        // SAFETY: as for `mark_ends`.
        unsafe { is_marked(virt, 64, tag) && is_marked(virt + PAGE_SIZE - 64, 64, tag) }
    })
}
