/*
 * Aim: d_tm_* find, list, read and print the metrics of the running engine, whose counters are the operations that this
 * program makes; and what a hand-made segment holds that no engine writes: links, snapshots, damage.
 */
#include <daos.h>
#include <gurt/common.h>
#include <gurt/telemetry_common.h>
#include <gurt/telemetry_consumer.h>
#include <math.h>
#include <sys/shm.h>

#define CHECK(cond) \
	do { \
		if (!(cond)) { \
			fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #cond); \
			exit(1); \
		} \
	} while (0)

#define UPDATES	37


/* Parent of a process; 0 when there is none. */
static int
parent_of(int pid)
{
	char  path[64], line[512];
	FILE *file;
	int   parent = 0;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	file = fopen(path, "r");
	if (file == NULL)
		return 0;
	if (fgets(line, sizeof(line), file) != NULL && strrchr(line, ')') != NULL)
		sscanf(strrchr(line, ')'), ") %*c %d", &parent);
	fclose(file);
	return parent;
}

/* The context of the engine that this system's server started: its command line names the system's folder. */
static struct d_tm_context *
our_engine(void)
{
	const char *folder = getenv("DAOS_AGENT_DRPC_DIR");
	char        root[512], path[64], line[4096] = {0};

	CHECK(folder != NULL);
	snprintf(root, sizeof(root), "%s", folder);
	*strrchr(root, '/') = '\0';
	for (int id = 0; id < 64 * 256; id += 256) {
		struct d_tm_context *ctx = d_tm_open(id);
		struct d_tm_node_t  *node;
		uint64_t             pid = 0;
		FILE                *file;
		size_t               size;

		if (ctx == NULL)
			continue;
		node = d_tm_find_metric(ctx, "pid");
		CHECK(node != NULL && d_tm_get_gauge(ctx, &pid, NULL, node) == 0);
		snprintf(path, sizeof(path), "/proc/%d/cmdline", (int)pid);
		file = fopen(path, "r");
		size = file == NULL ? 0 : fread(line, 1, sizeof(line) - 1, file);
		if (file != NULL)
			fclose(file);
		for (size_t i = 0; i < size; i++)
			if (line[i] == '\0')
				line[i] = ' ';
		line[size] = '\0';
		if (parent_of(pid) > 0 && strstr(line, root) != NULL)
			return ctx;
		d_tm_close(&ctx);
		CHECK(ctx == NULL);
	}
	fprintf(stderr, "no telemetry of an engine that was given %s\n", root);
	exit(1);
}

/* Sum of the counters of all targets below a folder. */
static uint64_t
total(struct d_tm_context *ctx, char *folder)
{
	struct d_tm_nodeList_t *list = NULL;
	struct d_tm_node_t     *node = d_tm_find_metric(ctx, folder);
	uint64_t                sum = 0, value;

	CHECK(node != NULL && node->dtn_type == D_TM_DIRECTORY);
	CHECK(d_tm_list(ctx, &list, node, D_TM_COUNTER) == 0 && list != NULL);
	for (struct d_tm_nodeList_t *entry = list; entry != NULL; entry = entry->dtnl_next) {
		CHECK(strncmp(d_tm_get_name(ctx, entry->dtnl_node), "tgt_", 4) == 0);
		CHECK(d_tm_get_counter(ctx, &value, entry->dtnl_node) == 0);
		sum += value;
	}
	d_tm_list_free(list);
	return sum;
}

/* Samples of the latencies of a kind of requests; every bucket's counter is read on the way. */
static uint64_t
samples(struct d_tm_context *ctx, char *folder)
{
	struct d_tm_nodeList_t *list = NULL;
	uint64_t                sum = 0, value;

	CHECK(d_tm_list(ctx, &list, d_tm_find_metric(ctx, folder), D_TM_STATS_GAUGE) == 0 && list != NULL);
	for (struct d_tm_nodeList_t *entry = list; entry != NULL; entry = entry->dtnl_next) {
		struct d_tm_stats_t     stats     = {0};
		struct d_tm_histogram_t histogram = {0};
		struct d_tm_bucket_t    bucket;
		uint64_t                counted = 0;

		CHECK(d_tm_get_gauge(ctx, &value, &stats, entry->dtnl_node) == 0);
		CHECK(d_tm_get_num_buckets(ctx, &histogram, entry->dtnl_node) == 0);
		CHECK(histogram.dth_num_buckets == 20 && histogram.dth_initial_width == 16);
		CHECK(histogram.dth_value_multiplier == 2);
		for (int i = 0; i < histogram.dth_num_buckets; i++) {
			CHECK(d_tm_get_bucket_range(ctx, &bucket, i, entry->dtnl_node) == 0 && bucket.dtb_min < bucket.dtb_max);
			CHECK(d_tm_get_counter(ctx, &value, bucket.dtb_bucket) == 0);
			counted += value;
		}
		CHECK(bucket.dtb_max == UINT64_MAX);
		CHECK(d_tm_get_bucket_range(ctx, &bucket, 20, entry->dtnl_node) == -DER_INVAL);
		CHECK(d_tm_get_bucket_range(ctx, &bucket, -1, entry->dtnl_node) == -DER_INVAL);
		CHECK(counted == stats.sample_size);
		if (stats.sample_size > 0) {
			CHECK(stats.dtm_min <= stats.dtm_max && stats.mean >= stats.dtm_min && stats.mean <= stats.dtm_max);
			CHECK(stats.dtm_sum >= stats.dtm_max && stats.std_dev >= 0);
		}
		sum += stats.sample_size;
	}
	d_tm_list_free(list);
	return sum;
}

static void
some_updates(void)
{
	daos_handle_t poh, coh, oh;
	daos_obj_id_t oid = {.lo = 20250711};
	char          key[32];

	CHECK(daos_init() == 0);
	CHECK(daos_pool_connect(getenv("DAOS_POOL"), NULL, DAOS_PC_RW, &poh, NULL, NULL) == 0);
	CHECK(daos_cont_open(poh, getenv("DAOS_CONT"), DAOS_COO_RW, &coh, NULL, NULL) == 0);
	CHECK(daos_obj_generate_oid(coh, &oid, 0, OC_S1, 0, 0) == 0);
	CHECK(daos_obj_open(coh, oid, DAOS_OO_RW, &oh, NULL) == 0);
	for (int i = 0; i < UPDATES; i++) {
		d_iov_t     dkey, iov;
		d_sg_list_t sgl = {.sg_nr = 1, .sg_iovs = &iov};
		daos_iod_t  iod = {.iod_nr = 1, .iod_type = DAOS_IOD_SINGLE, .iod_size = sizeof(i)};

		snprintf(key, sizeof(key), "key %d", i);
		d_iov_set(&dkey, key, strlen(key));
		d_iov_set(&iov, &i, sizeof(i));
		d_iov_set(&iod.iod_name, "value", 5);
		CHECK(daos_obj_update(oh, DAOS_TX_NONE, 0, &dkey, 1, &iod, &sgl, NULL) == 0);
		CHECK(daos_obj_fetch(oh, DAOS_TX_NONE, 0, &dkey, 1, &iod, &sgl, NULL, NULL) == 0);
	}
	CHECK(daos_obj_close(oh, NULL) == 0 && daos_cont_close(coh, NULL) == 0 && daos_pool_disconnect(poh, NULL) == 0);
	CHECK(daos_fini() == 0);
}

struct visits {
	int  metrics;
	bool path_seen;
};

static void
visit(struct d_tm_context *ctx, struct d_tm_node_t *node, int level, char *path, int format, int fields, void *arg)
{
	struct visits *visits = arg;

	CHECK(format == D_TM_CSV && fields == D_TM_INCLUDE_TYPE);
	visits->metrics++;
	if (strcmp(d_tm_get_name(ctx, node), "tgt_0") == 0 && path != NULL && strstr(path, "/io/updates") != NULL) {
		CHECK(level == 3 && strncmp(path, "ID: ", 4) == 0);
		visits->path_seen = true;
	}
}

/* What a printing function writes. */
#define PRINTED(call) \
	({ \
		static char text[1024]; \
		FILE       *stream; \
		memset(text, 0, sizeof(text)); \
		stream = fmemopen(text, sizeof(text), "w"); \
		call; \
		fclose(stream); \
		text; \
	})

static void
engine_metrics(void)
{
	struct d_tm_context    *ctx = our_engine();
	struct d_tm_node_t     *root = d_tm_get_root(ctx), *node;
	struct d_tm_nodeList_t *list = NULL;
	struct d_tm_stats_t     stats = {0};
	struct visits           visits = {0};
	struct timespec         took;
	uint64_t                updates, fetches, update_samples, rank = 77, folders = 0;
	time_t                  started;
	char                   *desc, *units, *text;

	updates        = total(ctx, "io/updates");
	fetches        = total(ctx, "/io//fetches/");
	update_samples = samples(ctx, "io/ops/update/latency");
	some_updates();
	CHECK(total(ctx, "io/updates") >= updates + UPDATES);
	CHECK(total(ctx, "io/fetches") >= fetches + UPDATES);
	CHECK(samples(ctx, "io/ops/update/latency") >= update_samples + UPDATES);

	CHECK(root != NULL && strncmp(d_tm_get_name(ctx, root), "ID: ", 4) == 0);
	CHECK(d_tm_get_sibling(ctx, root) == NULL && d_tm_get_child(ctx, root) != NULL);
	CHECK(d_tm_get_sibling(ctx, d_tm_get_child(ctx, root)) != NULL);
	CHECK(d_tm_follow_link(ctx, root) == root);
	CHECK(d_tm_conv_ptr(ctx, root, root->dtn_child) == d_tm_get_child(ctx, root));
	CHECK(d_tm_find_metric(ctx, "io/nothing") == NULL && d_tm_find_metric(ctx, "") == NULL);

	CHECK(d_tm_get_timestamp(ctx, &started, d_tm_find_metric(ctx, "started_at")) == 0);
	CHECK(started > 1700000000 && started <= time(NULL));
	CHECK(d_tm_get_gauge(ctx, &rank, NULL, d_tm_find_metric(ctx, "rank")) == 0 && rank == 0);
	node = d_tm_find_metric(ctx, "startup");
	CHECK(d_tm_get_duration(ctx, &took, &stats, node) == 0 && stats.sample_size == 1 && stats.std_dev == 0);
	CHECK(stats.dtm_sum == took.tv_sec * 1000000ull + took.tv_nsec / 1000 && stats.dtm_min == stats.dtm_max);
	CHECK(stats.mean == stats.dtm_sum);

	/* Of the wrong kind, or no node of the context. */
	CHECK(d_tm_get_counter(ctx, &rank, node) == -DER_OP_NOT_PERMITTED);
	CHECK(d_tm_get_gauge(ctx, &rank, NULL, root) == -DER_OP_NOT_PERMITTED);
	CHECK(d_tm_get_timer_snapshot(ctx, &took, node) == -DER_OP_NOT_PERMITTED);
	CHECK(d_tm_get_timestamp(ctx, &started, node) == -DER_OP_NOT_PERMITTED);
	CHECK(d_tm_get_duration(ctx, &took, NULL, root) == -DER_OP_NOT_PERMITTED);
	CHECK(d_tm_get_timestamp(ctx, &started, (struct d_tm_node_t *)&stats) == -DER_METRIC_NOT_FOUND);
	CHECK(d_tm_get_timestamp(ctx, &started, NULL) == -DER_INVAL);
	CHECK(d_tm_get_timestamp(NULL, &started, node) == -DER_INVAL);
	CHECK(d_tm_get_metadata(ctx, NULL, NULL, node) == -DER_INVAL);
	CHECK(d_tm_get_metadata(ctx, &desc, &units, root) == -DER_OP_NOT_PERMITTED && desc == NULL && units == NULL);
	CHECK(d_tm_get_metadata(ctx, &desc, &units, node) == 0 && strlen(desc) > 5 && strcmp(units, "us") == 0);
	D_FREE(desc);
	D_FREE(units);

	/* Listing, counting and walking agree. */
	CHECK(d_tm_list(ctx, &list, root, D_TM_ALL_NODES) == 0);
	for (struct d_tm_nodeList_t *entry = list; entry != NULL; entry = entry->dtnl_next)
		visits.metrics++;
	CHECK(visits.metrics > 50 && d_tm_count_metrics(ctx, root, D_TM_ALL_NODES) == visits.metrics);
	d_tm_list_free(list);
	memset(&visits, 0, sizeof(visits));
	d_tm_iterate(ctx, root, 0, D_TM_COUNTER, NULL, D_TM_CSV, D_TM_INCLUDE_TYPE, visit, &visits);
	CHECK(visits.path_seen && visits.metrics == d_tm_count_metrics(ctx, root, D_TM_COUNTER));
	list = NULL;
	CHECK(d_tm_list_subdirs(ctx, &list, root, &folders, 1) == 0 && folders == 2); /* io, service */
	d_tm_list_free(list);
	list = NULL;
	CHECK(d_tm_list_subdirs(ctx, &list, d_tm_find_metric(ctx, "io"), &folders, 1) == 0 && folders > 10);
	d_tm_list_free(list);
	CHECK(d_tm_list(ctx, NULL, root, D_TM_COUNTER) == -DER_INVAL && d_tm_list(ctx, &list, NULL, 1) == -DER_INVAL);

	node = d_tm_find_metric(ctx, "io/updates/tgt_0");
	text = PRINTED(d_tm_print_node(ctx, node, 1, "io/updates", D_TM_STANDARD, D_TM_INCLUDE_TYPE, stream));
	CHECK(strncmp(text, "    type: counter, tgt_0: ", 26) == 0 && strstr(text, " ops\n") != NULL);
	text = PRINTED(d_tm_print_node(ctx, node, 1, "io/updates", D_TM_CSV, D_TM_INCLUDE_METADATA, stream));
	CHECK(strncmp(text, "io/updates/tgt_0,", 17) == 0 && strstr(text, ",,,,,,") != NULL);
	CHECK(strstr(text, ",ops\n") != NULL);
	text = PRINTED(d_tm_print_node(ctx, root, 0, NULL, D_TM_STANDARD, 0, stream));
	CHECK(strncmp(text, "ID: ", 4) == 0 && text[strlen(text) - 1] == '\n');
	text = PRINTED(d_tm_print_node(ctx, d_tm_find_metric(ctx, "startup"), 0, NULL, D_TM_STANDARD,
				       D_TM_INCLUDE_TYPE | D_TM_INCLUDE_TIMESTAMP, stream));
	CHECK(strstr(text, ", type: duration realtime, startup: ") != NULL && strstr(text, "samples: 1]\n") != NULL);

	/* A reset sets the numbers to 0, for the writer too. */
	d_tm_reset_node(ctx, node, 0, NULL, D_TM_STANDARD, 0, stderr);
	CHECK(d_tm_get_counter(ctx, &updates, node) == 0 && updates == 0);
	node = d_tm_find_metric(ctx, "io/ops/update/latency/tgt_0");
	d_tm_reset_node(ctx, node, 0, NULL, D_TM_STANDARD, 0, stderr);
	CHECK(d_tm_get_gauge(ctx, &updates, &stats, node) == 0 && updates == 0 && stats.sample_size == 0);
	d_tm_gc_ctx(ctx);
	CHECK(d_tm_get_root(ctx) == root);
	d_tm_close(&ctx);
	d_tm_close(&ctx);
	CHECK(ctx == NULL && d_tm_get_root(ctx) == NULL);
}

/* A segment in the layout that common/src/telemetry.rs describes. */
struct header {
	uint64_t            magic;
	uint32_t            version, key;
	uint64_t            base, bytes, used;
	struct d_tm_node_t *root;
	uint32_t            ended, process;
	uint64_t            reserved;
};

struct made {
	struct header        header;
	struct d_tm_node_t   root, a, b;
	struct d_tm_metric_t metric_a, metric_b;
	char                 names[64];
};

static struct made *
make(int id, int *shmid)
{
	struct made *made;

	*shmid = shmget(d_tm_get_srv_key(id), sizeof(struct made), IPC_CREAT | IPC_EXCL | 0600);
	CHECK(*shmid >= 0);
	made = shmat(*shmid, NULL, 0);
	CHECK(made != (void *)-1);
	memcpy(&made->header.magic, "DAOS-TM1", 8);
	made->header.version = 1;
	made->header.key     = d_tm_get_srv_key(id);
	made->header.base    = (uint64_t)made;
	made->header.bytes   = sizeof(*made);
	made->header.root    = &made->root;
	made->header.process = getpid();
	memcpy(made->names, "root\0a\0b", 8);
	made->root.dtn_name  = made->names;
	made->root.dtn_type  = D_TM_DIRECTORY;
	made->root.dtn_child = &made->a;
	made->a.dtn_name     = made->names + 5;
	made->a.dtn_type     = D_TM_TIMER_SNAPSHOT | D_TM_CLOCK_THREAD_CPUTIME;
	made->a.dtn_readable = true;
	made->a.dtn_metric   = &made->metric_a;
	made->a.dtn_sibling  = &made->b;
	made->b.dtn_name     = made->names + 7;
	made->b.dtn_type     = D_TM_LINK;
	made->b.dtn_readable = true;
	made->b.dtn_metric   = &made->metric_b;
	made->root.dtn_shmem_key = made->a.dtn_shmem_key = made->b.dtn_shmem_key = made->header.key;
	return made;
}

static void
made_segments(void)
{
	int                  id = 1000000 + getpid() % 500000 * 2, shm[2];
	struct made         *one = make(id, &shm[0]), *two = make(id + 1, &shm[1]);
	struct d_tm_context *ctx = d_tm_open(id);
	struct d_tm_node_t  *node, *root;
	struct timespec      tms;

	CHECK(ctx != NULL && (root = d_tm_get_root(ctx)) != NULL && root != &one->root);
	one->metric_a.dtm_data.tms[0] = (struct timespec){3, 500000000};
	node                          = d_tm_find_metric(ctx, "a");
	CHECK(d_tm_get_timer_snapshot(ctx, &tms, node) == 0 && tms.tv_sec == 3 && tms.tv_nsec == 500000000);
	CHECK(strcmp(PRINTED(d_tm_print_node(ctx, node, 0, NULL, D_TM_CSV, D_TM_INCLUDE_TYPE, stream)),
		     "a,snapshot thread,3500000\n") == 0);
	one->a.dtn_readable = false;
	CHECK(d_tm_get_timer_snapshot(ctx, &tms, node) == -DER_AGAIN);
	one->a.dtn_readable = true;
	one->a.dtn_metric   = NULL;
	CHECK(d_tm_get_timer_snapshot(ctx, &tms, node) == -DER_METRIC_NOT_FOUND);
	one->a.dtn_type   = D_TM_MEMINFO;
	one->a.dtn_metric = &one->metric_a;
	one->metric_a.dtm_data.meminfo = (struct d_tm_meminfo_t){1, 2, 3, 4};
	CHECK(strcmp(PRINTED(d_tm_print_node(ctx, node, 0, NULL, D_TM_STANDARD, 0, stream)), "a:1,2,3,4\n") == 0);
	one->a.dtn_type = 1 << 20;
	CHECK(strstr(PRINTED(d_tm_print_node(ctx, node, 0, NULL, D_TM_STANDARD, 0, stream)), "unknown type") != NULL);

	/* Links: cleared, to another segment, to one that its writer has ended, to nothing. */
	CHECK(d_tm_find_metric(ctx, "b") == NULL && d_tm_count_metrics(ctx, root, D_TM_DIRECTORY) == 1);
	one->metric_b.dtm_data.value = (uint32_t)d_tm_get_srv_key(id + 1);
	node                         = d_tm_find_metric(ctx, "b");
	CHECK(node != NULL && node != root && strcmp(d_tm_get_name(ctx, node), "root") == 0);
	CHECK(d_tm_find_metric(ctx, "b/a") != NULL && d_tm_find_metric(ctx, "b/b") == NULL);
	CHECK(d_tm_count_metrics(ctx, root, D_TM_DIRECTORY) == 2);
	two->header.ended = 1;
	d_tm_gc_ctx(ctx);
	CHECK(d_tm_get_name(ctx, node) == NULL);
	CHECK(shmctl(shm[1], IPC_RMID, NULL) == 0);
	CHECK(d_tm_find_metric(ctx, "b") == NULL);
	/* A link to its own segment: a tree without end. */
	one->metric_b.dtm_data.value = (uint32_t)d_tm_get_srv_key(id);
	CHECK(d_tm_count_metrics(ctx, root, D_TM_DIRECTORY) < 1000);

	/* Damage. */
	one->b.dtn_name = (char *)one - 1;
	CHECK(d_tm_find_metric(ctx, "b") == NULL);
	one->b.dtn_name = (char *)(one + 1);
	CHECK(d_tm_find_metric(ctx, "b") == NULL);
	one->a.dtn_sibling = &one->a;
	CHECK(d_tm_find_metric(ctx, "nothing") == NULL);
	one->root.dtn_child = (struct d_tm_node_t *)((char *)one + sizeof(*one) - 8);
	CHECK(d_tm_get_child(ctx, root) == NULL);
	one->root.dtn_child = (struct d_tm_node_t *)3;
	CHECK(d_tm_get_child(ctx, root) == NULL && d_tm_find_metric(ctx, "a") == NULL);
	one->header.root = (struct d_tm_node_t *)&one->header;
	CHECK(d_tm_get_root(ctx) == NULL);
	d_tm_close(&ctx);
	one->header.version = 2;
	CHECK(d_tm_open(id) == NULL);
	one->header.version = 1;
	one->header.magic   = 0;
	CHECK(d_tm_open(id) == NULL && d_tm_open(id + 1) == NULL);
	shmctl(shm[0], IPC_RMID, NULL);
	shmdt(one);
	shmdt(two);
}

static void
arithmetic(void)
{
	struct d_tm_stats_t     stats     = {0};
	struct d_tm_metric_t    counts[2] = {0}, metric = {.dtm_stats = &stats};
	struct d_tm_node_t      node = {.dtn_metric = &metric, .dtn_type = D_TM_STATS_GAUGE};
	struct d_tm_node_t      counters[2] = {{.dtn_type = D_TM_COUNTER, .dtn_metric = &counts[0], .dtn_readable = true},
					       {.dtn_type = D_TM_COUNTER, .dtn_metric = &counts[1]}};
	struct d_tm_bucket_t    buckets[2] = {{0, 9, &counters[0]}, {10, UINT64_MAX, &counters[1]}};
	struct d_tm_histogram_t histogram = {.dth_buckets = buckets, .dth_num_buckets = 2, .dth_initial_width = 10};
	struct d_tm_nodeList_t *list = NULL;
	uint64_t                value;

	for (uint64_t v = 4; v <= 16; v += 4)
		d_tm_compute_stats(&node, v);
	CHECK(stats.dtm_min == 4 && stats.dtm_max == 16 && stats.dtm_sum == 40 && stats.sample_size == 4);
	CHECK(stats.sum_of_squares == 480);
	CHECK(fabs(d_tm_compute_standard_dev(480, 4, 10) - 5.163977794943222) < 1e-9);
	CHECK(d_tm_compute_standard_dev(480, 1, 10) == 0 && d_tm_compute_standard_dev(0, 4, 10) == 0);
	d_tm_compute_histogram(&node, 5);
	metric.dtm_histogram = &histogram;
	d_tm_compute_histogram(&node, 9);
	d_tm_compute_histogram(&node, 10);
	d_tm_compute_histogram(&node, UINT64_MAX);
	CHECK(counts[0].dtm_data.value == 1 && counts[1].dtm_data.value == 2);
	CHECK(d_tm_get_counter(NULL, &value, &counters[0]) == 0 && value == 1);
	CHECK(d_tm_get_counter(NULL, &value, &counters[1]) == -DER_AGAIN);
	CHECK(d_tm_get_counter(NULL, &value, &node) == -DER_OP_NOT_PERMITTED);

	CHECK(d_tm_get_version() == D_TM_VERSION);
	CHECK(d_tm_get_srv_key(3) == D_TM_SHARED_MEMORY_KEY + 3);
	CHECK(d_tm_get_srv_key(d_tm_cli_pid_key(4711)) == 4711);
	CHECK(d_tm_clock_id(D_TM_CLOCK_THREAD_CPUTIME) == CLOCK_THREAD_CPUTIME_ID);
	CHECK(d_tm_clock_id(D_TM_CLOCK_PROCESS_CPUTIME) == CLOCK_PROCESS_CPUTIME_ID && d_tm_clock_id(0) == CLOCK_REALTIME);
	CHECK(strcmp(d_tm_clock_string(D_TM_CLOCK_PROCESS_CPUTIME), D_TM_CLOCK_PROCESS_CPUTIME_STR) == 0);
	CHECK(strcmp(d_tm_clock_string(D_TM_CLOCK_REALTIME), D_TM_CLOCK_REALTIME_STR) == 0);

	CHECK(d_tm_list_add_node(&node, NULL) == -DER_INVAL);
	CHECK(d_tm_list_add_node(&node, &list) == 0 && d_tm_list_add_node(&counters[0], &list) == 0);
	CHECK(list->dtnl_node == &node && list->dtnl_next->dtnl_node == &counters[0] && list->dtnl_next->dtnl_next == NULL);
	d_tm_list_free(list);
}

static void
printing(void)
{
	struct d_tm_stats_t stats = {.dtm_min = 1, .dtm_max = 9, .dtm_sum = 15, .mean = 5, .std_dev = 4, .sample_size = 3};
	struct timespec     tms   = {2, 7000};
	time_t              clk   = 0;

	setenv("TZ", "UTC", 1);
	tzset();
#define SAYS(call, wanted) \
	do { \
		const char *said = PRINTED(call); \
		if (strcmp(said, wanted) != 0) { \
			fprintf(stderr, "%s:%d: \"%s\" rather than \"%s\"\n", __FILE__, __LINE__, said, wanted); \
			exit(1); \
		} \
	} while (0)
	SAYS(d_tm_print_counter(5, "c", D_TM_STANDARD, "ops", 0, stream), "c: 5 ops");
	SAYS(d_tm_print_counter(5, "c", D_TM_CSV, "ops", D_TM_INCLUDE_TYPE, stream), "c,counter,5");
	SAYS(d_tm_print_counter(5, NULL, D_TM_CSV, "ops", 0, stream), "");
	SAYS(d_tm_print_timestamp(&clk, "t", D_TM_STANDARD, 0, stream), "t: Thu Jan  1 00:00:00 1970");
	SAYS(d_tm_print_timestamp(&clk, "t", D_TM_CSV, D_TM_INCLUDE_TYPE, stream), "t,timestamp,Thu Jan  1 00:00:00 1970");
	SAYS(d_tm_print_timer_snapshot(&tms, "s", D_TM_TIMER_SNAPSHOT | D_TM_CLOCK_REALTIME, D_TM_STANDARD,
				       D_TM_INCLUDE_TYPE, stream),
	     "type: snapshot realtime, s: 2000007 us");
	SAYS(d_tm_print_timer_snapshot(&tms, "s", D_TM_TIMER_SNAPSHOT, D_TM_CSV, 0, stream),
	     "Invalid timer snapshot type: 0x0");
	SAYS(d_tm_print_duration(&tms, &stats, "d", D_TM_DURATION | D_TM_CLOCK_PROCESS_CPUTIME, D_TM_CSV,
				 D_TM_INCLUDE_TYPE, stream),
	     "d,duration process,2000007,1,9,5.000000,3,15,4.000000");
	SAYS(d_tm_print_duration(&tms, NULL, "d", D_TM_DURATION | D_TM_CLOCK_THREAD_CPUTIME, D_TM_STANDARD, 0, stream),
	     "d: 2000007 us");
	SAYS(d_tm_print_gauge(3, &stats, "g", D_TM_STANDARD, "B", 0, stream),
	     "g: 3 B [min: 1, max: 9, avg: 5, sum: 15, stddev: 4, samples: 3]");
	SAYS(d_tm_print_gauge(3, NULL, "g", D_TM_CSV, "B", D_TM_INCLUDE_TYPE, stream), "g,gauge,3");
	SAYS(d_tm_print_metadata("what", "B", D_TM_STANDARD, stream), ", desc: what, units: B");
	SAYS(d_tm_print_metadata(NULL, "B", D_TM_CSV, stream), ",,B");
	SAYS(d_tm_print_field_descriptors(D_TM_INCLUDE_TIMESTAMP | D_TM_INCLUDE_METADATA | D_TM_INCLUDE_TYPE, stream),
	     "timestamp,name,type,value,min,max,mean,sample_size,sum,std_dev,description,units\n");
	stats.sample_size = 2;
	SAYS(d_tm_print_stats(stream, &stats, D_TM_CSV), ",1,9,5.000000,2,15,");
	SAYS(d_tm_print_stats(stream, &stats, D_TM_STANDARD), " [min: 1, max: 9, avg: 5, sum: 15, samples: 2]");
	d_tm_print_stats(NULL, &stats, 0);
	d_tm_print_field_descriptors(0, NULL);
}

int
main(void)
{
	arithmetic();
	printing();
	made_segments();
	engine_metrics();
	printf("telemetry.c: all holds\n");
	return 0;
}
