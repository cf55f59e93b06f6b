//! Attributes for kernel and module code.
//!
//! Written on the token stream itself: each attribute only puts others before the function it stands on.

use proc_macro::{Delimiter, TokenStream, TokenTree};

/// What `#[init]` stands for. `inline(never)` keeps the function's code where it is put: inlined into
/// a function that stays, it would stay too.
const INIT: &str = r#"
    #[allow(unsafe_code, reason = "a section that the module linker knows")]
    #[unsafe(link_section = ".init.text")]
    #[cold]
    #[inline(never)]
"#;

/// Marks a function that runs once, when its module is loaded: its code is given back afterwards.
///
/// Calling it later is a fault at an unmapped address, so it must be reachable from the module's
/// `init` only. Functions it calls stay in memory unless they carry the attribute too; closures in it
/// may be compiled on their own, and then stay. Generic functions cannot carry it, because their
/// code belongs to who uses them.
///
/// ```ignore
/// impl Module for Hello {
///     #[init]
///     fn init() -> Result<Self> {
///         Ok(Hello)
///     }
/// }
/// ```
#[proc_macro_attribute]
pub fn init(arguments: TokenStream, function: TokenStream) -> TokenStream {
    if !arguments.is_empty() {
        return error("#[init] takes no arguments");
    }
    if !is_function_with_body(&function) {
        return error("#[init] stands on a function with a body");
    }
    // The constant is valid Rust: the parse cannot fail.
    let mut output: TokenStream = INIT.parse().unwrap_or_default();
    output.extend(function);
    output
}

fn is_function_with_body(item: &TokenStream) -> bool {
    let mut function = false;
    let mut last = None;
    for token in item.clone() {
        function |= matches!(&token, TokenTree::Ident(ident) if ident.to_string() == "fn");
        last = Some(token);
    }
    function && matches!(last, Some(TokenTree::Group(body)) if body.delimiter() == Delimiter::Brace)
}

fn error(text: &str) -> TokenStream {
    format!("::core::compile_error!({text:?});").parse().unwrap_or_default()
}
