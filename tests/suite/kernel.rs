//! In-kernel tests: one guest runs all tests of a module; a test that ends the machine fails by name, and the others run in
//! a further one.

use crate::plan::{Plan, Verdict, Verdicts};
use boot::{Artifacts, Guest};
use std::path::Path;
use std::time::Duration;
use tests::ktest::{self, Told};
use tests::seen::Seen;
use tests::{build, long};

/// On how many CPUs each module is run.
const CPUS: [u32; 3] = [1, 2, 4];

/// The parameter `only` has 256 bytes.
const PICKED: usize = 25;

/// Adds the tests of every module that has some.
pub(crate) fn add_to(plan: &mut Plan) {
    let Ok(artifacts) = build::artifacts() else { return };
    // A module of this name is for the harness's own tests.
    for module in artifacts.modules.iter().filter(|module| module.name != crate::harness::MODULE) {
        match ktest::names(&module.path) {
            Ok(names) if names.is_empty() => {}
            Ok(names) => {
                CPUS.iter().for_each(|&cpus| add_module(plan, artifacts, &module.name, &names, cpus))
            }
            Err(why) => plan.failed(&format!("kernel::{}::names_its_tests", module.name), why),
        }
    }
}

fn add_module(plan: &mut Plan, artifacts: &'static Artifacts, module: &str, names: &[String], cpus: u32) {
    let trial = move |name: &String| format!("kernel::{name} (smp {cpus})");
    let (module, names) = (module.to_owned(), names.to_vec());
    let trials = names.iter().map(trial).collect();
    plan.group(10, trials, move |wanted| {
        let wanted: Vec<String> =
            names.iter().filter(|name| wanted.contains(&trial(name))).cloned().collect();
        let verdicts = run(artifacts, &module, &names, &wanted, cpus, limit());
        verdicts.into_iter().map(|(name, verdict)| (trial(&name), verdict)).collect()
    });
}

fn limit() -> Duration {
    Duration::from_secs(if long() { 4 * 3600 } else { 90 })
}

/// Runs the tests `wanted` of a module, in as many guests as it takes.
pub(crate) fn run(
    artifacts: &Artifacts,
    module: &str,
    all: &[String],
    wanted: &[String],
    cpus: u32,
    limit: Duration,
) -> Verdicts {
    let mut verdicts = Verdicts::new();
    let mut left: Vec<String> = wanted.to_vec();
    while !left.is_empty() {
        let words = words(module, all, &left);
        let what = format!("a machine with {cpus} CPUs and the words {}", words.join(" "));
        let guest = Guest::new(artifacts).words(words).smp(cpus).timeout(limit);
        let seen = match guest.run() {
            Ok(outcome) => Seen::machine(&what, outcome),
            Err(why) => {
                verdicts.extend(left.drain(..).map(|name| (name, Err(why.to_string()))));
                break;
            }
        };
        let told = |name: &String| ktest::told(&seen.console, name);
        let (heard, unheard): (Vec<String>, Vec<String>) =
            left.into_iter().partition(|name| told(name) != Told::Nothing);
        // A guest in which no test began will not do better a second time.
        let hopeless = heard.is_empty();
        verdicts.extend(heard.into_iter().map(|name| {
            let verdict = verdict(&seen, told(&name));
            (name, verdict)
        }));
        left = unheard;
        if hopeless {
            let why = seen.complaint("no test began");
            verdicts.extend(left.drain(..).map(|name| (name, Err(why.clone()))));
        }
    }
    verdicts
}

fn verdict(seen: &Seen, told: Told) -> Verdict {
    match told {
        Told::Passed => Ok(()),
        Told::Failed(why) => Err(seen.complaint(&why)),
        Told::Unfinished => Err(seen.complaint("the machine ended while this test ran")),
        Told::Nothing => Err(seen.complaint("the test did not begin")),
    }
}

/// The kernel's command line for these tests of the module: nothing said, or a list of as many as there is room for.
fn words(module: &str, all: &[String], left: &[String]) -> Vec<String> {
    let mut words = vec!["quiet".to_owned(), "init=none".to_owned(), format!("modules={module}")];
    if all != left {
        let picked: Vec<String> =
            left.iter().take(PICKED).map(|name| format!("@{:x}", ktest::hash(name))).collect();
        words.push(format!("{module}.only={}", picked.join(",")));
    }
    if long() {
        words.push(format!("{module}.long=1"));
    }
    words
}

/// The file of a module, for whoever wants its tests' names.
pub(crate) fn tests_of(module: &str) -> Result<Vec<String>, String> {
    let path: &Path = build::module(module)?;
    ktest::names(path)
}
