//! The terminal, while the guest reads from it: each key goes to the guest as it is.
//!
//! It is put back on every way out: when the guest ends, when a signal ends us (the run loop sees it first), and when
//! this program panics (its hook calls [`restore`]). Ctrl-A x ends the machine, Ctrl-A Ctrl-A is a Ctrl-A.

use rustix::termios::{self, OptionalActions, Termios};
use std::io::{IsTerminal, stdin};
use std::sync::{Mutex, PoisonError};

/// How the terminal was found, while it is not as it was found.
static FOUND: Mutex<Option<Termios>> = Mutex::new(None);

/// Puts the terminal on standard input, if it is one, into raw mode; says whether it did.
pub(crate) fn raw() -> bool {
    let stdin = stdin();
    let Ok(found) = termios::tcgetattr(&stdin) else { return false };
    if !stdin.is_terminal() {
        return false;
    }
    let mut raw = found.clone();
    raw.make_raw();
    // The guest's lines end in LF as often as in CR LF: the terminal goes on making CR LF of both.
    raw.output_modes |= termios::OutputModes::OPOST | termios::OutputModes::ONLCR;
    *FOUND.lock().unwrap_or_else(PoisonError::into_inner) = Some(found);
    termios::tcsetattr(&stdin, OptionalActions::Now, &raw).is_ok()
}

/// Leaves the terminal as it was found.
pub(crate) fn restore() {
    if let Some(found) = FOUND.lock().unwrap_or_else(PoisonError::into_inner).take() {
        let _ = termios::tcsetattr(stdin(), OptionalActions::Drain, &found);
    }
}

/// Looks for Ctrl-A x among the keys.
#[derive(Debug, Default)]
pub(crate) struct Escape {
    pressed: bool,
}

const CTRL_A: u8 = 1;

impl Escape {
    /// What of these keys is the guest's; `None` when the machine shall end.
    pub(crate) fn filter(&mut self, keys: &[u8]) -> Option<Vec<u8>> {
        let mut out = Vec::with_capacity(keys.len());
        for &key in keys {
            match (self.pressed, key) {
                (true, b'x' | b'X') => return None,
                (false, CTRL_A) => self.pressed = true,
                (true, key) => {
                    self.pressed = false;
                    out.push(key);
                }
                (false, key) => out.push(key),
            }
        }
        Some(out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ctrl_a_x_ends_and_ctrl_a_twice_is_one() {
        let mut escape = Escape::default();
        assert_eq!(escape.filter(b"ax"), Some(b"ax".to_vec()));
        assert_eq!(escape.filter(b"\x01"), Some(vec![]));
        assert_eq!(escape.filter(b"\x01x"), Some(b"\x01x".to_vec()));
        assert_eq!(escape.filter(b"\x01x"), None);
    }
}
