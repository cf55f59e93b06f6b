//! The steps of the boot order that are more than one call.

use arch::control::Word;
use base::param::{Size, Text};
use base::sync::OnceCell;
use base::{error, info, warn};
use bootloader_api::BootInfo;
use core::cell::UnsafeCell;
use core::ops::Range;
use mm::label::Label;
use mm::stack::{INTERRUPT, KernelStack};

base::param! {
    part "";
    /// The first program; `none` powers off once the modules are loaded.
    static INIT as "init": Text<128> = "", mode 0o444;
    /// Modules to load before init, in order, separated by commas.
    static MODULES as "modules": Text<512> = "", mode 0o444;
}

base::param! {
    part "debug";
    /// Panics after boot.
    static PANIC as "panic": bool = false, mode 0o444;
}

/// The bytes of the command line, with a zero behind them: the loader finds this section by name and fills it.
#[repr(transparent)]
struct CommandLine(UnsafeCell<[u8; 2049]>);
// SAFETY: written by the loader before the kernel runs, only read after that.
unsafe impl Sync for CommandLine {}

#[unsafe(link_section = ".kernel-cmdline")]
#[used]
static COMMAND_LINE: CommandLine = CommandLine(UnsafeCell::new([0; 2049]));

/// The command line as the loader left it. A byte that is not UTF-8 ends it.
pub(crate) fn command_line() -> &'static str {
    // SAFETY: nothing writes it once the kernel runs. Volatile copies are not needed: the loader wrote before the entry,
    // and `#[used]` with interior mutability keeps the compiler from knowing its contents.
    let bytes: &'static [u8; 2049] = unsafe { &*COMMAND_LINE.0.get() };
    let end = bytes.iter().position(|&b| b == 0).unwrap_or(bytes.len());
    match core::str::from_utf8(&bytes[..end]) {
        Ok(text) => text,
        Err(e) => core::str::from_utf8(&bytes[..e.valid_up_to()]).unwrap_or(""),
    }
}

/// This CPU's own data; locks need it.
pub(crate) fn per_cpu() {
    // SAFETY: the first thing the kernel does, once, on the boot CPU, with interrupts off.
    unsafe { base::percpu::init_cpu0() };
}

static BUNDLE: OnceCell<&'static [u8]> = OnceCell::new();

/// Keeps the bundle (the initramfs) and hands its symbol table to backtraces and the module linker.
pub(crate) fn adopt_bundle(info: &BootInfo) {
    let Some(address) = info.ramdisk_addr.into_option() else { return };
    // SAFETY: the loader gives the bundle's place in the direct map; its frames are never given to anyone else, but for
    // the kernel's own file, which `release_boot_files` gives up after its last use.
    let bytes = unsafe { core::slice::from_raw_parts(address as *const u8, info.ramdisk_len as usize) };
    let _ = BUNDLE.set(bytes);
    let Some(file) = boot_file("boot/ottawa.sym") else {
        warn!(
            "symbols: no boot/ottawa.sym in the initramfs; backtraces have no names and no module can load"
        );
        return;
    };
    match ksym::Table::parse(file) {
        Ok(table) => base::symbols::set_kernel_table(table),
        Err(error) => {
            warn!("symbols: boot/ottawa.sym: {error}; backtraces have no names and no module can load")
        }
    }
}

fn bundle() -> &'static [u8] {
    BUNDLE.get().copied().unwrap_or(&[])
}

fn boot_file(name: &str) -> Option<&'static [u8]> {
    match cpio::Archive::new(bundle()).find_first(name) {
        Ok(entry) => Some(entry?.data),
        Err(error) => {
            warn!("initramfs: {error}");
            None
        }
    }
}

/// The first line of the log.
pub(crate) fn banner() {
    let version = env!("CARGO_PKG_VERSION");
    info!("Ottawa {version}, x86-64, built {}", BuildId);
}

/// The first digits of the build identity, as the log shows it.
struct BuildId;

impl core::fmt::Display for BuildId {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match base::symbols::kernel_table().map(ksym::Table::build_id) {
            Some([a, b, c, d, ..]) => write!(f, "{a:02x}{b:02x}{c:02x}{:x}", d >> 4),
            None => f.write_str("without symbols"),
        }
    }
}

/// Protection, page tables, frames, small objects.
pub(crate) fn memory(info: &BootInfo) {
    arch::cpu::enable_protection(&arch::cpu::features());
    match mm::init(info) {
        Ok(summary) => info!(
            "memory: {} in {}, direct map in {} pages, vmalloc 512 GiB",
            Size(summary.bytes),
            Plural(summary.ranges, "range"),
            Size(summary.largest_page),
        ),
        Err(error) => panic!("memory: {error}: the machine is too small, Ottawa boots with 16M"),
    }
}

struct Plural(usize, &'static str);

impl core::fmt::Display for Plural {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "{} {}{}", self.0, self.1, if self.0 == 1 { "" } else { "s" })
    }
}

/// Reads the firmware's tables, through the loader's direct map; what the log says of them.
pub(crate) fn firmware(info: &BootInfo) -> &'static str {
    // SAFETY: the pointer is the firmware's as the loader found it, and the loader's direct map shows all memory.
    match unsafe { arch::acpi::init(info.rsdp_addr.into_option()) } {
        true => "ACPI tables found",
        false => "no ACPI tables, so no power-off",
    }
}

/// Finds the time stamp counter's frequency, so that the log's first line has its time; what the log says of it.
pub(crate) fn clock(first: u64) -> impl core::fmt::Display {
    arch::clock::start_at(first);
    let hpet = arch::acpi::facts().hpet.and_then(|phys| {
        // SAFETY: the firmware says that the registers are there; the loader's direct map covers the first 4 GiB, and the
        // timer is not used once the kernel has its own tables.
        unsafe { arch::hpet::Hpet::start(mm::layout::phys_to_virt(phys)) }
    });
    arch::clock::init(hpet)
}

/// Goes on with `main` as a task of its own; the boot stack is not used again.
pub(crate) fn become_first_task(main: fn(()) -> i32) -> ! {
    panic!("tasks: {:?}", task::cpus::become_first_task(main))
}

/// Starts the other CPUs.
pub(crate) fn other_cpus() {
    let running = task::cpus::start_others();
    info!("smp: {}", Plural(running, "CPU"));
}

/// Guarded stacks for the vectors that need one, and the interrupt controller with every line masked.
pub(crate) fn interrupts() {
    for ist in arch::gdt::Ist::ALL {
        let stack = permanent_stack(Label::new(format_args!("the {} stack", ist.name())));
        // SAFETY: the stack is fresh and kept for ever; interrupts are off.
        unsafe { arch::gdt::set_ist_stack(ist, stack.top) };
    }
    let stack = permanent_stack(Label::new(format_args!("the interrupt stack of cpu 0")));
    // SAFETY: as above.
    unsafe { arch::irq::set_vector_stack(stack) };
    arch::pic::init();
}

fn permanent_stack(label: Label) -> arch::stack::Bounds {
    match KernelStack::new(INTERRUPT, label) {
        Ok(stack) => stack.leak(),
        Err(error) => panic!("{label}: {error}"),
    }
}

/// The drivers that are always there; from here on interrupts are on.
pub(crate) fn devices() {
    let lines =
        [("timer", driver::timer::init()), ("serial", driver::console::init()), ("rtc", driver::rtc::init())];
    for (name, result) in &lines {
        if let Err(error) = result {
            error!("irq: {name}: {error}");
        }
    }
    info!("irq: {}, each on a 16 KiB stack of its own", Lines);
}

struct Lines;

impl core::fmt::Display for Lines {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        let mut separator = "";
        for info in (0..arch::irq::LINES as u8).filter_map(arch::irq::line_info) {
            write!(f, "{separator}{} {}", info.name, info.line)?;
            separator = ", ";
        }
        Ok(())
    }
}

/// Gives back the memory of the kernel's ELF file, which the loader has read and nobody needs any more.
pub(crate) fn release_boot_files() {
    if let Some(file) = boot_file("boot/ottawa") {
        let Range { start, end } = file.as_ptr_range();
        // SAFETY: the archive's index is read again later, but never the data of this file.
        unsafe { mm::adopt_direct(start as u64, end as u64) };
    }
}

/// `debug.panic=1`: shows what a panic looks like.
pub(crate) fn debug_panic() {
    if PANIC.get() {
        panic!("debug.panic=1 asked for it");
    }
}

/// Loads what `modules=` names. Returns whether each one loaded.
pub(crate) fn modules() -> bool {
    module::init(bundle());
    let mut all = true;
    for place in 0.. {
        let Some(name) = module_name(place) else { break };
        if let Err(error) = module::load_by_name(name.as_str()) {
            error!("{error}");
            all = false;
        }
    }
    all
}

/// The name at `place` in `modules=`. Its own function, so that the whole list is not on the stack under a module's init.
#[inline(never)]
fn module_name(place: usize) -> Option<Text<64>> {
    let names = MODULES.get();
    let name = names.as_str().split(',').filter(|n| !n.is_empty()).nth(place)?;
    Text::new(name).or_else(|| Text::new(name.get(..64)?))
}

/// Runs the first program; what the host is told when it ends.
pub(crate) fn first_program(loaded: bool) -> Word {
    if INIT.get().as_str() == "none" {
        return if loaded { Word::Off } else { Word::Exit(1) };
    }
    error!("init: this kernel runs no programs yet; `init=none` powers off once the modules are loaded");
    Word::Exit(1)
}
