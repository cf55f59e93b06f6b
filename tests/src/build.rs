//! One build of everything, made by whoever asks first.

use crate::cargo;
use boot::{Artifacts, BuildOptions};
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

/// The guest with the modules of `tests/kernel/`, release profile.
///
/// # Errors
/// Why it did not build; cargo's own words are on standard error.
pub fn artifacts() -> Result<&'static Artifacts, String> {
    static BUILT: OnceLock<Result<Artifacts, String>> = OnceLock::new();
    let options = || BuildOptions { test_modules: true, ..BuildOptions::default() };
    BUILT
        .get_or_init(|| boot::build(&options()).map_err(|why| why.to_string()))
        .as_ref()
        .map_err(Clone::clone)
}

/// The file of a module of [`artifacts`].
///
/// # Errors
/// There is no such module.
pub fn module(name: &str) -> Result<&'static Path, String> {
    let found = artifacts()?.modules.iter().find(|module| module.name == name);
    found.map(|module| module.path.as_path()).ok_or_else(|| format!("the build made no module {name}"))
}

/// The command's program, `ottawa`.
///
/// # Errors
/// What cargo said.
pub fn ottawa() -> Result<&'static Path, String> {
    static BUILT: OnceLock<Result<PathBuf, String>> = OnceLock::new();
    BUILT.get_or_init(build_ottawa).as_ref().map(PathBuf::as_path).map_err(Clone::clone)
}

fn build_ottawa() -> Result<PathBuf, String> {
    let arguments = ["build", "-p", "boot", "--bin", "ottawa", "--message-format=json-render-diagnostics"];
    let output = cargo().args(arguments).output().map_err(|why| format!("cannot run cargo: {why}"))?;
    let messages = String::from_utf8_lossy(&output.stdout);
    let messages = messages.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let mut programs = messages.filter_map(|message| message["executable"].as_str().map(PathBuf::from));
    programs
        .next()
        .ok_or_else(|| format!("the command did not build:\n{}", String::from_utf8_lossy(&output.stderr)))
}
