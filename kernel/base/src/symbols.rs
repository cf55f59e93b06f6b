//! The name of the function at an address.
//!
//! The kernel's own names come from the packed table that the builder makes, adopted at boot by [`set_kernel_table`];
//! names in modules are asked for through [`set_module_resolver`], by the layer that loads them. Both are read by the panic
//! path: they take no lock by waiting and allocate nothing.

use crate::sync::OnceCell;
use core::fmt;
use ksym::Table;

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

/// Finds the symbol around an address in a module. Its names stay valid as long as the module is there: long enough for a
/// line of a report.
pub type Resolver = fn(u64) -> Option<Symbol<'static>>;

static KERNEL: OnceCell<Table<'static>> = OnceCell::new();
static MODULES: OnceCell<Resolver> = OnceCell::new();

/// Adopts the table of the kernel's own symbols. Once: a second one is left out.
pub fn set_kernel_table(table: Table<'static>) {
    let _ = KERNEL.set(table);
}

/// The table of the kernel's own symbols, once it is there.
pub fn kernel_table() -> Option<&'static Table<'static>> {
    KERNEL.get()
}

/// Says who knows the names in modules. Set once.
pub fn set_module_resolver(resolver: Resolver) {
    let _ = MODULES.set(resolver);
}

/// The symbol around `address`, in the kernel or in a module.
pub fn resolve(address: u64) -> Option<Symbol<'static>> {
    let own = KERNEL.get().and_then(|table| table.resolve(address));
    match own {
        Some(found) => Some(Symbol { name: found.name, offset: found.offset, module: None }),
        None => MODULES.get().and_then(|resolver| resolver(address)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_symbol_shows_demangled_with_offset_and_module() {
        let show = |name, module| std::format!("{}", Symbol { name, offset: 0x1f, module });
        assert_eq!(show("_RNvNtCs1234_7mycrate3foo3bar", None), "mycrate::foo::bar+0x1f");
        assert_eq!(show("memcpy", Some("hello")), "memcpy+0x1f [hello]");
        assert_eq!(show("_RNbroken", None), "_RNbroken+0x1f");
    }
}
