/* Aim: the states of events and queues: polling, timeouts, children, barriers, callbacks, errors, misuse. */
#include "check.h"
#include <pthread.h>
#include <time.h>

static daos_handle_t poh, coh, oh;

static int
called(void *arg, daos_event_t *ev, int rc)
{
	(void)ev;
	*(int *)arg = rc == 0 ? 1 : rc;
	return 0;
}

static void
put(const char *key, daos_event_t *ev)
{
	static const char value[8] = "value";

	OK(daos_kv_put(oh, DAOS_TX_NONE, 0, key, sizeof(value), value, ev));
}

/* Takes far longer than put(). */
static void
put_large(const char *key, daos_event_t *ev)
{
	static const char value[8 << 20] = "large";

	OK(daos_kv_put(oh, DAOS_TX_NONE, 0, key, sizeof(value), value, ev));
}

static void
queues(void)
{
	daos_handle_t eqh;
	daos_event_t  ev, other, *done[4];
	int           hit = 0;

	STEP("a queue");
	CHECK_RC(daos_eq_create(NULL), -DER_INVAL);
	OK(daos_eq_create(&eqh));
	OK(daos_event_init(&ev, eqh, NULL));
	CHECK(daos_eq_poll(eqh, 0, DAOS_EQ_NOWAIT, 4, done) == 0);
	CHECK(daos_eq_poll(eqh, 1, DAOS_EQ_WAIT, 4, done) == 0);
	CHECK_RC(daos_eq_poll(eqh, 0, 0, 0, done), -DER_INVAL);
	CHECK_RC(daos_eq_poll(eqh, 0, 0, 4, NULL), -DER_INVAL);
	OK(daos_event_register_comp_cb(&ev, called, &hit));
	put("one", &ev);
	CHECK(daos_eq_query(eqh, DAOS_EQR_ALL, 0, NULL) == 1);
	CHECK_RC(daos_eq_destroy(eqh, 0), -DER_BUSY);
	CHECK_RC(daos_kv_put(oh, DAOS_TX_NONE, 0, "two", 1, "x", &ev), -DER_NO_PERM);
	CHECK(daos_eq_poll(eqh, 1, DAOS_EQ_WAIT, 4, done) == 1);
	CHECK(done[0] == &ev && ev.ev_error == 0 && hit == 1);
	CHECK(daos_eq_query(eqh, DAOS_EQR_ALL, 0, NULL) == 0);

	STEP("an event again");
	put("two", &ev);
	OK(daos_event_init(&other, eqh, NULL));
	put("three", &other);
	{
		int count = 0;

		while (count < 2) {
			int rc = daos_eq_poll(eqh, 0, 100000, 1, done);

			CHECK(rc >= 0);
			count += rc;
		}
	}

	STEP("errors come in the event");
	OK(daos_kv_put(DAOS_HDL_INVAL, DAOS_TX_NONE, 0, "k", 1, "x", &ev));
	CHECK(daos_eq_poll(eqh, 1, DAOS_EQ_WAIT, 4, done) == 1);
	CHECK(ev.ev_error == -DER_NO_HDL);
	OK(daos_event_fini(&ev));
	OK(daos_event_fini(&other));
	OK(daos_eq_destroy(eqh, 0));
	CHECK_RC(daos_eq_destroy(eqh, 0), -DER_NONEXIST);
	CHECK_RC(daos_eq_poll(eqh, 0, 0, 4, done), -DER_NONEXIST);
	CHECK_RC(daos_event_init(&ev, eqh, NULL), -DER_NONEXIST);
}

static void
without_queue(void)
{
	daos_event_t ev;
	bool         flag = false;

	STEP("without a queue");
	OK(daos_event_init(&ev, DAOS_HDL_INVAL, NULL));
	put("four", &ev);
	OK(daos_event_test(&ev, DAOS_EQ_WAIT, &flag));
	CHECK(flag && ev.ev_error == 0);
	put("five", &ev);
	flag = false;
	while (!flag)
		OK(daos_event_test(&ev, DAOS_EQ_NOWAIT, &flag));
	OK(daos_event_fini(&ev));
	CHECK(daos_event_fini(&ev) != 0);
}

static void
parents(daos_handle_t eqh, bool barrier)
{
	daos_event_t parent, child[3], nested, *done[4];
	char         keys[3][8];
	bool         flag;

	OK(daos_event_init(&parent, eqh, NULL));
	for (int i = 0; i < 3; i++) {
		OK(daos_event_init(&child[i], DAOS_HDL_INVAL, &parent));
		sprintf(keys[i], "c%d", i);
	}
	CHECK(daos_event_next(&parent, NULL) == &child[0]);
	CHECK(daos_event_next(&parent, &child[2]) == NULL);
	CHECK_RC(daos_event_init(&nested, DAOS_HDL_INVAL, &child[0]), -DER_NO_PERM);
	CHECK_RC(daos_event_parent_barrier(&parent), -DER_NO_PERM);
	put_large(keys[0], &child[0]);
	for (int i = 1; i < 3; i++)
		put(keys[i], &child[i]);
	CHECK_RC(daos_event_test(&child[0], DAOS_EQ_NOWAIT, &flag), -DER_NO_PERM);
	if (barrier)
		OK(daos_event_parent_barrier(&parent));
	else
		put("parent", &parent);
	if (daos_handle_is_inval(eqh)) {
		flag = false;
		OK(daos_event_test(&parent, DAOS_EQ_WAIT, &flag));
		CHECK(flag);
	} else {
		CHECK(daos_eq_poll(eqh, 1, DAOS_EQ_WAIT, 4, done) == 1);
		CHECK(done[0] == &parent);
	}
	CHECK(parent.ev_error == 0);
	for (int i = 0; i < 3; i++)
		CHECK(child[i].ev_error == 0);
	OK(daos_event_fini(&parent));
}

static void *
launch_later(void *arg)
{
	struct timespec pause = {.tv_nsec = 50 * 1000 * 1000};

	nanosleep(&pause, NULL);
	put("late", arg);
	return NULL;
}

static void
threads(void)
{
	daos_handle_t eqh;
	daos_event_t  ev, *done;
	pthread_t     thread;

	STEP("launched by another thread while one waits");
	OK(daos_eq_create(&eqh));
	OK(daos_event_init(&ev, eqh, NULL));
	CHECK(pthread_create(&thread, NULL, launch_later, &ev) == 0);
	CHECK(daos_eq_poll(eqh, 0, 5 * 1000 * 1000, 1, &done) == 1);
	CHECK(done == &ev && ev.ev_error == 0);
	CHECK(pthread_join(thread, NULL) == 0);
	OK(daos_event_fini(&ev));

	STEP("force destroys a busy queue");
	OK(daos_event_init(&ev, eqh, NULL));
	put("last", &ev);
	OK(daos_eq_destroy(eqh, DAOS_EQ_DESTROY_FORCE));
}

static void
timeouts(void)
{
	daos_handle_t   eqh;
	daos_event_t   *done;
	struct timespec begin, end;
	double          seconds;

	STEP("a timeout passes, and not much more");
	OK(daos_eq_create(&eqh));
	clock_gettime(CLOCK_MONOTONIC, &begin);
	CHECK(daos_eq_poll(eqh, 0, 200 * 1000, 1, &done) == 0);
	clock_gettime(CLOCK_MONOTONIC, &end);
	seconds = (end.tv_sec - begin.tv_sec) + (end.tv_nsec - begin.tv_nsec) / 1e9;
	CHECK(seconds >= 0.199 && seconds < 1.5);
	OK(daos_eq_destroy(eqh, 0));
}

int
main(void)
{
	daos_handle_t eqh;
	daos_event_t  unset;

	STEP("before init");
	memset(&unset, 0, sizeof(unset));
	CHECK_RC(daos_eq_create(&eqh), -DER_UNINIT);
	CHECK_RC(daos_event_init(&unset, DAOS_HDL_INVAL, NULL), -DER_UNINIT);
	CHECK_RC(daos_fini(), -DER_UNINIT);
	check_open(&poh, &coh);
	OK(daos_init());
	OK(daos_fini());
	OK(daos_kv_open(coh, check_oid(coh, DAOS_OT_KV_HASHED, OC_SX), DAOS_OO_RW, &oh, NULL));
	queues();
	without_queue();
	STEP("parents with operations of their own");
	OK(daos_eq_create(&eqh));
	parents(eqh, false);
	parents(DAOS_HDL_INVAL, false);
	STEP("parents as barriers");
	parents(eqh, true);
	parents(DAOS_HDL_INVAL, true);
	OK(daos_eq_destroy(eqh, 0));
	threads();
	timeouts();
	STEP("misuse");
	memset(&unset, 0, sizeof(unset));
	CHECK(daos_event_fini(&unset) != 0);
	CHECK(daos_event_fini(NULL) != 0);
	CHECK(daos_kv_put(oh, DAOS_TX_NONE, 0, "k", 1, "x", &unset) != 0);
	OK(daos_kv_close(oh, NULL));
	check_close(poh, coh);
	return 0;
}
