//! Text that grows.

use crate::{AllocError, Vec};
use core::fmt::{self, Write};
use core::ops::Deref;
use core::str;

/// Text that grows at its end.
///
/// Invariant: `bytes` is UTF-8.
#[derive(PartialEq, Eq, Default)]
pub struct String {
    bytes: Vec<u8>,
}

impl String {
    /// Empty text, without memory.
    pub const fn new() -> Self {
        Self { bytes: Vec::new() }
    }

    /// Empty text with room for `room` bytes.
    ///
    /// # Errors
    /// When memory is out.
    pub fn with_capacity(room: usize) -> Result<Self, AllocError> {
        Ok(Self { bytes: Vec::with_capacity(room)? })
    }

    /// A copy of `text`.
    ///
    /// # Errors
    /// When memory is out.
    #[expect(clippy::should_implement_trait, reason = "its error is another one than a parser's")]
    pub fn from_str(text: &str) -> Result<Self, AllocError> {
        let mut string = Self::with_capacity(text.len())?;
        string.push_str(text)?;
        Ok(string)
    }

    /// Adds `text` at the end.
    ///
    /// # Errors
    /// When memory is out; nothing was added.
    pub fn push_str(&mut self, text: &str) -> Result<(), AllocError> {
        self.bytes.extend_from_copy(text.as_bytes())
    }

    /// Adds one character at the end.
    ///
    /// # Errors
    /// When memory is out.
    pub fn push(&mut self, character: char) -> Result<(), AllocError> {
        self.push_str(character.encode_utf8(&mut [0; 4]))
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        // SAFETY: the invariant.
        unsafe { str::from_utf8_unchecked(&self.bytes) }
    }

    /// Removes the text; the memory stays.
    pub fn clear(&mut self) {
        self.bytes.clear();
    }

    /// The text's bytes.
    pub fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }

    /// A second copy.
    ///
    /// # Errors
    /// When memory is out.
    pub fn try_clone(&self) -> Result<Self, AllocError> {
        Self::from_str(self)
    }
}

/// Formats into a new string; behind [`try_format!`](crate::try_format).
///
/// # Errors
/// When memory is out (or a value refuses to be formatted, which none should).
pub fn format(args: fmt::Arguments<'_>) -> Result<String, AllocError> {
    let mut string = String::new();
    string.write_fmt(args).map_err(|_| AllocError)?;
    Ok(string)
}

impl Write for String {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.push_str(text).map_err(|_| fmt::Error)
    }
}

impl Deref for String {
    type Target = str;
    fn deref(&self) -> &str {
        self.as_str()
    }
}

impl fmt::Debug for String {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_str().fmt(f)
    }
}

impl fmt::Display for String {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_str().fmt(f)
    }
}

impl PartialEq<str> for String {
    fn eq(&self, other: &str) -> bool {
        self.as_str() == other
    }
}

impl PartialEq<&str> for String {
    fn eq(&self, other: &&str) -> bool {
        self.as_str() == *other
    }
}
