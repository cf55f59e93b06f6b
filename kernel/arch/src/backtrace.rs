//! Who called whom, by frame pointers.
//!
//! All code of the kernel and its modules is built with frame pointers, so that each frame begins with the caller's
//! frame pointer and the return address. Every word is looked up in the page tables before it is read: a damaged chain
//! ends the trace and nothing else. A chain may cross from one kernel stack to another (interrupts), never to the lower half.

use crate::paging::Table;
use base::symbols;
use core::fmt::{self, Write};

/// At most this many frames are shown.
const DEPTH: usize = 32;

/// Writes the calls that lead to the code at `rip` with frame pointer `rbp`, a line each.
///
/// # Errors
/// Those of the writer.
pub fn write(out: &mut dyn Write, rip: u64, rbp: u64) -> fmt::Result {
    line(out, rip, rip)?;
    write_callers(out, rbp)
}

/// Writes the calls that lead to the function whose frame begins at `rbp`, without that function itself.
///
/// # Errors
/// Those of the writer.
pub fn write_callers(out: &mut dyn Write, rbp: u64) -> fmt::Result {
    let mut frame = rbp;
    for _ in 0..DEPTH {
        let (Some(caller), Some(ret)) = (read(frame), read(frame.wrapping_add(8))) else { break };
        if ret == 0 {
            break;
        }
        // The call is the instruction before the return address.
        line(out, ret, ret - 1)?;
        if caller == 0 || caller == frame {
            break;
        }
        frame = caller;
    }
    Ok(())
}

/// The frame pointer here.
#[inline(always)]
pub fn frame_pointer() -> u64 {
    let rbp: u64;
    // SAFETY: reads a register.
    unsafe { core::arch::asm!("mov {}, rbp", out(reg) rbp, options(nomem, nostack, preserves_flags)) };
    rbp
}

fn line(out: &mut dyn Write, address: u64, lookup: u64) -> fmt::Result {
    match symbols::resolve(lookup) {
        Some(symbol) => writeln!(out, "  {address:#018x} {symbol}"),
        None => writeln!(out, "  {address:#018x}"),
    }
}

fn read(address: u64) -> Option<u64> {
    if address < 0xffff_8000_0000_0000 || address & 7 != 0 {
        return None;
    }
    Table::current().lookup(address)?;
    // SAFETY: the address is in the kernel's half, aligned, and mapped.
    Some(unsafe { core::ptr::read_volatile(address as *const u64) })
}
