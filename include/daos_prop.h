/*
 * SPDX-License-Identifier: BSD-2-Clause-Patent
 *
 * Pool and container properties.
 */
#ifndef DAOS_INC_DAOS_PROP_H
#define DAOS_INC_DAOS_PROP_H

#include <ctype.h>
#include <daos_types.h>

#if defined(__cplusplus)
extern "C" {
#endif

/* Numbers of properties, and limits and defaults of their values. */
#define DAOS_PROP_PO_NUM	27
#define DAOS_PROP_PO_EC_CELL_SZ_MIN	1024UL
#define DAOS_PROP_PO_EC_CELL_SZ_MAX	0x40000000UL
#define DAOS_PROP_PO_REDUN_FAC_MAX	4
#define DAOS_PROP_PO_REDUN_FAC_DEFAULT 3
#define DAOS_PROP_PDA_MAX	0xffffffffU
#define DAOS_PROP_PO_RP_PDA_DEFAULT	0xffffffffU
#define DAOS_PROP_PO_EC_PDA_DEFAULT	1U
#define DAOS_PROP_PO_SVC_REDUN_FAC_MAX 4
#define DAOS_PROP_PO_SVC_REDUN_FAC_DEFAULT 2
#define DAOS_PROP_PO_PERF_DOMAIN_DEFAULT 255
#define DAOS_PROP_CO_PERF_DOMAIN_DEFAULT 255
#define DAOS_PROP_PO_REINT_MODE_DEFAULT 0
#define DAOS_PROP_PO_SCRUB_MODE_DEFAULT 0
#define DAOS_PROP_PO_SCRUB_FREQ_DEFAULT 604800
#define DAOS_PROP_PO_SCRUB_THRESH_DEFAULT 0
#define DAOS_PROP_PO_CHECKPOINT_MODE_DEFAULT 1
#define DAOS_PROP_PO_CHECKPOINT_FREQ_DEFAULT 5
#define DAOS_PROP_PO_CHECKPOINT_FREQ_MIN 1
#define DAOS_PROP_PO_CHECKPOINT_FREQ_MAX 0x100000
#define DAOS_PROP_PO_CHECKPOINT_THRESH_DEFAULT 50
#define DAOS_PROP_PO_CHECKPOINT_THRESH_MAX 75
#define DAOS_PROP_PO_CHECKPOINT_THRESH_MIN 10
#define DAOS_PROP_PO_SVC_OPS_ENABLED_DEFAULT 1
#define DAOS_PROP_PO_SVC_OPS_ENTRY_AGE_DEFAULT 300
#define DAOS_PROP_PO_SVC_OPS_ENTRY_AGE_MIN 60
#define DAOS_PROP_PO_SVC_OPS_ENTRY_AGE_MAX 600
/* What a system does by itself when an engine fails: exclude it, rebuild its data at once, or with the next rebuild. */
#define DAOS_SELF_HEAL_AUTO_EXCLUDE	1U
#define DAOS_SELF_HEAL_AUTO_REBUILD	2U
#define DAOS_SELF_HEAL_DELAY_REBUILD	4U
#define DAOS_PROP_CO_NUM	26
#define DAOS_PROP_CO_REDUN_DEFAULT	2
/** Flag of a daos_co_status that is set: it is healthy again. */
#define DAOS_PROP_CO_CLEAR	1
/** Most entries of a list. */
#define DAOS_PROP_ENTRIES_MAX_NR	128
#define DAOS_PROP_LABEL_MAX_LEN	127
#define DAOS_PROP_MAX_LABEL_BUF_LEN	128
/* What stands where there is no label. */
#define DAOS_PROP_CO_LABEL_DEFAULT	"container_label_not_set"
#define DAOS_PROP_PO_LABEL_DEFAULT	"pool_label_not_set"
#define DAOS_PROP_PO_DATA_THRESH_DEFAULT 4096UL
#define DAOS_PROP_NO_PO_LABEL	"pool_label_not_set"
#define DEFAULT_CONT_LABEL	"container_label_not_set"
#define DAOS_PROP_NO_CO_LABEL	"container_label_not_set"

/* Values of DAOS_PROP_PO_UPGRADE_STATUS. */
enum {
	DAOS_UPGRADE_STATUS_NOT_STARTED = 0,
	DAOS_UPGRADE_STATUS_IN_PROGRESS = 1,
	DAOS_UPGRADE_STATUS_COMPLETED = 2,
	DAOS_UPGRADE_STATUS_FAILED = 3,
};

/* Values of the properties _PERF_DOMAIN: the whole pool, or groups in it. */
enum {
	DAOS_PROP_PERF_DOMAIN_ROOT = 255,
};

enum {
	DAOS_PROP_PERF_DOMAIN_GROUP = 200,
};

/* Values of DAOS_PROP_PO_RECLAIM. */
enum {
	DAOS_RECLAIM_DISABLED = 0,
	DAOS_RECLAIM_LAZY = 1,
	DAOS_RECLAIM_SNAPSHOT = 2,
	DAOS_RECLAIM_BATCH = 3,
	DAOS_RECLAIM_TIME = 4,
};

/* Values of DAOS_PROP_PO_REINT_MODE. */
enum {
	DAOS_REINT_MODE_DATA_SYNC = 0,
	DAOS_REINT_MODE_NO_DATA_SYNC = 1,
	DAOS_REINT_MODE_INCREMENTAL = 2,
};

/* Values of DAOS_PROP_PO_SCRUB_MODE: never, when idle, at the set times. */
enum {
	DAOS_SCRUB_MODE_OFF = 0,
	DAOS_SCRUB_MODE_LAZY = 1,
	DAOS_SCRUB_MODE_TIMED = 2,
	DAOS_SCRUB_MODE_INVALID = 3,
};

/* Values of DAOS_PROP_PO_CHECKPOINT_MODE: never, at the set times, when the log fills. */
enum {
	DAOS_CHECKPOINT_DISABLED = 0,
	DAOS_CHECKPOINT_TIMED = 1,
	DAOS_CHECKPOINT_LAZY = 2,
};

/* Values of DAOS_PROP_CO_LAYOUT_TYPE. */
enum {
	DAOS_PROP_CO_LAYOUT_UNKNOWN = 0,
	DAOS_PROP_CO_LAYOUT_UNKOWN = 0,
	DAOS_PROP_CO_LAYOUT_POSIX = 1,
	DAOS_PROP_CO_LAYOUT_HDF5 = 2,
	DAOS_PROP_CO_LAYOUT_PYTHON = 3,
	DAOS_PROP_CO_LAYOUT_SPARK = 4,
	DAOS_PROP_CO_LAYOUT_DATABASE = 5,
	DAOS_PROP_CO_LAYOUT_ROOT = 6,
	DAOS_PROP_CO_LAYOUT_SEISMIC = 7,
	DAOS_PROP_CO_LAYOUT_METEO = 8,
	DAOS_PROP_CO_LAYOUT_MAX = 9,
};

/* Values of DAOS_PROP_CO_CSUM. */
enum {
	DAOS_PROP_CO_CSUM_OFF = 0,
	DAOS_PROP_CO_CSUM_CRC16 = 1,
	DAOS_PROP_CO_CSUM_CRC32 = 2,
	DAOS_PROP_CO_CSUM_CRC64 = 3,
	DAOS_PROP_CO_CSUM_SHA1 = 4,
	DAOS_PROP_CO_CSUM_SHA256 = 5,
	DAOS_PROP_CO_CSUM_SHA512 = 6,
	DAOS_PROP_CO_CSUM_ADLER32 = 7,
};

/* Values of DAOS_PROP_CO_CSUM_SERVER_VERIFY. */
enum {
	DAOS_PROP_CO_CSUM_SV_OFF = 0,
	DAOS_PROP_CO_CSUM_SV_ON = 1,
};

/* Values of DAOS_PROP_CO_DEDUP. */
enum {
	DAOS_PROP_CO_DEDUP_OFF = 0,
	DAOS_PROP_CO_DEDUP_MEMCMP = 1,
	DAOS_PROP_CO_DEDUP_HASH = 2,
};

/* Values of DAOS_PROP_CO_COMPRESS. */
enum {
	DAOS_PROP_CO_COMPRESS_OFF = 0,
	DAOS_PROP_CO_COMPRESS_LZ4 = 1,
	DAOS_PROP_CO_COMPRESS_DEFLATE = 2,
	DAOS_PROP_CO_COMPRESS_DEFLATE1 = 3,
	DAOS_PROP_CO_COMPRESS_DEFLATE2 = 4,
	DAOS_PROP_CO_COMPRESS_DEFLATE3 = 5,
	DAOS_PROP_CO_COMPRESS_DEFLATE4 = 6,
};

/* Values of DAOS_PROP_CO_ENCRYPT. */
enum {
	DAOS_PROP_CO_ENCRYPT_OFF = 0,
	DAOS_PROP_CO_ENCRYPT_AES_XTS128 = 1,
	DAOS_PROP_CO_ENCRYPT_AES_XTS256 = 2,
	DAOS_PROP_CO_ENCRYPT_AES_CBC128 = 3,
	DAOS_PROP_CO_ENCRYPT_AES_CBC192 = 4,
	DAOS_PROP_CO_ENCRYPT_AES_CBC256 = 5,
	DAOS_PROP_CO_ENCRYPT_AES_GCM128 = 6,
	DAOS_PROP_CO_ENCRYPT_AES_GCM256 = 7,
};

/* Values of DAOS_PROP_CO_REDUN_FAC. */
enum {
	DAOS_PROP_CO_REDUN_RF0 = 0,
	DAOS_PROP_CO_REDUN_RF1 = 1,
	DAOS_PROP_CO_REDUN_RF2 = 2,
	DAOS_PROP_CO_REDUN_RF3 = 3,
	DAOS_PROP_CO_REDUN_RF4 = 4,
};

enum {
	DAOS_RF_MAX = 4,
};

/* Values of DAOS_PROP_CO_REDUN_LVL. */
enum {
	DAOS_PROP_CO_REDUN_MIN = 1,
	DAOS_PROP_CO_REDUN_RANK = 1,
	DAOS_PROP_CO_REDUN_NODE = 2,
	DAOS_PROP_CO_REDUN_FAULT = 3,
	DAOS_PROP_CO_REDUN_MAX = 254,
};

/* States of a container, and a flag of entries. */
enum {
	DAOS_PROP_CO_HEALTHY = 0,
	DAOS_PROP_CO_UNCLEAN = 1,	/**< it lost more than its redundancy covers */
	DAOS_PROP_ENTRY_NOT_SET = 1,	/**< flag: asked for, and not known */
};

/** Properties of pools: numbers in dpe_val where nothing else is said, and to be set later too unless it says so. */
enum daos_pool_props {
	DAOS_PROP_PO_MIN = 0,
	DAOS_PROP_PO_LABEL = 1,	/**< label (text) */
	/** Access control list (struct daos_acl, behind dpe_val_ptr); set by calls of its own later. */
	DAOS_PROP_PO_ACL = 2,
	DAOS_PROP_PO_SPACE_RB = 3,	/**< percent of space kept for rebuilds, 0 to 100 */
	DAOS_PROP_PO_SELF_HEAL = 4,	/**< DAOS_SELF_HEAL_ bits */
	DAOS_PROP_PO_RECLAIM = 5,	/**< DAOS_RECLAIM_: when old versions go */
	DAOS_PROP_PO_OWNER = 6,	/**< user, "name@" (text) */
	DAOS_PROP_PO_OWNER_GROUP = 7,	/**< group, "name@" (text) */
	/** Ranks of the pool service (d_rank_list_t, behind dpe_val_ptr); the system's to set. */
	DAOS_PROP_PO_SVC_LIST = 8,
	DAOS_PROP_PO_EC_CELL_SZ = 9,	/**< bytes of a cell of erasure coding; containers may choose another */
	DAOS_PROP_PO_DATA_THRESH = 10,	/**< bytes from which on a value goes to the data tier */
	DAOS_PROP_PO_REDUN_FAC = 11,	/**< failures that new containers survive, 0 to 4; at creation */
	DAOS_PROP_PO_EC_PDA = 12,	/**< performance domains of erasure coded objects */
	DAOS_PROP_PO_RP_PDA = 13,	/**< performance domains of replicated objects */
	DAOS_PROP_PO_GLOBAL_VERSION = 14,	/**< version of the pool's format; the system's to set */
	DAOS_PROP_PO_UPGRADE_STATUS = 15,	/**< DAOS_UPGRADE_STATUS_; the system's to set */
	DAOS_PROP_PO_SCRUB_MODE = 16,	/**< DAOS_SCRUB_MODE_ */
	DAOS_PROP_PO_SCRUB_FREQ = 17,	/**< seconds between rounds of scrubbing */
	DAOS_PROP_PO_SCRUB_THRESH = 18,	/**< corruptions after which a target is excluded; 0: never */
	DAOS_PROP_PO_SVC_REDUN_FAC = 19,	/**< failures that the pool service survives, 0 to 4; at creation */
	DAOS_PROP_PO_OBJ_VERSION = 20,	/**< version of objects' layouts; the system's to set */
	DAOS_PROP_PO_PERF_DOMAIN = 21,	/**< DAOS_PROP_PERF_DOMAIN_; at creation */
	DAOS_PROP_PO_CHECKPOINT_MODE = 22,	/**< DAOS_CHECKPOINT_ */
	DAOS_PROP_PO_CHECKPOINT_FREQ = 23,	/**< seconds between checkpoints */
	DAOS_PROP_PO_CHECKPOINT_THRESH = 24,	/**< percent of the log in use that starts a checkpoint */
	DAOS_PROP_PO_REINT_MODE = 25,	/**< DAOS_REINT_MODE_ */
	DAOS_PROP_PO_SVC_OPS_ENABLED = 26,	/**< 0 or 1: whether repeated requests are recognised; at creation */
	DAOS_PROP_PO_SVC_OPS_ENTRY_AGE = 27,	/**< seconds that a request is remembered; at creation */
	DAOS_PROP_PO_MAX = 28,
};

/** Properties of containers: numbers in dpe_val where nothing else is said; most are to be set at creation only. */
enum daos_cont_props {
	DAOS_PROP_CO_MIN = 4096,
	DAOS_PROP_CO_LABEL = 0x1001,	/**< label (text) */
	DAOS_PROP_CO_LAYOUT_TYPE = 0x1002,	/**< DAOS_PROP_CO_LAYOUT_: who understands its objects */
	DAOS_PROP_CO_LAYOUT_VER = 0x1003,	/**< version of that */
	DAOS_PROP_CO_CSUM = 0x1004,	/**< DAOS_PROP_CO_CSUM_: checksums of values */
	DAOS_PROP_CO_CSUM_CHUNK_SIZE = 0x1005,	/**< bytes per checksum */
	/** DAOS_PROP_CO_CSUM_SV_: whether servers check what comes. */
	DAOS_PROP_CO_CSUM_SERVER_VERIFY = 0x1006,
	DAOS_PROP_CO_REDUN_FAC = 0x1007,	/**< DAOS_PROP_CO_REDUN_RF: failures to survive */
	DAOS_PROP_CO_REDUN_LVL = 0x1008,	/**< DAOS_PROP_CO_REDUN_RANK or _NODE: what fails at once */
	DAOS_PROP_CO_SNAPSHOT_MAX = 0x1009,	/**< snapshots at most; 0: no limit */
	/** Access control list (struct daos_acl, behind dpe_val_ptr); set by calls of its own later. */
	DAOS_PROP_CO_ACL = 0x100a,
	DAOS_PROP_CO_COMPRESS = 0x100b,	/**< DAOS_PROP_CO_COMPRESS_; kept, without effect */
	DAOS_PROP_CO_ENCRYPT = 0x100c,	/**< DAOS_PROP_CO_ENCRYPT_; kept, without effect */
	DAOS_PROP_CO_OWNER = 0x100d,	/**< user, "name@" (text); later by daos_cont_set_owner() */
	DAOS_PROP_CO_OWNER_GROUP = 0x100e,	/**< group, "name@" (text); later by daos_cont_set_owner() */
	DAOS_PROP_CO_DEDUP = 0x100f,	/**< DAOS_PROP_CO_DEDUP_; kept, without effect */
	DAOS_PROP_CO_DEDUP_THRESHOLD = 0x1010,	/**< bytes; kept, without effect */
	DAOS_PROP_CO_ROOTS = 0x1011,	/**< its first objects (struct daos_prop_co_roots, behind dpe_val_ptr) */
	DAOS_PROP_CO_STATUS = 0x1012,	/**< health, packed as struct daos_co_status; may be set later */
	/** End of the numbers that daos_cont_alloc_oids() gave; the system's to set. */
	DAOS_PROP_CO_ALLOCED_OID = 0x1013,
	DAOS_PROP_CO_EC_CELL_SZ = 0x1014,	/**< bytes of a cell of erasure coding; 0: the pool's */
	DAOS_PROP_CO_EC_PDA = 0x1015,	/**< performance domains of erasure coded objects */
	DAOS_PROP_CO_RP_PDA = 0x1016,	/**< performance domains of replicated objects */
	DAOS_PROP_CO_GLOBAL_VERSION = 0x1017,	/**< version of the container's format; the system's to set */
	DAOS_PROP_CO_SCRUBBER_DISABLED = 0x1018,	/**< 0 or 1: leave it out of scrubbing */
	DAOS_PROP_CO_OBJ_VERSION = 0x1019,	/**< version of objects' layouts; the system's to set */
	DAOS_PROP_CO_PERF_DOMAIN = 0x101a,	/**< DAOS_PROP_PERF_DOMAIN_ */
	DAOS_PROP_CO_MAX = 0x101b,
};

/** DAOS_PROP_CO_LAYOUT_. */
typedef uint16_t daos_cont_layout_t;

/** Bytes with their number. */
struct daos_prop_byteval {
	void *dpb_data;
	size_t dpb_len;
};

/** Objects that a layout starts from. */
struct daos_prop_co_roots {
	daos_obj_id_t cr_oids[4];
};

/** Health of a container. */
struct daos_co_status {
	uint16_t dcs_status;	/**< DAOS_PROP_CO_HEALTHY or _UNCLEAN */
	uint16_t dcs_flags;	/**< DAOS_PROP_CO_CLEAR or 0 */
	uint32_t dcs_pm_ver;	/**< version of the pool map that it is of */
};

/** A property. Texts and structures are memory of the C heap that goes with the list. */
struct daos_prop_entry {
	uint32_t dpe_type;		/**< DAOS_PROP_PO_ or DAOS_PROP_CO_ */
	uint16_t dpe_flags;		/**< DAOS_PROP_ENTRY_NOT_SET or 0 */
	uint16_t dpe_reserv;
	union {
		uint64_t dpe_val;
		d_string_t dpe_str;
		void *dpe_val_ptr;
	};
};

/** A list of properties; daos_prop_alloc() makes one. */
typedef struct {
	uint32_t dpp_nr;			/**< number of entries */
	uint32_t dpp_reserv;
	struct daos_prop_entry *dpp_entries;	/**< NULL if there are none */
} daos_prop_t;

/**
 * Makes a list with room for entries, all zero.
 *
 * \param[in] entries_nr  Entries, at most DAOS_PROP_ENTRIES_MAX_NR; 0: a list that asks a query for everything.
 * \return The list, the caller's to free with daos_prop_free(); NULL: too many, or no memory.
 */
daos_prop_t *daos_prop_alloc(uint32_t entries_nr);

/**
 * Compares the access control lists that two entries hold.
 *
 * \param[in] entry1  An entry whose value is a list, or is missing.
 * \param[in] entry2  Another.
 * \return 0: equal byte for byte, or both missing; -DER_MISMATCH: not; -DER_INVAL: a NULL.
 */
int daos_prop_entry_cmp_acl(struct daos_prop_entry *entry1, struct daos_prop_entry *entry2);

/**
 * Gives an entry a copy of another's bytes-with-length value; its own old value is not freed.
 *
 * \param[out] entry_dst  The entry to change; its value is allocated.
 * \param[in] entry_src  The entry to copy; no bytes in it give none.
 * \return 0; -DER_INVAL: a NULL; -DER_NOMEM.
 */
int daos_prop_entry_dup_byteval(struct daos_prop_entry *entry_dst,
                                struct daos_prop_entry *entry_src);

/**
 * Copies another entry's object roots into an entry, into the memory that it has for them or into new.
 *
 * \param[in,out] dst  The entry to change.
 * \param[in] src  The entry to copy.
 * \return 0; -DER_INVAL: a NULL, or src has no roots; -DER_NOMEM.
 */
int daos_prop_entry_dup_co_roots(struct daos_prop_entry *dst, struct daos_prop_entry *src);

/**
 * Gives an entry a copy of the structure that another points at; its own old value is not freed.
 *
 * \param[out] entry_dst  The entry to change; its value is allocated.
 * \param[in] entry_src  The entry to copy.
 * \param[in] len  Bytes of the structure.
 * \return 0; -DER_INVAL: a NULL; -DER_NOMEM.
 */
int daos_prop_entry_dup_ptr(struct daos_prop_entry *entry_dst, struct daos_prop_entry *entry_src,
                            size_t len);

/**
 * Finds the entry of a type.
 *
 * \param[in] prop  The list; NULL has none.
 * \param[in] type  DAOS_PROP_PO_ or DAOS_PROP_CO_ number.
 * \return The first such entry, inside the list; NULL: none.
 */
struct daos_prop_entry *daos_prop_entry_get(daos_prop_t *prop, uint32_t type);

/**
 * Gives an entry a copy of bytes with their length. No property of this version holds such a value.
 *
 * \param[in,out] entry  The entry.
 * \param[in] data  Bytes.
 * \param[in] len  Their number.
 * \return -DER_INVAL: the entry's type does not hold bytes with a length.
 */
int daos_prop_entry_set_byteval(struct daos_prop_entry *entry, const void *data, size_t len);

/**
 * Gives an entry a copy of a structure; the old value is freed.
 *
 * \param[in,out] entry  An entry whose type holds a pointer (daos_prop_has_ptr()).
 * \param[in] ptr  The structure; NULL clears the value.
 * \param[in] size  Its bytes; 0 clears the value.
 * \return 0; -DER_INVAL: NULL, or an entry of another type; -DER_NOMEM.
 */
int daos_prop_entry_set_ptr(struct daos_prop_entry *entry, const void *ptr, daos_size_t size);

/**
 * Gives an entry a copy of a string; the old value is freed.
 *
 * \param[in,out] entry  An entry whose type holds a string (daos_prop_has_str()).
 * \param[in] str  The string; NULL clears the value.
 * \param[in] len  Bytes of it at most, without the NUL; 0 clears the value.
 * \return 0; -DER_INVAL: NULL, or an entry of another type; -DER_NOMEM.
 */
int daos_prop_entry_set_str(struct daos_prop_entry *entry, const char *str, daos_size_t len);

/**
 * Frees the entries of a list and what they point at; the list itself stays, with none.
 *
 * \param[in,out] prop  The list; NULL is no error.
 */
void daos_prop_fini(daos_prop_t *prop);

/**
 * Frees a list, its entries and what they point at.
 *
 * \param[in] prop  Made by this library, or NULL.
 */
void daos_prop_free(daos_prop_t *prop);

/**
 * Makes a list from the text of container properties, "label:name;rd_fac:1".
 *
 * \param[in] str  The text.
 * \param[in] len  Bytes of it at most.
 * \param[out] prop  The list, the caller's to free with daos_prop_free().
 * \return 0; -DER_INVAL: a NULL, no property in it, an unknown one, one that users don't set, or a value that it
 *     can't have; -DER_NOMEM.
 */
int daos_prop_from_str(const char *str, daos_size_t len, daos_prop_t **prop);

/**
 * Tells whether an entry's type holds bytes with their length; none of this version does.
 *
 * \param[in] entry  The entry; NULL holds none.
 * \return Whether it does.
 */
bool daos_prop_has_byteval(struct daos_prop_entry *entry);

/**
 * Tells whether an entry's type holds a pointer to a structure.
 *
 * \param[in] entry  The entry; NULL holds none.
 * \return Whether it does.
 */
bool daos_prop_has_ptr(struct daos_prop_entry *entry);

/**
 * Tells whether an entry's type holds a string.
 *
 * \param[in] entry  The entry; NULL holds none.
 * \return Whether it does.
 */
bool daos_prop_has_str(struct daos_prop_entry *entry);

/**
 * Makes a list with copies of the entries of two.
 *
 * \param[in] old_prop  A list.
 * \param[in] new_prop  Another, whose entries win.
 * \return The list, the caller's to free with daos_prop_free(); NULL: a NULL, or no memory.
 */
daos_prop_t *daos_prop_merge(daos_prop_t *old_prop, daos_prop_t *new_prop);

/**
 * As daos_prop_merge(), with a result.
 *
 * \param[in] old_prop  A list.
 * \param[in] new_prop  Another, whose entries win.
 * \param[out] out_prop  The list, the caller's to free with daos_prop_free().
 * \return 0; -DER_INVAL: a NULL; -DER_NOMEM.
 */
int daos_prop_merge2(daos_prop_t *old_prop, daos_prop_t *new_prop, daos_prop_t **out_prop);

/**
 * As daos_prop_entry_set_byteval(), for the entry of a type.
 *
 * \param[in,out] prop  The list.
 * \param[in] type  DAOS_PROP_ number.
 * \param[in] data  Bytes.
 * \param[in] len  Their number.
 * \return -DER_NONEXIST: no such entry; -DER_INVAL: the type does not hold bytes with a length.
 */
int daos_prop_set_byteval(daos_prop_t *prop, uint32_t type, const void *data, size_t len);

/**
 * As daos_prop_entry_set_ptr(), for the entry of a type.
 *
 * \param[in,out] prop  The list.
 * \param[in] type  DAOS_PROP_ number.
 * \param[in] ptr  The structure; NULL clears the value.
 * \param[in] size  Its bytes; 0 clears the value.
 * \return 0; -DER_NONEXIST: no such entry; -DER_INVAL: the type does not hold a pointer; -DER_NOMEM.
 */
int daos_prop_set_ptr(daos_prop_t *prop, uint32_t type, const void *ptr, daos_size_t size);

/**
 * As daos_prop_entry_set_str(), for the entry of a type.
 *
 * \param[in,out] prop  The list.
 * \param[in] type  DAOS_PROP_ number.
 * \param[in] str  The string; NULL clears the value.
 * \param[in] len  Bytes of it at most, without the NUL; 0 clears the value.
 * \return 0; -DER_NONEXIST: no such entry; -DER_INVAL: the type does not hold a string; -DER_NOMEM.
 */
int daos_prop_set_str(daos_prop_t *prop, uint32_t type, const char *str, daos_size_t len);

/** Value of the container status property (DAOS_PROP_CO_STATUS). */
#define DAOS_PROP_CO_STATUS_VAL(status, flag, pm_ver) \
	(((uint64_t)(flag) << 48) | (((uint64_t)(status)&0xFFFF) << 32) | (uint64_t)(pm_ver))

static inline uint64_t
daos_prop_co_status_2_val(struct daos_co_status *co_status)
{
	return DAOS_PROP_CO_STATUS_VAL(co_status->dcs_status, co_status->dcs_flags, co_status->dcs_pm_ver);
}

static inline void
daos_prop_val_2_co_status(uint64_t val, struct daos_co_status *co_status)
{
	co_status->dcs_pm_ver = (uint32_t)val;
	co_status->dcs_status = (uint16_t)(val >> 32);
	co_status->dcs_flags  = (uint16_t)(val >> 48);
}

/** Whether rf can be the redundancy factor of a pool or container. */
static inline bool
daos_rf_is_valid(unsigned long long rf)
{
	return rf <= DAOS_PROP_PO_REDUN_FAC_MAX;
}

/** Whether svc_rf can be the redundancy factor of a pool service. */
static inline bool
daos_svc_rf_is_valid(uint64_t svc_rf)
{
	return svc_rf <= DAOS_PROP_PO_SVC_REDUN_FAC_MAX;
}

/** Whether a string can be a label: 1 to 127 characters of [A-Za-z0-9._:-] that don't look like a UUID. */
static inline bool
daos_label_is_valid(const char *label)
{
	size_t len;
	bool   dashed = false;

	if (label == NULL)
		return false;
	for (len = 0; label[len] != '\0'; len++) {
		unsigned char c = (unsigned char)label[len];

		if (len == DAOS_PROP_LABEL_MAX_LEN)
			return false;
		if (c == '-')
			dashed = true;
		else if (!isalnum(c) && strchr("._:", c) == NULL)
			return false;
	}
	if (len == 0)
		return false;
	return !dashed || !daos_is_valid_uuid_string(label, UUID_SST_NONE);
}

/** Whether a string can name a performance domain. */
static inline bool
daos_perf_domain_is_valid(const char *perf_domain)
{
	return daos_label_is_valid(perf_domain);
}

/** Whether the entry holds a value. */
static inline bool
daos_prop_is_set(struct daos_prop_entry *entry)
{
	return (entry->dpe_flags & DAOS_PROP_ENTRY_NOT_SET) == 0;
}

#if defined(__cplusplus)
}
#endif

#endif /* DAOS_INC_DAOS_PROP_H */
