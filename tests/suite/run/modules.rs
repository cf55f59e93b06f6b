//! Modules from the boot command line: loaded, in the right order, with their parameters, or refused with a line.

use crate::plan::{Plan, Verdict};
use boot::Guest;
use std::fs;
use std::path::Path;
use tests::build;
use tests::command::ottawa;
use tests::ko::Ko;
use tests::seen::Seen;

/// Adds the scenarios.
pub(crate) fn add_to(plan: &mut Plan) {
    plan.test("run::hello_greets_who_it_is_told_to", 2, || {
        let seen = ottawa("modules=hello hello.who=Ottawa init=none").run()?;
        seen.ends_with(0)?.has_line("hello: Hello, Ottawa!", 1).map(drop)
    });
    plan.test("run::hello_greets_the_world_by_default", 2, || {
        ottawa("modules=hello init=none").run()?.ends_with(0)?.has_line("hello: Hello, world!", 1).map(drop)
    });
    plan.test("run::hello_greets_as_often_as_it_is_told_to", 2, || {
        let seen = ottawa("modules=hello hello.count=100 init=none").run()?;
        seen.ends_with(0)?.has_line("hello: Hello, world!", 100).map(drop)
    });
    plan.test("run::a_bad_parameter_is_one_line_and_hello_greets_by_default", 8, || {
        for value in ["abc", "0", "101", "-1", "1.5", "99999999999999999999"] {
            let seen = ottawa(&format!("modules=hello hello.count={value} init=none")).run()?;
            let lines = seen.console.lines().filter(|line| line.contains("hello.count")).count();
            seen.ends_with(0)?.has_line("hello: Hello, world!", 1)?;
            seen.expect(lines == 1, "one line about it")?;
            seen.has_line_with(&["hello.count", value, "u32", "1..=100"])?;
        }
        Ok(())
    });
    plan.test("run::a_parameter_that_the_module_has_not_is_one_line_and_it_loads", 2, || {
        let seen = ottawa("modules=hello hello.nosuch=1 init=none").run()?;
        seen.ends_with(0)?.has_line("hello: Hello, world!", 1)?.has_line_with(&["hello.nosuch"]).map(drop)
    });
    plan.test("run::a_text_that_is_too_long_is_one_line_and_the_default_stays", 2, || {
        let seen =
            ottawa("modules=hello init=none").argument(format!("hello.who={}", "x".repeat(65))).run()?;
        seen.ends_with(0)?.has_line("hello: Hello, world!", 1)?.has_line_with(&["hello.who", "64"]).map(drop)
    });
    plan.test("run::consumer_loads_producer_first", 2, || {
        let seen = ottawa("modules=consumer init=none").run()?;
        seen.ends_with(0)?.shows_in_order(&["module producer:", "consumer: producer says 42"]).map(drop)
    });
    plan.test("run::modules_load_in_the_order_named", 2, || {
        let seen = ottawa("modules=hello,consumer init=none").run()?;
        seen.ends_with(0)?
            .shows_in_order(&["module hello:", "module producer:", "module consumer:"])
            .map(drop)
    });
    plan.test("run::a_dash_in_a_modules_name_equals_an_underscore", 2, || {
        let seen = ottawa("--test-modules quiet modules=test-flaky test-flaky.fail=1 init=none").run()?;
        seen.ends_with(1)?.has_line_with(&["module test", "EIO"]).map(drop)
    });
    plan.test("run::an_unknown_module_is_one_line_with_those_there_are_and_the_others_load", 2, || {
        let seen = ottawa("modules=hello,nosuch,consumer init=none").run()?;
        seen.ends_with(1)?.has_line("hello: Hello, world!", 1)?.has_line("consumer: producer says 42", 1)?;
        seen.has_line_with(&["module nosuch", "no such module", "hello", "producer"]).map(drop)
    });
    plan.test("run::init_code_is_given_back_and_the_bytes_are_told", 2, || {
        ottawa("modules=hello init=none")
            .run()?
            .has_line_with(&["module hello:", "linked in", "init code given back"])
            .map(drop)
    });
    plan.test("run::a_module_crate_in_any_folder_is_built_and_loaded", 90, module_folder);
    for (name, file, damage, parts) in DAMAGE {
        plan.test(&format!("run::{name}"), 2, move || refused(file, damage, parts));
    }
}

/// A copy of `hello` under another name, outside of the repository.
fn module_folder() -> Verdict {
    let folder = tempfile::tempdir().map_err(|why| why.to_string())?;
    let (from, to) = (boot::root().join("modules/hello"), folder.path().join("greeter"));
    let io = |why: std::io::Error| why.to_string();
    fs::create_dir_all(to.join("src")).map_err(io)?;
    let manifest = fs::read_to_string(from.join("Cargo.toml")).map_err(io)?;
    fs::write(to.join("Cargo.toml"), manifest.replace("name = \"hello\"", "name = \"greeter\""))
        .map_err(io)?;
    let source = fs::read_to_string(from.join("src/lib.rs")).map_err(io)?;
    fs::write(to.join("src/lib.rs"), source.replace("Hello, {}!", "Good morning, {}!")).map_err(io)?;
    let line = "modules=greeter,hello greeter.who=Ottawa init=none";
    let seen = ottawa(line).argument("--module").argument(&to).run()?;
    seen.ends_with(0)?
        .has_line("greeter: Good morning, Ottawa!", 1)?
        .has_line("hello: Hello, world!", 1)
        .map(drop)
}

type Damage = fn(Ko) -> Result<Ko, String>;

/// Name of the trial, the module that is damaged, how, and what the one line about it says.
const DAMAGE: &[(&str, &str, Damage, &[&str])] = &[
    ("a_truncated_module_is_refused", "hello", |ko| Ok(ko.clone().truncated(ko.0.len() / 2)), &["truncated"]),
    ("an_empty_module_is_refused", "hello", |ko| Ok(ko.truncated(0)), &["not an ELF file"]),
    (
        "a_file_that_is_no_module_is_refused",
        "hello",
        |_| Ok(Ko(b"#!/bin/sh\n".to_vec())),
        &["not an ELF file"],
    ),
    ("a_module_of_another_kernel_build_is_refused", "hello", Ko::foreign, &["built for kernel", "this is"]),
    (
        "a_module_for_another_machine_is_refused",
        "hello",
        |ko| Ok(ko.for_another_machine()),
        &["not a relocatable 64-bit x86-64 object"],
    ),
    (
        "an_unresolved_symbol_is_named_with_its_place",
        "hello",
        |ko| Ok(ko.with_unknown_symbol()?.0),
        &["unresolved symbol", "_no_such_symbol", "text+0x"],
    ),
    (
        "a_relocation_out_of_range_is_named_with_place_and_symbol",
        "hello",
        Ko::with_relocation_out_of_range,
        &["text+0x", "relocation R_X86_64_", "against", "out of range"],
    ),
    (
        "an_unknown_relocation_is_named",
        "hello",
        Ko::with_unknown_relocation,
        &["text+0x", "relocation", "not supported"],
    ),
    (
        "writable_code_is_refused",
        "hello",
        Ko::with_writable_code,
        &["section .text", "writable and executable"],
    ),
    (
        "a_file_with_another_modules_name_is_refused",
        "hello",
        |_| Ko::read(build::module("producer")?),
        &["the file holds module producer"],
    ),
    ("a_module_that_needs_itself_is_refused", "hello", |ko| ko.needing("hello"), &["needs"]),
    (
        "a_module_that_needs_an_unknown_one_is_refused",
        "hello",
        |ko| ko.needing("nosuch"),
        &["module nosuch", "needed by hello"],
    ),
    (
        "a_module_that_needs_a_damaged_one_is_refused",
        "producer",
        |ko| Ok(ko.truncated(100)),
        &["module producer", "truncated", "needed by consumer"],
    ),
];

/// Lays the damaged file over the initramfs and loads it, and a good one after it: a line, status 1, the good one is there.
fn refused(file: &str, damage: &Damage, parts: &[&str]) -> Verdict {
    let good: &Path = build::module(file)?;
    let Ko(bytes) = damage(Ko::read(good)?)?;
    let (asked, other, line) = match file {
        "hello" => ("hello", "consumer", "consumer: producer says 42"),
        _ => ("consumer", "hello", "hello: Hello, world!"),
    };
    let words = ["quiet", "init=none", &format!("modules={asked},{other}")].map(String::from);
    let what = format!("a machine with a damaged {file}.ko and the words {}", words.join(" "));
    let guest = Guest::new(build::artifacts()?).words(words).file(
        format!("{}/{file}.ko", boot::MODULES),
        0o644,
        bytes,
    );
    let seen = Seen::machine(&what, guest.run().map_err(|why| why.to_string())?);
    let about = format!("module {file}");
    seen.ends_with(1)?.has_line(line, 1)?.has_line_with(parts)?;
    let lines = seen.console.lines().count();
    seen.expect(lines == 2, "one line of complaint and one of the other module")?;
    if parts.iter().all(|part| !part.starts_with("module")) {
        seen.has_line_with(&[&about, parts[0]])?;
    }
    Ok(())
}
