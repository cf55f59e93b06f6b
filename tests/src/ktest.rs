//! The in-kernel tests of a module, as its file names them and as the console tells of them.
//!
//! A test module carries an array of records in section `.ktest`: a pointer to the test's function, then its name in a
//! field of fixed length, padded with zeroes (crate `ktest` has the other side). So the names are known before any guest
//! runs.

use object::{Object, ObjectSection};
use std::collections::BTreeSet;
use std::path::Path;

/// Bytes of a record, and where its name begins.
const RECORD: usize = 128;
const NAME: usize = 8;

/// The names of the tests in the module at `path`, in the linker's order.
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
    let names: Vec<String> = data.chunks(RECORD).map(name).collect();
    let hashes: BTreeSet<u32> = names.iter().map(|name| hash(name)).collect();
    if hashes.len() < names.len() {
        return Err(fail(
            "two of its tests have one name, or one hash of it: give one of them another name".into(),
        ));
    }
    Ok(names)
}

/// How a test is picked on the command line: by the hash of its name (FNV-1a, 32 bits), as crate `ktest` computes it.
pub fn hash(name: &str) -> u32 {
    name.bytes().fold(0x811c_9dc5, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193))
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
