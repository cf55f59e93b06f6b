//! What may not be in the kernel's image and its modules, and what has to be in the bundle.

mod frames;
mod names;

use crate::plan::{Plan, Verdict};
use object::read::elf::{ElfFile64, FileHeader, ProgramHeader};
use object::{Endianness, Object, ObjectSection, elf};
use std::path::{Path, PathBuf};
use tests::build;

/// Adds the checks.
pub(crate) fn add_to(plan: &mut Plan) {
    if build::artifacts().is_err() {
        return;
    }
    plan.test("image::nothing_refers_to_an_aborting_allocation", 2, || {
        each_file(&names::no_aborting_allocation)
    });
    plan.test("image::the_search_for_aborting_allocations_finds_them", 1, names::search_finds_them);
    plan.test("image::no_function_has_a_frame_of_more_than_1_kib", 5, || each_file(&frames::none_large));
    plan.test("image::the_search_for_frames_finds_them", 1, frames::search_finds_them);
    plan.test("image::no_segment_is_writable_and_executable", 1, segments);
    plan.test("image::modules_have_only_the_sections_that_the_linker_knows", 1, sections);
    plan.test("image::the_bundle_begins_with_the_kernel_and_has_debians_layout", 1, bundle);
    plan.test("image::code_above_the_memory_layer_denies_unsafe", 1, unsafe_has_an_address);
}

/// Reads kernel and modules and checks each.
fn each_file(check: &dyn Fn(&str, &[u8]) -> Verdict) -> Verdict {
    let artifacts = build::artifacts()?;
    let modules = artifacts.modules.iter().map(|module| (module.name.as_str(), &module.path));
    for (name, path) in [("kernel", &artifacts.kernel)].into_iter().chain(modules) {
        check(name, &read(path)?)?;
    }
    Ok(())
}

fn read(path: &Path) -> Result<Vec<u8>, String> {
    std::fs::read(path).map_err(|why| format!("{}: {why}", path.display()))
}

fn segments() -> Verdict {
    let bytes = read(&build::artifacts()?.stripped)?;
    let file = ElfFile64::<Endianness>::parse(&*bytes).map_err(|why| why.to_string())?;
    let endian = file.elf_header().endian().map_err(|why| why.to_string())?;
    let mut loaded = 0;
    for segment in file.elf_program_headers() {
        let flags = segment.p_flags(endian);
        if flags.0 & elf::PF_W.0 != 0 && flags.0 & elf::PF_X.0 != 0 {
            return Err(format!("the segment at {:#x} is writable and executable", segment.p_vaddr(endian)));
        }
        loaded += u32::from(segment.p_type(endian) == elf::PT_LOAD);
    }
    if loaded >= 3 { Ok(()) } else { Err(format!("{loaded} segments: one for each permission is wanted")) }
}

fn sections() -> Verdict {
    const KNOWN: &[&str] = &[
        ".text",
        ".rodata",
        ".data",
        ".bss",
        ".init.text",
        ".init.rodata",
        ".init.data",
        ".param",
        ".paraminfo",
        ".ktest",
        ".modinfo",
        ".ottawa.build",
        ".symtab",
        ".strtab",
        ".shstrtab",
    ];
    for module in &build::artifacts()?.modules {
        let bytes = read(&module.path)?;
        let file = object::File::parse(&*bytes).map_err(|why| why.to_string())?;
        for section in file.sections() {
            let name = section.name().map_err(|why| why.to_string())?;
            let of = name.strip_prefix(".rela").unwrap_or(name);
            if !name.is_empty() && !KNOWN.contains(&of) {
                return Err(format!("{} has a section {name}", module.name));
            }
        }
    }
    Ok(())
}

fn bundle() -> Verdict {
    let bytes = read(&build::artifacts()?.bundle)?;
    let mut names = Vec::new();
    for entry in cpio::Archive::new(&bytes) {
        let entry = entry.map_err(|why| why.to_string())?;
        let name = entry.name_str().ok_or("a name that is no text")?.to_owned();
        let offset = (entry.data.as_ptr() as usize).wrapping_sub(bytes.as_ptr() as usize);
        if entry.kind() == Some(cpio::Kind::File) && entry.data.len() >= 4096 && !offset.is_multiple_of(4096)
        {
            return Err(format!("{name} lies at {offset:#x}, not at a page's start"));
        }
        if name.starts_with(['/', '.']) {
            return Err(format!("the name {name}"));
        }
        names.push(name);
    }
    let order: Vec<&str> = names.iter().take(2).map(String::as_str).collect();
    if order != ["boot/ottawa", "boot/ottawa.sym"] {
        return Err(format!("the first two are {order:?}"));
    }
    for wanted in [
        "init",
        "bin",
        "sbin",
        "lib",
        "lib64",
        "dev",
        "proc",
        "sys",
        "tmp",
        "usr/bin",
        "usr/lib/modules/hello.ko",
        "usr/bin/busybox",
    ] {
        if !names.iter().any(|name| name == wanted) {
            return Err(format!("no {wanted} in the bundle"));
        }
    }
    Ok(())
}

/// The crates that may have `unsafe`; everything else of the guest's denies it at its head.
fn unsafe_has_an_address() -> Verdict {
    const MAY: &[&str] =
        &["kernel/arch", "kernel/mm", "kernel/lib/containers", "kernel/macros", "boot/loader"];
    let root = boot::root();
    let mut crates: Vec<PathBuf> = vec![root.join("kernel"), root.join("boot/loader")];
    for folder in ["kernel", "kernel/lib", "modules"] {
        let inside = std::fs::read_dir(root.join(folder)).map_err(|why| why.to_string())?;
        crates.extend(inside.flatten().map(|entry| entry.path()));
    }
    let mut checked = 0;
    for path in crates.iter().filter(|path| path.join("Cargo.toml").is_file()) {
        let place = path.strip_prefix(root).unwrap_or(path);
        if MAY.iter().any(|may| place == Path::new(may)) {
            continue;
        }
        let text = std::fs::read_to_string(path.join("src/lib.rs"))
            .map_err(|why| format!("{}: {why}", path.display()))?;
        if !text.contains("#![deny(unsafe_code)]") && !text.contains("#![forbid(unsafe_code)]") {
            return Err(format!("{} neither denies nor forbids unsafe code", place.display()));
        }
        checked += 1;
    }
    if checked >= 8 { Ok(()) } else { Err(format!("{checked} crates looked at")) }
}
