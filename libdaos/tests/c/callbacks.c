/*
 * Aim: completion callbacks of events may do anything: launch on the queue of their event, poll and query it, block, launch
 * what fails at once, over and over; their answers and order; those of barriers and of events without a queue; a queue
 * destroyed while callbacks launch on it.
 */
#include "check.h"

#define CHAIN 200

static daos_handle_t oh, eqh;

struct link {
	daos_event_t ev;
	int          left, failures;
	char         key[16];
	daos_size_t  size;
};

static int next_link(void *arg, daos_event_t *ev, int rc);

/* Two events that take turns: the one that completes is still in use inside its callback. */
static struct link links[2];

static void
launch(struct link *link, int left)
{
	link->left = left;
	sprintf(link->key, "l%d", left);
	OK(daos_event_register_comp_cb(&link->ev, next_link, link));
	OK(daos_kv_put(oh, DAOS_TX_NONE, 0, link->key, sizeof(left), &link->left, &link->ev));
}

static int
next_link(void *arg, daos_event_t *ev, int rc)
{
	struct link  *link = arg, *other = &links[link == &links[0]];
	daos_event_t *done;
	int           value;
	daos_size_t   size = sizeof(value);

	CHECK(ev == &link->ev && rc == 0);
	CHECK_RC(daos_kv_put(oh, DAOS_TX_NONE, 0, "x", 1, "x", ev), -DER_NO_PERM);
	CHECK_RC(daos_event_fini(ev), -DER_BUSY);
	CHECK(daos_eq_query(eqh, DAOS_EQR_WAITING, 0, NULL) >= 1);
	/* The other one, which completed before, is there to be taken, or somebody has taken it. */
	CHECK(daos_eq_poll(eqh, 0, DAOS_EQ_NOWAIT, 1, &done) >= 0);
	OK(daos_kv_get(oh, DAOS_TX_NONE, 0, link->key, &size, &value, NULL));
	CHECK(value == link->left);
	if (link->left > 0)
		launch(other, link->left - 1);
	return 0;
}

static void
chain(void)
{
	daos_event_t *done;

	STEP("callbacks that launch, poll and block");
	for (int i = 0; i < 2; i++)
		OK(daos_event_init(&links[i].ev, eqh, NULL));
	launch(&links[0], CHAIN);
	while (links[0].left != 0 || daos_eq_query(eqh, DAOS_EQR_ALL, 0, NULL) > 0)
		CHECK(daos_eq_poll(eqh, 1, DAOS_EQ_WAIT, 1, &done) >= 0);
	CHECK(links[1].left == 1);
	for (int i = 0; i < 2; i++)
		OK(daos_event_fini(&links[i].ev));
}

static int
fail_again(void *arg, daos_event_t *ev, int rc)
{
	struct link *link = arg, *other = &links[link == &links[0]];
	bool         flag;

	CHECK(rc == -DER_NO_HDL);
	if (link->left == 0)
		return 0;
	other->left     = link->left - 1;
	other->failures = link->failures + 1;
	OK(daos_event_test(&other->ev, DAOS_EQ_NOWAIT, &flag));
	CHECK(flag);
	OK(daos_event_register_comp_cb(&other->ev, fail_again, other));
	OK(daos_kv_get(DAOS_HDL_INVAL, DAOS_TX_NONE, 0, "x", &other->size, NULL, &other->ev));
	return 0;
}

static void
failures(void)
{
	daos_event_t *done;
	int           taken = 0;

	STEP("callbacks that launch what fails at once, deeper than a stack");
	for (int i = 0; i < 2; i++)
		OK(daos_event_init(&links[i].ev, eqh, NULL));
	links[0].left     = 100000;
	links[0].failures = 0;
	OK(daos_event_register_comp_cb(&links[0].ev, fail_again, &links[0]));
	OK(daos_kv_get(DAOS_HDL_INVAL, DAOS_TX_NONE, 0, "x", &links[0].size, NULL, &links[0].ev));
	while (daos_eq_query(eqh, DAOS_EQR_ALL, 0, NULL) > 0) {
		int got = daos_eq_poll(eqh, 1, DAOS_EQ_WAIT, 1, &done);

		CHECK(got >= 0);
		taken += got;
	}
	CHECK(taken >= 1 && links[0].failures == 100000 && links[0].ev.ev_error == -DER_NO_HDL);
	for (int i = 0; i < 2; i++)
		OK(daos_event_fini(&links[i].ev));
}

static char order[8];

static int
first(void *arg, daos_event_t *ev, int rc)
{
	strcat(order, "1");
	CHECK(rc == 0);
	return -DER_AGAIN;
}

static int
second(void *arg, daos_event_t *ev, int rc)
{
	strcat(order, "2");
	CHECK(rc == 0);
	return -DER_BUSY;
}

static int
barrier_done(void *arg, daos_event_t *ev, int rc)
{
	strcat(order, "b");
	/* Whatever queue the parent has. */
	OK(daos_kv_put(oh, DAOS_TX_NONE, 0, "after", 1, "x", NULL));
	return 0;
}

static void
answers(void)
{
	for (int shared = 0; shared < 2; shared++) {
		daos_handle_t queue = shared ? eqh : DAOS_HDL_INVAL;
		daos_event_t  ev, parent, child[2];
		bool          flag = false;

		STEP(shared ? "answers of callbacks, barriers" : "answers of callbacks, barriers, without a queue");
		order[0] = 0;
		OK(daos_event_init(&ev, queue, NULL));
		CHECK_RC(daos_event_register_comp_cb(&ev, NULL, NULL), -DER_INVAL);
		OK(daos_event_register_comp_cb(&ev, first, NULL));
		OK(daos_event_register_comp_cb(&ev, second, NULL));
		OK(daos_kv_put(oh, DAOS_TX_NONE, 0, "one", 1, "x", &ev));
		OK(daos_event_test(&ev, DAOS_EQ_WAIT, &flag));
		CHECK(flag && ev.ev_error == -DER_AGAIN && strcmp(order, "12") == 0);
		/* Called once. */
		OK(daos_kv_put(oh, DAOS_TX_NONE, 0, "one", 1, "x", &ev));
		OK(daos_event_test(&ev, DAOS_EQ_WAIT, &flag));
		CHECK(flag && ev.ev_error == 0 && strcmp(order, "12") == 0);
		OK(daos_event_fini(&ev));

		order[0] = 0;
		OK(daos_event_init(&parent, queue, NULL));
		OK(daos_event_register_comp_cb(&parent, barrier_done, NULL));
		for (int i = 0; i < 2; i++) {
			OK(daos_event_init(&child[i], DAOS_HDL_INVAL, &parent));
			OK(daos_event_register_comp_cb(&child[i], i ? second : first, NULL));
			OK(daos_kv_put(oh, DAOS_TX_NONE, 0, i ? "c1" : "c0", 1, "x", &child[i]));
		}
		OK(daos_event_parent_barrier(&parent));
		CHECK_RC(daos_event_parent_barrier(&parent), -DER_NO_PERM);
		OK(daos_event_abort(&parent));
		OK(daos_event_test(&parent, DAOS_EQ_WAIT, &flag));
		CHECK(flag && parent.ev_error != 0 && strlen(order) == 3 && order[2] == 'b');
		CHECK_RC(daos_event_abort(&parent), -DER_NO_PERM);
		OK(daos_event_fini(&parent));
	}
}

/* Children that have completed before the barrier is launched, the last one with an error. */
static void
late_barrier(void)
{
	daos_event_t  parent, child, *done;
	daos_handle_t queue;

	STEP("a barrier launched after its children");
	OK(daos_eq_create(&queue));
	OK(daos_event_init(&parent, queue, NULL));
	OK(daos_event_init(&child, DAOS_HDL_INVAL, &parent));
	OK(daos_kv_get(DAOS_HDL_INVAL, DAOS_TX_NONE, 0, "x", NULL, NULL, &child));
	CHECK(child.ev_error == -DER_NO_HDL || child.ev_error == -DER_INVAL);
	order[0] = 0;
	OK(daos_event_register_comp_cb(&parent, barrier_done, NULL));
	OK(daos_event_parent_barrier(&parent));
	CHECK(daos_eq_poll(queue, 1, DAOS_EQ_WAIT, 1, &done) == 1 && done == &parent);
	CHECK(parent.ev_error == child.ev_error && strcmp(order, "b") == 0);
	OK(daos_event_fini(&parent));
	OK(daos_eq_destroy(queue, 0));
}

static int relaunched;

static int
relaunch(void *arg, daos_event_t *ev, int rc)
{
	int answer = daos_kv_put(oh, DAOS_TX_NONE, 0, "again", 1, "x", arg);

	CHECK(answer == 0 || answer == -DER_NONEXIST);
	relaunched += answer == 0 ? 1 : 100;
	return 0;
}

static void
destroyed(void)
{
	daos_event_t  ev, next;
	daos_handle_t queue;

	STEP("a queue destroyed under its callbacks");
	OK(daos_eq_create(&queue));
	OK(daos_event_init(&ev, queue, NULL));
	OK(daos_event_init(&next, queue, NULL));
	OK(daos_event_register_comp_cb(&ev, relaunch, &next));
	OK(daos_kv_put(oh, DAOS_TX_NONE, 0, "last", 1, "x", &ev));
	CHECK(relaunched == 0 || relaunched == 1);
	OK(daos_eq_destroy(queue, DAOS_EQ_DESTROY_FORCE));
	CHECK(relaunched == 1 || relaunched == 100);
	CHECK_RC(daos_eq_destroy(queue, DAOS_EQ_DESTROY_FORCE), -DER_NONEXIST);
	CHECK_RC(daos_kv_put(oh, DAOS_TX_NONE, 0, "more", 1, "x", &ev), -DER_NONEXIST);
	OK(daos_event_fini(&ev));
	OK(daos_event_fini(&next));
}

int
main(void)
{
	daos_handle_t poh, coh;

	check_open(&poh, &coh);
	OK(daos_kv_open(coh, check_oid(coh, DAOS_OT_KV_HASHED, OC_SX), DAOS_OO_RW, &oh, NULL));
	OK(daos_eq_create(&eqh));
	chain();
	failures();
	answers();
	late_barrier();
	destroyed();
	OK(daos_eq_destroy(eqh, 0));
	OK(daos_kv_close(oh, NULL));
	check_close(poh, coh);
	return 0;
}
