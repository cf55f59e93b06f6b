//! Small objects: alignment, separation, and that emptied slabs go back to the frames.

use crate::pattern::{is_marked, mark};
use containers::Vec;
use ktest::{Rng, check, check_eq, ktest};
use mm::frame;
use mm::slab::{self, Cache, LARGEST};

ktest! {
    fn an_object_is_aligned_as_asked() {
        for size in [1, 8, 16, 17, 24, 100, 256, 1000, 2048, 2049, 4096, 5000, 65536] {
            for align in [1, 2, 8, 16, 64, 512, 2048, 4096] {
                let address = slab::kmalloc(size, align)?;
                let aligned = address % align as u64 == 0;
                // SAFETY: just taken with this size and alignment, and not used.
                unsafe { slab::kfree(address, size, align) };
                check!(aligned, "{address:#x} for {size} bytes aligned to {align}");
            }
        }
    }

    fn objects_of_every_class_keep_what_is_written_to_them() {
        let steps = if ktest::long() { 3_000_000 } else { 30_000 };
        let before = objects();
        let mut rng = Rng::new(0x51ab);
        let mut held: Vec<(u64, usize, u64)> = Vec::with_capacity(512)?;
        let base = objects();
        for step in 0..steps {
            if held.len() < 512 && (rng.below(2) == 0 || held.is_empty()) {
                let size = 8 * (1 + rng.below(LARGEST as u64 / 8) as usize);
                let address = slab::kmalloc(size, 8)?;
                // SAFETY: the object is ours.
                unsafe { mark(address, size as u64, step) };
                held.push_within_capacity((address, size, step)).map_err(|_| "no room kept")?;
            } else if let Some((address, size, tag)) = held.swap_remove(rng.below(held.len() as u64) as usize) {
                // SAFETY: the object is ours until it is freed.
                check!(unsafe { is_marked(address, size as u64, tag) }, "{size} bytes at {address:#x}, step {step}");
                // SAFETY: taken with this size and alignment, and not used again.
                unsafe { slab::kfree(address, size, 8) };
            }
        }
        check_eq!(objects(), base + held.len() as u64);
        for &(address, size, tag) in held.iter() {
            // SAFETY: as above.
            check!(unsafe { is_marked(address, size as u64, tag) }, "{size} bytes at {address:#x}, at the end");
            // SAFETY: as above.
            unsafe { slab::kfree(address, size, 8) };
        }
        drop(held);
        check_eq!(objects(), before);
    }

    fn emptied_slabs_give_their_frames_back() {
        const COUNT: usize = 10_000;
        let mut held: Vec<u64> = Vec::with_capacity(COUNT)?;
        let before = frame::usage().allocated;
        for _ in 0..COUNT {
            held.push(slab::kmalloc(128, 8)?)?;
        }
        let full = frame::usage().allocated;
        for &address in held.iter() {
            // SAFETY: taken above with this size and alignment, and not used.
            unsafe { slab::kfree(address, 128, 8) };
        }
        let after = frame::usage().allocated;
        check!(full >= before + COUNT as u64 / 32, "{before} frames before, {full} with {COUNT} objects");
        // A cache keeps its last slab.
        check!(after <= before + 1, "{before} frames before, {after} after");
    }

    fn a_cache_of_ones_own_gives_objects_of_its_size() {
        static CACHE: Cache = Cache::new("test", 96);
        let objects = [CACHE.alloc()?, CACHE.alloc()?, CACHE.alloc()?];
        for (i, &object) in objects.iter().enumerate() {
            check_eq!(object % 32, 0, "object {i} at {object:#x}");
            check!(objects[..i].iter().all(|other| other.abs_diff(object) >= 96));
        }
        check_eq!(CACHE.info().objects, 3);
        for object in objects {
            // SAFETY: from this cache, and not used.
            unsafe { CACHE.free(object) };
        }
        check_eq!(CACHE.info().objects, 0);
    }
}

fn objects() -> u64 {
    slab::info().map(|cache| u64::from(cache.objects)).sum()
}
