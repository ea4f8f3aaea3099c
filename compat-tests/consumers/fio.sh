#!/usr/bin/env bash
# fio.sh STAGE: fio's own dfs engine, unchanged, on a throw-away system: write and verify, read back, mixed, four jobs,
# with processes and with threads.
set -euo pipefail
stage=$(realpath "$1")
here=$(realpath "$(dirname "$0")")
fio=$("$here/build.sh" fio "$stage")/fio

cat >"$stage/fio-jobs.sh" <<'SH'
set -euo pipefail
fio=$1
run() {
    local title=$1
    shift
    echo "fio: $title"
    "$fio" --ioengine=dfs --pool="$DAOS_POOL" --cont="$DAOS_CONT" --group_reporting "$@" --output="$TMPDIR/fio.out" || {
        cat "$TMPDIR/fio.out"
        exit 1
    }
    sed -n 's/^ *\(read\|write\): */   \1 /p' "$TMPDIR/fio.out"
    if grep -qE 'err= *[1-9]|verify: bad|verify failed' "$TMPDIR/fio.out"; then
        cat "$TMPDIR/fio.out"
        exit 1
    fi
}
TMPDIR=$(mktemp -d)
trap 'rm -rf "$TMPDIR"' EXIT
cd "$TMPDIR" # fio leaves files where it runs
for model in 0 1; do
    kind=$([ $model = 0 ] && echo processes || echo threads)
    run "write and verify, 4 $kind" --name=verify --thread=$model --numjobs=4 --rw=write --bs=64k --size=4m --iodepth=8 \
        --verify=crc32c --do_verify=1 --filename_format="v$model.\$jobnum"
    run "read back, 4 $kind" --name=back --thread=$model --numjobs=4 --rw=read --bs=128k --size=4m --iodepth=4 \
        --filename_format="v$model.\$jobnum"
    run "random write and verify 4 KiB, 4 $kind" --name=random --thread=$model --numjobs=4 --rw=randwrite --bs=4k --size=2m \
        --iodepth=16 --verify=crc32c --do_verify=1 --filename_format="r$model.\$jobnum"
    run "mixed, 4 $kind" --name=mixed --thread=$model --numjobs=4 --rw=randrw --bs=16k --size=4m --iodepth=8 \
        --filename_format="m$model.\$jobnum"
    run "1 MiB blocks, 1 of $kind" --name=big --thread=$model --numjobs=1 --rw=write --bs=1m --size=32m --iodepth=4 \
        --verify=crc32c --do_verify=1 --filename_format="b$model.\$jobnum"
done
SH
"$stage/bin/daos_server" dev -- bash "$stage/fio-jobs.sh" "$fio"
echo "fio: all passed"
