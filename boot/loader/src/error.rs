//! What can be wrong: each error is one line, `WHAT: what to do`.

use core::fmt;

/// Why the kernel cannot be started.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Error {
    /// What the machine handed over is not what its protocol promises.
    Handover(&'static str),
    /// More entries in the memory map than [`crate::map::CAPACITY`].
    MapTooLong,
    /// There is no bundle.
    NoBundle,
    /// The bundle lies beyond 4 GiB, where the loader does not reach.
    BundleTooHigh,
    /// The bundle is damaged.
    Bundle(cpio::Error),
    /// The bundle holds no kernel.
    NoKernel,
    /// The kernel's file is none that this loader can start.
    Kernel(&'static str),
    /// A segment of the kernel is damaged or asks for what is refused.
    Segment {
        /// The segment's virtual address.
        address: u64,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// The command line is longer than the kernel's room for it.
    CommandLine {
        /// Its length in bytes.
        length: usize,
        /// The kernel's room without the NUL.
        room: usize,
    },
    /// Not enough memory.
    Memory {
        /// What was asked for, in bytes.
        wanted: u64,
    },
    /// An address that the kernel's configuration asks for cannot be had.
    Placement {
        /// What was to be mapped.
        what: &'static str,
        /// Where; 0 if anywhere would do.
        address: u64,
    },
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Handover(what) => {
                write!(f, "{what}: start the loader by QEMU's -kernel, version 4 or later")
            }
            Self::MapTooLong => {
                write!(f, "the firmware's memory map has too many entries: give the machine less memory")
            }
            Self::NoBundle => write!(f, "there is no bundle: give it to QEMU by -initrd"),
            Self::BundleTooHigh => write!(f, "the bundle lies beyond 4 GiB: have it loaded lower"),
            Self::Bundle(error) => write!(f, "the bundle is damaged ({error}): build it again"),
            Self::NoKernel => {
                write!(f, "the bundle holds no kernel: build it again, boot/ottawa comes first")
            }
            Self::Kernel(what) => write!(f, "boot/ottawa {what}: build the kernel again"),
            Self::Segment { address, problem } => {
                write!(f, "boot/ottawa's segment at {address:#x} {problem}: build the kernel again")
            }
            Self::CommandLine { length, room } => {
                write!(f, "the command line has {length} bytes: give at most {room}")
            }
            Self::Memory { wanted } => {
                write!(
                    f,
                    "not enough memory ({} KiB in one piece are needed): give the machine more",
                    wanted.div_ceil(1024)
                )
            }
            Self::Placement { what, address: 0 } => {
                write!(f, "no address is free for {what}: widen the kernel's BootloaderConfig")
            }
            Self::Placement { what, address } => {
                write!(f, "{what} cannot lie at {address:#x}: change the kernel's BootloaderConfig")
            }
        }
    }
}

impl From<cpio::Error> for Error {
    fn from(error: cpio::Error) -> Self {
        Self::Bundle(error)
    }
}
