//! The command line of the command: options for the host, words for the kernel.
//!
//! Options stand anywhere before a second `--` (the first is cargo's own); what is no option there, and the second
//! `--` with all that follows, is the kernel's. Options and words are told apart before the parser of options sees
//! them, by asking it which options take a value: a word such as `-x` or `a=--b` never meets it.

use crate::error::{Error, Result};
use crate::size;
use clap::{ArgAction, CommandFactory, FromArgMatches, Parser, ValueEnum};
use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

/// Optimisation of the guest's code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, ValueEnum)]
pub enum Profile {
    /// Optimised.
    #[default]
    Release,
    /// Optimised a little, with all checks.
    Dev,
}

/// What runs the guest's instructions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum Accel {
    /// KVM where the processor has it, else TCG.
    #[default]
    Auto,
    /// The processor itself.
    Kvm,
    /// QEMU's translator.
    Tcg,
}

/// Builds Ottawa and starts it in QEMU. WORDS are the kernel's command line; a second `--` and what follows are init's
/// arguments.
#[derive(Debug, Clone, Parser)]
#[command(
    name = "ottawa",
    version,
    override_usage = "cargo run -- [OPTIONS] [WORDS...] [-- ARGUMENTS OF INIT...]"
)]
#[command(disable_help_flag = true, disable_version_flag = true, args_override_self = true)]
pub(crate) struct Options {
    /// CPUs
    #[arg(long, value_name = "N", default_value = "2", value_parser = clap::value_parser!(u32).range(1..=255))]
    pub(crate) smp: u32,
    /// Memory, 16M or more
    #[arg(long, value_name = "SIZE", default_value = "512M", value_parser = memory)]
    pub(crate) memory: u64,
    /// What runs the guest's instructions
    #[arg(long, value_name = "auto|kvm|tcg", default_value = "auto", hide_possible_values = true)]
    pub(crate) accel: Accel,
    /// Guest time counts instructions (TCG, all CPUs on one thread)
    #[arg(long)]
    pub(crate) icount: bool,
    /// A raw disk, with QEMU's drive options after it (repeatable)
    #[arg(long, value_name = "FILE", action = ArgAction::Append)]
    pub(crate) disk: Vec<OsString>,
    /// Files laid over the initramfs, owned by root (repeatable)
    #[arg(long, value_name = "DIR", action = ArgAction::Append)]
    pub(crate) rootfs: Vec<PathBuf>,
    /// Build the module crate in DIR too (repeatable)
    #[arg(long, value_name = "DIR", action = ArgAction::Append)]
    pub(crate) module: Vec<PathBuf>,
    /// End the machine that long after QEMU's start
    #[arg(long, value_name = "SECONDS", value_parser = seconds)]
    pub(crate) timeout: Option<Duration>,
    /// How the guest is compiled
    #[arg(long, value_name = "release|dev", default_value = "release", hide_possible_values = true)]
    pub(crate) profile: Profile,
    /// Wait for a debugger on localhost:1234
    #[arg(long)]
    pub(crate) gdb: bool,
    /// Memory and CPUs split over N nodes
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=255))]
    pub(crate) numa: Option<u32>,
    /// One more argument for QEMU (repeatable)
    #[arg(long, value_name = "ARG", action = ArgAction::Append, allow_hyphen_values = true)]
    pub(crate) qemu: Vec<OsString>,
    /// Print the QEMU command line, start nothing
    #[arg(long)]
    pub(crate) print: bool,
    /// Print every parameter of kernel and modules, start nothing
    #[arg(long)]
    pub(crate) list_params: bool,
    /// Write a bootable image instead of starting QEMU
    #[arg(long, value_name = "FILE")]
    pub(crate) iso: Option<PathBuf>,
    /// Draw the running system's objects and links as SVG
    #[arg(long, value_name = "FILE")]
    pub(crate) sysgraph: Option<PathBuf>,
    /// Add the modules that test the kernel from inside
    #[arg(long, hide = true)]
    pub(crate) test_modules: bool,
    /// Print this help
    #[arg(long, action = ArgAction::HelpLong)]
    help: Option<bool>,
    /// Print the version
    #[arg(long, action = ArgAction::Version)]
    version: Option<bool>,
}

/// Options and words, told apart.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    /// For the host.
    pub(crate) options: Options,
    /// For the kernel, in order.
    pub(crate) words: Vec<String>,
}

/// Reads the arguments, the program's name not among them. `--help`, `--version` and wrong options end the program as
/// clap does (status 0 or 2).
///
/// # Errors
///
/// [`Error::Usage`] where the arguments ask for what cannot be, or what this version cannot do yet.
pub(crate) fn parse(arguments: impl IntoIterator<Item = OsString>) -> Result<Request> {
    let (options, words) = split(arguments)?;
    let options = match Options::command().try_get_matches_from(options) {
        Ok(matches) => {
            Options::from_arg_matches(&matches).map_err(|error| Error::Usage(error.to_string()))?
        }
        Err(error) if error.use_stderr() => return Err(Error::Usage(one_line(&error))),
        Err(help) => help.exit(),
    };
    check(&options)?;
    Ok(Request { options, words })
}

/// Sorts arguments into options (with a program name in front) and words.
fn split(arguments: impl IntoIterator<Item = OsString>) -> Result<(Vec<OsString>, Vec<String>)> {
    let command = Options::command();
    let takes_value = |name: &str| {
        command
            .get_arguments()
            .find(|argument| argument.get_long() == Some(name))
            .is_some_and(|argument| argument.get_action().takes_values())
    };
    let (mut options, mut words) = (vec![OsString::from("ottawa")], Vec::new());
    let mut arguments = arguments.into_iter();
    while let Some(argument) = arguments.next() {
        let name = argument.to_str().and_then(|text| text.strip_prefix("--"));
        match name {
            None => words.push(word(argument)?),
            Some("") => {
                words.push("--".into());
                for rest in arguments.by_ref() {
                    words.push(word(rest)?);
                }
            }
            Some(name) => {
                let value = takes_value(name).then(|| arguments.next()).flatten();
                options.push(argument);
                options.extend(value);
            }
        }
    }
    Ok((options, words))
}

fn word(argument: OsString) -> Result<String> {
    argument.into_string().map_err(|word| Error::Usage(format!("the word {word:?} is not UTF-8")))
}

/// What the parser of options has to say, on one line.
fn one_line(error: &clap::Error) -> String {
    let text = error.to_string();
    let first = text.split("\n\nUsage").next().unwrap_or_default();
    let first = first.split("\n\nFor more").next().unwrap_or_default();
    let words: Vec<&str> = first.trim_start_matches("error: ").split_whitespace().collect();
    format!("{} (`cargo run -- --help` shows all options)", words.join(" "))
}

fn memory(text: &str) -> std::result::Result<u64, String> {
    let bytes = size::parse(text)?;
    if bytes < 16 << 20 { Err("Ottawa needs 16M or more".into()) } else { Ok(bytes) }
}

fn seconds(text: &str) -> std::result::Result<Duration, String> {
    let seconds: f64 = text.parse().map_err(|_| "a number of seconds, such as 10 or 0.5")?;
    match Duration::try_from_secs_f64(seconds) {
        Ok(limit) if !limit.is_zero() => Ok(limit),
        _ => Err("a number of seconds above 0".into()),
    }
}

/// Refuses options whose work has not come yet and those that contradict each other.
fn check(options: &Options) -> Result<()> {
    let later = [
        ("--disk", !options.disk.is_empty()),
        ("--numa", options.numa.is_some()),
        ("--iso", options.iso.is_some()),
        ("--sysgraph", options.sysgraph.is_some()),
    ];
    if let Some((name, _)) = later.iter().find(|(_, given)| *given) {
        return Err(Error::Usage(format!("{name} is not there yet: leave it out")));
    }
    if options.icount && options.accel == Accel::Kvm {
        return Err(Error::Usage("--icount needs TCG: leave out --accel kvm".into()));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(line: &str) -> Result<Request> {
        parse(line.split_whitespace().map(OsString::from))
    }

    #[test]
    fn options_and_words_mix_before_a_second_dash_dash() {
        let request = request("modules=hello --smp 4 init=none --memory=1G -x").unwrap();
        assert_eq!((request.options.smp, request.options.memory), (4, 1 << 30));
        assert_eq!(request.words, ["modules=hello", "init=none", "-x"]);
    }

    #[test]
    fn after_a_second_dash_dash_all_is_the_kernels() {
        let request = request("quiet -- --smp 4 -- x").unwrap();
        assert_eq!(request.options.smp, 2);
        assert_eq!(request.words, ["quiet", "--", "--smp", "4", "--", "x"]);
    }

    #[test]
    fn an_unknown_option_is_wrong_usage() {
        let error = request("quiet --frob").unwrap_err();
        assert_eq!(error.status(), 2);
        assert!(error.to_string().contains("--frob") && !error.to_string().contains('\n'), "{error}");
    }

    #[test]
    fn an_argument_of_qemus_may_look_like_an_option() {
        let request = request("--qemu -d --qemu int a").unwrap();
        assert_eq!(request.options.qemu, ["-d", "int"]);
        assert_eq!(request.words, ["a"]);
    }

    #[test]
    fn too_little_memory_is_wrong_usage() {
        assert_eq!(request("--memory 15M").unwrap_err().status(), 2);
        assert_eq!(request("--memory 16M").unwrap().options.memory, 16 << 20);
    }

    #[test]
    fn an_option_whose_work_has_not_come_says_so() {
        for line in ["--disk a.img", "--numa 2", "--iso a.iso", "--sysgraph a.svg"] {
            let error = request(line).unwrap_err();
            assert_eq!(error.status(), 2);
            assert!(error.to_string().contains("not there yet"), "{error}");
        }
    }

    #[test]
    fn wrong_values_are_wrong_usage() {
        for line in [
            "--smp 0",
            "--smp x",
            "--timeout 0",
            "--timeout -1",
            "--numa x",
            "--accel hvf",
            "--smp",
            "--icount --accel kvm",
        ] {
            assert_eq!(request(line).map(|_| ()).unwrap_err().status(), 2, "{line}");
        }
    }
}
