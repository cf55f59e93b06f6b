//! Words, and what they are made of.

use core::fmt;

/// All words of `line`, `--` and what follows included.
pub fn words(line: &str) -> Words<'_> {
    Words { rest: line, until_dashes: false }
}

/// The words of `line` before the first `--`: the kernel's.
pub fn kernel_words(line: &str) -> Words<'_> {
    Words { rest: line, until_dashes: true }
}

/// The words of `line` behind the first `--`: init's arguments.
pub fn init_words(line: &str) -> Words<'_> {
    let mut words = words(line);
    let _ = words.find(|word| word.raw == "--");
    words
}

/// Whether two names are the same, `-` and `_` being one character.
pub fn same_name(a: &str, b: &str) -> bool {
    let plain = |byte: u8| if byte == b'-' { b'_' } else { byte };
    a.len() == b.len() && a.bytes().map(plain).eq(b.bytes().map(plain))
}

fn is_space(byte: u8) -> bool {
    byte.is_ascii_whitespace() || byte == b'\x0b'
}

/// Walks over the words of a line.
#[derive(Clone, Debug)]
pub struct Words<'a> {
    rest: &'a str,
    until_dashes: bool,
}

impl<'a> Iterator for Words<'a> {
    type Item = Word<'a>;

    fn next(&mut self) -> Option<Word<'a>> {
        let rest = self.rest.trim_start_matches(|c: char| u8::try_from(c).is_ok_and(is_space));
        if rest.is_empty() {
            self.rest = rest;
            return None;
        }
        let mut scan = Scan { quoted: false, escaped: false };
        let end = rest.bytes().position(|byte| scan.step(byte) && is_space(byte)).unwrap_or(rest.len());
        let (raw, rest) = rest.split_at(end);
        if self.until_dashes && raw == "--" {
            self.rest = "";
            return None;
        }
        self.rest = rest;
        Some(Word { raw })
    }
}

/// Where in quotes a scan is.
struct Scan {
    quoted: bool,
    escaped: bool,
}

impl Scan {
    /// Goes over one byte; whether it stands outside quotes.
    fn step(&mut self, byte: u8) -> bool {
        let escaped = core::mem::take(&mut self.escaped);
        match byte {
            b'"' if !escaped => self.quoted = !self.quoted,
            // A backslash before anything but a quote or a backslash takes no meaning from that character either.
            b'\\' if self.quoted && !escaped => self.escaped = true,
            _ => {}
        }
        !self.quoted
    }
}

/// One word.
#[derive(Clone, Copy, Debug)]
pub struct Word<'a> {
    raw: &'a str,
}

impl<'a> Word<'a> {
    /// The word as it stands in the line, with quotes and escapes.
    pub fn raw(&self) -> &'a str {
        self.raw
    }

    /// The whole word.
    pub fn text(&self) -> Chunk<'a> {
        Chunk { raw: self.raw, quoted: false }
    }

    /// The name and, if there is a `=`, the value. A word that begins with `=` is all name.
    pub fn split(&self) -> (Chunk<'a>, Option<Chunk<'a>>) {
        match self.text().split_once('=') {
            Some((name, value)) if !name.is_empty() => (name, Some(value)),
            _ => (self.text(), None),
        }
    }
}

/// A word, a name or a value: a part of the line, in which quotes and escapes are still to be left out.
#[derive(Clone, Copy, Debug)]
pub struct Chunk<'a> {
    raw: &'a str,
    /// Whether it begins inside quotes.
    quoted: bool,
}

impl<'a> Chunk<'a> {
    /// What stands before and behind the first `separator`, which is neither a quote nor a backslash.
    pub fn split_once(&self, separator: char) -> Option<(Self, Self)> {
        let (before, behind) = self.raw.split_once(separator)?;
        let mut scan = Scan { quoted: self.quoted, escaped: false };
        before.bytes().for_each(|byte| {
            scan.step(byte);
        });
        Some((Chunk { raw: before, quoted: self.quoted }, Chunk { raw: behind, quoted: scan.quoted }))
    }

    /// The text in pieces: put together they are the text.
    pub fn pieces(&self) -> Pieces<'a> {
        Pieces { rest: self.raw, quoted: self.quoted }
    }

    /// The text, if it is one piece.
    pub fn as_str(&self) -> Option<&'a str> {
        let mut pieces = self.pieces();
        let first = pieces.next().unwrap_or("");
        pieces.next().is_none().then_some(first)
    }

    /// The text, put together in `buffer` if it is more than one piece. Nothing if it does not fit there.
    pub fn to_str<'b>(&self, buffer: &'b mut [u8]) -> Option<&'b str>
    where
        'a: 'b,
    {
        if let Some(text) = self.as_str() {
            return Some(text);
        }
        let mut end = 0;
        for piece in self.pieces() {
            buffer.get_mut(end..end + piece.len())?.copy_from_slice(piece.as_bytes());
            end += piece.len();
        }
        core::str::from_utf8(buffer.get(..end)?).ok()
    }

    /// The text's length in bytes.
    pub fn len(&self) -> usize {
        self.pieces().map(str::len).sum()
    }

    /// Whether there is no text.
    pub fn is_empty(&self) -> bool {
        self.pieces().next().is_none()
    }

    /// Whether the text is this name; see [`same_name`].
    pub fn is_name(&self, name: &str) -> bool {
        let mut rest = name;
        for piece in self.pieces() {
            match rest.split_at_checked(piece.len()) {
                Some((start, behind)) if same_name(start, piece) => rest = behind,
                _ => return false,
            }
        }
        rest.is_empty()
    }
}

impl PartialEq<str> for Chunk<'_> {
    fn eq(&self, other: &str) -> bool {
        let mut rest = Some(other);
        for piece in self.pieces() {
            rest = rest.and_then(|rest| rest.strip_prefix(piece));
        }
        rest == Some("")
    }
}

impl fmt::Display for Chunk<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.pieces().try_for_each(|piece| f.write_str(piece))
    }
}

/// The pieces of a chunk; none is empty.
#[derive(Clone, Debug)]
pub struct Pieces<'a> {
    rest: &'a str,
    quoted: bool,
}

impl<'a> Iterator for Pieces<'a> {
    type Item = &'a str;

    fn next(&mut self) -> Option<&'a str> {
        let mut from = 0;
        loop {
            let bytes = self.rest.as_bytes();
            let special = |&at: &usize| match bytes.get(at) {
                Some(b'"') => true,
                Some(b'\\') => self.quoted && matches!(bytes.get(at + 1), Some(b'"' | b'\\')),
                _ => false,
            };
            let end = (from..bytes.len()).find(special).unwrap_or(bytes.len());
            let (piece, rest) = self.rest.split_at_checked(end)?;
            if !piece.is_empty() {
                self.rest = rest;
                return Some(piece);
            }
            let (sign, rest) = rest.split_at_checked(1)?;
            self.rest = rest;
            if sign == "\"" {
                self.quoted = !self.quoted;
                from = 0;
            } else {
                // The escaped character begins a piece, whatever it is.
                from = 1;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::{any, prop, prop_assert, prop_assert_eq, proptest};

    fn texts(line: &str) -> Vec<String> {
        words(line).map(|word| word.text().to_string()).collect()
    }

    fn split(word: &str) -> (String, Option<String>) {
        let (name, value) = words(word).next().expect("a word").split();
        (name.to_string(), value.map(|value| value.to_string()))
    }

    /// A word as the line must hold it.
    fn quoted(word: &str) -> String {
        format!("\"{}\"", word.replace('\\', "\\\\").replace('"', "\\\""))
    }

    #[test]
    fn white_space_separates_and_quotes_keep_together() {
        assert_eq!(texts("  a\tb=c  \n"), ["a", "b=c"]);
        assert_eq!(texts(r#"k="v w" "k=v w" k=v" "w"#), ["k=v w"; 3]);
        assert_eq!(texts(r#""" a"#), ["", "a"]);
        assert_eq!(texts(r#"a "b c"#), ["a", "b c"]);
        assert!(texts("").is_empty() && texts(" \x0b\x0c ").is_empty());
    }

    #[test]
    fn escapes_count_inside_quotes_only() {
        assert_eq!(texts(r#""echo \"a b\"" x"#), [r#"echo "a b""#, "x"]);
        assert_eq!(texts(r#""\\" \n "\n" "a\\" b \"c d""#), ["\\", "\\n", "\\n", "a\\", "b", "\\c d"]);
    }

    #[test]
    fn a_word_is_split_at_the_first_equals() {
        assert_eq!(split("a=b=c"), ("a".into(), Some("b=c".into())));
        assert_eq!(split("a"), ("a".into(), None));
        assert_eq!(split("a="), ("a".into(), Some(String::new())));
        assert_eq!(split("=a"), ("=a".into(), None));
        assert_eq!(split(r#""who=Big World""#), ("who".into(), Some("Big World".into())));
        assert_eq!(split(r#"who="a\"b""#), ("who".into(), Some("a\"b".into())));
        assert_eq!(split(r#""w"ho=""#), ("who".into(), Some(String::new())));
        assert_eq!(split(r#"""=a"#), ("=a".into(), None));
        let name = words(r#""hello.who=Big World""#).next().expect("a word").split().0;
        let (part, name) = name.split_once('.').expect("a dot");
        assert_eq!((part.to_string(), name.to_string()), ("hello".into(), "who".into()));
    }

    #[test]
    fn two_dashes_end_the_kernels_words() {
        let line = "quiet \"--\" -- -c -- x";
        assert_eq!(kernel_words(line).map(|w| w.text().to_string()).collect::<Vec<_>>(), ["quiet", "--"]);
        assert_eq!(init_words(line).map(|w| w.text().to_string()).collect::<Vec<_>>(), ["-c", "--", "x"]);
        assert_eq!(init_words("a b").count(), 0);
    }

    #[test]
    fn names_do_not_tell_dash_from_underscore() {
        assert!(same_name("a-b_c", "a_b-c") && !same_name("a", "A") && !same_name("a", "ab"));
        let name = |word| words(word).next().expect("a word").split().0;
        assert!(name("fail-at=1").is_name("fail_at"));
        assert!(name(r#""fail"_at=1"#).is_name("fail-at"));
        assert!(!name("fail=1").is_name("fail_at") && !name("fail_at2").is_name("fail_at"));
    }

    #[test]
    fn a_chunk_in_pieces_is_put_together_where_there_is_room() {
        let chunk = words(r#"a"b"c"#).next().expect("a word").text();
        assert_eq!(chunk.as_str(), None);
        assert_eq!(chunk.to_str(&mut [0; 3]), Some("abc"));
        assert_eq!(chunk.to_str(&mut [0; 2]), None);
        let chunk = words(r#""abc""#).next().expect("a word").text();
        assert_eq!(chunk.to_str(&mut []), Some("abc"));
    }

    proptest! {
        #[test]
        fn any_line_is_read_without_panic_and_loses_no_plain_character(line in r#"[ a=\\"-]{0,30}|\PC*"#) {
            for word in words(&line) {
                let text = word.text().to_string();
                let (name, value) = word.split();
                if let Some(value) = value {
                    prop_assert_eq!(&text, &format!("{name}={value}"));
                }
                prop_assert!(word.text() == *text.as_str() && word.text().len() == text.len());
                let mut buffer = [0; 200];
                prop_assert_eq!(word.text().to_str(&mut buffer).unwrap_or(&text), &text);
                prop_assert_eq!(word.text().is_empty(), text.is_empty());
            }
            let letters = |text: &str| text.chars().filter(|c| *c == 'a' || *c == '=').count();
            prop_assert_eq!(texts(&line).iter().map(|text| letters(text)).sum::<usize>(), letters(&line));
        }

        #[test]
        fn quoted_words_come_out_as_they_went_in(words in prop::collection::vec(any::<String>(), 0..5)) {
            let line = words.iter().map(|word| quoted(word)).collect::<Vec<_>>().join(" ");
            prop_assert_eq!(texts(&line), words);
        }

        #[test]
        fn quoting_the_value_alone_is_the_same(name in "[a-z.]{1,5}", value in any::<String>()) {
            let expected = (name.clone(), Some(value.clone()));
            prop_assert_eq!(split(&format!("{name}={}", quoted(&value))), expected.clone());
            prop_assert_eq!(split(&quoted(&format!("{name}={value}"))), expected);
        }
    }
}
