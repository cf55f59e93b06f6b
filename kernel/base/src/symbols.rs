//! The name of the function at an address.
//!
//! The kernel's own names come from the packed table that the builder makes, adopted at boot by [`set_kernel_table`];
//! names in modules are asked for through [`set_module_resolver`], by the layer that loads them. Both are read by the panic
//! path: they take no lock by waiting and allocate nothing.

use crate::sync::OnceCell;
use core::fmt;

/// A place in the code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Symbol<'a> {
    /// The symbol's name as the compiler wrote it.
    pub name: &'a str,
    /// Bytes from the symbol's start.
    pub offset: u64,
    /// The module that the symbol is part of; nothing for the kernel.
    pub module: Option<&'a str>,
}

/// `alloc_pages+0x1f`, `Hello::init+0x8 [hello]`.
impl fmt::Display for Symbol<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The alternate form leaves out the hash that the mangling adds.
        write!(f, "{:#}+{:#x}", rustc_demangle::demangle(self.name), self.offset)?;
        match self.module {
            Some(module) => write!(f, " [{module}]"),
            None => Ok(()),
        }
    }
}

/// Finds the symbol around an address in a module.
pub type Resolver = fn(u64) -> Option<Symbol<'static>>;

static MODULES: OnceCell<Resolver> = OnceCell::new();

/// Says who knows the names in modules. Set once.
pub fn set_module_resolver(resolver: Resolver) {
    let _ = MODULES.set(resolver);
}

/// The symbol around `address`.
pub fn resolve(address: u64) -> Option<Symbol<'static>> {
    MODULES.get().and_then(|resolver| resolver(address))
}
