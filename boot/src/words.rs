//! The kernel's command line, made of the words of ours.
//!
//! Every word reaches the kernel as it was given here. One with spaces or double quotes is put in double quotes, the
//! value alone where there is a key (`who="a b"`); in them `\"` is a quote and `\\` a backslash, as the kernel's crate
//! `cmdline` reads it. A word that is already written that way for the kernel (`"a b"`, `who="a b"`) is left alone.

use crate::error::{Error, Result};

/// The longest command line, in bytes.
pub const LIMIT: usize = 2048;

/// Joins the words to the line that the kernel gets.
///
/// # Errors
///
/// [`Error::Usage`] for a line longer than [`LIMIT`].
pub fn line<W: AsRef<str>>(words: &[W]) -> Result<String> {
    let quoted: Vec<String> = words.iter().map(|word| quote(word.as_ref())).collect();
    let line = quoted.join(" ");
    if line.len() > LIMIT {
        let over = line.len() - LIMIT;
        return Err(Error::Usage(format!(
            "the kernel's command line has {} bytes, {over} more than the {LIMIT} it may have: leave words out",
            line.len()
        )));
    }
    Ok(line)
}

fn quote(word: &str) -> String {
    let special = |text: &str| text.is_empty() || text.contains(|c: char| is_space(c) || c == '"');
    match word.split_once('=') {
        _ if !special(word) || is_quoted(word) => word.into(),
        Some((key, value)) if !special(key) => {
            if is_quoted(value) {
                word.into()
            } else {
                format!("{key}={}", in_quotes(value))
            }
        }
        _ => in_quotes(word),
    }
}

/// Whether quotes around it are the only ones.
fn is_quoted(text: &str) -> bool {
    text.strip_prefix('"')
        .and_then(|text| text.strip_suffix('"'))
        .is_some_and(|inner| !inner.contains(['"', '\\']))
}

fn in_quotes(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', r"\\").replace('"', r#"\""#))
}

fn is_space(c: char) -> bool {
    c.is_ascii_whitespace() || c == '\x0b'
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_with_spaces_stays_one_word() {
        assert_eq!(line(&["who=a b", "c d", "e", r"f\g"]).unwrap(), r#"who="a b" "c d" e f\g"#);
    }

    #[test]
    fn the_kernel_reads_each_word_as_it_was_given() {
        let given = [
            "a",
            "",
            "k=v w",
            "k w=v",
            r#"echo "hi there""#,
            r#"it"s"#,
            r#"a\"b c\"#,
            "--",
            "x=",
            "=y z",
            "t\tu",
        ];
        let line = line(&given).unwrap();
        let read: Vec<String> = cmdline::words(&line).map(|word| word.text().to_string()).collect();
        assert_eq!(read, given);
    }

    #[test]
    fn quotes_written_for_the_kernel_are_left_alone() {
        assert_eq!(line(&[r#"who="a b""#, r#""who=a b""#]).unwrap(), r#"who="a b" "who=a b""#);
    }

    #[test]
    fn a_line_of_2048_bytes_passes_and_one_more_is_wrong_usage() {
        assert_eq!(line(&["a".repeat(LIMIT)]).unwrap().len(), LIMIT);
        assert!(matches!(line(&["a".repeat(LIMIT), "b".into()]), Err(Error::Usage(_))));
        assert!(matches!(line(&["a".repeat(LIMIT + 1)]), Err(Error::Usage(_))));
    }
}
