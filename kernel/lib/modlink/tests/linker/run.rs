//! Real objects, made by the compilers, linked at real addresses and run.
//!
//! The strongest check of a linker is that its output works: a C and a Rust object are compiled
//! with the kernel's flags, joined as the builder joins a module, linked into pages below 2 GiB
//! (where the same relocations fit as in the top 2 GiB) and called.

use modlink::{Linked, Memory, Object, Region, Slot};
use rustix::mm::{MapFlags, ProtFlags, mmap_anonymous, munmap};
use std::{ffi::c_void, fs, path::Path, process::Command};

/// Runs a tool and says what went wrong in its own words.
fn tool(program: &str, args: &[&str], dir: &Path) {
    let output = Command::new(program).args(args).current_dir(dir).output();
    let output = output.unwrap_or_else(|error| panic!("{program}: {error}"));
    assert!(output.status.success(), "{program} {args:?}: {}", String::from_utf8_lossy(&output.stderr));
}

/// Joins one object as the builder does with a module's.
fn join(dir: &Path) -> Vec<u8> {
    let script = "SECTIONS { \
        .text : { *(.text .text.*) } .rodata : { *(.rodata .rodata.*) } \
        .data : { *(.data .data.*) } .bss : { *(.bss .bss.*) } \
        /DISCARD/ : { *(.comment .note* .eh_frame* .debug*) } }";
    fs::write(dir.join("module.ld"), script).unwrap();
    tool("ld", &["-r", "-T", "module.ld", "module.o", "-o", "module.ko"], dir);
    fs::read(dir.join("module.ko")).unwrap()
}

/// Memory at a fixed low address, given back at the end.
struct Pages {
    start: *mut c_void,
    size: usize,
}

impl Pages {
    const STRIDE: usize = 1 << 20;

    /// Room for six regions; `slot` keeps tests that run at once apart.
    fn new(slot: usize) -> Self {
        let size = 6 * Self::STRIDE;
        let hint = (0x3000_0000 + slot * 0x100_0000) as *mut c_void;
        let protection = ProtFlags::READ | ProtFlags::WRITE | ProtFlags::EXEC;
        let flags = MapFlags::PRIVATE | MapFlags::FIXED_NOREPLACE;
        // SAFETY: FIXED_NOREPLACE takes only addresses that nobody uses.
        let start = unsafe { mmap_anonymous(hint, size, protection, flags) }.expect("low pages");
        Self { start, size }
    }

    fn bytes(&mut self) -> &mut [u8] {
        // SAFETY: the pages are mapped readable and writable, zeroed, and ours alone.
        unsafe { std::slice::from_raw_parts_mut(self.start.cast(), self.size) }
    }
}

impl Drop for Pages {
    fn drop(&mut self) {
        // SAFETY: `new` mapped exactly these pages, and what points into them has ended.
        unsafe { munmap(self.start, self.size) }.expect("unmap");
    }
}

fn link_at<R>(
    pages: &mut Pages,
    image: &[u8],
    resolve: impl FnMut(&str) -> Option<u64>,
    then: impl FnOnce(&Linked<'_, '_>) -> R,
) -> R {
    let object = Object::parse(image).unwrap_or_else(|error| panic!("{error}"));
    let mut slots = vec![Slot::EMPTY; object.slots()];
    let plan = object.plan(&mut slots).unwrap_or_else(|error| panic!("{error}"));
    let start = pages.start.addr() as u64;
    let mut chunks = pages.bytes().chunks_exact_mut(Pages::STRIDE);
    let mut memory = Region::ALL.map(|region| Memory {
        address: start + (region as usize * Pages::STRIDE) as u64,
        bytes: chunks.next().unwrap(),
    });
    let linked = plan.link(&mut memory, resolve).unwrap_or_else(|error| panic!("{error}"));
    then(&linked)
}

fn call(address: u64, argument: u64) -> u64 {
    // SAFETY: the callers pass functions of this type from the objects they compiled.
    let function: extern "C" fn(u64) -> u64 = unsafe { std::mem::transmute(address) };
    function(argument)
}

extern "C" fn host_adds_hundred(value: u64) -> u64 {
    value + 100
}

/// A jump through a register to the host's function, which may lie anywhere: what is resolved must
/// be near.
fn thunk(pages: &mut Pages) -> u64 {
    let at = pages.size - 16;
    let mut code = vec![0x48, 0xb8];
    code.extend((host_adds_hundred as *const () as u64).to_le_bytes());
    code.extend([0xff, 0xe0]);
    pages.bytes()[at..at + code.len()].copy_from_slice(&code);
    pages.start.addr() as u64 + at as u64
}

const C: &str = "
extern unsigned long host(unsigned long);
static unsigned long table[4] = { 1, 2, 3, 4 };
static unsigned long zeroed[100];
unsigned long *const pointers[] = { &table[1], &table[3] };
static unsigned long twice(unsigned long v) { return 2 * v; }
unsigned long (*volatile chosen)(unsigned long) = twice;
unsigned long entry(unsigned long v) {
    zeroed[v % 100] += v;
    switch (v) {
        case 0: return *pointers[1];
        case 1: return host(5);
        case 2: return chosen(21);
        case 3: return zeroed[3];
        case 4: return (unsigned long)pointers[0] == (unsigned long)&table[1];
        default: return 99;
    }
}
";

fn c_object(flags: &[&str], slot: usize) {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("module.c"), C).unwrap();
    let mut args = vec!["-c", "-O1", "-ffreestanding", "-o", "module.o", "module.c"];
    args.extend(flags);
    tool("cc", &args, dir.path());
    let image = join(dir.path());
    let mut pages = Pages::new(slot);
    let host = thunk(&mut pages);
    let entry = link_at(
        &mut pages,
        &image,
        |name| (name == "host").then_some(host),
        |linked| linked.symbol("entry").expect("entry"),
    );
    let results: Vec<u64> = (0..6).map(|v| call(entry, v)).collect();
    assert_eq!(results, [4, 105, 42, 3, 1, 99], "{flags:?}");
}

#[test]
fn c_code_runs_in_each_relocation_model() {
    c_object(&["-mcmodel=kernel", "-fno-pic"], 0);
    c_object(&["-fpic"], 1);
    c_object(&["-fpic", "-fno-plt"], 2);
    c_object(&["-mcmodel=kernel", "-fno-pic", "-fno-jump-tables", "-ffunction-sections"], 3);
}

const RUST: &str = r#"
#![no_std]
use core::sync::atomic::{AtomicU64, Ordering::Relaxed};
unsafe extern "C" { safe fn host(value: u64) -> u64; }
static CALLS: AtomicU64 = AtomicU64::new(0);
static NAMES: [&str; 3] = ["a", "bb", "ccc"];
trait Shape { fn area(&self) -> u64; }
struct Square(u64);
struct Other(u64, u64);
impl Shape for Square { fn area(&self) -> u64 { self.0 * self.0 } }
impl Shape for Other { fn area(&self) -> u64 { host(self.0 * self.1) } }
#[unsafe(no_mangle)]
#[inline(never)]
pub extern "C" fn shape(big: bool) -> &'static dyn Shape { if big { &Other(3, 4) } else { &Square(5) } }
struct Copied([u8; 300]);
#[inline(never)]
fn copy(from: &Copied, to: &mut Copied) { *to = Copied(from.0); }
#[unsafe(no_mangle)]
pub extern "C" fn entry(v: u64) -> u64 {
    let calls = CALLS.fetch_add(1, Relaxed);
    match v {
        0 => shape(false).area(),
        1 => shape(true).area(),
        2 => NAMES.get(calls as usize).map_or(9, |name| name.len() as u64),
        3 => {
            let mut to = Copied([0; 300]);
            copy(&Copied([7; 300]), &mut to);
            to.0.iter().map(|byte| u64::from(*byte)).sum()
        }
        _ => calls,
    }
}
"#;

#[test]
fn rust_code_runs_in_each_relocation_model() {
    for (slot, model) in ["static", "pic"].into_iter().enumerate() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("module.rs"), RUST).unwrap();
        let model_flag = format!("relocation-model={model}");
        let args = [
            "--edition=2024",
            "--crate-type=lib",
            "--emit=obj",
            "-O",
            "-Cpanic=abort",
            "-Ccode-model=kernel",
            "-C",
            &model_flag,
            "-Csymbol-mangling-version=v0",
            "-o",
            "module.o",
            "module.rs",
        ];
        tool("rustc", &args, dir.path());
        let image = join(dir.path());
        let mut pages = Pages::new(8 + slot);
        let host = thunk(&mut pages);
        let near = near_memory_functions(&mut pages);
        let entry = link_at(
            &mut pages,
            &image,
            |name| match name {
                "host" => Some(host),
                "memcpy" | "memset" => Some(near),
                _ => None,
            },
            |linked| linked.symbol("entry").expect("entry"),
        );
        let results: Vec<u64> = (0..5).map(|v| call(entry, v)).collect();
        assert_eq!(results, [25, 112, 3, 2100, 4], "{model}");
    }
}

/// `memcpy` and `memset` in one, good for the test above: copies or fills by what `rsi` is.
fn near_memory_functions(pages: &mut Pages) -> u64 {
    // mov rax, rdi; mov rcx, rdx; cmp rsi, 255; ja copy; xchg eax, esi; rep stosb; xchg eax, esi;
    // mov rax, rdi; ret; copy: rep movsb; ret
    let code = [
        0x48, 0x89, 0xf8, 0x48, 0x89, 0xd1, 0x48, 0x81, 0xfe, 0xff, 0, 0, 0, 0x77, 0x0c, 0x49, 0x89, 0xf8,
        0x89, 0xf0, 0xf3, 0xaa, 0x4c, 0x89, 0xc0, 0xc3, 0x90, 0xf3, 0xa4, 0xc3,
    ];
    let at = pages.size - 128;
    pages.bytes()[at..at + code.len()].copy_from_slice(&code);
    pages.start.addr() as u64 + at as u64
}
