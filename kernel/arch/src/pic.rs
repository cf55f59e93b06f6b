//! The pair of 8259 interrupt controllers: sixteen lines, line 2 being the second chip's way into the first.
//!
//! Masks are kept here too, so that masking a line costs a write and no read. The two masks and the chips sit behind one
//! interrupt-masking lock of rank `PIC`.

use crate::irq::LINE_VECTOR;
use crate::port::{inb, outb};
use base::sync::{IrqSpinLock, rank};
use pic8259::ChainedPics;

/// Reads the in-service register at the next read of the command port.
const OCW3_READ_ISR: u8 = 0x0b;
const FIRST_COMMAND: u16 = 0x20;
const SECOND_COMMAND: u16 = 0xa0;

struct Pic {
    chips: ChainedPics,
    masks: u16,
}

static PIC: IrqSpinLock<Pic> = IrqSpinLock::new(
    rank::PIC,
    // SAFETY: the offsets are vectors of the interrupt stubs, and only this module touches the two chips.
    Pic { chips: unsafe { ChainedPics::new(LINE_VECTOR, LINE_VECTOR + 8) }, masks: !(1 << 2) },
);

/// Moves the lines to the kernel's vectors and masks all but the way to the second chip.
pub fn init() {
    let mut pic = PIC.lock();
    // SAFETY: the kernel is the only user of the chips; every line is masked before any could come through.
    unsafe {
        pic.chips.write_masks(0xff, 0xff);
        pic.chips.initialize();
    }
    pic.write();
}

/// Lets `line` through.
pub fn unmask(line: u8) {
    let mut pic = PIC.lock();
    pic.masks &= !(1 << (line & 15));
    pic.write_one(line);
}

/// Holds `line` back.
pub fn mask(line: u8) {
    let mut pic = PIC.lock();
    pic.masks |= 1 << (line & 15);
    pic.write_one(line);
}

/// Tells the controllers that `line`'s interrupt was taken; lines of lower priority may come through.
pub fn acknowledge(line: u8) {
    // SAFETY: the line is in service: its entry calls this once.
    unsafe { PIC.lock().chips.notify_end_of_interrupt(LINE_VECTOR + (line & 15)) };
}

/// The lines that were passed on to the CPU and not acknowledged yet.
pub fn in_service() -> u16 {
    let _chips = PIC.lock();
    outb(FIRST_COMMAND, OCW3_READ_ISR);
    outb(SECOND_COMMAND, OCW3_READ_ISR);
    u16::from(inb(FIRST_COMMAND)) | u16::from(inb(SECOND_COMMAND)) << 8
}

/// Whether the interrupt of `line` is one the controller made up because the real one had gone: lines 7 and 15 only.
/// The second chip's made-up interrupt still has to be acknowledged at the first.
pub fn is_spurious(line: u8) -> bool {
    if line & 7 != 7 || in_service() & 1 << line != 0 {
        return false;
    }
    if line == 15 {
        acknowledge(2);
    }
    true
}

impl Pic {
    fn write(&mut self) {
        // SAFETY: any mask is sound; a line is unmasked only once it has a handler.
        unsafe { self.chips.write_masks(self.masks as u8, (self.masks >> 8) as u8) };
    }

    fn write_one(&mut self, line: u8) {
        match line {
            0..=7 => outb(FIRST_COMMAND + 1, self.masks as u8),
            _ => outb(SECOND_COMMAND + 1, (self.masks >> 8) as u8),
        }
    }
}
