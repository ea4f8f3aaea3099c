/*
 * SPDX-License-Identifier: BSD-2-Clause-Patent
 *
 * Types and constants shared by the whole API.
 */
#ifndef DAOS_INC_DAOS_TYPES_H
#define DAOS_INC_DAOS_TYPES_H

#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <stdbool.h>
#include <ctype.h>
#include <limits.h>
#include <uuid/uuid.h>
#include <gurt/types.h>
#include <daos_errno.h>

#if defined(__cplusplus)
extern "C" {
#endif

/* Longest names, without the NUL. */
#define DAOS_SYS_NAME_MAX	15
#define DAOS_SYS_INFO_STRING_MAX	63
/** Bytes that a hashed key takes in an anchor, at most. */
#define DAOS_HKEY_MAX	32
#define DAOS_ANCHOR_BUF_MAX	104
/* Ways to connect to a pool: for reading, for writing too, the same with nobody else connected. */
#define DAOS_PC_RO	1U
#define DAOS_PC_RW	2U
#define DAOS_PC_EX	4U
#define DAOS_PC_NBITS	3
#define DAOS_PC_MASK	7U
/** Epoch after all others: what is newest. */
#define DAOS_EPOCH_MAX	0xffffffffffffffffULL
/* Timeouts of daos_eq_poll() and daos_event_test(): none, and looking once. */
#define DAOS_EQ_WAIT	(-1)
#define DAOS_EQ_NOWAIT	0
/** Bytes of a UUID's text, with the NUL. */
#define DAOS_UUID_STR_SIZE	37
/* Letters that daos_is_valid_uuid_string() takes. */
#define UUID_SST_UPPER	1
#define UUID_SST_LOWER	(-1)
#define UUID_SST_NONE	0
/** Longest name of a user attribute, in bytes without the NUL. */
#define DAOS_ATTR_NAME_MAX	511

/* Types of handles. */
enum {
	DAOS_HTYPE_EQ = 1,
	DAOS_HTYPE_POOL = 3,
	DAOS_HTYPE_CO = 5,
	DAOS_HTYPE_OBJ = 7,
	DAOS_HTYPE_ARRAY = 9,
	DAOS_HTYPE_TX = 11,
	DAOS_HTYPE_KV = 13,
};

/** Where an enumeration stands. */
typedef enum {
	DAOS_ANCHOR_TYPE_ZERO = 0,	/**< at the start */
	DAOS_ANCHOR_TYPE_HKEY = 1,	/**< at a hashed key */
	DAOS_ANCHOR_TYPE_KEY = 2,	/**< at a key */
	DAOS_ANCHOR_TYPE_EOF = 3,	/**< at the end */
} daos_anchor_type_t;

/** Events that daos_eq_query() looks for. */
typedef enum {
	DAOS_EQR_COMPLETED = 1,	/**< complete, and not polled */
	DAOS_EQR_WAITING = 2,	/**< in flight */
	DAOS_EQR_ALL = 3,
} daos_eq_query_t;

/** State of an event. */
typedef enum {
	DAOS_EVS_READY = 0,	/**< may be used */
	DAOS_EVS_RUNNING = 1,	/**< in flight */
	DAOS_EVS_COMPLETED = 2,	/**< complete, and not polled */
	DAOS_EVS_ABORTED = 3,	/**< not used */
} daos_ev_status_t;

/** A number of bytes, or of elements of an array. */
typedef uint64_t daos_size_t;

/** A place in bytes, or in elements of an array. */
typedef uint64_t daos_off_t;

/** A version: a timestamp of the hybrid logical clock; gurt/common.h converts it. */
typedef uint64_t daos_epoch_t;

/** A key: iov_len bytes of any kind. */
typedef d_iov_t daos_key_t;

/** Where an enumeration stands, between its calls. Start with zeros (DAOS_ANCHOR_INIT). */
typedef struct {
	uint16_t da_type;		/**< DAOS_ANCHOR_TYPE_ */
	uint16_t da_shard;
	uint32_t da_flags;
	uint64_t da_sub_anchors;
	uint8_t da_buf[104];		/**< of the library's, as are all but da_type */
} daos_anchor_t;

/** A handle; 0 stands for none. A closed or invented one finds nothing: -DER_NO_HDL. */
typedef struct {
	uint64_t cookie;
} daos_handle_t;

/** A range of epochs, both ends included. */
typedef struct {
	daos_epoch_t epr_lo;
	daos_epoch_t epr_hi;
} daos_epoch_range_t;

/** A container, as daos_cont_query() tells. */
typedef struct {
	uuid_t ci_uuid;
	daos_epoch_t ci_lsnapshot;	/**< newest snapshot; 0: none */
	uint32_t ci_nhandles;		/**< open handles, everywhere */
	uint32_t ci_nsnapshots;		/**< snapshots */
	uint64_t ci_md_otime;		/**< when it was last opened, as a timestamp */
	uint64_t ci_md_mtime;		/**< when its metadata last changed, as a timestamp */
} daos_cont_info_t;

/** An event: memory of the caller's; see daos_event.h. */
typedef struct daos_event {
	int ev_error;			/**< result of the operation, once the event is complete */
	struct {
		uint64_t space[20];
	} ev_private;			/**< of the library's */
	uint64_t ev_debug;		/**< of the caller's: nothing reads it */
} daos_event_t;

/** A list of targets. */
struct d_tgt_list {
	d_rank_t *tl_ranks;	/**< rank of each */
	int32_t *tl_tgts;	/**< number on its rank; -1: all of the rank */
	uint32_t tl_nr;		/**< how many */
};

/** Identifier of an object: the caller sets lo and the low 32 bits of hi; daos_obj_generate_oid() the rest. */
typedef struct {
	uint64_t lo;
	uint64_t hi;
} daos_obj_id_t;

/** Address of a rank. */
struct daos_rank_uri {
	uint32_t dru_rank;
	char *dru_uri;
};

/** A system, as daos_mgmt_get_sys_info() tells. */
struct daos_sys_info {
	char dsi_system_name[64];
	char dsi_fabric_provider[64];
	char dsi_agent_path[4096];		/**< the agent's socket */
	uint32_t dsi_nr_ranks;			/**< number of ranks */
	struct daos_rank_uri *dsi_ranks;	/**< their addresses */
	uint32_t dsi_nr_ms_ranks;		/**< number of ranks that manage the system */
	uint32_t *dsi_ms_ranks;			/**< those */
};

/** Static initialiser of a daos_anchor_t that starts an enumeration. */
#if defined(__cplusplus)
#define DAOS_ANCHOR_INIT { DAOS_ANCHOR_TYPE_ZERO, 0, 0, 0, { 0 } }
#else
#define DAOS_ANCHOR_INIT { .da_type = DAOS_ANCHOR_TYPE_ZERO }
#endif

/** The handle that stands for none. */
#define DAOS_HDL_INVAL ((daos_handle_t){ 0 })
/** In place of a transaction handle: the operation is a transaction of its own. */
#define DAOS_TX_NONE DAOS_HDL_INVAL

/* Names of serialisers for programs that also include the RPC library's headers. */
#define crt_proc_daos_key_t crt_proc_d_iov_t
#define crt_proc_daos_size_t crt_proc_uint64_t
#define crt_proc_daos_epoch_t crt_proc_uint64_t

/** Whether it is the handle that stands for none. */
static inline bool
daos_handle_is_inval(daos_handle_t hdl)
{
	return hdl.cookie == 0;
}

/** Whether it is another; one that is closed counts. */
static inline bool
daos_handle_is_valid(daos_handle_t hdl)
{
	return hdl.cookie != 0;
}

/** Whether the key has no buffer. */
static inline bool
daos_key_is_null(daos_key_t key)
{
	return key.iov_buf == NULL || key.iov_buf_len == 0;
}

/**
 * Whether a string begins with a UUID of the form 8-4-4-4-12.
 *
 * \param sensitive  UUID_SST_UPPER: no lower-case digits; UUID_SST_LOWER: no upper-case digits; UUID_SST_NONE: any
 */
static inline bool
daos_is_valid_uuid_string(const char *uuid, int sensitive)
{
	int i;

	for (i = 0; i < DAOS_UUID_STR_SIZE - 1; i++) {
		unsigned char c    = (unsigned char)uuid[i];
		bool          dash = i == 8 || i == 13 || i == 18 || i == 23;

		if (dash ? c != '-' : !isxdigit(c))
			return false;
		if (!dash && sensitive >= UUID_SST_UPPER && islower(c))
			return false;
		if (!dash && sensitive <= UUID_SST_LOWER && isupper(c))
			return false;
	}
	return true;
}

#if defined(__cplusplus)
}
#endif

#endif /* DAOS_INC_DAOS_TYPES_H */
