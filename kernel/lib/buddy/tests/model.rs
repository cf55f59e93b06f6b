//! The allocator against a model: what it hands out never overlaps, what it gets back coalesces fully, and
//! its counters are right after each step.

use bolero::TypeGenerator;
use buddy::{Buddy, Error, Frames, MAX_ORDER, NONE, ORDERS, State};
use std::collections::BTreeMap;
use std::time::Duration;

/// Frames that exist in tests: three chunks and a piece.
const FRAMES: u32 = 3 * 1024 + 512;

#[derive(Clone, Copy, Default)]
struct Descriptor {
    state: u8,
    prev: u32,
    next: u32,
}

struct Table(Vec<Descriptor>);

impl Frames for Table {
    fn state(&self, frame: u32) -> u8 {
        self.0.get(frame as usize).map_or(0, |d| d.state)
    }
    fn set_state(&mut self, frame: u32, state: u8) {
        self.0[frame as usize].state = state;
    }
    fn prev(&self, frame: u32) -> u32 {
        self.0[frame as usize].prev
    }
    fn set_prev(&mut self, frame: u32, prev: u32) {
        self.0[frame as usize].prev = prev;
    }
    fn next(&self, frame: u32) -> u32 {
        self.0[frame as usize].next
    }
    fn set_next(&mut self, frame: u32, next: u32) {
        self.0[frame as usize].next = next;
    }
}

fn empty() -> Buddy<Table> {
    Buddy::new(Table(vec![Descriptor::default(); FRAMES as usize]))
}

fn full() -> Buddy<Table> {
    let mut buddy = empty();
    buddy.add_range(0, FRAMES).unwrap();
    buddy
}

/// Checks all that must hold between calls. `owned`: frames that were added; `used`: allocated blocks.
fn check(buddy: &Buddy<Table>, owned: &[bool], used: &BTreeMap<u32, u8>) {
    let mut covered = vec![false; FRAMES as usize];
    let mut cover = |frame: u32, order: u8| {
        assert_eq!(frame % (1 << order), 0, "aligned to its size");
        for i in frame..frame + (1 << order) {
            assert!(!std::mem::replace(&mut covered[i as usize], true), "frame {i} in two blocks");
            assert!(owned[i as usize], "frame {i} was never added");
            assert!(i == frame || buddy.state(i) == State::Other, "frame {i} inside a block has a state");
        }
    };
    for (frame, order) in used {
        assert_eq!(buddy.state(*frame), State::Allocated(*order));
        cover(*frame, *order);
    }
    let mut counts = [0; ORDERS];
    for frame in 0..FRAMES {
        if let State::Free(order) = buddy.state(frame) {
            cover(frame, order);
            counts[usize::from(order)] += 1;
            let buddy_state = buddy.state(frame ^ (1 << order));
            assert!(order == MAX_ORDER || buddy_state != State::Free(order), "two free buddies");
        }
    }
    assert_eq!(&counts, buddy.free_blocks());
    assert_eq!(covered, owned, "every frame is in a block");
    let free = (0..).zip(counts).map(|(order, n)| u64::from(n) << order).sum::<u64>();
    assert_eq!(free, buddy.free_frames());
}

#[derive(Debug, Clone, TypeGenerator)]
enum Step {
    Alloc(u8),
    /// Frees the allocated block of this number, modulo how many there are.
    Free(usize),
    /// Frees whatever this is.
    FreeAny(u16, u8),
    /// Splits the allocated block of this number.
    Split(usize),
    Add(u16, u16),
    Adopt(u16, u8),
}

fn fuzz_time() -> Duration {
    let long = std::env::var_os("OTTAWA_LONG").is_some();
    Duration::from_secs(if long { 600 } else { 3 })
}

#[test]
fn any_sequence_of_calls_keeps_the_invariants() {
    bolero::check!().with_test_time(fuzz_time()).with_type::<(bool, Vec<Step>)>().for_each(
        |(whole, steps)| {
            let mut buddy = if *whole { full() } else { empty() };
            let mut owned = vec![*whole; FRAMES as usize];
            let mut used = BTreeMap::new();
            for step in steps {
                apply(step, &mut buddy, &mut owned, &mut used);
                check(&buddy, &owned, &used);
            }
            for (frame, order) in std::mem::take(&mut used) {
                buddy.free(frame, order).unwrap();
            }
            check(&buddy, &owned, &used);
            if *whole {
                assert_eq!(buddy.free_blocks(), full().free_blocks());
            }
        },
    );
}

fn apply(step: &Step, buddy: &mut Buddy<Table>, owned: &mut [bool], used: &mut BTreeMap<u32, u8>) {
    let nth = |used: &BTreeMap<u32, u8>, n: usize| {
        used.iter().nth(n.checked_rem(used.len()).unwrap_or(0)).map(|(f, o)| (*f, *o))
    };
    match *step {
        Step::Alloc(order) => {
            let order = order % 14;
            let possible = buddy.free_blocks().iter().skip(order.into()).any(|n| *n > 0);
            let block = buddy.alloc(order);
            assert_eq!(block.is_some(), possible);
            used.extend(block.map(|frame| (frame, order)));
        }
        Step::Free(n) => {
            if let Some((frame, order)) = nth(used, n) {
                buddy.free(frame, order).unwrap();
                assert!(buddy.free(frame, order).is_err(), "freed twice");
                used.remove(&frame);
            }
        }
        Step::FreeAny(frame, order) => {
            let (frame, order) = (u32::from(frame), order % 14);
            let right = used.get(&frame) == Some(&order);
            assert_eq!(buddy.free(frame, order).is_ok(), right);
            if right {
                used.remove(&frame);
            }
        }
        Step::Split(n) => {
            if let Some((frame, order)) = nth(used, n) {
                buddy.split(frame, order).unwrap();
                used.extend((frame..frame + (1 << order)).map(|f| (f, 0)));
            }
        }
        Step::Add(first, count) => {
            let (first, count) = (u32::from(first) % FRAMES, u32::from(count));
            let range = first as usize..(first + count).min(FRAMES) as usize;
            // Ranges around smaller blocks are the caller's fault.
            let untaken = owned[range.clone()].iter().all(|o| !o);
            if untaken {
                buddy.add_range(first, range.len() as u32).unwrap();
                owned[range].fill(true);
            }
        }
        Step::Adopt(frame, order) => {
            let (frame, order) = (u32::from(frame) % FRAMES, order % 14);
            let range = frame as usize..(frame + (1 << order)) as usize;
            let untaken = owned.get(range.clone()).is_some_and(|r| r.iter().all(|o| !o));
            if untaken {
                let aligned = frame % (1 << order) == 0 && order <= MAX_ORDER;
                assert_eq!(buddy.adopt(frame, order).is_ok(), aligned);
                if aligned {
                    owned[range].fill(true);
                    used.insert(frame, order);
                }
            } else if owned[frame as usize] {
                assert!(buddy.adopt(frame, order).is_err());
            }
        }
    }
}

#[test]
fn all_memory_comes_back_as_the_largest_blocks() {
    let mut buddy = full();
    let mut blocks: Vec<_> = std::iter::from_fn(|| buddy.alloc(0)).collect();
    assert_eq!((blocks.len() as u32, buddy.free_frames()), (FRAMES, 0));
    // An order in which many buddies are apart.
    blocks.sort_by_key(|frame| frame.reverse_bits());
    for frame in blocks {
        buddy.free(frame, 0).unwrap();
    }
    assert_eq!(buddy.free_blocks(), &[0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 3]);
}

#[test]
fn a_bad_free_is_an_error_and_changes_nothing() {
    let mut buddy = full();
    let frame = buddy.alloc(3).unwrap();
    let before = *buddy.free_blocks();
    for (frame, order) in [(frame, 2), (frame, 4), (frame, 0xff), (frame + 1, 0), (FRAMES + 7, 0), (NONE, 0)]
    {
        assert!(matches!(buddy.free(frame, order), Err(Error::NotAllocated { .. })), "{frame} {order}");
    }
    assert_eq!(buddy.free_blocks(), &before);
    buddy.free(frame, 3).unwrap();
    let error = buddy.free(frame, 3).unwrap_err();
    assert_eq!(error.to_string().lines().count(), 1);
}

#[test]
fn what_is_the_allocators_is_not_added_again() {
    let mut buddy = empty();
    buddy.add_range(1024, 1024).unwrap();
    for (first, count) in [(1024, 1024), (1024, 1), (1500, 3), (2047, 1), (1000, 100)] {
        assert!(matches!(buddy.add_range(first, count), Err(Error::Taken { .. })), "{first} {count}");
    }
    assert_eq!(buddy.add_range(NONE, 1), Err(Error::Range { first: NONE, count: 1 }));
    assert_eq!(buddy.add_range(7, 0), Ok(()));
    assert_eq!(buddy.free_frames(), 1024);
}

#[test]
fn pieces_given_one_by_one_become_one_block() {
    let mut buddy = empty();
    for frame in (0..1024).rev() {
        buddy.add_range(frame, 1).unwrap();
    }
    assert_eq!(buddy.free_blocks()[10], 1);
    assert_eq!(buddy.alloc(10), Some(0));
}
