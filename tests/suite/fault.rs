//! Machines that are made to fail (module `test_fault`), and what the kernel says of it: what happened, where, in whose
//! code, with status 125. Nothing is ever silent.

use crate::plan::{Plan, Verdict};
use boot::Guest;
use std::time::Duration;
use tests::build;
use tests::seen::Seen;

/// Name of the trial, the module's `kind`, what has to stand on one line of the report.
const REPORTS: &[(&str, &str, &[&str])] = &[
    (
        "an_overflow_of_the_tasks_stack_is_reported_by_name",
        "task-stack",
        &["the guard page below the stack of task 1 (main), 8 KiB"],
    ),
    (
        "an_overflow_of_a_lines_stack_is_reported_by_name",
        "line-stack",
        &["the guard page below the stack of irq 0 (timer), 16 KiB"],
    ),
    (
        "an_overflow_of_the_vectors_stack_is_reported_by_name",
        "vector-stack",
        &["the guard page below the interrupt stack of cpu 0, 16 KiB"],
    ),
    (
        "an_overflow_of_the_boot_stack_is_reported_by_name",
        "boot-stack",
        &["the guard page below the boot stack, 8 KiB"],
    ),
    (
        "an_overflow_of_the_double_fault_stack_is_reported_by_name",
        "double-fault-stack",
        &["the guard page below the double fault stack, 16 KiB"],
    ),
    (
        "an_overflow_of_the_nmi_stack_is_reported_by_name",
        "nmi-stack",
        &["the guard page below the nmi stack, 16 KiB"],
    ),
    (
        "an_overflow_of_the_machine_check_stack_is_reported_by_name",
        "machine-check-stack",
        &["the guard page below the machine check stack, 16 KiB"],
    ),
    (
        "an_overflow_of_the_debug_stack_is_reported_by_name",
        "debug-stack",
        &["the guard page below the debug stack, 16 KiB"],
    ),
    (
        "a_write_above_a_vmalloc_area_is_reported_by_name",
        "above-an-area",
        &["page fault: writing", "the guard page above the test's area"],
    ),
    (
        "a_write_below_a_vmalloc_area_is_reported_by_name",
        "below-an-area",
        &["page fault: writing", "the guard page below the test's area"],
    ),
    ("a_write_to_kernel_text_faults", "write-text", &["page fault: writing to read-only"]),
    (
        "a_write_to_kernel_text_through_the_direct_map_faults",
        "write-text-alias",
        &["page fault: writing to read-only"],
    ),
    ("a_write_to_read_only_data_faults", "write-rodata", &["page fault: writing to read-only"]),
    (
        "a_write_to_read_only_data_through_the_direct_map_faults",
        "write-rodata-alias",
        &["page fault: writing to read-only"],
    ),
    (
        "a_write_to_a_modules_text_faults",
        "write-module-text",
        &["page fault: writing to read-only", "module test_fault text"],
    ),
    (
        "a_write_to_a_modules_text_through_the_direct_map_faults",
        "write-module-text-alias",
        &["page fault: writing to read-only"],
    ),
    (
        "a_write_to_a_modules_read_only_data_faults",
        "write-module-rodata",
        &["page fault: writing to read-only", "module test_fault rodata"],
    ),
    ("execution_of_data_faults", "execute-data", &["page fault: executing"]),
    ("execution_through_the_direct_map_faults", "execute-text-alias", &["page fault: executing"]),
    ("execution_of_the_stack_faults", "execute-stack", &["page fault: executing"]),
    ("a_call_of_init_code_that_was_given_back_faults", "call-init", &["page fault: executing"]),
    (
        "a_read_through_a_null_pointer_faults",
        "read-null",
        &["page fault: reading unmapped", "0x0000000000000010"],
    ),
    (
        "a_panic_in_a_module_is_reported_with_its_place",
        "panic",
        &["panic: test_fault asked for it, number 7", "exceptions.rs:"],
    ),
    ("a_division_by_zero_is_reported", "divide-error", &["panic: divide error", "vector 0"]),
    ("an_invalid_instruction_is_reported", "invalid-opcode", &["panic: invalid opcode", "vector 6"]),
    ("a_breakpoint_is_reported", "breakpoint", &["panic: breakpoint", "vector 3"]),
    (
        "an_address_that_is_none_is_reported",
        "general-protection",
        &["panic: general protection fault", "vector 13"],
    ),
    ("a_debug_exception_is_reported", "debug", &["panic: debug exception", "vector 1"]),
    ("a_non_maskable_interrupt_is_reported", "nmi", &["panic: non-maskable interrupt", "vector 2"]),
    ("a_machine_check_is_reported", "machine-check", &["panic: machine check", "vector 18"]),
    ("a_stack_that_is_nowhere_is_reported", "double-fault", &["panic: double fault, stack pointer"]),
];

/// Adds the checks.
pub(crate) fn add_to(plan: &mut Plan) {
    if build::artifacts().is_err() {
        return;
    }
    for (name, kind, parts) in REPORTS {
        plan.test(&format!("fault::{name}"), 2, move || report(kind, parts));
    }
    plan.test("fault::a_backtrace_names_the_modules_functions_the_latest_first", 2, || {
        let seen = run("panic", 2)?;
        let calls = ["calls, the latest first", "inner_of_panic", "outer_of_panic", "test_fault::Fault"];
        seen.ends_with(125)?.shows_in_order(&calls).map(drop)
    });
    plan.test("fault::a_backtrace_crosses_from_a_lines_stack_to_what_it_interrupted", 2, || {
        let seen = run("panic-on-a-line", 2)?;
        let calls = ["panic: on the timer's stack", "calls, the latest first", "PanickingLine", "on_a_line"];
        seen.ends_with(125)?.shows_in_order(&calls).map(drop)
    });
    plan.test("fault::an_exceptions_report_has_the_registers", 2, || {
        let seen = run("registers", 2)?;
        seen.ends_with(125)?
            .shows("00000000deadbeef")?
            .shows("000000000badcafe")?
            .shows_in_order(&["rip", "rsp", "rax", "r15"])
            .map(drop)
    });
    plan.test("fault::a_panic_within_a_panic_ends_the_machine", 2, || {
        run("panic-within-panic", 2)?.ends_with(125)?.has_line_with(&["panic: again"]).map(drop)
    });
    plan.test("fault::the_statuses_that_a_guest_ends_with_arrive", 6, || {
        // The long form goes through all of them; the short one through the ends and those that other channels bend.
        let long = std::env::var_os("OTTAWA_LONG").is_some();
        let statuses =
            (0..=255).filter(|n| long || [0, 1, 2, 64, 72, 124, 127, 128, 145, 200, 255].contains(n));
        for status in statuses {
            run(&format!("exit-{status}"), 2)?.ends_with(status)?;
        }
        run("signal-15", 2)?.ends_with(128 + 15).map(drop)
    });
    plan.test("fault::a_triple_fault_is_status_123", 2, || run("triple-fault", 2)?.ends_with(123).map(drop));
    plan.test("fault::a_hang_is_ended_by_the_time_limit", 3, || run("hang", 3)?.ends_with(124).map(drop));
    plan.test("fault::a_machine_that_is_let_alone_survives", 2, || {
        run("nothing-of-the-kind", 20)?.ends_with(0)?.shows("the machine survived").map(drop)
    });
}

fn run(kind: &str, seconds: u64) -> Result<Seen, String> {
    let words =
        ["quiet", "init=none", "modules=test_fault", &format!("test_fault.kind={kind}")].map(String::from);
    let what = format!("a machine with the words {}", words.join(" "));
    // A machine that fails ends at once; only one that is to hang needs the limit.
    let limit = Duration::from_secs(if kind == "hang" { seconds } else { 30 });
    let guest = Guest::new(build::artifacts()?).words(words).timeout(limit);
    Ok(Seen::machine(&what, guest.run().map_err(|why| why.to_string())?))
}

fn report(kind: &str, parts: &[&str]) -> Verdict {
    let seen = run(kind, 2)?;
    seen.ends_with(125)?.shows(&format!("test_fault: about to: {kind}"))?.shows_no("survived")?;
    seen.has_line_with(parts)?.shows("calls, the latest first").map(drop)
}
