//! The bundle: one cpio archive that is all the machine is given, the kernel's two files first, then the initramfs.
//!
//! The initramfs has Debian's layout with merged /usr, so that trees made of Debian packages lie over it. The same
//! parts give the same bytes: no times, no owners but root, one order.

use crate::error::{Error, Result};
use crate::image::Image;
use crate::stamp::{self, Key};
use crate::tree::Tree;
use cpio::{Attributes, Place, Writer};
use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Where modules lie in the initramfs.
pub const MODULES: &str = "usr/lib/modules";

/// Folders of the initramfs and their permissions.
const FOLDERS: &[(&str, u32)] = &[
    ("dev", 0o755),
    ("etc", 0o755),
    ("mnt", 0o755),
    ("proc", 0o555),
    ("root", 0o700),
    ("run", 0o755),
    ("sys", 0o555),
    ("tmp", 0o1777),
    ("usr/bin", 0o755),
    ("usr/lib", 0o755),
    ("usr/lib64", 0o755),
    ("usr/sbin", 0o755),
    ("var", 0o755),
    (MODULES, 0o755),
];

const LINKS: &[(&str, &str)] = &[
    ("bin", "usr/bin"),
    ("lib", "usr/lib"),
    ("lib64", "usr/lib64"),
    ("sbin", "usr/sbin"),
    ("var/run", "/run"),
];

/// What goes into a bundle.
#[derive(Debug)]
pub(crate) struct Parts<'a> {
    /// The kernel without symbols, and its symbols.
    pub(crate) kernel: &'a Path,
    pub(crate) symbols: &'a Path,
    /// Modules by file name.
    pub(crate) modules: Vec<(String, &'a Path)>,
    /// Trees laid over, in order.
    pub(crate) rootfs: &'a [PathBuf],
    /// Files laid over last: path, permissions, bytes.
    pub(crate) files: &'a [(String, u32, Vec<u8>)],
}

/// The tree of the initramfs.
fn tree(parts: &Parts<'_>) -> Result<Tree> {
    let mut tree = Tree::default();
    for (path, mode) in FOLDERS {
        tree.folder(path, *mode)?;
    }
    for (path, target) in LINKS {
        tree.link(path, target)?;
    }
    tree.file("etc/group", 0o644, "root:x:0:\n")?;
    tree.file("etc/passwd", 0o644, "root:x:0:0:root:/root:/bin/sh\n")?;
    tree.file("etc/hostname", 0o644, "ottawa\n")?;
    tree.file("init", 0o755, include_str!("init.sh"))?;
    busybox(&mut tree)?;
    for (name, module) in &parts.modules {
        tree.host_file(&format!("{MODULES}/{name}"), 0o644, module)?;
    }
    for folder in parts.rootfs {
        tree.lay_over(folder)?;
    }
    for (path, mode, bytes) in parts.files {
        tree.file(path.trim_start_matches('/'), *mode, bytes.clone())?;
    }
    Ok(tree)
}

/// Packs a bundle at `out` unless it was packed of the same before; says whether it was.
pub(crate) fn pack(parts: &Parts<'_>, out: &Path) -> Result<bool> {
    let tree = tree(parts)?;
    let key = tree.key(Key::new("bundle").file(parts.kernel).file(parts.symbols));
    stamp::refresh(out, &key, || archive(parts, &tree))
}

fn archive(parts: &Parts<'_>, tree: &Tree) -> Result<Vec<u8>> {
    let mut archive = Writer::new(Vec::new());
    let fail = |why: std::io::Error| Error::Host(format!("cannot pack the initramfs: {why}"));
    for (name, path) in [("boot/ottawa", parts.kernel), ("boot/ottawa.sym", parts.symbols)] {
        let bytes = fs::read(path).map_err(|why| Error::file("read", path, why))?;
        let attributes = Attributes { mode: 0o100_444, ..Attributes::default() };
        archive.add(name, &attributes, &bytes, Place::Page).map_err(fail)?;
    }
    tree.pack(&mut archive)?;
    archive.finish().map_err(fail)
}

/// Adds the host's busybox and its links, or says how to get one.
fn busybox(tree: &mut Tree) -> Result<()> {
    const WAY: &str = "`sh boot/setup.sh` installs busybox-static";
    let Some(host) = find("busybox") else {
        eprintln!("warning: no busybox, so the initramfs has no programs: {WAY}");
        return Ok(());
    };
    let bytes = fs::read(&host).map_err(|why| Error::file("read", &host, why))?;
    if !Image::is_static(&bytes) {
        eprintln!(
            "warning: {} is linked dynamically, so it cannot run in the initramfs: {WAY}",
            host.display()
        );
        return Ok(());
    }
    tree.host_file("usr/bin/busybox", 0o755, &host)?;
    let list = Command::new(&host).arg("--list-full").stdin(Stdio::null()).output();
    let list = list.map_err(|why| Error::file("run", &host, why))?;
    for path in String::from_utf8_lossy(&list.stdout).lines() {
        let (folder, name) = path.rsplit_once('/').unwrap_or(("bin", path));
        if name.is_empty() || name == "busybox" {
            continue;
        }
        if folder.ends_with("sbin") {
            tree.link(&format!("usr/sbin/{name}"), "../bin/busybox")?;
        } else {
            tree.link(&format!("usr/bin/{name}"), "busybox")?;
        }
    }
    Ok(())
}

/// A program in PATH.
pub(crate) fn find(program: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH")?;
    env::split_paths(&path).map(|folder| folder.join(program)).find(|file| file.is_file())
}
