#!/usr/bin/env bash
# run.sh STAGE: the figures of README, to target/bench/results.json: VOS in isolation (criterion), then libdaos and libdfs
# on a throw-away system, each beside the raw limit of the same run.
set -euo pipefail
stage=$(realpath "$1")
tree=$(realpath "$(dirname "$0")/../..")
cd "$tree"
mkdir -p target/bench
# On tmpfs where there is one: the arena's home in the class that is measured.
[ -w /dev/shm ] && export TMPDIR=/dev/shm
cargo bench -q -p daos-vos --bench vos
"$stage/bin/daos_server" dev -- "$stage/bin/daos_bench" --json "$tree/target/bench/results.json"
