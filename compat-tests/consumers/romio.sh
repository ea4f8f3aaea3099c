#!/usr/bin/env bash
# romio.sh STAGE: ROMIO's own test programs on its DAOS driver, unchanged, with daos: paths, on 2 and 4 ranks.
set -euo pipefail
stage=$(realpath "$1")
here=$(realpath "$(dirname "$0")")
install=$("$here/build.sh" mpich "$stage")
source=$(dirname "$install")/mpich/src/mpi/romio/test
programs=$(dirname "$install")/romio-tests
mkdir -p "$programs"

# Left out: shared file pointers (shared_fp, ordered_fp), atomic mode and preallocation (atomicity, misc), which ROMIO's DAOS driver does not
# offer on any system; large_array and coll_perf, which write files of 4 and 14 GiB; Fortran.
tests=(simple async coll_test file_info excl noncontig i_noncontig noncontig_coll noncontig_coll2 split_coll psimple
    error status types_with_zeros hindexed perf)

built=()
for test in "${tests[@]}"; do
    [ -f "$source/$test.c" ] || continue
    if [ ! -x "$programs/$test" ] || [ "$source/$test.c" -nt "$programs/$test" ]; then
        "$install/bin/mpicc" -w -O1 -o "$programs/$test" "$source/$test.c" -Wl,-rpath-link,"$stage/lib"
    fi
    built+=("$test")
done

cat >"$stage/romio-tests.sh" <<'SH'
set -euo pipefail
mpiexec=$1 programs=$2
shift 2
failed=0 passed=0
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work" # some leave files where they run
out=$work/out
for ranks in 2 4; do
    for test in "$@"; do
        case $test in
        # These say themselves that they want two processes.
        noncontig | i_noncontig | noncontig_coll | types_with_zeros) [ $ranks = 2 ] || continue ;;
        hindexed) [ $ranks = 4 ] || continue ;;
        esac
        started=$(date +%s.%N)
        # Run from the root of the container: no dfuse, the driver takes pool and container from the environment.
        if timeout 120 "$mpiexec" -n $ranks "$programs/$test" -fname "daos:/$test.$ranks" >"$out" 2>&1 \
            && ! grep -qiE 'found [0-9]+ errors|differ|incorrect|unexpected|mismatch' "$out"; then
            passed=$((passed + 1))
            printf 'ROMIO: %-18s %d ranks  %.1f s\n' $test $ranks "$(awk "BEGIN { print $(date +%s.%N) - $started }")"
        else
            failed=$((failed + 1))
            echo "-- $test on $ranks ranks failed:"
            tail -20 "$out"
        fi
    done
done
echo "ROMIO: $passed passed, $failed failed"
[ $failed = 0 ]
SH
"$stage/bin/daos_server" dev -- env DAOS_BYPASS_DUNS=1 bash "$stage/romio-tests.sh" "$install/bin/mpiexec" "$programs" "${built[@]}"
