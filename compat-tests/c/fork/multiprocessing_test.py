"""Aim: Python's multiprocessing with the fork method over libdaos.so: workers attach anew and use inherited handles."""
import ctypes
import multiprocessing
import os
import sys

daos = ctypes.CDLL("libdaos.so.2", mode=ctypes.RTLD_GLOBAL)


class Handle(ctypes.Structure):
    _fields_ = [("cookie", ctypes.c_uint64)]


class ObjectId(ctypes.Structure):
    _fields_ = [("lo", ctypes.c_uint64), ("hi", ctypes.c_uint64)]


for name, arguments in {
    "daos_pool_connect2": [ctypes.c_char_p, ctypes.c_char_p, ctypes.c_uint, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p],
    "daos_cont_open2": [Handle, ctypes.c_char_p, ctypes.c_uint, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p],
    "daos_obj_generate_oid": [Handle, ctypes.c_void_p, ctypes.c_int, ctypes.c_uint16, ctypes.c_uint16, ctypes.c_uint32],
    "daos_kv_open": [Handle, ObjectId, ctypes.c_uint, ctypes.c_void_p, ctypes.c_void_p],
    "daos_kv_put": [Handle, Handle, ctypes.c_uint64, ctypes.c_char_p, ctypes.c_uint64, ctypes.c_char_p, ctypes.c_void_p],
    "daos_kv_get": [Handle, Handle, ctypes.c_uint64, ctypes.c_char_p, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p],
    "daos_kv_close": [Handle, ctypes.c_void_p],
    "daos_cont_close": [Handle, ctypes.c_void_p],
    "daos_pool_disconnect": [Handle, ctypes.c_void_p],
}.items():
    try:
        getattr(daos, name).argtypes = arguments
    except AttributeError:
        sys.exit(f"libdaos.so.2 has no {name}")

NONE = Handle(0)


def must(what, rc):
    if rc != 0:
        raise RuntimeError(f"{what}: {rc} in {os.getpid()}")


def put(kv, key, value):
    must("daos_kv_put", daos.daos_kv_put(kv, NONE, 0, key, len(value), value, None))


def get(kv, key):
    size = ctypes.c_uint64(64)
    buffer = ctypes.create_string_buffer(64)
    must("daos_kv_get", daos.daos_kv_get(kv, NONE, 0, key, ctypes.byref(size), buffer, None))
    return buffer.raw[: size.value]


kv = Handle()
attached = os.getpid()


def work(number):
    global attached
    if attached != os.getpid():
        must("daos_reinit", daos.daos_reinit())
        attached = os.getpid()
    put(kv, b"worker %d" % number, b"value %d" % number)
    return number, get(kv, b"worker %d" % number)


def main():
    pool, cont, oid = Handle(), Handle(), ObjectId(4242, 0)
    must("daos_init", daos.daos_init())
    must("daos_pool_connect", daos.daos_pool_connect2(os.environ["DAOS_POOL"].encode(), None, 2, ctypes.byref(pool), None, None))
    must("daos_cont_open", daos.daos_cont_open2(pool, os.environ["DAOS_CONT"].encode(), 2, ctypes.byref(cont), None, None))
    kv_hashed = 8  # DAOS_OT_KV_HASHED
    must("daos_obj_generate_oid", daos.daos_obj_generate_oid(cont, ctypes.byref(oid), kv_hashed, 0, 0, 0))
    must("daos_kv_open", daos.daos_kv_open(cont, oid, 4, ctypes.byref(kv), None))
    with multiprocessing.get_context("fork").Pool(3) as workers:
        results = dict(workers.map(work, range(60)))
    assert results == {number: b"value %d" % number for number in range(60)}, results
    assert get(kv, b"worker 59") == b"value 59"
    must("daos_kv_close", daos.daos_kv_close(kv, None))
    must("daos_cont_close", daos.daos_cont_close(cont, None))
    must("daos_pool_disconnect", daos.daos_pool_disconnect(pool, None))
    must("daos_fini", daos.daos_fini())
    print("multiprocessing_test.py: 60 tasks in 3 workers")


main()
