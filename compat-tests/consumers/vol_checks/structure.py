"""Files, groups, attributes, links, and walking through them."""

import random
import ctypes
import subprocess
import sys

import h5py
import numpy as np
from numpy.testing import assert_array_equal

from vol_checks import SEED, check, expect, hdf5_library, raises

# Files


@check
def file_modes(path):
    raises((OSError, FileNotFoundError), h5py.File, path, "r")
    with h5py.File(path, "w-") as f:
        f["a"] = 1
    raises((OSError, FileExistsError), h5py.File, path, "w-")
    with h5py.File(path, "r") as f:
        expect(f["a"][()], 1)
        expect(f.mode, "r")
        raises((ValueError, KeyError, OSError, RuntimeError), f.create_group, "g")
    with h5py.File(path, "a") as f:
        f["b"] = 2
    with h5py.File(path, "r+") as f:
        expect(sorted(f), ["a", "b"])
    with h5py.File(path, "w") as f:
        expect(list(f), [])
    with h5py.File(path, "r") as f:
        expect(list(f), [])


@check
def file_opened_twice(path):
    with h5py.File(path, "w") as f:
        f["x"] = np.arange(10)
        f.flush()
        with h5py.File(path, "r+") as g:
            assert_array_equal(g["x"][:], np.arange(10))


@check
def file_read_by_another_process(path):
    with h5py.File(path, "w") as f:
        f["x"] = np.arange(100).reshape(10, 10)
        f["x"].attrs["unit"] = "µm"
    code = f"import h5py; f = h5py.File({path!r}, 'r'); print(f['x'][:].sum(), ascii(f['x'].attrs['unit']))"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    expect((out.returncode, out.stdout.strip()), (0, "4950 '\\xb5m'"))


@check
def file_with_objects_still_open(path):
    f = h5py.File(path, "w")
    dataset = f.create_dataset("g/x", data=[1, 2, 3])
    f.close()
    expect(bool(dataset), False)
    with h5py.File(path, "r") as f:
        assert_array_equal(f["g/x"][:], [1, 2, 3])


# Groups


@check
def groups_nested(path):
    with h5py.File(path, "w") as f:
        f.create_group("a/b/c/d")
        f["a"].create_group("e")
        f.require_group("a/b")
        raises((ValueError, RuntimeError), f.create_group, "a/b")
    with h5py.File(path, "r") as f:
        expect("a/b/c/d" in f, True)
        expect("a/x" in f, False)
        expect("a/x/y" in f, False)
        expect(sorted(f["a"]), ["b", "e"])
        expect(f["a/b/c"].name, "/a/b/c")
        expect(f["a/b/c"].parent.name, "/a/b")
        expect(f["a"].get("none"), None)
        expect(f["/"]["/a/b"] == f["a"]["b"], True)
        raises(KeyError, f.__getitem__, "a/none")


@check
def groups_deleted(path):
    with h5py.File(path, "w") as f:
        f.create_group("a/b")
        f["a/x"] = [1]
        del f["a/x"]
        expect(list(f["a"]), ["b"])
        del f["a"]
        raises(KeyError, f.__delitem__, "a")
        f.create_group("a")
        expect(list(f["a"]), [])
    with h5py.File(path, "r") as f:
        expect(list(f), ["a"])


@check
def groups_many(path):
    names = [f"group {i:03}" for i in range(300)]
    with h5py.File(path, "w") as f:
        for name in reversed(names):
            f.create_group(name)
    with h5py.File(path, "r") as f:
        expect(len(f), 300)
        expect(list(f), names)


@check
def groups_in_order_of_creation(path):
    names = ["z", "b", "m", "a", "q"]
    with h5py.File(path, "w", track_order=True) as f:
        for name in names:
            f.create_group(name)
        g = f.create_group("inner", track_order=True)
        for name in names:
            g[name] = name
    with h5py.File(path, "r") as f:
        expect(list(f), names + ["inner"])
        expect(list(f["inner"]), names)


@check
def group_names_unicode(path):
    names = ["Größe", "数据", "with space", "ünïcödé/内"]
    with h5py.File(path, "w") as f:
        for name in names:
            f.create_group(name)
    with h5py.File(path, "r") as f:
        for name in names:
            expect(name in f, True)
        expect(f["ünïcödé"].keys() == {"内"}, True)


# Attributes


@check
def attributes_of_every_kind(path):
    with h5py.File(path, "w") as f:
        group = f.create_group("g")
        dataset = f.create_dataset("x", data=[1])
        f["type"] = np.dtype("i4")
        for thing in (f, group, dataset, f["type"]):
            thing.attrs["int"] = 5
            thing.attrs["array"] = np.arange(6.0).reshape(2, 3)
            thing.attrs["text"] = "naïve"
            thing.attrs["texts"] = ["a", "", "längér"]
            thing.attrs["bytes"] = np.bytes_(b"fixed")
            thing.attrs["empty"] = h5py.Empty("f4")
            thing.attrs["record"] = np.array((1, 2.5), [("a", "i4"), ("b", "f8")])
    with h5py.File(path, "r") as f:
        for thing in (f, f["g"], f["x"], f["type"]):
            attrs = thing.attrs
            expect(len(attrs), 7)
            expect(attrs["int"], 5)
            assert_array_equal(attrs["array"], np.arange(6.0).reshape(2, 3))
            expect(attrs["text"], "naïve")
            expect(list(attrs["texts"]), ["a", "", "längér"])
            expect(attrs["bytes"], b"fixed")
            expect(attrs["empty"] == h5py.Empty("f4"), True)
            expect(attrs["record"].tolist(), (1, 2.5))


@check
def attributes_changed_and_deleted(path):
    with h5py.File(path, "w") as f:
        f.attrs["a"] = 1
        f.attrs["a"] = 7
        f.attrs["b"] = 2
        f.attrs.modify("b", 3)
        f.attrs.create("c", [1, 2, 3], dtype="i2")
        f.attrs["d"] = 4
        del f.attrs["d"]
        raises(KeyError, f.attrs.__getitem__, "d")
    with h5py.File(path, "r") as f:
        expect(dict(f.attrs, c=0), {"a": 7, "b": 3, "c": 0})
        expect(f.attrs["c"].dtype, np.dtype("i2"))
        expect("d" in f.attrs, False)


@check(only=["native", "pass_through"])
def attributes_replaced_by_another_type(path):
    """HDF5's DAOS connector writes the new value under the old key, whose records keep their size in DAOS."""
    with h5py.File(path, "w") as f:
        f.attrs["a"] = 1
        f.attrs["a"] = "now text"
    with h5py.File(path, "r") as f:
        expect(f.attrs["a"], "now text")


@check
def attributes_renamed(path):
    with h5py.File(path, "w") as f:
        f.attrs["old"] = [1, 2]
        h5py.h5a.rename(f.id, b"old", b"new")
    with h5py.File(path, "r") as f:
        expect(list(f.attrs), ["new"])
        assert_array_equal(f.attrs["new"], [1, 2])


@check
def attributes_many(path):
    with h5py.File(path, "w") as f:
        for i in range(200):
            f.attrs[f"n{i:03}"] = i
    with h5py.File(path, "r") as f:
        expect(list(f.attrs.items()), [(f"n{i:03}", i) for i in range(200)])


@check
def attributes_in_order_of_creation(path):
    names = ["z", "b", "m", "a", "q"]
    with h5py.File(path, "w") as f:
        g = f.create_group("g", track_order=True)
        for name in names:
            g.attrs[name] = name
    with h5py.File(path, "r") as f:
        expect(list(f["g"].attrs), names)


@check
def attribute_of_60_kib(path):
    """Just below what the native file takes in its object header."""
    value = np.random.default_rng(SEED).integers(0, 255, 60 * 1024, dtype="u1")
    with h5py.File(path, "w") as f:
        f.attrs["large"] = value
    with h5py.File(path, "r") as f:
        assert_array_equal(f.attrs["large"], value)


# Links


@check
def links_hard(path):
    with h5py.File(path, "w") as f:
        f["a/x"] = [1, 2]
        f["again"] = f["a/x"]
        f["a/loop"] = f["a"]
        f["again"][0] = 9
        expect(h5py.h5o.get_info(f["again"].id).rc, 2)
        del f["a/x"]
    with h5py.File(path, "r") as f:
        assert_array_equal(f["again"][:], [9, 2])
        expect(f["a/loop/loop"] == f["a"], True)


@check
def links_soft(path):
    with h5py.File(path, "w") as f:
        f["a/x"] = 5
        f["soft"] = h5py.SoftLink("/a/x")
        f["a/relative"] = h5py.SoftLink("x")
        f["dangling"] = h5py.SoftLink("/nowhere")
    with h5py.File(path, "r") as f:
        expect(f["soft"][()], 5)
        expect(f["a/relative"][()], 5)
        expect(f.get("soft", getlink=True).path, "/a/x")
        expect(sorted(f), ["a", "dangling", "soft"])
        raises(KeyError, f.__getitem__, "dangling")
        expect(isinstance(f.get("a", getlink=True), h5py.HardLink), True)


@check(only=["native", "pass_through"])
def links_external(path):
    other = path.replace(".h5", "-other.h5")
    with h5py.File(other, "w") as f:
        f["g/x"] = np.arange(3)
    with h5py.File(path, "w") as f:
        f["far"] = h5py.ExternalLink(other, "/g/x")
        f["broken"] = h5py.ExternalLink(other, "/none")
    with h5py.File(path, "r") as f:
        assert_array_equal(f["far"][:], np.arange(3))
        expect(f.get("far", getlink=True).path, "/g/x")
        expect(f["far"].file.filename, other)
        raises((KeyError, OSError), f.__getitem__, "broken")


@check
def links_moved(path):
    with h5py.File(path, "w") as f:
        f["a/x"] = [1, 2, 3]
        f.create_group("b")
        f.move("a/x", "b/y")
        f.move("a", "c")
        f["s"] = h5py.SoftLink("/b/y")
        f.move("s", "t")
    with h5py.File(path, "r") as f:
        expect(sorted(f), ["b", "c", "t"])
        expect(list(f["c"]), [])
        assert_array_equal(f["b/y"][:], [1, 2, 3])
        assert_array_equal(f["t"][:], [1, 2, 3])


@check
def objects_copied(path):
    with h5py.File(path, "w") as f:
        f["a/x"] = np.arange(20).reshape(4, 5)
        f["a/x"].attrs["unit"] = "m"
        f.create_dataset("a/chunked", data=np.arange(100), chunks=(7,))
        f.create_group("a/deep/er")
        f.copy("a", "b")
        f.create_group("c")
        f.copy("a/x", "c/x")
        f["a/x"][0, 0] = 99
    with h5py.File(path, "r") as f:
        expect(sorted(f["b"]), ["chunked", "deep", "x"])
        expect("b/deep/er" in f, True)
        assert_array_equal(f["b/x"][:], np.arange(20).reshape(4, 5))
        assert_array_equal(f["b/chunked"][:], np.arange(100))
        expect(f["c/x"].attrs["unit"], "m")


@check(only=["native", "pass_through"])
def objects_copied_with_strings(path):
    """HDF5's DAOS connector (1.2.0) frees what is no pointer: it reads such a data set as it is stored."""
    with h5py.File(path, "w") as f:
        f["text"] = ["one", "two"]
        f.copy("text", "copy")
    with h5py.File(path, "r") as f:
        expect(list(f["copy"][:]), [b"one", b"two"])


@check
def objects_copied_to_another_file(path):
    other = path.replace(".h5", "-other.h5")
    with h5py.File(path, "w") as f, h5py.File(other, "w") as g:
        f["a/x"] = np.arange(10)
        f["a"].attrs["k"] = 5
        f.copy("a", g, name="a")
    with h5py.File(other, "r") as g:
        assert_array_equal(g["a/x"][:], np.arange(10))
        # Its value is 0 with HDF5's DAOS connector (1.2.0), which copies attributes without reading or writing them.
        expect("k" in g["a"].attrs, True)


# Walking


def names_by_index(group, index):
    """The names of a group's links through HDF5's own call, by name (0) or by order of creation (1)."""
    c = hdf5_library()
    c.H5Lget_name_by_idx.restype = ctypes.c_ssize_t
    names = []
    for i in range(len(group)):
        name = ctypes.create_string_buffer(256)
        size = c.H5Lget_name_by_idx(ctypes.c_int64(group.id.id), b".", index, 0, ctypes.c_uint64(i), name,
                                    ctypes.c_size_t(256), ctypes.c_int64(0))
        expect(size, len(name.value))
        names.append(name.value.decode())
    return names


@check
def names_by_index_of_both_kinds(path):
    names = ["z", "b", "m", "a", "q"]
    with h5py.File(path, "w", track_order=True) as f:
        for name in names:
            f.create_group(name)
    with h5py.File(path, "r") as f:
        expect(names_by_index(f, 0), sorted(names))
        expect(names_by_index(f, 1), names)


@check
def walked(path):
    with h5py.File(path, "w") as f:
        for name in ("a/b/c", "a/d", "e"):
            f.create_group(name)
        f["a/b/x"] = 1
        f["again"] = f["e"]
        f["soft"] = h5py.SoftLink("/a")
        f["type"] = np.dtype("f4")
    with h5py.File(path, "r") as f:
        seen = []
        f.visit(seen.append)
        expect(sorted(s for s in seen if s not in ("e", "again")), ["a", "a/b", "a/b/c", "a/b/x", "a/d", "type"])
        expect(len([s for s in seen if s in ("e", "again")]), 1)
        kinds = {}
        f.visititems(lambda name, thing: kinds.__setitem__(name, type(thing).__name__))
        expect((kinds["a/b/x"], kinds["a"], kinds["type"]), ("Dataset", "Group", "Datatype"))
        expect(f.visititems(lambda name, thing: name if name == "a/b" else None), "a/b")
        expect({k: type(v).__name__ for k, v in f["a"].items()}, {"b": "Group", "d": "Group"})
        links = []
        f.visit_links(links.append)
        expect(sorted(links), ["a", "a/b", "a/b/c", "a/b/x", "a/d", "again", "e", "soft", "type"])


@check
def asked_about(path):
    with h5py.File(path, "w") as f:
        f["x"] = [1]
        f.create_group("g").attrs["a"] = 1
    with h5py.File(path, "r") as f:
        expect(f.get("x", getclass=True), h5py.Dataset)
        expect(f.get("g", getclass=True), h5py.Group)
        expect(h5py.h5i.get_type(f["x"].id), h5py.h5i.DATASET)
        expect(h5py.h5o.get_info(f["g"].id).type, h5py.h5o.TYPE_GROUP)
        expect(f["x"] == f["g"], False)
        expect(hash(f["x"]) == hash(f["x"]), True)
        expect(f["g"].file == f, True)
