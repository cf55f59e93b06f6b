//! In-kernel tests of modules: linked, loaded, held, removed, and refused when they are damaged.
#![no_std]

mod damaged;
mod initial;
mod life;

ktest::module! { life, initial, damaged }

/// What loading and removing may leave changed: nothing of this.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Held {
    pub(crate) frames: u64,
    pub(crate) areas: (usize, u64),
    pub(crate) objects: u64,
}

pub(crate) fn held() -> Held {
    Held {
        frames: mm::frame::usage().allocated,
        areas: mm::vmalloc::MODULES.usage(),
        objects: mm::slab::info().map(|cache| u64::from(cache.objects)).sum(),
    }
}
