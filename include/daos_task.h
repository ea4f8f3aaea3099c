/*
 * SPDX-License-Identifier: BSD-2-Clause-Patent
 *
 * API calls as tasks: operation codes and argument records.
 *
 * Functions return 0 or -DER_xxx. Those with an event: NULL makes the call wait until it is done; else it returns
 * at once, the result arrives in ev->ev_error, and everything passed by pointer must stay until then.
 *
 * Errors that any of them can give and that are not repeated below: -DER_UNINIT before daos_init() and after
 * daos_fini(); -DER_NOMEM; with an event, -DER_INVAL: it was not initialised or was finalised, -DER_NO_PERM: it is in
 * use, -DER_NONEXIST: its queue is being destroyed; of those that talk to servers, -DER_UNREACH and -DER_TIMEDOUT: a
 * server did not answer for too long.
 */
#ifndef DAOS_INC_DAOS_TASK_H
#define DAOS_INC_DAOS_TASK_H

#include <daos_types.h>
#include <daos_obj.h>
#include <daos_kv.h>
#include <daos_array.h>
#include <daos_errno.h>
#include <daos_prop.h>
#include <daos_cont.h>
#include <daos_pool.h>
#include <daos_mgmt.h>
#include <daos/tse.h>
#include <daos_pipeline.h>

#if defined(__cplusplus)
extern "C" {
#endif

typedef enum {
	DAOS_OPC_INVALID = -1,
	DAOS_OPC_MGMT_LIST_POOLS = 2,
	DAOS_OPC_SET_PARAMS = 3,
	DAOS_OPC_MGMT_GET_BS_STATE = 4,
	DAOS_OPC_POOL_CONNECT = 5,
	DAOS_OPC_POOL_DISCONNECT = 6,
	DAOS_OPC_POOL_EXCLUDE = 7,
	DAOS_OPC_POOL_EXCLUDE_OUT = 8,
	DAOS_OPC_POOL_ADD = 9,
	DAOS_OPC_POOL_QUERY = 10,
	DAOS_OPC_POOL_QUERY_INFO = 11,
	DAOS_OPC_POOL_LIST_ATTR = 12,
	DAOS_OPC_POOL_GET_ATTR = 13,
	DAOS_OPC_POOL_SET_ATTR = 14,
	DAOS_OPC_POOL_DEL_ATTR = 15,
	DAOS_OPC_POOL_STOP_SVC = 16,
	DAOS_OPC_POOL_LIST_CONT = 17,
	DAOS_OPC_CONT_CREATE = 18,
	DAOS_OPC_CONT_OPEN = 19,
	DAOS_OPC_CONT_CLOSE = 20,
	DAOS_OPC_CONT_DESTROY = 21,
	DAOS_OPC_CONT_QUERY = 22,
	DAOS_OPC_CONT_SET_PROP = 23,
	DAOS_OPC_CONT_UPDATE_ACL = 24,
	DAOS_OPC_CONT_DELETE_ACL = 25,
	DAOS_OPC_CONT_AGGREGATE = 26,
	DAOS_OPC_CONT_ROLLBACK = 27,
	DAOS_OPC_CONT_SUBSCRIBE = 28,
	DAOS_OPC_CONT_LIST_ATTR = 29,
	DAOS_OPC_CONT_GET_ATTR = 30,
	DAOS_OPC_CONT_SET_ATTR = 31,
	DAOS_OPC_CONT_DEL_ATTR = 32,
	DAOS_OPC_CONT_ALLOC_OIDS = 33,
	DAOS_OPC_CONT_LIST_SNAP = 34,
	DAOS_OPC_CONT_CREATE_SNAP = 35,
	DAOS_OPC_CONT_DESTROY_SNAP = 36,
	DAOS_OPC_TX_OPEN = 37,
	DAOS_OPC_TX_COMMIT = 38,
	DAOS_OPC_TX_ABORT = 39,
	DAOS_OPC_TX_OPEN_SNAP = 40,
	DAOS_OPC_TX_CLOSE = 41,
	DAOS_OPC_TX_RESTART = 42,
	DAOS_OPC_OBJ_QUERY_CLASS = 44,
	DAOS_OPC_OBJ_LIST_CLASS = 45,
	DAOS_OPC_OBJ_OPEN = 46,
	DAOS_OPC_OBJ_CLOSE = 47,
	DAOS_OPC_OBJ_PUNCH = 48,
	DAOS_OPC_OBJ_PUNCH_DKEYS = 49,
	DAOS_OPC_OBJ_PUNCH_AKEYS = 50,
	DAOS_OPC_OBJ_QUERY = 51,
	DAOS_OPC_OBJ_QUERY_KEY = 52,
	DAOS_OPC_OBJ_SYNC = 53,
	DAOS_OPC_OBJ_FETCH = 54,
	DAOS_OPC_OBJ_UPDATE = 55,
	DAOS_OPC_OBJ_LIST_DKEY = 56,
	DAOS_OPC_OBJ_LIST_AKEY = 57,
	DAOS_OPC_OBJ_LIST_RECX = 58,
	DAOS_OPC_OBJ_LIST_OBJ = 59,
	DAOS_OPC_ARRAY_CREATE = 60,
	DAOS_OPC_ARRAY_OPEN = 61,
	DAOS_OPC_ARRAY_CLOSE = 62,
	DAOS_OPC_ARRAY_DESTROY = 63,
	DAOS_OPC_ARRAY_READ = 64,
	DAOS_OPC_ARRAY_WRITE = 65,
	DAOS_OPC_ARRAY_PUNCH = 66,
	DAOS_OPC_ARRAY_GET_SIZE = 67,
	DAOS_OPC_ARRAY_SET_SIZE = 68,
	DAOS_OPC_ARRAY_STAT = 69,
	DAOS_OPC_KV_OPEN = 70,
	DAOS_OPC_KV_CLOSE = 71,
	DAOS_OPC_KV_DESTROY = 72,
	DAOS_OPC_KV_GET = 73,
	DAOS_OPC_KV_PUT = 74,
	DAOS_OPC_KV_REMOVE = 75,
	DAOS_OPC_KV_LIST = 76,
	DAOS_OPC_POOL_FILTER_CONT = 77,
	DAOS_OPC_OBJ_KEY2ANCHOR = 78,
	DAOS_OPC_CONT_SNAP_OIT_CREATE = 79,
	DAOS_OPC_CONT_SNAP_OIT_DESTROY = 80,
	DAOS_OPC_PIPELINE_RUN = 81,
	DAOS_OPC_MAX = 82,
} daos_opc_t;

typedef struct {
	daos_handle_t th;
	daos_handle_t oh;
	uint64_t flags;
	daos_key_t *dkey;
	uint32_t nr;
	uint32_t extra_flags;
	daos_iod_t *iods;
	d_sg_list_t *sgls;
	daos_iom_t *ioms;
	void *extra_arg;
	d_iov_t *csum_iov;
} daos_obj_rw_t;

typedef daos_obj_rw_t daos_obj_fetch_t;

typedef daos_obj_rw_t daos_obj_update_t;

typedef struct {
	daos_handle_t oh;
	daos_handle_t th;
	daos_key_t *dkey;
	daos_key_t *akey;
	uint32_t *nr;
	daos_key_desc_t *kds;
	d_sg_list_t *sgl;
	daos_size_t *size;
	daos_iod_type_t type;
	daos_recx_t *recxs;
	daos_epoch_range_t *eprs;
	daos_anchor_t *anchor;
	daos_anchor_t *dkey_anchor;
	daos_anchor_t *akey_anchor;
	uint32_t *versions;
	d_iov_t *csum;
	bool incr_order;
} daos_obj_list_t;

typedef daos_obj_list_t daos_obj_list_dkey_t;

typedef daos_obj_list_t daos_obj_list_akey_t;

typedef daos_obj_list_t daos_obj_list_recx_t;

/*
 * Of an object whole (DAOS_OPC_OBJ_LIST_OBJ): entries one behind the other in sgl, kds[].kd_key_len bytes each, *nr of
 * them. kd_val_type: 2 a dkey; 3 an akey of the last dkey; 4 the record of its single value; 5 records of its extents. A
 * record is a daos_recx_t, a daos_epoch_range_t, u64 size in bytes, u32 version, u32 flags; with bit 0 of the flags a
 * single value follows it. dkey_anchor, akey_anchor and anchor are all zero to begin; the end is dkey_anchor's. Each
 * answer begins with the keys that it goes on in. -DER_KEY2BIG: kds[0].kd_key_len bytes and three entries are needed.
 */
typedef daos_obj_list_t daos_obj_list_obj_t;

typedef daos_obj_list_t daos_obj_key2anchor_t;

typedef struct {
	const char *grp;
	d_rank_t rank;
	uint32_t key_id;
	uint64_t value;
	uint64_t value_extra;
} daos_set_params_t;

typedef struct {
	uuid_t uuid;
	const char *grp;
	unsigned int flags;
	daos_handle_t *poh;
	daos_pool_info_t *info;
	const char *pool;
} daos_pool_connect_t;

typedef struct {
	daos_handle_t poh;
} daos_pool_disconnect_t;

typedef struct {
	uuid_t uuid;
	const char *grp;
	d_rank_list_t *svc;
	struct d_tgt_list *tgts;
} daos_pool_update_t;

struct daos_obj_register_class_t {
	daos_handle_t coh;
	daos_oclass_id_t cid;
	struct daos_oclass_attr *cattr;
};

typedef struct {
	const char *grp;
	daos_mgmt_pool_info_t *pools;
	daos_size_t *npools;
} daos_mgmt_pool_list_t;

typedef struct {
	daos_handle_t poh;
	d_rank_list_t **ranks;
	daos_pool_info_t *info;
	daos_prop_t *prop;
} daos_pool_query_t;

typedef struct {
	daos_handle_t poh;
	uint32_t tgt_idx;
	d_rank_t rank;
	daos_target_info_t *info;
} daos_pool_query_target_t;

typedef struct {
	daos_handle_t poh;
	daos_size_t *ncont;
	struct daos_pool_cont_info *cont_buf;
} daos_pool_list_cont_t;

typedef struct {
	daos_handle_t poh;
	daos_pool_cont_filter_t *filt;
	daos_size_t *ncont;
	struct daos_pool_cont_info2 *cont_buf;
} daos_pool_filter_cont_t;

typedef struct {
	daos_handle_t poh;
	char *buf;
	size_t *size;
} daos_pool_list_attr_t;

typedef struct {
	daos_handle_t poh;
	int n;
	const char *const *names;
	void *const *values;
	size_t *sizes;
} daos_pool_get_attr_t;

typedef struct {
	daos_handle_t poh;
	int n;
	const char *const *names;
	const void *const *values;
	const size_t *sizes;
} daos_pool_set_attr_t;

typedef struct {
	daos_handle_t poh;
	int n;
	const char *const *names;
} daos_pool_del_attr_t;

typedef struct {
	uuid_t uuid;
	const char *group;
	d_rank_list_t *targets;
	d_rank_list_t *failed;
} daos_pool_replicas_t;

typedef struct {
	const char *grp;
	uuid_t uuid;
	int *state;
} daos_mgmt_get_bs_state_t;

typedef struct {
	daos_handle_t poh;
} daos_pool_stop_svc_t;

typedef struct {
	daos_handle_t poh;
	uuid_t uuid;
	daos_prop_t *prop;
	uuid_t *cuuid;
} daos_cont_create_t;

typedef struct {
	daos_handle_t poh;
	uuid_t uuid;
	unsigned int flags;
	daos_handle_t *coh;
	daos_cont_info_t *info;
	const char *cont;
} daos_cont_open_t;

typedef struct {
	daos_handle_t coh;
} daos_cont_close_t;

typedef struct {
	daos_handle_t poh;
	uuid_t uuid;
	int force;
	const char *cont;
} daos_cont_destroy_t;

typedef struct {
	daos_handle_t coh;
	daos_cont_info_t *info;
	daos_prop_t *prop;
} daos_cont_query_t;

typedef struct {
	daos_handle_t coh;
	daos_prop_t *prop;
} daos_cont_set_prop_t;

typedef struct {
	daos_handle_t coh;
	struct daos_acl *acl;
} daos_cont_update_acl_t;

typedef struct {
	daos_handle_t coh;
	uint8_t type;
	d_string_t name;
} daos_cont_delete_acl_t;

typedef struct {
	daos_handle_t coh;
	daos_epoch_t epoch;
} daos_cont_aggregate_t;

typedef struct {
	daos_handle_t coh;
	daos_epoch_t epoch;
} daos_cont_rollback_t;

typedef struct {
	daos_handle_t coh;
	daos_epoch_t *epoch;
} daos_cont_subscribe_t;

typedef struct {
	daos_handle_t coh;
	char *buf;
	size_t *size;
} daos_cont_list_attr_t;

typedef struct {
	daos_handle_t coh;
	int n;
	const char *const *names;
	void *const *values;
	size_t *sizes;
} daos_cont_get_attr_t;

typedef struct {
	daos_handle_t coh;
	int n;
	const char *const *names;
	const void *const *values;
	const size_t *sizes;
} daos_cont_set_attr_t;

typedef struct {
	daos_handle_t coh;
	int n;
	const char *const *names;
} daos_cont_del_attr_t;

typedef struct {
	daos_handle_t coh;
	daos_size_t num_oids;
	uint64_t *oid;
} daos_cont_alloc_oids_t;

typedef struct {
	daos_handle_t coh;
	int *nr;
	daos_epoch_t *epochs;
	char **names;
	daos_anchor_t *anchor;
} daos_cont_list_snap_t;

typedef struct {
	daos_handle_t coh;
	unsigned int opts;
	daos_epoch_t *epoch;
	char *name;
} daos_cont_create_snap_t;

typedef struct {
	daos_handle_t coh;
	daos_epoch_range_t epr;
} daos_cont_destroy_snap_t;

typedef struct {
	daos_handle_t coh;
	daos_epoch_t epoch;
	daos_obj_id_t *oid;
} daos_cont_snap_oit_oid_get_t;

typedef struct {
	daos_handle_t coh;
	daos_epoch_t epoch;
	char *name;
} daos_cont_snap_oit_create_t;

typedef struct {
	daos_handle_t coh;
	daos_epoch_t epoch;
} daos_cont_snap_oit_destroy_t;

typedef struct {
	daos_handle_t coh;
	daos_handle_t *th;
	uint64_t flags;
} daos_tx_open_t;

typedef struct {
	daos_handle_t th;
	uint32_t flags;
} daos_tx_commit_t;

typedef struct {
	daos_handle_t th;
} daos_tx_abort_t;

typedef struct {
	daos_handle_t coh;
	daos_epoch_t epoch;
	daos_handle_t *th;
} daos_tx_open_snap_t;

typedef struct {
	daos_handle_t th;
} daos_tx_close_t;

typedef struct {
	daos_handle_t th;
} daos_tx_restart_t;

typedef struct {
	daos_handle_t coh;
	daos_oclass_id_t cid;
	struct daos_oclass_attr *cattr;
} daos_obj_query_class_t;

typedef struct {
	daos_handle_t coh;
	struct daos_oclass_list *clist;
	daos_anchor_t *anchor;
} daos_obj_list_class_t;

typedef struct {
	daos_handle_t coh;
	daos_obj_id_t oid;
	unsigned int mode;
	daos_handle_t *oh;
} daos_obj_open_t;

typedef struct {
	daos_handle_t oh;
} daos_obj_close_t;

typedef struct {
	daos_handle_t th;
	daos_handle_t oh;
	daos_key_t *dkey;
	daos_key_t *akeys;
	uint64_t flags;
	unsigned int akey_nr;
} daos_obj_punch_t;

typedef struct {
	daos_handle_t oh;
	daos_handle_t th;
	struct daos_obj_attr *oa;
	d_rank_list_t *ranks;
} daos_obj_query_t;

typedef struct {
	daos_handle_t oh;
	daos_handle_t th;
	daos_key_t *dkey;
	daos_key_t *akey;
	daos_recx_t *recx;
	uint64_t flags;
	daos_epoch_t *max_epoch;
} daos_obj_query_key_t;

struct daos_obj_sync_args {
	daos_handle_t oh;
	daos_epoch_t epoch;
	daos_epoch_t **epochs_p;
	int *nr;
};

typedef struct {
	daos_handle_t coh;
	daos_obj_id_t oid;
	daos_handle_t th;
	daos_size_t cell_size;
	daos_size_t chunk_size;
	daos_handle_t *oh;
} daos_array_create_t;

typedef struct {
	daos_handle_t coh;
	daos_obj_id_t oid;
	daos_handle_t th;
	unsigned int mode;
	unsigned int open_with_attr;
	daos_size_t *cell_size;
	daos_size_t *chunk_size;
	daos_handle_t *oh;
} daos_array_open_t;

typedef struct {
	daos_handle_t oh;
} daos_array_close_t;

typedef struct {
	daos_handle_t oh;
	daos_handle_t th;
	daos_array_iod_t *iod;
	d_sg_list_t *sgl;
} daos_array_io_t;

typedef struct {
	daos_handle_t oh;
	daos_handle_t th;
	daos_size_t *size;
} daos_array_get_size_t;

typedef struct {
	daos_handle_t oh;
	daos_handle_t th;
	daos_array_stbuf_t *stbuf;
} daos_array_stat_t;

typedef struct {
	daos_handle_t oh;
	daos_handle_t th;
	daos_size_t size;
} daos_array_set_size_t;

typedef struct {
	daos_handle_t oh;
	daos_handle_t th;
} daos_array_destroy_t;

typedef struct {
	daos_handle_t coh;
	daos_obj_id_t oid;
	unsigned int mode;
	daos_handle_t *oh;
} daos_kv_open_t;

typedef struct {
	daos_handle_t oh;
} daos_kv_close_t;

typedef struct {
	daos_handle_t oh;
	daos_handle_t th;
} daos_kv_destroy_t;

typedef struct {
	daos_handle_t oh;
	daos_handle_t th;
	uint64_t flags;
	const char *key;
	daos_size_t *buf_size;
	void *buf;
} daos_kv_get_t;

typedef struct {
	daos_handle_t oh;
	daos_handle_t th;
	uint64_t flags;
	const char *key;
	daos_size_t buf_size;
	const void *buf;
} daos_kv_put_t;

typedef struct {
	daos_handle_t oh;
	daos_handle_t th;
	uint64_t flags;
	const char *key;
} daos_kv_remove_t;

typedef struct {
	daos_handle_t oh;
	daos_handle_t th;
	uint32_t *nr;
	daos_key_desc_t *kds;
	d_sg_list_t *sgl;
	daos_anchor_t *anchor;
} daos_kv_list_t;

typedef struct {
	daos_handle_t oh;
	daos_handle_t th;
	daos_pipeline_t *pipeline;
	uint64_t flags;
	daos_key_t *dkey;
	uint32_t *nr_iods;
	daos_iod_t *iods;
	daos_anchor_t *anchor;
	uint32_t *nr_kds;
	daos_key_desc_t *kds;
	d_sg_list_t *sgl_keys;
	d_sg_list_t *sgl_recx;
	daos_size_t *recx_size;
	d_sg_list_t *sgl_agg;
	daos_pipeline_stats_t *stats;
} daos_pipeline_run_t;

/**
 * Moves the tasks of a scheduler on, and the API operations that they have launched, until none is left or the time
 * is over. Callbacks run on this thread; several threads may be in here for one scheduler.
 *
 * \param[in,out] sched  The scheduler.
 * \param[in] timeout  How long to wait, in microseconds; 0: one look; negative: no limit.
 * \param[out] is_empty  Gets whether no task is scheduled, asleep or under way.
 * \return 0: empty; -DER_TIMEDOUT: the time is over (the usual answer of a loop); -DER_INVAL: no scheduler, no \a
 *     is_empty; -DER_UNINIT: tasks launched operations before the library was finalised or the process forked.
 */
int daos_progress(tse_sched_t *sched, int64_t timeout, bool *is_empty);

/**
 * Makes a task that does an API call. Its arguments are filled in (daos_task_get_args()) before its body runs: before
 * it is scheduled, or in a preparation callback. What they point to stays until the task has completed. The task's
 * result is what the call answers; like every task it is scheduled by tse_task_schedule() and freed by its
 * completion.
 *
 * \param[in] opc  The call, DAOS_OPC_xxx.
 * \param[in,out] sched  The scheduler it will run on.
 * \param[in] num_deps  How many tasks it waits for.
 * \param[in] dep_tasks  Those tasks, or NULL.
 * \param[out] taskp  Gets the task.
 * \return 0; -DER_NOSYS: there is no such call; -DER_INVAL: no scheduler, no \a taskp, an array of no tasks, a task
 *     of the array is none; -DER_NOMEM. Calls that the public API has no function for complete with -DER_NOSYS when
 *     they run.
 */
int daos_task_create(daos_opc_t opc, tse_sched_t *sched, unsigned int num_deps,
                     tse_task_t *dep_tasks[], tse_task_t **taskp);

/**
 * The argument record of a task, as its call has it (daos_obj_fetch_t for DAOS_OPC_OBJ_FETCH, ...). Zero in a new
 * task; a task that is reset keeps the bytes of before.
 *
 * \param[in] task  The task.
 * \return The record, inside the task; NULL: the task is not one of daos_task_create() or daos_task_reset().
 */
void *daos_task_get_args(tse_task_t *task);

/**
 * The pointer of daos_task_set_priv(), which is another one than that of tse_task_set_priv().
 *
 * \param[in] task  The task.
 * \return The pointer, the program's; NULL: none, or not a task.
 */
void *daos_task_get_priv(tse_task_t *task);

/**
 * tse_task_reset() for an API call: a completed task that has a user gets another call to do; its pointer
 * (tse_task_get_priv()) becomes NULL.
 *
 * \param[in] task  The task.
 * \param[in] opc  The call, DAOS_OPC_xxx.
 * \return 0; -DER_NOSYS: there is no such call; -DER_INVAL, -DER_NO_PERM: as tse_task_reset().
 */
int daos_task_reset(tse_task_t *task, daos_opc_t opc);

/**
 * Keeps a pointer of the caller's in a task. Returns the old one.
 *
 * \param[in] task  The task.
 * \param[in] priv  The caller's pointer.
 * \return The pointer of before; NULL also if it is not a task.
 */
void *daos_task_set_priv(tse_task_t *task, void *priv);

#if defined(__cplusplus)
}
#endif

#endif /* DAOS_INC_DAOS_TASK_H */
