//! What a task is, and kernel threads.
//!
//! A task is an [`Arc`]: held by the CPU it runs on, by the queue it waits in, and by whoever wants to know how it ends.
//! Its stack is freed with it, after the CPU has left the stack.
#![allow(unsafe_code, reason = "prepares a stack and takes an argument apart")]

use crate::sched;
use crate::wait::WaitQueue;
use arch::switch;
use containers::{Arc, Box};
use core::cell::UnsafeCell;
use core::sync::atomic::{
    AtomicBool, AtomicI32, AtomicU32, AtomicU64,
    Ordering::{Acquire, Relaxed, Release},
};
use mm::MemoryError;
use mm::label::Label;
use mm::stack::{self, KernelStack};

/// Runs, or waits in a run queue.
pub const RUNNING: u32 = 0;
/// Waits for something; signals will end the wait.
pub const SLEEPING: u32 = 1;
/// Waits for something that is sure to come soon.
pub const UNINTERRUPTIBLE: u32 = 2;
/// Has ended.
pub const DEAD: u32 = 3;

/// A task.
pub struct Task {
    /// Its number; idle tasks have 0.
    pub id: u32,
    /// Its name.
    pub name: Label,
    pub(crate) state: AtomicU32,
    /// The CPU whose queue it belongs to.
    pub(crate) cpu: AtomicU32,
    /// A CPU still has its registers.
    pub(crate) on_cpu: AtomicBool,
    /// It waits in a run queue. Written under that queue's lock.
    pub(crate) queued: AtomicBool,
    pub(crate) affinity: AtomicU64,
    /// Virtual time: nanoseconds run, weighted. Written under the queue's lock.
    pub(crate) vruntime: AtomicU64,
    nice: AtomicI32,
    /// Whether it last left a CPU of its own will.
    pub(crate) left_voluntarily: AtomicBool,
    pub(crate) voluntary: AtomicU64,
    pub(crate) involuntary: AtomicU64,
    pub(crate) run_ns: AtomicU64,
    /// When it last got a CPU.
    pub(crate) started: AtomicU64,
    pub(crate) idle: bool,
    saved: UnsafeCell<u64>,
    stack: KernelStack,
    status: AtomicI32,
    ended: AtomicBool,
    at_end: WaitQueue,
}

// SAFETY: `saved` is written by the switch away from the task and read by the switch to it; `on_cpu` (released after the one,
// acquired before the other) and the queue's lock order them. Everything else is atomic or locked.
unsafe impl Sync for Task {}
// SAFETY: as above; a task's stack belongs to no CPU.
unsafe impl Send for Task {}

static NEXT_ID: AtomicU32 = AtomicU32::new(1);

impl Task {
    pub(crate) fn new(name: Label, idle: bool) -> Result<Task, MemoryError> {
        let id = if idle { 0 } else { NEXT_ID.fetch_add(1, Relaxed) };
        let stack =
            KernelStack::new(stack::TASK, Label::new(format_args!("the stack of task {id} ({name})")))?;
        Ok(Task {
            id,
            name,
            state: AtomicU32::new(RUNNING),
            cpu: AtomicU32::new(0),
            on_cpu: AtomicBool::new(false),
            queued: AtomicBool::new(false),
            affinity: AtomicU64::new(u64::MAX),
            vruntime: AtomicU64::new(0),
            nice: AtomicI32::new(0),
            left_voluntarily: AtomicBool::new(true),
            voluntary: AtomicU64::new(0),
            involuntary: AtomicU64::new(0),
            run_ns: AtomicU64::new(0),
            started: AtomicU64::new(0),
            idle,
            saved: UnsafeCell::new(0),
            stack,
            status: AtomicI32::new(0),
            ended: AtomicBool::new(false),
            at_end: WaitQueue::new(),
        })
    }

    /// The bounds of its kernel stack.
    pub fn stack(&self) -> arch::stack::Bounds {
        self.stack.bounds()
    }

    /// Where the switch keeps its stack pointer.
    pub(crate) fn saved(&self) -> *mut u64 {
        self.saved.get()
    }

    /// The state as it is now.
    pub fn state(&self) -> u32 {
        self.state.load(Acquire)
    }

    /// Sets the running task's own state, before it looks once more whether it has to wait.
    pub(crate) fn set_state(&self, state: u32) {
        // Ordered before the look: a waker that comes after the look sees the state.
        self.state.store(state, core::sync::atomic::Ordering::SeqCst);
    }

    /// How nice it is to others: -20 to 19.
    pub fn nice(&self) -> i32 {
        self.nice.load(Relaxed)
    }

    /// Sets how nice it is; clamped to -20..=19.
    pub fn set_nice(&self, nice: i32) {
        self.nice.store(nice.clamp(-20, 19), Relaxed);
    }

    /// Whether it last left a CPU of its own will.
    pub fn left_voluntarily(&self) -> bool {
        self.left_voluntarily.load(Acquire)
    }

    /// Times it left a CPU of its own will, and against it.
    pub fn switches(&self) -> (u64, u64) {
        (self.voluntary.load(Relaxed), self.involuntary.load(Relaxed))
    }

    /// Nanoseconds it has run.
    pub fn run_ns(&self) -> u64 {
        self.run_ns.load(Relaxed)
    }

    /// Lets it run only on the CPUs in `mask`, from its next wake-up or switch on.
    pub fn set_affinity(&self, mask: u64) {
        self.affinity.store(mask, Relaxed);
    }

    /// Waits until it has ended; what its function returned.
    pub fn join(&self) -> i32 {
        self.at_end.wait_until(|| self.ended.load(Acquire));
        self.status.load(Relaxed)
    }

    fn end(&self, status: i32) -> ! {
        self.status.store(status, Relaxed);
        self.ended.store(true, Release);
        self.at_end.wake_all();
        self.set_state(DEAD);
        loop {
            sched::schedule();
        }
    }
}

struct Start<T> {
    argument: T,
    function: fn(T) -> i32,
}

/// Starts a kernel thread that calls `function(argument)` and ends with what that returns.
///
/// # Errors
/// [`MemoryError`].
pub fn spawn<T: Send + 'static>(
    name: core::fmt::Arguments<'_>,
    argument: T,
    function: fn(T) -> i32,
) -> Result<Arc<Task>, MemoryError> {
    spawn_on(name, u64::MAX, argument, function)
}

/// As [`spawn`], on the CPUs in `affinity` only.
///
/// # Errors
/// [`MemoryError`].
pub fn spawn_on<T: Send + 'static>(
    name: core::fmt::Arguments<'_>,
    affinity: u64,
    argument: T,
    function: fn(T) -> i32,
) -> Result<Arc<Task>, MemoryError> {
    let task = Arc::new(Task::new(Label::new(name), false)?)?;
    task.set_affinity(affinity);
    let start = Box::new(Start { argument, function })?;
    // The last step that can fail: a task that is counted is started.
    sched::make_room()?;
    let start = Box::into_raw(start);
    // SAFETY: the stack is fresh, and nobody runs the task before `wake_new`.
    unsafe { *task.saved.get() = switch::prepare(task.stack().top, enter::<T>, start as u64) };
    sched::wake_new(&task);
    Ok(task)
}

extern "C" fn enter<T>(previous: u64, start: u64) -> ! {
    sched::arrived(previous);
    // SAFETY: `spawn_on` made the box for this task alone, and a task enters once.
    let Start { argument, function } = unsafe { Box::from_raw(start as *mut Start<T>) }.into_inner();
    let status = function(argument);
    let current = sched::current();
    current.end(status)
}
