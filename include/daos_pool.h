/*
 * SPDX-License-Identifier: BSD-2-Clause-Patent
 *
 * Pools: handles, queries, attributes and containers of a pool.
 *
 * Functions return 0 or -DER_xxx. Those with an event: NULL makes the call wait until it is done; else it returns
 * at once, the result arrives in ev->ev_error, and everything passed by pointer must stay until then.
 *
 * Errors that any of them can give and that are not repeated below: -DER_UNINIT before daos_init() and after
 * daos_fini(); -DER_NOMEM; with an event, -DER_INVAL: it was not initialised or was finalised, -DER_NO_PERM: it is in
 * use, -DER_NONEXIST: its queue is being destroyed; of those that talk to servers, -DER_UNREACH and -DER_TIMEDOUT: a
 * server did not answer for too long.
 */
#ifndef DAOS_INC_DAOS_POOL_H
#define DAOS_INC_DAOS_POOL_H

#include <inttypes.h>
#include <uuid/uuid.h>
#include <daos_prop.h>

#if defined(__cplusplus)
extern "C" {
#endif

#define daos_pool_connect	daos_pool_connect2
/** Comparisons that a filter holds, at most. */
#define DAOS_POOL_CONT_FILTER_MAX_NPARTS 8

/** State of a target. */
typedef enum {
	DAOS_TS_UNKNOWN = 0,
	DAOS_TS_DOWN_OUT = 1,	/**< out, and its data rebuilt elsewhere */
	DAOS_TS_DOWN = 2,	/**< out, not yet rebuilt */
	DAOS_TS_UP = 3,		/**< comes back, not yet rebuilt */
	DAOS_TS_UP_IN = 4,	/**< in service */
	DAOS_TS_NEW = 5,	/**< joins the pool */
	DAOS_TS_DRAIN = 6,	/**< leaves: read from, not written to */
} daos_target_state_t;

/** Tiers of storage: indices of arrays of two. */
enum daos_media_type_t {
	DAOS_MEDIA_SCM = 0,
	DAOS_MEDIA_NVME = 1,
	DAOS_MEDIA_MAX = 2,
};

/** State of a rebuild. */
enum daos_rebuild_state_t {
	DRS_IN_PROGRESS = 0,
	DRS_NOT_STARTED = 1,
	DRS_COMPLETED = 2,
};

/** Flags of a rebuild's status. */
enum daos_rebuild_status_flag {
	DAOS_RSF_DEGRADED = 1,	/**< data has less redundancy than it should */
};

/** What daos_pool_query() is asked for, in pi_bits. The ranks that it lists are one kind. */
enum daos_pool_info_bit {
	DPI_SPACE = 1,			/**< pi_space */
	DPI_REBUILD_STATUS = 2,		/**< pi_rebuild_st */
	DPI_ENGINES_ENABLED = 4,	/**< ranks with targets in service */
	DPI_ENGINES_DISABLED = 8,	/**< ranks with targets that are not */
	DPI_ENGINES_DEAD = 16,		/**< ranks that are not heard of */
	DPI_REBUILD_MAX_LAYOUT_VER = 32,
	DPI_SELF_HEAL_POLICY = 64,
	DPI_ALL = -1,
};

/** Comparisons of a filter of containers. */
enum daos_pool_cont_filter_func {
	PCF_FUNC_EQ = 0,
	PCF_FUNC_NE = 1,
	PCF_FUNC_LT = 2,
	PCF_FUNC_LE = 3,
	PCF_FUNC_GT = 4,
	PCF_FUNC_GE = 5,
	PCF_FUNC_MAX = 6,
};

/** What they compare: times are timestamps of the hybrid logical clock. */
enum daos_pool_cont_filter_key {
	PCF_KEY_MD_OTIME = 0,
	PCF_KEY_MD_MTIME = 1,
	PCF_KEY_NUM_SNAPSHOTS = 2,
	PCF_KEY_NUM_HANDLES = 3,
	PCF_KEY_MAX = 4,
};

/** How the comparisons of a filter go together. */
enum daos_pool_cont_filter_combine {
	PCF_COMBINE_LOGICAL_AND = 0,
	PCF_COMBINE_LOGICAL_OR = 1,
};

/** Nothing yet. */
typedef struct {
	int foo;
} daos_target_perf_t;

/** Space by tier (DAOS_MEDIA_), in bytes. */
struct daos_space {
	uint64_t s_total[2];
	uint64_t s_free[2];
};

/** A target, as daos_pool_query_target() tells. */
typedef struct {
	uint32_t ta_padding;
	daos_target_state_t ta_state;
	daos_target_perf_t ta_perf;
	struct daos_space ta_space;
} daos_target_info_t;

/** Space of a pool, by tier, in bytes. */
struct daos_pool_space {
	struct daos_space ps_space;	/**< of all targets together */
	uint64_t ps_free_min[2];	/**< of the fullest target */
	uint64_t ps_free_max[2];	/**< of the emptiest target */
	uint64_t ps_free_mean[2];	/**< of a target on average */
	uint32_t ps_ntargets;		/**< number of targets that were counted */
	uint32_t ps_padding;
};

/** Status of the latest rebuild. */
struct daos_rebuild_status {
	uint32_t rs_version;			/**< version of the pool map; 0: there was none */
	uint32_t rs_seconds;			/**< how long it took so far */
	int32_t rs_errno;			/**< 0 or -DER_xxx */
	union {
		int32_t rs_state;		/**< DRS_ */
		int32_t rs_done;
	};
	uint16_t rs_max_supported_layout_ver;
	uint8_t rs_flags;
	uint8_t rs_reserved_;
	int32_t rs_fail_rank;			/**< rank that failed, with rs_errno */
	uint64_t rs_toberb_obj_nr;		/**< objects to rebuild */
	uint64_t rs_obj_nr;			/**< objects that were rebuilt */
	uint64_t rs_rec_nr;			/**< records that were */
	uint64_t rs_size;			/**< bytes that were */
};

/** A pool, as daos_pool_query() tells. */
typedef struct {
	uuid_t pi_uuid;
	uint32_t pi_ntargets;	/**< targets, in service or not */
	uint32_t pi_nnodes;	/**< ranks */
	uint32_t pi_ndisabled;	/**< targets that are out */
	uint32_t pi_map_ver;	/**< version of the pool map */
	uint32_t pi_leader;	/**< rank that leads the pool service */
	uint64_t pi_bits;	/**< what to tell: DPI_ */
	struct daos_pool_space pi_space;
	struct daos_rebuild_status pi_rebuild_st;
} daos_pool_info_t;

/** A container, as daos_pool_list_cont() tells. */
struct daos_pool_cont_info {
	uuid_t pci_uuid;
	char pci_label[128];
};

/** A container, as daos_pool_filter_cont() tells. */
struct daos_pool_cont_info2 {
	struct daos_pool_cont_info pci_id;
	daos_cont_info_t pci_cinfo;
	void *pci_reserved[2];
};

/** A comparison of a filter. */
typedef struct daos_pool_cont_filter_part {
	uint32_t pcfp_func;		/**< PCF_FUNC_ */
	uint32_t pcfp_key;		/**< PCF_KEY_ */
	union {
		uint64_t pcfp_val64;
		d_string_t pcfp_valstr;
	};
} daos_pool_cont_filter_part_t;

/** A filter of containers. */
typedef struct daos_pool_cont_filter {
	uint32_t pcf_combine_func;			/**< PCF_COMBINE_ */
	uint32_t pcf_nparts;				/**< number of comparisons */
	struct daos_pool_cont_filter_part **pcf_parts;	/**< of the library's */
} daos_pool_cont_filter_t;

/**
 * Connects to a pool, by which its containers can be reached.
 *
 * \param[in] pool  Label or UUID string.
 * \param[in] sys  Name of the system, NULL or "": the one of the agent.
 * \param[in] flags  One of DAOS_PC_RO, DAOS_PC_RW, DAOS_PC_EX.
 * \param[out] poh  Handle, to be released with daos_pool_disconnect().
 * \param[in,out] info  What daos_pool_query() tells, pi_bits says what of it; NULL if not wanted.
 * \param[in] ev  Event that the result goes to; NULL: wait for it.
 * \return 0; -DER_INVAL: another system's name, flags that contradict each other, a malformed name, poh is NULL;
 *     -DER_NONEXIST: no such pool; -DER_NO_PERM: the access control list does not allow it; -DER_BUSY: connected
 *     exclusively by another, or asked exclusively while connected; -DER_AGENT_COMM: the agent does not answer;
 *     -DER_UNINIT: before daos_init().
 */
int daos_pool_connect2(const char *pool, const char *sys, unsigned int flags, daos_handle_t *poh,
                       daos_pool_info_t *info, daos_event_t *ev);

/**
 * Adds a comparison to a filter.
 *
 * \param[in,out] filt  Filter of daos_pool_cont_filter_init().
 * \param[in] part  The comparison; it stays the caller's, and must stay as long as the filter is used.
 * \return 0; -DER_INVAL: one of them is NULL; -DER_NOMEM.
 */
int daos_pool_cont_filter_add(daos_pool_cont_filter_t *filt, daos_pool_cont_filter_part_t *part);

/**
 * Frees what the library holds of a filter; the comparisons are the caller's.
 *
 * \param[in,out] filt  The filter, without comparisons afterwards; NULL is no error.
 */
void daos_pool_cont_filter_fini(daos_pool_cont_filter_t *filt);

/**
 * Starts a filter of containers, to be ended with daos_pool_cont_filter_fini().
 *
 * \param[out] filt  The filter, without comparisons.
 * \param[in] combine_func  PCF_COMBINE_LOGICAL_AND: all comparisons must hold; PCF_COMBINE_LOGICAL_OR: one of them.
 * \return 0; -DER_INVAL: filt is NULL, or another combine_func.
 */
int daos_pool_cont_filter_init(daos_pool_cont_filter_t *filt, uint32_t combine_func);

/**
 * Deletes user attributes. Names that do not exist are no error.
 *
 * \param[in] poh  Pool, open for writing.
 * \param[in] n  Number of names; not 0.
 * \param[in] names  Names of 1 to 511 bytes.
 * \param[in] ev  Event that the result goes to; NULL: wait for it.
 * \return 0; -DER_NO_HDL: no such pool handle; -DER_INVAL: no names, a NULL or empty one, or one too long;
 *     -DER_NO_PERM: open for reading only.
 */
int daos_pool_del_attr(daos_handle_t poh, int n, const char *const names[], daos_event_t *ev);

/**
 * Releases a pool handle. Containers opened through it must be closed before.
 *
 * \param[in] poh  Pool handle.
 * \param[in] ev  Event that the result goes to; NULL: wait for it.
 * \return 0; -DER_NO_HDL: no such pool handle; -DER_BUSY: a container is open through it.
 */
int daos_pool_disconnect(daos_handle_t poh, daos_event_t *ev);

/**
 * Lists the containers of a pool that meet conditions, in order of label, with their state.
 *
 * \param[in] poh  Pool handle.
 * \param[in] filter  At most DAOS_POOL_CONT_FILTER_MAX_NPARTS comparisons; none, or NULL: every container.
 * \param[in,out] ncont  Elements of cbuf (0: only ask for the number), then the number of containers that meet them.
 * \param[out] cbuf  The containers; NULL: only their number.
 * \param[in] ev  Event that the result goes to; NULL: wait for it.
 * \return 0; -DER_NO_HDL: no such pool handle; -DER_INVAL: ncont is NULL, or the filter has an unknown key or comparison,
 *     or too many; -DER_TRUNC: cbuf is too small, *ncont says what is needed.
 */
int daos_pool_filter_cont(daos_handle_t poh, daos_pool_cont_filter_t *filter, daos_size_t *ncont,
                          struct daos_pool_cont_info2 *cbuf, daos_event_t *ev);

/**
 * Reads user attributes. All must exist.
 *
 * \param[in] poh  Pool handle.
 * \param[in] n  Number of names; not 0.
 * \param[in] names  Names of 1 to 511 bytes.
 * \param[out] buffers  One buffer per name, filled as far as it goes; NULL, or a NULL among them: only the size.
 * \param[in,out] sizes  Bytes of each buffer, then bytes of each value.
 * \param[in] ev  Event that the result goes to; NULL: wait for it.
 * \return 0; -DER_NO_HDL: no such pool handle; -DER_INVAL: no names, a bad one, or sizes is NULL; -DER_NONEXIST:
 *     one of them does not exist.
 */
int daos_pool_get_attr(daos_handle_t poh, int n, const char *const names[], void *const buffers[],
                       size_t sizes[], daos_event_t *ev);

/**
 * Works out what an access control list and ownership allow a user. Sends nothing.
 *
 * \param[in] pool_prop  Properties with DAOS_PROP_PO_ACL, _OWNER and _OWNER_GROUP, as daos_pool_query() gives them.
 * \param[in] uid  User.
 * \param[in] gids  Groups of the user; NULL if nr_gids is 0.
 * \param[in] nr_gids  Number of groups.
 * \param[out] perms  DAOS_ACL_PERM_ bits.
 * \return 0; -DER_INVAL: a NULL, or properties that lack one of the three; -DER_NONEXIST: the user or a group is
 *     not known on this node; -DER_NOMEM.
 */
int daos_pool_get_perms(daos_prop_t *pool_prop, uid_t uid, gid_t *gids, size_t nr_gids,
                        uint64_t *perms);

/**
 * Opens a pool handle that another process has turned into bytes with daos_pool_local2global(). Sends nothing; it
 * is released with daos_pool_disconnect().
 *
 * \param[in] glob  The bytes.
 * \param[out] poh  The handle.
 * \return 0; -DER_UNINIT: before daos_init(); -DER_INVAL: not such bytes, or those of another system;
 *     -DER_MISMATCH: made by another version of the library.
 */
int daos_pool_global2local(d_iov_t glob, daos_handle_t *poh);

/**
 * Lists the names of the user attributes.
 *
 * \param[in] poh  Pool handle.
 * \param[out] buffer  Names, each followed by a NUL, as many whole ones as fit; may be NULL if *size is 0.
 * \param[in,out] size  Bytes of buffer, then the bytes that all names take.
 * \param[in] ev  Event that the result goes to; NULL: wait for it.
 * \return 0; -DER_NO_HDL: no such pool handle; -DER_INVAL: size is NULL, or buffer is NULL and *size is not 0.
 */
int daos_pool_list_attr(daos_handle_t poh, char *buffer, size_t *size, daos_event_t *ev);

/**
 * Lists the containers of a pool.
 *
 * \param[in] poh  Pool handle.
 * \param[in,out] ncont  Elements of cbuf, then the number of containers.
 * \param[out] cbuf  UUID and label (empty if none) of each; NULL: only the number.
 * \param[in] ev  Event that the result goes to; NULL: wait for it.
 * \return 0; -DER_NO_HDL: no such pool handle; -DER_INVAL: ncont is NULL; -DER_TRUNC: cbuf is too small, *ncont
 *     says what is needed; -DER_NO_PERM: the user may not list containers.
 */
int daos_pool_list_cont(daos_handle_t poh, daos_size_t *ncont, struct daos_pool_cont_info *cbuf,
                        daos_event_t *ev);

/**
 * Turns a handle into bytes with which other processes of the same user can open it.
 *
 * \param[in] poh  Pool handle.
 * \param[in,out] glob  iov_buf NULL: only the number of bytes, into iov_buf_len. Else the bytes go there, their
 *     number into iov_len.
 * \return 0; -DER_NO_HDL: no such pool handle; -DER_INVAL: glob is NULL or its lengths contradict each other;
 *     -DER_TRUNC: iov_buf_len is too small, and now says what is needed.
 */
int daos_pool_local2global(daos_handle_t poh, d_iov_t *glob);

/**
 * Tells about a pool.
 *
 * \param[in] poh  Pool handle.
 * \param[out] ranks  Ranks, the caller's to free with d_rank_list_free(): those in service if info asks with
 *     DPI_ENGINES_ENABLED, else those out of it. NULL if not wanted.
 * \param[in,out] info  pi_bits says what is wanted (DPI_), e.g. DPI_SPACE to ask all targets for their space; NULL
 *     if not wanted. Sizes are bytes; ps_free_min, _max and _mean are per target.
 * \param[in,out] pool_prop  Properties to fill: those whose dpe_type is set, or all if dpp_nr is 0. Values are
 *     allocated, the caller releases them with daos_prop_fini() or daos_prop_free(). NULL if not wanted.
 * \param[in] ev  Event that the result goes to; NULL: wait for it.
 * \return 0; -DER_NO_HDL: no such pool handle; -DER_INVAL: an unknown property is asked for; -DER_NOMEM.
 */
int daos_pool_query(daos_handle_t poh, d_rank_list_t **ranks, daos_pool_info_t *info,
                    daos_prop_t *pool_prop, daos_event_t *ev);

/**
 * Tells the state and space of one target.
 *
 * \param[in] poh  Pool handle.
 * \param[in] tgt  Number of the target in its engine, from 0.
 * \param[in] rank  Rank of the engine.
 * \param[out] info  State (DAOS_TS_), and total and free bytes per medium (DAOS_MEDIA_SCM, DAOS_MEDIA_NVME).
 * \param[in] ev  Event that the result goes to; NULL: wait for it.
 * \return 0; -DER_NO_HDL: no such pool handle; -DER_INVAL: info is NULL; -DER_NONEXIST: no such target in the pool.
 */
int daos_pool_query_target(daos_handle_t poh, uint32_t tgt, d_rank_t rank, daos_target_info_t *info,
                           daos_event_t *ev);

/**
 * Sets user attributes, all or none; those that exist are replaced.
 *
 * \param[in] poh  Pool, open for writing.
 * \param[in] n  Number of attributes; not 0.
 * \param[in] names  Names of 1 to 511 bytes.
 * \param[in] values  Values.
 * \param[in] sizes  Bytes of each value; 1 to 1 MiB.
 * \param[in] ev  Event that the result goes to; NULL: wait for it.
 * \return 0; -DER_NO_HDL: no such pool handle; -DER_INVAL: no names, a bad name, value or size; -DER_NO_PERM: open
 *     for reading only; -DER_NOSPACE.
 */
int daos_pool_set_attr(daos_handle_t poh, int n, const char *const names[],
                       const void *const values[], const size_t sizes[], daos_event_t *ev);

/** The comparison as an operator, for messages. */
static inline const char *
daos_pool_cont_filter_func_str(enum daos_pool_cont_filter_func f)
{
	switch (f) {
	case PCF_FUNC_EQ:
		return "==";
	case PCF_FUNC_NE:
		return "!=";
	case PCF_FUNC_LT:
		return "<";
	case PCF_FUNC_LE:
		return "<=";
	case PCF_FUNC_GT:
		return ">";
	case PCF_FUNC_GE:
		return ">=";
	default:
		return "UNKNOWN";
	}
}

/** The name of a key that containers are filtered by, for messages. */
static inline const char *
daos_pool_cont_filter_key_str(enum daos_pool_cont_filter_key k)
{
	switch (k) {
	case PCF_KEY_MD_OTIME:
		return "md_open_time";
	case PCF_KEY_MD_MTIME:
		return "md_modify_time";
	case PCF_KEY_NUM_SNAPSHOTS:
		return "num_snapshots";
	case PCF_KEY_NUM_HANDLES:
		return "num_handles";
	default:
		return "UNKNOWN";
	}
}

#if defined(__cplusplus)
}
#endif

#endif /* DAOS_INC_DAOS_POOL_H */
