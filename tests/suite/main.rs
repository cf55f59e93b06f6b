//! The one harness: host tests, in-kernel tests, scenarios, checks of the image.
//!
//! ```text
//! cargo test                   all of it
//! cargo test NAME              what has NAME in its name
//! cargo test -- --list         the names
//! OTTAWA_LONG=1 cargo test ... the long forms
//! ```
//!
//! | names | what |
//! |---|---|
//! | `CRATE::...` | a host test of that crate, run on the host |
//! | `kernel::TEST_MODULE::FILE::NAME (smp N)` | a test inside the kernel, in a module that the kernel's own linker loads |
//! | `run::...` | the command as a person runs it: words, options, bad input, exit statuses |
//! | `fault::...` | a machine that is made to fail, and what it says of it |
//! | `image::...` | what may not be in the kernel's image and modules |
//! | `bound::...` | counts of instructions and bytes that the issues set |
//! | `harness::...` | this harness |

mod bound;
mod fault;
mod harness;
mod host;
mod image;
mod kernel;
mod plan;
mod run;

use libtest_mimic::Arguments;
use plan::Plan;
use std::process::ExitCode;
use std::thread;

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    // Names come from what is built, so building comes first: host tests and command here, the guest beside them.
    let guest = thread::spawn(|| tests::build::artifacts().map(|_| ()));
    let host = host::build();
    let command = tests::build::ottawa();
    let guest = guest.join().unwrap_or_else(|_| Err("the builder panicked".into()));

    let mut plan = Plan::default();
    if let Err(why) = command {
        plan.failed("command_builds", why);
    }
    if let Err(why) = guest {
        plan.failed("guest_builds", why);
    }
    host.add_to(&mut plan);
    kernel::add_to(&mut plan);
    run::add_to(&mut plan);
    fault::add_to(&mut plan);
    image::add_to(&mut plan);
    bound::add_to(&mut plan);
    harness::add_to(&mut plan);
    plan.run(arguments).exit_code()
}
