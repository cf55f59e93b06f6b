//! The lists of free blocks: last in, first out, linked through the blocks' first descriptors.

use crate::{Buddy, FREE, Frames, NONE};

impl<F: Frames> Buddy<F> {
    /// Puts a block at the head of its order's list.
    #[inline]
    pub(crate) fn push(&mut self, frame: u32, order: u8) {
        let index = usize::from(order);
        let (Some(head), Some(count)) = (self.heads.get_mut(index), self.counts.get_mut(index)) else {
            return;
        };
        let next = core::mem::replace(head, frame);
        *count += 1;
        self.nonempty |= 1 << order;
        self.frames.set_state(frame, FREE | order);
        self.frames.set_prev(frame, NONE);
        self.frames.set_next(frame, next);
        if next != NONE {
            self.frames.set_prev(next, frame);
        }
    }

    /// Takes the block at the head of a list; its state is still that of a free one.
    #[inline]
    pub(crate) fn pop(&mut self, order: u8) -> Option<u32> {
        let frame = *self.heads.get(usize::from(order))?;
        if frame == NONE {
            return None;
        }
        self.unlink(frame, order);
        Some(frame)
    }

    /// Takes a block out of its order's list; its state is still that of a free one.
    #[inline]
    pub(crate) fn unlink(&mut self, frame: u32, order: u8) {
        let index = usize::from(order);
        let (Some(head), Some(count)) = (self.heads.get_mut(index), self.counts.get_mut(index)) else {
            return;
        };
        let (prev, next) = (self.frames.prev(frame), self.frames.next(frame));
        *count -= 1;
        if *count == 0 {
            self.nonempty &= !(1 << order);
        }
        if prev == NONE {
            *head = next;
        } else {
            self.frames.set_next(prev, next);
        }
        if next != NONE {
            self.frames.set_prev(next, prev);
        }
    }
}
