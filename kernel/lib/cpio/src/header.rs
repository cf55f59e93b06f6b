//! The fixed part of a record: 6 bytes of magic and 13 numbers of 8 hexadecimal digits.

use crate::Problem;

/// Bytes of a header.
pub(crate) const SIZE: usize = 110;

/// The magic of a record without a checksum, the only one that is written.
pub(crate) const MAGIC: &[u8; 6] = b"070701";

/// The magic of a record whose last field is the sum of its data.
const MAGIC_CHECKED: &[u8; 6] = b"070702";

/// The fields' names, in order.
const FIELDS: [&str; 13] = [
    "ino",
    "mode",
    "uid",
    "gid",
    "nlink",
    "mtime",
    "filesize",
    "devmajor",
    "devminor",
    "rdevmajor",
    "rdevminor",
    "namesize",
    "check",
];

/// What kind of file a record describes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Bytes.
    File,
    /// A folder.
    Directory,
    /// A symbolic link; the data is its target.
    Symlink,
    /// A character device; see [`crate::Entry::rdev`].
    CharDevice,
    /// A block device; see [`crate::Entry::rdev`].
    BlockDevice,
    /// A named pipe.
    Fifo,
    /// A socket.
    Socket,
}

impl Kind {
    /// The kind that the type bits of `mode` stand for.
    #[must_use]
    pub fn of_mode(mode: u32) -> Option<Self> {
        Some(match mode & 0o170_000 {
            0o100_000 => Self::File,
            0o040_000 => Self::Directory,
            0o120_000 => Self::Symlink,
            0o020_000 => Self::CharDevice,
            0o060_000 => Self::BlockDevice,
            0o010_000 => Self::Fifo,
            0o140_000 => Self::Socket,
            _ => return None,
        })
    }
}

/// A device's number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Device {
    /// The driver's half.
    pub major: u32,
    /// The device's half.
    pub minor: u32,
}

/// The numbers of a header.
pub(crate) struct Header {
    /// The sum of the data, in a record that carries one.
    pub(crate) check: Option<u32>,
    /// All 13 numbers, in the order of `FIELDS`.
    pub(crate) fields: [u32; 13],
}

impl Header {
    pub(crate) fn parse(bytes: &[u8; SIZE]) -> Result<Self, Problem> {
        let (magic, numbers) = bytes.split_at(MAGIC.len());
        let checked = magic == MAGIC_CHECKED;
        if !checked && magic != MAGIC {
            return Err(Problem::Magic);
        }
        let mut fields = [0; 13];
        let (digits, _) = numbers.as_chunks::<8>();
        for ((value, digits), field) in fields.iter_mut().zip(digits).zip(FIELDS) {
            *value = hexadecimal(*digits).ok_or(Problem::Number { field })?;
        }
        Ok(Self { check: checked.then_some(fields[12]), fields })
    }

    pub(crate) fn file_size(&self) -> u32 {
        self.fields[6]
    }

    pub(crate) fn name_size(&self) -> u32 {
        self.fields[11]
    }
}

/// The number that eight hexadecimal digits of either case stand for.
///
/// All eight are taken at once: an archive of a root tree has thousands of numbers, and they are read
/// while the machine boots.
fn hexadecimal(digits: [u8; 8]) -> Option<u32> {
    const ONES: u64 = 0x0101_0101_0101_0101;
    let text = u64::from_be_bytes(digits);
    // Bit 6 is set in letters and clear in digits; 'a' and 'A' end in 1 and stand for 10.
    let letters = (text >> 6) & ONES;
    let values = (text & (ONES * 0x0f)) + letters * 9;
    // The text that stands for these values, to be compared with what is there in lower case.
    let tens = ((values + ONES * 6) >> 4) & ONES;
    let canonical = values + ONES * 0x30 + tens * 0x27;
    if values & (ONES * 0xf0) != 0 || canonical != text | letters << 5 {
        return None;
    }
    let pairs = (values | values >> 4) & 0x00ff_00ff_00ff_00ff;
    let quads = (pairs | pairs >> 8) & 0x0000_ffff_0000_ffff;
    Some((quads | quads >> 16) as u32)
}

#[cfg(test)]
mod tests {
    use super::hexadecimal;

    #[test]
    fn every_byte_is_a_digit_exactly_when_it_should_be() {
        for place in 0..8 {
            for byte in 0..=255u8 {
                let mut digits = *b"12ab9CF0";
                digits[place] = byte;
                let expected = core::str::from_utf8(&digits)
                    .ok()
                    .filter(|text| text.bytes().all(|b| b.is_ascii_hexdigit()))
                    .and_then(|text| u32::from_str_radix(text, 16).ok());
                assert_eq!(hexadecimal(digits), expected, "{byte:#x} at {place}");
            }
        }
    }
}
