/*
 * Aim: after fork and daos_reinit a child has queues, events without a queue and tasks of its own, on a scheduler that the parent
 * used before as well as on a new one; what it inherited in flight is the parent's, and letting go of it neither hangs nor
 * disturbs the parent.
 */
#include "../../libdaos/tests/c/check.h"
#include <daos_task.h>
#include <sys/wait.h>
#include <unistd.h>

#define FLYING 16

static daos_handle_t poh, coh, oh;

static int
put(tse_sched_t *sched, const char *key, int *value)
{
	tse_task_t *task;
	bool        empty;
	int         rc;

	OK(daos_task_create(DAOS_OPC_KV_PUT, sched, 0, NULL, &task));
	*(daos_kv_put_t *)daos_task_get_args(task) =
	    (daos_kv_put_t){.oh = oh, .key = key, .buf = value, .buf_size = sizeof(*value)};
	tse_task_addref(task);
	OK(tse_task_schedule(task, false));
	OK(daos_progress(sched, -1, &empty));
	CHECK(empty);
	rc = task->dt_result;
	tse_task_decref(task);
	return rc;
}

static void
child(daos_handle_t eqh, daos_event_t *flying, tse_sched_t *sched)
{
	daos_handle_t own;
	daos_event_t  ev, *done;
	tse_sched_t   fresh;
	bool          flag;
	int           value = 7, back = 0;
	daos_size_t   size = sizeof(back);

	/* Before daos_reinit everything says so. */
	CHECK_RC(put(sched, "child", &value), -DER_UNINIT);
	CHECK_RC(daos_eq_create(&own), -DER_UNINIT);
	OK(daos_reinit());
	OK(daos_eq_create(&own));
	OK(daos_event_init(&ev, own, NULL));
	OK(daos_kv_put(oh, DAOS_TX_NONE, 0, "child", sizeof(value), &value, &ev));
	CHECK(daos_eq_poll(own, 1, DAOS_EQ_WAIT, 1, &done) == 1 && done == &ev && ev.ev_error == 0);
	OK(daos_event_fini(&ev));
	OK(daos_event_init(&ev, DAOS_HDL_INVAL, NULL));
	OK(daos_kv_get(oh, DAOS_TX_NONE, 0, "child", &size, &back, &ev));
	OK(daos_event_test(&ev, DAOS_EQ_WAIT, &flag));
	CHECK(flag && ev.ev_error == 0 && back == 7);
	OK(daos_event_fini(&ev));
	OK(tse_sched_init(&fresh, NULL, NULL));
	OK(put(&fresh, "child", &value));
	tse_sched_complete(&fresh, 0, false);
	OK(put(sched, "child", &value));
	tse_sched_complete(sched, 0, true);
	for (int i = 0; i < FLYING; i++)
		(void)daos_event_fini(&flying[i]);
	OK(daos_eq_destroy(eqh, DAOS_EQ_DESTROY_FORCE));
	OK(daos_eq_destroy(own, 0));
	OK(daos_fini());
	_exit(0);
}

int
main(void)
{
	static daos_event_t flying[FLYING];
	daos_event_t       *done[FLYING];
	daos_handle_t       eqh;
	tse_sched_t         sched;
	int                 value = 3, status, count = 0;
	char                keys[FLYING][8];
	pid_t               pid;

	check_open(&poh, &coh);
	OK(daos_kv_open(coh, check_oid(coh, DAOS_OT_KV_HASHED, OC_SX), DAOS_OO_RW, &oh, NULL));
	OK(daos_eq_create(&eqh));
	OK(tse_sched_init(&sched, NULL, NULL));
	OK(put(&sched, "parent", &value));
	STEP("a child, with operations of the parent in flight");
	for (int round = 0; round < 2; round++) {
		for (int i = 0; i < FLYING; i++) {
			sprintf(keys[i], "f%d", i);
			OK(daos_event_init(&flying[i], eqh, NULL));
			OK(daos_kv_put(oh, DAOS_TX_NONE, 0, keys[i], sizeof(value), &value, &flying[i]));
		}
		alarm(60);
		pid = fork();
		CHECK(pid >= 0);
		if (pid == 0)
			child(eqh, flying, &sched);
		for (count = 0; count < FLYING;) {
			int got = daos_eq_poll(eqh, 1, DAOS_EQ_WAIT, FLYING, done);

			CHECK(got > 0);
			count += got;
		}
		CHECK(waitpid(pid, &status, 0) == pid);
		CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
		for (int i = 0; i < FLYING; i++) {
			CHECK(flying[i].ev_error == 0);
			OK(daos_event_fini(&flying[i]));
		}
		OK(put(&sched, "parent", &value));
	}
	tse_sched_complete(&sched, 0, false);
	OK(daos_eq_destroy(eqh, 0));
	OK(daos_kv_close(oh, NULL));
	check_close(poh, coh);
	return 0;
}
