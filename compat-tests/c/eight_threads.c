/*
 * Aim: eight threads on one pool, container and object handle, each with a queue of its own, all with a shared queue and a
 * shared scheduler: nothing is lost, nothing is completed twice, nothing hangs, every value read is the one written.
 * DAOS_THREAD_SECONDS says how long (default 1).
 */
#include "../../libdaos/tests/c/check.h"
#include <daos_task.h>
#include <pthread.h>
#include <time.h>
#include <unistd.h>

#define THREADS 8
#define DEPTH	4

enum kind { OWN, SHARED, NO_QUEUE, TASK, BLOCKING, KINDS };

static daos_handle_t    poh, coh, oh, shared;
static tse_sched_t      sched;
static pthread_barrier_t start;
static double           seconds = 1;

/* One operation: put a value, or get it and compare. */
struct op {
	daos_event_t ev;
	int          mine;
	int          step;
	int          under_way;
	int          completions;
	char         key[32];
	uint64_t     value, back;
	daos_size_t  size;
};

struct thread {
	pthread_t thread;
	int       number;
	uint64_t  done[KINDS];
	struct op ops[KINDS][DEPTH];
};

static struct thread threads[THREADS];

static double
now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + t.tv_nsec / 1e9;
}

static int
called(void *arg, daos_event_t *ev, int rc)
{
	struct op *op = arg;

	CHECK(ev == &op->ev && rc == 0);
	__atomic_add_fetch(&op->completions, 1, __ATOMIC_ACQ_REL);
	return 0;
}

static void
prepare(struct op *op, int number, enum kind kind, int index)
{
	sprintf(op->key, "t%d-k%d-%d-%d", number, kind, index, op->step / 2 % 50);
	if (op->step % 2 == 0)
		op->value = (uint64_t)number << 48 | (uint64_t)kind << 40 | op->step;
	op->back = 0;
	op->size = sizeof(op->back);
	__atomic_store_n(&op->under_way, 1, __ATOMIC_RELEASE);
}

static void
launch(struct op *op, int number, enum kind kind, int index, daos_event_t *ev)
{
	prepare(op, number, kind, index);
	if (ev != NULL)
		OK(daos_event_register_comp_cb(ev, called, op));
	if (op->step % 2 == 0)
		OK(daos_kv_put(oh, DAOS_TX_NONE, 0, op->key, sizeof(op->value), &op->value, ev));
	else
		OK(daos_kv_get(oh, DAOS_TX_NONE, 0, op->key, &op->size, &op->back, ev));
}

/* The owner has seen that its operation is over. */
static void
check(struct op *op)
{
	if (op->step % 2 == 1)
		CHECK(op->size == sizeof(op->back) && op->back == op->value);
	op->step++;
}

/* Whoever took the event off a queue tells its owner. */
static void
reap(daos_event_t *ev)
{
	struct op *op = (struct op *)ev;

	CHECK(ev->ev_error == 0);
	CHECK(__atomic_exchange_n(&op->under_way, 0, __ATOMIC_ACQ_REL) == 1);
}

static void
reap_from(daos_handle_t queue, int64_t timeout)
{
	daos_event_t *done[DEPTH];
	int           count = daos_eq_poll(queue, 0, timeout, DEPTH, done);

	CHECK(count >= 0);
	for (int i = 0; i < count; i++)
		reap(done[i]);
}

static int
task_done(tse_task_t *task, void *unused)
{
	struct op *op = tse_task_get_priv(task);

	CHECK(task->dt_result == 0);
	CHECK(__atomic_exchange_n(&op->under_way, 0, __ATOMIC_ACQ_REL) == 1);
	return 0;
}

static void
launch_task(struct op *op, int number, int index)
{
	tse_task_t *task;

	prepare(op, number, TASK, index);
	if (op->step % 2 == 0) {
		OK(daos_task_create(DAOS_OPC_KV_PUT, &sched, 0, NULL, &task));
		*(daos_kv_put_t *)daos_task_get_args(task) = (daos_kv_put_t){
		    .oh = oh, .key = op->key, .buf = &op->value, .buf_size = sizeof(op->value)};
	} else {
		OK(daos_task_create(DAOS_OPC_KV_GET, &sched, 0, NULL, &task));
		*(daos_kv_get_t *)daos_task_get_args(task) =
		    (daos_kv_get_t){.oh = oh, .key = op->key, .buf = &op->back, .buf_size = &op->size};
	}
	tse_task_set_priv(task, op);
	OK(tse_task_register_comp_cb(task, task_done, NULL, 0));
	OK(tse_task_schedule(task, index % 2));
}

static bool
over(struct op *op)
{
	return __atomic_load_n(&op->under_way, __ATOMIC_ACQUIRE) == 0;
}

/* Launches what is over; true while anything is under way. */
static bool
round_of(struct thread *t, daos_handle_t own, bool again)
{
	bool busy = false;

	for (enum kind kind = OWN; kind < KINDS; kind++)
		for (int i = 0; i < DEPTH; i++) {
			struct op *op = &t->ops[kind][i];
			bool       flag;

			if (op->mine == 1 && kind == NO_QUEUE) {
				OK(daos_event_test(&op->ev, DAOS_EQ_NOWAIT, &flag));
				if (flag)
					reap(&op->ev);
			}
			if (op->mine == 1 && over(op)) {
				check(op);
				op->mine = 0;
				t->done[kind]++;
			}
			busy |= op->mine;
			if (op->mine == 1 || !again)
				continue;
			op->mine = 1;
			if (kind == TASK) {
				launch_task(op, t->number, i);
			} else if (kind == BLOCKING) {
				launch(op, t->number, kind, i, NULL);
				op->under_way = 0;
			} else {
				launch(op, t->number, kind, i, &op->ev);
			}
		}
	reap_from(own, DAOS_EQ_NOWAIT);
	reap_from(shared, again ? DAOS_EQ_NOWAIT : 100);
	{
		bool empty;
		int  rc = daos_progress(&sched, 0, &empty);

		CHECK(rc == 0 || rc == -DER_TIMEDOUT);
	}
	return busy;
}

static void *
work(void *arg)
{
	struct thread *t = arg;
	daos_handle_t  own;
	double         end;

	OK(daos_eq_create(&own));
	for (int i = 0; i < DEPTH; i++) {
		OK(daos_event_init(&t->ops[OWN][i].ev, own, NULL));
		OK(daos_event_init(&t->ops[SHARED][i].ev, shared, NULL));
		OK(daos_event_init(&t->ops[NO_QUEUE][i].ev, DAOS_HDL_INVAL, NULL));
	}
	pthread_barrier_wait(&start);
	end = now() + seconds;
	while (now() < end)
		round_of(t, own, true);
	while (round_of(t, own, false))
		;
	pthread_barrier_wait(&start);
	for (int i = 0; i < DEPTH; i++) {
		OK(daos_event_fini(&t->ops[OWN][i].ev));
		OK(daos_event_fini(&t->ops[SHARED][i].ev));
		OK(daos_event_fini(&t->ops[NO_QUEUE][i].ev));
	}
	OK(daos_eq_destroy(own, 0));
	return NULL;
}

int
main(void)
{
	static const char *names[KINDS] = {"own queue", "shared queue", "no queue", "tasks", "blocking"};
	const char        *text         = getenv("DAOS_THREAD_SECONDS");

	if (text != NULL)
		seconds = atof(text);
	alarm(120 + (unsigned int)seconds * 2);
	check_open(&poh, &coh);
	OK(daos_kv_open(coh, check_oid(coh, DAOS_OT_KV_HASHED, OC_SX), DAOS_OO_RW, &oh, NULL));
	OK(daos_eq_create(&shared));
	OK(tse_sched_init(&sched, NULL, NULL));
	STEP("eight threads");
	CHECK(pthread_barrier_init(&start, NULL, THREADS) == 0);
	for (int i = 0; i < THREADS; i++) {
		threads[i].number = i;
		CHECK(pthread_create(&threads[i].thread, NULL, work, &threads[i]) == 0);
	}
	for (int i = 0; i < THREADS; i++)
		CHECK(pthread_join(threads[i].thread, NULL) == 0);
	for (enum kind kind = OWN; kind < KINDS; kind++) {
		uint64_t all = 0;

		for (int i = 0; i < THREADS; i++) {
			all += threads[i].done[kind];
			CHECK(threads[i].done[kind] > 0);
			for (int j = 0; j < DEPTH; j++) {
				struct op *op = &threads[i].ops[kind][j];

				CHECK(!op->mine && (kind >= TASK || op->completions == op->step));
			}
		}
		printf("  %s: %llu operations\n", names[kind], (unsigned long long)all);
	}
	CHECK(daos_eq_query(shared, DAOS_EQR_ALL, 0, NULL) == 0);
	CHECK(tse_sched_check_complete(&sched) && sched.ds_result == 0);
	tse_sched_fini(&sched);
	OK(daos_eq_destroy(shared, 0));
	OK(daos_kv_close(oh, NULL));
	check_close(poh, coh);
	return 0;
}
