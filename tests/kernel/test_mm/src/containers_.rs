//! The containers over the kernel's allocator.

use containers::{Arc, Box, String, Vec, try_format, unsize};
use core::sync::atomic::{AtomicU32, Ordering::Relaxed};
use ktest::{check, check_eq, ktest};
use mm::{frame, slab};

ktest! {
    fn a_vec_grows_to_a_megabyte_and_gives_it_back() {
        let before = frame::usage().allocated;
        let mut numbers: Vec<u64> = Vec::new();
        for i in 0..131_072 {
            numbers.push(i * 3)?;
        }
        check!(numbers.iter().enumerate().all(|(i, &n)| n == i as u64 * 3));
        drop(numbers);
        let after = frame::usage().allocated;
        // Slab caches keep their last slab.
        check!(after <= before + 8, "{before} frames before, {after} after");
    }

    fn text_is_formatted_into_a_string() {
        let mut text = try_format!("{:#x} {:>6.2}", 0xabc, 1.5)?;
        text.push_str(" end")?;
        check_eq!(text.as_str(), "0xabc   1.50 end");
        check_eq!(String::from_str("")?.as_str(), "");
    }

    fn every_value_is_dropped_once() {
        static DROPS: AtomicU32 = AtomicU32::new(0);
        struct Counted;
        impl Drop for Counted {
            fn drop(&mut self) {
                DROPS.fetch_add(1, Relaxed);
            }
        }
        let mut many = Vec::new();
        for _ in 0..10 {
            many.push(Box::new(Counted)?)?;
        }
        let shared = Arc::new(Counted)?;
        let again = shared.clone();
        drop(shared);
        check_eq!(DROPS.load(Relaxed), 0);
        drop((many, again));
        check_eq!(DROPS.load(Relaxed), 11);
    }

    fn a_box_of_a_trait_is_called_and_freed() {
        trait Shape {
            fn area(&self) -> u64;
        }
        struct Square(u64);
        impl Shape for Square {
            fn area(&self) -> u64 {
                self.0 * self.0
            }
        }
        let objects = || slab::info().map(|cache| u64::from(cache.objects)).sum::<u64>();
        let before = objects();
        let shape: Box<dyn Shape> = unsize!(Box::new(Square(12))? => dyn Shape);
        check_eq!(shape.area(), 144);
        drop(shape);
        check_eq!(objects(), before);
    }
}
