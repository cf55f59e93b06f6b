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
//!
//! Stack: the module's `init` runs below [`bring_up`], so all that comes before it is a function of its
//! own whose frame is gone by then.

use crate::entry::{Entries, Params};
use crate::error::{Cause, LoadError};
use crate::list::{self, Body, Module, Part, State};
use crate::memory::Open;
use crate::names::Names;
use base::{clock, info, symbols};
use cmdline::same_name;
use containers::{Arc, Box, Vec};
use core::fmt::{self, Display, Formatter};
use modlink::{Linked, Object, Plan, Slot};

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
    let coming = form(name, image)?;
    let linked_in = clock::now_ns() - started;
    run_init(&coming.0, words)?;
    finish(&coming.0, linked_in);
    Ok(coming.0.clone())
}

/// A module that is being loaded. It leaves the list again unless it lives when its loader lets go.
struct Coming(Arc<Module>);

impl Drop for Coming {
    fn drop(&mut self) {
        if self.0.state() != State::Live {
            list::withdraw(&self.0);
        }
    }
}

/// From the file to `Coming`.
#[inline(never)]
fn form<'a>(name: &str, image: &'a [u8]) -> Result<Coming, Cause<'a>> {
    let object = check(image)?;
    let own = object.modinfo("name").ok_or(Cause::NoEntry("name in .modinfo"))?;
    if !same_name(own, name) {
        return Err(Cause::OtherName(own));
    }
    let coming = Coming(list::reserve(own, held(&object)?)?);
    let (body, initial) = link(own, &object, coming.0.held())?;
    coming.0.form(body, initial);
    Ok(coming)
}

fn run_init(module: &Module, words: &str) -> Result<(), Cause<'static>> {
    if let Some(params) = module.params() {
        params.apply_boot_words(module.name());
        params.apply_args(module.name(), words).map_err(|_| Cause::Parameter)?;
    }
    match module.entries() {
        Some(entries) => entries.init().map_err(Cause::Init),
        None => Ok(()),
    }
}

#[inline(never)]
fn finish(module: &Module, linked_in: u64) {
    let given_back = module.release_initial();
    module.set_state(State::Live);
    info!(
        "module {}: {} linked in {}, {} of init code given back",
        module.name(),
        Kib(module.size()),
        Milliseconds(linked_in),
        Kib(given_back),
    );
}

/// The file is an object that was built for this kernel.
#[inline(never)]
fn check(image: &[u8]) -> Result<Object<'_>, Cause<'_>> {
    let object = Object::parse(image)?;
    let ours = *symbols::kernel_table().ok_or(Cause::NoKernelSymbols)?.build_id();
    match object.build_identity() {
        Some(theirs) if *theirs == ours => Ok(object),
        theirs => Err(Cause::ForeignBuild { theirs: theirs.copied(), ours }),
    }
}

/// The modules that the object depends on, all live.
#[inline(never)]
fn held<'a>(object: &Object<'a>) -> Result<Vec<Arc<Module>>, Cause<'a>> {
    let mut holds = Vec::new();
    for name in object.depends() {
        let module = list::find(name).filter(|module| module.state() == State::Live);
        holds.push(module.ok_or(Cause::Needs(name))?)?;
    }
    Ok(holds)
}

/// Lays out, places, relocates and seals: what stays, and what goes after initialisation.
#[inline(never)]
fn link<'a>(
    name: &str,
    object: &Object<'a>,
    holds: &[Arc<Module>],
) -> Result<(Box<Body>, Box<Part>), Cause<'a>> {
    let mut slots = Vec::new();
    slots.resize(object.slots(), Slot::EMPTY)?;
    let (mut body, mut initial) = (Box::new(Body::default())?, Box::new(Part::default())?);
    let open = {
        let plan = object.plan(&mut slots)?;
        let mut open = Open::new(&plan, name)?;
        let linked = relocate(plan, &mut open, holds)?;
        (body.part.names, initial.names) = Names::gather(linked.symbols(), object.slots())?;
        body.params = Params::of(&linked);
        open
    };
    body.entries = Some(Entries::of(&body.part.names, &initial.names).map_err(Cause::NoEntry)?);
    open.seal(&mut body.part.memory, &mut initial.memory)?;
    Ok((body, initial))
}

#[inline(never)]
fn relocate<'a, 's>(
    plan: Plan<'a, 's>,
    open: &mut Open,
    holds: &[Arc<Module>],
) -> Result<Linked<'a, 's>, Cause<'a>> {
    let kernel = symbols::kernel_table().ok_or(Cause::NoKernelSymbols)?;
    let linked = plan.link(&mut open.as_memory(), |symbol| {
        kernel.lookup(symbol).or_else(|| holds.iter().find_map(|module| module.export(symbol)))
    });
    Ok(linked?)
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
