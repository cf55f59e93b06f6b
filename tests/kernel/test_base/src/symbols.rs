//! Names of addresses: the kernel's, and this module's.

use base::symbols;
use ktest::{check, check_eq, ktest};

ktest! {
    fn an_address_in_the_kernel_has_its_functions_name() {
        let address = base::clock::set_frequency as fn(u64) as usize as u64;
        let symbol = symbols::resolve(address).ok_or("no name")?;
        check_eq!((symbol.offset, symbol.module), (0, None));
        let name = containers::try_format!("{symbol}")?;
        check!(name.as_str().contains("clock::set_frequency"), "{name}");
        let inside = symbols::resolve(address + 1).ok_or("no name one byte on")?;
        check_eq!((inside.name, inside.offset), (symbol.name, 1));
    }

    fn an_address_in_a_module_has_its_functions_name_and_the_modules() {
        let address = named as fn() -> u32 as usize as u64;
        let symbol = symbols::resolve(address).ok_or("no name")?;
        check_eq!(symbol.module, Some("test_base"));
        let name = containers::try_format!("{symbol}")?;
        check!(name.as_str().contains("symbols::named"), "{name}");
    }

    fn an_address_outside_of_code_has_none() {
        for address in [0, 0x1000, 0xffff_8800_0010_0000, 0xffff_ffff_9fff_f000, u64::MAX] {
            check!(symbols::resolve(address).is_none(), "{address:#x}");
        }
    }
}

#[inline(never)]
fn named() -> u32 {
    core::hint::black_box(1)
}
