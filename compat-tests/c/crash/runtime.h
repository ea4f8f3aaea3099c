/*
 * The hand-written half of the API crash test: what arguments look like in each variant, and who calls what. The
 * generated half (tests/system/api_crash.rs) has one function per exported function of the libraries.
 *
 * Every function is called in a child process of its own, so that a crash names it and the variant. A pointer is NULL
 * or points at exactly as many bytes as its type has, the last one in front of a page that can't be touched: one byte
 * too many is a crash, without any tool. Under valgrind uninitialised and freed memory shows as well.
 */
#include <daos.h>
#include <daos_array.h>
#include <daos_fs.h>
#include <daos_fs_sys.h>
#include <daos_kv.h>
#include <daos_mgmt.h>
#include <daos_pipeline.h>
#include <daos_security.h>
#include <daos_task.h>
#include <daos_uns.h>
#include <daos/common.h>
#include <daos/debug.h>
#include <daos/dtx.h>
#include <daos/profile.h>
#include <daos/tse.h>
#include <gurt/fault_inject.h>
#include <gurt/hash.h>
#include <gurt/heap.h>
#include <gurt/slab.h>
#include <gurt/telemetry_consumer.h>
#include <dirent.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>

/* Deprecated functions are called too. */
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"

enum handles { ZERO_HANDLE, RANDOM_HANDLE, CLOSED_HANDLE, WRONG_HANDLE, GOOD_HANDLE };
enum pointers { ALL_NULL, ZEROED, GOOD, ODD, GOOD_WITH_EVENT };

/* What stands at a pointer. */
enum content { BYTES, NUMBER, SCALARS, IOV, SGL, IOD, EVENT, PROP, TEXT };

/* Handle kinds. */
enum kind { POOL, CONT, OBJ, KV, ARRAY, TX, EQ, KINDS };

/* Things that only the library makes: NULL or a real one is handed in. */
enum made { DFS, DFS_FILE, SYS, TASK, SCHED, TABLE, HANDLES, HEAP, SLAB, STREAM, PROFILE, LIST, NONE };

struct shape {
	enum handles  handles;
	enum pointers pointers;
	int           absent; /* number of the one pointer that is NULL, or -1 */
};

struct target {
	const char *name;
	void (*call)(struct shape *);
	int pointers;
	int handles;
	int live;
};

static daos_handle_t good[KINDS], closed[KINDS];
static void         *made[NONE + 1];
static daos_event_t  event;
static int           event_used, live;
static long          page;
static struct {
	char text[256];
} *report;

#define BLOCKS	32
static struct {
	char  *base;
	size_t size;
} block[BLOCKS];
static int blocks;

/* Memory of a size in front of a page that can't be touched. */
static void *
guarded(size_t size)
{
	size_t room = (size + page - 1) / page * page;
	char  *base = mmap(NULL, room + page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (base == MAP_FAILED || mprotect(base + room, page, PROT_NONE) != 0 || blocks == BLOCKS)
		_exit(99);
	block[blocks].base   = base;
	block[blocks++].size = room + page;
	/* As aligned as the size lets it be. */
	return base + room - size;
}

static void
forget_blocks(void)
{
	while (blocks > 0) {
		blocks--;
		munmap(block[blocks].base, block[blocks].size);
	}
}

static void *place(struct shape *s, int at, size_t size, enum content content);

static d_iov_t
iov_of(struct shape *s)
{
	d_iov_t iov = {0};

	if (s->pointers == ODD) { /* a length without a buffer */
		iov.iov_len     = 5;
		iov.iov_buf_len = 5;
	} else if (s->pointers == GOOD || s->pointers == GOOD_WITH_EVENT) {
		iov.iov_buf     = guarded(8);
		iov.iov_len     = 8;
		iov.iov_buf_len = 8;
		memcpy(iov.iov_buf, "some key", 8);
	}
	return iov;
}

static void
fill(struct shape *s, void *at, size_t size, enum content content)
{
	bool good_one = s->pointers == GOOD || s->pointers == GOOD_WITH_EVENT;

	switch (content) {
	case NUMBER:
		if (s->pointers != ZEROED)
			memset(at, 1, 1); /* little endian: 1 */
		break;
	case SCALARS:
		if (s->pointers == ODD)
			memset(at, 0xff, size);
		break;
	case IOV: {
		d_iov_t iov = iov_of(s);

		memcpy(at, &iov, sizeof(iov));
		break;
	}
	case SGL: {
		d_sg_list_t sgl = {.sg_nr = s->pointers != ZEROED};

		if (good_one) {
			d_iov_t iov = iov_of(s);

			sgl.sg_iovs = guarded(sizeof(iov));
			memcpy(sgl.sg_iovs, &iov, sizeof(iov));
		}
		memcpy(at, &sgl, sizeof(sgl));
		break;
	}
	case IOD: {
		daos_iod_t iod = {.iod_size = good_one ? 8 : UINT64_MAX, .iod_nr = 1, .iod_type = good_one ? 1 : 99};

		iod.iod_name = iov_of(s);
		if (s->pointers != ZEROED)
			memcpy(at, &iod, sizeof(iod));
		break;
	}
	case EVENT:
		if (s->pointers == ODD)
			memset(at, 0xff, size);
		break;
	case PROP: {
		daos_prop_t prop = {.dpp_nr = 1};

		if (good_one) {
			struct daos_prop_entry entry = {.dpe_type = DAOS_PROP_CO_LAYOUT_TYPE, .dpe_val = 1};

			prop.dpp_entries = guarded(sizeof(entry));
			memcpy(prop.dpp_entries, &entry, sizeof(entry));
		}
		if (s->pointers != ZEROED)
			memcpy(at, &prop, sizeof(prop));
		break;
	}
	default:
		break;
	}
}

static bool
is_null(struct shape *s, int at)
{
	return s->pointers == ALL_NULL || s->absent == at;
}

/* A pointer argument. */
static void *
place(struct shape *s, int at, size_t size, enum content content)
{
	void *memory;

	if (is_null(s, at))
		return NULL;
	if (content == EVENT && s->pointers == GOOD)
		return NULL;
	if (content == EVENT && s->pointers == GOOD_WITH_EVENT) {
		if (!live || daos_event_init(&event, good[EQ], NULL) != 0)
			return NULL;
		event_used = 1;
		return &event;
	}
	memory = guarded(size);
	memset(memory, 0, size);
	fill(s, memory, size, content);
	return memory;
}

/* Memory that the callee frees. */
static void *
on_heap(struct shape *s, int at, size_t size)
{
	return is_null(s, at) ? NULL : calloc(1, size);
}

/* A text argument; `wanted` is a text that makes sense. */
static char *
text(struct shape *s, int at, const char *wanted)
{
	const char *what = "";
	char       *memory;

	if (is_null(s, at))
		return NULL;
	if (s->pointers == GOOD || s->pointers == GOOD_WITH_EVENT)
		what = wanted;
	if (s->pointers == ODD)
		what = "\xff\xfe/%s\n:=;,@ a rather long text that is no name of anything ............................................."
		       "..........................................................................................................";
	memory = guarded(strlen(what) + 1);
	return strcpy(memory, what);
}

static daos_handle_t
handle(struct shape *s, enum kind kind)
{
	daos_handle_t h = {0};

	switch (s->handles) {
	case RANDOM_HANDLE:
		h.cookie = 0x5a17c0ffee123457ull;
		break;
	case CLOSED_HANDLE:
		h = closed[kind];
		break;
	case WRONG_HANDLE:
		h = good[(kind + 1) % KINDS];
		break;
	case GOOD_HANDLE:
		h = good[kind];
		break;
	default:
		break;
	}
	return h;
}

/* A number: counts and sizes fit the one element that there is. */
static long
number(struct shape *s, int counts)
{
	if (s->pointers == ALL_NULL || s->pointers == ZEROED)
		return 0;
	return counts || s->pointers != ODD ? 1 : -1;
}

static void *
made_thing(struct shape *s, int at, enum made which)
{
	return is_null(s, at) || s->pointers == ZEROED ? NULL : made[which];
}

/* The same for a function that ends its life. */
static void *
made_thing_once(struct shape *s, int at, enum made which)
{
	void *thing = made_thing(s, at, which);

	if (thing != NULL)
		made[which] = NULL;
	return thing;
}

/* Stands for every callback: answers "stop" or "nothing". */
static long
callback(void)
{
	return 0;
}

static int
hash_cmp_never(struct d_hash_table *t, d_list_t *link, const void *key, unsigned int size)
{
	return 0;
}

static int
heap_compare(void)
{
	return 0;
}

static bool
task_func_ok(void)
{
	return 0;
}

static void
set_up_things(void)
{
	static d_hash_table_ops_t   ops;
	static struct d_binheap_ops heap_ops;
	static struct d_slab        slab;
	static d_list_t             list;
	static tse_sched_t          sched;

	ops.hop_key_cmp      = (void *)hash_cmp_never;
	heap_ops.hop_compare = (void *)heap_compare;
	d_hash_table_create(0, 4, NULL, &ops, (struct d_hash_table **)&made[TABLE]);
	d_hhash_create(0, 4, (struct d_hhash **)&made[HANDLES]);
	d_binheap_create(0, 0, NULL, &heap_ops, (struct d_binheap **)&made[HEAP]);
	if (d_slab_init(&slab, NULL) == 0)
		made[SLAB] = &slab;
	daos_profile_init((struct daos_profile **)&made[PROFILE], "/nonexistent", 1, 0, 0);
	D_INIT_LIST_HEAD(&list);
	made[LIST]   = &list;
	made[STREAM] = fopen("/dev/null", "r+");
	if (tse_sched_init(&sched, NULL, NULL) == 0) {
		made[SCHED] = &sched;
		if (tse_task_create((void *)task_func_ok, &sched, NULL, (tse_task_t **)&made[TASK]) != 0)
			made[TASK] = NULL;
	}
}

#define MUST(call) \
	do { \
		int rc_ = (call); \
		if (rc_ != 0) { \
			snprintf(report->text, sizeof(report->text), "(set-up) %s: %d", #call, rc_); \
			_exit(98); \
		} \
	} while (0)

static char container[64];

static void
open_all(daos_handle_t *h)
{
	daos_obj_id_t oid = {.lo = 1}, kv = {.lo = 2}, array = {.lo = 3};
	daos_size_t   cell, chunk;

	MUST(daos_pool_connect(getenv("DAOS_POOL"), NULL, DAOS_PC_RW, &h[POOL], NULL, NULL));
	MUST(daos_cont_open(h[POOL], container, DAOS_COO_RW, &h[CONT], NULL, NULL));
	MUST(daos_obj_generate_oid(h[CONT], &oid, 0, OC_S1, 0, 0));
	MUST(daos_obj_open(h[CONT], oid, DAOS_OO_RW, &h[OBJ], NULL));
	MUST(daos_obj_generate_oid(h[CONT], &kv, DAOS_OT_KV_HASHED, OC_S1, 0, 0));
	MUST(daos_kv_open(h[CONT], kv, DAOS_OO_RW, &h[KV], NULL));
	MUST(daos_array_generate_oid(h[CONT], &array, true, OC_S1, 0, 0));
	if (daos_array_create(h[CONT], array, DAOS_TX_NONE, 1, 1024, &h[ARRAY], NULL) != 0)
		MUST(daos_array_open(h[CONT], array, DAOS_TX_NONE, DAOS_OO_RW, &cell, &chunk, &h[ARRAY], NULL));
	MUST(daos_eq_create(&h[EQ]));
	if (daos_tx_open(h[CONT], &h[TX], 0, NULL) != 0)
		h[TX] = DAOS_TX_NONE;
}

static void
close_all(daos_handle_t *h)
{
	daos_tx_close(h[TX], NULL);
	daos_eq_destroy(h[EQ], DAOS_EQ_DESTROY_FORCE);
	daos_array_close(h[ARRAY], NULL);
	daos_kv_close(h[KV], NULL);
	daos_obj_close(h[OBJ], NULL);
	daos_cont_close(h[CONT], NULL);
	daos_pool_disconnect(h[POOL], NULL);
}

static void
set_up(void)
{
	daos_handle_t pool;
	dfs_t        *dfs;

	MUST(daos_init());
	MUST(daos_pool_connect(getenv("DAOS_POOL"), NULL, DAOS_PC_RW, &pool, NULL, NULL));
	snprintf(container, sizeof(container), "crash-%d", getpid());
	MUST(dfs_cont_create_with_label(pool, container, NULL, NULL, NULL, NULL));
	MUST(daos_pool_disconnect(pool, NULL));
	open_all(closed);
	close_all(closed);
	open_all(good);
	MUST(dfs_mount(good[POOL], good[CONT], O_RDWR, &dfs));
	made[DFS] = dfs;
	MUST(dfs_open(dfs, NULL, "file", S_IFREG | 0644, O_RDWR | O_CREAT, 0, 0, NULL, (dfs_obj_t **)&made[DFS_FILE]));
	live = 1;
}

static void
tear_down(void)
{
	daos_handle_t pool;

	/* What the function under test closed answers so. */
	daos_tx_close(good[TX], NULL);
	daos_eq_destroy(good[EQ], DAOS_EQ_DESTROY_FORCE);
	if (daos_pool_connect(getenv("DAOS_POOL"), NULL, DAOS_PC_RW, &pool, NULL, NULL) == 0) {
		daos_cont_destroy(pool, container, 1, NULL);
		daos_pool_disconnect(pool, NULL);
	}
	while (daos_fini() == 0)
		;
}

/* Waits for the event that a call was given. */
static void
settle(const char *name)
{
	daos_event_t *done;

	if (!event_used)
		return;
	event_used = 0;
	for (int i = 0; i < 200; i++) {
		bool flag = false;

		if (daos_event_test(&event, 50000, &flag) != 0 || flag)
			break;
		(void)done;
	}
	daos_event_fini(&event);
}

static const char *const handle_words[]  = {"no handle", "random handle", "closed handle", "handle of another kind",
					    "good handle"};
static const char *const pointer_words[] = {"NULL", "zeroed", "good", "odd", "good and an event"};

static void
one(const struct target *t, struct shape s)
{
	snprintf(report->text, sizeof(report->text), "%s: %s, pointers %s%s%d", t->name, handle_words[s.handles],
		 pointer_words[s.pointers], s.absent >= 0 ? ", NULL number " : " / ", s.absent);
	if (getenv("CRASH_TRACE") != NULL)
		fprintf(stderr, "%s\n", report->text);
	t->call(&s);
	settle(t->name);
	forget_blocks();
}

static void
all_variants(const struct target *t)
{
	for (int h = ZERO_HANDLE; t->handles && h < GOOD_HANDLE; h++) {
		one(t, (struct shape){h, ALL_NULL, -1});
		one(t, (struct shape){h, ZEROED, -1});
		one(t, (struct shape){h, GOOD, -1});
	}
	one(t, (struct shape){GOOD_HANDLE, ALL_NULL, -1});
	one(t, (struct shape){GOOD_HANDLE, ZEROED, -1});
	one(t, (struct shape){GOOD_HANDLE, ODD, -1});
	for (int p = 0; p < t->pointers; p++)
		one(t, (struct shape){GOOD_HANDLE, GOOD, p});
	if (live)
		one(t, (struct shape){GOOD_HANDLE, GOOD_WITH_EVENT, -1});
	one(t, (struct shape){GOOD_HANDLE, GOOD, -1});
}

static void
child(const struct target *t, const char *phase)
{
	const char *limit = getenv("CRASH_LIMIT");

	alarm(limit != NULL ? atoi(limit) : 120);
	if (freopen("/dev/null", "r", stdin) == NULL)
		_exit(97);
	if (strcmp(phase, "live") == 0)
		set_up();
	if (strcmp(phase, "after") == 0) {
		MUST(daos_init());
		MUST(daos_fini());
	}
	set_up_things();
	all_variants(t);
	if (live)
		tear_down();
	exit(0);
}

/* Calls the functions (all, or those named): crash PHASE [NAME]..., PHASE being before, live or after. */
static int
run(const struct target *targets, int count, int argc, char **argv)
{
	int failed = 0, called = 0;

	page   = sysconf(_SC_PAGESIZE);
	report = mmap(NULL, sizeof(*report), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (argc < 2 || report == MAP_FAILED)
		return 2;
	for (int i = 0; i < count; i++) {
		int   status, wanted = argc == 2;
		pid_t pid;

		for (int a = 2; a < argc; a++)
			wanted |= strcmp(argv[a], targets[i].name) == 0;
		if (!wanted || (argc == 2 && strcmp(argv[1], "before") != 0 && !targets[i].live))
			continue;
		report->text[0] = '\0';
		fflush(NULL);
		pid = fork();
		if (pid == 0)
			child(&targets[i], argv[1]);
		if (pid < 0 || waitpid(pid, &status, 0) != pid)
			return 2;
		called++;
		if (status != 0) {
			failed++;
			printf("%s: %s %d in %s\n", targets[i].name, WIFSIGNALED(status) ? "signal" : "exit",
			       WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status), report->text);
		}
	}
	printf("%s: %d functions called, %d failed\n", argv[1], called, failed);
	return failed != 0;
}
