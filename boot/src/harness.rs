//! A machine for tests: started with words, ended with a status and what its console said.
//!
//! ```no_run
//! let artifacts = boot::build(&boot::BuildOptions { test_modules: true, ..Default::default() })?;
//! let outcome = boot::Guest::new(&artifacts).words(["modules=hello", "init=none"]).smp(1).run()?;
//! assert_eq!(outcome.status, 0, "{}", outcome.console());
//! # Ok::<(), boot::Error>(())
//! ```
//!
//! Any number may run at once, each in its own folder; nothing is written to standard output.

use crate::args::Accel;
use crate::error::{Error, Result};
use crate::guest::Artifacts;
use crate::qemu::Machine;
use crate::run::{Input, Run};
use crate::words;
use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

/// A machine to be started.
#[derive(Debug, Clone)]
#[must_use]
pub struct Guest<'a> {
    artifacts: &'a Artifacts,
    machine: Machine,
    words: Vec<String>,
    rootfs: Vec<PathBuf>,
    files: Vec<(String, u32, Vec<u8>)>,
    bundle: Option<PathBuf>,
    input: Option<Vec<u8>>,
    timeout: Duration,
}

/// How a machine ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// The command's exit status: the guest's, or 123, 124, 125.
    pub status: u8,
    /// What came over the console.
    pub output: Vec<u8>,
    /// QEMU's own words.
    pub words: String,
    /// Why the status is none that the guest told.
    pub why: Option<String>,
    /// TSC cycles from the kernel's first instruction to power-off, when the guest told; with `--icount` these are
    /// instructions.
    pub boot_cycles: Option<u64>,
    /// From QEMU's start to its end.
    pub wall: Duration,
}

impl Outcome {
    /// The console as text, without carriage returns.
    pub fn console(&self) -> String {
        String::from_utf8_lossy(&self.output).replace('\r', "")
    }

    /// The last lines of the console.
    pub fn tail(&self, lines: usize) -> String {
        let text = self.console();
        let all: Vec<&str> = text.lines().collect();
        all[all.len().saturating_sub(lines)..].join("\n")
    }
}

impl<'a> Guest<'a> {
    /// A machine of these artifacts: 2 CPUs, 512 MiB, TCG, no words, no input, 60 s at most.
    pub fn new(artifacts: &'a Artifacts) -> Self {
        Self {
            artifacts,
            machine: Machine { accel: Accel::Tcg, ..Machine::default() },
            words: Vec::new(),
            rootfs: Vec::new(),
            files: Vec::new(),
            bundle: None,
            input: None,
            timeout: Duration::from_secs(60),
        }
    }

    /// Adds words to the kernel's command line; one with spaces is quoted.
    pub fn words<W: Into<String>>(mut self, words: impl IntoIterator<Item = W>) -> Self {
        self.words.extend(words.into_iter().map(Into::into));
        self
    }

    /// CPUs.
    pub fn smp(mut self, cpus: u32) -> Self {
        self.machine.smp = cpus;
        self
    }

    /// Memory in bytes.
    pub fn memory(mut self, bytes: u64) -> Self {
        self.machine.memory = bytes;
        self
    }

    /// Guest time counts instructions.
    pub fn icount(mut self) -> Self {
        self.machine.icount = true;
        self
    }

    /// One more argument for QEMU.
    pub fn qemu(mut self, argument: impl Into<OsString>) -> Self {
        self.machine.extra.push(argument.into());
        self
    }

    /// Lays a file (path in the initramfs, permissions, bytes) over the initramfs.
    pub fn file(mut self, path: impl Into<String>, mode: u32, bytes: impl Into<Vec<u8>>) -> Self {
        self.files.push((path.into(), mode, bytes.into()));
        self
    }

    /// Lays a folder over the initramfs.
    pub fn rootfs(mut self, folder: impl Into<PathBuf>) -> Self {
        self.rootfs.push(folder.into());
        self
    }

    /// Takes this file as the bundle, as it is: damaged ones too.
    pub fn bundle(mut self, file: impl Into<PathBuf>) -> Self {
        self.bundle = Some(file.into());
        self
    }

    /// Standard input, whole.
    pub fn input(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        self.input = Some(bytes.into());
        self
    }

    /// The time limit, from QEMU's start.
    pub fn timeout(mut self, limit: Duration) -> Self {
        self.timeout = limit;
        self
    }

    /// Starts the machine and waits for its end. A guest that fails is no error: its status tells.
    ///
    /// # Errors
    ///
    /// [`Error::Usage`] for words that are too long, [`Error::Host`] when QEMU cannot be started.
    pub fn run(self) -> Result<Outcome> {
        let line = words::line(&self.words)?;
        let folder =
            tempfile::tempdir().map_err(|why| Error::file("write to", &std::env::temp_dir(), why))?;
        let bundle = match self.bundle {
            Some(bundle) => bundle,
            None if self.files.is_empty() && self.rootfs.is_empty() => self.artifacts.bundle.clone(),
            None => {
                let own = folder.path().join("initramfs");
                self.artifacts.pack(&self.rootfs, &self.files, &own)?;
                own
            }
        };
        let mut output = Vec::new();
        let end = Run {
            machine: &self.machine,
            loader: &self.artifacts.loader,
            bundle: &bundle,
            line: &line,
            timeout: Some(self.timeout),
            input: self.input.map_or(Input::Nothing, Input::Bytes),
            signals: None,
            keep_words: true,
        }
        .run(&mut output)?;
        let (status, words, why) = (end.status, end.words, end.why);
        Ok(Outcome { status, output, words, why, boot_cycles: end.boot_cycles, wall: end.wall })
    }
}
