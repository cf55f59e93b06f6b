//! Bounds that the issues set on counts: the same in every run, so a test can hold them. Wall time is `cargo bench`'s.

use crate::plan::{Plan, Verdict};
use tests::figures::{boot_instructions, hello_instructions, image_bytes};

const MIB: u64 = 1 << 20;
const GIB: u64 = 1 << 30;

/// Adds the checks.
pub(crate) fn add_to(plan: &mut Plan) {
    plan.test("bound::the_kernels_image_without_symbols_is_below_1_mib", 1, || {
        below("bytes", image_bytes()?, MIB)
    });
    plan.test("bound::boot_to_power_off_takes_less_than_15_million_instructions_at_512_mib", 3, || {
        below("instructions", boot_instructions(512 * MIB, &[])?, 15_000_000)
    });
    plan.test("bound::each_gib_more_takes_less_than_3_million_instructions", 5, || {
        let (one, three) = (boot_instructions(GIB, &[])?, boot_instructions(3 * GIB, &[])?);
        below("instructions a GiB", three.saturating_sub(one) / 2, 3_000_000)
    });
    plan.test("bound::loading_hello_takes_less_than_300_thousand_instructions", 3, || {
        below("instructions", hello_instructions()?, 300_000)
    });
    plan.test("bound::two_runs_count_the_same_to_a_thousandth", 5, || {
        let (one, two) = (boot_instructions(512 * MIB, &[])?, boot_instructions(512 * MIB, &[])?);
        below("instructions apart", one.abs_diff(two), one / 1000 + 1)
    });
}

fn below(unit: &str, seen: u64, bound: u64) -> Verdict {
    if seen < bound { Ok(()) } else { Err(format!("{seen} {unit}, not below {bound}")) }
}
