/* Aim: what can be said about objects and classes: attributes, ranks, layout, anchors at a key, soundness, registered
 * classes. */
#include "check.h"

/* Not in an installed header, as upstream; bindings reach them by name. */
struct shard_loc {
	uint32_t sd_rank, sd_tgt_idx;
};
struct obj_shard {
	uint32_t         os_replica_nr;
	struct shard_loc os_shard_loc[];
};
struct obj_layout {
	uint32_t          ol_ver, ol_class, ol_nr;
	struct obj_shard *ol_shards[];
};
int daos_obj_layout_get(daos_handle_t coh, daos_obj_id_t oid, struct obj_layout **layout);
int daos_obj_layout_free(struct obj_layout *layout);

static daos_handle_t poh, coh;

static void
put(daos_handle_t oh, const char *dkey, const char *akey, const char *value)
{
	daos_key_t  key;
	daos_iod_t  iod = {.iod_type = DAOS_IOD_SINGLE, .iod_size = strlen(value), .iod_nr = 1};
	d_iov_t     iov;
	d_sg_list_t sgl = {.sg_nr = 1, .sg_iovs = &iov};

	d_iov_set(&key, (void *)dkey, strlen(dkey));
	d_iov_set(&iod.iod_name, (void *)akey, strlen(akey));
	d_iov_set(&iov, (void *)value, strlen(value));
	OK(daos_obj_update(oh, DAOS_TX_NONE, 0, &key, 1, &iod, &sgl, NULL));
}

static void
query(void)
{
	struct daos_oclass_attr class = {0};
	struct daos_obj_attr    attr  = {.oa_rank = 77, .oa_oa = &class};
	d_rank_t                rank  = 77;
	d_rank_list_t           ranks = {.rl_ranks = &rank, .rl_nr = 1};
	daos_obj_id_t           oid   = check_oid(coh, DAOS_OT_MULTI_HASHED, OC_S1);
	struct obj_layout      *layout;
	daos_handle_t           oh, none = {.cookie = 0x1234};

	STEP("query");
	OK(daos_obj_open(coh, oid, DAOS_OO_RO, &oh, NULL));
	OK(daos_obj_query(oh, &attr, &ranks, NULL));
	CHECK(attr.oa_rank == 0 && ranks.rl_nr == 1 && rank == 0);
	CHECK(class.ca_resil == DAOS_RES_REPL && class.ca_grp_nr == 1 && class.u.rp.r_num == 1);
	ranks.rl_ranks = NULL;
	ranks.rl_nr    = 0;
	OK(daos_obj_query(oh, NULL, &ranks, NULL));
	CHECK(ranks.rl_nr == 1);
	ranks.rl_ranks = &rank;
	ranks.rl_nr    = 0;
	CHECK_RC(daos_obj_query(oh, NULL, &ranks, NULL), -DER_TRUNC);
	CHECK_RC(daos_obj_query(oh, NULL, NULL, NULL), -DER_INVAL);
	CHECK_RC(daos_obj_query(none, &attr, NULL, NULL), -DER_NO_HDL);
	OK(daos_obj_close(oh, NULL));

	STEP("layout");
	OK(daos_obj_layout_get(coh, oid, &layout));
	CHECK(layout->ol_nr == 1 && layout->ol_class == OC_S1 && layout->ol_ver > 0);
	CHECK(layout->ol_shards[0]->os_replica_nr == 1 && layout->ol_shards[0]->os_shard_loc[0].sd_rank == 0);
	OK(daos_obj_layout_free(layout));
	oid = check_oid(coh, DAOS_OT_MULTI_HASHED, OC_SX);
	OK(daos_obj_layout_get(coh, oid, &layout));
	CHECK(layout->ol_nr == daos_obj_id2grp_nr(oid));
	for (uint32_t i = 1; i < layout->ol_nr; i++)
		CHECK(layout->ol_shards[i]->os_shard_loc[0].sd_tgt_idx !=
		      layout->ol_shards[0]->os_shard_loc[0].sd_tgt_idx);
	OK(daos_obj_layout_free(layout));
	OK(daos_obj_layout_free(NULL));
	CHECK_RC(daos_obj_layout_get(coh, oid, NULL), -DER_INVAL);
	CHECK_RC(daos_obj_layout_get(none, oid, &layout), -DER_NO_HDL);
}

/* Lists dkeys (or akeys of dkey) from an anchor on, a few at a time; their number, and the first. */
static int
list(daos_handle_t oh, daos_key_t *dkey, daos_anchor_t *anchor, char *first)
{
	int found = 0;

	while (!daos_anchor_is_eof(anchor)) {
		char            buf[64];
		daos_key_desc_t kds[5];
		uint32_t        nr = 5;
		d_iov_t         iov;
		d_sg_list_t     sgl = {.sg_nr = 1, .sg_iovs = &iov};

		d_iov_set(&iov, buf, sizeof(buf));
		if (dkey == NULL)
			OK(daos_obj_list_dkey(oh, DAOS_TX_NONE, &nr, kds, &sgl, anchor, NULL));
		else
			OK(daos_obj_list_akey(oh, DAOS_TX_NONE, dkey, &nr, kds, &sgl, anchor, NULL));
		if (found == 0 && nr > 0) {
			memcpy(first, buf, kds[0].kd_key_len);
			first[kds[0].kd_key_len] = 0;
		}
		found += nr;
	}
	return found;
}

static void
anchors(enum daos_otype_t type)
{
	daos_handle_t oh;
	daos_anchor_t anchor = {0};
	daos_key_t    dkey, other;
	char          text[16], first[80];
	int           all[2] = {0, 0};

	OK(daos_obj_open(coh, check_oid(coh, type, OC_SX), DAOS_OO_RW, &oh, NULL));
	d_iov_set(&dkey, "k05", 3);
	/* Nothing is there yet. */
	OK(daos_obj_key2anchor(oh, DAOS_TX_NONE, &dkey, &dkey, &anchor, NULL));
	CHECK(daos_anchor_is_eof(&anchor));
	OK(daos_obj_key2anchor(oh, DAOS_TX_NONE, &dkey, NULL, &anchor, NULL));
	CHECK(list(oh, NULL, &anchor, first) == 0);
	for (int i = 0; i < 40; i++) {
		sprintf(text, "k%02d", i);
		put(oh, text, "a", "v");
		put(oh, "k05", text, "v");
	}
	/* From each key on, a listing begins with it, and all beginnings are different. */
	for (int i = 0; i < 40; i++) {
		int found;

		sprintf(text, "k%02d", i);
		d_iov_set(&other, text, 3);
		OK(daos_obj_key2anchor(oh, DAOS_TX_NONE, &other, NULL, &anchor, NULL));
		found = list(oh, NULL, &anchor, first);
		CHECK(found >= 1 && found <= 40 && strcmp(first, text) == 0);
		all[0] += found;
		OK(daos_obj_key2anchor(oh, DAOS_TX_NONE, &dkey, &other, &anchor, NULL));
		found = list(oh, &dkey, &anchor, first);
		CHECK(strcmp(first, text) == 0);
		all[1] += found;
	}
	/* Before "k05" has the akey "a" beside the others, which may stand anywhere among them. */
	CHECK(all[0] == 40 * 41 / 2 && all[1] >= 40 * 41 / 2 && all[1] <= 40 * 41 / 2 + 40);
	/* Of a key that is gone, with the next one. */
	OK(daos_obj_key2anchor(oh, DAOS_TX_NONE, &dkey, NULL, &anchor, NULL));
	all[0] = list(oh, NULL, &anchor, first);
	OK(daos_obj_key2anchor(oh, DAOS_TX_NONE, &dkey, NULL, &anchor, NULL));
	OK(daos_obj_punch_dkeys(oh, DAOS_TX_NONE, 0, 1, &dkey, NULL));
	CHECK(list(oh, NULL, &anchor, first) == all[0] - 1);
	CHECK_RC(daos_obj_key2anchor(oh, DAOS_TX_NONE, NULL, NULL, &anchor, NULL), -DER_INVAL);
	CHECK_RC(daos_obj_key2anchor(oh, DAOS_TX_NONE, &dkey, NULL, NULL, NULL), -DER_INVAL);
	OK(daos_obj_close(oh, NULL));
	CHECK_RC(daos_obj_key2anchor(oh, DAOS_TX_NONE, &dkey, NULL, &anchor, NULL), -DER_NO_HDL);
}

static void
verify(void)
{
	static char   big[3 << 20];
	daos_obj_id_t oid  = check_oid(coh, DAOS_OT_MULTI_HASHED, OC_SX);
	daos_recx_t   recx = {.rx_idx = 1000, .rx_nr = sizeof(big)};
	daos_iod_t    iod  = {.iod_type = DAOS_IOD_ARRAY, .iod_size = 1, .iod_nr = 1, .iod_recxs = &recx};
	daos_handle_t oh, none = {.cookie = 0x1234};
	daos_key_t    dkey;
	d_iov_t       iov;
	d_sg_list_t   sgl = {.sg_nr = 1, .sg_iovs = &iov};
	daos_epoch_t  snap;
	char          text[16];

	STEP("verify");
	OK(daos_obj_verify(coh, oid, DAOS_EPOCH_MAX));
	OK(daos_obj_open(coh, oid, DAOS_OO_RW, &oh, NULL));
	for (int i = 0; i < 50; i++) {
		sprintf(text, "k%02d", i);
		put(oh, text, "a", "some value");
	}
	d_iov_set(&dkey, "big", 3);
	d_iov_set(&iod.iod_name, "a", 1);
	d_iov_set(&iov, big, sizeof(big));
	OK(daos_obj_update(oh, DAOS_TX_NONE, 0, &dkey, 1, &iod, &sgl, NULL));
	OK(daos_cont_create_snap(coh, &snap, NULL, NULL));
	OK(daos_obj_punch(oh, DAOS_TX_NONE, 0, NULL));
	OK(daos_obj_verify(coh, oid, DAOS_EPOCH_MAX));
	OK(daos_obj_verify(coh, oid, snap));
	OK(daos_obj_close(oh, NULL));
	CHECK_RC(daos_obj_verify(none, oid, DAOS_EPOCH_MAX), -DER_NO_HDL);
}

static void
classes(void)
{
	struct daos_oclass_attr attr = {.ca_schema = DAOS_OS_STRIPED, .ca_resil = DAOS_RES_REPL, .ca_grp_nr = 1,
					.u.rp = {.r_num = 1}};
	struct daos_oclass_attr got = {0}, attrs[7];
	daos_oclass_id_t        ids[7], mine = 1000;
	struct daos_oclass_list list = {.cl_nr = 7, .cl_cids = ids, .cl_cattrs = attrs};
	daos_anchor_t           anchor = {0};
	daos_obj_id_t           oid = {.lo = 5, .hi = 0};
	daos_handle_t           none = {.cookie = 0x1234};
	int                     seen = 0, found = 0, rc;
	char                    names[256];
	size_t                  size = sizeof(names);

	STEP("classes of the system");
	OK(daos_obj_query_class(coh, OC_EC_4P2G1, &got, NULL));
	CHECK(got.ca_resil == DAOS_RES_EC && got.u.ec.e_k == 4 && got.u.ec.e_p == 2 && got.ca_grp_nr == 1);
	CHECK(got.ca_resil_degree == 2 && got.u.ec.e_len > 0);
	OK(daos_obj_query_class(coh, OC_RP_3GX, &got, NULL));
	CHECK(got.ca_resil == DAOS_RES_REPL && got.u.rp.r_num == 3 && got.ca_grp_nr == MAX_NUM_GROUPS);
	CHECK_RC(daos_obj_query_class(coh, 0x0d000001, &got, NULL), -DER_NONEXIST);
	CHECK_RC(daos_obj_query_class(coh, OC_S1, NULL, NULL), -DER_INVAL);
	CHECK_RC(daos_obj_query_class(none, OC_S1, &got, NULL), -DER_NO_HDL);

	STEP("registered classes");
	/* The container may be an older run's: then the class is there. */
	while ((rc = daos_obj_query_class(coh, mine, &got, NULL)) == 0)
		mine++;
	CHECK_RC(rc, -DER_NONEXIST);
	CHECK_RC(daos_obj_generate_oid(coh, &oid, DAOS_OT_MULTI_HASHED, mine, 0, 0), -DER_INVAL);
	OK(daos_obj_register_class(coh, mine, &attr, NULL));
	CHECK_RC(daos_obj_register_class(coh, mine, &attr, NULL), -DER_EXIST);
	CHECK_RC(daos_obj_register_class(coh, OC_S1, &attr, NULL), -DER_EXIST);
	CHECK_RC(daos_obj_register_class(coh, OC_RESERVED, &attr, NULL), -DER_INVAL);
	CHECK_RC(daos_obj_register_class(coh, mine + 1, NULL, NULL), -DER_INVAL);
	attr.u.rp.r_num = 99;
	CHECK_RC(daos_obj_register_class(coh, mine + 1, &attr, NULL), -DER_INVAL);
	OK(daos_obj_query_class(coh, mine, &got, NULL));
	CHECK(got.ca_resil == DAOS_RES_REPL && got.u.rp.r_num == 1 && got.ca_grp_nr == 1);
	OK(daos_obj_generate_oid(coh, &oid, DAOS_OT_MULTI_HASHED, mine, 0, 0));
	CHECK(daos_obj_id2class(oid) == OC_S1 && oid.lo == 5);

	STEP("list of classes");
	while (!daos_anchor_is_eof(&anchor)) {
		OK(daos_obj_list_class(coh, &list, &anchor, NULL));
		CHECK(list.cl_nr_out <= 7);
		for (uint32_t i = 0; i < list.cl_nr_out; i++) {
			seen++;
			found += ids[i] == mine;
			CHECK(ids[i] != OC_RP_2G1 || attrs[i].u.rp.r_num == 2);
		}
	}
	CHECK(seen > daos_oclass_nr(0) && found == 1);
	OK(daos_obj_list_class(coh, &list, &anchor, NULL));
	CHECK(list.cl_nr_out == 0);
	list.cl_nr = 0;
	CHECK_RC(daos_obj_list_class(coh, &list, &anchor, NULL), -DER_INVAL);

	STEP("a registration is no attribute that applications see");
	OK(daos_cont_list_attr(coh, names, &size, NULL));
	for (size_t at = 0; at < size && at < sizeof(names); at += strlen(names + at) + 1)
		CHECK(strstr(names + at, "oclass") == NULL);
}

int
main(void)
{
	check_open(&poh, &coh);
	query();
	STEP("anchors at hashed keys");
	anchors(DAOS_OT_MULTI_HASHED);
	STEP("anchors at lexical keys");
	anchors(DAOS_OT_MULTI_LEXICAL);
	verify();
	classes();
	check_close(poh, coh);
	return 0;
}
