/* demo.c: keys and values, an array, and a POSIX file, through libdaos and libdfs.
 *
 * cc demo.c $(pkg-config --cflags --libs daos dfs) -o demo
 * DAOS_POOL and DAOS_CONT name a pool and a POSIX container.
 */
#include <daos.h>
#include <daos_fs.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define CHECK(call)                                                                                                    \
	do {                                                                                                           \
		int rc_ = (call);                                                                                      \
		if (rc_ != 0) {                                                                                        \
			fprintf(stderr, "%s:%d: %s failed: %d\n", __FILE__, __LINE__, #call, rc_);                     \
			exit(1);                                                                                       \
		}                                                                                                      \
	} while (0)

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + t.tv_nsec / 1e9;
}

static void expect(int holds, const char *what)
{
	if (!holds) {
		fprintf(stderr, "wrong: %s\n", what);
		exit(1);
	}
}

/* Puts and gets a thousand values of 100 bytes. */
static void key_value(daos_handle_t coh)
{
	enum { COUNT = 1000, SIZE = 100 };
	daos_obj_id_t oid = {.lo = 1, .hi = 0};
	daos_handle_t kv;
	char          value[SIZE], back[SIZE], key[32];
	double        start, middle, end;

	CHECK(daos_obj_generate_oid(coh, &oid, DAOS_OT_KV_HASHED, OC_SX, 0, 0));
	CHECK(daos_kv_open(coh, oid, DAOS_OO_RW, &kv, NULL));
	start = now();
	for (int i = 0; i < COUNT; i++) {
		snprintf(key, sizeof(key), "key-%d", i);
		memset(value, i, SIZE);
		CHECK(daos_kv_put(kv, DAOS_TX_NONE, 0, key, SIZE, value, NULL));
	}
	middle = now();
	for (int i = 0; i < COUNT; i++) {
		daos_size_t size = SIZE;

		snprintf(key, sizeof(key), "key-%d", i);
		memset(value, i, SIZE);
		CHECK(daos_kv_get(kv, DAOS_TX_NONE, 0, key, &size, back, NULL));
		expect(size == SIZE && memcmp(value, back, SIZE) == 0, "a value read back");
	}
	end = now();
	CHECK(daos_kv_close(kv, NULL));
	printf("key-value   %d puts of %d B at %.1f us, gets at %.1f us each\n", COUNT, SIZE,
	       (middle - start) / COUNT * 1e6, (end - middle) / COUNT * 1e6);
}

/* Writes and reads 64 MiB of an array, 1 MiB at a time. */
static void array(daos_handle_t coh)
{
	enum { COUNT = 64, SIZE = 1 << 20 };
	daos_obj_id_t    oid = {.lo = 2, .hi = 0};
	daos_handle_t    oh;
	daos_range_t     range;
	daos_array_iod_t iod = {.arr_nr = 1, .arr_rgs = &range};
	d_iov_t          iov;
	d_sg_list_t      sgl = {.sg_nr = 1, .sg_iovs = &iov};
	char            *data = malloc(SIZE), *back = malloc(SIZE);
	daos_size_t      size;
	double           start, middle, end;

	CHECK(daos_array_generate_oid(coh, &oid, true, OC_SX, 0, 0));
	CHECK(daos_array_create(coh, oid, DAOS_TX_NONE, 1, SIZE, &oh, NULL));
	start = now();
	for (int i = 0; i < COUNT; i++) {
		memset(data, i, SIZE);
		range.rg_idx = (daos_off_t)i * SIZE;
		range.rg_len = SIZE;
		d_iov_set(&iov, data, SIZE);
		CHECK(daos_array_write(oh, DAOS_TX_NONE, &iod, &sgl, NULL));
	}
	middle = now();
	for (int i = 0; i < COUNT; i++) {
		memset(data, i, SIZE);
		range.rg_idx = (daos_off_t)i * SIZE;
		range.rg_len = SIZE;
		d_iov_set(&iov, back, SIZE);
		CHECK(daos_array_read(oh, DAOS_TX_NONE, &iod, &sgl, NULL));
		expect(memcmp(data, back, SIZE) == 0, "a part of the array read back");
	}
	end = now();
	CHECK(daos_array_get_size(oh, DAOS_TX_NONE, &size, NULL));
	expect(size == (daos_size_t)COUNT * SIZE, "the array's size");
	CHECK(daos_array_destroy(oh, DAOS_TX_NONE, NULL));
	CHECK(daos_array_close(oh, NULL));
	printf("array       %d MiB written at %.0f MiB/s, read at %.0f MiB/s\n", COUNT, COUNT / (middle - start),
	       COUNT / (end - middle));
	free(data);
	free(back);
}

/* Makes a directory and a file in it, writes, stats and lists. */
static void posix(daos_handle_t poh, daos_handle_t coh)
{
	const char    text[] = "hello from a POSIX container\n";
	char          back[sizeof(text)];
	dfs_t        *dfs;
	dfs_obj_t    *dir, *file;
	d_iov_t       iov;
	d_sg_list_t   sgl = {.sg_nr = 1, .sg_iovs = &iov};
	daos_size_t   got;
	struct stat   st;
	struct dirent entries[8];
	daos_anchor_t anchor = {0};
	uint32_t      count  = 8;
	mode_t        mode;

	CHECK(dfs_mount(poh, coh, O_RDWR, &dfs));
	dfs_remove(dfs, NULL, "demo", true, NULL);
	CHECK(dfs_mkdir(dfs, NULL, "demo", 0755, 0));
	CHECK(dfs_lookup(dfs, "/demo", O_RDWR, &dir, &mode, NULL));
	CHECK(dfs_open(dfs, dir, "hello.txt", S_IFREG | 0644, O_CREAT | O_RDWR, 0, 0, NULL, &file));
	d_iov_set(&iov, (void *)text, sizeof(text));
	CHECK(dfs_write(dfs, file, &sgl, 0, NULL));
	d_iov_set(&iov, back, sizeof(back));
	CHECK(dfs_read(dfs, file, &sgl, 0, &got, NULL));
	expect(got == sizeof(text) && memcmp(text, back, got) == 0, "the file read back");
	CHECK(dfs_ostat(dfs, file, &st));
	expect(st.st_size == sizeof(text) && S_ISREG(st.st_mode), "the file's attributes");
	CHECK(dfs_readdir(dfs, dir, &anchor, &count, entries));
	expect(count == 1 && strcmp(entries[0].d_name, "hello.txt") == 0, "the listing");
	CHECK(dfs_release(file));
	CHECK(dfs_release(dir));
	CHECK(dfs_umount(dfs));
	printf("POSIX       /demo/hello.txt: %zu bytes written, read, listed\n", sizeof(text));
}

int main(void)
{
	const char   *pool = getenv("DAOS_POOL"), *cont = getenv("DAOS_CONT");
	daos_handle_t poh, coh;

	if (pool == NULL || cont == NULL) {
		fprintf(stderr, "set DAOS_POOL and DAOS_CONT to a pool and a POSIX container\n");
		return 2;
	}
	CHECK(daos_init());
	CHECK(daos_pool_connect(pool, NULL, DAOS_PC_RW, &poh, NULL, NULL));
	CHECK(daos_cont_open(poh, cont, DAOS_COO_RW, &coh, NULL, NULL));
	key_value(coh);
	array(coh);
	posix(poh, coh);
	CHECK(daos_cont_close(coh, NULL));
	CHECK(daos_pool_disconnect(poh, NULL));
	CHECK(daos_fini());
	return 0;
}
