//! A thousand damaged modules, linked in one machine: each is refused with an error or links; none faults, none leaks.
//!
//! What is damaged is what the linker reads: headers, section headers, symbols, relocations, names, the module's own
//! information. (Damaged code would be the module's business, and is not run here.)

use crate::held;
use containers::Vec;
use core::ops::Range;
use ktest::{Rng, check, check_eq, ktest, long, note};

const SEED: u64 = 0x07_7a_3a_20_26;

const HEADER: usize = 64;
const SECTION: usize = 64;
const RECORD: usize = 24;

/// Values that are likely to be the edge of something.
const EDGES: [u64; 16] = [
    0,
    1,
    2,
    8,
    0x7f,
    0xff,
    0xfff,
    0x1000,
    0x7fff_ffff,
    0x8000_0000,
    0xffff_ffff,
    1 << 32,
    0x7fff_ffff_ffff_ffff,
    0x8000_0000_0000_0000,
    0xffff_ffff_8000_0000,
    u64::MAX,
];

ktest! {
    fn a_thousand_damaged_modules_are_refused_or_linked_and_leave_nothing() {
        let times = if long() { 1_000_000 } else { 1_000 };
        let (refused, linked) = pass(times)?;
        note(format_args!("seed {SEED:#x}: {refused} refused, {linked} linked"));
        check!(refused > times / 5, "{refused} of {times} refused: the damage does not hit");
        check!(linked > 0);
        // The first pass may leave page tables, and slabs that caches keep; the same a second time leaves nothing.
        let before = held();
        check_eq!(pass(times)?, (refused, linked));
        check_eq!(held(), before);
    }

    fn every_length_of_a_cut_module_is_refused() {
        let image = module::image("hello").ok_or("no hello")?;
        let before = held();
        let step = if long() { 1 } else { 97 };
        let sections = section_table(image).ok_or("no section headers")?;
        for length in (0..image.len()).step_by(step) {
            let result = module::link_only("damaged", &image[..length]).map_err(drop);
            check!(result.is_err() || length >= sections.end, "{length} bytes");
        }
        check_eq!(held(), before);
    }
}

/// Damages and links so many modules; how many were refused, and how many linked all the same.
fn pass(times: u64) -> Result<(u64, u64), ktest::Failed> {
    let mut rng = Rng::new(SEED);
    let (mut refused, mut linked) = (0, 0);
    let images = [module::image("hello").ok_or("no hello")?, module::image("producer").ok_or("no producer")?];
    let mut copy: Vec<u8> = Vec::with_capacity(images.iter().map(|image| image.len()).max().unwrap_or(0))?;
    for image in images {
        check!(module::link_only("damaged", image).is_ok(), "undamaged");
    }
    let before = held();
    for i in 0..times {
        copy.clear();
        copy.extend_from_slice(images[i as usize % images.len()])?;
        for _ in 0..1 + rng.below(3) {
            damage(&mut copy, &mut rng);
        }
        match module::link_only("damaged", &copy) {
            Ok(()) => linked += 1,
            Err(error) => {
                refused += 1;
                // The words are made without a fault, too.
                check!(containers::try_format!("{error}")?.as_str().starts_with("module damaged: "));
            }
        }
        let after = held();
        check_eq!(
            (after.areas, after.objects),
            (before.areas, before.objects),
            "after {i} with seed {SEED:#x}"
        );
    }
    Ok((refused, linked))
}

fn u64_at(image: &[u8], at: usize) -> u64 {
    image.get(at..at + 8).and_then(|bytes| bytes.try_into().ok()).map_or(0, u64::from_le_bytes)
}

fn section_table(image: &[u8]) -> Option<Range<usize>> {
    let start = u64_at(image, 40) as usize;
    let count = usize::from(u16::from_le_bytes([*image.get(60)?, *image.get(61)?]));
    let end = start.checked_add(count * SECTION)?;
    (end <= image.len()).then_some(start..end)
}

/// A section with contents in the file, chosen by chance: its type and where it is.
fn any_section(image: &[u8], rng: &mut Rng) -> Option<(u64, Range<usize>)> {
    let table = section_table(image)?;
    let at = table.start + rng.below((table.len() / SECTION) as u64) as usize * SECTION;
    let (kind, offset, size) =
        (u64_at(image, at + 4) & 0xffff_ffff, u64_at(image, at + 24), u64_at(image, at + 32));
    let end = offset.checked_add(size)?;
    (end <= image.len() as u64 && kind != 8).then_some((kind, offset as usize..end as usize))
}

/// Changes one thing.
fn damage(image: &mut Vec<u8>, rng: &mut Rng) {
    match rng.below(16) {
        0 => put(image, rng.below(HEADER as u64) as usize, 1, rng),
        1 => {
            let length = rng.below(image.len() as u64) as usize;
            image.truncate(length);
        }
        2..=6 => {
            if let Some(table) = section_table(image) {
                let place = table.start + rng.below((table.len() / 8) as u64) as usize * 8;
                let width = if rng.below(2) == 0 { 8 } else { 4 };
                put(image, place + rng.below(2) as usize * (8 - width), width, rng);
            }
        }
        _ => match any_section(image, rng) {
            // Symbols and relocations: a field of a record.
            Some((2 | 4, place)) if place.len() >= RECORD => {
                let record = place.start + rng.below((place.len() / RECORD) as u64) as usize * RECORD;
                let (field, width) =
                    [(0, 4), (4, 1), (6, 2), (8, 8), (8, 4), (12, 4), (16, 8)][rng.below(7) as usize];
                put(image, record + field, width, rng);
            }
            // Names.
            Some((3, place)) if !place.is_empty() => {
                put(image, place.start + rng.below(place.len() as u64) as usize, 1, rng);
            }
            // What the module says of itself: small sections that are not loaded, or loaded as data.
            Some((1, place)) if !place.is_empty() && place.len() < 512 => {
                put(image, place.start + rng.below(place.len() as u64) as usize, 1, rng);
            }
            _ => {}
        },
    }
}

/// Writes `width` bytes of an edge value, of chance, or of what was there with one bit turned.
fn put(image: &mut [u8], at: usize, width: usize, rng: &mut Rng) {
    let Some(place) = image.get_mut(at..at + width) else { return };
    let mut old = [0; 8];
    old[..width].copy_from_slice(place);
    let value = match rng.below(3) {
        0 => EDGES[rng.below(EDGES.len() as u64) as usize],
        1 => rng.number(),
        _ => u64::from_le_bytes(old) ^ 1 << rng.below(width as u64 * 8),
    };
    place.copy_from_slice(&value.to_le_bytes()[..width]);
}
