//! From a module's crate to its `.ko`: a relocatable link with a linker script made for it.
//!
//! The script gives the kernel's linker few sections with known names, drops what it has no use for, and writes two
//! things that only the builder knows: the build identity (`.ottawa.build`, 16 bytes) and the names of the modules
//! that this one needs (`depends=a,b` in `.modinfo`).
//!
//! Of its own crate all is taken; of crates that the kernel does not have, what the module refers to; what the kernel
//! has is left for the kernel's linker to resolve.

use crate::error::{Error, Result};
use crate::stamp::{self, Key};
use crate::toolchain::Toolchain;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

/// What a module is linked from.
#[derive(Debug)]
pub(crate) struct Parts<'a> {
    /// Its own library.
    pub(crate) own: &'a Path,
    /// Libraries that only modules need, in a fixed order.
    pub(crate) private: Vec<&'a Path>,
    /// Names of the modules that it needs.
    pub(crate) depends: &'a [String],
    /// The identity of the kernel that it is built for.
    pub(crate) build: u128,
}

/// Links `out` unless it was linked of the same parts before.
pub(crate) fn link(toolchain: &Toolchain, parts: &Parts<'_>, out: &Path) -> Result<bool> {
    let script = script(parts.depends, parts.build);
    let mut key = Key::new("ko").file(&toolchain.linker).text(&script).file(parts.own);
    for library in &parts.private {
        key = key.file(library);
    }
    stamp::refresh(out, &key, || {
        let folder =
            tempfile::tempdir().map_err(|why| Error::file("write to", &std::env::temp_dir(), why))?;
        let (script_file, object) = (folder.path().join("module.ld"), folder.path().join("module.ko"));
        fs::write(&script_file, &script).map_err(|why| Error::file("write", &script_file, why))?;
        run(toolchain, parts, &script_file, &object)?;
        fs::read(&object).map_err(|why| Error::file("read", &object, why))
    })
}

fn run(toolchain: &Toolchain, parts: &Parts<'_>, script: &PathBuf, object: &PathBuf) -> Result<()> {
    let output = toolchain
        .ld()
        .arg("-r")
        .arg("-T")
        .arg(script)
        .arg("--whole-archive")
        .arg(parts.own)
        .arg("--no-whole-archive")
        .args(&parts.private)
        .arg("-o")
        .arg(object)
        .output()
        .map_err(|why| Error::file("run", &toolchain.linker, why))?;
    if output.status.success() {
        return Ok(());
    }
    eprint!("{}", String::from_utf8_lossy(&output.stderr));
    Err(Error::Host(format!("{} does not link: see the linker's words above", parts.own.display())))
}

/// Sections of the object, in order, with what goes into each.
const SECTIONS: &[(&str, &str)] = &[
    (".text", "*(.text .text.*)"),
    (".rodata", "*(.rodata .rodata.*)"),
    (".data", "*(.data .data.*)"),
    (".bss", "*(.bss .bss.* COMMON)"),
    (".init.text", "*(.init.text .init.text.*)"),
    (".init.rodata", "*(.init.rodata .init.rodata.*)"),
    (".init.data", "*(.init.data .init.data.*)"),
    (".param", "KEEP(*(.param))"),
    (".paraminfo", "KEEP(*(.paraminfo))"),
    (".ktest", "KEEP(*(.ktest))"),
];

fn script(depends: &[String], build: u128) -> String {
    let mut script = String::from("SECTIONS\n{\n");
    for (name, input) in SECTIONS {
        let _ = writeln!(script, "    {name} 0 : {{ {input} }}");
    }
    let line = format!("depends={}\0", depends.join(","));
    let _ = writeln!(script, "    .modinfo 0 : {{ KEEP(*(.modinfo)) {}}}", bytes(line.as_bytes()));
    let _ = writeln!(script, "    .ottawa.build 0 : {{ {}}}", bytes(&build.to_le_bytes()));
    script.push_str(
        "    /DISCARD/ : { *(.comment .note .note.* .eh_frame .eh_frame.* .debug* .rmeta .llvm*) }\n}\n",
    );
    script
}

fn bytes(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "BYTE({byte:#04x}) ");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_script_carries_what_only_the_builder_knows() {
        let script = script(&["producer".into()], 0x0102);
        assert!(script.contains(".ottawa.build 0 : { BYTE(0x02) BYTE(0x01) BYTE(0x00)"), "{script}");
        assert!(script.contains("KEEP(*(.modinfo)) BYTE(0x64) BYTE(0x65)"), "{script}");
    }
}
