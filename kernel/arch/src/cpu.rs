//! What the CPU offers, and the control registers that turn it on.
//!
//! Write protection, no-execute, global pages and, where the CPU has them, SMEP, SMAP and UMIP are on from
//! [`enable_protection`] onwards, on every CPU. Sources: Intel SDM volume 3, sections 2.5 and 4.6.

use raw_cpuid::CpuId;
use x86_64::registers::control::{Cr0, Cr0Flags, Cr4, Cr4Flags};
use x86_64::registers::model_specific::{Efer, EferFlags};

/// The features the kernel asks about.
#[derive(Clone, Copy, Debug, Default)]
pub struct Features {
    /// 1 GiB pages.
    pub pages_1g: bool,
    /// The supervisor may not execute user pages.
    pub smep: bool,
    /// The supervisor may not touch user pages unless it says so.
    pub smap: bool,
    /// Programs may not read the descriptor-table registers.
    pub umip: bool,
}

/// Reads the features by CPUID.
pub fn features() -> Features {
    let id = CpuId::new();
    let extended = id.get_extended_feature_info();
    let processor = id.get_extended_processor_and_feature_identifiers();
    Features {
        pages_1g: processor.is_some_and(|p| p.has_1gib_pages()),
        smep: extended.as_ref().is_some_and(|e| e.has_smep()),
        smap: extended.as_ref().is_some_and(|e| e.has_smap()),
        umip: extended.as_ref().is_some_and(|e| e.has_umip()),
    }
}

/// Turns on every protection this CPU has.
pub fn enable_protection(features: &Features) {
    let mut cr4 = Cr4Flags::PAGE_GLOBAL;
    cr4.set(Cr4Flags::SUPERVISOR_MODE_EXECUTION_PROTECTION, features.smep);
    cr4.set(Cr4Flags::SUPERVISOR_MODE_ACCESS_PREVENTION, features.smap);
    cr4.set(Cr4Flags::USER_MODE_INSTRUCTION_PREVENTION, features.umip);
    // SAFETY: kernel code and data are supervisor pages, so SMEP and SMAP forbid nothing it does; the loader's tables
    // use no global bit, and write protection and no-execute only take away what no mapping needs.
    unsafe {
        Efer::update(|f| f.insert(EferFlags::NO_EXECUTE_ENABLE));
        Cr0::update(|f| f.insert(Cr0Flags::WRITE_PROTECT));
        Cr4::update(|f| f.insert(cr4));
    }
}

/// The frequency of the time stamp counter as CPUID tells it, in Hz: leaf 0x15, or the leaf hypervisors use
/// (0x4000_0010). `None` where neither is there.
pub fn tsc_hz() -> Option<u64> {
    let id = CpuId::new();
    if let Some(hz) = id.get_tsc_info().and_then(|t| t.tsc_frequency()) {
        return Some(hz).filter(|&hz| hz > 0);
    }
    let khz = id.get_hypervisor_info().and_then(|h| h.tsc_frequency());
    khz.map(|khz| u64::from(khz) * 1000).filter(|&hz| hz > 0)
}

/// Lets interrupts through on this CPU.
pub fn enable_interrupts() {
    x86_64::instructions::interrupts::enable();
}

/// Holds interrupts back on this CPU.
pub fn disable_interrupts() {
    x86_64::instructions::interrupts::disable();
}

/// Waits for the next interrupt with interrupts on.
pub fn halt() {
    x86_64::instructions::interrupts::enable_and_hlt();
}

/// Stops this CPU for good.
pub fn halt_for_ever() -> ! {
    loop {
        x86_64::instructions::interrupts::disable();
        x86_64::instructions::hlt();
    }
}
