/* Aim: functions of libdaos that no other program calls do what their headers say. */
#include "check.h"
#include <daos_security.h>
#include <daos_array.h>

extern void daos_event_errno_rc(daos_event_t *ev);

static daos_handle_t poh, coh;

static uint64_t
status(void)
{
	daos_prop_t *prop = daos_prop_alloc(1);
	uint64_t     value;

	prop->dpp_entries[0].dpe_type = DAOS_PROP_CO_STATUS;
	OK(daos_cont_query(coh, NULL, prop, NULL));
	value = prop->dpp_entries[0].dpe_val;
	daos_prop_free(prop);
	return value;
}

static void
properties(void)
{
	daos_prop_t         *prop = daos_prop_alloc(1);
	struct daos_co_status unclean = {.dcs_status = DAOS_PROP_CO_UNCLEAN};

	STEP("properties of a container");
	prop->dpp_entries[0].dpe_type = DAOS_PROP_CO_LABEL;
	OK(daos_prop_set_str(prop, DAOS_PROP_CO_LABEL, "renamed", 7));
	OK(daos_cont_set_prop(coh, prop, NULL));
	daos_prop_free(prop);
	prop                          = daos_prop_alloc(1);
	prop->dpp_entries[0].dpe_type = DAOS_PROP_CO_LABEL;
	OK(daos_cont_query(coh, NULL, prop, NULL));
	CHECK(strcmp(prop->dpp_entries[0].dpe_str, "renamed") == 0);
	daos_prop_free(prop);
	CHECK_RC(daos_cont_set_prop(coh, NULL, NULL), -DER_INVAL);

	prop                          = daos_prop_alloc(1);
	prop->dpp_entries[0].dpe_type = DAOS_PROP_CO_STATUS;
	prop->dpp_entries[0].dpe_val  = daos_prop_co_status_2_val(&unclean);
	OK(daos_cont_set_prop(coh, prop, NULL));
	daos_prop_free(prop);
	CHECK(((status() >> 32) & 0xffff) == DAOS_PROP_CO_UNCLEAN);
	OK(daos_cont_status_clear(coh, NULL));
	CHECK(((status() >> 32) & 0xffff) == DAOS_PROP_CO_HEALTHY);
	CHECK_RC(daos_cont_status_clear(DAOS_HDL_INVAL, NULL), -DER_NO_HDL);
}

static void
access_lists(void)
{
	const char      *texts[] = {"A::OWNER@:rwdtTaAo", "A::EVERYONE@:r"};
	struct daos_acl *acl;
	daos_prop_t     *prop;
	uint64_t         perms = 0;
	gid_t            gid   = getgid();

	STEP("access control lists");
	OK(daos_acl_from_strs(texts, 2, &acl));
	OK(daos_cont_overwrite_acl(coh, acl, NULL));
	CHECK_RC(daos_cont_overwrite_acl(coh, NULL, NULL), -DER_INVAL);
	OK(daos_cont_get_acl(coh, &prop, NULL));
	CHECK(daos_acl_get_size(daos_prop_entry_get(prop, DAOS_PROP_CO_ACL)->dpe_val_ptr) == daos_acl_get_size(acl));
	OK(daos_cont_get_perms(prop, getuid(), &gid, 1, &perms));
	CHECK(perms & DAOS_ACL_PERM_WRITE);
	CHECK_RC(daos_cont_get_perms(NULL, getuid(), &gid, 1, &perms), -DER_INVAL);
	daos_prop_free(prop);
	daos_acl_free(acl);

	prop = daos_prop_alloc(0);
	OK(daos_pool_query(poh, NULL, NULL, prop, NULL));
	perms = 0;
	OK(daos_pool_get_perms(prop, getuid(), &gid, 1, &perms));
	CHECK(perms & (DAOS_ACL_PERM_READ | DAOS_ACL_PERM_CREATE_CONT));
	CHECK_RC(daos_pool_get_perms(prop, getuid(), NULL, 1, &perms), -DER_INVAL);
	daos_prop_free(prop);
}

/* Last: who gives a container away may have no rights on it any more. */
static void
owners(void)
{
	daos_prop_t *prop;
	char        *name;

	STEP("owners");
	CHECK_RC(daos_cont_set_owner(coh, NULL, NULL, NULL), -DER_INVAL);
	OK(daos_acl_gid_to_principal(getgid(), &name));
	OK(daos_cont_set_owner(coh, NULL, name, NULL));
	OK(daos_cont_get_acl(coh, &prop, NULL));
	CHECK(strcmp(daos_prop_entry_get(prop, DAOS_PROP_CO_OWNER_GROUP)->dpe_str, name) == 0);
	daos_prop_free(prop);
	free(name);
	OK(daos_cont_set_owner_no_check(coh, NULL, "nobody-knows@", NULL));
	OK(daos_cont_get_acl(coh, &prop, NULL));
	CHECK(strcmp(daos_prop_entry_get(prop, DAOS_PROP_CO_OWNER_GROUP)->dpe_str, "nobody-knows@") == 0);
	daos_prop_free(prop);
}

static void
objects(void)
{
	daos_obj_id_t oid = {.lo = 77}, arrays = {.lo = 78};
	daos_handle_t oh;
	daos_anchor_t anchor;
	daos_size_t   chunk, cell;
	uint32_t      parts = 0;

	STEP("anchors and chunks");
	OK(daos_obj_generate_oid(coh, &oid, DAOS_OT_MULTI_HASHED, OC_SX, 0, 0));
	OK(daos_obj_open(coh, oid, DAOS_OO_RW, &oh, NULL));
	memset(&anchor, 0, sizeof(anchor));
	OK(daos_obj_anchor_split(oh, &parts, NULL));
	CHECK(parts >= 1);
	OK(daos_obj_anchor_set(oh, parts - 1, &anchor));
	CHECK(!daos_anchor_is_eof(&anchor) && (parts == 1 || anchor.da_shard != 0));
	CHECK_RC(daos_obj_anchor_set(oh, parts, &anchor), -DER_INVAL);
	CHECK_RC(daos_obj_anchor_set(oh, 0, NULL), -DER_INVAL);
	OK(daos_obj_close(oh, NULL));
	OK(daos_array_generate_oid(coh, &arrays, true, 0, 0, 0));
	OK(daos_array_create(coh, arrays, DAOS_TX_NONE, 4, 1024, &oh, NULL));
	OK(daos_array_update_chunk_size(oh, 4096));
	OK(daos_array_get_attr(oh, &chunk, &cell));
	CHECK(chunk == 4096 && cell == 4);
	CHECK_RC(daos_array_update_chunk_size(oh, 0), -DER_INVAL);
	OK(daos_array_close(oh, NULL));
}

static void
versions_and_events(void)
{
	uint32_t     major = 0, minor = 0, patch = 0;
	char        *tag = NULL;
	daos_event_t ev;
	bool         flag = false;

	STEP("the servers' version, errno values in events");
	OK(dc_mgmt_srv_version(&major, &minor, &patch, &tag));
	CHECK(major + minor + patch > 0 && tag != NULL);
	CHECK_RC(dc_mgmt_srv_version(NULL, &minor, &patch, &tag), -DER_INVAL);
	OK(daos_event_init(&ev, DAOS_HDL_INVAL, NULL));
	daos_event_errno_rc(&ev);
	OK(daos_kv_put(DAOS_HDL_INVAL, DAOS_TX_NONE, 0, "k", 1, "v", &ev));
	OK(daos_event_test(&ev, DAOS_EQ_WAIT, &flag));
	CHECK(flag && ev.ev_error > 0 && ev.ev_error < 200);
	OK(daos_event_fini(&ev));
}

int
main(void)
{
	daos_handle_t other;
	uuid_t        uuid;
	char          text[37];

	check_open(&poh, &other);
	OK(daos_cont_create(poh, &uuid, NULL, NULL));
	uuid_unparse(uuid, text);
	OK(daos_cont_open(poh, text, DAOS_COO_RW, &coh, NULL, NULL));
	properties();
	access_lists();
	objects();
	versions_and_events();
	owners();
	OK(daos_cont_close(coh, NULL));
	check_close(poh, other);
	return 0;
}
