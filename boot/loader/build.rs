//! Link arguments of the loader, for the bare-metal target only.

fn main() {
    let dir = std::env::var("CARGO_MANIFEST_DIR").unwrap_or_default();
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-changed=loader.ld");
    if std::env::var("CARGO_CFG_TARGET_OS").as_deref() == Ok("none") {
        for arg in [&format!("-T{dir}/loader.ld"), "--build-id=none", "-zmax-page-size=4096"] {
            println!("cargo:rustc-link-arg-bins={arg}");
        }
    }
}
