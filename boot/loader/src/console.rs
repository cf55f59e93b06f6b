//! The last words: one line on COM1 for a person, `fail` on COM2 for the host's side, then off.
//!
//! The ports are used as the firmware left them, by polling. Nothing is set up: resetting a port's buffers
//! would lose what the kernel is to read.

use core::fmt::{self, Display, Write};
use x86_64::instructions::hlt;
use x86_64::instructions::port::{Port, PortReadOnly, PortWriteOnly};

const COM1: u16 = 0x3f8;
const COM2: u16 = 0x2f8;

/// Line status: the transmitter takes a byte.
const EMPTY: u8 = 0x20;

/// The control register of QEMU's power management, once its firmware has placed it (both machine types).
const POWER: u16 = 0x604;
/// Sleep type 0 with the enable bit: off.
const OFF: u16 = 1 << 13;

struct Serial(u16);

impl Serial {
    fn send(&mut self, byte: u8) {
        let mut status: PortReadOnly<u8> = PortReadOnly::new(self.0 + 5);
        let mut data: PortWriteOnly<u8> = PortWriteOnly::new(self.0);
        // A port that is not there reads as all ones; one that hangs is not waited for.
        for _ in 0..100_000 {
            // SAFETY: reading the line status of a serial port has no side effect that anybody waits for.
            if unsafe { status.read() } & EMPTY != 0 {
                break;
            }
        }
        // SAFETY: sends one byte; the loader is the only user of the port.
        unsafe { data.write(byte) };
    }
}

impl Write for Serial {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        text.bytes().for_each(|byte| self.send(byte));
        Ok(())
    }
}

/// Says what is wrong and switches the machine off.
pub(crate) fn fail(what: impl Display) -> ! {
    // Neither write can fail: `write_str` does not.
    let _ = writeln!(Serial(COM1), "loader: {what}");
    let _ = writeln!(Serial(COM2), "fail");
    if under_hypervisor() {
        // SAFETY: on QEMU's machines this port switches off; on others under a hypervisor it is no device.
        unsafe { Port::new(POWER).write(OFF) };
    }
    loop {
        hlt();
    }
}

/// On real hardware the port of power management may be anything.
fn under_hypervisor() -> bool {
    core::arch::x86_64::__cpuid(1).ecx & (1 << 31) != 0
}

#[cfg(target_os = "none")]
#[panic_handler]
fn panic(info: &core::panic::PanicInfo<'_>) -> ! {
    match info.location() {
        Some(at) => fail(format_args!("internal error at {}:{}: report it", at.file(), at.line())),
        None => fail("internal error: report it"),
    }
}
