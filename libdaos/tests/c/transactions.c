/*
 * Aim: transactions: what they see, when others see them, conflicts, restarts, conditions, every state and what is
 * refused in it; objects on one and on many targets, arrays, key-values; blocking and with events.
 */
#include "check.h"

#define AKEY "a"

static daos_handle_t eqh;

static void
put(daos_handle_t oh, daos_handle_t th, uint64_t flags, const char *dkey, const char *value, int wanted)
{
	d_iov_t     key, iov;
	d_sg_list_t sgl = {.sg_nr = 1, .sg_iovs = &iov};
	daos_iod_t  iod = {.iod_type = DAOS_IOD_SINGLE, .iod_nr = 1, .iod_size = strlen(value)};
	char        copy[64];

	/* The transaction must not depend on the buffer after the call. */
	strcpy(copy, value);
	d_iov_set(&key, (void *)dkey, strlen(dkey));
	d_iov_set(&iod.iod_name, AKEY, 1);
	d_iov_set(&iov, copy, strlen(value));
	CHECK_RC(daos_obj_update(oh, th, flags, &key, 1, &iod, &sgl, NULL), wanted);
	memset(copy, '#', sizeof(copy));
}

/* "" when there is nothing. */
static void
expect(daos_handle_t oh, daos_handle_t th, const char *dkey, const char *value)
{
	char        buf[64] = {0};
	d_iov_t     key, iov;
	d_sg_list_t sgl = {.sg_nr = 1, .sg_iovs = &iov};
	daos_iod_t  iod = {.iod_type = DAOS_IOD_SINGLE, .iod_nr = 1, .iod_size = DAOS_REC_ANY};

	d_iov_set(&key, (void *)dkey, strlen(dkey));
	d_iov_set(&iod.iod_name, AKEY, 1);
	d_iov_set(&iov, buf, sizeof(buf));
	OK(daos_obj_fetch(oh, th, 0, &key, 1, &iod, &sgl, NULL, NULL));
	if (iod.iod_size != strlen(value) || strcmp(buf, value) != 0) {
		fprintf(stderr, "%s: %s holds \"%s\" (%zu), not \"%s\"\n", check_step, dkey, buf,
			(size_t)iod.iod_size, value);
		exit(1);
	}
}

static int
count_dkeys(daos_handle_t oh, daos_handle_t th)
{
	daos_key_desc_t kds[16];
	char            buf[512];
	d_iov_t         iov;
	d_sg_list_t     sgl = {.sg_nr = 1, .sg_iovs = &iov};
	daos_anchor_t   anchor = {0};
	int             count = 0;

	while (!daos_anchor_is_eof(&anchor)) {
		uint32_t nr = 16;

		d_iov_set(&iov, buf, sizeof(buf));
		OK(daos_obj_list_dkey(oh, th, &nr, kds, &sgl, &anchor, NULL));
		count += nr;
	}
	return count;
}

static void
test_visibility(daos_handle_t coh, daos_oclass_id_t class)
{
	daos_handle_t oh, th;
	daos_obj_id_t oid = check_oid(coh, 0, class);
	daos_epoch_t  epoch, again;
	char          dkey[16], value[16];

	STEP("a transaction sees one state, others see it when it is committed");
	OK(daos_obj_open(coh, oid, DAOS_OO_RW, &oh, NULL));
	put(oh, DAOS_TX_NONE, 0, "before", "1", 0);
	OK(daos_tx_open(coh, &th, 0, NULL));
	CHECK_RC(daos_tx_hdl2epoch(th, &epoch), -DER_UNINIT);
	expect(oh, th, "before", "1");
	OK(daos_tx_hdl2epoch(th, &epoch));
	put(oh, DAOS_TX_NONE, 0, "meanwhile", "2", 0);
	expect(oh, th, "meanwhile", "");
	for (int i = 0; i < 20; i++) {
		sprintf(dkey, "dkey %d", i);
		sprintf(value, "value %d", i);
		put(oh, th, 0, dkey, value, 0);
		expect(oh, th, dkey, "");
		expect(oh, DAOS_TX_NONE, dkey, "");
	}
	OK(daos_tx_hdl2epoch(th, &again));
	CHECK(epoch != 0 && epoch == again);
	/* It has read that "meanwhile" was not there, which is no longer so. */
	CHECK_RC(daos_tx_commit(th, NULL), -DER_TX_RESTART);
	expect(oh, DAOS_TX_NONE, "dkey 3", "");

	STEP("restart");
	CHECK_RC(daos_tx_commit(th, NULL), -DER_NO_PERM);
	put(oh, th, 0, "dkey 1", "no", -DER_NO_PERM);
	CHECK_RC(daos_tx_abort(th, NULL), -DER_NO_PERM);
	OK(daos_tx_restart(th, NULL));
	CHECK_RC(daos_tx_restart(th, NULL), -DER_NO_PERM);
	expect(oh, th, "meanwhile", "2");
	for (int i = 0; i < 20; i++) {
		sprintf(dkey, "dkey %d", i);
		sprintf(value, "value %d", i);
		put(oh, th, 0, dkey, value, 0);
	}
	put(oh, th, 0, "dkey 7", "second", 0);
	OK(daos_tx_commit(th, NULL));
	for (int i = 0; i < 20; i++) {
		sprintf(dkey, "dkey %d", i);
		sprintf(value, "value %d", i);
		expect(oh, DAOS_TX_NONE, dkey, i == 7 ? "second" : value);
	}
	CHECK(count_dkeys(oh, DAOS_TX_NONE) == 22);

	STEP("after the commit");
	CHECK_RC(daos_tx_commit(th, NULL), -DER_ALREADY);
	CHECK_RC(daos_tx_abort(th, NULL), -DER_NO_PERM);
	CHECK_RC(daos_tx_restart(th, NULL), -DER_NO_PERM);
	put(oh, th, 0, "dkey 1", "no", -DER_NO_PERM);
	OK(daos_tx_close(th, NULL));
	CHECK_RC(daos_tx_close(th, NULL), -DER_NO_HDL);
	CHECK_RC(daos_tx_commit(th, NULL), -DER_NO_HDL);
	put(oh, th, 0, "dkey 1", "no", -DER_NO_HDL);

	STEP("abort");
	OK(daos_tx_open(coh, &th, 0, NULL));
	put(oh, th, 0, "dkey 1", "no", 0);
	OK(daos_tx_abort(th, NULL));
	CHECK_RC(daos_tx_abort(th, NULL), -DER_ALREADY);
	CHECK_RC(daos_tx_commit(th, NULL), -DER_NO_PERM);
	CHECK_RC(daos_tx_restart(th, NULL), -DER_NO_PERM);
	OK(daos_tx_close(th, NULL));
	expect(oh, DAOS_TX_NONE, "dkey 1", "value 1");

	STEP("closed without a commit");
	OK(daos_tx_open(coh, &th, 0, NULL));
	put(oh, th, 0, "dkey 1", "no", 0);
	OK(daos_tx_close(th, NULL));
	expect(oh, DAOS_TX_NONE, "dkey 1", "value 1");

	STEP("punches in a transaction");
	OK(daos_tx_open(coh, &th, 0, NULL));
	{
		d_iov_t key, akey;

		d_iov_set(&key, "dkey 1", 6);
		d_iov_set(&akey, AKEY, 1);
		OK(daos_obj_punch_dkeys(oh, th, DAOS_COND_PUNCH, 1, &key, NULL));
		d_iov_set(&key, "dkey 2", 6);
		OK(daos_obj_punch_akeys(oh, th, DAOS_COND_PUNCH, &key, 1, &akey, NULL));
		d_iov_set(&key, "nothing", 7);
		CHECK_RC(daos_obj_punch_dkeys(oh, th, DAOS_COND_PUNCH, 1, &key, NULL), -DER_NONEXIST);
		CHECK_RC(daos_obj_punch_akeys(oh, th, DAOS_COND_PUNCH, &key, 1, &akey, NULL), -DER_NONEXIST);
	}
	expect(oh, DAOS_TX_NONE, "dkey 1", "value 1");
	OK(daos_tx_commit(th, NULL));
	OK(daos_tx_close(th, NULL));
	expect(oh, DAOS_TX_NONE, "dkey 1", "");
	expect(oh, DAOS_TX_NONE, "dkey 2", "");

	STEP("the whole object");
	OK(daos_tx_open(coh, &th, 0, NULL));
	OK(daos_obj_punch(oh, th, 0, NULL));
	put(oh, th, 0, "last", "one", 0);
	CHECK(count_dkeys(oh, th) == 20);
	OK(daos_tx_commit(th, NULL));
	OK(daos_tx_close(th, NULL));
	CHECK(count_dkeys(oh, DAOS_TX_NONE) == 1);
	expect(oh, DAOS_TX_NONE, "last", "one");
	OK(daos_obj_close(oh, NULL));
}

static void
test_conditions(daos_handle_t coh)
{
	daos_handle_t oh, th;
	daos_obj_id_t oid = check_oid(coh, 0, OC_SX);

	STEP("conditions");
	OK(daos_obj_open(coh, oid, DAOS_OO_RW, &oh, NULL));
	put(oh, DAOS_TX_NONE, 0, "there", "1", 0);
	OK(daos_tx_open(coh, &th, 0, NULL));
	put(oh, th, DAOS_COND_DKEY_INSERT, "there", "2", -DER_EXIST);
	put(oh, th, DAOS_COND_AKEY_INSERT, "there", "2", -DER_EXIST);
	put(oh, th, DAOS_COND_DKEY_UPDATE, "absent", "2", -DER_NONEXIST);
	put(oh, th, DAOS_COND_AKEY_UPDATE, "absent", "2", -DER_NONEXIST);
	put(oh, th, DAOS_COND_DKEY_INSERT, "new", "3", 0);
	put(oh, th, DAOS_COND_DKEY_UPDATE, "there", "4", 0);
	OK(daos_tx_commit(th, NULL));
	OK(daos_tx_close(th, NULL));
	expect(oh, DAOS_TX_NONE, "new", "3");
	expect(oh, DAOS_TX_NONE, "there", "4");
	expect(oh, DAOS_TX_NONE, "absent", "");

	STEP("a condition that no longer holds at the commit");
	OK(daos_tx_open(coh, &th, 0, NULL));
	put(oh, th, DAOS_COND_DKEY_INSERT, "raced", "mine", 0);
	put(oh, DAOS_TX_NONE, DAOS_COND_DKEY_INSERT, "raced", "theirs", 0);
	CHECK_RC(daos_tx_commit(th, NULL), -DER_TX_RESTART);
	OK(daos_tx_restart(th, NULL));
	put(oh, th, DAOS_COND_DKEY_INSERT, "raced", "mine", -DER_EXIST);
	OK(daos_tx_close(th, NULL));
	expect(oh, DAOS_TX_NONE, "raced", "theirs");
	OK(daos_obj_close(oh, NULL));
}

static void
test_conflicts(daos_handle_t coh)
{
	daos_handle_t oh, one, two;
	daos_obj_id_t oid = check_oid(coh, 0, OC_SX);
	d_iov_t       key;

	STEP("write skew is no result of any order");
	OK(daos_obj_open(coh, oid, DAOS_OO_RW, &oh, NULL));
	put(oh, DAOS_TX_NONE, 0, "a", "on", 0);
	put(oh, DAOS_TX_NONE, 0, "b", "on", 0);
	OK(daos_tx_open(coh, &one, 0, NULL));
	OK(daos_tx_open(coh, &two, 0, NULL));
	expect(oh, one, "a", "on");
	expect(oh, one, "b", "on");
	expect(oh, two, "a", "on");
	expect(oh, two, "b", "on");
	put(oh, one, 0, "a", "off", 0);
	put(oh, two, 0, "b", "off", 0);
	OK(daos_tx_commit(one, NULL));
	CHECK_RC(daos_tx_commit(two, NULL), -DER_TX_RESTART);
	OK(daos_tx_close(two, NULL));
	OK(daos_tx_close(one, NULL));
	expect(oh, DAOS_TX_NONE, "b", "on");

	STEP("a listing is a read of what is not there");
	OK(daos_tx_open(coh, &one, 0, NULL));
	CHECK(count_dkeys(oh, one) == 2);
	put(oh, one, 0, "count", "2", 0);
	put(oh, DAOS_TX_NONE, 0, "c", "new", 0);
	CHECK_RC(daos_tx_commit(one, NULL), -DER_TX_RESTART);
	OK(daos_tx_close(one, NULL));

	STEP("a punch is a change");
	OK(daos_tx_open(coh, &one, 0, NULL));
	expect(oh, one, "c", "new");
	put(oh, one, 0, "d", "seen c", 0);
	d_iov_set(&key, "c", 1);
	OK(daos_obj_punch_dkeys(oh, DAOS_TX_NONE, 0, 1, &key, NULL));
	CHECK_RC(daos_tx_commit(one, NULL), -DER_TX_RESTART);
	OK(daos_tx_close(one, NULL));

	STEP("blind writes never conflict");
	OK(daos_tx_open(coh, &one, 0, NULL));
	OK(daos_tx_open(coh, &two, 0, NULL));
	put(oh, one, 0, "x", "1", 0);
	put(oh, one, 0, "y", "1", 0);
	put(oh, two, 0, "x", "2", 0);
	put(oh, two, 0, "y", "2", 0);
	OK(daos_tx_commit(two, NULL));
	OK(daos_tx_commit(one, NULL));
	OK(daos_tx_close(one, NULL));
	OK(daos_tx_close(two, NULL));
	expect(oh, DAOS_TX_NONE, "x", "1");
	expect(oh, DAOS_TX_NONE, "y", "1");

	STEP("own changes are seen by the next transaction");
	for (int i = 0; i < 50; i++) {
		char value[16];

		sprintf(value, "%d", i);
		put(oh, DAOS_TX_NONE, 0, "mine", value, 0);
		OK(daos_tx_open(coh, &one, DAOS_TF_RDONLY, NULL));
		expect(oh, one, "a", "off");
		expect(oh, one, "mine", value);
		OK(daos_tx_commit(one, NULL));
		OK(daos_tx_close(one, NULL));
	}
	OK(daos_obj_close(oh, NULL));
}

static void
test_refused(daos_handle_t poh, daos_handle_t coh)
{
	daos_handle_t oh, th, other;
	daos_obj_id_t oid = check_oid(coh, 0, OC_S1);
	daos_epoch_t  epoch;
	uuid_t        uuid;

	STEP("refused");
	OK(daos_obj_open(coh, oid, DAOS_OO_RW, &oh, NULL));
	CHECK_RC(daos_tx_open(coh, NULL, 0, NULL), -DER_INVAL);
	CHECK_RC(daos_tx_open(coh, &th, 64, NULL), -DER_INVAL);
	CHECK_RC(daos_tx_open(DAOS_HDL_INVAL, &th, 0, NULL), -DER_NO_HDL);
	CHECK_RC(daos_tx_open_snap(coh, 0, &th, NULL), -DER_INVAL);
	CHECK_RC(daos_tx_open_snap(coh, DAOS_EPOCH_MAX, &th, NULL), -DER_INVAL);
	CHECK_RC(daos_tx_hdl2epoch(DAOS_TX_NONE, &epoch), -DER_INVAL);
	CHECK_RC(daos_tx_hdl2epoch(oh, &epoch), -DER_NO_HDL);
	CHECK_RC(daos_tx_commit(oh, NULL), -DER_NO_HDL);
	CHECK_RC(daos_tx_abort(coh, NULL), -DER_NO_HDL);
	CHECK_RC(daos_tx_restart(DAOS_TX_NONE, NULL), -DER_NO_HDL);

	STEP("read-only");
	OK(daos_tx_open(coh, &th, DAOS_TF_RDONLY, NULL));
	put(oh, th, 0, "d", "no", -DER_NO_PERM);
	CHECK_RC(daos_obj_punch(oh, th, 0, NULL), -DER_NO_PERM);
	expect(oh, th, "d", "");
	put(oh, DAOS_TX_NONE, 0, "d", "yes", 0);
	expect(oh, th, "d", "");
	OK(daos_tx_commit(th, NULL));
	OK(daos_tx_close(th, NULL));

	STEP("snapshot");
	OK(daos_cont_create_snap(coh, &epoch, NULL, NULL));
	put(oh, DAOS_TX_NONE, 0, "d", "later", 0);
	OK(daos_tx_open_snap(coh, epoch, &th, NULL));
	expect(oh, th, "d", "yes");
	put(oh, th, 0, "d", "no", -DER_NO_PERM);
	{
		daos_epoch_t told;

		OK(daos_tx_hdl2epoch(th, &told));
		CHECK(told == epoch);
	}
	CHECK_RC(daos_tx_restart(th, NULL), -DER_NO_PERM);
	OK(daos_tx_close(th, NULL));

	STEP("another container's object");
	OK(daos_cont_create(poh, &uuid, NULL, NULL));
	{
		char text[40];

		uuid_unparse(uuid, text);
		OK(daos_cont_open(poh, text, DAOS_COO_RW, &other, NULL, NULL));
		OK(daos_tx_open(other, &th, 0, NULL));
		put(oh, th, 0, "d", "no", -DER_INVAL);
		OK(daos_tx_close(th, NULL));
		OK(daos_cont_close(other, NULL));
		OK(daos_cont_destroy(poh, text, 0, NULL));
	}
	OK(daos_obj_close(oh, NULL));
}

static void
test_zero_copy(daos_handle_t coh)
{
	daos_handle_t oh, th;
	daos_obj_id_t oid = check_oid(coh, 0, OC_SX);
	size_t        bytes = 3 << 20;
	char         *data = malloc(bytes), *back = malloc(bytes);
	d_iov_t       key, iov;
	d_sg_list_t   sgl = {.sg_nr = 1, .sg_iovs = &iov};
	daos_iod_t    iod = {.iod_type = DAOS_IOD_SINGLE, .iod_nr = 1, .iod_size = bytes};

	STEP("large values, copied at the call or not");
	OK(daos_obj_open(coh, oid, DAOS_OO_RW, &oh, NULL));
	for (int round = 0; round < 2; round++) {
		OK(daos_tx_open(coh, &th, round == 0 ? 0 : DAOS_TF_ZERO_COPY, NULL));
		for (int i = 0; i < 4; i++) {
			char dkey = '0' + i;

			memset(data, 'a' + round, bytes);
			d_iov_set(&key, &dkey, 1);
			d_iov_set(&iod.iod_name, AKEY, 1);
			d_iov_set(&iov, data, bytes);
			iod.iod_size = bytes;
			OK(daos_obj_update(oh, th, 0, &key, 1, &iod, &sgl, NULL));
		}
		/* Without the flag the copy stands; with it what is in the buffer at the commit. */
		memset(data, 'z', bytes);
		OK(daos_tx_commit(th, NULL));
		OK(daos_tx_close(th, NULL));
		for (int i = 0; i < 4; i++) {
			char dkey = '0' + i;

			d_iov_set(&key, &dkey, 1);
			d_iov_set(&iod.iod_name, AKEY, 1);
			d_iov_set(&iov, back, bytes);
			iod.iod_size = bytes;
			OK(daos_obj_fetch(oh, DAOS_TX_NONE, 0, &key, 1, &iod, &sgl, NULL, NULL));
			CHECK(back[0] == (round == 0 ? 'a' : 'z') && back[bytes - 1] == back[0]);
		}
	}
	OK(daos_obj_close(oh, NULL));
	free(data);
	free(back);
}

static void
test_array_and_kv(daos_handle_t coh)
{
	daos_handle_t    array, kv, th;
	daos_obj_id_t    oid = check_oid(coh, DAOS_OT_ARRAY_BYTE, OC_SX);
	daos_size_t      size, got = 16;
	char             data[64], back[64], buf[16];
	daos_range_t     range = {.rg_idx = 0, .rg_len = sizeof(data)};
	daos_array_iod_t iod = {.arr_nr = 1, .arr_rgs = &range};
	d_iov_t          iov;
	d_sg_list_t      sgl = {.sg_nr = 1, .sg_iovs = &iov};

	STEP("an array and a key-value in one transaction");
	OK(daos_array_open_with_attr(coh, oid, DAOS_TX_NONE, DAOS_OO_RW, 1, 8, &array, NULL));
	OK(daos_kv_open(coh, check_oid(coh, DAOS_OT_KV_HASHED, OC_SX), DAOS_OO_RW, &kv, NULL));
	for (int i = 0; i < 64; i++)
		data[i] = (char)i;
	OK(daos_tx_open(coh, &th, 0, NULL));
	OK(daos_array_get_size(array, th, &size, NULL));
	CHECK(size == 0);
	d_iov_set(&iov, data, sizeof(data));
	OK(daos_array_write(array, th, &iod, &sgl, NULL));
	OK(daos_kv_put(kv, th, DAOS_COND_KEY_INSERT, "size", 2, "64", NULL));
	OK(daos_array_get_size(array, DAOS_TX_NONE, &size, NULL));
	CHECK(size == 0);
	OK(daos_tx_commit(th, NULL));
	OK(daos_tx_close(th, NULL));
	OK(daos_array_get_size(array, DAOS_TX_NONE, &size, NULL));
	CHECK(size == 64);
	OK(daos_kv_get(kv, DAOS_TX_NONE, 0, "size", &got, buf, NULL));
	CHECK(got == 2 && memcmp(buf, "64", 2) == 0);

	STEP("an array cut short, and a key removed, in one transaction");
	OK(daos_tx_open(coh, &th, 0, NULL));
	OK(daos_array_set_size(array, th, 20, NULL));
	OK(daos_kv_remove(kv, th, DAOS_COND_PUNCH, "size", NULL));
	d_iov_set(&iov, back, sizeof(back));
	OK(daos_array_read(array, th, &iod, &sgl, NULL));
	CHECK(memcmp(data, back, 64) == 0 && iod.arr_nr_short_read == 0);
	OK(daos_tx_commit(th, NULL));
	OK(daos_tx_close(th, NULL));
	OK(daos_array_get_size(array, DAOS_TX_NONE, &size, NULL));
	CHECK(size == 20);
	got = 16;
	OK(daos_kv_get(kv, DAOS_TX_NONE, 0, "size", &got, buf, NULL));
	CHECK(got == 0);

	STEP("who appends meanwhile changes the size that was read");
	OK(daos_tx_open(coh, &th, 0, NULL));
	OK(daos_array_get_size(array, th, &size, NULL));
	OK(daos_kv_put(kv, th, 0, "size", 2, "20", NULL));
	range.rg_idx = 20;
	d_iov_set(&iov, data, sizeof(data));
	OK(daos_array_write(array, DAOS_TX_NONE, &iod, &sgl, NULL));
	CHECK_RC(daos_tx_commit(th, NULL), -DER_TX_RESTART);
	OK(daos_tx_close(th, NULL));
	OK(daos_array_close(array, NULL));
	OK(daos_kv_close(kv, NULL));
}

static void
wait_for(daos_event_t *ev, int wanted)
{
	daos_event_t *done = NULL;

	CHECK(daos_eq_poll(eqh, 1, DAOS_EQ_WAIT, 1, &done) == 1 && done == ev);
	CHECK_RC(ev->ev_error, wanted);
}

static void
test_events(daos_handle_t coh)
{
	daos_handle_t kv, th;
	daos_event_t  ev;
	daos_size_t   got = 8;
	char          buf[8];

	STEP("with events");
	OK(daos_eq_create(&eqh));
	OK(daos_event_init(&ev, eqh, NULL));
	OK(daos_kv_open(coh, check_oid(coh, DAOS_OT_KV_HASHED, OC_SX), DAOS_OO_RW, &kv, NULL));
	OK(daos_tx_open(coh, &th, 0, &ev));
	wait_for(&ev, 0);
	OK(daos_kv_get(kv, th, 0, "k", &got, buf, &ev));
	wait_for(&ev, 0);
	CHECK(got == 0);
	OK(daos_kv_put(kv, th, 0, "k", 1, "1", &ev));
	wait_for(&ev, 0);
	OK(daos_kv_put(kv, DAOS_TX_NONE, 0, "k", 1, "2", NULL));
	OK(daos_tx_commit(th, &ev));
	wait_for(&ev, -DER_TX_RESTART);
	OK(daos_tx_restart(th, &ev));
	wait_for(&ev, 0);
	OK(daos_kv_put(kv, th, 0, "k", 1, "3", &ev));
	wait_for(&ev, 0);
	OK(daos_tx_commit(th, &ev));
	wait_for(&ev, 0);
	OK(daos_tx_commit(th, &ev));
	wait_for(&ev, -DER_ALREADY);
	OK(daos_tx_close(th, &ev));
	wait_for(&ev, 0);
	got = 8;
	OK(daos_kv_get(kv, DAOS_TX_NONE, 0, "k", &got, buf, NULL));
	CHECK(got == 1 && buf[0] == '3');

	STEP("abort with an event");
	OK(daos_tx_open(coh, &th, 0, NULL));
	OK(daos_kv_put(kv, th, 0, "k", 1, "4", NULL));
	OK(daos_tx_abort(th, &ev));
	wait_for(&ev, 0);
	OK(daos_tx_close(th, NULL));
	OK(daos_kv_close(kv, NULL));
	OK(daos_event_fini(&ev));
	OK(daos_eq_destroy(eqh, 0));
}

int
main(void)
{
	daos_handle_t poh, coh;

	check_open(&poh, &coh);
	test_visibility(coh, OC_S1);
	test_visibility(coh, OC_SX);
	test_conditions(coh);
	test_conflicts(coh);
	test_refused(poh, coh);
	test_zero_copy(coh);
	test_array_and_kv(coh);
	test_events(coh);
	check_close(poh, coh);
	return 0;
}
