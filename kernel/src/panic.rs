//! The panic handler: a Rust panic becomes the machine's last words.

use core::panic::PanicInfo;

#[panic_handler]
fn panic(info: &PanicInfo<'_>) -> ! {
    match info.location() {
        Some(place) => {
            arch::panic::report(format_args!("{} ({}:{})", info.message(), place.file(), place.line()))
        }
        None => arch::panic::report(format_args!("{}", info.message())),
    }
}
