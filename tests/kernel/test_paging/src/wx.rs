//! The search for frames that can be executed at one address and written at another, or at the same one.
//!
//! It looks at frames, not at pages: an alias counts.

use arch::paging::{Flags, Leaf, level_size};
use containers::{AllocError, Vec};
use mm::paging;

/// A frame range that is executable here and writable there.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Both {
    /// Where it is executable.
    pub(crate) executable: u64,
    /// Where it is writable.
    pub(crate) writable: u64,
}

pub(crate) fn is_writable(leaf: &Leaf) -> bool {
    leaf.flags.contains(Flags::WRITABLE)
}

pub(crate) fn is_executable(leaf: &Leaf) -> bool {
    !leaf.flags.contains(Flags::NO_EXECUTE)
}

fn overlap(a: &Leaf, b: &Leaf) -> bool {
    a.phys < b.phys + level_size(b.level) && b.phys < a.phys + level_size(a.level)
}

/// How many executable leaves there are, and the first frames that break the rule.
pub(crate) fn search() -> Result<(usize, Vec<Both>), AllocError> {
    let table = paging::kernel_tables();
    // Room first: no frame is mapped or unmapped between the walks.
    let mut count = 0;
    table.walk(0..512, &mut |leaf| count += usize::from(is_executable(&leaf)));
    let mut executable: Vec<Leaf> = Vec::with_capacity(count + 8)?;
    let mut found: Vec<Both> = Vec::with_capacity(8)?;
    table.walk(0..512, &mut |leaf| {
        if is_executable(&leaf) {
            let _ = executable.push_within_capacity(leaf);
        }
    });
    table.walk(0..512, &mut |leaf| {
        if is_writable(&leaf) {
            for other in executable.iter().filter(|other| overlap(&leaf, other)) {
                let _ = found.push_within_capacity(Both { executable: other.virt, writable: leaf.virt });
            }
        }
    });
    Ok((executable.len(), found))
}
