//! Small objects: caches of equal pieces, cut from single frames.
//!
//! A [`Cache`] holds slabs: one frame each, cut into objects of one size. A slab's free objects are chained through their
//! own first word; the frame's descriptor keeps the chain's head, how many objects are out, and the links of the list of
//! slabs that have room. A slab that is wholly free goes back to the frames at once, unless it is the only one with room.
//!
//! [`kmalloc`] serves any layout up to [`LARGEST`] bytes from eight caches of powers of two, so an object is aligned to its
//! size; anything larger is whole frames.
//!
//! Cost: taking or giving an object is one lock and about 30 instructions where a slab has room.
//!
//! Lock: one a cache, rank `SLAB`, interrupts masked; the frames' lock comes inside it.

use crate::MemoryError;
use crate::frame::{self, Frame, NONE};
use crate::layout::{PAGE_SIZE, phys_to_virt};
use base::sync::{IrqSpinLock, rank};
use core::sync::atomic::Ordering::Relaxed;

/// The largest object that a cache of [`kmalloc`] serves.
pub const LARGEST: usize = 2048;
const SMALLEST: usize = 16;
const CLASSES: usize = 8;

struct Inner {
    /// First slab with room, as a frame number.
    partial: u32,
    slabs: u32,
    objects: u32,
}

/// A cache of objects of one size.
pub struct Cache {
    name: &'static str,
    size: usize,
    inner: IrqSpinLock<Inner>,
}

/// How full a cache is.
#[derive(Clone, Copy, Debug)]
pub struct CacheInfo {
    /// Its name.
    pub name: &'static str,
    /// Bytes of an object.
    pub size: usize,
    /// Frames it holds.
    pub slabs: u32,
    /// Objects that are out.
    pub objects: u32,
}

impl Cache {
    /// A cache of objects of `size` bytes, a multiple of 8 from 16 to 2,048. Objects are aligned to the largest power of
    /// two that divides `size`.
    pub const fn new(name: &'static str, size: usize) -> Self {
        assert!(size >= SMALLEST && size <= LARGEST && size.is_multiple_of(8));
        let inner = Inner { partial: NONE, slabs: 0, objects: 0 };
        Self { name, size, inner: IrqSpinLock::new(rank::SLAB, inner) }
    }

    /// Takes an object, not cleared; its address.
    ///
    /// # Errors
    /// [`MemoryError::NoMemory`].
    pub fn alloc(&self) -> Result<u64, MemoryError> {
        let mut inner = self.inner.lock();
        if inner.partial == NONE {
            self.grow(&mut inner)?;
        }
        let number = inner.partial;
        let slab = frame::descriptor(number);
        let object = slab.word.load(Relaxed);
        // SAFETY: the head of the chain is a free object of this slab, whose first word `chain` or `free` wrote.
        let next = unsafe { *(object as *const u64) };
        slab.word.store(next, Relaxed);
        slab.count.store(slab.count.load(Relaxed) + 1, Relaxed);
        if next == 0 {
            self.unlink(&mut inner, slab);
        }
        inner.objects += 1;
        Ok(object)
    }

    /// Gives an object back.
    ///
    /// # Safety
    /// `object` came from this cache's [`alloc`](Self::alloc) and nothing refers to it any more.
    pub unsafe fn free(&self, object: u64) {
        let mut inner = self.inner.lock();
        let number = frame::number_of_direct(object);
        let slab = frame::descriptor(number);
        let head = slab.word.load(Relaxed);
        // SAFETY: the caller gives the object up, so its first word is the chain's.
        unsafe { *(object as *mut u64) = head };
        slab.word.store(object, Relaxed);
        let count = slab.count.load(Relaxed) - 1;
        slab.count.store(count, Relaxed);
        inner.objects -= 1;
        if head == 0 {
            self.link(&mut inner, number, slab);
        }
        let alone = slab.next.load(Relaxed) == NONE && slab.prev.load(Relaxed) == NONE;
        if count == 0 && !alone {
            self.unlink(&mut inner, slab);
            inner.slabs -= 1;
            frame::free(u64::from(number) * PAGE_SIZE, 0);
        }
    }

    /// How full the cache is.
    pub fn info(&self) -> CacheInfo {
        let inner = self.inner.lock();
        CacheInfo { name: self.name, size: self.size, slabs: inner.slabs, objects: inner.objects }
    }

    fn grow(&self, inner: &mut Inner) -> Result<(), MemoryError> {
        let phys = frame::alloc(0)?;
        let number = (phys / PAGE_SIZE) as u32;
        let slab = frame::descriptor(number);
        slab.count.store(0, Relaxed);
        slab.word.store(chain(phys_to_virt(phys), self.size), Relaxed);
        inner.slabs += 1;
        self.link(inner, number, slab);
        Ok(())
    }

    fn link(&self, inner: &mut Inner, number: u32, slab: &Frame) {
        slab.prev.store(NONE, Relaxed);
        slab.next.store(inner.partial, Relaxed);
        if inner.partial != NONE {
            frame::descriptor(inner.partial).prev.store(number, Relaxed);
        }
        inner.partial = number;
    }

    fn unlink(&self, inner: &mut Inner, slab: &Frame) {
        let (prev, next) = (slab.prev.load(Relaxed), slab.next.load(Relaxed));
        match prev {
            NONE => inner.partial = next,
            prev => frame::descriptor(prev).next.store(next, Relaxed),
        }
        if next != NONE {
            frame::descriptor(next).prev.store(prev, Relaxed);
        }
    }
}

/// Chains the objects of a fresh slab at `start`, lowest first; the head.
fn chain(start: u64, size: usize) -> u64 {
    let count = PAGE_SIZE as usize / size;
    for i in 0..count {
        let object = start + (i * size) as u64;
        let next = if i + 1 < count { object + size as u64 } else { 0 };
        // SAFETY: the frame is fresh from the frame allocator and the object lies in it.
        unsafe { *(object as *mut u64) = next };
    }
    start
}

static CLASSES_TABLE: [Cache; CLASSES] = [
    Cache::new("kmalloc-16", 16),
    Cache::new("kmalloc-32", 32),
    Cache::new("kmalloc-64", 64),
    Cache::new("kmalloc-128", 128),
    Cache::new("kmalloc-256", 256),
    Cache::new("kmalloc-512", 512),
    Cache::new("kmalloc-1024", 1024),
    Cache::new("kmalloc-2048", 2048),
];

fn class(size: usize, align: usize) -> &'static Cache {
    let size = size.max(align).max(SMALLEST);
    // 16 is class 0; callers ask for at most 2,048.
    &CLASSES_TABLE[(usize::BITS - (size - 1).leading_zeros() - 4) as usize]
}

fn order(size: usize) -> u8 {
    let pages = size.div_ceil(PAGE_SIZE as usize);
    (usize::BITS - (pages - 1).leading_zeros()) as u8
}

/// Memory for `size` bytes aligned to `align` (a power of two, at most a page): its address.
///
/// # Errors
/// [`MemoryError::NoMemory`].
pub fn kmalloc(size: usize, align: usize) -> Result<u64, MemoryError> {
    if size <= LARGEST && align <= LARGEST {
        return class(size, align).alloc();
    }
    frame::alloc(order(size.max(align))).map(phys_to_virt)
}

/// Gives memory from [`kmalloc`] back.
///
/// # Safety
/// `address` came from [`kmalloc`] with the same size and alignment, and nothing refers to it any more.
pub unsafe fn kfree(address: u64, size: usize, align: usize) {
    if size <= LARGEST && align <= LARGEST {
        // SAFETY: the caller's condition; the same layout chooses the same cache.
        unsafe { class(size, align).free(address) };
    } else {
        frame::free(address - crate::layout::DIRECT_MAP, order(size.max(align)));
    }
}

/// How full each of [`kmalloc`]'s caches is.
pub fn info() -> impl Iterator<Item = CacheInfo> {
    CLASSES_TABLE.iter().map(Cache::info)
}
