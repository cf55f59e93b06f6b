//! The control channel: the guest's second serial line, lines of text.
//!
//! ```text
//! guest -> host   exit N      init ended with status N (0 to 255)
//!                 signal S    signal S ended init
//!                 panic       the kernel panicked
//!                 off         power-off, halt or reboot
//!                 fail        the loader could not start the kernel
//!                 input       standard input may be sent on the first serial line now
//!                 boot C      cycles of the TSC from the kernel's first instruction to its power-off
//! host -> guest   eof         all of standard input has been sent, and taken out of QEMU's pipe: what is left of
//!                             it is in the receiver of the first serial line
//! ```
//!
//! The last line that tells a status counts. Lines that are unknown are passed over, so that either side may be older.

use crate::error::{STATUS_HOST, STATUS_PANIC};

/// What the guest said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Line {
    Status(u8),
    Input,
    Boot(u64),
}

/// The longest line, in bytes; what is longer is no line of ours.
const LONGEST: usize = 80;

/// The host's end: takes bytes in, remembers what they said.
#[derive(Debug, Default, Clone)]
pub(crate) struct Control {
    partial: Vec<u8>,
    /// The exit status, once the guest told one.
    pub(crate) status: Option<u8>,
    /// The guest wants input.
    pub(crate) input: bool,
    /// Cycles from the kernel's first instruction to power-off.
    pub(crate) boot_cycles: Option<u64>,
}

impl Control {
    /// Takes in bytes from the guest.
    pub(crate) fn feed(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            if byte != b'\n' {
                if self.partial.len() <= LONGEST {
                    self.partial.push(byte);
                }
                continue;
            }
            match parse(&self.partial) {
                Some(Line::Status(status)) => self.status = Some(status),
                Some(Line::Input) => self.input = true,
                Some(Line::Boot(cycles)) => self.boot_cycles = Some(cycles),
                None => {}
            }
            self.partial.clear();
        }
    }
}

fn parse(line: &[u8]) -> Option<Line> {
    let text = std::str::from_utf8(line).ok()?.trim_end_matches('\r');
    let (word, number) = text.split_once(' ').unwrap_or((text, ""));
    match word {
        "exit" => number.parse().ok().map(Line::Status),
        "signal" => number.parse::<u8>().ok()?.checked_add(128).map(Line::Status),
        "panic" => Some(Line::Status(STATUS_PANIC)),
        "off" => Some(Line::Status(0)),
        "fail" => Some(Line::Status(STATUS_HOST)),
        "input" => Some(Line::Input),
        "boot" => number.parse().ok().map(Line::Boot),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status(text: &str) -> Option<u8> {
        let mut control = Control::default();
        control.feed(text.as_bytes());
        control.status
    }

    #[test]
    fn all_256_statuses_arrive() {
        for n in 0..=255 {
            assert_eq!(status(&format!("exit {n}\n")), Some(n));
        }
    }

    #[test]
    fn signals_panics_and_ends_have_their_statuses() {
        assert_eq!(status("signal 9\n"), Some(137));
        assert_eq!(status("panic\n"), Some(125));
        assert_eq!(status("off\n"), Some(0));
        assert_eq!(status("fail\n"), Some(123));
    }

    #[test]
    fn the_last_status_counts_and_what_is_no_line_does_not() {
        assert_eq!(status("off\nexit 3\nexit 256\nexit\nsignal 200\nfrob\n"), Some(3));
        assert_eq!(status("exit 3"), None);
        assert_eq!(status(&format!("{}\nexit 4\n", "x".repeat(1000))), Some(4));
    }

    #[test]
    fn a_line_may_come_in_pieces() {
        let mut control = Control::default();
        for piece in ["in", "put\nboot 12", "34\n"] {
            control.feed(piece.as_bytes());
        }
        assert!(control.input);
        assert_eq!(control.boot_cycles, Some(1234));
    }
}
