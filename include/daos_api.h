/*
 * SPDX-License-Identifier: BSD-2-Clause-Patent
 *
 * Transactions, and helpers for anchors and timestamps.
 *
 * Functions return 0 or -DER_xxx. Those with an event: NULL makes the call wait until it is done; else it returns
 * at once, the result arrives in ev->ev_error, and everything passed by pointer must stay until then.
 *
 * Errors that any of them can give and that are not repeated below: -DER_UNINIT before daos_init() and after
 * daos_fini(); -DER_NOMEM; with an event, -DER_INVAL: it was not initialised or was finalised, -DER_NO_PERM: it is in
 * use, -DER_NONEXIST: its queue is being destroyed; of those that talk to servers, -DER_UNREACH and -DER_TIMEDOUT: a
 * server did not answer for too long.
 */
#ifndef DAOS_INC_DAOS_API_H
#define DAOS_INC_DAOS_API_H

#include <time.h>
#include <daos_types.h>

#if defined(__cplusplus)
extern "C" {
#endif

enum {
	DAOS_TF_RDONLY = 1,
	DAOS_TF_ZERO_COPY = 2,
};

/**
 * The wall-clock time of a hybrid-logical-clock timestamp, as epochs and modification times are.
 *
 * \param[in] hlc  The timestamp.
 * \param[out] ts  Seconds and nanoseconds since 1970.
 * \return 0; -DER_INVAL: ts is NULL.
 */
int daos_hlc2timespec(uint64_t hlc, struct timespec *ts);

/**
 * The wall-clock time of a hybrid-logical-clock timestamp in whole seconds.
 *
 * \param[in] hlc  The timestamp.
 * \param[out] ts  Seconds since 1970.
 * \return 0; -DER_INVAL: ts is NULL.
 */
int daos_hlc2timestamp(uint64_t hlc, time_t *ts);

/** Drops the changes of a transaction. */
int daos_tx_abort(daos_handle_t th, daos_event_t *ev);

/** Releases a transaction; one that isn't committed is dropped. */
int daos_tx_close(daos_handle_t th, daos_event_t *ev);

/** Commits a transaction. -DER_TX_RESTART: it met another one: daos_tx_restart() and repeat its operations. */
int daos_tx_commit(daos_handle_t th, daos_event_t *ev);

/** The epoch at which a transaction reads. -DER_UNINIT: not chosen yet. */
int daos_tx_hdl2epoch(daos_handle_t th, daos_epoch_t *epoch);

/** Starts a transaction on a container; release with daos_tx_close(). */
int daos_tx_open(daos_handle_t coh, daos_handle_t *th, uint64_t flags, daos_event_t *ev);

/** Opens a snapshot as a read-only transaction. */
int daos_tx_open_snap(daos_handle_t coh, daos_epoch_t epoch, daos_handle_t *th, daos_event_t *ev);

/** Starts a transaction anew after -DER_TX_RESTART. */
int daos_tx_restart(daos_handle_t th, daos_event_t *ev);

/** Prepares an anchor for the start of an enumeration. \return 0 */
static inline int
daos_anchor_init(daos_anchor_t *anchor, unsigned int opts)
{
	(void)opts;
	memset(anchor, 0, sizeof(*anchor));
	return 0;
}

/** Ends the use of an anchor. */
static inline void
daos_anchor_fini(daos_anchor_t *anchor)
{
	(void)anchor;
}

/** Whether the enumeration has reached its end. */
static inline bool
daos_anchor_is_eof(daos_anchor_t *anchor)
{
	return anchor->da_type == DAOS_ANCHOR_TYPE_EOF;
}

#if defined(__cplusplus)
}
#endif

#endif /* DAOS_INC_DAOS_API_H */
