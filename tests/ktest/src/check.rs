//! Checks: each returns from the test when it does not hold, having said so with file, line and values.

use core::fmt;
use core::panic::Location;

/// A test has failed; what there is to say has been said.
pub struct Failed(());

/// How a test ends.
pub type Result = core::result::Result<(), Failed>;

impl Failed {
    /// Says on the console why the running test fails.
    #[track_caller]
    #[inline(never)]
    pub fn because(why: fmt::Arguments<'_>) -> Self {
        let place = Location::caller();
        crate::run::say_failed(place.file(), place.line(), why);
        Self(())
    }
}

/// `?` on any error fails the test. (`Failed` itself is not `Debug`, so that this and the standard library's reflexive
/// conversion do not meet.)
impl<E: fmt::Debug> From<E> for Failed {
    #[track_caller]
    #[inline(never)]
    fn from(error: E) -> Self {
        Self::because(format_args!("{error:?}"))
    }
}

/// Fails the test unless the condition holds; more arguments say what was seen.
#[macro_export]
macro_rules! check {
    ($condition:expr $(,)?) => {
        if !$condition {
            return Err($crate::Failed::because(format_args!("not so: {}", stringify!($condition))));
        }
    };
    ($condition:expr, $($arg:tt)+) => {
        if !$condition {
            return Err($crate::Failed::because(format_args!(
                "not so: {}: {}", stringify!($condition), format_args!($($arg)+)
            )));
        }
    };
}

/// Fails the test unless the two are equal; more arguments say what they are of.
#[macro_export]
macro_rules! check_eq {
    ($seen:expr, $expected:expr $(,)?) => { $crate::check_eq!($seen, $expected, "{}", stringify!($seen)) };
    ($seen:expr, $expected:expr, $($arg:tt)+) => {
        match (&$seen, &$expected) {
            (seen, expected) => if *seen != *expected {
                return Err($crate::Failed::because(format_args!(
                    "{seen:?} is not {expected:?}: {}", format_args!($($arg)+)
                )));
            },
        }
    };
}
