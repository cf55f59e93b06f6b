//! Row H4: two lines raised by hardware nest, in both orders, each on its own stack.
//!
//! The interval timer raises line 0, the clock chip line 8, both through the 8259 pair. The outer line's handler uses
//! 12 KiB of its stack and waits there until the inner line has come on top of it; the inner one uses 12 KiB of its own.
//! What goes wrong inside a handler is kept in [`WRONG`] and told by the test.

use arch::irq::{self, LineHandler};
use arch::stack::{self, Bounds};
use base::sync::OnceCell;
use core::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use driver::rtc;
use ktest::{check, ktest, long, note, with_stack_used};
use mm::layout::PAGE_SIZE;
use mm::paging;

const TIMER: u8 = 0;
const RTC: u8 = 8;
/// Stack that each handler uses, in bytes.
const DEEP: u64 = 12 << 10;

/// What the two handlers share.
struct Pair {
    /// The line that waits, and the one that comes on top.
    outer: u8,
    inner: u8,
    stacks: [Bounds; 2],
    /// Whether each handler runs now.
    active: [AtomicBool; 2],
    /// How often each ran, and how often the inner one did on top of the outer one.
    ran: [AtomicU64; 2],
    nested: AtomicU64,
    /// Nested ones still wanted; at 0 the outer one waits no more.
    wanted: AtomicU64,
}

static WRONG: AtomicU64 = AtomicU64::new(0);
const ON_ANOTHER_STACK: u64 = 1 << 0;
const RE_ENTERED: u64 = 1 << 1;
const NOT_IN_SERVICE: u64 = 1 << 2;
const BAD_DEPTH: u64 = 1 << 3;
const WAITED_IN_VAIN: u64 = 1 << 4;

fn wrong(what: u64) {
    WRONG.fetch_or(what, Relaxed);
}

impl Pair {
    fn new(outer: u8, inner: u8) -> Option<Self> {
        let zero = || AtomicU64::new(0);
        Some(Self {
            outer,
            inner,
            stacks: [irq::line_info(outer)?.stack, irq::line_info(inner)?.stack],
            active: [AtomicBool::new(false), AtomicBool::new(false)],
            ran: [zero(), zero()],
            nested: zero(),
            wanted: zero(),
        })
    }

    /// What both handlers do: look at where they are, use their stack, and at its deepest point do `there`.
    fn enter(&self, which: usize, line: u8, there: &dyn Fn()) {
        let on_own = || self.stacks[which].contains(stack::pointer());
        if !on_own() {
            wrong(ON_ANOTHER_STACK);
        }
        if self.active[which].swap(true, Relaxed) {
            wrong(RE_ENTERED);
        }
        if line == RTC {
            rtc::acknowledge();
        }
        with_stack_used(DEEP, &|| {
            if !on_own() {
                wrong(ON_ANOTHER_STACK);
            }
            there();
        });
        self.ran[which].fetch_add(1, Relaxed);
        self.active[which].store(false, Relaxed);
    }

    fn run_outer(&self) {
        self.enter(0, self.outer, &|| {
            let before = self.ran[1].load(Relaxed);
            // On top of the inner one there is nothing to wait for: its line is masked until this returns.
            let more = self.wanted.load(Relaxed) > 0 && irq::nesting() == 1;
            if more && !crate::ticking::wait_until(&|| self.ran[1].load(Relaxed) != before) {
                wrong(WAITED_IN_VAIN);
            }
        });
    }

    fn run_inner(&self) {
        // On top of the outer one no other line can come between this one's entry and here, so this is what it found.
        if irq::nesting() == 2 && irq::seen_in_service() & 1 << self.inner == 0 {
            wrong(NOT_IN_SERVICE);
        }
        self.enter(1, self.inner, &|| {
            let on_top = self.active[0].load(Relaxed);
            // The outer one's entry and exit, outside of its `active`, can be interrupted as well.
            if !(1 + u32::from(on_top)..=2).contains(&irq::nesting()) {
                wrong(BAD_DEPTH);
            }
            if on_top && self.wanted.load(Relaxed) > 0 {
                self.nested.fetch_add(1, Relaxed);
                self.wanted.fetch_sub(1, Relaxed);
            }
        });
    }
}

/// The pair of the running test. Two, since a handler refers to its pair as long as the machine runs.
static TIMER_OUTSIDE: OnceCell<Pair> = OnceCell::new();
static RTC_OUTSIDE: OnceCell<Pair> = OnceCell::new();

struct Outer(&'static OnceCell<Pair>);
struct Inner(&'static OnceCell<Pair>);

impl LineHandler for Outer {
    fn handle(&self) {
        if let Some(pair) = self.0.get() {
            pair.run_outer();
        }
    }
}

impl LineHandler for Inner {
    fn handle(&self) {
        if let Some(pair) = self.0.get() {
            pair.run_inner();
        }
    }
}

ktest! {
    fn the_in_service_register_tells_hardware_from_software() {
        // A line may come in between, now and then: not ten times.
        let seen = (0..10).filter(|_| seen_after_a_software_interrupt() == 0).count();
        check!(seen > 0);
    }

    fn the_clock_chip_interrupts_the_timers_handler_a_thousand_times() {
        static OUTER: Outer = Outer(&TIMER_OUTSIDE);
        static INNER: Inner = Inner(&TIMER_OUTSIDE);
        nest(&TIMER_OUTSIDE, TIMER, RTC, &OUTER, &INNER)?;
    }

    fn the_timer_interrupts_the_clock_chips_handler_a_thousand_times() {
        static OUTER: Outer = Outer(&RTC_OUTSIDE);
        static INNER: Inner = Inner(&RTC_OUTSIDE);
        nest(&RTC_OUTSIDE, RTC, TIMER, &OUTER, &INNER)?;
    }
}

/// The negative control of the look into the in-service register.
fn seen_after_a_software_interrupt() -> u16 {
    let masked = base::irq::IrqGuard::new();
    irq::observe_in_service(true);
    // SAFETY: the timer's vector, whose entry and handler take an interrupt that no hardware raised as any other. They
    // turn interrupts on meanwhile, and back off.
    unsafe { core::arch::asm!("int 0x20") };
    irq::observe_in_service(false);
    drop(masked);
    irq::seen_in_service()
}

fn nest(
    pair: &'static OnceCell<Pair>,
    outer: u8,
    inner: u8,
    run_outer: &'static Outer,
    run_inner: &'static Inner,
) -> ktest::Result {
    let times = if long() { 100_000 } else { 1_000 };
    pair.set(Pair::new(outer, inner).ok_or("a line has no handler")?).map_err(|_| "the test ran before")?;
    let pair = pair.get().ok_or("the test ran before")?;
    let counts = || [outer, inner].map(|line| irq::line_info(line).map_or(0, |info| info.count));
    let before = counts();
    let task = own_stack();

    irq::observe_in_service(true);
    arch::pit::start(1000);
    let old_outer = irq::replace_handler(outer, run_outer).map_err(|_| "the line has no handler")?;
    let old_inner = irq::replace_handler(inner, run_inner).map_err(|_| "the line has no handler")?;
    rtc::start_periodic();
    // A few first: they leave on the task's stack all that an interrupt ever does.
    let warm = wait_for(pair, 50);
    // SAFETY: the running task's own stack.
    let mark = unsafe { task.high_water() };
    let done = warm && wait_for(pair, times);
    // SAFETY: as above.
    let mark_after = unsafe { task.high_water() };
    rtc::stop_periodic();
    // Whatever is on its way has arrived after this.
    let ran = pair.ran[0].load(Relaxed) + pair.ran[1].load(Relaxed);
    let _ = crate::ticking::wait_until(&|| pair.ran[0].load(Relaxed) + pair.ran[1].load(Relaxed) > ran);
    let restored = irq::replace_handler(outer, old_outer).and(irq::replace_handler(inner, old_inner));
    arch::pit::start(driver::timer::HZ);
    irq::observe_in_service(false);
    restored.map_err(|_| "the line has no handler")?;

    let [outer_ran, inner_ran] = [0, 1].map(|i: usize| pair.ran[i].load(Relaxed));
    let marks = [outer, inner].map(|line| irq::line_info(line).map_or(0, |info| info.high_water));
    note(format_args!(
        "{} nested; line {outer} ran {outer_ran} times, line {inner} {inner_ran} times; marks {} and {} bytes, task {mark} and {mark_after}",
        pair.nested.load(Relaxed),
        marks[0],
        marks[1],
    ));
    let wrong = WRONG.swap(0, Relaxed);
    check!(wrong & ON_ANOTHER_STACK == 0, "a handler ran on a stack not its own");
    check!(wrong & RE_ENTERED == 0, "a line re-entered itself");
    check!(wrong & NOT_IN_SERVICE == 0, "the controller did not have the line in service");
    check!(wrong & BAD_DEPTH == 0, "the depth of nesting is wrong");
    check!(wrong & WAITED_IN_VAIN == 0, "the inner line did not come");
    check!(done, "{} nested", pair.nested.load(Relaxed));
    // Nothing of the handlers' 12 KiB is on the task's stack, and 1,000 nestings leave no more than 50 did; a call's
    // frame may be interrupted for the first time among the later ones.
    check!(mark_after <= mark + 256, "the task's stack: {mark} bytes, then {mark_after}");
    check!(task.size() == 8 << 10 && mark < task.size(), "{task:x?}, {mark} bytes");
    for (i, (count, before)) in counts().into_iter().zip(before).enumerate() {
        let ran = pair.ran[i].load(Relaxed);
        // Between the replacing of handlers some are counted and not seen here.
        check!((ran..ran + 50).contains(&(count - before)), "{} counted, {ran} seen", count - before);
    }
    for mark in marks {
        check!((DEEP..16 << 10).contains(&mark), "a line's mark of {mark} bytes");
    }
    Ok(())
}

/// Waits until so many more have nested.
fn wait_for(pair: &Pair, times: u64) -> bool {
    pair.wanted.store(times, Relaxed);
    while pair.wanted.load(Relaxed) > 0 {
        let left = pair.wanted.load(Relaxed);
        if WRONG.load(Relaxed) & WAITED_IN_VAIN != 0
            || !crate::ticking::wait_until(&|| pair.wanted.load(Relaxed) != left)
        {
            return false;
        }
    }
    true
}

/// The stack that this runs on: the pages mapped around here.
fn own_stack() -> Bounds {
    let table = paging::kernel_tables();
    let here = stack::pointer() & !(PAGE_SIZE - 1);
    let (mut bottom, mut top) = (here, here + PAGE_SIZE);
    while table.lookup(bottom - PAGE_SIZE).is_some() {
        bottom -= PAGE_SIZE;
    }
    while table.lookup(top).is_some() {
        top += PAGE_SIZE;
    }
    Bounds { bottom, top }
}
