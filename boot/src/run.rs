//! Runs a machine: one loop over its console, its control channel, the input for it, signals and the clock.
//!
//! QEMU's standard input and output are pipes of ours. So it never sees the terminal, whose modes it would change,
//! and input is held until the guest asks for it: what is typed or piped before would be lost when the guest sets its
//! serial line up.

use crate::control::Control;
use crate::error::{Error, Result, STATUS_HOST, STATUS_TIME};
use crate::feed::Feed;
use crate::qemu::{self, Machine};
use crate::terminal;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::process::Signal;
use std::fs::File;
use std::io::{ErrorKind, Read, Write};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::{UnixListener, UnixStream};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

/// Where the guest's input comes from.
#[derive(Debug, Default)]
pub(crate) enum Input {
    /// There is none.
    #[default]
    Nothing,
    /// These bytes.
    Bytes(Vec<u8>),
    /// Our standard input.
    Stdin,
}

/// One machine's run.
#[derive(Debug)]
pub(crate) struct Run<'a> {
    pub(crate) machine: &'a Machine,
    pub(crate) loader: &'a Path,
    pub(crate) bundle: &'a Path,
    pub(crate) line: &'a str,
    pub(crate) timeout: Option<Duration>,
    pub(crate) input: Input,
    /// Gets a byte when a signal wants us to end.
    pub(crate) signals: Option<UnixStream>,
    /// Keep QEMU's own words instead of passing them on.
    pub(crate) keep_words: bool,
}

/// How a run ended.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct End {
    /// As the command's exit status.
    pub(crate) status: u8,
    pub(crate) boot_cycles: Option<u64>,
    /// Why the status is none of the guest's, in a line.
    pub(crate) why: Option<String>,
    /// QEMU's own words, when they were kept.
    pub(crate) words: String,
    pub(crate) wall: Duration,
}

/// Why the loop was left before QEMU ended.
enum Left {
    QemuEnded,
    Time,
    Signal,
    Escape,
    OutputClosed,
}

impl Run<'_> {
    /// Starts QEMU, stays until it has ended, writes its console to `console`.
    pub(crate) fn run(mut self, console: &mut dyn Write) -> Result<End> {
        let folder = tempfile::Builder::new().prefix("ottawa-").tempdir();
        let folder = folder.map_err(|why| Error::file("write to", &std::env::temp_dir(), why))?;
        let socket = folder.path().join("control");
        let listener = UnixListener::bind(&socket).map_err(|why| Error::file("listen on", &socket, why))?;
        listener.set_nonblocking(true).map_err(|why| Error::file("listen on", &socket, why))?;
        let words_file = folder.path().join("words");
        let words = if self.keep_words {
            File::create(&words_file).map_err(|why| Error::file("write", &words_file, why))?.into()
        } else {
            Stdio::inherit()
        };
        let started = Instant::now();
        let mut qemu = Qemu::start(&self, &socket, words)?;
        let mut control = Channel { listener, stream: None, told: Control::default() };
        let left = self.attend(&mut qemu, &mut control, console, started);
        terminal::restore();
        qemu.stop(!matches!(left, Ok(Left::QemuEnded)));
        control.take();
        let _ = console.flush();

        let words = std::fs::read_to_string(&words_file).unwrap_or_default();
        let told = control.told;
        let (status, why) = match left? {
            Left::QemuEnded => match told.status {
                Some(status) => (status, None),
                None => (
                    STATUS_HOST,
                    Some(
                        "QEMU ended without a status from the guest: see its words above, or its log with --qemu -d --qemu int",
                    ),
                ),
            },
            Left::Time => (STATUS_TIME, Some("the time limit is reached")),
            Left::Escape => (STATUS_HOST, Some("ended from the keyboard")),
            Left::Signal => (STATUS_HOST, Some("ended by a signal")),
            Left::OutputClosed => (STATUS_HOST, Some("standard output was closed")),
        };
        let why = why.map(str::to_owned);
        Ok(End { status, boot_cycles: told.boot_cycles, why, words, wall: started.elapsed() })
    }

    fn attend(
        &mut self,
        qemu: &mut Qemu,
        control: &mut Channel,
        console: &mut dyn Write,
        started: Instant,
    ) -> Result<Left> {
        let mut feed = Feed::new(std::mem::take(&mut self.input));
        let deadline = self.timeout.map(|limit| started + limit);
        let lost = |why: Errno| Error::Host(format!("cannot wait for QEMU: {why}"));
        let mut buffer = [0; 16384];
        loop {
            let now = Instant::now();
            if deadline.is_some_and(|deadline| now >= deadline) {
                return Ok(Left::Time);
            }
            // One wait on everything; the order of the list is that of the results.
            let patience =
                [deadline.map(|deadline| deadline - now), feed.patience()].into_iter().flatten().min();
            let signals = self.signals.as_ref().map(AsFd::as_fd);
            let places = [
                Some((qemu.console.as_fd(), PollFlags::IN)),
                Some((control.fd(), PollFlags::IN)),
                signals.map(|fd| (fd, PollFlags::IN)),
                feed.source().map(|fd| (fd, PollFlags::IN)),
                qemu.keyboard.as_ref().filter(|_| feed.has_pending()).map(|fd| (fd.as_fd(), PollFlags::OUT)),
            ];
            let mut list: Vec<PollFd<'_>> =
                places.iter().flatten().map(|(fd, flags)| PollFd::from_borrowed_fd(*fd, *flags)).collect();
            match poll(&mut list, timespec(patience).as_ref()) {
                Ok(_) | Err(Errno::INTR) => {}
                Err(why) => return Err(lost(why)),
            }
            let mut ready = list.iter().map(|place| !place.revents().is_empty());
            let mut ready = places.map(|place| place.is_some() && ready.next().unwrap_or(false)).into_iter();
            let mut next = || ready.next().unwrap_or(false);
            let (from_console, from_control, signal, input) = (next(), next(), next(), next());

            if signal {
                return Ok(Left::Signal);
            }
            if from_control {
                control.take();
            }
            if from_console {
                match qemu.console.read(&mut buffer) {
                    Ok(0) => return Ok(Left::QemuEnded),
                    Ok(count) => {
                        let shown = console.write_all(&buffer[..count]).and_then(|()| console.flush());
                        if shown.is_err() {
                            return Ok(Left::OutputClosed);
                        }
                    }
                    Err(why) if why.kind() == ErrorKind::Interrupted => {}
                    Err(why) => return Err(Error::Host(format!("cannot read QEMU's output: {why}"))),
                }
            }
            if control.told.input {
                feed.open();
            }
            if input && !feed.read() {
                return Ok(Left::Escape);
            }
            if let Some(keyboard) = &qemu.keyboard {
                feed.write(keyboard);
                if feed.is_drained(keyboard) {
                    control.say(b"eof\n");
                }
            }
        }
    }
}

/// The host's end of the control channel: QEMU connects to it when it starts.
struct Channel {
    listener: UnixListener,
    stream: Option<UnixStream>,
    told: Control,
}

impl Channel {
    fn fd(&self) -> BorrowedFd<'_> {
        self.stream.as_ref().map_or(self.listener.as_fd(), AsFd::as_fd)
    }

    fn take(&mut self) {
        if self.stream.is_none()
            && let Ok((stream, _)) = self.listener.accept()
            && stream.set_nonblocking(true).is_ok()
        {
            self.stream = Some(stream);
        }
        let mut buffer = [0; 512];
        while let Some(stream) = &mut self.stream {
            match stream.read(&mut buffer) {
                Ok(0) => {
                    // QEMU is ending: nothing more comes, and the listener stays silent from now on.
                    self.stream = None;
                    break;
                }
                Ok(count) => self.told.feed(&buffer[..count]),
                Err(why) if why.kind() == ErrorKind::Interrupted => {}
                Err(_) => break,
            }
        }
    }

    fn say(&mut self, line: &[u8]) {
        if let Some(stream) = &mut self.stream {
            // A few bytes into an empty socket: they fit, or QEMU is gone.
            let _ = stream.write_all(line);
        }
    }
}

/// QEMU's process.
struct Qemu {
    child: Child,
    console: ChildStdout,
    keyboard: Option<std::process::ChildStdin>,
}

impl Qemu {
    fn start(run: &Run<'_>, socket: &Path, words: Stdio) -> Result<Self> {
        let program = qemu::program()?;
        let mut command = Command::new(&program);
        command
            .args(run.machine.arguments(run.loader, run.bundle, run.line, Some(socket)))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(words)
            // Keys and signals of the terminal are ours to pass on.
            .process_group(0);
        let die_with_us = || Ok(rustix::process::set_parent_process_death_signal(Some(Signal::KILL))?);
        // SAFETY: between fork and exec it makes one system call and allocates nothing.
        unsafe { command.pre_exec(die_with_us) };
        let mut child = command.spawn().map_err(|why| Error::file("run", &program, why))?;
        let (Some(console), Some(keyboard)) = (child.stdout.take(), child.stdin.take()) else {
            return Err(Error::Host("QEMU has no console".into()));
        };
        let nonblocking = rustix::fs::fcntl_getfl(&keyboard)
            .and_then(|flags| rustix::fs::fcntl_setfl(&keyboard, flags | rustix::fs::OFlags::NONBLOCK));
        nonblocking.map_err(|why| Error::Host(format!("cannot set up QEMU's input: {why}")))?;
        Ok(Self { child, console, keyboard: Some(keyboard) })
    }

    /// Waits for its end, brought about if `kill`.
    fn stop(&mut self, kill: bool) {
        if kill {
            let _ = self.child.kill();
        }
        self.keyboard = None;
        let _ = self.child.wait();
    }
}

impl Drop for Qemu {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn timespec(duration: Option<Duration>) -> Option<Timespec> {
    duration.and_then(|duration| Timespec::try_from(duration).ok())
}
