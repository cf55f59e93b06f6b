//! The guest's input on its way: read from its source once the guest has asked for it, written to QEMU as QEMU takes
//! it, and its end told once QEMU has taken all.

use crate::run::Input;
use crate::terminal::{self, Escape};
use rustix::io::{Errno, ioctl_fionread, read, write};
use std::io::{IsTerminal, stderr, stdin};
use std::os::fd::{AsFd, BorrowedFd};
use std::time::Duration;

/// How often to look whether QEMU has taken the last of the input.
const LOOK: Duration = Duration::from_millis(2);

/// Input is read in pieces of this size, in bytes.
const PIECE: usize = 4096;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// The guest has not asked yet.
    Held,
    /// Reading and writing.
    Open,
    /// All is read.
    Ended,
    /// All is with the guest, and it was told so.
    Told,
}

/// Input on its way.
#[derive(Debug)]
pub(crate) struct Feed {
    state: State,
    from_stdin: bool,
    escape: Option<Escape>,
    pending: Vec<u8>,
}

impl Feed {
    pub(crate) fn new(input: Input) -> Self {
        let from_stdin = matches!(input, Input::Stdin);
        let pending = if let Input::Bytes(bytes) = input { bytes } else { Vec::new() };
        Self { state: State::Held, from_stdin, escape: None, pending }
    }

    /// The guest has asked: a terminal goes into raw mode now, not before, so that Ctrl-C ends what never asks.
    pub(crate) fn open(&mut self) {
        if self.state != State::Held {
            return;
        }
        self.state = if self.from_stdin { State::Open } else { State::Ended };
        if self.from_stdin && terminal::raw() {
            self.escape = Some(Escape::default());
            if stderr().is_terminal() {
                eprintln!("the keyboard is the guest's now; Ctrl-A x ends the machine");
            }
        }
    }

    /// What to wait on for more to read.
    pub(crate) fn source(&self) -> Option<BorrowedFd<'static>> {
        (self.state == State::Open && self.pending.is_empty()).then(rustix::stdio::stdin)
    }

    /// Whether there is something to write.
    pub(crate) fn has_pending(&self) -> bool {
        self.state != State::Held && !self.pending.is_empty()
    }

    /// How long to wait before looking again.
    pub(crate) fn patience(&self) -> Option<Duration> {
        (self.state == State::Ended && self.pending.is_empty()).then_some(LOOK)
    }

    /// Reads what there is; `false` when the user ends the machine.
    pub(crate) fn read(&mut self) -> bool {
        let mut buffer = [0; PIECE];
        match read(stdin(), &mut buffer) {
            Ok(0) => self.state = State::Ended,
            Ok(count) => match &mut self.escape {
                None => self.pending.extend(&buffer[..count]),
                Some(escape) => match escape.filter(&buffer[..count]) {
                    Some(keys) => self.pending.extend(keys),
                    None => return false,
                },
            },
            Err(Errno::INTR | Errno::AGAIN) => {}
            Err(_) => self.state = State::Ended,
        }
        true
    }

    /// Writes what QEMU takes.
    pub(crate) fn write(&mut self, keyboard: &impl AsFd) {
        if self.state == State::Held {
            return;
        }
        while !self.pending.is_empty() {
            match write(keyboard, &self.pending) {
                Ok(count) => drop(self.pending.drain(..count)),
                Err(Errno::INTR) => {}
                Err(Errno::AGAIN) => return,
                // QEMU is gone; its console tells.
                Err(_) => self.pending.clear(),
            }
        }
    }

    /// Whether the end is to be told now: once, when all is written and QEMU has taken it out of the pipe.
    pub(crate) fn is_drained(&mut self, keyboard: &impl AsFd) -> bool {
        let all = self.state == State::Ended && self.pending.is_empty();
        let drained = all && ioctl_fionread(keyboard).is_ok_and(|left| left == 0);
        if drained {
            self.state = State::Told;
        }
        drained
    }
}
