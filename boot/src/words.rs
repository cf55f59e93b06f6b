//! The kernel's command line, made of the words of ours.
//!
//! A word with spaces is put in double quotes, the value alone where there is a key (`who="a b"`), so that the
//! kernel sees one word as it was one here. The kernel's grammar has no escape for a double quote: a word that
//! holds one passes only when its quotes already keep its spaces together.

use crate::error::{Error, Result};

/// The longest command line, in bytes.
pub const LIMIT: usize = 2048;

/// Joins the words to the line that the kernel gets.
///
/// # Errors
///
/// [`Error::Usage`] for a line longer than [`LIMIT`] and for a word that no quoting keeps together.
pub fn line<W: AsRef<str>>(words: &[W]) -> Result<String> {
    let quoted = words.iter().map(|word| quote(word.as_ref())).collect::<Result<Vec<_>>>()?;
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

fn quote(word: &str) -> Result<String> {
    if word.contains('"') {
        return if keeps_together(word) {
            Ok(word.into())
        } else {
            Err(Error::Usage(format!(
                "the word `{word}` holds a double quote, which the kernel's command line cannot carry"
            )))
        };
    }
    if !word.is_empty() && !word.contains(is_space) {
        return Ok(word.into());
    }
    match word.split_once('=') {
        Some((key, value)) if !key.is_empty() && !key.contains(is_space) => Ok(format!("{key}=\"{value}\"")),
        _ => Ok(format!("\"{word}\"")),
    }
}

/// Whether quotes come in pairs and every space is inside one.
fn keeps_together(word: &str) -> bool {
    let mut inside = false;
    for c in word.chars() {
        match c {
            '"' => inside = !inside,
            c if is_space(c) && !inside => return false,
            _ => {}
        }
    }
    !inside
}

fn is_space(c: char) -> bool {
    c.is_ascii_whitespace() || c == '\x0b'
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_with_spaces_stays_one_word() {
        assert_eq!(line(&["who=a b", "c d", "e"]).unwrap(), r#"who="a b" "c d" e"#);
    }

    #[test]
    fn an_empty_word_stays_a_word() {
        assert_eq!(line(&["--", ""]).unwrap(), r#"-- """#);
    }

    #[test]
    fn quotes_typed_by_the_user_are_left_alone() {
        assert_eq!(line(&[r#"who="a b""#]).unwrap(), r#"who="a b""#);
    }

    #[test]
    fn a_quote_that_would_swallow_the_next_word_is_wrong_usage() {
        assert!(matches!(line(&[r#"it"s"#, "next"]), Err(Error::Usage(_))));
    }

    #[test]
    fn a_line_of_2048_bytes_passes_and_one_more_is_wrong_usage() {
        assert_eq!(line(&["a".repeat(LIMIT)]).unwrap().len(), LIMIT);
        assert!(matches!(line(&["a".repeat(LIMIT), "b".into()]), Err(Error::Usage(_))));
        assert!(matches!(line(&["a".repeat(LIMIT + 1)]), Err(Error::Usage(_))));
    }
}
