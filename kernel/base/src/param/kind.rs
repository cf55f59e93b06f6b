//! What values a type has: how they are read, written, compared.
//!
//! Every value but a text travels as 64 bits. Reading happens at run time; writing also when the kernel is compiled, for the
//! descriptions in its image.

use cmdline::{parse_bool, parse_duration, parse_signed, parse_size, parse_unsigned};

/// The family of a parameter's type.
#[derive(Clone, Copy, Debug)]
pub enum Kind {
    /// `Y` or `N`.
    Bool,
    /// Numbers from 0 to `max`.
    Unsigned {
        /// The highest.
        max: u64,
    },
    /// Numbers from `min` to `max`.
    Signed {
        /// The lowest.
        min: i64,
        /// The highest.
        max: i64,
    },
    /// Bytes, with a binary suffix; `max` is all that can be.
    Size,
    /// Nanoseconds, with a unit.
    Duration,
    /// Names, each with its bits.
    Names(&'static [(&'static str, u64)]),
}

const SIZE_UNITS: [(&str, u64); 6] =
    [("E", 1 << 60), ("P", 1 << 50), ("T", 1 << 40), ("G", 1 << 30), ("M", 1 << 20), ("K", 1 << 10)];
const TIME_UNITS: [(&str, u64); 4] = [("s", 1_000_000_000), ("ms", 1_000_000), ("us", 1_000), ("ns", 1)];

impl Kind {
    /// The bits of the value that `text` says, or nothing if it says none of this kind.
    pub fn parse(self, text: &str) -> Option<u64> {
        match self {
            Self::Bool => parse_bool(text).map(u64::from),
            Self::Unsigned { max } => parse_unsigned(text).filter(|value| *value <= max),
            Self::Signed { min, max } => {
                parse_signed(text).filter(|value| (min..=max).contains(value)).map(i64::cast_unsigned)
            }
            Self::Size if text == "max" => Some(u64::MAX),
            Self::Size => parse_size(text),
            Self::Duration => parse_duration(text),
            Self::Names(names) => {
                names.iter().find(|(name, _)| cmdline::same_name(name, text)).map(|(_, bits)| *bits)
            }
        }
    }

    /// Whether `bits` lies in the bounds.
    pub const fn contains(self, bounds: Option<(u64, u64)>, bits: u64) -> bool {
        let Some((low, high)) = bounds else { return true };
        match self {
            Self::Signed { .. } => low as i64 <= bits as i64 && bits as i64 <= high as i64,
            _ => low <= bits && bits <= high,
        }
    }

    /// The value as [`parse`](Self::parse) reads it.
    pub const fn show(self, bits: u64) -> Shown {
        Shown::EMPTY.value(self, bits)
    }

    /// The bounds, or what names there are; nothing where every value of the type will do.
    pub const fn show_range(self, bounds: Option<(u64, u64)>) -> Shown {
        let mut shown = Shown::EMPTY;
        if let Some((low, high)) = bounds {
            shown = shown.value(self, low).text("..=").value(self, high);
        } else if let Self::Names(names) = self {
            let mut at = 0;
            while at < names.len() {
                shown = shown.text(if at == 0 { "" } else { "|" }).text(names[at].0);
                at += 1;
            }
        }
        shown
    }
}

/// Stops the compilation when a default lies out of its range.
#[doc(hidden)]
pub const fn check_default(kind: Kind, default: u64, bounds: Option<(u64, u64)>) {
    assert!(kind.contains(bounds, default), "the parameter's default lies out of its range");
}

/// A short text made without memory, when the kernel is compiled as well as when it runs.
#[derive(Clone, Copy, Debug)]
pub struct Shown {
    bytes: [u8; Self::ROOM],
    len: usize,
}

impl Shown {
    const ROOM: usize = 96;
    pub(super) const EMPTY: Self = Self { bytes: [0; Self::ROOM], len: 0 };

    /// The text.
    pub const fn as_str(&self) -> &str {
        match core::str::from_utf8(self.bytes.split_at(self.len).0) {
            Ok(text) => text,
            Err(_) => "",
        }
    }

    /// With `text` behind it, as far as there is room for all of it.
    pub(super) const fn text(mut self, text: &str) -> Self {
        let text = text.as_bytes();
        let mut at = 0;
        while at < text.len() && self.len + text.len() - at <= Self::ROOM {
            self.bytes[self.len] = text[at];
            self.len += 1;
            at += 1;
        }
        self
    }

    pub(super) const fn number(mut self, number: u64) -> Self {
        if number >= 10 {
            self = self.number(number / 10);
        }
        let digit = [b'0' + (number % 10) as u8];
        match core::str::from_utf8(&digit) {
            Ok(digit) => self.text(digit),
            Err(_) => self,
        }
    }

    const fn value(self, kind: Kind, bits: u64) -> Self {
        match kind {
            Kind::Bool => self.text(if bits == 0 { "N" } else { "Y" }),
            Kind::Unsigned { .. } => self.number(bits),
            Kind::Signed { .. } => {
                let value = bits as i64;
                self.text(if value < 0 { "-" } else { "" }).number(value.unsigned_abs())
            }
            Kind::Size if bits == u64::MAX => self.text("max"),
            Kind::Size => self.in_units(bits, &SIZE_UNITS),
            Kind::Duration => self.in_units(bits, &TIME_UNITS),
            Kind::Names(names) => {
                let mut at = 0;
                while at < names.len() {
                    if names[at].1 == bits {
                        return self.text(names[at].0);
                    }
                    at += 1;
                }
                self.number(bits)
            }
        }
    }

    /// In the largest unit that leaves no fraction.
    const fn in_units(self, value: u64, units: &[(&str, u64)]) -> Self {
        let mut at = 0;
        while at < units.len() {
            let (unit, size) = units[at];
            if value != 0 && value.is_multiple_of(size) {
                return self.number(value / size).text(unit);
            }
            at += 1;
        }
        self.number(value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NAMES: Kind = Kind::Names(&[("deadline", 0), ("no_op", 7)]);

    #[test]
    fn what_is_shown_is_read_back() {
        let signed = Kind::Signed { min: -128, max: 127 };
        for (kind, bits, text) in [
            (Kind::Bool, 0, "N"),
            (Kind::Bool, 1, "Y"),
            (Kind::Unsigned { max: u64::MAX }, u64::MAX, "18446744073709551615"),
            (signed, (-128i64).cast_unsigned(), "-128"),
            (signed, 127, "127"),
            (Kind::Size, 0, "0"),
            (Kind::Size, 65536, "64K"),
            (Kind::Size, 1000, "1000"),
            (Kind::Size, 3 << 60, "3E"),
            (Kind::Size, u64::MAX, "max"),
            (Kind::Duration, 0, "0"),
            (Kind::Duration, 1_500_000_000, "1500ms"),
            (Kind::Duration, 3, "3ns"),
            (NAMES, 7, "no_op"),
        ] {
            assert_eq!(kind.show(bits).as_str(), text);
            assert_eq!(kind.parse(text), Some(bits), "{text}");
        }
    }

    #[test]
    fn values_outside_the_type_are_refused() {
        assert_eq!(Kind::Unsigned { max: 255 }.parse("256"), None);
        assert_eq!(Kind::Signed { min: -128, max: 127 }.parse("-129"), None);
        assert_eq!(NAMES.parse("cfq"), None);
        assert_eq!(NAMES.parse("no-op"), Some(7));
    }

    #[test]
    fn ranges_are_shown_and_kept() {
        let signed = Kind::Signed { min: i64::MIN, max: i64::MAX };
        let bounds = Some(((-5i64).cast_unsigned(), 5));
        assert_eq!(signed.show_range(bounds).as_str(), "-5..=5");
        assert!(signed.contains(bounds, 0) && !signed.contains(bounds, 6));
        assert_eq!(Kind::Size.show_range(Some((4096, 1 << 30))).as_str(), "4K..=1G");
        assert_eq!(NAMES.show_range(None).as_str(), "deadline|no_op");
        assert_eq!(Kind::Bool.show_range(None).as_str(), "");
    }
}
