//! Objects and arrays: latency at depth 1, rate at depth 32, bandwidth of 1 MiB parts.

use crate::Arguments;
use crate::limits::Limits;
use crate::queue::Queue;
use crate::report::{Report, median};
use daos_api::{Array, ContRef, FetchValue, Object, ObjectMode, UpdateValue, check, generate_oid};
use daos_common::{ObjectId, Result};
use daos_sys as sys;
use std::ptr;
use std::time::Instant;

const VALUE_BYTES: usize = 4096;
const PART_BYTES: usize = 1 << 20;
const RATE_DEPTH: usize = 32;
const BANDWIDTH_DEPTH: usize = 8;
const PARTS: usize = 64;
/// Object types and classes used here: hashed keys, byte array; SX.
const TYPE_HASHED: u8 = 0;
const TYPE_BYTES: u8 = 13;
const CLASS_SX: u32 = (1 << 24) | 0xffff;

/// Adds the figures of this module.
pub fn measure(arguments: &Arguments, cont: ContRef, limits: &Limits, report: &mut Report) -> Result<()> {
    latency(arguments, cont, limits, report)?;
    rate(arguments, cont, limits, report)?;
    bandwidth(arguments, cont, limits, report)
}

fn latency(arguments: &Arguments, cont: ContRef, limits: &Limits, report: &mut Report) -> Result<()> {
    let object = open(cont, 1000)?;
    let value = [7u8; VALUE_BYTES];
    let mut back = [0u8; VALUE_BYTES];
    let (mut updates, mut fetches) = (Vec::new(), Vec::new());
    for round in 0..arguments.rounds {
        let (mut update_us, mut fetch_us) = (Vec::new(), Vec::new());
        for number in 0..arguments.operations {
            let dkey = format!("latency-{round}-{number}");
            let started = Instant::now();
            object.update(sys::DAOS_TX_NONE, 0, dkey.as_bytes(), &[(b"a", UpdateValue::Single(&value))])?;
            update_us.push(started.elapsed().as_secs_f64() * 1e6);
            let started = Instant::now();
            let mut akeys: [(&[u8], _); 1] = [(b"a", FetchValue::Single { room: &mut back, size: 0 })];
            object.fetch(sys::DAOS_TX_NONE, 0, dkey.as_bytes(), &mut akeys)?;
            fetch_us.push(started.elapsed().as_secs_f64() * 1e6);
        }
        updates.push(median(update_us));
        fetches.push(median(fetch_us));
    }
    object.punch(sys::DAOS_TX_NONE, 0)?;
    let limit = Some(limits.ping_pong_us);
    report.add("4 KiB update, depth 1, p50 (limit: ping-pong)", median(updates), "us", limit);
    report.add("4 KiB fetch, depth 1, p50 (limit: ping-pong)", median(fetches), "us", limit);
    Ok(())
}

/// Buffers of one operation in flight; they stay where they are until it completes.
struct Slot {
    dkey_text: String,
    dkey: sys::d_iov_t,
    iov: sys::d_iov_t,
    sgl: sys::d_sg_list_t,
    iod: sys::daos_iod_t,
    range: sys::daos_range_t,
    array_iod: sys::daos_array_iod_t,
    data: Vec<u8>,
}

impl Slot {
    fn new(bytes: usize) -> Box<Slot> {
        let mut slot = Box::new(Slot {
            dkey_text: String::new(),
            dkey: sys::d_iov_t::default(),
            iov: sys::d_iov_t::default(),
            sgl: sys::d_sg_list_t::default(),
            iod: sys::daos_iod_t::default(),
            range: sys::daos_range_t::default(),
            array_iod: sys::daos_array_iod_t::default(),
            data: vec![7; bytes],
        });
        slot.iov = iov(&mut slot.data);
        slot.sgl = sys::d_sg_list_t { sg_nr: 1, sg_nr_out: 0, sg_iovs: &mut slot.iov };
        slot.array_iod.arr_nr = 1;
        slot.array_iod.arr_rgs = &mut slot.range;
        slot
    }

    fn describe_value(&mut self, dkey: String) {
        static AKEY: &[u8] = b"a";
        self.dkey_text = dkey;
        // SAFETY: only a pointer is made; the library reads keys.
        self.dkey = iov(unsafe { self.dkey_text.as_bytes_mut() });
        self.iod.iod_name = sys::d_iov_t { iov_buf: AKEY.as_ptr() as *mut _, iov_buf_len: 1, iov_len: 1 };
        self.iod.iod_type = sys::DAOS_IOD_SINGLE;
        self.iod.iod_nr = 1;
        self.iod.iod_size = self.data.len() as u64;
        self.iov = iov(&mut self.data);
    }

    fn describe_part(&mut self, number: usize) {
        self.range = sys::daos_range_t { rg_idx: (number * self.data.len()) as u64, rg_len: self.data.len() as u64 };
        self.iov = iov(&mut self.data);
    }
}

fn iov(bytes: &mut [u8]) -> sys::d_iov_t {
    sys::d_iov_t { iov_buf: bytes.as_mut_ptr().cast(), iov_buf_len: bytes.len(), iov_len: bytes.len() }
}

fn rate(arguments: &Arguments, cont: ContRef, limits: &Limits, report: &mut Report) -> Result<()> {
    let object = open(cont, 1001)?;
    let mut queue = Queue::new(RATE_DEPTH)?;
    let mut slots: Vec<Box<Slot>> = (0..RATE_DEPTH).map(|_| Slot::new(VALUE_BYTES)).collect();
    let (mut updates, mut fetches) = (Vec::new(), Vec::new());
    for round in 0..arguments.rounds {
        let started = Instant::now();
        queue.run(arguments.operations, |number, slot, event| {
            let slot = &mut slots[slot];
            slot.describe_value(format!("rate-{round}-{number}"));
            // SAFETY: the slot's buffers stay in their box until the event completes.
            unsafe {
                sys::daos_obj_update(
                    object.raw(),
                    sys::DAOS_TX_NONE,
                    0,
                    &mut slot.dkey,
                    1,
                    &mut slot.iod,
                    &mut slot.sgl,
                    event,
                )
            }
        })?;
        updates.push(arguments.operations as f64 / started.elapsed().as_secs_f64());
        let started = Instant::now();
        queue.run(arguments.operations, |number, slot, event| {
            let slot = &mut slots[slot];
            slot.describe_value(format!("rate-{round}-{number}"));
            // SAFETY: as above.
            unsafe {
                sys::daos_obj_fetch(
                    object.raw(),
                    sys::DAOS_TX_NONE,
                    0,
                    &mut slot.dkey,
                    1,
                    &mut slot.iod,
                    &mut slot.sgl,
                    ptr::null_mut(),
                    event,
                )
            }
        })?;
        fetches.push(arguments.operations as f64 / started.elapsed().as_secs_f64());
    }
    object.punch(sys::DAOS_TX_NONE, 0)?;
    let limit = Some(limits.messages_per_s);
    report.add("4 KiB update, depth 32 (limit: message rate)", median(updates), "op/s", limit);
    report.add("4 KiB fetch, depth 32 (limit: message rate)", median(fetches), "op/s", limit);
    Ok(())
}

fn bandwidth(arguments: &Arguments, cont: ContRef, limits: &Limits, report: &mut Report) -> Result<()> {
    let oid = generate_oid(cont, ObjectId { lo: 1002, hi: 0 }, TYPE_BYTES, CLASS_SX, 0)?;
    let none = sys::DAOS_TX_NONE;
    let array = Array::open_with_attr(cont, oid, none, ObjectMode::ReadWrite, 1, PART_BYTES as u64)?;
    let mut queue = Queue::new(BANDWIDTH_DEPTH)?;
    let mut slots: Vec<Box<Slot>> = (0..BANDWIDTH_DEPTH).map(|_| Slot::new(PART_BYTES)).collect();
    let (mut writes, mut reads) = (Vec::new(), Vec::new());
    for _ in 0..arguments.rounds {
        for (write, figures) in [(true, &mut writes), (false, &mut reads)] {
            let started = Instant::now();
            queue.run(PARTS, |number, slot, event| {
                let slot = &mut slots[slot];
                slot.describe_part(number);
                // SAFETY: as in `rate`.
                unsafe {
                    if write {
                        sys::daos_array_write(array.raw(), none, &mut slot.array_iod, &mut slot.sgl, event)
                    } else {
                        sys::daos_array_read(array.raw(), none, &mut slot.array_iod, &mut slot.sgl, event)
                    }
                }
            })?;
            figures.push((PARTS * PART_BYTES) as f64 / f64::from(1 << 20) / started.elapsed().as_secs_f64());
        }
        // Each round writes into a fresh array: versions of earlier rounds would fill the pool.
        // SAFETY: the handle is open.
        check(unsafe { sys::daos_array_set_size(array.raw(), none, 0, ptr::null_mut()) }, "daos_array_set_size")?;
    }
    report.add("1 MiB array write, depth 8 (limit: RMA read)", median(writes), "MiB/s", Some(limits.rma_read_mib_s));
    report.add("1 MiB array read, depth 8 (limit: RMA write)", median(reads), "MiB/s", Some(limits.rma_write_mib_s));
    Ok(())
}

fn open(cont: ContRef, number: u64) -> Result<Object> {
    let oid = generate_oid(cont, ObjectId { lo: number, hi: 0 }, TYPE_HASHED, CLASS_SX, 0)?;
    Object::open(cont, oid, ObjectMode::ReadWrite)
}
