//! What `containers` allocates from: the early heap until the slab caches stand, then those.
//!
//! The early heap is 32 KiB in the kernel's image, managed by `linked_list_allocator`; it serves the lists that the memory
//! layer itself keeps before there are frames. Memory from it is given back to it, told by its address.
//!
//! Lock: `EARLY`, rank `SLAB`, interrupts masked.

use crate::slab;
use base::sync::{IrqSpinLock, rank};
use core::alloc::Layout;
use core::cell::UnsafeCell;
use core::ptr::NonNull;
use core::sync::atomic::{AtomicBool, Ordering};
use linked_list_allocator::Heap;

const EARLY_SIZE: usize = 32 * 1024;

#[repr(align(16))]
struct Arena(UnsafeCell<[u8; EARLY_SIZE]>);
// SAFETY: the arena is touched only by the heap that `early_init` gives it to, behind its lock.
unsafe impl Sync for Arena {}

static ARENA: Arena = Arena(UnsafeCell::new([0; EARLY_SIZE]));
static EARLY: IrqSpinLock<Heap> = IrqSpinLock::new(rank::SLAB, Heap::empty());
static SLABS_READY: AtomicBool = AtomicBool::new(false);

/// Opens the early heap. Called once.
pub(crate) fn early_init() {
    // SAFETY: the arena lives for ever and this is its only user.
    unsafe { EARLY.lock().init(ARENA.0.get().cast(), EARLY_SIZE) };
}

/// From now on memory comes from the slab caches.
pub(crate) fn slabs_ready() {
    SLABS_READY.store(true, Ordering::Release);
}

/// The allocation function that `containers` is linked against: null when memory is out.
#[unsafe(no_mangle)]
extern "Rust" fn ottawa_alloc(size: usize, align: usize) -> *mut u8 {
    if SLABS_READY.load(Ordering::Relaxed) {
        return slab::kmalloc(size, align).map_or(core::ptr::null_mut(), |address| address as *mut u8);
    }
    let Ok(layout) = Layout::from_size_align(size, align) else { return core::ptr::null_mut() };
    EARLY.lock().allocate_first_fit(layout).map_or(core::ptr::null_mut(), NonNull::as_ptr)
}

/// The counterpart of [`ottawa_alloc`].
///
/// # Safety
/// The memory came from there with the same size and alignment, and nothing refers to it any more.
#[unsafe(no_mangle)]
unsafe extern "Rust" fn ottawa_dealloc(memory: *mut u8, size: usize, align: usize) {
    let start = ARENA.0.get() as usize;
    if !(start..start + EARLY_SIZE).contains(&(memory as usize)) {
        // SAFETY: the caller's condition, and what is not from the arena is from the slab caches.
        return unsafe { slab::kfree(memory as u64, size, align) };
    }
    if let (Some(memory), Ok(layout)) = (NonNull::new(memory), Layout::from_size_align(size, align)) {
        // SAFETY: the caller's condition, and the address says that it came from this heap.
        unsafe { EARLY.lock().deallocate(memory, layout) };
    }
}
