//! Several threads that do the same.

use arch::smp;
use containers::{Arc, Vec};
use ktest::{Failed, Result, check};
use task::Task;

/// How many CPUs run.
pub(crate) fn cpus() -> usize {
    smp::online().count_ones() as usize
}

/// Runs `function` in `count` threads with the numbers from 0 and waits for them; each has to return 0.
pub(crate) fn together(count: usize, function: fn(usize) -> i32) -> Result {
    let mut crew: Vec<Arc<Task>> = Vec::with_capacity(count)?;
    for number in 0..count {
        crew.push(task::spawn(format_args!("crew {number}"), number, function)?)?;
    }
    let mut failed = 0;
    for member in crew.iter() {
        failed += i32::from(member.join() != 0);
    }
    check!(failed == 0, "{failed} of {count} threads failed");
    Ok(())
}

/// A thread on CPU 0 only.
pub(crate) fn on_first_cpu<T: Send + 'static>(
    name: &str,
    argument: T,
    function: fn(T) -> i32,
) -> core::result::Result<Arc<Task>, Failed> {
    Ok(task::task::spawn_on(format_args!("{name}"), 1, argument, function)?)
}
