/*
 * SPDX-License-Identifier: BSD-2-Clause-Patent
 *
 * Chained hash tables over intrusive links, with handle (d_hhash) and UUID (d_uhash) tables on top.
 *
 * Records are the caller's memory, with a reference count that the caller's operations keep. A table has a reference to
 * each of its records (unless it is EPHEMERAL) and gives one to whoever finds one; the last one has the record freed.
 * A table may be used by several threads at a time if it has locks. NULL in place of a table or record: the function
 * answers as if the record were not there.
 */
#ifndef DAOS_INC_GURT_HASH_H
#define DAOS_INC_GURT_HASH_H

#include <inttypes.h>
#include <pthread.h>
#include <stdbool.h>
#include <gurt/list.h>
#include <gurt/types.h>
#include <gurt/atomic.h>

#if defined(__cplusplus)
extern "C" {
#endif

/** Whether tables keep statistics in every structure; never. */
#define D_HASH_DEBUG	0
/** Bits of tables of handles, as a rule. */
#define D_HHASH_BITS	16
/** Low bits of a handle that hold its type. */
#define D_HTYPE_BITS	4
#define D_HTYPE_MASK	15ULL

/* Type of handles that are addresses of records. */
enum {
	D_HTYPE_PTR = 0,
};

/**
 * Properties of a table. Without a flag for it each chain has a spinlock.
 */
enum d_hash_feats {
	/** No locks: the table's user sees to it that one thread at a time uses it. */
	D_HASH_FT_NOLOCK = 1,
	/** Mutexes in place of spinlocks. */
	D_HASH_FT_MUTEX = 2,
	/**
	 * Read-write locks: what only reads takes them shared, so that hop_rec_addref and hop_rec_decref may run for
	 * one record in several threads at a time and must count atomically.
	 */
	D_HASH_FT_RWLOCK = 4,
	/** The table holds no reference to its records: the last one that is dropped takes the record out. */
	D_HASH_FT_EPHEMERAL = 8,
	/** A record that is found becomes the first of its chain; d_hash_rec_evict() makes it the last. */
	D_HASH_FT_LRU = 16,
	/** hop_key_init is called without a lock: it has its own. Else it has all locks of the table. */
	D_HASH_FT_NO_KEYINIT_LOCK = 32,
	/** One lock for the whole table; always so where hop_rec_hash is missing. */
	D_HASH_FT_GLOCK = 0x8000,
};

/** Called for a record (its link) with the caller's argument; an answer other than 0 ends the walk. */
typedef int (*d_hash_traverse_cb_t)(d_list_t *, void *);

struct d_hlink;
/** Called for a record of a handle table with the caller's argument; an answer other than 0 ends the walk. */
typedef int (*d_hhash_traverse_cb_t)(struct d_hlink *, void *);

struct d_hash_table;
/**
 * What a table has to know of its records, which are the caller's: a record embeds a d_list_t, its link. Each operation
 * gets the table first. They must not call the table. "Lock" is that of the record's chain (or of the table, GLOCK).
 */
typedef struct {
	/** Whether a record has the key: its bytes and their number. Needed. Under the lock. */
	bool (*hop_key_cmp)(struct d_hash_table *, d_list_t *, const void *, unsigned int);
	/**
	 * Makes a record's key, from the argument of d_hash_rec_insert_anonym(). Under all locks of the table, unless
	 * NO_KEYINIT_LOCK. NULL: no such insertions.
	 */
	void (*hop_key_init)(struct d_hash_table *, d_list_t *, void *);
	/** Hash of a key. No lock. NULL: d_hash_string_u32(). */
	uint32_t (*hop_key_hash)(struct d_hash_table *, const void *, unsigned int);
	/** Hash of a record's key, the same as that of the key. No lock. NULL: the table has one lock. */
	uint32_t (*hop_rec_hash)(struct d_hash_table *, d_list_t *);
	/** Adds a reference. Under the lock, maybe shared. NULL: records have no count. */
	void (*hop_rec_addref)(struct d_hash_table *, d_list_t *);
	/** Drops a reference; whether it was the last. Under the lock, maybe shared. NULL: none is ever the last. */
	bool (*hop_rec_decref)(struct d_hash_table *, d_list_t *);
	/**
	 * Drops several references: 1 if the last was among them, 0 if not, -DER_xxx. Under the lock, maybe shared.
	 * NULL: hop_rec_decref as often.
	 */
	int (*hop_rec_ndecref)(struct d_hash_table *, d_list_t *, int);
	/** Frees a record that has no reference left and is in no chain. No lock. NULL: nothing to do. */
	void (*hop_rec_free)(struct d_hash_table *, d_list_t *);
} d_hash_table_ops_t;

/** The lock of a chain or table, of the kind that the table's features say. */
union d_hash_lock {
	pthread_spinlock_t spin;
	pthread_mutex_t mutex;
	pthread_rwlock_t rwlock;
};

/** A chain of records. */
struct d_hash_bucket {
	d_list_t hb_head;
};

/** A table; its fields are this library's to change. */
struct d_hash_table {
	union d_hash_lock ht_lock;		/**< lock of a GLOCK table */
	uint32_t ht_bits;			/**< it has 2^ht_bits chains */
	uint32_t ht_feats;			/**< D_HASH_FT_ */
	void *ht_priv;				/**< the caller's, from creation */
	d_hash_table_ops_t *ht_ops;		/**< the caller's operations */
	struct d_hash_bucket *ht_buckets;	/**< the chains */
	union d_hash_lock *ht_locks;		/**< a lock each; NULL with GLOCK or NOLOCK */
};

/** What a handle table has to know of a record. */
struct d_hlink_ops {
	/** Frees the record after its last reference; without a lock. NULL: nothing to do. */
	void (*hop_free)(struct d_hlink *);
};

/** A link with a count of references, which changes atomically. */
struct d_rlink {
	d_list_t rl_link;
	ATOMIC uint32_t rl_ref;
	uint32_t rl_initialized : 1;
};

/** A record's part for a handle table; the record embeds it. */
struct d_hlink {
	struct d_rlink hl_link;
	uint64_t hl_key;			/**< the handle */
	struct d_hlink_ops *hl_ops;		/**< NULL: none */
};

struct d_ulink;
/** What a UUID table has to know of a record. */
struct d_ulink_ops {
	/** Frees the record after its last reference; without a lock. NULL: nothing to do. */
	void (*uop_free)(struct d_ulink *);
	/** Whether a record with the right UUID is the one, from cmp_args; under the chain's lock. NULL: it is. */
	bool (*uop_cmp)(struct d_ulink *, void *);
};

/** A record's part for a UUID table; the record embeds it. */
struct d_ulink {
	struct d_rlink ul_link;
	struct d_uuid ul_uuid;			/**< set by d_uhash_link_insert() */
	struct d_ulink_ops *ul_ops;		/**< NULL: none */
};

/**
 * Adds a reference to a record, for a holder more. The caller must have one already.
 *
 * \param[in] htable  The table.
 * \param[in] link  The record.
 */
void d_hash_rec_addref(struct d_hash_table *htable, d_list_t *link);

/**
 * Drops a reference. The last one has the record freed (hop_rec_free), and taken out of the table before if that is
 * ephemeral; from another table the record must have been deleted by then.
 *
 * \param[in] htable  The table.
 * \param[in] link  The record.
 */
void d_hash_rec_decref(struct d_hash_table *htable, d_list_t *link);

/**
 * Takes the record with a key out of a table and drops the table's reference (an ephemeral table has none); the
 * last reference has the record freed. Of several records with the key, the one inserted last goes.
 *
 * \param[in] htable  The table.
 * \param[in] key  The key.
 * \param[in] ksize  Bytes of it.
 * \return Whether there was one.
 */
bool d_hash_rec_delete(struct d_hash_table *htable, const void *key, unsigned int ksize);

/**
 * d_hash_rec_delete() of a record at hand.
 *
 * \param[in] htable  The table.
 * \param[in] link  The record; the caller must have a reference, or know that the table's stays until now.
 * \return Whether it was in the table.
 */
bool d_hash_rec_delete_at(struct d_hash_table *htable, d_list_t *link);

/**
 * Makes the record with a key the last one of its chain in a D_HASH_FT_LRU table. It stays in the table.
 *
 * \param[in] htable  The table.
 * \param[in] key  The key.
 * \param[in] ksize  Bytes of it.
 * \return Whether there is one; false for a table without LRU.
 */
bool d_hash_rec_evict(struct d_hash_table *htable, const void *key, unsigned int ksize);

/**
 * d_hash_rec_evict() of a record at hand.
 *
 * \param[in] htable  The table.
 * \param[in] link  The record, which is in the table.
 * \return Whether it moved; false for a table without LRU.
 */
bool d_hash_rec_evict_at(struct d_hash_table *htable, d_list_t *link);

/**
 * Finds the record with a key, and adds a reference to it. In a D_HASH_FT_LRU table it becomes the first of its
 * chain.
 *
 * \param[in] htable  The table.
 * \param[in] key  The key.
 * \param[in] ksize  Bytes of it.
 * \return The record, whose reference is the caller's to drop with d_hash_rec_decref(); NULL: there is none.
 */
d_list_t *d_hash_rec_find(struct d_hash_table *htable, const void *key, unsigned int ksize);

/**
 * d_hash_rec_find(), and if there is none, d_hash_rec_insert() without a gap in between.
 *
 * \param[in] htable  The table.
 * \param[in] key  The key.
 * \param[in] ksize  Bytes of it.
 * \param[in] link  Record to insert, with that key and in no table.
 * \return The record that was there, with a reference for the caller; else link, with none added but the table's.
 *     NULL: a NULL, or a key of no bytes.
 */
d_list_t *d_hash_rec_find_insert(struct d_hash_table *htable, const void *key, unsigned int ksize,
                                 d_list_t *link);

/**
 * Finds some record: the first in the order of d_hash_table_traverse(). No reference is added.
 *
 * \param[in] htable  The table.
 * \return The record; NULL: the table is empty.
 */
d_list_t *d_hash_rec_first(struct d_hash_table *htable);

/**
 * Inserts a record. The table adds a reference of its own, unless it is ephemeral.
 *
 * \param[in] htable  The table.
 * \param[in] key  The key, which the record must have too.
 * \param[in] ksize  Bytes of it; not 0.
 * \param[in] link  The record; in no table.
 * \param[in] exclusive  Refuse if there is a record with the key; false: insert before it.
 * \return 0; -DER_EXIST: exclusive, and there is one; -DER_INVAL: a NULL, or a key of no bytes; -DER_UNINIT: not a
 *     table.
 */
int d_hash_rec_insert(struct d_hash_table *htable, const void *key, unsigned int ksize,
                      d_list_t *link, bool exclusive);

/**
 * Inserts a record whose key the table makes (hop_key_init). The table adds a reference of its own, unless it is
 * ephemeral.
 *
 * \param[in] htable  The table.
 * \param[in] link  The record; in no table.
 * \param[in] arg  For hop_key_init.
 * \return 0; -DER_INVAL: the table has no hop_key_init, or link is NULL; -DER_UNINIT: not a table.
 */
int d_hash_rec_insert_anonym(struct d_hash_table *htable, d_list_t *link, void *arg);

/**
 * Drops several references at once; as d_hash_rec_decref().
 *
 * \param[in] htable  The table.
 * \param[in] count  How many; 0 or less drops none.
 * \param[in] link  The record.
 * \return 0; -DER_INVAL: there were not as many: all are gone and the record is freed; or link is NULL; what
 *     hop_rec_ndecref answers; -DER_UNINIT: not a table.
 */
int d_hash_rec_ndecref(struct d_hash_table *htable, int count, d_list_t *link);

/**
 * Tells whether a record is in no table.
 *
 * \param[in] link  The record, whose link was initialised.
 * \return Whether it is; true for NULL.
 */
bool d_hash_rec_unlinked(d_list_t *link);

/**
 * Makes a table. d_hash_table_destroy() ends it.
 *
 * \param[in] feats  D_HASH_FT_ flags.
 * \param[in] bits  The table has 2^bits chains, for good; at most 30.
 * \param[in] priv  Of the caller's, kept in ht_priv.
 * \param[in] hops  Operations on records; must stay as long as the table.
 * \param[out] htable_pp  The table; NULL on failure.
 * \return 0; -DER_INVAL: a NULL, no hop_key_cmp, or too many bits; -DER_NOMEM.
 */
int d_hash_table_create(uint32_t feats, uint32_t bits, void *priv, d_hash_table_ops_t *hops,
                        struct d_hash_table **htable_pp);

/**
 * Makes a table in memory of the caller's. d_hash_table_destroy_inplace() ends it.
 *
 * \param[in] feats  D_HASH_FT_ flags.
 * \param[in] bits  The table has 2^bits chains, for good; at most 30.
 * \param[in] priv  Of the caller's, kept in ht_priv.
 * \param[in] hops  Operations on records; must stay as long as the table.
 * \param[out] htable  The table; must stay where it is.
 * \return 0; -DER_INVAL: a NULL, no hop_key_cmp, or too many bits; -DER_NOMEM.
 */
int d_hash_table_create_inplace(uint32_t feats, uint32_t bits, void *priv, d_hash_table_ops_t *hops,
                                struct d_hash_table *htable);

/**
 * Logs the number of records and the length of the longest chain, as a debug message of DB_TRACE.
 *
 * \param[in] htable  The table.
 */
void d_hash_table_debug(struct d_hash_table *htable);

/**
 * Ends a table of d_hash_table_create(). Nobody may use it meanwhile.
 *
 * \param[in] htable  The table.
 * \param[in] force  Delete the records that are in it; false: refuse if there are any.
 * \return 0; -DER_BUSY: not empty, and not forced; -DER_UNINIT: not a table.
 */
int d_hash_table_destroy(struct d_hash_table *htable, bool force);

/**
 * Ends a table of d_hash_table_create_inplace() and zeroes its memory, which stays the caller's.
 *
 * \param[in] htable  The table.
 * \param[in] force  Delete the records that are in it; false: refuse if there are any.
 * \return 0; -DER_BUSY: not empty, and not forced; -DER_UNINIT: not a table.
 */
int d_hash_table_destroy_inplace(struct d_hash_table *htable, bool force);

/**
 * Calls a function for each record, with the lock of its chain held (shared, if it is a read-write lock): records
 * that come or go in other chains meanwhile may be met or not.
 *
 * \param[in] htable  The table.
 * \param[in] cb  Gets the record and arg. It may unlink the record itself, and must not call the table otherwise
 *     (unless that has no lock). An answer other than 0 ends the walk.
 * \param[in] arg  For cb.
 * \return 0, or the answer of cb that ended the walk; -DER_INVAL: cb is NULL; -DER_UNINIT: not a table.
 */
int d_hash_table_traverse(struct d_hash_table *htable, d_hash_traverse_cb_t cb, void *arg);

struct d_hhash;

/**
 * Makes a handle table.
 *
 * \param[in] feats  D_HASH_FT_ flags; not D_HASH_FT_EPHEMERAL.
 * \param[in] bits  It has 2^bits chains, for good; at most 30.
 * \param[out] hhash  The table, the caller's to end with d_hhash_destroy(); NULL on failure.
 * \return 0; -DER_INVAL: hhash is NULL, or too many bits; -DER_NOMEM.
 */
int d_hhash_create(uint32_t feats, uint32_t bits, struct d_hhash **hhash);

/**
 * Ends a handle table. Records that are in it are deleted. Nobody may use it meanwhile.
 *
 * \param[in] hhash  The table; NULL does nothing.
 */
void d_hhash_destroy(struct d_hhash *hhash);

/**
 * Prepares a record for a handle table, with one reference: the caller's.
 *
 * \param[out] hlink  The record.
 * \param[in] hl_ops  Its operations, which must stay as long; NULL: none.
 */
void d_hhash_hlink_init(struct d_hlink *hlink, struct d_hlink_ops *hl_ops);

/**
 * Tells whether the handles of a table are addresses.
 *
 * \param[in] hhash  The table.
 * \return Whether d_hhash_set_ptrtype() was called; false for NULL.
 */
bool d_hhash_is_ptrtype(struct d_hhash *hhash);

/**
 * Tells whether a handle is the address of its record.
 *
 * \param[in] key  The handle.
 * \return Whether it is even, as addresses are; so 0 counts.
 */
bool d_hhash_key_isptr(uint64_t key);

/**
 * Tells the type that a handle was made with.
 *
 * \param[in] key  The handle.
 * \return The type, 1 to 15; D_HTYPE_PTR for an address.
 */
int d_hhash_key_type(uint64_t key);

/**
 * Takes a record out of a table and drops the table's reference; the last one has it freed (hop_free).
 *
 * \param[in] hhash  The table.
 * \param[in] hlink  The record.
 * \return Whether it was in the table.
 */
bool d_hhash_link_delete(struct d_hhash *hhash, struct d_hlink *hlink);

/**
 * Tells whether a record was never prepared, or lost its last reference.
 *
 * \param[in] hlink  The record.
 * \return Whether it is so; true for NULL.
 */
bool d_hhash_link_empty(struct d_hlink *hlink);

/**
 * Adds a reference to a record. The caller must have one already.
 *
 * \param[in] hhash  The table.
 * \param[in] hlink  The record.
 */
void d_hhash_link_getref(struct d_hhash *hhash, struct d_hlink *hlink);

/**
 * Gives a record a handle and puts it into a table, which adds a reference of its own.
 *
 * \param[in] hhash  The table.
 * \param[in] hlink  The record, prepared and in no table.
 * \param[in] type  Low bits of the handle, an odd number from 1 to 15 (an even one would make it look like an
 *     address); D_HTYPE_PTR in a table of addresses.
 */
void d_hhash_link_insert(struct d_hhash *hhash, struct d_hlink *hlink, int type);

/**
 * Tells the handle of a record.
 *
 * \param[in] hlink  The record, which was inserted.
 * \param[out] key  The handle.
 */
void d_hhash_link_key(struct d_hlink *hlink, uint64_t *key);

/**
 * Finds the record of a handle, and adds a reference to it.
 *
 * \param[in] hhash  The table.
 * \param[in] key  The handle. In a table of addresses it must be that of a record that lives: it is read.
 * \return The record, whose reference is the caller's to drop with d_hhash_link_putref(); NULL: there is none.
 */
struct d_hlink *d_hhash_link_lookup(struct d_hhash *hhash, uint64_t key);

/**
 * Drops a reference; the last one has the record freed (hop_free).
 *
 * \param[in] hhash  The table.
 * \param[in] hlink  The record.
 */
void d_hhash_link_putref(struct d_hhash *hhash, struct d_hlink *hlink);

/**
 * Makes the addresses of records their handles: look-ups need no search then. For tables without untrusted handles.
 *
 * \param[in] hhash  The table; empty.
 * \return 0; -DER_INVAL: hhash is NULL; -DER_ALREADY: it has other handles already.
 */
int d_hhash_set_ptrtype(struct d_hhash *hhash);

/**
 * d_hash_table_traverse() over the records of one type.
 *
 * \param[in] hhash  The table.
 * \param[in] type  Their type.
 * \param[in] cb  Gets the record and arg; the limits of d_hash_table_traverse() hold.
 * \param[in] arg  For cb.
 * \return 0, or the answer of cb that ended the walk; -DER_INVAL: cb is NULL; -DER_UNINIT: not a table.
 */
int d_hhash_traverse(struct d_hhash *hhash, int type, d_hhash_traverse_cb_t cb, void *arg);

/**
 * Makes a table of records found by UUID.
 *
 * \param[in] feats  D_HASH_FT_ flags.
 * \param[in] bits  It has 2^bits chains, for good; at most 30.
 * \param[out] htable  The table, the caller's to end with d_uhash_destroy(); NULL on failure.
 * \return 0; -DER_INVAL: htable is NULL, or too many bits; -DER_NOMEM.
 */
int d_uhash_create(uint32_t feats, uint32_t bits, struct d_hash_table **htable);

/**
 * Ends a table. Records that are in it are deleted. Nobody may use it meanwhile.
 *
 * \param[in] htable  The table; NULL does nothing.
 */
void d_uhash_destroy(struct d_hash_table *htable);

/**
 * Adds a reference to a record. The caller must have one already.
 *
 * \param[in] htable  The table.
 * \param[in] ulink  The record.
 */
void d_uhash_link_addref(struct d_hash_table *htable, struct d_ulink *ulink);

/**
 * Takes a record out of a table and drops the table's reference; the last one has it freed (uop_free). One that is
 * in no table stays as it is.
 *
 * \param[in] htable  The table.
 * \param[in] ulink  The record.
 */
void d_uhash_link_delete(struct d_hash_table *htable, struct d_ulink *ulink);

/**
 * Tells whether a record was never prepared, or lost its last reference.
 *
 * \param[in] ulink  The record.
 * \return Whether it is so; true for NULL.
 */
bool d_uhash_link_empty(struct d_ulink *ulink);

/**
 * Puts a record into a table, which adds a reference of its own.
 *
 * \param[in] htable  The table.
 * \param[in] key  UUID of the record; copied into it.
 * \param[in] cmp_args  For uop_cmp of records with the same UUID: if that says no, both can be in the table.
 * \param[in] ulink  The record, prepared and in no table.
 * \return 0; -DER_EXIST: there is such a record; -DER_INVAL: a NULL; -DER_UNINIT: not a table.
 */
int d_uhash_link_insert(struct d_hash_table *htable, struct d_uuid *key, void *cmp_args,
                        struct d_ulink *ulink);

/**
 * Tells whether a record has one reference.
 *
 * \param[in] ulink  The record.
 * \return Whether it has; false for NULL.
 */
bool d_uhash_link_last_ref(struct d_ulink *ulink);

/**
 * Finds a record by its UUID, and adds a reference to it.
 *
 * \param[in] htable  The table.
 * \param[in] key  The UUID.
 * \param[in] cmp_args  For uop_cmp.
 * \return The record, whose reference is the caller's to drop with d_uhash_link_putref(); NULL: there is none.
 */
struct d_ulink *d_uhash_link_lookup(struct d_hash_table *htable, struct d_uuid *key,
                                    void *cmp_args);

/**
 * Drops a reference; the last one has the record freed (uop_free).
 *
 * \param[in] htable  The table.
 * \param[in] ulink  The record.
 */
void d_uhash_link_putref(struct d_hash_table *htable, struct d_ulink *ulink);

/**
 * Prepares a record for a table, with one reference: the caller's.
 *
 * \param[out] ulink  The record.
 * \param[in] ul_ops  Its operations, which must stay as long; NULL: none.
 */
void d_uhash_ulink_init(struct d_ulink *ulink, struct d_ulink_ops *ul_ops);

#if defined(__cplusplus)
}
#endif

#endif /* DAOS_INC_GURT_HASH_H */
