//! Sleeping until a time, and the tick that ends a task's share: one timer a CPU.
//!
//! The local controller's timer is set for whatever comes first: the first sleeper's time, or the next tick. There is a
//! tick only while another task waits for the CPU. A sleeper wakes at most the interrupt's own path late.
//!
//! Lock: `TIMER`, one a CPU's list; tasks are woken outside it.

use crate::sched;
use crate::task::{SLEEPING, Task};
use arch::irq::{self, LineError};
use arch::smp::MAX_CPUS;
use arch::{apic, trap::Frame};
use base::irq::IrqGuard;
use base::sync::{IrqSpinLock, rank};
use base::{clock, percpu};
use containers::{Arc, Heap};
use core::sync::atomic::{AtomicU64, Ordering::Relaxed};
use mm::MemoryError;

/// The vector of the local timer.
pub const TIMER_VECTOR: u8 = 0xef;
/// The vector by which another CPU says that the tick is wanted.
pub const TICK_VECTOR: u8 = 0xee;
/// Nanoseconds between two ticks.
pub const TICK: u64 = 4_000_000;

struct List {
    sleepers: Heap<(u64, u64), Arc<Task>>,
    sequence: u64,
    /// When the next tick is due; never while no task waits.
    tick: u64,
    /// What the timer is set for.
    set: u64,
}

const NEVER: u64 = u64::MAX;

static LISTS: [IrqSpinLock<List>; MAX_CPUS] = [const {
    IrqSpinLock::new(rank::TIMER, List { sleepers: Heap::new(), sequence: 0, tick: NEVER, set: NEVER })
}; MAX_CPUS];

/// Ticks of the controller's clock in 2^32 nanoseconds.
static RATE: AtomicU64 = AtomicU64::new(0);

/// Takes the vectors and measures the timer's clock for 100 us. Once, on the boot CPU, whose controller is on.
///
/// # Errors
/// [`LineError`] where a vector is taken.
pub(crate) fn init() -> Result<(), LineError> {
    irq::set_vector(TIMER_VECTOR, |_: &mut Frame| expired())?;
    irq::set_vector(TICK_VECTOR, |_: &mut Frame| set_tick(true))?;
    let _masked = IrqGuard::new();
    apic::set_timer(TIMER_VECTOR, u32::MAX);
    let (start, left) = (clock::now_ns(), apic::timer_left());
    while clock::now_ns() - start < 100_000 {
        core::hint::spin_loop();
    }
    let (end, now) = (clock::now_ns(), apic::timer_left());
    apic::set_timer(TIMER_VECTOR, 0);
    let rate = (u128::from(left - now) << 32) / u128::from(end - start).max(1);
    RATE.store(rate as u64, Relaxed);
    Ok(())
}

/// Sleeps until the clock shows `deadline`, in nanoseconds since boot, or somebody wakes the task.
///
/// # Errors
/// [`MemoryError::NoMemory`] where there is no room for one more sleeper; nothing was waited then.
pub fn sleep_until(deadline: u64) -> Result<(), MemoryError> {
    sched::may_sleep();
    let task = sched::current().to_arc();
    let cpu = loop {
        let room = {
            let masked = IrqGuard::new();
            let cpu = percpu::cpu_id() as usize;
            let mut list = LISTS[cpu].lock();
            list.sequence += 1;
            let key = (deadline, list.sequence);
            task.set_state(SLEEPING);
            match list.sleepers.push(key, task.clone()) {
                Ok(()) => {
                    list.program();
                    drop(list);
                    drop(masked);
                    break cpu;
                }
                Err(_) => {
                    task.set_state(crate::task::RUNNING);
                    (list.sleepers.capacity() * 2).max(16)
                }
            }
        };
        let buffer = containers::Vec::with_capacity(room)?;
        let cpu = percpu::cpu_id() as usize;
        let old = LISTS[cpu].lock().sleepers.exchange(buffer);
        drop(old);
    };
    sched::schedule();
    // Where the task was woken early, the timer must not find it again.
    let left = LISTS[cpu].lock().sleepers.remove(|_, sleeper| Arc::ptr_eq(sleeper, &task));
    drop(left);
    Ok(())
}

/// Sleeps for `ns` nanoseconds.
///
/// # Errors
/// As for [`sleep_until`].
pub fn sleep(ns: u64) -> Result<(), MemoryError> {
    sleep_until(clock::now_ns().saturating_add(ns))
}

/// Says whether a task waits for this CPU, so that the running one's share has an end.
pub(crate) fn set_tick(wanted: bool) {
    let _masked = IrqGuard::new();
    let mut list = LISTS[percpu::cpu_id() as usize].lock();
    match (wanted, list.tick) {
        (true, NEVER) => list.tick = clock::now_ns() + TICK,
        (false, due) if due != NEVER => list.tick = NEVER,
        _ => return,
    }
    list.program();
}

fn expired() {
    let cpu = percpu::cpu_id() as usize;
    let now = clock::now_ns();
    let tick = {
        let mut list = LISTS[cpu].lock();
        list.set = NEVER;
        let due = list.tick <= now;
        if due {
            list.tick = NEVER;
        }
        due
    };
    loop {
        let mut list = LISTS[cpu].lock();
        let due = list.sleepers.first().is_some_and(|(key, _)| key.0 <= now);
        let sleeper = if due { list.sleepers.pop() } else { None };
        if sleeper.is_none() {
            list.program();
        }
        drop(list);
        match sleeper {
            Some((_, task)) => sched::wake(&task),
            None => break,
        };
    }
    if tick && sched::tick() {
        set_tick(true);
    }
}

impl List {
    /// Sets the timer for what comes first, if that is not what it is set for.
    fn program(&mut self) {
        let first = self.sleepers.first().map_or(NEVER, |(key, _)| key.0).min(self.tick);
        if first == self.set {
            return;
        }
        self.set = first;
        let ticks = match first {
            NEVER => 0,
            first => {
                let ns = first.saturating_sub(clock::now_ns());
                let ticks = (u128::from(ns) * u128::from(RATE.load(Relaxed))) >> 32;
                // A time too far off is set again when this one has passed.
                u32::try_from(ticks).unwrap_or(u32::MAX).max(1)
            }
        };
        apic::set_timer(TIMER_VECTOR, ticks);
    }
}
