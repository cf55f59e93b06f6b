//! Memory that fails on demand, programs made of bytes, and a program's memory to be.

use exec::{Aux, Error, Image, Memory, Plan, Segment};
use std::alloc::Layout;
use std::cell::Cell;
use std::ops::Range;

thread_local! {
    /// Allocations until they fail.
    static LEFT: Cell<usize> = const { Cell::new(usize::MAX) };
}

#[unsafe(no_mangle)]
unsafe fn ottawa_alloc(size: usize, align: usize) -> *mut u8 {
    if LEFT.get() == 0 {
        return std::ptr::null_mut();
    }
    LEFT.set(LEFT.get().saturating_sub(1));
    // SAFETY: the size is not 0.
    unsafe { std::alloc::alloc(Layout::from_size_align(size, align).expect("a layout")) }
}

#[unsafe(no_mangle)]
unsafe fn ottawa_dealloc(memory: *mut u8, size: usize, align: usize) {
    // SAFETY: allocated above with this layout.
    unsafe { std::alloc::dealloc(memory, Layout::from_size_align_unchecked(size, align)) };
}

/// Runs `work` with allocations failing after the first `left`.
pub(crate) fn with_allocations<R>(left: usize, work: impl FnOnce() -> R) -> R {
    LEFT.set(left);
    let result = work();
    LEFT.set(usize::MAX);
    result
}

/// The addresses that programs may have in tests.
pub(crate) const USER: Range<u64> = 0x1_0000..1 << 39;

/// A program header to be.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Program {
    pub(crate) kind: u32,
    pub(crate) flags: u32,
    pub(crate) offset: u64,
    pub(crate) address: u64,
    pub(crate) file_bytes: u64,
    pub(crate) bytes: u64,
    pub(crate) align: u64,
}

pub(crate) const LOAD: u32 = 1;
pub(crate) const INTERP: u32 = 3;
pub(crate) const STACK: u32 = 0x6474_e551;

pub(crate) fn load(offset: u64, address: u64, file_bytes: u64, bytes: u64, flags: u32) -> Program {
    Program { kind: LOAD, flags, offset, address, file_bytes, bytes, align: 0x1000 }
}

/// A file of 16 KiB with these program headers behind its header.
pub(crate) fn elf(kind: u16, entry: u64, programs: &[Program]) -> Vec<u8> {
    let mut file = b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0".to_vec();
    file.extend(kind.to_le_bytes());
    file.extend(62u16.to_le_bytes());
    file.extend(1u32.to_le_bytes());
    for number in [entry, 64, 0] {
        file.extend(number.to_le_bytes());
    }
    file.extend(0u32.to_le_bytes());
    for number in [64, 56, programs.len() as u16, 0, 0, 0] {
        file.extend(number.to_le_bytes());
    }
    for p in programs {
        file.extend(p.kind.to_le_bytes());
        file.extend(p.flags.to_le_bytes());
        for number in [p.offset, p.address, p.address, p.file_bytes, p.bytes, p.align] {
            file.extend(number.to_le_bytes());
        }
    }
    file.resize(0x4000, 0x55);
    file
}

/// The plan of a whole file, in the steps that a kernel takes.
pub(crate) fn plan(file: &[u8]) -> Result<Plan<'_>, Error> {
    let Image::Elf(header) = Image::parse(&file[..file.len().min(exec::START_BYTES)])? else {
        return Err(Error::Unknown);
    };
    let table = header.table();
    let table = file.get(table.start as usize..file.len().min(table.end as usize)).unwrap_or_default();
    Plan::new(&header, table, file.len() as u64, USER)
}

pub(crate) fn segments(plan: &Plan<'_>) -> Vec<Segment> {
    plan.segments().collect()
}

/// Memory of some addresses, and how often it is written.
pub(crate) struct Pages {
    pub(crate) start: u64,
    pub(crate) bytes: Vec<Option<u8>>,
    pub(crate) writes: usize,
}

impl Pages {
    pub(crate) fn new(range: Range<u64>) -> Self {
        Self { start: range.start, bytes: vec![None; (range.end - range.start) as usize], writes: 0 }
    }

    pub(crate) fn word(&self, address: u64) -> u64 {
        let at = (address - self.start) as usize;
        let bytes: Vec<u8> = self.bytes[at..at + 8].iter().map(|byte| byte.expect("written")).collect();
        u64::from_le_bytes(bytes.try_into().expect("eight"))
    }

    /// The string there, without its NUL.
    pub(crate) fn string(&self, address: u64) -> Vec<u8> {
        let from = self.bytes[(address - self.start) as usize..].iter();
        from.map(|byte| byte.expect("written")).take_while(|byte| *byte != 0).collect()
    }
}

/// A write where there is no memory, or the second to the same byte.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Fault(pub(crate) u64);

impl Memory for Pages {
    type Error = Fault;

    fn write(&mut self, address: u64, bytes: &[u8]) -> Result<(), Fault> {
        self.writes += 1;
        for (byte, address) in bytes.iter().zip(address..) {
            let place = address.checked_sub(self.start).and_then(|at| self.bytes.get_mut(at as usize));
            match place {
                Some(place @ None) => *place = Some(*byte),
                _ => return Err(Fault(address)),
            }
        }
        Ok(())
    }
}

/// A vector with a different number in each place.
pub(crate) fn aux() -> Aux {
    Aux {
        phdr: 101,
        phnum: 102,
        entry: 103,
        base: 104,
        flags: 105,
        uid: 106,
        euid: 107,
        gid: 108,
        egid: 109,
        secure: true,
        random: *b"0123456789abcdef",
        hwcap: 110,
        hwcap2: 111,
        clktck: 112,
        minsigstksz: 113,
        vdso: Some(114),
    }
}
