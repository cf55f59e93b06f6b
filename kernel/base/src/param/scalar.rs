//! Parameters of 64 bits or less: an atomic word, read by one load.

use super::set::{ParamOps, SETTING, SetError};
use super::{Kind, Shown};
use crate::Result;
use core::fmt;
use core::marker::PhantomData;
use core::sync::atomic::{AtomicU64, Ordering::Relaxed};
use core::time::Duration;

/// A type that parameters may have.
///
/// Besides this trait a type of one's own has `const fn to_bits(self) -> u64`, by which the macro takes defaults and bounds
/// (traits cannot be called while compiling). For an enum, [`param_enum!`](crate::param_enum) does it all.
pub trait ParamType: Copy + Send + Sync + 'static {
    /// The type's name, for people.
    const TYPE: &'static str;
    /// How its values are read, written and compared.
    const KIND: Kind;

    /// The value of these bits, which come from a default, a bound or [`parse`](Self::parse).
    fn from_bits(bits: u64) -> Self;

    /// The bits of the value that `text` says.
    fn parse(text: &str) -> Option<u64> {
        Self::KIND.parse(text)
    }

    /// The value of these bits as `parse` reads it.
    fn show(bits: u64) -> Shown {
        Self::KIND.show(bits)
    }
}

/// A parameter; declared by `param!`.
pub struct Param<T: ParamType> {
    bits: AtomicU64,
    bounds: Option<(u64, u64)>,
    on_set: Option<fn(T) -> Result<()>>,
    of: PhantomData<T>,
}

impl<T: ParamType> Param<T> {
    #[doc(hidden)]
    pub const fn new(bits: u64, bounds: Option<(u64, u64)>, on_set: Option<fn(T) -> Result<()>>) -> Self {
        Self { bits: AtomicU64::new(bits), bounds, on_set, of: PhantomData }
    }

    /// The value now.
    #[inline]
    pub fn get(&self) -> T {
        T::from_bits(self.bits.load(Relaxed))
    }
}

impl<T: ParamType> ParamOps for Param<T> {
    fn set(&self, text: Option<&str>) -> Result<(), SetError> {
        let bits = match (text, T::KIND) {
            // A bare word says yes.
            (None, Kind::Bool) => 1,
            (None, _) => return Err(SetError::NoValue),
            (Some(text), _) => T::parse(text).ok_or(SetError::Invalid)?,
        };
        if !T::KIND.contains(self.bounds, bits) {
            return Err(SetError::Invalid);
        }
        let _setting = SETTING.lock();
        if let Some(on_set) = self.on_set {
            on_set(T::from_bits(bits)).map_err(SetError::Refused)?;
        }
        self.bits.store(bits, Relaxed);
        Ok(())
    }

    fn show(&self, out: &mut dyn fmt::Write) -> fmt::Result {
        out.write_str(T::show(self.bits.load(Relaxed)).as_str())
    }
}

impl ParamType for bool {
    const TYPE: &'static str = "bool";
    const KIND: Kind = Kind::Bool;
    #[inline]
    fn from_bits(bits: u64) -> Self {
        bits != 0
    }
}

impl ParamType for Duration {
    const TYPE: &'static str = "duration";
    const KIND: Kind = Kind::Duration;
    #[inline]
    fn from_bits(bits: u64) -> Self {
        Self::from_nanos(bits)
    }
}

macro_rules! integers {
    ($($ty:ident: $kind:expr;)*) => {$(
        impl ParamType for $ty {
            const TYPE: &'static str = stringify!($ty);
            const KIND: Kind = $kind;
            #[inline]
            fn from_bits(bits: u64) -> Self {
                bits as Self
            }
        }
    )*};
}

integers! {
    u8: Kind::Unsigned { max: u8::MAX as u64 };
    u16: Kind::Unsigned { max: u16::MAX as u64 };
    u32: Kind::Unsigned { max: u32::MAX as u64 };
    u64: Kind::Unsigned { max: u64::MAX };
    usize: Kind::Unsigned { max: usize::MAX as u64 };
    i8: Kind::Signed { min: i8::MIN as i64, max: i8::MAX as i64 };
    i16: Kind::Signed { min: i16::MIN as i64, max: i16::MAX as i64 };
    i32: Kind::Signed { min: i32::MIN as i64, max: i32::MAX as i64 };
    i64: Kind::Signed { min: i64::MIN, max: i64::MAX };
    isize: Kind::Signed { min: isize::MIN as i64, max: isize::MAX as i64 };
}

/// Declares an enum whose values have names, as a parameter's type:
///
/// ```ignore
/// param_enum! {
///     /// How requests are ordered.
///     pub enum Elevator {
///         /// By deadline.
///         Deadline = "deadline",
///         /// As they come.
///         Noop = "noop",
///     }
/// }
/// ```
#[macro_export]
macro_rules! param_enum {
    ($(#[$meta:meta])* $vis:vis enum $name:ident { $($(#[$variant_meta:meta])* $variant:ident = $text:literal),* $(,)? }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        $vis enum $name { $($(#[$variant_meta])* $variant,)* }

        impl $name {
            #[doc(hidden)]
            $vis const fn to_bits(self) -> u64 {
                self as u64
            }
        }

        impl $crate::param::ParamType for $name {
            const TYPE: &'static str = "name";
            const KIND: $crate::param::Kind =
                $crate::param::Kind::Names(&[$(($text, $name::$variant as u64)),*]);

            fn from_bits(bits: u64) -> Self {
                let all = [$($name::$variant),*];
                all[(bits as usize).min(all.len() - 1)]
            }
        }

        impl ::core::fmt::Display for $name {
            fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                f.pad(match self { $($name::$variant => $text),* })
            }
        }
    };
}
