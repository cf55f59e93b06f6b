//! Locks and cells, and which one to take.
//!
//! | data is used by | take |
//! |---|---|
//! | tasks only | [`SpinLock`]: no preemption while it is held |
//! | tasks and interrupt handlers | [`IrqSpinLock`]: no interrupts either |
//! | everybody, but set only once | [`OnceCell`]: no lock at all |
//!
//! A spin lock is held for a bounded and short time; nothing that waits is called under it. Every lock has a rank, and
//! locks are taken in the order of their ranks: [`rank`] is the lock order on one page. The panic path takes no lock by
//! waiting: it uses `try_lock` and goes on without.

mod once;
pub mod rank;
mod spinlock;

pub use once::OnceCell;
pub use rank::Rank;
pub use spinlock::{IrqSpinLock, IrqSpinLockGuard, SpinLock, SpinLockGuard};

// The checks of the lock order, which most of these provoke, are in such builds only.
#[cfg(all(test, debug_assertions))]
mod tests;
