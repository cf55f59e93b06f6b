//! Parameters that are text.

use super::Shown;
use super::set::{ParamOps, SETTING, SetError};
use crate::Result;
use crate::sync::{IrqSpinLock, rank};
use core::fmt;
use core::ops::Deref;

/// Text of at most `N` bytes, held in place.
#[derive(Clone, Copy)]
pub struct Text<const N: usize> {
    len: usize,
    bytes: [u8; N],
}

impl<const N: usize> Text<N> {
    /// A copy of `text`, or nothing if it is longer than `N` bytes.
    pub const fn new(text: &str) -> Option<Self> {
        if text.len() > N {
            return None;
        }
        let mut bytes = [0; N];
        bytes.split_at_mut(text.len()).0.copy_from_slice(text.as_bytes());
        Some(Self { len: text.len(), bytes })
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        // Always text, and always that long: it was copied from one.
        self.bytes.get(..self.len).and_then(|bytes| core::str::from_utf8(bytes).ok()).unwrap_or("")
    }
}

impl<const N: usize> Deref for Text<N> {
    type Target = str;
    fn deref(&self) -> &str {
        self.as_str()
    }
}

impl<const N: usize> fmt::Display for Text<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self)
    }
}

impl<const N: usize> fmt::Debug for Text<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_str().fmt(f)
    }
}

impl<const N: usize> PartialEq<str> for Text<N> {
    fn eq(&self, other: &str) -> bool {
        self.as_str() == other
    }
}

impl<const N: usize> PartialEq<&str> for Text<N> {
    fn eq(&self, other: &&str) -> bool {
        self.as_str() == *other
    }
}

/// A parameter that is text; declared by `param!` with the type `Text<N>`.
pub struct TextParam<const N: usize> {
    value: IrqSpinLock<Text<N>>,
    on_set: Option<fn(&str) -> Result<()>>,
}

impl<const N: usize> TextParam<N> {
    #[doc(hidden)]
    pub const fn new(default: &str, on_set: Option<fn(&str) -> Result<()>>) -> Self {
        match Text::new(default) {
            Some(text) => Self { value: IrqSpinLock::new(rank::TEXT, text), on_set },
            None => panic!("the parameter's default is longer than its type allows"),
        }
    }

    /// A copy of the value now.
    pub fn get(&self) -> Text<N> {
        *self.value.lock()
    }
}

impl<const N: usize> ParamOps for TextParam<N> {
    fn set(&self, text: Option<&str>) -> Result<(), SetError> {
        let text = text.ok_or(SetError::NoValue)?;
        if text.len() > N {
            return Err(SetError::TooLong);
        }
        let _setting = SETTING.lock();
        if let Some(on_set) = self.on_set {
            on_set(text).map_err(SetError::Refused)?;
        }
        if let Some(text) = Text::new(text) {
            *self.value.lock() = text;
        }
        Ok(())
    }

    fn show(&self, out: &mut dyn fmt::Write) -> fmt::Result {
        out.write_str(&self.get())
    }
}

/// How a text's limit is shown where other types show a range.
#[doc(hidden)]
pub const fn text_limit(bytes: u64) -> Shown {
    Shown::EMPTY.number(bytes).text(" bytes")
}
