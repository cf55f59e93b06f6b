//! The tree of files in the initramfs, before it is packed.
//!
//! Trees may be laid over it as `tar --keep-directory-symlink` would: a folder that meets a link to a folder goes
//! into the folder that the link means, anything else replaces what stood there. All belongs to root.

use crate::error::{Error, Result};
use crate::stamp::Key;
use cpio::{Attributes, Device, Place, Writer};
use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::{Path, PathBuf};

const KIND: u32 = 0o170_000;
const FOLDER: u32 = 0o040_000;
const FILE: u32 = 0o100_000;
const LINK: u32 = 0o120_000;

/// Files at least this large get their data at the start of a page: the kernel uses them where they lie.
const PAGE: usize = 4096;

/// How many links a path may lead through.
const LINKS: u32 = 40;

#[derive(Debug, Clone)]
enum Content {
    Bytes(Vec<u8>),
    /// A file of the host's, read when it is packed.
    Host(PathBuf),
    /// Nothing but its name: a folder, a FIFO, a device.
    Nothing(Device),
}

#[derive(Debug, Clone)]
struct Node {
    mode: u32,
    content: Content,
}

impl Node {
    fn is(&self, kind: u32) -> bool {
        self.mode & KIND == kind
    }
}

/// Files by path, without a leading slash. Sorted, so that folders come before what they hold.
#[derive(Debug, Clone, Default)]
pub(crate) struct Tree(BTreeMap<String, Node>);

impl Tree {
    /// Adds a folder and those above it.
    pub(crate) fn folder(&mut self, path: &str, mode: u32) -> Result<()> {
        let path = self.real(path)?;
        self.put(path, Node { mode: FOLDER | mode, content: Content::Nothing(Device::default()) });
        Ok(())
    }

    /// Adds a link.
    pub(crate) fn link(&mut self, path: &str, target: &str) -> Result<()> {
        let path = self.real_parent(path)?;
        self.put(path, Node { mode: LINK | 0o777, content: Content::Bytes(target.into()) });
        Ok(())
    }

    /// Adds a file with these bytes.
    pub(crate) fn file(&mut self, path: &str, mode: u32, bytes: impl Into<Vec<u8>>) -> Result<()> {
        let path = self.real_parent(path)?;
        self.put(path, Node { mode: FILE | mode, content: Content::Bytes(bytes.into()) });
        Ok(())
    }

    /// Adds a file of the host's.
    pub(crate) fn host_file(&mut self, path: &str, mode: u32, host: &Path) -> Result<()> {
        let path = self.real_parent(path)?;
        self.put(path, Node { mode: FILE | mode, content: Content::Host(host.into()) });
        Ok(())
    }

    /// Lays the files in a folder of the host's over the tree.
    pub(crate) fn lay_over(&mut self, folder: &Path) -> Result<()> {
        self.lay(folder, "")
    }

    fn lay(&mut self, folder: &Path, inside: &str) -> Result<()> {
        let unread = |why| Error::file("read the folder", folder, why);
        let mut entries: Vec<_> =
            fs::read_dir(folder).map_err(unread)?.collect::<std::result::Result<_, _>>().map_err(unread)?;
        entries.sort_by_key(fs::DirEntry::file_name);
        for entry in entries {
            let host = entry.path();
            let name = entry.file_name().into_string().map_err(|_| {
                Error::Host(format!(
                    "{}: the name of a file in the initramfs has to be UTF-8",
                    host.display()
                ))
            })?;
            let path = if inside.is_empty() { name } else { format!("{inside}/{name}") };
            let meta = fs::symlink_metadata(&host).map_err(|why| Error::file("read", &host, why))?;
            let (kind, mode) = (meta.file_type(), meta.mode() & 0o7777);
            if kind.is_dir() {
                self.folder(&path, mode)?;
                self.lay(&host, &path)?;
            } else if kind.is_file() {
                self.host_file(&path, mode, &host)?;
            } else if kind.is_symlink() {
                let target = fs::read_link(&host).map_err(|why| Error::file("read", &host, why))?;
                self.link(&path, &target.to_string_lossy())?;
            } else if !kind.is_socket() {
                let (major, minor) = (rustix::fs::major(meta.rdev()), rustix::fs::minor(meta.rdev()));
                let path = self.real_parent(&path)?;
                self.put(
                    path,
                    Node { mode: meta.mode(), content: Content::Nothing(Device { major, minor }) },
                );
            }
        }
        Ok(())
    }

    /// Puts a node where it belongs; what it replaces goes, a folder's contents too.
    fn put(&mut self, path: String, node: Node) {
        if !node.is(FOLDER) {
            let below = format!("{path}/");
            self.0.retain(|other, _| !other.starts_with(&below));
        }
        self.0.insert(path, node);
    }

    /// The path with links above its last part followed, missing folders made.
    fn real_parent(&mut self, path: &str) -> Result<String> {
        match path.rsplit_once('/') {
            None => Ok(path.into()),
            Some((folder, name)) => {
                let folder = self.real(folder)?;
                if !self.is_folder(&folder) {
                    self.folder(&folder, 0o755)?;
                }
                Ok(join(&folder, name))
            }
        }
    }

    /// The path with links to folders followed, its last part too.
    fn real(&mut self, path: &str) -> Result<String> {
        let mut real = String::new();
        let mut parts: Vec<String> = path.split('/').rev().map(str::to_owned).collect();
        let mut links = 0;
        while let Some(part) = parts.pop() {
            match part.as_str() {
                "" | "." => continue,
                ".." => {
                    real.truncate(real.rfind('/').unwrap_or(0));
                    continue;
                }
                _ => {}
            }
            let next = join(&real, &part);
            let target = match self.0.get(&next) {
                Some(node @ Node { content: Content::Bytes(target), .. }) if node.is(LINK) => {
                    String::from_utf8_lossy(target).into_owned()
                }
                node => {
                    if node.is_none() && !parts.is_empty() {
                        let content = Content::Nothing(Device::default());
                        self.put(next.clone(), Node { mode: FOLDER | 0o755, content });
                    }
                    real = next;
                    continue;
                }
            };
            links += 1;
            if links > LINKS {
                return Err(Error::Host(format!("/{path} in the initramfs leads through too many links")));
            }
            if target.starts_with('/') {
                real.clear();
            }
            parts.extend(target.split('/').rev().map(str::to_owned));
        }
        Ok(real)
    }

    fn is_folder(&self, path: &str) -> bool {
        path.is_empty() || self.0.get(path).is_some_and(|node| node.is(FOLDER))
    }

    /// Adds the tree's state to a key.
    pub(crate) fn key(&self, mut key: Key) -> Key {
        for (path, node) in &self.0 {
            key = key.text(path).text(&format!("{:o}", node.mode));
            key = match &node.content {
                Content::Bytes(bytes) => key.bytes(bytes),
                Content::Host(host) => key.file(host),
                Content::Nothing(device) => key.text(&format!("{device:?}")),
            };
        }
        key
    }

    /// Writes all of it to an archive.
    pub(crate) fn pack(&self, archive: &mut Writer<Vec<u8>>) -> Result<()> {
        for (path, node) in &self.0 {
            let read;
            let (bytes, rdev): (&[u8], _) = match &node.content {
                Content::Bytes(bytes) => (bytes, Device::default()),
                Content::Host(host) => {
                    read = fs::read(host).map_err(|why| Error::file("read", host, why))?;
                    (&read, Device::default())
                }
                Content::Nothing(device) => (&[], *device),
            };
            let attributes = Attributes { mode: node.mode, rdev, ..Attributes::default() };
            let large = node.is(FILE) && bytes.len() >= PAGE;
            let place = if large { Place::Page } else { Place::Anywhere };
            archive
                .add(path, &attributes, bytes, place)
                .map_err(|why| Error::Host(format!("cannot pack /{path} into the initramfs: {why}")))?;
        }
        Ok(())
    }
}

fn join(folder: &str, name: &str) -> String {
    if folder.is_empty() { name.into() } else { format!("{folder}/{name}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn debian() -> Tree {
        let mut tree = Tree::default();
        tree.folder("usr/lib", 0o755).unwrap();
        tree.link("lib", "usr/lib").unwrap();
        tree
    }

    fn paths(tree: &Tree) -> Vec<&str> {
        tree.0.keys().map(String::as_str).collect()
    }

    #[test]
    fn files_go_through_links_to_folders() {
        let mut tree = debian();
        tree.file("lib/modules/a.ko", 0o644, "x").unwrap();
        assert_eq!(paths(&tree), ["lib", "usr", "usr/lib", "usr/lib/modules", "usr/lib/modules/a.ko"]);
    }

    #[test]
    fn a_folder_laid_over_a_link_to_a_folder_keeps_the_link() {
        let over = tempfile::tempdir().unwrap();
        fs::create_dir_all(over.path().join("lib/x")).unwrap();
        fs::write(over.path().join("lib/x/f"), "1").unwrap();
        let mut tree = debian();
        tree.lay_over(over.path()).unwrap();
        assert_eq!(paths(&tree), ["lib", "usr", "usr/lib", "usr/lib/x", "usr/lib/x/f"]);
    }

    #[test]
    fn a_file_laid_over_a_link_replaces_it() {
        let over = tempfile::tempdir().unwrap();
        fs::write(over.path().join("lib"), "1").unwrap();
        let mut tree = debian();
        tree.lay_over(over.path()).unwrap();
        assert!(tree.0["lib"].is(FILE));
    }

    #[test]
    fn links_in_a_circle_are_an_error() {
        let mut tree = Tree::default();
        tree.link("a", "b").unwrap();
        tree.link("b", "a").unwrap();
        assert!(tree.file("a/x", 0o644, "").is_err());
    }
}
