/* dfs_basic.c: libdfs through C: every call of this version once, with the errno values it must give.
 *
 * DAOS_POOL and DAOS_CONT name a pool and a POSIX container. Exits 0 when all held; says what didn't.
 */
#include <daos.h>
#include <daos_fs.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/xattr.h>
#include <unistd.h>

static int failures;

#define IS(call, wanted)                                                                                               \
	do {                                                                                                           \
		int rc_ = (call);                                                                                      \
		if (rc_ != (wanted)) {                                                                                 \
			printf("line %d: %s is %d (%s), not %d\n", __LINE__, #call, rc_, strerror(rc_), (wanted));     \
			failures++;                                                                                    \
		}                                                                                                      \
	} while (0)
#define OK(call) IS(call, 0)
#define HOLDS(what)                                                                                                    \
	do {                                                                                                           \
		if (!(what)) {                                                                                         \
			printf("line %d: not so: %s\n", __LINE__, #what);                                              \
			failures++;                                                                                    \
		}                                                                                                      \
	} while (0)

static dfs_t *dfs;

static int write_at(dfs_obj_t *file, const void *data, size_t size, daos_off_t offset)
{
	d_iov_t     iov;
	d_sg_list_t sgl = {.sg_nr = 1, .sg_iovs = &iov};

	d_iov_set(&iov, (void *)data, size);
	return dfs_write(dfs, file, &sgl, offset, NULL);
}

static int read_at(dfs_obj_t *file, void *data, size_t size, daos_off_t offset, daos_size_t *got)
{
	d_iov_t     iov;
	d_sg_list_t sgl = {.sg_nr = 1, .sg_iovs = &iov};

	d_iov_set(&iov, data, size);
	return dfs_read(dfs, file, &sgl, offset, got, NULL);
}

static dfs_obj_t *create(dfs_obj_t *dir, const char *name)
{
	dfs_obj_t *file = NULL;

	OK(dfs_open(dfs, dir, name, S_IFREG | 0644, O_CREAT | O_RDWR | O_EXCL, 0, 0, NULL, &file));
	return file;
}

static void files(dfs_obj_t *dir)
{
	enum { BIG = 3 << 20 };
	dfs_obj_t  *file = create(dir, "file"), *again = NULL;
	char       *data = malloc(BIG), *back = malloc(BIG + 100);
	daos_size_t got = 0, size = 0;
	struct stat st;

	IS(dfs_open(dfs, dir, "file", S_IFREG | 0644, O_CREAT | O_RDWR | O_EXCL, 0, 0, NULL, &again), EEXIST);
	IS(dfs_open(dfs, dir, "none", S_IFREG | 0644, O_RDWR, 0, 0, NULL, &again), ENOENT);
	IS(dfs_open(dfs, dir, "a/b", S_IFREG | 0644, O_CREAT | O_RDWR, 0, 0, NULL, &again), EINVAL);
	IS(dfs_open(dfs, dir, "file", S_IFREG | 0644, O_RDWR | O_APPEND, 0, 0, NULL, &again), ENOTSUP);
	for (int i = 0; i < BIG; i++)
		data[i] = (char)(i * 7 + i / 4096);
	OK(write_at(file, data, BIG, 0));
	OK(read_at(file, back, BIG + 100, 0, &got));
	HOLDS(got == BIG && memcmp(data, back, BIG) == 0);
	OK(read_at(file, back, 100, BIG + 5, &got));
	HOLDS(got == 0);
	OK(write_at(file, "tail", 4, BIG + 4096));
	OK(dfs_get_size(dfs, file, &size));
	HOLDS(size == BIG + 4100);
	memset(back, 1, 100);
	OK(read_at(file, back, 50, BIG + 10, &got));
	HOLDS(got == 50);
	OK(dfs_ostat(dfs, file, &st));
	HOLDS(st.st_size == BIG + 4100 && S_ISREG(st.st_mode) && (st.st_mode & 0777) == 0644 && st.st_nlink == 1);
	OK(dfs_punch(dfs, file, 1000, DFS_MAX_FSIZE));
	OK(dfs_get_size(dfs, file, &size));
	HOLDS(size == 1000);
	OK(dfs_punch(dfs, file, 100, 200));
	OK(dfs_get_size(dfs, file, &size));
	HOLDS(size == 1000);
	OK(dfs_dup(dfs, file, O_RDONLY, &again));
	IS(write_at(again, "x", 1, 0), EPERM);
	OK(read_at(again, back, 100, 0, &got));
	HOLDS(got == 100 && memcmp(data, back, 100) == 0);
	OK(dfs_release(again));
	OK(dfs_open(dfs, dir, "file", S_IFREG | 0644, O_RDWR | O_TRUNC, 0, 0, NULL, &again));
	OK(dfs_get_size(dfs, again, &size));
	HOLDS(size == 0);
	OK(dfs_release(again));
	OK(dfs_release(file));

	/* Ranges and iovs that don't match one another. */
	file = create(dir, "ranges");
	{
		daos_range_t ranges[2] = {{.rg_idx = 10, .rg_len = 30}, {.rg_idx = 1048570, .rg_len = 20}};
		dfs_iod_t    iod = {.iod_nr = 2, .iod_rgs = ranges};
		d_iov_t      iovs[3];
		d_sg_list_t  sgl = {.sg_nr = 3, .sg_iovs = iovs};

		d_iov_set(&iovs[0], data, 5);
		d_iov_set(&iovs[1], data + 5, 40);
		d_iov_set(&iovs[2], data + 45, 5);
		OK(dfs_writex(dfs, file, &iod, &sgl, NULL));
		d_iov_set(&iovs[0], back, 45);
		d_iov_set(&iovs[1], back + 45, 5);
		sgl.sg_nr = 2;
		OK(dfs_readx(dfs, file, &iod, &sgl, &got, NULL));
		HOLDS(got == 50 && memcmp(data, back, 50) == 0);
	}
	OK(dfs_release(file));
	free(data);
	free(back);
}

static void names(dfs_obj_t *dir)
{
	dfs_obj_t    *sub = NULL, *file = NULL, *link = NULL, *found = NULL;
	mode_t        mode = 0;
	char          target[64], long_name[300];
	daos_size_t   size = sizeof(target);
	struct stat   st;
	daos_obj_id_t oid;

	OK(dfs_mkdir(dfs, dir, "sub", 0755, 0));
	IS(dfs_mkdir(dfs, dir, "sub", 0755, 0), EEXIST);
	memset(long_name, 'n', sizeof(long_name));
	long_name[299] = 0;
	IS(dfs_mkdir(dfs, dir, long_name, 0755, 0), EINVAL);
	long_name[255] = 0;
	OK(dfs_mkdir(dfs, dir, long_name, 0755, 0));
	OK(dfs_remove(dfs, dir, long_name, false, NULL));
	OK(dfs_lookup_rel(dfs, dir, "sub", O_RDWR, &sub, &mode, &st));
	HOLDS(S_ISDIR(mode) && S_ISDIR(st.st_mode));
	file = create(sub, "inner");
	OK(write_at(file, "inner", 5, 0));
	IS(dfs_remove(dfs, dir, "sub", false, NULL), ENOTEMPTY);
	IS(dfs_remove(dfs, dir, "nothing", false, NULL), ENOENT);
	IS(dfs_lookup_rel(dfs, file, "x", O_RDONLY, &found, NULL, NULL), ENOTDIR);

	OK(dfs_open(dfs, dir, "link", S_IFLNK | 0777, O_CREAT, 0, 0, "sub/inner", &link));
	OK(dfs_get_symlink_value(link, target, &size));
	HOLDS(size == 10 && strcmp(target, "sub/inner") == 0);
	OK(dfs_release(link));
	OK(dfs_lookup_rel(dfs, dir, "link", O_RDONLY, &found, &mode, &st));
	HOLDS(S_ISREG(mode) && st.st_size == 5);
	OK(dfs_release(found));
	OK(dfs_lookup_rel(dfs, dir, "link", O_RDONLY | O_NOFOLLOW, &found, &mode, &st));
	HOLDS(S_ISLNK(mode) && st.st_size == 9);
	OK(dfs_release(found));
	OK(dfs_lookup(dfs, "/basic/sub/../link", O_RDONLY, &found, &mode, NULL));
	HOLDS(S_ISREG(mode));
	OK(dfs_release(found));
	OK(dfs_open(dfs, dir, "loop", S_IFLNK | 0777, O_CREAT, 0, 0, "loop", &link));
	OK(dfs_release(link));
	IS(dfs_lookup(dfs, "/basic/loop", O_RDONLY, &found, NULL, NULL), ELOOP);
	IS(dfs_lookup(dfs, "/basic/sub/inner/x", O_RDONLY, &found, NULL, NULL), ENOTDIR);
	IS(dfs_lookup(dfs, "basic", O_RDONLY, &found, NULL, NULL), EINVAL);

	OK(dfs_move(dfs, sub, "inner", dir, "moved", NULL));
	IS(dfs_stat(dfs, sub, "inner", &st), ENOENT);
	OK(dfs_stat(dfs, dir, "moved", &st));
	HOLDS(st.st_size == 5);
	OK(dfs_release(file));
	file = create(dir, "other");
	OK(write_at(file, "other!", 6, 0));
	OK(dfs_release(file));
	OK(dfs_exchange(dfs, dir, "moved", dir, "other"));
	OK(dfs_stat(dfs, dir, "moved", &st));
	HOLDS(st.st_size == 6);
	OK(dfs_move(dfs, dir, "moved", dir, "other", &oid));
	OK(dfs_stat(dfs, dir, "other", &st));
	HOLDS(st.st_size == 6);
	IS(dfs_move(dfs, dir, "nothing", dir, "x", NULL), ENOENT);
	file = create(sub, "again");
	OK(dfs_release(file));
	OK(dfs_release(sub));
	OK(dfs_remove(dfs, dir, "sub", true, &oid));
	IS(dfs_stat(dfs, dir, "sub", &st), ENOENT);
}

static int count_names(dfs_t *mounted, dfs_obj_t *obj, const char name[], void *arg)
{
	(void)mounted;
	(void)obj;
	(void)name;
	++*(int *)arg;
	return 0;
}

static void listing(dfs_obj_t *dir)
{
	enum { COUNT = 150 };
	dfs_obj_t    *many = NULL, *file;
	daos_anchor_t anchor = {0};
	struct dirent entries[16];
	struct stat   stats[16];
	char          name[32], seen[COUNT] = {0};
	int           total = 0, iterated = 0;

	OK(dfs_open(dfs, dir, "many", S_IFDIR | 0755, O_CREAT | O_RDWR, 0, 0, NULL, &many));
	for (int i = 0; i < COUNT; i++) {
		snprintf(name, sizeof(name), "n%d", i);
		file = create(many, name);
		OK(dfs_release(file));
	}
	while (!daos_anchor_is_eof(&anchor)) {
		uint32_t nr = 16;

		OK(dfs_readdir(dfs, many, &anchor, &nr, entries));
		for (uint32_t i = 0; i < nr; i++) {
			int number = atoi(entries[i].d_name + 1);

			HOLDS(entries[i].d_name[0] == 'n' && number >= 0 && number < COUNT && !seen[number]);
			seen[number] = 1;
			total++;
		}
		if (nr == 0 && !daos_anchor_is_eof(&anchor))
			break;
	}
	HOLDS(total == COUNT);
	memset(&anchor, 0, sizeof(anchor));
	total = 0;
	while (!daos_anchor_is_eof(&anchor)) {
		uint32_t nr = 16;

		OK(dfs_readdirplus(dfs, many, &anchor, &nr, entries, stats));
		for (uint32_t i = 0; i < nr; i++)
			HOLDS(S_ISREG(stats[i].st_mode) && stats[i].st_size == 0);
		total += nr;
		if (nr == 0)
			break;
	}
	HOLDS(total == COUNT);
	memset(&anchor, 0, sizeof(anchor));
	while (!daos_anchor_is_eof(&anchor)) {
		uint32_t nr = 40;

		OK(dfs_iterate(dfs, many, &anchor, &nr, 40 * DFS_MAX_NAME, count_names, &iterated));
		if (nr == 0)
			break;
	}
	HOLDS(iterated == COUNT);
	OK(dfs_release(many));
}

static void attributes(dfs_obj_t *dir)
{
	dfs_obj_t     *file = create(dir, "attr");
	struct stat    st, before;
	char           value[64], list[256];
	daos_size_t    size;
	struct timespec old = {.tv_sec = 1000000000, .tv_nsec = 5};

	OK(dfs_ostat(dfs, file, &before));
	OK(dfs_chmod(dfs, dir, "attr", 0600));
	IS(dfs_chmod(dfs, dir, "attr", S_IFDIR | 0600), EINVAL);
	OK(dfs_stat(dfs, dir, "attr", &st));
	HOLDS((st.st_mode & 07777) == 0600 && S_ISREG(st.st_mode));
	OK(dfs_chown(dfs, dir, "attr", 1234, -1, 0));
	OK(dfs_stat(dfs, dir, "attr", &st));
	HOLDS(st.st_uid == 1234 && st.st_gid == before.st_gid);
	OK(dfs_access(dfs, dir, "attr", F_OK));
	IS(dfs_access(dfs, dir, "nothing", F_OK), ENOENT);
	OK(write_at(file, "abc", 3, 0));
	memset(&st, 0, sizeof(st));
	st.st_mtim = old;
	st.st_size = 77;
	OK(dfs_osetattr(dfs, file, &st, DFS_SET_ATTR_MTIME | DFS_SET_ATTR_SIZE));
	HOLDS(st.st_size == 77 && st.st_mtim.tv_sec == old.tv_sec && st.st_mtim.tv_nsec == old.tv_nsec);
	OK(write_at(file, "d", 1, 0));
	OK(dfs_ostat(dfs, file, &st));
	HOLDS(st.st_mtim.tv_sec > old.tv_sec);

	OK(dfs_setxattr(dfs, file, "user.one", "first", 5, 0));
	IS(dfs_setxattr(dfs, file, "user.one", "x", 1, XATTR_CREATE), EEXIST);
	IS(dfs_setxattr(dfs, file, "user.two", "x", 1, XATTR_REPLACE), ENODATA);
	OK(dfs_setxattr(dfs, file, "user.two", "second", 6, XATTR_CREATE));
	size = 0;
	OK(dfs_getxattr(dfs, file, "user.two", NULL, &size));
	HOLDS(size == 6);
	size = sizeof(value);
	OK(dfs_getxattr(dfs, file, "user.two", value, &size));
	HOLDS(size == 6 && memcmp(value, "second", 6) == 0);
	size = 2;
	IS(dfs_getxattr(dfs, file, "user.two", value, &size), ERANGE);
	size = sizeof(value);
	IS(dfs_getxattr(dfs, file, "user.none", value, &size), ENODATA);
	size = sizeof(list);
	OK(dfs_listxattr(dfs, file, list, &size));
	HOLDS(size == 18);
	OK(dfs_move(dfs, dir, "attr", dir, "attr2", NULL));
	OK(dfs_release(file));
	OK(dfs_open(dfs, dir, "attr2", S_IFREG, O_RDWR, 0, 0, NULL, &file));
	size = sizeof(value);
	OK(dfs_getxattr(dfs, file, "user.one", value, &size));
	HOLDS(size == 5);
	OK(dfs_removexattr(dfs, file, "user.one"));
	IS(dfs_removexattr(dfs, file, "user.one"), ENODATA);
	OK(dfs_release(file));
}

static void bad_pointers(void)
{
	dfs_obj_t *obj;

	IS(dfs_mount(DAOS_HDL_INVAL, DAOS_HDL_INVAL, O_RDWR, NULL), EINVAL);
	IS(dfs_umount(NULL), EINVAL);
	IS(dfs_release(NULL), EINVAL);
	IS(dfs_lookup(NULL, "/", O_RDONLY, &obj, NULL, NULL), EINVAL);
	IS(dfs_lookup(dfs, NULL, O_RDONLY, &obj, NULL, NULL), EINVAL);
	IS(dfs_stat(dfs, NULL, NULL, NULL), EINVAL);
	IS(dfs_read(dfs, NULL, NULL, 0, NULL, NULL), EINVAL);
}

int main(void)
{
	const char   *pool = getenv("DAOS_POOL"), *cont = getenv("DAOS_CONT");
	daos_handle_t poh, coh;
	dfs_obj_t    *dir = NULL;
	dfs_attr_t    attr;
	struct stat   st;

	if (pool == NULL || cont == NULL)
		return 2;
	OK(daos_init());
	OK(daos_pool_connect(pool, NULL, DAOS_PC_RW, &poh, NULL, NULL));
	OK(daos_cont_open(poh, cont, DAOS_COO_RW, &coh, NULL, NULL));
	OK(dfs_mount(poh, coh, O_RDWR, &dfs));
	if (failures)
		return 1;
	OK(dfs_query(dfs, &attr));
	HOLDS(attr.da_chunk_size == 1 << 20);
	dfs_remove(dfs, NULL, "basic", true, NULL);
	OK(dfs_open(dfs, NULL, "basic", S_IFDIR | 0755, O_CREAT | O_RDWR, 0, 0, NULL, &dir));
	if (failures)
		return 1;
	files(dir);
	names(dir);
	listing(dir);
	attributes(dir);
	bad_pointers();
	OK(dfs_stat(dfs, NULL, NULL, &st));
	HOLDS(S_ISDIR(st.st_mode));
	OK(dfs_sync(dfs));
	OK(dfs_release(dir));
	OK(dfs_remove(dfs, NULL, "basic", true, NULL));
	OK(dfs_umount(dfs));
	OK(daos_cont_close(coh, NULL));
	OK(daos_pool_disconnect(poh, NULL));
	OK(daos_fini());
	if (failures == 0)
		printf("dfs_basic: all held\n");
	return failures != 0;
}
