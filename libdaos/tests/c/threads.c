/* Aim: many threads: blocking calls in threads that come and go, one handle used by all, one queue used by several. */
#include "check.h"
#include <pthread.h>

#define THREADS 8
#define KEYS 40

static daos_handle_t oh, eqh;

static void *
blocking(void *arg)
{
	int me = *(int *)arg;

	for (int i = 0; i < KEYS; i++) {
		char        key[32];
		int         value = me * 1000 + i, back = -1;
		daos_size_t size = sizeof(back);

		sprintf(key, "t%d-%d", me, i);
		OK(daos_kv_put(oh, DAOS_TX_NONE, 0, key, sizeof(value), &value, NULL));
		OK(daos_kv_get(oh, DAOS_TX_NONE, 0, key, &size, &back, NULL));
		CHECK(size == sizeof(back) && back == value);
	}
	return NULL;
}

/* Events of one queue, launched and waited for by all threads: each event is reaped by whoever polls it. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int             reaped;

static void *
sharing(void *arg)
{
	int          me = *(int *)arg;
	daos_event_t ev[4], *done[4];
	char         keys[4][32];

	for (int i = 0; i < 4; i++) {
		sprintf(keys[i], "s%d-%d", me, i);
		OK(daos_event_init(&ev[i], eqh, NULL));
		OK(daos_kv_put(oh, DAOS_TX_NONE, 0, keys[i], 4, "data", &ev[i]));
	}
	while (true) {
		int count = daos_eq_poll(eqh, 0, 10 * 1000, 4, done);
		int all;

		CHECK(count >= 0);
		for (int i = 0; i < count; i++)
			CHECK(done[i]->ev_error == 0);
		pthread_mutex_lock(&lock);
		reaped += count;
		all = reaped;
		pthread_mutex_unlock(&lock);
		if (all == THREADS * 4)
			break;
	}
	for (int i = 0; i < 4; i++)
		OK(daos_event_fini(&ev[i]));
	return NULL;
}

/* Each thread waits for its own event of the shared queue. */
static void *
testing(void *arg)
{
	int          me = *(int *)arg;
	daos_event_t ev;
	char         key[32];

	OK(daos_event_init(&ev, me % 2 ? eqh : DAOS_HDL_INVAL, NULL));
	for (int i = 0; i < KEYS; i++) {
		bool flag = false;

		sprintf(key, "e%d-%d", me, i);
		OK(daos_kv_put(oh, DAOS_TX_NONE, 0, key, 4, "data", &ev));
		OK(daos_event_test(&ev, DAOS_EQ_WAIT, &flag));
		CHECK(flag && ev.ev_error == 0);
	}
	OK(daos_event_fini(&ev));
	return NULL;
}

static void
run(void *(*body)(void *))
{
	pthread_t threads[THREADS];
	int       numbers[THREADS];

	for (int i = 0; i < THREADS; i++) {
		numbers[i] = i;
		CHECK(pthread_create(&threads[i], NULL, body, &numbers[i]) == 0);
	}
	for (int i = 0; i < THREADS; i++)
		CHECK(pthread_join(threads[i], NULL) == 0);
}

int
main(void)
{
	daos_handle_t poh, coh;

	check_open(&poh, &coh);
	OK(daos_kv_open(coh, check_oid(coh, DAOS_OT_KV_HASHED, OC_SX), DAOS_OO_RW, &oh, NULL));
	OK(daos_eq_create(&eqh));
	STEP("blocking calls in threads that come and go");
	run(blocking);
	run(blocking);
	STEP("one queue polled by all");
	run(sharing);
	STEP("events tested by their threads");
	run(testing);
	OK(daos_eq_destroy(eqh, 0));
	OK(daos_kv_close(oh, NULL));
	check_close(poh, coh);
	return 0;
}
