//! Names from the object's string tables, and how a person reads them.
//!
//! A Rust function goes by its path, `producer::produce`, as far as its mangled name is a plain path.
//! Names come from a file that nobody has vouched for, and are shown on 8 KiB kernel stacks: so no
//! recursive demangler, whose depth the name decides, but a loop that knows paths and nothing else.
//! All other names are shown as they are, escaped and cut.

use core::fmt::{self, Display, Formatter};

/// A name, shown escaped and never longer than a line.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Name<'a>(pub &'a [u8]);

impl<'a> Name<'a> {
    /// Bytes of a name that are shown.
    const SHOWN: usize = 160;

    /// The name as text; `None` if it is not UTF-8.
    pub fn as_str(self) -> Option<&'a str> {
        core::str::from_utf8(self.0).ok()
    }
}

impl Display for Name<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        if let Some(path) = Path::parse(self.0) {
            return path.fmt(f);
        }
        match self.0.get(..Self::SHOWN) {
            Some(start) if self.0.len() > Self::SHOWN => write!(f, "{}...", start.escape_ascii()),
            _ => write!(f, "{}", self.0.escape_ascii()),
        }
    }
}

impl fmt::Debug for Name<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "\"{self}\"")
    }
}

/// A mangled name (Rust's v0 scheme) that is a path: a crate and identifiers in it.
struct Path<'a> {
    /// From the crate's name on.
    rest: &'a [u8],
    identifiers: usize,
}

impl<'a> Path<'a> {
    fn parse(name: &'a [u8]) -> Option<Self> {
        if name.len() > Name::SHOWN {
            return None;
        }
        let mut rest = name.strip_prefix(b"_R")?;
        let mut identifiers = 1;
        // Each `N` and its namespace stand for one more identifier behind the path that follows. An
        // upper-case namespace is a closure or shim, without a name of its own.
        while let [b'N', b'a'..=b'z', inner @ ..] = rest {
            identifiers += 1;
            rest = inner;
        }
        let rest = rest.strip_prefix(b"C")?;
        let path = Self { rest, identifiers };
        let mut end = path.rest;
        for _ in 0..identifiers {
            end = identifier(end)?.1;
        }
        // Behind the path may stand the crate that a function was compiled in.
        matches!(end, [] | [b'C' | b'N', ..]).then_some(path)
    }
}

/// The identifier that `rest` begins with, and what follows it: its number in base 62 (`s..._`), its
/// length, and its bytes, with an underscore between where they begin with a digit or underscore.
fn identifier(rest: &[u8]) -> Option<(&[u8], &[u8])> {
    let rest = match rest {
        [b's', number @ ..] => number.get(number.iter().position(|byte| *byte == b'_')? + 1..)?,
        _ => rest,
    };
    let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let (length, rest) = rest.split_at_checked(digits)?;
    let length = core::str::from_utf8(length).ok()?.parse::<usize>().ok()?;
    let rest = rest.strip_prefix(b"_").unwrap_or(rest);
    let (text, rest) = rest.split_at_checked(length)?;
    let plain = text.iter().all(|byte| byte.is_ascii_alphanumeric() || *byte == b'_');
    (plain && !text.is_empty()).then_some((text, rest))
}

impl Display for Path<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let mut rest = self.rest;
        for number in 0..self.identifiers {
            let Some((text, after)) = identifier(rest) else { break };
            let separator = if number == 0 { "" } else { "::" };
            write!(f, "{separator}{}", text.escape_ascii())?;
            rest = after;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    extern crate std;
    use super::Name;
    use std::string::ToString;

    fn shown(name: &str) -> std::string::String {
        Name(name.as_bytes()).to_string()
    }

    #[test]
    fn a_path_is_shown_as_in_the_source() {
        assert_eq!(shown("_RNvCs4fxQ_8producer7produce"), "producer::produce");
        assert_eq!(shown("_RNvNtNtC4base3log7console5flush"), "base::log::console::flush");
        assert_eq!(shown("_RNvCs1_1a2__9"), "a::_9");
        assert_eq!(shown("_RNvNvCs1_1a1b1cCs2_1d"), "a::b::c");
    }

    #[test]
    fn other_names_are_shown_as_they_are() {
        for name in [
            "",
            "memcpy",
            "_R",
            "_RN",
            "_RNv",
            "_RNvC",
            "_RNvC3ab",
            "_RNvC99999999999999999999a",
            "_RNCC1a1b",
            "_RNvMs_C1a1b1c",
            "_RINvC1a1bmE",
            "_RNvCs1a1b",
            "_RNvC1a1bxyz",
            "_RNvC1a1+",
        ] {
            assert_eq!(shown(name), name);
        }
        assert_eq!(shown("a\x1b[2J\n"), "a\\x1b[2J\\n");
    }

    #[test]
    fn no_name_is_longer_than_a_line() {
        assert_eq!(shown(&"a".repeat(1000)).len(), 163);
        let nested = std::format!("_R{}C{}", "Nv".repeat(1000), "1a".repeat(1001));
        assert!(shown(&nested).len() < 170);
    }
}
