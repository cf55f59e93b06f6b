//! The table of parameters: what the linker gathered in section `.param`.
//!
//! It is walked by raw pointers from a start to a stop: entries are statics of their own, which no slice spans.
#![allow(unsafe_code, reason = "walks what the linker put together")]

use super::boot::with_text;
use super::set::{Complaint, ParamOps, SetError};
use crate::{Error, Result, warn};
use cmdline::{Word, same_name, words};
use core::cell::UnsafeCell;
use core::fmt;
use core::marker::PhantomData;

/// One parameter as its declaration describes it. Its texts live as long as the code that declared it, hence as long as
/// the reference by which one got here.
#[repr(C)]
pub struct Entry {
    part: &'static str,
    name: &'static str,
    type_name: &'static str,
    default: &'static str,
    range: &'static str,
    doc: &'static str,
    mode: u16,
    ops: &'static dyn ParamOps,
}

impl Entry {
    #[doc(hidden)]
    #[expect(clippy::too_many_arguments, reason = "called by the macro alone")]
    pub const fn new(
        part: &'static str,
        name: &'static str,
        type_name: &'static str,
        default: &'static str,
        range: &'static str,
        doc: &'static str,
        mode: u16,
        ops: &'static dyn ParamOps,
    ) -> Self {
        Self { part, name, type_name, default, range, doc, mode, ops }
    }

    /// The part it belongs to; empty for a bare word of the command line.
    pub fn part(&self) -> &str {
        self.part
    }

    /// Its name within the part.
    pub fn name(&self) -> &str {
        self.name
    }

    /// Its type's name, for people.
    pub fn type_name(&self) -> &str {
        self.type_name
    }

    /// The default, as [`set`](Self::set) reads it.
    pub fn default(&self) -> &str {
        self.default
    }

    /// The range for people; empty where every value of the type will do.
    pub fn range(&self) -> &str {
        self.range
    }

    /// The comment on the declaration.
    pub fn doc(&self) -> &str {
        self.doc
    }

    /// The mode of its file under `/sys`.
    pub fn mode(&self) -> u16 {
        self.mode
    }

    /// Sets the value that `text` says.
    ///
    /// # Errors
    /// Why the value stays as it was.
    pub fn set(&self, text: Option<&str>) -> Result<(), SetError> {
        self.ops.set(text)
    }

    /// Writes the value now, as [`set`](Self::set) reads it.
    ///
    /// # Errors
    /// Those of the writer.
    pub fn show(&self, out: &mut dyn fmt::Write) -> fmt::Result {
        self.ops.show(out)
    }
}

/// The parameters of the kernel, or of one module.
#[derive(Clone, Copy)]
pub struct Table<'a> {
    start: *const Entry,
    stop: *const Entry,
    entries: PhantomData<&'a Entry>,
}

// SAFETY: a table gives out shared references to entries, which are `Sync`: texts, and operations that are.
unsafe impl Send for Table<'_> {}
// SAFETY: as above.
unsafe impl Sync for Table<'_> {}

unsafe extern "C" {
    #[cfg_attr(not(target_os = "none"), link_name = "__start_param_table")]
    static __param_start: UnsafeCell<u8>;
    #[cfg_attr(not(target_os = "none"), link_name = "__stop_param_table")]
    static __param_stop: UnsafeCell<u8>;
}

impl Table<'static> {
    /// The parameters of the kernel itself.
    pub fn builtin() -> Self {
        Self {
            start: (&raw const __param_start).cast(),
            stop: (&raw const __param_stop).cast(),
            entries: PhantomData,
        }
    }
}

impl<'a> Table<'a> {
    /// The parameters between two addresses, both a multiple of 8: a module's section `.param`.
    ///
    /// # Safety
    /// For all of `'a` the memory there is a row of entries as the compiler made them, relocated, readable, unchanging.
    pub unsafe fn from_range(start: *const u8, stop: *const u8) -> Self {
        Self { start: start.cast(), stop: stop.cast(), entries: PhantomData }
    }

    /// All entries, in the linker's order.
    pub fn iter(&self) -> impl Iterator<Item = &'a Entry> + use<'a> {
        let mut at = self.start;
        let stop = self.stop;
        core::iter::from_fn(move || {
            if at.addr() + size_of::<Entry>() > stop.addr() {
                return None;
            }
            // SAFETY: between start and stop lies a row of entries, by the linker script or the promise to `from_range`.
            let entry = unsafe { &*at };
            at = at.wrapping_add(1);
            Some(entry)
        })
    }

    /// The parameter of that part and name.
    pub fn find(&self, part: &str, name: &str) -> Option<&'a Entry> {
        self.iter().find(|entry| same_name(entry.part, part) && same_name(entry.name, name))
    }

    /// Sets a module's parameters from the words of the boot command line that begin with its name. A bad one is a warning;
    /// its default stays.
    pub fn apply_boot_words(&self, module: &str) {
        for word in super::words_for(module) {
            let _ = self.apply(module, word);
        }
    }

    /// Sets a module's parameters from the words given when it is loaded (`who=X count=3`).
    ///
    /// # Errors
    /// `EINVAL` at the first bad one, about which a warning says more.
    pub fn apply_args(&self, module: &str, args: &str) -> Result<()> {
        words(args).try_for_each(|word| self.apply(module, word))
    }

    /// Sets what one word says. The word's name may begin with the part and a dot.
    pub(super) fn apply(&self, part: &str, word: Word<'_>) -> Result<()> {
        let (name, value) = word.split();
        let name = match name.split_once('.') {
            Some((before, name)) if before.is_name(part) => name,
            _ => name,
        };
        with_text(name, |name| match (name, value) {
            (None, _) => Err(Error::EINVAL),
            (Some(name), None) => self.set_or_warn(part, name, None),
            (Some(name), Some(value)) => with_text(value, |value| match value {
                Some(value) => self.set_or_warn(part, name, Some(value)),
                None => self.complain(part, name, None, SetError::TooLong),
            }),
        })
    }

    /// Sets the parameter of that part and name; a failure is logged.
    fn set_or_warn(&self, part: &str, name: &str, value: Option<&str>) -> Result<()> {
        match self.find(part, name).ok_or(SetError::Unknown).and_then(|entry| entry.set(value)) {
            Ok(()) => Ok(()),
            Err(error) => self.complain(part, name, value, error),
        }
    }

    fn complain(&self, part: &str, name: &str, value: Option<&str>, error: SetError) -> Result<()> {
        let entry = self.find(part, name);
        warn!("{}", Complaint { part, name, value, entry, error });
        Err(Error::EINVAL)
    }
}

/// Sets a parameter of the kernel itself.
///
/// # Errors
/// Why the value stays as it was.
pub fn set_by_name(part: &str, name: &str, value: Option<&str>) -> Result<(), SetError> {
    Table::builtin().find(part, name).ok_or(SetError::Unknown)?.set(value)
}
