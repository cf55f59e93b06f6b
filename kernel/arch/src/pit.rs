//! The 8254 interval timer, channel 0: the source of line 0.

use crate::port::outb;

/// The line that channel 0 raises.
pub const LINE: u8 = 0;
/// Its input clock in Hz: a third of the colour carrier's four-fold, 14.31818 MHz / 12.
const INPUT_HZ: u32 = 1_193_182;
const CHANNEL_0: u16 = 0x40;
const COMMAND: u16 = 0x43;
/// Channel 0, low byte then high byte, mode 2 (rate generator), binary.
const RATE_GENERATOR: u8 = 0x34;

/// Raises line 0 `hz` times a second; the nearest rate the divider can make, 19 Hz at least.
pub fn start(hz: u32) {
    let divider = (INPUT_HZ / hz.max(19)).clamp(1, 0xffff) as u16;
    outb(COMMAND, RATE_GENERATOR);
    outb(CHANNEL_0, divider as u8);
    outb(CHANNEL_0, (divider >> 8) as u8);
}
