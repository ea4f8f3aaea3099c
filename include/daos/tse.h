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

/*
 * A task pointer is one that tse_task_create() gave and whose last user has not left; NULL, and a scheduler that is not
 * initialised, are answered with -DER_INVAL, NULL or nothing. No lock is held while a function of the program runs, so
 * bodies and callbacks may call everything here.
 */

/**
 * From now on an error of a task that \a task waits for does not become its result.
 *
 * \param[in] task  The task.
 */
void tse_disable_propagate(tse_task_t *task);

/**
 * Counts a user of a scheduler, beside the one that tse_sched_init() counts.
 *
 * \param[in,out] sched  The scheduler.
 */
void tse_sched_addref(tse_sched_t *sched);

/**
 * Whether no task is scheduled, asleep or under way (also true of a scheduler that has ended).
 *
 * \param[in,out] sched  The scheduler.
 * \return Whether there is nothing left to do.
 */
bool tse_sched_check_complete(tse_sched_t *sched);

/**
 * Waits for all tasks, then calls the completion callbacks and gives up the user of tse_sched_init(). Returns at once
 * when another thread is at it.
 *
 * \param[in,out] sched  ds_result becomes \a ret if no task failed; ds_udata becomes NULL.
 * \param[in] ret  The result, unless there is an error already.
 * \param[in] cancel  true: tasks that have not begun are ended with -DER_CANCELED, API operations under way are
 *     waited for, other running tasks are ended with -DER_CANCELED; completion callbacks of tasks run. false: a task
 *     that can never run, because it waits for one that is not scheduled, is ended likewise once nothing else is
 *     left. Cancelled tasks are no error of the scheduler.
 */
void tse_sched_complete(tse_sched_t *sched, int ret, bool cancel);

/**
 * A user of a scheduler leaves; with the last one it ends, as by tse_sched_fini().
 *
 * \param[in,out] sched  The scheduler.
 */
void tse_sched_decref(tse_sched_t *sched);

/**
 * Ends a scheduler whose tasks have all completed, whatever users it has. The memory is the caller's again; tasks
 * with users may still be looked at and released.
 *
 * \param[in,out] sched  The scheduler.
 */
void tse_sched_fini(tse_sched_t *sched);

/**
 * Makes memory of the caller's a scheduler with one user. It must stay where it is until the scheduler has ended by
 * tse_sched_complete(), tse_sched_decref() or tse_sched_fini().
 *
 * \param[out] sched  The memory, whatever is in it.
 * \param[in] comp_cb  Called with \a udata and the result when the scheduler completes, or NULL.
 * \param[in] udata  The caller's; kept in ds_udata.
 * \return 0, or -DER_INVAL: no memory was given.
 */
int tse_sched_init(tse_sched_t *sched, tse_sched_comp_cb_t comp_cb, void *udata);

/**
 * Moves tasks on until nothing moves: looks once for API operations that ended, runs tasks that are ready, in the
 * order in which they were scheduled, and releases what waits for completed ones. Does not wait. Does nothing while
 * the scheduler is being cancelled.
 *
 * \param[in,out] sched  The scheduler.
 */
void tse_sched_progress(tse_sched_t *sched);

/**
 * Has \a comp_cb called with \a arg and the result when the scheduler completes; later ones are called earlier. What
 * it returns becomes the result if that was 0.
 *
 * \param[in,out] sched  The scheduler.
 * \param[in] comp_cb  The function.
 * \param[in] arg  The callback's argument, the program's.
 * \return 0, or -DER_INVAL: no scheduler, no function.
 */
int tse_sched_register_comp_cb(tse_sched_t *sched, tse_sched_comp_cb_t comp_cb, void *arg);

/**
 * Declared for completeness; no library defines it.
 *
 * \param[in] task  The task.
 * \return Nothing: it is not there to be linked.
 */
void *tse_task2arg(tse_task_t *task);

/**
 * The scheduler of a task, or NULL.
 *
 * \param[in] task  The task.
 * \return The scheduler, which the caller does not own; NULL: not a task.
 */
tse_sched_t *tse_task2sched(tse_task_t *task);

/**
 * Counts a user of a task: it stays after its completion until that user leaves.
 *
 * \param[in] task  The task.
 */
void tse_task_addref(tse_task_t *task);

/**
 * The program's bytes in a task, from the first on: at most TSE_TASK_ARG_LEN, aligned to 16, zero in a new task.
 * Tasks of daos_task_create() have the arguments there.
 *
 * \param[in] task  The task.
 * \param[in] size  Bytes that the program needs.
 * \return The bytes, or NULL: \a size is negative or too large.
 */
void *tse_task_buf_embedded(tse_task_t *task, int size);

/**
 * Ends a task, wherever it is, with a result, which is \a ret unless it has an error already. Completion callbacks
 * run, newest first; if one of them puts the task back or gives it a dependency, it is not complete. Else those that
 * wait for it move on, and the scheduler's user of it leaves. Nothing when the task has completed already.
 *
 * \param[in] task  The task.
 * \param[in] ret  The result, 0 or -DER_xxx.
 */
void tse_task_complete(tse_task_t *task, int ret);

/**
 * Makes a task. Its one user is its completion: tse_task_complete() frees it, and so does tse_task_decref() if it was
 * never scheduled.
 *
 * \param[in] task_func  What it does, or NULL: once scheduled it is running, and somebody completes it. The body
 *     completes the task itself or sees to it that somebody does; what it returns is not looked at.
 * \param[in,out] sched  Its scheduler.
 * \param[in] priv  For tse_task_get_priv(); the caller's.
 * \param[out] taskp  Gets the task.
 * \return 0; -DER_INVAL: no scheduler, no \a taskp; -DER_NOMEM.
 */
int tse_task_create(tse_task_func_t task_func, tse_sched_t *sched, void *priv, tse_task_t **taskp);

/**
 * A user of a task leaves; the last one frees it. If it never completed, those that wait for it are released with
 * -DER_CANCELED. A scheduled task has the user of its completion, whom this does not take.
 *
 * \param[in] task  The task.
 */
void tse_task_decref(tse_task_t *task);

/**
 * A task waits for all of a list.
 *
 * \param[in] task  The task.
 * \param[in,out] head  Head of the list, the program's.
 * \return 0; -DER_INVAL; -DER_NO_PERM: \a task has completed. After an error it may wait for some of them.
 */
int tse_task_depend_list(tse_task_t *task, d_list_t *head);

/**
 * The pointer of tse_task_create(), tse_task_reset() or tse_task_set_priv().
 *
 * \param[in] task  The task.
 * \return The pointer, the program's; NULL: none, or not a task.
 */
void *tse_task_get_priv(tse_task_t *task);

/**
 * Empties a list and completes each of its tasks with \a rc, as tse_task_complete() does.
 *
 * \param[in,out] head  Head of the list, the program's.
 * \param[in] rc  The result, 0 or -DER_xxx.
 */
void tse_task_list_abort(d_list_t *head, int rc);

/**
 * Puts a task at the end of a list of the program's (D_INIT_LIST_HEAD). Lists have no lock.
 *
 * \param[in] task  The task.
 * \param[in,out] head  Head of the list, the program's.
 * \return 0; -DER_INVAL; -DER_NO_PERM: it is in a list.
 */
int tse_task_list_add(tse_task_t *task, d_list_t *head);

/**
 * Takes a task out of its list, if it is in one.
 *
 * \param[in] task  The task.
 */
void tse_task_list_del(tse_task_t *task);

/**
 * All of a list wait for \a task.
 *
 * \param[in,out] head  Head of the list, the program's.
 * \param[in] task  The task.
 * \return 0; -DER_INVAL; -DER_NO_PERM: one of them has completed. After an error some of them may wait.
 */
int tse_task_list_depend(d_list_t *head, tse_task_t *task);

/**
 * The first task of a list, or NULL.
 *
 * \param[in,out] head  Head of the list, the program's.
 * \return The task, which stays in the list; NULL: the list is empty.
 */
tse_task_t *tse_task_list_first(d_list_t *head);

/**
 * Empties a list and schedules each of its tasks, as tse_task_schedule() does.
 *
 * \param[in,out] head  Head of the list, the program's.
 * \param[in] instant  Whether a task that waits for nothing runs before this returns.
 */
void tse_task_list_sched(d_list_t *head, bool instant);

/**
 * Calls \a cb with each task of a list and \a arg, to the end. The callback may take out the task that it is given.
 *
 * \param[in,out] head  Head of the list, the program's.
 * \param[in] cb  The function.
 * \param[in] arg  The callback's argument, the program's.
 * \return The last answer of a callback that was not 0, or 0; -DER_INVAL: no list, no function.
 */
int tse_task_list_traverse(d_list_t *head, tse_task_cb_t cb, void *arg);

/**
 * As tse_task_list_traverse(); the callback may also change the next task's links, and after the last task the head
 * may be gone.
 *
 * \param[in,out] head  Head of the list, the program's.
 * \param[in] cb  The function.
 * \param[in] arg  The callback's argument, the program's.
 * \return As tse_task_list_traverse().
 */
int tse_task_list_traverse_adv(d_list_t *head, tse_task_cb_t cb, void *arg);

/**
 * Registers a callback before the body and one at completion; at least one of the two. Preparations are called oldest
 * first when the task's turn comes. If one of them completes the task, the rest of them and the body are left out; if
 * one puts it back, the body is; if one returns an error, that is the task's result and the body runs. A preparation
 * that the last one registers is for the next time.
 *
 * \param[in] task  The task.
 * \param[in] prep_cb  Before the body, or NULL.
 * \param[in] prep_data  Copied; the callback is given the copy. NULL: zero bytes.
 * \param[in] prep_data_size  In bytes.
 * \param[in] comp_cb  At completion, or NULL.
 * \param[in] comp_data  As \a prep_data.
 * \param[in] comp_data_size  In bytes.
 * \return 0; -DER_INVAL: neither; -DER_NO_PERM: it has completed; -DER_NOMEM. After an error neither is registered.
 */
int tse_task_register_cbs(tse_task_t *task, tse_task_cb_t prep_cb, void *prep_data,
                          size_t prep_data_size, tse_task_cb_t comp_cb, void *comp_data,
                          size_t comp_data_size);

/**
 * Has \a comp_cb called when the task completes, before those registered earlier. What it returns becomes the task's
 * result if that was 0.
 *
 * \param[in] task  The task.
 * \param[in] comp_cb  The function.
 * \param[in] arg  Copied; the callback is given the copy. NULL: zero bytes.
 * \param[in] arg_size  In bytes.
 * \return 0; -DER_INVAL: no task, no function; -DER_NO_PERM: the task has completed; -DER_NOMEM.
 */
int tse_task_register_comp_cb(tse_task_t *task, tse_task_cb_t comp_cb, void *arg, size_t arg_size);

/**
 * tse_task_register_comp_cb() and tse_task_reinit_with_delay() in one: both or neither.
 *
 * \param[in] task  The task.
 * \param[in] comp_cb  The function.
 * \param[in] arg  The callback's argument, the program's.
 * \param[in] arg_size  Bytes of the argument that are copied; zero bytes if arg is NULL.
 * \param[in] delay  Microseconds from now before it may run.
 * \return As those two.
 */
int tse_task_register_comp_cb_and_reinit(tse_task_t *task, tse_task_cb_t comp_cb, void *arg,
                                         size_t arg_size, uint64_t delay);

/**
 * A task waits for others, of any scheduler. Those that have completed count for nothing. An error of theirs becomes
 * its result if it has none; it runs all the same. A running task that waits completes by itself with the last of
 * them.
 *
 * \param[in] task  The task.
 * \param[in] num_deps  Number of tasks to wait for.
 * \param[in] dep_tasks  Those tasks; NULL if there are none.
 * \return 0; -DER_INVAL: a task that waits for itself; -DER_NO_PERM: \a task has completed. After an error it may
 *     wait for some of them.
 */
int tse_task_register_deps(tse_task_t *task, int num_deps, tse_task_t *dep_tasks[]);

/**
 * Puts a task that runs (also from its callbacks), or has completed and has a user, back into the scheduler, to be
 * run again. Its result is 0 again. Callbacks that were called are gone; register new ones before.
 *
 * \param[in] task  The task.
 * \return 0; -DER_INVAL: it has no body; -DER_NO_PERM: it has not begun, or the scheduler is being cancelled.
 */
int tse_task_reinit(tse_task_t *task);

/**
 * tse_task_reinit(), to be run \a delay microseconds from now at the earliest.
 *
 * \param[in] task  The task.
 * \param[in] delay  Microseconds from now before it may run.
 * \return As tse_task_reinit().
 */
int tse_task_reinit_with_delay(tse_task_t *task, uint64_t delay);

/**
 * Gives a completed task that has a user another body and pointer. It is as if created anew, but takes over that
 * user: completing it frees it unless there are more.
 *
 * \param[in] task  The task.
 * \param[in] task_func  What it does.
 * \param[in] priv  The caller's pointer.
 * \return 0; -DER_INVAL; -DER_NO_PERM: it has not completed, is in a list, or has callbacks or tasks that wait for
 *     it; the scheduler is being cancelled.
 */
int tse_task_reset(tse_task_t *task, tse_task_func_t task_func, void *priv);

/**
 * Hands a task to its scheduler.
 *
 * \param[in] task  The task.
 * \param[in] instant  true: its body runs now, on this thread, if it waits for nothing and has no preparation
 *     callback; else, and with false, when the scheduler progresses.
 * \return 0; -DER_INVAL: instant without a body; -DER_NO_PERM: it is scheduled, or has completed and was not reset.
 */
int tse_task_schedule(tse_task_t *task, bool instant);

/**
 * tse_task_schedule(), to be run \a delay microseconds from now at the earliest; not with both \a instant and a
 * delay.
 *
 * \param[in] task  The task.
 * \param[in] instant  Whether a task that waits for nothing runs before this returns.
 * \param[in] delay  Microseconds from now before it may run.
 * \return As tse_task_schedule(); -DER_INVAL also for both.
 */
int tse_task_schedule_with_delay(tse_task_t *task, bool instant, uint64_t delay);

/**
 * Sets the pointer of a task. Returns the old one.
 *
 * \param[in] task  The task.
 * \param[in] priv  The caller's pointer.
 * \return The pointer of before.
 */
void *tse_task_set_priv(tse_task_t *task, void *priv);

#if defined(__cplusplus)
}
#endif

#endif /* DAOS_INC_DAOS_TSE_H */
