//! What the workspace's manifests say: which crates are modules, which modules need which, and which crates are the
//! kernel's.
//!
//! `cargo metadata` is asked only when a manifest or the lock file has changed since it was last asked.

use crate::dirs::TARGET;
use crate::error::{Error, Result};
use crate::stamp::{self, Key};
use crate::toolchain::Toolchain;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// One crate that becomes a `.ko`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ModuleCrate {
    /// The package's name, as `-p` takes it.
    pub(crate) package: String,
    /// cargo's name of this package, unique.
    pub(crate) id: String,
    /// Names (as crates, not packages) of the modules that it needs, sorted.
    pub(crate) depends: Vec<String>,
    /// Ids of packages that it needs and the kernel does not have.
    pub(crate) private: BTreeSet<String>,
}

/// What is built together.
#[derive(Debug, Clone)]
pub(crate) struct Crates {
    /// By crate name.
    pub(crate) modules: BTreeMap<String, ModuleCrate>,
    /// Ids of the kernel's package and all that it needs.
    pub(crate) kernel: BTreeSet<String>,
}

impl Crates {
    /// Reads the workspace at `root`. Modules are the members under `modules/`, and with `tests` under `tests/kernel/`.
    pub(crate) fn read(toolchain: &Toolchain, root: &Path, cache: &Path, tests: bool) -> Result<Self> {
        let mut key = Key::new("metadata").file(&root.join("Cargo.lock"));
        for manifest in manifests(root) {
            key = key.file(&manifest);
        }
        stamp::refresh(cache, &key, || {
            let output = toolchain
                .cargo()
                .args(["metadata", "--format-version=1", "--filter-platform", TARGET, "--manifest-path"])
                .arg(root.join("Cargo.toml"))
                .output()
                .map_err(|why| Error::file("run", &toolchain.cargo, why))?;
            if !output.status.success() {
                eprint!("{}", String::from_utf8_lossy(&output.stderr));
                return Err(Error::Host("cargo cannot read the workspace: see its words above".into()));
            }
            Ok(output.stdout)
        })?;
        // Asking may itself have written the lock file; then the next run asks once more.
        let text = fs::read(cache).map_err(|why| Error::file("read", cache, why))?;
        let metadata: Value =
            serde_json::from_slice(&text).map_err(|why| Error::file("understand", cache, why))?;
        Self::of(&metadata, root, tests)
            .ok_or_else(|| Error::Host("cargo metadata names no package `kernel`".into()))
    }

    fn of(metadata: &Value, root: &Path, tests: bool) -> Option<Self> {
        let needs = needs(metadata);
        let packages: Vec<Package<'_>> =
            metadata["packages"].as_array()?.iter().filter_map(Package::of).collect();
        let members: BTreeSet<&str> =
            metadata["workspace_members"].as_array()?.iter().filter_map(Value::as_str).collect();
        let of_root = packages.iter().filter(|package| members.contains(package.id));
        let in_folder = |package: &&Package<'_>| {
            let place = Path::new(package.manifest).strip_prefix(root).unwrap_or(Path::new(""));
            place.starts_with("modules") || (tests && place.starts_with("tests/kernel"))
        };
        let modules: Vec<&Package<'_>> =
            of_root.clone().filter(in_folder).filter(|p| p.lib.is_some()).collect();
        let kernel = closure(&needs, of_root.clone().find(|package| package.name == "kernel")?.id);

        let module_of =
            |id: &str| modules.iter().find(|module| module.id == id).and_then(|module| module.lib);
        let describe = |module: &&Package<'_>| {
            let all = closure(&needs, module.id);
            let direct = needs.get(module.id).into_iter().flatten();
            let mut depends: Vec<String> = direct.filter_map(|id| module_of(id)).map(crate_name).collect();
            depends.sort();
            let others = |id: &&String| !kernel.contains(*id) && module_of(id).is_none();
            let private = all.iter().filter(others).cloned().collect();
            let described =
                ModuleCrate { package: module.name.into(), id: module.id.into(), depends, private };
            (crate_name(module.lib.unwrap_or(module.name)), described)
        };
        Some(Self { modules: modules.iter().map(describe).collect(), kernel })
    }
}

struct Package<'a> {
    id: &'a str,
    name: &'a str,
    manifest: &'a str,
    /// The name of its library, when it has one.
    lib: Option<&'a str>,
}

impl<'a> Package<'a> {
    fn of(package: &'a Value) -> Option<Self> {
        let is_lib = |target: &&Value| {
            target["kind"]
                .as_array()
                .is_some_and(|kinds| kinds.iter().any(|kind| kind == "lib" || kind == "rlib"))
        };
        let lib =
            package["targets"].as_array()?.iter().find(is_lib).and_then(|target| target["name"].as_str());
        Some(Self {
            id: package["id"].as_str()?,
            name: package["name"].as_str()?,
            manifest: package["manifest_path"].as_str()?,
            lib,
        })
    }
}

/// What each package needs at run time: not what builds or tests it.
fn needs(metadata: &Value) -> BTreeMap<String, Vec<String>> {
    let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
    list(&metadata["resolve"]["nodes"])
        .iter()
        .map(|node| {
            let normal = list(&node["deps"])
                .into_iter()
                .filter(|dep| list(&dep["dep_kinds"]).iter().any(|kind| kind["kind"].is_null()))
                .map(|dep| dep["pkg"].as_str().unwrap_or_default().to_owned())
                .collect();
            (node["id"].as_str().unwrap_or_default().to_owned(), normal)
        })
        .collect()
}

fn closure(needs: &BTreeMap<String, Vec<String>>, start: &str) -> BTreeSet<String> {
    let mut seen = BTreeSet::new();
    let mut open = vec![start.to_owned()];
    while let Some(id) = open.pop() {
        if seen.insert(id.clone()) {
            open.extend(needs.get(&id).into_iter().flatten().cloned());
        }
    }
    seen
}

fn crate_name(name: &str) -> String {
    name.replace('-', "_")
}

/// The manifests of a workspace, wherever its members lie.
fn manifests(root: &Path) -> Vec<PathBuf> {
    let mut found = vec![root.join("Cargo.toml")];
    let mut folders: Vec<(PathBuf, u32)> =
        ["boot", "kernel", "modules", "tests"].iter().map(|name| (root.join(name), 0)).collect();
    while let Some((folder, depth)) = folders.pop() {
        let manifest = folder.join("Cargo.toml");
        if manifest.is_file() {
            found.push(manifest);
        }
        if depth < 2 {
            let inside = fs::read_dir(&folder).into_iter().flatten().flatten();
            folders.extend(
                inside.map(|entry| entry.path()).filter(|path| path.is_dir()).map(|path| (path, depth + 1)),
            );
        }
    }
    found.sort();
    found
}
