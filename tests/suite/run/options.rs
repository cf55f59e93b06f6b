//! Options of the command, and where its words go.

use crate::plan::{Plan, Verdict};
use std::process::Command;
use tests::command::{ottawa, run};
use tests::{cargo, long};

/// Adds the scenarios.
pub(crate) fn add_to(plan: &mut Plan) {
    plan.test("run::cargo_run_at_the_root_greets", 5, || {
        let mut command: Command = cargo();
        command.args([
            "run",
            "--quiet",
            "--",
            "--timeout",
            "60",
            "modules=hello",
            "hello.who=Ottawa",
            "init=none",
        ]);
        let seen = run(command, Vec::new(), "cargo run -- modules=hello hello.who=Ottawa init=none".into())?;
        seen.ends_with(0)?.has_line("hello: Hello, Ottawa!", 1).map(drop)
    });
    plan.test("run::the_commands_own_words_are_one_line_on_standard_error", 2, || {
        let seen = ottawa("quiet init=none").run()?;
        seen.ends_with(0)?.expect(seen.console.is_empty(), "nothing on standard output")?;
        let parts =
            ["loader, kernel and ", " modules ", "; initramfs ", " MiB; QEMU ", "TCG", ", 2 CPUs, 512 MiB"];
        let met = seen.words.lines().count() == 1 && parts.iter().all(|part| seen.words.contains(part));
        seen.expect(met, &format!("one line with all of {parts:?}")).map(drop)
    });
    plan.test("run::print_shows_qemus_command_line_and_starts_nothing", 1, || {
        let seen = ottawa("--print --smp 3 --memory 1G quiet init=none").argument("hello.who=A B").run()?;
        seen.ends_with(0)?.expect(seen.console.lines().count() == 1, "one line")?;
        for part in [
            "qemu-system-x86_64 ",
            "-M q35 ",
            "-cpu max,la57=off ",
            "-nodefaults ",
            "-display none ",
            "-no-reboot",
        ] {
            seen.shows(part)?;
        }
        seen.shows("-smp 3 ")?
            .shows("-m 1G")
            .or_else(|_| seen.shows("-m 1024M"))?
            .shows(r#"'quiet init=none hello.who="A B"'"#)?
            .shows_no("[")
            .map(drop)
    });
    plan.test("run::a_printed_command_line_boots_when_a_shell_runs_it", 3, || {
        let line = ottawa("--print modules=hello init=none").argument("hello.who=A B").run()?.console;
        let mut command = Command::new("sh");
        command.args(["-c", &format!("exec timeout 60 {line}")]);
        run(command, Vec::new(), line)?.ends_with(0)?.has_line("hello: Hello, A B!", 1).map(drop)
    });
    plan.test("run::list_params_shows_type_range_default_mode_and_words_of_each", 1, || {
        let seen = ottawa("--list-params").run()?;
        seen.ends_with(0)?;
        seen.has_line_with(&["hello.who", "string", "world", "644"])?;
        seen.has_line_with(&["hello.count", "u32", "1..=100", "644"])?;
        seen.shows_in_order(&["hello.count", "How many times."])?;
        for name in ["init", "modules", "quiet", "mem", "debug.panic"] {
            let own = |line: &str| line.split_whitespace().next() == Some(name);
            seen.expect(seen.console.lines().any(own), &format!("a line of {name}"))?;
        }
        Ok(())
    });
    plan.test("run::files_of_rootfs_lie_over_the_initramfs_through_links", 3, || {
        let folder = tempfile::tempdir().map_err(|why| why.to_string())?;
        // /lib is a link to /usr/lib there.
        let modules = folder.path().join("lib/modules");
        std::fs::create_dir_all(&modules).map_err(|why| why.to_string())?;
        std::fs::write(modules.join("hello.ko"), "no module").map_err(|why| why.to_string())?;
        let seen =
            ottawa("modules=hello,consumer init=none").argument("--rootfs").argument(folder.path()).run()?;
        seen.ends_with(1)?.has_line_with(&["module hello", "not an ELF file"])?;
        seen.has_line("consumer: producer says 42", 1).map(drop)
    });
    plan.test("run::the_runner_of_the_bare_metal_target_starts_the_machine", 10, || {
        let mut command = Command::new("sh");
        command.args(["boot/runner.sh", "target/x86_64-unknown-none/release/ottawa-kernel"]);
        command.args(["--timeout", "60", "modules=hello", "hello.who=Ottawa", "init=none"]);
        command.env("CARGO_PKG_NAME", "kernel").current_dir(boot::root());
        let seen = run(
            command,
            Vec::new(),
            "boot/runner.sh KERNEL modules=hello hello.who=Ottawa init=none".into(),
        )?;
        seen.ends_with(0)?.has_line("hello: Hello, Ottawa!", 1).map(drop)
    });
    plan.test("run::the_runner_loads_the_module_that_is_tested", 10, || {
        let mut command = Command::new("sh");
        command.args(["boot/runner.sh", "target/x86_64-unknown-none/release/deps/guest", "--timeout", "60"]);
        command.env("CARGO_PKG_NAME", "test_base").current_dir(boot::root());
        let seen = run(command, Vec::new(), "boot/runner.sh of test_base".into())?;
        seen.ends_with(0)?.shows("ktest: ok test_base::")?.shows_no("FAILED").map(drop)
    });
    if long() {
        plan.test("run::a_thousand_boots_end_well", 600, thousand_boots);
    }
}

fn thousand_boots() -> Verdict {
    for _ in 0..1000 {
        ottawa("quiet modules=hello,consumer init=none").run()?.ends_with(0)?;
    }
    Ok(())
}
