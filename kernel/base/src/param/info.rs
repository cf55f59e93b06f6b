//! A parameter's description in the image, for tools on the host.
//!
//! Section `.paraminfo` is a row of records; each is eight fields that end in NUL: part, name, type, default, range, mode,
//! documentation, and an empty one. No field contains a NUL. Documentation has a line for each line of the comment,
//! without the space after `///`.

const FIELDS: usize = 7;

/// The bytes that a record of these fields takes.
#[doc(hidden)]
pub const fn info_len(fields: &[&str; FIELDS]) -> usize {
    write(fields, &mut [])
}

/// The record of these fields.
#[doc(hidden)]
pub const fn info_record<const LEN: usize>(fields: &[&str; FIELDS]) -> [u8; LEN] {
    let mut record = [0; LEN];
    write(fields, &mut record);
    record
}

/// Writes the record as far as there is room; the length of all of it.
const fn write(fields: &[&str; FIELDS], record: &mut [u8]) -> usize {
    let mut len = 0;
    let mut field = 0;
    while field < FIELDS {
        let text = fields[field].as_bytes();
        let mut at = 0;
        while at < text.len() {
            // Documentation begins each line with a space and ends the last one too.
            let doc = field == FIELDS - 1;
            let lead = doc && text[at] == b' ' && (at == 0 || text[at - 1] == b'\n');
            let last = doc && text[at] == b'\n' && at + 1 == text.len();
            if !lead && !last && text[at] != 0 {
                if len < record.len() {
                    record[len] = text[at];
                }
                len += 1;
            }
            at += 1;
        }
        // The field's NUL: the record is made of zeros.
        len += 1;
        field += 1;
    }
    len + 1
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIELDS: [&str; 7] = ["hello", "count", "u32", "1", "1..=100", "0o644", " How many\n times.\n"];
    static RECORD: [u8; info_len(&FIELDS)] = info_record(&FIELDS);

    #[test]
    fn a_record_is_eight_fields_that_end_in_nul() {
        assert_eq!(&RECORD, b"hello\0count\0u32\x001\x001..=100\x000o644\0How many\ntimes.\0\0");
    }
}
