//! A walk of the live page tables: what is mapped is what the layout says, and no frame can be both written and executed.
#![no_std]

mod guards;
mod kernel_half;
mod permissions;
mod wx;

ktest::module! { kernel_half, permissions, guards }
