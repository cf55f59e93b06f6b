//! The stack that a program starts on.
//!
//! ```text
//! top      8 bytes of zeros
//!          the path that execve was given        AT_EXECFN
//!          environment, then below it arguments  one string after the other, the first one lowest
//!          jitter
//!          "x86_64", 16 random bytes             AT_PLATFORM, AT_RANDOM
//!          auxiliary vector
//!          0, pointers to the environment
//!          0, pointers to the arguments
//! rsp      number of arguments                   a multiple of 16
//! ```
//!
//! First it is worked out where everything lies ([`Stack::new`]), so that the caller can make that much stack; then it is
//! written ([`Stack::write`]).

use crate::arguments::{ArgumentError, Arguments};
use crate::auxv::{Aux, Auxv, Strings};
use core::ffi::CStr;
use core::ops::Range;

const PLATFORM: &[u8] = b"x86_64\0";
const RANDOM_BYTES: u64 = 16;
/// Bytes of pointers that are written at once.
const BATCH: usize = 256;

/// The memory of the program to be.
pub trait Memory {
    /// Why it could not be written.
    type Error;

    /// Writes bytes at an address of the program's.
    ///
    /// # Errors
    /// When they cannot be written; the stack is of no use then.
    fn write(&mut self, address: u64, bytes: &[u8]) -> Result<(), Self::Error>;
}

/// Where everything on a first stack lies.
#[derive(Debug)]
pub struct Stack<'a> {
    arguments: &'a Arguments,
    path: &'a [u8],
    random: [u8; RANDOM_BYTES as usize],
    top: u64,
    strings: u64,
    at: Strings,
    auxv: Auxv,
    rsp: u64,
}

impl<'a> Stack<'a> {
    /// The stack that ends at `top`, a multiple of 16. `path`: what execve was given; `jitter`: how many bytes to leave out, at
    /// random (Linux: below 8,192), so that the stack's place within a page is not known either.
    ///
    /// # Errors
    /// [`ArgumentError::TooBig`]: arguments, path and pointers go beyond the arguments' limit, or beyond address 0.
    pub fn new(
        top: u64,
        jitter: u64,
        path: &'a [u8],
        arguments: &'a Arguments,
        aux: &Aux,
    ) -> Result<Self, ArgumentError> {
        let strings_and_pointers = arguments.arg_count() + arguments.env_count();
        let limited = arguments.bytes() + 8 * strings_and_pointers + path.len() as u64 + 1;
        if limited > arguments.limit() {
            return Err(ArgumentError::TooBig);
        }
        let below = |address: u64, bytes: u64| address.checked_sub(bytes).ok_or(ArgumentError::TooBig);
        let execfn = below(top, 8 + path.len() as u64 + 1)?;
        let strings = below(execfn, arguments.bytes())?;
        let platform = below(below(strings, jitter)? & !15, PLATFORM.len() as u64)?;
        let random = below(platform, RANDOM_BYTES)?;
        let at = Strings { random, execfn, platform };
        let auxv = Auxv::new(aux, at);
        // The number of arguments, and a 0 after the pointers to them and after those to the environment.
        let words = 3 + strings_and_pointers + 2 * auxv.entries().len() as u64;
        let rsp = below(random, 8 * words)? & !15;
        Ok(Self { arguments, path, random: aux.random, top, strings, at, auxv, rsp })
    }

    /// The stack pointer to start with.
    pub fn rsp(&self) -> u64 {
        self.rsp
    }

    /// Where the arguments' strings lie: what `/proc/PID/cmdline` shows.
    pub fn arguments(&self) -> Range<u64> {
        self.strings..self.strings + self.arguments.arg_bytes()
    }

    /// Where the environment's strings lie: what `/proc/PID/environ` shows.
    pub fn environment(&self) -> Range<u64> {
        self.strings + self.arguments.arg_bytes()..self.at.execfn
    }

    /// The auxiliary vector.
    pub fn auxv(&self) -> &Auxv {
        &self.auxv
    }

    /// Writes all of it: every byte from [`rsp`](Self::rsp) to the top that is not left out.
    ///
    /// # Errors
    /// The memory's.
    pub fn write<M: Memory>(&self, memory: &mut M) -> Result<(), M::Error> {
        memory.write(self.top - 8, &[0; 8])?;
        memory.write(self.at.execfn, self.path)?;
        memory.write(self.at.execfn + self.path.len() as u64, &[0])?;
        memory.write(self.at.platform, PLATFORM)?;
        memory.write(self.at.random, &self.random)?;
        let mut words = Words { memory, at: self.rsp, batch: [0; BATCH], len: 0 };
        words.push(self.arguments.arg_count())?;
        self.write_strings(&mut words)?;
        for (tag, value) in self.auxv.entries() {
            words.push(*tag)?;
            words.push(*value)?;
        }
        words.flush()
    }

    /// Writes the strings, and the pointers to them as words.
    fn write_strings<M: Memory>(&self, words: &mut Words<'_, M>) -> Result<(), M::Error> {
        let (args, all) =
            (self.arguments.arg_count(), self.arguments.arg_count() + self.arguments.env_count());
        let mut pointers = 0;
        let (mut start, mut at) = (self.strings, self.strings);
        for piece in self.arguments.pieces() {
            words.memory.write(at, piece)?;
            let mut rest = piece;
            while pointers < all
                && let Ok(string) = CStr::from_bytes_until_nul(rest)
            {
                let bytes = string.to_bytes_with_nul().len();
                if pointers == args {
                    words.push(0)?;
                }
                words.push(start)?;
                pointers += 1;
                at += bytes as u64;
                start = at;
                rest = rest.get(bytes..).unwrap_or_default();
            }
            at += rest.len() as u64;
        }
        if args == all {
            words.push(0)?;
        }
        words.push(0)
    }
}

/// Words that are written upwards, many at a time.
struct Words<'m, M> {
    memory: &'m mut M,
    /// Where the first word of the batch goes.
    at: u64,
    batch: [u8; BATCH],
    len: usize,
}

impl<M: Memory> Words<'_, M> {
    fn push(&mut self, word: u64) -> Result<(), M::Error> {
        if self.len == BATCH {
            self.flush()?;
        }
        if let Some(place) = self.batch.get_mut(self.len..self.len + 8) {
            place.copy_from_slice(&word.to_le_bytes());
            self.len += 8;
        }
        Ok(())
    }

    fn flush(&mut self) -> Result<(), M::Error> {
        self.memory.write(self.at, self.batch.get(..self.len).unwrap_or_default())?;
        self.at += self.len as u64;
        self.len = 0;
        Ok(())
    }
}
