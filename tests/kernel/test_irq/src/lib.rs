//! In-kernel tests of interrupts: lines that nest, each on its own stack; vectors that are no line; the clock and its tick.
#![no_std]

mod lines;
mod nesting;
mod ticking;
mod vectors;

ktest::module! { lines, nesting, vectors, ticking }
