/*
 * SPDX-License-Identifier: BSD-2-Clause-Patent
 *
 * Flat key-value objects.
 *
 * Functions return 0 or -DER_xxx. Those with an event: NULL makes the call wait until it is done; else it returns
 * at once, the result arrives in ev->ev_error, and everything passed by pointer must stay until then.
 *
 * Errors that any of them can give and that are not repeated below: -DER_UNINIT before daos_init() and after
 * daos_fini(); -DER_NOMEM; with an event, -DER_INVAL: it was not initialised or was finalised, -DER_NO_PERM: it is in
 * use, -DER_NONEXIST: its queue is being destroyed; of those that talk to servers, -DER_UNREACH and -DER_TIMEDOUT: a
 * server did not answer for too long; with the handle of a transaction, -DER_NO_HDL, -DER_NO_PERM, -DER_INVAL and
 * -DER_TX_RESTART, as daos_api.h says; without one, -DER_TX_BUSY: the outcome of a transaction on the same key was not
 * known for too long.
 */
#ifndef DAOS_INC_DAOS_KV_H
#define DAOS_INC_DAOS_KV_H

#include <daos_types.h>
#include <daos_obj.h>

#if defined(__cplusplus)
extern "C" {
#endif

#define DAOS_COND_KEY_INSERT	2
#define DAOS_COND_KEY_UPDATE	4
#define DAOS_COND_KEY_GET	8
#define DAOS_COND_KEY_REMOVE	1

/**
 * Releases the handle of a key-value object.
 *
 * \param[in] oh  Handle; none afterwards.
 * \param[in] ev  Event that the result goes to; NULL: wait for it.
 * \return 0; -DER_NO_HDL: no such key-value handle.
 */
int daos_kv_close(daos_handle_t oh, daos_event_t *ev);

/**
 * Deletes all of a key-value object. The handle stays to be closed.
 *
 * \param[in] oh  Handle, open for writing.
 * \param[in] th  Transaction to change in: the change happens when it commits; DAOS_TX_NONE: at once, by
 *     itself.
 * \param[in] ev  Event that the result goes to; NULL: wait for it.
 * \return 0; -DER_NO_HDL: no such key-value or transaction handle; -DER_NO_PERM: open for reading only, or th
 *     is a snapshot or not open; -DER_TX_RESTART: the transaction met another one and is to be restarted.
 */
int daos_kv_destroy(daos_handle_t oh, daos_handle_t th, daos_event_t *ev);

/**
 * Reads the value of a key. A key that isn't there has size 0.
 *
 * \param[in] oh  Handle of a key-value object.
 * \param[in] th  Transaction or snapshot to read in, DAOS_TX_NONE for the newest state.
 * \param[in] flags  DAOS_COND_KEY_GET: only if the key is there; else 0.
 * \param[in] key  The key, a text, not empty.
 * \param[in,out] size  In: bytes of buf; out: bytes of the value.
 * \param[out] buf  Buffer, the caller's; NULL: only the size is wanted.
 * \param[in] ev  Event that the result goes to; NULL: wait for it.
 * \return 0; -DER_NO_HDL: no such key-value or transaction handle; -DER_INVAL: NULLs, an empty key;
 *     -DER_REC2BIG: buf is too small, *size tells how large it must be; -DER_NONEXIST: the condition;
 *     -DER_TX_RESTART: the transaction met another one and is to be restarted; -DER_NO_PERM: the transaction is
 *     not open.
 */
int daos_kv_get(daos_handle_t oh, daos_handle_t th, uint64_t flags, const char *key,
                daos_size_t *size, void *buf, daos_event_t *ev);

/**
 * Lists keys: by bytes where the object's keys are lexical, else in no particular order.
 *
 * \param[in] oh  Handle of a key-value object.
 * \param[in] th  Transaction or snapshot to read in, DAOS_TX_NONE for the newest state.
 * \param[in,out] nr  In: elements of kds, not 0; out: keys that were given.
 * \param[out] kds  Array of *nr descriptors, the caller's: kd_key_len is a key's length in bytes.
 * \param[in,out] sgl  Buffers, the caller's: the keys one behind the other, over the borders of buffers. Out:
 *     iov_len and sg_nr_out.
 * \param[in,out] anchor  All zero to begin (or from daos_obj_anchor_set(), daos_obj_key2anchor()); moved by
 *     each call; at its end when daos_anchor_is_eof() says so. Keys that are added or removed meanwhile may or
 *     may not show, others show once.
 * \param[in] ev  Event that the result goes to; NULL: wait for it.
 * \return 0, also when no key was given although more follow; -DER_NO_HDL: no such key-value or transaction
 *     handle; -DER_INVAL: NULLs, no room at all, a wrong key, an anchor that is not of such a listing;
 *     -DER_KEY2BIG: sgl is too small for the next key, whose length is in kds[0].kd_key_len; the anchor has not
 *     moved; -DER_TX_RESTART: the transaction met another one and is to be restarted; -DER_NO_PERM: the
 *     transaction is not open.
 */
int daos_kv_list(daos_handle_t oh, daos_handle_t th, uint32_t *nr, daos_key_desc_t *kds,
                 d_sg_list_t *sgl, daos_anchor_t *anchor, daos_event_t *ev);

/**
 * Opens a key-value object. It need not have any key; nothing is sent.
 *
 * \param[in] coh  Container handle.
 * \param[in] oid  The object, of type DAOS_OT_KV_HASHED or DAOS_OT_KV_LEXICAL.
 * \param[in] mode  DAOS_OO_RO or DAOS_OO_RW.
 * \param[out] oh  Handle; release with daos_kv_close().
 * \param[in] ev  Event that the result goes to; NULL: wait for it.
 * \return 0; -DER_NO_HDL: no such container handle; -DER_INVAL: oh is NULL, another type, no such class.
 */
int daos_kv_open(daos_handle_t coh, daos_obj_id_t oid, unsigned int mode, daos_handle_t *oh,
                 daos_event_t *ev);

/**
 * Writes the value of a key, in place of an older one.
 *
 * \param[in] oh  Handle, open for writing.
 * \param[in] th  Transaction to change in: the change happens when it commits; DAOS_TX_NONE: at once, by
 *     itself.
 * \param[in] flags  DAOS_COND_KEY_INSERT: only if the key is not there; DAOS_COND_KEY_UPDATE: only if it is;
 *     else 0.
 * \param[in] key  The key, a text, not empty.
 * \param[in] size  Bytes of the value; 0 leaves the key without one.
 * \param[in] buf  The value.
 * \param[in] ev  Event that the result goes to; NULL: wait for it.
 * \return 0; -DER_NO_HDL: no such key-value or transaction handle; -DER_INVAL: NULLs, an empty key; -DER_EXIST,
 *     -DER_NONEXIST: the condition; -DER_NO_PERM: open for reading only, or th is a snapshot or not open;
 *     -DER_NOSPACE: the pool is full; -DER_TX_RESTART: the transaction met another one and is to be restarted.
 */
int daos_kv_put(daos_handle_t oh, daos_handle_t th, uint64_t flags, const char *key,
                daos_size_t size, const void *buf, daos_event_t *ev);

/**
 * Deletes a key and its value.
 *
 * \param[in] oh  Handle, open for writing.
 * \param[in] th  Transaction to change in: the change happens when it commits; DAOS_TX_NONE: at once, by
 *     itself.
 * \param[in] flags  DAOS_COND_KEY_REMOVE: only if the key is there; else 0.
 * \param[in] key  The key, a text, not empty.
 * \param[in] ev  Event that the result goes to; NULL: wait for it.
 * \return 0; -DER_NO_HDL: no such key-value or transaction handle; -DER_INVAL: NULLs, an empty key;
 *     -DER_NONEXIST: the condition; -DER_NO_PERM: open for reading only, or th is a snapshot or not open;
 *     -DER_TX_RESTART: the transaction met another one and is to be restarted.
 */
int daos_kv_remove(daos_handle_t oh, daos_handle_t th, uint64_t flags, const char *key,
                   daos_event_t *ev);

#if defined(__cplusplus)
}
#endif

#endif /* DAOS_INC_DAOS_KV_H */
