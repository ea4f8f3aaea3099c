/* Aim: arrays: chunks over targets, holes, short reads, sizes, truncation, metadata, lists of ranges, global handles. */
#include "check.h"

#define CHUNK 4096

static daos_handle_t poh, coh;

static void
io(daos_handle_t oh, bool write, uint64_t index, uint64_t length, void *buf, daos_array_iod_t *out)
{
	daos_range_t     range = {.rg_idx = index, .rg_len = length};
	daos_array_iod_t iod = {.arr_nr = 1, .arr_rgs = &range};
	d_iov_t          iov;
	d_sg_list_t      sgl = {.sg_nr = 1, .sg_iovs = &iov};

	d_iov_set(&iov, buf, length);
	if (write)
		OK(daos_array_write(oh, DAOS_TX_NONE, &iod, &sgl, NULL));
	else
		OK(daos_array_read(oh, DAOS_TX_NONE, &iod, &sgl, NULL));
	if (out != NULL)
		*out = iod;
}

static daos_size_t
size_of(daos_handle_t oh)
{
	daos_size_t size = 12345;

	OK(daos_array_get_size(oh, DAOS_TX_NONE, &size, NULL));
	return size;
}

static void
bytes(void)
{
	daos_handle_t     oh, taken;
	daos_obj_id_t     oid = check_oid(coh, DAOS_OT_ARRAY_BYTE, OC_SX);
	daos_array_iod_t  iod;
	daos_array_stbuf_t st;
	daos_size_t       cell, chunk;
	unsigned char    *data = malloc(10 * CHUNK), *back = malloc(10 * CHUNK);
	unsigned int      seed = 42;

	STEP("bytes: open");
	CHECK_RC(daos_array_open_with_attr(coh, oid, DAOS_TX_NONE, DAOS_OO_RW, 1, 0, &oh, NULL), -DER_INVAL);
	CHECK_RC(daos_array_open(coh, oid, DAOS_TX_NONE, DAOS_OO_RW, &cell, &chunk, &oh, NULL), -DER_INVAL);
	OK(daos_array_open_with_attr(coh, oid, DAOS_TX_NONE, DAOS_OO_RW, 1, CHUNK, &oh, NULL));
	OK(daos_array_get_attr(oh, &chunk, &cell));
	CHECK(cell == 1 && chunk == CHUNK);
	CHECK(size_of(oh) == 0);

	STEP("bytes: write and read over chunks");
	for (int i = 0; i < 10 * CHUNK; i++)
		data[i] = (unsigned char)rand_r(&seed);
	io(oh, true, 100, 7 * CHUNK, data, NULL);
	CHECK(size_of(oh) == 100 + 7 * CHUNK);
	memset(back, 0xEE, 10 * CHUNK);
	io(oh, false, 100, 7 * CHUNK, back, &iod);
	CHECK(memcmp(data, back, 7 * CHUNK) == 0);
	CHECK(iod.arr_nr_read == 7 * CHUNK && iod.arr_nr_short_read == 0);

	STEP("bytes: holes are zeros, the end is short and untouched");
	memset(back, 0xEE, 10 * CHUNK);
	io(oh, false, 0, 10 * CHUNK, back, &iod);
	CHECK(iod.arr_nr_read == 100 + 7 * CHUNK && iod.arr_nr_short_read == 3 * CHUNK - 100);
	for (int i = 0; i < 100; i++)
		CHECK(back[i] == 0);
	CHECK(memcmp(data, back + 100, 7 * CHUNK) == 0);
	CHECK(back[100 + 7 * CHUNK] == 0xEE && back[10 * CHUNK - 1] == 0xEE);
	memset(back, 0xEE, CHUNK);
	io(oh, false, 1000 * CHUNK, CHUNK, back, &iod);
	CHECK(iod.arr_nr_read == 0 && iod.arr_nr_short_read == CHUNK && back[0] == 0xEE);

	STEP("bytes: a sparse write");
	io(oh, true, 100 * CHUNK + 5, 1, data, NULL);
	CHECK(size_of(oh) == 100 * CHUNK + 6);
	memset(back, 0xEE, 10 * CHUNK);
	io(oh, false, 50 * CHUNK, 2 * CHUNK, back, &iod);
	CHECK(iod.arr_nr_read == 2 * CHUNK && iod.arr_nr_short_read == 0);
	for (int i = 0; i < 2 * CHUNK; i++)
		CHECK(back[i] == 0);
	OK(daos_array_stat(oh, DAOS_TX_NONE, &st, NULL));
	CHECK(st.st_size == 100 * CHUNK + 6 && st.st_max_epoch > 0);

	STEP("bytes: truncate and extend");
	OK(daos_array_set_size(oh, DAOS_TX_NONE, 2 * CHUNK + 10, NULL));
	CHECK(size_of(oh) == 2 * CHUNK + 10);
	memset(back, 0xEE, 3 * CHUNK);
	io(oh, false, 100, 2 * CHUNK - 90, back, &iod);
	CHECK(iod.arr_nr_read == 2 * CHUNK - 90 && memcmp(data, back, 2 * CHUNK - 90) == 0);
	OK(daos_array_set_size(oh, DAOS_TX_NONE, 5 * CHUNK, NULL));
	CHECK(size_of(oh) == 5 * CHUNK);
	memset(back, 0xEE, 10 * CHUNK);
	io(oh, false, 2 * CHUNK, 3 * CHUNK, back, &iod);
	CHECK(memcmp(data + 2 * CHUNK - 100, back, 10) == 0);
	for (int i = 10; i < 3 * CHUNK; i++)
		CHECK(back[i] == 0);
	OK(daos_array_set_size(oh, DAOS_TX_NONE, 0, NULL));
	CHECK(size_of(oh) == 0);

	STEP("bytes: lists of ranges and of buffers");
	{
		daos_range_t     ranges[5] = {{10, 5}, {20, 5}, {CHUNK - 2, 4}, {0, 0}, {3 * CHUNK, 6}};
		daos_array_iod_t list = {.arr_nr = 5, .arr_rgs = ranges};
		d_iov_t          iovs[3];
		d_sg_list_t      sgl = {.sg_nr = 3, .sg_iovs = iovs};

		d_iov_set(&iovs[0], data, 7);
		d_iov_set(&iovs[1], data + 7, 0);
		d_iov_set(&iovs[2], data + 7, 13);
		OK(daos_array_write(oh, DAOS_TX_NONE, &list, &sgl, NULL));
		memset(back, 0xEE, 4 * CHUNK);
		io(oh, false, 0, 3 * CHUNK + 6, back, NULL);
		CHECK(memcmp(back + 10, data, 5) == 0 && memcmp(back + 20, data + 5, 5) == 0);
		CHECK(memcmp(back + CHUNK - 2, data + 10, 4) == 0 && memcmp(back + 3 * CHUNK, data + 14, 6) == 0);
		CHECK(back[15] == 0 && back[CHUNK + 2] == 0);
		sgl.sg_nr = 1;
		CHECK_RC(daos_array_write(oh, DAOS_TX_NONE, &list, &sgl, NULL), -DER_INVAL);
		list.arr_nr = 1;
		ranges[0].rg_idx = 20;
		OK(daos_array_punch(oh, DAOS_TX_NONE, &list, NULL));
		io(oh, false, 20, 5, back, NULL);
		CHECK(memcmp(back, "\0\0\0\0\0", 5) == 0);
	}

	STEP("bytes: global handle");
	{
		d_iov_t glob = {0};

		OK(daos_array_local2global(oh, &glob));
		glob.iov_buf = malloc(glob.iov_buf_len);
		OK(daos_array_local2global(oh, &glob));
		OK(daos_array_global2local(coh, glob, 0, &taken));
		CHECK(size_of(taken) == size_of(oh));
		((char *)glob.iov_buf)[0] ^= 1;
		CHECK_RC(daos_array_global2local(coh, glob, 0, &taken), -DER_INVAL);
		OK(daos_array_close(taken, NULL));
		free(glob.iov_buf);
	}
	OK(daos_array_destroy(oh, DAOS_TX_NONE, NULL));
	CHECK(size_of(oh) == 0);
	OK(daos_array_close(oh, NULL));
	CHECK_RC(daos_array_close(oh, NULL), -DER_NO_HDL);
	free(data);
	free(back);
}

static void
cells(void)
{
	daos_handle_t oh;
	daos_obj_id_t oid = check_oid(coh, DAOS_OT_ARRAY, OC_SX);
	daos_size_t   cell, chunk;
	uint64_t      values[100], back[100];

	STEP("cells: metadata");
	CHECK_RC(daos_array_open(coh, oid, DAOS_TX_NONE, DAOS_OO_RW, &cell, &chunk, &oh, NULL), -DER_NONEXIST);
	OK(daos_array_create(coh, oid, DAOS_TX_NONE, sizeof(uint64_t), 16, &oh, NULL));
	OK(daos_array_close(oh, NULL));
	CHECK_RC(daos_array_create(coh, oid, DAOS_TX_NONE, sizeof(uint64_t), 16, &oh, NULL), -DER_EXIST);
	OK(daos_array_open(coh, oid, DAOS_TX_NONE, DAOS_OO_RW, &cell, &chunk, &oh, NULL));
	CHECK(cell == sizeof(uint64_t) && chunk == 16);
	CHECK(size_of(oh) == 0);

	STEP("cells: write and read");
	for (int i = 0; i < 100; i++)
		values[i] = i * 3;
	{
		daos_range_t     range = {.rg_idx = 7, .rg_len = 100};
		daos_array_iod_t iod = {.arr_nr = 1, .arr_rgs = &range};
		d_iov_t          iov;
		d_sg_list_t      sgl = {.sg_nr = 1, .sg_iovs = &iov};

		d_iov_set(&iov, values, sizeof(values));
		OK(daos_array_write(oh, DAOS_TX_NONE, &iod, &sgl, NULL));
		d_iov_set(&iov, back, sizeof(back));
		OK(daos_array_read(oh, DAOS_TX_NONE, &iod, &sgl, NULL));
	}
	CHECK(memcmp(values, back, sizeof(back)) == 0);
	CHECK(size_of(oh) == 107);
	OK(daos_array_set_size(oh, DAOS_TX_NONE, 20, NULL));
	CHECK(size_of(oh) == 20);
	OK(daos_array_close(oh, NULL));
}

static void
large(void)
{
	daos_handle_t  oh, eqh;
	daos_event_t   ev, *done;
	size_t         length = 24 << 20;
	unsigned char *data = malloc(length), *back = calloc(1, length);

	STEP("24 MiB in chunks of 1 MiB, with an event");
	OK(daos_array_open_with_attr(coh, check_oid(coh, DAOS_OT_ARRAY_BYTE, OC_SX), DAOS_TX_NONE, DAOS_OO_RW, 1,
				     1 << 20, &oh, NULL));
	for (size_t i = 0; i < length; i++)
		data[i] = (unsigned char)(i ^ (i >> 8) ^ (i >> 16));
	OK(daos_eq_create(&eqh));
	OK(daos_event_init(&ev, eqh, NULL));
	for (int pass = 0; pass < 2; pass++) {
		daos_range_t     range = {.rg_idx = 3, .rg_len = length};
		daos_array_iod_t iod = {.arr_nr = 1, .arr_rgs = &range};
		d_iov_t          iov;
		d_sg_list_t      sgl = {.sg_nr = 1, .sg_iovs = &iov};

		d_iov_set(&iov, pass == 0 ? data : back, length);
		if (pass == 0)
			OK(daos_array_write(oh, DAOS_TX_NONE, &iod, &sgl, &ev));
		else
			OK(daos_array_read(oh, DAOS_TX_NONE, &iod, &sgl, &ev));
		CHECK(daos_eq_poll(eqh, 1, DAOS_EQ_WAIT, 1, &done) == 1);
		CHECK(ev.ev_error == 0);
	}
	CHECK(memcmp(data, back, length) == 0);
	OK(daos_event_fini(&ev));
	OK(daos_eq_destroy(eqh, 0));
	OK(daos_array_destroy(oh, DAOS_TX_NONE, NULL));
	OK(daos_array_close(oh, NULL));
	free(data);
	free(back);
}

int
main(void)
{
	check_open(&poh, &coh);
	bytes();
	cells();
	large();
	check_close(poh, coh);
	return 0;
}
