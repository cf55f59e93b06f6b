//! `--list-params`: every parameter of kernel and modules, from what `param!` left in their files.
//!
//! Section `.paraminfo` holds records of eight fields, each ended by a NUL: part (empty: the kernel's own or the
//! module's), name, type, default, range (may be empty), mode, documentation (may have several lines), and an empty
//! one. What lies between records is NULs too.

use crate::error::{Error, Result};
use crate::guest::Artifacts;
use object::{Object, ObjectSection};
use std::fs;
use std::path::Path;

/// One parameter, as declared.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Param {
    name: String,
    kind: String,
    default: String,
    range: String,
    mode: String,
    doc: Vec<String>,
}

/// The table of all parameters, as text.
///
/// # Errors
///
/// [`Error::Host`] for a file that cannot be read or whose records are damaged.
pub fn table(artifacts: &Artifacts) -> Result<String> {
    let mut params = of_file(&artifacts.stripped, "")?;
    params.sort_by(|a, b| a.name.cmp(&b.name));
    for module in &artifacts.modules {
        params.extend(of_file(&module.path, &module.name)?);
    }
    Ok(layout(&params))
}

fn of_file(path: &Path, part: &str) -> Result<Vec<Param>> {
    let bytes = fs::read(path).map_err(|why| Error::file("read", path, why))?;
    let file = object::File::parse(&*bytes).map_err(|why| Error::file("understand", path, why))?;
    let Some(section) = file.section_by_name(".paraminfo") else { return Ok(Vec::new()) };
    let data = section.data().map_err(|why| Error::file("understand", path, why))?;
    records(data, part).ok_or_else(|| Error::file("understand", path, ".paraminfo is cut short"))
}

/// Reads records; those without a part of their own belong to `part`.
fn records(data: &[u8], part: &str) -> Option<Vec<Param>> {
    let mut fields = data.split(|byte| *byte == 0).map(|field| String::from_utf8_lossy(field).into_owned());
    let mut params = Vec::new();
    let mut rest = data;
    while rest.iter().any(|byte| *byte != 0) {
        let [own, name, kind, default, range, mode, doc, end] = std::array::from_fn(|_| fields.next());
        let (own, name) = (own?, name?);
        if !end?.is_empty() || name.is_empty() {
            return None;
        }
        let part = if own.is_empty() { part } else { &own };
        let name = if part.is_empty() { name.clone() } else { format!("{part}.{name}") };
        let doc = doc?.lines().map(|line| line.trim().to_owned()).collect();
        params.push(Param { name, kind: kind?, default: default?, range: range?, mode: mode?, doc });
        rest = after_fields(rest, 8);
    }
    Some(params)
}

/// What lies behind that many NULs.
fn after_fields(data: &[u8], count: usize) -> &[u8] {
    let mut rest = data;
    for _ in 0..count {
        let end = rest.iter().position(|byte| *byte == 0).map_or(rest.len(), |at| at + 1);
        rest = &rest[end..];
    }
    rest
}

fn layout(params: &[Param]) -> String {
    let heads = ["PARAMETER", "TYPE", "RANGE", "DEFAULT", "MODE", "WHAT IT IS"].map(str::to_owned);
    let mut rows = vec![heads];
    for param in params {
        let mode = param.mode.trim_start_matches("0o").trim_start_matches('0');
        let mode = format!("{mode:0>4}");
        let mut doc = param.doc.iter().filter(|line| !line.is_empty());
        let first = doc.next().cloned().unwrap_or_default();
        rows.push([
            param.name.clone(),
            param.kind.clone(),
            param.range.clone(),
            param.default.clone(),
            mode,
            first,
        ]);
        rows.extend(doc.map(|line| ["", "", "", "", "", line].map(str::to_owned)));
    }
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let widths: [usize; 6] = std::array::from_fn(width);
    let line = |row: &[String; 6]| {
        let cells: Vec<String> =
            row.iter().zip(widths).map(|(cell, width)| format!("{cell:width$}")).collect();
        format!("{}\n", cells.join("  ").trim_end())
    };
    rows.iter().map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TWO: &[u8] = b"\0who\0Text<64>\0world\0\x000o644\0Who is greeted.\0\0hello\0count\0u32\x001\x001..=100\x000o644\0How many\n times.\0\0";

    #[test]
    fn records_become_an_aligned_table() {
        let params = records(TWO, "x").unwrap();
        assert_eq!(
            layout(&params),
            "PARAMETER    TYPE      RANGE    DEFAULT  MODE  WHAT IT IS\n\
             x.who        Text<64>           world    0644  Who is greeted.\n\
             hello.count  u32       1..=100  1        0644  How many\n                                               times.\n"
        );
    }

    #[test]
    fn padding_is_passed_over_and_a_cut_record_is_an_error() {
        let padded = [TWO, &[0; 5]].concat();
        assert_eq!(records(&padded, "x"), records(TWO, "x"));
        assert_eq!(records(&TWO[..TWO.len() - 12], "x"), None);
        assert_eq!(records(b"", "x"), Some(Vec::new()));
    }
}
