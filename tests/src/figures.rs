//! What is measured. Counts of instructions are the same in every run: QEMU counts them (`--icount`, one CPU), the guest's
//! time stamp counter shows them, and the guest tells the host at power-off. Wall time stands beside them.

use crate::build;
use boot::{Accel, Guest, Machine};
use std::io::Read;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// Instructions from the kernel's first one to power-off, `quiet init=none` and these words, with so much memory.
///
/// # Errors
/// The machine did not end well.
pub fn boot_instructions(memory: u64, words: &[&str]) -> Result<u64, String> {
    let words = ["quiet", "init=none"].iter().chain(words).copied();
    let guest = Guest::new(build::artifacts()?).words(words).memory(memory).smp(1).icount();
    let outcome = guest.run().map_err(|why| why.to_string())?;
    match (outcome.status, outcome.boot_cycles) {
        (0, Some(cycles)) => Ok(cycles),
        (status, cycles) => Err(format!("status {status}, {cycles:?} cycles told:\n{}", outcome.tail(20))),
    }
}

/// Instructions that loading `hello` takes, greeting included.
///
/// # Errors
/// As above.
pub fn hello_instructions() -> Result<u64, String> {
    let (with, without) =
        (boot_instructions(512 << 20, &["modules=hello"])?, boot_instructions(512 << 20, &[])?);
    Ok(with.saturating_sub(without))
}

/// Bytes of the kernel's image without symbols.
///
/// # Errors
/// It was not built.
pub fn image_bytes() -> Result<u64, String> {
    let path = &build::artifacts()?.stripped;
    std::fs::metadata(path).map(|meta| meta.len()).map_err(|why| format!("{}: {why}", path.display()))
}

/// Wall time from QEMU's start to the first line on the console.
///
/// # Errors
/// QEMU did not start, or nothing came.
pub fn first_line(machine: &Machine) -> Result<Duration, String> {
    let artifacts = build::artifacts()?;
    let line = machine
        .shell_line(&artifacts.loader, &artifacts.bundle, "init=none")
        .map_err(|why| why.to_string())?;
    let started = Instant::now();
    let mut command = Command::new("sh");
    command
        .args(["-c", &format!("exec {line}")])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null());
    let mut qemu = command.spawn().map_err(|why| format!("cannot run sh: {why}"))?;
    let mut seen = Vec::new();
    let mut byte = [0];
    let mut console = qemu.stdout.take();
    while !seen.contains(&b'\n')
        && console.as_mut().is_some_and(|console| console.read(&mut byte).is_ok_and(|n| n > 0))
    {
        seen.push(byte[0]);
    }
    let took = started.elapsed();
    // It ends by itself; not waiting for that is quicker.
    let _ = qemu.kill();
    let _ = qemu.wait();
    if seen.starts_with(b"[") {
        Ok(took)
    } else {
        Err(format!("no first line: {}", String::from_utf8_lossy(&seen)))
    }
}

/// The machine that figures are measured on, but for counts of instructions.
pub fn machine() -> Machine {
    Machine { accel: Accel::Tcg, ..Machine::default() }
}

/// The one in the middle.
pub fn median(mut all: Vec<Duration>) -> Duration {
    all.sort();
    all.get(all.len() / 2).copied().unwrap_or_default()
}
