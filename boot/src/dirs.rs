//! Where things lie: the repository, and the folder for what is built.

use std::env;
use std::path::{Path, PathBuf};

/// The target that guest code is built for.
pub(crate) const TARGET: &str = "x86_64-unknown-none";

/// The repository's root.
pub fn root() -> &'static Path {
    let boot = Path::new(env!("CARGO_MANIFEST_DIR"));
    boot.parent().unwrap_or(boot)
}

/// Everything built for the guest lies under this folder.
pub fn guest() -> PathBuf {
    match env::var_os("CARGO_TARGET_DIR") {
        Some(target) if !target.is_empty() => env::current_dir().unwrap_or_default().join(target),
        _ => root().join("target"),
    }
    .join("guest")
}
