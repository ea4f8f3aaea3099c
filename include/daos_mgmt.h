/*
 * SPDX-License-Identifier: BSD-2-Clause-Patent
 *
 * Listing of pools and hooks for testing.
 *
 * Functions return 0 or -DER_xxx. Those with an event: NULL makes the call wait until it is done; else it returns
 * at once, the result arrives in ev->ev_error, and everything passed by pointer must stay until then.
 */
#ifndef DAOS_INC_DAOS_MGMT_H
#define DAOS_INC_DAOS_MGMT_H

#include <uuid/uuid.h>
#include <daos_cont.h>

#if defined(__cplusplus)
extern "C" {
#endif

enum {
	DMG_KEY_FAIL_LOC = 0,
	DMG_KEY_FAIL_VALUE = 1,
	DMG_KEY_FAIL_NUM = 2,
	DMG_KEY_NUM = 3,
};

typedef struct {
	uuid_t mgpi_uuid;
	d_string_t mgpi_label;
	d_rank_list_t *mgpi_svc;
	d_rank_t mgpi_ldr;
} daos_mgmt_pool_info_t;

/** Writes a mark into the servers' logs. */
int daos_debug_add_mark(const char *mark);

/** Sets a DMG_KEY_ parameter on a rank (-1: all); for tests. */
int daos_debug_set_params(const char *grp, d_rank_t rank, unsigned int key_id, uint64_t value,
                          uint64_t value_extra, daos_event_t *ev);

/** State of a blob store; for tests. */
int daos_mgmt_get_bs_state(const char *group, uuid_t blobstore_uuid, int *blobstore_state,
                           daos_event_t *ev);

/** What the agent knows of a system (NULL: the default one); *info is released with daos_mgmt_put_sys_info(). */
int daos_mgmt_get_sys_info(const char *sys, struct daos_sys_info **info);

/**
 * Pools of a system; *npools: room of pools (NULL asks for the number), then their number. Release the service
 * ranks in each with d_rank_list_free().
 */
int daos_mgmt_list_pools(const char *group, daos_size_t *npools, daos_mgmt_pool_info_t *pools,
                         daos_event_t *ev);

/** Releases what daos_mgmt_get_sys_info() gave. */
void daos_mgmt_put_sys_info(struct daos_sys_info *info);

/** Stops the pool service; for tests. */
int daos_pool_stop_svc(daos_handle_t poh, daos_event_t *ev);

/** The version of the servers that the process is connected to. -DER_UNINIT: to none. */
int dc_mgmt_srv_version(uint32_t *major, uint32_t *minor, uint32_t *patch, char **tag);

#if defined(__cplusplus)
}
#endif

#endif /* DAOS_INC_DAOS_MGMT_H */
