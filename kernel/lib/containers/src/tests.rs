//! Behaviour on the host: values are dropped once and in order, memory goes back as it came, and every allocation is failed
//! once.

use crate::{AllocError, Arc, Box, String, Vec, try_format, unsize};
use core::alloc::Layout;
use proptest::prelude::{Strategy, any, prop, prop_assert_eq, prop_oneof, proptest};
use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::fmt::Write;
use std::rc::Rc;

std::thread_local! {
    /// Allocations until one fails.
    static LEFT: Cell<usize> = const { Cell::new(usize::MAX) };
    static LIVE: RefCell<HashMap<usize, (usize, usize)>> = RefCell::new(HashMap::new());
}

#[unsafe(no_mangle)]
unsafe fn ottawa_alloc(size: usize, align: usize) -> *mut u8 {
    assert!(size != 0 && align.is_power_of_two());
    if LEFT.get() == 0 {
        return std::ptr::null_mut();
    }
    LEFT.set(LEFT.get().saturating_sub(1));
    // SAFETY: the size is not 0.
    let memory = unsafe { std::alloc::alloc(Layout::from_size_align(size, align).expect("a layout")) };
    LIVE.with_borrow_mut(|live| live.insert(memory as usize, (size, align)));
    memory
}

#[unsafe(no_mangle)]
unsafe fn ottawa_dealloc(memory: *mut u8, size: usize, align: usize) {
    let was = LIVE.with_borrow_mut(|live| live.remove(&(memory as usize)));
    assert_eq!(was, Some((size, align)), "memory goes back once, as it came");
    // SAFETY: allocated above with this layout.
    unsafe { std::alloc::dealloc(memory, Layout::from_size_align_unchecked(size, align)) };
}

fn nothing_left() -> bool {
    LIVE.with_borrow(HashMap::is_empty)
}

/// Runs `work` with the 0th, 1st, 2nd ... allocation failing, until it gets through.
fn fail_each_allocation_in_turn(work: impl Fn() -> Result<(), AllocError>) -> usize {
    for left in 0.. {
        LEFT.set(left);
        let result = work();
        LEFT.set(usize::MAX);
        assert!(nothing_left(), "a failure at allocation {left} leaves nothing behind");
        if result.is_ok() {
            return left;
        }
    }
    unreachable!()
}

/// Says its number when it is dropped.
#[derive(Clone)]
struct Noisy(u32, Rc<RefCell<std::vec::Vec<u32>>>);

impl Drop for Noisy {
    fn drop(&mut self) {
        self.1.borrow_mut().push(self.0);
    }
}

fn noisy() -> (impl Fn(u32) -> Noisy, impl Fn() -> std::vec::Vec<u32>) {
    let log = Rc::new(RefCell::new(std::vec::Vec::new()));
    let other = log.clone();
    (move |n| Noisy(n, log.clone()), move || other.take())
}

#[repr(align(256))]
struct Wide(u8);

trait Speak {
    fn speak(&self) -> u32;
}
impl Speak for Noisy {
    fn speak(&self) -> u32 {
        self.0
    }
}
impl Speak for Wide {
    fn speak(&self) -> u32 {
        self.0.into()
    }
}
impl Speak for () {
    fn speak(&self) -> u32 {
        0
    }
}

#[test]
fn a_box_drops_its_value_once_also_as_a_trait() {
    let (new, dropped) = noisy();
    drop(Box::new(new(1)).expect("memory"));
    assert_eq!(dropped(), [1]);
    let boxed: Box<dyn Speak> = unsize!(Box::new(new(2)).expect("memory") => dyn Speak);
    assert_eq!(boxed.speak(), 2);
    drop(boxed);
    assert_eq!(dropped(), [2]);
    let inner = Box::new(new(3)).expect("memory").into_inner();
    assert!(dropped().is_empty() && nothing_left());
    drop(inner);
    assert_eq!(dropped(), [3]);
}

#[test]
fn traits_and_slices_keep_layout_and_address() {
    let boxes: [Box<dyn Speak>; 2] = [
        unsize!(Box::new(Wide(9)).expect("memory") => dyn Speak),
        unsize!(Box::new(()).expect("memory") => dyn Speak),
    ];
    assert_eq!(boxes.each_ref().map(|b| b.speak()), [9, 0]);
    assert_eq!(&raw const *boxes[0] as *const u8 as usize % 256, 0);
    let arcs: [Arc<dyn Speak>; 2] = [
        unsize!(Arc::new(Wide(8)).expect("memory") => dyn Speak),
        unsize!(Arc::new(()).expect("memory") => dyn Speak),
    ];
    assert_eq!(arcs.each_ref().map(|a| a.speak()), [8, 0]);
    assert_eq!(&raw const *arcs[0] as *const u8 as usize % 256, 0);
    let slice: Box<[u16]> = unsize!(Box::new([1u16, 2, 3]).expect("memory") => [u16]);
    let shared: Arc<[u16]> = unsize!(Arc::new([4u16, 5]).expect("memory") => [u16]);
    assert_eq!((&*slice, &*shared), (&[1, 2, 3][..], &[4, 5][..]));
    drop((boxes, arcs, slice, shared));
    assert!(nothing_left());
}

#[test]
#[should_panic(expected = "no coercion")]
fn a_function_that_is_no_coercion_is_refused() {
    let _ = Box::new((1u8, 2u8)).expect("memory").unsize(|pair| &mut pair.1);
}

#[test]
fn the_last_arc_drops_the_value() {
    let (new, dropped) = noisy();
    let first = Arc::new(new(1)).expect("memory");
    let second: Arc<dyn Speak> = unsize!(first.clone() => dyn Speak);
    assert_eq!((Arc::count(&first), second.speak()), (2, 1));
    drop(first);
    assert!(dropped().is_empty());
    drop(second);
    assert_eq!(dropped(), [1]);

    let mut only = Arc::new(5).expect("memory");
    *Arc::get_mut(&mut only).expect("the only owner") = 6;
    let other = only.clone();
    assert!(Arc::get_mut(&mut only).is_none() && Arc::ptr_eq(&only, &other));
    assert_eq!(Arc::into_inner(only), None);
    // SAFETY: from `into_raw`, once.
    let other = unsafe { Arc::from_raw(Arc::into_raw(other)) };
    assert_eq!(Arc::into_inner(other), Some(6));
    assert!(nothing_left());
}

#[test]
fn arcs_are_counted_right_by_many_threads() {
    // The allocator's books are a thread's own, so the first and the last owner stay here.
    let arc = Arc::new(std::sync::atomic::AtomicU32::new(0)).expect("memory");
    std::thread::scope(|scope| {
        for _ in 0..4 {
            let mine = arc.clone();
            scope.spawn(move || {
                for _ in 0..10_000 {
                    mine.clone().fetch_add(1, std::sync::atomic::Ordering::Relaxed);
                }
            });
        }
    });
    assert_eq!(Arc::count(&arc), 1);
    assert_eq!(Arc::into_inner(arc).map(|n| n.into_inner()), Some(40_000));
}

#[test]
fn a_vector_drops_its_values_in_order() {
    let (new, dropped) = noisy();
    let mut vec = Vec::try_from_iter((0..6).map(&new)).expect("memory");
    drop(vec.remove(1));
    drop(vec.swap_remove(0));
    assert_eq!(dropped(), [1, 0]);
    vec.retain(|value| value.0 != 3);
    assert_eq!(dropped(), [3]);
    assert_eq!(vec.iter().map(|v| v.0).collect::<std::vec::Vec<_>>(), [5, 2, 4]);
    let mut values = vec.into_iter();
    assert_eq!(values.next().map(|v| v.0), Some(5));
    assert_eq!(dropped(), [5]);
    drop(values);
    assert_eq!(dropped(), [2, 4]);
    assert!(nothing_left());
}

#[test]
fn values_without_bytes_take_no_memory() {
    LEFT.set(0);
    let mut vec = Vec::new();
    for _ in 0..1000 {
        vec.push(()).expect("nothing to allocate");
    }
    assert_eq!((vec.len(), vec.iter().count()), (1000, 1000));
    assert_eq!(vec.into_iter().count(), 1000);
    drop(Box::new(()).expect("nothing to allocate"));
    LEFT.set(usize::MAX);
}

#[test]
fn too_much_is_an_error() {
    assert_eq!(Vec::<u64>::with_capacity(usize::MAX / 4).err(), Some(AllocError));
    assert_eq!(Vec::<u64>::with_capacity(usize::MAX).err(), Some(AllocError));
    let mut bytes = Vec::try_from_iter([1u8]).expect("memory");
    assert_eq!(bytes.reserve(usize::MAX), Err(AllocError));
    assert_eq!(&bytes[..], [1]);
}

#[test]
fn a_failed_push_changes_nothing() {
    let (new, dropped) = noisy();
    let mut vec = Vec::with_capacity(1).expect("memory");
    vec.push(new(1)).expect("memory");
    LEFT.set(0);
    assert_eq!(vec.push(new(2)), Err(AllocError));
    assert_eq!(dropped(), [2]);
    assert!(vec.push_within_capacity(new(3)).is_err());
    LEFT.set(usize::MAX);
    assert_eq!((vec.len(), vec[0].0), (1, 1));
}

#[test]
fn each_allocation_may_fail() {
    let (new, _dropped) = noisy();
    let failures = fail_each_allocation_in_turn(|| {
        let boxed: Box<dyn Speak> = unsize!(Box::new(new(1))? => dyn Speak);
        let arc = Arc::new(boxed)?;
        let mut vec = Vec::new();
        for n in 0..40 {
            vec.push((arc.clone(), Box::new(n)?))?;
        }
        let mut text = try_format!("{} {}", vec.len(), arc.speak())?;
        write!(text, "{:>100}", 7).map_err(|_| AllocError)?;
        let copy = text.try_clone()?;
        assert_eq!(text, copy);
        let mut numbers = Vec::try_from_iter(0..100)?;
        numbers.insert(50, 1)?;
        numbers.resize(300, 2)?;
        let numbers = numbers.try_clone()?;
        assert_eq!(numbers.len(), 300);
        Ok(())
    });
    assert!(failures > 45, "{failures}");
}

#[test]
fn text_stays_text() {
    let mut text = String::from_str("a\u{e9}").expect("memory");
    text.push('\u{1f600}').expect("memory");
    assert_eq!(text, "a\u{e9}\u{1f600}");
    assert_eq!(std::format!("{text:?} {text:>5}"), "\"a\u{e9}\u{1f600}\"   a\u{e9}\u{1f600}");
}

#[test]
fn zeroed_memory_is_zero_and_in_place() {
    // SAFETY: bytes of 0 are a value of this type.
    let page = unsafe { Box::<[u64; 512]>::new_zeroed().expect("memory").assume_init() };
    assert!(page.iter().all(|&word| word == 0));
}

#[derive(Clone, Debug)]
enum Step {
    Push(u16),
    Pop,
    Insert(usize, u16),
    Remove(usize),
    SwapRemove(usize),
    Truncate(usize),
    Resize(usize, u16),
    Extend(std::vec::Vec<u16>),
    Retain(u16),
}

fn step() -> impl Strategy<Value = Step> {
    let index = 0usize..40;
    prop_oneof![
        4 => any::<u16>().prop_map(Step::Push),
        1 => prop::strategy::Just(Step::Pop),
        1 => (index.clone(), any::<u16>()).prop_map(|(i, v)| Step::Insert(i, v)),
        1 => index.clone().prop_map(Step::Remove),
        1 => index.clone().prop_map(Step::SwapRemove),
        1 => index.clone().prop_map(Step::Truncate),
        1 => (index, any::<u16>()).prop_map(|(i, v)| Step::Resize(i, v)),
        1 => prop::collection::vec(any::<u16>(), 0..20).prop_map(Step::Extend),
        1 => (1u16..5).prop_map(Step::Retain),
    ]
}

proptest! {
    #[test]
    fn a_vector_does_what_std_s_does(steps in prop::collection::vec(step(), 0..100)) {
        let mut ours = Vec::new();
        let mut theirs = std::vec::Vec::new();
        for step in steps {
            match step {
                Step::Push(value) => {
                    ours.push(value).expect("memory");
                    theirs.push(value);
                }
                Step::Pop => prop_assert_eq!(ours.pop(), theirs.pop()),
                Step::Insert(index, value) => {
                    prop_assert_eq!(ours.insert(index, value).is_ok(), index <= theirs.len());
                    if index <= theirs.len() {
                        theirs.insert(index, value);
                    }
                }
                Step::Remove(index) => {
                    let expected = (index < theirs.len()).then(|| theirs.remove(index));
                    prop_assert_eq!(ours.remove(index), expected);
                }
                Step::SwapRemove(index) => {
                    let expected = (index < theirs.len()).then(|| theirs.swap_remove(index));
                    prop_assert_eq!(ours.swap_remove(index), expected);
                }
                Step::Truncate(len) => {
                    ours.truncate(len);
                    theirs.truncate(len);
                }
                Step::Resize(len, value) => {
                    ours.resize(len, value).expect("memory");
                    theirs.resize(len, value);
                }
                Step::Extend(values) => {
                    let added = match values.len() % 2 {
                        0 => ours.extend_from_copy(&values),
                        _ => ours.extend_from_slice(&values),
                    };
                    added.expect("memory");
                    theirs.extend_from_slice(&values);
                }
                Step::Retain(divisor) => {
                    ours.retain(|value| *value % divisor != 0);
                    theirs.retain(|value| *value % divisor != 0);
                }
            }
            prop_assert_eq!(&ours[..], &theirs[..]);
            prop_assert_eq!(ours.len() <= ours.capacity(), true);
        }
        drop(ours);
        prop_assert_eq!(nothing_left(), true);
    }
}
