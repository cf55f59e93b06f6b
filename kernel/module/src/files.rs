//! The modules of the initramfs: `lib/modules/NAME.ko`, there or under `usr/`.
//!
//! The archive is read once; reading it for each module would cost more than linking one.

use base::error;
use base::sync::OnceCell;
use cmdline::same_name;
use containers::Vec;

/// A module that can be loaded.
#[derive(Clone, Copy)]
pub(crate) struct File {
    /// The file's name without `.ko`.
    pub(crate) name: &'static str,
    pub(crate) image: &'static [u8],
}

static FILES: OnceCell<Vec<File>> = OnceCell::new();

pub(crate) fn index(initramfs: &'static [u8]) {
    let mut files = Vec::<File>::new();
    for entry in cpio::Archive::new(initramfs) {
        let entry = match entry {
            Ok(entry) => entry,
            Err(problem) => {
                error!("initramfs: {problem}; modules behind that place are not found");
                break;
            }
        };
        let Some(name) = entry.name_str().and_then(module_name) else { continue };
        if entry.kind() != Some(cpio::Kind::File) {
            continue;
        }
        let file = File { name, image: entry.data };
        // A later file of the same name lies over the earlier one.
        if let Some(other) = files.iter_mut().find(|other| same_name(other.name, name)) {
            *other = file;
        } else if files.push(file).is_err() {
            error!("modules: out of memory; {name} and those behind it are not found");
            break;
        }
    }
    let _ = FILES.set(files);
}

fn module_name(path: &str) -> Option<&str> {
    let path = path.strip_prefix("usr/").unwrap_or(path);
    path.strip_prefix("lib/modules/")?.strip_suffix(".ko").filter(|name| !name.contains('/'))
}

/// All there are, in the archive's order.
pub(crate) fn all() -> &'static [File] {
    FILES.get().map_or(&[], |files| files)
}

/// The file of the module `name`; '-' equals '_'.
pub(crate) fn find(name: &str) -> Option<File> {
    all().iter().find(|file| same_name(file.name, name)).copied()
}
