#!/usr/bin/env bash
# Builds snapdiag-collector.exe for 64-bit Windows 7 / Server 2008 R2 and later, on Linux, and
# prints where it is, its size and its SHA-256.
#
# The target has no standard library ready made, so Cargo builds that too. It takes a compiler that
# comes with its source: Debian's (installed here when this runs as root on Debian), or rustup's:
#
#   rustup toolchain install nightly --profile minimal --component rust-src
#
# No time and no path gets into the program; yet Cargo makes names from the path of the sources, so
# that builds in two folders have the same size and not the same bytes.
#
# For Windows 10 / Server 2016 and later the plain way does as well:
#
#   rustup target add x86_64-pc-windows-gnu
#   cargo build --profile collector -p snapdiag-collector --target x86_64-pc-windows-gnu
set -euo pipefail
cd "$(dirname "$0")/.."

target=x86_64-win7-windows-gnu
linker=x86_64-w64-mingw32-gcc
packages=(rustc-web cargo-web rust-web-src gcc-mingw-w64-x86-64)

has_debian() { [ -x /usr/bin/cargo ] && [ -d /usr/lib/rustlib/src/rust/library ]; }

has_nightly() {
    command -v rustup >/dev/null &&
        [ -d "$(rustc +nightly --print sysroot 2>/dev/null)/lib/rustlib/src/rust/library" ]
}

if ! command -v "$linker" >/dev/null || ! { has_debian || has_nightly; }; then
    if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
        echo "missing: $linker, or a Rust compiler with its source. On Debian, as root:" >&2
        echo "  apt-get install ${packages[*]}" >&2
        exit 1
    fi
    apt-get update -qq
    apt-get install -y -qq --no-install-recommends "${packages[@]}" >/dev/null
fi

if has_debian; then
    cargo=(/usr/bin/cargo)
    export RUSTC=/usr/bin/rustc
    sources=/usr/lib/rustlib/src/rust
else
    cargo=(cargo +nightly)
    sources=$(rustc +nightly --print sysroot)/lib/rustlib/src/rust
fi

export RUSTC_BOOTSTRAP=1
export CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-$PWD/target/win}
export CARGO_TARGET_X86_64_WIN7_WINDOWS_GNU_LINKER=$linker
# No path of this machine and no time in the program. A panic, which would be a bug, ends it at once
# and without a message: the texts of all that could panic are a tenth of the program.
export CARGO_TARGET_X86_64_WIN7_WINDOWS_GNU_RUSTFLAGS="\
 --remap-path-prefix=$PWD=snapdiag\
 --remap-path-prefix=${CARGO_HOME:-$HOME/.cargo}=cargo\
 --remap-path-prefix=$sources=rust\
 -Clink-arg=-Wl,--no-insert-timestamp\
 -Zunstable-options -Cpanic=immediate-abort"

"${cargo[@]}" build --quiet --locked --package snapdiag-collector --profile collector \
    --target "$target" -Zbuild-std=std,panic_abort -Zbuild-std-features=optimize_for_size

exe=$CARGO_TARGET_DIR/$target/collector/snapdiag-collector.exe
echo "$exe"
echo "$(stat -c %s "$exe") bytes"
sha256sum "$exe" | cut -d ' ' -f 1
