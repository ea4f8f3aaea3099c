/* Aim: DAOS_OPC_OBJ_LIST_OBJ: every key and record of an object comes once, in order, in pages of any size; small values
 * come along; too little room says how much is needed; a snapshot shows what was there. */
#include "check.h"
#include <daos_task.h>
#include <daos/tse.h>

#define DKEYS 12
#define AKEYS 5

struct record {
	daos_recx_t        recx;
	daos_epoch_range_t epr;
	uint64_t           size;
	uint32_t           version, flags;
};

static daos_handle_t poh, coh, oh;
static tse_sched_t   sched;

static int
list(daos_handle_t th, uint32_t *nr, daos_key_desc_t *kds, d_sg_list_t *sgl, daos_anchor_t anchors[3])
{
	daos_obj_list_obj_t *args;
	tse_task_t          *task;
	bool                 empty;
	int                  rc;

	OK(daos_task_create(DAOS_OPC_OBJ_LIST_OBJ, &sched, 0, NULL, &task));
	args              = daos_task_get_args(task);
	args->oh          = oh;
	args->th          = th;
	args->nr          = nr;
	args->kds         = kds;
	args->sgl         = sgl;
	args->dkey_anchor = &anchors[0];
	args->akey_anchor = &anchors[1];
	args->anchor      = &anchors[2];
	args->incr_order  = true;
	tse_task_addref(task);
	OK(tse_task_schedule(task, true));
	OK(daos_progress(&sched, -1, &empty));
	rc = task->dt_result;
	tse_task_decref(task);
	return rc;
}

/* Akey 0: a single value of 8 bytes; 1: one of 5,000; 2 to 4: extents of 4 bytes at 10, 20, ... */
static void
fill(void)
{
	static char big[5000];

	for (int d = 0; d < DKEYS; d++) {
		for (int a = 0; a < AKEYS; a++) {
			char        dkey_text[16], akey_text[16], data[400] = {0};
			uint64_t    number = d * 100 + a;
			daos_recx_t recxs[100];
			daos_key_t  dkey;
			daos_iod_t  iod = {.iod_type = DAOS_IOD_SINGLE, .iod_size = 8, .iod_nr = 1};
			d_iov_t     iov;
			d_sg_list_t sgl = {.sg_nr = 1, .sg_iovs = &iov};

			sprintf(dkey_text, "dkey %d", d);
			sprintf(akey_text, "akey %d", a);
			d_iov_set(&dkey, dkey_text, strlen(dkey_text));
			d_iov_set(&iod.iod_name, akey_text, strlen(akey_text));
			d_iov_set(&iov, &number, sizeof(number));
			if (a == 1) {
				iod.iod_size = sizeof(big);
				d_iov_set(&iov, big, sizeof(big));
			}
			if (a >= 2) {
				iod.iod_type  = DAOS_IOD_ARRAY;
				iod.iod_size  = 4;
				iod.iod_nr    = a == 4 ? 100 : a;
				iod.iod_recxs = recxs;
				for (uint32_t i = 0; i < iod.iod_nr; i++)
					recxs[i] = (daos_recx_t){.rx_idx = 10 + 10 * i, .rx_nr = 1};
				d_iov_set(&iov, data, 4 * iod.iod_nr);
			}
			OK(daos_obj_update(oh, DAOS_TX_NONE, 0, &dkey, 1, &iod, &sgl, NULL));
		}
	}
}

/* The number of a key, "dkey 7" or "akey 7". */
static int
number(const char *key, size_t length)
{
	char text[16] = {0};

	CHECK(length > 5 && length < sizeof(text));
	memcpy(text, key, length);
	return atoi(text + 5);
}

static void
whole(daos_handle_t th, uint32_t entries, size_t room, int dkeys)
{
	daos_anchor_t anchors[3] = {0};
	int           records[DKEYS][AKEYS] = {0}, small = 0, d = -1, a = -1;

	while (!daos_anchor_is_eof(&anchors[0])) {
		char            buf[16384], *at = buf;
		daos_key_desc_t kds[64];
		uint32_t        nr = entries;
		d_iov_t         iov;
		d_sg_list_t     sgl = {.sg_nr = 1, .sg_iovs = &iov};

		d_iov_set(&iov, buf, room);
		OK(list(th, &nr, kds, &sgl, anchors));
		CHECK(nr <= entries && iov.iov_len <= room);
		for (uint32_t i = 0; i < nr; at += kds[i++].kd_key_len) {
			struct record *record = (struct record *)at;

			switch (kds[i].kd_val_type) {
			case 2:
				d = number(at, kds[i].kd_key_len);
				a = -1;
				break;
			case 3:
				CHECK(d >= 0 && kds[i].kd_key_len == 6);
				a = number(at, kds[i].kd_key_len);
				break;
			case 4:
				CHECK((a == 0 && record->size == 8) || (a == 1 && record->size == 5000));
				CHECK(record->recx.rx_idx == 0 && record->recx.rx_nr == 1 && record->epr.epr_hi > 0);
				records[d][a]++;
				if (a == 0) {
					CHECK(record->flags == 1 && kds[i].kd_key_len == sizeof(*record) + 8);
					CHECK(*(uint64_t *)(at + sizeof(*record)) == (uint64_t)d * 100);
					small++;
				} else {
					CHECK(record->flags == 0 && kds[i].kd_key_len == sizeof(*record));
				}
				break;
			case 5:
				CHECK(a >= 2 && kds[i].kd_key_len % sizeof(*record) == 0);
				for (size_t n = 0; n < kds[i].kd_key_len / sizeof(*record); n++, record++) {
					CHECK(record->recx.rx_idx == 10 + 10 * (uint64_t)records[d][a]);
					CHECK(record->recx.rx_nr == 1 && record->size == 4 && record->flags == 0);
					records[d][a]++;
				}
				break;
			default:
				CHECK(false);
			}
		}
	}
	CHECK(small == dkeys);
	for (d = 0; d < dkeys; d++)
		CHECK(records[d][0] == 1 && records[d][1] == 1 && records[d][2] == 2 && records[d][3] == 3 &&
		      records[d][4] == 100);
}

int
main(void)
{
	daos_anchor_t   anchors[3] = {0};
	daos_key_desc_t kds[3];
	char            buf[64];
	uint32_t        nr = 3;
	d_iov_t         iov;
	d_sg_list_t     sgl = {.sg_nr = 1, .sg_iovs = &iov};
	daos_epoch_t    snap;
	daos_handle_t   th;

	check_open(&poh, &coh);
	OK(tse_sched_init(&sched, NULL, 0));
	OK(daos_obj_open(coh, check_oid(coh, DAOS_OT_MULTI_HASHED, OC_SX), DAOS_OO_RW, &oh, NULL));
	STEP("an empty object");
	whole(DAOS_TX_NONE, 64, sizeof(buf), 0);
	fill();
	STEP("pages of every size");
	whole(DAOS_TX_NONE, 64, 16384, DKEYS);
	whole(DAOS_TX_NONE, 3, 16384, DKEYS);
	whole(DAOS_TX_NONE, 64, 120, DKEYS);
	whole(DAOS_TX_NONE, 7, 500, DKEYS);
	STEP("too little room");
	d_iov_set(&iov, buf, 12);
	CHECK_RC(list(DAOS_TX_NONE, &nr, kds, &sgl, anchors), -DER_KEY2BIG);
	CHECK(kds[0].kd_key_len > 12 && !daos_anchor_is_eof(&anchors[0]));
	STEP("a snapshot");
	OK(daos_cont_create_snap(coh, &snap, NULL, NULL));
	OK(daos_obj_punch(oh, DAOS_TX_NONE, 0, NULL));
	whole(DAOS_TX_NONE, 64, 16384, 0);
	OK(daos_tx_open_snap(coh, snap, &th, NULL));
	whole(th, 64, 16384, DKEYS);
	OK(daos_tx_close(th, NULL));
	STEP("arguments");
	CHECK_RC(list(DAOS_TX_NONE, NULL, kds, &sgl, anchors), -DER_INVAL);
	CHECK_RC(list(DAOS_TX_NONE, &nr, NULL, &sgl, anchors), -DER_INVAL);
	CHECK_RC(list(DAOS_TX_NONE, &nr, kds, NULL, anchors), -DER_INVAL);
	OK(daos_obj_close(oh, NULL));
	CHECK_RC(list(DAOS_TX_NONE, &nr, kds, &sgl, anchors), -DER_NO_HDL);
	tse_sched_complete(&sched, 0, true);
	tse_sched_fini(&sched);
	check_close(poh, coh);
	return 0;
}
