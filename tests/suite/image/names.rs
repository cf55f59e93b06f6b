//! Names of symbols: of functions that abort when memory is out there are none, and none of the crate they come from.

use crate::plan::Verdict;
use object::{Object, ObjectSymbol};

/// Whether the symbol belongs to `alloc`, or to what ends the program when memory is out.
fn aborts(symbol: &str) -> bool {
    let name = format!("{:#}", rustc_demangle::demangle(symbol));
    let of_alloc =
        |path: &str| path.starts_with("alloc::") || path.starts_with("<alloc::") || path.contains(" alloc::");
    of_alloc(&name)
        || name.contains("<alloc::")
        || name.contains("handle_alloc_error")
        || symbol.contains("__rust_alloc")
        || name.contains("rust_oom")
}

/// No symbol of the file, defined or not, is one of those.
pub(crate) fn no_aborting_allocation(name: &str, bytes: &[u8]) -> Verdict {
    let file = object::File::parse(bytes).map_err(|why| why.to_string())?;
    let mut seen = 0;
    for symbol in file.symbols() {
        let text = symbol.name().map_err(|why| why.to_string())?;
        seen += 1;
        if aborts(text) {
            return Err(format!("{name} refers to {:#}", rustc_demangle::demangle(text)));
        }
    }
    if seen > 1 { Ok(()) } else { Err(format!("{name} has no symbols to look at")) }
}

/// The search itself.
pub(crate) fn search_finds_them() -> Verdict {
    let bad = [
        "_RNvNtCslHUfDFlZgZq_5alloc5alloc18handle_alloc_error",
        "_RNvXs_NtCslHUfDFlZgZq_5alloc6stringNtB4_6StringNtNtCs1_4core3fmt5Write9write_str",
        "_ZN5alloc5alloc18handle_alloc_error17h0123456789abcdefE",
        "__rust_alloc",
    ];
    let good =
        ["_RNvNtCs1_2mm5frame5alloc", "_RNvNtCs1_10containers6memory8allocate", "memcpy", "ottawa_alloc"];
    let wrong: Vec<_> = bad.iter().filter(|n| !aborts(n)).chain(good.iter().filter(|n| aborts(n))).collect();
    if wrong.is_empty() { Ok(()) } else { Err(format!("judged wrongly: {wrong:?}")) }
}
