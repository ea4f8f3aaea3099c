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

/** Flags of daos_tx_open(). */
enum {
	/** Only reads: a change is refused with -DER_NO_PERM, and the commit sends nothing. */
	DAOS_TF_RDONLY = 1,
	/** The buffers of updates are read when the transaction is committed; until then they must stay as they are. */
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

/*
 * Transactions
 *
 * What is read and changed with a transaction's handle, by the functions of objects, arrays and key-values, takes effect
 * as one when it is committed, at one epoch, or not at all. Transactions are serialisable: the result is that of some
 * order of them, one after another. Reads see the state of one epoch, chosen by the first of them; a transaction does
 * not see its own changes before it is committed. A change's conditions (DAOS_COND_xxx) are checked when it is called,
 * against that state.
 *
 * Any read, and the commit, may answer -DER_TX_RESTART: something that was read has changed since, or another
 * transaction is at work on it. Then the transaction is restarted, and all its operations are done again:
 *
 *	daos_tx_open(coh, &th, 0, NULL);
 *	for (;;) {
 *		rc = work(th);
 *		if (rc == 0)
 *			rc = daos_tx_commit(th, NULL);
 *		if (rc != -DER_TX_RESTART)
 *			break;
 *		daos_tx_restart(th, NULL);
 *	}
 *	daos_tx_close(th, NULL);
 *
 * An operation with the handle of a transaction that is committed, aborted, failed or under commit answers
 * -DER_NO_PERM; one on an object that was opened by another container handle than the transaction, -DER_INVAL.
 * Operations of one transaction may run at the same time; all must be complete before it is committed, aborted or
 * restarted.
 */

/**
 * Aborts a transaction: its changes are dropped, and it can only be closed.
 *
 * \param[in] th  The transaction.
 * \param[in] ev  Event, or NULL to wait.
 * \return 0; -DER_NO_HDL: not a transaction; -DER_ALREADY: it was aborted before; -DER_NO_PERM: it is committed, under
 * commit, or failed with -DER_TX_RESTART.
 */
int daos_tx_abort(daos_handle_t th, daos_event_t *ev);

/**
 * Closes a transaction or snapshot; the handle is invalid afterwards. Changes that were not committed are dropped.
 *
 * \param[in] th  The transaction.
 * \param[in] ev  Event, or NULL to wait.
 * \return 0; -DER_NO_HDL: not a transaction; -DER_BUSY: its commit is under way.
 */
int daos_tx_close(daos_handle_t th, daos_event_t *ev);

/**
 * Commits a transaction. One without changes always can be, and sends nothing.
 *
 * With 0 it took effect whole, and whoever reads afterwards sees it; only a transaction of reads alone, in another process,
 * may still see a state that is older by as much as the clocks of servers differ. With -DER_TX_RESTART nothing happened, and it can be
 * restarted. After any other error but -DER_ALREADY, -DER_INPROGRESS, -DER_NO_PERM and -DER_NO_HDL it can only be closed.
 *
 * \param[in] th  The transaction.
 * \param[in] ev  Event, or NULL to wait.
 * \return 0; -DER_NO_HDL: not a transaction, or its container was closed; -DER_TX_RESTART: something that it read has
 * changed, or another transaction is at work on what it reads or changes; -DER_ALREADY: it is committed;
 * -DER_INPROGRESS: its commit is under way, or a target that takes part does not answer; -DER_NO_PERM: it was aborted, or
 * failed and was not restarted, or the container handle is for reading only; -DER_NOSPACE: no space for its changes;
 * -DER_REC2BIG: its changes are more than 64 MiB together; -DER_REC_SIZE: records of another size than the akey's;
 * -DER_DATA_LOSS: no target for an object is in service; -DER_TX_UNCERTAIN, -DER_TIMEDOUT, -DER_UNREACH: no answer
 * came, and whether it took effect is not known.
 */
int daos_tx_commit(daos_handle_t th, daos_event_t *ev);

/**
 * The epoch that a transaction reads at; of a snapshot, its epoch; of one that was committed and has read nothing, the
 * epoch of its changes.
 *
 * \param[in] th  The transaction.
 * \param[out] epoch  The epoch.
 * \return 0; -DER_INVAL: no handle (DAOS_TX_NONE), or epoch is NULL; -DER_NO_HDL: not a transaction; -DER_UNINIT: not
 * chosen yet.
 */
int daos_tx_hdl2epoch(daos_handle_t th, daos_epoch_t *epoch);

/**
 * Opens a transaction on a container, to be closed with daos_tx_close(). Sends nothing.
 *
 * \param[in] coh  The container.
 * \param[out] th  The transaction.
 * \param[in] flags  DAOS_TF_xxx, or 0.
 * \param[in] ev  Event, or NULL to wait.
 * \return 0; -DER_NO_HDL: not a container; -DER_INVAL: th is NULL, or other flags.
 */
int daos_tx_open(daos_handle_t coh, daos_handle_t *th, uint64_t flags, daos_event_t *ev);

/**
 * Opens a snapshot for reading, to be closed with daos_tx_close(): every read with the handle sees the container as it was
 * at the epoch, and changes are refused with -DER_NO_PERM. Sends nothing: whether there is such a snapshot is not
 * checked; reads at an epoch whose versions have been merged answer -DER_TX_RESTART.
 *
 * \param[in] coh  The container.
 * \param[in] epoch  The snapshot's epoch, as daos_cont_create_snap() gave it.
 * \param[out] th  The transaction.
 * \param[in] ev  Event, or NULL to wait.
 * \return 0; -DER_NO_HDL: not a container; -DER_INVAL: th is NULL, or an epoch of 0 or 2^64-1.
 */
int daos_tx_open_snap(daos_handle_t coh, daos_epoch_t epoch, daos_handle_t *th, daos_event_t *ev);

/**
 * Opens a transaction anew that failed with -DER_TX_RESTART: without its reads and changes, at an epoch yet to be chosen.
 * From the second time on it pauses first, for a random time of at most 16 us, then four times as long with each
 * restart up to about a second, so that others get on.
 *
 * \param[in] th  The transaction.
 * \param[in] ev  Event, or NULL to wait.
 * \return 0; -DER_NO_HDL: not a transaction; -DER_NO_PERM: it has not failed with -DER_TX_RESTART.
 */
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
