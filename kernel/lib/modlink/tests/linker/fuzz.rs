//! Whatever the bytes: an error or a linked module, never a panic, in bounded time.
//!
//! Two inputs: raw bytes, and a valid module with a few fields changed, which gets past the first
//! checks and into the rest. A minute in all; `OTTAWA_LONG=1` makes it an hour.

use crate::common::{BASE, STRIDE, sample};
use bolero::{TypeGenerator, check};
use modlink::{LinkError, Memory, Object, Region, Slot};
use std::{sync::LazyLock, time::Duration};

/// How long each of the two runs.
fn time() -> Duration {
    let long = std::env::var_os("OTTAWA_LONG").is_some();
    Duration::from_secs(if long { 1800 } else { 30 })
}

/// Links and uses all that a caller would use; what it gives back only keeps it from being
/// optimised away.
fn try_link(image: &[u8]) -> Result<u64, LinkError<'_>> {
    let object = Object::parse(image)?;
    let mut seen = object.modinfo_entries().count() as u64 + object.depends().count() as u64;
    let mut slots = vec![Slot::EMPTY; object.slots()];
    let plan = object.plan(&mut slots)?;
    let sizes = Region::ALL.map(|region| plan.extent(region).size as usize);
    if sizes.iter().any(|size| *size > 1 << 20) {
        return Ok(seen);
    }
    let mut bytes = sizes.map(|size| vec![0; size]);
    let mut index = 0;
    let mut memory = bytes.each_mut().map(|bytes| {
        index += 1;
        Memory { address: BASE + (index - 1) * STRIDE, bytes }
    });
    let resolve = |name: &str| (!name.starts_with('x')).then_some(0xffff_ffff_8000_0000);
    let linked = plan.link(&mut memory, resolve)?;
    for symbol in linked.symbols() {
        let start = BASE + symbol.region as u64 * STRIDE;
        let end = start + sizes[symbol.region as usize] as u64;
        assert!(start <= symbol.address && symbol.address + symbol.size <= end, "{symbol:?}");
        seen = seen.wrapping_add(symbol.address);
    }
    Ok(seen
        + u64::from(linked.section(".text").is_some())
        + u64::from(linked.symbol("init_module").is_some()))
}

/// Errors must be one line that can be printed.
fn check_one(image: &[u8]) {
    match try_link(image) {
        Ok(seen) => drop(std::hint::black_box(seen)),
        Err(error) => {
            let line = error.to_string();
            assert!(!line.is_empty() && line.len() < 2000 && !line.contains(char::is_control), "{line:?}");
        }
    }
}

#[test]
fn any_bytes() {
    check!().with_test_time(time()).for_each(check_one);
}

/// One change to a file.
#[derive(Clone, Copy, Debug, TypeGenerator)]
enum Mutation {
    /// A byte anywhere.
    Byte { at: u16, value: u8 },
    /// One field of a section's header gets an interesting value.
    Section { index: u8, field: u8, value: Interesting },
    /// One field of a record in the symbol table or a table of relocations.
    Record { table: u8, index: u8, field: u8, value: Interesting },
    /// One field of the file's header.
    Header { field: u8, value: Interesting },
    /// The end is cut off.
    Cut { by: u16 },
    /// A piece is copied over another.
    Copy { from: u16, to: u16, length: u8 },
}

#[derive(Clone, Copy, Debug, TypeGenerator)]
enum Interesting {
    Small(u8),
    Negative(u8),
    Bit(u8),
    BelowBit(u8),
    Any(u64),
}

impl Interesting {
    fn value(self) -> u64 {
        match self {
            Self::Small(value) => value.into(),
            Self::Negative(value) => u64::from(value).wrapping_neg(),
            Self::Bit(bit) => 1 << (bit % 64),
            Self::BelowBit(bit) => (1 << (bit % 64)) - 1,
            Self::Any(value) => value,
        }
    }
}

/// A table of 24-byte records: where it begins and how many there are.
type Table = (usize, usize);

/// The sample and its tables.
static SAMPLE: LazyLock<(Vec<u8>, Vec<Table>)> = LazyLock::new(|| {
    use object::{Object, ObjectSection};
    let image = sample();
    let file = object::File::parse(&*image).unwrap();
    let tables = file
        .sections()
        .filter(|section| section.name().is_ok_and(|name| name == ".symtab" || name.starts_with(".rela")))
        .filter_map(|section| section.file_range())
        .map(|(start, size)| (start as usize, size as usize / 24))
        .collect();
    (image, tables)
});

/// Widths and offsets of the fields: of the file's header, a section's, and of the two records.
const HEADER: [(usize, usize); 10] =
    [(4, 1), (5, 1), (6, 1), (16, 2), (18, 2), (40, 8), (58, 2), (60, 2), (62, 2), (52, 2)];
const SECTION: [(usize, usize); 9] =
    [(0, 4), (4, 4), (8, 8), (24, 8), (32, 8), (40, 4), (44, 4), (48, 8), (56, 8)];
const RECORD: [(usize, usize); 9] =
    [(0, 8), (0, 4), (4, 1), (6, 2), (8, 8), (8, 4), (12, 4), (16, 8), (16, 4)];

fn set(image: &mut [u8], start: usize, (at, width): (usize, usize), value: u64) {
    if let Some(field) = image.get_mut(start + at..start + at + width) {
        field.copy_from_slice(&value.to_le_bytes()[..width]);
    }
}

fn pick<T: Copy>(of: &[T], by: u8) -> T {
    of[usize::from(by) % of.len()]
}

fn mutate(image: &mut Vec<u8>, mutation: Mutation) {
    let length = image.len().max(1);
    let sections = u64::from_le_bytes(SAMPLE.0[40..48].try_into().unwrap()) as usize;
    match mutation {
        Mutation::Byte { at, value } => set(image, usize::from(at) % length, (0, 1), value.into()),
        Mutation::Header { field, value } => set(image, 0, pick(&HEADER, field), value.value()),
        Mutation::Section { index, field, value } => {
            let count = (SAMPLE.0.len() - sections) / 64;
            let start = sections + usize::from(index) % count * 64;
            set(image, start, pick(&SECTION, field), value.value());
        }
        Mutation::Record { table, index, field, value } => {
            let (start, count) = pick(&SAMPLE.1, table);
            let start = start + usize::from(index) % count * 24;
            set(image, start, pick(&RECORD, field), value.value());
        }
        Mutation::Cut { by } => image.truncate(length - usize::from(by) % length),
        Mutation::Copy { from, to, length: bytes } => {
            let (from, to) = (usize::from(from) % length, usize::from(to) % length);
            let end = (from + usize::from(bytes)).min(image.len());
            let end = end.min(from + image.len() - to.min(image.len()));
            if from < end {
                image.copy_within(from..end, to);
            }
        }
    }
}

#[test]
fn a_module_with_changed_fields() {
    check!().with_test_time(time()).with_type::<[Option<Mutation>; 6]>().for_each(|mutations| {
        let mut image = SAMPLE.0.clone();
        for mutation in mutations.iter().flatten() {
            mutate(&mut image, *mutation);
        }
        check_one(&image);
    });
}
