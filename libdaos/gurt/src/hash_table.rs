//! Chained hash tables over links that the caller embeds in its records, with the caller's operations.
//!
//! Locks: none (NOLOCK), one for the table (GLOCK), or one per bucket; each a spinlock, a mutex (MUTEX) or a
//! read-write lock (RWLOCK). The operations are called with the bucket's lock held. A table holds a reference to each
//! record unless it is EPHEMERAL: then a record leaves it with its last reference. LRU moves a record that is found to
//! the front of its chain. `struct d_hash_table` is the caller's to embed, so its layout is that of the header.

use crate::alloc::{free, zeroed_array};
use crate::{der, hash_functions, list};
use daos_common::Der;
use daos_export::export;
use daos_sys::{self as sys, d_hash_lock, d_hash_table, d_hash_traverse_cb_t, d_list_t};
use libc::{c_int, c_uint, c_void};
use std::ptr;

/// More buckets than this many bits of them is a mistake.
const MAX_BITS: u32 = 30;

/// A table that a caller has passed.
#[derive(Clone, Copy)]
pub(crate) struct Table(*mut d_hash_table);

/// A locked bucket (or table); released on drop.
struct Locked {
    table: Table,
    lock: *mut d_hash_lock,
}

impl Drop for Locked {
    fn drop(&mut self) {
        if !self.lock.is_null() {
            // SAFETY: the lock was taken by this thread when this was made.
            unsafe { unlock(self.table, self.lock) };
        }
    }
}

unsafe fn unlock(table: Table, lock: *mut d_hash_lock) {
    // SAFETY: the lock is of the kind that the table's features say, and held.
    unsafe {
        if table.has(sys::D_HASH_FT_MUTEX) {
            libc::pthread_mutex_unlock(lock.cast());
        } else if table.has(sys::D_HASH_FT_RWLOCK) {
            libc::pthread_rwlock_unlock(lock.cast());
        } else {
            libc::pthread_spin_unlock(lock.cast());
        }
    }
}

impl Table {
    /// # Safety
    /// NULL, or a table that was created and lives while this is used.
    pub(crate) unsafe fn new(table: *mut d_hash_table) -> Option<Table> {
        // SAFETY: as the caller says.
        let created = !table.is_null() && unsafe { !(*table).ht_buckets.is_null() && !(*table).ht_ops.is_null() };
        created.then_some(Table(table))
    }

    fn get(&self) -> &d_hash_table {
        // SAFETY: `new` was promised that it lives; its fields change only at creation and destruction.
        unsafe { &*self.0 }
    }

    fn has(&self, feature: u32) -> bool {
        self.get().ht_feats & feature != 0
    }

    fn operations(&self) -> &sys::d_hash_table_ops_t {
        // SAFETY: not NULL (`new`), and the caller keeps it while the table lives.
        unsafe { &*self.get().ht_ops }
    }

    fn bucket_count(&self) -> u32 {
        1 << self.get().ht_bits
    }

    fn bucket(&self, index: u32) -> *mut d_list_t {
        // SAFETY: the index is masked by the number of buckets.
        unsafe { &raw mut (*self.get().ht_buckets.add(index as usize)).hb_head }
    }

    fn lock(&self, index: u32, shared: bool) -> Locked {
        if self.has(sys::D_HASH_FT_NOLOCK) {
            return Locked { table: *self, lock: ptr::null_mut() };
        }
        // SAFETY: the lock was initialised as the kind that the features say.
        unsafe {
            let lock = if self.has(sys::D_HASH_FT_GLOCK) {
                &raw mut (*self.0).ht_lock
            } else {
                self.get().ht_locks.add(index as usize)
            };
            if self.has(sys::D_HASH_FT_MUTEX) {
                libc::pthread_mutex_lock(lock.cast());
            } else if !self.has(sys::D_HASH_FT_RWLOCK) {
                libc::pthread_spin_lock(lock.cast());
            } else if shared {
                libc::pthread_rwlock_rdlock(lock.cast());
            } else {
                libc::pthread_rwlock_wrlock(lock.cast());
            }
            Locked { table: *self, lock }
        }
    }

    /// The lock of the bucket that a record is in, where there are locks.
    fn lock_record(&self, link: *mut d_list_t, shared: bool) -> Locked {
        let index = if self.has(sys::D_HASH_FT_NOLOCK) { 0 } else { self.index_of_record(link) };
        self.lock(index, shared)
    }

    fn index_of_key(&self, key: *const c_void, size: c_uint) -> u32 {
        let hash = match self.operations().hop_key_hash {
            // SAFETY: the caller's operation on the caller's key.
            Some(hash) => unsafe { hash(self.0, key, size) },
            // SAFETY: a key is that many bytes.
            None => hash_functions::string_hash(unsafe { hash_functions::bytes(key.cast(), size as usize) }),
        };
        hash & (self.bucket_count() - 1)
    }

    fn index_of_record(&self, link: *mut d_list_t) -> u32 {
        match self.operations().hop_rec_hash {
            // SAFETY: the caller's operation on the caller's record.
            Some(hash) => unsafe { hash(self.0, link) & (self.bucket_count() - 1) },
            None => 0,
        }
    }

    pub(crate) fn add_reference(&self, link: *mut d_list_t) {
        if let Some(add) = self.operations().hop_rec_addref {
            // SAFETY: the caller's operation on the caller's record.
            unsafe { add(self.0, link) };
        }
    }

    /// Whether that was the last reference.
    pub(crate) fn drop_reference(&self, link: *mut d_list_t) -> bool {
        // SAFETY: the caller's operation on the caller's record.
        self.operations().hop_rec_decref.is_some_and(|drop| unsafe { drop(self.0, link) })
    }

    pub(crate) fn free_record(&self, link: *mut d_list_t) {
        if let Some(free) = self.operations().hop_rec_free {
            // SAFETY: the caller's operation on a record without references.
            unsafe { free(self.0, link) };
        }
    }

    /// The record of a key in a locked bucket.
    fn find(&self, index: u32, key: *const c_void, size: c_uint) -> Option<*mut d_list_t> {
        let same_key = self.operations().hop_key_cmp?;
        let head = self.bucket(index);
        // SAFETY: the bucket is locked, so its chain holds still; the operation is the caller's.
        unsafe {
            let mut link = (*head).next;
            while link != head {
                if same_key(self.0, link, key, size) {
                    return Some(link);
                }
                link = (*link).next;
            }
        }
        None
    }

    /// With LRU, moves a found record to the front of its locked chain.
    fn touch(&self, index: u32, link: *mut d_list_t) {
        if self.has(sys::D_HASH_FT_LRU) {
            self.move_after(self.bucket(index), link);
        }
    }

    fn move_after(&self, place: *mut d_list_t, link: *mut d_list_t) {
        if place != link {
            // SAFETY: both are in the same locked chain.
            unsafe {
                list::remove(link);
                list::insert_after(place, link);
            }
        }
    }

    fn link_in(&self, index: u32, link: *mut d_list_t) {
        if !self.has(sys::D_HASH_FT_EPHEMERAL) {
            self.add_reference(link);
        }
        // SAFETY: the bucket is locked, and the record in no chain.
        unsafe { list::insert_after(self.bucket(index), link) };
    }

    /// Takes a record out of its locked chain; whether the table's reference was the last.
    fn take_out(&self, link: *mut d_list_t) -> bool {
        // SAFETY: the record is in a locked chain.
        unsafe { list::remove(link) };
        !self.has(sys::D_HASH_FT_EPHEMERAL) && self.drop_reference(link)
    }

    pub(crate) fn lookup(&self, key: *const c_void, size: c_uint) -> *mut d_list_t {
        let index = self.index_of_key(key, size);
        let _locked = self.lock(index, !self.has(sys::D_HASH_FT_LRU));
        let Some(link) = self.find(index, key, size) else { return ptr::null_mut() };
        self.touch(index, link);
        self.add_reference(link);
        link
    }

    pub(crate) fn insert(&self, key: *const c_void, size: c_uint, link: *mut d_list_t, exclusive: bool) -> c_int {
        let index = self.index_of_key(key, size);
        let _locked = self.lock(index, false);
        if exclusive && self.find(index, key, size).is_some() {
            return der(Der::EXIST);
        }
        self.link_in(index, link);
        0
    }

    pub(crate) fn insert_anonymous(&self, link: *mut d_list_t, argument: *mut c_void) -> c_int {
        let Some(make_key) = self.operations().hop_key_init else { return der(Der::INVAL) };
        // Unless it brings its own lock, making the key is serialised by all the table's locks.
        let every = if self.has(sys::D_HASH_FT_NO_KEYINIT_LOCK | sys::D_HASH_FT_NOLOCK) {
            0
        } else if self.has(sys::D_HASH_FT_GLOCK) {
            1
        } else {
            self.bucket_count()
        };
        let _all: Vec<Locked> = (0..every).map(|index| self.lock(index, false)).collect();
        // SAFETY: the caller's operation on the caller's record.
        unsafe { make_key(self.0, link, argument) };
        let index = self.index_of_record(link);
        let _one = (every == 0).then(|| self.lock(index, false));
        self.link_in(index, link);
        0
    }

    pub(crate) fn delete_at(&self, link: *mut d_list_t) -> bool {
        let locked = self.lock_record(link, false);
        // SAFETY: the record is in this table, or its link is empty.
        if unsafe { list::is_empty(link) } {
            return false;
        }
        let last = self.take_out(link);
        drop(locked);
        if last {
            self.free_record(link);
        }
        true
    }

    /// Drops `count` references.
    fn release(&self, link: *mut d_list_t, count: c_int) -> c_int {
        let ephemeral = self.has(sys::D_HASH_FT_EPHEMERAL);
        let locked = self.lock_record(link, !ephemeral);
        let (last, answer) = self.drop_references(link, count);
        // Also when there were fewer references than `count`: what is freed must not stay in a chain.
        // SAFETY: the link is in this table's locked chain, or empty.
        if last && ephemeral && unsafe { !list::is_empty(link) } {
            // SAFETY: as above.
            unsafe { list::remove(link) };
        }
        drop(locked);
        if last {
            self.free_record(link);
        }
        answer
    }

    fn drop_references(&self, link: *mut d_list_t, count: c_int) -> (bool, c_int) {
        if let (Some(drop), true) = (self.operations().hop_rec_ndecref, count > 1) {
            // SAFETY: the caller's operation on the caller's record.
            let answer = unsafe { drop(self.0, link, count) };
            return (answer >= 1, answer.min(0));
        }
        for dropped in 1..=count {
            if self.drop_reference(link) {
                return (true, if dropped == count { 0 } else { der(Der::INVAL) });
            }
        }
        (false, 0)
    }

    pub(crate) fn traverse(&self, callback: d_hash_traverse_cb_t, argument: *mut c_void) -> c_int {
        let Some(visit) = callback else { return der(Der::INVAL) };
        for index in 0..self.bucket_count() {
            let _locked = self.lock(index, true);
            let head = self.bucket(index);
            // SAFETY: the bucket is locked; the callback may take its own record out, so the next is read before.
            unsafe {
                let mut link = (*head).next;
                while link != head {
                    let next = (*link).next;
                    let answer = visit(link, argument);
                    if answer != 0 {
                        return answer;
                    }
                    link = next;
                }
            }
        }
        0
    }

    /// Number of records, and length of the longest chain.
    fn occupancy(&self) -> (u64, u64) {
        let (mut records, mut longest) = (0, 0);
        for index in 0..self.bucket_count() {
            let _locked = self.lock(index, true);
            let head = self.bucket(index);
            let mut length = 0;
            // SAFETY: the bucket is locked, so its chain holds still.
            let mut link = unsafe { (*head).next };
            while link != head {
                length += 1;
                // SAFETY: as above.
                link = unsafe { (*link).next };
            }
            records += length;
            longest = longest.max(length);
        }
        (records, longest)
    }

    pub(crate) fn is_empty(&self) -> bool {
        (0..self.bucket_count()).all(|index| {
            let _locked = self.lock(index, true);
            // SAFETY: the bucket is locked.
            unsafe { list::is_empty(self.bucket(index)) }
        })
    }

    fn init_lock(&self, lock: *mut d_hash_lock) {
        // SAFETY: the lock is zeroed memory of the union's size and alignment; default attributes can't fail on Linux.
        unsafe {
            if self.has(sys::D_HASH_FT_MUTEX) {
                libc::pthread_mutex_init(lock.cast(), ptr::null());
            } else if self.has(sys::D_HASH_FT_RWLOCK) {
                libc::pthread_rwlock_init(lock.cast(), ptr::null());
            } else {
                libc::pthread_spin_init(lock.cast(), libc::PTHREAD_PROCESS_PRIVATE);
            }
        }
    }

    fn destroy_lock(&self, lock: *mut d_hash_lock) {
        // SAFETY: initialised by `init_lock`, and nobody uses the table any more.
        unsafe {
            if self.has(sys::D_HASH_FT_MUTEX) {
                libc::pthread_mutex_destroy(lock.cast());
            } else if self.has(sys::D_HASH_FT_RWLOCK) {
                libc::pthread_rwlock_destroy(lock.cast());
            } else {
                libc::pthread_spin_destroy(lock.cast());
            }
        }
    }

    /// Every lock of the table.
    fn locks(&self) -> Vec<*mut d_hash_lock> {
        if self.has(sys::D_HASH_FT_NOLOCK) {
            return Vec::new();
        }
        if self.has(sys::D_HASH_FT_GLOCK) {
            // SAFETY: a field of the table.
            return vec![unsafe { &raw mut (*self.0).ht_lock }];
        }
        // SAFETY: an array with a lock per bucket.
        (0..self.bucket_count()).map(|index| unsafe { self.get().ht_locks.add(index as usize) }).collect()
    }
}

/// # Safety
/// `table` is writable, `operations` outlives it.
pub(crate) unsafe fn create(
    features: u32,
    bits: u32,
    private: *mut c_void,
    operations: *mut sys::d_hash_table_ops_t,
    table: *mut d_hash_table,
) -> c_int {
    // SAFETY: as the caller says.
    let usable = !table.is_null() && unsafe { operations.as_ref() }.is_some_and(|o| o.hop_key_cmp.is_some());
    if !usable || bits > MAX_BITS {
        return der(Der::INVAL);
    }
    // SAFETY: as the caller says; what the fields point at is made here.
    unsafe {
        let mut features = features;
        if (*operations).hop_rec_hash.is_none() && features & sys::D_HASH_FT_NOLOCK == 0 {
            // Without it, a record's bucket, and so its lock, can't be told.
            features |= sys::D_HASH_FT_GLOCK;
        }
        let buckets: *mut sys::d_hash_bucket = zeroed_array(1 << bits);
        let per_bucket = features & (sys::D_HASH_FT_NOLOCK | sys::D_HASH_FT_GLOCK) == 0;
        let locks: *mut d_hash_lock = if per_bucket { zeroed_array(1 << bits) } else { ptr::null_mut() };
        if buckets.is_null() || (per_bucket && locks.is_null()) {
            free(buckets);
            free(locks);
            return der(Der::NOMEM);
        }
        for index in 0..1usize << bits {
            list::init(&raw mut (*buckets.add(index)).hb_head);
        }
        (*table).ht_bits = bits;
        (*table).ht_feats = features;
        (*table).ht_priv = private;
        (*table).ht_ops = operations;
        (*table).ht_buckets = buckets;
        (*table).ht_locks = locks;
        let created = Table(table);
        for lock in created.locks() {
            created.init_lock(lock);
        }
    }
    0
}

/// Destroys what `create` made; the table's own memory stays.
///
/// # Safety
/// NULL or a table that nobody else uses.
pub(crate) unsafe fn destroy(table: *mut d_hash_table, force: bool) -> c_int {
    // SAFETY: as the caller says.
    let Some(this) = (unsafe { Table::new(table) }) else { return der(Der::UNINIT) };
    for index in 0..this.bucket_count() {
        let head = this.bucket(index);
        // SAFETY: nobody else uses the table.
        while unsafe { !list::is_empty(head) } {
            if !force {
                return der(Der::BUSY);
            }
            // SAFETY: as above.
            this.delete_at(unsafe { (*head).next });
        }
    }
    for lock in this.locks() {
        this.destroy_lock(lock);
    }
    free(this.get().ht_locks);
    free(this.get().ht_buckets);
    // SAFETY: as above.
    unsafe { ptr::write_bytes(table, 0, 1) };
    0
}

/// Whether a caller gave a key.
fn is_key(key: *const c_void, size: c_uint) -> bool {
    !key.is_null() && size != 0
}

/// A table that keeps the order of use.
///
/// # Safety
/// As [`Table::new`].
unsafe fn lru_table(table: *mut d_hash_table) -> Option<Table> {
    // SAFETY: as the caller says.
    unsafe { Table::new(table) }.filter(|table| table.has(sys::D_HASH_FT_LRU))
}

export! { Der;
    fn d_hash_table_create_inplace(
        feats: u32, bits: u32, priv_: *mut c_void, hops: *mut sys::d_hash_table_ops_t, htable: *mut d_hash_table,
    ) -> c_int {
        // SAFETY: a table and operations of the caller's.
        unsafe { create(feats, bits, priv_, hops, htable) }
    }

    fn d_hash_table_create(
        feats: u32,
        bits: u32,
        priv_: *mut c_void,
        hops: *mut sys::d_hash_table_ops_t,
        htable_pp: *mut *mut d_hash_table,
    ) -> c_int {
        if htable_pp.is_null() {
            return der(Der::INVAL);
        }
        let table: *mut d_hash_table = zeroed_array(1);
        // SAFETY: fresh memory, NULL included; operations of the caller's; the out pointer isn't NULL.
        unsafe {
            let answer = if table.is_null() { der(Der::NOMEM) } else { create(feats, bits, priv_, hops, table) };
            if answer != 0 {
                free(table);
            }
            htable_pp.write(if answer == 0 { table } else { ptr::null_mut() });
            answer
        }
    }

    fn d_hash_table_traverse(htable: *mut d_hash_table, cb: d_hash_traverse_cb_t, arg: *mut c_void) -> c_int {
        // SAFETY: a table of the caller's.
        unsafe { Table::new(htable) }.map_or(der(Der::UNINIT), |table| table.traverse(cb, arg))
    }

    fn d_hash_table_destroy(htable: *mut d_hash_table, force: bool) -> c_int {
        // SAFETY: a table of d_hash_table_create() that nobody else uses.
        let answer = unsafe { destroy(htable, force) };
        if answer == 0 {
            free(htable);
        }
        answer
    }

    fn d_hash_table_destroy_inplace(htable: *mut d_hash_table, force: bool) -> c_int {
        // SAFETY: a table that nobody else uses.
        unsafe { destroy(htable, force) }
    }

    fn d_hash_table_debug(htable: *mut d_hash_table) {
        // SAFETY: a table of the caller's.
        if let Some(table) = unsafe { Table::new(htable) } {
            let (records, longest) = table.occupancy();
            let chains = table.bucket_count();
            crate::log::debug(&format!("hash table {htable:p}: {records} records, {chains} chains, longest {longest}"));
        }
    }

    fn d_hash_rec_find(htable: *mut d_hash_table, key: *const c_void, ksize: c_uint) -> *mut d_list_t {
        // SAFETY: a table of the caller's.
        let table = unsafe { Table::new(htable) }.filter(|_| is_key(key, ksize));
        table.map_or(ptr::null_mut(), |table| table.lookup(key, ksize))
    }

    fn d_hash_rec_find_insert(
        htable: *mut d_hash_table, key: *const c_void, ksize: c_uint, link: *mut d_list_t,
    ) -> *mut d_list_t {
        if !is_key(key, ksize) || link.is_null() {
            return ptr::null_mut();
        }
        // SAFETY: a table of the caller's.
        let Some(table) = (unsafe { Table::new(htable) }) else { return ptr::null_mut() };
        let index = table.index_of_key(key, ksize);
        let _locked = table.lock(index, false);
        match table.find(index, key, ksize) {
            Some(found) => {
                table.touch(index, found);
                table.add_reference(found);
                found
            }
            None => {
                table.link_in(index, link);
                link
            }
        }
    }

    fn d_hash_rec_insert(
        htable: *mut d_hash_table, key: *const c_void, ksize: c_uint, link: *mut d_list_t, exclusive: bool,
    ) -> c_int {
        if !is_key(key, ksize) || link.is_null() {
            return der(Der::INVAL);
        }
        // SAFETY: a table of the caller's.
        unsafe { Table::new(htable) }.map_or(der(Der::UNINIT), |table| table.insert(key, ksize, link, exclusive))
    }

    fn d_hash_rec_insert_anonym(htable: *mut d_hash_table, link: *mut d_list_t, arg: *mut c_void) -> c_int {
        if link.is_null() {
            return der(Der::INVAL);
        }
        // SAFETY: a table of the caller's.
        unsafe { Table::new(htable) }.map_or(der(Der::UNINIT), |table| table.insert_anonymous(link, arg))
    }

    fn d_hash_rec_delete(htable: *mut d_hash_table, key: *const c_void, ksize: c_uint) -> bool {
        // SAFETY: a table of the caller's.
        let Some(table) = unsafe { Table::new(htable) }.filter(|_| is_key(key, ksize)) else { return false };
        let index = table.index_of_key(key, ksize);
        let locked = table.lock(index, false);
        let Some(link) = table.find(index, key, ksize) else { return false };
        let last = table.take_out(link);
        drop(locked);
        if last {
            table.free_record(link);
        }
        true
    }

    fn d_hash_rec_delete_at(htable: *mut d_hash_table, link: *mut d_list_t) -> bool {
        // SAFETY: a table of the caller's.
        unsafe { Table::new(htable) }.filter(|_| !link.is_null()).is_some_and(|table| table.delete_at(link))
    }

    fn d_hash_rec_evict(htable: *mut d_hash_table, key: *const c_void, ksize: c_uint) -> bool {
        // SAFETY: a table of the caller's.
        let Some(table) = (unsafe { lru_table(htable) }).filter(|_| is_key(key, ksize)) else { return false };
        let index = table.index_of_key(key, ksize);
        let _locked = table.lock(index, false);
        let Some(link) = table.find(index, key, ksize) else { return false };
        // SAFETY: the bucket is locked.
        table.move_after(unsafe { (*table.bucket(index)).prev }, link);
        true
    }

    fn d_hash_rec_evict_at(htable: *mut d_hash_table, link: *mut d_list_t) -> bool {
        // SAFETY: a table of the caller's.
        let Some(table) = (unsafe { lru_table(htable) }).filter(|_| !link.is_null()) else { return false };
        let index = table.index_of_record(link);
        let _locked = table.lock(index, false);
        // SAFETY: the bucket is locked.
        let last = unsafe { (*table.bucket(index)).prev };
        table.move_after(last, link);
        last != link
    }

    fn d_hash_rec_addref(htable: *mut d_hash_table, link: *mut d_list_t) {
        // SAFETY: a table of the caller's.
        if let Some(table) = unsafe { Table::new(htable) }.filter(|_| !link.is_null()) {
            let _locked = table.lock_record(link, true);
            table.add_reference(link);
        }
    }

    fn d_hash_rec_decref(htable: *mut d_hash_table, link: *mut d_list_t) {
        // SAFETY: a table of the caller's.
        if let Some(table) = unsafe { Table::new(htable) }.filter(|_| !link.is_null()) {
            table.release(link, 1);
        }
    }

    fn d_hash_rec_ndecref(htable: *mut d_hash_table, count: c_int, link: *mut d_list_t) -> c_int {
        if link.is_null() {
            return der(Der::INVAL);
        }
        // SAFETY: a table of the caller's.
        unsafe { Table::new(htable) }.map_or(der(Der::UNINIT), |table| table.release(link, count))
    }

    fn d_hash_rec_unlinked(link: *mut d_list_t) -> bool {
        // SAFETY: an initialised link of the caller's.
        link.is_null() || unsafe { list::is_empty(link) }
    }

    fn d_hash_rec_first(htable: *mut d_hash_table) -> *mut d_list_t {
        unsafe extern "C" fn keep_first(link: *mut d_list_t, first: *mut c_void) -> c_int {
            // SAFETY: the local below.
            unsafe { first.cast::<*mut d_list_t>().write(link) };
            1
        }
        let mut first: *mut d_list_t = ptr::null_mut();
        // SAFETY: a table of the caller's.
        if let Some(table) = unsafe { Table::new(htable) } {
            table.traverse(Some(keep_first), (&raw mut first).cast());
        }
        first
    }
}
