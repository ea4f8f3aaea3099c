"""HDF5 through h5py, on whatever connector HDF5_VOL_CONNECTOR names: each check of vol_checks/ makes a file of its own,
writes, closes, opens again, compares with what numpy says, and becomes one line of a table.

    vol_h5py.py FOLDER [WORD...]    only the checks whose names hold one of the words; files are FOLDER/NAME.h5

Ends with 1 if a check failed. "not offered" stands for the checks of what, by its own documentation, this connector
does not do. Random checks follow the seed that the first line prints; VOL_SEED=N repeats one.
"""

import os
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


def main():
    folder, words = sys.argv[1], sys.argv[2:]
    sys.stdout.reconfigure(line_buffering=True)
    print(f"h5py {h5py.__version__} on HDF5 {h5py.version.hdf5_version}, connector {CONNECTOR}, seed {SEED}")
    counts = {"passed": 0, "FAILED": 0, "not offered": 0}
    details = []
    for name, function, only in CHECKS:
        if words and not any(word in name for word in words):
            continue
        started = time.monotonic()
        remark = ""
        if only and CONNECTOR not in only:
            result = "not offered"
        else:
            try:
                function(os.path.join(folder, name.replace(" ", "-") + ".h5"))
                result = "passed"
            except Exception as error:  # Whatever it is, it is this check's result.
                result = "FAILED"
                remark = f"{type(error).__name__}: {error}".strip().splitlines()[0][:120]
                details.append((name, traceback.format_exc()))
        counts[result] += 1
        print(f"  {name:40} {result:12} {time.monotonic() - started:6.2f} s  {remark}".rstrip())
    for name, text in details:
        print(f"-- {name}\n{text}")
    print(f"h5py on {CONNECTOR}: {counts['passed']} passed, {counts['FAILED']} failed, {counts['not offered']} not offered")
    sys.exit(1 if counts["FAILED"] or not counts["passed"] else 0)


if __name__ == "__main__":
    main()
