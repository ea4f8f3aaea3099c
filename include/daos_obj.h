/*
 * SPDX-License-Identifier: BSD-2-Clause-Patent
 *
 * Objects: dkeys, akeys, single values and array extents.
 *
 * Functions return 0 or -DER_xxx. Those with an event: NULL makes the call wait until it is done; else it returns
 * at once, the result arrives in ev->ev_error, and everything passed by pointer must stay until then.
 *
 * Errors that any of them can give and that are not repeated below: -DER_UNINIT before daos_init() and after
 * daos_fini(); -DER_NOMEM; with an event, -DER_INVAL: it was not initialised or was finalised, -DER_NO_PERM: it is in
 * use, -DER_NONEXIST: its queue is being destroyed; of those that talk to servers, -DER_UNREACH and -DER_TIMEDOUT: a
 * server did not answer for too long; with the handle of a transaction, -DER_NO_HDL, -DER_NO_PERM, -DER_INVAL and
 * -DER_TX_RESTART, as daos_api.h says; without one, -DER_TX_BUSY: the outcome of a transaction on the same key was not
 * known for too long.
 */
#ifndef DAOS_INC_DAOS_OBJ_H
#define DAOS_INC_DAOS_OBJ_H

#include <daos_types.h>
#include <daos_event.h>
#include <daos_obj_class.h>
#include <daos_prop.h>

#if defined(__cplusplus)
extern "C" {
#endif

#define daos_obj_generate_oid	daos_obj_generate_oid2
#define OID_FMT_INTR_BITS	32
#define OID_FMT_TYPE_BITS	8
#define OID_FMT_CLASS_BITS	8
#define OID_FMT_META_BITS	16
#define OID_FMT_TYPE_SHIFT	56
#define OID_FMT_CLASS_SHIFT	48
#define OID_FMT_META_SHIFT	32
#define OID_FMT_TYPE_MAX	255ULL
#define OID_FMT_CLASS_MAX	255ULL
#define OID_FMT_META_MAX	65535ULL
#define OID_FMT_TYPE_MASK	0xff00000000000000ULL
#define OID_FMT_CLASS_MASK	0xff000000000000ULL
#define OID_FMT_META_MASK	0xffff00000000ULL
#define IO_FLAGS_COND_BITS	8
#define DAOS_IOMF_DETAIL	1U
#define DAOS_OCH_RDD_BITS	4
#define DAOS_OCH_SHD_BITS	6
#define DAOS_OCH_RDD_SHIFT	0
#define DAOS_OCH_SHD_SHIFT	4
#define DAOS_OCH_RDD_MAX_VAL	15ULL
#define DAOS_OCH_SHD_MAX_VAL	63ULL
#define DAOS_OCH_RDD_MASK	15ULL
#define DAOS_OCH_SHD_MASK	0x3f0ULL
#define DAOS_OIT_MARKER_MAX_LEN	32

enum {
	DAOS_COND_PUNCH = 1,
	DAOS_COND_DKEY_INSERT = 2,
	DAOS_COND_DKEY_UPDATE = 4,
	DAOS_COND_DKEY_FETCH = 8,
	DAOS_COND_AKEY_INSERT = 16,
	DAOS_COND_AKEY_UPDATE = 32,
	DAOS_COND_AKEY_FETCH = 64,
	DAOS_COND_PER_AKEY = 128,
	DAOS_COND_MASK = 255,
};

enum {
	DAOS_OO_RO = 2,
	DAOS_OO_RW = 4,
	DAOS_OO_EXCL = 8,
	DAOS_OO_IO_RAND = 16,
	DAOS_OO_IO_SEQ = 32,
};

enum {
	DAOS_REC_ANY = 0,
};

enum {
	DAOS_GET_MAX = 1,
	DAOS_GET_MIN = 2,
	DAOS_GET_DKEY = 4,
	DAOS_GET_AKEY = 8,
	DAOS_GET_RECX = 16,
};

enum {
	DAOS_OCH_RDD_DEF = 1,
	DAOS_OCH_RDD_NO = 2,
	DAOS_OCH_RDD_RP = 4,
	DAOS_OCH_RDD_EC = 8,
	DAOS_OCH_SHD_DEF = 16,
	DAOS_OCH_SHD_TINY = 32,
	DAOS_OCH_SHD_REG = 64,
	DAOS_OCH_SHD_HI = 128,
	DAOS_OCH_SHD_EXT = 256,
	DAOS_OCH_SHD_MAX = 512,
};

enum daos_otype_t {
	DAOS_OT_MULTI_HASHED = 0,
	DAOS_OT_OIT = 1,
	DAOS_OT_DKEY_UINT64 = 2,
	DAOS_OT_AKEY_UINT64 = 3,
	DAOS_OT_MULTI_UINT64 = 4,
	DAOS_OT_DKEY_LEXICAL = 5,
	DAOS_OT_AKEY_LEXICAL = 6,
	DAOS_OT_MULTI_LEXICAL = 7,
	DAOS_OT_KV_HASHED = 8,
	DAOS_OT_KV_UINT64 = 9,
	DAOS_OT_KV_LEXICAL = 10,
	DAOS_OT_ARRAY = 11,
	DAOS_OT_ARRAY_ATTR = 12,
	DAOS_OT_ARRAY_BYTE = 13,
	DAOS_OT_OIT_V2 = 14,
	DAOS_OT_MAX = 14,
};

typedef enum {
	DAOS_IOD_NONE = 0,
	DAOS_IOD_SINGLE = 1,
	DAOS_IOD_ARRAY = 2,
} daos_iod_type_t;

typedef int daos_oit_filter_cb(daos_obj_id_t, d_iov_t *);

struct daos_obj_attr {
	d_rank_t oa_rank;
	struct daos_oclass_attr *oa_oa;
};

typedef struct {
	uint64_t rx_idx;
	uint64_t rx_nr;
} daos_recx_t;

typedef struct {
	daos_key_t iod_name;
	daos_iod_type_t iod_type;
	daos_size_t iod_size;
	uint64_t iod_flags;
	uint32_t iod_nr;
	daos_recx_t *iod_recxs;
} daos_iod_t;

typedef struct {
	daos_iod_type_t iom_type;
	uint32_t iom_nr;
	uint32_t iom_nr_out;
	uint32_t iom_flags;
	daos_size_t iom_size;
	daos_recx_t iom_recx_lo;
	daos_recx_t iom_recx_hi;
	daos_recx_t *iom_recxs;
} daos_iom_t;

typedef struct {
	daos_size_t kd_key_len;
	uint32_t kd_val_type;
} daos_key_desc_t;

/**
 * Sets an anchor to the beginning of one part of a listing that several share. Sends nothing.
 *
 * \param[in] oh  Object handle.
 * \param[in] index  Number of the part, below the number that daos_obj_anchor_split() gives.
 * \param[out] anchor  Anchor, the caller's; daos_obj_list_dkey() and daos_pipeline_run() from it stay in the
 *     part.
 * \return 0; -DER_NO_HDL: no such object handle; -DER_INVAL: anchor is NULL, or there is no such part.
 */
int daos_obj_anchor_set(daos_handle_t oh, uint32_t index, daos_anchor_t *anchor);

/**
 * Splits the listing of an object's dkeys into parts that can be listed side by side, one for each redundancy
 * group. Sends nothing.
 *
 * \param[in] oh  Object handle.
 * \param[in,out] nr  In: 0, or how many parts are wanted, which must be the number that there are; out: that
 *     number.
 * \param[out] anchors  Array of as many anchors as there are parts, the caller's; NULL: only the number is
 *     wanted.
 * \return 0; -DER_NO_HDL: no such object handle; -DER_INVAL: nr is NULL or another number than there are parts.
 */
int daos_obj_anchor_split(daos_handle_t oh, uint32_t *nr, daos_anchor_t *anchors);

/**
 * Releases an object handle. Operations under way go on.
 *
 * \param[in] oh  Object handle; no handle afterwards.
 * \param[in] ev  Event that the result goes to; NULL: wait for it.
 * \return 0; -DER_NO_HDL: no such object handle.
 */
int daos_obj_close(daos_handle_t oh, daos_event_t *ev);

/**
 * Reads single values and extents of akeys under one dkey, in any mix. What was never written, or was deleted,
 * reads as nothing: a single value has size 0; the parts of extents that hold nothing leave the memory as it
 * is. Data of more than 16 KiB is written straight into the caller's memory.
 *
 * \param[in] oh  Object handle.
 * \param[in] th  Transaction or snapshot to read in, DAOS_TX_NONE for the newest state.
 * \param[in] flags  DAOS_COND_DKEY_FETCH, and DAOS_COND_AKEY_FETCH or DAOS_COND_PER_AKEY: then each akey's own
 *     condition is in its iod_flags.
 * \param[in] dkey  The dkey, not empty; 8 bytes where the object's dkeys are integers.
 * \param[in] nr  Number of descriptors, lists and maps; not 0.
 * \param[in,out] iods  Array of nr descriptors. In: iod_name, iod_type, iod_nr and iod_recxs (extents must not
 *     be empty, overlap or reach 2^63); iod_size: bytes of the single value's memory that may be used or of an
 *     array's record, DAOS_REC_ANY (0) if it is not known. Out: iod_size, the value's or the record's size in
 *     bytes; 0: nothing is there. DAOS_IOD_NONE without extents asks only whether the akey is there.
 * \param[in,out] sgls  Array of nr lists, their buffers the caller's. The extents of a descriptor fill its list
 *     one behind the other, without regard to the borders of buffers. Out: iov_len and sg_nr_out, up to the end
 *     of the last data. NULL, or a list without buffers: only sizes are wanted.
 * \param[in,out] ioms  Array of nr maps, or NULL. Out: iom_type, iom_size, the lowest and the highest extent
 *     with data (iom_recx_lo, iom_recx_hi). With DAOS_IOMF_DETAIL in iom_flags all of them by
 *     index in iom_recxs, of iom_nr elements, iom_nr_out the number that there are, which may be larger;
 *     iom_recxs NULL: an array is allocated, which the caller frees with free().
 * \param[in] ev  Event that the result goes to; NULL: wait for it.
 * \return 0; -DER_NO_HDL: no such object or transaction handle; -DER_INVAL: NULLs, an empty or wrongly sized
 *     key, wrong extents, data without memory, a record size that is not the array's, conditions that do not go
 *     with a fetch; -DER_REC2BIG: too little memory, iod_size tells how much; -DER_NONEXIST: a condition;
 *     -DER_NO_PERM: the transaction is not open; -DER_TX_RESTART: the transaction met another one and is to be
 *     restarted; -DER_NOMEM; -DER_CSUM, -DER_IO: the data is damaged or cannot be read; -DER_DATA_LOSS: no
 *     target that has it is in service.
 */
int daos_obj_fetch(daos_handle_t oh, daos_handle_t th, uint64_t flags, daos_key_t *dkey,
                   unsigned int nr, daos_iod_t *iods, d_sg_list_t *sgls, daos_iom_t *ioms,
                   daos_event_t *ev);

/**
 * Completes an object identifier: puts type and class beside the 96 bits that are the caller's. Sends nothing,
 * unless cid is a registered class that this process has not seen yet.
 *
 * \param[in] coh  Container handle.
 * \param[in,out] oid  In: the low 64 bits and the low 32 bits of the high word, unique in the container
 *     (daos_cont_alloc_oids()); out: the whole identifier, these bits unchanged.
 * \param[in] type  Type of the object: how its keys are ordered, or that it is an array or a key-value object.
 * \param[in] cid  Class (OC_), one that was registered, or OC_UNKNOWN (0): chosen for type, hints, the
 *     container's redundancy factor and the pool's size. GX classes get as many groups as fit.
 * \param[in] hints  DAOS_OCH_ bits: wanted redundancy and number of groups; count for OC_UNKNOWN only.
 * \param[in] args  Reserved; 0.
 * \return 0; -DER_NO_HDL: no such container handle; -DER_INVAL: oid is NULL, no such type, class or hint, or
 *     the pool has too few domains or targets for the class.
 */
int daos_obj_generate_oid2(daos_handle_t coh, daos_obj_id_t *oid, enum daos_otype_t type,
                           daos_oclass_id_t cid, daos_oclass_hints_t hints, uint32_t args);

/**
 * Makes the anchor from which a listing begins at a key. Once the key is gone, it begins at the one that
 * follows.
 *
 * \param[in] oh  Object handle.
 * \param[in] th  A transaction or snapshot, or DAOS_TX_NONE; the anchor is the same.
 * \param[in] dkey  The dkey, not empty.
 * \param[in] akey  NULL: the anchor is for daos_obj_list_dkey() and begins at dkey; else for
 *     daos_obj_list_akey() of dkey and begins at this akey.
 * \param[out] anchor  Anchor, the caller's. At its end when there is nothing to list.
 * \param[in] ev  Event that the result goes to; NULL: wait for it.
 * \return 0; -DER_NO_HDL: no such object or transaction handle; -DER_INVAL: NULLs, an empty or wrongly sized
 *     key.
 */
int daos_obj_key2anchor(daos_handle_t oh, daos_handle_t th, daos_key_t *dkey, daos_key_t *akey,
                        daos_anchor_t *anchor, daos_event_t *ev);

/**
 * Lists akeys of a dkey: by bytes or number where they are ordered, else in no particular order.
 *
 * \param[in] oh  Object handle.
 * \param[in] th  Transaction or snapshot to read in, DAOS_TX_NONE for the newest state.
 * \param[in] dkey  The dkey, not empty.
 * \param[in,out] nr  In: elements of kds, not 0; out: keys that were given.
 * \param[out] kds  Array of *nr descriptors, the caller's: kd_key_len is a key's length in bytes.
 * \param[in,out] sgl  Buffers, the caller's: the keys one behind the other, over the borders of buffers. Out:
 *     iov_len and sg_nr_out.
 * \param[in,out] anchor  All zero to begin (or from daos_obj_anchor_set(), daos_obj_key2anchor()); moved by
 *     each call; at its end when daos_anchor_is_eof() says so. Keys that are added or removed meanwhile may or
 *     may not show, others show once.
 * \param[in] ev  Event that the result goes to; NULL: wait for it.
 * \return 0, also when no key was given although more follow; -DER_NO_HDL: no such object or transaction
 *     handle; -DER_INVAL: NULLs, no room at all, a wrong key, an anchor that is not of such a listing;
 *     -DER_KEY2BIG: sgl is too small for the next key, whose length is in kds[0].kd_key_len; the anchor has not
 *     moved; -DER_TX_RESTART: the transaction met another one and is to be restarted; -DER_NO_PERM: the
 *     transaction is not open.
 */
int daos_obj_list_akey(daos_handle_t oh, daos_handle_t th, daos_key_t *dkey, uint32_t *nr,
                       daos_key_desc_t *kds, d_sg_list_t *sgl, daos_anchor_t *anchor,
                       daos_event_t *ev);

/**
 * Lists dkeys of an object: group by group, in each by bytes or number where they are ordered, else in no
 * particular order.
 *
 * \param[in] oh  Object handle.
 * \param[in] th  Transaction or snapshot to read in, DAOS_TX_NONE for the newest state.
 * \param[in,out] nr  In: elements of kds, not 0; out: keys that were given.
 * \param[out] kds  Array of *nr descriptors, the caller's: kd_key_len is a key's length in bytes.
 * \param[in,out] sgl  Buffers, the caller's: the keys one behind the other, over the borders of buffers. Out:
 *     iov_len and sg_nr_out.
 * \param[in,out] anchor  All zero to begin (or from daos_obj_anchor_set(), daos_obj_key2anchor()); moved by
 *     each call; at its end when daos_anchor_is_eof() says so. Keys that are added or removed meanwhile may or
 *     may not show, others show once.
 * \param[in] ev  Event that the result goes to; NULL: wait for it.
 * \return 0, also when no key was given although more follow; -DER_NO_HDL: no such object or transaction
 *     handle; -DER_INVAL: NULLs, no room at all, a wrong key, an anchor that is not of such a listing;
 *     -DER_KEY2BIG: sgl is too small for the next key, whose length is in kds[0].kd_key_len; the anchor has not
 *     moved; -DER_TX_RESTART: the transaction met another one and is to be restarted; -DER_NO_PERM: the
 *     transaction is not open.
 */
int daos_obj_list_dkey(daos_handle_t oh, daos_handle_t th, uint32_t *nr, daos_key_desc_t *kds,
                       d_sg_list_t *sgl, daos_anchor_t *anchor, daos_event_t *ev);

/**
 * Lists the extents of an array akey that hold data. An extent that was written in pieces may show in pieces;
 * none overlap.
 *
 * \param[in] oh  Object handle.
 * \param[in] th  Transaction or snapshot to read in, DAOS_TX_NONE for the newest state.
 * \param[in] dkey  The dkey, not empty.
 * \param[in] akey  The akey, not empty. One that has a single value, or isn't there, has no extents.
 * \param[out] size  Size of a record in bytes, set when an extent is given; NULL if not wanted.
 * \param[in,out] nr  In: elements of recxs, not 0; out: extents that were given.
 * \param[out] recxs  Array of *nr extents, the caller's.
 * \param[out] eprs  Array of *nr epoch ranges, the caller's, or NULL: the epoch at which the extent was
 *     written, twice.
 * \param[in,out] anchor  All zero to begin; moved by each call; at its end when daos_anchor_is_eof() says so.
 * \param[in] incr_order  From low indices to high ones, or the reverse; the same in all calls with an anchor.
 * \param[in] ev  Event that the result goes to; NULL: wait for it.
 * \return 0; -DER_NO_HDL: no such object or transaction handle; -DER_INVAL: NULLs, no room, a wrong key, an
 *     anchor of another listing or order; -DER_TX_RESTART: the transaction met another one and is to be
 *     restarted; -DER_NO_PERM: the transaction is not open.
 */
int daos_obj_list_recx(daos_handle_t oh, daos_handle_t th, daos_key_t *dkey, daos_key_t *akey,
                       daos_size_t *size, uint32_t *nr, daos_recx_t *recxs,
                       daos_epoch_range_t *eprs, daos_anchor_t *anchor, bool incr_order,
                       daos_event_t *ev);

/**
 * Opens an object. It need not have any data; nothing is sent.
 *
 * \param[in] coh  Container handle.
 * \param[in] oid  The object, from daos_obj_generate_oid().
 * \param[in] mode  DAOS_OO_RO, DAOS_OO_RW or DAOS_OO_EXCL (as DAOS_OO_RW); DAOS_OO_IO_RAND and DAOS_OO_IO_SEQ
 *     may be added and change nothing.
 * \param[out] oh  Handle; release with daos_obj_close() before the container is closed.
 * \param[in] ev  Event that the result goes to; NULL: wait for it.
 * \return 0; -DER_NO_HDL: no such container handle; -DER_INVAL: oh is NULL, no such class, or the pool has
 *     become too small for it; -DER_NOTSUPPORTED: opened for writing, and this version cannot write objects of
 *     the class.
 */
int daos_obj_open(daos_handle_t coh, daos_obj_id_t oid, unsigned int mode, daos_handle_t *oh,
                  daos_event_t *ev);

/**
 * Deletes all of an object. Snapshots keep what they have seen.
 *
 * \param[in] oh  Object handle.
 * \param[in] th  Transaction to change in: the change happens when it commits; DAOS_TX_NONE: at once, by
 *     itself.
 * \param[in] flags  DAOS_COND_PUNCH: only if it is there; else 0.
 * \param[in] ev  Event that the result goes to; NULL: wait for it.
 * \return 0, also when nothing was there, unless the condition asks for it; -DER_NO_HDL: no such object or
 *     transaction handle; -DER_NO_PERM: open for reading only, or th is a snapshot or not open; -DER_NONEXIST:
 *     the condition; -DER_NOSPACE: no room to note the deletion; -DER_TX_RESTART: the transaction met another
 *     one and is to be restarted.
 */
int daos_obj_punch(daos_handle_t oh, daos_handle_t th, uint64_t flags, daos_event_t *ev);

/**
 * Deletes akeys of a dkey with all their values, all or none of them.
 *
 * \param[in] oh  Object handle.
 * \param[in] th  Transaction to change in: the change happens when it commits; DAOS_TX_NONE: at once, by
 *     itself.
 * \param[in] flags  DAOS_COND_PUNCH: only if all are there; else 0.
 * \param[in] dkey  The dkey, not empty.
 * \param[in] nr  Number of akeys; not 0.
 * \param[in] akeys  Array of nr akeys, none empty.
 * \param[in] ev  Event that the result goes to; NULL: wait for it.
 * \return 0, also when nothing was there, unless the condition asks for it; -DER_NO_HDL: no such object or
 *     transaction handle; -DER_NO_PERM: open for reading only, or th is a snapshot or not open; -DER_NONEXIST:
 *     the condition; -DER_NOSPACE: no room to note the deletion; -DER_TX_RESTART: the transaction met another
 *     one and is to be restarted; -DER_INVAL: NULLs, no akeys, an empty or wrongly sized key.
 */
int daos_obj_punch_akeys(daos_handle_t oh, daos_handle_t th, uint64_t flags, daos_key_t *dkey,
                         unsigned int nr, daos_key_t *akeys, daos_event_t *ev);

/**
 * Deletes dkeys with all their akeys. Several dkeys are deleted one by one unless th is a transaction: when one
 * fails, others may be gone.
 *
 * \param[in] oh  Object handle.
 * \param[in] th  Transaction to change in: the change happens when it commits; DAOS_TX_NONE: at once, by
 *     itself.
 * \param[in] flags  DAOS_COND_PUNCH: each only if it is there; else 0.
 * \param[in] nr  Number of dkeys; not 0.
 * \param[in] dkeys  Array of nr dkeys, none empty.
 * \param[in] ev  Event that the result goes to; NULL: wait for it.
 * \return 0, also when nothing was there, unless the condition asks for it; -DER_NO_HDL: no such object or
 *     transaction handle; -DER_NO_PERM: open for reading only, or th is a snapshot or not open; -DER_NONEXIST:
 *     the condition; -DER_NOSPACE: no room to note the deletion; -DER_TX_RESTART: the transaction met another
 *     one and is to be restarted; -DER_INVAL: NULLs, no dkeys, an empty or wrongly sized key.
 */
int daos_obj_punch_dkeys(daos_handle_t oh, daos_handle_t th, uint64_t flags, unsigned int nr,
                         daos_key_t *dkeys, daos_event_t *ev);

/**
 * Tells the class attributes of an object, and the ranks that it is on. Sends nothing.
 *
 * \param[in] oh  Object handle.
 * \param[out] oa  oa_rank: rank of its first shard; oa_oa: where its class's attributes go, the caller's, NULL
 *     if not wanted. NULL if not wanted.
 * \param[in,out] ranks  In: rl_ranks, an array of rl_nr elements, the caller's, or NULL to ask for the number;
 *     out: rl_nr, the number of ranks, and the ranks, ascending, each once. NULL if not wanted.
 * \param[in] ev  Event that the result goes to; NULL: wait for it.
 * \return 0; -DER_NO_HDL: no such object handle; -DER_INVAL: nothing is wanted, or the pool has become too
 *     small for the class; -DER_TRUNC: ranks has too little room, rl_nr tells how much.
 */
int daos_obj_query(daos_handle_t oh, struct daos_obj_attr *oa, d_rank_list_t *ranks,
                   daos_event_t *ev);

/**
 * Finds the greatest or the least integer dkey, akey and extent that hold data: the outermost dkey below which
 * there is what else is asked for, in it the outermost such akey, in it the outermost extent.
 *
 * \param[in] oh  Object handle.
 * \param[in] th  Transaction or snapshot to read in, DAOS_TX_NONE for the newest state.
 * \param[in] flags  DAOS_GET_MAX or DAOS_GET_MIN, not both, with any of DAOS_GET_DKEY, DAOS_GET_AKEY and
 *     DAOS_GET_RECX.
 * \param[in,out] dkey  With DAOS_GET_DKEY: a buffer of 8 bytes or more for it, iov_len 0 if there is none; else
 *     the dkey to look in.
 * \param[in,out] akey  With DAOS_GET_AKEY: a buffer of 8 bytes or more for it; else, with DAOS_GET_RECX, the
 *     akey to look in.
 * \param[out] recx  With DAOS_GET_RECX: the extent that holds the outermost record; rx_nr 0: there is none.
 *     NULL without it.
 * \param[in] ev  Event that the result goes to; NULL: wait for it.
 * \return 0, also when there is nothing; -DER_NO_HDL: no such object or transaction handle; -DER_INVAL: flags
 *     that make no sense, NULLs, too small buffers, keys that are asked for and are no integers;
 *     -DER_TX_RESTART: the transaction met another one and is to be restarted; -DER_NO_PERM: the transaction is
 *     not open.
 */
int daos_obj_query_key(daos_handle_t oh, daos_handle_t th, uint64_t flags, daos_key_t *dkey,
                       daos_key_t *akey, daos_recx_t *recx, daos_event_t *ev);

/**
 * Tells the epoch of the newest change of an object.
 *
 * \param[in] oh  Object handle.
 * \param[in] th  Transaction or snapshot to read in, DAOS_TX_NONE for the newest state.
 * \param[out] epoch  That epoch; 0: it was never changed.
 * \param[in] ev  Event that the result goes to; NULL: wait for it.
 * \return 0; -DER_NO_HDL: no such object or transaction handle; -DER_INVAL: epoch is NULL; -DER_TX_RESTART: the
 *     transaction met another one and is to be restarted; -DER_NO_PERM: the transaction is not open.
 */
int daos_obj_query_max_epoch(daos_handle_t oh, daos_handle_t th, daos_epoch_t *epoch,
                             daos_event_t *ev);

/**
 * Writes single values and extents of akeys under one dkey, in any mix, all or none of them. Data of more than
 * 16 KiB is read straight from the caller's memory.
 *
 * \param[in] oh  Object handle.
 * \param[in] th  Transaction to change in: the change happens when it commits; DAOS_TX_NONE: at once, by
 *     itself.
 * \param[in] flags  DAOS_COND_DKEY_INSERT, DAOS_COND_DKEY_UPDATE, and DAOS_COND_AKEY_INSERT,
 *     DAOS_COND_AKEY_UPDATE or DAOS_COND_PER_AKEY: then each akey's own condition is in its iod_flags.
 * \param[in] dkey  The dkey, not empty; 8 bytes where the object's dkeys are integers.
 * \param[in] nr  Number of descriptors and lists; not 0.
 * \param[in] iods  Array of nr descriptors: iod_name; iod_type, which is for ever the akey's; iod_nr and
 *     iod_recxs (extents must not be empty, overlap or reach 2^63); iod_size: bytes of the single value or of a
 *     record, 0 deletes the value or the extents.
 * \param[in] sgls  Array of nr lists; the data of a descriptor's extents one behind the other, without regard
 *     to the borders of buffers; may hold more. iov_len counts, or iov_buf_len where every iov_len of a list is
 *     0. NULL when nothing but deletions is asked for.
 * \param[in] ev  Event that the result goes to; NULL: wait for it.
 * \return 0; -DER_NO_HDL: no such object or transaction handle; -DER_INVAL: NULLs, an empty or wrongly sized
 *     key, wrong extents, data without memory, conditions that do not go with an update; -DER_REC2BIG: less
 *     memory than data; -DER_NO_PERM: open for reading only, th is a snapshot or not open, or an akey has
 *     values of the other type; -DER_REC_SIZE: an array of records of another size; -DER_EXIST, -DER_NONEXIST:
 *     a condition; -DER_NOSPACE: the pool is full; -DER_TX_RESTART: the transaction met another one and is to
 *     be restarted; -DER_DATA_LOSS: no target of the group is in service.
 */
int daos_obj_update(daos_handle_t oh, daos_handle_t th, uint64_t flags, daos_key_t *dkey,
                    unsigned int nr, daos_iod_t *iods, d_sg_list_t *sgls, daos_event_t *ev);

/**
 * Reads everything that an object holds, on every target that has it, and compares replicas. An object without
 * data is sound. Waits until it is done.
 *
 * \param[in] coh  Container handle.
 * \param[in] oid  The object.
 * \param[in] epoch  State that is read; DAOS_EPOCH_MAX: the newest.
 * \return 0: all of it can be read, and replicas are the same; -DER_MISMATCH: replicas differ; -DER_CSUM,
 *     -DER_IO, -DER_DF_INVAL: damage was found; -DER_DATA_LOSS: no target of a group is in service;
 *     -DER_NO_HDL: no such container handle; -DER_INVAL: no such class.
 */
int daos_obj_verify(daos_handle_t coh, daos_obj_id_t oid, daos_epoch_t epoch);

/**
 * Releases a handle of daos_oit_open().
 *
 * \param[in] oh  The handle.
 * \param[in] ev  Event that the result goes to; NULL: wait for it.
 * \return 0; -DER_NO_HDL: no such object handle; -DER_INVAL: it is no table's.
 */
int daos_oit_close(daos_handle_t oh, daos_event_t *ev);

/**
 * Lists the objects of a snapshot, each once, in no particular order.
 *
 * \param[in] oh  Handle of daos_oit_open().
 * \param[out] oids  Identifiers of objects.
 * \param[in,out] oids_nr  Elements of oids, not 0; then how many were filled. 0 only at the end.
 * \param[in,out] anchor  Zeroes to begin; where to go on afterwards. At the end of the table when
 *     daos_anchor_is_eof() says so.
 * \param[in] ev  Event that the result goes to; NULL: wait for it.
 * \return 0; -DER_NO_HDL: no such object handle; -DER_INVAL: it is no table's, or oids, oids_nr or anchor is NULL;
 *     -DER_NO_PERM: the user may not read the container.
 */
int daos_oit_list(daos_handle_t oh, daos_obj_id_t *oids, uint32_t *oids_nr, daos_anchor_t *anchor,
                  daos_event_t *ev);

/**
 * daos_oit_list() of the objects that a function lets through.
 *
 * \param[in] oh  Handle of daos_oit_open().
 * \param[out] oids  Identifiers of objects.
 * \param[in,out] oids_nr  Elements of oids, not 0; then how many were filled. 0 only at the end.
 * \param[in,out] anchor  Zeroes to begin; where to go on afterwards. At the end of the table when
 *     daos_anchor_is_eof() says so.
 * \param[in] filter  Called once for each object with its identifier and mark (iov_len 0: none): positive lets it through,
 *     0 does not, a negative -DER_ number ends the call with that error. It must not call the library.
 * \param[in] ev  Event that the result goes to; NULL: wait for it.
 * \return 0; -DER_NO_HDL: no such object handle; -DER_INVAL: it is no table's, or oids, oids_nr or anchor is NULL;
 *     -DER_NO_PERM: the user may not read the container;
 *     -DER_INVAL: filter is NULL; what filter answers.
 */
int daos_oit_list_filter(daos_handle_t oh, daos_obj_id_t *oids, uint32_t *oids_nr,
                         daos_anchor_t *anchor, daos_oit_filter_cb filter, daos_event_t *ev);

/**
 * daos_oit_list() of the objects without a mark.
 *
 * \param[in] oh  Handle of daos_oit_open().
 * \param[out] oids  Identifiers of objects.
 * \param[in,out] oids_nr  Elements of oids, not 0; then how many were filled. 0 only at the end.
 * \param[in,out] anchor  Zeroes to begin; where to go on afterwards. At the end of the table when
 *     daos_anchor_is_eof() says so.
 * \param[in] ev  Event that the result goes to; NULL: wait for it.
 * \return 0; -DER_NO_HDL: no such object handle; -DER_INVAL: it is no table's, or oids, oids_nr or anchor is NULL;
 *     -DER_NO_PERM: the user may not read the container.
 */
int daos_oit_list_unmarked(daos_handle_t oh, daos_obj_id_t *oids, uint32_t *oids_nr,
                           daos_anchor_t *anchor, daos_event_t *ev);

/**
 * Marks an object in the table of a snapshot. Marks outlive restarts, and go with the table.
 *
 * \param[in] oh  Handle of daos_oit_open(), of a container open for writing.
 * \param[in] oid  The object.
 * \param[in] marker  1 to 32 bytes, in place of an earlier mark; NULL removes it.
 * \param[in] ev  Event that the result goes to; NULL: wait for it.
 * \return 0; -DER_NO_HDL: no such object handle; -DER_INVAL: it is no table's, or the mark is empty or too long;
 *     -DER_NONEXIST: the object is not in the table; -DER_NO_PERM: the container is open for reading; -DER_NOSPACE.
 */
int daos_oit_mark(daos_handle_t oh, daos_obj_id_t oid, d_iov_t *marker, daos_event_t *ev);

/**
 * Opens the table of the objects of a snapshot.
 *
 * \param[in] coh  Container handle.
 * \param[in] epoch  Epoch of the snapshot.
 * \param[out] oh  Handle, to be released with daos_oit_close().
 * \param[in] ev  Event that the result goes to; NULL: wait for it.
 * \return 0; -DER_NO_HDL: no such container handle; -DER_INVAL: oh is NULL; -DER_NONEXIST: no snapshot has that
 *     epoch, or it has no table (DAOS_SNAP_OPT_OIT, daos_cont_snap_oit_create()).
 */
int daos_oit_open(daos_handle_t coh, daos_epoch_t epoch, daos_handle_t *oh, daos_event_t *ev);

/** The object identifier that stands for none. */
#define DAOS_OBJ_NIL ((daos_obj_id_t){ 0 })

static inline bool
daos_otype_t_is_valid(enum daos_otype_t type)
{
	return (unsigned int)type <= DAOS_OT_MAX;
}

/** Whether pa_domain can be the failure domain that placement keeps shards apart in. */
static inline bool
daos_pa_domain_is_valid(uint32_t pa_domain)
{
	return pa_domain == DAOS_PROP_CO_REDUN_RANK || pa_domain == DAOS_PROP_CO_REDUN_NODE;
}

/* ---- what an identifier says: type, class, number of groups ---- */

static inline enum daos_otype_t
daos_obj_id2type(daos_obj_id_t oid)
{
	return (enum daos_otype_t)((oid.hi & OID_FMT_TYPE_MASK) >> OID_FMT_TYPE_SHIFT);
}

/** The redundancy scheme. */
static inline enum daos_obj_redun
daos_obj_id2ord(daos_obj_id_t oid)
{
	return (enum daos_obj_redun)((oid.hi & OID_FMT_CLASS_MASK) >> OID_FMT_CLASS_SHIFT);
}

/** The number of redundancy groups. */
static inline uint32_t
daos_obj_id2grp_nr(daos_obj_id_t oid)
{
	return (uint32_t)((oid.hi & OID_FMT_META_MASK) >> OID_FMT_META_SHIFT);
}

/** The object class. */
static inline daos_oclass_id_t
daos_obj_id2class(daos_obj_id_t oid)
{
	return OBJ_CLASS_DEF((daos_oclass_id_t)daos_obj_id2ord(oid), daos_obj_id2grp_nr(oid));
}

static inline bool
daos_obj_id_is_nil(daos_obj_id_t oid)
{
	return oid.hi == 0 && oid.lo == 0;
}

/** Steps the 32 user bits of oid.hi through a sequence that spreads successive identifiers. */
static inline void
daos_obj_oid_cycle(daos_obj_id_t *oid)
{
	oid->hi = (oid->hi + 999999937) & UINT_MAX;
}

/* ---- what the keys of a type are ---- */

static inline bool
daos_is_dkey_uint64_type(enum daos_otype_t type)
{
	return type == DAOS_OT_MULTI_UINT64 || type == DAOS_OT_DKEY_UINT64 || type == DAOS_OT_KV_UINT64 ||
	       type == DAOS_OT_ARRAY || type == DAOS_OT_ARRAY_ATTR || type == DAOS_OT_ARRAY_BYTE;
}

static inline bool
daos_is_dkey_uint64(daos_obj_id_t oid)
{
	return daos_is_dkey_uint64_type(daos_obj_id2type(oid));
}

static inline bool
daos_is_dkey_lexical_type(enum daos_otype_t type)
{
	return type == DAOS_OT_MULTI_LEXICAL || type == DAOS_OT_DKEY_LEXICAL || type == DAOS_OT_KV_LEXICAL;
}

static inline bool
daos_is_dkey_lexical(daos_obj_id_t oid)
{
	return daos_is_dkey_lexical_type(daos_obj_id2type(oid));
}

static inline bool
daos_is_akey_uint64_type(enum daos_otype_t type)
{
	return type == DAOS_OT_MULTI_UINT64 || type == DAOS_OT_AKEY_UINT64;
}

static inline bool
daos_is_akey_uint64(daos_obj_id_t oid)
{
	return daos_is_akey_uint64_type(daos_obj_id2type(oid));
}

static inline bool
daos_is_akey_lexical_type(enum daos_otype_t type)
{
	return type == DAOS_OT_MULTI_LEXICAL || type == DAOS_OT_AKEY_LEXICAL;
}

static inline bool
daos_is_akey_lexical(daos_obj_id_t oid)
{
	return daos_is_akey_lexical_type(daos_obj_id2type(oid));
}

static inline bool
daos_is_array_type(enum daos_otype_t type)
{
	return type == DAOS_OT_ARRAY || type == DAOS_OT_ARRAY_ATTR || type == DAOS_OT_ARRAY_BYTE;
}

static inline bool
daos_is_array(daos_obj_id_t oid)
{
	return daos_is_array_type(daos_obj_id2type(oid));
}

static inline bool
daos_is_kv_type(enum daos_otype_t type)
{
	return type == DAOS_OT_KV_HASHED || type == DAOS_OT_KV_UINT64 || type == DAOS_OT_KV_LEXICAL;
}

static inline bool
daos_is_kv(daos_obj_id_t oid)
{
	return daos_is_kv_type(daos_obj_id2type(oid));
}

#if defined(__cplusplus)
}
#endif

#endif /* DAOS_INC_DAOS_OBJ_H */
