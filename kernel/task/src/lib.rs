//! Tasks: who runs where, who waits for what.
//!
//! | file | idea |
//! |---|---|
//! | [`task`](mod@task) | what a task is; kernel threads |
//! | [`sched`] | one run queue a CPU, fair by virtual time; the switch |
//! | [`wait`] | queues of tasks that wait |
//! | [`mutex`] | a lock whose holder may sleep |
//! | [`timer`] | sleeping until a time |
//! | [`cpus`] | starting the other CPUs, the idle loop |
//!
//! # States
//!
//! ```text
//!            wake                       schedule
//!  SLEEPING -----> RUNNING (in a queue) ------->  RUNNING (on a CPU)
//!     ^                  ^--------- preempted ------'  |     |
//!     '---------- sets SLEEPING, then schedule --------'     '--> DEAD
//! ```
//!
//! A task sets its own state to `SLEEPING`, looks once more whether what it waits for has come, and calls
//! [`sched::schedule`]. A waker sets `RUNNING` under the queue's lock and enqueues, unless the task has not left its CPU
//! yet, or is in the queue still: then it just goes on. Only a task that leaves of its own will leaves the queue. A task belongs to the queue of the CPU in its `cpu` field, which changes only under that
//! queue's lock. While `on_cpu` is set its registers are still in a CPU, so nobody else may take it from the queue.
//!
//! # Preemption
//!
//! A task in kernel mode that holds no spin lock, masks nothing and handles no interrupt is switched away at the end of the
//! interrupt, or at the unlock, that finds it due ([`base::percpu`] keeps count and wish in one word). A task remembers
//! whether it last left a CPU of its own will.
//!
//! Locks: `WAIT` (a wait queue) before `RUNQUEUE` before `TIMER`; all mask interrupts.
#![no_std]
#![deny(unsafe_code)]

pub mod cpus;
pub mod mutex;
pub mod sched;
pub mod task;
pub mod timer;
pub mod wait;

pub use mutex::Mutex;
pub use sched::{current, schedule, wake, yield_now};
pub use task::{Task, spawn};
pub use wait::WaitQueue;
