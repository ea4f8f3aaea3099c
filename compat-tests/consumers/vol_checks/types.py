"""Strings and sequences of variable length, compound and other types, references, maps."""

import ctypes

import h5py
import numpy as np
from numpy.testing import assert_array_equal

from vol_checks import check, expect, hdf5_library

# Strings and sequences of variable length


@check
def strings_of_variable_length(path):
    values = ["", "a", "naïve", "数据" * 100, "x" * 70000, "end"]
    with h5py.File(path, "w") as f:
        f["texts"] = values
        f.create_dataset("chunked", (6,), h5py.string_dtype(), chunks=(2,))[:] = values
        f.create_dataset("ascii", data=[b"a", b"bb"], dtype=h5py.string_dtype("ascii"))
        f["scalar"] = "one text"
        f["chunked"][1] = "replaced by something longer"
    with h5py.File(path, "r") as f:
        expect([v.decode() for v in f["texts"][:]], values)
        expect(list(f["texts"].asstr()[2:4]), values[2:4])
        values[1] = "replaced by something longer"
        expect(list(f["chunked"].asstr()[:]), values)
        expect(list(f["ascii"][:]), [b"a", b"bb"])
        expect(h5py.check_string_dtype(f["ascii"].dtype).encoding, "ascii")
        expect(f["scalar"][()], b"one text")


@check
def strings_never_written(path):
    with h5py.File(path, "w") as f:
        f.create_dataset("x", (5,), h5py.string_dtype(), chunks=(2,))[3] = "only one"
    with h5py.File(path, "r") as f:
        expect(list(f["x"][:]), [b"", b"", b"", b"only one", b""])


@check
def strings_of_fixed_length(path):
    with h5py.File(path, "w") as f:
        f["x"] = np.array([b"a", b"bcd", b""], "S3")
        f.create_dataset("utf8", data="µ".encode(), dtype=h5py.string_dtype("utf-8", 10))
    with h5py.File(path, "r") as f:
        expect(list(f["x"][:]), [b"a", b"bcd", b""])
        expect(f["utf8"].asstr()[()], "µ")


@check
def sequences_of_variable_length(path):
    rows = [np.arange(n, dtype="i4") for n in (3, 0, 1, 500)]
    with h5py.File(path, "w") as f:
        x = f.create_dataset("x", (4,), h5py.vlen_dtype("i4"), chunks=(2,))
        for i, row in enumerate(rows):
            x[i] = row
        f.create_dataset("floats", (2,), h5py.vlen_dtype("f8"))[0] = [1.5, 2.5]
    with h5py.File(path, "r") as f:
        for got, row in zip(f["x"][:], rows):
            assert_array_equal(got, row)
        assert_array_equal(f["floats"][0], [1.5, 2.5])
        expect(len(f["floats"][1]), 0)


# Types


@check
def compound_types(path):
    inner = np.dtype([("x", "f4"), ("y", "f4")])
    dtype = np.dtype([("id", "i8"), ("at", inner), ("tags", "S5"), ("matrix", "i2", (2, 2))])
    data = np.zeros(20, dtype)
    data["id"] = np.arange(20)
    data["at"]["y"] = np.arange(20) / 4
    data["tags"] = [f"t{i}" for i in range(20)]
    data["matrix"][:, 1, 0] = 7
    with h5py.File(path, "w") as f:
        f.create_dataset("x", data=data, chunks=(6,))
        f["x"][3] = data[4]
        data[3] = data[4]
        f["x"]["id"] = np.arange(100, 120)
        data["id"] = np.arange(100, 120)
    with h5py.File(path, "r") as f:
        expect(f["x"].dtype, dtype)
        assert_array_equal(f["x"][:], data)
        assert_array_equal(f["x"]["id"], data["id"])
        assert_array_equal(f["x"].fields(["id", "tags"])[5:9]["tags"], data["tags"][5:9])
        assert_array_equal(f["x"]["at"]["y"], data["at"]["y"])


@check
def compound_with_strings_and_sequences(path):
    dtype = np.dtype([("name", h5py.string_dtype()), ("n", "i4"), ("values", h5py.vlen_dtype("f8"))])
    with h5py.File(path, "w") as f:
        x = f.create_dataset("x", (3,), dtype)
        x[0] = ("first", 1, np.array([1.0]))
        x[2] = ("third, longer", 3, np.arange(3.0))
    with h5py.File(path, "r") as f:
        first, second, third = f["x"][:]
        expect((first["name"], first["n"], list(first["values"])), (b"first", 1, [1.0]))
        expect((second["name"], second["n"], len(second["values"])), (b"", 0, 0))
        expect((third["name"], third["n"], list(third["values"])), (b"third, longer", 3, [0.0, 1.0, 2.0]))


@check
def types_enum_opaque_array(path):
    colour = h5py.enum_dtype({"RED": 0, "GREEN": 1, "BLUE": 42}, basetype="i2")
    with h5py.File(path, "w") as f:
        f.create_dataset("enum", data=[0, 42, 1], dtype=colour)
        times = np.array(["2026-11-25", "1970-01-01"], "M8[s]").astype(h5py.opaque_dtype("M8[s]"))
        f["opaque"] = times
        f.create_dataset("array", (3,), np.dtype(("f4", (2, 3))))[1] = np.arange(6).reshape(2, 3)
    with h5py.File(path, "r") as f:
        expect(h5py.check_enum_dtype(f["enum"].dtype), {"RED": 0, "GREEN": 1, "BLUE": 42})
        assert_array_equal(f["enum"][:], [0, 42, 1])
        assert_array_equal(f["opaque"][:], times)
        expect(f["array"].shape, (3,))
        assert_array_equal(f["array"][1], np.arange(6).reshape(2, 3))


@check
def types_committed(path):
    dtype = np.dtype([("a", "i4"), ("b", "f8")])
    with h5py.File(path, "w") as f:
        f["types/pair"] = dtype
        f.create_dataset("x", (4,), dtype=f["types/pair"])
        f["types/pair"].attrs["meaning"] = "a pair"
        f.attrs.create("p", np.array((1, 2.0), dtype), dtype=f["types/pair"])
    with h5py.File(path, "r") as f:
        named = f["types/pair"]
        expect(isinstance(named, h5py.Datatype), True)
        expect(named.dtype, dtype)
        expect(named.attrs["meaning"], "a pair")
        expect(f.attrs["p"].tolist(), (1, 2.0))


# References


@check
def references_to_objects(path):
    with h5py.File(path, "w") as f:
        g = f.create_group("a/b")
        x = f.create_dataset("x", data=[1, 2, 3])
        f.attrs["one"] = g.ref
        f.create_dataset("refs", data=[g.ref, x.ref, f.ref], dtype=h5py.ref_dtype)
        f.create_dataset("null", (2,), h5py.ref_dtype)
    with h5py.File(path, "r") as f:
        expect(f[f.attrs["one"]].name, "/a/b")
        expect([f[r].name for r in f["refs"][:]], ["/a/b", "/x", "/"])
        assert_array_equal(f[f["refs"][1]][:], [1, 2, 3])
        expect(bool(f["null"][0]), False)
        expect(f[f["refs"][1]] == f["x"], True)


@check
def references_to_regions(path):
    with h5py.File(path, "w") as f:
        x = f.create_dataset("x", data=np.arange(100).reshape(10, 10))
        f.create_dataset("regions", data=[x.regionref[2:4, 5:7], x.regionref[0, :]], dtype=h5py.regionref_dtype)
    with h5py.File(path, "r") as f:
        regions = f["regions"][:]
        assert_array_equal(f["x"][regions[0]].ravel(), [25, 26, 35, 36])
        assert_array_equal(f["x"][regions[1]].ravel(), np.arange(10))
        expect(f[regions[0]].name, "/x")


@check
def dimension_scales(path):
    """The high-level library's scales: attributes of references and of variable-length sequences of them."""
    with h5py.File(path, "w") as f:
        f["t"] = np.arange(4.0)
        f["t"].make_scale("time")
        x = f.create_dataset("x", (4, 3), "f4")
        x.dims[0].label = "t"
        x.dims[0].attach_scale(f["t"])
    with h5py.File(path, "r") as f:
        expect(f["x"].dims[0].label, "t")
        expect(f["x"].dims[0].keys(), ["time"])
        assert_array_equal(f["x"].dims[0]["time"][:], np.arange(4.0))


# Maps


@check(only=["daos"])
def maps(path):
    """HDF5's map objects, which h5py has no name for: through the C library that it has loaded."""
    c = hdf5_library()
    hid = ctypes.c_int64
    for name in ("H5Mcreate", "H5Mopen"):
        getattr(c, name).restype = hid
    key_type, value_type = h5py.h5t.NATIVE_INT64.id, h5py.h5t.NATIVE_DOUBLE.id
    integer, double = ctypes.c_int64, ctypes.c_double

    def done(result):
        if result < 0:
            raise AssertionError("a map call failed")

    with h5py.File(path, "w") as f:
        m = c.H5Mcreate(hid(f.id.id), b"map", hid(key_type), hid(value_type), hid(0), hid(0), hid(0))
        done(m)
        for i in range(50):
            done(c.H5Mput(hid(m), hid(key_type), ctypes.byref(integer(i)), hid(value_type), ctypes.byref(double(i / 2)), hid(0)))
        done(c.H5Mdelete(hid(m), hid(key_type), ctypes.byref(integer(7)), hid(0)))
        done(c.H5Mclose(hid(m)))
    with h5py.File(path, "r") as f:
        m = c.H5Mopen(hid(f.id.id), b"map", hid(0))
        done(m)
        count, value, there = ctypes.c_uint64(), double(), ctypes.c_bool()
        done(c.H5Mget_count(hid(m), ctypes.byref(count), hid(0)))
        expect(count.value, 49)
        for i in range(50):
            done(c.H5Mexists(hid(m), hid(key_type), ctypes.byref(integer(i)), ctypes.byref(there), hid(0)))
            expect(there.value, i != 7)
            if i != 7:
                done(c.H5Mget(hid(m), hid(key_type), ctypes.byref(integer(i)), hid(value_type), ctypes.byref(value), hid(0)))
                expect(value.value, i / 2)
        keys = []
        called = ctypes.CFUNCTYPE(ctypes.c_int, hid, ctypes.c_void_p, ctypes.c_void_p)(
            lambda _, key, __: keys.append(ctypes.cast(key, ctypes.POINTER(integer))[0]) or 0)
        at = ctypes.c_uint64(0)
        done(c.H5Miterate(hid(m), ctypes.byref(at), hid(key_type), called, None, hid(0)))
        expect(sorted(keys), [i for i in range(50) if i != 7])
        done(c.H5Mclose(hid(m)))
