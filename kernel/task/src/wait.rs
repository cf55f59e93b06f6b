//! Queues of tasks that wait for something.
//!
//! A waiter's link lies on its own stack, so waiting allocates nothing and cannot fail. It is in the list from before the
//! waiter looks whether it must wait until it goes on, or until a waker takes it out.
//!
//! Lock: one a queue, rank `WAIT`; wakers take `RUNQUEUE` inside it.
#![allow(unsafe_code, reason = "a list through the waiters' stacks")]

use crate::sched;
use crate::task::{RUNNING, Task, UNINTERRUPTIBLE};
use base::sync::{IrqSpinLock, rank};
use containers::Arc;
use core::cell::Cell;
use core::ptr;

struct Link {
    task: Arc<Task>,
    next: Cell<*const Link>,
    prev: Cell<*const Link>,
    linked: Cell<bool>,
}

struct List {
    first: *const Link,
    last: *const Link,
}

// SAFETY: the links are reached under the queue's lock only.
unsafe impl Send for List {}

/// A queue of waiting tasks, the one that waits longest first.
pub struct WaitQueue {
    list: IrqSpinLock<List>,
}

impl WaitQueue {
    /// An empty queue.
    #[expect(clippy::new_without_default, reason = "a queue is made on purpose")]
    pub const fn new() -> Self {
        Self { list: IrqSpinLock::new(rank::WAIT, List { first: ptr::null(), last: ptr::null() }) }
    }

    /// Waits until `condition` holds. It is looked at before the first wait and after each wake-up.
    pub fn wait_until(&self, mut condition: impl FnMut() -> bool) {
        if condition() {
            return;
        }
        sched::may_sleep();
        let task = sched::current();
        let link = Link {
            task: task.to_arc(),
            next: Cell::new(ptr::null()),
            prev: Cell::new(ptr::null()),
            linked: Cell::new(false),
        };
        loop {
            {
                // Both under the lock: a waker that takes the link out finds a task to wake. Otherwise the waiter could
                // go to sleep with its link in no list.
                let mut list = self.list.lock();
                list.append(&link);
                task.set_state(UNINTERRUPTIBLE);
            }
            if condition() {
                break;
            }
            sched::schedule();
        }
        task.set_state(RUNNING);
        // Out of the list before the link goes away with this frame.
        self.list.lock().remove(&link);
    }

    /// Wakes the task that waits longest; whether there was one.
    pub fn wake_one(&self) -> bool {
        self.list.lock().wake_first()
    }

    /// Wakes all that wait now.
    pub fn wake_all(&self) {
        let mut list = self.list.lock();
        while list.wake_first() {}
    }
}

impl List {
    fn wake_first(&mut self) -> bool {
        if self.first.is_null() {
            return false;
        }
        // SAFETY: what is in the list is alive: a waiter takes its link out, under the lock, before it goes away.
        let link = unsafe { &*self.first };
        self.remove(link);
        sched::wake(&link.task);
        true
    }

    fn append(&mut self, link: &Link) {
        if link.linked.replace(true) {
            return;
        }
        link.next.set(ptr::null());
        link.prev.set(self.last);
        if self.last.is_null() {
            self.first = link;
        } else {
            // SAFETY: as in `wake_first`.
            unsafe { &*self.last }.next.set(link);
        }
        self.last = link;
    }

    fn remove(&mut self, link: &Link) {
        if !link.linked.replace(false) {
            return;
        }
        let (prev, next) = (link.prev.get(), link.next.get());
        if prev.is_null() {
            self.first = next;
        } else {
            // SAFETY: as in `wake_first`.
            unsafe { &*prev }.next.set(next);
        }
        if next.is_null() {
            self.last = prev;
        } else {
            // SAFETY: as in `wake_first`.
            unsafe { &*next }.prev.set(prev);
        }
    }
}
