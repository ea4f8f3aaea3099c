#!/bin/sh
# The libraries and a C program under ThreadSanitizer, against a running system: run.sh STAGE [SOURCE.c]
#   STAGE    a stage of the ordinary build: daos_server, headers
#   SOURCE   default: compat-tests/c/eight_threads.c
# Wants a nightly toolchain with rust-src (rustup component add rust-src --toolchain nightly) and clang. The standard
# library is built instrumented as well: its locks are futexes, which helgrind and drd do not see.
set -eu

[ $# -ge 1 ] || { echo "usage: $0 STAGE [SOURCE.c]" >&2; exit 2; }
top=$(cd "$(dirname "$0")/../.." && pwd)
stage=$(cd "$1" && pwd)
source=${2:-$top/compat-tests/c/eight_threads.c}
target=${TSAN_TARGET_DIR:-$top/target/tsan}
triple=$(rustc -vV | sed -n 's/^host: //p')

cd "$top"
RUSTFLAGS="-Zsanitizer=thread" cargo +nightly build -Zbuild-std --target "$triple" --target-dir "$target" \
    -p libdaos -p libdaos-common -p libgurt
built=$target/$triple/debug
library=$target/lib
mkdir -p "$library"
cp "$built/libdaos.so" "$library/libdaos.so.2"
cp "$built/libgurt.so" "$library/libgurt.so.4"
cp "$built/libdaos_common.so" "$library/"
ln -sf libdaos.so.2 "$library/libdaos.so"
ln -sf libgurt.so.4 "$library/libgurt.so"

# The sanitizer's runtime is the program's; the libraries take it from there.
runtime=$(ls "$(rustc +nightly --print sysroot)/lib/rustlib/$triple/lib/"librustc-*_rt.tsan.a)
program=$target/$(basename "$source" .c)
clang -g -O1 -fsanitize=thread -c -I "$stage/include" "$source" -o "$program.o"
clang "$program.o" -o "$program" -rdynamic -Wl,--whole-archive "$runtime" -Wl,--no-whole-archive \
    -L "$library" -ldaos -ldaos_common -lgurt -luuid -lpthread -ldl -lrt -lm
"$stage/bin/daos_server" dev -- env LD_LIBRARY_PATH="$library" \
    TSAN_OPTIONS="suppressions=$top/compat-tests/tsan/suppressions halt_on_error=0 exitcode=66 history_size=4" "$program"
