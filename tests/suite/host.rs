//! Host tests: whatever has `#[test]`s in the workspace's hardware-free crates and in the command, each one a trial.
//!
//! A nested `cargo test --no-run` builds them all; each test program lists its tests; each test runs in a process of its
//! own, by `--exact`. The trial's name is `CRATE::path::name`, with the file's name behind the crate for tests in
//! `tests/`.

use crate::plan::{Plan, Verdict, Verdicts};
use serde_json::Value;
use std::collections::{BTreeMap, HashSet};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use tests::{cargo, long};

/// A program of tests.
struct Program {
    path: PathBuf,
    /// What its tests' names begin with.
    prefix: String,
    /// Where it is run.
    folder: PathBuf,
}

/// What the nested build gave.
pub(crate) struct Built {
    programs: Vec<Program>,
    /// cargo's words, when it failed.
    failed: Option<String>,
}

/// Builds the test programs.
pub(crate) fn build() -> Built {
    let packages = match packages() {
        Ok(packages) => packages,
        Err(why) => return Built { programs: Vec::new(), failed: Some(why) },
    };
    let mut command = cargo();
    command.args([
        "test",
        "--no-run",
        "--no-fail-fast",
        "--message-format=json-render-diagnostics",
        "--lib",
        "--tests",
    ]);
    for name in packages.keys() {
        command.args(["-p", name]);
    }
    let output = match command.output() {
        Ok(output) => output,
        Err(why) => return Built { programs: Vec::new(), failed: Some(format!("cannot run cargo: {why}")) },
    };
    let messages = String::from_utf8_lossy(&output.stdout);
    let messages = messages.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let mut programs: Vec<Program> = messages.filter_map(|message| program(&message, &packages)).collect();
    programs.sort_by(|a, b| a.prefix.cmp(&b.prefix));
    let failed = (!output.status.success()).then(|| String::from_utf8_lossy(&output.stderr).into_owned());
    Built { programs, failed }
}

/// The packages with host tests, by name, with their folders: members whose library may be tested, and the command, whose
/// tests are run from here only.
fn packages() -> Result<BTreeMap<String, PathBuf>, String> {
    let output = cargo().args(["metadata", "--no-deps", "--format-version=1"]).output();
    let output = output.map_err(|why| format!("cannot run cargo: {why}"))?;
    let metadata: Value = serde_json::from_slice(&output.stdout)
        .map_err(|why| format!("cargo metadata: {why}\n{}", String::from_utf8_lossy(&output.stderr)))?;
    let mut found = BTreeMap::new();
    for package in metadata["packages"].as_array().into_iter().flatten() {
        let (Some(name), Some(manifest)) = (package["name"].as_str(), package["manifest_path"].as_str())
        else {
            continue;
        };
        let is_tested_lib = |target: &Value| {
            target["test"] == true
                && target["kind"].as_array().is_some_and(|kinds| kinds.iter().any(|kind| kind == "lib"))
        };
        let tested = package["targets"].as_array().is_some_and(|targets| targets.iter().any(is_tested_lib));
        if name != env!("CARGO_PKG_NAME") && (tested || name == "boot") {
            found.insert(name.to_owned(), Path::new(manifest).parent().unwrap_or(Path::new("/")).to_owned());
        }
    }
    Ok(found)
}

fn program(message: &Value, packages: &BTreeMap<String, PathBuf>) -> Option<Program> {
    if message["reason"] != "compiler-artifact" || message["profile"]["test"] != true {
        return None;
    }
    let path = PathBuf::from(message["executable"].as_str()?);
    let manifest = Path::new(message["manifest_path"].as_str()?);
    let (name, folder) = packages.iter().find(|(_, folder)| {
        manifest.starts_with(folder.as_path()) && manifest.parent() == Some(folder.as_path())
    })?;
    let target = &message["target"];
    let of_file = target["kind"].as_array()?.iter().any(|kind| kind == "test");
    let name = name.replace('-', "_");
    let prefix = if of_file { format!("{name}::{}", target["name"].as_str()?) } else { name };
    Some(Program { path, prefix, folder: folder.clone() })
}

impl Built {
    /// Adds the tests found to the plan.
    pub(crate) fn add_to(self, plan: &mut Plan) {
        if let Some(why) = self.failed {
            plan.failed("host_tests_build", why);
        }
        for program in self.programs {
            match program.list() {
                Ok(tests) => tests.into_iter().for_each(|test| program.add(plan, test)),
                Err(why) => plan.failed(&format!("{}::lists_its_tests", program.prefix), why),
            }
        }
    }
}

struct Test {
    name: String,
    ignored: bool,
}

impl Program {
    fn list(&self) -> Result<Vec<Test>, String> {
        let names = |more: &[&str]| {
            let output = self.command(&["--list", "--format", "terse"]).args(more).output();
            let output = output.map_err(|why| format!("cannot run {}: {why}", self.path.display()))?;
            let text = String::from_utf8_lossy(&output.stdout).into_owned();
            let names = text.lines().filter_map(|line| line.strip_suffix(": test").map(str::to_owned));
            Ok::<Vec<String>, String>(names.collect())
        };
        let ignored: HashSet<String> = names(&["--ignored"])?.into_iter().collect();
        let all = names(&[])?.into_iter();
        Ok(all.map(|name| Test { ignored: ignored.contains(&name), name }).collect())
    }

    fn add(&self, plan: &mut Plan, test: Test) {
        let name = format!("{}::{}", self.prefix, test.name);
        let mut command = self.command(&["--exact", &test.name, "--include-ignored", "--nocapture"]);
        let mut body = move || run(&mut command);
        if test.ignored {
            plan.ignored(&name, body);
        } else {
            // What is fuzzed is fuzzed for a minute, in all.
            let seconds =
                if ["fuzz", "random", "any_bytes"].iter().any(|word| name.contains(word)) { 60 } else { 1 };
            let own = name.clone();
            plan.group(seconds, vec![name], move |_| Verdicts::from([(own, body())]));
        }
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.path);
        command.args(arguments).current_dir(&self.folder).stdin(Stdio::null());
        // As cargo would set it.
        command.env("CARGO_MANIFEST_DIR", &self.folder);
        // The crates look whether it is there.
        if !long() {
            command.env_remove("OTTAWA_LONG");
        }
        command
    }
}

fn run(command: &mut Command) -> Verdict {
    let output = command.output().map_err(|why| format!("cannot run it: {why}"))?;
    if output.status.success() {
        return Ok(());
    }
    Err(format!(
        "{}\n{}{}",
        output.status,
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    ))
}
