//! What the builder packs, the table answers; damaged tables give wrong answers at worst.

use ksym::{Builder, Error, KERNEL_BASE, Kind, Table};
use std::collections::BTreeMap;
use std::time::Duration;

const TEXT: (u64, u64) = (KERNEL_BASE, KERNEL_BASE + 0x10_0000);

fn builder() -> Builder {
    Builder::new(*b"0123456789abcdef", TEXT)
}

fn small() -> Vec<u8> {
    let mut b = builder();
    b.add("__text_start", KERNEL_BASE, 0, Kind::Label);
    b.add("_start", KERNEL_BASE, 0x20, Kind::Text);
    b.add("trap_entry", KERNEL_BASE + 0x100, 0, Kind::Label);
    b.add("handle", KERNEL_BASE + 0x200, 0x80, Kind::Text);
    b.add("handle.inner", KERNEL_BASE + 0x210, 0, Kind::Label);
    b.add("COUNT", KERNEL_BASE + 0x20_0000, 8, Kind::Data);
    b.add("__end", KERNEL_BASE + 0x20_1000, 0, Kind::Label);
    b.build().unwrap().bytes
}

#[test]
fn a_name_gives_its_address() {
    let bytes = small();
    let table = Table::parse(&bytes).unwrap();
    assert_eq!(table.lookup("handle"), Some(KERNEL_BASE + 0x200));
    assert_eq!(table.lookup("COUNT"), Some(KERNEL_BASE + 0x20_0000));
    assert_eq!(table.symbol("COUNT").map(|s| (s.size, s.kind)), Some((8, Kind::Data)));
    for name in ["", "handl", "handle2", "count"] {
        assert_eq!(table.lookup(name), None, "{name}");
    }
}

#[test]
fn an_address_gives_the_symbol_that_spans_it() {
    let bytes = small();
    let table = Table::parse(&bytes).unwrap();
    let at = |offset| table.resolve(KERNEL_BASE + offset).map(|r| (r.name, r.offset, r.size));
    assert_eq!(at(0), Some(("_start", 0, 0x20)));
    assert_eq!(at(0x1f), Some(("_start", 0x1f, 0x20)));
    assert_eq!(at(0x20), None);
    assert_eq!(at(0x180), Some(("trap_entry", 0x80, 0)));
    assert_eq!(at(0x220), Some(("handle", 0x20, 0x80)), "a label inside does not hide the function");
    assert_eq!(at(0x20_0007), Some(("COUNT", 7, 8)));
    assert_eq!(at(0x20_1008), None, "a label outside the text spans nothing");
    assert_eq!(table.resolve(KERNEL_BASE - 1), None);
    assert_eq!(table.resolve(0), None);
    assert_eq!(table.resolve(u64::MAX), None);
}

#[test]
fn the_header_is_kept() {
    let bytes = small();
    let table = Table::parse(&bytes).unwrap();
    assert_eq!((table.build_id(), table.text(), table.len()), (b"0123456789abcdef", TEXT, 7));
    assert!(table.symbols().map(|s| s.address).is_sorted());
}

#[test]
fn an_empty_table_answers_nothing() {
    let bytes = builder().build().unwrap().bytes;
    let table = Table::parse(&bytes).unwrap();
    assert!(table.is_empty() && table.lookup("x").is_none() && table.resolve(KERNEL_BASE).is_none());
}

#[test]
fn an_ambiguous_name_has_no_address() {
    let mut b = builder();
    b.add("anon", KERNEL_BASE, 1, Kind::Text);
    b.add("anon", KERNEL_BASE + 16, 1, Kind::Text);
    b.add("twice", KERNEL_BASE + 32, 1, Kind::Text);
    b.add("twice", KERNEL_BASE + 32, 0, Kind::Label);
    let built = b.build().unwrap();
    let table = Table::parse(&built.bytes).unwrap();
    assert_eq!(built.ambiguous, ["anon"]);
    assert_eq!(table.lookup("anon"), None);
    assert_eq!(table.lookup("twice"), Some(KERNEL_BASE + 32));
    assert_eq!(table.resolve(KERNEL_BASE + 16).map(|r| r.name), Some("anon"));
}

#[test]
fn what_does_not_fit_is_refused_by_name() {
    let mut b = builder();
    b.add("absolute", 0x1000, 0, Kind::Label);
    assert!(b.build().unwrap_err().to_string().contains("absolute"));
    let mut b = builder();
    b.add("x".repeat(65_536), KERNEL_BASE, 0, Kind::Label);
    assert_eq!(b.build().unwrap_err().to_string().lines().count(), 1);
}

#[test]
fn a_bad_header_is_an_error() {
    let good = small();
    let damaged = |at: usize, byte: u8| {
        let mut bytes = good.clone();
        bytes[at] = byte;
        Table::parse(&bytes).err()
    };
    assert_eq!(damaged(0, b'X'), Some(Error::Magic));
    assert_eq!(damaged(8, 9), Some(Error::Version(9)));
    assert_eq!(damaged(15, 0xff), Some(Error::Counts));
    assert_eq!(damaged(19, 0xff), Some(Error::Short));
    assert_eq!(damaged(23, 0xff), Some(Error::Short));
    for length in 0..good.len() {
        assert!(Table::parse(&good[..length]).is_err(), "{length}");
    }
    let mut longer = good.clone();
    longer.extend([0; 100]);
    assert!(Table::parse(&longer).is_ok());
}

#[test]
fn thousands_of_long_names_are_all_found() {
    let mut b = builder();
    let name =
        |i: u64| format!("_RNvXs{i}_NtNtCsA_4core3fmt5implsINtB{}_5DebugE3fmtCs1234567890_6kernel", i % 7);
    for i in 0..6000 {
        b.add(name(i), KERNEL_BASE + 16 * i, 16, Kind::Text);
    }
    let bytes = b.build().unwrap().bytes;
    let table = Table::parse(&bytes).unwrap();
    for i in 0..6000 {
        assert_eq!(table.lookup(&name(i)), Some(KERNEL_BASE + 16 * i));
        assert_eq!(table.resolve(KERNEL_BASE + 16 * i + 9).map(|r| r.offset), Some(9));
    }
    assert_eq!(table.lookup(&name(6000)), None);
    assert!(bytes.len() < 6000 * (name(0).len() + 5 + 28));
}

fn fuzz_time() -> Duration {
    let long = std::env::var_os("OTTAWA_LONG").is_some();
    Duration::from_secs(if long { 600 } else { 2 })
}

#[test]
fn tables_agree_with_a_map() {
    bolero::check!().with_test_time(fuzz_time()).with_type::<Vec<(String, u16, u8)>>().for_each(|list| {
        let mut b = builder();
        let mut model: BTreeMap<&str, Vec<u64>> = BTreeMap::new();
        for (name, at, size) in list {
            let address = KERNEL_BASE + u64::from(*at);
            b.add(name.clone(), address, u64::from(*size), Kind::Text);
            model.entry(name).or_default().push(address);
        }
        let bytes = b.build().unwrap().bytes;
        let table = Table::parse(&bytes).unwrap();
        for (name, addresses) in &model {
            let single = addresses.iter().all(|a| a == &addresses[0]).then_some(addresses[0]);
            assert_eq!(table.lookup(name), single);
        }
        for (_, at, size) in list.iter().filter(|(_, _, size)| *size > 0) {
            let found = table.resolve(KERNEL_BASE + u64::from(*at) + u64::from(*size) - 1);
            assert!(list.len() > 16 || found.is_some());
        }
    });
}

fn ask(bytes: &[u8]) {
    let Ok(table) = Table::parse(bytes) else { return };
    for name in ["", "_start", "handle", "handle.inner", "COUNT", "__end", "no such name"] {
        let _ = (table.lookup(name), table.symbol(name));
    }
    for offset in [0, 1, 0x100, 0x210, 0x20_0000, 0xffff_ffff] {
        let _ = table.resolve(table.text().0.wrapping_add(offset));
        let _ = table.resolve(offset);
    }
    assert!(table.symbols().count() <= table.len());
}

#[test]
fn any_damage_is_survived() {
    let good = small();
    bolero::check!().with_test_time(fuzz_time()).with_type::<Vec<(u16, u8)>>().for_each(|damage| {
        let mut bytes = good.clone();
        for (at, byte) in damage {
            let at = usize::from(*at) % bytes.len();
            bytes[at] = *byte;
        }
        ask(&bytes);
    });
}
