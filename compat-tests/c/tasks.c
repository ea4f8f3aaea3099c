/*
 * Aim: API calls as tasks, used as the HDF5 connector uses them: arguments filled in by preparation callbacks, chains in which
 * a completion callback decides what comes next, a metatask that the whole chain ends in, tasks put back with larger
 * buffers, tasks kept in a list and reset for other operations, errors half-way, the end of a scheduler with operations
 * under way. (every_opcode.c calls each operation code.)
 */
#include "../../libdaos/tests/c/check.h"
#include <daos_task.h>

#define OBJECTS 3
#define KEYS	40

static daos_handle_t poh, coh, oh[OBJECTS];
static tse_sched_t   sched;

static void
finish_all(void)
{
	bool empty = false;
	int  rc;

	while (!empty) {
		rc = daos_progress(&sched, 1000, &empty);
		CHECK(rc == (empty ? 0 : -DER_TIMEDOUT));
	}
	CHECK(tse_sched_check_complete(&sched));
}

/* One value of 8 bytes under a key of an object, and what a chain is doing with it. */
struct record {
	daos_handle_t oh;
	daos_key_t    dkey;
	char          key[16];
	daos_iod_t    iod;
	d_iov_t       iov;
	d_sg_list_t   sgl;
	uint64_t      value;
	int           calls;
	int           rc;
	struct chain *chain;
};

static void
record_set(struct record *r, daos_handle_t object, const char *key, uint64_t value)
{
	memset(r, 0, sizeof(*r));
	r->oh = object;
	strcpy(r->key, key);
	d_iov_set(&r->dkey, r->key, strlen(r->key));
	d_iov_set(&r->iod.iod_name, "v", 1);
	r->iod.iod_type = DAOS_IOD_SINGLE;
	r->iod.iod_nr   = 1;
	r->iod.iod_size = sizeof(r->value);
	r->value        = value;
	d_iov_set(&r->iov, &r->value, sizeof(r->value));
	r->sgl.sg_nr   = 1;
	r->sgl.sg_iovs = &r->iov;
}

static int
rw_prep(tse_task_t *task, void *unused)
{
	struct record *r    = tse_task_get_priv(task);
	daos_obj_rw_t *args = daos_task_get_args(task);

	CHECK(args != NULL && task->dt_result == 0);
	memset(args, 0, sizeof(*args));
	args->oh   = r->oh;
	args->th   = DAOS_TX_NONE;
	args->dkey = &r->dkey;
	args->nr   = 1;
	args->iods = &r->iod;
	args->sgls = &r->sgl;
	return 0;
}

static int
rw_comp(tse_task_t *task, void *unused)
{
	struct record *r = tse_task_get_priv(task);

	r->calls++;
	r->rc = task->dt_result;
	return 0;
}

static tse_task_t *
rw_task(daos_opc_t opc, struct record *r, int deps, tse_task_t *dep[])
{
	tse_task_t *task;

	OK(daos_task_create(opc, &sched, deps, deps ? dep : NULL, &task));
	CHECK(tse_task_set_priv(task, r) == NULL);
	OK(tse_task_register_cbs(task, rw_prep, NULL, 0, rw_comp, NULL, 0));
	return task;
}

static void
basics(void)
{
	tse_task_t    *task, *bare;
	struct record  one, two;
	bool           empty = true;
	int            mine;
	daos_obj_rw_t *args;

	STEP("one task");
	CHECK_RC(daos_task_create(DAOS_OPC_INVALID, &sched, 0, NULL, &task), -DER_NOSYS);
	CHECK_RC(daos_task_create(DAOS_OPC_MAX, &sched, 0, NULL, &task), -DER_NOSYS);
	CHECK_RC(daos_task_create(DAOS_OPC_OBJ_FETCH, NULL, 0, NULL, &task), -DER_INVAL);
	CHECK_RC(daos_task_create(DAOS_OPC_OBJ_FETCH, &sched, 0, NULL, NULL), -DER_INVAL);
	CHECK_RC(daos_task_create(DAOS_OPC_OBJ_FETCH, &sched, 0, &task, &task), -DER_INVAL);
	CHECK(daos_task_get_args(NULL) == NULL && daos_task_get_priv(NULL) == NULL);
	CHECK_RC(daos_task_reset(NULL, DAOS_OPC_OBJ_FETCH), -DER_INVAL);
	CHECK_RC(daos_progress(NULL, 0, &empty), -DER_INVAL);
	CHECK_RC(daos_progress(&sched, 0, NULL), -DER_INVAL);
	OK(daos_progress(&sched, 0, &empty));
	CHECK(empty);

	OK(tse_task_create(NULL, &sched, NULL, &bare));
	CHECK(daos_task_get_args(bare) == NULL);
	OK(tse_task_schedule(bare, false));
	CHECK_RC(daos_progress(&sched, 100, &empty), -DER_TIMEDOUT);
	CHECK(!empty);
	tse_task_complete(bare, 0);

	record_set(&one, oh[0], "one", 11);
	task = rw_task(DAOS_OPC_OBJ_UPDATE, &one, 0, NULL);
	CHECK(daos_task_set_priv(task, &mine) == NULL && daos_task_get_priv(task) == &mine);
	CHECK(tse_task_get_priv(task) == &one);
	OK(tse_task_schedule(task, false));
	finish_all();
	CHECK(one.calls == 1 && one.rc == 0);

	/* At once, without callbacks: the arguments are filled in before. */
	record_set(&two, oh[0], "one", 0);
	OK(daos_task_create(DAOS_OPC_OBJ_FETCH, &sched, 0, NULL, &task));
	tse_task_addref(task);
	CHECK(tse_task_set_priv(task, &two) == NULL);
	rw_prep(task, NULL);
	OK(tse_task_schedule(task, true));
	/* The scheduler alone brings it to an end as well. */
	while (!tse_sched_check_complete(&sched))
		tse_sched_progress(&sched);
	CHECK(task->dt_result == 0 && two.value == 11);

	/* A wrong argument completes it inside schedule. */
	OK(daos_task_reset(task, DAOS_OPC_OBJ_FETCH));
	CHECK_RC(daos_task_reset(task, DAOS_OPC_MAX), -DER_NOSYS);
	args = daos_task_get_args(task);
	memset(args, 0, sizeof(*args));
	tse_task_addref(task);
	OK(tse_task_schedule(task, true));
	CHECK(task->dt_result == -DER_NO_HDL && tse_sched_check_complete(&sched));
	tse_task_decref(task);
	CHECK(sched.ds_result == -DER_NO_HDL);
	sched.ds_result = 0;
}

/* A chain: look whether a key is there; if not write it, then read it; in the end the metatask completes. */
struct chain {
	tse_task_t   *metatask;
	struct record look, write, read;
	bool          found;
};

static int
decide(tse_task_t *task, void *unused)
{
	struct chain *chain = ((struct record *)tse_task_get_priv(task))->chain;
	tse_task_t   *write, *read;

	CHECK(task->dt_result == 0);
	if (chain->look.iod.iod_size != 0) {
		chain->found = true;
		tse_task_complete(chain->metatask, 0);
		return 0;
	}
	write = rw_task(DAOS_OPC_OBJ_UPDATE, &chain->write, 0, NULL);
	read  = rw_task(DAOS_OPC_OBJ_FETCH, &chain->read, 1, &write);
	OK(tse_task_register_deps(chain->metatask, 1, &read));
	OK(tse_task_schedule(chain->metatask, false));
	OK(tse_task_schedule(read, false));
	OK(tse_task_schedule(write, false));
	return 0;
}

static int
complete_now(tse_task_t *task)
{
	tse_task_complete(task, 0);
	return 0;
}

static int
count_down(tse_task_t *task, void *arg)
{
	(**(int **)arg)--;
	return 0;
}

static void
chains(void)
{
	static struct chain chain[OBJECTS][KEYS];

	STEP("chains: look, decide, write, read");
	for (int pass = 0; pass < 2; pass++) {
		int left = 0, *counter = &left;

		for (int i = 0; i < OBJECTS * KEYS; i++) {
			struct chain *c = &chain[i % OBJECTS][i / OBJECTS];
			tse_task_t   *look;
			char          key[16];

			memset(c, 0, sizeof(*c));
			sprintf(key, "chain%d", i);
			record_set(&c->look, oh[i % OBJECTS], key, 0);
			record_set(&c->write, oh[i % OBJECTS], key, 1000 + i);
			record_set(&c->read, oh[i % OBJECTS], key, 0);
			c->look.chain = c;
			c->look.sgl.sg_nr   = 0;
			c->look.iod.iod_size = DAOS_REC_ANY;
			look = rw_task(DAOS_OPC_OBJ_FETCH, &c->look, 0, NULL);
			OK(tse_task_register_comp_cb(look, decide, NULL, 0));
			OK(tse_task_create(complete_now, &sched, NULL, &c->metatask));
			OK(tse_task_register_comp_cb(c->metatask, count_down, &counter, sizeof(counter)));
			left++;
			OK(tse_task_schedule(look, false));
		}
		finish_all();
		CHECK(left == 0);
		for (int i = 0; i < OBJECTS * KEYS; i++) {
			struct chain *c = &chain[i % OBJECTS][i / OBJECTS];

			CHECK(c->look.calls == 1 && c->found == (pass == 1));
			CHECK(pass == 1 || (c->write.calls == 1 && c->read.calls == 1));
			CHECK(pass == 1 || c->read.value == 1000u + i);
		}
	}
}

static int
add_up(tse_task_t *task, void *arg)
{
	struct record *from = *(struct record **)arg;
	struct record *to   = tse_task_get_priv(task);

	to->value = from->value + 1;
	return 0;
}

static void
across_objects(void)
{
	struct record write[OBJECTS], read[OBJECTS], *before;
	tse_task_t   *task[2 * OBJECTS];

	STEP("dependencies across objects");
	for (int i = 0; i < OBJECTS; i++) {
		record_set(&write[i], oh[i], "across", 7);
		record_set(&read[i], oh[i], "across", 0);
	}
	/* Write 7 to the first, read it, write one more to the second, and so on. Scheduled last first. */
	for (int i = 0; i < OBJECTS; i++) {
		task[2 * i] = rw_task(DAOS_OPC_OBJ_UPDATE, &write[i], i ? 1 : 0, i ? &task[2 * i - 1] : NULL);
		if (i > 0) {
			before = &read[i - 1];
			OK(tse_task_register_cbs(task[2 * i], add_up, &before, sizeof(before), NULL, NULL, 0));
		}
		task[2 * i + 1] = rw_task(DAOS_OPC_OBJ_FETCH, &read[i], 1, &task[2 * i]);
	}
	for (int i = 2 * OBJECTS; i-- > 0;)
		OK(tse_task_schedule(task[i], false));
	finish_all();
	for (int i = 0; i < OBJECTS; i++)
		CHECK(read[i].calls == 1 && read[i].rc == 0 && read[i].value == 7u + i);
}

/* Listing with a buffer that is too small at first. */
struct listing {
	daos_handle_t   oh;
	uint32_t        nr;
	daos_key_desc_t kds[8];
	d_iov_t         iov;
	d_sg_list_t     sgl;
	daos_anchor_t   anchor;
	int             found, grown, rounds;
};

static int
list_prep(tse_task_t *task, void *unused)
{
	struct listing       *l    = tse_task_get_priv(task);
	daos_obj_list_dkey_t *args = daos_task_get_args(task);

	memset(args, 0, sizeof(*args));
	args->oh          = l->oh;
	args->nr          = &l->nr;
	args->kds         = l->kds;
	args->sgl         = &l->sgl;
	args->dkey_anchor = &l->anchor;
	l->nr             = 8;
	return 0;
}

static int
list_comp(tse_task_t *task, void *unused)
{
	struct listing *l = tse_task_get_priv(task);

	l->rounds++;
	if (task->dt_result == -DER_KEY2BIG) {
		l->iov.iov_buf = realloc(l->iov.iov_buf, l->iov.iov_buf_len *= 2);
		l->grown++;
	} else {
		CHECK(task->dt_result == 0);
		l->found += l->nr;
		if (daos_anchor_is_eof(&l->anchor))
			return 0;
	}
	OK(tse_task_register_cbs(task, list_prep, NULL, 0, list_comp, NULL, 0));
	OK(tse_task_reinit(task));
	return 0;
}

static void
reinitialised(void)
{
	struct listing l = {.oh = oh[1]};
	tse_task_t    *task;

	STEP("a task put back: larger buffer, next part");
	l.iov.iov_buf = malloc(l.iov.iov_buf_len = 2);
	l.sgl.sg_nr   = 1;
	l.sgl.sg_iovs = &l.iov;
	OK(daos_task_create(DAOS_OPC_OBJ_LIST_DKEY, &sched, 0, NULL, &task));
	tse_task_set_priv(task, &l);
	OK(tse_task_register_cbs(task, list_prep, NULL, 0, list_comp, NULL, 0));
	tse_task_addref(task);
	OK(tse_task_schedule(task, false));
	finish_all();
	/* The keys of the chains and of the dependencies. */
	CHECK(l.found == KEYS + 1 && l.grown > 0 && l.rounds > l.grown + KEYS / 8);
	CHECK(task->dt_result == 0);
	tse_task_decref(task);
	free(l.iov.iov_buf);
}

static void
reused(void)
{
	struct record a, b;
	tse_task_t   *task = NULL;

	STEP("one task for many operations");
	record_set(&a, oh[2], "reused", 0);
	for (int i = 0; i < 50; i++) {
		if (task == NULL) {
			OK(daos_task_create(DAOS_OPC_OBJ_UPDATE, &sched, 0, NULL, &task));
		} else if (i % 5 == 4) {
			/* As a task of the program's in between. */
			OK(tse_task_reset(task, complete_now, NULL));
			tse_task_addref(task);
			OK(tse_task_schedule(task, false));
			finish_all();
			OK(daos_task_reset(task, i % 2 ? DAOS_OPC_OBJ_FETCH : DAOS_OPC_OBJ_UPDATE));
		} else {
			OK(daos_task_reset(task, i % 2 ? DAOS_OPC_OBJ_FETCH : DAOS_OPC_OBJ_UPDATE));
		}
		if (i % 2) {
			record_set(&b, oh[2], "reused", 0);
			tse_task_set_priv(task, &b);
		} else {
			a.value = i;
			tse_task_set_priv(task, &a);
		}
		OK(tse_task_register_cbs(task, rw_prep, NULL, 0, rw_comp, NULL, 0));
		tse_task_addref(task);
		CHECK_RC(daos_task_reset(task, DAOS_OPC_OBJ_FETCH), -DER_NO_PERM);
		OK(tse_task_schedule(task, false));
		finish_all();
		CHECK(task->dt_result == 0 && (i % 2 == 0 || b.value == i - 1u));
	}
	tse_task_decref(task);
}

static int
skip_after_error(tse_task_t *task, void *arg)
{
	if (task->dt_result != 0) {
		(**(int **)arg)++;
		tse_task_complete(task, 0);
	}
	return 0;
}

static void
errors(void)
{
	struct record first, second, third, check;
	tse_task_t   *task[3];
	int           skipped = 0, *counter = &skipped;

	STEP("errors half-way");
	record_set(&first, oh[0], "err1", 1);
	record_set(&second, oh[0], "err2", 2);
	record_set(&third, oh[0], "err3", 3);
	second.oh.cookie = 0x1234;
	task[0]          = rw_task(DAOS_OPC_OBJ_UPDATE, &first, 0, NULL);
	task[1]          = rw_task(DAOS_OPC_OBJ_UPDATE, &second, 1, &task[0]);
	OK(daos_task_create(DAOS_OPC_OBJ_UPDATE, &sched, 1, &task[1], &task[2]));
	tse_task_set_priv(task[2], &third);
	OK(tse_task_register_cbs(task[2], skip_after_error, &counter, sizeof(counter), rw_comp, NULL, 0));
	for (int i = 0; i < 3; i++)
		OK(tse_task_schedule(task[i], false));
	finish_all();
	CHECK(first.rc == 0 && second.rc == -DER_NO_HDL && third.rc == -DER_NO_HDL && skipped == 1);
	CHECK(first.calls == 1 && second.calls == 1 && third.calls == 1);
	record_set(&check, oh[0], "err3", 0);
	check.iod.iod_size = DAOS_REC_ANY;
	OK(daos_obj_fetch(check.oh, DAOS_TX_NONE, 0, &check.dkey, 1, &check.iod, NULL, NULL, NULL));
	CHECK(check.iod.iod_size == 0);
	sched.ds_result = 0;
}

static int
block_inside(tse_task_t *task, void *arg)
{
	struct record check;
	bool          empty;

	/* A blocking call, and progress of the scheduler that this runs on. */
	record_set(&check, oh[0], "inside", 0);
	OK(daos_obj_fetch(check.oh, DAOS_TX_NONE, 0, &check.dkey, 1, &check.iod, &check.sgl, NULL, NULL));
	CHECK(check.value == 5);
	CHECK_RC(daos_progress(&sched, 0, &empty), -DER_TIMEDOUT);
	(**(int **)arg)++;
	return 0;
}

static void
lists(void)
{
	struct record record[10], inside;
	tse_task_t   *all, *task;
	d_list_t      head;
	int           blocked = 0, *counter = &blocked;

	STEP("a list of tasks, and callbacks that call and progress");
	D_INIT_LIST_HEAD(&head);
	OK(tse_task_create(complete_now, &sched, NULL, &all));
	for (int i = 0; i < 10; i++) {
		char key[16];

		sprintf(key, "list%d", i);
		record_set(&record[i], oh[i % OBJECTS], key, i);
		OK(tse_task_list_add(rw_task(DAOS_OPC_OBJ_UPDATE, &record[i], 0, NULL), &head));
	}
	record_set(&inside, oh[0], "inside", 5);
	task = rw_task(DAOS_OPC_OBJ_UPDATE, &inside, 0, NULL);
	OK(tse_task_register_comp_cb(task, block_inside, &counter, sizeof(counter)));
	OK(tse_task_list_add(task, &head));
	OK(tse_task_depend_list(all, &head));
	tse_task_addref(all);
	OK(tse_task_schedule(all, false));
	tse_task_list_sched(&head, false);
	CHECK(d_list_empty(&head));
	finish_all();
	for (int i = 0; i < 10; i++)
		CHECK(record[i].calls == 1 && record[i].rc == 0);
	CHECK(blocked == 1 && all->dt_result == 0);
	tse_task_decref(all);
}

static int
keep_result(tse_task_t *task, void *arg)
{
	**(int **)arg = task->dt_result;
	return 0;
}

/* As HDF5 makes a file: away with the container of that name, which may not be there, then a new one. */
static void
containers(void)
{
	char           name[] = "0f8fad5b-d9cb-469f-a165-70867728950e";
	tse_task_t    *destroy, *create, *open;
	daos_handle_t  made = DAOS_HDL_INVAL, object;
	struct record  record;
	int            result[3], *place[3];

	STEP("a container made after one that was not there was destroyed, closed before its object");
	for (int i = 0; i < 3; i++) {
		result[i] = 1;
		place[i]  = &result[i];
	}
	OK(daos_task_create(DAOS_OPC_CONT_DESTROY, &sched, 0, NULL, &destroy));
	daos_cont_destroy_t *destroy_args = daos_task_get_args(destroy);
	destroy_args->poh   = poh;
	destroy_args->cont  = name;
	destroy_args->force = 1;
	OK(daos_task_create(DAOS_OPC_CONT_CREATE, &sched, 1, &destroy, &create));
	daos_cont_create_t *create_args = daos_task_get_args(create);
	create_args->poh = poh;
	OK(uuid_parse(name, create_args->uuid));
	OK(daos_task_create(DAOS_OPC_CONT_OPEN, &sched, 1, &create, &open));
	daos_cont_open_t *open_args = daos_task_get_args(open);
	open_args->poh   = poh;
	open_args->cont  = name;
	open_args->flags = DAOS_COO_RW;
	open_args->coh   = &made;
	OK(tse_task_register_comp_cb(destroy, keep_result, &place[0], sizeof(place[0])));
	OK(tse_task_register_comp_cb(create, keep_result, &place[1], sizeof(place[1])));
	OK(tse_task_register_comp_cb(open, keep_result, &place[2], sizeof(place[2])));
	OK(tse_task_schedule(open, false));
	OK(tse_task_schedule(create, false));
	OK(tse_task_schedule(destroy, true));
	finish_all();
	/* What the destruction answered stays with it: the calls after it have results of their own. */
	CHECK(result[0] == -DER_NONEXIST && result[1] == 0 && result[2] == 0);

	OK(daos_obj_open(made, check_oid(made, DAOS_OT_MULTI_HASHED, OC_SX), DAOS_OO_RW, &object, NULL));
	record_set(&record, object, "k", 1);
	OK(daos_obj_update(object, DAOS_TX_NONE, 0, &record.dkey, 1, &record.iod, &record.sgl, NULL));
	OK(daos_cont_close(made, NULL));
	CHECK(daos_obj_update(object, DAOS_TX_NONE, 0, &record.dkey, 1, &record.iod, &record.sgl, NULL) == -DER_NO_HDL);
	OK(daos_obj_close(object, NULL));
	OK(daos_cont_destroy(poh, name, 0, NULL));
	CHECK(sched.ds_result == -DER_NONEXIST);
	sched.ds_result = 0;
}

static int
ended(void *arg, int rc)
{
	CHECK(rc == 0);
	(*(int *)arg)++;
	return 0;
}

static void
ends(void)
{
	static struct record record[64];
	int                  calls;

	STEP("the end of a scheduler with operations under way");
	for (int cancel = 0; cancel < 2; cancel++) {
		calls = 0;
		if (cancel)
			OK(tse_sched_init(&sched, ended, &calls));
		else
			OK(tse_sched_register_comp_cb(&sched, ended, &calls));
		for (int i = 0; i < 64; i++) {
			char        key[16];
			tse_task_t *task;

			sprintf(key, "end%d", i);
			record_set(&record[i], oh[i % OBJECTS], key, i);
			OK(daos_task_create(DAOS_OPC_OBJ_UPDATE, &sched, 0, NULL, &task));
			tse_task_set_priv(task, &record[i]);
			OK(tse_task_register_comp_cb(task, rw_comp, NULL, 0));
			rw_prep(task, NULL);
			OK(tse_task_schedule_with_delay(task, i < 32, i < 32 ? 0 : 1000));
		}
		tse_sched_complete(&sched, 0, cancel);
		CHECK(calls == 1);
		for (int i = 0; i < 64; i++) {
			CHECK(record[i].calls == 1);
			CHECK(record[i].rc == (cancel && i >= 32 ? -DER_CANCELED : 0));
		}
	}
}

int
main(void)
{
	check_open(&poh, &coh);
	OK(tse_sched_init(&sched, NULL, NULL));
	for (int i = 0; i < OBJECTS; i++)
		OK(daos_obj_open(coh, check_oid(coh, DAOS_OT_MULTI_HASHED, OC_SX), DAOS_OO_RW, &oh[i], NULL));
	basics();
	chains();
	across_objects();
	reinitialised();
	reused();
	errors();
	lists();
	containers();
	ends();
	for (int i = 0; i < OBJECTS; i++)
		OK(daos_obj_close(oh[i], NULL));
	check_close(poh, coh);
	return 0;
}
