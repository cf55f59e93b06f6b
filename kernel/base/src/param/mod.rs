//! Parameters: one declaration serves the boot command line, module insertion and run time.
//!
//! ```ignore
//! param! {
//!     /// Who is greeted.
//!     pub static WHO as "who": Text<64> = "world", mode 0o644;
//!     /// How many times.
//!     pub static COUNT as "count": u32 = 1, range 1..=100, on_set announce;
//! }
//! fn announce(count: u32) -> Result<()> { .. }    // an error keeps the old value
//! COUNT.get()
//! ```
//!
//! - **Name.** `PART.NAME`. The part is the crate's name; `part "debug";` at the head of the block gives another, and
//!   `part "";` makes the name a bare word of the command line (`quiet`). `-` and `_` are the same.
//! - **Type.** `bool`, the integers, [`Size`], [`Duration`](core::time::Duration), [`Text<N>`], enums by name
//!   ([`param_enum!`](crate::param_enum)), and whatever implements [`ParamType`]. Written as one identifier.
//! - **Range**, of any ordered type; default and bounds are checked when the kernel is compiled.
//! - **Mode** is that of its file under `/sys`, 0644 unless given.
//! - **`on_set`** is called with the new value before it is stored, with preemption off; an error is a veto. Setters of all
//!   parameters exclude each other.
//! - **Reading** is one load for everything but `Text`, which is copied under a lock.
//!
//! Each declaration leaves an [`Entry`] in section `.param`, which [`Table`] walks, and its description as text in section
//! `.paraminfo`, from which the host lists the parameters of an image without running it (`info.rs`).

mod boot;
mod info;
mod kind;
mod scalar;
mod set;
mod size;
mod table;
mod text;

#[cfg(test)]
mod tests;

pub use boot::{apply_command_line, command_line, init_args, init_env, words_for};
pub use kind::{Kind, Shown};
pub use scalar::{Param, ParamType};
pub use set::{ParamOps, SetError};
pub use size::Size;
pub use table::{Entry, Table, set_by_name};
pub use text::{Text, TextParam};

#[doc(hidden)]
pub mod macro_only {
    //! What the expansion of `param!` names.
    pub use super::info::{info_len, info_record};
    pub use super::kind::check_default;
    pub use super::text::text_limit;
    pub use core::ops::RangeInclusive;
}

/// Declares parameters; see [`param`](mod@crate::param).
#[macro_export]
macro_rules! param {
    (part $part:literal; $($items:tt)*) => { $crate::__params! { ($part) $($items)* } };
    ($($items:tt)*) => { $crate::__params! { (::core::env!("CARGO_CRATE_NAME")) $($items)* } };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __params {
    (($part:expr) $(
        $(#[doc = $doc:literal])+
        $vis:vis static $name:ident as $text:literal: $ty:ident $(<$n:literal>)? = $default:expr
            $(, range $range:expr)? $(, mode $mode:literal)? $(, on_set $on_set:path)?;
    )*) => {$(
        $(#[doc = $doc])+
        $vis static $name: $crate::__param!(@type $ty $(<$n>)?) =
            $crate::__param!(@new $ty $(<$n>)?, $default, [$($range)?], [$($on_set)?]);

        const _: () = {
            use $crate::param::{Entry, macro_only};
            const PART: &str = $part;
            const TYPE: &str = $crate::__param!(@name $ty $(<$n>)?);
            const DEFAULT: &str = $crate::__param!(@default $ty $(<$n>)?, $default);
            const RANGE: &str = $crate::__param!(@range $ty $(<$n>)?, [$($range)?]);
            const DOC: &str = ::core::concat!($($doc, "\n"),+);
            const MODE: u16 = $crate::__param!(@mode $($mode)?);
            const FIELDS: [&str; 7] =
                [PART, $text, TYPE, DEFAULT, RANGE, $crate::__param!(@mode_text $($mode)?), DOC];

            #[cfg_attr(target_os = "none", unsafe(link_section = ".param"))]
            #[cfg_attr(not(target_os = "none"), unsafe(link_section = "param_table"))]
            #[used]
            static ENTRY: Entry = Entry::new(PART, $text, TYPE, DEFAULT, RANGE, DOC, MODE, &$name);

            #[unsafe(link_section = ".paraminfo")]
            #[used]
            static INFO: [u8; macro_only::info_len(&FIELDS)] = macro_only::info_record(&FIELDS);
        };
    )*};
}

/// The places where `Text`, the language's own types and all others differ.
#[doc(hidden)]
#[macro_export]
macro_rules! __param {
    (@type Text<$n:literal>) => { $crate::param::TextParam<$n> };
    (@type $ty:ident) => { $crate::param::Param<$ty> };

    (@name Text<$n:literal>) => { "string" };
    (@name $ty:ident) => { <$ty as $crate::param::ParamType>::TYPE };

    (@default Text<$n:literal>, $default:expr) => { $default };
    (@default $ty:ident, $default:expr) => {{
        const SHOWN: $crate::param::Shown =
            <$ty as $crate::param::ParamType>::KIND.show($crate::__param!(@bits $ty, $default));
        SHOWN.as_str()
    }};

    (@range Text<$n:literal>, []) => {{
        const SHOWN: $crate::param::Shown = $crate::param::macro_only::text_limit($n);
        SHOWN.as_str()
    }};
    (@range $ty:ident, [$($range:expr)?]) => {{
        const SHOWN: $crate::param::Shown = <$ty as $crate::param::ParamType>::KIND
            .show_range($crate::__param!(@bounds $ty, [$($range)?]));
        SHOWN.as_str()
    }};

    (@new Text<$n:literal>, $default:expr, [], [$($on_set:path)?]) => {
        $crate::param::TextParam::new($default, $crate::__param!(@option $($on_set)?))
    };
    (@new $ty:ident, $default:expr, [$($range:expr)?], [$($on_set:path)?]) => {{
        const BITS: u64 = $crate::__param!(@bits $ty, $default);
        const BOUNDS: ::core::option::Option<(u64, u64)> = $crate::__param!(@bounds $ty, [$($range)?]);
        const _: () = $crate::param::macro_only::check_default(<$ty as $crate::param::ParamType>::KIND, BITS, BOUNDS);
        $crate::param::Param::new(BITS, BOUNDS, $crate::__param!(@option $($on_set)?))
    }};

    (@bounds $ty:ident, []) => { ::core::option::Option::None };
    (@bounds $ty:ident, [$range:expr]) => {{
        const RANGE: $crate::param::macro_only::RangeInclusive<$ty> = $range;
        ::core::option::Option::Some((
            $crate::__param!(@bits $ty, *RANGE.start()),
            $crate::__param!(@bits $ty, *RANGE.end()),
        ))
    }};

    (@bits Duration, $value:expr) => { { let value: Duration = $value; value.as_nanos() as u64 } };
    (@bits bool, $value:expr) => { $crate::__param!(@cast bool, $value) };
    (@bits u8, $value:expr) => { $crate::__param!(@cast u8, $value) };
    (@bits u16, $value:expr) => { $crate::__param!(@cast u16, $value) };
    (@bits u32, $value:expr) => { $crate::__param!(@cast u32, $value) };
    (@bits u64, $value:expr) => { $crate::__param!(@cast u64, $value) };
    (@bits usize, $value:expr) => { $crate::__param!(@cast usize, $value) };
    (@bits i8, $value:expr) => { $crate::__param!(@cast i8, $value) };
    (@bits i16, $value:expr) => { $crate::__param!(@cast i16, $value) };
    (@bits i32, $value:expr) => { $crate::__param!(@cast i32, $value) };
    (@bits i64, $value:expr) => { $crate::__param!(@cast i64, $value) };
    (@bits isize, $value:expr) => { $crate::__param!(@cast isize, $value) };
    (@bits $ty:ident, $value:expr) => { { let value: $ty = $value; value.to_bits() } };
    (@cast $ty:ident, $value:expr) => { { let value: $ty = $value; value as u64 } };

    (@option) => { ::core::option::Option::None };
    (@option $value:path) => { ::core::option::Option::Some($value) };

    (@mode) => { 0o644 };
    (@mode $mode:literal) => { $mode };
    (@mode_text) => { "0o644" };
    (@mode_text $mode:literal) => { ::core::stringify!($mode) };
}
