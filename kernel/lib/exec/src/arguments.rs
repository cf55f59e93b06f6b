//! The arguments and the environment of a program to be.
//!
//! execve copies them out of the old address space once, a piece at a time, and from then on has them: nobody changes them
//! any more, and nothing is counted that is not copied. They lie in pieces of 512 bytes, NUL after NUL, as they will lie on
//! the new stack, so that no large piece of memory is ever needed.
//!
//! A script's arguments become its interpreter's ([`Arguments::interpret`]): the first one goes, and others come before the
//! rest. Those live apart, in `front`.

use crate::script::Script;
use containers::{AllocError, Box, Vec};
use core::ffi::CStr;
use core::fmt;

/// The longest string, with its NUL: 128 KiB.
pub const MAX_STRING: u64 = 131_072;

/// What all arguments may take where the stack may not grow much: 128 KiB.
const LEAST_LIMIT: u64 = 131_072;
/// What they may take at most: three quarters of 8 MiB.
const MOST_LIMIT: u64 = 6 << 20;

const PIECE: usize = 512;

/// How many bytes all strings and the pointers to them may take where the stack's soft limit (`RLIMIT_STACK`) is that: a
/// quarter of it, within Linux's bounds.
pub fn argument_limit(stack: u64) -> u64 {
    (stack / 4).clamp(LEAST_LIMIT, MOST_LIMIT)
}

/// Why arguments were refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ArgumentError {
    /// Too many, or too long: `E2BIG`.
    TooBig,
    /// Memory is out: `ENOMEM`.
    NoMemory,
}

impl From<AllocError> for ArgumentError {
    fn from(_: AllocError) -> Self {
        Self::NoMemory
    }
}

impl fmt::Display for ArgumentError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::TooBig => "argument list too long",
            Self::NoMemory => "cannot allocate memory",
        })
    }
}

impl core::error::Error for ArgumentError {}

/// The arguments and the environment of a program to be.
///
/// To be filled by [`append`](Self::append), string by string, the arguments first; then
/// [`begin_environment`](Self::begin_environment), and the environment.
#[derive(Debug)]
pub struct Arguments {
    /// Strings with their NULs that scripts have put before the others.
    front: Vec<u8>,
    front_strings: u64,
    pieces: Vec<Box<[u8; PIECE]>>,
    /// Bytes in `pieces`.
    bytes: u64,
    /// Bytes at the start of `pieces` that are gone: the first argument of a script.
    gone: u64,
    /// The strings in `pieces` that are arguments, and their bytes.
    args: u64,
    arg_bytes: u64,
    envs: u64,
    /// Bytes of the string that has no NUL yet.
    open: u64,
    in_environment: bool,
    limit: u64,
}

impl Arguments {
    /// No arguments yet, with room for `limit` bytes: strings, and eight for the pointer to each ([`argument_limit`]).
    pub const fn new(limit: u64) -> Self {
        Self {
            front: Vec::new(),
            front_strings: 0,
            pieces: Vec::new(),
            bytes: 0,
            gone: 0,
            args: 0,
            arg_bytes: 0,
            envs: 0,
            open: 0,
            in_environment: false,
            limit,
        }
    }

    /// Adds bytes to the string that is being copied, up to and with the first NUL; what lies behind that is ignored. Whether
    /// there was one, so that the string is complete.
    ///
    /// # Errors
    /// [`ArgumentError`]: the arguments are of no use any more.
    pub fn append(&mut self, bytes: &[u8]) -> Result<bool, ArgumentError> {
        let (mut bytes, complete) = match CStr::from_bytes_until_nul(bytes) {
            Ok(string) => (string.to_bytes_with_nul(), true),
            Err(_) => (bytes, false),
        };
        let more = bytes.len() as u64;
        self.check(more, 1)?;
        self.open += more;
        if self.open > MAX_STRING {
            return Err(ArgumentError::TooBig);
        }
        while !bytes.is_empty() {
            let at = (self.bytes % PIECE as u64) as usize;
            if at == 0 {
                self.pieces.push(Box::new([0; PIECE])?)?;
            }
            let room = self.pieces.last_mut().and_then(|piece| piece.get_mut(at..)).unwrap_or_default();
            let (now, later) = bytes.split_at_checked(room.len()).unwrap_or((bytes, &[]));
            if let Some((to, _)) = room.split_at_mut_checked(now.len()) {
                to.copy_from_slice(now);
            }
            self.bytes += now.len() as u64;
            bytes = later;
        }
        if complete {
            self.open = 0;
            if self.in_environment {
                self.envs += 1;
            } else {
                self.args += 1;
                self.arg_bytes = self.bytes;
            }
        }
        Ok(complete)
    }

    /// Adds a string; as far as its first NUL, if it has one.
    ///
    /// # Errors
    /// As [`append`](Self::append).
    pub fn push(&mut self, string: &[u8]) -> Result<(), ArgumentError> {
        if !self.append(string)? {
            self.append(&[0])?;
        }
        Ok(())
    }

    /// From here on strings are the environment's. A program without arguments gets an empty one, as on Linux: many take for
    /// granted that there is one.
    ///
    /// # Errors
    /// As [`append`](Self::append).
    pub fn begin_environment(&mut self) -> Result<(), ArgumentError> {
        if self.open > 0 || self.arg_count() == 0 {
            self.append(&[0])?;
        }
        self.in_environment = true;
        Ok(())
    }

    /// Makes these the arguments of a script's interpreter: its path, its argument if there is one, the script's `path`, and
    /// what there was but for the first. Called after [`begin_environment`](Self::begin_environment), and once more for each
    /// interpreter that is a script itself.
    ///
    /// # Errors
    /// [`ArgumentError`].
    pub fn interpret(&mut self, script: &Script<'_>, path: &[u8]) -> Result<(), ArgumentError> {
        let kept = match self.front_strings {
            0 => &[],
            _ => after_nul(&self.front),
        };
        let mut front = Vec::new();
        let mut strings = self.front_strings.saturating_sub(1);
        for string in [Some(script.interpreter), script.argument, Some(path)].into_iter().flatten() {
            front.extend_from_slice(before_nul(string))?;
            front.push(0)?;
            strings += 1;
        }
        front.extend_from_slice(kept)?;
        if self.front_strings == 0 {
            self.drop_first();
        }
        self.front_strings = strings;
        self.front = front;
        self.check(0, 0)
    }

    /// Drops the first string of the pieces: an argument, if there is one.
    fn drop_first(&mut self) {
        if self.args == 0 {
            return;
        }
        for piece in &self.pieces {
            let (first, ended) = match CStr::from_bytes_until_nul(&**piece) {
                Ok(string) => (string.to_bytes_with_nul().len(), true),
                Err(_) => (PIECE, false),
            };
            self.gone += first as u64;
            if ended {
                break;
            }
        }
        self.args -= 1;
    }

    /// Whether so much more would still be within the limit.
    fn check(&self, bytes: u64, strings: u64) -> Result<(), ArgumentError> {
        let pointers = 8 * (self.arg_count() + self.envs + strings);
        if self.bytes() + bytes + pointers > self.limit { Err(ArgumentError::TooBig) } else { Ok(()) }
    }

    /// Number of arguments.
    pub fn arg_count(&self) -> u64 {
        self.front_strings + self.args
    }

    /// Number of strings in the environment.
    pub fn env_count(&self) -> u64 {
        self.envs
    }

    /// Bytes of all strings, NULs counted.
    pub fn bytes(&self) -> u64 {
        self.front.len() as u64 + self.bytes - self.gone
    }

    /// Bytes of the arguments, NULs counted: the environment follows.
    pub fn arg_bytes(&self) -> u64 {
        self.front.len() as u64 + self.arg_bytes - self.gone
    }

    /// The limit that was given.
    pub fn limit(&self) -> u64 {
        self.limit
    }

    /// The bytes of all strings, arguments first, piece by piece.
    pub(crate) fn pieces(&self) -> impl Iterator<Item = &[u8]> {
        let pieces = self.pieces.iter().zip((0u64..).step_by(PIECE)).map(|(piece, at)| {
            let from = self.gone.saturating_sub(at).min(PIECE as u64) as usize;
            let to = (self.bytes - at).min(PIECE as u64) as usize;
            piece.get(from..to).unwrap_or_default()
        });
        core::iter::once(&*self.front).chain(pieces).filter(|piece| !piece.is_empty())
    }
}

/// What lies before the first NUL.
fn before_nul(bytes: &[u8]) -> &[u8] {
    bytes.split(|byte| *byte == 0).next().unwrap_or_default()
}

/// What lies behind the first NUL.
fn after_nul(bytes: &[u8]) -> &[u8] {
    bytes.iter().position(|byte| *byte == 0).and_then(|nul| bytes.get(nul + 1..)).unwrap_or_default()
}
