/* Aim: pipelines: building, checking and freeing; conditions over dkeys, single values and arrays; pages of records in
 * little room; large values; aggregations; one dkey; a snapshot; statistics. */
#include "check.h"
#include <daos_pipeline.h>

#define PEOPLE 300

struct person {
	uint32_t age;
	int16_t  balance;
	double   height;
};

static daos_handle_t poh, coh, oh;

static daos_filter_part_t
function(const char *type, uint32_t operands)
{
	daos_filter_part_t part = {.num_operands = operands};

	d_iov_set(&part.part_type, (void *)type, strlen(type));
	return part;
}

static daos_filter_part_t
akey(const char *name, const char *type)
{
	daos_filter_part_t part = function("DAOS_FILTER_AKEY", 0);

	d_iov_set(&part.data_type, (void *)type, strlen(type));
	d_iov_set(&part.akey, (void *)name, strlen(name));
	return part;
}

static daos_filter_part_t
constant(const char *type, d_iov_t *iov, const void *value, size_t size)
{
	daos_filter_part_t part = function("DAOS_FILTER_CONST", 0);

	d_iov_set(&part.data_type, (void *)type, strlen(type));
	d_iov_set(iov, (void *)value, size);
	part.num_constants = 1;
	part.constant      = iov;
	return part;
}

static void
add(daos_filter_t *filter, daos_filter_part_t *parts, int nr)
{
	for (int i = 0; i < nr; i++)
		OK(daos_filter_add(filter, &parts[i]));
}

/* Values of person i: age (single), balance and height (single), name (single text), marks (array of 4 bytes). */
static struct person
person(int i)
{
	return (struct person){.age = i % 90, .balance = (int16_t)(i * 7 - 1000), .height = 1.5 + i % 50 / 100.0};
}

static void
fill(void)
{
	for (int i = 0; i < PEOPLE; i++) {
		struct person p = person(i);
		char          dkey_text[16], name[32];
		uint32_t      marks[3] = {i, i + 1, i + 2};
		daos_recx_t   recx     = {.rx_idx = 5, .rx_nr = 3};
		daos_key_t    dkey;
		daos_iod_t    iods[5];
		d_iov_t       iovs[5];
		d_sg_list_t   sgls[5];
		const char   *akeys[5] = {"age", "balance", "height", "name", "marks"};
		int           nr       = i % 10 == 9 ? 1 : 5;

		sprintf(dkey_text, "person-%03d", i);
		sprintf(name, "name of %d%s", i, i % 3 == 0 ? " esq." : "");
		d_iov_set(&dkey, dkey_text, strlen(dkey_text));
		d_iov_set(&iovs[0], &p.age, sizeof(p.age));
		d_iov_set(&iovs[1], &p.balance, sizeof(p.balance));
		d_iov_set(&iovs[2], &p.height, sizeof(p.height));
		d_iov_set(&iovs[3], name, strlen(name) + 1);
		d_iov_set(&iovs[4], marks, sizeof(marks));
		for (int k = 0; k < 5; k++) {
			sgls[k] = (d_sg_list_t){.sg_nr = 1, .sg_iovs = &iovs[k]};
			iods[k] = (daos_iod_t){.iod_type = DAOS_IOD_SINGLE, .iod_nr = 1, .iod_size = iovs[k].iov_len};
			d_iov_set(&iods[k].iod_name, (void *)akeys[k], strlen(akeys[k]));
		}
		iods[4].iod_type  = DAOS_IOD_ARRAY;
		iods[4].iod_size  = 4;
		iods[4].iod_recxs = &recx;
		/* Every tenth has an age only. */
		OK(daos_obj_update(oh, DAOS_TX_NONE, 0, &dkey, nr, iods, sgls, NULL));
	}
}

static void
describe(daos_iod_t iods[5], daos_recx_t *recx)
{
	const char *akeys[5] = {"age", "balance", "height", "name", "marks"};

	*recx = (daos_recx_t){.rx_idx = 5, .rx_nr = 3};
	for (int k = 0; k < 5; k++) {
		iods[k] = (daos_iod_t){.iod_type = DAOS_IOD_SINGLE, .iod_nr = 1, .iod_size = 64};
		d_iov_set(&iods[k].iod_name, (void *)akeys[k], strlen(akeys[k]));
	}
	iods[4].iod_type  = DAOS_IOD_ARRAY;
	iods[4].iod_size  = 4;
	iods[4].iod_recxs = recx;
}

/* Runs a pipeline to its end, rows records a call; how many came back. seen[i] counts person i. */
static int
run(daos_handle_t th, daos_pipeline_t *pipeline, uint32_t rows, size_t value_room, int *seen,
    daos_pipeline_stats_t *stats)
{
	daos_anchor_t anchor = {0};
	daos_iod_t    iods[5];
	daos_recx_t   recx;
	int           found = 0;

	memset(seen, 0, PEOPLE * sizeof(*seen));
	while (!daos_anchor_is_eof(&anchor)) {
		char            keys[4096] = "", values[2][8192];
		daos_key_desc_t kds[64];
		daos_size_t     sizes[64 * 5];
		uint32_t        nr_iods = 5, nr_kds = rows;
		d_iov_t         key_iov, value_iovs[2];
		d_sg_list_t     key_sgl   = {.sg_nr = 1, .sg_iovs = &key_iov};
		d_sg_list_t     value_sgl = {.sg_nr = 2, .sg_iovs = value_iovs};
		char           *key = keys, *value = values[0];

		describe(iods, &recx);
		d_iov_set(&key_iov, keys, sizeof(keys));
		d_iov_set(&value_iovs[0], values[0], value_room);
		d_iov_set(&value_iovs[1], values[1], value_room);
		OK(daos_pipeline_run(coh, oh, pipeline, th, 0, NULL, &nr_iods, iods, &anchor, &nr_kds, kds, &key_sgl,
				     &value_sgl, sizes, NULL, stats, NULL));
		CHECK(nr_kds <= rows && nr_iods == 5);
		for (uint32_t row = 0; row < nr_kds; row++) {
			int           i = atoi(key + 7);
			struct person p = person(i);

			CHECK(kds[row].kd_key_len == 10 && memcmp(key, "person-", 7) == 0);
			key += kds[row].kd_key_len;
			seen[i]++;
			for (int k = 0; k < 5; k++) {
				size_t size = sizes[row * 5 + k] * (k == 4 ? 3 : 1);

				/* A value is never split: what no longer fitted the first buffer is in the second. */
				if (value < values[0] + value_room && value >= values[0] &&
				    (size_t)(value - values[0]) + size > value_iovs[0].iov_len)
					value = values[1];
				CHECK(size > 0 || (k > 0 && i % 10 == 9));
				if (k == 0)
					CHECK(size == 4 && memcmp(value, &p.age, 4) == 0);
				if (k == 2 && size > 0)
					CHECK(size == 8 && memcmp(value, &p.height, 8) == 0);
				if (k == 4 && size > 0)
					CHECK(size == 12 && ((uint32_t *)value)[2] == (uint32_t)i + 2);
				value += size;
			}
		}
		found += nr_kds;
	}
	return found;
}

static void
conditions(void)
{
	daos_pipeline_t       pipeline;
	daos_pipeline_stats_t stats;
	daos_filter_t         adult, named;
	daos_filter_part_t    a[3], n[9];
	d_iov_t               iovs[4];
	uint32_t              age = 70;
	double                tall = 1.6;
	uint64_t              mark = 299;
	int                   seen[PEOPLE], wanted = 0;
	daos_epoch_t          snap;
	daos_handle_t         th;

	STEP("conditions");
	daos_pipeline_init(&pipeline);
	CHECK(pipeline.version == 1 && pipeline.num_filters == 0 && pipeline.filters == NULL);
	CHECK(run(DAOS_TX_NONE, &pipeline, 64, 8192, seen, &stats) == PEOPLE);
	CHECK(stats.nr_dkeys == PEOPLE && stats.nr_objs == 0 && stats.nr_akeys == 0);

	/* age >= 70 */
	daos_filter_init(&adult);
	d_iov_set(&adult.filter_type, "DAOS_FILTER_CONDITION", 21);
	a[0] = function("DAOS_FILTER_FUNC_GE", 2);
	a[1] = akey("age", "DAOS_FILTER_TYPE_UINTEGER4");
	a[2] = constant("DAOS_FILTER_TYPE_UINTEGER4", &iovs[0], &age, 4);
	add(&adult, a, 3);
	OK(daos_pipeline_add(&pipeline, &adult));
	OK(daos_pipeline_check(&pipeline));
	for (int i = 0; i < PEOPLE; i++)
		wanted += person(i).age >= 70;
	/* Few rows, little room: everything comes, in pieces. */
	CHECK(run(DAOS_TX_NONE, &pipeline, 64, 8192, seen, &stats) == wanted);
	CHECK(stats.nr_dkeys == PEOPLE);
	CHECK(run(DAOS_TX_NONE, &pipeline, 3, 8192, seen, &stats) == wanted);
	CHECK(run(DAOS_TX_NONE, &pipeline, 64, 100, seen, NULL) == wanted);
	for (int i = 0; i < PEOPLE; i++)
		CHECK(seen[i] == (person(i).age >= 70));

	/* ... and (name like "%esq." or not (height < 1.6)) or marks[7] == 299 */
	daos_filter_init(&named);
	d_iov_set(&named.filter_type, "DAOS_FILTER_CONDITION", 21);
	n[0] = function("DAOS_FILTER_FUNC_OR", 2);
	n[1] = function("DAOS_FILTER_FUNC_LIKE", 2);
	n[2] = akey("name", "DAOS_FILTER_TYPE_CSTRING");
	n[3] = constant("DAOS_FILTER_TYPE_CSTRING", &iovs[1], "%esq.", 6);
	n[4] = function("DAOS_FILTER_FUNC_NOT", 1);
	n[5] = function("DAOS_FILTER_FUNC_LT", 2);
	n[6] = akey("height", "DAOS_FILTER_TYPE_REAL8");
	n[7] = constant("DAOS_FILTER_TYPE_REAL8", &iovs[2], &tall, 8);
	add(&named, n, 8);
	OK(daos_pipeline_add(&pipeline, &named));
	run(DAOS_TX_NONE, &pipeline, 64, 8192, seen, NULL);
	for (int i = 0; i < PEOPLE; i++) {
		struct person p    = person(i);
		bool          null = i % 10 == 9;

		CHECK(seen[i] == (p.age >= 70 && ((!null && i % 3 == 0) || null || p.height >= tall)));
	}
	OK(daos_pipeline_free(&pipeline));
	CHECK(pipeline.num_filters == 0 && pipeline.filters == NULL && adult.parts == NULL);

	STEP("records of arrays");
	daos_filter_init(&named);
	d_iov_set(&named.filter_type, "DAOS_FILTER_CONDITION", 21);
	n[0]             = function("DAOS_FILTER_FUNC_EQ", 2);
	n[1]             = akey("marks", "DAOS_FILTER_TYPE_UINTEGER4");
	n[1].data_offset = 7;
	n[2]             = constant("DAOS_FILTER_TYPE_UINTEGER8", &iovs[3], &mark, 8);
	add(&named, n, 3);
	OK(daos_pipeline_add(&pipeline, &named));
	CHECK(run(DAOS_TX_NONE, &pipeline, 64, 8192, seen, NULL) == 1 && seen[297] == 1);

	STEP("a snapshot");
	OK(daos_cont_create_snap(coh, &snap, NULL, NULL));
	OK(daos_obj_punch(oh, DAOS_TX_NONE, 0, NULL));
	CHECK(run(DAOS_TX_NONE, &pipeline, 64, 8192, seen, NULL) == 0);
	OK(daos_tx_open_snap(coh, snap, &th, NULL));
	CHECK(run(th, &pipeline, 64, 8192, seen, NULL) == 1 && seen[297] == 1);
	OK(daos_tx_close(th, NULL));
	OK(daos_pipeline_free(&pipeline));
	fill();
}

static void
aggregations(void)
{
	const char           *kinds[4] = {"DAOS_FILTER_FUNC_SUM", "DAOS_FILTER_FUNC_MIN", "DAOS_FILTER_FUNC_MAX",
					  "DAOS_FILTER_FUNC_AVG"};
	daos_pipeline_t       pipeline;
	daos_pipeline_stats_t stats;
	daos_filter_t         filters[4], some;
	daos_filter_part_t    parts[4][2], s[3];
	daos_anchor_t         anchor = {0};
	daos_iod_t            iods[5];
	daos_recx_t           recx;
	double                results[4], sum = 0;
	d_iov_t               iovs[4], iov;
	d_sg_list_t           agg     = {.sg_nr = 4, .sg_iovs = iovs};
	uint32_t              nr_iods = 5, nr_kds = 0, age = 50;
	int                   count = 0;

	STEP("aggregations");
	daos_pipeline_init(&pipeline);
	daos_filter_init(&some);
	d_iov_set(&some.filter_type, "DAOS_FILTER_CONDITION", 21);
	s[0] = function("DAOS_FILTER_FUNC_LT", 2);
	s[1] = akey("age", "DAOS_FILTER_TYPE_UINTEGER4");
	s[2] = constant("DAOS_FILTER_TYPE_UINTEGER4", &iov, &age, 4);
	add(&some, s, 3);
	OK(daos_pipeline_add(&pipeline, &some));
	for (int k = 0; k < 4; k++) {
		daos_filter_init(&filters[k]);
		d_iov_set(&filters[k].filter_type, "DAOS_FILTER_AGGREGATION", 23);
		parts[k][0] = function(kinds[k], 1);
		parts[k][1] = akey("balance", "DAOS_FILTER_TYPE_INTEGER2");
		add(&filters[k], parts[k], 2);
		OK(daos_pipeline_add(&pipeline, &filters[k]));
		d_iov_set(&iovs[k], &results[k], sizeof(double));
	}
	CHECK(pipeline.num_filters == 1 && pipeline.num_aggr_filters == 4);
	for (int i = 0; i < PEOPLE; i++) {
		if (person(i).age < 50 && i % 10 != 9) {
			sum += person(i).balance;
			count++;
		}
	}
	describe(iods, &recx);
	while (!daos_anchor_is_eof(&anchor))
		OK(daos_pipeline_run(coh, oh, &pipeline, DAOS_TX_NONE, 0, NULL, &nr_iods, iods, &anchor, &nr_kds, NULL,
				     NULL, NULL, NULL, &agg, &stats, NULL));
	CHECK(results[0] == sum && results[3] == sum / count && results[1] == -1000);
	CHECK(results[2] == person(298).balance);
	CHECK(stats.nr_dkeys == PEOPLE && nr_kds == 0 && agg.sg_nr_out == 4 && iovs[2].iov_len == 8);
	agg.sg_nr = 3;
	memset(&anchor, 0, sizeof(anchor));
	CHECK_RC(daos_pipeline_run(coh, oh, &pipeline, DAOS_TX_NONE, 0, NULL, &nr_iods, iods, &anchor, &nr_kds, NULL,
				   NULL, NULL, NULL, &agg, &stats, NULL),
		 -DER_INVAL);
	CHECK_RC(daos_pipeline_run(coh, oh, &pipeline, DAOS_TX_NONE, 0, NULL, &nr_iods, iods, &anchor, &nr_kds, NULL,
				   NULL, NULL, NULL, NULL, &stats, NULL),
		 -DER_INVAL);
	OK(daos_pipeline_free(&pipeline));
}

static void
one_dkey(void)
{
	static char           big[100000], values[200000];
	daos_pipeline_t       pipeline;
	daos_pipeline_stats_t stats;
	daos_anchor_t         anchor = {0};
	daos_iod_t            iods[3], iod = {.iod_type = DAOS_IOD_SINGLE, .iod_nr = 1, .iod_size = sizeof(big)};
	daos_size_t           sizes[3];
	uint32_t              nr_iods = 3, nr_kds = 1;
	daos_key_t            dkey;
	daos_key_desc_t       kd;
	char                  key[16];
	d_iov_t               iov, key_iov, value_iov;
	d_sg_list_t           sgl       = {.sg_nr = 1, .sg_iovs = &iov};
	d_sg_list_t           key_sgl   = {.sg_nr = 1, .sg_iovs = &key_iov};
	d_sg_list_t           value_sgl = {.sg_nr = 1, .sg_iovs = &value_iov};
	const char           *akeys[3]  = {"none", "age", "big"};

	STEP("one dkey, and a value too large for a message");
	for (size_t i = 0; i < sizeof(big); i++)
		big[i] = (char)(i * 31);
	d_iov_set(&dkey, "person-042", 10);
	d_iov_set(&iod.iod_name, "big", 3);
	d_iov_set(&iov, big, sizeof(big));
	OK(daos_obj_update(oh, DAOS_TX_NONE, 0, &dkey, 1, &iod, &sgl, NULL));
	for (int k = 0; k < 3; k++) {
		iods[k] = (daos_iod_t){.iod_type = DAOS_IOD_SINGLE, .iod_nr = 1};
		d_iov_set(&iods[k].iod_name, (void *)akeys[k], strlen(akeys[k]));
	}
	daos_pipeline_init(&pipeline);
	d_iov_set(&key_iov, key, sizeof(key));
	d_iov_set(&value_iov, values, sizeof(values));
	OK(daos_pipeline_run(coh, oh, &pipeline, DAOS_TX_NONE, 0, &dkey, &nr_iods, iods, &anchor, &nr_kds, &kd, &key_sgl,
			     &value_sgl, sizes, NULL, &stats, NULL));
	CHECK(daos_anchor_is_eof(&anchor) && nr_kds == 1 && kd.kd_key_len == 10 && memcmp(key, "person-042", 10) == 0);
	CHECK(nr_iods == 2 && iods[0].iod_size == 4 && memcmp(iods[1].iod_name.iov_buf, "big", 3) == 0);
	CHECK(sizes[0] == 4 && sizes[1] == sizeof(big) && *(uint32_t *)values == 42);
	CHECK(memcmp(values + 4, big, sizeof(big)) == 0 && value_iov.iov_len == 4 + sizeof(big));
	CHECK(stats.nr_dkeys == 0 && stats.nr_akeys == 3);
	/* Without room for it: an error, and nothing moves. */
	memset(&anchor, 0, sizeof(anchor));
	d_iov_set(&value_iov, values, 1000);
	nr_iods = 2;
	CHECK_RC(daos_pipeline_run(coh, oh, &pipeline, DAOS_TX_NONE, 0, &dkey, &nr_iods, iods, &anchor, &nr_kds, &kd,
				   &key_sgl, &value_sgl, sizes, NULL, &stats, NULL),
		 -DER_REC2BIG);
	CHECK(!daos_anchor_is_eof(&anchor));
	/* A dkey that isn't there has no record; a condition on it says so. */
	d_iov_set(&dkey, "nobody", 6);
	OK(daos_pipeline_run(coh, oh, &pipeline, DAOS_TX_NONE, 0, &dkey, &nr_iods, iods, &anchor, &nr_kds, &kd, &key_sgl,
			     &value_sgl, sizes, NULL, &stats, NULL));
	CHECK(nr_kds == 0 && nr_iods == 0 && daos_anchor_is_eof(&anchor));
	memset(&anchor, 0, sizeof(anchor));
	nr_iods = 2;
	nr_kds  = 1;
	CHECK_RC(daos_pipeline_run(coh, oh, &pipeline, DAOS_TX_NONE, DAOS_COND_DKEY_FETCH, &dkey, &nr_iods, iods, &anchor,
				   &nr_kds, &kd, &key_sgl, &value_sgl, sizes, NULL, &stats, NULL),
		 -DER_NONEXIST);
}

static void
checks(void)
{
	daos_pipeline_t    pipeline;
	daos_filter_t      filter;
	daos_filter_part_t parts[3];
	d_iov_t            iov;
	uint64_t           number = 1;
	daos_anchor_t      anchor = {0};
	uint32_t           nr     = 1;
	daos_key_desc_t    kd;
	char               key[16];
	d_iov_t            key_iov;
	d_sg_list_t        key_sgl = {.sg_nr = 1, .sg_iovs = &key_iov};
	daos_handle_t      none    = {.cookie = 0x1234};

	STEP("checks");
	daos_pipeline_init(&pipeline);
	daos_filter_init(&filter);
	CHECK_RC(daos_pipeline_add(&pipeline, &filter), -DER_INVAL);
	d_iov_set(&filter.filter_type, "DAOS_FILTER_CONDITION", 21);
	parts[0] = function("DAOS_FILTER_FUNC_EQ", 2);
	parts[1] = akey("age", "DAOS_FILTER_TYPE_UINTEGER4");
	parts[2] = constant("DAOS_FILTER_TYPE_UINTEGER8", &iov, &number, 8);
	add(&filter, parts, 3);
	OK(daos_pipeline_add(&pipeline, &filter));
	OK(daos_pipeline_check(&pipeline));
	parts[0].num_operands = 3;
	CHECK_RC(daos_pipeline_check(&pipeline), -DER_INVAL);
	parts[0] = function("DAOS_FILTER_FUNC_NONE", 2);
	CHECK_RC(daos_pipeline_check(&pipeline), -DER_NOSYS);
	parts[0] = function("DAOS_FILTER_FUNC_EQ", 2);
	d_iov_set(&parts[2].data_type, "DAOS_FILTER_TYPE_NONE", 21);
	CHECK_RC(daos_pipeline_check(&pipeline), -DER_NOSYS);
	d_iov_set(&parts[2].data_type, "DAOS_FILTER_TYPE_INTEGER8", 25);
	CHECK_RC(daos_pipeline_check(&pipeline), -DER_INVAL);
	d_iov_set(&parts[2].data_type, "DAOS_FILTER_TYPE_UINTEGER8", 26);
	d_iov_set(&key_iov, key, sizeof(key));
	CHECK_RC(daos_pipeline_run(coh, none, &pipeline, DAOS_TX_NONE, 0, NULL, NULL, NULL, &anchor, &nr, &kd, &key_sgl,
				   NULL, NULL, NULL, NULL, NULL),
		 -DER_NO_HDL);
	CHECK_RC(daos_pipeline_run(coh, oh, &pipeline, DAOS_TX_NONE, 0, NULL, NULL, NULL, NULL, &nr, &kd, &key_sgl, NULL,
				   NULL, NULL, NULL, NULL),
		 -DER_INVAL);
	pipeline.version = 2;
	CHECK_RC(daos_pipeline_run(coh, oh, &pipeline, DAOS_TX_NONE, 0, NULL, NULL, NULL, &anchor, &nr, &kd, &key_sgl,
				   NULL, NULL, NULL, NULL, NULL),
		 -DER_MISMATCH);
	OK(daos_pipeline_free(&pipeline));
	CHECK_RC(daos_pipeline_check(NULL), -DER_INVAL);
	CHECK_RC(daos_pipeline_free(NULL), -DER_INVAL);
	CHECK_RC(daos_pipeline_add(NULL, &filter), -DER_INVAL);
	CHECK_RC(daos_filter_add(&filter, NULL), -DER_INVAL);
}

int
main(void)
{
	check_open(&poh, &coh);
	OK(daos_obj_open(coh, check_oid(coh, DAOS_OT_MULTI_HASHED, OC_SX), DAOS_OO_RW, &oh, NULL));
	fill();
	conditions();
	aggregations();
	one_dkey();
	checks();
	OK(daos_obj_close(oh, NULL));
	check_close(poh, coh);
	return 0;
}
