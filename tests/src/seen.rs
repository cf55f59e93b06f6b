//! An ended run, of the command or of a machine, and what is expected of it. Each expectation that is not met says what
//! was seen instead: the status and the last lines.

use boot::Outcome;
use std::fmt::Write;
use std::time::Duration;

/// How many of the console's last lines a failure shows.
const TAIL: usize = 40;

/// What was seen of a run.
#[derive(Debug, Clone)]
pub struct Seen {
    /// What was run.
    pub what: String,
    /// The exit status; none where a signal ended it.
    pub status: Option<i32>,
    /// Standard output: the guest's console, without carriage returns.
    pub console: String,
    /// Standard error: the command's own words.
    pub words: String,
    /// Cycles from the kernel's first instruction to power-off, where the guest told.
    pub boot_cycles: Option<u64>,
    /// From start to end.
    pub wall: Duration,
}

impl Seen {
    /// A machine's end.
    pub fn machine(what: &str, outcome: Outcome) -> Self {
        let mut words = outcome.words.clone();
        if let Some(why) = &outcome.why {
            let _ = writeln!(words, "{why}");
        }
        Self {
            what: what.to_owned(),
            status: Some(i32::from(outcome.status)),
            console: outcome.console(),
            words,
            boot_cycles: outcome.boot_cycles,
            wall: outcome.wall,
        }
    }

    /// What a failed expectation says: `problem`, then what was seen.
    pub fn complaint(&self, problem: &str) -> String {
        let lines: Vec<&str> = self.console.lines().collect();
        let tail = lines[lines.len().saturating_sub(TAIL)..].join("\n    ");
        let status = self.status.map_or("a signal".into(), |status| format!("status {status}"));
        let words = self.words.trim_end().replace('\n', "\n    ");
        format!(
            "{problem}\n  {}\n  ended with {status} after {:.1} s; its console's last lines:\n    {tail}\n  its own words:\n    {words}",
            self.what,
            self.wall.as_secs_f64()
        )
    }

    /// `Err` with what was seen, unless `met`.
    ///
    /// # Errors
    /// See above.
    pub fn expect(&self, met: bool, expected: &str) -> Result<&Self, String> {
        if met { Ok(self) } else { Err(self.complaint(&format!("expected {expected}"))) }
    }

    /// It ended with this status.
    ///
    /// # Errors
    /// It did not.
    pub fn ends_with(&self, status: i32) -> Result<&Self, String> {
        self.expect(self.status == Some(status), &format!("status {status}"))
    }

    /// The console holds this text.
    ///
    /// # Errors
    /// It does not.
    pub fn shows(&self, text: &str) -> Result<&Self, String> {
        self.expect(self.console.contains(text), &format!("{text:?} on the console"))
    }

    /// The console has this line, exactly, so many times.
    ///
    /// # Errors
    /// It has it more or less often.
    pub fn has_line(&self, line: &str, times: usize) -> Result<&Self, String> {
        let found = self.console.lines().filter(|seen| *seen == line).count();
        self.expect(found == times, &format!("the line {line:?} {times} times, not {found} times"))
    }

    /// The console has one line that holds all of these.
    ///
    /// # Errors
    /// It has none.
    pub fn has_line_with(&self, parts: &[&str]) -> Result<&Self, String> {
        let found = self.console.lines().any(|line| parts.iter().all(|part| line.contains(part)));
        self.expect(found, &format!("a line with all of {parts:?}"))
    }

    /// The console holds nothing of the kind.
    ///
    /// # Errors
    /// It does.
    pub fn shows_no(&self, text: &str) -> Result<&Self, String> {
        self.expect(!self.console.contains(text), &format!("no {text:?} on the console"))
    }

    /// These texts stand on the console in this order.
    ///
    /// # Errors
    /// They do not.
    pub fn shows_in_order(&self, texts: &[&str]) -> Result<&Self, String> {
        let mut rest = self.console.as_str();
        for text in texts {
            match rest.find(text) {
                Some(at) => rest = &rest[at + text.len()..],
                None => {
                    return Err(
                        self.complaint(&format!("expected, in this order, {texts:?}; {text:?} is missing"))
                    );
                }
            }
        }
        Ok(self)
    }

    /// Standard error holds this text.
    ///
    /// # Errors
    /// It does not.
    pub fn says(&self, text: &str) -> Result<&Self, String> {
        self.expect(self.words.contains(text), &format!("{text:?} on standard error"))
    }

    /// Standard error has exactly one line that begins with `error: `, which holds all of these.
    ///
    /// # Errors
    /// It has none, or more.
    pub fn says_in_one_line(&self, parts: &[&str]) -> Result<&Self, String> {
        let errors: Vec<&str> = self.words.lines().filter(|line| line.starts_with("error: ")).collect();
        let met = matches!(errors[..], [one] if parts.iter().all(|part| one.contains(part)));
        self.expect(met, &format!("one line `error: ...` with all of {parts:?}"))
    }
}
