/* Aim: objects: single values and extents, sizes, holes, I/O maps, punches, listings at every level, key queries, the
 * checks of arguments. */
#include "check.h"

static daos_handle_t poh, coh, oh;

static int
update(const char *dkey, const char *akey, daos_iod_type_t type, daos_size_t size, daos_recx_t *recxs, int nr,
       const void *buf, size_t length, uint64_t flags)
{
	daos_key_t  key;
	daos_iod_t  iod = {.iod_type = type, .iod_size = size, .iod_nr = nr, .iod_recxs = recxs};
	d_iov_t     iov;
	d_sg_list_t sgl = {.sg_nr = 1, .sg_iovs = &iov};

	d_iov_set(&key, (void *)dkey, strlen(dkey));
	d_iov_set(&iod.iod_name, (void *)akey, strlen(akey));
	d_iov_set(&iov, (void *)buf, length);
	return daos_obj_update(oh, DAOS_TX_NONE, flags, &key, 1, &iod, buf ? &sgl : NULL, NULL);
}

static int
fetch(const char *dkey, const char *akey, daos_iod_type_t type, daos_size_t *size, daos_recx_t *recxs, int nr,
      void *buf, size_t length, uint64_t flags, daos_iom_t *iom, d_sg_list_t *out)
{
	daos_key_t     key;
	daos_iod_t     iod = {.iod_type = type, .iod_size = *size, .iod_nr = nr, .iod_recxs = recxs};
	static d_iov_t iov;
	d_sg_list_t    sgl = {.sg_nr = 1, .sg_iovs = &iov};
	int            rc;

	d_iov_set(&key, (void *)dkey, strlen(dkey));
	d_iov_set(&iod.iod_name, (void *)akey, strlen(akey));
	d_iov_set(&iov, buf, length);
	rc = daos_obj_fetch(oh, DAOS_TX_NONE, flags, &key, 1, &iod, buf ? &sgl : NULL, iom, NULL);
	*size = iod.iod_size;
	if (out != NULL)
		*out = sgl;
	return rc;
}

static void
values(void)
{
	char        buf[64];
	daos_size_t size;
	d_sg_list_t sgl;

	STEP("single values");
	OK(update("d", "a", DAOS_IOD_SINGLE, 5, NULL, 1, "hello", 5, 0));
	size = DAOS_REC_ANY;
	OK(fetch("d", "a", DAOS_IOD_SINGLE, &size, NULL, 1, NULL, 0, 0, NULL, NULL));
	CHECK(size == 5);
	memset(buf, 0x55, sizeof(buf));
	size = DAOS_REC_ANY;
	OK(fetch("d", "a", DAOS_IOD_SINGLE, &size, NULL, 1, buf, sizeof(buf), 0, NULL, &sgl));
	CHECK(size == 5 && memcmp(buf, "hello", 5) == 0 && buf[5] == 0x55);
	CHECK(sgl.sg_nr_out == 1 && sgl.sg_iovs[0].iov_len == 5);
	size = 3;
	CHECK_RC(fetch("d", "a", DAOS_IOD_SINGLE, &size, NULL, 1, buf, 3, 0, NULL, NULL), -DER_REC2BIG);
	CHECK(size == 5);
	size = sizeof(buf);
	OK(fetch("d", "none", DAOS_IOD_SINGLE, &size, NULL, 1, buf, sizeof(buf), 0, NULL, &sgl));
	CHECK(size == 0 && sgl.sg_nr_out == 0);
	CHECK_RC(fetch("no", "a", DAOS_IOD_SINGLE, &size, NULL, 1, buf, 64, DAOS_COND_DKEY_FETCH, NULL, NULL),
		 -DER_NONEXIST);
	CHECK_RC(update("d", "a", DAOS_IOD_SINGLE, 1, NULL, 1, "x", 1, DAOS_COND_AKEY_INSERT), -DER_EXIST);
	CHECK_RC(update("d", "z", DAOS_IOD_SINGLE, 1, NULL, 1, "x", 1, DAOS_COND_AKEY_UPDATE), -DER_NONEXIST);

	STEP("punched by size 0");
	OK(update("d", "a", DAOS_IOD_SINGLE, 0, NULL, 1, NULL, 0, 0));
	size = DAOS_REC_ANY;
	OK(fetch("d", "a", DAOS_IOD_SINGLE, &size, NULL, 1, NULL, 0, 0, NULL, NULL));
	CHECK(size == 0);
}

static void
extents(void)
{
	daos_recx_t recxs[2] = {{.rx_idx = 2, .rx_nr = 3}, {.rx_idx = 10, .rx_nr = 2}};
	daos_recx_t all = {.rx_idx = 0, .rx_nr = 16};
	uint32_t    data[5] = {1, 2, 3, 4, 5}, back[16];
	daos_size_t size = 4;
	daos_iom_t  iom = {.iom_flags = DAOS_IOMF_DETAIL};
	d_sg_list_t sgl;

	STEP("extents, holes and the I/O map");
	OK(update("e", "a", DAOS_IOD_ARRAY, 4, recxs, 2, data, sizeof(data), 0));
	memset(back, 0x77, sizeof(back));
	OK(fetch("e", "a", DAOS_IOD_ARRAY, &size, &all, 1, back, sizeof(back), 0, &iom, &sgl));
	CHECK(size == 4 && back[0] == 0x77777777 && back[1] == 0x77777777);
	CHECK(back[2] == 1 && back[4] == 3 && back[5] == 0x77777777 && back[10] == 4 && back[11] == 5);
	CHECK(back[12] == 0x77777777);
	CHECK(iom.iom_nr_out == 2 && iom.iom_size == 4);
	CHECK(iom.iom_recxs[0].rx_idx == 2 && iom.iom_recxs[0].rx_nr == 3 && iom.iom_recxs[1].rx_idx == 10);
	CHECK(iom.iom_recx_lo.rx_idx == 2 && iom.iom_recx_hi.rx_idx == 10 && iom.iom_recx_hi.rx_nr == 2);
	free(iom.iom_recxs);
	CHECK(sgl.sg_nr_out == 1 && sgl.sg_iovs[0].iov_len == 12 * 4);
	size = DAOS_REC_ANY;
	OK(fetch("e", "a", DAOS_IOD_ARRAY, &size, &all, 1, NULL, 0, 0, NULL, NULL));
	CHECK(size == 4);

	STEP("overwritten and punched extents");
	recxs[0].rx_idx = 3;
	recxs[0].rx_nr = 1;
	OK(update("e", "a", DAOS_IOD_ARRAY, 4, recxs, 1, &data[4], 4, 0));
	recxs[0].rx_idx = 10;
	OK(update("e", "a", DAOS_IOD_ARRAY, 0, recxs, 1, NULL, 0, 0));
	memset(back, 0x77, sizeof(back));
	size = 4;
	OK(fetch("e", "a", DAOS_IOD_ARRAY, &size, &all, 1, back, sizeof(back), 0, NULL, NULL));
	CHECK(back[2] == 1 && back[3] == 5 && back[4] == 3 && back[10] == 0x77777777 && back[11] == 5);

	STEP("listed extents");
	{
		daos_key_t         dkey, akey;
		daos_recx_t        found[16];
		daos_epoch_range_t eprs[16];
		daos_anchor_t      anchor = {0};
		uint64_t           covered = 0;

		d_iov_set(&dkey, "e", 1);
		d_iov_set(&akey, "a", 1);
		size = 0;
		while (!daos_anchor_is_eof(&anchor)) {
			uint32_t nr = 2;

			OK(daos_obj_list_recx(oh, DAOS_TX_NONE, &dkey, &akey, &size, &nr, found, eprs, &anchor, true,
					      NULL));
			for (uint32_t i = 0; i < nr; i++)
				for (uint64_t r = 0; r < found[i].rx_nr; r++)
					covered |= 1ull << (found[i].rx_idx + r);
		}
		CHECK(size == 4);
		CHECK(covered == ((1 << 2) | (1 << 3) | (1 << 4) | (1 << 11)));
	}
}

static void
arguments(void)
{
	daos_recx_t overlap[2] = {{.rx_idx = 0, .rx_nr = 4}, {.rx_idx = 3, .rx_nr = 1}};
	daos_recx_t empty = {.rx_idx = 0, .rx_nr = 0};
	char        buf[16] = "";
	daos_size_t size = 1;
	daos_key_t  none = {0};

	STEP("arguments");
	CHECK_RC(update("f", "a", DAOS_IOD_ARRAY, 1, overlap, 2, buf, 5, 0), -DER_INVAL);
	CHECK_RC(update("f", "a", DAOS_IOD_ARRAY, 1, &empty, 1, buf, 5, 0), -DER_INVAL);
	CHECK_RC(update("f", "a", DAOS_IOD_ARRAY, 1, overlap, 1, buf, 3, 0), -DER_REC2BIG);
	CHECK_RC(update("f", "a", DAOS_IOD_SINGLE, 4, NULL, 1, NULL, 0, 0), -DER_INVAL);
	CHECK_RC(update("f", "a", DAOS_IOD_SINGLE, 4, NULL, 2, buf, 4, 0), -DER_INVAL);
	CHECK_RC(update("f", "", DAOS_IOD_SINGLE, 4, NULL, 1, buf, 4, 0), -DER_INVAL);
	CHECK_RC(update("", "a", DAOS_IOD_SINGLE, 4, NULL, 1, buf, 4, 0), -DER_INVAL);
	CHECK_RC(update("f", "a", 9, 4, NULL, 1, buf, 4, 0), -DER_INVAL);
	CHECK_RC(update("f", "a", DAOS_IOD_SINGLE, 4, NULL, 1, buf, 4, DAOS_COND_AKEY_FETCH), -DER_INVAL);
	CHECK_RC(fetch("f", "a", DAOS_IOD_SINGLE, &size, NULL, 1, buf, 16, DAOS_COND_PUNCH, NULL, NULL), -DER_INVAL);
	CHECK_RC(daos_obj_fetch(oh, DAOS_TX_NONE, 0, NULL, 1, NULL, NULL, NULL, NULL), -DER_INVAL);
	CHECK_RC(daos_obj_punch_dkeys(oh, DAOS_TX_NONE, 0, 1, &none, NULL), -DER_INVAL);
	CHECK_RC(daos_obj_close(poh, NULL), -DER_NO_HDL);
	CHECK_RC(daos_obj_punch(DAOS_HDL_INVAL, DAOS_TX_NONE, 0, NULL), -DER_NO_HDL);
	CHECK_RC(daos_pool_disconnect(poh, NULL), -DER_BUSY);
}

static int
list_keys(const char *dkey, uint32_t batch, size_t room)
{
	daos_key_desc_t kds[64];
	char           *buf = malloc(room);
	d_iov_t         iov;
	d_sg_list_t     sgl = {.sg_nr = 1, .sg_iovs = &iov};
	daos_anchor_t   anchor = {0};
	daos_key_t      key;
	int             found = 0;

	if (dkey != NULL)
		d_iov_set(&key, (void *)dkey, strlen(dkey));
	while (!daos_anchor_is_eof(&anchor)) {
		uint32_t nr = batch;
		int      rc;

		d_iov_set(&iov, buf, room);
		if (dkey == NULL)
			rc = daos_obj_list_dkey(oh, DAOS_TX_NONE, &nr, kds, &sgl, &anchor, NULL);
		else
			rc = daos_obj_list_akey(oh, DAOS_TX_NONE, &key, &nr, kds, &sgl, &anchor, NULL);
		if (rc == -DER_KEY2BIG) {
			CHECK(kds[0].kd_key_len > room);
			free(buf);
			return rc;
		}
		OK(rc);
		CHECK(nr <= batch);
		found += nr;
	}
	free(buf);
	return found;
}

static void
listings(void)
{
	char     name[1024];
	uint32_t nr = 0;

	STEP("listings");
	for (int i = 0; i < 100; i++) {
		sprintf(name, "dkey-%03d", i);
		OK(update(name, "a", DAOS_IOD_SINGLE, 1, NULL, 1, "x", 1, 0));
		sprintf(name, "akey-%03d", i);
		OK(update("many", name, DAOS_IOD_SINGLE, 1, NULL, 1, "x", 1, 0));
	}
	CHECK(list_keys("many", 7, 4096) == 100);
	CHECK(list_keys("many", 64, 100) == 100);
	CHECK(list_keys(NULL, 64, 4096) == 100 + 3);
	CHECK(list_keys(NULL, 5, 100) == 100 + 3);
	CHECK(list_keys("absent", 5, 100) == 0);
	OK(daos_obj_anchor_split(oh, &nr, NULL));
	CHECK(nr >= 1);
	{
		daos_anchor_t *anchors = calloc(nr, sizeof(*anchors));
		daos_key_desc_t kds[16];
		char           buf[1024];
		d_iov_t        iov;
		d_sg_list_t    sgl = {.sg_nr = 1, .sg_iovs = &iov};
		int            found = 0;

		OK(daos_obj_anchor_split(oh, &nr, anchors));
		for (uint32_t i = 0; i < nr; i++)
			while (!daos_anchor_is_eof(&anchors[i])) {
				uint32_t count = 16;

				d_iov_set(&iov, buf, sizeof(buf));
				OK(daos_obj_list_dkey(oh, DAOS_TX_NONE, &count, kds, &sgl, &anchors[i], NULL));
				found += count;
			}
		CHECK(found == 103);
		free(anchors);
	}

	STEP("a key larger than the room");
	memset(name, 'k', 600);
	name[600] = 0;
	OK(update("long", name, DAOS_IOD_SINGLE, 1, NULL, 1, "x", 1, 0));
	CHECK(list_keys("long", 4, 100) == -DER_KEY2BIG);
	CHECK(list_keys("long", 4, 600) == 1);

	STEP("punches");
	{
		daos_key_t  dkey, akeys[2];
		daos_size_t size = DAOS_REC_ANY;

		d_iov_set(&dkey, "many", 4);
		d_iov_set(&akeys[0], "akey-001", 8);
		d_iov_set(&akeys[1], "akey-002", 8);
		OK(daos_obj_punch_akeys(oh, DAOS_TX_NONE, 0, &dkey, 2, akeys, NULL));
		CHECK(list_keys("many", 64, 4096) == 98);
		OK(daos_obj_punch_dkeys(oh, DAOS_TX_NONE, 0, 1, &dkey, NULL));
		CHECK(list_keys("many", 64, 4096) == 0);
		CHECK(list_keys(NULL, 64, 4096) == 103);
		d_iov_set(&dkey, "absent", 6);
		OK(daos_obj_punch_dkeys(oh, DAOS_TX_NONE, 0, 1, &dkey, NULL));
		CHECK_RC(daos_obj_punch_dkeys(oh, DAOS_TX_NONE, DAOS_COND_PUNCH, 1, &dkey, NULL), -DER_NONEXIST);
		OK(daos_obj_punch(oh, DAOS_TX_NONE, 0, NULL));
		CHECK(list_keys(NULL, 64, 4096) == 0);
		OK(fetch("e", "a", DAOS_IOD_SINGLE, &size, NULL, 1, NULL, 0, 0, NULL, NULL));
		CHECK(size == 0);
	}
}

static void
queries(void)
{
	daos_handle_t io;
	uint64_t      numbers[4] = {5, 70000, 300, 2}, answer = 0;
	daos_key_t    dkey, akey;
	daos_recx_t   recx = {.rx_idx = 11, .rx_nr = 3};

	STEP("key queries over shards");
	OK(daos_obj_open(coh, check_oid(coh, DAOS_OT_DKEY_UINT64, OC_SX), DAOS_OO_RW, &io, NULL));
	d_iov_set(&akey, "a", 1);
	d_iov_set(&dkey, &answer, sizeof(answer));
	OK(daos_obj_query_key(io, DAOS_TX_NONE, DAOS_GET_DKEY | DAOS_GET_MAX, &dkey, &akey, NULL, NULL));
	CHECK(dkey.iov_len == 0);
	for (int i = 0; i < 4; i++) {
		daos_iod_t  iod = {.iod_type = DAOS_IOD_ARRAY, .iod_size = 1, .iod_nr = 1, .iod_recxs = &recx};
		d_iov_t     iov;
		d_sg_list_t sgl = {.sg_nr = 1, .sg_iovs = &iov};

		d_iov_set(&iov, "abc", 3);
		d_iov_set(&dkey, &numbers[i], sizeof(numbers[i]));
		iod.iod_name = akey;
		recx.rx_idx = numbers[i] * 2;
		OK(daos_obj_update(io, DAOS_TX_NONE, 0, &dkey, 1, &iod, &sgl, NULL));
	}
	d_iov_set(&dkey, &answer, sizeof(answer));
	OK(daos_obj_query_key(io, DAOS_TX_NONE, DAOS_GET_DKEY | DAOS_GET_RECX | DAOS_GET_MAX, &dkey, &akey, &recx,
			      NULL));
	CHECK(answer == 70000 && recx.rx_idx == 140000 && recx.rx_nr == 3);
	OK(daos_obj_query_key(io, DAOS_TX_NONE, DAOS_GET_DKEY | DAOS_GET_MIN, &dkey, &akey, NULL, NULL));
	CHECK(answer == 2);
	CHECK_RC(daos_obj_query_key(io, DAOS_TX_NONE, DAOS_GET_DKEY, &dkey, &akey, NULL, NULL), -DER_INVAL);
	CHECK_RC(daos_obj_query_key(oh, DAOS_TX_NONE, DAOS_GET_DKEY | DAOS_GET_MAX, &dkey, &akey, NULL, NULL),
		 -DER_INVAL);
	OK(daos_obj_close(io, NULL));
}

static void
classes(void)
{
	char          name[64], list[4096];
	daos_obj_id_t oid = {.lo = 1, .hi = 0xffffffff00000001ull};

	STEP("classes");
	CHECK(daos_oclass_name2id("SX") == OC_SX && daos_oclass_name2id("nope") == OC_UNKNOWN);
	OK(daos_oclass_id2name(OC_S1, name));
	CHECK(strcmp(name, "S1") == 0);
	CHECK(daos_oclass_id2name(0xdeadbeef, name) != 0);
	CHECK(daos_oclass_names_list(sizeof(list), list) > 0 && strstr(list, "SX, ") != NULL);
	CHECK(daos_oclass_names_list(4, list) == -DER_OVERFLOW);
	OK(daos_obj_generate_oid(coh, &oid, DAOS_OT_ARRAY_BYTE, OC_S1, 0, 0));
	CHECK(daos_obj_id2type(oid) == DAOS_OT_ARRAY_BYTE && (uint32_t)oid.hi == 1);
	CHECK_RC(daos_obj_generate_oid(coh, &oid, 99, OC_S1, 0, 0), -DER_INVAL);
}

int
main(void)
{
	check_open(&poh, &coh);
	OK(daos_obj_open(coh, check_oid(coh, DAOS_OT_MULTI_HASHED, OC_SX), DAOS_OO_RW, &oh, NULL));
	values();
	extents();
	arguments();
	listings();
	queries();
	classes();
	STEP("read-only");
	OK(daos_obj_close(oh, NULL));
	OK(daos_obj_open(coh, check_oid(coh, DAOS_OT_MULTI_HASHED, OC_SX), DAOS_OO_RO, &oh, NULL));
	CHECK_RC(update("d", "a", DAOS_IOD_SINGLE, 1, NULL, 1, "x", 1, 0), -DER_NO_PERM);
	OK(daos_obj_close(oh, NULL));
	check_close(poh, coh);
	return 0;
}
