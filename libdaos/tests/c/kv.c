/* Aim: key-value objects: put, get, sizes, conditions, removal, listing over shards, blocking and with events. */
#include "check.h"

#define KEYS 300

static void
list_all(daos_handle_t oh, int expected)
{
	daos_key_desc_t kds[32];
	char            buf[512];
	d_iov_t         iov;
	d_sg_list_t     sgl = {.sg_nr = 1, .sg_iovs = &iov};
	daos_anchor_t   anchor = {0};
	bool            seen[KEYS] = {false};
	int             found = 0;

	while (!daos_anchor_is_eof(&anchor)) {
		uint32_t nr = 32;
		char    *at = buf;

		d_iov_set(&iov, buf, sizeof(buf));
		OK(daos_kv_list(oh, DAOS_TX_NONE, &nr, kds, &sgl, &anchor, NULL));
		for (uint32_t i = 0; i < nr; i++) {
			char key[32] = {0};
			int  number;

			CHECK(kds[i].kd_key_len < sizeof(key));
			memcpy(key, at, kds[i].kd_key_len);
			at += kds[i].kd_key_len;
			CHECK(sscanf(key, "key-%d", &number) == 1 && number >= 0 && number < KEYS);
			CHECK(!seen[number]);
			seen[number] = true;
			found++;
		}
	}
	CHECK(found == expected);
}

int
main(void)
{
	daos_handle_t poh, coh, oh, eqh;
	daos_obj_id_t oid;
	daos_size_t   size;
	char          key[32], buf[64];
	char         *big = malloc(1 << 20), *back = calloc(1, 1 << 20);

	check_open(&poh, &coh);
	oid = check_oid(coh, DAOS_OT_KV_HASHED, OC_SX);

	STEP("open");
	CHECK_RC(daos_kv_open(coh, check_oid(coh, DAOS_OT_MULTI_HASHED, OC_S1), DAOS_OO_RW, &oh, NULL), -DER_INVAL);
	OK(daos_kv_open(coh, oid, DAOS_OO_RW, &oh, NULL));

	STEP("put and get");
	for (int i = 0; i < KEYS; i++) {
		sprintf(key, "key-%d", i);
		OK(daos_kv_put(oh, DAOS_TX_NONE, 0, key, sizeof(i), &i, NULL));
	}
	for (int i = 0; i < KEYS; i++) {
		int value = -1;

		sprintf(key, "key-%d", i);
		size = sizeof(value);
		OK(daos_kv_get(oh, DAOS_TX_NONE, 0, key, &size, &value, NULL));
		CHECK(size == sizeof(value) && value == i);
	}

	STEP("sizes");
	size = 0;
	OK(daos_kv_get(oh, DAOS_TX_NONE, 0, "key-7", &size, NULL, NULL));
	CHECK(size == sizeof(int));
	size = 2;
	CHECK_RC(daos_kv_get(oh, DAOS_TX_NONE, 0, "key-7", &size, buf, NULL), -DER_REC2BIG);
	CHECK(size == sizeof(int));
	size = sizeof(buf);
	OK(daos_kv_get(oh, DAOS_TX_NONE, 0, "absent", &size, buf, NULL));
	CHECK(size == 0);

	STEP("large values");
	for (int i = 0; i < 1 << 20; i++)
		big[i] = (char)(i * 7 + (i >> 10));
	OK(daos_kv_put(oh, DAOS_TX_NONE, 0, "key-1", 1 << 20, big, NULL));
	size = 1 << 20;
	OK(daos_kv_get(oh, DAOS_TX_NONE, 0, "key-1", &size, back, NULL));
	CHECK(size == 1 << 20 && memcmp(big, back, size) == 0);

	STEP("conditions");
	CHECK_RC(daos_kv_put(oh, DAOS_TX_NONE, DAOS_COND_KEY_INSERT, "key-1", 1, "x", NULL), -DER_EXIST);
	CHECK_RC(daos_kv_put(oh, DAOS_TX_NONE, DAOS_COND_KEY_UPDATE, "absent", 1, "x", NULL), -DER_NONEXIST);
	size = sizeof(buf);
	CHECK_RC(daos_kv_get(oh, DAOS_TX_NONE, DAOS_COND_KEY_GET, "absent", &size, buf, NULL), -DER_NONEXIST);
	CHECK_RC(daos_kv_remove(oh, DAOS_TX_NONE, DAOS_COND_KEY_REMOVE, "absent", NULL), -DER_NONEXIST);

	STEP("list and remove");
	list_all(oh, KEYS);
	for (int i = 0; i < KEYS; i += 2) {
		sprintf(key, "key-%d", i);
		OK(daos_kv_remove(oh, DAOS_TX_NONE, 0, key, NULL));
	}
	list_all(oh, KEYS / 2);

	STEP("with events");
	OK(daos_eq_create(&eqh));
	{
		daos_event_t  ev[16], *done[16];
		char          keys[16][16];
		int           values[16], count = 0;

		for (int i = 0; i < 16; i++) {
			sprintf(keys[i], "key-%d", i * 2);
			values[i] = 1000 + i;
			OK(daos_event_init(&ev[i], eqh, NULL));
			OK(daos_kv_put(oh, DAOS_TX_NONE, 0, keys[i], sizeof(int), &values[i], &ev[i]));
		}
		while (count < 16) {
			int rc = daos_eq_poll(eqh, 1, DAOS_EQ_WAIT, 16, done);

			CHECK(rc > 0);
			for (int i = 0; i < rc; i++)
				CHECK(done[i]->ev_error == 0);
			count += rc;
		}
		for (int i = 0; i < 16; i++)
			OK(daos_event_fini(&ev[i]));
	}
	OK(daos_eq_destroy(eqh, 0));
	list_all(oh, KEYS / 2 + 16);

	STEP("destroy");
	OK(daos_kv_destroy(oh, DAOS_TX_NONE, NULL));
	list_all(oh, 0);
	OK(daos_kv_close(oh, NULL));
	CHECK_RC(daos_kv_close(oh, NULL), -DER_NO_HDL);
	check_close(poh, coh);
	return 0;
}
