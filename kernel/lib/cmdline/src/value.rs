//! Values: what a person writes, read as Linux reads it.

/// `y`, `yes`, `t`, `true`, `on`, `1` and `n`, `no`, `f`, `false`, `off`, `0`, in any case.
pub fn parse_bool(text: &str) -> Option<bool> {
    let is = |word: &&str| text.eq_ignore_ascii_case(word);
    if ["y", "1", "on", "yes", "true", "t"].iter().any(is) {
        Some(true)
    } else if ["n", "0", "off", "no", "false", "f"].iter().any(is) {
        Some(false)
    } else {
        None
    }
}

/// A number: decimal, `0x` hexadecimal, or octal after `0` or `0o`; a `+` may stand before it.
pub fn parse_unsigned(text: &str) -> Option<u64> {
    magnitude(text.strip_prefix('+').unwrap_or(text))
}

/// A number as for [`parse_unsigned`], or `-` and one.
pub fn parse_signed(text: &str) -> Option<i64> {
    match text.strip_prefix('-') {
        Some(text) => 0i64.checked_sub_unsigned(magnitude(text)?),
        None => parse_unsigned(text)?.try_into().ok(),
    }
}

/// A number of bytes, times 1,024 for each step of a suffix K, M, G, T, P, E in either case.
pub fn parse_size(text: &str) -> Option<u64> {
    // A number first: in hexadecimal `E` is a digit.
    if let Some(bytes) = parse_unsigned(text) {
        return Some(bytes);
    }
    let mut number = text.chars();
    let suffix = number.next_back()?.to_ascii_uppercase();
    let step = "KMGTPE".find(suffix)? + 1;
    parse_unsigned(number.as_str())?.checked_mul(1 << (10 * step))
}

/// A time in nanoseconds: a number with `ns`, `us`, `ms` or `s`; `0` needs no unit.
pub fn parse_duration(text: &str) -> Option<u64> {
    if parse_unsigned(text) == Some(0) {
        return Some(0);
    }
    let units = [("ns", 1), ("us", 1_000), ("ms", 1_000_000), ("s", 1_000_000_000)];
    let (number, ns) = units.iter().find_map(|(unit, ns)| Some((text.strip_suffix(unit)?, ns)))?;
    parse_unsigned(number)?.checked_mul(*ns)
}

fn magnitude(text: &str) -> Option<u64> {
    let after = |prefix: &str| {
        let (start, rest) = text.split_at_checked(prefix.len())?;
        start.eq_ignore_ascii_case(prefix).then_some(rest)
    };
    let (digits, radix) = match (after("0x"), after("0o"), after("0")) {
        (Some(digits), ..) => (digits, 16),
        (_, Some(digits), _) => (digits, 8),
        (.., Some(digits)) if !digits.is_empty() => (digits, 8),
        _ => (text, 10),
    };
    // The standard parser would take a second sign.
    if digits.starts_with(['+', '-']) {
        return None;
    }
    u64::from_str_radix(digits, radix).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::{any, prop_assert_eq, proptest};

    #[test]
    fn bools_are_words_in_any_case() {
        for text in ["y", "Y", "1", "on", "ON", "yes", "true"] {
            assert_eq!(parse_bool(text), Some(true), "{text}");
        }
        for text in ["n", "N", "0", "off", "No", "false"] {
            assert_eq!(parse_bool(text), Some(false), "{text}");
        }
        for text in ["", "2", "yy", "o", "tru", "-1"] {
            assert_eq!(parse_bool(text), None, "{text}");
        }
    }

    #[test]
    fn the_base_of_a_number_is_told_by_its_start() {
        for (text, number) in
            [("0", 0), ("10", 10), ("010", 8), ("0o10", 8), ("0x1F", 31), ("0XfF", 255), ("+7", 7)]
        {
            assert_eq!(parse_unsigned(text), Some(number), "{text}");
        }
        for text in ["", "+", "-1", "0x", "08", "0o", "0x-1", "1 ", " 1", "1_000", "++1", "0+1", "\u{661}"] {
            assert_eq!(parse_unsigned(text), None, "{text}");
        }
        assert_eq!(parse_unsigned("18446744073709551615"), Some(u64::MAX));
        assert_eq!(parse_unsigned("18446744073709551616"), None);
    }

    #[test]
    fn signed_numbers_reach_to_both_ends() {
        assert_eq!(parse_signed("-9223372036854775808"), Some(i64::MIN));
        assert_eq!(parse_signed("9223372036854775807"), Some(i64::MAX));
        assert_eq!(parse_signed("-0x10"), Some(-16));
        for text in ["-9223372036854775809", "9223372036854775808", "-", "--1", "-+1"] {
            assert_eq!(parse_signed(text), None, "{text}");
        }
    }

    #[test]
    fn sizes_have_binary_suffixes() {
        for (text, bytes) in
            [("0", 0), ("64K", 65536), ("1m", 1 << 20), ("2G", 2 << 30), ("0x1E", 30), ("15E", 15 << 60)]
        {
            assert_eq!(parse_size(text), Some(bytes), "{text}");
        }
        for text in ["", "K", "64KB", "16E", "1.5M", "-1K", "64\u{e9}"] {
            assert_eq!(parse_size(text), None, "{text}");
        }
    }

    #[test]
    fn durations_need_a_unit() {
        for (text, ns) in [("0", 0), ("5ns", 5), ("7us", 7_000), ("20ms", 20_000_000), ("3s", 3_000_000_000)]
        {
            assert_eq!(parse_duration(text), Some(ns), "{text}");
        }
        for text in ["", "5", "s", "ms", "1m", "1.5s", "18446744074s", "-1s"] {
            assert_eq!(parse_duration(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn numbers_come_back(number in any::<u64>(), signed in any::<i64>()) {
            prop_assert_eq!(parse_unsigned(&number.to_string()), Some(number));
            prop_assert_eq!(parse_unsigned(&format!("{number:#x}")), Some(number));
            prop_assert_eq!(parse_unsigned(&format!("{number:#o}")), Some(number));
            prop_assert_eq!(parse_signed(&signed.to_string()), Some(signed));
        }

        #[test]
        fn no_text_makes_a_parser_panic(text in r"[0-9xXoKkEe+\-ums]{0,8}|\PC*") {
            let _ = (parse_bool(&text), parse_unsigned(&text), parse_signed(&text));
            let _ = (parse_size(&text), parse_duration(&text));
        }
    }
}
