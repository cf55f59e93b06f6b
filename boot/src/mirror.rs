//! A workspace that also holds module crates from outside the repository.
//!
//! cargo takes features and hashes from the whole workspace, so a module outside of it would be built against another
//! kernel than the one that runs. Therefore the module becomes a member, of a copy of the workspace made of links:
//! its own `Cargo.toml` (`version.workspace = true`, `kernel = { workspace = true }`) means what it means in the
//! repository. A module of the same name as one of the repository's takes its place.

use crate::dirs;
use crate::error::{Error, Result};
use crate::stamp::{self, Key};
use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

/// The root of the workspace to build: the repository, or a mirror of it with these modules.
pub(crate) fn workspace(modules: &[PathBuf]) -> Result<PathBuf> {
    let root = dirs::root();
    if modules.is_empty() {
        return Ok(root.to_path_buf());
    }
    let extra = modules.iter().map(|folder| member(folder)).collect::<Result<BTreeMap<_, _>>>()?;
    let hash =
        extra.values().fold(Key::default(), |key, path| key.bytes(path.as_os_str().as_encoded_bytes()));
    let mirror = dirs::guest().with_file_name("guest-ws").join(&hash.hex()[..16]);
    stamp::create_folder(&mirror.join("modules"))?;

    for name in ["Cargo.toml", "boot", "kernel", "tests", "rust-toolchain.toml"] {
        relink(&root.join(name), &mirror.join(name))?;
    }
    clear(&mirror.join("modules"))?;
    for entry in fs::read_dir(root.join("modules")).into_iter().flatten().flatten() {
        if package_name(&entry.path()).is_ok_and(|name| !extra.contains_key(&name)) {
            relink(&entry.path(), &mirror.join("modules").join(entry.file_name()))?;
        }
    }
    for (name, folder) in &extra {
        // Not the repository's own path, under which cargo may know another crate with this name.
        let place =
            format!("{name}-{}", &Key::default().bytes(folder.as_os_str().as_encoded_bytes()).hex()[..8]);
        relink(folder, &mirror.join("modules").join(place))?;
    }
    // cargo adds the new members to the lock file: that must not be the repository's.
    let lock = root.join("Cargo.lock");
    stamp::refresh(&mirror.join("Cargo.lock"), &Key::new("lock").file(&lock), || {
        fs::read(&lock).map_err(|why| Error::file("read", &lock, why))
    })?;
    Ok(mirror)
}

/// A module crate's name and its folder's full path.
fn member(folder: &Path) -> Result<(String, PathBuf)> {
    let path = fs::canonicalize(folder)
        .map_err(|why| Error::Usage(format!("--module {}: {why}", folder.display())))?;
    Ok((package_name(&path)?, path))
}

fn package_name(folder: &Path) -> Result<String> {
    let manifest = folder.join("Cargo.toml");
    let text = fs::read_to_string(&manifest).map_err(|why| {
        Error::Usage(format!("{} is no module crate: no Cargo.toml ({why})", folder.display()))
    })?;
    let table: toml::Table = text
        .parse()
        .map_err(|why: toml::de::Error| Error::Usage(format!("{}: {}", manifest.display(), why.message())))?;
    let name = table.get("package").and_then(|package| package.get("name")).and_then(toml::Value::as_str);
    name.map(str::to_owned).ok_or_else(|| Error::Usage(format!("{}: no [package] name", manifest.display())))
}

fn relink(to: &Path, at: &Path) -> Result<()> {
    if fs::read_link(at).is_ok_and(|old| old == to) {
        return Ok(());
    }
    let _ = fs::remove_file(at);
    symlink(to, at).map_err(|why| Error::file("make the link", at, why))
}

/// Takes links out of a folder.
fn clear(folder: &Path) -> Result<()> {
    for entry in fs::read_dir(folder).map_err(|why| Error::file("read the folder", folder, why))?.flatten() {
        fs::remove_file(entry.path()).map_err(|why| Error::file("remove", &entry.path(), why))?;
    }
    Ok(())
}
