//! Marks in memory that tell whose it is: a block that is given out twice, or cut short, loses its mark.

/// Writes `tag` over `bytes` bytes (a multiple of 8) from `address` on, each word different.
///
/// # Safety
/// The memory is mapped writable and the caller's own.
pub(crate) unsafe fn mark(address: u64, bytes: u64, tag: u64) {
    for offset in (0..bytes).step_by(8) {
        // SAFETY: the caller's condition.
        unsafe { core::ptr::write_volatile((address + offset) as *mut u64, word(address + offset, tag)) };
    }
}

/// Whether the mark is still there.
///
/// # Safety
/// The memory is mapped.
pub(crate) unsafe fn is_marked(address: u64, bytes: u64, tag: u64) -> bool {
    (0..bytes).step_by(8).all(|offset| {
        // SAFETY: the caller's condition.
        (unsafe { core::ptr::read_volatile((address + offset) as *const u64) }) == word(address + offset, tag)
    })
}

fn word(address: u64, tag: u64) -> u64 {
    (address ^ tag).wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1
}
