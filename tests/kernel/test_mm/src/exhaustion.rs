//! Memory runs out: every way to ask for it says so, and all of it comes back.

use containers::{Arc, Box, String, Vec};
use ktest::{check, check_eq, ktest};
use mm::label::Label;
use mm::layout::{PAGE_SIZE, phys_to_virt};
use mm::stack::{KernelStack, TASK};
use mm::vmalloc::{Mapping, VMALLOC};
use mm::{MemoryError, frame, paging, slab};

/// All free frames, chained through their first words.
struct All {
    head: u64,
    count: u64,
}

impl All {
    fn take() -> Self {
        let mut all = Self { head: 0, count: 0 };
        while let Ok(phys) = frame::alloc(0) {
            // SAFETY: the frame is ours, shown writable by the direct map.
            unsafe { *(phys_to_virt(phys) as *mut u64) = all.head };
            all.head = phys;
            all.count += 1;
        }
        all
    }

    fn give_one(&mut self) {
        if self.count > 0 {
            let phys = self.head;
            // SAFETY: the frame is ours, and `take` wrote its first word.
            self.head = unsafe { *(phys_to_virt(phys) as *const u64) };
            self.count -= 1;
            frame::free(phys, 0);
        }
    }
}

impl Drop for All {
    fn drop(&mut self) {
        while self.count > 0 {
            self.give_one();
        }
    }
}

ktest! {
    fn all_frames_can_be_had_and_come_back() {
        for _ in 0..2 {
            let before = frame::usage();
            let all = All::take();
            check_eq!(all.count, before.free());
            check_eq!((frame::usage().free(), frame::usage().untouched), (0, 0));
            check_eq!(frame::alloc(0), Err(MemoryError::NoMemory));
            drop(all);
            check_eq!(frame::usage().allocated, before.allocated);
        }
    }

    fn large_blocks_are_whole_again_after_all_was_taken_apart() {
        drop(All::take());
        let before = frame::usage();
        let mut blocks = [0; 64];
        let count = blocks.iter_mut().map_while(|block| frame::alloc(frame::MAX_ORDER).map(|b| *block = b).ok()).count();
        blocks[..count].iter().for_each(|&block| frame::free(block, frame::MAX_ORDER));
        let could = before.free() >> (frame::MAX_ORDER + 1);
        check!(count as u64 >= could.min(64), "{count} blocks of 4 MiB of {} free frames", before.free());
    }

    fn small_objects_run_out_with_an_error() {
        let before = frame::usage().allocated;
        let all = All::take();
        let mut chain = 0;
        let mut count = 0;
        while let Ok(object) = slab::kmalloc(64, 8) {
            // SAFETY: the object is ours.
            unsafe { *(object as *mut u64) = chain };
            chain = object;
            count += 1;
            check!(count < 1_000_000, "objects without end");
        }
        check_eq!(slab::kmalloc(4096, 8), Err(MemoryError::NoMemory));
        while chain != 0 {
            let object = chain;
            // SAFETY: the object is ours and its first word was written above; then it is not used again.
            unsafe {
                chain = *(object as *const u64);
                slab::kfree(object, 64, 8);
            }
        }
        drop(all);
        check!(frame::usage().allocated <= before + 1, "{before} frames before, {}", frame::usage().allocated);
    }

    fn containers_say_that_memory_is_out_and_stay_whole() {
        let mut kept = Vec::try_from_iter(0..100u64)?;
        let mut text = String::from_str("kept")?;
        let all = All::take();
        // Large enough that no partial slab can serve it.
        check!(kept.reserve(10_000).is_err());
        check!(Vec::<u64>::with_capacity(10_000).is_err());
        check!(Box::<[u64; 4096]>::new_zeroed().is_err());
        check!(Vec::<u64>::with_capacity(usize::MAX / 8).is_err() && Vec::<u64>::with_capacity(usize::MAX).is_err());
        check!(fill(&mut text).is_err());
        check!(many_small_ones().is_err());
        drop(all);
        check!(kept.iter().copied().eq(0..100));
        check!(text.as_str().starts_with("kept"));
        kept.reserve(10_000)?;
    }

    fn an_area_that_cannot_be_filled_leaves_nothing_behind() {
        // Page tables for it first, which stay.
        drop(area(64)?);
        let before = (frame::usage().allocated, VMALLOC.usage());
        let mut all = All::take();
        for _ in 0..20 {
            all.give_one();
        }
        check_eq!(area(64).err(), Some(MemoryError::NoMemory));
        check!(KernelStack::new(TASK, Label::new(format_args!("the test's stack"))).is_ok());
        while frame::alloc(0).map(|phys| leak_into(&mut all, phys)).is_ok() {}
        check_eq!(KernelStack::new(TASK, Label::new(format_args!("the test's stack"))).err(), Some(MemoryError::NoMemory));
        drop(all);
        check_eq!((frame::usage().allocated, VMALLOC.usage()), before);
    }
}

fn leak_into(all: &mut All, phys: u64) {
    // SAFETY: the frame is the caller's, shown writable by the direct map.
    unsafe { *(phys_to_virt(phys) as *mut u64) = all.head };
    all.head = phys;
    all.count += 1;
}

fn area(pages: u64) -> Result<Mapping, MemoryError> {
    Mapping::new(&VMALLOC, pages * PAGE_SIZE, paging::WRITE, Label::new(format_args!("the test's area")))
}

fn fill(text: &mut String) -> Result<(), containers::AllocError> {
    for _ in 0..4096 {
        text.push_str("0123456789")?;
    }
    Ok(())
}

/// Boxes and counted values until there are no more: all of them are dropped on the way out.
fn many_small_ones() -> Result<(), containers::AllocError> {
    struct Node(#[allow(dead_code)] [u64; 30], #[allow(dead_code)] Option<Box<Node>>);
    let mut chain: Option<Box<Node>> = None;
    let mut result = Ok(());
    for _ in 0..1_000_000 {
        match Arc::new([0u8; 200]).and_then(|_| Box::new_uninit()) {
            Ok(room) => chain = Some(room.write(Node([0; 30], chain.take()))),
            Err(error) => {
                result = Err(error);
                break;
            }
        }
    }
    // Not by recursion: the chain may be long.
    while let Some(node) = chain {
        chain = Box::into_inner(node).1;
    }
    result
}
