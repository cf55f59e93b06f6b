//! What `cargo test --target x86_64-unknown-none -p CRATE` builds for a crate that is tested in the running kernel: a
//! program that does nothing. The target's runner (runner.sh) does not look into it; it starts the machine that the
//! crate stands for. A crate says so in its Cargo.toml:
//!
//! ```toml
//! [[test]]
//! name = "guest"
//! path = "../../../boot/guest-test.rs"
//! harness = false
//! ```
//!
//! For the host it is a program that does nothing too: there `cargo test` at the root runs these tests.
#![cfg_attr(target_os = "none", no_std, no_main)]

#[cfg(not(target_os = "none"))]
fn main() {}

#[cfg(target_os = "none")]
#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    loop {
        core::hint::spin_loop();
    }
}
