//! The local interrupt controller of each CPU: end of interrupt, messages between CPUs, the CPU's own timer.
//!
//! The registers are memory-mapped (xAPIC), one page that shows each CPU its own. Vectors of this controller are no lines:
//! they run on the CPU's own interrupt stack, see [`crate::irq`]. Source: SDM volume 3, chapter 11.
//!
//! Sending a message writes two registers that belong together, so it is done with interrupts masked; it waits until the
//! message before has left, a few dozen cycles.

use base::irq::IrqGuard;
use base::sync::OnceCell;
use core::ptr::NonNull;
use volatile::VolatilePtr;
use x86_64::registers::model_specific::Msr;

const ID: usize = 0x20;
const TASK_PRIORITY: usize = 0x80;
const END_OF_INTERRUPT: usize = 0xb0;
const SPURIOUS_VECTOR: usize = 0xf0;
const COMMAND_LOW: usize = 0x300;
const COMMAND_HIGH: usize = 0x310;
const TIMER_VECTOR: usize = 0x320;
const TIMER_INITIAL: usize = 0x380;
const TIMER_CURRENT: usize = 0x390;
const TIMER_DIVIDE: usize = 0x3e0;

const SOFTWARE_ENABLE: u32 = 1 << 8;
const MASKED: u32 = 1 << 16;
const DELIVERY_PENDING: u32 = 1 << 12;
const ASSERT: u32 = 1 << 14;
const NMI: u32 = 4 << 8;
const INIT: u32 = 5 << 8;
const STARTUP: u32 = 6 << 8;
const ALL_OTHERS: u32 = 3 << 18;
const DIVIDE_BY_1: u32 = 0b1011;

const BASE_MSR: u32 = 0x1b;
const GLOBAL_ENABLE: u64 = 1 << 11;

static BASE: OnceCell<u64> = OnceCell::new();

/// Physical address of the registers.
pub fn physical_base() -> u64 {
    // SAFETY: every x86-64 CPU has this register.
    unsafe { Msr::new(BASE_MSR).read() & 0x000f_ffff_ffff_f000 }
}

/// Says where the registers are mapped. Once, before any CPU's [`enable`].
///
/// # Safety
/// `address` shows the page at [`physical_base`], uncached, for ever.
pub unsafe fn set_base(address: u64) {
    // A second call would name the same page.
    let _ = BASE.set(address);
}

/// Whether the registers are mapped.
pub fn present() -> bool {
    BASE.get().is_some()
}

/// Turns this CPU's controller on. Interrupts that vanish before they are served arrive as `spurious`.
pub fn enable(spurious: u8) {
    // SAFETY: sets the enable bit and nothing else.
    unsafe {
        let mut base = Msr::new(BASE_MSR);
        let value = base.read();
        base.write(value | GLOBAL_ENABLE);
    }
    write(TASK_PRIORITY, 0);
    write(SPURIOUS_VECTOR, SOFTWARE_ENABLE | u32::from(spurious));
    write(TIMER_VECTOR, MASKED);
    write(TIMER_DIVIDE, DIVIDE_BY_1);
}

/// This CPU's number as the controllers count.
pub fn id() -> u32 {
    read(ID) >> 24
}

/// Says that the interrupt in service was taken.
#[inline]
pub fn acknowledge() {
    write(END_OF_INTERRUPT, 0);
}

/// Raises `vector` on the CPU whose controller is `destination`.
pub fn send(destination: u32, vector: u8) {
    command(destination, u32::from(vector) | ASSERT);
}

/// Raises an NMI on every other CPU.
pub fn send_nmi_to_others() {
    command(0, ALL_OTHERS | NMI | ASSERT);
}

/// Resets the CPU whose controller is `destination`; it waits for [`send_startup`].
pub fn send_init(destination: u32) {
    command(destination, INIT | ASSERT);
}

/// Starts a CPU that waits, in real mode, at the page `page` of the first MiB.
pub fn send_startup(destination: u32, page: u8) {
    command(destination, STARTUP | ASSERT | u32::from(page));
}

/// Lets this CPU's timer raise `vector` once, after `ticks` of its clock; 0 stops it.
#[inline]
pub fn set_timer(vector: u8, ticks: u32) {
    write(TIMER_VECTOR, u32::from(vector));
    write(TIMER_INITIAL, ticks);
}

/// What is left of the timer's ticks.
pub fn timer_left() -> u32 {
    read(TIMER_CURRENT)
}

fn command(destination: u32, low: u32) {
    let _masked = IrqGuard::new();
    while read(COMMAND_LOW) & DELIVERY_PENDING != 0 {
        core::hint::spin_loop();
    }
    write(COMMAND_HIGH, destination << 24);
    write(COMMAND_LOW, low);
}

#[inline]
fn register(offset: usize) -> Option<VolatilePtr<'static, u32>> {
    let address = NonNull::new((*BASE.get()? + offset as u64) as *mut u32)?;
    // SAFETY: `set_base` was promised the mapped page; the offsets are registers in it, each aligned to 16 bytes.
    Some(unsafe { VolatilePtr::new(address) })
}

#[inline]
fn read(offset: usize) -> u32 {
    register(offset).map_or(0, VolatilePtr::read)
}

#[inline]
fn write(offset: usize, value: u32) {
    if let Some(register) = register(offset) {
        register.write(value);
    }
}
