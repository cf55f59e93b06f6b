//! Words: what reaches the kernel, and as what.

use crate::plan::Plan;
use tests::command::ottawa;

/// Adds the scenarios.
pub(crate) fn add_to(plan: &mut Plan) {
    plan.test("run::a_word_with_spaces_stays_one_word", 2, || {
        let seen = ottawa("modules=hello init=none").argument("hello.who=Grace Hopper").run()?;
        seen.ends_with(0)?.has_line("hello: Hello, Grace Hopper!", 1).map(drop)
    });
    plan.test("run::a_word_may_hold_any_character", 2, || {
        let who = "Ünïcödé, $HOME 'x' & =;";
        let seen = ottawa("modules=hello init=none").argument(format!("hello.who={who}")).run()?;
        seen.ends_with(0)?.has_line(&format!("hello: Hello, {who}!"), 1).map(drop)
    });
    plan.test("run::an_unknown_word_is_shown_once_and_does_no_harm", 2, || {
        let seen = ottawa("frobnicate=1 modules=hello grumble init=none").run()?;
        let once = |word: &str| seen.console.matches(word).count() == 1;
        seen.ends_with(0)?.has_line("hello: Hello, world!", 1)?;
        seen.expect(once("frobnicate=1") && once("grumble"), "each unknown word once").map(drop)
    });
    plan.test("run::words_after_a_second_dash_dash_are_inits", 2, || {
        let seen = ottawa("init=none -- modules=hello --smp nonsense").run()?;
        seen.ends_with(0)?.shows_no("Hello")?.shows_no("nosuch").map(drop)
    });
    plan.test("run::options_and_words_may_mix", 2, || {
        let seen = ottawa("modules=hello --smp 1 hello.who=Ottawa --memory 64M init=none").run()?;
        seen.ends_with(0)?.says("1 CPU, 64 MiB")?.has_line("hello: Hello, Ottawa!", 1).map(drop)
    });
    plan.test("run::the_last_of_two_values_counts", 2, || {
        let seen = ottawa("modules=hello hello.who=one hello.who=two init=none").run()?;
        seen.ends_with(0)?.has_line("hello: Hello, two!", 1).map(drop)
    });
    plan.test("run::quiet_shows_what_modules_print_and_nothing_else", 2, || {
        let seen = ottawa("quiet modules=hello,consumer init=none").run()?;
        let expected = "hello: Hello, world!\nconsumer: producer says 42\n";
        seen.ends_with(0)?.expect(seen.console == expected, &format!("just {expected:?}")).map(drop)
    });
    plan.test("run::quiet_shows_warnings_and_panics", 4, || {
        ottawa("quiet modules=nosuch init=none").run()?.ends_with(1)?.has_line_with(&["nosuch"])?;
        let seen = ottawa("quiet debug.panic=1 init=none").run()?;
        seen.ends_with(125)?.has_line_with(&["panic:", "debug.panic=1"]).map(drop)
    });
    plan.test("run::mem_limits_the_memory_that_is_used", 4, || {
        let seen = ottawa("--test-modules mem=64M modules=test_mm init=none quiet").run()?;
        seen.ends_with(0)?.shows_no("FAILED").map(drop)
    });
    plan.test("run::a_command_line_of_2048_bytes_reaches_the_kernel_whole", 2, || {
        let (start, end) = ("modules=hello init=none ", " hello.who=Ottawa");
        let filler = "x".repeat(2048 - start.len() - end.len());
        let seen = ottawa(&format!("{start}{filler}{end}")).run()?;
        seen.ends_with(0)?.has_line("hello: Hello, Ottawa!", 1).map(drop)
    });
    plan.test("run::a_longer_command_line_is_wrong_usage", 1, || {
        let seen = ottawa(&format!("init=none {}", "x".repeat(2048 - 9))).run()?;
        seen.ends_with(2)?.says_in_one_line(&["2049", "2048"]).map(drop)
    });
}
