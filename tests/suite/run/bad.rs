//! Bad input: one line that says what to do, and a status.

use crate::plan::{Plan, Verdict};
use std::fs;
use std::path::PathBuf;
use tests::build;
use tests::command::ottawa;
use tests::seen::Seen;

/// Adds the scenarios.
pub(crate) fn add_to(plan: &mut Plan) {
    plan.test("run::an_unknown_option_is_wrong_usage", 1, || {
        ottawa("--frobnicate init=none").run()?.ends_with(2)?.says_in_one_line(&["--frobnicate"]).map(drop)
    });
    plan.test("run::wrong_values_of_options_are_wrong_usage", 2, || {
        for (line, part) in [
            ("--smp 0 init=none", "--smp"),
            ("--smp many init=none", "--smp"),
            ("--memory lots init=none", "--memory"),
            ("--memory 15M init=none", "16M"),
            ("--timeout 0 init=none", "--timeout"),
            ("--accel hax init=none", "--accel"),
            ("--profile fast init=none", "--profile"),
            ("--smp", "--smp"),
        ] {
            ottawa(line).run()?.ends_with(2)?.says_in_one_line(&[part])?;
        }
        Ok(())
    });
    plan.test("run::options_whose_work_has_not_come_say_so", 1, || {
        for option in ["--disk x.img", "--numa 2", "--iso x.iso", "--sysgraph x.svg"] {
            let name = option.split(' ').next().unwrap_or_default();
            ottawa(option).run()?.ends_with(2)?.says_in_one_line(&[name, "not there yet"])?;
        }
        Ok(())
    });
    plan.test("run::without_qemu_it_says_how_to_get_it", 1, || {
        let seen = ottawa("init=none").environment("PATH", "/nowhere").run()?;
        seen.ends_with(123)?.says_in_one_line(&["qemu-system-x86_64", "boot/setup.sh"]).map(drop)
    });
    plan.test("run::a_target_folder_that_cannot_be_written_is_one_line", 1, || {
        // Root may write anywhere, but not below a file.
        let file = tempfile::NamedTempFile::new().map_err(|why| why.to_string())?;
        let folder = file.path().join("target");
        let seen = ottawa("init=none").environment("CARGO_TARGET_DIR", &folder).run()?;
        let name = folder.display().to_string();
        seen.ends_with(123)?.says_in_one_line(&[&name, "CARGO_TARGET_DIR"]).map(drop)
    });
    plan.test("run::a_missing_folder_is_one_line", 1, || {
        ottawa("--rootfs /nowhere init=none").run()?.says_in_one_line(&["/nowhere"])?;
        ottawa("--module /nowhere init=none").run()?.ends_with(2)?.says_in_one_line(&["/nowhere"]).map(drop)
    });
    plan.test("run::a_machine_too_small_for_the_bundle_is_one_line_of_the_loader", 2, || {
        let seen = ottawa("init=none --qemu -m --qemu 5M").run()?;
        seen.ends_with(123)?.has_line_with(&["loader:", "memory"]).map(drop)
    });
    plan.test("run::too_little_memory_by_mem_is_one_line", 2, || {
        let seen = ottawa("init=none mem=2M").run()?;
        seen.ends_with(125)?.has_line_with(&["panic: memory", "16M"]).map(drop)
    });
    for (name, status, damage, parts) in BUNDLES {
        plan.test(&format!("run::{name}"), 2, move || damaged_bundle(*status, *damage, parts));
    }
    plan.test("run::every_flipped_byte_in_the_initramfs_ends_in_a_status_not_a_hang", 40, flipped_bytes);
}

type Damage = fn(Vec<u8>) -> Vec<u8>;

/// Name of the trial, the status, the damage, and what one line says.
const BUNDLES: &[(&str, i32, Damage, &[&str])] = &[
    ("an_initramfs_that_is_no_archive_is_one_line_of_the_loader", 123, |_| vec![0x55; 1 << 20], &["loader:"]),
    (
        "an_initramfs_without_the_kernel_is_one_line_of_the_loader",
        123,
        |_| rest_of_archive(&[]),
        &["loader:", "boot/ottawa"],
    ),
    (
        "a_kernel_that_is_no_elf_file_is_one_line_of_the_loader",
        123,
        |_| rest_of_archive(b"not an ELF file"),
        &["loader:"],
    ),
    (
        "an_initramfs_cut_in_the_kernel_is_one_line_of_the_loader",
        123,
        |bytes| bytes[..100_000].to_vec(),
        &["loader:"],
    ),
    ("an_initramfs_cut_behind_the_kernel_boots_and_says_so", 1, cut_behind_symbols, &["initramfs:"]),
    ("an_initramfs_damaged_behind_the_kernel_boots_and_says_so", 1, damage_behind_symbols, &["initramfs:"]),
];

/// An archive whose kernel is this; none where it is empty.
fn rest_of_archive(kernel: &[u8]) -> Vec<u8> {
    let mut archive = cpio::Writer::new(Vec::new());
    let attributes = cpio::Attributes { mode: 0o100_644, ..cpio::Attributes::default() };
    // Writing to a vector does not fail.
    if !kernel.is_empty() {
        let _ = archive.add("boot/ottawa", &attributes, kernel, cpio::Place::Page);
    }
    let _ = archive.add("etc/motd", &attributes, b"hello", cpio::Place::Anywhere);
    archive.finish().unwrap_or_default()
}

/// Where the member behind the symbols begins.
fn behind_symbols(bytes: &[u8]) -> usize {
    let name = b"etc\0";
    bytes
        .windows(name.len())
        .position(|window| window == name)
        .map_or(bytes.len(), |at| at.saturating_sub(110))
}

fn cut_behind_symbols(mut bytes: Vec<u8>) -> Vec<u8> {
    let at = behind_symbols(&bytes);
    bytes.truncate(at + 50);
    bytes
}

fn damage_behind_symbols(mut bytes: Vec<u8>) -> Vec<u8> {
    let at = behind_symbols(&bytes);
    bytes[at..at + 6].copy_from_slice(b"070799");
    bytes
}

fn bundle(damage: impl FnOnce(Vec<u8>) -> Vec<u8>) -> Result<(tempfile::TempDir, PathBuf), String> {
    let folder = tempfile::tempdir().map_err(|why| why.to_string())?;
    let path = folder.path().join("initramfs");
    let good = fs::read(&build::artifacts()?.bundle).map_err(|why| why.to_string())?;
    fs::write(&path, damage(good)).map_err(|why| why.to_string())?;
    Ok((folder, path))
}

/// As a person would: QEMU takes the last -initrd that it is given.
fn with_bundle(path: &PathBuf, line: &str) -> Result<Seen, String> {
    ottawa(line).argument("--qemu").argument("-initrd").argument("--qemu").argument(path).run()
}

fn damaged_bundle(status: i32, damage: Damage, parts: &[&str]) -> Verdict {
    let (_folder, path) = bundle(damage)?;
    let seen = with_bundle(&path, "--timeout 20 --test-modules modules=hello init=none")?;
    seen.ends_with(status)?.has_line_with(parts).map(drop)
}

/// One byte of the archive's first headers at a time is turned over: the machine ends with a status of its own every time.
fn flipped_bytes() -> Verdict {
    let step = if tests::long() { 1 } else { 9 };
    for at in (0..220).step_by(step) {
        let (_folder, path) = bundle(|mut bytes| {
            bytes[at] = !bytes[at];
            bytes
        })?;
        let seen = with_bundle(&path, "--timeout 20 --test-modules quiet modules=hello init=none")?;
        seen.expect(
            matches!(seen.status, Some(0 | 1 | 123 | 125)),
            &format!("another end with byte {at} turned over"),
        )?;
        let said = !seen.console.trim().is_empty();
        seen.expect(said, "a word on the console")?;
    }
    Ok(())
}
