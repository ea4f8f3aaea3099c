"""What the checks of vol_h5py.py share: how a check is registered, and how it says what it expects."""

import ctypes
import os
import random

SEED = int(os.environ.get("VOL_SEED", random.SystemRandom().randrange(2**32)))
CHECKS = []


def check(function=None, *, only=None):
    """Registers a check; only: the connectors that offer what it tries."""

    def register(function):
        CHECKS.append((function.__name__.replace("_", " "), function, only))
        return function

    return register(function) if function else register


def raises(kind, call, *arguments, **named):
    try:
        call(*arguments, **named)
    except kind:
        return
    raise AssertionError(f"{call.__name__} did not fail")


def expect(got, wanted):
    if got != wanted:
        raise AssertionError(f"got {got!r}, wanted {wanted!r}")


def hdf5_library():
    """The HDF5 that h5py has loaded, for what h5py has no name for."""
    with open("/proc/self/maps") as maps:
        return ctypes.CDLL(next(line.split()[-1] for line in maps if "libhdf5.so" in line))
