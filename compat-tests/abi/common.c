/*
 * Aim: libdaos_common does what programs rely on: properties and their validation, access control lists built entry by
 * entry and from text, principals, scatter-gather lists, arrays, handles, log facilities. Exits 0 when all holds.
 */
#include <daos.h>
#include <daos_security.h>
#include <daos/common.h>
#include <daos/profile.h>

#define CHECK(cond) \
	do { \
		if (!(cond)) { \
			fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #cond); \
			exit(1); \
		} \
	} while (0)

static void
properties(void)
{
	const char   text[] = "label:my_cont;cksum:crc32;rd_fac:1";
	daos_prop_t *prop, *copy, *merged;
	d_rank_t     ranks[] = {1, 2};

	CHECK(daos_prop_from_str(text, sizeof(text), &prop) == 0 && prop->dpp_nr == 3);
	CHECK(daos_prop_valid(prop, false, true) && !daos_prop_valid(prop, true, true));
	CHECK(strcmp(daos_prop_entry_get(prop, DAOS_PROP_CO_LABEL)->dpe_str, "my_cont") == 0);
	CHECK(daos_prop_entry_get(prop, DAOS_PROP_CO_CSUM)->dpe_val == DAOS_PROP_CO_CSUM_CRC32);
	CHECK(daos_prop_set_str(prop, DAOS_PROP_CO_LABEL, "other", 5) == 0);
	CHECK(daos_prop_set_str(prop, DAOS_PROP_CO_OWNER, "x@", 2) == -DER_NONEXIST);
	copy = daos_prop_dup(prop, false, true);
	CHECK(copy != NULL && strcmp(daos_prop_entry_get(copy, DAOS_PROP_CO_LABEL)->dpe_str, "other") == 0);
	CHECK(daos_prop_set_str(copy, DAOS_PROP_CO_LABEL, "not a label", 11) == 0 && !daos_prop_valid(copy, false, true));
	CHECK(daos_prop_valid(copy, false, false));
	daos_prop_free(copy);

	copy = daos_prop_alloc(2);
	copy->dpp_entries[0].dpe_type = DAOS_PROP_PO_SVC_LIST;
	copy->dpp_entries[0].dpe_val_ptr = d_rank_list_alloc(0);
	copy->dpp_entries[1].dpe_type = DAOS_PROP_PO_SPACE_RB;
	copy->dpp_entries[1].dpe_val  = 101;
	CHECK(!daos_prop_valid(copy, true, true));
	copy->dpp_entries[1].dpe_val = 5;
	CHECK(daos_prop_valid(copy, true, true));
	((d_rank_list_t *)copy->dpp_entries[0].dpe_val_ptr)->rl_ranks = memcpy(malloc(sizeof(ranks)), ranks, sizeof(ranks));
	((d_rank_list_t *)copy->dpp_entries[0].dpe_val_ptr)->rl_nr = 2;
	merged = daos_prop_merge(prop, copy);
	CHECK(merged != NULL && merged->dpp_nr == 5);
	CHECK(((d_rank_list_t *)daos_prop_entry_get(merged, DAOS_PROP_PO_SVC_LIST)->dpe_val_ptr)->rl_ranks[1] == 2);
	daos_prop_free(merged);
	daos_prop_free(copy);
	daos_prop_free(prop);
	CHECK(daos_prop_from_str("nonsense", 8, &prop) == -DER_INVAL);
	CHECK(daos_prop_from_str("nosuch:1", 8, &prop) == -DER_INVAL);
}

static void
access_lists(void)
{
	const char       *texts[] = {"A::EVERYONE@:r", "A:G:staff@:rw", "A::OWNER@:rw", "A::alice@:r"};
	struct daos_acl  *acl, *copy;
	struct daos_ace  *ace;
	char            **strings;
	size_t            count;
	char              line[DAOS_ACL_MAX_ACE_STR_LEN];
	uid_t             uid;
	char             *name;
	enum daos_acl_principal_type type;

	CHECK(daos_acl_from_strs(texts, 4, &acl) == 0 && daos_acl_validate(acl) == 0);
	CHECK(daos_acl_to_strs(acl, &strings, &count) == 0 && count == 4);
	CHECK(strcmp(strings[0], "A::OWNER@:rw") == 0 && strcmp(strings[3], "A::EVERYONE@:r") == 0);
	for (size_t i = 0; i < count; i++)
		free(strings[i]);
	free(strings);

	ace = daos_ace_create(DAOS_ACL_USER, "bob@");
	CHECK(ace != NULL && !daos_ace_is_valid(ace) && daos_ace_get_size(ace) == 40);
	ace->dae_access_types = DAOS_ACL_ACCESS_ALLOW;
	ace->dae_allow_perms  = DAOS_ACL_PERM_READ | DAOS_ACL_PERM_WRITE;
	CHECK(daos_ace_is_valid(ace) && daos_ace_to_str(ace, line, sizeof(line)) == 0 && strcmp(line, "A::bob@:rw") == 0);
	CHECK(daos_ace_to_str(ace, line, 5) == -DER_TRUNC);
	CHECK(daos_ace_str_get_verbose("A::bob@:rw", line, sizeof(line)) == 0 && strcmp(line, "Allow::bob@:Read/Write") == 0);
	CHECK(daos_acl_add_ace(&acl, ace) == 0 && daos_acl_validate(acl) == 0);
	daos_ace_free(ace);
	CHECK(daos_acl_get_ace_for_principal(acl, DAOS_ACL_USER, "bob@", &ace) == 0 && ace->dae_allow_perms == 3);
	copy = daos_acl_dup(acl);
	CHECK(daos_acl_get_size(copy) == daos_acl_get_size(acl) && memcmp(copy, acl, daos_acl_get_size(acl)) == 0);
	CHECK(daos_acl_remove_ace(&acl, DAOS_ACL_USER, "bob@") == 0);
	CHECK(daos_acl_remove_ace(&acl, DAOS_ACL_USER, "bob@") == -DER_NONEXIST);
	count = 0;
	for (ace = daos_acl_get_next_ace(acl, NULL); ace != NULL; ace = daos_acl_get_next_ace(acl, ace))
		count++;
	CHECK(count == 4);
	daos_acl_free(copy);
	daos_acl_free(acl);
	acl = daos_acl_create(NULL, 0);
	CHECK(acl != NULL && acl->dal_len == 0 && daos_acl_get_next_ace(acl, NULL) == NULL);
	daos_acl_free(acl);

	CHECK(daos_acl_principal_to_uid("root@", &uid) == 0 && uid == 0);
	CHECK(daos_acl_principal_to_uid("no-such-user@", &uid) == -DER_NONEXIST);
	CHECK(daos_acl_uid_to_principal(0, &name) == 0 && strcmp(name, "root@") == 0);
	free(name);
	CHECK(daos_acl_principal_from_str("g:staff@", &type, &name) == 0 && type == DAOS_ACL_GROUP);
	free(name);
}

static int
append(uint8_t *buf, size_t len, void *out)
{
	strncat(out, (char *)buf, len);
	return 0;
}

static void
lists(void)
{
	char                first[4] = "abc", second[8] = "defghij", text[32] = "";
	d_iov_t             iovs[2];
	d_sg_list_t         sgl = {.sg_nr = 2, .sg_nr_out = 2, .sg_iovs = iovs}, copy = {0};
	struct daos_sgl_idx at  = {0};

	d_iov_set(&iovs[0], first, 3);
	d_iov_set(&iovs[1], second, 7);
	CHECK(daos_sgl_data_len(&sgl, false) == 10 && daos_sgl_buf_size(&sgl) == 10);
	CHECK(daos_sgl_processor(&sgl, true, &at, 5, append, text) == 0 && strcmp(text, "abcde") == 0);
	CHECK(at.iov_idx == 1 && at.iov_offset == 2);
	CHECK(daos_sgl_alloc_copy_data(&copy, &sgl) == 0 && copy.sg_iovs[1].iov_buf != second);
	CHECK(daos_iov_cmp(&copy.sg_iovs[1], &iovs[1]) && !daos_iov_cmp(&copy.sg_iovs[0], &iovs[1]));
	CHECK(daos_sgl_merge(&copy, &sgl) == 0 && copy.sg_nr == 4 && daos_sgl_data_len(&copy, false) == 20);
	CHECK(daos_sgl_buf_extend(&copy, 0, 100) == 0 && copy.sg_iovs[0].iov_buf_len == 100);
	d_sgl_fini(&copy, true);
}

static void
int_swap(void *array, int a, int b)
{
	int *ints = array, kept = ints[a];

	ints[a] = ints[b];
	ints[b] = kept;
}

static int
int_cmp(void *array, int a, int b)
{
	int *ints = array;

	return (ints[a] > ints[b]) - (ints[a] < ints[b]);
}

static int
int_cmp_key(void *array, int i, uint64_t key)
{
	int *ints = array;

	return (ints[i] > (int)key) - (ints[i] < (int)key);
}

static void
small_things(void)
{
	daos_sort_ops_t ops     = {int_swap, int_cmp, int_cmp_key};
	int             ints[]  = {9, 2, 7, 4, 11, 0, 5};
	uint64_t        used[1] = {0xff}, none[1] = {0};
	int             bits = 4;
	char            blank[] = "  two words \n";
	uuid_t          uuid;
	daos_key_t      key;
	struct timespec ts;
	struct dtx_id   one, two;
	d_rank_list_t  *ranks;

	CHECK(daos_array_sort(ints, 7, true, &ops) == 0 && ints[0] == 0 && ints[6] == 11);
	CHECK(daos_array_find(ints, 7, 7, &ops) == 4 && daos_array_find(ints, 7, 6, &ops) == -1);
	CHECK(daos_array_find_le(ints, 7, 6, &ops) == 3 && daos_array_find_ge(ints, 7, 6, &ops) == 4);
	CHECK(daos_count_free_bits(used, 1) == 56 && daos_find_bits(used, none, 1, 1, &bits) == 8 && bits == 4);
	CHECK(strcmp(daos_str_trimwhite(blank), "two words") == 0);
	uuid_parse("01234567-89ab-cdef-0123-456789abcdef", uuid);
	CHECK(strcmp(DP_UUID(uuid), "01234567-89ab-cdef-0123-456789abcdef") == 0);
	d_iov_set(&key, "dkey", 4);
	CHECK(strcmp(daos_key2str(&key), "dkey") == 0);
	CHECK(daos_hlc2timespec(0, &ts) == 0 && ts.tv_sec == 1609459200);
	daos_dti_gen(&one, false);
	daos_dti_gen(&two, false);
	CHECK(memcmp(one.dti_uuid, two.dti_uuid, sizeof(uuid_t)) == 0 && two.dti_hlc > one.dti_hlc);
	ranks = daos_rank_list_parse("3:1:2", ":");
	CHECK(ranks != NULL && ranks->rl_nr == 3 && ranks->rl_ranks[0] == 3);
	d_rank_list_free(ranks);
	CHECK(daos_rank_list_parse("", ":") == NULL);

	daos_fail_loc_set(0x42 | DAOS_FAIL_ONCE);
	CHECK(DAOS_FAIL_CHECK(0x42) && !DAOS_FAIL_CHECK(0x42));
	daos_fail_num_set(2);
	daos_fail_loc_set(DAOS_DTX_FAIL_IO | DAOS_FAIL_SOME);
	CHECK(!DAOS_FAIL_CHECK(DAOS_DTX_RESTART) && DAOS_FAIL_CHECK(DAOS_DTX_FAIL_IO) && DAOS_FAIL_CHECK(DAOS_DTX_FAIL_IO));
	CHECK(!DAOS_FAIL_CHECK(DAOS_DTX_FAIL_IO));
	daos_fail_loc_set(DAOS_DTX_FAIL_IO | DAOS_FAIL_ALWAYS);
	for (int i = 0; i < 10; i++)
		CHECK(DAOS_FAIL_CHECK(DAOS_DTX_FAIL_IO));
	daos_fail_loc_reset();
	CHECK(!DAOS_FAIL_CHECK(DAOS_DTX_FAIL_IO));
}

/* Faults of a configuration file decide before those of the program. */
static void
configured_faults(void)
{
	char name[] = "/tmp/daos-faults-XXXXXX";
	int  fd     = mkstemp(name);

	CHECK(fd >= 0 && dprintf(fd, "fault_config:\n- id: %d\n  max_faults: 1\n", DAOS_DTX_RESTART) > 0 && close(fd) == 0);
	CHECK(setenv("D_FI_CONFIG", name, 1) == 0 && daos_fail_init() == 0);
	CHECK(DAOS_FAIL_CHECK(DAOS_DTX_RESTART) && !DAOS_FAIL_CHECK(DAOS_DTX_RESTART) && !DAOS_FAIL_CHECK(DAOS_DTX_FAIL_IO));
	daos_fail_fini();
	CHECK(!d_fault_inject_is_enabled());
	unsetenv("D_FI_CONFIG");
	unlink(name);
}

static void
rpc_options(void)
{
	crt_init_options_t *options = daos_crt_init_opt_get(true, 3);

	CHECK(options != NULL && options->cio_use_sensors && options->cio_ctx_max_num == 3 && options->cio_provider == NULL);
	CHECK(options->cio_use_expected_size && options->cio_max_expected_size == DAOS_RPC_SIZE);
	CHECK(setenv("DAOS_RPC_SIZE_LIMIT", "4096", 1) == 0);
	options = daos_crt_init_opt_get(false, 1);
	CHECK(!options->cio_use_sensors && options->cio_ctx_max_num == 1 && options->cio_max_unexpected_size == 4096);
	unsetenv("DAOS_RPC_SIZE_LIMIT");
}

/* What a copy that fails has made is gone; what it has not touched stays. */
static void
failed_copies(void)
{
	d_iov_t     iov     = {.iov_buf = "data", .iov_buf_len = 2, .iov_len = 4}, copy;
	d_sg_list_t from[2] = {{0}, {.sg_nr = 1, .sg_iovs = &iov}};
	d_sg_list_t to[2]   = {{.sg_nr = 77, .sg_iovs = (d_iov_t *)1}, {0}};

	CHECK(daos_sgls_copy_all(to, 2, from, 2) == -DER_INVAL && to[0].sg_nr == 77 && to[1].sg_iovs == NULL);
	CHECK(daos_iov_copy(&copy, &iov) == -DER_INVAL && daos_sgls_copy_all(NULL, 1, from + 1, 1) == -DER_INVAL);
}

static void
handles(void)
{
	struct d_hlink link = {0};
	uint64_t       key;

	CHECK(daos_hhash_init() == 0 && daos_hhash_init() == 0);
	daos_hhash_hlink_init(&link, NULL);
	daos_hhash_link_insert(&link, DAOS_HTYPE_POOL);
	daos_hhash_link_key(&link, &key);
	CHECK(daos_hhash_link_lookup(key) == &link);
	daos_hhash_link_putref(&link);
	CHECK(daos_hhash_link_delete(&link));
	CHECK(daos_hhash_fini() == 0 && daos_hhash_fini() == 0 && daos_hhash_fini() == -DER_UNINIT);
}

static void
logging(void)
{
	char  name[] = "/tmp/daos-log-XXXXXX";
	char  line[4096];
	int   fd = mkstemp(name);
	FILE *file;

	CHECK(fd >= 0);
	unsetenv("D_LOG_FILE");
	unsetenv("D_LOG_MASK");
	CHECK(daos_debug_init(name) == 0 && daos_daos_logfac > 0 && DB_MD != 0);
	D_INFO("untold\n");
	DL_ERROR(-DER_NOMEM, "told");
	daos_debug_fini();
	file = fdopen(fd, "r");
	CHECK(fgets(line, sizeof(line), file) != NULL && strstr(line, "told: DER_NOMEM(-1009)") != NULL);
	CHECK(fgets(line, sizeof(line), file) == NULL);
	fclose(file);
	unlink(name);
}

/* Lines of a profile's file that are equal to a text. */
static int
profile_lines(const char *folder, const char *wanted)
{
	char  path[256], line[128];
	FILE *file;
	int   count = 0;

	snprintf(path, sizeof(path), "%s/profile-3-4.dump", folder);
	file = fopen(path, "r");
	if (file == NULL)
		return -1;
	while (fgets(line, sizeof(line), file) != NULL)
		count += strcmp(line, wanted) == 0;
	fclose(file);
	return count;
}

static void
profiles(void)
{
	char                 folder[] = "/tmp/daos_profile_XXXXXX", path[256];
	struct daos_profile *dp;

	CHECK(mkdtemp(folder) != NULL);
	CHECK(daos_profile_init(NULL, folder, 2, 3, 4) == -DER_INVAL);
	CHECK(daos_profile_init(&dp, folder, 2, 3, 4) == 0 && dp->dp_rank == 3 && dp->dp_xid == 4);
	daos_profile_dump(dp);
	CHECK(profile_lines(folder, "") == -1); /* an empty profile leaves no file */
	/* Pairs of 10 and 20, one left over; more pairs than a chunk holds. */
	for (int i = 0; i < 12000; i++) {
		CHECK(daos_profile_count(dp, OBJ_PF_UPDATE, 10) == 0);
		CHECK(daos_profile_count(dp, OBJ_PF_UPDATE, 20) == 0);
	}
	CHECK(daos_profile_count(dp, VOS_UPDATE_END, 7) == 0);
	CHECK(daos_profile_count(dp, PF_MAX_CNT, 7) == -DER_INVAL && daos_profile_count(dp, -1, 7) == -DER_INVAL);
	CHECK(daos_profile_count(NULL, 0, 7) == -DER_INVAL);
	daos_profile_dump(dp);
	CHECK(profile_lines(folder, "update 15\n") == 12000 && profile_lines(folder, "vos_update_end 7\n") == 1);
	/* A dump empties: the next one brings what came after. */
	CHECK(daos_profile_count(dp, VOS_UPDATE_END, 9) == 0);
	daos_profile_dump(dp);
	CHECK(profile_lines(folder, "update 15\n") == 12000 && profile_lines(folder, "vos_update_end 9\n") == 1);
	/* A full series drops its oldest chunk. */
	dp->dp_avg = 1;
	for (int i = 0; i < 101 * 10240 + 5; i++)
		CHECK(daos_profile_count(dp, OBJ_PF_BULK_TRANSFER, i < 10240 ? 1 : 2) == 0);
	daos_profile_dump(dp);
	CHECK(profile_lines(folder, "bulk_transfer 1\n") == 0);
	CHECK(profile_lines(folder, "bulk_transfer 2\n") == 99 * 10240 + 5);
	daos_profile_destroy(dp);
	daos_profile_destroy(NULL);
	snprintf(path, sizeof(path), "%s/profile-3-4.dump", folder);
	CHECK(unlink(path) == 0 && rmdir(folder) == 0);
}

/* Packs, unpacks and frees; every shorter buffer must be refused. */
static void
serialisers(void)
{
	struct crt_proc_buffer  proc = CRT_PROC_BUFFER_INIT, torn;
	const char             *texts[] = {"A::OWNER@:rw", "A::alice@:r"};
	struct daos_acl        *acl, *acl_back = NULL;
	struct daos_prop_co_roots roots = {.cr_oids = {{1, 2}}};
	daos_prop_t            *prop = daos_prop_alloc(5), *back, *none = NULL;
	d_rank_list_t          *ranks = d_rank_list_alloc(3);
	d_iov_t                 iovs[2];
	d_sg_list_t             sgl = {.sg_nr = 2, .sg_iovs = iovs}, sgl_back;
	struct dtx_id           id = {.dti_hlc = 77}, id_back;
	size_t                  used;

	CHECK(daos_acl_from_strs(texts, 2, &acl) == 0);
	prop->dpp_entries[0].dpe_type    = DAOS_PROP_CO_LABEL;
	prop->dpp_entries[0].dpe_str     = strdup("label");
	prop->dpp_entries[1].dpe_type    = DAOS_PROP_CO_ACL;
	prop->dpp_entries[1].dpe_val_ptr = acl;
	prop->dpp_entries[2].dpe_type    = DAOS_PROP_PO_SVC_LIST;
	prop->dpp_entries[2].dpe_val_ptr = ranks;
	prop->dpp_entries[3].dpe_type    = DAOS_PROP_CO_ROOTS;
	prop->dpp_entries[3].dpe_val_ptr = memcpy(malloc(sizeof(roots)), &roots, sizeof(roots));
	prop->dpp_entries[4].dpe_type    = DAOS_PROP_CO_REDUN_FAC;
	prop->dpp_entries[4].dpe_val     = 3;
	d_iov_set(&iovs[0], "some", 4);
	d_iov_set(&iovs[1], NULL, 0);
	memset(id.dti_uuid, 9, 16);

	CHECK(crt_proc_daos_prop_t(&proc, CRT_PROC_ENCODE, &prop) == 0);
	CHECK(crt_proc_daos_prop_t(&proc, CRT_PROC_ENCODE, &none) == 0);
	CHECK(crt_proc_d_sg_list_t(&proc, CRT_PROC_ENCODE, &sgl) == 0);
	CHECK(crt_proc_struct_daos_acl(&proc, CRT_PROC_ENCODE, &acl) == 0);
	CHECK(crt_proc_struct_dtx_id(&proc, CRT_PROC_ENCODE, &id) == 0);
	used = proc.cpb_used;

	proc.cpb_size = used;
	proc.cpb_used = 0;
	none          = prop;
	CHECK(crt_proc_daos_prop_t(&proc, CRT_PROC_DECODE, &back) == 0 && back->dpp_nr == 5);
	CHECK(crt_proc_daos_prop_t(&proc, CRT_PROC_DECODE, &none) == 0 && none == NULL);
	CHECK(strcmp(back->dpp_entries[0].dpe_str, "label") == 0);
	CHECK(memcmp(back->dpp_entries[1].dpe_val_ptr, acl, daos_acl_get_size(acl)) == 0);
	CHECK(((d_rank_list_t *)back->dpp_entries[2].dpe_val_ptr)->rl_nr == 3);
	CHECK(memcmp(back->dpp_entries[3].dpe_val_ptr, &roots, sizeof(roots)) == 0);
	CHECK(back->dpp_entries[4].dpe_val == 3);
	CHECK(crt_proc_daos_prop_t(&proc, CRT_PROC_FREE, &back) == 0 && back == NULL);
	CHECK(crt_proc_d_sg_list_t(&proc, CRT_PROC_DECODE, &sgl_back) == 0 && sgl_back.sg_nr == 2);
	CHECK(sgl_back.sg_iovs[0].iov_len == 4 && memcmp(sgl_back.sg_iovs[0].iov_buf, "some", 4) == 0);
	CHECK(sgl_back.sg_iovs[1].iov_buf == NULL);
	CHECK(crt_proc_d_sg_list_t(&proc, CRT_PROC_FREE, &sgl_back) == 0 && sgl_back.sg_iovs == NULL);
	CHECK(crt_proc_struct_daos_acl(&proc, CRT_PROC_DECODE, &acl_back) == 0);
	CHECK(memcmp(acl_back, acl, daos_acl_get_size(acl)) == 0);
	CHECK(crt_proc_struct_daos_acl(&proc, CRT_PROC_FREE, &acl_back) == 0 && acl_back == NULL);
	CHECK(crt_proc_struct_dtx_id(&proc, CRT_PROC_DECODE, &id_back) == 0 && memcmp(&id, &id_back, sizeof(id)) == 0);
	CHECK(proc.cpb_used == used && crt_proc_struct_dtx_id(&proc, CRT_PROC_DECODE, &id_back) == -DER_HG);
	CHECK(crt_proc_struct_daos_acl(&proc, CRT_PROC_DECODE, &acl_back) == -DER_TRUNC);

	for (size_t length = 0; length < used; length++) {
		int rc;

		torn          = proc;
		torn.cpb_data = memcpy(malloc(length + 1), proc.cpb_data, length);
		torn.cpb_size = length;
		torn.cpb_used = 0;
		rc            = crt_proc_daos_prop_t(&torn, CRT_PROC_DECODE, &back);
		if (rc == 0) {
			crt_proc_daos_prop_t(&torn, CRT_PROC_FREE, &back);
			rc = crt_proc_daos_prop_t(&torn, CRT_PROC_DECODE, &none);
		}
		if (rc == 0 && (rc = crt_proc_d_sg_list_t(&torn, CRT_PROC_DECODE, &sgl_back)) == 0) {
			crt_proc_d_sg_list_t(&torn, CRT_PROC_FREE, &sgl_back);
			rc = crt_proc_struct_daos_acl(&torn, CRT_PROC_DECODE, &acl_back);
			if (rc == 0)
				rc = crt_proc_struct_dtx_id(&torn, CRT_PROC_DECODE, &id_back);
		}
		CHECK(rc != 0);
		free(torn.cpb_data);
	}
	torn           = proc;
	torn.cpb_magic = 0;
	CHECK(crt_proc_struct_dtx_id(&torn, CRT_PROC_DECODE, &id_back) == -DER_INVAL);
	CHECK(crt_proc_struct_dtx_id(NULL, CRT_PROC_ENCODE, &id) == -DER_INVAL);
	CHECK(crt_proc_struct_dtx_id(&proc, 7, &id) == -DER_INVAL);
	free(proc.cpb_data);
	daos_prop_free(prop);
}

int
main(void)
{
	properties();
	access_lists();
	lists();
	small_things();
	configured_faults();
	rpc_options();
	failed_copies();
	handles();
	logging();
	profiles();
	serialisers();
	return 0;
}
