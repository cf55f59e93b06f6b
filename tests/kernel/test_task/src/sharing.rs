//! Sharing: the CPU's time between tasks, the work between CPUs, and what CPUs remember of mappings.

use crate::crew::{cpus, on_first_cpu, together};
use arch::paging::Table;
use arch::smp;
use base::clock::now_ns;
use containers::{Arc, Vec};
use core::sync::atomic::{AtomicU64, Ordering::SeqCst};
use ktest::{check, check_eq, ktest};
use mm::label::Label;
use mm::paging::{READ, WRITE};
use mm::vmalloc::{Mapping, VMALLOC};
use mm::{frame, layout, paging};
use task::Task;

static UNTIL: AtomicU64 = AtomicU64::new(0);
static SEEN_ON: AtomicU64 = AtomicU64::new(0);

fn burns(nice: i32) -> i32 {
    task::current().set_nice(nice);
    while now_ns() < UNTIL.load(SeqCst) {
        core::hint::spin_loop();
    }
    0
}

fn shows_its_cpu(_: usize) -> i32 {
    let until = now_ns() + 20_000_000;
    while now_ns() < until {
        SEEN_ON.fetch_or(1 << base::percpu::cpu_id(), SeqCst);
    }
    0
}

fn works_until_every_cpu_was_seen(_: usize) -> i32 {
    let until = now_ns() + 10_000_000_000;
    while SEEN_ON.load(SeqCst) != smp::online() {
        SEEN_ON.fetch_or(1 << base::percpu::cpu_id(), SeqCst);
        if now_ns() > until {
            return 1;
        }
    }
    0
}

static PAGE: AtomicU64 = AtomicU64::new(0);
static WANTED: AtomicU64 = AtomicU64::new(0);
static ANSWER: AtomicU64 = AtomicU64::new(0);

/// Reads the page's first word for each number asked, on whatever CPU it was bound to.
fn reads(rounds: u64) -> i32 {
    for round in 1..=rounds {
        let start = now_ns();
        while WANTED.load(SeqCst) < round {
            core::hint::spin_loop();
            if now_ns() - start > 5_000_000_000 {
                return 1;
            }
        }
        // SAFETY: the asker keeps the page mapped, with some frame behind it, until all rounds are answered.
        let word = unsafe { core::ptr::read_volatile(PAGE.load(SeqCst) as *const u64) };
        ANSWER.store(round << 32 | word, SeqCst);
    }
    0
}

ktest! {
    fn equal_tasks_on_one_cpu_get_equal_time_and_a_nice_one_less() {
        UNTIL.store(now_ns() + 300_000_000, SeqCst);
        let mut crew: Vec<Arc<Task>> = Vec::new();
        for nice in [0, 0, 5] {
            crew.push(on_first_cpu("burner", nice, burns)?)?;
        }
        for member in crew.iter() {
            member.join();
        }
        let [a, b, nice] = [0, 1, 2].map(|i| crew[i].run_ns() / 1_000_000);
        check!(a.abs_diff(b) <= a.max(b) / 4, "{a} ms and {b} ms of 300 ms");
        // Weights 1,024 and 335.
        check!(nice * 2 < a && nice > 0, "{nice} ms for the nice one beside {a} ms");
    }

    fn work_spreads_over_all_cpus() {
        SEEN_ON.store(0, SeqCst);
        together(4 * cpus(), works_until_every_cpu_was_seen)?;
        check_eq!(SEEN_ON.load(SeqCst), smp::online());
    }

    fn a_task_stays_on_the_cpus_it_is_allowed() {
        SEEN_ON.store(0, SeqCst);
        for cpu in smp::cpus(smp::online()) {
            SEEN_ON.store(0, SeqCst);
            task::task::spawn_on(format_args!("bound"), 1 << cpu, 0, shows_its_cpu)?.join();
            check_eq!(SEEN_ON.load(SeqCst), 1 << cpu);
        }
    }

    fn every_cpu_has_a_level_4_table_of_its_own_with_the_same_kernels_half() {
        let mut roots: Vec<u64> = Vec::new();
        for cpu in smp::cpus(smp::online()) {
            let reader = task::task::spawn_on(format_args!("table"), 1 << cpu, (), |()| {
                let (own, kernels) = (Table::current(), paging::kernel_tables());
                ROOT.store(own.phys(), SeqCst);
                (0..512).filter(|&slot| own.slot(slot) != kernels.slot(slot)).count() as i32
            })?;
            check_eq!(reader.join(), 0, "slots of CPU {cpu} that differ");
            let root = ROOT.load(SeqCst);
            check!(!roots.contains(&root), "CPU {cpu} shares the table at {root:#x}");
            roots.push(root)?;
        }
    }

    fn a_page_mapped_anew_is_seen_anew_on_every_cpu() {
        let stale = rounds_with_stale_words(true)?;
        check_eq!(stale, 0);
    }

    /// The control of the test above: it would see a page that a CPU was not told of.
    fn without_a_shootdown_a_cpu_sees_the_page_that_was_there() {
        let stale = rounds_with_stale_words(false)?;
        check!(stale > 0 || cpus() == 1, "no stale word in any round");
    }
}

const ROUNDS: u64 = 50;
static ROOT: AtomicU64 = AtomicU64::new(0);
static STALE: AtomicU64 = AtomicU64::new(0);

/// Moves a page from frame to frame on CPU 0 and has each other CPU read it after every move; how often one read what was
/// there before.
fn rounds_with_stale_words(tell: bool) -> Result<u64, ktest::Failed> {
    let mapping = Mapping::new(&VMALLOC, 4096, WRITE, Label::new(format_args!("moving page")))?;
    PAGE.store(mapping.address(), SeqCst);
    STALE.store(0, SeqCst);
    let frames = [frame::alloc_zeroed()?, frame::alloc_zeroed()?];
    for cpu in smp::cpus(smp::online() & !1) {
        WANTED.store(0, SeqCst);
        ANSWER.store(0, SeqCst);
        let reader = task::task::spawn_on(format_args!("reader"), 1 << cpu, ROUNDS, reads)?;
        let asker = on_first_cpu("asker", (mapping.address(), frames, tell), moves_the_page)?;
        check_eq!(asker.join(), 0);
        check_eq!(reader.join(), 0);
    }
    drop(mapping);
    for phys in frames {
        frame::free(phys, 0);
    }
    Ok(STALE.load(SeqCst))
}

fn moves_the_page((page, frames, tell): (u64, [u64; 2], bool)) -> i32 {
    for round in 1..=ROUNDS {
        let phys = frames[(round & 1) as usize];
        // SAFETY: the frame is the test's, and nobody else looks at it.
        unsafe { *(layout::phys_to_virt(phys) as *mut u64) = round };
        let Ok(own) = paging::unmap_page(page) else { return 1 };
        if round == 1 {
            arch::tlb::flush_everywhere();
            frame::free(own, 0);
        }
        if paging::map_page(page, phys, READ).is_err() {
            return 2;
        }
        if tell {
            arch::tlb::flush_everywhere();
        }
        WANTED.store(round, SeqCst);
        let start = now_ns();
        while ANSWER.load(SeqCst) >> 32 != round {
            core::hint::spin_loop();
            if now_ns() - start > 5_000_000_000 {
                return 3;
            }
        }
        STALE.fetch_add(u64::from(ANSWER.load(SeqCst) & 0xffff_ffff != round), SeqCst);
    }
    // As it was: a frame that the mapping's end may free.
    let Ok(fresh) = frame::alloc(0) else { return 4 };
    if paging::unmap_page(page).is_err() || paging::map_page(page, fresh, WRITE).is_err() {
        return 5;
    }
    arch::tlb::flush_everywhere();
    0
}
