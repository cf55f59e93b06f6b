//! The real-time clock's registers, through their index and data ports.
//!
//! Lock: an access is two port writes that belong together; `PORTS`, rank `RTC`, interrupts masked.
//! Source: the MC146818A's data sheet.

use crate::port::{inb, outb};
use base::sync::{IrqSpinLock, rank};

static PORTS: IrqSpinLock<()> = IrqSpinLock::new(rank::RTC, ());

const INDEX: u16 = 0x70;
const DATA: u16 = 0x71;

/// The chip's control registers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Register {
    /// Rate of the periodic interrupt, in the low four bits.
    A = 0x0a,
    /// Which interrupts are on.
    B = 0x0b,
    /// Which interrupts came; reading clears it.
    C = 0x0c,
}

/// Reads a register.
pub fn read(register: Register) -> u8 {
    let _ports = PORTS.lock();
    outb(INDEX, register as u8);
    inb(DATA)
}

/// Keeps the bits of `keep` in a register and sets those of `set`.
pub fn modify(register: Register, keep: u8, set: u8) {
    let _ports = PORTS.lock();
    outb(INDEX, register as u8);
    let value = inb(DATA);
    outb(INDEX, register as u8);
    outb(DATA, value & keep | set);
}
