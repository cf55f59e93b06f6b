//! A kernel stack's bounds, its paint, and what runs on it.
//!
//! A new stack is filled with [`PAINT`]; the high-water mark is found by looking for the lowest byte that no longer
//! has it. The scan costs a load for each eight unused bytes and is done only when somebody asks.

use core::arch::naked_asm;

/// What an unused stack holds.
pub const PAINT: u64 = 0x5ac4_5ac4_5ac4_5ac4;

/// The bounds of a mapped stack: `bottom` is its lowest byte, `top` the byte after its highest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// Lowest address.
    pub bottom: u64,
    /// Address after the highest; the first push goes below it.
    pub top: u64,
}

impl Bounds {
    /// Bytes between the bounds.
    pub fn size(&self) -> u64 {
        self.top - self.bottom
    }

    /// Whether `address` lies on the stack.
    pub fn contains(&self, address: u64) -> bool {
        (self.bottom..self.top).contains(&address)
    }

    /// Fills the whole stack with paint.
    ///
    /// # Safety
    /// The stack is mapped and nothing runs on it.
    pub unsafe fn paint(&self) {
        let words = (self.size() / 8) as usize;
        // SAFETY: the caller's condition; bounds are multiples of the page size.
        unsafe { core::slice::from_raw_parts_mut(self.bottom as *mut u64, words) }.fill(PAINT);
    }

    /// The most bytes that were ever in use.
    ///
    /// # Safety
    /// The stack is mapped. It may be in use: a word that changes meanwhile is above the mark anyway.
    pub unsafe fn high_water(&self) -> u64 {
        let mut address = self.bottom;
        while address < self.top {
            // SAFETY: the caller's condition; volatile, since another CPU may be writing above.
            if unsafe { core::ptr::read_volatile(address as *const u64) } != PAINT {
                break;
            }
            address += 8;
        }
        self.top - address
    }
}

/// The stack pointer here.
#[inline(always)]
pub fn pointer() -> u64 {
    let rsp: u64;
    // SAFETY: reads a register.
    unsafe { core::arch::asm!("mov {}, rsp", out(reg) rsp, options(nomem, nostack, preserves_flags)) };
    rsp
}

/// Runs `f(argument)` on the stack that ends at `top`, then comes back to this one.
///
/// # Safety
/// `top` is 16-byte aligned, the stack below it is mapped, writable and used by nobody else.
#[unsafe(naked)]
pub unsafe extern "C" fn call_on(top: u64, f: extern "C" fn(u64), argument: u64) {
    // The frame pointer keeps the old stack, which also lets a backtrace cross over.
    naked_asm!(
        "push rbp",
        "mov rbp, rsp",
        "mov rsp, rdi",
        "mov rdi, rdx",
        "call rsi",
        "mov rsp, rbp",
        "pop rbp",
        "ret",
    )
}
