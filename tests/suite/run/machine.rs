//! The machine: sizes, CPUs, what the log looks like, how it ends.

use crate::plan::{Plan, Verdict};
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};
use tests::build;
use tests::command::ottawa;

/// Adds the scenarios.
pub(crate) fn add_to(plan: &mut Plan) {
    for cpus in [1, 2, 4, 8] {
        plan.test(&format!("run::it_boots_with_{cpus}_cpus"), 2, move || {
            let seen = ottawa(&format!("--smp {cpus} modules=hello init=none")).run()?;
            seen.ends_with(0)?.has_line("hello: Hello, world!", 1).map(drop)
        });
    }
    for (memory, mib) in
        [("16M", 16), ("64M", 64), ("512M", 512), ("3G", 3 << 10), ("4G", 4 << 10), ("8G", 8 << 10)]
    {
        plan.test(&format!("run::it_boots_with_{memory}"), 3, move || boots_with(memory, mib));
    }
    plan.test("run::the_dev_profile_boots_too", 120, || {
        let seen = ottawa("--profile dev modules=hello,consumer hello.who=Ottawa init=none").run()?;
        seen.ends_with(0)?
            .has_line("hello: Hello, Ottawa!", 1)?
            .has_line("consumer: producer says 42", 1)
            .map(drop)
    });
    plan.test("run::it_powers_off_by_itself_with_status_0", 2, || {
        let seen = ottawa("init=none").run()?;
        seen.ends_with(0)?
            .expect(seen.wall < Duration::from_secs(30), "an end without the time limit")
            .map(drop)
    });
    plan.test("run::debug_panic_is_status_125_with_a_backtrace_that_names_the_function", 2, || {
        let seen = ottawa("init=none debug.panic=1").run()?;
        let order = ["panic: debug.panic=1", "calls, the latest first", "debug_panic"];
        seen.ends_with(125)?.shows_in_order(&order).map(drop)
    });
    plan.test("run::the_log_is_calm", 2, log_is_calm);
    plan.test("run::counting_instructions_gives_a_clock_of_1000_mhz", 2, || {
        let seen = ottawa("--icount --smp 1 init=none").run()?;
        let mhz = seen.console.split_once("TSC ").and_then(|(_, rest)| rest.split_once(" MHz"));
        let mhz: Option<f64> = mhz.and_then(|(mhz, _)| mhz.parse().ok());
        let close = mhz.is_some_and(|mhz| (mhz - 1000.0).abs() < 0.1);
        seen.ends_with(0)?.expect(close, "1000.0 MHz, to a ten-thousandth").map(drop)
    });
    plan.test("run::the_time_limit_is_status_124", 4, || {
        let seen =
            ottawa("--timeout 2 --test-modules quiet modules=test_fault test_fault.kind=hang").run()?;
        seen.ends_with(124)?.says("time limit").map(drop)
    });
    plan.test("run::a_signal_to_the_command_ends_the_machine", 5, signal);
}

/// Two modules load, and the log says how much memory there is: nearly all of it.
fn boots_with(memory: &str, mib: u32) -> Verdict {
    let seen = ottawa(&format!("--memory {memory} modules=hello,consumer init=none")).run()?;
    seen.ends_with(0)?.has_line("hello: Hello, world!", 1)?.has_line("consumer: producer says 42", 1)?;
    let line =
        seen.console.split_once("memory: ").map_or("", |(_, rest)| rest.lines().next().unwrap_or_default());
    let mut words = line.split(' ');
    let number: f64 = words.next().and_then(|number| number.parse().ok()).unwrap_or(0.0);
    let shown = if words.next() == Some("GiB") { number * 1024.0 } else { number };
    let expected = f64::from(mib);
    seen.expect(shown <= expected && shown > expected * 0.94, &format!("a memory of about {memory}"))
        .map(drop)
}

/// Every line is a log line or a module's, the times never go back, and no line has trailing blanks or odd characters.
fn log_is_calm() -> Verdict {
    let seen = ottawa("modules=hello,consumer init=none").run()?;
    seen.ends_with(0)?;
    let mut last = 0.0;
    for line in seen.console.lines() {
        let stamp = line.strip_prefix('[').and_then(|rest| rest.split_once("] "));
        let time: Option<f64> = stamp.and_then(|(time, _)| time.trim_start().parse().ok());
        let by_module = line.starts_with("hello: ") || line.starts_with("consumer: ");
        let plain = line.chars().all(|c| c == ' ' || c.is_ascii_graphic()) && line.trim_end() == line;
        seen.expect(
            (time.is_some() || by_module) && plain && line.len() <= 120,
            &format!("another line than {line:?}"),
        )?;
        seen.expect(time.is_none_or(|time| time >= last), &format!("no earlier time than {last}: {line:?}"))?;
        last = time.unwrap_or(last);
    }
    let first = seen.console.lines().next().unwrap_or_default();
    seen.expect(first.contains("Ottawa 0.1.0, x86-64, built "), "the version on the first line")?;
    let lines = seen.console.lines().count();
    seen.expect((6..=20).contains(&lines), "6 to 20 lines").map(drop)
}

/// SIGTERM to the command: QEMU goes too, and who started the command sees the signal.
fn signal() -> Verdict {
    let name = format!("ottawa-test-{}", std::process::id());
    let arguments = [
        "--test-modules",
        "quiet",
        "modules=test_fault",
        "test_fault.kind=hang",
        "--qemu",
        "-name",
        "--qemu",
        &name,
    ];
    let mut command = Command::new(build::ottawa()?);
    command
        .args(arguments)
        .current_dir(boot::root())
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    let mut child = command.spawn().map_err(|why| why.to_string())?;
    let appeared = wait_until(60, || qemu_runs(&name));
    let sent = Command::new("kill").args(["-TERM", &child.id().to_string()]).status();
    let status = child.wait().map_err(|why| why.to_string())?;
    let gone = wait_until(5, || !qemu_runs(&name));
    match (appeared, sent.is_ok_and(|sent| sent.success()), gone) {
        (true, true, true) if !status.success() => Ok(()),
        seen => {
            Err(format!("(QEMU appeared, signal sent, QEMU gone): {seen:?}; the command ended with {status}"))
        }
    }
}

fn wait_until(seconds: u64, condition: impl Fn() -> bool) -> bool {
    let start = Instant::now();
    while !condition() {
        if start.elapsed() > Duration::from_secs(seconds) {
            return false;
        }
        sleep(Duration::from_millis(20));
    }
    true
}

/// Whether a QEMU with this name is there.
fn qemu_runs(name: &str) -> bool {
    let processes = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    processes.filter_map(|process| std::fs::read(process.path().join("cmdline")).ok()).any(|line| {
        let mut words = line.split(|byte| *byte == 0);
        let qemu = words.next().is_some_and(|program| program.ends_with(b"qemu-system-x86_64"));
        qemu && words.any(|word| word == name.as_bytes())
    })
}
