//! Finds the cargo, compiler and linker that build the guest.
//!
//! 0. The one at `OTTAWA_TOOLCHAIN`, when that is set.
//! 1. The toolchain that runs this program (`CARGO` says where) or that rustup picks in the repository, when it has
//!    core for the target. This is the usual case: rust-toolchain.toml asks for the target.
//! 2. Else the one that boot/toolchain.sh prepares from Debian's packages, once. Its place is remembered beside the
//!    guest's build, so that the script runs again only when the compiler or the script itself has changed.

use crate::dirs::{self, TARGET};
use crate::error::{Error, Result};
use crate::stamp::{self, Key};
use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The programs that build the guest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Toolchain {
    pub(crate) cargo: PathBuf,
    pub(crate) rustc: PathBuf,
    pub(crate) linker: PathBuf,
}

impl Toolchain {
    /// Finds one, or prepares it.
    pub(crate) fn find() -> Result<Self> {
        if let Some(folder) = env::var_os("OTTAWA_TOOLCHAIN") {
            return Self::at(Path::new(&folder)).ok_or_else(|| {
                let folder = folder.display();
                Error::Host(format!("OTTAWA_TOOLCHAIN={folder} is no toolchain with the target {TARGET}"))
            });
        }
        let running = env::var_os("CARGO").map(PathBuf::from);
        let running = running.as_deref().and_then(|cargo| Self::at(cargo.parent()?.parent()?));
        running.or_else(Self::of_rustup).map_or_else(Self::prepared, Ok)
    }

    /// The toolchain at a folder, when it is complete and has the target.
    fn at(folder: &Path) -> Option<Self> {
        let rustlib = folder.join("lib/rustlib");
        let core = entries(&rustlib.join(TARGET).join("lib"))
            .any(|file| file.file_name().is_some_and(|name| name.to_string_lossy().starts_with("libcore-")));
        let linker =
            entries(&rustlib).map(|host| host.join("bin/rust-lld")).find(|linker| linker.is_file())?;
        let (cargo, rustc) = (folder.join("bin/cargo"), folder.join("bin/rustc"));
        (core && cargo.is_file() && rustc.is_file()).then_some(Self { cargo, rustc, linker })
    }

    /// What `rustc` means in the repository; asked only when the program was not started by cargo.
    fn of_rustup() -> Option<Self> {
        if env::var_os("CARGO").is_some() {
            return None;
        }
        let output =
            Command::new("rustc").args(["--print", "sysroot"]).current_dir(dirs::root()).output().ok()?;
        Self::at(Path::new(String::from_utf8(output.stdout).ok()?.trim()))
    }

    fn prepared() -> Result<Self> {
        let script = dirs::root().join("boot/toolchain.sh");
        let memory = dirs::guest().join("toolchain");
        let key = Key::new("toolchain").file(&script).file(Path::new("/usr/bin/rustc")).hex();
        if let Some(toolchain) = fs::read_to_string(&memory)
            .ok()
            .and_then(|text| text.strip_prefix(&key).map(|folder| PathBuf::from(folder.trim())))
            .and_then(|folder| Self::at(&folder))
        {
            return Ok(toolchain);
        }
        let output = Command::new("sh")
            .arg(&script)
            .stdin(Stdio::null())
            .stderr(Stdio::inherit())
            .output()
            .map_err(|why| Error::file("run", &script, why))?;
        let folder = String::from_utf8_lossy(&output.stdout).trim().to_owned();
        let toolchain = Self::at(Path::new(&folder))
            .filter(|_| output.status.success())
            .ok_or_else(|| Error::Host(format!("no toolchain for {TARGET}: run `sh boot/setup.sh`")))?;
        stamp::replace(&memory, format!("{key} {folder}\n").as_bytes())?;
        Ok(toolchain)
    }

    /// A call of this cargo, in the repository, that the caller's environment does not bend: flags, wrappers and
    /// toolchain choices meant for the host's build would give the guest's crates other hashes. What says how to
    /// reach registries stays.
    pub(crate) fn cargo(&self) -> Command {
        let mut command = Command::new(&self.cargo);
        for (name, _) in env::vars_os() {
            let name = name.to_string_lossy();
            let kept = ["CARGO_HOME", "CARGO_BUILD_JOBS"].contains(&&*name)
                || ["CARGO_NET_", "CARGO_HTTP_", "CARGO_REGISTR", "CARGO_SOURCE_", "CARGO_TERM_"]
                    .iter()
                    .any(|prefix| name.starts_with(prefix));
            let bending =
                ["CARGO", "RUSTC", "RUSTFLAGS", "RUSTDOC", "RUSTUP_TOOLCHAIN", "RUST_RECURSION_COUNT"]
                    .iter()
                    .any(|prefix| name.starts_with(prefix))
                    || ["LD_LIBRARY_PATH", "MAKEFLAGS", "MFLAGS", "TARGET", "OUT_DIR", "PROFILE"]
                        .contains(&&*name);
            if bending && !kept {
                command.env_remove(&*name);
            }
        }
        command.env("RUSTC", &self.rustc).current_dir(dirs::root()).stdin(Stdio::null());
        command
    }

    /// A call of the linker as GNU ld would be called.
    pub(crate) fn ld(&self) -> Command {
        let mut command = Command::new(&self.linker);
        command.args(["-flavor", "gnu"]).stdin(Stdio::null());
        command
    }
}

fn entries(folder: &Path) -> impl Iterator<Item = PathBuf> {
    fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path())
}
