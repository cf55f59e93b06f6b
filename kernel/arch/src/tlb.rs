//! Making every CPU forget translations of the kernel's half.
//!
//! Each request has a number. A CPU is told the highest number it must have served; it serves by forgetting everything and
//! saying so. A requester waits for the others and serves its own number meanwhile, so that two CPUs that ask each other with
//! interrupts off both get on. No lock.
//!
//! Cost: one message and one wait for each other CPU that is up, however many pages changed; nothing with one CPU.

use crate::irq::{self, LineError};
use crate::trap::Frame;
use crate::{apic, paging, smp};
use base::percpu::{self, PreemptGuard};
use core::sync::atomic::{AtomicU64, Ordering::SeqCst};

/// The vector that asks a CPU to look.
pub const VECTOR: u8 = 0xf2;

static NEXT: AtomicU64 = AtomicU64::new(1);
static WANTED: [AtomicU64; smp::MAX_CPUS] = [const { AtomicU64::new(0) }; smp::MAX_CPUS];
static SERVED: [AtomicU64; smp::MAX_CPUS] = [const { AtomicU64::new(0) }; smp::MAX_CPUS];

/// Takes the vector.
///
/// # Errors
/// [`LineError`] where it is taken.
pub fn init() -> Result<(), LineError> {
    irq::set_vector(VECTOR, |_: &mut Frame| serve(percpu::cpu_id() as usize))
}

/// Makes every CPU forget all it remembers of the kernel's half; on return they have.
///
/// Not under a spin lock: another CPU that waits for the lock with interrupts masked would never answer. Builds with debug
/// assertions panic.
pub fn flush_everywhere() {
    let _here = PreemptGuard::new();
    debug_assert!(percpu::preempt_count() == 1, "a shootdown under a spin lock");
    let own = percpu::cpu_id() as usize;
    paging::flush_all();
    let online = smp::online() & !(1 << own);
    if online == 0 {
        return;
    }
    let number = NEXT.fetch_add(1, SeqCst);
    for cpu in smp::cpus(online) {
        WANTED[cpu].fetch_max(number, SeqCst);
        apic::send(smp::apic_id(cpu), VECTOR);
    }
    for cpu in smp::cpus(online) {
        while SERVED[cpu].load(SeqCst) < number {
            serve(own);
            core::hint::spin_loop();
        }
    }
}

fn serve(cpu: usize) {
    let wanted = WANTED[cpu].load(SeqCst);
    if SERVED[cpu].load(SeqCst) < wanted {
        paging::flush_all();
        SERVED[cpu].fetch_max(wanted, SeqCst);
    }
}
