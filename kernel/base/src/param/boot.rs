//! The boot command line.
//!
//! Its words go three ways. `PART.NAME=VALUE` and bare names of the kernel's own parameters are set at once. A word whose
//! part the kernel has not is a module's: the line stays in memory and is read again when that module loads. All others
//! are init's, as are the words behind `--`; they are read again when init starts. Nothing is allocated, nothing stored.

use super::Table;
use crate::info;
use crate::sync::OnceCell;
use cmdline::{Chunk, Word, init_words, kernel_words};
use core::fmt;

static LINE: OnceCell<&'static str> = OnceCell::new();
/// Room to put together a name or value that quotes and escapes have cut into pieces.
const PIECED: usize = 256;
/// Words for init are logged in lines of about so many bytes.
const LOG_WIDTH: usize = 160;

/// Whose a word is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Owner {
    /// A part of the kernel, whether it has a parameter of that name or not.
    Kernel,
    /// A module that may come later.
    Module,
    /// The first program.
    Init,
}

/// Sets what the command line says about the kernel's own parameters, and keeps the line for modules and init. Called once,
/// before the parts that the parameters are for. A bad value or name is a warning; the default stays.
pub fn apply_command_line(line: &'static str) {
    let _ = LINE.set(line);
    let table = Table::builtin();
    for word in kernel_words(line).filter(|word| owner(&table, word) == Owner::Kernel) {
        let (name, _) = word.split();
        let part = name.split_once('.').map(|(part, _)| part);
        match part {
            Some(part) => with_text(part, |part| {
                let _ = table.apply(part.unwrap_or(""), word);
            }),
            None => {
                let _ = table.apply("", word);
            }
        }
    }
    log_words_for_init(&table);
}

/// The command line as it was given.
pub fn command_line() -> &'static str {
    LINE.get().copied().unwrap_or("")
}

/// The words that set parameters of `module`, in order.
pub fn words_for(module: &str) -> impl Iterator<Item = Word<'static>> {
    kernel_words(command_line())
        .filter(move |word| word.split().0.split_once('.').is_some_and(|(part, _)| part.is_name(module)))
}

/// Init's arguments: words without `=` that the kernel has no use for, then those behind `--`.
pub fn init_args() -> impl Iterator<Item = Word<'static>> {
    unknown(Table::builtin()).filter(|word| word.split().1.is_none()).chain(init_words(command_line()))
}

/// What goes into init's environment: words with `=` that the kernel has no use for.
pub fn init_env() -> impl Iterator<Item = Word<'static>> {
    unknown(Table::builtin()).filter(|word| word.split().1.is_some())
}

fn unknown(table: Table<'static>) -> impl Iterator<Item = Word<'static>> {
    kernel_words(command_line()).filter(move |word| owner(&table, word) == Owner::Init)
}

fn owner(table: &Table<'_>, word: &Word<'_>) -> Owner {
    let name = word.split().0;
    let Some((part, _)) = name.split_once('.') else {
        let known = |name: Option<&str>| name.is_some_and(|name| table.find("", name).is_some());
        return if with_text(name, known) { Owner::Kernel } else { Owner::Init };
    };
    with_text(part, |part| match part {
        Some(part) if table.iter().any(|entry| cmdline::same_name(entry.part(), part)) => Owner::Kernel,
        Some(part) if is_crate_name(part) => Owner::Module,
        _ => Owner::Init,
    })
}

fn is_crate_name(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-')
}

/// Calls `f` with the chunk's text; with nothing if it is in pieces and too long to be put together.
pub(super) fn with_text<R>(chunk: Chunk<'_>, f: impl FnOnce(Option<&str>) -> R) -> R {
    match chunk.as_str() {
        Some(text) => f(Some(text)),
        None => with_pieces(chunk, f),
    }
}

/// On its own, so that only what needs the room on the stack takes it.
#[inline(never)]
fn with_pieces<R>(chunk: Chunk<'_>, f: impl FnOnce(Option<&str>) -> R) -> R {
    f(chunk.to_str(&mut [0; PIECED]))
}

/// Says once which words the kernel does not know: one of them may be a mistyped one of its own.
fn log_words_for_init(table: &Table<'static>) {
    let words = || unknown(*table);
    let mut from = 0;
    while from < words().count() {
        let mut len = 0;
        let fits = |word: &Word<'_>| {
            len += word.raw().len() + 1;
            len <= LOG_WIDTH
        };
        let count = words().skip(from).take_while(fits).count().max(1);
        info!("param: unknown, kept for init:{}", Listed(|| words().skip(from).take(count)));
        from += count;
    }
}

struct Listed<F>(F);

impl<F: Fn() -> I, I: Iterator<Item = Word<'static>>> fmt::Display for Listed<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (self.0)().try_for_each(|word| write!(f, " {}", word.raw()))
    }
}
