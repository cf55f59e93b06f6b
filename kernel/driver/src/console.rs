//! What the console receives: line 4's handler moves it from the UART to a ring of 4 KiB.
//!
//! Lock: `RING`, rank `INPUT`, for a byte at a time; the UART's lock is never taken inside it.
//!
//! When the ring is full the UART is left alone; it holds the sender back, so nothing is lost.

use crate::line::{self, RequestError};
use arch::irq::LineHandler;
use arch::serial;
use base::sync::{IrqSpinLock, rank};

const SIZE: usize = 4096;

struct Ring {
    bytes: [u8; SIZE],
    /// Bytes ever put in, and ever taken out.
    put: usize,
    taken: usize,
}

impl Ring {
    fn has_room(&self) -> bool {
        self.put - self.taken < SIZE
    }

    fn put(&mut self, byte: u8) {
        self.bytes[self.put % SIZE] = byte;
        self.put += 1;
    }
}

static RING: IrqSpinLock<Ring> = IrqSpinLock::new(rank::INPUT, Ring { bytes: [0; SIZE], put: 0, taken: 0 });

struct Input;

impl LineHandler for Input {
    fn handle(&self) {
        // Only this handler puts bytes in, so room that is there stays there between the two locks.
        while RING.lock().has_room() {
            let mut byte = [0];
            if serial::receive(&mut byte) == 0 {
                break;
            }
            RING.lock().put(byte[0]);
        }
    }
}

/// Takes the line and lets the UART raise it.
///
/// # Errors
/// [`RequestError`].
pub fn init() -> Result<(), RequestError> {
    line::request(serial::LINE, "serial", &Input)?;
    serial::enable_receive_interrupt();
    Ok(())
}

/// Takes the next byte that was received.
pub fn take() -> Option<u8> {
    let mut ring = RING.lock();
    if ring.put == ring.taken {
        return None;
    }
    let byte = ring.bytes[ring.taken % SIZE];
    ring.taken += 1;
    Some(byte)
}
