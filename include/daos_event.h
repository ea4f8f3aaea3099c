/*
 * SPDX-License-Identifier: BSD-2-Clause-Patent
 *
 * Event queues and events: asynchronous completion.
 *
 * An event is memory of the caller's. daos_event_init() makes it ready; a call that takes it launches it; when the
 * operation ends it is complete; daos_eq_poll() or daos_event_test() makes it ready again, for its next use, with the
 * result, 0 or -DER_xxx, in ev_error. Nothing moves on by itself: operations of a queue proceed while some thread polls
 * it or tests an event of it. What was passed by pointer to the call must stay until the event is complete.
 *
 * Any call here can also give -DER_UNINIT: before daos_init(); the library was finalised after the queue was made; or
 * this is a forked child and the queue its parent's.
 */
#ifndef DAOS_INC_DAOS_EVENT_H
#define DAOS_INC_DAOS_EVENT_H

#include <daos_types.h>
#include <daos_errno.h>

#if defined(__cplusplus)
extern "C" {
#endif

/** Flag of daos_eq_destroy(): also with events in flight. */
#define DAOS_EQ_DESTROY_FORCE	1

/** Function called at an event's completion: its argument, the event, the operation's result. */
typedef int (*daos_event_comp_cb_t)(void *, daos_event_t *, int);

/**
 * Makes an event queue. It has a network endpoint of its own, which its users drive by polling; several threads may
 * use it at a time. daos_eq_destroy() releases it.
 *
 * \param[out] eqh  Handle of the queue; valid in this process only.
 * \return 0; -DER_INVAL: eqh is NULL, or the fabric interface or provider in use does not exist; -DER_NOMEM;
 *     -DER_HG: libfabric cannot open an endpoint.
 */
int daos_eq_create(daos_handle_t *eqh);

/**
 * Destroys an event queue. Threads that poll it get -DER_NONEXIST. Its events stay the caller's, ready again;
 * daos_event_fini() each.
 *
 * \param[in] eqh  The queue.
 * \param[in] flags  0, or DAOS_EQ_DESTROY_FORCE: events that are in flight are waited for and completed ones
 *     dropped.
 * \return 0; -DER_NONEXIST: no such queue, or another call destroys it; -DER_BUSY: without force, an event is in
 *     flight or was not polled. Not with force from a completion callback of an event of the queue, which is in flight.
 */
int daos_eq_destroy(daos_handle_t eqh, int flags);

/**
 * Moves the operations of a queue on and takes events that are complete out of it, oldest first. They are ready
 * again, with their results in ev_error. Only events without a parent come: a parent once its children are complete
 * too.
 *
 * \param[in] eqh  The queue.
 * \param[in] wait_running  Not 0: return also when nothing is in flight.
 * \param[in] timeout  How long to wait for the first event, in microseconds; DAOS_EQ_NOWAIT: look once;
 *     DAOS_EQ_WAIT (or any negative number): without a limit.
 * \param[in] nevents  Room in events; not 0.
 * \param[out] events  The events.
 * \return How many events there are, 0 if the time passed; -DER_INVAL: no room; -DER_NONEXIST: no such queue, or it
 *     is being destroyed.
 */
int daos_eq_poll(daos_handle_t eqh, int wait_running, int64_t timeout, unsigned int nevents,
                 daos_event_t **events);

/**
 * Counts or lists the events of a queue without moving their operations on. They stay in the queue.
 *
 * \param[in] eqh  The queue.
 * \param[in] query  DAOS_EQR_COMPLETED: complete and not polled; DAOS_EQR_WAITING: in flight; DAOS_EQR_ALL: both,
 *     complete ones first.
 * \param[in] nevents  Room in events; 0: only count.
 * \param[out] events  The events; NULL: only count.
 * \return How many events there are, or were written; -DER_NONEXIST: no such queue.
 */
int daos_eq_query(daos_handle_t eqh, daos_eq_query_t query, unsigned int nevents,
                  daos_event_t **events);

/**
 * Asks to abandon the operation of an event. There is no way to take a request back that a server has got, so the
 * operation goes on and completes with its own result; wait for it as for any other.
 *
 * \param[in] ev  An event in flight.
 * \return 0; -DER_INVAL: ev is NULL or not initialised; -DER_NO_PERM: it is not in flight.
 */
int daos_event_abort(daos_event_t *ev);

/**
 * Ends an event and its children: their memory is the caller's again, and must be initialised anew before its next
 * use. An event that is complete leaves its queue. After daos_fini() and in a forked child it just lets go.
 *
 * \param[in] ev  The event.
 * \return 0; -DER_INVAL: ev is NULL or not initialised, or its parent is in flight or was not waited for;
 *     -DER_BUSY: it, or a child of it, is in flight, as it is inside its own completion callback.
 */
int daos_event_fini(daos_event_t *ev);

/**
 * Prepares the caller's memory as an event. It must stay where it is until daos_event_fini(). Whatever was in it is
 * overwritten.
 *
 * \param[out] ev  The event.
 * \param[in] eqh  Queue that it completes in; DAOS_HDL_INVAL: none, wait with daos_event_test(). A child takes its
 *     parent's.
 * \param[in] parent  Makes the event a child of this one, which must not be in flight or a child itself; NULL:
 *     none.
 * \return 0; -DER_INVAL: ev is NULL, or parent is not initialised or is in flight; -DER_NO_PERM: parent is a child
 *     itself; -DER_NONEXIST: no such queue.
 */
int daos_event_init(daos_event_t *ev, daos_handle_t eqh, daos_event_t *parent);

/**
 * Walks the children of a parent, in the order they were initialised.
 *
 * \param[in] parent  The parent.
 * \param[in] child  The child before; NULL gives the first.
 * \return The next child; NULL behind the last, or if an event is not initialised.
 */
daos_event_t *daos_event_next(daos_event_t *parent, daos_event_t *child);

/**
 * Launches an event that has no operation of its own: it completes when its children have, with the first error
 * among theirs. Launch all children before.
 *
 * \param[in] ev  The parent.
 * \return 0; -DER_INVAL: ev is NULL or not initialised, or has no children; -DER_NO_PERM: it is in flight or not
 *     waited for, or a child was not launched.
 */
int daos_event_parent_barrier(struct daos_event *ev);

/**
 * Has a function called once, at the next completion of an event: in the thread that drives the queue, before the
 * event can be polled. Several are called in the order of their registration.
 *
 * \param[in] ev  The event; not in flight.
 * \param[in] cb  Gets arg, the event and the operation's result. If the operation succeeded, the first answer of a
 *     callback other than 0 becomes ev_error. No lock is held: it may launch operations on the event's queue, poll
 *     it, and make blocking calls. The event itself is in flight until the last callback has returned.
 * \param[in] arg  For cb; must stay until it was called.
 * \return 0; -DER_INVAL: ev is NULL or not initialised, or cb is NULL.
 */
int daos_event_register_comp_cb(struct daos_event *ev, daos_event_comp_cb_t cb, void *arg);

/**
 * Moves the operations of an event's queue on until the event is complete, and takes it out of the queue: it is
 * ready again, with its result in ev_error. An event that was never launched counts as complete.
 *
 * \param[in] ev  The event; not a child.
 * \param[in] timeout  How long to wait, in microseconds; DAOS_EQ_NOWAIT: look once; DAOS_EQ_WAIT (or any negative
 *     number): without a limit.
 * \param[out] flag  Whether it is complete.
 * \return 0, also if the time passed; -DER_INVAL: a NULL, or ev is not initialised; -DER_NO_PERM: it is a child.
 */
int daos_event_test(struct daos_event *ev, int64_t timeout, bool *flag);

#if defined(__cplusplus)
}
#endif

#endif /* DAOS_INC_DAOS_EVENT_H */
