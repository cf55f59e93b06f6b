//! The in-kernel tests of a module, as its file names them and as the console tells of them.
//!
//! A test module carries an array of records in section `.ktest`: a pointer to the test's function, then its name in a
//! field of fixed length, padded with zeroes (crate `ktest` has the other side). So the names are known before any guest
//! runs.

use object::{Object, ObjectSection};
use std::path::Path;

/// Bytes of a record, and where its name begins.
const RECORD: usize = 128;
const NAME: usize = 8;

/// The names of the tests in the module at `path`, in the order in which they run.
///
/// # Errors
/// The file cannot be read or is damaged.
pub fn names(path: &Path) -> Result<Vec<String>, String> {
    let fail = |why: String| format!("{}: {why}", path.display());
    let bytes = std::fs::read(path).map_err(|why| fail(why.to_string()))?;
    let file = object::File::parse(&*bytes).map_err(|why| fail(why.to_string()))?;
    let Some(section) = file.section_by_name(".ktest") else { return Ok(Vec::new()) };
    let data = section.data().map_err(|why| fail(why.to_string()))?;
    if data.len() % RECORD != 0 {
        return Err(fail(format!(".ktest has {} bytes, no multiple of {RECORD}", data.len())));
    }
    let name = |record: &[u8]| {
        let name = record[NAME..].split(|byte| *byte == 0).next().unwrap_or_default();
        String::from_utf8_lossy(name).into_owned()
    };
    Ok(data.chunks(RECORD).map(name).collect())
}

/// What a console said of one test.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Told {
    /// It passed.
    Passed,
    /// It failed, and why.
    Failed(String),
    /// It began and was not heard of again.
    Unfinished,
    /// It was not heard of.
    Nothing,
}

/// What `console` says of the test `name`.
pub fn told(console: &str, name: &str) -> Told {
    let mut told = Told::Nothing;
    for line in console.lines().filter_map(|line| line.strip_prefix("ktest: ")) {
        let (verb, rest) = line.split_once(' ').unwrap_or((line, ""));
        match verb {
            "begins" if rest == name => told = Told::Unfinished,
            "ok" if rest == name => told = Told::Passed,
            "FAILED" => {
                if let Some((failed, why)) = rest.split_once(": ")
                    && failed == name
                {
                    told = Told::Failed(why.to_owned());
                }
            }
            _ => {}
        }
    }
    told
}
