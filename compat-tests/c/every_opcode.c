/*
 * Aim: each operation code does, as a task, what its function does: with the same arguments the same answer and the same
 * effect. Functions that this version does not have answer -DER_NOSYS both ways; so do the codes without a function.
 */
#include "../../libdaos/tests/c/check.h"
#include <daos_security.h>
#include <daos_task.h>
#include <gurt/common.h>
#include <uuid/uuid.h>

static tse_sched_t   sched;
static daos_handle_t poh, coh;
static bool          seen[DAOS_OPC_MAX];

/* Runs one task with a copy of the arguments; its result. */
static int
as_task(daos_opc_t opc, const void *args, size_t size)
{
	tse_task_t *task;
	bool        empty;
	int         rc;

	OK(daos_task_create(opc, &sched, 0, NULL, &task));
	if (size > 0)
		memcpy(daos_task_get_args(task), args, size);
	tse_task_addref(task);
	OK(tse_task_schedule(task, opc % 2));
	OK(daos_progress(&sched, -1, &empty));
	CHECK(empty);
	rc = task->dt_result;
	tse_task_decref(task);
	seen[opc] = true;
	return rc;
}

#define TASK(opc, type, ...)                                                                                           \
	({                                                                                                             \
		type args_ = {__VA_ARGS__};                                                                            \
		as_task(opc, &args_, sizeof(args_));                                                                   \
	})

/* The task answers what the call answers. */
#define SAME(call, opc, type, ...)                                                                                     \
	do {                                                                                                           \
		int direct_ = (call);                                                                                     \
		CHECK_RC(TASK(opc, type, __VA_ARGS__), direct_);                                                       \
	} while (0)

static void
pools(const char *label)
{
	daos_handle_t               other;
	daos_pool_info_t            info = {.pi_bits = DPI_ALL};
	daos_target_info_t          target;
	d_rank_list_t              *ranks = NULL;
	const char                 *names[] = {"task.attr"}, *missing[] = {"no.such"};
	const void                 *values[] = {"value"};
	size_t                      sizes[] = {6}, size;
	char                        buf[64] = {0};
	void                       *places[] = {buf};
	daos_size_t                 n = 0, m = 0;
	struct daos_pool_cont_info *conts;
	daos_pool_cont_filter_t     filter;

	STEP("pools");
	OK(TASK(DAOS_OPC_POOL_CONNECT, daos_pool_connect_t, .pool = label, .flags = DAOS_PC_RW, .poh = &poh));
	OK(TASK(DAOS_OPC_POOL_QUERY, daos_pool_query_t, .poh = poh, .info = &info, .ranks = &ranks));
	CHECK(info.pi_ntargets > 0 && ranks != NULL);
	d_rank_list_free(ranks);
	{
		daos_pool_connect_t args = {.flags = DAOS_PC_RO, .poh = &other};

		uuid_copy(args.uuid, info.pi_uuid);
		OK(as_task(DAOS_OPC_POOL_CONNECT, &args, sizeof(args)));
	}
	OK(TASK(DAOS_OPC_POOL_DISCONNECT, daos_pool_disconnect_t, .poh = other));
	CHECK_RC(TASK(DAOS_OPC_POOL_DISCONNECT, daos_pool_disconnect_t, .poh = other), -DER_NO_HDL);
	memset(&target, 0, sizeof(target));
	OK(TASK(DAOS_OPC_POOL_QUERY_INFO, daos_pool_query_target_t, .poh = poh, .info = &target));
	CHECK(target.ta_state == DAOS_TS_UP_IN);
	OK(TASK(DAOS_OPC_POOL_SET_ATTR, daos_pool_set_attr_t, .poh = poh, .n = 1, .names = names, .values = values,
		.sizes = sizes));
	size = sizeof(buf);
	OK(TASK(DAOS_OPC_POOL_LIST_ATTR, daos_pool_list_attr_t, .poh = poh, .buf = buf, .size = &size));
	CHECK(size >= 10);
	sizes[0] = sizeof(buf);
	OK(TASK(DAOS_OPC_POOL_GET_ATTR, daos_pool_get_attr_t, .poh = poh, .n = 1, .names = names, .values = places,
		.sizes = sizes));
	CHECK(sizes[0] == 6 && strcmp(buf, "value") == 0);
	OK(TASK(DAOS_OPC_POOL_DEL_ATTR, daos_pool_del_attr_t, .poh = poh, .n = 1, .names = names));
	SAME(daos_pool_get_attr(poh, 1, missing, places, sizes, NULL), DAOS_OPC_POOL_GET_ATTR, daos_pool_get_attr_t,
	     .poh = poh, .n = 1, .names = missing, .values = places, .sizes = sizes);
	SAME(daos_pool_stop_svc(poh, NULL), DAOS_OPC_POOL_STOP_SVC, daos_pool_stop_svc_t, .poh = poh);
	OK(daos_pool_list_cont(poh, &m, NULL, NULL));
	OK(TASK(DAOS_OPC_POOL_LIST_CONT, daos_pool_list_cont_t, .poh = poh, .ncont = &n));
	CHECK(n == m && n > 0);
	conts = calloc(n, sizeof(*conts));
	OK(TASK(DAOS_OPC_POOL_LIST_CONT, daos_pool_list_cont_t, .poh = poh, .ncont = &n, .cont_buf = conts));
	free(conts);
	memset(&filter, 0, sizeof(filter));
	n = m = 0;
	SAME(daos_pool_filter_cont(poh, &filter, &m, NULL, NULL), DAOS_OPC_POOL_FILTER_CONT, daos_pool_filter_cont_t,
	     .poh = poh, .filt = &filter, .ncont = &n);
	CHECK(n == m);

	STEP("management");
	n = m = 0;
	SAME(daos_mgmt_list_pools(NULL, &m, NULL, NULL), DAOS_OPC_MGMT_LIST_POOLS, daos_mgmt_pool_list_t, .npools = &n);
	CHECK(n == m);
	SAME(daos_debug_set_params(NULL, -1, 0, 0, 0, NULL), DAOS_OPC_SET_PARAMS, daos_set_params_t, .rank = -1);
	{
		uuid_t none = {0};
		int    state;

		SAME(daos_mgmt_get_bs_state(NULL, none, &state, NULL), DAOS_OPC_MGMT_GET_BS_STATE,
		     daos_mgmt_get_bs_state_t, .state = &state);
	}
	for (daos_opc_t opc = DAOS_OPC_POOL_EXCLUDE; opc <= DAOS_OPC_POOL_ADD; opc++)
		CHECK_RC(as_task(opc, NULL, 0), -DER_NOSYS);
	CHECK_RC(as_task(0, NULL, 0), -DER_NOSYS);
	CHECK_RC(as_task(1, NULL, 0), -DER_NOSYS);
}

static void
containers(void)
{
	daos_cont_create_t create = {.poh = poh};
	daos_cont_open_t   open   = {.poh = poh, .flags = DAOS_COO_RW, .coh = &coh};
	uuid_t             made;
	char               text[37], buf[64] = {0};
	daos_cont_info_t   info;
	daos_prop_t       *prop, *acl_prop = NULL;
	struct daos_acl   *acl, *now;
	const char        *names[] = {"task.attr"};
	const void        *values[] = {"value"};
	size_t             sizes[] = {6}, size;
	void              *places[] = {buf};
	uint64_t           oid = 0;
	daos_epoch_t       epoch = 0, direct = 0, told = 0, epochs[4];
	daos_handle_t      th, oit;
	daos_anchor_t      anchor;
	int                nr, rc;

	STEP("containers");
	uuid_generate(create.uuid);
	create.cuuid = &made;
	OK(as_task(DAOS_OPC_CONT_CREATE, &create, sizeof(create)));
	CHECK(uuid_compare(made, create.uuid) == 0);
	uuid_copy(open.uuid, made);
	OK(as_task(DAOS_OPC_CONT_OPEN, &open, sizeof(open)));
	OK(TASK(DAOS_OPC_CONT_CLOSE, daos_cont_close_t, .coh = coh));
	uuid_unparse(made, text);
	open.cont = text;
	OK(as_task(DAOS_OPC_CONT_OPEN, &open, sizeof(open)));
	OK(TASK(DAOS_OPC_CONT_QUERY, daos_cont_query_t, .coh = coh, .info = &info));
	CHECK(uuid_compare(info.ci_uuid, made) == 0);

	prop = daos_prop_alloc(1);
	prop->dpp_entries[0].dpe_type = DAOS_PROP_CO_LABEL;
	prop->dpp_entries[0].dpe_str  = strdup("made-by-a-task");
	OK(TASK(DAOS_OPC_CONT_SET_PROP, daos_cont_set_prop_t, .coh = coh, .prop = prop));
	daos_prop_free(prop);
	acl = daos_acl_create(NULL, 0);
	{
		struct daos_ace *ace = daos_ace_create(DAOS_ACL_USER, "tasks@");

		ace->dae_access_types = DAOS_ACL_ACCESS_ALLOW;
		ace->dae_allow_perms  = DAOS_ACL_PERM_READ;
		OK(daos_acl_add_ace(&acl, ace));
		daos_ace_free(ace);
	}
	OK(TASK(DAOS_OPC_CONT_UPDATE_ACL, daos_cont_update_acl_t, .coh = coh, .acl = acl));
	daos_acl_free(acl);
	OK(daos_cont_get_acl(coh, &acl_prop, NULL));
	now = acl_prop->dpp_entries[0].dpe_val_ptr;
	{
		struct daos_ace *ace;

		OK(daos_acl_get_ace_for_principal(now, DAOS_ACL_USER, "tasks@", &ace));
	}
	daos_prop_free(acl_prop);
	OK(TASK(DAOS_OPC_CONT_DELETE_ACL, daos_cont_delete_acl_t, .coh = coh, .type = DAOS_ACL_USER, .name = "tasks@"));

	OK(TASK(DAOS_OPC_CONT_SET_ATTR, daos_cont_set_attr_t, .coh = coh, .n = 1, .names = names, .values = values,
		.sizes = sizes));
	size = sizeof(buf);
	OK(TASK(DAOS_OPC_CONT_LIST_ATTR, daos_cont_list_attr_t, .coh = coh, .buf = buf, .size = &size));
	CHECK(size == 10);
	sizes[0] = sizeof(buf);
	OK(TASK(DAOS_OPC_CONT_GET_ATTR, daos_cont_get_attr_t, .coh = coh, .n = 1, .names = names, .values = places,
		.sizes = sizes));
	CHECK(sizes[0] == 6 && strcmp(buf, "value") == 0);
	OK(TASK(DAOS_OPC_CONT_DEL_ATTR, daos_cont_del_attr_t, .coh = coh, .n = 1, .names = names));
	OK(TASK(DAOS_OPC_CONT_ALLOC_OIDS, daos_cont_alloc_oids_t, .coh = coh, .num_oids = 5, .oid = &oid));

	STEP("snapshots");
	OK(TASK(DAOS_OPC_CONT_CREATE_SNAP, daos_cont_create_snap_t, .coh = coh, .opts = DAOS_SNAP_OPT_CR,
		.epoch = &epoch));
	CHECK(epoch != 0);
	memset(&anchor, 0, sizeof(anchor));
	nr = 4;
	OK(TASK(DAOS_OPC_CONT_LIST_SNAP, daos_cont_list_snap_t, .coh = coh, .nr = &nr, .epochs = epochs,
		.anchor = &anchor));
	CHECK(nr == 1 && epochs[0] == epoch);
	rc = daos_cont_snap_oit_create(coh, epoch, NULL, NULL);
	if (rc == 0) {
		OK(daos_oit_open(coh, epoch, &oit, NULL));
		OK(daos_cont_snap_oit_destroy(coh, oit, NULL));
		OK(daos_oit_close(oit, NULL));
	}
	CHECK_RC(TASK(DAOS_OPC_CONT_SNAP_OIT_CREATE, daos_cont_snap_oit_create_t, .coh = coh, .epoch = epoch), rc);
	rc = TASK(DAOS_OPC_CONT_SNAP_OIT_DESTROY, daos_cont_snap_oit_destroy_t, .coh = coh, .epoch = epoch);
	CHECK(rc == 0 || rc == -DER_NOSYS);
	SAME(daos_cont_aggregate(coh, epoch, NULL), DAOS_OPC_CONT_AGGREGATE, daos_cont_aggregate_t, .coh = coh,
	     .epoch = epoch);
	SAME(daos_cont_rollback(coh, epoch, NULL), DAOS_OPC_CONT_ROLLBACK, daos_cont_rollback_t, .coh = coh,
	     .epoch = epoch);
	/* Each of them waits for a snapshot that is newer than what it is given: there is one. */
	SAME(daos_cont_subscribe(coh, &direct, NULL), DAOS_OPC_CONT_SUBSCRIBE, daos_cont_subscribe_t, .coh = coh,
	     .epoch = &told);
	CHECK(told == direct);

	STEP("transactions");
	OK(TASK(DAOS_OPC_TX_OPEN_SNAP, daos_tx_open_snap_t, .coh = coh, .epoch = epoch, .th = &th));
	OK(TASK(DAOS_OPC_TX_CLOSE, daos_tx_close_t, .th = th));
	rc = daos_tx_open(coh, &th, 0, NULL);
	CHECK_RC(rc == 0 ? daos_tx_close(th, NULL) : 0, 0);
	CHECK_RC(TASK(DAOS_OPC_TX_OPEN, daos_tx_open_t, .coh = coh, .th = &th), rc);
	if (rc != 0)
		th = DAOS_HDL_INVAL;
	rc = TASK(DAOS_OPC_TX_RESTART, daos_tx_restart_t, .th = th);
	SAME(daos_tx_restart(th, NULL), DAOS_OPC_TX_RESTART, daos_tx_restart_t, .th = th);
	rc = TASK(DAOS_OPC_TX_ABORT, daos_tx_abort_t, .th = th);
	CHECK(rc == 0 || daos_handle_is_inval(th));
	SAME(daos_tx_commit(th, NULL), DAOS_OPC_TX_COMMIT, daos_tx_commit_t, .th = th);
	rc = TASK(DAOS_OPC_TX_CLOSE, daos_tx_close_t, .th = th);
	CHECK(rc == 0 || daos_handle_is_inval(th));
	OK(TASK(DAOS_OPC_CONT_DESTROY_SNAP, daos_cont_destroy_snap_t, .coh = coh, .epr = {epoch, epoch}));
	CHECK_RC(TASK(DAOS_OPC_CONT_DESTROY_SNAP, daos_cont_destroy_snap_t, .coh = coh, .epr = {epoch, epoch}),
		 daos_cont_destroy_snap(coh, (daos_epoch_range_t){epoch, epoch}, NULL));
}

static void
objects(void)
{
	daos_obj_id_t           oid = check_oid(coh, DAOS_OT_MULTI_HASHED, OC_S1);
	daos_handle_t           oh;
	daos_key_t              dkey, akey;
	char                    out[8] = "", text[64];
	daos_recx_t             recx = {.rx_idx = 3, .rx_nr = 5}, recxs[4];
	daos_iod_t              iod = {.iod_type = DAOS_IOD_ARRAY, .iod_nr = 1, .iod_size = 1, .iod_recxs = &recx};
	d_iov_t                 iov, text_iov;
	d_sg_list_t             sgl = {.sg_nr = 1, .sg_iovs = &iov}, text_sgl = {.sg_nr = 1, .sg_iovs = &text_iov};
	daos_key_desc_t         kds[4];
	daos_epoch_range_t      eprs[4];
	daos_anchor_t           anchor;
	uint32_t                nr;
	daos_size_t             size = 0;
	struct daos_oclass_attr attr;
	struct daos_obj_attr    oa = {0};
	daos_epoch_t            max = 0, direct = 0;
	struct daos_oclass_list list;

	STEP("objects");
	d_iov_set(&dkey, "dkey", 4);
	d_iov_set(&akey, "akey", 4);
	iod.iod_name = akey;
	OK(TASK(DAOS_OPC_OBJ_OPEN, daos_obj_open_t, .coh = coh, .oid = oid, .mode = DAOS_OO_RW, .oh = &oh));
	d_iov_set(&iov, "hello", 5);
	OK(TASK(DAOS_OPC_OBJ_UPDATE, daos_obj_update_t, .oh = oh, .dkey = &dkey, .nr = 1, .iods = &iod, .sgls = &sgl));
	d_iov_set(&iov, out, 5);
	OK(TASK(DAOS_OPC_OBJ_FETCH, daos_obj_fetch_t, .oh = oh, .dkey = &dkey, .nr = 1, .iods = &iod, .sgls = &sgl));
	CHECK(strcmp(out, "hello") == 0);

	d_iov_set(&text_iov, text, sizeof(text));
	memset(&anchor, 0, sizeof(anchor));
	nr = 4;
	OK(TASK(DAOS_OPC_OBJ_LIST_DKEY, daos_obj_list_dkey_t, .oh = oh, .nr = &nr, .kds = kds, .sgl = &text_sgl,
		.dkey_anchor = &anchor));
	CHECK(nr == 1 && kds[0].kd_key_len == 4 && memcmp(text, "dkey", 4) == 0);
	memset(&anchor, 0, sizeof(anchor));
	nr = 4;
	OK(TASK(DAOS_OPC_OBJ_LIST_AKEY, daos_obj_list_akey_t, .oh = oh, .dkey = &dkey, .nr = &nr, .kds = kds,
		.sgl = &text_sgl, .akey_anchor = &anchor));
	CHECK(nr == 1 && kds[0].kd_key_len == 4 && memcmp(text, "akey", 4) == 0);
	memset(&anchor, 0, sizeof(anchor));
	nr = 4;
	OK(TASK(DAOS_OPC_OBJ_LIST_RECX, daos_obj_list_recx_t, .oh = oh, .dkey = &dkey, .akey = &akey, .size = &size,
		.nr = &nr, .recxs = recxs, .eprs = eprs, .anchor = &anchor, .incr_order = true));
	CHECK(nr == 1 && size == 1 && recxs[0].rx_idx == 3 && recxs[0].rx_nr == 5);
	memset(recxs, 0, sizeof(recxs));
	OK(TASK(DAOS_OPC_OBJ_QUERY_KEY, daos_obj_query_key_t, .oh = oh, .dkey = &dkey, .akey = &akey,
		.recx = &recxs[0], .flags = DAOS_GET_MAX | DAOS_GET_RECX));
	CHECK(recxs[0].rx_idx == 3 && recxs[0].rx_nr == 5);
	SAME(daos_obj_query_max_epoch(oh, DAOS_TX_NONE, &direct, NULL), DAOS_OPC_OBJ_QUERY_KEY, daos_obj_query_key_t,
	     .oh = oh, .max_epoch = &max);
	CHECK(max == direct);
	memset(&anchor, 0, sizeof(anchor));
	SAME(daos_obj_key2anchor(oh, DAOS_TX_NONE, &dkey, NULL, &anchor, NULL), DAOS_OPC_OBJ_KEY2ANCHOR,
	     daos_obj_key2anchor_t, .oh = oh, .dkey = &dkey, .anchor = &anchor);
	SAME(daos_obj_query(oh, &oa, NULL, NULL), DAOS_OPC_OBJ_QUERY, daos_obj_query_t, .oh = oh, .oa = &oa);
	SAME(daos_obj_query_class(coh, OC_S1, &attr, NULL), DAOS_OPC_OBJ_QUERY_CLASS, daos_obj_query_class_t,
	     .coh = coh, .cid = OC_S1, .cattr = &attr);
	memset(&list, 0, sizeof(list));
	memset(&anchor, 0, sizeof(anchor));
	SAME(daos_obj_list_class(coh, &list, &anchor, NULL), DAOS_OPC_OBJ_LIST_CLASS, daos_obj_list_class_t, .coh = coh,
	     .clist = &list, .anchor = &anchor);
	memset(&attr, 0, sizeof(attr));
	SAME(daos_obj_register_class(coh, OC_S1, &attr, NULL), 43, struct daos_obj_register_class_t, .coh = coh,
	     .cid = OC_S1, .cattr = &attr);
	CHECK_RC(as_task(DAOS_OPC_OBJ_SYNC, NULL, 0), -DER_NOSYS);
	CHECK_RC(TASK(DAOS_OPC_OBJ_LIST_OBJ, daos_obj_list_obj_t, .oh = oh), -DER_INVAL);

	OK(TASK(DAOS_OPC_OBJ_PUNCH_AKEYS, daos_obj_punch_t, .oh = oh, .dkey = &dkey, .akeys = &akey, .akey_nr = 1));
	memset(out, 0, sizeof(out));
	OK(daos_obj_fetch(oh, DAOS_TX_NONE, 0, &dkey, 1, &iod, &sgl, NULL, NULL));
	CHECK(out[0] == 0);
	iod.iod_size = 1;
	d_iov_set(&iov, "again", 5);
	OK(daos_obj_update(oh, DAOS_TX_NONE, 0, &dkey, 1, &iod, &sgl, NULL));
	OK(TASK(DAOS_OPC_OBJ_PUNCH_DKEYS, daos_obj_punch_t, .oh = oh, .dkey = &dkey));
	memset(&anchor, 0, sizeof(anchor));
	nr = 4;
	OK(daos_obj_list_dkey(oh, DAOS_TX_NONE, &nr, kds, &text_sgl, &anchor, NULL));
	CHECK(nr == 0);
	OK(daos_obj_update(oh, DAOS_TX_NONE, 0, &dkey, 1, &iod, &sgl, NULL));
	OK(TASK(DAOS_OPC_OBJ_PUNCH, daos_obj_punch_t, .oh = oh));
	memset(&anchor, 0, sizeof(anchor));
	nr = 4;
	OK(daos_obj_list_dkey(oh, DAOS_TX_NONE, &nr, kds, &text_sgl, &anchor, NULL));
	CHECK(nr == 0);
	{
		daos_pipeline_t       pipeline;
		daos_pipeline_stats_t stats;
		uint32_t              iods = 0, keys = 0;

		daos_pipeline_init(&pipeline);
		memset(&anchor, 0, sizeof(anchor));
		SAME(daos_pipeline_run(coh, oh, &pipeline, DAOS_TX_NONE, 0, NULL, &iods, NULL, &anchor, &keys, NULL,
				       NULL, NULL, NULL, NULL, &stats, NULL),
		     DAOS_OPC_PIPELINE_RUN, daos_pipeline_run_t, .oh = oh, .pipeline = &pipeline, .nr_iods = &iods,
		     .anchor = &anchor, .nr_kds = &keys, .stats = &stats);
	}
	OK(TASK(DAOS_OPC_OBJ_CLOSE, daos_obj_close_t, .oh = oh));
	CHECK_RC(TASK(DAOS_OPC_OBJ_CLOSE, daos_obj_close_t, .oh = oh), -DER_NO_HDL);
}

static void
arrays(void)
{
	daos_obj_id_t      oid = check_oid(coh, DAOS_OT_ARRAY, OC_SX), bare = check_oid(coh, DAOS_OT_ARRAY_BYTE, OC_SX);
	daos_handle_t      oh;
	daos_size_t        cell = 0, chunk = 0, size = 0;
	daos_range_t       range = {.rg_idx = 10, .rg_len = 4};
	daos_array_iod_t   iod = {.arr_nr = 1, .arr_rgs = &range};
	d_iov_t            iov;
	d_sg_list_t        sgl = {.sg_nr = 1, .sg_iovs = &iov};
	char               out[5] = "";
	daos_array_stbuf_t stat = {0};

	STEP("arrays");
	OK(TASK(DAOS_OPC_ARRAY_CREATE, daos_array_create_t, .coh = coh, .oid = oid, .cell_size = 1, .chunk_size = 8,
		.oh = &oh));
	OK(TASK(DAOS_OPC_ARRAY_CLOSE, daos_array_close_t, .oh = oh));
	OK(TASK(DAOS_OPC_ARRAY_OPEN, daos_array_open_t, .coh = coh, .oid = oid, .mode = DAOS_OO_RW, .cell_size = &cell,
		.chunk_size = &chunk, .oh = &oh));
	CHECK(cell == 1 && chunk == 8);
	d_iov_set(&iov, "data", 4);
	OK(TASK(DAOS_OPC_ARRAY_WRITE, daos_array_io_t, .oh = oh, .iod = &iod, .sgl = &sgl));
	d_iov_set(&iov, out, 4);
	OK(TASK(DAOS_OPC_ARRAY_READ, daos_array_io_t, .oh = oh, .iod = &iod, .sgl = &sgl));
	CHECK(strcmp(out, "data") == 0);
	OK(TASK(DAOS_OPC_ARRAY_GET_SIZE, daos_array_get_size_t, .oh = oh, .size = &size));
	CHECK(size == 14);
	OK(TASK(DAOS_OPC_ARRAY_SET_SIZE, daos_array_set_size_t, .oh = oh, .size = 12));
	OK(TASK(DAOS_OPC_ARRAY_STAT, daos_array_stat_t, .oh = oh, .stbuf = &stat));
	CHECK(stat.st_size == 12);
	range.rg_len = 2;
	OK(TASK(DAOS_OPC_ARRAY_PUNCH, daos_array_io_t, .oh = oh, .iod = &iod));
	memset(out, 'x', 4);
	d_iov_set(&iov, out, 2);
	OK(daos_array_read(oh, DAOS_TX_NONE, &iod, &sgl, NULL));
	CHECK(memcmp(out, "da", 2) != 0);
	OK(TASK(DAOS_OPC_ARRAY_DESTROY, daos_array_destroy_t, .oh = oh));
	OK(TASK(DAOS_OPC_ARRAY_CLOSE, daos_array_close_t, .oh = oh));
	CHECK_RC(daos_array_open(coh, oid, DAOS_TX_NONE, DAOS_OO_RO, &cell, &chunk, &oh, NULL), -DER_NONEXIST);
	cell  = 1;
	chunk = 64;
	OK(TASK(DAOS_OPC_ARRAY_OPEN, daos_array_open_t, .coh = coh, .oid = bare, .mode = DAOS_OO_RW,
		.open_with_attr = 1, .cell_size = &cell, .chunk_size = &chunk, .oh = &oh));
	OK(TASK(DAOS_OPC_ARRAY_CLOSE, daos_array_close_t, .oh = oh));
	CHECK_RC(TASK(DAOS_OPC_ARRAY_OPEN, daos_array_open_t, .coh = coh, .oid = bare, .mode = DAOS_OO_RW,
		      .open_with_attr = 1, .oh = &oh), -DER_INVAL);
}

static void
key_values(void)
{
	daos_obj_id_t   oid = check_oid(coh, DAOS_OT_KV_HASHED, OC_SX);
	daos_handle_t   oh;
	char            out[8] = "", text[32];
	daos_size_t     size = sizeof(out);
	daos_key_desc_t kds[2];
	d_iov_t         iov;
	d_sg_list_t     sgl = {.sg_nr = 1, .sg_iovs = &iov};
	uint32_t        nr = 2;
	daos_anchor_t   anchor;

	STEP("key-value stores");
	OK(TASK(DAOS_OPC_KV_OPEN, daos_kv_open_t, .coh = coh, .oid = oid, .mode = DAOS_OO_RW, .oh = &oh));
	OK(TASK(DAOS_OPC_KV_PUT, daos_kv_put_t, .oh = oh, .key = "key", .buf = "value", .buf_size = 6));
	OK(TASK(DAOS_OPC_KV_GET, daos_kv_get_t, .oh = oh, .key = "key", .buf = out, .buf_size = &size));
	CHECK(size == 6 && strcmp(out, "value") == 0);
	memset(&anchor, 0, sizeof(anchor));
	d_iov_set(&iov, text, sizeof(text));
	OK(TASK(DAOS_OPC_KV_LIST, daos_kv_list_t, .oh = oh, .nr = &nr, .kds = kds, .sgl = &sgl, .anchor = &anchor));
	CHECK(nr == 1 && kds[0].kd_key_len == 3);
	OK(TASK(DAOS_OPC_KV_REMOVE, daos_kv_remove_t, .oh = oh, .key = "key"));
	size = 0;
	OK(daos_kv_get(oh, DAOS_TX_NONE, 0, "key", &size, NULL, NULL));
	CHECK(size == 0);
	OK(daos_kv_put(oh, DAOS_TX_NONE, 0, "key", 1, "x", NULL));
	OK(TASK(DAOS_OPC_KV_DESTROY, daos_kv_destroy_t, .oh = oh));
	OK(daos_kv_get(oh, DAOS_TX_NONE, 0, "key", &size, NULL, NULL));
	CHECK(size == 0);
	OK(TASK(DAOS_OPC_KV_CLOSE, daos_kv_close_t, .oh = oh));
}

int
main(void)
{
	const char *label = getenv("DAOS_POOL");

	CHECK(label != NULL);
	OK(daos_init());
	OK(tse_sched_init(&sched, NULL, NULL));
	pools(label);
	containers();
	objects();
	arrays();
	key_values();
	STEP("close");
	OK(TASK(DAOS_OPC_CONT_CLOSE, daos_cont_close_t, .coh = coh));
	OK(TASK(DAOS_OPC_CONT_DESTROY, daos_cont_destroy_t, .poh = poh, .cont = "made-by-a-task"));
	CHECK_RC(TASK(DAOS_OPC_CONT_DESTROY, daos_cont_destroy_t, .poh = poh, .cont = "made-by-a-task"), -DER_NONEXIST);
	OK(TASK(DAOS_OPC_POOL_DISCONNECT, daos_pool_disconnect_t, .poh = poh));
	for (daos_opc_t opc = 0; opc < DAOS_OPC_MAX; opc++)
		if (!seen[opc]) {
			fprintf(stderr, "operation %d was not called\n", opc);
			return 1;
		}
	tse_sched_fini(&sched);
	OK(daos_fini());
	printf("ok\n");
	return 0;
}
