//! The hash of a name: eight bytes a step, one rotation and one multiplication each.
//!
//! Names are mangled paths of about 80 bytes that share long beginnings; nobody attacks the table. What
//! counts is instructions a lookup, since loading a module looks up all that it needs.

const MULTIPLIER: u64 = 0x9e37_79b9_7f4a_7c15;

/// The hash that slots hold. It is part of the file's format.
pub(crate) fn hash(name: &[u8]) -> u32 {
    let step = |hash: u64, word: u64| (hash.rotate_left(5) ^ word).wrapping_mul(MULTIPLIER);
    let (words, rest) = name.as_chunks::<8>();
    let mut hash = words.iter().fold(name.len() as u64, |hash, word| step(hash, u64::from_le_bytes(*word)));
    if !rest.is_empty() {
        // The last eight bytes again where there are eight: one load instead of seven.
        let last = match name.last_chunk::<8>() {
            Some(word) => u64::from_le_bytes(*word),
            None => rest.iter().fold(0, |word, byte| word << 8 | u64::from(*byte)),
        };
        hash = step(hash, last);
    }
    ((hash ^ hash >> 29).wrapping_mul(MULTIPLIER) >> 32) as u32
}

#[cfg(test)]
mod tests {
    use super::hash;

    #[test]
    fn every_byte_and_the_length_count() {
        let name = *b"_RNvMs4_NtCs8xY_4base4lockINtB5_5MutexE4lock";
        for length in 1..name.len() {
            let whole = hash(&name[..length]);
            assert_ne!(whole, hash(&name[..length - 1]), "{length}");
            for at in 0..length {
                let mut other = name;
                other[at] ^= 1;
                assert_ne!(whole, hash(&other[..length]), "{at} of {length}");
            }
        }
    }

    #[test]
    fn the_format_does_not_change_by_accident() {
        assert_eq!([hash(b""), hash(b"_start"), hash(b"memcpy"), hash(b"rust_panic_fmt")], EXPECTED);
    }

    const EXPECTED: [u32; 4] = [0, 2_453_797_833, 1_526_740_981, 61_759_988];
}
