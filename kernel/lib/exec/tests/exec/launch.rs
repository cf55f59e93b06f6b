//! Real programs, planned and started: what a kernel does after execve, done by hand in a process of its own.
//!
//! The test runs itself again with a program's path; that process maps the program as the plan says, writes its stack and
//! jumps to its entry. What the program then prints and returns says whether all of it was right.

use crate::support::{aux, plan, segments};
use exec::{Arguments, Aux, Memory, Segment, Stack};
use rustix::mm::{MapFlags, MprotectFlags, ProtFlags, mmap, mmap_anonymous, mprotect};
use std::fs::File;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// Where programs go that may lie anywhere.
const ANYWHERE: u64 = 0x10_0000_0000;
const STACK: Range<u64> = 0x20_0000_0000..0x20_0080_0000;
const PROGRAM: &str = "OTTAWA_TEST_PROGRAM";

fn fixed(range: &Range<u64>) -> (*mut std::ffi::c_void, usize) {
    (range.start as *mut _, (range.end - range.start) as usize)
}

/// Maps one segment, first to be written.
fn map(segment: &Segment, bias: u64, file: &File) {
    let biased = |range: Range<u64>| range.start + bias..range.end + bias;
    let (file_pages, zeros, tail) =
        (biased(segment.file_pages()), biased(segment.zero_pages()), biased(segment.zero_tail()));
    let (flags, prot) = (MapFlags::PRIVATE | MapFlags::FIXED_NOREPLACE, ProtFlags::READ | ProtFlags::WRITE);
    if !file_pages.is_empty() {
        let (at, len) = fixed(&file_pages);
        // SAFETY: nothing is there yet, or the call fails.
        unsafe { mmap(at, len, prot, flags, file, segment.file_offset()) }.expect("mapped");
        let (at, len) = fixed(&tail);
        // SAFETY: the end of the pages just mapped.
        unsafe { at.cast::<u8>().write_bytes(0, len) };
    }
    if !zeros.is_empty() {
        let (at, len) = fixed(&zeros);
        // SAFETY: as above.
        unsafe { mmap_anonymous(at, len, prot, flags) }.expect("mapped");
    }
    let mut wanted = MprotectFlags::empty();
    wanted.set(MprotectFlags::READ, segment.prot.read);
    wanted.set(MprotectFlags::WRITE, segment.prot.write);
    wanted.set(MprotectFlags::EXEC, segment.prot.execute);
    let (at, len) = fixed(&biased(segment.pages()));
    // SAFETY: these pages were mapped above.
    unsafe { mprotect(at, len, wanted) }.expect("protected");
}

/// The stack, mapped.
struct Mapped;

impl Memory for Mapped {
    type Error = u64;

    fn write(&mut self, address: u64, bytes: &[u8]) -> Result<(), u64> {
        if address < STACK.start || address + bytes.len() as u64 > STACK.end {
            return Err(address);
        }
        // SAFETY: within the mapping, which nobody else knows.
        unsafe { (address as *mut u8).copy_from_nonoverlapping(bytes.as_ptr(), bytes.len()) };
        Ok(())
    }
}

/// Not a test by itself: what the tests below start.
#[test]
fn launched() {
    let Some(path) = std::env::var_os(PROGRAM) else { return };
    let (file, bytes) = (File::open(&path).expect("there"), std::fs::read(&path).expect("readable"));
    let plan = plan(&bytes).expect("a program");
    assert!(plan.interpreter.is_none());
    let bias = if plan.pie { ANYWHERE - plan.pages.start } else { 0 };
    segments(&plan).iter().for_each(|segment| map(segment, bias, &file));

    let mut arguments = Arguments::new(1 << 20);
    let given = std::env::var("OTTAWA_TEST_ARGUMENTS").expect("given");
    given.split('|').try_for_each(|string| arguments.push(string.as_bytes())).expect("memory");
    arguments.begin_environment().expect("memory");
    arguments.push(b"WHO=Ottawa").expect("memory");
    let (at, len) = fixed(&STACK);
    let (flags, prot) = (MapFlags::PRIVATE | MapFlags::FIXED_NOREPLACE, ProtFlags::READ | ProtFlags::WRITE);
    // SAFETY: nothing is there yet, or the call fails.
    unsafe { mmap_anonymous(at, len, prot, flags) }.expect("a stack");
    // The host's vDSO is not passed on: its address is its own affair.
    let aux = Aux { clktck: 100, random: aux().random, ..Aux::of(&plan, bias) };
    let stack = Stack::new(STACK.end, 123, b"/the/path", &arguments, &aux).expect("room");
    stack.write(&mut Mapped).expect("written");
    // SAFETY: nothing of this process is used from here on; rdx is 0, for there is nothing to be called at exit.
    unsafe {
        std::arch::asm!(
            "mov rsp, {rsp}", "xor edx, edx", "xor ebp, ebp", "jmp {entry}",
            rsp = in(reg) stack.rsp(), entry = in(reg) aux.entry, options(noreturn)
        )
    }
}

/// Starts a program in a process of its own.
fn launch(program: &Path, arguments: &str) -> Output {
    let me = std::env::current_exe().expect("known");
    Command::new(me)
        .args(["--exact", "launch::launched", "--nocapture", "--test-threads=1"])
        .env(PROGRAM, program)
        .env("OTTAWA_TEST_ARGUMENTS", arguments)
        .output()
        .expect("started")
}

/// What a program wrote, behind what the test's own harness writes first.
fn printed(output: &Output) -> String {
    assert_eq!(output.status.code(), Some(7), "{output:?}");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    text.split_once("BEGIN\n").unwrap_or_else(|| panic!("{output:?}")).1.to_string()
}

const SOURCE: &str = r#"
#include <stdio.h>
#include <stdlib.h>
#include <stdint.h>
#include <string.h>
#include <elf.h>
#include <link.h>
#include <sys/auxv.h>

static int data[2000] = { 1, 2, 3 };
static char zeros[100000];
static __thread int thread = 42;
static int (*pointer)(const char *) = puts;

int main(int argc, char **argv, char **environ)
{
    uintptr_t frame = (uintptr_t)__builtin_frame_address(0);
    const ElfW(Phdr) *phdr = (void *)getauxval(AT_PHDR);
    int loads = 0;
    long sum = 0;

    puts("BEGIN");
    for (int i = 0; i < argc; i++)
        printf("argument %s\n", argv[i]);
    for (char **env = environ; *env; env++)
        if (!strncmp(*env, "WHO=", 4))
            printf("environment %s\n", *env);
    for (unsigned i = 0; i < getauxval(AT_PHNUM); i++)
        loads += phdr[i].p_type == PT_LOAD;
    for (unsigned i = 0; i < sizeof zeros; i++)
        sum += zeros[i];
    printf("loads %d, zeros %ld, data %d, thread %d\n", loads > 0, sum, data[0] + data[1] + data[2], thread);
    printf("path %s on %s\n", (char *)getauxval(AT_EXECFN), (char *)getauxval(AT_PLATFORM));
    printf("random %.16s, page %lu\n", (char *)getauxval(AT_RANDOM), getauxval(AT_PAGESZ));
    printf("frame %d, secure %lu\n", (int)(frame % 16), getauxval(AT_SECURE));
    memset(zeros, 1, sizeof zeros);
    free(malloc(1 << 20));
    pointer("END");
    return 7;
}
"#;

const EXPECTED: &str = "argument first\nargument \nargument last\nenvironment WHO=Ottawa\n\
    loads 1, zeros 0, data 6, thread 42\npath /the/path on x86_64\nrandom 0123456789abcdef, page 4096\n\
    frame 0, secure 0\nEND\n";

/// The source above as a program, if there is such a compiler.
fn compiled(folder: &Path, compiler: &str, flags: &[&str]) -> Option<PathBuf> {
    let (source, program) = (folder.join("program.c"), folder.join("program"));
    std::fs::write(&source, SOURCE).expect("written");
    let output = Command::new(compiler)
        .args(flags)
        .args(["-O1", "-fno-omit-frame-pointer", "-o"])
        .arg(&program)
        .arg(&source)
        .output();
    match output {
        Ok(output) if output.status.success() => Some(program),
        other => {
            eprintln!("{compiler} {flags:?} does not work here, not tried: {other:?}");
            None
        }
    }
}

fn compiled_programs_start(compiler: &str, flags: &[&str], pie: bool) {
    let folder = tempfile::tempdir().expect("a folder");
    let Some(program) = compiled(folder.path(), compiler, flags) else { return };
    let bytes = std::fs::read(&program).expect("readable");
    let plan = plan(&bytes).expect("a program");
    assert_eq!((plan.pie, plan.interpreter.is_none(), plan.executable_stack), (pie, true, Some(false)));
    assert_eq!(printed(&launch(&program, "first||last")), EXPECTED);
}

#[test]
fn a_static_program_of_musl_starts() {
    compiled_programs_start("musl-gcc", &["-static", "-no-pie"], false);
}

#[test]
fn a_static_pie_of_musl_starts() {
    // Its wrapper of gcc knows nothing of those.
    let starts = ["rcrt1.o", "crti.o", "crtn.o"].map(|file| format!("/usr/lib/x86_64-linux-musl/{file}"));
    let flags = ["-static", "-fPIE", "-nostartfiles", "-Wl,-pie,--no-dynamic-linker"];
    let flags: Vec<&str> = flags.into_iter().chain(starts.iter().map(String::as_str)).collect();
    compiled_programs_start("musl-gcc", &flags, true);
}

#[test]
fn a_static_program_of_glibc_starts() {
    compiled_programs_start("gcc", &["-static", "-no-pie"], false);
}

#[test]
fn a_static_pie_of_glibc_starts() {
    compiled_programs_start("gcc", &["-static-pie", "-fPIE"], true);
}

#[test]
fn busybox_starts() {
    let busybox = Path::new("/bin/busybox");
    let Ok(bytes) = std::fs::read(busybox) else {
        return eprintln!("no {} here, not tried", busybox.display());
    };
    let planned = plan(&bytes).expect("a program");
    if planned.interpreter.is_some() {
        return eprintln!("{} is not static, not tried", busybox.display());
    }
    let output = launch(busybox, "busybox|sh|-c|echo BEGIN; echo $WHO $((6*7)) $0 $1; exit 7|a|b");
    assert_eq!(printed(&output), "Ottawa 42 a b\n");
}

#[test]
fn a_dynamic_program_names_its_interpreter() {
    let bytes = std::fs::read(std::env::current_exe().expect("known")).expect("readable");
    let plan = plan(&bytes).expect("a program");
    let path = plan.interpreter.clone().expect("dynamic");
    let path = exec::interpreter_path(&bytes[path.start as usize..path.end as usize]).expect("a path");
    assert_eq!((plan.pie, path), (true, &b"/lib64/ld-linux-x86-64.so.2"[..]));
    let interpreter = std::fs::read("/lib64/ld-linux-x86-64.so.2").expect("there");
    let plan = crate::support::plan(&interpreter).expect("a program");
    assert!(plan.pie && plan.interpreter.is_none());
}
