//! One line of text on the stack: what does not fit is cut off, what is no text is escaped.

use super::ring::TEXT_MAX;
use core::fmt::{self, Write};

const CUT: &[u8] = b"...";

/// Room for a record's text.
pub(super) struct Line {
    len: usize,
    cut: bool,
    bytes: [u8; TEXT_MAX],
}

impl Line {
    pub(super) const fn new() -> Self {
        Self { len: 0, cut: false, bytes: [0; TEXT_MAX] }
    }

    /// Formats `args` behind what is there.
    pub(super) fn write(&mut self, args: fmt::Arguments<'_>) {
        // An error of a value's own formatting leaves what was written up to there: better than no record.
        let _ = self.write_fmt(args);
    }

    pub(super) fn as_bytes(&self) -> &[u8] {
        self.bytes.get(..self.len).unwrap_or(&[])
    }

    fn push(&mut self, piece: &[u8]) {
        if self.cut {
            return;
        }
        let room = TEXT_MAX - CUT.len();
        if self.len + piece.len() <= room {
            self.append(piece);
        } else {
            self.cut = true;
            self.append(CUT);
        }
    }

    fn append(&mut self, piece: &[u8]) {
        if let Some(place) = self.bytes.get_mut(self.len..self.len + piece.len()) {
            place.copy_from_slice(piece);
            self.len += piece.len();
        }
    }
}

impl Write for Line {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        // Runs of plain text in one copy; only what needs escaping or cutting goes character by character.
        let mut plain = text;
        while !plain.is_empty() {
            let run = plain.bytes().position(|byte| byte < b' ' || byte == 0x7f).unwrap_or(plain.len());
            let (text, rest) = plain.split_at(run);
            if self.len + text.len() <= TEXT_MAX - CUT.len() {
                self.push(text.as_bytes());
            } else {
                text.chars().for_each(|c| self.push(c.encode_utf8(&mut [0; 4]).as_bytes()));
            }
            let mut rest = rest.chars();
            match rest.next() {
                Some('\n') => self.push(b"\\n"),
                Some('\t') => self.push(b"\t"),
                Some(other) => self.push(&hex(other as u8)),
                None => {}
            }
            plain = rest.as_str();
        }
        Ok(())
    }
}

fn hex(byte: u8) -> [u8; 4] {
    let digit = |nibble: u8| if nibble < 10 { b'0' + nibble } else { b'a' + nibble - 10 };
    [b'\\', b'x', digit(byte >> 4), digit(byte & 15)]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(text: &str) -> String {
        let mut line = Line::new();
        line.write(format_args!("{text}"));
        std::str::from_utf8(line.as_bytes()).expect("text").into()
    }

    #[test]
    fn control_characters_are_escaped() {
        assert_eq!(line("a\nb\tc\x1b[2Jd\x7fe\u{e9}"), "a\\nb\tc\\x1b[2Jd\\x7fe\u{e9}");
    }

    #[test]
    fn long_text_is_cut_at_a_character_and_marked() {
        for len in 0..2 * TEXT_MAX {
            let text = "\u{e9}".repeat(len);
            let shown = line(&text);
            if text.len() <= TEXT_MAX - CUT.len() {
                assert_eq!(shown, text);
            } else {
                assert!(shown.ends_with("...") && shown.len() <= TEXT_MAX, "{len}: {shown}");
            }
        }
    }
}
