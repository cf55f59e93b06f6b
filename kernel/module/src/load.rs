//! From a file's bytes to a live module.
//!
//! ```text
//! parse     headers, metadata                           nothing allocated yet
//! identity  built for this kernel
//! needs     every module it depends on is live          those are held
//! reserve   its name is taken                           Unformed
//! link      laid out, placed, relocated, sealed         Coming
//! params    from the command line, then the caller's
//! init      its own code runs
//! release   initialisation's pages poisoned, unmapped   Live
//! ```
//!
//! An error undoes what was done, in the opposite order, by dropping it.

use crate::entry::{Entries, Params};
use crate::error::{Cause, LoadError};
use crate::list::{self, Body, Module, Part, State};
use crate::memory::{Open, Sealed, Sizes};
use crate::names::Names;
use base::{clock, info, symbols};
use cmdline::same_name;
use containers::{Arc, Vec};
use core::fmt::{self, Display, Formatter};
use modlink::{Object, Slot};

/// Loads the module in `image`. `name` is what its file is called, without `.ko`; `words` sets its
/// parameters, over what the kernel's command line says: `who=Ottawa count=3`.
///
/// # Errors
/// What is wrong with it; everything is as before then.
pub fn load<'a>(name: &'a str, image: &'a [u8], words: &'a str) -> Result<Arc<Module>, LoadError<'a>> {
    bring_up(name, image, words).map_err(|cause| LoadError { module: name, needed_by: None, cause })
}

/// Does all that loading does up to the point where the module's own code or data would be used, and
/// undoes it.
///
/// # Errors
/// What is wrong with it.
pub fn link_only<'a>(name: &'a str, image: &'a [u8]) -> Result<(), LoadError<'a>> {
    let linked = check(image).and_then(|object| {
        let holds = held(&object)?;
        link(name, &object, &holds).map(drop)
    });
    linked.map_err(|cause| LoadError { module: name, needed_by: None, cause })
}

fn bring_up<'a>(name: &'a str, image: &'a [u8], words: &'a str) -> Result<Arc<Module>, Cause<'a>> {
    let started = clock::now_ns();
    let object = check(image)?;
    let own = object.modinfo("name").ok_or(Cause::NoEntry("name in .modinfo"))?;
    if !same_name(own, name) {
        return Err(Cause::OtherName(own));
    }
    let holds = held(&object)?;
    let module = list::reserve(own, holds)?;
    let reservation = Reservation(&module);
    let whole = link(own, &object, module.held())?;
    let linked_in = clock::now_ns() - started;
    let entries = whole.body.entries;
    module.form(whole.body, whole.initial);
    if let Some(params) = module.params() {
        params.apply_boot_words(own);
        params.apply_args(own, words).map_err(|_| Cause::Parameter)?;
    }
    entries.init().map_err(Cause::Init)?;
    let given_back = module.release_initial();
    module.set_state(State::Live);
    info!(
        "module {own}: {} linked in {}, {} of init code given back",
        Kib(module.size()),
        Milliseconds(linked_in),
        Kib(given_back),
    );
    core::mem::forget(reservation);
    Ok(module)
}

/// Takes a module out of the list again, unless it is forgotten because the module lives.
struct Reservation<'a>(&'a Arc<Module>);

impl Drop for Reservation<'_> {
    fn drop(&mut self) {
        list::withdraw(self.0);
    }
}

/// The file is an object that was built for this kernel.
fn check(image: &[u8]) -> Result<Object<'_>, Cause<'_>> {
    let object = Object::parse(image)?;
    let ours = *symbols::kernel_table().ok_or(Cause::NoKernelSymbols)?.build_id();
    match object.build_identity() {
        Some(theirs) if *theirs == ours => Ok(object),
        theirs => Err(Cause::ForeignBuild { theirs: theirs.copied(), ours }),
    }
}

/// The modules that the object depends on, all live.
fn held<'a>(object: &Object<'a>) -> Result<Vec<Arc<Module>>, Cause<'a>> {
    let mut holds = Vec::new();
    for name in object.depends() {
        let module = list::find(name).filter(|module| module.state() == State::Live);
        holds.push(module.ok_or(Cause::Needs(name))?)?;
    }
    Ok(holds)
}

/// What linking makes.
struct Whole {
    body: Body,
    initial: Part,
}

fn link<'a>(name: &str, object: &Object<'a>, holds: &[Arc<Module>]) -> Result<Whole, Cause<'a>> {
    let kernel = symbols::kernel_table().ok_or(Cause::NoKernelSymbols)?;
    let mut slots = Vec::new();
    slots.resize(object.slots(), Slot::EMPTY)?;
    let plan = object.plan(&mut slots)?;
    let sizes = Sizes::of(&plan);
    let mut open = Open::new(&plan, name)?;
    let linked = plan.link(&mut open.as_memory(), |symbol| {
        kernel.lookup(symbol).or_else(|| holds.iter().find_map(|module| module.export(symbol)))
    })?;
    let (names, init_names) = Names::gather(linked.symbols(), object.slots())?;
    let entries = Entries::of(&names, &init_names).map_err(Cause::NoEntry)?;
    let params = Params::of(&linked);
    let (memory, init_memory): (Sealed, Sealed) = open.seal(&sizes)?;
    Ok(Whole {
        body: Body { part: Part { names, memory }, entries, params },
        initial: Part { names: init_names, memory: init_memory },
    })
}

/// Bytes as KiB, with a decimal below 10.
struct Kib(usize);

impl Display for Kib {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let tenths = (self.0 * 10).div_ceil(1024);
        if tenths < 100 {
            write!(f, "{}.{} KiB", tenths / 10, tenths % 10)
        } else {
            write!(f, "{} KiB", tenths / 10)
        }
    }
}

/// Nanoseconds as milliseconds, with a decimal.
struct Milliseconds(u64);

impl Display for Milliseconds {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let tenths = self.0.div_ceil(100_000);
        write!(f, "{}.{} ms", tenths / 10, tenths % 10)
    }
}
