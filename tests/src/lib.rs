//! What tests and figures share: one build of everything, the command run as a person runs it, what a run said.
//!
//! ```text
//! build      the guest with its test modules, once; the command's program, once
//! command    `ottawa ...` with its output captured
//! seen       an ended run, command's or machine's, and what is expected of it
//! ktest      the in-kernel tests that a module's file names
//! ko         damaged and foreign modules, made from good ones
//! figures    what is measured
//! ```
//!
//! `OTTAWA_LONG=1` asks for the long forms: hours instead of seconds.

pub mod build;
pub mod command;
pub mod figures;
pub mod ko;
pub mod ktest;
pub mod seen;

use std::process::{Command, Stdio};

/// Whether the long forms are wanted.
pub fn long() -> bool {
    std::env::var_os("OTTAWA_LONG").is_some_and(|value| value == "1")
}

/// A call of the cargo that runs us, in the repository.
pub fn cargo() -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    // What the outer cargo says of this package is not true of those that the inner one builds.
    for (name, _) in std::env::vars_os() {
        let name = name.to_string_lossy();
        if ["CARGO_PKG_", "CARGO_MANIFEST_", "CARGO_BIN_", "CARGO_CRATE_", "CARGO_PRIMARY_"]
            .iter()
            .any(|prefix| name.starts_with(prefix))
        {
            command.env_remove(&*name);
        }
    }
    command.current_dir(boot::root()).stdin(Stdio::null());
    command
}
