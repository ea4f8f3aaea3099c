/*
 * Aim: the functions of libgurt and libdaos_common take NULLs, empty arrays and numbers that make no sense without a crash,
 * and answer as their headers say. Exits 0 when all holds.
 */
#include <daos.h>
#include <daos/common.h>
#include <daos/debug.h>
#include <daos/dtx.h>
#include <gurt/common.h>
#include <gurt/hash.h>

#define CHECK(cond) \
	do { \
		if (!(cond)) { \
			fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #cond); \
			exit(1); \
		} \
	} while (0)

/* Not constants to the compiler, which would warn. */
static void *volatile null;
static const char *volatile no_format;
static volatile size_t      too_many = SIZE_MAX;

static void
environment(void)
{
	char     text[4], *copy = text;
	bool     yes;
	unsigned number;
	uint32_t number32;
	uint64_t number64;

	CHECK(!d_isenv_def(null) && d_agetenv_str(NULL, "PATH") == -DER_INVAL);
	CHECK(d_agetenv_str(&copy, NULL) == -DER_INVAL && copy == NULL);
	d_freeenv_str(NULL);
	d_freeenv_str(&copy);
	CHECK(d_getenv_str(NULL, 4, "PATH") == -DER_INVAL && d_getenv_str(text, 0, "PATH") == -DER_INVAL);
	CHECK(d_getenv_str(text, 4, NULL) == -DER_INVAL);
	CHECK(d_setenv("NULLS", "much too long", 1) == 0 && d_getenv_str(text, 4, "NULLS") == -DER_TRUNC && strcmp(text, "muc") == 0);
	CHECK(d_getenv_bool(NULL, &yes) == -DER_INVAL && d_getenv_bool("NULLS", NULL) == -DER_INVAL);
	CHECK(d_getenv_char(NULL, text) == -DER_INVAL && d_getenv_char("NULLS", NULL) == -DER_INVAL);
	CHECK(d_getenv_char("NULLS", text) == -DER_INVAL);
	CHECK(d_getenv_uint(NULL, &number) == -DER_INVAL && d_getenv_uint("NULLS", NULL) == -DER_INVAL);
	CHECK(d_getenv_uint32_t(NULL, &number32) == -DER_INVAL && d_getenv_uint32_t("NULLS", NULL) == -DER_INVAL);
	CHECK(d_getenv_uint64_t(NULL, &number64) == -DER_INVAL && d_getenv_uint64_t("NULLS", NULL) == -DER_INVAL);
	CHECK(d_setenv("NULLS", "4294967296", 1) == 0 && d_getenv_uint("NULLS", &number) == -DER_INVAL);
	CHECK(d_setenv("NULLS", "99999999999999999999", 1) == 0 && d_getenv_uint64_t("NULLS", &number64) == -DER_INVAL);
	CHECK(d_setenv("NULLS", "", 1) == 0 && d_getenv_uint64_t("NULLS", &number64) == -DER_INVAL);
	CHECK(d_setenv(null, "x", 1) == -1 && d_setenv("NULLS", null, 1) == -1 && d_setenv("", "x", 1) == -1);
	CHECK(d_putenv(null) != 0 && d_unsetenv(null) == -1 && d_unsetenv("A=B") == -1);
}

static void
memory(void)
{
	struct d_string_buffer_t buffer = {0};
	struct d_vec_pointers    vector;
	char                    *text   = NULL;
	int                      rc;

	d_free(NULL);
	CHECK(d_strndup(null, 3) == NULL && d_realpath(null, NULL) == NULL && d_aligned_alloc(3, 64, true) == NULL);
	CHECK(d_aligned_alloc(64, too_many, false) == NULL);
	CHECK(d_asprintf(null, "x") == -1 && d_asprintf(&text, no_format) == -1 && text == NULL);
	CHECK(d_asprintf2(&rc, no_format) == NULL && rc == -1);
	text = d_asprintf2(NULL, "y");
	CHECK(text != NULL);
	d_free(text);
	CHECK(d_write_string_buffer(NULL, "x") == -DER_NO_PERM && d_write_string_buffer(&buffer, no_format) == -DER_INVAL);
	d_free_string(NULL);
	d_free_string(&buffer);
	CHECK(d_vec_pointers_init(NULL, 1) == -DER_INVAL && d_vec_pointers_append(NULL, &vector) == -DER_INVAL);
	d_vec_pointers_fini(NULL);
	CHECK(d_vec_pointers_init(&vector, 0) == 0 && d_vec_pointers_append(&vector, NULL) == 0 && vector.p_len == 1);
	d_vec_pointers_fini(&vector);
	d_set_alloc_track_cb(NULL, NULL, NULL);
}

static void
ranks(void)
{
	d_rank_list_t        empty = {0}, *list = &empty;
	d_rank_range_list_t *ranges;
	char                *text = (char *)"";
	uint32_t            *ints, at;
	size_t               count;

	CHECK(d_rank_list_dup(NULL, &empty) == -DER_INVAL && d_rank_list_dup(&list, NULL) == 0 && list == NULL);
	CHECK(d_rank_list_dup_sort_uniq(NULL, &empty) == -DER_INVAL && d_rank_list_dup_sort_uniq(&list, NULL) == 0 && list == NULL);
	CHECK(d_rank_list_copy(NULL, &empty) == -DER_INVAL && d_rank_list_copy(&empty, NULL) == -DER_INVAL);
	d_rank_list_filter(NULL, &empty, true);
	d_rank_list_filter(&empty, NULL, true);
	d_rank_list_shuffle(NULL);
	d_rank_list_sort(NULL);
	d_rank_list_free(NULL);
	d_rank_list_del_at(NULL, 0);
	d_rank_list_del_at(&empty, -1);
	d_rank_list_del_at(&empty, 0);
	CHECK(d_rank_list_merge(NULL, &empty) == -DER_INVAL && d_rank_list_merge(&empty, NULL) == 0);
	CHECK(d_rank_list_del(NULL, 1) == -DER_INVAL && d_rank_list_del(&empty, 1) == 0);
	CHECK(d_rank_list_append(NULL, 1) == -DER_INVAL && d_rank_list_resize(NULL, 1) == -DER_INVAL);
	CHECK(!d_rank_in_rank_list(NULL, 1) && !d_rank_list_find(NULL, 1, NULL) && !d_rank_list_bsearch(NULL, 1, NULL));
	CHECK(d_idx_in_rank_list(NULL, 1, &at) == -DER_INVAL && d_idx_in_rank_list(&empty, 1, NULL) == -DER_INVAL);
	CHECK(d_idx_in_rank_list(&empty, 1, &at) == -DER_NONEXIST);
	CHECK(d_rank_list_identical(NULL, NULL) && !d_rank_list_identical(&empty, NULL));
	CHECK(d_rank_list_dump(NULL, (char *)"x", 1) == -DER_INVAL && d_rank_list_dump(&empty, NULL, 1) == -DER_INVAL);
	CHECK(d_rank_list_dump(&empty, (char *)"too long", 3) == -DER_INVAL);
	CHECK(d_rank_list_to_str(&empty, NULL) == -DER_INVAL && d_rank_list_to_str(NULL, &text) == 0 && text == NULL);
	CHECK(d_rank_range_list_str(NULL, &text) == -DER_INVAL);
	d_rank_range_list_free(NULL);
	ranges = d_rank_range_list_create_from_ranks(NULL);
	CHECK(ranges != NULL && ranges->rrl_nr == 0 && d_rank_range_list_str(ranges, NULL) == -DER_INVAL);
	CHECK(d_rank_range_list_realloc(ranges, 0) == NULL);
	CHECK(rank_list_to_uint32_array(NULL, &ints, &count) == -DER_INVAL);
	CHECK(rank_list_to_uint32_array(&empty, NULL, &count) == -DER_INVAL && rank_list_to_uint32_array(&empty, &ints, NULL) == -DER_INVAL);
	list = uint32_array_to_rank_list(NULL, 5);
	CHECK(list != NULL && list->rl_nr == 0);
	d_rank_list_free(list);
	CHECK(daos_rank_list_parse(NULL, ":") == NULL && daos_rank_list_parse("1", NULL) == NULL && daos_rank_list_parse("x", ":") == NULL);
}

static void
numbers(void)
{
	struct d_backoff_seq sequence;
	struct timespec      ts = {0};
	time_t               seconds;

	CHECK(d_backoff_seq_init(NULL, 0, 1, 1, 1) == -DER_INVAL && d_backoff_seq_init(&sequence, 0, 0, 1, 1) == -DER_INVAL);
	CHECK(d_backoff_seq_init(&sequence, 0, 1, 2, 1) == -DER_INVAL && d_backoff_seq_next(NULL) == 0);
	d_backoff_seq_fini(NULL);
	CHECK(d_hash_string_u32(null, 3) == 5381 && d_hash_murmur64(null, 8, 0) == d_hash_murmur64((unsigned char *)"", 0, 0));
	CHECK(d_hash_srch_u64(NULL, 5, 1) == 0 && d_hash_jump(1, 0) == UINT32_MAX && d_stand_div(NULL, 3) == 0);
	CHECK(d_hlc2timespec(1, NULL) == -DER_INVAL && d_timespec2hlc(ts, NULL) == -DER_INVAL && d_unixnsec2hlc(1) == 0);
	CHECK(d_unixnsec2hlc(UINT64_MAX) == 0 && d_hlc_get_msg(0, NULL, NULL) == 0);
	CHECK(daos_hlc2timespec(1, NULL) == -DER_INVAL && daos_hlc2timestamp(1, NULL) == -DER_INVAL && daos_hlc2timestamp(0, &seconds) == 0);
	daos_dti_gen(NULL, false);
	daos_dti_gen(NULL, true);
	daos_dti_gen_unique(NULL);
	daos_get_client_uuid(NULL);
}

static void
tables(void)
{
	struct d_hash_table  zeroed = {0}, *table = &zeroed;
	d_hash_table_ops_t   none = {0};
	struct d_hhash      *handles;
	struct d_uuid        uuid = {{0}};
	struct d_ulink       ulink = {0};
	struct d_hlink       hlink = {0};
	d_list_t             link = {&link, &link};
	uint64_t             key = 17;

	CHECK(d_hash_table_create(0, 4, NULL, &none, NULL) == -DER_INVAL && d_hash_table_create(0, 4, NULL, NULL, &table) == -DER_INVAL);
	CHECK(table == NULL && d_hash_table_create(0, 4, NULL, &none, &table) == -DER_INVAL);
	CHECK(d_hash_table_create_inplace(0, 4, NULL, &none, NULL) == -DER_INVAL);
	for (table = NULL;; table = &zeroed) {
		CHECK(d_hash_table_traverse(table, NULL, NULL) == -DER_UNINIT && d_hash_table_destroy_inplace(table, true) == -DER_UNINIT);
		CHECK(d_hash_table_destroy(table, true) == -DER_UNINIT && d_hash_rec_first(table) == NULL);
		CHECK(d_hash_rec_find(table, &key, 8) == NULL && d_hash_rec_find_insert(table, &key, 8, &link) == NULL);
		CHECK(d_hash_rec_insert(table, &key, 8, &link, true) == -DER_UNINIT);
		CHECK(d_hash_rec_insert_anonym(table, &link, NULL) == -DER_UNINIT && d_hash_rec_ndecref(table, 1, &link) == -DER_UNINIT);
		CHECK(!d_hash_rec_delete(table, &key, 8) && !d_hash_rec_delete_at(table, &link));
		CHECK(!d_hash_rec_evict(table, &key, 8) && !d_hash_rec_evict_at(table, &link));
		d_hash_rec_addref(table, &link);
		d_hash_rec_decref(table, &link);
		d_hash_table_debug(table);
		CHECK(d_uhash_link_insert(table, &uuid, NULL, &ulink) == -DER_UNINIT && d_uhash_link_lookup(table, &uuid, NULL) == NULL);
		d_uhash_link_addref(table, &ulink);
		d_uhash_link_putref(table, &ulink);
		d_uhash_link_delete(table, &ulink);
		if (table == &zeroed)
			break;
	}
	d_uhash_destroy(NULL);
	CHECK(d_hash_rec_unlinked(NULL) && d_uhash_create(0, 4, NULL) == -DER_INVAL && d_uhash_create(0, 31, &table) == -DER_INVAL);
	CHECK(d_uhash_create(0, 4, &table) == 0 && d_uhash_link_insert(table, NULL, NULL, &ulink) == -DER_INVAL);
	CHECK(d_uhash_link_insert(table, &uuid, NULL, NULL) == -DER_INVAL && d_uhash_link_lookup(table, NULL, NULL) == NULL);
	d_uhash_link_addref(table, NULL);
	d_uhash_link_putref(table, NULL);
	d_uhash_link_delete(table, NULL);
	d_uhash_destroy(table);
	d_uhash_ulink_init(NULL, NULL);
	CHECK(d_uhash_link_empty(NULL) && d_uhash_link_empty(&ulink) && !d_uhash_link_last_ref(NULL));

	CHECK(d_hhash_create(0, 4, NULL) == -DER_INVAL && d_hhash_create(0, 40, &handles) == -DER_INVAL && handles == NULL);
	d_hhash_destroy(NULL);
	d_hhash_hlink_init(NULL, NULL);
	d_hhash_link_insert(NULL, &hlink, 1);
	d_hhash_link_getref(NULL, &hlink);
	d_hhash_link_putref(NULL, &hlink);
	d_hhash_link_key(NULL, &key);
	d_hhash_link_key(&hlink, NULL);
	CHECK(!d_hhash_is_ptrtype(NULL) && d_hhash_set_ptrtype(NULL) == -DER_INVAL && d_hhash_link_lookup(NULL, 17) == NULL);
	CHECK(!d_hhash_link_delete(NULL, &hlink) && d_hhash_link_empty(NULL) && d_hhash_traverse(NULL, 1, NULL, NULL) == -DER_UNINIT);
	CHECK(d_hhash_create(0, 4, &handles) == 0 && d_hhash_link_lookup(handles, 0) == NULL && d_hhash_link_lookup(handles, UINT64_MAX) == NULL);
	CHECK(!d_hhash_link_delete(handles, NULL) && d_hhash_traverse(handles, 1, NULL, NULL) == -DER_INVAL);
	d_hhash_link_insert(handles, NULL, 1);
	d_hhash_link_getref(handles, NULL);
	d_hhash_link_putref(handles, NULL);
	d_hhash_destroy(handles);

	/* The process's table before it is there. */
	daos_hhash_link_insert(&hlink, 1);
	daos_hhash_link_getref(&hlink);
	daos_hhash_link_putref(&hlink);
	CHECK(daos_hhash_link_lookup(17) == NULL && !daos_hhash_link_delete(&hlink) && daos_hhash_fini() == -DER_UNINIT);
	CHECK(daos_hhash_traverse(1, NULL, NULL) == -DER_UNINIT);
}

static void
logging(void)
{
	d_dbug_t bit;
	va_list  no_arguments;

	memset(&no_arguments, 0, sizeof(no_arguments));
	d_vlog(0, "x", no_arguments);
	d_vlog(DLOG_ERR, no_format, no_arguments);
	CHECK(d_log_open(NULL, 0, DLOG_WARN, 0, NULL, 0, NULL) == -1 && d_log_open((char *)"", 0, DLOG_WARN, 0, NULL, 0, NULL) == -1);
	CHECK(d_log_open((char *)"x", -1, DLOG_WARN, 0, NULL, 0, NULL) == -1 && d_log_open((char *)"x", 0, 1, 0, NULL, 0, NULL) == -1);
	CHECK(d_log_init_adv(NULL, NULL, 0, DLOG_WARN, 0, NULL) == -DER_UNINIT);
	CHECK(d_log_init_adv((char *)"x", (char *)"/no/such/folder", 0, DLOG_WARN, 0, NULL) == -DER_UNINIT);
	d_log_fini();
	d_log_close();
	d_log_sync();
	d_log_reset();
	d_log_rank_setup(1);
	d_log_add_cache(NULL, 3);
	d_log_add_cache((int[1]){0}, -1);
	d_log_memory(NULL, 5);
	d_log_sync_mask_ex(NULL, NULL);
	CHECK(d_log_setmasks(NULL, -1) == -1 && d_log_setmasks("ERR", -1) == -1 && d_log_setlogmask(-1, DLOG_ERR) == -1);
	CHECK(d_log_setlogmask(100000, DLOG_ERR) == -1 && d_log_getmasks(NULL, -1, -1, 1) == 0);
	CHECK(d_log_dbg_bit_alloc(NULL, (char *)"x", NULL) == -1 && d_log_dbg_bit_alloc(&bit, NULL, NULL) == -1);
	CHECK(d_log_dbg_bit_dealloc(NULL) == -1 && d_log_dbg_grp_alloc(1, NULL, 0) == -1 && d_log_dbg_grp_alloc(0, (char *)"x", 0) == -1);
	CHECK(d_log_dbg_grp_dealloc(NULL) == -1 && d_log_getdbgbit(NULL, (char *)"all") == 0 && d_log_getdbgbit(&bit, NULL) == 0);
	CHECK(d_register_alt_assert(NULL) == -DER_INVAL);
	daos_debug_fini();
	daos_debug_set_id_cb(NULL);
	CHECK(daos_debug_init((char *)"/no/such/folder") == -DER_UNINIT);
}

static void
vectors(void)
{
	d_iov_t             iov = {0};
	d_sg_list_t         sgl = {0};
	struct daos_sgl_idx index = {0};
	uint8_t            *at = (uint8_t *)"";
	size_t              length = 1;
	uint64_t            used = 0;
	int                 bits = 3;

	CHECK(daos_iov_alloc(NULL, 1, true) == -DER_INVAL && daos_iov_alloc(&iov, 0, true) == -DER_INVAL);
	CHECK(daos_iov_copy(&iov, NULL) == 0 && daos_iov_copy(NULL, &iov) == 0 && !daos_iov_cmp(NULL, &iov) && !daos_iov_cmp(&iov, NULL));
	daos_iov_free(NULL);
	daos_iov_free(&iov);
	daos_iov_append(NULL, "x", 1);
	daos_iov_append(&iov, "x", 1);
	CHECK(iov.iov_len == 0);
	daos_recx_free(NULL);
	CHECK(daos_sgl_copy_data(NULL, &sgl) == -DER_INVAL && daos_sgl_copy_data(&sgl, NULL) == -DER_INVAL);
	CHECK(daos_sgl_copy_data_out(&sgl, NULL) == -DER_INVAL && daos_sgl_alloc_copy_data(NULL, &sgl) == -DER_INVAL);
	CHECK(daos_sgls_copy_ptr(&sgl, 0, &sgl, 1) == -DER_INVAL && daos_sgls_copy_all(NULL, 1, NULL, 1) == -DER_INVAL);
	CHECK(daos_sgls_copy_data_out(NULL, 1, &sgl, 1) == -DER_INVAL && daos_sgls_alloc(NULL, &sgl, 1) == -DER_INVAL);
	CHECK(daos_sgls_alloc(&sgl, &sgl, -1) == -DER_INVAL && daos_sgl_merge(NULL, &sgl) == -DER_INVAL && daos_sgl_merge(&sgl, NULL) == -DER_INVAL);
	CHECK(daos_sgl_buf_extend(NULL, 0, 1) == 0 && daos_sgl_buf_size(NULL) == 0 && daos_sgl_data_len(NULL, true) == 0);
	CHECK(daos_sgls_buf_size(NULL, 3) == 0 && daos_sgls_packed_size(NULL, 3, NULL) == 0);
	CHECK(daos_sgl_get_bytes(NULL, true, &index, 1, &at, &length) && at == NULL && length == 0);
	CHECK(daos_sgl_get_bytes(&sgl, true, NULL, 1, NULL, NULL) && daos_sgl_get_bytes(&sgl, true, &index, 1, NULL, NULL));
	CHECK(daos_sgl_processor(&sgl, true, NULL, 1, NULL, NULL) == -DER_INVAL && daos_sgl_processor(&sgl, true, &index, 1, NULL, NULL) == 0);

	CHECK(daos_array_sort(NULL, 0, true, NULL) == -DER_INVAL && daos_array_find(NULL, 0, 1, NULL) == -1);
	CHECK(daos_array_find_le(NULL, 0, 1, NULL) == -1 && daos_array_find_ge(NULL, 0, 1, NULL) == -1);
	daos_array_shuffle(NULL, 3, NULL);
	CHECK(daos_count_free_bits(NULL, 3) == 0 && daos_count_free_bits(&used, -1) == 0);
	CHECK(daos_find_bits(NULL, NULL, 1, 1, &bits) == -1 && daos_find_bits(&used, NULL, 1, 1, NULL) == -1);
	CHECK(daos_find_bits(&used, NULL, 1, 0, &bits) == -1 && bits == 3 && daos_find_bits(&used, NULL, 1, 1, &bits) == 0);
}

static void
texts_and_faults(void)
{
	daos_key_t             empty = {0};
	struct daos_prop_entry entry = {0};
	daos_prop_t            prop  = {0};

	CHECK(strcmp(DP_UUID(NULL), "?") == 0 && strcmp(daos_key2str(NULL), "<NULL>") == 0 && strcmp(daos_key2str(&empty), "<NULL>") == 0);
	CHECK(strcmp(daos_de2str(NULL), "<NULL>") == 0 && strcmp(daos_path2str("a\nb"), "????") == 0);
	CHECK(daos_str_trimwhite(NULL) == NULL && daos_str_trimwhite((char[]){" \t "}) == NULL && !daos_file_is_dax(NULL));
	CHECK(daos_prop_dup(NULL, true, true) == NULL && !daos_prop_valid(NULL, true, true) && daos_prop_copy(NULL, &prop) == -DER_INVAL);
	CHECK(daos_prop_copy(&prop, NULL) == -DER_PROTO && daos_prop_entry_copy(NULL, &entry) == -DER_INVAL);
	CHECK(daos_prop_entry_copy(&entry, NULL) == -DER_INVAL);
	CHECK(daos_shard_fail_value(NULL, 1) == 0 && daos_shard_fail_value((uint16_t[5]){0}, 5) == 0);
	daos_fail_loc_set(DAOS_FAIL_GROUP_MASK | DAOS_FAIL_ALWAYS);
	CHECK(!daos_fail_check(DAOS_FAIL_GROUP_MASK) && !daos_fail_check(0));
	CHECK(!d_should_fail(NULL) && d_fault_attr_lookup(12345) == NULL && d_fault_attr_err_code(12345) == -DER_INVAL);
	CHECK(d_fault_inject_fini() == 0 && strcmp(d_errstr(12345), "DER_UNKNOWN") == 0 && d_errdesc(-12345) != NULL);
}

int
main(void)
{
	environment();
	memory();
	ranks();
	numbers();
	tables();
	logging();
	vectors();
	texts_and_faults();
	return 0;
}
