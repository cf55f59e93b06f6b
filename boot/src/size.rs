//! Sizes as people write and read them: powers of 1024, `512M`, `2.6 MiB`.

const KIB: u64 = 1 << 10;
const MIB: u64 = 1 << 20;
const GIB: u64 = 1 << 30;
const TIB: u64 = 1 << 40;

/// Reads `512M`, `1G`, `65536`; the result is in bytes.
///
/// # Errors
///
/// A line that says what a size looks like.
pub fn parse(text: &str) -> Result<u64, String> {
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let unit = match unit.to_ascii_uppercase().as_str() {
        "" => 1,
        "K" => KIB,
        "M" => MIB,
        "G" => GIB,
        "T" => TIB,
        _ => return Err("a size is a number with K, M, G or T, such as 512M".into()),
    };
    let number: u64 = number.parse().map_err(|_| "a size is a number with K, M, G or T, such as 512M")?;
    number.checked_mul(unit).ok_or_else(|| "larger than any machine's memory".into())
}

/// Writes bytes for a person: `512 MiB`, `2.6 MiB`, `712 KiB`.
pub fn display(bytes: u64) -> String {
    let (unit, name) = match bytes {
        ..KIB => return format!("{bytes} bytes"),
        KIB..MIB => (KIB, "KiB"),
        MIB..GIB => (MIB, "MiB"),
        _ => (GIB, "GiB"),
    };
    if bytes.is_multiple_of(unit) {
        format!("{} {name}", bytes / unit)
    } else {
        format!("{:.1} {name}", bytes as f64 / unit as f64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_suffix_multiplies_and_none_means_bytes() {
        assert_eq!(parse("512M"), Ok(512 << 20));
        assert_eq!(parse("16m"), Ok(16 << 20));
        assert_eq!(parse("4G"), Ok(4 << 30));
        assert_eq!(parse("4096"), Ok(4096));
    }

    #[test]
    fn what_is_no_size_is_refused() {
        for text in ["", "M", "-1M", "1X", "1.5G", "99999999999T"] {
            assert!(parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn whole_units_are_shown_without_a_fraction() {
        assert_eq!(display(512 << 20), "512 MiB");
        assert_eq!(display((2 << 20) + (600 << 10)), "2.6 MiB");
        assert_eq!(display(12), "12 bytes");
    }
}
