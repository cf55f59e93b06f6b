//! The modules there are.

use crate::entry::{Entries, Params};
use crate::error::Cause;
use crate::memory::Sealed;
use crate::names::Names;
use base::param::Table;
use base::sync::{OnceCell, SpinLock, rank};
use cmdline::same_name;
use containers::{AllocError, Arc, Box, String, Vec};
use core::fmt;
use core::sync::atomic::{AtomicU8, Ordering};

static MODULES: SpinLock<Vec<Arc<Module>>> = SpinLock::new(rank::MODULE, Vec::new());

/// What a module is going through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum State {
    /// Its name is taken; it is being linked.
    Unformed,
    /// It is linked and its `init` runs.
    Coming,
    /// It is there for others to use.
    Live,
    /// It is being removed.
    Going,
}

/// A module, from the moment its name is taken.
///
/// The memory goes with the last owner; what the module holds, after it.
pub struct Module {
    name: String,
    state: AtomicU8,
    body: OnceCell<Box<Body>>,
    /// There from `Coming` until initialisation is over.
    initial: SpinLock<Option<Box<Part>>>,
    /// The modules that this one was linked against.
    holds: Vec<Arc<Module>>,
}

/// What stays in memory as long as the module.
#[derive(Default)]
pub(crate) struct Body {
    pub(crate) part: Part,
    pub(crate) entries: Option<Entries>,
    pub(crate) params: Params,
}

/// Memory, and the names of what lies in it.
#[derive(Default)]
pub(crate) struct Part {
    pub(crate) names: Names,
    pub(crate) memory: Sealed,
}

impl Module {
    /// The module's name, its crate's.
    pub fn name(&self) -> &str {
        self.name.as_str()
    }

    /// What it is going through.
    pub fn state(&self) -> State {
        match self.state.load(Ordering::Acquire) {
            0 => State::Unformed,
            1 => State::Coming,
            2 => State::Live,
            _ => State::Going,
        }
    }

    pub(crate) fn set_state(&self, state: State) {
        self.state.store(state as u8, Ordering::Release);
    }

    /// Bytes of memory that stay as long as the module, without what rounding to pages adds.
    pub fn size(&self) -> usize {
        self.body.get().map_or(0, |body| body.part.memory.used())
    }

    /// The modules that this one was linked against, which it keeps loaded.
    pub fn holds(&self) -> impl Iterator<Item = &Module> {
        self.holds.iter().map(|module| &**module)
    }

    /// Those modules, for the linker.
    pub(crate) fn held(&self) -> &[Arc<Module>] {
        &self.holds
    }

    /// Its parameters, once it is linked.
    pub fn params(&self) -> Option<Table<'_>> {
        self.body.get().map(|body| body.params.table())
    }

    /// The address of the symbol `name`, for modules that hold this one.
    pub(crate) fn export(&self, name: &str) -> Option<u64> {
        self.body.get()?.part.names.export(name)
    }

    pub(crate) fn entries(&self) -> Option<Entries> {
        self.body.get().and_then(|body| body.entries)
    }

    /// What the linker made. From here on the module's code can run.
    pub(crate) fn form(&self, body: Box<Body>, initial: Box<Part>) {
        // A module is formed once, by the one load that took its name.
        let _ = self.body.set(body);
        *self.initial.lock() = Some(initial);
        self.set_state(State::Coming);
    }

    /// Frees what was there for initialisation; its bytes.
    pub(crate) fn release_initial(&self) -> usize {
        // Taken out under the lock and dropped outside it.
        let initial = self.initial.lock().take();
        initial.map_or(0, |part| part.memory.used())
    }

    /// Calls `ask` with what is in memory, until it answers. Waits for no lock.
    fn ask_parts<R>(&self, mut ask: impl FnMut(&Part) -> Option<R>) -> Option<R> {
        let stays = self.body.get().and_then(|body| ask(&body.part));
        stays.or_else(|| self.initial.try_lock()?.as_ref().and_then(|part| ask(part)))
    }
}

impl fmt::Debug for Module {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({:?})", self.name(), self.state())
    }
}

/// Takes a name: the module is in the list, `Unformed`.
pub(crate) fn reserve(name: &str, holds: Vec<Arc<Module>>) -> Result<Arc<Module>, Cause<'static>> {
    let module = Arc::new(Module {
        name: String::from_str(name)?,
        state: AtomicU8::new(State::Unformed as u8),
        body: OnceCell::new(),
        initial: SpinLock::new(rank::MODULE, None),
        holds,
    })?;
    let mut modules = MODULES.lock();
    if modules.iter().any(|other| same_name(other.name(), name)) {
        return Err(Cause::Exists);
    }
    modules.push(module.clone())?;
    Ok(module)
}

/// Takes a module out of the list. Its memory goes with the caller's and the holders' share.
pub(crate) fn withdraw(module: &Arc<Module>) {
    let place = {
        let mut modules = MODULES.lock();
        let place = modules.iter().position(|other| Arc::ptr_eq(other, module));
        place.and_then(|place| modules.remove(place))
    };
    // Not the last owner, since the caller is one; still, nothing is freed under the lock.
    drop(place);
}

/// The module called `name`; '-' equals '_'.
pub fn find(name: &str) -> Option<Arc<Module>> {
    MODULES.lock().iter().find(|module| same_name(module.name(), name)).cloned()
}

/// Calls `each` with every module, in the order in which they came, under the list's lock.
pub fn for_each(each: impl FnMut(&Module)) {
    MODULES.lock().iter().map(|module| &**module).for_each(each);
}

/// Marks the module `name` as going, unless somebody needs it.
pub(crate) fn take_for_removal(name: &str) -> Result<Arc<Module>, crate::UnloadError> {
    use crate::UnloadError;
    let modules = MODULES.lock();
    let module = modules.iter().find(|module| same_name(module.name(), name));
    let module = module.ok_or(UnloadError::NotLoaded)?.clone();
    if module.state() != State::Live {
        return Err(UnloadError::Busy { state: module.state() });
    }
    let holder = modules.iter().find(|other| other.holds.iter().any(|held| Arc::ptr_eq(held, &module)));
    if let Some(holder) = holder {
        return Err(UnloadError::Held { by: holder.clone() });
    }
    module.set_state(State::Going);
    Ok(module)
}

/// Calls `then` with the module that `address` lies in, the function around it and the distance from its
/// start. Waits for no lock: the panic path asks.
pub(crate) fn with_function_at<R>(address: u64, then: impl Fn(&Module, &str, u64) -> R) -> Option<R> {
    let modules = MODULES.try_lock()?;
    modules.iter().find_map(|module| {
        module.ask_parts(|part| {
            let (name, offset) =
                part.memory.contains(address).then(|| part.names.function_at(address)).flatten()?;
            Some(then(module, name, offset))
        })
    })
}

/// A live module that has the symbol `name` for others, whoever it is.
pub(crate) fn exporter(name: &str) -> Result<Option<String>, AllocError> {
    let modules = MODULES.lock();
    let found = modules.iter().find(|module| module.state() == State::Live && module.export(name).is_some());
    found.map(|module| String::from_str(module.name())).transpose()
}
