//! The plan of a run: trials with names, and the jobs that give them their verdicts.
//!
//! A job is one piece of work: a scenario, one host test, a guest that runs all tests of a module. It serves one trial or
//! many. Jobs run on as many threads as the machine has cores (or `--test-threads` says), the longest first; the harness
//! goes through the trials in their order and waits for each one's verdict. So the output is the same in every run,
//! and the cores are busy to the end. A job none of whose trials was asked for does not run.

use libtest_mimic::{Arguments, Conclusion, Failed, Trial};
use std::any::Any;
use std::collections::{HashMap, VecDeque};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::thread;

/// How a trial ended: well, or with what there is to say.
pub(crate) type Verdict = Result<(), String>;

/// What a job found out, by the trial's name.
pub(crate) type Verdicts = HashMap<String, Verdict>;

type Work = Box<dyn FnOnce(&[String]) -> Verdicts + Send>;

struct Job {
    /// About how long it takes, for the order.
    seconds: u32,
    names: Vec<String>,
    work: Work,
    verdicts: Arc<OnceLock<Verdicts>>,
}

/// Trials and jobs, being gathered.
#[derive(Default)]
pub(crate) struct Plan {
    jobs: Vec<Job>,
    trials: Vec<Trial>,
}

impl Plan {
    /// Adds a job of one trial that takes about `seconds`.
    pub(crate) fn test(&mut self, name: &str, seconds: u32, body: impl FnOnce() -> Verdict + Send + 'static) {
        let own = name.to_owned();
        self.group(seconds, vec![name.to_owned()], move |_| HashMap::from([(own, body())]));
    }

    /// Adds a trial that is there to be named, but not run unless it is asked for.
    pub(crate) fn ignored(&mut self, name: &str, body: impl FnOnce() -> Verdict + Send + 'static) {
        self.test(name, 60, body);
        if let Some(trial) = self.trials.pop() {
            self.trials.push(trial.with_ignored_flag(true));
        }
    }

    /// Adds a trial that has failed already: something it needs could not be built.
    pub(crate) fn failed(&mut self, name: &str, why: String) {
        self.test(name, 0, move || Err(why));
    }

    /// Adds a job that serves the trials `names`. It is told which of them were asked for.
    pub(crate) fn group(
        &mut self,
        seconds: u32,
        names: Vec<String>,
        work: impl FnOnce(&[String]) -> Verdicts + Send + 'static,
    ) {
        let verdicts = Arc::new(OnceLock::new());
        for name in &names {
            let (verdicts, own) = (Arc::clone(&verdicts), name.clone());
            self.trials.push(Trial::test(name.clone(), move || wait(&verdicts, &own)));
        }
        self.jobs.push(Job { seconds, names, work: Box::new(work), verdicts });
    }

    /// Runs what the arguments ask for.
    pub(crate) fn run(self, mut arguments: Arguments) -> Conclusion {
        let wanted: HashMap<&str, bool> = self
            .trials
            .iter()
            .map(|trial| (trial.name(), !arguments.is_filtered_out(trial) && !arguments.is_ignored(trial)))
            .collect();
        let mut jobs: Vec<Job> = self.jobs;
        for job in &mut jobs {
            job.names.retain(|name| wanted.get(name.as_str()).copied().unwrap_or(false));
        }
        drop(wanted);
        jobs.retain(|job| !job.names.is_empty());
        jobs.sort_by_key(|job| std::cmp::Reverse(job.seconds));
        if !arguments.list {
            let cores = thread::available_parallelism().map_or(2, usize::from);
            start(jobs, arguments.test_threads.unwrap_or(cores));
        }
        arguments.test_threads = Some(1);
        libtest_mimic::run(&arguments, self.trials)
    }
}

/// Starts the threads that work through the jobs. They end with the last job, or with the program.
fn start(jobs: Vec<Job>, threads: usize) {
    let queue = Arc::new(Mutex::new(VecDeque::from(jobs)));
    for _ in 0..threads.max(1) {
        let queue = Arc::clone(&queue);
        thread::spawn(move || {
            loop {
                let next = queue.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
                let Some(job) = next else { break };
                let done = catch_unwind(AssertUnwindSafe(|| (job.work)(&job.names)));
                let verdicts = done.unwrap_or_else(|panic| {
                    let text = format!("the test panicked: {}", text_of(&*panic));
                    job.names.iter().map(|name| (name.clone(), Err(text.clone()))).collect()
                });
                // The only place that sets it.
                let _ = job.verdicts.set(verdicts);
            }
        });
    }
}

fn wait(verdicts: &OnceLock<Verdicts>, name: &str) -> Result<(), Failed> {
    match verdicts.wait().get(name) {
        Some(Ok(())) => Ok(()),
        Some(Err(why)) => Err(Failed::from(why)),
        None => Err(Failed::from("it did not run")),
    }
}

fn text_of(panic: &(dyn Any + Send)) -> &str {
    panic
        .downcast_ref::<String>()
        .map(String::as_str)
        .or_else(|| panic.downcast_ref::<&str>().copied())
        .unwrap_or("without a word")
}
