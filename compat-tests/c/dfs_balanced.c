/* dfs_balanced.c: a balanced mount: moves, exchanges and removals are transactions, also against each other.
 *
 * DAOS_POOL names a pool. Exits 0 when all held; says what didn't.
 */
#include <daos.h>
#include <daos_fs.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define THREADS 3
#define ROUNDS  25

static int failures;

#define IS(call, wanted)                                                                                               \
	do {                                                                                                           \
		int rc_ = (call);                                                                                      \
		if (rc_ != (wanted)) {                                                                                 \
			printf("line %d: %s is %d (%s), not %d\n", __LINE__, #call, rc_, strerror(rc_), (wanted));     \
			__atomic_fetch_add(&failures, 1, __ATOMIC_RELAXED);                                            \
		}                                                                                                      \
	} while (0)
#define OK(call) IS(call, 0)

static dfs_t        *dfs;
static dfs_obj_t    *one, *two;
static volatile bool stop;
static const char   *names[3] = {"a", "b", "c"};

static dfs_obj_t *
directory(int index)
{
	return index == 1 ? two : one;
}

static daos_obj_id_t
make(dfs_obj_t *parent, const char *name, mode_t type)
{
	dfs_obj_t    *made = NULL;
	daos_obj_id_t oid  = {0};

	OK(dfs_open(dfs, parent, name, type | 0755, O_CREAT | O_RDWR | O_EXCL, 0, 0, NULL, &made));
	if (made != NULL) {
		OK(dfs_obj2id(made, &oid));
		OK(dfs_release(made));
	}
	return oid;
}

static daos_obj_id_t
look_up(dfs_obj_t *parent, const char *name)
{
	dfs_obj_t    *found = NULL;
	daos_obj_id_t oid   = {0};

	OK(dfs_lookup_rel(dfs, parent, name, O_RDONLY, &found, NULL, NULL));
	if (found != NULL) {
		OK(dfs_obj2id(found, &oid));
		OK(dfs_release(found));
	}
	return oid;
}

static bool
same(daos_obj_id_t left, daos_obj_id_t right)
{
	return left.lo == right.lo && left.hi == right.hi;
}

static void *
exchange(void *argument)
{
	int first = (int)(size_t)argument, second = (first + 1) % 3;

	for (int round = 0; round < ROUNDS; round++)
		OK(dfs_exchange(dfs, directory(first), (char *)names[first], directory(second), (char *)names[second]));
	return NULL;
}

/* Each name is there whenever one looks: an exchange is no removal followed by an insertion. */
static void *
watch(void *argument)
{
	(void)argument;
	while (!stop) {
		for (int i = 0; i < 3; i++) {
			struct stat stbuf;

			OK(dfs_stat(dfs, directory(i), names[i], &stbuf));
		}
	}
	return NULL;
}

static void
test_names(void)
{
	daos_obj_id_t file = make(one, "file", S_IFREG), other = make(two, "other", S_IFREG), replaced = {0};

	OK(dfs_move(dfs, one, "file", two, "moved", NULL));
	IS(!same(look_up(two, "moved"), file), 0);
	OK(dfs_move(dfs, two, "moved", two, "other", &replaced));
	IS(!same(replaced, other), 0);
	IS(!same(look_up(two, "other"), file), 0);
	make(one, "second", S_IFREG);
	OK(dfs_exchange(dfs, one, "second", two, "other"));
	IS(!same(look_up(one, "second"), file), 0);
	OK(dfs_remove(dfs, one, "second", false, &replaced));
	IS(!same(replaced, file), 0);
	IS(dfs_remove(dfs, one, "second", false, NULL), ENOENT);
	OK(dfs_remove(dfs, two, "other", false, NULL));

	OK(dfs_mkdir(dfs, one, "full", 0755, 0));
	{
		dfs_obj_t *full = NULL, *below = NULL;

		OK(dfs_lookup_rel(dfs, one, "full", O_RDWR, &full, NULL, NULL));
		make(full, "inside", S_IFREG);
		OK(dfs_mkdir(dfs, full, "below", 0755, 0));
		OK(dfs_lookup_rel(dfs, full, "below", O_RDWR, &below, NULL, NULL));
		make(below, "deep", S_IFREG);
		OK(dfs_release(below));
		OK(dfs_release(full));
	}
	IS(dfs_remove(dfs, one, "full", false, NULL), ENOTEMPTY);
	OK(dfs_mkdir(dfs, one, "empty", 0755, 0));
	IS(dfs_move(dfs, one, "empty", one, "full", NULL), ENOTEMPTY);
	OK(dfs_move(dfs, one, "full", one, "empty", NULL));
	OK(dfs_remove(dfs, one, "empty", true, NULL));
	{
		dfs_obj_t *gone = NULL;

		IS(dfs_lookup_rel(dfs, one, "empty", O_RDONLY, &gone, NULL, NULL), ENOENT);
	}
}

static void
test_threads(void)
{
	pthread_t     threads[THREADS], watcher;
	daos_obj_id_t before[3], after[3];

	for (int i = 0; i < 3; i++)
		before[i] = make(directory(i), names[i], S_IFREG);
	pthread_create(&watcher, NULL, watch, NULL);
	for (size_t i = 0; i < THREADS; i++)
		pthread_create(&threads[i], NULL, exchange, (void *)i);
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	stop = true;
	pthread_join(watcher, NULL);
	for (int i = 0; i < 3; i++)
		after[i] = look_up(directory(i), names[i]);
	for (int i = 0; i < 3; i++) {
		int found = 0;

		for (int j = 0; j < 3; j++)
			found += same(before[i], after[j]);
		IS(found, 1);
	}
}

int
main(void)
{
	daos_handle_t poh, coh;
	dfs_attr_t    attr = {.da_mode = DFS_BALANCED};
	uuid_t        uuid;
	char          text[40];

	OK(dfs_init());
	OK(-daos_pool_connect(getenv("DAOS_POOL"), NULL, DAOS_PC_RW, &poh, NULL, NULL));
	OK(dfs_cont_create(poh, &uuid, &attr, &coh, &dfs));
	if (failures > 0)
		return 1;
	OK(dfs_umount(dfs));
	IS(dfs_mount(poh, coh, O_RDWR, &dfs), EPERM);
	OK(dfs_mount(poh, coh, O_RDWR | DFS_BALANCED, &dfs));
	if (failures > 0)
		return 1;
	OK(dfs_mkdir(dfs, NULL, "one", 0755, 0));
	OK(dfs_mkdir(dfs, NULL, "two", 0755, 0));
	OK(dfs_lookup_rel(dfs, NULL, "one", O_RDWR, &one, NULL, NULL));
	OK(dfs_lookup_rel(dfs, NULL, "two", O_RDWR, &two, NULL, NULL));
	test_names();
	test_threads();
	OK(dfs_release(one));
	OK(dfs_release(two));
	OK(dfs_umount(dfs));
	OK(-daos_cont_close(coh, NULL));
	uuid_unparse(uuid, text);
	OK(-daos_cont_destroy(poh, text, 0, NULL));
	OK(-daos_pool_disconnect(poh, NULL));
	OK(dfs_fini());
	printf("%d failures\n", failures);
	return failures != 0;
}
