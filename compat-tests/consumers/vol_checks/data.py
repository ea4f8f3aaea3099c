"""Datasets: number types and shapes, selections against numpy, resizing, filters."""

import random

import h5py
import numpy as np
from numpy.testing import assert_array_equal

from vol_checks import SEED, check, expect, raises

# Datasets: types, shapes


INTEGERS = ["i1", "u1", "i2", "u2", "i4", "u4", "i8", "u8"]


@check
def dataset_number_types(path):
    values = {}
    with h5py.File(path, "w") as f:
        for order in "<>":
            for kind in INTEGERS + ["f2", "f4", "f8"]:
                dtype = np.dtype(order + kind)
                if dtype.kind == "f":
                    values[order + kind] = np.array([0, -1.5, 3.25, np.inf, -np.inf], dtype)
                else:
                    limits = np.iinfo(dtype)
                    values[order + kind] = np.array([limits.min, 0, 1, limits.max], dtype)
        values["bool"] = np.array([True, False, True])
        values["complex"] = np.array([1 + 2j, -3.5j])
        for name, value in values.items():
            f[name.replace("<", "le ").replace(">", "be ")] = value
    with h5py.File(path, "r") as f:
        for name, value in values.items():
            got = f[name.replace("<", "le ").replace(">", "be ")]
            expect(got.dtype, value.dtype)
            assert_array_equal(got[:], value)


@check
def dataset_shapes(path):
    with h5py.File(path, "w") as f:
        f["scalar"] = 42.5
        f["one"] = np.arange(7)
        f["three"] = np.arange(24).reshape(2, 3, 4)
        f["empty"] = h5py.Empty("f8")
        f.create_dataset("none", shape=(0, 3), maxshape=(None, 3), dtype="i4")
    with h5py.File(path, "r") as f:
        expect(f["scalar"].shape, ())
        expect(f["scalar"][()], 42.5)
        assert_array_equal(f["one"][...], np.arange(7))
        assert_array_equal(f["three"][...], np.arange(24).reshape(2, 3, 4))
        expect(f["three"][1, 2, 3], 23)
        expect(f["empty"].shape, None)
        expect(f["empty"][()] == h5py.Empty("f8"), True)
        expect(f["none"][:].shape, (0, 3))


@check
def dataset_converted_on_the_way(path):
    with h5py.File(path, "w") as f:
        f.create_dataset("x", data=np.arange(5), dtype=">i2")
        f["x"][1:3] = np.array([7.9, -8.9])
    with h5py.File(path, "r") as f:
        assert_array_equal(f["x"].astype("f8")[:], [0.0, 7.0, -8.0, 3.0, 4.0])


@check
def dataset_fill_value(path):
    with h5py.File(path, "w") as f:
        f.create_dataset("contiguous", (4, 4), "i4", fillvalue=-7)
        f.create_dataset("chunked", (10, 10), "f8", chunks=(3, 3), fillvalue=2.5)
        f.create_dataset("zero", (5,), "i8")
        f["chunked"][4, 4] = 1
    wanted = np.full((10, 10), 2.5)
    wanted[4, 4] = 1
    with h5py.File(path, "r") as f:
        assert_array_equal(f["contiguous"][:], np.full((4, 4), -7))
        assert_array_equal(f["chunked"][:], wanted)
        assert_array_equal(f["zero"][:], np.zeros(5))
        expect(f["contiguous"].fillvalue, -7)


@check
def dataset_properties(path):
    with h5py.File(path, "w") as f:
        f.create_dataset("x", (100, 50), "i4", chunks=(10, 5), maxshape=(None, 50))
    with h5py.File(path, "r") as f:
        x = f["x"]
        expect((x.shape, x.chunks, x.maxshape, x.dtype, x.size), ((100, 50), (10, 5), (None, 50), np.dtype("i4"), 5000))
        expect(x.file.filename, path)


@check
def dataset_required_and_replaced(path):
    with h5py.File(path, "w") as f:
        f.require_dataset("x", (3,), "i4")[:] = 5
        f.require_dataset("x", (3,), "i4")
        raises(TypeError, f.require_dataset, "x", (4,), "i4")
        del f["x"]
        f["x"] = np.arange(4.0)
    with h5py.File(path, "r") as f:
        assert_array_equal(f["x"][:], np.arange(4.0))


@check
def dataset_of_32_mib(path):
    data = np.random.default_rng(SEED).integers(0, 2**31, (2048, 4096), dtype="i4")
    with h5py.File(path, "w") as f:
        f.create_dataset("chunked", data=data, chunks=(256, 512))
        f["contiguous"] = data
    with h5py.File(path, "r") as f:
        assert_array_equal(f["chunked"][:], data)
        assert_array_equal(f["contiguous"][1000:1100, ::7], data[1000:1100, ::7])


# Selections, against numpy


@check
def hyperslabs_by_hand(path):
    data = np.arange(1000).reshape(10, 10, 10)
    with h5py.File(path, "w") as f:
        f.create_dataset("x", data=data, chunks=(3, 4, 5))
    with h5py.File(path, "r") as f:
        x = f["x"]
        for key in [np.s_[0], np.s_[-1], np.s_[2:5], np.s_[::3], np.s_[1:9:2, 5, ::4], np.s_[..., 3], np.s_[:, 2:3, 1:1],
                    np.s_[4:, :6, 9], np.s_[7:8, ..., ::9]]:
            assert_array_equal(x[key], data[key], err_msg=str(key))


@check
def selections_by_list_mask_and_points(path):
    data = np.arange(200).reshape(20, 10)
    with h5py.File(path, "w") as f:
        x = f.create_dataset("x", data=data, chunks=(6, 3))
        x[[1, 5, 19], 2] = [-1, -2, -3]
        data[[1, 5, 19], 2] = [-1, -2, -3]
        mask = data % 7 == 0
        x[mask] = 0
        data[mask] = 0
    with h5py.File(path, "r") as f:
        x = f["x"]
        assert_array_equal(x[[0, 3, 17]], data[[0, 3, 17]])
        assert_array_equal(x[4, [1, 2, 9]], data[4, [1, 2, 9]])
        assert_array_equal(x[data > 150], data[data > 150])


@check
def selections_joined(path):
    """Unions of hyperslabs and of points, memory and file selected differently: the low-level interface."""
    data = np.arange(100, dtype="i4").reshape(10, 10)
    with h5py.File(path, "w") as f:
        x = f.create_dataset("x", data=data, chunks=(4, 4))
        space = x.id.get_space()
        space.select_hyperslab((0, 0), (2, 3))
        space.select_hyperslab((5, 5), (1, 1), block=(3, 4), op=h5py.h5s.SELECT_OR)
        memory = h5py.h5s.create_simple((18,))
        x.id.write(memory, space, np.arange(1000, 1018, dtype="i4"))
    wanted = data.copy()
    wanted[0:2, 0:3] = np.arange(1000, 1006).reshape(2, 3)
    wanted[5:8, 5:9] = np.arange(1006, 1018).reshape(3, 4)
    with h5py.File(path, "r") as f:
        x = f["x"]
        assert_array_equal(x[:], wanted)
        space = x.id.get_space()
        space.select_elements([(9, 9), (0, 0), (5, 5), (0, 1)])
        got = np.zeros(8, "i4")
        memory = h5py.h5s.create_simple((8,))
        memory.select_hyperslab((1,), (4,), stride=(2,))
        x.id.read(memory, space, got)
        assert_array_equal(got, [0, 99, 0, 1000, 0, wanted[5, 5], 0, 1001])


@check
def hyperslabs_random(path):
    """200 random reads and writes with steps, chunked and contiguous, against numpy; the file is reopened now and then."""
    rng = random.Random(SEED)
    model = {"chunked": np.zeros((37, 29), "i4"), "contiguous": np.zeros((37, 29), "i4")}
    f = h5py.File(path, "w")
    f.create_dataset("chunked", (37, 29), "i4", chunks=(8, 5))
    f.create_dataset("contiguous", (37, 29), "i4")
    for step in range(200):
        name = rng.choice(list(model))
        key = tuple(slice(rng.randrange(n), rng.randrange(n + 1), rng.choice([1, 1, 2, 3, 7])) for n in (37, 29))
        if rng.random() < 0.6:
            value = np.array([rng.randrange(1 << 30) for _ in range(model[name][key].size)], "i4")
            model[name][key] = value.reshape(model[name][key].shape)
            f[name][key] = model[name][key]
        else:
            assert_array_equal(f[name][key], model[name][key], err_msg=f"step {step}: {name}{key}")
        if step % 50 == 49:
            f.close()
            f = h5py.File(path, "r+")
    for name in model:
        assert_array_equal(f[name][:], model[name])
    f.close()


# Resizing


@check
def resized_along_one_axis(path):
    with h5py.File(path, "w") as f:
        x = f.create_dataset("x", (0,), "i8", maxshape=(None,), chunks=(16,))
        for i in range(20):
            x.resize((len(x) + 5,))
            x[-5:] = np.arange(5) + 5 * i
    with h5py.File(path, "r") as f:
        assert_array_equal(f["x"][:], np.arange(100))


@check
def resized_and_cut_in_two_dimensions(path):
    model = np.arange(100.0).reshape(10, 10)
    with h5py.File(path, "w") as f:
        x = f.create_dataset("x", data=model, maxshape=(None, None), chunks=(4, 4), fillvalue=-1)
        x.resize((13, 9))
        model = np.pad(model[:, :9], ((0, 3), (0, 0)), constant_values=-1)
        assert_array_equal(x[:], model)
        x.resize(5, axis=0)
        model = model[:5]
    with h5py.File(path, "r+") as f:
        x = f["x"]
        expect(x.shape, (5, 9))
        assert_array_equal(x[:], model)
        x[4, 8] = 99
    with h5py.File(path, "r") as f:
        expect(f["x"][4, 8], 99)


@check
def resized_beyond_its_limit(path):
    with h5py.File(path, "w") as f:
        x = f.create_dataset("x", (4,), "f4", maxshape=(8,), chunks=(2,))
        x.resize((8,))
        raises((ValueError, RuntimeError, OSError), x.resize, (9,))
        expect(x.shape, (8,))


# Filters


@check(only=["native", "pass_through"])
def filters(path):
    with h5py.File(path, "w") as f:
        f.create_dataset("x", data=np.arange(10000), compression="gzip", shuffle=True, fletcher32=True)
    with h5py.File(path, "r") as f:
        assert_array_equal(f["x"][:], np.arange(10000))
