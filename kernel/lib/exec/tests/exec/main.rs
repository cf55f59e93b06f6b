//! Tests of programs, scripts, arguments and the first stack, from outside.

mod arguments;
mod fuzz;
mod launch;
mod plans;
mod scripts;
mod stacks;
mod support;
