//! In-kernel tests of what every part leans on: log, locks, per-CPU data, parameters, names of addresses.
#![no_std]

mod locks;
mod logs;
mod params;
mod symbols;

ktest::module! { locks, logs, params, symbols }
