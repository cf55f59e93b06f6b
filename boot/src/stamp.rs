//! Making a file only when what it is made of has changed.
//!
//! Beside each file made lies its key: the state of its sources as numbers. A source's state is its place, length,
//! inode and time of change, to the nanosecond; that costs a `stat`, no reading.

use crate::error::{Error, Result};
use std::fmt::Write as _;
use std::fs;
use std::io::ErrorKind;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use xxhash_rust::xxh3::{Xxh3, xxh3_128};

/// What a file is made of.
#[derive(Default, Clone)]
pub(crate) struct Key(Xxh3);

impl Key {
    /// A key of this builder, for one kind of file.
    pub(crate) fn new(kind: &str) -> Self {
        Self::default().text(env!("OTTAWA_BUILDER")).text(kind)
    }

    /// Adds a text.
    pub(crate) fn text(self, text: &str) -> Self {
        self.bytes(text.as_bytes())
    }

    /// Adds bytes.
    pub(crate) fn bytes(mut self, bytes: &[u8]) -> Self {
        self.0.update(&(bytes.len() as u64).to_le_bytes());
        self.0.update(bytes);
        self
    }

    /// Adds a file by its state; one that is missing has a state too.
    pub(crate) fn file(self, path: &Path) -> Self {
        let state = match fs::metadata(path) {
            Ok(m) => [
                m.len(),
                m.ino(),
                m.dev(),
                m.mtime() as u64,
                m.mtime_nsec() as u64,
                m.ctime() as u64,
                m.ctime_nsec() as u64,
            ],
            Err(_) => [u64::MAX; 7],
        };
        let mut key = self.bytes(path.as_os_str().as_encoded_bytes());
        for number in state {
            key.0.update(&number.to_le_bytes());
        }
        key
    }

    /// The key as text.
    pub(crate) fn hex(&self) -> String {
        format!("{:032x}", self.0.digest128())
    }
}

/// Hash of bytes, 128 bits.
pub(crate) fn hash(bytes: &[u8]) -> u128 {
    xxh3_128(bytes)
}

/// Makes `path` with `make` unless it was made of the same before; says whether it was made.
pub(crate) fn refresh(path: &Path, key: &Key, make: impl FnOnce() -> Result<Vec<u8>>) -> Result<bool> {
    let stamp = stamp_of(path);
    let key = key.hex();
    if path.exists() && fs::read_to_string(&stamp).is_ok_and(|old| old == key) {
        return Ok(false);
    }
    let bytes = make()?;
    replace(path, &bytes)?;
    replace(&stamp, key.as_bytes())?;
    Ok(true)
}

fn stamp_of(path: &Path) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_os_string();
    name.push(".key");
    path.with_file_name(name)
}

/// Writes a file under another name and gives it its own at the end: who reads meets the old or the new, whole.
pub(crate) fn replace(path: &Path, bytes: &[u8]) -> Result<()> {
    let mut name = String::from(".new-");
    let _ = write!(name, "{}-", std::process::id());
    name.push_str(&path.file_name().unwrap_or_default().to_string_lossy());
    let new = path.with_file_name(name);
    if let Some(folder) = path.parent() {
        create_folder(folder)?;
    }
    fs::write(&new, bytes).and_then(|()| fs::rename(&new, path)).map_err(|why| {
        let _ = fs::remove_file(&new);
        Error::file("write", path, why)
    })
}

/// Makes a folder and those above it.
pub(crate) fn create_folder(folder: &Path) -> Result<()> {
    fs::create_dir_all(folder).map_err(|why| match why.kind() {
        ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem | ErrorKind::NotADirectory => {
            Error::Host(format!(
                "cannot write to {}: make it writable or set CARGO_TARGET_DIR to a folder that is",
                folder.display()
            ))
        }
        _ => Error::file("make the folder", folder, why),
    })
}
