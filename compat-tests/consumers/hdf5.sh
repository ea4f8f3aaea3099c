#!/usr/bin/env bash
# hdf5.sh STAGE [CONNECTOR]: HDF5 1.14.5 and h5py, built from their sources, on throw-away systems.
#   without CONNECTOR  that they and vol_h5py.py are sound: h5py and HDF5's API tests on the native file and on the
#                      pass-through connector, then HDF5's parallel tests through ROMIO's DAOS driver on 2 ranks
#   with CONNECTOR     the same on HDF5's DAOS connector (its library, or the folder that holds it), and every test
#                      program of the connector's own that lies beside it, serial ones on one rank, parallel ones on two
# VOL_WORDS="word ..." picks checks of vol_h5py.py; VOL_LOGS=FOLDER keeps the output of every program.
set -euo pipefail
stage=$(realpath "$1")
here=$(realpath "$(dirname "$0")")
connector=${2:-}

if [ -z "$connector" ]; then
    cat <<'TXT'
vol: no connector given, so HDF5 runs on its own file. To test HDF5's DAOS connector:
vol:     make vol VOL_DAOS=/path/to/built/connector
vol: A connector is a library that was built with CMake from the connector's own sources, against
vol:     HDF5   HDF5_ROOT, HDF5_C_COMPILER_EXECUTABLE=.../bin/h5pcc: the folder that `compat-tests/consumers/build.sh hdf5 STAGE` prints
vol:     MPI    MPI_C_COMPILER=.../bin/mpicc: the folder that `compat-tests/consumers/build.sh mpich STAGE` prints
vol:     DAOS   DAOS_INCLUDE_DIR=STAGE/include DAOS_LIBRARY=STAGE/lib/libdaos.so DAOS_UNS_LIBRARY=STAGE/lib/libduns.so
vol: with STAGE being what `make stage` lays out (target/stage).
TXT
elif [ -f "$connector" ]; then
    connector=$(dirname "$(realpath "$connector")")
elif [ -d "$connector" ]; then
    connector=$(realpath "$connector")
    for folder in "$connector" "$connector"/{lib,lib64,bin,build/bin}; do
        ! compgen -G "$folder/*vol_daos*.so*" >/dev/null || { connector=$folder && break; }
    done
fi
if [ -n "$connector" ] && ! compgen -G "$connector/*.so*" >/dev/null; then
    echo "hdf5.sh: no library in $connector: give the connector's library or the folder that holds it" >&2
    exit 1
fi

mpich=$("$here/build.sh" mpich "$stage")
hdf5=$("$here/build.sh" hdf5 "$stage")

cat >"$stage/vol-tests.sh" <<'SH'
# vol-tests.sh HERE MPICH HDF5 [CONNECTOR]: runs inside `daos_server dev`.
set -uo pipefail
here=$1 mpich=$2 hdf5=$3 connector=${4:-}
export LD_LIBRARY_PATH=$hdf5/lib:$mpich/lib:${LD_LIBRARY_PATH:-}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
logs=${VOL_LOGS:-$work/logs}
mkdir -p "$logs"
cd "$work" # the programs leave files where they run
failed=0

# program TITLE LIMIT COMMAND...: runs it, shows its summary lines and what failed.
program() {
    local title=$1 limit=$2 log started seconds status=0
    shift 2
    log=$logs/${title// /-}.log
    started=$(date +%s.%N)
    timeout -k 10 "$limit" "$@" >"$log" 2>&1 || status=$?
    seconds=$(awk "BEGIN { printf \"%.1f\", $(date +%s.%N) - $started }")
    case $status in
    0) printf 'vol: %-50s passed  %6s s\n' "$title" "$seconds" ;;
    124) printf 'vol: %-50s FAILED  %6s s  no end within %s s\n' "$title" "$seconds" "$limit" ;;
    *) printf 'vol: %-50s FAILED  %6s s  exit code %s\n' "$title" "$seconds" "$status" ;;
    esac
    grep -aE '[0-9]+/[0-9]+ .*tests (passed|did not pass|were skipped)' "$log" | sed 's/^/         /'
    grep -aE '\*FAILED\*|-FAILED-' "$log" | sort | uniq -c | head -60
    if [ $status != 0 ]; then
        failed=$((failed + 1))
        grep -aqE '\*FAILED\*|-FAILED-' "$log" || tail -15 "$log" | sed 's/^/         /'
    fi
}

python_checks() { # python_checks FOLDER
    "$hdf5/python/bin/python" "$here/vol_h5py.py" "$1" ${VOL_WORDS:-} || failed=$((failed + 1))
}

two() { # two COMMAND...: on two ranks
    "$mpich/bin/mpiexec" -n 2 "$@"
}
export -f two
export mpich

if [ -z "$connector" ]; then
    mkdir native pass
    python_checks "$work/native"
    program "HDF5 API tests, native" 300 "$hdf5/bin/h5_api_test"
    export HDF5_VOL_CONNECTOR="pass_through under_vol=0;under_info={}"
    python_checks "$work/pass"
    program "HDF5 API tests, pass_through" 300 "$hdf5/bin/h5_api_test"
    unset HDF5_VOL_CONNECTOR
    program "HDF5 parallel API tests, native, 2 ranks" 300 bash -c 'two "$@"' - "$hdf5/bin/h5_api_test_parallel"
    # The native file on ROMIO's DAOS driver: libdfs under HDF5's parallel reads and writes. Left out: what makes its file
    # without MPI first (only MPI knows daos: names), and atomic mode, which ROMIO's DAOS driver offers on no system.
    left_out=()
    for test in calloc chkallocser2par fltread cmpdsetr atomicity; do left_out+=(-x "$test"); done
    DAOS_BYPASS_DUNS=1 HDF5_PARAPREFIX=daos:/ \
        program "HDF5 testphdf5 on ROMIO's DAOS driver, 2 ranks" 600 bash -c 'two "$@"' - "$hdf5/bin/testphdf5" "${left_out[@]}"
else
    # Each HDF5 file is a container; without a unified name space its identity is made from the file's name.
    export HDF5_PLUGIN_PATH=$connector HDF5_VOL_CONNECTOR=daos HDF5_DAOS_BYPASS_DUNS=1
    unset DAOS_CONT
    python_checks "h5py"
    # As the connector's own build runs them: no chunking behind a test's back.
    export HDF5_DAOS_CHUNK_TARGET_SIZE=1073741824
    program "HDF5 API tests" 900 "$hdf5/bin/h5_api_test"
    program "HDF5 parallel API tests, 2 ranks" 900 bash -c 'two "$@"' - "$hdf5/bin/h5_api_test_parallel"
    found=0
    for test in "$connector"/h5vl_test "$connector"/h5_test_* "$connector"/h5daos_test_*; do
        [ -x "$test" ] && [[ $test != *_parallel ]] || continue
        found=$((found + 1))
        program "$(basename "$test")" 900 "$test"
    done
    for test in "$connector"/h5vl_test_parallel "$connector"/h5_partest_* "$connector"/h5daos_test_*_parallel; do
        [ -x "$test" ] || continue
        found=$((found + 1))
        program "$(basename "$test"), 2 ranks" 900 bash -c 'two "$@"' - "$test"
    done
    echo "vol: $found test programs of the connector's own beside it"
fi
[ $failed = 0 ] && echo "vol: all passed" || echo "vol: $failed failed"
[ $failed = 0 ]
SH
# The connector's tests of object classes want four targets.
"$stage/bin/daos_server" dev --targets 4 --data-size 5G -- bash "$stage/vol-tests.sh" "$here" "$mpich" "$hdf5" ${connector:+"$connector"}
