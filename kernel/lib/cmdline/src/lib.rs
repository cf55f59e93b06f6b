//! Splits the kernel's command line into words and parses their values. Pure: no memory, no hardware, no `unsafe`.
//!
//! ```text
//! quiet hello.who="Big World" "modules=hello,b c" -- -c "echo \"hi\""
//! |---| |-------| |---------| |-----| |--------|     || |-----------|
//! word   name      value       name    value          words for init
//! ```
//!
//! - Words are separated by white space. A word `--` ends the kernel's words; all that follow are init's arguments.
//! - Double quotes keep white space in a word and are no part of it themselves, wherever they stand: `k="v w"`, `"k=v w"`
//!   and `k=v" "w` are one word with the value `v w`. Inside quotes `\"` is a quote and `\\` a backslash; any other
//!   backslash is itself. A quote that is never closed reaches to the end of the line.
//! - A word is split at its first `=`; without one it has no value.
//! - In names `-` and `_` are the same.
//!
//! Nothing is copied: a [`Chunk`] is a part of the line, read in pieces that leave out quotes and escapes; where it is one
//! piece, as nearly always, [`Chunk::as_str`] has it. (Linux differs in two details: it keeps quotes in the middle of a
//! word, and knows no escapes.)
#![cfg_attr(not(test), no_std)]
#![forbid(unsafe_code)]

mod value;
mod word;

pub use value::{parse_bool, parse_duration, parse_signed, parse_size, parse_unsigned};
pub use word::{Chunk, Pieces, Word, Words, init_words, kernel_words, same_name, words};
