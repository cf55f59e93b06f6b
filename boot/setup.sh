#!/bin/sh
# Installs what building and running Ottawa needs and the machine does not have yet. Run it as often as you like.
#
#   QEMU (qemu-system-x86_64)      runs the kernel
#   busybox, linked statically     the programs in the initramfs
#   a C linker (cc)                links programs of the host: the command, build scripts, procedural macros
#   Rust for x86_64-unknown-none   builds loader, kernel and modules: rustup's where it can be had; else Debian's
#                                  compiler with a core of its own (boot/toolchain.sh)
#
# With apt it installs the packages itself, as root or through sudo; elsewhere it names them and ends with status 1.
set -eu
cd "$(dirname "$0")/.."

TARGET=x86_64-unknown-none
say() { printf '%-12s %s\n' "$1" "$2"; }
have() { command -v "$1" > /dev/null 2>&1; }

as_root() {
    if [ "$(id -u)" = 0 ]; then "$@"
    elif have sudo; then sudo "$@"
    else
        say error "run as root: $*" >&2
        exit 1
    fi
}

# Installs packages, with the lists of packages fetched once if they do not know them; else names them.
updated=
install() {
    what=$1
    shift
    if ! have apt-get; then
        say "$what" "missing: install it with your system's package manager (Debian's packages: $*)"
        missing=1
        return 0
    fi
    say "$what" "installing $*"
    if [ -z "$updated" ]; then
        as_root apt-get update -qq || say apt "the package lists could not be fetched; going on with those here"
        updated=1
    fi
    if ! as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" > /tmp/ottawa-apt.$$ 2>&1
    then
        tail -5 /tmp/ottawa-apt.$$ >&2
        rm -f /tmp/ottawa-apt.$$
        say "$what" "could not be installed: see above"
        missing=1
        return 0
    fi
    rm -f /tmp/ottawa-apt.$$
}

static_busybox() {
    have busybox && ! (ldd "$(command -v busybox)" > /dev/null 2>&1)
}

# Whether the toolchain that cargo uses here has core for the target. rustup prints the folder's name in any case.
rustup_has_target() {
    have rustc && ls "$(rustc --print target-libdir --target $TARGET 2> /dev/null)"/libcore-*.rlib > /dev/null 2>&1
}

missing=

if have qemu-system-x86_64; then :; else install qemu qemu-system-x86; fi
if have qemu-system-x86_64; then say qemu "$(qemu-system-x86_64 --version | head -1)"; else missing=1; fi

if static_busybox; then :; else install busybox busybox-static; fi
if static_busybox; then say busybox "$(command -v busybox)"; else missing=1; fi

have cc || install cc gcc libc6-dev
if have cc; then say cc "$(command -v cc)"; else missing=1; fi

have cargo && have rustc || install rust rustc-web cargo-web rust-web-src
if ! have cargo || ! have rustc; then
    say rust "missing: install rustup (https://rustup.rs), then run this again"
    exit 1
fi
if ! rustup_has_target && have rustup; then
    say rust "asking rustup for $TARGET"
    # rust-toolchain.toml names channel and target: a rustup that may install has them already. Where the network has
    # no such thing this is to end soon, and there is another way.
    timeout 300 rustup target add $TARGET > /dev/null 2>&1 || say rust "rustup cannot give it: using Debian's compiler"
fi
if rustup_has_target; then
    say rust "$(rustc --version), target $TARGET"
else
    [ -x /usr/bin/rustc ] && [ -x /usr/bin/cargo ] && [ -f "$(/usr/bin/rustc --print sysroot)/lib/rustlib/src/rust/library/core/Cargo.toml" ] ||
        install rust rustc-web cargo-web rust-web-src
    have ld.lld || ls "${RUSTUP_HOME:-$HOME/.rustup}"/toolchains/*/lib/rustlib/*/bin/rust-lld > /dev/null 2>&1 ||
        install lld lld
    [ -n "$missing" ] || toolchain=$(sh boot/toolchain.sh) || missing=1
    if [ -z "$missing" ]; then
        say rust "$("$toolchain/bin/rustc" --version), target $TARGET in $toolchain"
        if have rustup; then
            rustup toolchain link ottawa "$toolchain" > /dev/null 2>&1 &&
                say rust "linked as toolchain \`ottawa\`: cargo +ottawa run --target $TARGET -p kernel"
        fi
    fi
fi

if [ -n "$missing" ]; then
    say setup "something is missing: see above"
    exit 1
fi
say setup "ready: cargo run -- modules=hello init=none"
