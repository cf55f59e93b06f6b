//! The command as a person runs it: what the README promises, and what bad input gives.

mod bad;
mod machine;
mod modules;
mod options;
mod words;

use crate::plan::Plan;

/// Adds all scenarios.
pub(crate) fn add_to(plan: &mut Plan) {
    modules::add_to(plan);
    words::add_to(plan);
    machine::add_to(plan);
    options::add_to(plan);
    bad::add_to(plan);
}
