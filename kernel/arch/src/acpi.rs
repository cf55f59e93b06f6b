//! The firmware's tables: what the kernel needs of them, read once at boot.
//!
//! The tables are read by the `acpi` crate through the direct map. A machine without them still boots: what is missing
//! is `None`.

use crate::paging::phys_to_virt;
use crate::smp::MAX_CPUS;
use ::acpi::fadt::Fadt;
use ::acpi::madt::{Madt, MadtEntry};
use ::acpi::{AcpiHandler, AcpiTables, HpetInfo, PhysicalMapping};
use base::sync::OnceCell;
use core::ptr::NonNull;

/// What the tables told.
#[derive(Clone, Copy, Debug, Default)]
pub struct Facts {
    /// Port of the power management timer.
    pub pm_timer: Option<u16>,
    /// Port of the power management control register, for power-off.
    pub pm_control: Option<u16>,
    /// The sleep type that means power-off, from the `_S5` package.
    pub off_type: u8,
    /// Physical address of the high precision event timer's registers.
    pub hpet: Option<u64>,
    /// The controllers' numbers of the CPUs that may be used, in the firmware's order; the first [`Self::cpus`] count.
    pub apic_ids: ApicIds,
    /// How many CPUs there are, up to [`MAX_CPUS`].
    pub cpus: usize,
}

/// A number for each CPU.
#[derive(Clone, Copy, Debug)]
pub struct ApicIds([u32; MAX_CPUS]);

impl Default for ApicIds {
    fn default() -> Self {
        Self([0; MAX_CPUS])
    }
}

impl Facts {
    /// The controllers' numbers of the CPUs that may be used.
    pub fn apic_ids(&self) -> &[u32] {
        &self.apic_ids.0[..self.cpus]
    }
}

static FACTS: OnceCell<Facts> = OnceCell::new();

/// What the tables told; all empty before [`init`] and on a machine without tables.
pub fn facts() -> &'static Facts {
    static NONE: Facts = Facts {
        pm_timer: None,
        pm_control: None,
        off_type: 0,
        hpet: None,
        cpus: 0,
        apic_ids: ApicIds([0; MAX_CPUS]),
    };
    FACTS.get().unwrap_or(&NONE)
}

#[derive(Clone)]
struct DirectMap;

impl AcpiHandler for DirectMap {
    unsafe fn map_physical_region<T>(&self, address: usize, size: usize) -> PhysicalMapping<Self, T> {
        // A table lies in memory that the direct map shows, never at its address 0.
        let start = NonNull::new(phys_to_virt(address as u64) as *mut T).unwrap_or(NonNull::dangling());
        // SAFETY: the region is mapped as long as the kernel runs.
        unsafe { PhysicalMapping::new(address, start, size, size, Self) }
    }

    fn unmap_physical_region<T>(_region: &PhysicalMapping<Self, T>) {}
}

/// Reads the tables that `rsdp` leads to. Returns whether there were any.
///
/// # Safety
/// `rsdp` is the firmware's pointer, and the memory it put its tables in is shown by the direct map.
pub unsafe fn init(rsdp: Option<u64>) -> bool {
    let Some(rsdp) = rsdp else { return false };
    // SAFETY: the caller's condition.
    let Ok(tables) = (unsafe { AcpiTables::from_rsdp(DirectMap, rsdp as usize) }) else { return false };
    let mut facts =
        Facts { hpet: HpetInfo::new(&tables).ok().map(|h| h.base_address as u64), ..Facts::default() };
    if let Ok(fadt) = tables.find_table::<Fadt>() {
        let port = |a: ::acpi::address::GenericAddress| u16::try_from(a.address).ok();
        facts.pm_timer = fadt.pm_timer_block().ok().flatten().and_then(port);
        facts.pm_control = fadt.pm1a_control_block().ok().and_then(port);
    }
    if let Ok(madt) = tables.find_table::<Madt>() {
        for entry in madt.get().entries() {
            const USABLE: u32 = 1;
            let id = match entry {
                MadtEntry::LocalApic(cpu) if cpu.flags & USABLE != 0 => u32::from(cpu.apic_id),
                MadtEntry::LocalX2Apic(cpu) if cpu.flags & USABLE != 0 => cpu.x2apic_id,
                _ => continue,
            };
            if let Some(slot) = facts.apic_ids.0.get_mut(facts.cpus) {
                *slot = id;
                facts.cpus += 1;
            }
        }
    }
    if let Ok(dsdt) = tables.dsdt() {
        // SAFETY: the crate validated the table's header; its body lies behind it in the same memory.
        let body = unsafe {
            core::slice::from_raw_parts(phys_to_virt(dsdt.address as u64) as *const u8, dsdt.length as usize)
        };
        facts.off_type = sleep_type_of_s5(body).unwrap_or(0);
    }
    FACTS.set(facts).is_ok()
}

/// Finds the first element of the package named `_S5_` in AML: NameOp "_S5_" PackageOp length count element.
/// Enough of AML for this one constant (ACPI specification, sections 7.4.2 and 20.2).
fn sleep_type_of_s5(aml: &[u8]) -> Option<u8> {
    const BYTE_PREFIX: u8 = 0x0a;
    const PACKAGE_OP: u8 = 0x12;
    let name = aml.windows(4).position(|w| w == b"_S5_")?;
    let rest = aml.get(name + 4..)?;
    if *rest.first()? != PACKAGE_OP {
        return None;
    }
    // The package length takes one byte and as many more as its two highest bits say; one byte counts the elements.
    let length_bytes = 1 + usize::from(*rest.get(1)? >> 6);
    let element = rest.get(1 + length_bytes + 1..)?;
    match *element.first()? {
        BYTE_PREFIX => element.get(1).copied(),
        value @ 0..=1 => Some(value),
        _ => None,
    }
}
