//! Pages for a module's regions: written by the linker, then sealed, each with its permission.

use containers::Vec;
use mm::MemoryError;
use mm::label::Label;
use mm::module_area::{ModuleRegion, Permission, SealedRegion};
use modlink::{Memory, Plan, Region};

/// The regions while the linker writes them. On the heap, as all that is more than a few words here:
/// a module's `init` runs on the stack that its loading runs on.
pub(crate) struct Open(Vec<Part>);

struct Part {
    region: Region,
    memory: ModuleRegion,
    /// Bytes that the module uses.
    used: usize,
}

/// What stays as long as the module, or what goes after initialisation.
#[derive(Default)]
pub(crate) struct Sealed {
    regions: Vec<SealedRegion>,
    used: usize,
}

impl Open {
    /// Takes the memory that `plan` asks for. `module` goes into the reports about it.
    pub(crate) fn new(plan: &Plan<'_, '_>, module: &str) -> Result<Self, MemoryError> {
        let mut parts = Vec::with_capacity(Region::ALL.len())?;
        for region in Region::ALL {
            let used = plan.extent(region).size as usize;
            if used > 0 {
                let label = Label::new(format_args!("module {module} {}", noun(region)));
                parts.push(Part { region, memory: ModuleRegion::new(used, label)?, used })?;
            }
        }
        Ok(Self(parts))
    }

    /// The regions as the linker takes them.
    pub(crate) fn as_memory(&mut self) -> [Memory<'_>; 6] {
        let mut memory = [const { Memory::empty() }; 6];
        for part in self.0.iter_mut() {
            let address = part.memory.address();
            memory[part.region as usize] = Memory { address, bytes: part.memory.bytes_mut() };
        }
        memory
    }

    /// Gives each region its permission and puts it into `stay`, or into `go` what goes after
    /// initialisation.
    pub(crate) fn seal(self, stay: &mut Sealed, go: &mut Sealed) -> Result<(), MemoryError> {
        for part in self.0 {
            let sealed = if part.region.is_init() { &mut *go } else { &mut *stay };
            sealed.regions.push(part.memory.seal(permission(part.region))?)?;
            sealed.used += part.used;
        }
        Ok(())
    }
}

impl Sealed {
    /// Bytes that the module uses, without what rounding to pages adds.
    pub(crate) fn used(&self) -> usize {
        self.used
    }

    /// Whether `address` lies in one of the regions.
    pub(crate) fn contains(&self, address: u64) -> bool {
        self.regions.iter().any(|region| region.contains(address))
    }
}

fn permission(region: Region) -> Permission {
    match region {
        Region::Text | Region::InitText => Permission::Text,
        Region::RoData | Region::InitRoData => Permission::RoData,
        Region::Data | Region::InitData => Permission::Data,
    }
}

fn noun(region: Region) -> &'static str {
    match region {
        Region::Text => "text",
        Region::RoData => "rodata",
        Region::Data => "data",
        Region::InitText => "init text",
        Region::InitRoData => "init rodata",
        Region::InitData => "init data",
    }
}
