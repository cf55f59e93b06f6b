//! The auxiliary vector: what the kernel tells a program about itself and the machine.

use crate::PAGE;
use crate::plan::Plan;

/// The tags, with Linux's numbers.
mod tag {
    pub(super) const NULL: u64 = 0;
    pub(super) const PHDR: u64 = 3;
    pub(super) const PHENT: u64 = 4;
    pub(super) const PHNUM: u64 = 5;
    pub(super) const PAGESZ: u64 = 6;
    pub(super) const BASE: u64 = 7;
    pub(super) const FLAGS: u64 = 8;
    pub(super) const ENTRY: u64 = 9;
    pub(super) const UID: u64 = 11;
    pub(super) const EUID: u64 = 12;
    pub(super) const GID: u64 = 13;
    pub(super) const EGID: u64 = 14;
    pub(super) const PLATFORM: u64 = 15;
    pub(super) const HWCAP: u64 = 16;
    pub(super) const CLKTCK: u64 = 17;
    pub(super) const SECURE: u64 = 23;
    pub(super) const RANDOM: u64 = 25;
    pub(super) const HWCAP2: u64 = 26;
    pub(super) const EXECFN: u64 = 31;
    pub(super) const SYSINFO_EHDR: u64 = 33;
    pub(super) const MINSIGSTKSZ: u64 = 51;
}

/// Entries of a vector at most, the last one counted.
const MAX_ENTRIES: usize = 22;

/// What the vector says, but for what the stack itself knows (`AT_RANDOM`, `AT_EXECFN`, `AT_PLATFORM`) and what never differs
/// (`AT_PAGESZ`, `AT_PHENT`).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Aux {
    /// `AT_PHDR`: where the program headers lie; 0 if they do not.
    pub phdr: u64,
    /// `AT_PHNUM`: how many there are.
    pub phnum: u64,
    /// `AT_ENTRY`: the program's first instruction, also where it has an interpreter.
    pub entry: u64,
    /// `AT_BASE`: the bias of the interpreter; 0 without one.
    pub base: u64,
    /// `AT_FLAGS`: none so far.
    pub flags: u64,
    /// `AT_UID`.
    pub uid: u32,
    /// `AT_EUID`.
    pub euid: u32,
    /// `AT_GID`.
    pub gid: u32,
    /// `AT_EGID`.
    pub egid: u32,
    /// `AT_SECURE`: the program has rights that its caller has not.
    pub secure: bool,
    /// The bytes that `AT_RANDOM` leads to.
    pub random: [u8; 16],
    /// `AT_HWCAP`: EDX of CPUID leaf 1.
    pub hwcap: u64,
    /// `AT_HWCAP2`: bit 1 where programs may use `wrfsbase`.
    pub hwcap2: u64,
    /// `AT_CLKTCK`: ticks a second, as times(2) counts them.
    pub clktck: u64,
    /// `AT_MINSIGSTKSZ`: bytes that a signal's frame takes at most on this machine; left out if 0.
    pub minsigstksz: u64,
    /// `AT_SYSINFO_EHDR`: where the vDSO lies, if there is one.
    pub vdso: Option<u64>,
}

impl Aux {
    /// What the vector says of a program loaded with that bias; all else is 0.
    pub fn of(plan: &Plan<'_>, bias: u64) -> Self {
        Self {
            phdr: plan.headers.map_or(0, |headers| headers.wrapping_add(bias)),
            phnum: plan.header_count.into(),
            entry: plan.entry.wrapping_add(bias),
            ..Self::default()
        }
    }
}

/// Where the strings lie that entries lead to.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Strings {
    pub(crate) random: u64,
    pub(crate) execfn: u64,
    pub(crate) platform: u64,
}

/// The vector as a program sees it: also what `/proc/PID/auxv` shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Auxv {
    entries: [(u64, u64); MAX_ENTRIES],
    len: usize,
}

impl Auxv {
    pub(crate) fn new(aux: &Aux, strings: Strings) -> Self {
        let mut vector = Self { entries: [(tag::NULL, 0); MAX_ENTRIES], len: 0 };
        if let Some(vdso) = aux.vdso {
            vector.add(tag::SYSINFO_EHDR, vdso);
        }
        if aux.minsigstksz != 0 {
            vector.add(tag::MINSIGSTKSZ, aux.minsigstksz);
        }
        for (tag, value) in &[
            (tag::HWCAP, aux.hwcap),
            (tag::PAGESZ, PAGE),
            (tag::CLKTCK, aux.clktck),
            (tag::PHDR, aux.phdr),
            (tag::PHENT, Plan::HEADER_BYTES),
            (tag::PHNUM, aux.phnum),
            (tag::BASE, aux.base),
            (tag::FLAGS, aux.flags),
            (tag::ENTRY, aux.entry),
            (tag::UID, aux.uid.into()),
            (tag::EUID, aux.euid.into()),
            (tag::GID, aux.gid.into()),
            (tag::EGID, aux.egid.into()),
            (tag::SECURE, aux.secure.into()),
            (tag::RANDOM, strings.random),
            (tag::HWCAP2, aux.hwcap2),
            (tag::EXECFN, strings.execfn),
            (tag::PLATFORM, strings.platform),
            (tag::NULL, 0),
        ] {
            vector.add(*tag, *value);
        }
        vector
    }

    fn add(&mut self, tag: u64, value: u64) {
        if let Some(entry) = self.entries.get_mut(self.len) {
            *entry = (tag, value);
            self.len += 1;
        }
    }

    /// Tags and values, the last one being `AT_NULL`.
    pub fn entries(&self) -> &[(u64, u64)] {
        self.entries.get(..self.len).unwrap_or_default()
    }
}
