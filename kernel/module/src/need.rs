//! Loading by name: the file from the initramfs, and before it what it needs.
//!
//! What a module needs may need others in turn. The way down is a vector, not the stack: its length is
//! the initramfs's to say, and a kernel stack has 8 KiB.

use crate::error::{Cause, LoadError};
use crate::files::{self, File};
use crate::list::{self, Module};
use crate::load::load;
use cmdline::same_name;
use containers::{Arc, Vec};
use core::str::Split;
use modlink::Object;

/// A file whose needs are being looked after.
struct Pending {
    file: File,
    /// What of its `depends` has not been looked at.
    rest: Split<'static, char>,
}

/// Loads the module `name` from the initramfs, and before it the modules it needs that are not loaded.
/// '-' equals '_'. The modules' parameters come from the kernel's command line.
///
/// # Errors
/// What is wrong with it or with a module it needs. Those that were loaded for it stay.
pub fn load_by_name(name: &str) -> Result<Arc<Module>, LoadError<'_>> {
    let mut pending = begin(name)?;
    loop {
        let file = next(&mut pending)?;
        let needed_by = pending.last().map(|pending| pending.file.name);
        let loaded = load(file.name, file.image, "").map_err(|error| LoadError { needed_by, ..error })?;
        if needed_by.is_none() {
            return Ok(loaded);
        }
    }
}

#[inline(never)]
fn begin(name: &str) -> Result<Vec<Pending>, LoadError<'_>> {
    let error = |cause| LoadError { module: name, needed_by: None, cause };
    let file = files::find(name).ok_or(error(Cause::Unknown))?;
    if list::find(file.name).is_some() {
        return Err(error(Cause::Exists));
    }
    let mut pending = Vec::new();
    pending.push(Pending::of(file)).map_err(|out| error(out.into()))?;
    Ok(pending)
}

/// Takes off the next file all of whose needs are loaded, having put on what it needs.
#[inline(never)]
fn next(pending: &mut Vec<Pending>) -> Result<File, LoadError<'static>> {
    while let Some(top) = pending.last_mut() {
        let Some(need) = top.rest.next() else { break };
        if need.is_empty() || list::find(need).is_some() {
            continue;
        }
        let needed_by = top.file.name;
        let error = |cause| LoadError { module: need, needed_by: Some(needed_by), cause };
        if pending.iter().any(|pending| same_name(pending.file.name, need)) {
            return Err(error(Cause::Cycle(needed_by)));
        }
        let file = files::find(need).ok_or(error(Cause::Unknown))?;
        pending.push(Pending::of(file)).map_err(|out| error(out.into()))?;
    }
    // The one who calls stops when the last one is taken off.
    let none = LoadError { module: "", needed_by: None, cause: Cause::Unknown };
    pending.pop().map(|pending| pending.file).ok_or(none)
}

impl Pending {
    fn of(file: File) -> Self {
        // A file that cannot be read has no needs here; loading it says what is wrong with it.
        let depends = Object::parse(file.image).ok().and_then(|object| object.modinfo("depends"));
        Self { file, rest: depends.unwrap_or_default().split(',') }
    }
}
