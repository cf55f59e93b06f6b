//! The tests' way: on the host a thread stands for a CPU, and statics have no copies.

use std::cell::Cell;
std::thread_local! { static HEAD: [Cell<u32>; 16] = const { [const { Cell::new(0) }; 16] }; }

pub(super) fn copy_of<T>(original: *mut T) -> *mut T {
    original
}
pub(super) fn load32<const OFFSET: usize>() -> u32 {
    HEAD.with(|head| head[OFFSET / 4].get())
}
pub(super) fn store32<const OFFSET: usize>(value: u32) {
    HEAD.with(|head| head[OFFSET / 4].set(value));
}
pub(super) fn add32<const OFFSET: usize, const BY: i32>() {
    store32::<OFFSET>(load32::<OFFSET>().wrapping_add_signed(BY));
}
pub(super) fn decrement32<const OFFSET: usize>() -> bool {
    add32::<OFFSET, -1>();
    load32::<OFFSET>() == 0
}
pub(super) fn and32<const OFFSET: usize>(value: u32) {
    store32::<OFFSET>(load32::<OFFSET>() & value);
}
pub(super) fn or32<const OFFSET: usize>(value: u32) {
    store32::<OFFSET>(load32::<OFFSET>() | value);
}
pub(super) fn load64<const OFFSET: usize>() -> u64 {
    HEAD.with(|head| u64::from(head[OFFSET / 4].get()) | u64::from(head[OFFSET / 4 + 1].get()) << 32)
}
pub(super) fn store64<const OFFSET: usize>(value: u64) {
    HEAD.with(|head| {
        head[OFFSET / 4].set(value as u32);
        head[OFFSET / 4 + 1].set((value >> 32) as u32);
    });
}
#[cfg(debug_assertions)]
pub(super) fn xor64<const OFFSET: usize>(value: u64) {
    store64::<OFFSET>(load64::<OFFSET>() ^ value);
}
