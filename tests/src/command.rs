//! `ottawa ...` as a person runs it, with what it says captured.

use crate::build;
use crate::seen::Seen;
use std::ffi::{OsStr, OsString};
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::Instant;

/// A call of the command, being put together.
#[must_use]
pub struct Ottawa {
    arguments: Vec<OsString>,
    environment: Vec<(OsString, OsString)>,
    input: Vec<u8>,
    folder: Option<std::path::PathBuf>,
}

/// The command with these arguments, split at spaces. A guest that hangs is ended after a minute, unless the arguments
/// say something else.
pub fn ottawa(arguments: &str) -> Ottawa {
    let arguments: Vec<OsString> = arguments.split_whitespace().map(OsString::from).collect();
    let limit = if arguments.iter().any(|a| a == "--timeout") {
        vec![]
    } else {
        vec!["--timeout".into(), "60".into()]
    };
    let arguments = [limit, arguments].concat();
    Ottawa { arguments, environment: Vec::new(), input: Vec::new(), folder: None }
}

impl Ottawa {
    /// Adds one argument, spaces and all.
    pub fn argument(mut self, argument: impl AsRef<OsStr>) -> Self {
        self.arguments.push(argument.as_ref().into());
        self
    }

    /// Sets a variable of its environment.
    pub fn environment(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.environment.push((name.into(), value.as_ref().into()));
        self
    }

    /// Its standard input; empty when nothing is said.
    pub fn input(mut self, bytes: &[u8]) -> Self {
        self.input = bytes.to_vec();
        self
    }

    /// The folder it is run in; the repository when nothing is said.
    pub fn folder(mut self, folder: &Path) -> Self {
        self.folder = Some(folder.to_owned());
        self
    }

    /// Runs it to its end.
    ///
    /// # Errors
    /// It could not be built or started.
    pub fn run(self) -> Result<Seen, String> {
        let folder = self.folder.clone().unwrap_or_else(|| boot::root().to_owned());
        let mut command = Command::new(build::ottawa()?);
        command.args(&self.arguments).envs(self.environment.iter().cloned()).current_dir(folder);
        let line = self.arguments.iter().map(|a| a.to_string_lossy()).collect::<Vec<_>>().join(" ");
        run(command, self.input, format!("ottawa {line}"))
    }
}

/// Runs a command to its end, captured.
///
/// # Errors
/// It could not be started.
pub fn run(mut command: Command, input: Vec<u8>, line: String) -> Result<Seen, String> {
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let started = Instant::now();
    let mut child = command.spawn().map_err(|why| format!("cannot run `{line}`: {why}"))?;
    let stdin = child.stdin.take();
    let writer = thread::spawn(move || {
        // A program that ends without reading all of its input is judged by what it says.
        let _ = stdin.map(|mut stdin| stdin.write_all(&input));
    });
    let output = child.wait_with_output().map_err(|why| format!("`{line}` is lost: {why}"))?;
    let _ = writer.join();
    Ok(Seen {
        what: line,
        status: output.status.code(),
        console: String::from_utf8_lossy(&output.stdout).replace('\r', ""),
        words: String::from_utf8_lossy(&output.stderr).into_owned(),
        boot_cycles: None,
        wall: started.elapsed(),
    })
}
