//! Every allocation of every operation fails once, and the map is as it was.

use crate::support::{Kind, OFFSET, areas, live, map, with_allocations};
use std::ops::Range;
use vmas::{Error, Map, PAGE};

/// Areas of one page with a page between them: as many as make leaves full.
fn dense(count: u64) -> Map<Kind> {
    map(&(0..count).map(|i| (i * 8, i * 8 + 6, 4 + (i % 2) as u8)).collect::<Vec<_>>())
}

/// Runs an operation with allocations failing after 0, 1, 2 ... until it succeeds; how often it failed.
fn fail_each(new: impl Fn() -> Map<Kind>, work: impl Fn(&mut Map<Kind>) -> Result<(), Error>) -> usize {
    let before = live();
    for left in 0.. {
        let mut map = new();
        let was = areas(&map);
        let result = with_allocations(left, || work(&mut map));
        let is = areas(&map);
        drop(map);
        assert_eq!(live(), before, "nothing leaks");
        if result.is_ok() {
            return left;
        }
        assert_eq!(result, Err(Error::NoMemory));
        assert_eq!(is, was, "nothing changes when allocation {left} fails");
    }
    unreachable!()
}

fn kind(page: u64) -> Result<Kind, Error> {
    Ok(Kind::new(6, OFFSET + page * PAGE)?)
}

fn pages(start: u64, end: u64) -> Range<u64> {
    start * PAGE..end * PAGE
}

#[test]
fn an_operation_that_fails_changes_nothing() {
    for count in 1..40 {
        for at in 0..count {
            let new = || dense(count);
            let at = at * 8;
            let add = fail_each(new, |map| map.insert(pages(at + 7, at + 8), kind(at)?));
            assert!(add >= 1);
            fail_each(new, |map| map.remove(pages(at + 1, at + 2), |_| ()));
            fail_each(new, |map| map.remove(pages(at + 1, at + 20), |_| ()));
            fail_each(new, |map| map.change(pages(at + 1, at + 2), |_, value| value.kind = 9));
            fail_each(new, |map| map.change(pages(at + 1, at + 100), |_, value| value.kind = 9));
            for (start, end) in [(1, 2), (0, 6), (0, 8), (2, 19), (0, 64), (0, 9), (7, 9), (0, 1000)] {
                fail_each(new, |map| map.replace(pages(at + start, at + end), kind(at)?, |_| ()));
            }
        }
    }
}

#[test]
fn a_copy_that_fails_leaks_nothing() {
    fail_each(
        || dense(50),
        |map| {
            let copy = map.try_clone_with(|area| Kind::new(area.value.kind, area.value.offset).map(Some))?;
            assert_eq!(areas(&copy), areas(map));
            Ok(())
        },
    );
}

#[test]
fn removal_needs_memory_for_holes_only() {
    for count in 1..40 {
        let mut map = dense(count);
        // The value of what stays above is the test's own: one allocation.
        with_allocations(1, || map.remove(pages(0, 3), |_| ())).unwrap();
        with_allocations(1, || map.remove(pages(5, 8), |_| ())).unwrap();
        with_allocations(0, || map.remove(pages(3, 5), |_| ())).unwrap();
        with_allocations(0, || map.remove(pages(0, count * 8), |_| ())).unwrap();
        assert!(map.is_empty());
    }
}

#[test]
fn what_is_reserved_does_not_fail() {
    for count in 0..40 {
        for at in 0..count {
            let mut map = dense(count);
            let start = at * 8;
            let values = [kind(start).unwrap(), kind(start).unwrap()];
            map.reserve(4).unwrap();
            let [first, second] = values;
            with_allocations(0, || map.insert(pages(start + 6, start + 7), first)).unwrap();
            // Cuts on either side: two values.
            with_allocations(2, || map.change(pages(start + 1, start + 12), |_, value| value.kind = 9))
                .unwrap();
            with_allocations(2, || map.remove(pages(start + 2, start + 4), |_| ())).unwrap();
            with_allocations(2, || map.replace(pages(start + 2, start + 5), second, |_| ())).unwrap();
            map.unreserve();
            areas(&map);
        }
    }
}

/// Of 5,000 areas every 50th is left: an allocation each, and two a leaf, in which there are six areas on average at least.
fn thin_out(work: impl Fn(&mut Map<Kind>)) {
    let before = live();
    let mut map = dense(5000);
    let full = live() - before;
    work(&mut map);
    assert_eq!(map.len(), 100);
    assert!(live() - before < 100 + 2 * 20, "{} of {full}", live() - before);
}

#[test]
fn memory_goes_back_when_areas_do() {
    thin_out(|map| {
        for i in (0..5000).filter(|i| i % 50 != 0) {
            map.remove(pages(i * 8, i * 8 + 6), |_| ()).unwrap();
        }
    });
    thin_out(|map| {
        for i in (0..5000).step_by(50) {
            map.remove(pages(i * 8 + 6, (i + 50) * 8), |_| ()).unwrap();
        }
    });
}
