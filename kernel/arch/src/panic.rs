//! The last words: what went wrong, where, the registers, the calls; then the machine ends with status 125.
//!
//! The other CPUs are stopped first, by an NMI each. This path takes no lock, allocates nothing and trusts nothing: it writes to the console's ports directly, reads memory
//! only after looking it up in the page tables, and a panic within a panic ends the machine at once.

use crate::control::Word;
use crate::trap::{self, Frame};
use crate::{apic, backtrace, cpu, power, smp};
use base::sync::OnceCell;
use base::{clock, log, percpu};
use core::fmt::{self, Write};
use core::sync::atomic::{AtomicU32, Ordering::SeqCst};

base::param! {
    part "";
    /// Seconds from a panic to the machine's end; 0 waits for ever, a negative number not at all.
    static PANIC as "panic": i32 = -1, range -1..=3600, mode 0o644;
}

/// The CPU that panics.
static PANICKING: AtomicU32 = AtomicU32::new(NOBODY);
const NOBODY: u32 = u32::MAX;

/// What lies at an address, in words, if it is a place the memory layer has a name for (`the guard page below ...`).
pub type Namer = fn(u64, &mut dyn Write) -> Option<fmt::Result>;
static NAMER: OnceCell<Namer> = OnceCell::new();

/// The memory layer's way to name an address in a report. Set once.
pub fn set_namer(namer: Namer) {
    let _ = NAMER.set(namer);
}

struct Emergency;

impl Write for Emergency {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        log::panic_write(format_args!("{text}"));
        Ok(())
    }
}

/// Reports `message` with a backtrace from here and ends the machine. The panic handler's whole work.
pub fn report(message: fmt::Arguments<'_>) -> ! {
    begin();
    let _ = writeln!(Emergency, "panic: {message}");
    trace(0, backtrace::frame_pointer());
    end()
}

/// Reports an exception in the kernel and ends the machine.
pub(crate) fn exception(frame: &Frame) -> ! {
    begin();
    let out = &mut Emergency;
    let _ = describe(out, frame).and_then(|()| registers(out, frame));
    trace(frame.rip, frame.rbp);
    end()
}

/// Ends the machine when `panic=` says so. A busy wait, the one that nobody else waits behind.
fn end() -> ! {
    let seconds = PANIC.get();
    if seconds == 0 {
        cpu::halt_for_ever();
    }
    let until = clock::now_ns() + u64::try_from(seconds).unwrap_or(0) * 1_000_000_000;
    while clock::now_ns() < until {
        core::hint::spin_loop();
    }
    power::off(Word::Panic)
}

fn begin() {
    x86_64::instructions::interrupts::disable();
    let own = percpu::cpu_id();
    match PANICKING.compare_exchange(NOBODY, own, SeqCst, SeqCst) {
        // The others stop where they are, whatever they do and mask.
        Ok(_) if smp::online().count_ones() > 1 => apic::send_nmi_to_others(),
        Ok(_) => {}
        Err(cpu) if cpu == own => {
            let _ = writeln!(Emergency, "panic: again, while reporting the first one");
            power::off(Word::Panic)
        }
        Err(_) => cpu::halt_for_ever(),
    }
}

/// Whether an NMI that arrives here is another CPU's word that it panics.
pub(crate) fn is_stop(vector: u64) -> bool {
    let by = PANICKING.load(SeqCst);
    vector == 2 && by != NOBODY && by != percpu::cpu_id()
}

fn trace(rip: u64, rbp: u64) {
    let _ = writeln!(Emergency, "calls, the latest first:");
    let _ = match rip {
        0 => backtrace::write_callers(&mut Emergency, rbp),
        _ => backtrace::write(&mut Emergency, rip, rbp),
    };
}

fn describe(out: &mut dyn Write, frame: &Frame) -> fmt::Result {
    let name = trap::name(frame.vector);
    match frame.vector {
        14 => {
            let address = x86_64::registers::control::Cr2::read_raw();
            write!(out, "panic: page fault: {} {address:#018x}", access(frame.error))?;
            name_address(out, address)?;
        }
        8 => {
            // The fault that could not be delivered left its address: nearly always a stack that ran into its guard page.
            write!(out, "panic: {name}, stack pointer {:#018x}", frame.rsp)?;
            name_address(out, x86_64::registers::control::Cr2::read_raw())?;
        }
        vector => write!(out, "panic: {name} (vector {vector}, error code {:#x})", frame.error)?,
    }
    writeln!(out)
}

fn access(error: u64) -> &'static str {
    match (error & 1 != 0, error & 2 != 0, error & 16 != 0) {
        (_, _, true) => "executing",
        (true, true, _) => "writing to read-only",
        (true, false, _) => "reading protected",
        (false, true, _) => "writing to unmapped",
        (false, false, _) => "reading unmapped",
    }
}

fn name_address(out: &mut dyn Write, address: u64) -> fmt::Result {
    if let Some(namer) = NAMER.get() {
        struct Named<'a>(&'a mut dyn Write, bool);
        impl Write for Named<'_> {
            fn write_str(&mut self, text: &str) -> fmt::Result {
                if !core::mem::replace(&mut self.1, true) {
                    self.0.write_str(": ")?;
                }
                self.0.write_str(text)
            }
        }
        if let Some(result) = namer(address, &mut Named(out, false)) {
            return result;
        }
    }
    Ok(())
}

fn registers(out: &mut dyn Write, f: &Frame) -> fmt::Result {
    writeln!(
        out,
        "  rip {:016x}  rsp {:016x}  rflags {:08x}  cs {:04x}  ss {:04x}",
        f.rip, f.rsp, f.rflags, f.cs, f.ss
    )?;
    writeln!(out, "  rax {:016x}  rbx {:016x}  rcx {:016x}  rdx {:016x}", f.rax, f.rbx, f.rcx, f.rdx)?;
    writeln!(out, "  rsi {:016x}  rdi {:016x}  rbp {:016x}  r8  {:016x}", f.rsi, f.rdi, f.rbp, f.r8)?;
    writeln!(out, "  r9  {:016x}  r10 {:016x}  r11 {:016x}  r12 {:016x}", f.r9, f.r10, f.r11, f.r12)?;
    writeln!(out, "  r13 {:016x}  r14 {:016x}  r15 {:016x}", f.r13, f.r14, f.r15)
}
