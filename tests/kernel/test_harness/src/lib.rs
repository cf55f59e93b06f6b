//! Tests that fail on purpose, each in another way, and good ones between them: what the host makes of them is what is
//! tested.
#![no_std]

mod ends;

ktest::module! { ends }
