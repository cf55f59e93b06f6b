//! The way back: a module that nobody holds is dropped and its memory freed.

use crate::error::UnloadError;
use crate::list;
use base::info;

/// Removes the module `name` ('-' equals '_'): drops its value, then its memory, filled with
/// breakpoints and unmapped.
///
/// # Errors
/// It is not loaded, not live, or held by another module; everything is as before then.
pub fn unload(name: &str) -> Result<(), UnloadError> {
    let module = list::take_for_removal(name)?;
    if let Some(entries) = module.entries() {
        entries.exit();
    }
    list::withdraw(&module);
    info!("module {}: removed", module.name());
    Ok(())
}
