//! Gives the builder a number that changes with its own sources, so that what an older builder made is made anew.

use std::hash::{DefaultHasher, Hasher};
use std::path::{Path, PathBuf};

fn main() {
    let mut hasher = DefaultHasher::new();
    for folder in ["src", "../kernel/lib/cpio/src", "../kernel/lib/ksym/src"] {
        println!("cargo:rerun-if-changed={folder}");
        for file in files(Path::new(folder)) {
            hasher.write(&std::fs::read(file).unwrap_or_default());
        }
    }
    println!("cargo:rustc-env=OTTAWA_BUILDER={:016x}", hasher.finish());
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> =
        std::fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path()).collect();
    files.sort();
    files
}
