//! Tests of the module linker, from outside.

mod common;
mod errors;
mod fuzz;
mod good;
mod run;
