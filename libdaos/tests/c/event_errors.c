/*
 * Aim: what daos_event.h says of errors: events that are NULL, not initialised, in use, finalised, children, of a queue that
 * is gone; calls on an event from its completion callback; which error a parent and a callback give.
 */
#include "check.h"

static daos_handle_t poh, coh, oh, eqh;

static void
put(daos_event_t *ev)
{
	static const char value[8] = "value";

	OK(daos_kv_put(oh, DAOS_TX_NONE, 0, "key", sizeof(value), value, ev));
}

/* Launches an operation that is in flight when this returns: nothing moves on until somebody drives the queue. */
static void
launch(daos_event_t *ev)
{
	daos_event_t *done;

	for (;;) {
		put(ev);
		if (daos_eq_query(eqh, DAOS_EQR_WAITING, 0, NULL) == 1)
			return;
		CHECK(daos_eq_poll(eqh, 0, DAOS_EQ_WAIT, 1, &done) == 1);
	}
}

static void
wait_for(daos_event_t *ev)
{
	daos_event_t *done = NULL;

	CHECK(daos_eq_poll(eqh, 0, DAOS_EQ_WAIT, 1, &done) == 1 && done == ev);
}

static void
no_events(void)
{
	daos_event_t zeroed, *list[2];
	bool         flag;

	STEP("no events at all");
	memset(&zeroed, 0, sizeof(zeroed));
	CHECK_RC(daos_event_init(NULL, eqh, NULL), -DER_INVAL);
	CHECK_RC(daos_event_init(list[0] = &zeroed, eqh, &zeroed), -DER_INVAL);
	for (int i = 0; i < 2; i++) {
		daos_event_t *ev = i == 0 ? NULL : &zeroed;

		CHECK_RC(daos_event_fini(ev), -DER_INVAL);
		CHECK_RC(daos_event_test(ev, DAOS_EQ_NOWAIT, &flag), -DER_INVAL);
		CHECK_RC(daos_event_abort(ev), -DER_INVAL);
		CHECK_RC(daos_event_parent_barrier(ev), -DER_INVAL);
		CHECK_RC(daos_event_register_comp_cb(ev, NULL, NULL), -DER_INVAL);
		CHECK(daos_event_next(ev, NULL) == NULL);
	}
	CHECK_RC(daos_kv_put(oh, DAOS_TX_NONE, 0, "key", 1, "x", &zeroed), -DER_INVAL);

	STEP("no queues");
	CHECK_RC(daos_eq_poll(DAOS_HDL_INVAL, 0, 0, 2, list), -DER_NONEXIST);
	CHECK_RC(daos_eq_query(oh, DAOS_EQR_ALL, 2, list), -DER_NONEXIST);
	CHECK_RC(daos_eq_destroy(coh, 0), -DER_NONEXIST);
	CHECK_RC(daos_event_init(&zeroed, poh, NULL), -DER_NONEXIST);
}

static void
states(void)
{
	daos_event_t ev, *list[2];
	bool         flag = false;

	STEP("an event that was never launched");
	OK(daos_event_init(&ev, eqh, NULL));
	OK(daos_event_test(&ev, DAOS_EQ_NOWAIT, &flag));
	CHECK(flag && daos_event_next(&ev, NULL) == NULL);
	CHECK_RC(daos_event_test(&ev, DAOS_EQ_NOWAIT, NULL), -DER_INVAL);
	CHECK_RC(daos_event_abort(&ev), -DER_NO_PERM);
	CHECK_RC(daos_event_parent_barrier(&ev), -DER_INVAL);
	CHECK_RC(daos_event_register_comp_cb(&ev, NULL, NULL), -DER_INVAL);

	STEP("an event in flight");
	launch(&ev);
	CHECK_RC(daos_event_fini(&ev), -DER_BUSY);
	OK(daos_event_abort(&ev));
	CHECK(daos_eq_query(eqh, DAOS_EQR_COMPLETED, 2, list) == 0 && daos_eq_query(eqh, DAOS_EQR_ALL, 2, list) == 1);
	CHECK(list[0] == &ev);
	wait_for(&ev);
	CHECK(ev.ev_error == 0);
	CHECK_RC(daos_event_abort(&ev), -DER_NO_PERM);

	STEP("an event that is gone");
	OK(daos_event_fini(&ev));
	CHECK_RC(daos_event_fini(&ev), -DER_INVAL);
	CHECK_RC(daos_kv_put(oh, DAOS_TX_NONE, 0, "key", 1, "x", &ev), -DER_INVAL);
}

static void
children(void)
{
	daos_event_t parent, one, two, late;

	STEP("children in flight, and their parent");
	OK(daos_event_init(&parent, eqh, NULL));
	OK(daos_event_init(&one, DAOS_HDL_INVAL, &parent));
	OK(daos_event_init(&two, DAOS_HDL_INVAL, &parent));
	CHECK(daos_event_next(&parent, &one) == &two);
	put(&one);
	CHECK_RC(daos_event_parent_barrier(&parent), -DER_NO_PERM);
	OK(daos_kv_put(DAOS_HDL_INVAL, DAOS_TX_NONE, 0, "key", 1, "x", &two));
	OK(daos_event_parent_barrier(&parent));
	CHECK_RC(daos_event_parent_barrier(&parent), -DER_NO_PERM);
	CHECK_RC(daos_event_init(&late, DAOS_HDL_INVAL, &parent), -DER_INVAL);
	CHECK_RC(daos_event_fini(&two), -DER_INVAL);

	STEP("a parent has the first error of its children");
	wait_for(&parent);
	CHECK(parent.ev_error == -DER_NO_HDL && one.ev_error == 0 && two.ev_error == -DER_NO_HDL);
	OK(daos_event_fini(&one));
	CHECK(daos_event_next(&parent, NULL) == &two);
	OK(daos_event_fini(&parent));
	CHECK_RC(daos_event_fini(&two), -DER_INVAL);
}

struct seen {
	daos_event_t *ev;
	int           rc, answer, calls;
};

static int
look(void *arg, daos_event_t *ev, int rc)
{
	struct seen *seen = arg;

	*seen = (struct seen){.ev = ev, .rc = rc, .answer = seen->answer, .calls = seen->calls + 1};
	return seen->answer;
}

/* The event is in flight until its last callback has returned. */
static int
meddle(void *arg, daos_event_t *ev, int rc)
{
	bool flag = true;

	CHECK(daos_eq_query(eqh, DAOS_EQR_ALL, 0, NULL) == 1);
	CHECK_RC(daos_eq_destroy(eqh, 0), -DER_BUSY);
	OK(daos_event_test(ev, DAOS_EQ_NOWAIT, &flag));
	CHECK(!flag);
	OK(daos_event_abort(ev));
	CHECK_RC(daos_event_fini(ev), -DER_BUSY);
	CHECK_RC(daos_kv_put(oh, DAOS_TX_NONE, 0, "key", 1, "x", ev), -DER_NO_PERM);
	++*(int *)arg;
	return rc;
}

static void
callbacks(void)
{
	daos_event_t ev;
	struct seen  first = {.answer = 0}, second = {.answer = -DER_BUSY}, third = {.answer = -DER_STALE};
	int          meddled = 0;

	STEP("callbacks: once each, and the first answer that is not 0");
	OK(daos_event_init(&ev, eqh, NULL));
	OK(daos_event_register_comp_cb(&ev, look, &first));
	OK(daos_event_register_comp_cb(&ev, look, &second));
	OK(daos_event_register_comp_cb(&ev, look, &third));
	put(&ev);
	wait_for(&ev);
	CHECK(first.ev == &ev && first.rc == 0 && first.calls == 1 && second.calls == 1 && third.calls == 1);
	CHECK(ev.ev_error == -DER_BUSY);
	put(&ev);
	wait_for(&ev);
	CHECK(first.calls == 1 && ev.ev_error == 0);

	STEP("callbacks: the operation's error goes first");
	OK(daos_event_register_comp_cb(&ev, look, &third));
	OK(daos_kv_put(DAOS_HDL_INVAL, DAOS_TX_NONE, 0, "key", 1, "x", &ev));
	wait_for(&ev);
	CHECK(third.rc == -DER_NO_HDL && ev.ev_error == -DER_NO_HDL);

	STEP("what a callback finds");
	OK(daos_event_register_comp_cb(&ev, meddle, &meddled));
	put(&ev);
	wait_for(&ev);
	CHECK(meddled == 1 && ev.ev_error == 0);
	OK(daos_event_fini(&ev));
}

static void
forced(void)
{
	daos_event_t ev, other;

	STEP("a queue destroyed by force");
	OK(daos_event_init(&ev, eqh, NULL));
	OK(daos_event_init(&other, eqh, NULL));
	launch(&ev);
	CHECK_RC(daos_eq_destroy(eqh, 0), -DER_BUSY);
	OK(daos_eq_destroy(eqh, DAOS_EQ_DESTROY_FORCE));
	CHECK(ev.ev_error == 0);
	CHECK_RC(daos_eq_destroy(eqh, DAOS_EQ_DESTROY_FORCE), -DER_NONEXIST);
	CHECK_RC(daos_kv_put(oh, DAOS_TX_NONE, 0, "key", 1, "x", &other), -DER_NONEXIST);
	OK(daos_event_fini(&ev));
	OK(daos_event_fini(&other));
}

int
main(void)
{
	daos_event_t outlives;
	bool         flag;

	check_open(&poh, &coh);
	OK(daos_kv_open(coh, check_oid(coh, DAOS_OT_KV_HASHED, OC_SX), DAOS_OO_RW, &oh, NULL));
	OK(daos_eq_create(&eqh));
	no_events();
	states();
	children();
	callbacks();
	forced();
	OK(daos_event_init(&outlives, DAOS_HDL_INVAL, NULL));
	OK(daos_kv_close(oh, NULL));
	check_close(poh, coh);

	STEP("after the library was finalised");
	CHECK_RC(daos_event_test(&outlives, DAOS_EQ_NOWAIT, &flag), -DER_UNINIT);
	CHECK_RC(daos_event_abort(&outlives), -DER_UNINIT);
	CHECK_RC(daos_kv_put(oh, DAOS_TX_NONE, 0, "key", 1, "x", &outlives), -DER_UNINIT);
	OK(daos_event_fini(&outlives));
	CHECK_RC(daos_fini(), -DER_UNINIT);
	CHECK_RC(daos_reinit(), -DER_UNINIT);
	return 0;
}
