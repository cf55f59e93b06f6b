//! PVH: Xen's protocol for guests without firmware, and the one by which QEMU's `-kernel` enters an ELF file.
//!
//! The ELF file has a note of type 18 with the 32-bit entry. There `%ebx` holds the physical address of
//! `hvm_start_info` (Xen's `start_info.h`), which leads to the memory map, the command line, ACPI's root
//! pointer and the modules; the first one is the bundle (QEMU's `-initrd`).

use super::{Handover, enter};
use core::arch::global_asm;
use loader::error::Error;
use loader::map::{Map, Range};

global_asm!(
    r#"
    .section .note.Xen, "a", @note
    .balign 4
    .long 4, 8, 18              // name's size, content's size, XEN_ELFNOTE_PHYS32_ENTRY
    .asciz "Xen"
    .quad pvh_entry

    .section .text.entry, "ax", @progbits
    .code32
    .globl pvh_entry
pvh_entry:
    movl %ebx, %edi
    movl ${read}, %esi
    jmp long_mode
    .code64
    .text
    "#,
    read = sym read,
    options(att_syntax)
);

/// `hvm_start_info`, version 1.
#[repr(C)]
#[derive(Clone, Copy)]
struct StartInfo {
    magic: u32,
    version: u32,
    flags: u32,
    modules: u32,
    module_list: u64,
    command_line: u64,
    rsdp: u64,
    map: u64,
    map_entries: u32,
    reserved: u32,
}

/// `hvm_modlist_entry`.
#[repr(C)]
#[derive(Clone, Copy)]
struct Module {
    address: u64,
    size: u64,
    command_line: u64,
    reserved: u64,
}

/// `hvm_memmap_table_entry`; the types are e820's.
#[repr(C)]
#[derive(Clone, Copy)]
struct MapEntry {
    address: u64,
    size: u64,
    kind: u32,
    reserved: u32,
}

const MAGIC: u32 = 0x336e_c578;

/// The longest command line that is looked for, in bytes; what is too long for the kernel is said later.
const LONGEST: u64 = 0x1_0000;

/// The door's second half, in 64-bit mode.
extern "C" fn read(start_info: u64) -> ! {
    enter(handover(start_info))
}

fn handover(address: u64) -> Result<Handover, Error> {
    let info: StartInfo = load(address)?;
    if info.magic != MAGIC {
        return Err(Error::Handover("the machine gave no PVH start information"));
    }
    if info.version < 1 {
        return Err(Error::Handover("the machine gave no memory map"));
    }
    let mut map = Map::new();
    let entry_size = size_of::<MapEntry>() as u64;
    for index in 0..u64::from(info.map_entries) {
        let entry: MapEntry = load(info.map.saturating_add(index * entry_size))?;
        map.add(entry.address, entry.size, entry.kind)?;
    }
    let bundle = match info.modules {
        0 => Range::default(),
        _ => {
            let module: Module = load(info.module_list)?;
            Range::new(module.address, module.size)
        }
    };
    let command_line = command_line(info.command_line)?;
    let held = [
        Range::new(address, size_of::<StartInfo>() as u64),
        Range::new(info.map, u64::from(info.map_entries) * entry_size),
        Range::new(info.command_line, command_line.len() as u64 + 1),
        Range::new(info.module_list, u64::from(info.modules) * size_of::<Module>() as u64),
    ];
    Ok(Handover { map, command_line, rsdp: Some(info.rsdp).filter(|rsdp| *rsdp != 0), bundle, held })
}

/// Reads a structure that the machine put at a physical address.
fn load<T: Copy>(address: u64) -> Result<T, Error> {
    if address == 0 || address.saturating_add(size_of::<T>() as u64) > crate::memory::REACH {
        return Err(Error::Handover("the machine's start information lies beyond 4 GiB"));
    }
    // SAFETY: `T` is one of the structures above, of plain integers; the address is in the identity map.
    Ok(unsafe { (address as *const T).read_unaligned() })
}

/// The text at a physical address up to its NUL; none at address 0.
fn command_line(address: u64) -> Result<&'static [u8], Error> {
    if address == 0 {
        return Ok(&[]);
    }
    let most = crate::memory::REACH.saturating_sub(address).min(LONGEST);
    // SAFETY: the range is in the identity map, and `Handover::held` keeps the text from being overwritten;
    // what comes after its NUL is not used.
    let bytes = unsafe { core::slice::from_raw_parts(address as *const u8, most as usize) };
    let end = bytes.iter().position(|byte| *byte == 0);
    let end = end.ok_or(Error::Handover("the machine's command line has no end"))?;
    Ok(bytes.get(..end).unwrap_or_default())
}
