//! The ways in which the machine ends. Nothing here takes a lock: the panic path uses it.

use crate::control::{Word, say};
use crate::{acpi, clock, cpu, port};

/// Sleep enable, in the power management control register (ACPI specification, section 4.8.3.2.1).
const SLP_EN: u16 = 1 << 13;

/// Tells the host how it ended, then turns the machine off; stops the CPU where that does not work.
pub fn off(word: Word) -> ! {
    x86_64::instructions::interrupts::disable();
    say(Word::Boot(clock::cycles_since_start()));
    say(word);
    let facts = acpi::facts();
    if let Some(register) = facts.pm_control {
        port::outw(register, u16::from(facts.off_type & 7) << 10 | SLP_EN);
    }
    cpu::halt_for_ever()
}
