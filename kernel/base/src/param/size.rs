//! A number of bytes.

use super::{Kind, ParamType};
use core::fmt;

/// A number of bytes. As a parameter it is written `64K`, `1M`, `2G`, or `max`;
/// for people it is shown as `64 KiB`, `1.5 MiB`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Size(pub u64);

impl Size {
    /// So many KiB.
    pub const fn kib(kib: u64) -> Self {
        Self(kib << 10)
    }

    /// So many MiB.
    pub const fn mib(mib: u64) -> Self {
        Self(mib << 20)
    }

    /// So many GiB.
    pub const fn gib(gib: u64) -> Self {
        Self(gib << 30)
    }

    /// In bytes.
    pub const fn bytes(self) -> u64 {
        self.0
    }

    #[doc(hidden)]
    pub const fn to_bits(self) -> u64 {
        self.0
    }
}

impl ParamType for Size {
    const TYPE: &'static str = "size";
    const KIND: Kind = Kind::Size;

    fn from_bits(bits: u64) -> Self {
        Self(bits)
    }
}

/// `20 KiB`, `1.3 KiB`, `511 MiB`, `17 bytes`: at most one digit behind the point, rounded down.
impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let step = self.0.checked_ilog2().unwrap_or(0) / 10;
        let Some(unit) = step.checked_sub(1).and_then(|at| "KMGTPE".as_bytes().get(at as usize)) else {
            return write!(f, "{} byte{}", self.0, if self.0 == 1 { "" } else { "s" });
        };
        let (whole, rest) = (self.0 >> (10 * step), self.0 & ((1 << (10 * step)) - 1));
        let tenth = (u128::from(rest) * 10) >> (10 * step);
        match tenth {
            0 => write!(f, "{whole} {}iB", char::from(*unit)),
            _ => write!(f, "{whole}.{tenth} {}iB", char::from(*unit)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_shown_for_people() {
        for (bytes, text) in [
            (0, "0 bytes"),
            (1, "1 byte"),
            (1023, "1023 bytes"),
            (20 << 10, "20 KiB"),
            (1331, "1.2 KiB"),
            (1332, "1.3 KiB"),
            (511 << 20, "511 MiB"),
            (u64::MAX, "15.9 EiB"),
        ] {
            assert_eq!(std::format!("{}", Size(bytes)), text);
        }
    }
}
