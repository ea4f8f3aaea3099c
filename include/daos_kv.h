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
 * server did not answer for too long.
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

/** Releases a handle. */
int daos_kv_close(daos_handle_t oh, daos_event_t *ev);

/** Deletes all of a key-value object; its handle stays to be closed. */
int daos_kv_destroy(daos_handle_t oh, daos_handle_t th, daos_event_t *ev);

/**
 * Reads the value of a key; *size: room of buf, then the value's size. buf NULL asks for the size. -DER_REC2BIG:
 * too little room. A key that isn't there has size 0.
 */
int daos_kv_get(daos_handle_t oh, daos_handle_t th, uint64_t flags, const char *key,
                daos_size_t *size, void *buf, daos_event_t *ev);

/** Lists keys, in the manner of daos_obj_list_dkey(). */
int daos_kv_list(daos_handle_t oh, daos_handle_t th, uint32_t *nr, daos_key_desc_t *kds,
                 d_sg_list_t *sgl, daos_anchor_t *anchor, daos_event_t *ev);

/** Opens a key-value object; release with daos_kv_close(). */
int daos_kv_open(daos_handle_t coh, daos_obj_id_t oid, unsigned int mode, daos_handle_t *oh,
                 daos_event_t *ev);

/** Stores size bytes under a key. */
int daos_kv_put(daos_handle_t oh, daos_handle_t th, uint64_t flags, const char *key,
                daos_size_t size, const void *buf, daos_event_t *ev);

/** Removes a key; one that isn't there is no error. */
int daos_kv_remove(daos_handle_t oh, daos_handle_t th, uint64_t flags, const char *key,
                   daos_event_t *ev);

#if defined(__cplusplus)
}
#endif

#endif /* DAOS_INC_DAOS_KV_H */
