/*
 * Aim: libgurt does what programs rely on: hash tables in every locking mode, reference counts, eviction order, handle
 * and UUID tables, rank lists, environment, strings, error names, the logger behind the macros. Exits 0 when all holds.
 */
#include <gurt/common.h>
#include <gurt/hash.h>
#include <gurt/list.h>
#include <assert.h>

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
}

static void
logging(void)
{
	char name[] = "/tmp/gurt-log-XXXXXX";
	char line[4096];
	int  fd = mkstemp(name);
	FILE *file;

	CHECK(fd >= 0);
	CHECK(setenv("D_LOG_FILE", name, 1) == 0 && setenv("D_LOG_MASK", "INFO", 1) == 0);
	CHECK(d_log_init() == 0);
	D_INFO("told %d\n", 1);
	D_DEBUG(DB_TRACE, "untold\n");
	d_log_sync_mask_ex("DEBUG", "trace");
	D_DEBUG(DB_TRACE, "traced %s\n", "now");
	D_DEBUG(DB_IO, "untold\n");
	d_log_fini();
	D_ERROR("untold\n");

	file = fdopen(fd, "r");
	CHECK(fgets(line, sizeof(line), file) != NULL && strstr(line, "told 1") != NULL && strstr(line, "INFO") != NULL);
	CHECK(fgets(line, sizeof(line), file) != NULL && strstr(line, "traced now") != NULL);
	CHECK(fgets(line, sizeof(line), file) == NULL);
	fclose(file);
	unlink(name);
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
	eviction_order();
	handles();
	uuids();
	ranks();
	small_things();
	logging();
	return 0;
}
