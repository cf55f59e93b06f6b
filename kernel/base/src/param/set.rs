//! Setting a parameter, and what is said when that does not work.

use super::Entry;
use crate::Error;
use crate::sync::{SpinLock, rank};
use core::fmt;

/// Held while a parameter is set, so that a callback and the store after it are one step.
pub(super) static SETTING: SpinLock<()> = SpinLock::new(rank::PARAM, ());

/// What a parameter of any type can do.
pub trait ParamOps: Sync {
    /// Sets the value that `text` says; a name without `=` has no text.
    ///
    /// # Errors
    /// Why the value stays as it was.
    fn set(&self, text: Option<&str>) -> Result<(), SetError>;

    /// Writes the value as `set` reads it.
    ///
    /// # Errors
    /// Those of the writer.
    fn show(&self, out: &mut dyn fmt::Write) -> fmt::Result;
}

/// Why a parameter was not set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SetError {
    /// There is no parameter of that name.
    Unknown,
    /// A value is needed and there is none.
    NoValue,
    /// The text is no value of the type, or lies out of the range.
    Invalid,
    /// The text is too long.
    TooLong,
    /// The parameter's owner refused it.
    Refused(Error),
}

impl From<SetError> for Error {
    fn from(error: SetError) -> Self {
        match error {
            SetError::Unknown => Self::ENOENT,
            SetError::NoValue | SetError::Invalid | SetError::TooLong => Self::EINVAL,
            SetError::Refused(error) => error,
        }
    }
}

/// The line about a parameter that was not set: `param: hello.count=abc: not a u32 in 1..=100; it stays 1`.
pub(super) struct Complaint<'a> {
    pub(super) part: &'a str,
    pub(super) name: &'a str,
    pub(super) value: Option<&'a str>,
    /// Nothing where there is no such parameter.
    pub(super) entry: Option<&'a Entry>,
    pub(super) error: SetError,
}

impl fmt::Display for Complaint<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { part, name, .. } = self;
        let dot = if part.is_empty() { "" } else { "." };
        write!(f, "param: {part}{dot}{name:.64}")?;
        if let Some(value) = self.value {
            // A value of any length leaves room for what is said about it.
            write!(f, "={value:.64}{}", if value.chars().nth(64).is_some() { "..." } else { "" })?;
        }
        let Some(entry) = self.entry else { return write!(f, ": {part} has no such parameter") };
        let (of, range) = (entry.type_name(), entry.range());
        match self.error {
            SetError::Unknown | SetError::NoValue => f.write_str(": no value given")?,
            SetError::Invalid => {
                let article = if of.starts_with('i') { "an" } else { "a" };
                write!(f, ": not {article} {of}{}{range}", if range.is_empty() { "" } else { " in " })?;
            }
            SetError::TooLong => write!(f, ": longer than {range}")?,
            SetError::Refused(error) => write!(f, ": refused: {error}")?,
        }
        f.write_str("; it stays ")?;
        entry.show(f)
    }
}
