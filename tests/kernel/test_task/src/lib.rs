//! In-kernel tests of tasks: switching, waiting, sleeping, preemption, on all CPUs.
#![no_std]

mod crew;
mod preempting;
mod sharing;
mod sleeping;
mod waiting;

ktest::module! { waiting, sleeping, preempting, sharing }
