//! QEMU's command line.

use crate::args::Accel;
use crate::bundle;
use crate::error::{Error, Result};
use crate::size;
use std::ffi::OsString;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The machine to start.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Machine {
    /// CPUs.
    pub smp: u32,
    /// Memory in bytes.
    pub memory: u64,
    /// What runs the guest's instructions.
    pub accel: Accel,
    /// Guest time counts instructions.
    pub icount: bool,
    /// Wait for a debugger on localhost:1234.
    pub gdb: bool,
    /// More arguments for QEMU.
    pub extra: Vec<OsString>,
}

impl Default for Machine {
    fn default() -> Self {
        Self { smp: 2, memory: 512 << 20, accel: Accel::Auto, icount: false, gdb: false, extra: Vec::new() }
    }
}

/// Finds QEMU.
///
/// # Errors
///
/// [`Error::Host`] with the way to get it.
pub(crate) fn program() -> Result<PathBuf> {
    bundle::find("qemu-system-x86_64")
        .ok_or_else(|| Error::Host("no qemu-system-x86_64 in PATH: run `sh boot/setup.sh`".into()))
}

/// `QEMU 7.2`, or `QEMU` when it does not say.
pub fn version() -> String {
    let text = program()
        .ok()
        .and_then(|program| Command::new(program).arg("--version").stdin(Stdio::null()).output().ok())
        .map(|output| String::from_utf8_lossy(&output.stdout).into_owned())
        .unwrap_or_default();
    let number = text.split_whitespace().skip_while(|word| *word != "version").nth(1).unwrap_or_default();
    let mut parts = number.split('.');
    match (parts.next(), parts.next()) {
        (Some(major), Some(minor)) => format!("QEMU {major}.{minor}"),
        _ => "QEMU".into(),
    }
}

impl Machine {
    /// `TCG, 2 CPUs, 512 MiB`
    pub fn summary(&self) -> String {
        let accel = match (self.kvm(), self.icount) {
            (true, _) => "KVM",
            (false, true) => "TCG counting instructions",
            (false, false) => "TCG",
        };
        let cpus = if self.smp == 1 { "1 CPU".into() } else { format!("{} CPUs", self.smp) };
        format!("{accel}, {cpus}, {}", size::display(self.memory))
    }

    /// Whether the processor itself runs the guest. KVM without the processor's support (nested without hardware
    /// help) emulates the kernel instruction by instruction, hundreds of times slower than TCG: the module of the
    /// processor's maker has to be there, not just /dev/kvm.
    fn kvm(&self) -> bool {
        let hardware =
            || ["kvm_intel", "kvm_amd"].iter().any(|name| Path::new("/sys/module").join(name).exists());
        match self.accel {
            Accel::Kvm => true,
            Accel::Tcg => false,
            Accel::Auto => {
                let usable = || {
                    rustix::fs::access("/dev/kvm", rustix::fs::Access::READ_OK | rustix::fs::Access::WRITE_OK)
                };
                !self.icount && hardware() && usable().is_ok()
            }
        }
    }

    /// QEMU's arguments, without the program. `control` is the socket that the second serial line connects to.
    pub(crate) fn arguments(
        &self,
        loader: &Path,
        bundle: &Path,
        line: &str,
        control: Option<&Path>,
    ) -> Vec<OsString> {
        let mut arguments: Vec<OsString> = Vec::new();
        let mut add = |words: &[&str]| arguments.extend(words.iter().map(OsString::from));
        add(&["-M", "q35", "-cpu", "max,la57=off", "-nodefaults", "-display", "none", "-no-reboot"]);
        match (self.kvm(), self.icount) {
            (true, _) => add(&["-accel", "kvm"]),
            (false, false) => add(&["-accel", "tcg"]),
            (false, true) => add(&["-accel", "tcg,thread=single", "-icount", "shift=0,sleep=off"]),
        }
        add(&["-smp", &self.smp.to_string(), "-m", &memory(self.memory), "-serial", "stdio"]);
        match control {
            None => add(&["-serial", "null"]),
            Some(socket) => {
                let mut chardev = OsString::from("socket,id=control,path=");
                chardev.push(commas_doubled(socket));
                arguments.extend(["-chardev".into(), chardev]);
                arguments.extend(["-serial", "chardev:control"].map(OsString::from));
            }
        }
        arguments.extend(["-kernel".into(), loader.into(), "-initrd".into(), bundle.into()]);
        arguments.extend(["-append".into(), line.into()]);
        if self.gdb {
            arguments.extend(["-S", "-gdb", "tcp:localhost:1234"].map(OsString::from));
        }
        arguments.extend(self.extra.iter().cloned());
        arguments
    }

    /// The command line for a shell. The control channel is left out: without this program nobody listens to it.
    ///
    /// # Errors
    ///
    /// [`Error::Host`] without QEMU.
    pub fn shell_line(&self, loader: &Path, bundle: &Path, line: &str) -> Result<String> {
        let mut words = vec![shell_quoted(program()?.as_os_str().as_bytes())];
        words.extend(
            self.arguments(loader, bundle, line, None).iter().map(|word| shell_quoted(word.as_bytes())),
        );
        Ok(words.join(" "))
    }
}

/// Memory for `-m`: whole MiB where it is that.
fn memory(bytes: u64) -> String {
    if bytes.is_multiple_of(1 << 20) {
        format!("{}M", bytes >> 20)
    } else {
        format!("{}K", bytes.div_ceil(1 << 10))
    }
}

fn commas_doubled(path: &Path) -> OsString {
    path.to_string_lossy().replace(',', ",,").into()
}

fn shell_quoted(word: &[u8]) -> String {
    let word = String::from_utf8_lossy(word);
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./,:=+@%".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        word.into_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(machine: &Machine) -> String {
        let words = machine.arguments(Path::new("l"), Path::new("b"), "a b", None);
        words.iter().map(|word| shell_quoted(word.as_bytes())).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn the_machine_is_started_as_documented() {
        let machine = Machine { accel: Accel::Tcg, ..Machine::default() };
        assert_eq!(
            line(&machine),
            "-M q35 -cpu max,la57=off -nodefaults -display none -no-reboot -accel tcg -smp 2 -m 512M \
             -serial stdio -serial null -kernel l -initrd b -append 'a b'"
        );
    }

    #[test]
    fn counting_instructions_takes_one_thread() {
        let machine = Machine { icount: true, ..Machine::default() };
        assert!(line(&machine).contains("-accel tcg,thread=single -icount shift=0,sleep=off"));
    }
}
