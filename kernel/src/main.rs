//! The boot order, as a table of contents.
//!
//! [`start`] runs on the loader's boot stack, interrupts off, up to where tasks can run; [`main`] goes on as the first task.
#![cfg_attr(target_os = "none", no_std)]
#![no_main]

mod boot;
// On the host, where the kernel is only checked, the workspace's other features bring the standard library along.
#[cfg(target_os = "none")]
mod panic;

use base::{info, param};
use bootloader_api::BootInfo;

bootloader_api::entry_point!(start, config = &mm::BOOT_CONFIG);

/// The CPU's own structures, the clock, the log, the command line, memory. The loader's structures and its page tables are
/// gone after [`boot::memory`].
fn start(info: &'static mut BootInfo) -> ! {
    let first = arch::clock::cycles();
    boot::per_cpu();
    arch::gdt::load_boot_cpu();
    arch::trap::init();
    arch::serial::init();
    let firmware = boot::firmware(info);
    let clock = boot::clock(first);
    boot::adopt_bundle(info);
    param::apply_command_line(boot::command_line());
    boot::banner();
    boot::memory(info);
    info!("clock: {clock}; {firmware}");
    boot::interrupts();
    boot::become_first_task(main)
}

/// The first task: devices, the other CPUs, modules, and then the first program.
fn main((): ()) -> i32 {
    boot::devices();
    boot::other_cpus();
    boot::release_boot_files();
    boot::debug_panic();
    let loaded = boot::modules();
    let word = boot::first_program(loaded);
    info!("power-off");
    arch::power::off(word)
}
