//! Interrupt lines, each on a stack of its own (row H4), and the vectors that are no line.
//!
//! # A line's way through
//!
//! 1. [`enter`], on the interrupted stack, interrupts off: mask the line, acknowledge it at the controller, count it.
//! 2. [`run`], on the line's own 16 KiB stack, interrupts **on**: another line may interrupt the handler and goes on to
//!    its own stack; this line is masked, so it never re-enters its own, and runs on one CPU at a time.
//! 3. [`leave`], back on the interrupted stack, interrupts off: unmask the line.
//!
//! The frame stays on the interrupted stack, at most [`FRAME_COST`] bytes of it; the handler's depth does not matter to it.
//!
//! Vectors that are no line (the local timer, inter-processor interrupts) run with interrupts off on one stack a CPU.
//! If one comes while that stack is in use already, it goes on below where the pointer is; it never restarts at the top.
//!
//! Cost of a line: 22 words of frame, 7 port accesses at the 8259 pair, one lock.
//!
//! Lock: a line's action sits behind an interrupt-masking lock of rank `IRQ_LINE`, held for a copy only.

use crate::stack::Bounds;
use crate::trap::Frame;
use crate::{apic, pic, stack};
use base::percpu;
use base::sync::{IrqSpinLock, OnceCell, rank};
use core::sync::atomic::{AtomicBool, AtomicU16, AtomicU64, Ordering::Relaxed};

/// How many lines the pair of controllers has.
pub const LINES: usize = 16;
/// The vector of line 0.
pub const LINE_VECTOR: u8 = 0x20;
/// The first vector that is no line.
pub const FIRST_VECTOR: u8 = 0x30;
/// The most that an interrupt puts on the stack it interrupts, in bytes: the frame, and what [`enter`] and [`leave`] use.
pub const FRAME_COST: u64 = 1024;

/// What a line's handler is: called on the line's stack, interrupts on, the line masked.
pub trait LineHandler: Sync {
    /// Takes one interrupt of the line.
    fn handle(&self);
}

/// What a vector's handler is: called on the CPU's interrupt stack, interrupts off.
pub type VectorHandler = fn(&mut Frame);

#[derive(Clone, Copy)]
struct Action {
    name: &'static str,
    handler: &'static dyn LineHandler,
    stack: Bounds,
}

struct Line {
    action: IrqSpinLock<Option<Action>>,
    count: AtomicU64,
}

static TABLE: [Line; LINES] =
    [const { Line { action: IrqSpinLock::new(rank::IRQ_LINE, None), count: AtomicU64::new(0) } }; LINES];
static VECTORS: [OnceCell<VectorHandler>; 256 - FIRST_VECTOR as usize] =
    [const { OnceCell::new() }; 256 - FIRST_VECTOR as usize];
static SPURIOUS: AtomicU64 = AtomicU64::new(0);
/// When on, [`enter`] keeps the in-service register it found, before the line is acknowledged.
static OBSERVE: AtomicBool = AtomicBool::new(false);
static SEEN_IN_SERVICE: AtomicU16 = AtomicU16::new(0);

base::per_cpu! {
    /// The stack for vectors that are no line; empty until [`set_vector_stack`].
    static VECTOR_STACK: core::cell::Cell<Bounds> = core::cell::Cell::new(Bounds { bottom: 0, top: 0 });
}

/// Why a line cannot be had.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LineError {
    /// The controllers have lines 0 to 15.
    NoSuchLine,
    /// Somebody has it.
    Busy,
}

/// Gives `line` its handler and its stack and unmasks it.
///
/// # Errors
/// [`LineError`].
///
/// # Safety
/// `stack` is mapped, page-aligned, used by nothing else and stays while the line has its handler.
pub unsafe fn request_line(
    line: u8,
    name: &'static str,
    handler: &'static dyn LineHandler,
    stack: Bounds,
) -> Result<(), LineError> {
    let entry = TABLE.get(usize::from(line)).ok_or(LineError::NoSuchLine)?;
    let mut action = entry.action.lock();
    if action.is_some() {
        return Err(LineError::Busy);
    }
    *action = Some(Action { name, handler, stack });
    drop(action);
    pic::unmask(line);
    Ok(())
}

/// Puts another handler in the place of a line's present one and returns the old one: for tests that watch a line.
///
/// # Errors
/// [`LineError::NoSuchLine`] where the line has no handler.
pub fn replace_handler(
    line: u8,
    handler: &'static dyn LineHandler,
) -> Result<&'static dyn LineHandler, LineError> {
    let entry = TABLE.get(usize::from(line)).ok_or(LineError::NoSuchLine)?;
    let mut action = entry.action.lock();
    let action = action.as_mut().ok_or(LineError::NoSuchLine)?;
    Ok(core::mem::replace(&mut action.handler, handler))
}

/// What a line in use looks like from outside.
#[derive(Clone, Copy, Debug)]
pub struct LineInfo {
    /// Its number.
    pub line: u8,
    /// Who has it.
    pub name: &'static str,
    /// Interrupts taken since boot.
    pub count: u64,
    /// Its stack.
    pub stack: Bounds,
    /// The most bytes of it ever in use.
    pub high_water: u64,
}

/// The state of `line`, or `None` where nobody has it. Scans the stack for its mark.
pub fn line_info(line: u8) -> Option<LineInfo> {
    let entry = TABLE.get(usize::from(line))?;
    let action = (*entry.action.lock())?;
    Some(LineInfo {
        line,
        name: action.name,
        count: entry.count.load(Relaxed),
        stack: action.stack,
        // SAFETY: `request_line` was promised a stack that stays mapped.
        high_water: unsafe { action.stack.high_water() },
    })
}

/// Interrupts that the controllers took back before they could be served.
pub fn spurious() -> u64 {
    SPURIOUS.load(Relaxed)
}

/// Gives `vector` (one that is no line) its handler. Set once.
///
/// # Errors
/// [`LineError`].
pub fn set_vector(vector: u8, handler: VectorHandler) -> Result<(), LineError> {
    let slot = vector.checked_sub(FIRST_VECTOR).ok_or(LineError::NoSuchLine)?;
    VECTORS[usize::from(slot)].set(handler).map_err(|_| LineError::Busy)
}

/// Gives this CPU its stack for vectors that are no line.
///
/// # Safety
/// As for [`request_line`]; called once on each CPU.
pub unsafe fn set_vector_stack(stack: Bounds) {
    VECTOR_STACK.with(|s| s.set(stack));
}

/// This CPU's stack for vectors that are no line.
pub fn vector_stack() -> Bounds {
    VECTOR_STACK.with(|s| s.get())
}

/// Makes every line's entry keep the in-service register it finds, for tests that must know that hardware raised it.
pub fn observe_in_service(on: bool) {
    OBSERVE.store(on, Relaxed);
}

/// The in-service register as the last line's entry found it; see [`observe_in_service`].
pub fn seen_in_service() -> u16 {
    SEEN_IN_SERVICE.load(Relaxed)
}

/// How deep interrupts are nested on this CPU.
pub fn nesting() -> u32 {
    percpu::irq_nest()
}

fn line_of(frame: &Frame) -> Option<u8> {
    let line = (frame.vector as u8).checked_sub(LINE_VECTOR)?;
    (usize::from(line) < LINES).then_some(line)
}

/// First step, on the interrupted stack: names the stack that the handler runs on, 0 for none.
pub(crate) extern "C" fn enter(frame: &Frame) -> u64 {
    let Some(line) = line_of(frame) else {
        percpu::irq_enter();
        return vector_stack_top(frame);
    };
    if OBSERVE.load(Relaxed) {
        SEEN_IN_SERVICE.store(pic::in_service(), Relaxed);
    }
    if pic::is_spurious(line) {
        SPURIOUS.fetch_add(1, Relaxed);
        return 0;
    }
    pic::mask(line);
    pic::acknowledge(line);
    let entry = &TABLE[usize::from(line)];
    let Some(action) = *entry.action.lock() else {
        // Nobody has the line: it stays masked.
        SPURIOUS.fetch_add(1, Relaxed);
        return 0;
    };
    // Relaxed, load and store: a line runs on one CPU at a time.
    entry.count.store(entry.count.load(Relaxed) + 1, Relaxed);
    percpu::irq_enter();
    action.stack.top
}

/// Second step, on the stack that [`enter`] named.
pub(crate) extern "C" fn run(frame: &mut Frame) {
    let Some(line) = line_of(frame) else {
        let slot = frame.vector as usize - usize::from(FIRST_VECTOR);
        if let Some(handler) = VECTORS.get(slot).and_then(OnceCell::get) {
            handler(frame);
        }
        apic::acknowledge();
        return;
    };
    let action = *TABLE[usize::from(line)].action.lock();
    if let Some(action) = action {
        x86_64::instructions::interrupts::enable();
        action.handler.handle();
        x86_64::instructions::interrupts::disable();
    }
}

/// Third step, back on the interrupted stack.
pub(crate) extern "C" fn leave(frame: &Frame) {
    percpu::irq_leave();
    if let Some(line) = line_of(frame) {
        pic::unmask(line);
    }
    // Back on the stack of the task, and nothing else under way: the place where a task is switched away against its will.
    if percpu::preempt_due()
        && percpu::irq_nest() == 0
        && let Some(hook) = PREEMPT.get()
    {
        hook();
    }
}

/// The task layer's way to be called, interrupts off, when an interrupt ends and the task below it should be switched away.
/// Set once.
pub fn set_preempt_hook(hook: fn()) {
    let _ = PREEMPT.set(hook);
}

static PREEMPT: OnceCell<fn()> = OnceCell::new();

fn vector_stack_top(frame: &Frame) -> u64 {
    let own = vector_stack();
    let here = stack::pointer();
    if own.contains(here) || own.top == 0 {
        // Already there (or too early for one): go on below the frame. It is 16-byte aligned, and what this function
        // has on the stack is gone when the handler starts.
        return core::ptr::from_ref(frame) as u64;
    }
    own.top
}
