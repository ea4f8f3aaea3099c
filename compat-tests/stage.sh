#!/bin/sh
# Lays out what cargo has built as an installation: stage.sh PREFIX PROFILE [TARGET_DIR]
#   PREFIX/bin          daos_server daos_engine daos_agent dmg daos daos_bench (those that are built)
#   PREFIX/lib          the libraries, under their file names and sonames; daos/API_VERSION, daos/VERSION
#   PREFIX/lib/pkgconfig, PREFIX/include
# PROFILE is debug or release. Files are replaced, not written over: a running program keeps what it has open.
set -eu

[ $# -ge 2 ] || { echo "usage: $0 PREFIX debug|release [TARGET_DIR]" >&2; exit 2; }
top=$(cd "$(dirname "$0")/.." && pwd)
mkdir -p "$1"
prefix=$(cd "$1" && pwd)
built=${3:-${CARGO_TARGET_DIR:-$top/target}}/$2
api_version=2.8.0
package_version=2.9.100
gurt_version=4.9.0

put() { # put MODE FROM TO
    rm -f "$3"
    cp "$2" "$3"
    chmod "$1" "$3"
}

library() { # library NAME [VERSION]: libNAME.so, or libNAME.so.VERSION with its links
    from=$built/lib$1.so
    if [ ! -f "$from" ]; then
        echo "stage.sh: $from is missing: run cargo build first" >&2
        exit 1
    fi
    if [ $# -eq 1 ]; then
        put 755 "$from" "$prefix/lib/lib$1.so"
        return
    fi
    put 755 "$from" "$prefix/lib/lib$1.so.$2"
    ln -sf "lib$1.so.$2" "$prefix/lib/lib$1.so.${2%%.*}"
    ln -sf "lib$1.so.${2%%.*}" "$prefix/lib/lib$1.so"
}

mkdir -p "$prefix/bin" "$prefix/lib/pkgconfig" "$prefix/lib/daos" "$prefix/include"
for program in daos_server daos_engine daos_agent dmg daos daos_bench; do
    [ ! -f "$built/$program" ] || put 755 "$built/$program" "$prefix/bin/$program"
done

library daos $api_version
library gurt $gurt_version
library daos_common
library dfs
library duns
echo $api_version > "$prefix/lib/daos/API_VERSION"
echo $package_version > "$prefix/lib/daos/VERSION"

(cd "$top/include" && find . -type d) | while read -r folder; do
    mkdir -p "$prefix/include/$folder"
done
(cd "$top/include" && find . -name '*.h') | while read -r header; do
    put 644 "$top/include/$header" "$prefix/include/$header"
done

for template in "$top"/pkgconfig/*.pc.in; do
    name=$(basename "$template" .in)
    sed -e "s|@PREFIX@|$prefix|" -e "s|@VERSION@|$package_version|" "$template" > "$prefix/lib/pkgconfig/$name"
done
