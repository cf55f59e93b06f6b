//! The buddy allocator: blocks of 1, 2, 4 ... 1,024 frames, each aligned to its size.
//!
//! Two blocks of one size that differ only in the bit of that size are buddies; when both are free they
//! become one block of the next order. Free blocks of an order form a doubly linked list, and one bit an
//! order tells which lists hold any, so that taking and giving back is a few dozen instructions however much
//! memory there is: at most one step an order.
//!
//! The mechanism has no memory of its own: links and state of a block live in the descriptor of its first
//! frame, which the user keeps and hands out through [`Frames`] - the kernel in its frame descriptors, a test in a
//! `Vec`. It trusts nothing but its own descriptors: a frame freed twice, or never allocated, or with another
//! order, is an error and changes nothing.
//!
//! ```text
//! state byte   0            not a block's first frame: outside, or inside a block
//!              0x40 | order first frame of an allocated block
//!              0x80 | order first frame of a free block, linked
//! ```
//!
//! Zeroed descriptors are therefore right from the start, and memory may be given in pieces, early or
//! late ([`Buddy::add_range`]). Coalescing looks only at frames in the same aligned 1,024 frames as the block.

#![no_std]
#![forbid(unsafe_code)]

mod error;
mod list;
mod range;

pub use error::Error;

/// The largest order: 1,024 frames, 4 MiB.
pub const MAX_ORDER: u8 = 10;

/// Number of orders.
pub const ORDERS: usize = MAX_ORDER as usize + 1;

/// No frame, in a link.
pub const NONE: u32 = u32::MAX;

const ALLOCATED: u8 = 0x40;
const FREE: u8 = 0x80;

/// The descriptors of frames, by frame number. Frame [`NONE`] is never asked for.
///
/// What is set must be read back. Inlining matters: each call should be a load or a store.
pub trait Frames {
    /// The state byte of `frame`; 0 if it was never set, and for a frame that has no descriptor.
    fn state(&self, frame: u32) -> u8;
    /// Sets the state byte. Called for frames of blocks that were added or adopted only.
    fn set_state(&mut self, frame: u32, state: u8);
    /// The block before `frame` in its list.
    fn prev(&self, frame: u32) -> u32;
    /// Sets it.
    fn set_prev(&mut self, frame: u32, prev: u32);
    /// The block after `frame` in its list.
    fn next(&self, frame: u32) -> u32;
    /// Sets it.
    fn set_next(&mut self, frame: u32, next: u32);
}

/// What the allocator knows of a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// Not a block's first frame: outside the allocator, or inside a block.
    Other,
    /// First frame of an allocated block of this order.
    Allocated(u8),
    /// First frame of a free block of this order.
    Free(u8),
}

/// The allocator.
#[derive(Debug)]
pub struct Buddy<F> {
    frames: F,
    /// First free block of each order.
    heads: [u32; ORDERS],
    /// Free blocks of each order.
    counts: [u32; ORDERS],
    /// Bit n: there is a free block of order n.
    nonempty: u32,
}

impl<F: Frames> Buddy<F> {
    /// An allocator without memory.
    pub const fn new(frames: F) -> Self {
        Self { frames, heads: [NONE; ORDERS], counts: [0; ORDERS], nonempty: 0 }
    }

    /// Takes a block of 2^`order` frames: its first frame's number, a multiple of 2^`order`. Nothing if no
    /// block is large enough.
    #[inline]
    pub fn alloc(&mut self, order: u8) -> Option<u32> {
        let fitting = self.nonempty.checked_shr(order.into())?;
        if fitting == 0 {
            return None;
        }
        let mut found = order + fitting.trailing_zeros() as u8;
        let frame = self.pop(found)?;
        while found > order {
            found -= 1;
            self.push(frame + (1 << found), found);
        }
        self.frames.set_state(frame, ALLOCATED | order);
        Some(frame)
    }

    /// Gives back a block that [`Self::alloc`] returned for `order` (or that was adopted with it).
    ///
    /// # Errors
    ///
    /// [`Error::NotAllocated`] if there is no such allocated block; nothing has changed then.
    #[inline]
    pub fn free(&mut self, frame: u32, order: u8) -> Result<(), Error> {
        self.check_allocated(frame, order)?;
        self.release(frame, order);
        Ok(())
    }

    /// Makes one allocated block into 2^`order` allocated blocks of one frame, to be freed one by one.
    ///
    /// # Errors
    ///
    /// [`Error::NotAllocated`] as for [`Self::free`].
    pub fn split(&mut self, frame: u32, order: u8) -> Result<(), Error> {
        self.check_allocated(frame, order)?;
        for piece in frame..=frame + ((1 << order) - 1) {
            self.frames.set_state(piece, ALLOCATED);
        }
        Ok(())
    }

    /// What is known of `frame`.
    pub fn state(&self, frame: u32) -> State {
        if frame == NONE {
            return State::Other;
        }
        let state = self.frames.state(frame);
        let order = state & !(ALLOCATED | FREE);
        match state & (ALLOCATED | FREE) {
            ALLOCATED => State::Allocated(order),
            FREE => State::Free(order),
            _ => State::Other,
        }
    }

    /// Number of free blocks of each order.
    pub fn free_blocks(&self) -> &[u32; ORDERS] {
        &self.counts
    }

    /// Number of free frames in blocks of all orders.
    pub fn free_frames(&self) -> u64 {
        self.counts.iter().zip(0..).map(|(count, order)| u64::from(*count) << order).sum()
    }

    /// The descriptors.
    pub fn frames(&self) -> &F {
        &self.frames
    }

    fn check_allocated(&self, frame: u32, order: u8) -> Result<(), Error> {
        if order > MAX_ORDER || frame == NONE || self.frames.state(frame) != ALLOCATED | order {
            return Err(Error::NotAllocated { frame, order, found: self.state(frame) });
        }
        Ok(())
    }

    /// Frees a block that no list holds: joins it with its buddy as long as that is free.
    #[inline]
    fn release(&mut self, mut frame: u32, mut order: u8) {
        while order < MAX_ORDER {
            let buddy = frame ^ (1 << order);
            if self.frames.state(buddy) != FREE | order {
                break;
            }
            self.unlink(buddy, order);
            self.frames.set_state(frame.max(buddy), 0);
            frame = frame.min(buddy);
            order += 1;
        }
        self.push(frame, order);
    }
}
