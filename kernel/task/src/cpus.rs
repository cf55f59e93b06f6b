//! Starting the scheduler and the other CPUs; what a CPU does when there is nothing to do.
//!
//! Each CPU gets an area for its own data, descriptors, guarded stacks for the vectors that need one, a level-4 table of its
//! own, and an idle task on whose stack it starts. CPUs are started one after another; one that does not answer within
//! [`PATIENCE`] is left out, and the log says so.
#![allow(unsafe_code, reason = "hands memory to a CPU that starts")]

use crate::sched;
use crate::task::Task;
use crate::timer;
use arch::gdt::{self, Ist};
use arch::irq::LineError;
use arch::paging::Table;
use arch::smp::{self, MAX_CPUS, Mail, TRAMPOLINE};
use arch::{acpi, apic, cpu, tlb, trap};
use base::{clock, percpu, warn};
use containers::{Arc, Box};
use mm::label::Label;
use mm::stack::{INTERRUPT, KernelStack};
use mm::{MemoryError, paging, slab, vmalloc};

/// How long a CPU may take to start, in nanoseconds.
pub const PATIENCE: u64 = 100_000_000;
const SPURIOUS_VECTOR: u8 = 0xff;

base::param! {
    part "";
    /// The most CPUs to use.
    static MAXCPUS as "maxcpus": u32 = 64, range 1..=64, mode 0o444;
}

/// Why the scheduler could not start.
#[derive(Clone, Copy, Debug)]
pub enum StartError {
    /// Memory.
    Memory(MemoryError),
    /// A vector is taken.
    Vector(LineError),
}

impl From<MemoryError> for StartError {
    fn from(error: MemoryError) -> Self {
        StartError::Memory(error)
    }
}

impl From<containers::AllocError> for StartError {
    fn from(error: containers::AllocError) -> Self {
        StartError::Memory(error.into())
    }
}

impl From<LineError> for StartError {
    fn from(error: LineError) -> Self {
        StartError::Vector(error)
    }
}

/// Makes `main` the first task and goes on in it: the boot CPU's controller, timer and idle task. Never comes back to the
/// stack it is called on.
///
/// # Errors
/// [`StartError`]; nothing runs differently then.
pub fn become_first_task(main: fn(()) -> i32) -> StartError {
    match start(main) {
        Ok(never) => match never {},
        Err(error) => error,
    }
}

fn start(main: fn(()) -> i32) -> Result<core::convert::Infallible, StartError> {
    let registers = vmalloc::map_device(apic::physical_base(), 4096, Label::new(format_args!("local apic")))?;
    // SAFETY: just mapped, uncached, for ever.
    unsafe { apic::set_base(registers) };
    apic::enable(SPURIOUS_VECTOR);
    smp::set_online(0, apic::id());
    tlb::init()?;
    sched::init()?;
    timer::init()?;
    let idle = Arc::new(Task::new(Label::new(format_args!("idle 0")), true)?)?;
    // SAFETY: the stack is the idle task's own and fresh.
    unsafe { *idle.saved() = arch::switch::prepare(idle.stack().top, enter_idle, 0) };
    // The caller stands for the idle task until its first switch, whose place nobody comes back to.
    sched::adopt(Arc::new(Task::new(Label::new(format_args!("boot")), true)?)?, idle);
    crate::task::spawn_on(format_args!("main"), u64::MAX, (), main)?;
    loop {
        sched::schedule();
    }
}

extern "C" fn enter_idle(left: u64, _: u64) -> ! {
    sched::arrived(left);
    idle()
}

fn idle() -> ! {
    loop {
        if sched::has_work() || sched::pull() {
            sched::schedule();
            continue;
        }
        cpu::disable_interrupts();
        if sched::has_work() || percpu::need_resched() {
            cpu::enable_interrupts();
            sched::schedule();
            continue;
        }
        // Turning interrupts on and halting is one step: what comes between wakes the CPU.
        cpu::halt();
    }
}

/// What a CPU that starts needs, kept for ever.
struct Kit {
    number: u32,
    head: u64,
    tables: gdt::Tables,
    stacks: [u64; 4],
    vector_stack: arch::stack::Bounds,
    root: Table,
    idle: Arc<Task>,
}

/// Starts the other CPUs; how many run then.
pub fn start_others() -> usize {
    let own = apic::id();
    let wanted = (MAXCPUS.get() as usize).min(MAX_CPUS);
    let others = acpi::facts().apic_ids().iter().filter(|&&id| id != own && id < 255);
    // SAFETY: the page is free in every PC's memory map, and the first MiB is never given to anyone.
    unsafe { smp::install() };
    let Ok(tables) = paging::table_for_start(TRAMPOLINE) else {
        warn!("smp: out of memory, one CPU runs");
        return 1;
    };
    let mut number = 1;
    for &id in others.take(wanted - 1) {
        match start_one(number, id, tables) {
            Ok(true) => number += 1,
            Ok(false) => warn!("smp: CPU {id} does not answer and is left out"),
            Err(error) => {
                warn!("smp: CPU {id}: {error}; {number} CPUs run");
                break;
            }
        }
    }
    number as usize
}

fn start_one(number: u32, id: u32, tables: Table) -> Result<bool, MemoryError> {
    let area = slab::kmalloc(percpu::area_bytes(), 64)?;
    // SAFETY: the area is fresh, of that size and alignment, and kept for ever.
    let head = unsafe { percpu::make_area(area, number) };
    let stack = |name: &str| {
        Ok::<_, MemoryError>(
            KernelStack::new(INTERRUPT, Label::new(format_args!("the {name} stack of cpu {number}")))?.leak(),
        )
    };
    let mut stacks = [0; 4];
    for ist in Ist::ALL {
        stacks[ist as usize] = stack(ist.name())?.top;
    }
    let idle = Arc::new(Task::new(Label::new(format_args!("idle {number}")), true)?)?;
    sched::make_room_for_all(number as usize)?;
    let top = idle.stack().top;
    let kit = Box::leak(Box::new(Kit {
        number,
        head,
        tables: gdt::Tables::new(),
        stacks,
        vector_stack: stack("interrupt")?,
        root: paging::table_for_cpu()?,
        idle,
    })?);
    smp::post(&Mail { tables: tables.phys(), stack: top, entry: arrive, argument: &raw const *kit as u64 });
    apic::send_init(id);
    pause(10_000);
    for _ in 0..2 {
        apic::send_startup(id, (TRAMPOLINE >> 12) as u8);
        let deadline = clock::now_ns() + PATIENCE / 2;
        while smp::online() >> number & 1 == 0 && clock::now_ns() < deadline {
            core::hint::spin_loop();
        }
        if smp::online() >> number & 1 != 0 {
            return Ok(true);
        }
    }
    Ok(false)
}

fn pause(ns: u64) {
    let start = clock::now_ns();
    while clock::now_ns() - start < ns {
        core::hint::spin_loop();
    }
}

/// Where a CPU enters the kernel: on its idle task's stack, interrupts off.
extern "C" fn arrive(kit: u64) -> ! {
    // SAFETY: `start_one` leaked the kit for this CPU alone.
    let kit: &'static Kit = unsafe { &*(kit as *const Kit) };
    // SAFETY: the head is this CPU's; the tables map all that the starting ones do but for the trampoline; each stack is this
    // CPU's alone and kept for ever; interrupts are off.
    unsafe {
        percpu::adopt(kit.head);
        cpu::enable_protection(&cpu::features());
        kit.root.load();
        gdt::load(&kit.tables);
        for ist in Ist::ALL {
            gdt::set_ist_stack(ist, kit.stacks[ist as usize]);
        }
        arch::irq::set_vector_stack(kit.vector_stack);
    }
    trap::load();
    apic::enable(SPURIOUS_VECTOR);
    sched::adopt(kit.idle.clone(), kit.idle.clone());
    smp::set_online(kit.number as usize, apic::id());
    // What was remembered before anybody knew that this CPU has to be told of changes.
    arch::paging::flush_all();
    sched::become_idle();
    cpu::enable_interrupts();
    idle()
}
