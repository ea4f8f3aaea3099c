/* Aim: pools and containers: queries, properties, attributes, ACLs, snapshots, labels, wrong names. */
#define _GNU_SOURCE
#include "check.h"
#include <daos_security.h>
#include <gurt/common.h>
#include <uuid/uuid.h>

static daos_handle_t poh, coh;

static void
pools(void)
{
	daos_pool_info_t info = {.pi_bits = DPI_ALL};
	daos_handle_t    other;
	d_rank_list_t   *ranks = NULL;
	daos_prop_t     *props = daos_prop_alloc(2);

	STEP("pool query");
	props->dpp_entries[0].dpe_type = DAOS_PROP_PO_LABEL;
	props->dpp_entries[1].dpe_type = DAOS_PROP_PO_ACL;
	OK(daos_pool_query(poh, &ranks, &info, props, NULL));
	CHECK(info.pi_ntargets > 0 && info.pi_nnodes > 0 && info.pi_map_ver > 0);
	CHECK(info.pi_space.ps_space.s_total[0] > 0);
	CHECK(info.pi_space.ps_space.s_free[0] <= info.pi_space.ps_space.s_total[0]);
	CHECK(ranks != NULL && ranks->rl_nr == info.pi_nnodes);
	CHECK(strcmp(props->dpp_entries[0].dpe_str, getenv("DAOS_POOL")) == 0);
	CHECK(daos_acl_validate(props->dpp_entries[1].dpe_val_ptr) == 0);
	d_rank_list_free(ranks);
	daos_prop_free(props);
	{
		daos_target_info_t target;

		OK(daos_pool_query_target(poh, 0, 0, &target, NULL));
		CHECK(target.ta_state == DAOS_TS_UP_IN && target.ta_space.s_total[0] > 0);
		CHECK_RC(daos_pool_query_target(poh, 9999, 0, &target, NULL), -DER_NONEXIST);
	}

	STEP("wrong pools");
	CHECK_RC(daos_pool_connect("no-such-pool", NULL, DAOS_PC_RO, &other, NULL, NULL), -DER_NONEXIST);
	CHECK_RC(daos_pool_connect("bad label!", NULL, DAOS_PC_RO, &other, NULL, NULL), -DER_INVAL);
	CHECK_RC(daos_pool_connect(NULL, NULL, DAOS_PC_RO, &other, NULL, NULL), -DER_INVAL);
	CHECK_RC(daos_pool_connect(getenv("DAOS_POOL"), NULL, 0, &other, NULL, NULL), -DER_INVAL);
	CHECK(daos_pool_connect(getenv("DAOS_POOL"), "nosuchsystem", DAOS_PC_RO, &other, NULL, NULL) != 0);
	OK(daos_pool_connect(getenv("DAOS_POOL"), NULL, DAOS_PC_RO, &other, &info, NULL));
	CHECK_RC(daos_cont_create_with_label(other, "refused", NULL, NULL, NULL), -DER_NO_PERM);
	OK(daos_pool_disconnect(other, NULL));
	CHECK_RC(daos_pool_disconnect(other, NULL), -DER_NO_HDL);
}

static void
containers(void)
{
	daos_handle_t    other;
	daos_cont_info_t info;
	daos_prop_t     *props = daos_prop_alloc(1);
	daos_size_t      count = 0;
	uuid_t           uuid;
	char             text[37];

	STEP("containers");
	props->dpp_entries[0].dpe_type = DAOS_PROP_CO_LAYOUT_TYPE;
	props->dpp_entries[0].dpe_val  = DAOS_PROP_CO_LAYOUT_HDF5;
	OK(daos_cont_create_with_label(poh, "second", props, &uuid, NULL));
	CHECK_RC(daos_cont_create_with_label(poh, "second", NULL, NULL, NULL), -DER_EXIST);
	CHECK_RC(daos_cont_create_with_label(poh, "not a label", NULL, NULL, NULL), -DER_INVAL);
	OK(daos_pool_list_cont(poh, &count, NULL, NULL));
	CHECK(count >= 2);
	{
		struct daos_pool_cont_info *list = calloc(count, sizeof(*list));
		bool                        found = false;

		OK(daos_pool_list_cont(poh, &count, list, NULL));
		for (daos_size_t i = 0; i < count; i++)
			found |= strcmp(list[i].pci_label, "second") == 0 && uuid_compare(list[i].pci_uuid, uuid) == 0;
		CHECK(found);
		count = 1;
		CHECK_RC(daos_pool_list_cont(poh, &count, list, NULL), -DER_TRUNC);
		free(list);
	}
	uuid_unparse(uuid, text);
	OK(daos_cont_open(poh, text, DAOS_COO_RW, &other, &info, NULL));
	CHECK(uuid_compare(info.ci_uuid, uuid) == 0);
	props->dpp_entries[0].dpe_val = 99;
	OK(daos_cont_query(other, &info, props, NULL));
	CHECK(props->dpp_entries[0].dpe_val == DAOS_PROP_CO_LAYOUT_HDF5 && info.ci_nhandles == 1);
	daos_prop_free(props);
	props = daos_prop_alloc(0);
	OK(daos_cont_query(other, NULL, props, NULL));
	CHECK(props->dpp_nr > 10 && strcmp(daos_prop_entry_get(props, DAOS_PROP_CO_LABEL)->dpe_str, "second") == 0);
	daos_prop_free(props);
	CHECK_RC(daos_cont_destroy(poh, "second", 0, NULL), -DER_BUSY);
	OK(daos_cont_close(other, NULL));
	CHECK_RC(daos_cont_close(other, NULL), -DER_NO_HDL);
	OK(daos_cont_destroy(poh, "second", 0, NULL));
	CHECK_RC(daos_cont_open(poh, "second", DAOS_COO_RW, &other, NULL, NULL), -DER_NONEXIST);
	CHECK_RC(daos_cont_open(poh, NULL, DAOS_COO_RW, &other, NULL, NULL), -DER_INVAL);
}

static void
attributes(void)
{
	const char *const names[2]  = {"first", "second"};
	const void *const values[2] = {"one", "zwei"};
	size_t            sizes[2]  = {4, 5};
	char              a[16], b[2], list[64];
	void *const       places[2] = {a, b};
	size_t            length = 0;

	STEP("attributes");
	for (int pass = 0; pass < 2; pass++) {
		daos_handle_t h = pass == 0 ? coh : poh;

		sizes[0] = 4;
		sizes[1] = 5;
		OK(pass == 0 ? daos_cont_set_attr(h, 2, names, values, sizes, NULL)
			     : daos_pool_set_attr(h, 2, names, values, sizes, NULL));
		sizes[0] = sizeof(a);
		sizes[1] = sizeof(b);
		OK(pass == 0 ? daos_cont_get_attr(h, 2, names, places, sizes, NULL)
			     : daos_pool_get_attr(h, 2, names, places, sizes, NULL));
		CHECK(sizes[0] == 4 && strcmp(a, "one") == 0 && sizes[1] == 5 && memcmp(b, "zw", 2) == 0);
		length = 0;
		OK(pass == 0 ? daos_cont_list_attr(h, NULL, &length, NULL) : daos_pool_list_attr(h, NULL, &length, NULL));
		CHECK(length >= strlen("first") + strlen("second") + 2 && length <= sizeof(list));
		length = sizeof(list);
		OK(pass == 0 ? daos_cont_list_attr(h, list, &length, NULL) : daos_pool_list_attr(h, list, &length, NULL));
		CHECK(memmem(list, length, "second", 7) != NULL);
		OK(pass == 0 ? daos_cont_del_attr(h, 1, names, NULL) : daos_pool_del_attr(h, 1, names, NULL));
		CHECK_RC(pass == 0 ? daos_cont_get_attr(h, 1, names, places, sizes, NULL)
				   : daos_pool_get_attr(h, 1, names, places, sizes, NULL),
			 -DER_NONEXIST);
		CHECK_RC(pass == 0 ? daos_cont_set_attr(h, 0, names, values, sizes, NULL)
				   : daos_pool_set_attr(h, 0, names, values, sizes, NULL),
			 -DER_INVAL);
	}
}

static void
access_lists(void)
{
	daos_prop_t    *props = NULL;
	struct daos_acl *acl;
	struct daos_ace *ace;

	STEP("access control");
	OK(daos_cont_get_acl(coh, &props, NULL));
	CHECK(props->dpp_nr == 3);
	acl = daos_prop_entry_get(props, DAOS_PROP_CO_ACL)->dpe_val_ptr;
	CHECK(daos_acl_validate(acl) == 0);
	OK(daos_acl_get_ace_for_principal(acl, DAOS_ACL_OWNER, NULL, &ace));
	OK(daos_ace_from_str("A::friend@:r", &ace));
	acl = daos_acl_create(&ace, 1);
	OK(daos_cont_update_acl(coh, acl, NULL));
	daos_prop_free(props);
	OK(daos_cont_get_acl(coh, &props, NULL));
	OK(daos_acl_get_ace_for_principal(daos_prop_entry_get(props, DAOS_PROP_CO_ACL)->dpe_val_ptr, DAOS_ACL_USER,
					  "friend@", &ace));
	OK(daos_cont_delete_acl(coh, DAOS_ACL_USER, "friend@", NULL));
	CHECK_RC(daos_cont_delete_acl(coh, DAOS_ACL_USER, "friend@", NULL), -DER_NONEXIST);
	daos_prop_free(props);
	daos_acl_free(acl);
}

static void
snapshots(void)
{
	daos_handle_t oh, th;
	daos_epoch_t  epoch, epochs[8], at;
	daos_anchor_t anchor = {0};
	daos_size_t   size;
	char          value[8];
	int           nr = 8;

	STEP("snapshots");
	OK(daos_kv_open(coh, check_oid(coh, DAOS_OT_KV_HASHED, OC_S1), DAOS_OO_RW, &oh, NULL));
	OK(daos_kv_put(oh, DAOS_TX_NONE, 0, "k", 3, "old", NULL));
	OK(daos_cont_create_snap(coh, &epoch, NULL, NULL));
	OK(daos_kv_put(oh, DAOS_TX_NONE, 0, "k", 3, "new", NULL));
	OK(daos_cont_list_snap(coh, &nr, epochs, NULL, &anchor, NULL));
	CHECK(nr >= 1 && epochs[nr - 1] == epoch);
	OK(daos_tx_open_snap(coh, epoch, &th, NULL));
	OK(daos_tx_hdl2epoch(th, &at));
	CHECK(at == epoch);
	size = sizeof(value);
	OK(daos_kv_get(oh, th, 0, "k", &size, value, NULL));
	CHECK(size == 3 && memcmp(value, "old", 3) == 0);
	CHECK_RC(daos_kv_put(oh, th, 0, "k", 3, "bad", NULL), -DER_NO_PERM);
	OK(daos_tx_close(th, NULL));
	CHECK_RC(daos_kv_get(oh, th, 0, "k", &size, value, NULL), -DER_NO_HDL);
	OK(daos_kv_get(oh, DAOS_TX_NONE, 0, "k", &size, value, NULL));
	CHECK(memcmp(value, "new", 3) == 0);
	{
		daos_epoch_range_t epr = {.epr_lo = epoch, .epr_hi = epoch};

		OK(daos_cont_destroy_snap(coh, epr, NULL));
	}
	OK(daos_kv_close(oh, NULL));
}

int
main(void)
{
	daos_size_t count = 0;

	check_open(&poh, &coh);
	pools();
	containers();
	attributes();
	access_lists();
	snapshots();
	STEP("management");
	OK(daos_mgmt_list_pools(NULL, &count, NULL, NULL));
	CHECK(count >= 1);
	{
		struct daos_sys_info *info;

		OK(daos_mgmt_get_sys_info(NULL, &info));
		CHECK(info->dsi_nr_ranks >= 1 && strlen(info->dsi_ranks[0].dru_uri) > 0);
		daos_mgmt_put_sys_info(info);
	}
	{
		uuid_t unknown;
		int    state;

		OK(daos_debug_add_mark("a mark of the test"));
		CHECK_RC(daos_debug_add_mark(NULL), -DER_INVAL);
		CHECK_RC(daos_debug_set_params(NULL, -1, DMG_KEY_FAIL_LOC, 0, 0, NULL), -DER_NO_PERM);
		CHECK_RC(daos_debug_set_params(NULL, 4711, DMG_KEY_FAIL_LOC, 0, 0, NULL), -DER_OOG);
		uuid_generate(unknown);
		CHECK_RC(daos_mgmt_get_bs_state(NULL, unknown, &state, NULL), -DER_NONEXIST);
		CHECK_RC(daos_mgmt_get_bs_state(NULL, unknown, NULL, NULL), -DER_INVAL);
	}
	check_close(poh, coh);
	return 0;
}
