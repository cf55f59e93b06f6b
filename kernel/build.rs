//! Link arguments of the kernel image, for the bare-metal target only.
//!
//! `--undefined-glob=*` takes every member of every archive into the image and `--no-gc-sections` keeps it:
//! what Rust makes `pub` is what a module may call, referenced by the kernel itself or not.

fn main() {
    let dir = std::env::var("CARGO_MANIFEST_DIR").unwrap_or_default();
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-changed=kernel.ld");
    if std::env::var("CARGO_CFG_TARGET_OS").as_deref() == Ok("none") {
        println!("cargo:rustc-link-arg-bins=-T{dir}/kernel.ld");
        for arg in ["--undefined-glob=*", "--no-gc-sections", "--build-id=none"] {
            println!("cargo:rustc-link-arg-bins={arg}");
        }
    }
}
