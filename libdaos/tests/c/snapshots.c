/* Aim: the history of a container through the C API: named snapshots, tables of objects, aggregation, going back,
 * waiting; lists of containers by conditions; the pool service stepping down. Each function does its work. */
#define _GNU_SOURCE
#include "check.h"
#include <daos_fs.h>
#include <daos_mgmt.h>
#include <fcntl.h>
#include <pthread.h>
#include <unistd.h>

#define OBJECTS 700

static daos_handle_t poh, coh;
static daos_obj_id_t oids[OBJECTS];

static void
put(daos_obj_id_t oid, const char *key, const char *value)
{
	daos_handle_t oh;

	OK(daos_kv_open(coh, oid, DAOS_OO_RW, &oh, NULL));
	OK(daos_kv_put(oh, DAOS_TX_NONE, 0, key, strlen(value), value, NULL));
	OK(daos_kv_close(oh, NULL));
}

/* The value of a key at a snapshot (0: now) is this; NULL: there is none. */
static void
expect(daos_obj_id_t oid, daos_epoch_t epoch, const char *key, const char *value)
{
	daos_handle_t oh, th = DAOS_TX_NONE;
	char          buffer[64] = "";
	daos_size_t   size       = sizeof(buffer);
	int           rc;

	OK(daos_kv_open(coh, oid, DAOS_OO_RO, &oh, NULL));
	if (epoch != 0)
		OK(daos_tx_open_snap(coh, epoch, &th, NULL));
	rc = daos_kv_get(oh, th, 0, key, &size, buffer, NULL);
	if (value == NULL)
		CHECK(rc == -DER_NONEXIST || (rc == 0 && size == 0));
	else
		CHECK(rc == 0 && size == strlen(value) && memcmp(buffer, value, size) == 0);
	if (epoch != 0)
		OK(daos_tx_close(th, NULL));
	OK(daos_kv_close(oh, NULL));
}

static void
named(void)
{
	daos_epoch_t       first, second, third, epochs[8];
	char               one[DAOS_SNAPSHOT_MAX_LEN], two[DAOS_SNAPSHOT_MAX_LEN], three[DAOS_SNAPSHOT_MAX_LEN];
	char              *names[3] = {one, two, three};
	char               longest[DAOS_SNAPSHOT_MAX_LEN + 1];
	daos_anchor_t      anchor = {0};
	daos_epoch_range_t all    = {.epr_lo = 0, .epr_hi = DAOS_EPOCH_MAX}, range;
	daos_cont_info_t   info;
	int                nr = 0;

	STEP("named snapshots");
	OK(daos_cont_create_snap(coh, &first, "first", NULL));
	OK(daos_cont_create_snap_opt(coh, &second, NULL, DAOS_SNAP_OPT_CR, NULL));
	memset(longest, 'n', sizeof(longest));
	longest[DAOS_SNAPSHOT_MAX_LEN] = 0;
	CHECK_RC(daos_cont_create_snap(coh, &third, longest, NULL), -DER_INVAL);
	longest[DAOS_SNAPSHOT_MAX_LEN - 1] = 0;
	OK(daos_cont_create_snap(coh, &third, longest, NULL));
	CHECK(first < second && second < third);
	CHECK_RC(daos_cont_create_snap(coh, &first, "first", NULL), -DER_EXIST);
	CHECK_RC(daos_cont_create_snap_opt(coh, &first, NULL, DAOS_SNAP_OPT_OIT, NULL), -DER_INVAL);
	CHECK_RC(daos_cont_create_snap(coh, NULL, NULL, NULL), -DER_INVAL);
	OK(daos_cont_list_snap(coh, &nr, NULL, NULL, &anchor, NULL));
	CHECK(nr == 3 && daos_anchor_is_eof(&anchor));
	memset(&anchor, 0, sizeof(anchor));
	OK(daos_cont_list_snap(coh, &nr, epochs, names, &anchor, NULL));
	CHECK(nr == 3 && epochs[0] == first && epochs[1] == second && epochs[2] == third);
	CHECK(strcmp(one, "first") == 0 && strcmp(two, "") == 0 && strcmp(three, longest) == 0);
	nr        = 1;
	epochs[1] = 77;
	OK(daos_cont_list_snap(coh, &nr, epochs, names, NULL, NULL));
	CHECK(nr == 3 && epochs[0] == first && epochs[1] == 77);
	OK(daos_cont_query(coh, &info, NULL, NULL));
	CHECK(info.ci_nsnapshots == 3 && info.ci_lsnapshot == third);
	range.epr_lo = range.epr_hi = second;
	OK(daos_cont_destroy_snap(coh, range, NULL));
	CHECK_RC(daos_cont_destroy_snap(coh, range, NULL), -DER_NONEXIST);
	range.epr_hi = first;
	CHECK_RC(daos_cont_destroy_snap(coh, range, NULL), -DER_INVAL);
	OK(daos_cont_destroy_snap(coh, all, NULL));
	nr = 0;
	OK(daos_cont_list_snap(coh, &nr, NULL, NULL, NULL, NULL));
	CHECK(nr == 0);
}

static int
only_marked(daos_obj_id_t oid, d_iov_t *marker)
{
	return marker->iov_len == 4 && memcmp(marker->iov_buf, "seen", 4) == 0;
}

static int
none(daos_obj_id_t oid, d_iov_t *marker)
{
	return 0;
}

static int
refuse(daos_obj_id_t oid, d_iov_t *marker)
{
	return -DER_CANCELED;
}

enum how { ALL, UNMARKED, MARKED, NONE };

/* Lists a table, and counts how often each of our objects is in it. */
static int
listed(daos_handle_t oh, enum how how, uint32_t room, int *counts)
{
	daos_anchor_t anchor = {0};
	daos_obj_id_t found[128];
	int           all = 0, calls = 0;

	memset(counts, 0, OBJECTS * sizeof(*counts));
	while (!daos_anchor_is_eof(&anchor)) {
		uint32_t nr = room;

		CHECK(calls++ < 100000);
		if (how == ALL)
			OK(daos_oit_list(oh, found, &nr, &anchor, NULL));
		else if (how == UNMARKED)
			OK(daos_oit_list_unmarked(oh, found, &nr, &anchor, NULL));
		else
			OK(daos_oit_list_filter(oh, found, &nr, &anchor, how == MARKED ? only_marked : none, NULL));
		CHECK(nr <= room && (nr > 0 || daos_anchor_is_eof(&anchor)));
		for (uint32_t i = 0; i < nr; i++, all++)
			for (int k = 0; k < OBJECTS; k++)
				counts[k] += oids[k].lo == found[i].lo && oids[k].hi == found[i].hi;
	}
	return all;
}

static void
tables(void)
{
	daos_epoch_t       epoch, plain;
	daos_handle_t      oh;
	daos_obj_id_t      late;
	d_iov_t            marker;
	daos_anchor_t      anchor = {0};
	daos_epoch_range_t range;
	int                counts[OBJECTS], before;
	uint32_t           nr = 1;

	STEP("tables of objects");
	for (int i = 0; i < OBJECTS; i++) {
		oids[i] = check_oid(coh, DAOS_OT_KV_HASHED, i % 2 ? OC_S1 : OC_SX);
		/* Objects of several groups are on several targets, and in the table once. */
		for (int k = 0; k < (i < 40 ? 8 : 1); k++) {
			char key[16];

			sprintf(key, "k%d", k);
			put(oids[i], key, "x");
		}
	}
	OK(daos_cont_create_snap_opt(coh, &epoch, "table", DAOS_SNAP_OPT_CR | DAOS_SNAP_OPT_OIT, NULL));
	late = check_oid(coh, DAOS_OT_KV_HASHED, OC_S1);
	put(late, "k0", "x");
	OK(daos_oit_open(coh, epoch, &oh, NULL));
	before = listed(oh, ALL, 128, counts);
	CHECK(before >= OBJECTS);
	for (int i = 0; i < OBJECTS; i++)
		CHECK(counts[i] == 1);
	CHECK(listed(oh, ALL, 1, counts) == before);
	CHECK(listed(oh, ALL, 7, counts) == before);
	CHECK_RC(daos_oit_list(oh, NULL, &nr, &anchor, NULL), -DER_INVAL);
	CHECK_RC(daos_oit_list(coh, &late, &nr, &anchor, NULL), -DER_NO_HDL);

	STEP("marks");
	d_iov_set(&marker, "seen", 4);
	for (int i = 0; i < OBJECTS; i += 3)
		OK(daos_oit_mark(oh, oids[i], &marker, NULL));
	CHECK_RC(daos_oit_mark(oh, late, &marker, NULL), -DER_NONEXIST);
	d_iov_set(&marker, "seen", 0);
	CHECK_RC(daos_oit_mark(oh, oids[1], &marker, NULL), -DER_INVAL);
	d_iov_set(&marker, "0123456789012345678901234567890123", 33);
	CHECK_RC(daos_oit_mark(oh, oids[1], &marker, NULL), -DER_INVAL);
	d_iov_set(&marker, "01234567890123456789012345678901", 32);
	OK(daos_oit_mark(oh, oids[1], &marker, NULL));
	OK(daos_oit_close(oh, NULL));
	CHECK_RC(daos_oit_close(oh, NULL), -DER_NO_HDL);
	OK(daos_oit_open(coh, epoch, &oh, NULL));
	CHECK(listed(oh, UNMARKED, 64, counts) == before - (OBJECTS + 2) / 3 - 1);
	for (int i = 0; i < OBJECTS; i++)
		CHECK(counts[i] == (i % 3 != 0 && i != 1));
	CHECK(listed(oh, MARKED, 64, counts) == (OBJECTS + 2) / 3);
	CHECK(listed(oh, NONE, 64, counts) == 0);
	memset(&anchor, 0, sizeof(anchor));
	CHECK_RC(daos_oit_list_filter(oh, &late, &nr, &anchor, refuse, NULL), -DER_CANCELED);
	CHECK_RC(daos_oit_list_filter(oh, &late, &nr, &anchor, NULL, NULL), -DER_INVAL);
	OK(daos_oit_mark(oh, oids[0], NULL, NULL));
	CHECK(listed(oh, UNMARKED, 64, counts) == before - (OBJECTS + 2) / 3 && counts[0] == 1);

	STEP("tables made and destroyed on their own");
	OK(daos_cont_snap_oit_destroy(coh, oh, NULL));
	OK(daos_oit_close(oh, NULL));
	CHECK_RC(daos_oit_open(coh, epoch, &oh, NULL), -DER_NONEXIST);
	CHECK_RC(daos_cont_snap_oit_create(coh, epoch + 1, NULL, NULL), -DER_NONEXIST);
	OK(daos_cont_snap_oit_create(coh, epoch, NULL, NULL));
	OK(daos_oit_open(coh, epoch, &oh, NULL));
	/* As it was at the snapshot, although an object came since. */
	CHECK(listed(oh, UNMARKED, 128, counts) == before);
	OK(daos_oit_close(oh, NULL));
	OK(daos_cont_create_snap(coh, &plain, NULL, NULL));
	CHECK_RC(daos_oit_open(coh, plain, &oh, NULL), -DER_NONEXIST);
	range.epr_lo = 0;
	range.epr_hi = DAOS_EPOCH_MAX;
	OK(daos_cont_destroy_snap(coh, range, NULL));
	CHECK_RC(daos_oit_open(coh, epoch, &oh, NULL), -DER_NONEXIST);
}

static uint64_t
free_bytes(void)
{
	daos_pool_info_t info = {.pi_bits = DPI_SPACE};

	OK(daos_pool_query(poh, NULL, &info, NULL, NULL));
	return info.pi_space.ps_space.s_free[0];
}

static void
aggregation(void)
{
	daos_obj_id_t      oid = check_oid(coh, DAOS_OT_KV_HASHED, OC_S1);
	static char        big[4001];
	daos_epoch_t       epoch;
	daos_epoch_range_t range;
	uint64_t           base;

	STEP("aggregation");
	put(oid, "kept", "old");
	OK(daos_cont_create_snap(coh, &epoch, NULL, NULL));
	put(oid, "kept", "new");
	memset(big, 'b', sizeof(big) - 1);
	put(oid, "big", big);
	OK(daos_cont_aggregate(coh, 0, NULL));
	base = free_bytes();
	for (int i = 0; i < 200; i++)
		put(oid, "big", big);
	CHECK(free_bytes() + 200 * 4000 <= base + 8192);
	OK(daos_cont_aggregate(coh, 0, NULL));
	CHECK(free_bytes() + 2 * 8192 >= base);
	expect(oid, epoch, "kept", "old");
	expect(oid, 0, "kept", "new");
	CHECK_RC(daos_cont_aggregate(coh, DAOS_EPOCH_MAX, NULL), -DER_INVAL);
	CHECK_RC(daos_cont_aggregate(poh, 0, NULL), -DER_NO_HDL);
	range.epr_lo = range.epr_hi = epoch;
	OK(daos_cont_destroy_snap(coh, range, NULL));
}

static void
rollback(void)
{
	daos_obj_id_t old = check_oid(coh, DAOS_OT_KV_HASHED, OC_S1), new = check_oid(coh, DAOS_OT_KV_HASHED, OC_S1);
	daos_epoch_t     first, second;
	daos_handle_t    other, oit;
	daos_cont_info_t info;
	char             label[64];
	int              nr = 0;

	STEP("going back");
	put(old, "a", "one");
	put(old, "b", "one");
	OK(daos_cont_create_snap_opt(coh, &first, "back", DAOS_SNAP_OPT_CR | DAOS_SNAP_OPT_OIT, NULL));
	put(old, "a", "two");
	put(old, "c", "two");
	put(new, "a", "two");
	OK(daos_cont_create_snap_opt(coh, &second, NULL, DAOS_SNAP_OPT_CR | DAOS_SNAP_OPT_OIT, NULL));
	CHECK_RC(daos_cont_rollback(coh, first + 1, NULL), -DER_NONEXIST);
	OK(daos_cont_query(coh, &info, NULL, NULL));
	uuid_unparse(info.ci_uuid, label);
	OK(daos_cont_open(poh, label, DAOS_COO_RO, &other, NULL, NULL));
	CHECK_RC(daos_cont_rollback(other, first, NULL), -DER_NO_PERM);
	CHECK_RC(daos_cont_rollback(coh, first, NULL), -DER_BUSY);
	OK(daos_cont_close(other, NULL));
	OK(daos_cont_rollback(coh, first, NULL));
	expect(old, 0, "a", "one");
	expect(old, 0, "b", "one");
	expect(old, 0, "c", NULL);
	expect(new, 0, "a", NULL);
	OK(daos_cont_list_snap(coh, &nr, NULL, NULL, NULL, NULL));
	CHECK(nr == 1);
	CHECK_RC(daos_oit_open(coh, second, &oit, NULL), -DER_NONEXIST);
	/* The table of the snapshot itself is written after it, and stays. */
	OK(daos_oit_open(coh, first, &oit, NULL));
	{
		daos_anchor_t anchor = {0};
		daos_obj_id_t oid;
		uint32_t      n = 1;

		OK(daos_oit_list(oit, &oid, &n, &anchor, NULL));
		CHECK(n == 1);
	}
	OK(daos_oit_close(oit, NULL));
	put(old, "a", "three");
	expect(old, 0, "a", "three");
	expect(old, first, "a", "one");
	OK(daos_cont_rollback(coh, first, NULL));
	expect(old, 0, "a", "one");
}

static void *
later(void *arg)
{
	usleep(300000);
	OK(daos_cont_create_snap(coh, arg, "awaited", NULL));
	return NULL;
}

static void
subscription(void)
{
	daos_epoch_t  epoch = 0, made = 0, first;
	pthread_t     thread;
	daos_handle_t eq;
	daos_event_t  ev, *evp;

	STEP("waiting for a snapshot");
	OK(daos_cont_subscribe(coh, &epoch, NULL));
	first = epoch;
	epoch = first;
	OK(daos_cont_subscribe(coh, &epoch, NULL));
	CHECK(epoch == first);
	epoch = first + 1;
	CHECK(pthread_create(&thread, NULL, later, &made) == 0);
	OK(daos_cont_subscribe(coh, &epoch, NULL));
	pthread_join(thread, NULL);
	CHECK(epoch == made && made > first);
	CHECK_RC(daos_cont_subscribe(coh, NULL, NULL), -DER_INVAL);
	/* And by an event, over more than one question to the service. */
	OK(daos_eq_create(&eq));
	OK(daos_event_init(&ev, eq, NULL));
	epoch = made + 1;
	OK(daos_cont_subscribe(coh, &epoch, &ev));
	CHECK(daos_eq_poll(eq, 0, 2500000, 1, &evp) == 0);
	OK(daos_cont_create_snap(coh, &made, NULL, NULL));
	CHECK(daos_eq_poll(eq, 0, DAOS_EQ_WAIT, 1, &evp) == 1 && evp == &ev && ev.ev_error == 0);
	CHECK(epoch == made);
	OK(daos_event_fini(&ev));
	OK(daos_eq_destroy(eq, 0));
}

static void
filters(void)
{
	daos_pool_cont_filter_t      filter;
	daos_pool_cont_filter_part_t parts[9];
	struct daos_pool_cont_info2  found[64];
	daos_size_t                  count = 0, all;
	daos_cont_info_t             info;
	daos_handle_t                other;
	bool                         seen = false;

	STEP("containers by conditions");
	OK(daos_cont_create_with_label(poh, "filtered", NULL, NULL, NULL));
	OK(daos_cont_open(poh, "filtered", DAOS_COO_RO, &other, NULL, NULL));
	OK(daos_pool_filter_cont(poh, NULL, &count, NULL, NULL));
	all = count;
	CHECK(all >= 2 && all <= 64);
	OK(daos_pool_cont_filter_init(&filter, PCF_COMBINE_LOGICAL_AND));
	for (int i = 0; i < 9; i++)
		parts[i] = (daos_pool_cont_filter_part_t){
		    .pcfp_func = PCF_FUNC_GE, .pcfp_key = PCF_KEY_NUM_SNAPSHOTS, .pcfp_val64 = 1};
	OK(daos_pool_cont_filter_add(&filter, &parts[0]));
	CHECK(filter.pcf_nparts == 1 && filter.pcf_parts[0] == &parts[0]);
	count = 64;
	OK(daos_pool_filter_cont(poh, &filter, &count, found, NULL));
	CHECK(count >= 1 && count < all);
	OK(daos_cont_query(coh, &info, NULL, NULL));
	for (daos_size_t i = 0; i < count; i++) {
		CHECK(found[i].pci_cinfo.ci_nsnapshots >= 1 && strcmp(found[i].pci_id.pci_label, "filtered") != 0);
		if (uuid_compare(found[i].pci_id.pci_uuid, info.ci_uuid) == 0) {
			seen = true;
			CHECK(found[i].pci_cinfo.ci_nsnapshots == info.ci_nsnapshots);
			CHECK(found[i].pci_cinfo.ci_lsnapshot == info.ci_lsnapshot);
			CHECK(found[i].pci_cinfo.ci_nhandles == info.ci_nhandles);
			CHECK(found[i].pci_cinfo.ci_md_mtime == info.ci_md_mtime);
			CHECK(found[i].pci_cinfo.ci_md_otime == info.ci_md_otime);
		}
	}
	CHECK(seen);
	parts[1] = (daos_pool_cont_filter_part_t){
	    .pcfp_func = PCF_FUNC_EQ, .pcfp_key = PCF_KEY_NUM_SNAPSHOTS, .pcfp_val64 = 0};
	OK(daos_pool_cont_filter_add(&filter, &parts[1]));
	count = 64;
	OK(daos_pool_filter_cont(poh, &filter, &count, found, NULL));
	CHECK(count == 0);
	filter.pcf_combine_func = PCF_COMBINE_LOGICAL_OR;
	count                   = 64;
	OK(daos_pool_filter_cont(poh, &filter, &count, found, NULL));
	CHECK(count == all);
	count = 1;
	CHECK_RC(daos_pool_filter_cont(poh, &filter, &count, found, NULL), -DER_TRUNC);
	CHECK(count == all);
	for (int i = 2; i < 9; i++)
		OK(daos_pool_cont_filter_add(&filter, &parts[i]));
	CHECK_RC(daos_pool_filter_cont(poh, &filter, &count, found, NULL), -DER_INVAL);
	daos_pool_cont_filter_fini(&filter);
	CHECK(filter.pcf_nparts == 0 && filter.pcf_parts == NULL);
	daos_pool_cont_filter_fini(&filter);
	parts[0].pcfp_key = PCF_KEY_MAX;
	OK(daos_pool_cont_filter_add(&filter, &parts[0]));
	CHECK_RC(daos_pool_filter_cont(poh, &filter, &count, found, NULL), -DER_INVAL);
	daos_pool_cont_filter_fini(&filter);
	CHECK_RC(daos_pool_cont_filter_init(&filter, 2), -DER_INVAL);
	CHECK_RC(daos_pool_cont_filter_init(NULL, 0), -DER_INVAL);
	CHECK_RC(daos_pool_cont_filter_add(&filter, NULL), -DER_INVAL);
	OK(daos_cont_close(other, NULL));
	OK(daos_cont_destroy(poh, "filtered", 0, NULL));
}

static void
step_down(void)
{
	daos_obj_id_t oid = check_oid(coh, DAOS_OT_KV_HASHED, OC_S1);
	daos_epoch_t  epoch;

	STEP("the pool service steps down");
	OK(daos_pool_stop_svc(poh, NULL));
	put(oid, "k", "v");
	OK(daos_cont_create_snap(coh, &epoch, "after", NULL));
	OK(daos_pool_stop_svc(poh, NULL));
	expect(oid, epoch, "k", "v");
	CHECK_RC(daos_pool_stop_svc(coh, NULL), -DER_NO_HDL);
}

static void
file_systems(void)
{
	daos_handle_t fs;
	daos_epoch_t  epoch;
	dfs_t        *dfs, *old;
	dfs_obj_t    *file;

	STEP("file systems by the name of a snapshot");
	OK(dfs_init());
	OK(dfs_cont_create_with_label(poh, "files", NULL, NULL, &fs, &dfs));
	OK(dfs_open(dfs, NULL, "early", S_IFREG | 0644, O_CREAT | O_RDWR, 0, 0, NULL, &file));
	OK(dfs_release(file));
	OK(daos_cont_create_snap(fs, &epoch, "monday", NULL));
	OK(dfs_remove(dfs, NULL, "early", false, NULL));
	CHECK(dfs_mount_snap(poh, fs, O_RDONLY, 0, "sunday", &old) == ENOENT);
	CHECK(dfs_mount_snap(poh, fs, O_RDONLY, 0, NULL, &old) == EINVAL);
	OK(dfs_mount_snap(poh, fs, O_RDONLY, 0, "monday", &old));
	OK(dfs_access(old, NULL, "early", F_OK));
	OK(dfs_umount(old));
	CHECK(dfs_access(dfs, NULL, "early", F_OK) == ENOENT);
	OK(dfs_umount(dfs));
	OK(daos_cont_close(fs, NULL));
	OK(dfs_connect_snap(getenv("DAOS_POOL"), NULL, "files", O_RDONLY, 0, "monday", &old));
	OK(dfs_access(old, NULL, "early", F_OK));
	OK(dfs_disconnect(old));
	OK(daos_cont_destroy(poh, "files", 0, NULL));
	OK(dfs_fini());
}

int
main(void)
{
	daos_handle_t unused;

	check_open(&poh, &unused);
	OK(daos_cont_close(unused, NULL));
	/* A container of its own: going back is no neighbour's business. */
	OK(daos_cont_create_with_label(poh, "snapshots", NULL, NULL, NULL));
	OK(daos_cont_open(poh, "snapshots", DAOS_COO_RW, &coh, NULL, NULL));
	named();
	tables();
	aggregation();
	rollback();
	subscription();
	filters();
	step_down();
	file_systems();
	OK(daos_cont_close(coh, NULL));
	OK(daos_cont_destroy(poh, "snapshots", 0, NULL));
	OK(daos_pool_disconnect(poh, NULL));
	OK(daos_fini());
	printf("ok\n");
	return 0;
}
