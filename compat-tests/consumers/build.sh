#!/usr/bin/env bash
# build.sh fio|mpich STAGE: builds an unmodified consumer from Debian's source package against our headers and
# libraries, in a cache outside the tree (DAOS_CONSUMERS, by default ~/.cache/daos-consumers); prints its folder.
#
# The consumers see a copy of STAGE at a fixed place, changed only where files differ: a new build of the libraries
# costs nothing, a changed header rebuilds what includes it. Which libraries run is LD_LIBRARY_PATH's choice.
set -euo pipefail
name=$1 stage=$(realpath "$2")
here=$(realpath "$(dirname "$0")")
cache=${DAOS_CONSUMERS:-$HOME/.cache/daos-consumers}
prefix=$cache/prefix
log=$cache/$name.log
mkdir -p "$prefix/include" "$prefix/lib"

exec 9>"$cache/.lock"
flock 9

changed=0
while IFS= read -r -d '' file; do
    if ! cmp -s "$stage/$file" "$prefix/$file"; then
        mkdir -p "$(dirname "$prefix/$file")"
        cp -L "$stage/$file" "$prefix/$file"
        changed=1
    fi
done < <(cd "$stage" && find include lib \( -type f -o -type l \) \( -name '*.h' -o -name '*.so*' \) -print0)

fail() {
    echo "$name did not build; the end of $log:" >&2
    tail -40 "$log" >&2
    exit 1
}

case $name in
fio)
    dir=$cache/fio
    "$here/../../scripts/debian-source.sh" fio "$dir" >&2
    cd "$dir"
    if [ ! -f config-host.mak ] || ! grep -q CONFIG_DFS config-host.mak; then
        LDFLAGS="-L$prefix/lib" ./configure --extra-cflags="-I$prefix/include" >"$log" 2>&1 || fail
        grep -q 'DAOS File System (dfs) Engine *yes' "$log" || fail
    fi
    [ "$changed" = 0 ] || touch engines/dfs.c
    nice make -j2 fio >>"$log" 2>&1 || fail
    ;;
mpich)
    dir=$cache/mpich
    "$here/../../scripts/debian-source.sh" mpich "$dir" >&2
    cd "$dir"
    if [ ! -f config.status ]; then
        CFLAGS=-O1 nice ./configure --prefix="$cache/mpich-install" --with-device=ch3:sock --disable-fortran --disable-cxx \
            --with-hwloc=embedded --with-file-system=ufs+daos --with-daos="$prefix" --disable-dependency-tracking \
            >"$log" 2>&1 || fail
    fi
    headers=$(cat $(find "$prefix/include" -name '*.h' | sort) | sha256sum | cut -d' ' -f1)
    if [ "$(cat .headers 2>/dev/null)" != "$headers" ] && [ -f .headers ]; then
        nice make -C src/mpi/romio clean >>"$log" 2>&1 || fail
    fi
    if [ "$(cat .headers 2>/dev/null)" != "$headers" ] || [ ! -x "$cache/mpich-install/bin/mpiexec" ]; then
        nice make -j2 >>"$log" 2>&1 || fail
        nice make install >>"$log" 2>&1 || fail
        echo "$headers" >.headers
    fi
    dir=$cache/mpich-install
    ;;
*)
    echo "build.sh: no consumer named $name (fio, mpich)" >&2
    exit 1
    ;;
esac
echo "$dir"
