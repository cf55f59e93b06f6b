//! Where memory comes from: ranges that become free blocks, and blocks that were in use before there was an
//! allocator.

use crate::{ALLOCATED, Buddy, Error, Frames, MAX_ORDER, NONE};

impl<F: Frames> Buddy<F> {
    /// Gives `count` frames from `first` on to the allocator, as free blocks as large as they fit. Descriptors of
    /// all frames in the same aligned 1,024 must be readable: those at the edges are looked at for coalescing.
    ///
    /// # Errors
    ///
    /// [`Error::Range`] if frame numbers run out, [`Error::Taken`] if part of the range lies in a block that the
    /// allocator has; nothing is added then. (A range around smaller blocks is not noticed: that would
    /// mean to read every descriptor.)
    pub fn add_range(&mut self, first: u32, count: u32) -> Result<(), Error> {
        if first.checked_add(count).is_none() {
            return Err(Error::Range { first, count });
        }
        for (frame, order) in pieces(first, count) {
            self.check_untaken(frame, order)?;
        }
        for (frame, order) in pieces(first, count) {
            self.release(frame, order);
        }
        Ok(())
    }

    /// Makes a block the allocator's that is in use already: the caller frees it later like any other.
    ///
    /// # Errors
    ///
    /// [`Error::Range`] if it is not aligned to its size, [`Error::Taken`] if it is the allocator's already.
    pub fn adopt(&mut self, frame: u32, order: u8) -> Result<(), Error> {
        let count = 1u32.checked_shl(order.into()).unwrap_or(0);
        if order > MAX_ORDER || !frame.is_multiple_of(count) || frame.checked_add(count).is_none() {
            return Err(Error::Range { first: frame, count });
        }
        self.check_untaken(frame, order)?;
        self.frames.set_state(frame, ALLOCATED | order);
        Ok(())
    }

    /// Whether some block of this or a larger order covers the frame.
    fn check_untaken(&self, frame: u32, order: u8) -> Result<(), Error> {
        for larger in 0..=MAX_ORDER {
            let start = frame & !((1 << larger) - 1);
            let state = if start == NONE { 0 } else { self.frames.state(start) };
            let reaches = state & !(ALLOCATED | crate::FREE) >= larger;
            if state != 0 && (reaches || larger <= order) {
                return Err(Error::Taken { frame });
            }
        }
        Ok(())
    }
}

/// The aligned blocks, as large as possible, that make up a range.
fn pieces(mut first: u32, mut count: u32) -> impl Iterator<Item = (u32, u8)> {
    core::iter::from_fn(move || {
        let fitting = count.checked_ilog2()?;
        let order = fitting.min(first.trailing_zeros()).min(MAX_ORDER.into());
        let piece = (first, order as u8);
        first += 1 << order;
        count -= 1 << order;
        Some(piece)
    })
}
