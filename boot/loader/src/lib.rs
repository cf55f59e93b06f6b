//! The loader's judgement: what it decides, without touching hardware.
//!
//! The binary (`main.rs`) is entered by the machine, collects what it was given, asks these modules and does
//! what they say. They are a library so that the host can test them.
//!
//! - [`map`]: the firmware's memory map, and what of it is in use.
//! - [`image`]: the kernel's ELF file, checked.
//! - [`layout`]: where in the kernel's address space things go, as its configuration asks.
//! - [`error`]: what can be wrong, and what to do about it.

#![cfg_attr(not(test), no_std)]
#![forbid(unsafe_code)]

pub mod error;
pub mod image;
pub mod layout;
pub mod map;

/// Bytes of a page and a frame.
pub const PAGE: u64 = 4096;

/// The next page boundary; saturates at the last one.
#[must_use]
pub const fn page_up(address: u64) -> u64 {
    address.saturating_add(PAGE - 1) & !(PAGE - 1)
}

/// The page boundary at or before an address.
#[must_use]
pub const fn page_down(address: u64) -> u64 {
    address & !(PAGE - 1)
}
