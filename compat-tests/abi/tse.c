/*
 * Aim: every function of daos/tse.h does what its comment says: callbacks in their order, results that travel, tasks that are
 * put back, reset and listed, delays, private data, user counts, the end of a scheduler. Exits 0 when all holds.
 */
#include <daos/tse.h>
#include <daos_errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define CHECK(cond)                                                                                                    \
	do {                                                                                                           \
		if (!(cond)) {                                                                                         \
			fprintf(stderr, "%s:%d: %s (trace %s)\n", __FILE__, __LINE__, #cond, trace);                   \
			exit(1);                                                                                       \
		}                                                                                                      \
	} while (0)

static char trace[256];

static void
note(const char *what)
{
	strcat(trace, what);
}

static int
traced(const char *wanted)
{
	int same = strcmp(trace, wanted) == 0;

	if (same)
		trace[0] = 0;
	return same;
}

static int
body_done(tse_task_t *task)
{
	note("b");
	tse_task_complete(task, 0);
	return 0;
}

static int
body_fails(tse_task_t *task)
{
	note("f");
	tse_task_complete(task, -DER_IO);
	return 0;
}

static int
body_later(tse_task_t *task)
{
	note("l");
	return 0;
}

static int
say(tse_task_t *task, void *arg)
{
	note(arg);
	return 0;
}

static int
refuse(tse_task_t *task, void *arg)
{
	note("r");
	return *(int *)arg;
}

static int
again(tse_task_t *task, void *arg)
{
	note("a");
	CHECK(tse_task_reinit(task) == 0);
	return 0;
}

static int
ended(void *arg, int rc)
{
	note("e");
	*(int *)arg += rc;
	return 0;
}

static tse_task_t *
new_task(tse_sched_t *sched, tse_task_func_t body)
{
	tse_task_t *task = NULL;

	CHECK(tse_task_create(body, sched, NULL, &task) == 0 && task != NULL);
	return task;
}

static void
callbacks(tse_sched_t *sched)
{
	tse_task_t *task = new_task(sched, body_done);
	int         rc   = -DER_BUSY;
	char        text[3] = "1";

	/* Preparations oldest first, completions newest first; arguments are copies. */
	CHECK(tse_task_register_cbs(task, say, text, 2, say, "4", 2) == 0);
	text[0] = '2';
	CHECK(tse_task_register_cbs(task, say, text, 2, NULL, NULL, 0) == 0);
	text[0] = 'x';
	CHECK(tse_task_register_comp_cb(task, say, "3", 2) == 0);
	CHECK(tse_task_register_cbs(task, NULL, NULL, 0, NULL, NULL, 0) == -DER_INVAL);
	CHECK(tse_task_register_comp_cb(task, NULL, NULL, 0) == -DER_INVAL);
	tse_task_addref(task);
	CHECK(tse_task_schedule(task, true) == 0);
	CHECK(traced(""));
	tse_sched_progress(sched);
	CHECK(traced("12b34") && task->dt_result == 0);
	CHECK(tse_task_register_comp_cb(task, say, "x", 2) == -DER_NO_PERM);
	tse_task_decref(task);

	/* What a callback answers is the result of a task that has none. */
	task = new_task(sched, body_done);
	tse_task_addref(task);
	CHECK(tse_task_register_cbs(task, refuse, &rc, sizeof(rc), NULL, NULL, 0) == 0);
	CHECK(tse_task_schedule(task, false) == 0);
	CHECK(!tse_sched_check_complete(sched));
	tse_sched_progress(sched);
	CHECK(tse_sched_check_complete(sched));
	CHECK(traced("rb") && task->dt_result == -DER_BUSY);
	tse_task_decref(task);
}

static int64_t
now_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000L + now.tv_nsec / 1000;
}

static int
twice(tse_task_t *task, void *arg)
{
	int *left = tse_task_get_priv(task);

	note("t");
	if ((*left)-- == 0)
		return 0;
	CHECK(tse_task_register_comp_cb_and_reinit(task, twice, NULL, 0, 2000) == 0);
	return -DER_AGAIN;
}

static void
reuse(tse_sched_t *sched)
{
	tse_task_t *task = new_task(sched, body_done), *bare = new_task(sched, NULL);
	int         left = 2;
	int64_t     began;

	/* Put back: from a callback, with a delay, when it has completed; results of before are gone. */
	tse_task_addref(task);
	CHECK(tse_task_reinit(task) == -DER_NO_PERM);
	CHECK(tse_task_set_priv(task, &left) == NULL);
	CHECK(tse_task_get_priv(task) == &left);
	CHECK(tse_task_register_comp_cb(task, twice, NULL, 0) == 0);
	CHECK(tse_task_register_comp_cb(task, again, NULL, 0) == 0);
	began = now_us();
	CHECK(tse_task_schedule_with_delay(task, false, 2000) == 0);
	while (!tse_sched_check_complete(sched)) {
		usleep(500);
		tse_sched_progress(sched);
	}
	/* What a callback answers after it put its task back is the result of the next run. */
	CHECK(traced("babtbtbt") && task->dt_result == -DER_AGAIN && now_us() - began >= 3 * 2000);
	CHECK(tse_task_reinit_with_delay(task, 1000) == 0);
	CHECK(!tse_sched_check_complete(sched));
	while (!tse_sched_check_complete(sched)) {
		usleep(500);
		tse_sched_progress(sched);
	}
	CHECK(traced("b"));

	/* Another body, another pointer. */
	CHECK(tse_task_reset(task, body_fails, &left) == 0);
	CHECK(tse_task_get_priv(task) == &left);
	CHECK(tse_task_reset(task, body_fails, NULL) == -DER_NO_PERM);
	tse_task_addref(task);
	CHECK(tse_task_schedule(task, true) == 0);
	CHECK(traced("f") && task->dt_result == -DER_IO);
	tse_task_decref(task);

	/* Without a body: somebody completes it. */
	CHECK(tse_task_schedule(bare, true) == -DER_INVAL);
	CHECK(tse_task_schedule(bare, false) == 0);
	CHECK(tse_task_reinit(bare) == -DER_INVAL);
	tse_sched_progress(sched);
	CHECK(!tse_sched_check_complete(sched));
	tse_task_complete(bare, 0);
	CHECK(tse_sched_check_complete(sched));
}

static void
dependencies(tse_sched_t *sched)
{
	tse_task_t *first = new_task(sched, body_later), *second = new_task(sched, body_done);
	tse_task_t *stubborn = new_task(sched, body_done), *deps[2];

	tse_task_addref(second);
	tse_task_addref(stubborn);
	CHECK(tse_task_register_deps(second, 1, &second) == -DER_INVAL);
	CHECK(tse_task_register_deps(second, 1, &first) == 0);
	deps[0] = first;
	deps[1] = second;
	CHECK(tse_task_register_deps(stubborn, 2, deps) == 0);
	tse_disable_propagate(stubborn);
	CHECK(tse_task_schedule(stubborn, true) == 0);
	CHECK(tse_task_schedule(second, false) == 0);
	CHECK(tse_task_schedule(second, false) == -DER_NO_PERM);
	tse_sched_progress(sched);
	CHECK(traced(""));
	CHECK(tse_task_schedule(first, true) == 0);
	CHECK(traced("l"));
	tse_task_complete(first, -DER_NONEXIST);
	tse_sched_progress(sched);
	CHECK(traced("bb"));
	CHECK(second->dt_result == -DER_NONEXIST && stubborn->dt_result == 0);
	tse_task_decref(second);
	tse_task_decref(stubborn);
}

static int
unlist(tse_task_t *task, void *arg)
{
	note("u");
	tse_task_list_del(task);
	return arg == task ? -DER_BUSY : 0;
}

static void
lists(tse_sched_t *sched)
{
	tse_task_t *task[4], *on = new_task(sched, body_later), *after = new_task(sched, body_fails);
	d_list_t    head, empty;

	D_INIT_LIST_HEAD(&head);
	D_INIT_LIST_HEAD(&empty);
	CHECK(tse_task_list_first(&empty) == NULL);
	for (int i = 0; i < 4; i++) {
		task[i] = new_task(sched, body_done);
		CHECK(tse_task_list_add(task[i], &head) == 0);
	}
	CHECK(tse_task_list_add(task[0], &empty) == -DER_NO_PERM && d_list_empty(&empty));
	CHECK(tse_task_list_first(&head) == task[0]);
	tse_task_list_del(task[0]);
	CHECK(tse_task_list_first(&head) == task[1]);
	CHECK(tse_task_list_add(task[0], &head) == 0);
	CHECK(tse_task_list_traverse(&head, say, ".") == 0);
	CHECK(traced("....") && tse_task_list_traverse_adv(&head, say, ",") == 0 && traced(",,,,"));

	/* All wait for one, one waits for all; all are scheduled and leave the list. */
	CHECK(tse_task_list_depend(&head, on) == 0);
	CHECK(tse_task_depend_list(after, &head) == 0);
	tse_task_list_sched(&head, false);
	CHECK(d_list_empty(&head));
	CHECK(tse_task_schedule(after, false) == 0);
	tse_sched_progress(sched);
	CHECK(traced(""));
	CHECK(tse_task_schedule(on, true) == 0);
	tse_task_complete(on, 0);
	tse_sched_progress(sched);
	CHECK(traced("lbbbbf"));

	/* A callback may take its task out; the last failure is the answer. Aborting completes without running. */
	for (int i = 0; i < 4; i++) {
		task[i] = new_task(sched, body_done);
		CHECK(tse_task_list_add(task[i], &head) == 0);
	}
	CHECK(tse_task_list_traverse(&head, unlist, task[1]) == -DER_BUSY);
	CHECK(traced("uuuu") && d_list_empty(&head));
	for (int i = 0; i < 4; i++)
		CHECK(tse_task_list_add(task[i], &head) == 0);
	CHECK(tse_task_list_traverse_adv(&head, unlist, task[3]) == -DER_BUSY && traced("uuuu"));
	for (int i = 0; i < 4; i++) {
		tse_task_addref(task[i]);
		CHECK(tse_task_list_add(task[i], &head) == 0);
	}
	CHECK(tse_task_register_comp_cb(task[2], say, "c", 2) == 0);
	tse_task_list_abort(&head, -DER_SHUTDOWN);
	CHECK(d_list_empty(&head) && traced("c"));
	for (int i = 0; i < 4; i++) {
		CHECK(task[i]->dt_result == -DER_SHUTDOWN);
		tse_task_decref(task[i]);
	}
	CHECK(tse_sched_check_complete(sched));
}

static void
data(tse_sched_t *sched)
{
	tse_task_t *task = NULL;
	int         mine;
	char       *room;

	CHECK(tse_task_create(body_done, sched, &mine, &task) == 0);
	CHECK(tse_task_get_priv(task) == &mine && tse_task2sched(task) == sched);
	room = tse_task_buf_embedded(task, TSE_TASK_ARG_LEN);
	CHECK(room != NULL && (uintptr_t)room % 16 == 0);
	memset(room, 0x5a, TSE_TASK_ARG_LEN);
	CHECK(tse_task_buf_embedded(task, 8) == room && room[7] == 0x5a);
	CHECK(tse_task_buf_embedded(task, TSE_TASK_ARG_LEN + 1) == NULL && tse_task_buf_embedded(task, -1) == NULL);
	CHECK((char *)task < room && room + TSE_TASK_ARG_LEN <= (char *)task + sizeof(*task));
	tse_task_decref(task);
}

static void
ends(void)
{
	tse_sched_t sched;
	tse_task_t *task, *later;
	int         sum = 0, third = 0;

	CHECK(tse_sched_init(&sched, ended, &sum) == 0);
	CHECK(sched.ds_udata == &sum);
	CHECK(tse_sched_register_comp_cb(&sched, ended, &third) == 0);
	CHECK(tse_sched_register_comp_cb(&sched, NULL, NULL) == -DER_INVAL);
	task = new_task(&sched, body_fails);
	CHECK(tse_task_schedule_with_delay(task, false, 3000) == 0);
	tse_sched_complete(&sched, 0, false);
	CHECK(traced("fee") && sum == -DER_IO && third == -DER_IO && sched.ds_result == -DER_IO);
	CHECK(sched.ds_udata == NULL);

	/* Cancelled, with another user left. */
	sum = 0;
	CHECK(tse_sched_init(&sched, ended, &sum) == 0);
	tse_sched_addref(&sched);
	task  = new_task(&sched, body_done);
	later = new_task(&sched, body_later);
	tse_task_addref(task);
	CHECK(tse_task_register_comp_cb(task, say, "c", 2) == 0);
	CHECK(tse_task_schedule(later, true) == 0 && tse_task_schedule_with_delay(task, false, 1000000000) == 0);
	tse_sched_complete(&sched, -DER_SHUTDOWN, true);
	CHECK(traced("lce") && sum == -DER_SHUTDOWN && task->dt_result == -DER_CANCELED);
	CHECK(tse_task_reinit(task) == -DER_NO_PERM);
	tse_sched_decref(&sched);
	tse_task_decref(task);
	CHECK(tse_sched_check_complete(&sched));
	CHECK(tse_task_create(body_done, &sched, NULL, &task) == -DER_INVAL);
}

static void
nothing(void)
{
	tse_sched_t none;
	tse_task_t *task;
	d_list_t    head;

	memset(&none, 0, sizeof(none));
	D_INIT_LIST_HEAD(&head);
	CHECK(tse_sched_init(NULL, NULL, NULL) == -DER_INVAL);
	tse_sched_fini(NULL);
	tse_sched_fini(&none);
	tse_sched_progress(&none);
	tse_sched_complete(&none, 0, false);
	tse_sched_addref(NULL);
	tse_sched_decref(NULL);
	CHECK(tse_sched_check_complete(NULL) && tse_sched_register_comp_cb(&none, ended, NULL) == -DER_INVAL);
	CHECK(tse_task_create(body_done, &none, NULL, &task) == -DER_INVAL);
	tse_task_addref(NULL);
	tse_task_decref(NULL);
	tse_task_complete(NULL, 0);
	tse_disable_propagate(NULL);
	tse_task_list_del(NULL);
	tse_task_list_sched(NULL, false);
	tse_task_list_abort(NULL, 0);
	CHECK(tse_task_schedule(NULL, false) == -DER_INVAL && tse_task_reinit(NULL) == -DER_INVAL);
	CHECK(tse_task_reset(NULL, body_done, NULL) == -DER_INVAL && tse_task2sched(NULL) == NULL);
	CHECK(tse_task_get_priv(NULL) == NULL && tse_task_set_priv(NULL, &head) == NULL);
	CHECK(tse_task_buf_embedded(NULL, 8) == NULL && tse_task_list_first(NULL) == NULL);
	CHECK(tse_task_list_add(NULL, &head) == -DER_INVAL && tse_task_list_traverse(NULL, say, "") == -DER_INVAL);
	CHECK(tse_task_list_traverse(&head, NULL, NULL) == -DER_INVAL && tse_task_list_traverse(&head, say, "") == 0);
	CHECK(tse_task_depend_list(NULL, &head) == -DER_INVAL && tse_task_list_depend(&head, NULL) == -DER_INVAL);
	CHECK(tse_task_register_deps(NULL, 0, NULL) == -DER_INVAL);
}

int
main(void)
{
	tse_sched_t sched;

	nothing();
	CHECK(tse_sched_init(&sched, NULL, NULL) == 0);
	CHECK(tse_sched_check_complete(&sched));
	callbacks(&sched);
	reuse(&sched);
	dependencies(&sched);
	lists(&sched);
	data(&sched);
	tse_sched_fini(&sched);
	tse_sched_fini(&sched);
	ends();
	return 0;
}
