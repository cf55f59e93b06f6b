//! Calling into a module's memory.
//!
//! Everything here rests on one fact: the module was built together with this kernel (its build
//! identity says so) and its linker placed and relocated it. Then what the file calls `__ottawa_init`
//! has the type that `module!` gave it. A file that lies about its identity is code in the kernel like
//! any other module, and can do anything.
#![allow(unsafe_code, reason = "turns addresses in modules into functions and names")]

use crate::list;
use crate::names::Names;
use base::Result;
use base::param::{Entry, Table};
use base::symbols::Symbol;
use core::ops::Range;
use modlink::Linked;

/// `__ottawa_init`: makes the module's value.
pub type Init = fn() -> Result<()>;
/// `__ottawa_exit`: drops it.
pub type Exit = fn();

/// A module's two entry points, addresses of functions of the types above.
#[derive(Clone, Copy)]
pub(crate) struct Entries {
    init: u64,
    exit: u64,
}

impl Entries {
    /// Finds them among the functions that stay and those that go; `Err` is the one that there is not.
    pub(crate) fn of(stay: &Names, go: &Names) -> Result<Self, &'static str> {
        const INIT: &str = "__ottawa_init";
        const EXIT: &str = "__ottawa_exit";
        let init = go.function(INIT).or_else(|| stay.function(INIT)).ok_or(INIT)?;
        let exit = stay.function(EXIT).ok_or(EXIT)?;
        Ok(Self { init, exit })
    }

    /// Runs the module's `init`. Its memory is there as long as the call.
    ///
    /// # Errors
    /// What the module's `init` returned.
    pub(crate) fn init(self) -> Result<()> {
        // SAFETY: `of` found the function in this module's memory; `module!` gave it this type, and the
        // build identity says that both sides mean the same by it (see above). The address is not 0.
        let init = unsafe { core::mem::transmute::<*const (), Init>(self.init as *const ()) };
        init()
    }

    /// Drops the module's value.
    pub(crate) fn exit(self) {
        // SAFETY: as in `init`; this function lies in the text that stays.
        let exit = unsafe { core::mem::transmute::<*const (), Exit>(self.exit as *const ()) };
        exit()
    }
}

/// Where a module's table of parameters lies in its memory; empty if it has none.
#[derive(Default)]
pub(crate) struct Params(Range<u64>);

impl Params {
    /// Finds it.
    pub(crate) fn of(linked: &Linked<'_, '_>) -> Self {
        let aligned = |range: &Range<u64>| range.start.is_multiple_of(align_of::<Entry>() as u64);
        Self(linked.section(".param").filter(aligned).unwrap_or_default())
    }

    /// The table. It lives as long as the module's body, of which this value is a part.
    pub(crate) fn table(&self) -> Table<'_> {
        // SAFETY: `param!` puts nothing but entries into the section, the linker has relocated them, and
        // nothing writes there: no code has their addresses but this. The body owns their memory.
        unsafe { Table::from_range(self.0.start as *const u8, self.0.end as *const u8) }
    }
}

/// Names the code at `address` for a backtrace, if it lies in a module. Waits for no lock.
pub(crate) fn name_for_backtrace(address: u64) -> Option<Symbol<'static>> {
    list::with_function_at(address, |module, name, offset| {
        // SAFETY: the texts belong to the module. The one who asks writes a line about code that stands
        // in it, and forgets them; a module that code stands in is not freed.
        let (name, module) = unsafe { (extend(name), extend(module.name())) };
        Symbol { name, offset, module: Some(module) }
    })
}

/// Forgets how long `text` lives.
///
/// # Safety
/// The result is not used after `text` ends.
unsafe fn extend(text: &str) -> &'static str {
    // SAFETY: the caller's promise.
    unsafe { &*core::ptr::from_ref(text) }
}
