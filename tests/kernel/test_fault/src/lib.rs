//! A module that ends the machine on purpose, in the way that its parameter `kind` names: it overflows a stack, touches
//! what nobody may touch, raises an exception, or just ends with a status. The host looks at what the kernel says of it.
#![no_std]

mod access;
mod ends;
mod exceptions;
mod overflow;

use kernel::prelude::*;

param! {
    /// How to end the machine; nothing happens when empty.
    static KIND as "kind": Text<32> = "", mode 0o444;
}

module! { type: Fault }

struct Fault;

impl Module for Fault {
    #[init]
    fn init() -> Result<Self> {
        let kind = KIND.get();
        if !kind.as_str().is_empty() {
            println!("about to: {kind}");
            ends::run(kind.as_str());
            overflow::run(kind.as_str());
            access::run(kind.as_str());
            exceptions::run(kind.as_str());
            println!("the machine survived: {kind}");
        }
        Ok(Fault)
    }
}
