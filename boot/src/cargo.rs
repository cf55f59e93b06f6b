//! The nested cargo call: all of the guest in one, so that features and hashes agree.
//!
//! What cargo says is kept back: shown when it takes longer than [`PATIENCE`], when it warns, or when it fails.

use crate::error::{Error, Result};
use serde_json::Value;
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

/// How long cargo works before its words are shown.
const PATIENCE: Duration = Duration::from_secs(3);

/// One thing that was built.
#[derive(Debug, Clone)]
pub(crate) struct Artifact {
    /// cargo's name of the package.
    pub(crate) package: String,
    /// Where cargo put it: libraries.
    pub(crate) libraries: Vec<PathBuf>,
    /// Where cargo put it: the program.
    pub(crate) program: Option<PathBuf>,
    /// The target's name.
    pub(crate) name: String,
}

/// What a build gave.
#[derive(Debug)]
pub(crate) struct Built {
    artifacts: Vec<Artifact>,
    /// Nothing had to be compiled.
    pub(crate) fresh: bool,
}

impl Built {
    /// The libraries for the guest by package id.
    pub(crate) fn libraries(&self) -> BTreeMap<&str, &PathBuf> {
        self.artifacts
            .iter()
            .flat_map(|artifact| {
                artifact.libraries.iter().map(|library| (artifact.package.as_str(), library))
            })
            .collect()
    }

    /// The program of that name.
    pub(crate) fn program(&self, name: &str) -> Option<&PathBuf> {
        self.artifacts
            .iter()
            .filter(|artifact| artifact.name == name)
            .find_map(|artifact| artifact.program.as_ref())
    }
}

/// Runs a cargo build that writes messages as JSON; artifacts whose path holds `target` are the guest's.
pub(crate) fn build(mut command: Command, target: &str) -> Result<Built> {
    let started = Instant::now();
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let program = PathBuf::from(command.get_program());
    let mut child = command.spawn().map_err(|why| Error::file("run", &program, why))?;
    let words = child.stderr.take();
    let messages = child.stdout.take();
    let words = thread::spawn(move || show_late(words, started));

    let mut built = Built { artifacts: Vec::new(), fresh: true };
    for line in
        messages.into_iter().flat_map(|messages| BufReader::new(messages).lines()).map_while(|line| line.ok())
    {
        if let Ok(message) = serde_json::from_str::<Value>(&line)
            && message["reason"] == "compiler-artifact"
        {
            built.fresh &= message["fresh"] == true;
            built.artifacts.extend(artifact(&message, target));
        }
    }
    let status = child.wait().map_err(|why| Error::file("run", &program, why))?;
    let held = words.join().unwrap_or_default();
    if !status.success() || held.windows(8).any(|text| text == b"warning:") {
        let _ = std::io::stderr().write_all(&held);
    }
    if !status.success() {
        return Err(Error::Host("the guest did not build: see cargo's words above".into()));
    }
    Ok(built)
}

fn artifact(message: &Value, target: &str) -> Option<Artifact> {
    let files = message["filenames"].as_array()?.iter().filter_map(Value::as_str).map(PathBuf::from);
    let of_guest = |path: &PathBuf| path.iter().any(|part| part == target);
    let libraries: Vec<PathBuf> =
        files.filter(of_guest).filter(|path| path.extension().is_some_and(|e| e == "rlib")).collect();
    let program = message["executable"].as_str().map(PathBuf::from).filter(of_guest);
    Some(Artifact {
        package: message["package_id"].as_str()?.to_owned(),
        libraries,
        program,
        name: message["target"]["name"].as_str()?.to_owned(),
    })
}

/// Takes in what cargo says, shows it once the patience is over, and gives back what was not shown.
fn show_late(words: Option<impl Read + Send + 'static>, started: Instant) -> Vec<u8> {
    let (sender, receiver) = mpsc::channel::<Vec<u8>>();
    let reader = thread::spawn(move || {
        let Some(mut words) = words else { return };
        let mut buffer = [0; 4096];
        while let Ok(count) = words.read(&mut buffer)
            && count > 0
            && sender.send(buffer[..count].to_vec()).is_ok()
        {}
    });
    let mut held = Vec::new();
    loop {
        match receiver.recv_timeout(PATIENCE.saturating_sub(started.elapsed()).max(Duration::from_millis(50)))
        {
            Ok(bytes) => held.extend(bytes),
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => break,
        }
        if started.elapsed() >= PATIENCE {
            let _ = std::io::stderr().write_all(&held);
            held.clear();
        }
    }
    let _ = reader.join();
    held
}
