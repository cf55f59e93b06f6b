//! Each way in which a file is no module, and the line that says so.

use crate::common::{BASE, Builder, link, link_typed, sample};
use modlink::{LinkError, Memory, Object, Region, Slot};
use object::{
    SectionKind, SymbolKind,
    write::{SectionId, SymbolSection},
};

fn resolve(_: &str) -> Option<u64> {
    Some(0xffff_ffff_8000_1000)
}

#[track_caller]
fn refused(image: &[u8], line: &str) {
    assert_eq!(link(image, resolve).err().as_deref(), Some(line));
}

fn patched(at: usize, bytes: &[u8]) -> Vec<u8> {
    let mut image = sample();
    image[at..at + bytes.len()].copy_from_slice(bytes);
    image
}

/// The file offset of section `name`'s header in `image`.
fn header_of(image: &[u8], name: &str) -> usize {
    use object::{Object, ObjectSection};
    let table = u64::from_le_bytes(image[40..48].try_into().unwrap()) as usize;
    let file = object::File::parse(image).unwrap();
    let section = file.sections().find(|section| section.name() == Ok(name)).expect(name);
    table + section.index().0 * 64
}

/// `sample` with one field (a little-endian word at `field`) of section `name`'s header changed.
fn with_header(name: &str, field: usize, bytes: &[u8]) -> Vec<u8> {
    let at = header_of(&sample(), name) + field;
    patched(at, bytes)
}

#[test]
fn what_is_no_elf_file() {
    let line = "not an ELF file; a module is what the builder makes of a module crate";
    refused(b"", line);
    refused(b"\x7fELF", line);
    refused(&[0; 64], line);
    refused(&[b'#'; 5000], line);
}

#[test]
fn another_kind_of_elf_file() {
    let line = |kind, machine| {
        format!(
            "not a relocatable 64-bit x86-64 object (type {kind}, machine {machine}; 1 and 62 are right); \
             link modules with -r"
        )
    };
    refused(&patched(16, &[3]), &line(3, 62));
    refused(&patched(18, &[183]), &line(1, 183));
    refused(&patched(4, &[1]), &line(1, 62));
}

#[test]
fn every_truncation_is_an_error() {
    let image = sample();
    for length in 0..image.len() {
        let error = link(&image[..length], resolve).err();
        assert!(error.is_some(), "{length} of {} bytes were linked", image.len());
    }
}

#[test]
fn a_table_beyond_the_end() {
    let image = sample();
    refused(
        &patched(40, &u64::MAX.to_le_bytes()),
        "truncated: the section table reaches past the end of the file; build it again",
    );
    refused(
        &patched(62, &[200]),
        "truncated: the table of section names reaches past the end of the file; build it again",
    );
    refused(
        &image[..image.len() - 1],
        "truncated: the section table reaches past the end of the file; build it again",
    );
    refused(
        &with_header(".strtab", 32, &u64::MAX.to_le_bytes()),
        "truncated: the table of symbol names reaches past the end of the file; build it again",
    );
    refused(
        &with_header(".rodata", 32, &(1u64 << 30).to_le_bytes()),
        "section .rodata: reaches past the end of the file",
    );
    refused(
        &with_header(".rela.text", 24, &(1u64 << 40).to_le_bytes()),
        "section .rela.text: reaches past the end of the file",
    );
}

#[test]
fn too_many_sections() {
    let mut b = Builder::new();
    for number in 0..70 {
        b.section(&format!(".text.{number}"), SectionKind::Text, &[0x90], 1);
    }
    refused(&b.image(), "74 sections, at most 64; link modules with the builder's linker script");
}

#[test]
fn no_symbol_table() {
    let kind_of_null = [0u8; 4];
    refused(&with_header(".symtab", 4, &kind_of_null), "no symbol table; do not strip modules");
}

#[test]
fn sections_that_cannot_be_loaded() {
    let flags = |bits: u64| bits.to_le_bytes();
    refused(
        &with_header(".text", 8, &flags(7)),
        "section .text: writable and executable; no page may be both",
    );
    refused(
        &with_header(".data", 8, &flags(0x403)),
        "section .data: thread-local storage, which modules do not have",
    );
    refused(&with_header(".data", 8, &flags(0x803)), "section .data: compressed; leave modules uncompressed");
    refused(&with_header(".data", 4, &14u32.to_le_bytes()), "section .data: type 0xe cannot be loaded");
    for align in [3u64, 8192, 1 << 63] {
        refused(
            &with_header(".data", 48, &align.to_le_bytes()),
            &format!("section .data: alignment {align}, not a power of two up to 4096"),
        );
    }
    refused(
        &with_header(".bss", 32, &(1u64 << 40).to_le_bytes()),
        "section .bss: too large; a module has at most 64 MiB a region",
    );
}

#[test]
fn metadata_that_is_not_as_it_should_be() {
    refused(&with_header(".ottawa.build", 32, &15u64.to_le_bytes()), "section .ottawa.build: bad size");
    let mut b = Builder::new();
    b.section(".modinfo", SectionKind::Other, b"a=b\0", 1);
    b.section(".modinfo", SectionKind::Other, b"c=d\0", 1);
    refused(&b.image(), "section .modinfo: there twice; link modules with the builder's linker script");
}

#[test]
fn sections_of_relocations_that_refer_to_nothing() {
    let bad = "section .rela.text: refers to a section or symbol that there is not";
    refused(&with_header(".rela.text", 40, &[9]), bad);
    refused(&with_header(".rela.text", 44, &[99]), bad);
    refused(&with_header(".rela.text", 56, &[16]), "section .rela.text: bad size");
    refused(
        &with_header(".rela.text", 4, &9u32.to_le_bytes()),
        "section .rela.text: relocations without addends, unknown on x86-64",
    );
}

/// A module whose `.text` has 32 bytes, to which `wrong` adds something.
fn module(wrong: impl FnOnce(&mut Builder, SectionId)) -> Vec<u8> {
    let mut b = Builder::new();
    let text = b.section(".text", SectionKind::Text, &[0x90; 32], 16);
    wrong(&mut b, text);
    b.image()
}

#[test]
fn symbols_that_modules_do_not_have() {
    let with = |change: fn(&mut object::write::Symbol)| {
        module(|b, text| {
            let id = b.symbol("odd", SymbolSection::Section(text), 0, 0);
            change(b.object.symbol_mut(id));
        })
    };
    refused(&with(|s| s.value = 33), "symbol 'odd': lies outside its section");
    refused(&with(|s| (s.value, s.size) = (20, 13)), "symbol 'odd': lies outside its section");
    refused(&with(|s| s.size = u64::MAX), "symbol 'odd': lies outside its section");
    refused(
        &with(|s| (s.section, s.kind, s.size) = (SymbolSection::Common, SymbolKind::Data, 4)),
        "symbol 'odd': common; compile C with -fno-common",
    );
    refused(
        &with(|s| s.kind = SymbolKind::Tls),
        "symbol 'odd': thread-local storage, which modules do not have",
    );
}

#[test]
fn relocations_that_cannot_be_applied() {
    let with = |offset, kind, addend| {
        module(|b, text| {
            let symbol = b.undefined("printk");
            b.relocate(text, offset, symbol, kind, addend);
        })
    };
    refused(
        &with(28, 23, 0),
        ".text+0x1c: relocation R_X86_64_TPOFF32 against 'printk': \
         not supported; compile with -C code-model=kernel",
    );
    refused(
        &with(28, 77, 0),
        ".text+0x1c: relocation type 77 against 'printk': not supported; compile with -C code-model=kernel",
    );
    refused(
        &with(29, 2, 0),
        ".text+0x1d: relocation R_X86_64_PC32 against 'printk': lies outside its section",
    );
    refused(
        &with(u64::MAX, 1, 0),
        ".text+0xffffffffffffffff: relocation R_X86_64_64 against 'printk': lies outside its section",
    );
    let range = "compile with -C relocation-model=static -C code-model=kernel";
    refused(
        &with(4, 10, 0),
        &format!(
            ".text+0x4: relocation R_X86_64_32 against 'printk': out of range (0xffffffff80001000); {range}"
        ),
    );
    refused(
        &with(4, 2, 1 << 40),
        &format!(
            ".text+0x4: relocation R_X86_64_PC32 against 'printk': out of range (0xffe0000ffc); {range}"
        ),
    );
}

#[test]
fn ranges_end_where_the_fields_end() {
    // A field at BASE, a symbol exactly as far as 32 bits reach, and one byte farther.
    let linked = |kind, symbol: u64| {
        let image = module(|b, text| {
            let id = b.undefined("printk");
            b.relocate(text, 0, id, kind, 0);
        });
        link(&image, |_| Some(symbol)).is_ok()
    };
    let (plt32, signed, unsigned) = (4, 11, 10);
    assert!(linked(plt32, BASE.wrapping_add(0x7fff_ffff)));
    assert!(!linked(plt32, BASE.wrapping_add(0x8000_0000)));
    assert!(linked(plt32, BASE - 0x8000_0000));
    assert!(!linked(plt32, BASE - 0x8000_0001));
    assert!(linked(signed, 0x7fff_ffff));
    assert!(!linked(signed, 0x8000_0000));
    assert!(linked(signed, 0xffff_ffff_8000_0000));
    assert!(!linked(signed, 0xffff_ffff_7fff_ffff));
    assert!(linked(unsigned, 0xffff_ffff));
    assert!(!linked(unsigned, 0x1_0000_0000));
}

#[test]
fn a_symbol_nobody_has_is_named_with_its_first_use() {
    let image = module(|b, text| {
        let symbol = b.undefined("no_such_function");
        b.relocate(text, 20, symbol, 4, -4);
        b.relocate(text, 26, symbol, 4, -4);
    });
    let error = link(&image, |_| None).err();
    assert_eq!(error.as_deref(), Some("unresolved symbol 'no_such_function', used at .text+0x14"));
}

#[test]
fn a_relocation_against_a_section_that_is_not_loaded() {
    let image = module(|b, text| {
        let note = b.section(".comment", SectionKind::OtherString, b"hi\0", 1);
        let symbol = b.symbol("note", SymbolSection::Section(note), 0, 0);
        b.relocate(text, 4, symbol, 11, 0);
    });
    refused(&image, ".text+0x4: relocation R_X86_64_32S against 'note': in a section that is not loaded");
}

#[test]
fn zeroed_variables_have_no_relocations() {
    let mut b = Builder::new();
    b.section(".bss", SectionKind::UninitializedData, &[0; 16], 8);
    let rela = b.section(".data", SectionKind::Data, &[0; 16], 8);
    let symbol = b.undefined("printk");
    b.relocate(rela, 0, symbol, 1, 0);
    let mut image = b.image();
    // Point the relocations at .bss instead.
    let (header, bss) = (header_of(&image, ".rela.data"), header_of(&image, ".bss"));
    let table = u64::from_le_bytes(image[40..48].try_into().unwrap()) as usize;
    image[header + 44] = ((bss - table) / 64) as u8;
    refused(&image, ".bss+0x0: relocation R_X86_64_64 against 'printk': lies outside its section");
}

#[test]
fn names_are_escaped_and_cut() {
    let image = module(|b, text| {
        let name = format!("bell\x07{}", "a".repeat(5000));
        let symbol = b.undefined(&name[..300]);
        b.relocate(text, 0, symbol, 4, 0);
    });
    let error = link(&image, |_| None).err().unwrap();
    assert!(error.starts_with("unresolved symbol 'bell\\x07aaaa"), "{error}");
    assert!(error.ends_with("aaa...', used at .text+0x0") && error.len() < 220, "{error}");
}

#[test]
fn a_name_that_is_absurdly_long_resolves_to_nothing() {
    let image = module(|b, text| {
        let symbol = b.undefined(&"a".repeat(5000));
        b.relocate(text, 0, symbol, 4, 0);
    });
    refused(&image, "unresolved symbol '?', used at .text+0x0");
}

#[test]
fn the_callers_mistakes_are_errors_too() {
    let image = sample();
    let object = Object::parse(&image).unwrap();
    let mut slots = vec![Slot::EMPTY; object.slots()];
    assert_eq!(object.plan(&mut slots[1..]).err(), Some(LinkError::Workspace));
    let refusal = |address: u64, short: usize| {
        let mut slots = vec![Slot::EMPTY; object.slots()];
        let plan = object.plan(&mut slots).unwrap();
        let mut bytes = Region::ALL.map(|region| vec![0; plan.extent(region).size as usize]);
        let size = bytes[0].len() - short;
        bytes[0].truncate(size);
        let mut memory = bytes.each_mut().map(|bytes| Memory { address: BASE, bytes });
        memory[0].address = address;
        plan.link(&mut memory, resolve).err()
    };
    let bad = Some(LinkError::Memory { region: Region::Text });
    assert_eq!(refusal(BASE, 0), None);
    assert_eq!(refusal(BASE + 8, 0), bad, "not aligned");
    assert_eq!(refusal(BASE, 1), bad, "too small");
    assert_eq!(refusal(u64::MAX - 15, 0), bad, "wraps");
}

#[test]
fn regions_too_far_apart_are_told() {
    let image = sample();
    let error = link_typed(&image, 0x1000, resolve).err().unwrap().to_string();
    assert!(error.contains("relocation R_X86_64_PLT32 against 'printk': out of range"), "{error}");
}
