/*
 * Aim: a child that is forked at any moment works: with daos_reinit it goes on with what it inherited, without it is
 * told -DER_UNINIT; no child hangs, whatever other threads of the parent did at the fork: operations on a handle of
 * all, handles opened and closed, event queues made and destroyed. fork FORKS
 */
#include <daos.h>
#include <pthread.h>
#include <signal.h>
#include <sys/wait.h>

#define CHECK(cond) \
	do { \
		if (!(cond)) { \
			fprintf(stderr, "%s:%d: pid %d: %s\n", __FILE__, __LINE__, getpid(), #cond); \
			_exit(1); \
		} \
	} while (0)

static daos_handle_t poh, coh, oh;
static volatile int  stop;
static long          operations;

static int
put(daos_handle_t object, int number)
{
	char        key[32];
	d_iov_t     dkey, iov;
	d_sg_list_t sgl = {.sg_nr = 1, .sg_iovs = &iov};
	daos_iod_t  iod = {.iod_nr = 1, .iod_type = DAOS_IOD_SINGLE, .iod_size = sizeof(number)};

	snprintf(key, sizeof(key), "key %d", number);
	d_iov_set(&dkey, key, strlen(key));
	d_iov_set(&iov, &number, sizeof(number));
	d_iov_set(&iod.iod_name, "value", 5);
	return daos_obj_update(object, DAOS_TX_NONE, 0, &dkey, 1, &iod, &sgl, NULL);
}

static int
get(daos_handle_t object, int number)
{
	char        key[32];
	int         value = -1;
	d_iov_t     dkey, iov;
	d_sg_list_t sgl = {.sg_nr = 1, .sg_iovs = &iov};
	daos_iod_t  iod = {.iod_nr = 1, .iod_type = DAOS_IOD_SINGLE, .iod_size = sizeof(value)};
	int         rc;

	snprintf(key, sizeof(key), "key %d", number);
	d_iov_set(&dkey, key, strlen(key));
	d_iov_set(&iov, &value, sizeof(value));
	d_iov_set(&iod.iod_name, "value", 5);
	rc = daos_obj_fetch(object, DAOS_TX_NONE, 0, &dkey, 1, &iod, &sgl, NULL, NULL);
	return rc != 0 ? rc : value == number ? 0 : -1;
}

static void *
works(void *argument)
{
	daos_obj_id_t oid = {.lo = 7000};
	int           number = 100 * (int)(long)argument;

	CHECK(daos_obj_generate_oid(coh, &oid, 0, OC_S1, 0, 0) == 0);
	for (int i = 0; !stop; i++) {
		daos_handle_t own, eq;
		daos_event_t  event, *done;

		CHECK(put(oh, number + i % 10) == 0);
		CHECK(daos_obj_open(coh, oid, DAOS_OO_RW, &own, NULL) == 0);
		CHECK(daos_obj_close(own, NULL) == 0);
		if (i % 8 == 0) {
			CHECK(daos_eq_create(&eq) == 0 && daos_event_init(&event, eq, NULL) == 0);
			CHECK(daos_cont_query(coh, NULL, NULL, &event) == 0);
			CHECK(daos_eq_poll(eq, 1, DAOS_EQ_WAIT, 1, &done) == 1 && done == &event);
			CHECK(daos_event_fini(&event) == 0 && daos_eq_destroy(eq, 0) == 0);
		}
		__sync_fetch_and_add(&operations, 1);
	}
	return NULL;
}

/* Every tenth child attaches anew and works; the others see that they must. */
static void
child(int number)
{
	daos_handle_t own;
	daos_obj_id_t oid = {.lo = 7000 + number};
	daos_event_t  event;
	bool          done;

	alarm(60);
	CHECK(put(oh, 5) == -DER_UNINIT);
	if (number % 10 != 0)
		_exit(0);
	CHECK(daos_reinit() == 0);
	CHECK(put(oh, 9000 + number) == 0 && get(oh, 9000 + number) == 0);
	CHECK(daos_obj_generate_oid(coh, &oid, 0, OC_S1, 0, 0) == 0);
	CHECK(daos_obj_open(coh, oid, DAOS_OO_RW, &own, NULL) == 0);
	CHECK(put(own, 1) == 0 && get(own, 1) == 0 && daos_obj_close(own, NULL) == 0);
	CHECK(daos_event_init(&event, DAOS_HDL_INVAL, NULL) == 0);
	CHECK(daos_cont_query(coh, NULL, NULL, &event) == 0);
	CHECK(daos_event_test(&event, DAOS_EQ_WAIT, &done) == 0 && done);
	CHECK(daos_event_fini(&event) == 0);
	_exit(0);
}

int
main(int argc, char **argv)
{
	int           forks = argc > 1 ? atoi(argv[1]) : 100;
	daos_obj_id_t oid   = {.lo = 6999};
	pthread_t     threads[3];

	CHECK(daos_init() == 0);
	CHECK(daos_pool_connect(getenv("DAOS_POOL"), NULL, DAOS_PC_RW, &poh, NULL, NULL) == 0);
	CHECK(daos_cont_open(poh, getenv("DAOS_CONT"), DAOS_COO_RW, &coh, NULL, NULL) == 0);
	CHECK(daos_obj_generate_oid(coh, &oid, 0, OC_S1, 0, 0) == 0);
	CHECK(daos_obj_open(coh, oid, DAOS_OO_RW, &oh, NULL) == 0);
	for (long i = 0; i < 3; i++)
		CHECK(pthread_create(&threads[i], NULL, works, (void *)(i + 1)) == 0);
	for (int i = 0; i < forks; i++) {
		long  before = operations;
		int   status;
		pid_t pid;

		/* The threads are at work, not just started. */
		while (operations == before)
			sched_yield();
		pid = fork();
		CHECK(pid >= 0);
		if (pid == 0)
			child(i);
		CHECK(waitpid(pid, &status, 0) == pid);
		if (status != 0) {
			fprintf(stderr, "child %d of %d: status %#x\n", i, forks, status);
			return 1;
		}
	}
	stop = 1;
	for (int i = 0; i < 3; i++)
		CHECK(pthread_join(threads[i], NULL) == 0);
	CHECK(put(oh, 3) == 0 && get(oh, 3) == 0);
	CHECK(daos_obj_close(oh, NULL) == 0 && daos_cont_close(coh, NULL) == 0 && daos_pool_disconnect(poh, NULL) == 0);
	CHECK(daos_fini() == 0);
	printf("fork.c: %d forks, %ld operations\n", forks, operations);
	return 0;
}
