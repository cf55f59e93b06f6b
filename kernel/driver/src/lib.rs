//! Drivers that are always there: the timer tick, the serial line's input, the clock chip.
//!
//! | file | idea |
//! |---|---|
//! | [`line`] | an interrupt line with a stack of its own |
//! | [`timer`] | line 0: the tick |
//! | [`console`] | line 4: what the console receives |
//! | [`rtc`] | line 8: the real-time clock |
#![no_std]
#![deny(unsafe_code)]

pub mod console;
#[allow(unsafe_code)]
pub mod line;
pub mod rtc;
pub mod timer;
