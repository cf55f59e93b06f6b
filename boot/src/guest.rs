//! Building the guest: loader, kernel and modules in one cargo call, then `.ko` files, symbols and the bundle.
//!
//! Everything is made anew only when what it is made of has changed. One build runs at a time in a target folder; what
//! it made is replaced whole, so a machine that starts meanwhile reads the old or the new.

use crate::Profile;
use crate::bundle;
use crate::cargo::{self, Built};
use crate::crates::{Crates, ModuleCrate};
use crate::dirs::{self, TARGET};
use crate::error::{Error, Result};
use crate::image::Image;
use crate::ko;
use crate::mirror;
use crate::stamp::{self, Key};
use crate::toolchain::Toolchain;
use std::fs::{self, File, OpenOptions};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// What to build.
#[derive(Debug, Clone, Default)]
pub struct BuildOptions {
    /// How the guest is compiled.
    pub profile: Profile,
    /// Add the crates under `tests/kernel/`.
    pub test_modules: bool,
    /// Folders of module crates outside the repository.
    pub modules: Vec<PathBuf>,
    /// Trees laid over the initramfs, in order.
    pub rootfs: Vec<PathBuf>,
}

/// A module that was built.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Module {
    /// The crate's name, which is the module's.
    pub name: String,
    /// The `.ko` on the host.
    pub path: PathBuf,
    /// Names of the modules that it needs.
    pub depends: Vec<String>,
}

/// What a build made.
#[derive(Debug, Clone)]
pub struct Artifacts {
    /// The loader, for QEMU's `-kernel`.
    pub loader: PathBuf,
    /// The kernel with symbols and line tables, for a debugger.
    pub kernel: PathBuf,
    /// The kernel as it is in the bundle.
    pub stripped: PathBuf,
    /// The packed symbols as they are in the bundle.
    pub symbols: PathBuf,
    /// The modules, by name.
    pub modules: Vec<Module>,
    /// The bundle, for QEMU's `-initrd`.
    pub bundle: PathBuf,
    /// Length of the bundle in bytes.
    pub bundle_len: u64,
    /// The build identity that kernel and modules carry.
    pub identity: u128,
    /// How long it took.
    pub took: Duration,
    /// Nothing had to be compiled.
    pub fresh: bool,
}

impl Artifacts {
    /// `loader, kernel and 6 modules built in 3.1 s; initramfs 2.6 MiB`
    pub fn summary(&self) -> String {
        let modules = match self.modules.len() {
            1 => "1 module".into(),
            n => format!("{n} modules"),
        };
        let how = if self.fresh {
            "unchanged".into()
        } else {
            format!("built in {:.1} s", self.took.as_secs_f64())
        };
        let size = crate::size::display(self.bundle_len);
        format!("loader, kernel and {modules} {how}; initramfs {size}")
    }

    /// Packs another bundle at `out`: this one's, with files laid over it (path, permissions, bytes).
    ///
    /// # Errors
    ///
    /// [`Error::Host`] when a file cannot be read or written.
    pub fn pack(&self, rootfs: &[PathBuf], files: &[(String, u32, Vec<u8>)], out: &Path) -> Result<bool> {
        let modules = self.modules.iter().map(|m| (format!("{}.ko", m.name), m.path.as_path())).collect();
        bundle::pack(
            &bundle::Parts { kernel: &self.stripped, symbols: &self.symbols, modules, rootfs, files },
            out,
        )
    }
}

/// Builds the guest.
///
/// # Errors
///
/// [`Error::Host`] when cargo or the linker fails (their words are on standard error then), or when a file cannot be
/// read or written; [`Error::Usage`] for a module folder that holds no crate.
pub fn build(options: &BuildOptions) -> Result<Artifacts> {
    let started = Instant::now();
    let target_dir = dirs::guest();
    stamp::create_folder(&target_dir)?;
    let _one_at_a_time = lock(&target_dir.join("lock"))?;
    let toolchain = Toolchain::find()?;
    let root = mirror::workspace(&options.modules)?;
    let out = out_folder(&target_dir, options);

    let crates = Crates::read(&toolchain, &root, &out.join("metadata.json"), options.test_modules)?;
    let built = compile(&toolchain, &crates, &root, &target_dir, options.profile)?;
    let program = |name: &str| {
        built.program(name).cloned().ok_or_else(|| Error::Host(format!("the build made no program `{name}`")))
    };
    let (loader_built, kernel) = (program("loader")?, program("ottawa-kernel")?);

    let identity = identity(&crates, &built, &kernel)?;
    let modules = crates
        .modules
        .iter()
        .map(|(name, module)| link(&toolchain, &built, name, module, identity, &out))
        .collect::<Result<Vec<_>>>()?;

    let [loader, stripped, symbols] = ["loader", "ottawa", "ottawa.sym"].map(|name| out.join(name));
    stamp::refresh(&loader, &Key::new("loader").file(&loader_built), || {
        Image::read(&loader_built)?.stripped()
    })?;
    let key = Key::new("kernel").file(&kernel).bytes(&identity.to_le_bytes());
    stamp::refresh(&stripped, &key, || Image::read(&kernel)?.stripped())?;
    stamp::refresh(&symbols, &key, || Image::read(&kernel)?.symbols(identity))?;

    let mut artifacts = Artifacts {
        loader,
        kernel,
        stripped,
        symbols,
        modules,
        bundle: out.join("initramfs"),
        bundle_len: 0,
        identity,
        took: Duration::ZERO,
        fresh: built.fresh,
    };
    artifacts.pack(&options.rootfs, &[], &artifacts.bundle)?;
    artifacts.bundle_len =
        fs::metadata(&artifacts.bundle).map_err(|why| Error::file("read", &artifacts.bundle, why))?.len();
    artifacts.took = started.elapsed();
    Ok(artifacts)
}

/// Waits until no other build runs in this folder.
fn lock(path: &Path) -> Result<File> {
    let file = OpenOptions::new().create(true).truncate(false).write(true).open(path);
    let file = file.map_err(|why| {
        let folder = path.parent().unwrap_or(path).display();
        Error::Host(format!(
            "cannot write to {folder} ({why}): make it writable or set CARGO_TARGET_DIR to a folder that is"
        ))
    })?;
    file.lock().map_err(|why| Error::file("lock", path, why))?;
    Ok(file)
}

/// A folder for what these options make, so that calls with different options do not undo each other's work.
fn out_folder(target_dir: &Path, options: &BuildOptions) -> PathBuf {
    let mut key = Key::default().text(&format!("{:?} {}", options.profile, options.test_modules));
    for path in options.modules.iter().chain(&options.rootfs) {
        let path = fs::canonicalize(path).unwrap_or_else(|_| path.clone());
        key = key.bytes(path.as_os_str().as_encoded_bytes());
    }
    let plain = options.modules.is_empty() && options.rootfs.is_empty();
    let name = match (options.profile, plain, options.test_modules) {
        (Profile::Release, true, false) => "release".into(),
        (Profile::Dev, true, false) => "dev".into(),
        _ => key.hex(),
    };
    target_dir.join("ottawa").join(name)
}

fn compile(
    toolchain: &Toolchain,
    crates: &Crates,
    root: &Path,
    target_dir: &Path,
    profile: Profile,
) -> Result<Built> {
    let mut command = toolchain.cargo();
    command
        .args(["build", "--message-format=json-render-diagnostics", "--target", TARGET, "--target-dir"])
        .arg(target_dir)
        .arg("--manifest-path")
        .arg(root.join("Cargo.toml"))
        .args(["-p", "loader", "-p", "kernel"])
        .args(crates.modules.values().flat_map(|module| ["-p", &module.package]));
    if profile == Profile::Release {
        command.arg("--release");
    }
    if std::io::IsTerminal::is_terminal(&std::io::stderr()) {
        command.args(["--color", "always"]);
    }
    cargo::build(command, TARGET)
}

/// The build identity: changes with every change of the compiled kernel, its interface or its code.
///
/// Libraries hold what generic code of the kernel becomes in a module, the program holds the rest.
fn identity(crates: &Crates, built: &Built, kernel: &PathBuf) -> Result<u128> {
    let mut key = Key::default();
    let libraries = built.libraries();
    let of_kernel = libraries.iter().filter(|(package, _)| crates.kernel.contains(**package));
    for library in of_kernel.map(|(_, file)| *file).chain([kernel]) {
        let bytes = fs::read(library).map_err(|why| Error::file("read", library, why))?;
        let name = library.file_name().unwrap_or_default();
        key = key.bytes(name.as_encoded_bytes()).bytes(&stamp::hash(&bytes).to_le_bytes());
    }
    u128::from_str_radix(&key.hex(), 16).map_err(|why| Error::Host(why.to_string()))
}

fn link(
    toolchain: &Toolchain,
    built: &Built,
    name: &str,
    module: &ModuleCrate,
    build: u128,
    out: &Path,
) -> Result<Module> {
    let libraries = built.libraries();
    let own = libraries.get(module.id.as_str()).ok_or_else(|| {
        Error::Host(format!("the module crate {name} makes no library: its Cargo.toml needs [lib]"))
    })?;
    let private = module
        .private
        .iter()
        .filter_map(|id| libraries.get(id.as_str()))
        .map(|path| path.as_path())
        .collect();
    let path = out.join("modules").join(format!("{name}.ko"));
    ko::link(toolchain, &ko::Parts { own, private, depends: &module.depends, build }, &path)?;
    Ok(Module { name: name.to_owned(), path, depends: module.depends.clone() })
}
