#!/bin/sh
# Prepares the toolchain that builds the guest where rustup cannot give the target x86_64-unknown-none.
#
# Debian ships a compiler, a cargo and the standard library's sources (rustc-web, cargo-web, rust-web-src). From these
# this script builds core, alloc and compiler_builtins once and puts them into a folder that looks to everybody like a
# toolchain of rustup's: bin/cargo, bin/rustc, lib/rustlib/x86_64-unknown-none/lib. The compiler stays a stable one:
# only the build of core itself is let through to the unstable features core is made of.
#
# It prints the folder's path as its last line, on standard output; what it has to say goes to standard error. Called by
# boot/setup.sh and, when the folder is missing, by the command. Any number of calls may run at once: each builds in a
# folder of its own and the first to finish gives it its name.
set -eu

TARGET=x86_64-unknown-none
HOST=x86_64-unknown-linux-gnu
RUSTC=${OTTAWA_RUSTC:-/usr/bin/rustc}
CARGO=${OTTAWA_CARGO:-/usr/bin/cargo}
CACHE=${XDG_CACHE_HOME:-${HOME:-/tmp}/.cache}/ottawa

say() { echo "toolchain: $*" >&2; }
die() { say "$*"; exit 1; }

[ -x "$RUSTC" ] && [ -x "$CARGO" ] ||
    die "no $RUSTC and $CARGO: install rustc-web and cargo-web, or run \`rustup target add $TARGET\`"
LIBRARY=$("$RUSTC" --print sysroot)/lib/rustlib/src/rust/library
[ -f "$LIBRARY/core/Cargo.toml" ] || die "no sources of core at $LIBRARY: install rust-web-src"

# The newest rust-lld of a rustup toolchain, else LLVM's own linker: the same program under another name.
find_linker() {
    for lld in "${RUSTUP_HOME:-$HOME/.rustup}"/toolchains/stable-*/lib/rustlib/$HOST/bin/rust-lld \
        "${RUSTUP_HOME:-$HOME/.rustup}"/toolchains/*/lib/rustlib/$HOST/bin/rust-lld \
        "$(command -v ld.lld || true)" /usr/lib/llvm-*/bin/lld; do
        [ -x "$lld" ] && { echo "$lld"; return; }
    done
    die "no rust-lld and no ld.lld: install lld"
}

# One folder a compiler version (and a version of this script), so that an upgrade prepares anew.
KEY=$( { "$RUSTC" -vV; cat "$0"; } | cksum | cut -d' ' -f1)
DIR=$CACHE/toolchain-$KEY
if [ -e "$DIR/lib/rustlib/$TARGET/lib/.complete" ] && [ -x "$DIR/lib/rustlib/$HOST/bin/rust-lld" ]; then
    echo "$DIR"
    exit 0
fi

LINKER=$(find_linker)
say "building core for $TARGET with $("$RUSTC" -V | cut -d' ' -f1,2), once"
mkdir -p "$CACHE" || die "cannot write to $CACHE: set XDG_CACHE_HOME to a folder that can be written"
WORK=$(mktemp -d "$CACHE/prepare.XXXXXX")
trap 'rm -rf "$WORK"' EXIT
trap 'exit 1' HUP INT TERM

mkdir -p "$WORK/seed/src" "$WORK/seed/.cargo"
echo '#![no_std]' > "$WORK/seed/src/lib.rs"
cat > "$WORK/seed/Cargo.toml" <<END
[package]
name = "seed"
version = "0.0.0"
edition = "2021"
[profile.release]
opt-level = 2
panic = "abort"
codegen-units = 1
[workspace]
END
# What core itself depends on lies beside it: nothing is fetched.
[ -d "$LIBRARY/vendor" ] && cat > "$WORK/seed/.cargo/config.toml" <<END
[source.crates-io]
replace-with = "vendored"
[source.vendored]
directory = "$LIBRARY/vendor"
END

# The kernel's own code generation flags, so that core's code looks like the kernel's.
(
    cd "$WORK/seed"
    env -i PATH=/usr/bin:/bin HOME="${HOME:-/tmp}" CARGO_HOME="$WORK/home" RUSTC="$RUSTC" RUSTC_BOOTSTRAP=1 \
        RUSTFLAGS="-C relocation-model=static -C code-model=kernel -C symbol-mangling-version=v0 -C force-frame-pointers=yes" \
        "$CARGO" build --release --target $TARGET --target-dir "$WORK/target" \
        -Z build-std=core,alloc,compiler_builtins -Z build-std-features=compiler-builtins-mem > "$WORK/log" 2>&1
) || { cat "$WORK/log" >&2; die "core did not build"; }

NEW=$WORK/toolchain
mkdir -p "$NEW/bin" "$NEW/lib/rustlib/$TARGET/lib" "$NEW/lib/rustlib/$HOST/bin"
for crate in core alloc compiler_builtins; do
    cp "$WORK/target/$TARGET/release/deps/lib$crate"-*.rlib "$NEW/lib/rustlib/$TARGET/lib/"
done
# Programs of the host (procedural macros, build scripts) are built against the host's own library.
ln -s "$("$RUSTC" --print sysroot)/lib/rustlib/$HOST/lib" "$NEW/lib/rustlib/$HOST/lib"
ln -s "$LINKER" "$NEW/lib/rustlib/$HOST/bin/rust-lld"
cat > "$NEW/bin/rustc" <<END
#!/bin/sh
exec $RUSTC --sysroot '$DIR' "\$@"
END
cat > "$NEW/bin/cargo" <<END
#!/bin/sh
RUSTC='$DIR/bin/rustc' exec $CARGO "\$@"
END
chmod +x "$NEW/bin/rustc" "$NEW/bin/cargo"
: > "$NEW/lib/rustlib/$TARGET/lib/.complete"

# An unfinished or outdated folder of that name gives way; a finished one means that another call was first.
[ -e "$DIR/lib/rustlib/$TARGET/lib/.complete" ] && [ ! -x "$DIR/lib/rustlib/$HOST/bin/rust-lld" ] && rm -rf "$DIR"
[ -e "$DIR" ] || mv "$NEW" "$DIR"
say "ready"
echo "$DIR"
