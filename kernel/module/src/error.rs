//! What can go wrong, a line each: `module NAME: WHAT`, with what would be right.

use crate::list::{Module, State};
use crate::{files, list};
use base::Error;
use containers::{AllocError, Arc, String};
use core::fmt::{self, Display, Formatter};
use mm::MemoryError;
use modlink::{IDENTITY_BYTES, LinkError};

/// Why a module did not load.
#[derive(Debug)]
pub struct LoadError<'a> {
    /// The module.
    pub module: &'a str,
    /// The module that needs it, if it is not the one that was asked for.
    pub needed_by: Option<&'a str>,
    /// What is wrong.
    pub cause: Cause<'a>,
}

/// What is wrong with a module.
#[derive(Debug)]
#[non_exhaustive]
pub enum Cause<'a> {
    /// There is no such file.
    Unknown,
    /// The file is no module, or cannot be linked.
    Link(LinkError<'a>),
    /// A symbol that neither the kernel nor a module that it depends on has.
    Unresolved {
        /// The linker's words.
        error: LinkError<'a>,
        /// A loaded module that has it.
        exporter: Option<String>,
    },
    /// Built for another kernel.
    ForeignBuild {
        /// The build it is for; none if it does not say.
        theirs: Option<[u8; IDENTITY_BYTES]>,
        /// This build.
        ours: [u8; IDENTITY_BYTES],
    },
    /// The kernel's symbols are missing.
    NoKernelSymbols,
    /// The file says that it is another module.
    OtherName(&'a str),
    /// The file says nothing of its name, or lacks this entry point.
    NoEntry(&'static str),
    /// A module that it needs is not loaded.
    Needs(&'a str),
    /// A module that it needs needs it.
    Cycle(&'a str),
    /// It is loaded, or being loaded.
    Exists,
    /// A parameter was not set; a line in the log says which and why.
    Parameter,
    /// No memory.
    Memory(MemoryError),
    /// Its `init` said no.
    Init(Error),
}

impl LoadError<'_> {
    /// The error number that a system call answers with.
    pub fn errno(&self) -> Error {
        match &self.cause {
            Cause::Unknown | Cause::Unresolved { .. } | Cause::Needs(_) => Error::ENOENT,
            Cause::Link(_) | Cause::ForeignBuild { .. } | Cause::NoKernelSymbols => Error::ENOEXEC,
            Cause::OtherName(_) | Cause::NoEntry(_) => Error::ENOEXEC,
            Cause::Cycle(_) => Error::ELOOP,
            Cause::Exists => Error::EEXIST,
            Cause::Parameter => Error::EINVAL,
            Cause::Memory(_) => Error::ENOMEM,
            Cause::Init(error) => *error,
        }
    }
}

impl Display for LoadError<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "module {}: {}", self.module, self.cause)?;
        match self.needed_by {
            Some(other) => write!(f, " (needed by {other})"),
            None => Ok(()),
        }
    }
}

impl Display for Cause<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown => write!(f, "there is no such module; there are: {}", Known),
            Self::Link(error) => error.fmt(f),
            Self::Unresolved { error, exporter: None } => {
                write!(f, "{error}; neither the kernel nor a module it depends on has it")
            }
            Self::Unresolved { error, exporter: Some(name) } => {
                write!(f, "{error}; {name} has it: name it among the dependencies in Cargo.toml")
            }
            Self::ForeignBuild { theirs: None, .. } => {
                write!(f, "it does not say for which kernel it was built; link it with the builder")
            }
            Self::ForeignBuild { theirs: Some(theirs), ours } => {
                write!(f, "built for kernel {}, this is {}; build both together", Short(theirs), Short(ours))
            }
            Self::NoKernelSymbols => write!(f, "the kernel has no symbol table (boot/ottawa.sym)"),
            Self::OtherName(name) => write!(f, "the file holds module {name}; name it {name}.ko"),
            Self::NoEntry(what) => write!(f, "no {what}; a module crate has one `module! {{ type: .. }}`"),
            Self::Needs(other) => write!(f, "needs module {other}, which is not loaded; load that first"),
            Self::Cycle(other) => write!(f, "needs module {other}, which needs it; one must do without"),
            Self::Exists => write!(f, "is loaded already"),
            Self::Parameter => write!(f, "not loaded, because a parameter is wrong"),
            Self::Memory(error) => write!(f, "no memory for it: {error}"),
            Self::Init(error) => write!(f, "its init failed: {error} ({})", error.name()),
        }
    }
}

/// The first bytes of a build identity, as the kernel's first line shows it.
struct Short<'a>(&'a [u8; IDENTITY_BYTES]);

impl Display for Short<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        self.0.iter().take(4).try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// The modules of the initramfs.
struct Known;

impl Display for Known {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let mut separator = "";
        for file in files::all() {
            write!(f, "{separator}{}", file.name)?;
            separator = ", ";
        }
        if separator.is_empty() { f.write_str("none") } else { Ok(()) }
    }
}

impl<'a> From<LinkError<'a>> for Cause<'a> {
    fn from(error: LinkError<'a>) -> Self {
        match error {
            LinkError::Unresolved { symbol, .. } => {
                // A hint, which is left out where there is no memory for it.
                let exporter = symbol.as_str().and_then(|name| list::exporter(name).ok().flatten());
                Self::Unresolved { error, exporter }
            }
            error => Self::Link(error),
        }
    }
}

impl From<MemoryError> for Cause<'_> {
    fn from(error: MemoryError) -> Self {
        Self::Memory(error)
    }
}

impl From<AllocError> for Cause<'_> {
    fn from(error: AllocError) -> Self {
        Self::Memory(error.into())
    }
}

/// Why a module was not removed.
#[derive(Debug)]
#[non_exhaustive]
pub enum UnloadError {
    /// It is not loaded.
    NotLoaded,
    /// It is being loaded or removed.
    Busy {
        /// What it is going through.
        state: State,
    },
    /// Another module was linked against it.
    Held {
        /// One of those.
        by: Arc<Module>,
    },
}

impl UnloadError {
    /// The error number that `delete_module` answers with.
    pub fn errno(&self) -> Error {
        match self {
            Self::NotLoaded => Error::ENOENT,
            Self::Busy { .. } => Error::EBUSY,
            Self::Held { .. } => Error::EAGAIN,
        }
    }
}

impl Display for UnloadError {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotLoaded => write!(f, "is not loaded"),
            Self::Busy { state: State::Going } => write!(f, "is being removed already"),
            Self::Busy { .. } => write!(f, "is still being loaded"),
            Self::Held { by } => write!(f, "is needed by {}; remove that first", by.name()),
        }
    }
}
