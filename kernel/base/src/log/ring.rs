//! The ring of records: 64 KiB, numbered, the oldest overwritten.
//!
//! A record is two words of header (time; length, level) and its text, in whole words, one behind the other around the
//! end of the ring. `tail` and `head` count words since boot: what lies between them is there, and their remainders by the
//! ring's size are places.

use super::Level;
use core::fmt;
use core::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// The ring's size in bytes.
const SIZE: usize = 64 * 1024;
/// The longest text of a record, in bytes.
pub const TEXT_MAX: usize = 256;
/// Words before a record's text.
const HEADER: usize = 2;

/// A record, copied out of the ring.
pub struct Record {
    /// When it was written, in nanoseconds since the kernel's first instruction.
    pub time_ns: u64,
    /// How much it matters.
    pub level: Level,
    /// Whether it is a module's print, shown without a time.
    pub plain: bool,
    len: usize,
    text: [u8; TEXT_MAX],
}

impl Record {
    /// Room for a record.
    pub const fn new() -> Self {
        Self { time_ns: 0, level: Level::Info, plain: false, len: 0, text: [0; TEXT_MAX] }
    }

    /// The text, without time and without a line's end.
    pub fn text(&self) -> &[u8] {
        self.text.get(..self.len).unwrap_or(&[])
    }
}

impl Default for Record {
    fn default() -> Self {
        Self::new()
    }
}

/// A time as log lines begin with it: `[0.004120] `.
pub(super) struct Stamp(pub(super) u64);

impl fmt::Display for Stamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[{}.{:06}] ", self.0 / 1_000_000_000, self.0 / 1000 % 1_000_000)
    }
}

/// Where each record lies; the words themselves are outside, see [`Words`].
pub(super) struct Ring {
    words: &'static Words,
    /// Words ever written; words ever given up.
    head: usize,
    tail: usize,
    /// Number of the record at `tail`, and of the next one at `head`.
    first: u64,
    next: u64,
    /// Number and place of the record behind the one read last, so that a reader who goes on does not search.
    cursor: (u64, usize),
}

/// The ring's memory. Used under the ring's lock only; atomic so that it can be a static of zeros of its own, which
/// takes no room in the kernel's image, without `unsafe`.
pub(super) type Words = [AtomicU64; SIZE / 8];

/// Words that a record with `len` bytes of text takes.
const fn words(len: usize) -> usize {
    HEADER + len.div_ceil(8)
}

impl Ring {
    pub(super) const fn new(words: &'static Words) -> Self {
        Self { words, head: 0, tail: 0, first: 0, next: 0, cursor: (0, 0) }
    }

    pub(super) fn next_number(&self) -> u64 {
        self.next
    }

    /// Adds a record, giving up as many of the oldest as that takes.
    pub(super) fn push(&mut self, level: Level, plain: bool, time_ns: u64, text: &[u8]) {
        let text = text.get(..TEXT_MAX).unwrap_or(text);
        while self.head + words(text.len()) - self.tail > SIZE / 8 {
            self.tail += words(self.header(self.tail).len);
            self.first += 1;
        }
        self.put(0, time_ns);
        self.put(1, text.len() as u64 | u64::from(level as u8) << 16 | u64::from(plain) << 24);
        for (at, chunk) in text.chunks(8).enumerate() {
            let mut word = [0; 8];
            word[..chunk.len()].copy_from_slice(chunk);
            self.put(HEADER + at, u64::from_le_bytes(word));
        }
        self.head += words(text.len());
        self.next += 1;
    }

    /// Copies the oldest record numbered `from` or higher; its number.
    pub(super) fn read(&mut self, from: u64, record: &mut Record) -> Option<u64> {
        let number = from.max(self.first);
        if number >= self.next {
            return None;
        }
        let (mut at, mut place) = self.cursor;
        if at > number || at < self.first {
            (at, place) = (self.first, self.tail);
        }
        while at < number {
            place += words(self.header(place).len);
            at += 1;
        }
        let header = self.header(place);
        (record.time_ns, record.level, record.plain, record.len) =
            (self.get(place), header.level, header.plain, header.len);
        for (at, chunk) in record.text[..header.len].chunks_mut(8).enumerate() {
            let word = self.get(place + HEADER + at).to_le_bytes();
            chunk.copy_from_slice(&word[..chunk.len()]);
        }
        self.cursor = (number + 1, place + words(header.len));
        Some(number)
    }

    fn header(&self, place: usize) -> Header {
        let word = self.get(place + 1);
        Header {
            len: (word as u16).min(TEXT_MAX as u16).into(),
            level: Level::from_number((word >> 16) as u8),
            plain: word >> 24 & 1 != 0,
        }
    }

    fn put(&self, offset: usize, word: u64) {
        self.words[(self.head + offset) % self.words.len()].store(word, Relaxed);
    }

    fn get(&self, place: usize) -> u64 {
        self.words[place % self.words.len()].load(Relaxed)
    }
}

/// A record's second word, taken apart.
struct Header {
    len: usize,
    level: Level,
    plain: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ring() -> Ring {
        Ring::new(Box::leak(Box::new([const { AtomicU64::new(0) }; SIZE / 8])))
    }

    #[test]
    fn the_ring_keeps_the_newest_records_whole_and_numbered() {
        let mut ring = ring();
        let text = |n: u64| "x".repeat((n * 37 % 200) as usize) + &std::format!("{n}");
        for n in 0..5000 {
            ring.push(Level::from_number((n % 8) as u8), n % 3 == 0, n * 1000, text(n).as_bytes());
            assert!(ring.head - ring.tail <= SIZE / 8);
        }
        let mut record = Record::new();
        let mut from = 0;
        let mut seen = 0;
        while let Some(number) = ring.read(from, &mut record) {
            assert!(from == 0 || number == from, "no gap once reading");
            assert_eq!(record.text(), text(number).as_bytes());
            assert_eq!(record.time_ns, number * 1000);
            assert_eq!(record.plain, number % 3 == 0);
            assert_eq!(record.level, Level::from_number((number % 8) as u8));
            from = number + 1;
            seen += 1;
        }
        assert_eq!(from, 5000);
        assert!(seen > SIZE / (16 + 216), "{seen} records");
    }

    #[test]
    fn a_reader_left_behind_goes_on_with_the_oldest_that_is_there() {
        let mut ring = ring();
        let mut record = Record::new();
        ring.push(Level::Info, false, 0, b"first");
        assert_eq!(ring.read(0, &mut record), Some(0));
        assert_eq!(ring.read(1, &mut record), None);
        for _ in 0..1000 {
            ring.push(Level::Info, false, 0, &[b'y'; TEXT_MAX]);
        }
        let number = ring.read(1, &mut record).expect("a record");
        assert!(number > 1);
        assert_eq!(ring.read(number + 1, &mut record), Some(number + 1));
        assert_eq!(ring.read(number, &mut record), Some(number), "reading again what is still there");
    }

    #[test]
    fn a_stamp_has_seconds_and_microseconds() {
        assert_eq!(std::format!("{}", Stamp(4_120_999)), "[0.004120] ");
        assert_eq!(std::format!("{}", Stamp(123_000_001_000)), "[123.000001] ");
    }
}
