/*
 * SPDX-License-Identifier: BSD-2-Clause-Patent
 *
 * Task scheduler: tasks with dependencies, preparation and completion callbacks.
 */
#ifndef DAOS_INC_DAOS_TSE_H
#define DAOS_INC_DAOS_TSE_H

#include <stddef.h>
#include <inttypes.h>
#include <stdbool.h>
#include <pthread.h>
#include <gurt/list.h>

#if defined(__cplusplus)
extern "C" {
#endif

#define TSE_TASK_ARG_LEN	880UL
#define TSE_PRIV_SIZE	1016UL
#define TSE_TASK_SIZE	1024UL

typedef int (*tse_sched_comp_cb_t)(void *, int);

typedef struct tse_task {
	int dt_result;
	int dt_pad32;
	struct {
		char dt_space[1016];
	} dt_private;
} tse_task_t;

typedef int (*tse_task_func_t)(tse_task_t *);

typedef int (*tse_task_cb_t)(tse_task_t *, void *);

typedef struct {
	int ds_result;
	void *ds_udata;
	struct {
		uint64_t ds_space[48];
	} ds_private;
} tse_sched_t;

/** A failure of this task is no failure of those that depend on it. */
void tse_disable_propagate(tse_task_t *task);

/** Counts a user of a scheduler. */
void tse_sched_addref(tse_sched_t *sched);

/** Whether nothing is left to do. */
bool tse_sched_check_complete(tse_sched_t *sched);

/** Ends a scheduler with a result; cancel: tasks that have not run are abandoned, else waits for all. */
void tse_sched_complete(tse_sched_t *sched, int ret, bool cancel);

/** Counts a user of a scheduler. */
void tse_sched_decref(tse_sched_t *sched);

/** Frees a scheduler without tasks. */
void tse_sched_fini(tse_sched_t *sched);

/** Starts a scheduler; udata hangs on it, comp_cb is called when it completes. */
int tse_sched_init(tse_sched_t *sched, tse_sched_comp_cb_t comp_cb, void *udata);

/** Moves ready and completed tasks on. */
void tse_sched_progress(tse_sched_t *sched);

/** Has comp_cb called when the scheduler completes. */
int tse_sched_register_comp_cb(tse_sched_t *sched, tse_sched_comp_cb_t comp_cb, void *arg);

/** Declared for completeness; no library defines it. */
void *tse_task2arg(tse_task_t *task);

/** The scheduler of a task. */
tse_sched_t *tse_task2sched(tse_task_t *task);

/** Counts a user of a task; the last one frees it. */
void tse_task_addref(tse_task_t *task);

/** Room of size bytes inside the task. */
void *tse_task_buf_embedded(tse_task_t *task, int size);

/** Ends a task with a result: callbacks run, dependents may go on. */
void tse_task_complete(tse_task_t *task, int ret);

/** Makes a task with a body and private data; scheduled with tse_task_schedule(). */
int tse_task_create(tse_task_func_t task_func, tse_sched_t *sched, void *priv, tse_task_t **taskp);

/** Counts a user of a task; the last one frees it. */
void tse_task_decref(tse_task_t *task);

/** All of a list wait for a task. */
int tse_task_depend_list(tse_task_t *task, d_list_t *head);

/** Private data of a task. */
void *tse_task_get_priv(tse_task_t *task);

/** Abandons, or schedules, all tasks of a list. */
void tse_task_list_abort(d_list_t *head, int rc);

/** Puts a task into a list, or takes it out. */
int tse_task_list_add(tse_task_t *task, d_list_t *head);

/** Puts a task into a list, or takes it out. */
void tse_task_list_del(tse_task_t *task);

/** A task waits for all of a list. */
int tse_task_list_depend(d_list_t *head, tse_task_t *task);

/** The first task of a list, or NULL. */
tse_task_t *tse_task_list_first(d_list_t *head);

/** Abandons, or schedules, all tasks of a list. */
void tse_task_list_sched(d_list_t *head, bool instant);

/** Calls a function for each task of a list; not 0 stops. */
int tse_task_list_traverse(d_list_t *head, tse_task_cb_t cb, void *arg);

/** Calls a function for each task of a list; not 0 stops. */
int tse_task_list_traverse_adv(d_list_t *head, tse_task_cb_t cb, void *arg);

/** Registers callbacks before and after the body, with copies of their arguments. */
int tse_task_register_cbs(tse_task_t *task, tse_task_cb_t prep_cb, void *prep_data,
                          size_t prep_data_size, tse_task_cb_t comp_cb, void *comp_data,
                          size_t comp_data_size);

/** Has comp_cb called when the task completes, with a copy of arg_size bytes. */
int tse_task_register_comp_cb(tse_task_t *task, tse_task_cb_t comp_cb, void *arg, size_t arg_size);

/** Registers callbacks before and after the body, with copies of their arguments. */
int tse_task_register_comp_cb_and_reinit(tse_task_t *task, tse_task_cb_t comp_cb, void *arg,
                                         size_t arg_size, uint64_t delay);

/** The task waits for dep_tasks. */
int tse_task_register_deps(tse_task_t *task, int num_deps, tse_task_t *dep_tasks[]);

/** Puts a task that ran back to be run again, from its completion callback. */
int tse_task_reinit(tse_task_t *task);

/** Puts a task that ran back to be run again, from its completion callback. */
int tse_task_reinit_with_delay(tse_task_t *task, uint64_t delay);

/** Gives a completed task another body. */
int tse_task_reset(tse_task_t *task, tse_task_func_t task_func, void *priv);

/** Hands a task to its scheduler; instant: its body runs now when nothing is in its way. */
int tse_task_schedule(tse_task_t *task, bool instant);

/** tse_task_schedule() with a delay in microseconds. */
int tse_task_schedule_with_delay(tse_task_t *task, bool instant, uint64_t delay);

/** Sets the private data of a task. Returns the old one. */
void *tse_task_set_priv(tse_task_t *task, void *priv);

#if defined(__cplusplus)
}
#endif

#endif /* DAOS_INC_DAOS_TSE_H */
