//! Fixed places are kept, open ones are found, and nothing overlaps.

use super::*;

const GIB: u64 = 1 << 30;
const KERNEL: Range = Range { start: 0xffff_ffff_8000_0000, end: 0xffff_ffff_8010_0000 };
const SIZES: Sizes = Sizes { direct_map: 4 * GIB, direct_align: 2 << 20, boot_info: 8192, ramdisk: 3 << 20 };

fn config(change: impl FnOnce(&mut BootloaderConfig)) -> BootloaderConfig {
    let mut config = BootloaderConfig::new_default();
    change(&mut config);
    config
}

#[test]
fn fixed_addresses_are_kept() {
    let layout = plan(
        &config(|c| {
            c.kernel_stack_size = 8000;
            c.mappings.physical_memory = Some(Mapping::FixedAddress(0xffff_8800_0000_0000));
            c.mappings.kernel_stack = Mapping::FixedAddress(0xffff_ff00_0000_0000);
            c.mappings.boot_info = Mapping::FixedAddress(0xffff_fe00_0000_0000);
        }),
        KERNEL,
        SIZES,
    )
    .unwrap();
    assert_eq!(layout.direct_map, Some(Range::new(0xffff_8800_0000_0000, 4 * GIB)));
    assert_eq!(layout.stack, Range::new(0xffff_ff00_0000_1000, 8192), "after its guard page");
    assert_eq!(layout.boot_info, Range::new(0xffff_fe00_0000_0000, 8192));
    assert_eq!(layout.ramdisk, None, "the direct map has it");
}

#[test]
fn open_addresses_get_slots_of_their_own() {
    let layout = plan(&config(|_| {}), KERNEL, SIZES).unwrap();
    assert_eq!(layout.direct_map, None);
    assert_eq!(layout.stack.start, HIGHER_HALF + PAGE);
    assert_eq!(layout.boot_info.start, HIGHER_HALF + SLOT);
    assert_eq!(layout.ramdisk, Some(Range::new(HIGHER_HALF + 2 * SLOT, 3 << 20)));
}

#[test]
fn an_open_address_leaves_fixed_ones_alone() {
    let layout = plan(
        &config(|c| {
            c.mappings.physical_memory = Some(Mapping::Dynamic);
            c.mappings.boot_info = Mapping::FixedAddress(HIGHER_HALF + PAGE);
        }),
        KERNEL,
        Sizes { direct_map: 600 * GIB, ..SIZES },
    )
    .unwrap();
    assert_eq!(layout.direct_map, Some(Range::new(HIGHER_HALF + SLOT, 600 * GIB)));
    assert_eq!(layout.stack.start, HIGHER_HALF + 3 * SLOT + PAGE);
}

#[test]
fn what_cannot_be_had_is_refused_by_name() {
    let at = |address| config(|c| c.mappings.kernel_stack = Mapping::FixedAddress(address));
    for address in [0, 1, 0x7fff_ffff_f000, 0x8000_0000_0000, 0xffff_ffff_ffff_f000, u64::MAX, KERNEL.start] {
        let error = plan(&at(address), KERNEL, SIZES).unwrap_err();
        assert_eq!(error, Error::Placement { what: "the boot stack", address });
    }
    let direct = |address| config(|c| c.mappings.physical_memory = Some(Mapping::FixedAddress(address)));
    assert!(plan(&direct(0xffff_8800_0000_1000), KERNEL, SIZES).is_err(), "not aligned to its pages");
    assert!(plan(&direct(0xffff_ffff_0000_0000), KERNEL, SIZES).is_err(), "over the kernel");
    let narrow = config(|c| c.mappings.dynamic_range_end = Some(HIGHER_HALF + SLOT));
    assert!(plan(&narrow, KERNEL, SIZES).is_err(), "one slot for three things");
    let recursive = config(|c| c.mappings.page_table_recursive = Some(Mapping::Dynamic));
    assert!(matches!(plan(&recursive, KERNEL, SIZES), Err(Error::Kernel(_))));
    let based = config(|c| c.mappings.kernel_base = Mapping::FixedAddress(KERNEL.start));
    assert!(matches!(plan(&based, KERNEL, SIZES), Err(Error::Kernel(_))));
}

#[test]
fn whatever_is_asked_for_nothing_overlaps() {
    bolero::check!().with_type::<(u64, [Option<u64>; 4], u64, [Option<u64>; 2])>().for_each(
        |(stack_size, fixed, ramdisk, dynamic)| {
            let map = |address: Option<u64>| {
                address.map_or(Mapping::Dynamic, |a| Mapping::FixedAddress(a & !0xfff))
            };
            let config = config(|c| {
                c.kernel_stack_size = *stack_size;
                c.mappings.physical_memory = fixed[0].map(|a| map(Some(a & !0x1f_ffff)));
                c.mappings.kernel_stack = map(fixed[1]);
                c.mappings.boot_info = map(fixed[2]);
                c.mappings.ramdisk_memory = map(fixed[3]);
                [c.mappings.dynamic_range_start, c.mappings.dynamic_range_end] = *dynamic;
            });
            let sizes = Sizes { ramdisk: *ramdisk, ..SIZES };
            let Ok(layout) = plan(&config, KERNEL, sizes) else { return };
            let all =
                [Some(KERNEL), layout.direct_map, Some(layout.stack), Some(layout.boot_info), layout.ramdisk];
            let all: Vec<_> = all.into_iter().flatten().collect();
            for (i, a) in all.iter().enumerate() {
                assert!(a.start <= a.end && a.end <= TOP);
                assert!(all.iter().skip(i + 1).all(|b| !overlap(*a, *b)));
            }
        },
    );
}
