//! What the models need of the C API: a session, scattered buffers, snapshots.

use crate::random::Random;
use daos_sys::*;
use std::ffi::CString;
use std::ptr::null_mut;

/// Fails unless a call answered 0.
pub fn ok(rc: i32, what: &str) {
    assert_eq!(rc, 0, "{what}");
}

/// An open container.
pub struct Session {
    poh: daos_handle_t,
    /// The container.
    pub coh: daos_handle_t,
}

impl Session {
    /// Opens what the environment names.
    pub fn open() -> Session {
        let name = |variable: &str| {
            let value = std::env::var(variable).unwrap_or_else(|_| panic!("{variable} is not set"));
            CString::new(value).expect("no NUL in a variable")
        };
        let (pool, cont) = (name("DAOS_POOL"), name("DAOS_CONT"));
        let mut session = Session { poh: DAOS_HDL_INVAL, coh: DAOS_HDL_INVAL };
        // SAFETY: strings and places that live through the calls.
        unsafe {
            ok(daos_init(), "daos_init");
            let none = null_mut();
            let flags = DAOS_PC_RW;
            ok(
                daos_pool_connect2(pool.as_ptr(), std::ptr::null(), flags, &mut session.poh, none, null_mut()),
                "connect",
            );
            let flags = DAOS_COO_RW;
            let (none, poh) = (null_mut(), session.poh);
            ok(daos_cont_open2(poh, cont.as_ptr(), flags, &mut session.coh, none, null_mut()), "open");
        }
        session
    }

    /// Closes it.
    pub fn close(self) {
        // SAFETY: plain calls.
        unsafe {
            ok(daos_cont_close(self.coh, null_mut()), "close");
            ok(daos_pool_disconnect(self.poh, null_mut()), "disconnect");
            ok(daos_fini(), "daos_fini");
        }
    }

    /// A new object id.
    pub fn oid(&self, otype: daos_otype_t, class: u32) -> daos_obj_id_t {
        let (mut number, mut oid) = (0, daos_obj_id_t::default());
        // SAFETY: places that live through the calls.
        unsafe {
            ok(daos_cont_alloc_oids(self.coh, 1, &mut number, null_mut()), "alloc_oids");
            // Not one of those that libdfs gives out: they have 0 here.
            (oid.lo, oid.hi) = (number, 9);
            ok(daos_obj_generate_oid2(self.coh, &mut oid, otype, class, 0, 0), "generate_oid");
        }
        oid
    }

    /// Opens an object for reading and writing.
    pub fn object(&self, otype: daos_otype_t, class: u32) -> daos_handle_t {
        let mut oh = DAOS_HDL_INVAL;
        // SAFETY: a place that lives through the call.
        ok(unsafe { daos_obj_open(self.coh, self.oid(otype, class), DAOS_OO_RW, &mut oh, null_mut()) }, "obj_open");
        oh
    }

    /// Makes a snapshot, and a transaction that reads at it.
    pub fn snapshot(&self) -> Snapshot {
        let mut snapshot = Snapshot { epoch: 0, th: DAOS_HDL_INVAL };
        // SAFETY: places that live through the calls.
        unsafe {
            ok(daos_cont_create_snap(self.coh, &mut snapshot.epoch, null_mut(), null_mut()), "create_snap");
            ok(daos_tx_open_snap(self.coh, snapshot.epoch, &mut snapshot.th, null_mut()), "open_snap");
        }
        snapshot
    }

    /// Drops a snapshot.
    pub fn drop_snapshot(&self, snapshot: &Snapshot) {
        let range = daos_epoch_range_t { epr_lo: snapshot.epoch, epr_hi: snapshot.epoch };
        // SAFETY: plain calls.
        unsafe {
            ok(daos_tx_close(snapshot.th, null_mut()), "tx_close");
            ok(daos_cont_destroy_snap(self.coh, range, null_mut()), "destroy_snap");
        }
    }
}

/// A snapshot.
#[derive(Clone, Copy)]
pub struct Snapshot {
    /// Its epoch.
    pub epoch: u64,
    /// A transaction that reads at it.
    pub th: daos_handle_t,
}

/// The iov of a key or value.
pub fn iov(bytes: &[u8]) -> d_iov_t {
    d_iov_t { iov_buf: bytes.as_ptr().cast_mut().cast(), iov_buf_len: bytes.len(), iov_len: bytes.len() }
}

/// Bytes in buffers of random sizes, some of them empty.
pub struct Scatter {
    parts: Vec<Vec<u8>>,
    iovs: Vec<d_iov_t>,
    list: d_sg_list_t,
}

impl Scatter {
    /// Scatters bytes.
    pub fn new(random: &mut Random, mut bytes: &[u8]) -> Scatter {
        let mut parts = Vec::new();
        let pieces = random.below(5);
        for _ in 0..pieces {
            let (head, tail) = bytes.split_at(random.below(bytes.len() as u64 + 1) as usize);
            parts.push(head.to_vec());
            bytes = tail;
        }
        parts.push(bytes.to_vec());
        let iovs = parts.iter().map(|part| iov(part)).collect();
        Scatter { parts, iovs, list: d_sg_list_t::default() }
    }

    /// The list; valid while this is not moved or dropped.
    pub fn list(&mut self) -> d_sg_list_t {
        self.list = d_sg_list_t { sg_nr: self.iovs.len() as u32, sg_nr_out: 0, sg_iovs: self.iovs.as_mut_ptr() };
        self.list
    }

    /// What the buffers hold.
    pub fn bytes(&self) -> Vec<u8> {
        self.parts.concat()
    }

    /// Whether the last buffer is empty.
    pub fn last_is_empty(&self) -> bool {
        self.parts.last().is_none_or(Vec::is_empty)
    }

    /// What their lengths add up to.
    pub fn told(&self) -> usize {
        self.iovs.iter().map(|iov| iov.iov_len).sum()
    }
}

/// Lists keys with `call(nr, kds, sgl, anchor)` in pages of random sizes.
pub fn list_keys(
    random: &mut Random,
    mut call: impl FnMut(*mut u32, *mut daos_key_desc_t, *mut d_sg_list_t, *mut daos_anchor_t) -> i32,
) -> Vec<Vec<u8>> {
    let (mut anchor, mut keys) = (daos_anchor_t::default(), Vec::new());
    let mut room = 1 + random.below(200);
    while u32::from(anchor.da_type) != DAOS_ANCHOR_TYPE_EOF {
        let mut nr = 1 + random.below(9) as u32;
        let mut descriptors = vec![daos_key_desc_t::default(); nr as usize];
        let mut buffer = Scatter::new(random, &vec![0; room as usize]);
        let mut list = buffer.list();
        match call(&mut nr, descriptors.as_mut_ptr(), &mut list, &mut anchor) {
            0 => {}
            KEY2BIG => {
                assert!(descriptors[0].kd_key_len > room, "a key of {} for {room}", descriptors[0].kd_key_len);
                room = descriptors[0].kd_key_len;
                continue;
            }
            rc => panic!("listing keys: {rc}"),
        }
        let bytes = buffer.bytes();
        let mut at = 0;
        for descriptor in &descriptors[..nr as usize] {
            let end = at + descriptor.kd_key_len as usize;
            keys.push(bytes[at..end].to_vec());
            at = end;
        }
    }
    keys
}

/// `-DER_KEY2BIG`.
pub const KEY2BIG: i32 = -2012;
/// `-DER_NONEXIST`.
pub const NONEXIST: i32 = -1005;
/// `-DER_EXIST`.
pub const EXIST: i32 = -1004;
/// `-DER_REC2BIG`.
pub const REC2BIG: i32 = -2013;
