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
 * server did not answer for too long.
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

/** The anchor of part index of a shared listing. */
int daos_obj_anchor_set(daos_handle_t oh, uint32_t index, daos_anchor_t *anchor);

/** How many anchors share a listing: *nr in: wanted, out: given. With anchors, fills them. */
int daos_obj_anchor_split(daos_handle_t oh, uint32_t *nr, daos_anchor_t *anchors);

/** Releases an object handle. */
int daos_obj_close(daos_handle_t oh, daos_event_t *ev);

/**
 * Reads values and extents of akeys under one dkey into sgls; iods[i].iod_size 0 asks for sizes (sgls may be
 * NULL). What was never written reads as nothing: its size is 0.
 */
int daos_obj_fetch(daos_handle_t oh, daos_handle_t th, uint64_t flags, daos_key_t *dkey,
                   unsigned int nr, daos_iod_t *iods, d_sg_list_t *sgls, daos_iom_t *ioms,
                   daos_event_t *ev);

/**
 * Completes an identifier whose low word and low half of the high word are the caller's: type, class (0: chosen
 * for the container by hints). -DER_INVAL: the class doesn't fit.
 */
int daos_obj_generate_oid2(daos_handle_t coh, daos_obj_id_t *oid, enum daos_otype_t type,
                           daos_oclass_id_t cid, daos_oclass_hints_t hints, uint32_t args);

/** The anchor from which a listing goes on behind a key. */
int daos_obj_key2anchor(daos_handle_t oh, daos_handle_t th, daos_key_t *dkey, daos_key_t *akey,
                        daos_anchor_t *anchor, daos_event_t *ev);

/** Lists akeys of a dkey, in the manner of daos_obj_list_dkey(). */
int daos_obj_list_akey(daos_handle_t oh, daos_handle_t th, daos_key_t *dkey, uint32_t *nr,
                       daos_key_desc_t *kds, d_sg_list_t *sgl, daos_anchor_t *anchor,
                       daos_event_t *ev);

/**
 * Lists dkeys: *nr descriptors of room, then their number; keys one after another in sgl. Goes on from the anchor
 * until daos_anchor_is_eof(). -DER_KEY2BIG: sgl is too small for the next key, kds[0].kd_key_len has its size.
 */
int daos_obj_list_dkey(daos_handle_t oh, daos_handle_t th, uint32_t *nr, daos_key_desc_t *kds,
                       d_sg_list_t *sgl, daos_anchor_t *anchor, daos_event_t *ev);

/** Lists extents of an akey in order; *size is the size of their records. */
int daos_obj_list_recx(daos_handle_t oh, daos_handle_t th, daos_key_t *dkey, daos_key_t *akey,
                       daos_size_t *size, uint32_t *nr, daos_recx_t *recxs,
                       daos_epoch_range_t *eprs, daos_anchor_t *anchor, bool incr_order,
                       daos_event_t *ev);

/**
 * Opens an object with DAOS_OO_ mode; needs no existing data, contacts no server. Release with daos_obj_close().
 */
int daos_obj_open(daos_handle_t coh, daos_obj_id_t oid, unsigned int mode, daos_handle_t *oh,
                  daos_event_t *ev);

/** Deletes all of an object, as of th. */
int daos_obj_punch(daos_handle_t oh, daos_handle_t th, uint64_t flags, daos_event_t *ev);

/** Deletes nr akeys of a dkey, as of th. */
int daos_obj_punch_akeys(daos_handle_t oh, daos_handle_t th, uint64_t flags, daos_key_t *dkey,
                         unsigned int nr, daos_key_t *akeys, daos_event_t *ev);

/** Deletes nr dkeys, as of th. */
int daos_obj_punch_dkeys(daos_handle_t oh, daos_handle_t th, uint64_t flags, unsigned int nr,
                         daos_key_t *dkeys, daos_event_t *ev);

/** Attributes of an object. */
int daos_obj_query(daos_handle_t oh, struct daos_obj_attr *oa, d_rank_list_t *ranks,
                   daos_event_t *ev);

/** The least or greatest integer dkey, akey and extent, as flags ask. */
int daos_obj_query_key(daos_handle_t oh, daos_handle_t th, uint64_t flags, daos_key_t *dkey,
                       daos_key_t *akey, daos_recx_t *recx, daos_event_t *ev);

/** The epoch of the last change. */
int daos_obj_query_max_epoch(daos_handle_t oh, daos_handle_t th, daos_epoch_t *epoch,
                             daos_event_t *ev);

/** Writes values and extents of akeys under one dkey from sgls, all or none. iod_size 0 deletes. */
int daos_obj_update(daos_handle_t oh, daos_handle_t th, uint64_t flags, daos_key_t *dkey,
                    unsigned int nr, daos_iod_t *iods, d_sg_list_t *sgls, daos_event_t *ev);

/** Compares the replicas of an object at an epoch; -DER_MISMATCH when they differ. */
int daos_obj_verify(daos_handle_t coh, daos_obj_id_t oid, daos_epoch_t epoch);

/** Releases a list of objects. */
int daos_oit_close(daos_handle_t oh, daos_event_t *ev);

/** Identifiers of objects; *oids_nr: room, then their number. */
int daos_oit_list(daos_handle_t oh, daos_obj_id_t *oids, uint32_t *oids_nr, daos_anchor_t *anchor,
                  daos_event_t *ev);

/** daos_oit_list() for objects that filter lets through (it answers 1). */
int daos_oit_list_filter(daos_handle_t oh, daos_obj_id_t *oids, uint32_t *oids_nr,
                         daos_anchor_t *anchor, daos_oit_filter_cb filter, daos_event_t *ev);

/** daos_oit_list() for objects without mark. */
int daos_oit_list_unmarked(daos_handle_t oh, daos_obj_id_t *oids, uint32_t *oids_nr,
                           daos_anchor_t *anchor, daos_event_t *ev);

/** Marks an object in a list; marker NULL removes the mark. */
int daos_oit_mark(daos_handle_t oh, daos_obj_id_t oid, d_iov_t *marker, daos_event_t *ev);

/** Opens the list of objects of a snapshot; release with daos_oit_close(). */
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
