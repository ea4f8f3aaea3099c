/*
 * SPDX-License-Identifier: BSD-2-Clause-Patent
 *
 * Event queues and events: asynchronous completion.
 */
#ifndef DAOS_INC_DAOS_EVENT_H
#define DAOS_INC_DAOS_EVENT_H

#include <daos_types.h>
#include <daos_errno.h>

#if defined(__cplusplus)
extern "C" {
#endif

#define DAOS_EQ_DESTROY_FORCE	1

typedef int (*daos_event_comp_cb_t)(void *, daos_event_t *, int);

/** Makes an event queue; release it with daos_eq_destroy(). */
int daos_eq_create(daos_handle_t *eqh);

/** Destroys an event queue. flags 1 forces it; else -DER_BUSY while events are in flight. */
int daos_eq_destroy(daos_handle_t eqh, int flags);

/**
 * Moves the queue's operations on and collects up to nevents completed events. timeout is in microseconds:
 * DAOS_EQ_NOWAIT or DAOS_EQ_WAIT; wait_running 0 returns at once when nothing is in flight. Returns the number of
 * events, or -DER_xxx.
 */
int daos_eq_poll(daos_handle_t eqh, int wait_running, int64_t timeout, unsigned int nevents,
                 daos_event_t **events);

/**
 * Counts, or lists, the events of a queue by state, without moving operations on. Returns their number, or
 * -DER_xxx.
 */
int daos_eq_query(daos_handle_t eqh, daos_eq_query_t query, unsigned int nevents,
                  daos_event_t **events);

/** Asks to abandon an operation; it completes with -DER_CANCELED unless it was done first. */
int daos_event_abort(daos_event_t *ev);

/** Releases an event that is not in flight; -DER_BUSY if it is. */
int daos_event_fini(daos_event_t *ev);

/** Prepares an event, in a queue (or none: DAOS_HDL_INVAL), as a child of parent (or NULL). */
int daos_event_init(daos_event_t *ev, daos_handle_t eqh, daos_event_t *parent);

/** Walks the children of a parent event: NULL gives the first; NULL comes after the last. */
daos_event_t *daos_event_next(daos_event_t *parent, daos_event_t *child);

/** Starts a parent event: it completes when all its children have. */
int daos_event_parent_barrier(struct daos_event *ev);

/** Has cb called when the event completes, before it is seen by daos_eq_poll(). */
int daos_event_register_comp_cb(struct daos_event *ev, daos_event_comp_cb_t cb, void *arg);

/**
 * Moves the operation of one event on, waiting at most timeout microseconds; *flag tells whether it is complete.
 */
int daos_event_test(struct daos_event *ev, int64_t timeout, bool *flag);

#if defined(__cplusplus)
}
#endif

#endif /* DAOS_INC_DAOS_EVENT_H */
