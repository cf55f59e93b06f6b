//! `#!` lines, as Linux reads them.
//!
//! Blanks (spaces and tabs) before the interpreter's name are skipped, it ends at a blank, and what follows up to the end
//! of the line is one argument, blanks in it and all, but for those at both its ends. Only 255 bytes count: a name that does
//! not end within them is no name, an argument is cut off there. A NUL ends everything, and behind the end of the file there
//! are NULs.

use crate::START_BYTES;
use crate::error::Error;

/// The last place in a line that is looked at; no name and no argument reaches it.
const LAST: usize = START_BYTES - 1;

/// What the first line of a script says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Script<'a> {
    /// The interpreter's path: not empty.
    pub interpreter: &'a [u8],
    /// Its first argument, the script's path being the next.
    pub argument: Option<&'a [u8]>,
}

fn blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t')
}

impl<'a> Script<'a> {
    /// Reads the line that a script begins with.
    pub(crate) fn parse(start: &'a [u8]) -> Result<Self, Error> {
        let byte = |at: usize| start.get(at).copied().unwrap_or(0);
        let find = |from: usize, to: usize, wanted: fn(u8) -> bool| (from..=to).find(|at| wanted(byte(*at)));
        let ends: fn(u8) -> bool = |byte| blank(byte) || byte == 0;
        let filled: fn(u8) -> bool = |byte| !blank(byte);

        let mut end = match find(0, LAST, |byte| byte == b'\n') {
            Some(end) => end,
            // The line may go on behind what is known of it, and so may the name, unless something ends it here.
            None => find(2, LAST, filled)
                .and_then(|name| find(name, LAST, ends))
                .map(|_| LAST)
                .ok_or(Error::Script)?,
        };
        while end > 2 && blank(byte(end - 1)) {
            end -= 1;
        }
        let text = |from: usize| {
            let to = find(from, end, |byte| byte == 0).unwrap_or(end);
            start.get(from..to).unwrap_or(&[])
        };
        let name = find(2, end, filled).ok_or(Error::Script)?;
        let name_end = find(name, end, ends).unwrap_or(end);
        let interpreter = start.get(name..name_end).filter(|name| !name.is_empty()).ok_or(Error::Script)?;
        let argument = find(name_end, end, filled).filter(|_| blank(byte(name_end)));
        Ok(Self { interpreter, argument: argument.map(text) })
    }
}
