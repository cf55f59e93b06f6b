//! In-kernel tests of the memory layer: frames, small objects, address space, stacks, containers, and what happens when
//! memory is out.
#![no_std]

mod containers_;
mod exhaustion;
mod frames;
mod pattern;
mod slabs;
mod spaces;
mod stacks;

ktest::module! { frames, slabs, spaces, stacks, containers_, exhaustion }
