//! The stage before the kernel.
//!
//! A machine enters through one of the doors (`door/`), each a protocol of its own, in 32-bit mode. The door
//! says where its data is; common code (`long_mode.rs`) switches to 64 bits on an identity map of the first
//! 4 GiB; the door's second half reads the data into one [`Handover`]. From there on all doors are alike:
//!
//! 1. find `boot/ottawa` in the bundle and check it;
//! 2. decide where its mappings go, as its `BootloaderConfig` asks;
//! 3. take memory: the kernel's image, its stack, page tables, boot information;
//! 4. enter the kernel on its own page tables, with `BootInfo`.
//!
//! The kernel finds: interrupts off, write protection and no-execute on, no page writable and executable,
//! nothing mapped in the lower half but the loader's own pages (slot 0 of the level-4 table: drop it).
//! What the loader placed is `Bootloader` memory, the rest `Usable`. The command line is in the kernel's
//! section `.kernel-cmdline`.
//!
//! What goes wrong is one line on COM1, `loader: WHAT: what to do`, and `fail` on COM2, where the host's
//! side listens; then the machine is switched off.

// Checks of the whole workspace on the host share dependencies with host programs, and so have `std` with its
// panic handler in them; only the real target has neither.
#![cfg_attr(target_os = "none", no_std)]
#![no_main]

mod console;
mod door;
mod enter;
mod long_mode;
mod memory;
mod space;

use door::Handover;
use enter::Kernel;
use loader::PAGE;
use loader::error::Error;
use loader::image::Image;
use loader::layout::{self, Sizes};
use memory::Memory;
use space::Space;

/// Where the kernel lies in the bundle.
const KERNEL: &str = "boot/ottawa";

/// Starts the kernel; comes back only with the reason why not.
fn start(handover: &Handover) -> Error {
    match prepare(handover) {
        Ok(kernel) => kernel.enter(),
        Err(error) => error,
    }
}

/// Loads and maps everything.
fn prepare(handover: &Handover) -> Result<Kernel<'_>, Error> {
    let mut memory = Memory::new(handover)?;
    let file = cpio::Archive::new(memory::bundle(handover)?).find_first(KERNEL)?.ok_or(Error::NoKernel)?.data;
    let image = Image::parse(file)?;
    let sizes = Sizes {
        direct_map: space::direct_map_size(handover.map.memory_end()),
        direct_align: space::DIRECT_ALIGN,
        boot_info: enter::boot_info_size(handover),
        ramdisk: handover.bundle.outward().size(),
    };
    let layout = layout::plan(&image.config, image.span, sizes)?;

    let mut space = Space::new(&mut memory)?;
    space.map_loader(&mut memory)?;
    load(&image, handover.command_line, &mut memory, &mut space)?;
    if let Some(range) = layout.direct_map {
        space.map_direct(range, &mut memory)?;
    }
    for range in [layout.stack, layout.boot_info] {
        let (frames, _) = memory.take(range.size(), PAGE, 0)?;
        space.map_data(range, frames, &mut memory)?;
    }
    if let Some(range) = layout.ramdisk {
        space.map_data(range, handover.bundle.outward().start, &mut memory)?;
    }
    Ok(Kernel { handover, file, image, layout, memory, space })
}

/// Copies the kernel's segments into fresh frames, one after another as in its address space, and maps them.
/// Nothing is zeroed that the file fills. The command line goes where the kernel wants it.
fn load(image: &Image<'_>, command_line: &[u8], memory: &mut Memory, space: &mut Space) -> Result<(), Error> {
    let (start, frames) = memory.take(image.span.size(), image.align, image.span.start)?;
    let at = |address: u64| (address - image.span.start) as usize;
    for segment in image.segments() {
        let pages = frames.get_mut(at(segment.pages.start)..at(segment.pages.end)).unwrap_or_default();
        let (before, rest) = pages.split_at_mut((segment.address - segment.pages.start) as usize);
        let (data, after) = rest.split_at_mut(segment.data.len());
        before.fill(0);
        data.copy_from_slice(segment.data);
        after.fill(0);
        let physical = start + (segment.pages.start - image.span.start);
        space.map_segment(&segment, physical, memory)?;
    }
    if let Some(range) = image.command_line {
        let room = range.size().saturating_sub(1) as usize;
        let too_long = Error::CommandLine { length: command_line.len(), room };
        let section = frames.get_mut(at(range.start)..at(range.end)).unwrap_or_default();
        if command_line.len() > room {
            return Err(too_long);
        }
        let (text, rest) = section.split_at_mut_checked(command_line.len()).ok_or(too_long)?;
        text.copy_from_slice(command_line);
        rest.fill(0);
    }
    Ok(())
}
