//! The macros of the face: a module's frame and its words.

/// Makes the crate a module: `module! { type: Hello }`, where `Hello` is a [`Module`](crate::Module).
///
/// What the module is called and who may use it comes from its `Cargo.toml` (`name`, `version`,
/// `license`, `description`); what it depends on is what it depends on there.
#[macro_export]
macro_rules! module {
    (type: $type:ty $(,)?) => {
        #[allow(unsafe_code, reason = "symbols and sections that the module linker knows")]
        const _: () = {
            static STATE: $crate::entry::State<$type> = $crate::entry::State::new();

            #[unsafe(no_mangle)]
            #[unsafe(link_section = ".init.text")]
            fn __ottawa_init() -> $crate::prelude::Result<()> {
                STATE.init()
            }

            #[unsafe(no_mangle)]
            fn __ottawa_exit() {
                STATE.exit();
            }

            const _: $crate::entry::Init = __ottawa_init;
            const _: $crate::entry::Exit = __ottawa_exit;

            const INFO: &str = concat!(
                "name=",
                env!("CARGO_CRATE_NAME"),
                "\0version=",
                env!("CARGO_PKG_VERSION"),
                "\0license=",
                env!("CARGO_PKG_LICENSE"),
                "\0description=",
                env!("CARGO_PKG_DESCRIPTION"),
                "\0",
            );
            #[used]
            #[unsafe(link_section = ".modinfo")]
            static MODINFO: [u8; INFO.len()] = match INFO.as_bytes().first_chunk() {
                Some(bytes) => *bytes,
                None => [0; INFO.len()],
            };
        };
    };
}

/// Prints a line on the console, with the module's name before it: `hello: Hello, world!`. Shown
/// with `quiet` too: for what a person asked the module to say.
#[macro_export]
macro_rules! println {
    ($($arg:tt)*) => {
        $crate::private::print(env!("CARGO_CRATE_NAME"), format_args!($($arg)*))
    };
}

/// Behind the macros of the log.
#[doc(hidden)]
#[macro_export]
macro_rules! module_log {
    ($level:ident, $($arg:tt)*) => {
        $crate::private::write(
            $crate::private::Level::$level,
            format_args!(concat!(env!("CARGO_CRATE_NAME"), ": {}"), format_args!($($arg)*)),
        )
    };
}

/// Logs that something does not work.
#[macro_export]
macro_rules! error {
    ($($arg:tt)*) => { $crate::module_log!(Error, $($arg)*) };
}

/// Logs something odd; the module went on.
#[macro_export]
macro_rules! warn {
    ($($arg:tt)*) => { $crate::module_log!(Warning, $($arg)*) };
}

/// Logs a fact.
#[macro_export]
macro_rules! info {
    ($($arg:tt)*) => { $crate::module_log!(Info, $($arg)*) };
}

/// Logs something for who looks for a fault.
#[macro_export]
macro_rules! debug {
    ($($arg:tt)*) => { $crate::module_log!(Debug, $($arg)*) };
}
