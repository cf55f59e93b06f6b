//! What a module is to the kernel: a value that `init` makes and whose drop ends it.
//!
//! The value lives in the module's own data. Everything the module has registered is owned by it, so
//! that dropping it withdraws all of it, in the order of its fields.

use base::sync::{SpinLock, rank};
use base::{Error, Result};

pub use module::entry::{Exit, Init};

/// A loaded module: the value that stands for it from `init` to removal.
///
/// `Send`, because it is dropped by whoever removes the module.
pub trait Module: Sized + Send + 'static {
    /// Runs once, when the module is loaded, after its parameters have been set. An error undoes the
    /// load: the module's memory is freed, so whatever this function has registered must be gone by
    /// then, which is so if it is owned by local variables.
    ///
    /// # Errors
    /// Whatever keeps the module from doing its work.
    fn init() -> Result<Self>;
}

/// Where the module's value lies.
pub struct State<T> {
    value: SpinLock<Option<T>>,
}

impl<T: Module> State<T> {
    /// Without a value yet.
    #[allow(clippy::new_without_default, reason = "made by `module!` only")]
    pub const fn new() -> Self {
        Self { value: SpinLock::new(rank::MODULE, None) }
    }

    /// Makes the value. Inlined into the entry point, which is code of initialisation.
    ///
    /// # Errors
    /// `init`'s, or EEXIST if the module is initialised already.
    #[inline(always)]
    pub fn init(&self) -> Result<()> {
        let value = T::init()?;
        let mut place = self.value.lock();
        if place.is_some() {
            // The new value must not be dropped under the lock: its drop is the author's code.
            drop(place);
            return Err(Error::EEXIST);
        }
        *place = Some(value);
        Ok(())
    }

    /// Drops the value, outside the lock.
    #[inline(always)]
    pub fn exit(&self) {
        let value = self.value.lock().take();
        drop(value);
    }
}
