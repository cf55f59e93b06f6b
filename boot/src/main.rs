//! `cargo run`: builds Ottawa and starts it in QEMU.

use std::process::ExitCode;

fn main() -> ExitCode {
    ExitCode::from(boot::command::main())
}
