#!/bin/sh
# Runner of the target x86_64-unknown-none (.cargo/config.toml): `cargo run` and `cargo test` with that target and
# `-p CRATE` call it with the program that they built, and with words for the command.
#
# The program alone is no machine: modules fit only the kernel that was built in the same call. So the command builds
# all of it, as it always does, and starts what the crate stands for:
#
#   cargo run -p kernel      the kernel, with the words given
#   cargo test -p MODULE     the kernel with that module loaded, then power-off (words given come after). For crates
#                            of tests/kernel, and modules whose Cargo.toml names boot/guest-test.rs as a test.
set -eu
program=${1:?the program that cargo built}
shift
crate=${CARGO_PKG_NAME:-kernel}
root=$(cd "$(dirname "$0")/.." && pwd)

case $program in
    */release/*) profile=release ;;
    *) profile=dev ;;
esac

# The command itself is a program of the host, for the host's own toolchain.
unset RUSTUP_TOOLCHAIN CARGO RUSTC LD_LIBRARY_PATH RUST_RECURSION_COUNT CARGO_BUILD_TARGET
cd "$root"

set -- --profile "$profile" "$@"
if [ "$crate" != kernel ]; then
    set -- --test-modules "modules=$(echo "$crate" | tr - _)" init=none "$@"
fi
exec cargo run --quiet --package boot --bin ottawa -- "$@"
