"""HDF5 through h5py, on whatever connector HDF5_VOL_CONNECTOR names: each check of vol_checks/ makes a file of its own,
writes, closes, opens again, compares with what numpy says, and becomes one line of a table.

    vol_h5py.py FOLDER [WORD...]    only the checks whose names hold one of the words; files are FOLDER/NAME.h5

Ends with 1 if a check failed. "not offered" stands for the checks of what, by its own documentation, this connector
does not do; "native only" for those in which h5py itself calls functions that HDF5 refuses for anything but its own
file (its iteration and its comparison of objects do; "names by index" goes another way). Random checks follow the seed
that the first line prints; VOL_SEED=N repeats one. Each check runs in a process of its own: one that crashes is one
line of the table.
"""

import os
import subprocess
import sys
import time
import traceback

import h5py

sys.dont_write_bytecode = True

import vol_checks.structure  # noqa: E402  after the line above, which keeps the tree clean
import vol_checks.data  # noqa: E402
import vol_checks.types  # noqa: E402, F401
from vol_checks import CHECKS, SEED  # noqa: E402

CONNECTOR = os.environ.get("HDF5_VOL_CONNECTOR", "native").split()[0]
NATIVE_ONLY = "native vol connector"
LIMIT_S = 300


def run_one(folder, wanted):
    """Runs one check; prints what it ended with, a remark, and the trace of a failure."""
    name, function, _ = next(check for check in CHECKS if check[0] == wanted)
    # With HDF5's printing of errors off, h5py finds no text in the errors of some connectors, and raises another kind.
    h5py._errors.unsilence_errors()
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
    try:
        function(os.path.join(folder, name.replace(" ", "-") + ".h5"))
        print("passed\n")
    except Exception as error:  # Whatever it is, it is this check's result.
        print("native only" if NATIVE_ONLY in str(error).lower() else "FAILED")
        print(f"{type(error).__name__}: {error}".strip().splitlines()[0][:120])
        print(traceback.format_exc())


def result_of(folder, name):
    """The same, from another process."""
    command = [sys.executable, os.path.abspath(__file__), folder, "--one", name]
    environment = dict(os.environ, VOL_SEED=str(SEED))
    try:
        done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, text=True, timeout=LIMIT_S)
    except subprocess.TimeoutExpired:
        return "FAILED", f"no end within {LIMIT_S} s", ""
    result, remark, trace = (done.stdout.split("\n", 2) + ["", ""])[:3]
    if done.returncode != 0 or result not in ("passed", "native only", "FAILED"):
        return "FAILED", f"the process ended with {done.returncode}", done.stdout
    return result, remark, trace


def main():
    folder, words = sys.argv[1], sys.argv[2:]
    sys.stdout.reconfigure(line_buffering=True)
    if words[:1] == ["--one"]:
        return run_one(folder, words[1])
    print(f"h5py {h5py.__version__} on HDF5 {h5py.version.hdf5_version}, connector {CONNECTOR}, seed {SEED}")
    counts = {"passed": 0, "FAILED": 0, "not offered": 0, "native only": 0}
    details = []
    for name, _, only in CHECKS:
        if words and not any(word in name for word in words):
            continue
        started = time.monotonic()
        result, remark, trace = "not offered", "", ""
        if not only or CONNECTOR in only:
            result, remark, trace = result_of(folder, name)
        if result == "FAILED":
            details.append((name, trace))
        counts[result] += 1
        print(f"  {name:40} {result:12} {time.monotonic() - started:6.2f} s  {remark}".rstrip())
    for name, text in details:
        print(f"-- {name}\n{text}")
    print(f"h5py on {CONNECTOR}: {counts['passed']} passed, {counts['FAILED']} failed, {counts['not offered']} not offered, "
          f"{counts['native only']} native only")
    sys.exit(1 if counts["FAILED"] or not counts["passed"] else 0)


if __name__ == "__main__":
    main()
