//! What a large map costs: wide limits, against accidents.

use crate::support::{Kind, OFFSET, areas};
use std::time::{Duration, Instant};
use vmas::{Map, Order, PAGE, Request};

const MANY: u64 = 65_530;

fn request(size: u64, order: Order) -> Request {
    Request { size, align: PAGE, within: 0..4 * MANY * PAGE, order }
}

/// Every second page, from the top: each search passes what is there already.
fn fragmented(count: u64) -> Map<Kind> {
    let mut map = Map::new();
    for i in 0..count {
        let address = map.find_free(&request(2 * PAGE, Order::TopDown)).expect("space");
        let value = Kind::new(4, OFFSET + i).expect("memory");
        map.insert(address..address + PAGE, value).expect("free");
    }
    map
}

#[test]
fn as_many_areas_as_linux_allows_take_no_time() {
    let started = Instant::now();
    let mut map = fragmented(MANY);
    assert_eq!(map.len() as u64, MANY);
    for i in 0..MANY {
        assert!(map.find((4 * MANY - 2 - 2 * i) * PAGE).is_some());
        assert!(map.find((4 * MANY - 1 - 2 * i) * PAGE).is_none());
    }
    for i in (0..MANY).step_by(3) {
        map.remove((4 * MANY - 2 - 2 * i) * PAGE..(4 * MANY - 2 * i) * PAGE, |_| ()).expect("memory");
    }
    assert_eq!(areas(&map).len() as u64, MANY - MANY.div_ceil(3));
    let mut removed = 0;
    map.remove(0..4 * MANY * PAGE, |_| removed += 1).expect("memory");
    assert_eq!((removed, map.len()), (MANY - MANY.div_ceil(3), 0));
    assert!(started.elapsed() < Duration::from_secs(10), "{:?}", started.elapsed());
}

#[test]
fn a_search_passes_what_it_has_learned() {
    let mut map = fragmented(10_000);
    let wide = request(3 * PAGE, Order::TopDown);
    let first = map.find_free(&wide);
    let started = Instant::now();
    for _ in 0..1000 {
        assert_eq!(map.find_free(&wide), first);
    }
    assert!(started.elapsed() < Duration::from_secs(2), "{:?}", started.elapsed());
}
