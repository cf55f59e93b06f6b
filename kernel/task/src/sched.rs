//! The scheduler: one run queue a CPU, fair by virtual time.
//!
//! A task's virtual time grows by the nanoseconds it runs, weighted by its nice value; the task with the least runs next. A
//! task that wakes is put at most half a period behind the queue's least, so that sleep earns no more than a quick start. A
//! running task is switched away after its share of [`PERIOD`], or when a task wakes that is more than [`GRANULARITY`] behind.
//!
//! A CPU without a task runs its idle task, which pulls a waiting task from another CPU before it halts; a tick on a CPU
//! where tasks wait calls an idle one to pull. A wake-up prefers the
//! task's last CPU, then an idle one. There is no tick while a CPU has nothing else to run ([`crate::timer`]).
//!
//! Cost of a voluntary switch between two tasks: two clock readings, a push and a pop of a small heap, one lock, the switch.
//!
//! Lock: `RUNQUEUE`, one a queue, never two at a time. Room in the heaps is made when a task is made ([`make_room`]), so
//! that enqueueing never allocates.
#![allow(unsafe_code, reason = "switches stacks, and knows the running task by address")]

use crate::task::{DEAD, RUNNING, Task};
use crate::timer;
use arch::irq::{self, LineError};
use arch::smp::{self, MAX_CPUS};
use arch::switch::switch;
use arch::{apic, trap::Frame};
use base::sync::{IrqSpinLock, rank};
use base::{clock, percpu};
use containers::{Arc, Heap, Vec};
use core::ops::Deref;
use core::sync::atomic::{
    AtomicU64, AtomicUsize,
    Ordering::{Acquire, Relaxed, Release, SeqCst},
};
use mm::MemoryError;

/// In this time each waiting task runs once, in nanoseconds, while they are few.
pub const PERIOD: u64 = 6_000_000;
/// The least a task runs before another of the same niceness takes its place, in nanoseconds.
pub const GRANULARITY: u64 = 1_000_000;
/// The vector that asks a CPU to look at its queue.
pub const RESCHED_VECTOR: u8 = 0xf1;

/// Weights of the nice values -20 to 19; each step is about 1.25 (Linux's table).
const WEIGHTS: [u64; 40] = [
    88761, 71755, 56483, 46273, 36291, 29154, 23254, 18705, 14949, 11916, 9548, 7620, 6100, 4904, 3906, 3121,
    2501, 1991, 1586, 1277, 1024, 820, 655, 526, 423, 335, 272, 215, 172, 137, 110, 87, 70, 56, 45, 36, 29,
    23, 18, 15,
];

struct Queue {
    ready: Heap<(u64, u64), Arc<Task>>,
    /// Tasks put in so far: keys are told apart by it, first come first served.
    sequence: u64,
    /// Virtual time below which no task is put.
    floor: u64,
    current: Option<Arc<Task>>,
    idle: Option<Arc<Task>>,
    /// When the current task was last accounted for.
    since: u64,
}

static QUEUES: [IrqSpinLock<Queue>; MAX_CPUS] = [const {
    let queue = Queue { ready: Heap::new(), sequence: 0, floor: 0, current: None, idle: None, since: 0 };
    IrqSpinLock::new(rank::RUNQUEUE, queue)
}; MAX_CPUS];

/// CPUs that run their idle task, a bit each.
static IDLE: AtomicU64 = AtomicU64::new(0);
/// Tasks that are not idle tasks: what each queue has room for.
static TASKS: AtomicUsize = AtomicUsize::new(0);

/// The running task, as long as it runs: for its own use only.
pub struct Current(*const Task);

impl Current {
    /// Another hold on the task, to keep or hand on.
    pub fn to_arc(&self) -> Arc<Task> {
        // SAFETY: the queue holds the running task; the count is raised before the value made here is dropped.
        let own = core::mem::ManuallyDrop::new(unsafe { Arc::from_raw(self.0) });
        Arc::clone(&own)
    }
}

impl Deref for Current {
    type Target = Task;
    fn deref(&self) -> &Task {
        // SAFETY: the queue of the CPU that runs the task holds it for as long as it runs, and it is running this.
        unsafe { &*self.0 }
    }
}

/// The running task.
pub fn current() -> Current {
    Current(percpu::current_task() as *const Task)
}

/// In builds with debug assertions, panics where sleeping is not allowed: under a spin lock, with interrupts masked, in a
/// handler.
#[inline]
#[track_caller]
pub fn may_sleep() {
    debug_assert!(
        percpu::preempt_count() == 0 && percpu::irq_nest() == 0 && base::irq::enabled(),
        "sleeping under a spin lock, with interrupts masked, or in a handler"
    );
}

/// Takes the vectors and hooks. Once, on the boot CPU.
///
/// # Errors
/// [`LineError`] where a vector is taken.
pub(crate) fn init() -> Result<(), LineError> {
    irq::set_vector(RESCHED_VECTOR, |_: &mut Frame| percpu::set_need_resched(true))?;
    percpu::set_preempt_hook(|| reschedule(Leave::Preempted));
    irq::set_preempt_hook(|| reschedule(Leave::Preempted));
    Ok(())
}

/// Makes `task`, which is running, the current task of this CPU, and `idle` what it runs when there is nothing else.
pub(crate) fn adopt(task: Arc<Task>, idle: Arc<Task>) {
    let cpu = percpu::cpu_id();
    let mut queue = QUEUES[cpu as usize].lock();
    for known in [&task, &idle] {
        known.cpu.store(cpu, Relaxed);
    }
    task.on_cpu.store(true, Relaxed);
    queue.since = clock::now_ns();
    percpu::set_current_task(&raw const *task as u64);
    percpu::set_need_resched(false);
    queue.current = Some(task);
    queue.idle = Some(idle);
}

/// Makes room for one more task in every CPU's queue.
///
/// # Errors
/// [`MemoryError::NoMemory`].
pub(crate) fn make_room() -> Result<(), MemoryError> {
    let wanted = TASKS.fetch_add(1, SeqCst) + 1;
    for cpu in smp::cpus(smp::online()) {
        if let Err(error) = make_room_on(cpu, wanted) {
            TASKS.fetch_sub(1, SeqCst);
            return Err(error);
        }
    }
    Ok(())
}

pub(crate) fn make_room_for_all(cpu: usize) -> Result<(), MemoryError> {
    make_room_on(cpu, TASKS.load(SeqCst))
}

fn make_room_on(cpu: usize, wanted: usize) -> Result<(), MemoryError> {
    while QUEUES[cpu].lock().ready.capacity() < wanted {
        // Outside the lock: the allocator's locks come before it.
        let buffer = Vec::with_capacity((wanted * 2).max(16))?;
        let old = QUEUES[cpu].lock().ready.exchange(buffer);
        drop(old);
    }
    Ok(())
}

/// Why a task leaves its CPU.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Leave {
    /// It waits, or has ended.
    Wait,
    /// It lets others go first.
    Yield,
    /// It was told to.
    Preempted,
}

/// Lets the tasks that wait for this CPU go first; returns when this one's turn comes again.
pub fn yield_now() {
    reschedule(Leave::Yield);
}

/// Leaves the CPU; returns when somebody has woken this task, at once if that has happened since it set its state.
pub fn schedule() {
    reschedule(Leave::Wait);
}

fn reschedule(why: Leave) {
    let voluntary = why != Leave::Preempted;
    let masked = base::irq::disable();
    let cpu = percpu::cpu_id() as usize;
    debug_assert!(percpu::preempt_count() == 0, "switching tasks with preemption disabled");
    let mut queue = QUEUES[cpu].lock();
    percpu::set_need_resched(false);
    queue.account(clock::now_ns());
    if why == Leave::Yield {
        queue.step_back();
    }
    let Some(previous) = queue.current.take() else {
        drop(queue);
        base::irq::restore(masked);
        return;
    };
    // Switched away against its will a task stays in the queue whatever state it has set: it has not yet looked whether it
    // must wait.
    if !previous.idle && (!voluntary || previous.state.load(SeqCst) == RUNNING) {
        queue.enqueue(&previous);
    }
    let next = match queue.dequeue() {
        Some(task) => task,
        None => match &queue.idle {
            Some(idle) => idle.clone(),
            None => previous.clone(),
        },
    };
    let bit = 1 << cpu;
    if next.idle {
        IDLE.fetch_or(bit, SeqCst);
    } else if previous.idle {
        IDLE.fetch_and(!bit, SeqCst);
    }
    let busy = !queue.ready.is_empty();
    if Arc::ptr_eq(&next, &previous) {
        queue.current = Some(next);
        drop(queue);
        timer::set_tick(busy);
        base::irq::restore(masked);
        return;
    }
    next.on_cpu.store(true, Relaxed);
    next.started.store(queue.since, Relaxed);
    let (from, to) = (previous.saved(), next.saved());
    let address = &raw const *next as u64;
    queue.current = Some(next);
    drop(queue);
    previous.left_voluntarily.store(voluntary, Release);
    let count = if voluntary { &previous.voluntary } else { &previous.involuntary };
    count.store(count.load(Relaxed) + 1, Relaxed);
    percpu::set_current_task(address);
    timer::set_tick(busy);
    let previous = Arc::into_raw(previous) as u64;
    // SAFETY: the next task was saved by a switch, or prepared; it is this CPU's current task now and `on_cpu` keeps the
    // others off. Interrupts are off.
    let left = unsafe { switch(from, *to, previous) };
    finish(left);
    base::irq::restore(masked);
}

/// A new task's first words: lets go of the one that was left, turns interrupts on.
pub(crate) fn arrived(left: u64) {
    finish(left);
    arch::cpu::enable_interrupts();
}

/// After a switch, on the other side: the task that was left is no longer in this CPU's registers.
fn finish(left: u64) {
    // SAFETY: `reschedule` handed one hold on the task over.
    let left = unsafe { Arc::from_raw(left as *const Task) };
    let dead = left.state.load(Relaxed) == DEAD && left.left_voluntarily();
    left.on_cpu.store(false, Release);
    if dead {
        TASKS.fetch_sub(1, SeqCst);
    }
}

/// Wakes `task` if it sleeps; whether it did.
pub fn wake(task: &Arc<Task>) -> bool {
    loop {
        let cpu = task.cpu.load(Acquire) as usize;
        let mut queue = QUEUES[cpu].lock();
        if task.cpu.load(Relaxed) as usize != cpu {
            continue;
        }
        let state = task.state.load(SeqCst);
        if state == RUNNING || state == DEAD {
            return false;
        }
        task.state.store(RUNNING, SeqCst);
        if task.queued.load(Relaxed)
            || queue.current.as_ref().is_some_and(|current| Arc::ptr_eq(current, task))
        {
            // It has not left the queue or the CPU yet: it will find itself running.
            return true;
        }
        // While a CPU has its registers it cannot go elsewhere.
        let target = if task.on_cpu.load(Acquire) { cpu } else { choose(task, cpu) };
        if target == cpu {
            queue.enqueue(task);
            let preempt = queue.should_preempt(task);
            drop(queue);
            notify(cpu, preempt);
        } else {
            let distance = task.vruntime.load(Relaxed).saturating_sub(queue.floor);
            task.cpu.store(target as u32, Release);
            drop(queue);
            put(task, target, distance);
        }
        return true;
    }
}

/// Puts a task that was just made into a queue.
pub(crate) fn wake_new(task: &Arc<Task>) {
    let own = percpu::cpu_id() as usize;
    let target = choose(task, own);
    task.cpu.store(target as u32, Release);
    put(task, target, 0);
}

fn put(task: &Arc<Task>, cpu: usize, distance: u64) {
    let mut queue = QUEUES[cpu].lock();
    task.vruntime.store(queue.floor + distance, Relaxed);
    queue.enqueue(task);
    let preempt = queue.should_preempt(task);
    drop(queue);
    notify(cpu, preempt);
}

/// The CPU for a task that wakes: the last one if it is idle or no other is, else an idle one that the task may run on.
fn choose(task: &Task, last: usize) -> usize {
    let allowed = task.affinity.load(Relaxed) & smp::online();
    let idle = IDLE.load(Relaxed) & allowed;
    let pick = |mask: u64| mask.trailing_zeros() as usize;
    match (idle >> last & 1 != 0, idle != 0, allowed >> last & 1 != 0 || allowed == 0) {
        (true, _, _) | (false, false, true) => last,
        (false, true, _) => pick(idle),
        (false, false, false) => pick(allowed),
    }
}

/// Tells `cpu` that its queue has grown.
fn notify(cpu: usize, preempt: bool) {
    if percpu::cpu_id() as usize == cpu {
        if preempt {
            percpu::set_need_resched(true);
            percpu::preempt_point();
        } else {
            timer::set_tick(true);
        }
    } else {
        apic::send(smp::apic_id(cpu), if preempt { RESCHED_VECTOR } else { timer::TICK_VECTOR });
    }
}

/// The timer's word that a tick has passed: the running task has had its share, or has not.
pub(crate) fn tick() -> bool {
    let cpu = percpu::cpu_id() as usize;
    let mut queue = QUEUES[cpu].lock();
    let since = queue.since;
    let now = clock::now_ns();
    let waiting = queue.ready.len() as u64;
    let Some(first) = queue.ready.first().map(|(key, _)| key.0) else { return false };
    let share = (PERIOD / (waiting + 1)).max(GRANULARITY);
    let over = queue.current.as_ref().is_some_and(|current| {
        let ahead = current.vruntime.load(Relaxed) + (now - since) > first;
        current.idle || (ahead && now - current.started.load(Relaxed) >= share)
    });
    queue.account(now);
    drop(queue);
    if over {
        percpu::set_need_resched(true);
    }
    // Somebody waits here: a CPU that went idle before that is told to come and pull.
    let idle = IDLE.load(Relaxed) & smp::online() & !(1 << cpu);
    if idle != 0 {
        apic::send(smp::apic_id(idle.trailing_zeros() as usize), RESCHED_VECTOR);
    }
    true
}

/// Takes a waiting task from another CPU's queue for this idle one; whether there was one.
pub(crate) fn pull() -> bool {
    let own = percpu::cpu_id() as usize;
    for other in smp::cpus(smp::online() & !(1 << own)) {
        let mut queue = QUEUES[other].lock();
        let fits =
            |task: &Arc<Task>| !task.on_cpu.load(Acquire) && task.affinity.load(Relaxed) >> own & 1 != 0;
        let floor = queue.floor;
        if let Some((_, task)) = queue.ready.remove(|_, task| fits(task)) {
            task.queued.store(false, Relaxed);
            task.cpu.store(own as u32, Release);
            let distance = task.vruntime.load(Relaxed).saturating_sub(floor);
            drop(queue);
            put(&task, own, distance);
            return true;
        }
    }
    false
}

/// Says that this CPU runs its idle task, which it started on.
pub(crate) fn become_idle() {
    IDLE.fetch_or(1 << percpu::cpu_id(), SeqCst);
}

/// Whether this CPU has a task that waits.
pub(crate) fn has_work() -> bool {
    !QUEUES[percpu::cpu_id() as usize].lock().ready.is_empty()
}

impl Queue {
    /// Charges the current task for the time since it was last charged.
    fn account(&mut self, now: u64) {
        let Some(current) = &self.current else { return };
        let ran = now.saturating_sub(self.since);
        self.since = now;
        current.run_ns.store(current.run_ns.load(Relaxed) + ran, Relaxed);
        if current.idle {
            return;
        }
        let nice = current.nice();
        let weighted = if nice == 0 { ran } else { ran * 1024 / WEIGHTS[(nice + 20) as usize & 63] };
        let vruntime = current.vruntime.load(Relaxed) + weighted;
        current.vruntime.store(vruntime, Relaxed);
        let least = self.ready.first().map_or(vruntime, |(key, _)| key.0.min(vruntime));
        self.floor = self.floor.max(least);
    }

    fn dequeue(&mut self) -> Option<Arc<Task>> {
        let (_, task) = self.ready.pop()?;
        task.queued.store(false, Relaxed);
        Some(task)
    }

    fn enqueue(&mut self, task: &Arc<Task>) {
        task.queued.store(true, Relaxed);
        let least = self.floor.saturating_sub(PERIOD / 2);
        let vruntime = task.vruntime.load(Relaxed).max(least);
        task.vruntime.store(vruntime, Relaxed);
        self.sequence += 1;
        // `make_room` saw to it that there is room for every task there is.
        if self.ready.push((vruntime, self.sequence), task.clone()).is_err() {
            panic!("run queue: no room for task {} ({})", task.id, task.name);
        }
    }

    /// Puts the current task behind the first that waits.
    fn step_back(&mut self) {
        if let (Some(current), Some((first, _))) = (&self.current, self.ready.first()) {
            let vruntime = current.vruntime.load(Relaxed).max(first.0);
            current.vruntime.store(vruntime, Relaxed);
        }
    }

    fn should_preempt(&self, task: &Task) -> bool {
        self.current.as_ref().is_none_or(|current| {
            let now = current.vruntime.load(Relaxed) + clock::now_ns().saturating_sub(self.since);
            current.idle || task.vruntime.load(Relaxed) + GRANULARITY < now
        })
    }
}
