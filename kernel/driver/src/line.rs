//! An interrupt line for a driver: a 16 KiB stack with guard pages, and the handler.

use arch::irq::{self, LineError, LineHandler};
use mm::MemoryError;
use mm::label::Label;
use mm::stack::{INTERRUPT, KernelStack};

/// Why a driver cannot have a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RequestError {
    /// No memory for its stack.
    Memory(MemoryError),
    /// The line.
    Line(LineError),
}

impl core::fmt::Display for RequestError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            RequestError::Memory(error) => error.fmt(f),
            RequestError::Line(LineError::Busy) => f.write_str("somebody has the line"),
            RequestError::Line(LineError::NoSuchLine) => f.write_str("there are lines 0 to 15"),
        }
    }
}

/// Takes `line` for `handler`. It runs on a stack of its own, with interrupts on; see [`arch::irq`].
///
/// # Errors
/// [`RequestError`].
pub fn request(line: u8, name: &'static str, handler: &'static dyn LineHandler) -> Result<(), RequestError> {
    let label = Label::new(format_args!("the stack of irq {line} ({name})"));
    let stack = KernelStack::new(INTERRUPT, label).map_err(RequestError::Memory)?;
    // SAFETY: the stack is fresh and, once the line is ours, kept for ever.
    unsafe { irq::request_line(line, name, handler, stack.bounds()) }.map_err(RequestError::Line)?;
    stack.leak();
    Ok(())
}
