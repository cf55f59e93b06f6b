//! The map against a model that knows of each page which kind and offset it has.

use crate::support::{Kind, NOBODY, OFFSET, STACKS, live};
use proptest::prelude::{
    ProptestConfig, Strategy, any, prop, prop_assert, prop_assert_eq, prop_oneof, proptest,
};
use proptest::test_runner::TestCaseError;
use std::ops::Range;
use vmas::{Error, Map, Order, PAGE, Request, Value};

/// Pages in the model.
const PAGES: u64 = 400;

type Page = Option<(u8, u64)>;

#[derive(Clone, Debug)]
enum Step {
    Insert(Range<u64>, u8, bool),
    Replace(Range<u64>, u8, bool),
    Remove(Range<u64>),
    Change(Range<u64>, u8),
    Grow(u64),
    Free(Request),
    Copy(u8),
    Reserve,
}

/// Mostly short ranges, so that there are many areas.
fn range() -> impl Strategy<Value = Range<u64>> {
    let length = prop_oneof![8 => 1u64..5, 2 => 1u64..30, 1 => 1u64..PAGES];
    (0..PAGES, length).prop_map(|(start, length)| start..(start + length).min(PAGES))
}

/// Ranges that often touch each other.
fn narrow() -> impl Strategy<Value = Range<u64>> {
    (0..PAGES / 2, 1u64..3).prop_map(|(start, length)| start * 2..start * 2 + length)
}

fn kind() -> impl Strategy<Value = u8> {
    prop_oneof![1 => 0..STACKS, 1 => prop::strategy::Just(NOBODY), 6 => 4u8..7]
}

fn request() -> impl Strategy<Value = Request> {
    (1..30 * PAGE, 0u32..4, 0..PAGES, 0..PAGES, any::<bool>()).prop_map(|(size, align, low, high, top)| {
        Request {
            size,
            align: PAGE << align,
            within: low * PAGE..high * PAGE,
            order: if top { Order::TopDown } else { Order::BottomUp },
        }
    })
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        12 => (narrow(), kind(), any::<bool>()).prop_map(|(r, k, follows)| Step::Insert(r, k, follows)),
        2 => (range(), kind(), any::<bool>()).prop_map(|(r, k, follows)| Step::Replace(r, k, follows)),
        4 => range().prop_map(Step::Remove),
        4 => (range(), kind()).prop_map(|(r, k)| Step::Change(r, k)),
        2 => (0..PAGES).prop_map(Step::Grow),
        8 => request().prop_map(Step::Free),
        1 => kind().prop_map(Step::Copy),
        1 => prop::strategy::Just(Step::Reserve),
    ]
}

fn bytes(pages: &Range<u64>) -> Range<u64> {
    pages.start * PAGE..pages.end * PAGE
}

/// The offset of an area that starts at that page; `follows`: such that it may be one with neighbours.
fn offset(page: u64, follows: bool) -> u64 {
    OFFSET + if follows { page } else { 3 * page + 1 } * PAGE
}

struct Both {
    map: Map<Kind>,
    model: Vec<Page>,
}

impl Both {
    fn slice(&mut self, pages: &Range<u64>) -> &mut [Page] {
        &mut self.model[pages.start as usize..pages.end as usize]
    }

    fn fill(&mut self, pages: &Range<u64>, kind: u8, offset: u64) {
        for (page, n) in self.slice(pages).iter_mut().zip(0..) {
            *page = Some((kind, offset + n * PAGE));
        }
    }

    /// The pieces that were removed, against the pages that were there.
    fn clear(&mut self, pages: &Range<u64>, removed: Vec<vmas::Area<Kind>>) -> Result<(), TestCaseError> {
        let mut expected = vec![None; PAGES as usize];
        expected[pages.start as usize..pages.end as usize].copy_from_slice(self.slice(pages));
        prop_assert_eq!(flat(removed.iter().map(|a| (a.range(), &a.value)))?, expected);
        self.slice(pages).fill(None);
        Ok(())
    }

    fn apply(&mut self, step: &Step) -> Result<(), TestCaseError> {
        match step {
            Step::Insert(pages, kind, follows) => {
                let offset = offset(pages.start, *follows);
                let free = self.slice(pages).iter().all(Option::is_none);
                prop_assert_eq!(self.map.is_free(bytes(pages)), free);
                let result = self.map.insert(bytes(pages), Kind::new(*kind, offset).expect("memory"));
                prop_assert_eq!(result, if free { Ok(()) } else { Err(Error::Taken) });
                if free {
                    self.fill(pages, *kind, offset);
                }
            }
            Step::Replace(pages, kind, follows) => {
                let offset = offset(pages.start, *follows);
                let mut removed = vec![];
                let value = Kind::new(*kind, offset).expect("memory");
                self.map.replace(bytes(pages), value, |area| removed.push(area)).expect("memory");
                self.clear(pages, removed)?;
                self.fill(pages, *kind, offset);
            }
            Step::Remove(pages) => {
                let mut removed = vec![];
                self.map.remove(bytes(pages), |area| removed.push(area)).expect("memory");
                self.clear(pages, removed)?;
            }
            Step::Change(pages, kind) => {
                let mut seen = 0;
                let range = bytes(pages);
                let change = |piece: Range<u64>, value: &mut Kind| {
                    assert!(range.start <= piece.start && piece.end <= range.end);
                    seen += piece.end - piece.start;
                    value.kind = *kind;
                };
                self.map.change(bytes(pages), change).expect("memory");
                let there = self.slice(pages).iter_mut().flatten();
                prop_assert_eq!(there.map(|page| page.0 = *kind).count() as u64 * PAGE, seen);
            }
            Step::Grow(to) => self.grow(*to)?,
            Step::Free(request) => self.find_free(request)?,
            Step::Copy(without) => {
                let copy = self.map.try_clone_with(|area| {
                    let Kind { kind, offset, .. } = *area.value;
                    if kind == *without { Ok(None) } else { Kind::new(kind, offset).map(Some) }
                });
                self.map = copy.expect("memory");
                self.model.iter_mut().for_each(|page| *page = page.filter(|(kind, _)| kind != without));
            }
            Step::Reserve => {
                self.map.unreserve();
                self.map.reserve(1).expect("memory");
            }
        }
        Ok(())
    }

    /// A stack (of the model's kinds, below `STACKS`) grows down to a page.
    fn grow(&mut self, to: u64) -> Result<(), TestCaseError> {
        let above = (to..PAGES).find_map(|page| Some((page, self.model[page as usize]?)));
        let below = (0..to).rev().find_map(|page| Some((page, self.model[page as usize]?.0)));
        let expected = match above {
            None => Err(Error::Gap),
            Some((start, _)) if start == to => Err(Error::Range),
            Some((_, (kind, _))) => {
                let guard = if kind < STACKS { u64::from(kind) } else { 0 };
                let close = below.is_some_and(|(page, kind)| kind != NOBODY && to - (page + 1) < guard);
                if close { Err(Error::Gap) } else { Ok(()) }
            }
        };
        prop_assert_eq!(self.map.grow_down(to * PAGE).map(|_| ()), expected);
        if let (Ok(()), Some((start, (kind, offset)))) = (expected, above) {
            self.fill(&(to..start), kind, offset - (start - to) * PAGE);
        }
        Ok(())
    }

    /// The best of all addresses, tried one by one.
    fn find_free(&mut self, request: &Request) -> Result<(), TestCaseError> {
        let guarded: Vec<bool> = (0..PAGES)
            .map(|page| {
                let above = (page..PAGES).find_map(|above| Some((above, self.model[above as usize]?.0)));
                // The whole area below a page has the page's kind; the guard is below its first page.
                above.is_some_and(|(start, kind)| {
                    start == page || (kind < STACKS && start - page <= u64::from(kind))
                })
            })
            .collect();
        let size = request.size.div_ceil(PAGE);
        let within = request.within.start / PAGE..request.within.end / PAGE;
        let fits = |page: &u64| {
            (page * PAGE).is_multiple_of(request.align)
                && page + size <= within.end
                && (*page..page + size).all(|page| !guarded[page as usize])
        };
        let mut addresses = within.clone();
        let expected = match request.order {
            Order::TopDown => addresses.rev().find(fits),
            Order::BottomUp => addresses.find(fits),
        };
        prop_assert_eq!(self.map.find_free(request).map(|address| address / PAGE), expected);
        Ok(())
    }

    fn check(&self) -> Result<(), TestCaseError> {
        prop_assert!(self.map.is_sound(), "{:?}", self.map);
        prop_assert_eq!(&flat(self.map.iter().map(|area| (area.range(), area.value)))?, &self.model);
        for page in 0..PAGES {
            let found = self.map.find(page * PAGE + 17);
            let here = found.map(|area| (area.value.kind, area.value.offset + page * PAGE - area.start));
            prop_assert_eq!(here, self.model[page as usize]);
            let above = (page..PAGES).find(|above| self.model[*above as usize].is_some());
            let found = self.map.find_above(page * PAGE).map(|area| area.start.max(page * PAGE) / PAGE);
            prop_assert_eq!(found, above);
            let below = (0..page).rev().find(|below| self.model[*below as usize].is_some());
            let found = self.map.find_below(page * PAGE).map(|area| area.end.min(page * PAGE) / PAGE - 1);
            prop_assert_eq!(found, below);
        }
        Ok(())
    }

    /// No two neighbours that may be one (growing does not join).
    fn joined(&self) -> bool {
        let next = self.map.iter().skip(1);
        self.map.iter().zip(next).all(|(a, b)| a.end != b.start || !a.value.merges(a.bytes(), b.value))
    }
}

/// The pages of areas in order.
fn flat<'a>(areas: impl Iterator<Item = (Range<u64>, &'a Kind)>) -> Result<Vec<Page>, TestCaseError> {
    let mut pages = vec![None; PAGES as usize];
    let mut end = 0;
    for (range, value) in areas {
        prop_assert!(end <= range.start && range.start < range.end);
        end = range.end;
        for (at, n) in (range.start..range.end).step_by(PAGE as usize).zip(0..) {
            pages[(at / PAGE) as usize] = Some((value.kind, value.offset + n * PAGE));
        }
    }
    Ok(pages)
}

fn cases() -> u32 {
    if std::env::var_os("OTTAWA_LONG").is_some() { 50_000 } else { 600 }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(), ..ProptestConfig::default() })]
    #[test]
    fn any_sequence_of_operations_does_what_the_model_does(steps in prop::collection::vec(step(), 0..300)) {
        let before = live();
        let mut both = Both { map: Map::new(), model: vec![None; PAGES as usize] };
        let mut grown = false;
        for step in &steps {
            both.apply(step)?;
            grown |= matches!(step, Step::Grow(_) | Step::Copy(_));
            prop_assert!(both.map.is_sound(), "after {:?}: {:?}", step, both.map);
            prop_assert!(grown || both.joined(), "after {:?}: {:?}", step, both.map);
        }
        both.check()?;
        drop(both);
        prop_assert_eq!(live(), before);
    }
}
