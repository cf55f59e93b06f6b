//! Frames: 4 KiB of physical memory each, with a descriptor, handed out in powers of two (the buddy mechanism).
//!
//! Descriptors lie at `FRAMES + 32 * number`, one array over all of memory, mapped only where there is memory. They are set
//! up lazily: memory the firmware calls usable waits as *untouched* ranges of whole 4 MiB chunks, and a chunk's 1,024
//! descriptors are cleared only when the buddy runs dry and takes the chunk. So the boot's cost does not grow with memory.
//!
//! A descriptor's fields belong to whoever owns the frame: the buddy while it is free, a slab cache while it is a slab, else
//! nobody. They are atomics used with relaxed loads and stores, which cost what plain ones cost.
//!
//! Cost: allocating or freeing is one lock and, where no block has to be split or joined, about 40 instructions.
//!
//! Lock: `FRAMES`, the innermost of the memory layer (rank `FRAMES`), interrupts masked.

use crate::early::{MAX_RANGES, PhysRange, Ranges};
use crate::layout::{self, PAGE_SIZE, phys_to_virt, round_down, round_up};
use crate::{MemoryError, paging};
use base::sync::{IrqSpinLock, rank};
use buddy::Buddy;
pub use buddy::{MAX_ORDER, NONE};
use core::sync::atomic::{AtomicU8, AtomicU32, AtomicU64, Ordering::Relaxed};

/// Bytes in a block of the largest order: what is taken in at once, and as far as buddies look.
const CHUNK: u64 = PAGE_SIZE << MAX_ORDER;

/// What the kernel knows of a frame: 32 bytes.
#[repr(C, align(32))]
pub struct Frame {
    pub(crate) next: AtomicU32,
    pub(crate) prev: AtomicU32,
    /// The buddy's word on it.
    state: AtomicU8,
    _spare: [u8; 3],
    /// Slab: objects that are out.
    pub(crate) count: AtomicU32,
    /// Slab: the head of its free objects.
    pub(crate) word: AtomicU64,
    _word2: AtomicU64,
}

/// The descriptor of frame `number`.
pub(crate) fn descriptor(number: u32) -> &'static Frame {
    let address = layout::FRAMES + u64::from(number) * size_of::<Frame>() as u64;
    // SAFETY: the numbers that go about in this layer are of frames that memory was found at, whose descriptors `init`
    // mapped and `feed` or `init` cleared; the array lives for ever and its fields are atomics.
    unsafe { &*(address as *const Frame) }
}

/// The number of the frame that the direct map shows at `address`.
pub(crate) fn number_of_direct(address: u64) -> u32 {
    ((address - layout::DIRECT_MAP) / PAGE_SIZE) as u32
}

/// The descriptors as the buddy uses them.
struct Descriptors;

impl buddy::Frames for Descriptors {
    #[inline]
    fn state(&self, frame: u32) -> u8 {
        descriptor(frame).state.load(Relaxed)
    }
    #[inline]
    fn set_state(&mut self, frame: u32, state: u8) {
        descriptor(frame).state.store(state, Relaxed);
    }
    #[inline]
    fn prev(&self, frame: u32) -> u32 {
        descriptor(frame).prev.load(Relaxed)
    }
    #[inline]
    fn set_prev(&mut self, frame: u32, prev: u32) {
        descriptor(frame).prev.store(prev, Relaxed);
    }
    #[inline]
    fn next(&self, frame: u32) -> u32 {
        descriptor(frame).next.load(Relaxed)
    }
    #[inline]
    fn set_next(&mut self, frame: u32, next: u32) {
        descriptor(frame).next.store(next, Relaxed);
    }
}

struct Allocator {
    buddy: Buddy<Descriptors>,
    untouched: [PhysRange; MAX_RANGES],
    total: u64,
    allocated: u64,
}

static FRAMES: IrqSpinLock<Allocator> = IrqSpinLock::new(
    rank::FRAMES,
    Allocator {
        buddy: Buddy::new(Descriptors),
        untouched: [PhysRange { start: 0, end: 0 }; MAX_RANGES],
        total: 0,
        allocated: 0,
    },
);

/// How memory stands, in frames.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Usage {
    /// All that the allocator was ever given.
    pub total: u64,
    /// Handed out now.
    pub allocated: u64,
    /// Free without a descriptor yet.
    pub untouched: u64,
}

impl Usage {
    /// Free now.
    pub fn free(&self) -> u64 {
        self.total - self.allocated
    }
}

/// Maps the descriptors of all `ram`, takes over what `early` has left, and opens the allocator.
///
/// # Errors
/// [`MemoryError`].
pub(crate) fn init(early: &mut Ranges, ram: &Ranges, largest: u8) -> Result<(), MemoryError> {
    // Whole chunks: a block's buddy may lie where there is no memory, and its descriptor says so.
    let chunks = |range: PhysRange| (round_down(range.start, CHUNK), round_up(range.end, CHUNK));
    for range in ram.iter() {
        let (start, end) = chunks(range);
        map_descriptors(early, PhysRange { start, end }, largest)?;
    }
    // Chunks that are not wholly usable are cleared now: what is in use in them has descriptors too.
    for range in ram.iter() {
        let (mut start, end) = chunks(range);
        while start < end {
            let chunk = PhysRange { start, end: start + CHUNK };
            if !early.iter().any(|r| r.start <= chunk.start && chunk.end <= r.end) {
                clear_descriptors(chunk);
            }
            start = chunk.end;
        }
    }
    let mut allocator = FRAMES.lock();
    for (i, range) in early.iter().enumerate() {
        allocator.total += range.size() / PAGE_SIZE;
        let whole = PhysRange { start: round_up(range.start, CHUNK), end: round_down(range.end, CHUNK) };
        if whole.start >= whole.end {
            allocator.give(range);
            continue;
        }
        allocator.give(PhysRange { start: range.start, end: whole.start });
        allocator.give(PhysRange { start: whole.end, end: range.end });
        allocator.untouched[i] = whole;
    }
    Ok(())
}

fn descriptor_bytes(range: PhysRange) -> (u64, u64) {
    let per_frame = size_of::<Frame>() as u64;
    let start = layout::FRAMES + range.start / PAGE_SIZE * per_frame;
    (start, start + range.size() / PAGE_SIZE * per_frame)
}

fn clear_descriptors(range: PhysRange) {
    let (start, end) = descriptor_bytes(range);
    paging::zero(start, end - start);
}

fn map_descriptors(early: &mut Ranges, range: PhysRange, largest: u8) -> Result<(), MemoryError> {
    let (start, end) = descriptor_bytes(range);
    let (mut virt, end) = (round_down(start, PAGE_SIZE), round_up(end, PAGE_SIZE));
    let table = paging::kernel_tables();
    let large = arch::paging::level_size(2);
    while virt < end {
        if let Some(leaf) = table.lookup(virt) {
            // The range before this one ended on the same page.
            virt = leaf.virt + arch::paging::level_size(leaf.level);
            continue;
        }
        let level = if virt.is_multiple_of(large) && end - virt >= large && largest >= 2 { 2 } else { 1 };
        let size = arch::paging::level_size(level);
        let phys = early.cut(size, size).ok_or(MemoryError::NoMemory)?;
        let mut source = || {
            let table = early.cut(PAGE_SIZE, PAGE_SIZE)?;
            paging::zero_frame(table);
            Some(table)
        };
        table.map(virt, phys, level, paging::WRITE, &mut source)?;
        virt += size;
    }
    Ok(())
}

impl Allocator {
    /// Gives the buddy a range whose descriptors are cleared.
    fn give(&mut self, range: PhysRange) {
        if range.start < range.end {
            let first = (range.start / PAGE_SIZE) as u32;
            // The range is memory nobody has: `init` and `feed` see to that, so the buddy finds nothing wrong.
            let _ = self.buddy.add_range(first, (range.size() / PAGE_SIZE) as u32);
        }
    }

    /// Takes one chunk of untouched memory in; false where there is none.
    fn feed(&mut self) -> bool {
        let Some(range) = self.untouched.iter_mut().find(|r| r.start < r.end) else { return false };
        let chunk = PhysRange { start: range.start, end: range.start + CHUNK };
        range.start = chunk.end;
        clear_descriptors(chunk);
        self.give(chunk);
        true
    }
}

/// Takes `2^order` frames that lie side by side, aligned to their size, not cleared; the physical address of the first.
///
/// # Errors
/// [`MemoryError::NoMemory`] where there are none, or `order` is above [`MAX_ORDER`].
pub fn alloc(order: u8) -> Result<u64, MemoryError> {
    if order > MAX_ORDER {
        return Err(MemoryError::NoMemory);
    }
    let mut allocator = FRAMES.lock();
    let number = loop {
        if let Some(number) = allocator.buddy.alloc(order) {
            break number;
        }
        if !allocator.feed() {
            return Err(MemoryError::NoMemory);
        }
    };
    allocator.allocated += 1 << order;
    Ok(u64::from(number) * PAGE_SIZE)
}

/// Takes one cleared frame.
///
/// # Errors
/// [`MemoryError::NoMemory`].
pub fn alloc_zeroed() -> Result<u64, MemoryError> {
    let phys = alloc(0)?;
    paging::zero_frame(phys);
    Ok(phys)
}

/// Gives `2^order` frames from [`alloc`] back. A block that is free already, or that no block can be, is left alone and
/// reported in the log: the caller has a bug.
pub fn free(phys: u64, order: u8) {
    let mut allocator = FRAMES.lock();
    match allocator.buddy.free((phys / PAGE_SIZE) as u32, order) {
        Ok(()) => allocator.allocated -= 1 << order,
        Err(error) => {
            drop(allocator);
            base::error!("frames: freeing {phys:#x}, order {order}: {error}");
        }
    }
}

/// Single frames that are freed together, chained through their own descriptors.
pub(crate) struct Held(u32);

impl Held {
    pub(crate) fn new() -> Self {
        Self(NONE)
    }

    /// Adds an allocated frame that nobody else keeps.
    pub(crate) fn push(&mut self, phys: u64) {
        let number = (phys / PAGE_SIZE) as u32;
        descriptor(number).next.store(self.0, Relaxed);
        self.0 = number;
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        while self.0 != NONE {
            let number = self.0;
            self.0 = descriptor(number).next.load(Relaxed);
            free(u64::from(number) * PAGE_SIZE, 0);
        }
    }
}

/// Gives the allocator memory that was in use at boot and no longer is. `start` and `end` are rounded inwards.
pub(crate) fn adopt(start: u64, end: u64) -> u64 {
    let range = PhysRange { start: round_up(start, PAGE_SIZE), end: round_down(end, PAGE_SIZE) };
    if range.start >= range.end {
        return 0;
    }
    let mut allocator = FRAMES.lock();
    allocator.total += range.size() / PAGE_SIZE;
    allocator.give(range);
    range.size()
}

/// Fills the frame at `phys` with `byte`.
pub(crate) fn fill(phys: u64, byte: u8) {
    // SAFETY: the caller owns the frame, and the direct map shows it writable.
    unsafe { core::slice::from_raw_parts_mut(phys_to_virt(phys) as *mut u8, PAGE_SIZE as usize) }.fill(byte);
}

/// How memory stands.
pub fn usage() -> Usage {
    let allocator = FRAMES.lock();
    let untouched = allocator.untouched.iter().map(|r| r.size() / PAGE_SIZE).sum();
    Usage { total: allocator.total, allocated: allocator.allocated, untouched }
}
