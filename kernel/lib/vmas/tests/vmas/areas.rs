//! Each operation by example.

use crate::support::{Kind, NOBODY, OFFSET, areas, map};
use vmas::{Error, Map, Order, PAGE, Request};

fn pages(start: u64, end: u64) -> std::ops::Range<u64> {
    start * PAGE..end * PAGE
}

fn kind(kind: u8, page: u64) -> Kind {
    Kind::new(kind, OFFSET + page * PAGE).expect("memory")
}

fn removed(map: &mut Map<Kind>, start: u64, end: u64) -> Vec<(u64, u64, u8, u64)> {
    let mut pieces = vec![];
    map.remove(pages(start, end), |area| {
        let page = (area.value.offset - OFFSET) / PAGE;
        pieces.push((area.start / PAGE, area.end / PAGE, area.value.kind, page));
    })
    .expect("memory");
    pieces
}

#[test]
fn an_address_finds_its_area() {
    let map = map(&[(1, 3, 4), (3, 4, 5), (8, 9, 4)]);
    let start = |page: u64| map.find(page * PAGE + 5).map(|area| area.start / PAGE);
    assert_eq!(
        [0, 1, 2, 3, 4, 7, 8, 9].map(start),
        [None, Some(1), Some(1), Some(3), None, None, Some(8), None]
    );
    assert_eq!(map.find(u64::MAX), None);
    assert_eq!(map.find_above(5 * PAGE).map(|area| area.start), Some(8 * PAGE));
    assert_eq!(map.find_above(8 * PAGE + 1).map(|area| area.start), Some(8 * PAGE));
    assert_eq!(map.find_above(9 * PAGE), None);
    assert_eq!(map.find_below(8 * PAGE).map(|area| area.start), Some(3 * PAGE));
    assert_eq!(map.find_below(PAGE), None);
    assert_eq!(map.find_below(0), None);
    assert_eq!((map.len(), map.bytes()), (3, 4 * PAGE));
}

#[test]
fn a_map_without_areas_answers_too() {
    let mut map = map(&[]);
    assert!(map.find(0).is_none() && map.find_above(0).is_none() && map.find_below(9).is_none());
    assert!(map.is_empty() && map.iter().next().is_none() && map.is_free(0..u64::MAX));
    assert_eq!(removed(&mut map, 0, 100), []);
    assert_eq!(map.change(pages(0, 9), |_, _| unreachable!()), Ok(()));
    assert_eq!(map.grow_down(PAGE).map(|_| ()), Err(Error::Gap));
}

#[test]
fn neighbours_become_one_where_their_values_allow_it() {
    let mut map = map(&[(1, 3, 4), (5, 6, 4)]);
    map.insert(pages(3, 4), kind(4, 3)).unwrap();
    assert_eq!(areas(&map), [(1, 4, 4), (5, 6, 4)]);
    map.insert(pages(4, 5), kind(4, 4)).unwrap();
    assert_eq!(areas(&map), [(1, 6, 4)]);
    map.insert(pages(0, 1), kind(4, 0)).unwrap();
    assert_eq!(areas(&map), [(0, 6, 4)]);
    assert_eq!(map.find(0).unwrap().value.taken_over(), 5);
    map.insert(pages(6, 7), kind(5, 6)).unwrap();
    map.insert(pages(7, 8), kind(5, 9)).unwrap();
    assert_eq!(areas(&map), [(0, 6, 4), (6, 7, 5), (7, 8, 5)]);
    assert_eq!(map.find(7 * PAGE).unwrap().value.offset, OFFSET + 9 * PAGE);
}

#[test]
fn what_is_taken_or_no_range_of_pages_is_refused() {
    let mut map = map(&[(4, 8, 4)]);
    for (start, end) in [(3, 5), (4, 8), (5, 6), (7, 9), (1, 20)] {
        assert_eq!(map.insert(pages(start, end), kind(5, 0)), Err(Error::Taken));
    }
    for range in [1..PAGE, 0..PAGE + 1, PAGE..PAGE, PAGE - 1..PAGE] {
        assert_eq!(map.insert(range.clone(), kind(5, 0)), Err(Error::Range));
        assert_eq!(map.remove(range.clone(), |_| ()), Err(Error::Range));
        assert_eq!(map.replace(range.clone(), kind(5, 0), |_| ()), Err(Error::Range));
        assert_eq!(map.change(range, |_, _| ()), Err(Error::Range));
    }
    assert_eq!(areas(&map), [(4, 8, 4)]);
}

#[test]
fn a_range_is_cut_out_of_the_areas_around_it() {
    let all = [(1, 4, 4), (4, 6, 5), (6, 9, 4)];
    let mut cut = map(&all);
    assert_eq!(removed(&mut cut, 2, 8), [(2, 4, 4, 2), (4, 6, 5, 4), (6, 8, 4, 6)]);
    assert_eq!(areas(&cut), [(1, 2, 4), (8, 9, 4)]);
    assert_eq!(cut.find(8 * PAGE).unwrap().value.offset, OFFSET + 8 * PAGE);
    let mut hole = map(&[(1, 9, 4)]);
    assert_eq!(removed(&mut hole, 3, 4), [(3, 4, 4, 3)]);
    assert_eq!(areas(&hole), [(1, 3, 4), (4, 9, 4)]);
    let mut whole = map(&all);
    assert_eq!(removed(&mut whole, 0, 100).len(), 3);
    assert!(whole.is_empty() && whole.bytes() == 0);
}

#[test]
fn a_change_cuts_and_joins() {
    let mut map = map(&[(1, 9, 4)]);
    let mut seen = vec![];
    map.change(pages(3, 5), |range, value| {
        seen.push(range);
        value.kind = 5;
    })
    .unwrap();
    assert_eq!(seen, [pages(3, 5)]);
    assert_eq!(areas(&map), [(1, 3, 4), (3, 5, 5), (5, 9, 4)]);
    map.change(pages(2, 6), |_, value| value.kind = 4).unwrap();
    assert_eq!(areas(&map), [(1, 9, 4)]);
    map.change(pages(0, 2), |_, value| value.kind = 6).unwrap();
    map.change(pages(8, 20), |_, value| value.kind = 6).unwrap();
    assert_eq!(areas(&map), [(1, 2, 6), (2, 8, 4), (8, 9, 6)]);
}

#[test]
fn a_replacement_gives_back_what_was_there() {
    let mut map = map(&[(1, 5, 4), (6, 9, 5)]);
    let mut pieces = vec![];
    map.replace(pages(2, 7), kind(6, 2), |area| pieces.push(area.range())).unwrap();
    assert_eq!(pieces, [pages(2, 5), pages(6, 7)]);
    assert_eq!(areas(&map), [(1, 2, 4), (2, 7, 6), (7, 9, 5)]);
}

#[test]
fn a_stack_grows_down_to_its_guard() {
    // Kind 2 is a stack with two pages of guard.
    let mut stack = map(&[(1, 3, 4), (8, 9, 2)]);
    assert_eq!(stack.grow_down(6 * PAGE).unwrap().range(), pages(6, 9));
    assert_eq!(stack.find(6 * PAGE).unwrap().value.offset, OFFSET + 6 * PAGE);
    stack.grow_down(5 * PAGE).unwrap();
    assert_eq!(stack.grow_down(4 * PAGE).map(|_| ()), Err(Error::Gap));
    assert_eq!(stack.grow_down(6 * PAGE).map(|_| ()), Err(Error::Range));
    assert_eq!(stack.grow_down(4 * PAGE + 1).map(|_| ()), Err(Error::Range));
    assert_eq!(stack.grow_down(20 * PAGE).map(|_| ()), Err(Error::Gap));
    assert_eq!((areas(&stack), stack.bytes()), (vec![(1, 3, 4), (5, 9, 2)], 6 * PAGE));
    // What nobody can touch is a guard itself.
    let mut guarded = map(&[(1, 3, NOBODY), (8, 9, 2)]);
    guarded.grow_down(3 * PAGE).unwrap();
    assert_eq!(areas(&guarded), [(1, 3, NOBODY), (3, 9, 2)]);
}

#[test]
fn holes_are_found_from_both_ends_and_guards_left_free() {
    let mut map = map(&[(2, 3, 4), (10, 11, 2), (14, 15, 4)]);
    let mut find = |size: u64, align: u64, low: u64, high: u64, order| {
        let request = Request { size: size * PAGE, align: align * PAGE, within: pages(low, high), order };
        map.find_free(&request).map(|address| address / PAGE)
    };
    assert_eq!(find(1, 1, 0, 20, Order::TopDown), Some(19));
    assert_eq!(find(1, 1, 0, 15, Order::TopDown), Some(13));
    assert_eq!(find(4, 1, 0, 15, Order::TopDown), Some(4));
    assert_eq!(find(5, 1, 0, 15, Order::TopDown), Some(3));
    assert_eq!(find(6, 1, 0, 15, Order::TopDown), None);
    assert_eq!(find(4, 4, 0, 15, Order::TopDown), Some(4));
    assert_eq!(find(3, 1, 0, 6, Order::TopDown), Some(3));
    assert_eq!(find(1, 1, 0, 10, Order::TopDown), Some(7));
    assert_eq!(find(1, 1, 0, 20, Order::BottomUp), Some(0));
    assert_eq!(find(3, 1, 0, 20, Order::BottomUp), Some(3));
    assert_eq!(find(6, 1, 0, 30, Order::BottomUp), Some(15));
    assert_eq!(find(1, 8, 1, 30, Order::BottomUp), Some(16));
    assert_eq!(find(6, 1, 0, 20, Order::BottomUp), None);
    assert_eq!(find(1, 1, 15, 15, Order::TopDown), None);
    assert_eq!(find(0, 1, 0, 30, Order::TopDown), None);
    assert_eq!(find(1, 3, 0, 30, Order::TopDown), None);
    assert_eq!(find(u64::MAX / PAGE, 1, 0, 30, Order::BottomUp), None);
}

#[test]
fn every_window_on_holes_gives_the_first_that_fits() {
    // Areas of one page, holes of one; every fifth hole is of two and every 25th of three.
    let all: Vec<_> = (0..80).map(|i| i * 2 + i / 5 + i / 25).map(|page| (page, page + 1, 4)).collect();
    let mut map = map(&all);
    let taken = |page: u64| all.iter().any(|area| area.0 == page);
    for (low, length, size) in
        (0..190).flat_map(|l| (0..14).flat_map(move |n| (1..4).map(move |s| (l, n, s))))
    {
        for order in [Order::TopDown, Order::BottomUp] {
            let within = pages(low, low + length);
            let found = map.find_free(&Request { size: size * PAGE, align: PAGE, within, order });
            let mut fitting = (low..(low + length + 1).saturating_sub(size))
                .filter(|page| !(*page..page + size).any(taken));
            let expected = if order == Order::TopDown { fitting.next_back() } else { fitting.next() };
            assert_eq!(found.map(|address| address / PAGE), expected, "{low}..{}: {size}", low + length);
        }
    }
}

#[test]
fn an_address_that_is_asked_for_keeps_clear_of_guards() {
    let map = map(&[(2, 3, 4), (10, 11, 2)]);
    assert!(map.fits(pages(3, 8)) && map.fits(pages(0, 2)) && map.fits(pages(11, 90)));
    assert!(!map.fits(pages(3, 9)) && !map.fits(pages(2, 3)) && !map.fits(pages(0, 90)));
    assert!(map.is_free(pages(3, 10)) && !map.is_free(pages(3, 11)));
}

#[test]
fn holes_in_a_range_are_seen() {
    let map = map(&[(2, 4, 4), (4, 6, 5), (7, 9, 4)]);
    let hole = |start, end| map.first_hole(pages(start, end)).map(|address| address / PAGE);
    assert_eq!(
        [hole(2, 6), hole(3, 5), hole(2, 7), hole(1, 3), hole(7, 20), hole(20, 30)],
        [None, None, Some(6), Some(1), Some(9), Some(20)]
    );
    let starts: Vec<u64> = map.range(pages(3, 8)).map(|area| area.start / PAGE).collect();
    assert_eq!(starts, [2, 4, 7]);
    assert_eq!(map.range(pages(9, 20)).count(), 0);
}

#[test]
fn a_copy_has_the_areas_that_are_wanted() {
    let all: Vec<_> = (0..100).map(|i| (i * 2, i * 2 + 1, 4 + (i % 3) as u8)).collect();
    let map = map(&all);
    let copy: Result<_, Error> = map.try_clone_with(|area| {
        let wanted = area.value.kind != 5;
        Ok(if wanted { Some(Kind::new(area.value.kind, area.value.offset)?) } else { None })
    });
    let expected: Vec<_> = all.into_iter().filter(|area| area.2 != 5).collect();
    assert_eq!(areas(&copy.unwrap()), expected);
}

#[test]
fn a_map_says_what_is_in_it() {
    let text = format!("{:?}", map(&[(1, 2, 4)]));
    assert!(text.contains("4096..8192") && text.contains("kind: 4"), "{text}");
}
