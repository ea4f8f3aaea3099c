#!/usr/bin/env bash
# Installs what building and testing need: Debian packages, and cargo-nextest. Safe to run again.
set -euo pipefail

packages=(build-essential pkg-config clang libclang-dev uuid-dev libfabric-dev libfabric-bin libpmem-dev
    liburing-dev dpkg-dev zlib1g-dev libaio-dev libnuma-dev flex bison)

missing=()
for package in "${packages[@]}"; do
    dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing+=("$package")
done
if [ ${#missing[@]} -gt 0 ]; then
    sudo=
    [ "$(id -u)" = 0 ] || sudo=sudo
    echo "setup: installing ${missing[*]}"
    $sudo apt-get update -qq
    DEBIAN_FRONTEND=noninteractive $sudo apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
fi

if ! command -v cargo >/dev/null; then
    echo "setup: no Rust toolchain: Debian 12's is too old; install Rust 1.95 or later with rustup (https://rustup.rs)" >&2
    exit 1
fi
if ! cargo nextest --version >/dev/null 2>&1; then
    echo "setup: installing cargo-nextest"
    cargo install --locked cargo-nextest
fi
