//! Pages for a module's regions: written by the linker, then sealed, each with its permission.

use mm::MemoryError;
use mm::label::Label;
use mm::module_area::{ModuleRegion, Permission, SealedRegion};
use modlink::{Memory, Plan, Region};

/// The regions while the linker writes them, indexed by [`Region`]; none where there is nothing.
pub(crate) struct Open([Option<ModuleRegion>; 6]);

/// What stays as long as the module, or what goes after initialisation.
#[derive(Default)]
pub(crate) struct Sealed {
    regions: [Option<SealedRegion>; 3],
    /// Bytes that the module uses in them.
    used: usize,
}

impl Open {
    /// Takes the memory that `plan` asks for. `module` goes into the reports about it.
    pub(crate) fn new(plan: &Plan<'_, '_>, module: &str) -> Result<Self, MemoryError> {
        let mut open = Self([const { None }; 6]);
        for (place, region) in open.0.iter_mut().zip(Region::ALL) {
            let size = plan.extent(region).size;
            if size > 0 {
                let label = Label::new(format_args!("module {module} {}", noun(region)));
                *place = Some(ModuleRegion::new(size, label)?);
            }
        }
        Ok(open)
    }

    /// The regions as the linker takes them.
    pub(crate) fn as_memory(&mut self) -> [Memory<'_>; 6] {
        self.0.each_mut().map(|region| match region {
            Some(region) => Memory { address: region.address(), bytes: region.bytes_mut() },
            None => Memory::empty(),
        })
    }

    /// Gives each region its permission: what stays, and what goes after initialisation.
    pub(crate) fn seal(self, plan: &Sizes) -> Result<(Sealed, Sealed), MemoryError> {
        let (mut core, mut init) = (Sealed::default(), Sealed::default());
        for (open, region) in self.0.into_iter().zip(Region::ALL) {
            let sealed = if region.is_init() { &mut init } else { &mut core };
            let place = sealed.regions.get_mut(region as usize % 3);
            if let (Some(open), Some(place)) = (open, place) {
                *place = Some(open.seal(permission(region))?);
                sealed.used += plan.0[region as usize];
            }
        }
        Ok((core, init))
    }
}

/// Bytes used in each region; outlives the plan, which ends in linking.
pub(crate) struct Sizes([usize; 6]);

impl Sizes {
    pub(crate) fn of(plan: &Plan<'_, '_>) -> Self {
        Self(Region::ALL.map(|region| plan.extent(region).size))
    }
}

impl Sealed {
    /// Bytes that the module uses, without what rounding to pages adds.
    pub(crate) fn used(&self) -> usize {
        self.used
    }

    /// Whether `address` lies in one of the regions.
    pub(crate) fn contains(&self, address: u64) -> bool {
        self.regions.iter().flatten().any(|region| region.contains(address))
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
