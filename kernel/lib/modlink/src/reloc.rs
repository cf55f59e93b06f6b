//! The relocations of x86-64 that modules have: what each computes and into how wide a field.
//!
//! With S the symbol's address, A the addend, P the address of the field and G the address of the
//! symbol's word in the global offset table (psABI, table 4.10):
//!
//! | relocations | value | field |
//! |---|---|---|
//! | `64` | S + A | 8 bytes |
//! | `PC64` | S + A - P | 8 bytes |
//! | `PC32`, `PLT32` | S + A - P | 4, sign-extended |
//! | `32` | S + A | 4, zero-extended |
//! | `32S` | S + A | 4, sign-extended |
//! | `GOTPCREL`, `GOTPCRELX`, `REX_GOTPCRELX` | G + A - P | 4, sign-extended |
//!
//! Nothing is dynamic in the kernel, so `PLT32` is a plain distance. The X forms would allow the
//! instruction to be rewritten without the table; it is `rustc`'s rare way to `memcpy` and its
//! kind, not worth code that edits instructions.

use core::fmt::{self, Display, Formatter};

/// A relocation's type, shown by its name in the ABI.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kind(pub u32);

/// What a relocation computes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Formula {
    /// Nothing.
    None,
    /// The symbol's address.
    Absolute(Field),
    /// The distance from field to symbol.
    Relative(Field),
    /// The distance from field to the symbol's word in the global offset table.
    Table,
}

/// The field a value must fit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Field {
    /// Four bytes, sign-extended by the processor.
    Signed32,
    /// Four bytes, zero-extended.
    Unsigned32,
    /// Eight bytes.
    Word64,
}

impl Kind {
    /// How to apply it, `None` for types that no module has.
    pub(crate) fn formula(self) -> Option<Formula> {
        Some(match self.0 {
            0 => Formula::None,
            1 => Formula::Absolute(Field::Word64),
            2 | 4 => Formula::Relative(Field::Signed32),
            9 | 41 | 42 => Formula::Table,
            10 => Formula::Absolute(Field::Unsigned32),
            11 => Formula::Absolute(Field::Signed32),
            24 => Formula::Relative(Field::Word64),
            _ => return None,
        })
    }

    fn name(self) -> Option<&'static str> {
        Some(match self.0 {
            0 => "R_X86_64_NONE",
            1 => "R_X86_64_64",
            2 => "R_X86_64_PC32",
            3 => "R_X86_64_GOT32",
            4 => "R_X86_64_PLT32",
            9 => "R_X86_64_GOTPCREL",
            10 => "R_X86_64_32",
            11 => "R_X86_64_32S",
            12 => "R_X86_64_16",
            14 => "R_X86_64_8",
            19 => "R_X86_64_TLSGD",
            22 => "R_X86_64_GOTTPOFF",
            23 => "R_X86_64_TPOFF32",
            24 => "R_X86_64_PC64",
            25 => "R_X86_64_GOTOFF64",
            26 => "R_X86_64_GOTPC32",
            27 => "R_X86_64_GOT64",
            28 => "R_X86_64_GOTPCREL64",
            29 => "R_X86_64_GOTPC64",
            31 => "R_X86_64_PLTOFF64",
            41 => "R_X86_64_GOTPCRELX",
            42 => "R_X86_64_REX_GOTPCRELX",
            _ => return None,
        })
    }
}

impl Display for Kind {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => f.write_str(name),
            None => write!(f, "type {}", self.0),
        }
    }
}

impl Formula {
    /// Bytes that the relocation changes.
    pub(crate) fn width(self) -> usize {
        match self {
            Self::None => 0,
            Self::Absolute(Field::Word64) | Self::Relative(Field::Word64) => 8,
            Self::Absolute(_) | Self::Relative(_) | Self::Table => 4,
        }
    }
}

impl Field {
    /// Writes `value` into the field; `None` if it does not fit or the field has another size.
    pub(crate) fn store(self, value: u64, field: &mut [u8]) -> Option<()> {
        let low = match self {
            Self::Word64 => {
                field.as_mut_array::<8>()?.clone_from(&value.to_le_bytes());
                return Some(());
            }
            Self::Signed32 => i32::try_from(value.cast_signed()).ok()?.cast_unsigned(),
            Self::Unsigned32 => u32::try_from(value).ok()?,
        };
        field.as_mut_array::<4>()?.clone_from(&low.to_le_bytes());
        Some(())
    }
}
