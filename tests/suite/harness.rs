//! This harness itself: a test that fails, panics, hangs or resets the machine fails by its name, with the console's last
//! lines, and the others still run.
//!
//! The module `test_harness` has a test for each of these ends, and good ones between them.

use crate::kernel::{run, tests_of};
use crate::plan::{Plan, Verdict, Verdicts};
use std::time::Duration;
use tests::build;

/// The module whose tests are to fail; they are no trials of their own.
pub(crate) const MODULE: &str = "test_harness";

/// Adds the checks.
pub(crate) fn add_to(plan: &mut Plan) {
    plan.test("harness::picked_tests_run_alone", 5, picked_tests_run_alone);
    plan.group(30, NAMES.iter().map(|(name, _)| format!("harness::{name}")).collect(), |_| {
        let seen = all();
        let verdict = |check: &Check| seen.as_ref().map_err(Clone::clone).and_then(check);
        NAMES.iter().map(|(name, check)| (format!("harness::{name}"), verdict(check))).collect()
    });
}

/// Tests picked one at a time run alone, whichever they are.
fn picked_tests_run_alone() -> Verdict {
    let names = tests_of("test_mm")?;
    for name in names.iter().step_by(5) {
        let seen = run(
            build::artifacts()?,
            "test_mm",
            &names,
            std::slice::from_ref(name),
            1,
            Duration::from_secs(60),
        );
        match seen.get(name) {
            Some(Ok(())) if seen.len() == 1 => {}
            other => return Err(format!("{name}: {other:?}")),
        }
    }
    Ok(())
}

type Check = fn(&Verdicts) -> Verdict;

const NAMES: [(&str, Check); 6] = [
    ("a_failed_check_fails_its_test_with_place_and_values", |seen| {
        failed(seen, "fails", &["test_harness/src/ends.rs:", "2 is not 3"])
    }),
    ("a_panic_fails_the_test_that_ran_with_the_consoles_last_lines", |seen| {
        failed(seen, "panics", &["ended while this test ran", "status 125", "this test panics on purpose"])
    }),
    ("a_hang_fails_the_test_that_ran", |seen| {
        failed(seen, "hangs", &["ended while this test ran", "status 124"])
    }),
    ("a_triple_fault_fails_the_test_that_ran", |seen| {
        failed(seen, "resets", &["ended while this test ran", "status 123"])
    }),
    ("an_error_passed_on_fails_the_test", |seen| failed(seen, "returns_an_error", &["NoMemory"])),
    ("the_tests_between_run_all_the_same", |seen| {
        let good: Vec<_> = seen.iter().filter(|(name, _)| name.contains("::good_")).collect();
        if good.len() == 4 && good.iter().all(|(_, verdict)| verdict.is_ok()) {
            Ok(())
        } else {
            Err(format!("{good:?}"))
        }
    }),
];

fn all() -> Result<Verdicts, String> {
    let names = tests_of(MODULE)?;
    Ok(run(build::artifacts()?, MODULE, &names, &names, 1, Duration::from_secs(6)))
}

fn failed(seen: &Verdicts, name: &str, parts: &[&str]) -> Verdict {
    let found = seen.iter().find(|(full, _)| full.ends_with(&format!("::{name}")));
    match found {
        Some((_, Err(why))) if parts.iter().all(|part| why.contains(part)) => Ok(()),
        other => Err(format!("{other:?}, not failed with all of {parts:?}")),
    }
}
