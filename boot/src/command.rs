//! What `cargo run` does: builds, then prints, lists or starts the machine, and ends as the machine did.

use crate::args::{self, Request};
use crate::error::{Error, Result};
use crate::guest::{self, Artifacts, BuildOptions};
use crate::params;
use crate::qemu::{self, Machine};
use crate::run::{Input, Run};
use crate::terminal;
use crate::words;
use signal_hook::consts::{SIGHUP, SIGINT, SIGQUIT, SIGTERM};
use signal_hook::low_level::{emulate_default_handler, pipe};
use std::env;
use std::io::{self, Write};
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// The whole command: from the arguments to the exit status.
pub fn main() -> u8 {
    let default = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        terminal::restore();
        default(info);
    }));
    match args::parse(env::args_os().skip(1)).and_then(execute) {
        Ok(status) => status,
        Err(error) => {
            eprintln!("error: {error}");
            error.status()
        }
    }
}

fn execute(request: Request) -> Result<u8> {
    let options = request.options;
    let line = words::line(&request.words)?;
    let build = BuildOptions {
        profile: options.profile,
        test_modules: options.test_modules,
        modules: options.module,
        rootfs: options.rootfs,
    };
    let machine = Machine {
        smp: options.smp,
        memory: options.memory,
        accel: options.accel,
        icount: options.icount,
        gdb: options.gdb,
        extra: options.qemu,
    };
    if !options.list_params {
        // Before a build of minutes.
        qemu::program()?;
    }
    let version = std::thread::spawn(qemu::version);
    let artifacts = guest::build(&build)?;
    if options.list_params {
        return print(&params::table(&artifacts)?);
    }
    if options.print {
        return print(&format!("{}\n", machine.shell_line(&artifacts.loader, &artifacts.bundle, &line)?));
    }
    let version = version.join().unwrap_or_default();
    eprintln!("{}; {version}, {}", artifacts.summary(), machine.summary());
    if options.gdb {
        eprintln!(
            "waiting for a debugger: gdb {} -ex 'target remote localhost:1234'",
            artifacts.kernel.display()
        );
    }
    start(&artifacts, &machine, &line, options.timeout)
}

fn print(text: &str) -> Result<u8> {
    let written = io::stdout().write_all(text.as_bytes()).and_then(|()| io::stdout().flush());
    written.map(|()| 0).map_err(|why| Error::Host(format!("cannot write to standard output: {why}")))
}

fn start(
    artifacts: &Artifacts,
    machine: &Machine,
    line: &str,
    timeout: Option<std::time::Duration>,
) -> Result<u8> {
    let (signals, which) = signals().map_err(|why| Error::Host(format!("cannot wait for signals: {why}")))?;
    let run = Run {
        machine,
        loader: &artifacts.loader,
        bundle: &artifacts.bundle,
        line,
        timeout,
        input: Input::Stdin,
        signals: Some(signals),
        keep_words: false,
    };
    let end = run.run(&mut io::stdout().lock())?;
    let signal = i32::try_from(which.load(Ordering::Relaxed)).unwrap_or(0);
    if signal != 0 {
        // As if we had never listened: who started us sees the signal.
        let _ = emulate_default_handler(signal);
    }
    if let Some(why) = end.why {
        eprintln!("{why}");
    }
    Ok(end.status)
}

/// Signals that end us: a byte on the socket, the number beside it.
fn signals() -> io::Result<(UnixStream, Arc<AtomicUsize>)> {
    let (ours, theirs) = UnixStream::pair()?;
    let which = Arc::new(AtomicUsize::new(0));
    for signal in [SIGHUP, SIGINT, SIGQUIT, SIGTERM] {
        signal_hook::flag::register_usize(signal, Arc::clone(&which), usize::try_from(signal).unwrap_or(0))?;
        pipe::register(signal, theirs.try_clone()?)?;
    }
    Ok((ours, which))
}
