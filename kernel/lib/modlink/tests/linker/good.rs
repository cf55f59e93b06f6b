//! What a good module becomes, byte by byte.

use crate::common::{BASE, Builder, STRIDE, address, link, sample};
use modlink::{Memory, Object, Region, Slot};
use object::{SectionKind, write::SymbolSection};

const KERNEL: u64 = 0xffff_ffff_8000_1000;

fn resolve(name: &str) -> Option<u64> {
    match name {
        "printk" => Some(KERNEL),
        "memcpy" => Some(KERNEL + 0x100),
        _ => None,
    }
}

#[test]
fn metadata_is_read_without_linking() {
    let image = sample();
    let object = Object::parse(&image).unwrap();
    assert_eq!(object.modinfo("name"), Some("sample"));
    assert_eq!(object.modinfo("author"), None);
    assert_eq!(object.depends().collect::<Vec<_>>(), ["one", "two"]);
    assert_eq!(object.build_identity(), Some(&[7; 16]));
    assert_eq!(object.modinfo_entries().count(), 3);
}

#[test]
fn sections_go_to_the_region_of_their_permissions_and_lifetime() {
    let done = link(&sample(), resolve).unwrap();
    let sizes = done.extents.map(|extent| extent.size);
    // rodata: 40 bytes and a table of two words. data: 24 bytes, then bss at the next 32.
    assert_eq!(sizes, [64, 40 + 16, 32 + 100, 32, 8, 0]);
    assert_eq!(done.extents[Region::Data as usize].align, 32);
    assert_eq!(&done.bytes[Region::InitRoData as usize], &[3; 8]);
}

#[test]
fn gaps_and_zeroed_variables_are_written() {
    let done = link(&sample(), resolve).unwrap();
    assert!(done.bytes[Region::Data as usize][24..].iter().all(|byte| *byte == 0));
}

#[test]
fn each_relocation_computes_what_the_abi_says() {
    let done = link(&sample(), resolve).unwrap();
    let (text, rodata, data) = (address(Region::Text), address(Region::RoData), address(Region::Data));
    let distance = |to: u64, from: u64| to.wrapping_sub(from) as u32;
    let word = |at| done.word32(Region::Text, at);
    assert_eq!(word(0), distance(KERNEL - 4, text), "PLT32");
    assert_eq!(word(8), distance(data + 8 - 4, text + 8), "PC32");
    let memcpy_word = rodata + 40;
    assert_eq!(word(16), distance(memcpy_word - 4, text + 16), "GOTPCREL");
    assert_eq!(word(24), distance(memcpy_word - 4, text + 24), "REX_GOTPCRELX shares the word");
    assert_eq!(word(32), (data + 8) as u32, "32S");
    assert_eq!(done.word64(Region::RoData, 40), KERNEL + 0x100, "memcpy's word");
    assert_eq!(done.word64(Region::RoData, 48), KERNEL, "printk's word");
    assert_eq!(done.word64(Region::Data, 0), text + 16 + 3, "64");
    let init = address(Region::InitText);
    assert_eq!(done.word64(Region::RoData, 8), init.wrapping_sub(rodata + 8), "PC64");
    assert_eq!(done.word32(Region::InitText, 8), distance(rodata + 48 - 4, init + 8), "GOTPCRELX");
}

#[test]
fn an_undefined_symbol_is_asked_for_once() {
    let done = link(&sample(), resolve).unwrap();
    assert_eq!(done.asked, ["printk", "memcpy"]);
}

#[test]
fn own_symbols_have_addresses_and_regions() {
    let done = link(&sample(), resolve).unwrap();
    assert_eq!(done.symbol("init_module"), address(Region::InitText));
    assert_eq!(done.symbol("value"), address(Region::Data) + 8);
    assert!(done.symbols.iter().all(|(name, ..)| name != "printk"));
    let init = done.symbols.iter().find(|symbol| symbol.0 == "init_module").unwrap();
    assert!(init.2 && init.3.is_init());
}

#[test]
fn sections_are_found_by_name() {
    let image = sample();
    let object = Object::parse(&image).unwrap();
    let mut slots = vec![Slot::EMPTY; object.slots()];
    let plan = object.plan(&mut slots).unwrap();
    let mut bytes = Region::ALL.map(|region| vec![0; plan.extent(region).size as usize]);
    let mut index = 0;
    let mut memory = bytes.each_mut().map(|bytes| {
        index += 1;
        Memory { address: BASE + (index - 1) * STRIDE, bytes }
    });
    let linked = plan.link(&mut memory, resolve).unwrap();
    assert_eq!(linked.section(".bss"), Some(address(Region::Data) + 32..address(Region::Data) + 132));
    assert_eq!(linked.section(".modinfo"), None, "not loaded");
    assert_eq!(linked.symbol("helper"), Some(address(Region::Text) + 16));
    assert_eq!(linked.symbol("memcpy"), None, "not its own");
}

#[test]
fn the_gap_between_code_sections_traps() {
    let mut b = Builder::new();
    b.section(".text", SectionKind::Text, &[0x90; 3], 1);
    b.section(".text.more", SectionKind::Text, &[0x90; 2], 8);
    b.undefined("printk");
    let done = link(&b.image(), resolve).unwrap();
    assert_eq!(done.bytes[0], [0x90, 0x90, 0x90, 0xcc, 0xcc, 0xcc, 0xcc, 0xcc, 0x90, 0x90]);
}

#[test]
fn a_weak_symbol_nobody_has_is_null() {
    let mut b = Builder::new();
    let data = b.section(".data", SectionKind::Data, &[9; 8], 8);
    let symbol = b.undefined("maybe");
    b.object.symbol_mut(symbol).weak = true;
    b.relocate(data, 0, symbol, 1, 0);
    assert_eq!(link(&b.image(), resolve).unwrap().word64(Region::Data, 0), 0);
}

#[test]
fn an_absolute_symbol_keeps_its_value() {
    let mut b = Builder::new();
    let data = b.section(".data", SectionKind::Data, &[9; 8], 8);
    let symbol = b.symbol("fixed", SymbolSection::Absolute, 0x1234, 0);
    b.relocate(data, 0, symbol, 10, 1);
    assert_eq!(link(&b.image(), resolve).unwrap().word32(Region::Data, 0), 0x1235);
}

#[test]
fn relocations_of_sections_that_are_not_loaded_are_left_alone() {
    let mut b = Builder::new();
    b.section(".text", SectionKind::Text, &[0x90; 3], 1);
    let debug = b.section(".debug_info", SectionKind::Debug, &[0; 8], 1);
    let symbol = b.undefined("nobody");
    b.relocate(debug, 0, symbol, 10, 0);
    link(&b.image(), resolve).unwrap();
}

#[test]
fn an_object_without_anything_links_to_nothing() {
    let mut b = Builder::new();
    b.undefined("nobody");
    assert!(link(&b.image(), resolve).unwrap().extents.iter().all(|extent| extent.size == 0));
}
