/*
 * Aim: functions of libgurt and libdaos_common that no other program calls do what their headers say: values of
 * properties, principals, printed lists, clocks, random numbers, allocation. Exits 0 when all holds.
 */
#include <daos.h>
#include <daos_security.h>
#include <daos/common.h>
#include <daos/debug.h>
#include <daos/dtx.h>
#include <gurt/common.h>
#include <grp.h>

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
	struct daos_prop_byteval bytes = {.dpb_data = (void *)"abc", .dpb_len = 3}, *copy;
	struct daos_prop_co_roots roots = {0}, *roots_copy;
	struct daos_prop_entry    number = {.dpe_type = DAOS_PROP_CO_CSUM}, text = {.dpe_type = DAOS_PROP_CO_LABEL};
	struct daos_prop_entry    list = {.dpe_type = DAOS_PROP_CO_ACL}, other = {.dpe_type = DAOS_PROP_CO_ACL};
	struct daos_prop_entry    dst = {0}, src = {.dpe_val_ptr = &bytes};
	struct daos_acl          *acl = daos_acl_create(NULL, 0);
	daos_prop_t              *prop;

	CHECK(daos_prop_has_str(&text) && !daos_prop_has_str(&number) && !daos_prop_has_str(NULL));
	CHECK(daos_prop_has_ptr(&list) && !daos_prop_has_ptr(&text) && !daos_prop_has_byteval(&list));
	CHECK(daos_prop_entry_set_str(&text, "a label", 3) == 0 && strcmp(text.dpe_str, "a l") == 0);
	CHECK(daos_prop_entry_set_str(&text, NULL, 0) == 0 && text.dpe_str == NULL);
	CHECK(daos_prop_entry_set_str(&number, "x", 1) == -DER_INVAL);
	CHECK(daos_prop_entry_set_ptr(&list, acl, daos_acl_get_size(acl)) == 0 && list.dpe_val_ptr != acl);
	CHECK(daos_prop_entry_cmp_acl(&list, &other) == -DER_MISMATCH);
	CHECK(daos_prop_entry_dup_ptr(&other, &list, daos_acl_get_size(acl)) == 0);
	CHECK(other.dpe_val_ptr != list.dpe_val_ptr && daos_prop_entry_cmp_acl(&list, &other) == 0);
	CHECK(daos_prop_entry_set_byteval(&text, "abc", 3) == -DER_INVAL);
	CHECK(daos_prop_entry_dup_byteval(&dst, &src) == 0);
	copy = dst.dpe_val_ptr;
	CHECK(copy != &bytes && copy->dpb_len == 3 && copy->dpb_data != bytes.dpb_data);
	CHECK(memcmp(copy->dpb_data, "abc", 3) == 0);
	free(copy->dpb_data);
	free(copy);
	roots.cr_oids[1].lo = 5;
	src.dpe_val_ptr     = &roots;
	dst.dpe_val_ptr     = NULL;
	CHECK(daos_prop_entry_dup_co_roots(&dst, &src) == 0);
	roots_copy = dst.dpe_val_ptr;
	CHECK(roots_copy != &roots && roots_copy->cr_oids[1].lo == 5);
	free(roots_copy);
	CHECK(daos_prop_entry_set_ptr(&list, NULL, 0) == 0 && list.dpe_val_ptr == NULL);
	free(other.dpe_val_ptr);

	prop = daos_prop_alloc(2);
	prop->dpp_entries[0].dpe_type = DAOS_PROP_CO_ACL;
	prop->dpp_entries[1].dpe_type = DAOS_PROP_CO_OWNER;
	CHECK(daos_prop_set_ptr(prop, DAOS_PROP_CO_ACL, acl, daos_acl_get_size(acl)) == 0);
	CHECK(daos_prop_set_ptr(prop, DAOS_PROP_CO_LABEL, acl, 1) == -DER_NONEXIST);
	CHECK(daos_prop_set_byteval(prop, DAOS_PROP_CO_OWNER, "x", 1) == -DER_INVAL);
	CHECK(daos_acl_validate(prop->dpp_entries[0].dpe_val_ptr) == 0);
	daos_prop_fini(prop);
	CHECK(prop->dpp_nr == 0 && prop->dpp_entries == NULL);
	daos_prop_free(prop);
	daos_acl_free(acl);
}

/* What a function printed to stdout. */
static char *
printed(void (*print)(void *), void *arg)
{
	static char text[4096];
	FILE       *file = tmpfile();
	int         saved;

	CHECK(file != NULL);
	fflush(stdout);
	saved = dup(STDOUT_FILENO);
	CHECK(saved >= 0 && dup2(fileno(file), STDOUT_FILENO) >= 0);
	print(arg);
	fflush(stdout);
	CHECK(dup2(saved, STDOUT_FILENO) >= 0);
	close(saved);
	memset(text, 0, sizeof(text));
	rewind(file);
	CHECK(pread(fileno(file), text, sizeof(text) - 1, 0) > 0);
	fclose(file);
	return text;
}

static void
dump_ace(void *ace)
{
	daos_ace_dump(ace, 1);
}

static void
dump_acl(void *acl)
{
	daos_acl_dump(acl);
}

static void
lists(void)
{
	const char      *texts[] = {"A::OWNER@:rw", "A::alice@:r"};
	struct daos_acl *acl;
	struct daos_ace *ace = NULL;
	FILE            *file = tmpfile();
	char             text[512] = {0}, *name = NULL;
	struct group    *group = getgrgid(getgid());
	gid_t            gid   = (gid_t)-1;

	CHECK(file != NULL && daos_acl_from_strs(texts, 2, &acl) == 0);
	CHECK(daos_acl_get_ace_for_principal(acl, DAOS_ACL_USER, "alice@", &ace) == 0);
	CHECK(strcmp(daos_ace_get_principal_str(ace), "alice@") == 0 && daos_ace_get_principal_str(NULL) == NULL);
	CHECK(strcmp(daos_ace_get_principal_str(daos_acl_get_next_ace(acl, NULL)), "OWNER@") == 0);
	CHECK(strstr(printed(dump_ace, ace), "alice@") != NULL && strstr(printed(dump_acl, acl), "alice@") != NULL);
	CHECK(daos_acl_to_stream(file, acl, true) == 0 && daos_acl_to_stream(NULL, acl, true) == -DER_INVAL);
	fflush(file);
	CHECK(pread(fileno(file), text, sizeof(text) - 1, 0) > 0);
	CHECK(strstr(text, "A::alice@:r\n") != NULL && strstr(text, "Allow::Owner:Read/Write") != NULL);
	fclose(file);
	daos_acl_free(acl);

	CHECK(daos_acl_principal_is_valid("bob@") && daos_acl_principal_is_valid("bob@site"));
	CHECK(!daos_acl_principal_is_valid("bob") && !daos_acl_principal_is_valid("") && !daos_acl_principal_is_valid(NULL));
	CHECK(group != NULL && daos_acl_gid_to_principal(getgid(), &name) == 0);
	CHECK(strncmp(name, group->gr_name, strlen(group->gr_name)) == 0 && strchr(name, '@') != NULL);
	CHECK(daos_acl_principal_to_gid(name, &gid) == 0 && gid == getgid());
	CHECK(daos_acl_principal_to_gid("no-such-group@", &gid) == -DER_NONEXIST);
	free(name);
}

static void
clocks(void)
{
	uint64_t now = d_hlc_get(), epsilon = d_hlc_epsilon_get();
	struct timespec wall;
	uint64_t        nsec;

	clock_gettime(CLOCK_REALTIME, &wall);
	nsec = d_hlc2unixnsec(now);
	CHECK(nsec / NSEC_PER_SEC + 60 > (uint64_t)wall.tv_sec && nsec / NSEC_PER_SEC < (uint64_t)wall.tv_sec + 60);
	CHECK(d_hlc_age2sec(now + d_nsec2hlc(100ULL * NSEC_PER_SEC)) == 0);
	CHECK(d_hlc_age2sec(now - d_nsec2hlc(100ULL * NSEC_PER_SEC)) / 10 == 10);
	CHECK(epsilon > 0 && d_hlc_epsilon_get_bound(now) >= now + epsilon / 2);
	d_hlct_sync(now);
	CHECK(d_hlct_get() == now);
	d_hlct_sync(now - 1);
	CHECK(d_hlct_get() == now);
}

static void
numbers(void)
{
	long          first, second;
	double        part;
	unsigned int  number = 0;
	uint32_t      mixed  = d_hash_mix96(1, 2, 3);
	uint16_t      shards[] = {2, 4};

	d_srand(7);
	first  = d_rand();
	second = d_rand();
	part   = d_randd();
	CHECK(first >= 0 && first <= D_RAND_MAX && first != second && part >= 0 && part < 1);
	d_srand(7);
	CHECK(d_rand() == first && d_rand() == second && d_randd() == part);
	CHECK(mixed == d_hash_mix96(1, 2, 3) && mixed != d_hash_mix96(1, 2, 4) && mixed != d_hash_mix96(2, 1, 3));
	CHECK(d_setenv("REST_NUMBER", "42", 1) == 0);
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"
	CHECK(d_getenv_int("REST_NUMBER", &number) == 0 && number == 42);
#pragma GCC diagnostic pop
	daos_fail_value_set(daos_shard_fail_value(shards, 2));
	CHECK(daos_fail_value_get() == daos_shard_fail_value(shards, 2) && daos_fail_value_get() != 0);
	CHECK(daos_shard_in_fail_value(2) && daos_shard_in_fail_value(4) && !daos_shard_in_fail_value(5));
	daos_fail_value_set(0);
}

static void
memory(void)
{
	d_rank_range_list_t *ranges = d_rank_range_list_alloc(3);
	daos_recx_t         *recxs  = daos_recx_alloc(4);
	char                *bytes  = d_malloc(10), *grown;
	int                 *zeros  = d_calloc(5, sizeof(*zeros));

	CHECK(ranges != NULL && ranges->rrl_nr == 3 && ranges->rrl_ranges[2].hi == 0);
	d_rank_range_list_free(ranges);
	CHECK(recxs != NULL && recxs[3].rx_idx == 0 && recxs[3].rx_nr == 0);
	daos_recx_free(recxs);
	CHECK(bytes != NULL && zeros != NULL && zeros[0] == 0 && zeros[4] == 0);
	strcpy(bytes, "nine char");
	grown = d_realloc(bytes, 100000);
	CHECK(grown != NULL && strcmp(grown, "nine char") == 0);
	d_free(grown);
	d_free(zeros);
}

static void
processwide(void)
{
	struct dtx_id one, two, three;

	CHECK(daos_hhash_init_feats(0) == 0 && daos_hhash_init_feats(0) == 0 && daos_ht.dht_hhash != NULL);
	CHECK(daos_hhash_fini() == 0 && daos_ht.dht_hhash != NULL && daos_hhash_fini() == 0);
	CHECK(daos_debug_init_ex(NULL, DLOG_ERR) == 0);
	daos_debug_fini();
	daos_dti_gen(&one, false);
	daos_dti_gen(&two, false);
	daos_dti_reset();
	daos_dti_gen(&three, false);
	CHECK(uuid_compare(one.dti_uuid, two.dti_uuid) == 0 && uuid_compare(two.dti_uuid, three.dti_uuid) != 0);
	CHECK(d_clearenv() == 0 && getenv("PATH") == NULL);
}

int
main(void)
{
	properties();
	lists();
	clocks();
	numbers();
	memory();
	processwide();
	return 0;
}
