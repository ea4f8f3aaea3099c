#!/bin/sh
# Runs a C test program under valgrind on a throw-away system: valgrind.sh TOOL PROGRAM.c|PROGRAM [ARGUMENT...]
#   compat-tests/valgrind.sh memcheck compat-tests/c/telemetry.c
#   TOOL: memcheck (with leaks), helgrind or drd. PROGRAM.c is compiled first. DAOS_STAGE names the stage (default
#   target/stage), VALGRIND_OPTIONS further options. What libfabric does is suppressed (compat-tests/valgrind.supp);
#   the exit code is 9 when valgrind has something to say, else the program's.
# helgrind and drd don't know the locks of Rust's standard library, which are no pthread locks: whatever such a lock
# protects is reported as a race. They tell something about programs and about locks of the C side only.
set -eu

[ $# -ge 2 ] || { sed -n '2,8s/^# *//p' "$0" >&2; exit 2; }
top=$(cd "$(dirname "$0")/.." && pwd)
stage=${DAOS_STAGE:-$top/target/stage}
tool=$1 program=$2
shift 2

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
case $program in
*.c)
    ${CC:-cc} -O1 -g -o "$folder/program" "$program" -I "$stage/include" -L "$stage/lib" \
        -ldfs -lduns -ldaos -ldaos_common -lgurt -luuid -lpthread
    program=$folder/program
    ;;
esac

case $tool in
memcheck) options="--leak-check=full --show-leak-kinds=definite --errors-for-leak-kinds=definite" ;;
helgrind) options="--history-level=approx" ;;
drd) options="--first-race-only=yes" ;;
*) echo "valgrind.sh: no tool $tool: memcheck, helgrind or drd" >&2; exit 2 ;;
esac

LD_LIBRARY_PATH=$stage/lib${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH} PATH=$stage/bin:$PATH \
    "$stage/bin/daos_server" dev -- \
    valgrind -q --tool="$tool" $options --error-exitcode=9 --num-callers=40 \
    --suppressions="$top/compat-tests/valgrind.supp" ${VALGRIND_OPTIONS:-} "$program" "$@"
