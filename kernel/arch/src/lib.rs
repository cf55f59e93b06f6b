//! The x86-64 layer: everything that knows the machine's registers, tables and ports.
//!
//! | file | idea |
//! |---|---|
//! | [`cpu`] | features told by CPUID, control registers |
//! | [`gdt`] | segments, the task state segment, interrupt-stack-table stacks |
//! | [`trap`] | the 256 entry stubs, exceptions, the frame they leave |
//! | [`irq`] | interrupt lines, each on a stack of its own; vectors that are no line |
//! | [`pic`], [`pit`], [`hpet`], [`rtc`] | the interrupt controller, the timers and the clock of the PC |
//! | [`clock`] | the time stamp counter, calibrated |
//! | [`paging`] | page tables as mechanism: map, unmap, split, walk |
//! | [`stack`] | a stack's bounds, its paint and its high-water mark |
//! | [`serial`], [`control`] | the console line and the line to the host |
//! | [`acpi`], [`power`] | the firmware's tables, power-off |
//! | [`backtrace`], [`panic`] | how the kernel says what went wrong |
//!
//! The layer below is `base` (locks, per-CPU data, log); the layer above, `mm`, gives memory. What must call up
//! goes through a hook that this layer owns: [`trap::set_page_fault_hook`], [`panic::set_namer`].
//!
//! This is one of the layers where `unsafe` lives; each block says why it holds.
#![no_std]

pub mod acpi;
pub mod apic;
pub mod backtrace;
pub mod clock;
pub mod control;
pub mod cpu;
pub mod gdt;
pub mod hpet;
pub mod irq;
pub mod paging;
pub mod panic;
pub mod pic;
pub mod pit;
pub mod power;
pub mod rtc;
pub mod serial;
pub mod smp;
pub mod stack;
pub mod switch;
pub mod tlb;
pub mod trap;

/// Port input and output, safe to call: which ports a caller may touch is what the caller's page says.
pub(crate) mod port {
    use x86_64::instructions::port::{PortReadOnly, PortWriteOnly};

    /// Reads one byte from `port`.
    pub(crate) fn inb(port: u16) -> u8 {
        // SAFETY: reading the legacy ports this layer names has no effect on memory.
        unsafe { PortReadOnly::new(port).read() }
    }

    /// Reads four bytes from `port`.
    pub(crate) fn inl(port: u16) -> u32 {
        // SAFETY: as for `inb`.
        unsafe { PortReadOnly::new(port).read() }
    }

    /// Writes one byte to `port`.
    pub(crate) fn outb(port: u16, value: u8) {
        // SAFETY: the callers write device registers that cannot start a transfer into memory.
        unsafe { PortWriteOnly::new(port).write(value) }
    }

    /// Writes two bytes to `port`.
    pub(crate) fn outw(port: u16, value: u16) {
        // SAFETY: as for `outb`.
        unsafe { PortWriteOnly::new(port).write(value) }
    }
}
