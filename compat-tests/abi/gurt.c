/*
 * Aim: libgurt does what programs rely on: hash tables in every locking mode, reference counts, eviction order, handle
 * and UUID tables, rank lists, environment, strings, error names, the logger behind the macros and what the environment
 * asks of it, fault injection by file and by program, backtraces of fatal signals. Exits 0 when all holds.
 */
#include <gurt/common.h>
#include <gurt/hash.h>
#include <gurt/list.h>
#include <assert.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>

#undef NDEBUG
#define CHECK(cond) \
	do { \
		if (!(cond)) { \
			fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #cond); \
			exit(1); \
		} \
	} while (0)

struct record {
	d_list_t link;
	uint32_t key;
	int      references;
	int      freed;
};

static struct record *
of(d_list_t *link)
{
	return d_list_entry(link, struct record, link);
}

static bool
key_cmp(struct d_hash_table *t, d_list_t *link, const void *key, unsigned int size)
{
	return size == sizeof(uint32_t) && of(link)->key == *(const uint32_t *)key;
}

static uint32_t
rec_hash(struct d_hash_table *t, d_list_t *link)
{
	return d_hash_string_u32((const char *)&of(link)->key, sizeof(uint32_t));
}

static void
addref(struct d_hash_table *t, d_list_t *link)
{
	of(link)->references++;
}

static bool
decref(struct d_hash_table *t, d_list_t *link)
{
	return --of(link)->references == 0;
}

static void
rec_free(struct d_hash_table *t, d_list_t *link)
{
	of(link)->freed = 1;
}

static int
count(d_list_t *link, void *arg)
{
	++*(int *)arg;
	return 0;
}

static d_hash_table_ops_t ops = {
    .hop_key_cmp = key_cmp, .hop_rec_hash = rec_hash, .hop_rec_addref = addref, .hop_rec_decref = decref, .hop_rec_free = rec_free,
};

static void
table_in_mode(uint32_t feats)
{
	struct d_hash_table *t;
	struct record        r[64];
	uint32_t             absent = 1000;
	int                  n = 0;

	CHECK(d_hash_table_create(feats, 4, NULL, &ops, &t) == 0);
	for (uint32_t i = 0; i < 64; i++) {
		r[i] = (struct record){.key = i, .references = 1};
		D_INIT_LIST_HEAD(&r[i].link);
		CHECK(d_hash_rec_insert(t, &i, sizeof(i), &r[i].link, true) == 0);
		CHECK(d_hash_rec_insert(t, &i, sizeof(i), &r[i].link, true) == -DER_EXIST);
	}
	CHECK(d_hash_table_traverse(t, count, &n) == 0 && n == 64);
	CHECK(d_hash_rec_find(t, &absent, sizeof(absent)) == NULL);
	for (uint32_t i = 0; i < 64; i++) {
		CHECK(d_hash_rec_find(t, &i, sizeof(i)) == &r[i].link);
		if (feats & D_HASH_FT_EPHEMERAL) {
			/* 1 of ours, 1 of the search: the last one takes the record out. */
			CHECK(r[i].references == 2);
			CHECK(d_hash_rec_ndecref(t, 2, &r[i].link) == 0);
			CHECK(r[i].freed && d_hash_rec_unlinked(&r[i].link));
		} else {
			CHECK(r[i].references == 3);
			d_hash_rec_decref(t, &r[i].link);
			CHECK(d_hash_rec_delete(t, &i, sizeof(i)));
			CHECK(!r[i].freed && r[i].references == 1);
			d_hash_rec_decref(t, &r[i].link);
			CHECK(r[i].freed);
		}
	}
	CHECK(d_hash_rec_first(t) == NULL);
	CHECK(d_hash_table_destroy(t, false) == 0);
}

/* Dropping more references than there are frees the record, and leaves no trace of it in its chain. */
static void
too_many_references(void)
{
	struct d_hash_table *t;
	struct record        r = {.key = 1, .references = 1};

	CHECK(d_hash_table_create(D_HASH_FT_EPHEMERAL, 2, NULL, &ops, &t) == 0);
	CHECK(d_hash_rec_insert(t, &r.key, sizeof(r.key), &r.link, true) == 0);
	CHECK(d_hash_rec_ndecref(t, 3, &r.link) == -DER_INVAL);
	CHECK(r.freed && d_hash_rec_first(t) == NULL);
	CHECK(d_hash_rec_insert(t, NULL, 4, &r.link, true) == -DER_INVAL && d_hash_rec_insert_anonym(t, NULL, NULL) == -DER_INVAL);
	CHECK(d_hash_rec_find(t, &r.key, 0) == NULL && !d_hash_rec_delete_at(t, NULL) && d_hash_rec_ndecref(t, 1, NULL) == -DER_INVAL);
	d_hash_rec_addref(t, NULL);
	d_hash_rec_decref(t, NULL);
	CHECK(d_hash_table_destroy(t, false) == 0);
}

static void
eviction_order(void)
{
	/* One bucket: its chain is the order of use. */
	struct d_hash_table t;
	struct record       r[3];

	CHECK(d_hash_table_create_inplace(D_HASH_FT_LRU | D_HASH_FT_NOLOCK, 0, NULL, &ops, &t) == 0);
	for (uint32_t i = 0; i < 3; i++) {
		r[i] = (struct record){.key = i, .references = 1};
		CHECK(d_hash_rec_insert(&t, &i, sizeof(i), &r[i].link, false) == 0);
	}
	CHECK(t.ht_buckets[0].hb_head.next == &r[2].link);
	CHECK(d_hash_rec_find(&t, &r[0].key, sizeof(uint32_t)) == &r[0].link);
	CHECK(t.ht_buckets[0].hb_head.next == &r[0].link);
	CHECK(d_hash_rec_evict(&t, &r[0].key, sizeof(uint32_t)));
	CHECK(t.ht_buckets[0].hb_head.prev == &r[0].link);
	CHECK(!d_hash_rec_evict_at(&t, &r[0].link) && d_hash_rec_evict_at(&t, &r[2].link));
	CHECK(d_hash_table_destroy_inplace(&t, false) == -DER_BUSY);
	CHECK(d_hash_table_destroy_inplace(&t, true) == 0);
}

static int freed_handles;

static void
free_handle(struct d_hlink *link)
{
	freed_handles++;
	free(link);
}

static void
handles(void)
{
	static struct d_hlink_ops handle_ops = {.hop_free = free_handle};
	struct d_hhash           *table;
	struct d_hlink           *link = calloc(1, sizeof(*link));
	uint64_t                  key;

	CHECK(d_hhash_create(D_HASH_FT_GLOCK | D_HASH_FT_RWLOCK, 6, &table) == 0);
	CHECK(d_hhash_link_empty(link));
	d_hhash_hlink_init(link, &handle_ops);
	d_hhash_link_insert(table, link, 3);
	d_hhash_link_key(link, &key);
	CHECK(d_hhash_key_type(key) == 3 && !d_hhash_key_isptr(key));
	CHECK(d_hhash_link_lookup(table, key) == link);
	CHECK(d_hhash_link_lookup(table, key + 16) == NULL);
	d_hhash_link_putref(table, link);
	CHECK(d_hhash_link_delete(table, link) && freed_handles == 0);
	d_hhash_link_putref(table, link);
	CHECK(freed_handles == 1);
	d_hhash_destroy(table);
}

static void
uuids(void)
{
	struct d_hash_table *table;
	struct d_ulink       link;
	struct d_uuid        uuid;

	memset(&link, 0, sizeof(link));
	memset(&uuid, 7, sizeof(uuid));
	CHECK(d_uhash_create(D_HASH_FT_MUTEX, 4, &table) == 0);
	d_uhash_ulink_init(&link, NULL);
	CHECK(d_uhash_link_insert(table, &uuid, NULL, &link) == 0);
	CHECK(d_uhash_link_lookup(table, &uuid, NULL) == &link);
	d_uhash_link_putref(table, &link);
	d_uhash_link_delete(table, &link);
	CHECK(d_uhash_link_last_ref(&link) && d_uhash_link_lookup(table, &uuid, NULL) == NULL);
	d_uhash_destroy(table);
}

static void
ranks(void)
{
	d_rank_t       some[] = {5, 3, 4, 9};
	d_rank_list_t  list   = {.rl_ranks = some, .rl_nr = 4};
	d_rank_list_t  none   = {0};
	d_rank_list_t *copy;
	char          *text;
	int            at;

	CHECK(d_rank_list_dup(&copy, &list) == 0 && d_rank_list_identical(copy, copy));
	CHECK(d_rank_list_append(copy, 1) == 0 && copy->rl_nr == 5);
	CHECK(d_rank_list_find(copy, 9, &at) && at == 3);
	CHECK(d_rank_list_del(copy, 9) == 0 && !d_rank_in_rank_list(copy, 9));
	CHECK(d_rank_list_to_str(copy, &text) == 0 && strcmp(text, "[1,3-5]") == 0);
	D_FREE(text);
	CHECK(d_rank_list_merge(copy, &list) == 0 && copy->rl_nr == 5);
	d_rank_list_filter(&list, copy, true);
	CHECK(copy->rl_nr == 1 && copy->rl_ranks[0] == 1);
	CHECK(d_rank_list_copy(copy, NULL) == -DER_INVAL && copy->rl_nr == 1);
	CHECK(d_rank_list_copy(copy, &list) == 0 && copy->rl_nr == 4 && copy->rl_ranks[3] == 9);
	d_rank_list_filter(&none, copy, false);
	CHECK(copy->rl_nr == 4);
	d_rank_list_free(copy);
}

static void
small_things(void)
{
	struct d_string_buffer_t buffer = {0};
	d_sg_list_t              sgl;
	unsigned int             number;
	uint64_t                 hlc = d_hlc_get();
	bool                     yes;
	char                    *text, *more;

	CHECK(strcmp(d_errstr(-DER_INVAL), "DER_INVAL") == 0 && strcmp(d_errstr(0), "DER_SUCCESS") == 0);
	CHECK(strcmp(d_errstr(-77), "DER_UNKNOWN") == 0 && strlen(d_errdesc(-DER_CSUM)) > 0);
	CHECK(d_hash_string_u32("daos", 4) == 2090176716u);
	CHECK(d_hash_mix64(1) == 6614235796240398542ull);
	CHECK(d_hlc_get() > hlc && d_hlc2nsec(d_nsec2hlc(12345)) == 12345);

	CHECK(d_setenv("GURT_TEST", "42", 1) == 0 && d_getenv_uint("GURT_TEST", &number) == 0 && number == 42);
	CHECK(d_getenv_bool("GURT_TEST", &yes) == 0 && yes);
	CHECK(d_setenv("GURT_TEST", "x", 1) == 0 && d_getenv_uint("GURT_TEST", &number) == -DER_INVAL);
	CHECK(d_putenv(NULL) != 0 && errno == EINVAL && d_setenv("GURT_TEST", NULL, 1) == -1 && d_unsetenv(NULL) == -1);
	CHECK(d_unsetenv("GURT_TEST") == 0 && d_getenv_uint("GURT_TEST", &number) == -DER_NONEXIST);

	D_ASPRINTF(text, "%s-%d", "dkey", 7);
	CHECK(text != NULL && strcmp(text, "dkey-7") == 0);
	D_REALLOC(more, text, strlen(text) + 1, 100);
	CHECK(text == NULL && more != NULL && strcmp(more, "dkey-7") == 0 && more[99] == 0);
	D_FREE(more);
	for (int i = 0; i < 100; i++)
		CHECK(d_write_string_buffer(&buffer, "%d,", i % 10) == 0);
	CHECK(buffer.str_size == 200 && strncmp(buffer.str, "0,1,2,", 6) == 0);
	d_free_string(&buffer);

	CHECK(d_sgl_init(&sgl, 3) == 0 && d_sgl_buf_size(&sgl) == 0);
	d_sgl_fini(&sgl, true);

	text = d_aligned_alloc(64, 100, true);
	CHECK(text != NULL && (uintptr_t)text % 64 == 0 && text[127] == 0);
	d_free(text);

	/* A clock that is ahead is believed as far as the bound says. */
	d_hlc_epsilon_set(d_sec2hlc(100));
	hlc = d_hlc_get() + d_sec2hlc(50);
	CHECK(d_hlc_get_msg(hlc, &hlc, NULL) == 0 && d_hlc_get() > hlc);
	hlc = d_hlc_get() + d_sec2hlc(200);
	CHECK(d_hlc_get_msg(hlc, NULL, NULL) == -DER_HLC_SYNC && d_hlc_get() < hlc);
}

static char directory[] = "/tmp/gurt-XXXXXX";

/* The path of a file in the test's directory; one of four texts in turn. */
static const char *
file(const char *name)
{
	static char paths[4][64];
	static int  at;

	at = (at + 1) % 4;
	snprintf(paths[at], sizeof(paths[at]), "%s/%s", directory, name);
	return paths[at];
}

static bool
exists(const char *name)
{
	return access(file(name), F_OK) == 0;
}

/* The text of a file, up to 8 KiB of it. */
static const char *
text_of(const char *name)
{
	static char text[8192];
	FILE       *in = fopen(file(name), "r");
	size_t      bytes;

	CHECK(in != NULL);
	bytes       = fread(text, 1, sizeof(text) - 1, in);
	text[bytes] = 0;
	fclose(in);
	return text;
}

static void
write_text(const char *name, const char *text)
{
	FILE *out = fopen(file(name), "w");

	CHECK(out != NULL && fputs(text, out) >= 0 && fclose(out) == 0);
}

static void
logging(void)
{
	const char *text;
	int         ints[8], year;

	CHECK(setenv("D_LOG_FILE", file("log"), 1) == 0 && setenv("D_LOG_MASK", "INFO", 1) == 0);
	CHECK(d_log_init() == 0);
	CHECK(d_log_open("TAG", 0, DLOG_WARN, DLOG_EMERG, NULL, 0, NULL) == -1);
	errno = 77;
	D_INFO("told %d\n", 1);
	CHECK(errno == 77);
	D_DEBUG(DB_TRACE, "untold\n");
	d_log_sync_mask_ex("DEBUG", "trace");
	D_DEBUG(DB_TRACE, "traced %s\n", "now");
	D_DEBUG(DB_IO, "untold\n");
	d_log_fini();
	D_ERROR("untold\n");

	text = text_of("log");
	CHECK(sscanf(text, "INFO %d/%d/%d %d:%d:%d", &year, ints, ints + 1, ints + 2, ints + 3, ints + 4) == 6 && year > 2020);
	CHECK(strstr(text, "told 1\n") != NULL && strstr(text, "traced now\n") != NULL && strstr(text, "untold") == NULL);
	CHECK(strstr(text, " DAOS[") != NULL && strstr(text, "] misc ") != NULL);
}

static void
masks(void)
{
	char     all[512], part[8];
	int      whole;
	d_dbug_t bit = 0, again = 0, group;

	CHECK(d_log_setmasks("INFO", -1) == -1 && d_log_getmasks(NULL, 0, 0, 0) == 0);
	CHECK(d_log_init_adv("MASKS", NULL, DLOG_FLV_TAG, DLOG_WARN, 0, NULL) == 0);
	CHECK(d_log_setmasks("ERR", -1) == DLOG_WARN && d_log_setmasks("mem=INFOxxx", 8) == DLOG_ERR);
	CHECK(d_log_setmasks("nosuch=INFO", -1) == -1 && d_log_setmasks("", -1) == -1);
	whole = d_log_getmasks(NULL, 0, 0, 0);
	CHECK(whole > 0 && d_log_getmasks(all, 0, sizeof(all), 0) == whole && all[whole - 1] == 0 && all[whole - 2] == '\n');
	CHECK(strstr(all, "mem=INFO,") != NULL && strstr(all, "misc=ERR,") != NULL);
	CHECK(d_log_getmasks(part, 2, sizeof(part), 0) == sizeof(part) && strncmp(part, all + 2, 7) == 0 && part[7] == 0);
	CHECK(d_log_allocfacility("mine", "my_facility") > 0 && d_log_setmasks("my_facility=CRIT", -1) == DLOG_ERR);

	CHECK(d_log_dbg_bit_alloc(&bit, "mybit", "my_bit") == 0 && bit != 0);
	CHECK(d_log_getdbgbit(&again, "mybit") == 0 && again == bit && d_log_getdbgbit(&again, "nobit") == -1);
	CHECK(d_log_dbg_grp_alloc(group = bit | DB_IO, "mygroup", D_LOG_SET_AS_DEFAULT) == 0 && d_dbglog_data.dd_mask == group);
	CHECK(d_log_dbg_grp_dealloc("mygroup") == 0 && d_log_dbg_grp_dealloc("mygroup") == -1);
	CHECK(d_log_dbg_bit_dealloc("mybit") == 0 && bit == 0 && d_log_dbg_bit_dealloc("mybit") == -1);
	d_log_fini();
}

static void
numbers(uint32_t *thread, uint64_t *unit)
{
	if (thread != NULL)
		*thread = 4711;
	if (unit != NULL)
		*unit = 815;
}

static void
log_files(void)
{
	const char *text;
	char        line[256];
	struct stat info;

	/* What was there goes; a file that is full makes room: the first one is kept, later ones are not. */
	write_text("sized", "old\n");
	CHECK(setenv("D_LOG_TRUNCATE", "1", 1) == 0 && setenv("D_LOG_SIZE", "1k", 1) == 0);
	CHECK(setenv("D_LOG_FILE_APPEND_RANK", "1", 1) == 0);
	CHECK(d_log_init_adv("SIZED", (char *)file("sized"), DLOG_FLV_TAG | DLOG_FLV_LOGPID, DLOG_INFO, 0, numbers) == 0);
	CHECK(stat(file("sized"), &info) == 0 && info.st_size == 0);
	memset(line, 'x', sizeof(line) - 1);
	line[sizeof(line) - 1] = 0;
	for (int i = 0; i < 3 * 4096; i++)
		D_INFO("%s\n", line);
	CHECK(stat(file("sized.first"), &info) == 0 && info.st_size > 1000000 && info.st_size <= 1 << 20);
	CHECK(stat(file("sized.old"), &info) == 0 && info.st_size <= 1 << 20);
	CHECK(strstr(text_of("sized"), "/4711/815] ") != NULL);
	d_log_rank_setup(3);
	CHECK(exists("sized.rank=3") && !exists("sized"));
	d_log_fini();
	unsetenv("D_LOG_TRUNCATE");
	unsetenv("D_LOG_SIZE");
	unsetenv("D_LOG_FILE_APPEND_RANK");

	/* Memory, byte by byte; and silence once the log is switched off. */
	CHECK(d_log_init_adv("MEMORY", (char *)file("memory"), 0, DLOG_INFO, 0, NULL) == 0);
	d_log_memory((const uint8_t *)"0123456789abcdefgh", 18);
	d_log_disable_logging();
	D_INFO("untold\n");
	d_log_fini();
	text = text_of("memory");
	CHECK(strstr(text, "size=18\n") != NULL && strstr(text, ": 30 31 32") != NULL && strstr(text, ": 67 68\n") != NULL);
	CHECK(strstr(text, "untold") == NULL && strncmp(text, "EMRG ", 5) == 0);
}

static void
faults(void)
{
	struct d_fault_attr_t *fault, set = {.fa_probability_x = 1, .fa_max_faults = 2, .fa_argument = "by hand"};
	char                  *memory;
	int                    hits = 0;

	/* Without a file there is no injection, but the program may ask about faults of its own. */
	unsetenv("D_FI_CONFIG");
	CHECK(d_fault_inject_init() == 0 && !d_fault_inject_is_enabled() && d_fault_inject_enable() == -DER_NOSYS);
	CHECK(d_fault_attr_lookup(7) == NULL && d_fault_attr_err_code(7) == -DER_INVAL);
	CHECK(d_fault_attr_set(7, set) == 0 && (fault = d_fault_attr_lookup(7)) != NULL);
	CHECK(fault->fa_argument != set.fa_argument && strcmp(fault->fa_argument, "by hand") == 0);
	CHECK(d_should_fail(fault) && d_should_fail(fault) && !d_should_fail(fault) && !D_SHOULD_FAIL(fault));
	CHECK(d_fault_inject_fini() == 0 && d_fault_attr_lookup(7) == NULL);

	write_text("faults", "seed: 12\n"
			     "fault_config:\n"
			     "- id: 0\n"
			     "  max_faults: 1\n"
			     "- id: 0x10001\n"
			     "  probability_x: '1'\n"
			     "  probability_y: \"4\"\n"
			     "  err_code: -1009\n"
			     "  argument: some text\n"
			     "- {id: 9, interval: 3}\n");
	CHECK(setenv("D_FI_CONFIG", file("faults"), 1) == 0);
	CHECK(d_fault_inject_init() == 0 && d_fault_inject_init() == 0 && d_fault_inject_is_enabled());
	D_ALLOC(memory, 8);
	CHECK(memory == NULL);
	D_ALLOC(memory, 8);
	CHECK(memory != NULL);
	D_FREE(memory);
	CHECK(d_fault_attr_err_code(65537) == -1009 && strcmp(d_fault_attr_lookup(65537)->fa_argument, "some text") == 0);
	for (int i = 0; i < 1000; i++)
		hits += D_SHOULD_FAIL(d_fault_attr_lookup(65537));
	CHECK(hits > 150 && hits < 350 && d_fault_attr_lookup(65537)->fa_num_faults == (uint64_t)hits);
	d_fault_inject_thread_default_enable(false);
	for (int i = 0; i < 100; i++)
		CHECK(!D_SHOULD_FAIL(d_fault_attr_lookup(65537)));
	d_fault_inject_thread_default_enable(true);
	fault = d_fault_attr_lookup(9);
	CHECK(!D_SHOULD_FAIL(fault) && !D_SHOULD_FAIL(fault) && D_SHOULD_FAIL(fault) && !D_SHOULD_FAIL(fault));
	d_fault_inject_thread_enable(false);
	CHECK(!D_SHOULD_FAIL(fault) && !D_SHOULD_FAIL(fault));
	d_fault_inject_thread_enable(true);
	CHECK(d_fault_inject_disable() == 0 && !D_SHOULD_FAIL(fault) && d_fault_inject_enable() == 0);
	CHECK(d_fault_inject_fini() == 0 && d_fault_inject_is_enabled());
	CHECK(d_fault_inject_fini() == 0 && !d_fault_inject_is_enabled() && d_fault_attr_mem == NULL);

	write_text("faults", "fault_config:\n- id: 1\n  probabilty_x: 2\n");
	CHECK(d_fault_inject_init() == -DER_INVAL && !d_fault_inject_is_enabled());
	write_text("faults", "fault_config:\n- id: many\n");
	CHECK(d_fault_inject_init() == -DER_INVAL);
	CHECK(setenv("D_FI_CONFIG", file("nowhere"), 1) == 0 && d_fault_inject_init() == -DER_NONEXIST);
	unsetenv("D_FI_CONFIG");
}

/* A child that fails in the given way; how it ended. */
static int
ended(void (*fail)(void))
{
	pid_t child = fork();
	int   status, out;

	CHECK(child >= 0);
	if (child == 0) {
		out = open(file("stderr"), O_CREAT | O_TRUNC | O_WRONLY, 0600);
		CHECK(out >= 0 && dup2(out, STDERR_FILENO) >= 0);
		fail();
		_exit(0);
	}
	CHECK(waitpid(child, &status, 0) == child);
	return status;
}

/* In a process of its own: what the environment asks of the log. */
static void
log_by_environment(void)
{
	char named[64];
	int  chosen, other;

	CHECK(setenv("DD_SUBSYS", "mem,chosen", 1) == 0 && setenv("DD_STDERR", "CRIT", 1) == 0);
	CHECK(setenv("D_LOG_FILE_APPEND_PID", "1", 1) == 0 && setenv("D_LOG_FILE", file("environment"), 1) == 0);
	CHECK(setenv("D_LOG_MASK", "WARN,chosen=DEBUG", 1) == 0 && setenv("DD_MASK", "io", 1) == 0);
	CHECK(d_log_init() == 0);
	CHECK((chosen = d_log_allocfacility("chosen", "chosen")) > 0 && (other = d_log_allocfacility("other", "other")) > 0);
	d_log_sync_mask();
	d_log(d_log_check(chosen | DB_IO), "io of the chosen\n");
	d_log(d_log_check(chosen | DB_NET), "untold\n");
	d_log(d_log_check(chosen | DLOG_WARN), "warning of the chosen\n");
	d_log(d_log_check(other | DLOG_WARN), "untold\n");
	d_log(d_log_check(other | DLOG_ERR), "error of the other\n");
	d_log(d_log_check(other | DLOG_CRIT), "urgent\n");
	d_log(d_log_check(other | DLOG_EMIT), "for the log only\n");
	d_log_fini();
	snprintf(named, sizeof(named), "%s.%d", file("environment"), getpid());
	CHECK(rename(named, file("environment")) == 0);

	CHECK(setenv("D_LOG_FILE_APPEND_PID", "0", 1) == 0 && setenv("D_LOG_FILE", file("merged"), 1) == 0);
	CHECK(setenv("D_LOG_STDERR_IN_LOG", "1", 1) == 0 && d_log_init() == 0);
	fprintf(stderr, "from elsewhere\n");
	d_log_fini();
}

static void
environment(void)
{
	const char *text;
	int         status = ended(log_by_environment);

	CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	text = text_of("environment");
	CHECK(strstr(text, "io of the chosen") != NULL && strstr(text, "warning of the chosen") != NULL);
	CHECK(strstr(text, "error of the other") != NULL && strstr(text, "for the log only") != NULL && strstr(text, "untold") == NULL);
	text = text_of("stderr");
	CHECK(strstr(text, "urgent") != NULL && strstr(text, "error") == NULL && strstr(text, "only") == NULL);
	CHECK(strstr(text_of("merged"), "from elsewhere") != NULL);
}

static void
abort_with_handlers(void)
{
	CHECK(d_log_init_adv("SIGNALS", (char *)file("signals"), 0, DLOG_INFO, 0, NULL) == 0);
	d_signal_stack_enable(true);
	d_signal_register();
	d_signal_register();
	abort();
}

static void
leave(int signal)
{
	_exit(42);
}

static void
trap_after_another_handler(void)
{
	signal(SIGTRAP, leave);
	setenv("DAOS_SIGNAL_REGISTER", "1", 1);
	d_signal_register();
	raise(SIGTRAP);
}

static void
abort_without_handlers(void)
{
	setenv("DAOS_SIGNAL_REGISTER", "0", 1);
	d_signal_stack_enable(true);
	d_signal_register();
	abort();
}

static void
signals(void)
{
	int status = ended(abort_with_handlers);

	CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
	CHECK(strstr(text_of("stderr"), "got signal 6; backtrace:\n") != NULL && strstr(text_of("signals"), "backtrace:\n") != NULL);
	status = ended(trap_after_another_handler);
	CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 42 && strstr(text_of("stderr"), "backtrace:\n") != NULL);
	status = ended(abort_without_handlers);
	CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT && text_of("stderr")[0] == 0);
}

static void
remove_files(void)
{
	const char *names[] = {"log", "sized", "sized.first", "sized.old", "sized.rank=3", "memory", "faults", "stderr", "signals",
			       "environment", "merged"};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		unlink(file(names[i]));
	CHECK(rmdir(directory) == 0);
}

int
main(void)
{
	uint32_t locks[] = {0, D_HASH_FT_NOLOCK, D_HASH_FT_MUTEX, D_HASH_FT_RWLOCK, D_HASH_FT_GLOCK,
			    D_HASH_FT_GLOCK | D_HASH_FT_MUTEX, D_HASH_FT_GLOCK | D_HASH_FT_RWLOCK};

	for (size_t i = 0; i < ARRAY_SIZE(locks); i++) {
		table_in_mode(locks[i]);
		table_in_mode(locks[i] | D_HASH_FT_EPHEMERAL);
		table_in_mode(locks[i] | D_HASH_FT_LRU);
	}
	too_many_references();
	eviction_order();
	handles();
	uuids();
	ranks();
	small_things();
	CHECK(mkdtemp(directory) != NULL);
	logging();
	masks();
	log_files();
	faults();
	environment();
	signals();
	remove_files();
	return 0;
}
