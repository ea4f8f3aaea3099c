#!/usr/bin/env bash
# run.sh STAGE: a system from nothing, a C program built with plain cc, fio's DFS engine; KEEP=1 leaves the system running.
set -euo pipefail
stage=$(realpath "$1")
here=$(realpath "$(dirname "$0")")

if [ -z "${DAOS_POOL:-}" ]; then
    fio=$("$here/../compat-tests/consumers/build.sh" fio "$stage")/fio
    export DEMO_FIO=$fio
    if [ "${KEEP:-}" = 1 ]; then
        exec "$stage/bin/daos_server" dev -- bash -c "bash '$here/run.sh' '$stage' && echo 'The system runs until this shell ends (exit, or Ctrl-D).' && exec bash -i"
    fi
    exec "$stage/bin/daos_server" dev -- bash "$here/run.sh" "$stage"
fi

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export PKG_CONFIG_PATH=$stage/lib/pkgconfig
echo "== a C program"
echo "   cc demo.c \$(pkg-config --cflags --libs daos dfs) -o demo"
# shellcheck disable=SC2046
cc -O2 "$here/demo.c" $(pkg-config --cflags --libs daos dfs) -o "$work/demo"
"$work/demo"

echo "== fio's DFS engine"
for job in write read randwrite randread; do
    bs=$([ "${job#rand}" = "$job" ] && echo 1m || echo 4k)
    "$DEMO_FIO" --name=$job --ioengine=dfs --pool="$DAOS_POOL" --cont="$DAOS_CONT" --filename=fio-demo --rw=$job \
        --bs=$bs --iodepth=8 --size=64m --io_size=$([ "$bs" = 1m ] && echo 64m || echo 16m) --thread=1 --output="$work/fio.out"
    printf '%-12s%s blocks:%s\n' "$job" $bs "$(sed -n 's/^ *\(read\|write\): *\(IOPS.*\)/ \2/p' "$work/fio.out" | head -1)"
done

cat <<TXT
== to go on alone
   export PATH=$stage/bin:\$PATH LD_LIBRARY_PATH=$stage/lib PKG_CONFIG_PATH=$stage/lib/pkgconfig
   daos_server dev                      a system in the foreground; it prints what to export
   daos_server dev -- COMMAND           a throw-away system for one command
   daos pool query dev                  the pool's space and state
   daos container create dev NAME --type POSIX
   dmg -i pool list
TXT
