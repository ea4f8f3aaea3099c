/*
 * SPDX-License-Identifier: BSD-2-Clause-Patent
 *
 * Listing of pools and hooks for testing.
 *
 * Functions return 0 or -DER_xxx. Those with an event: NULL makes the call wait until it is done; else it returns
 * at once, the result arrives in ev->ev_error, and everything passed by pointer must stay until then.
 *
 * Errors that any of them can give and that are not repeated below: -DER_UNINIT before daos_init() and after
 * daos_fini(); -DER_NOMEM; with an event, -DER_INVAL: it was not initialised or was finalised, -DER_NO_PERM: it is in
 * use, -DER_NONEXIST: its queue is being destroyed; of those that talk to servers, -DER_UNREACH and -DER_TIMEDOUT: a
 * server did not answer for too long.
 */
#ifndef DAOS_INC_DAOS_MGMT_H
#define DAOS_INC_DAOS_MGMT_H

#include <uuid/uuid.h>
#include <daos_cont.h>

#if defined(__cplusplus)
extern "C" {
#endif

/* Parameters of daos_debug_set_params(). */
enum {
	DMG_KEY_FAIL_LOC = 0,	/**< as daos_fail_loc_set() */
	DMG_KEY_FAIL_VALUE = 1,	/**< as daos_fail_value_set() */
	DMG_KEY_FAIL_NUM = 2,	/**< as daos_fail_num_set() */
	DMG_KEY_NUM = 3,
};

/** A pool, as daos_mgmt_list_pools() tells. */
typedef struct {
	uuid_t mgpi_uuid;
	d_string_t mgpi_label;		/**< the caller's to free with free() */
	d_rank_list_t *mgpi_svc;	/**< ranks of the pool service, the caller's to free with d_rank_list_free() */
	d_rank_t mgpi_ldr;		/**< the first of them */
} daos_mgmt_pool_info_t;

/**
 * Writes a mark into the logs of all engines (level WARN), so that what happened before and after it can be told apart.
 *
 * \param[in] mark  Text of at most 255 bytes.
 * \return 0; -DER_UNINIT: before daos_init(); -DER_INVAL: mark is NULL or too long; -DER_UNREACH: an engine is away.
 */
int daos_debug_add_mark(const char *mark);

/**
 * Sets a parameter of an engine's fault injection, for tests: engines that were not started with
 * DAOS_FAULT_INJECTION=1 in their environment refuse.
 *
 * \param[in] grp  Name of the system; NULL: the agent's.
 * \param[in] rank  Rank of the engine; -1: all.
 * \param[in] key_id  DMG_KEY_FAIL_LOC: which fault and how often (DAOS_FAIL_ONCE and so on); DMG_KEY_FAIL_VALUE: a value
 *     that it takes; DMG_KEY_FAIL_NUM: how often with DAOS_FAIL_SOME.
 * \param[in] value  The value.
 * \param[in] value_extra  With DMG_KEY_FAIL_LOC: the number for DAOS_FAIL_SOME; else not used.
 * \param[in] ev  Event that the result goes to; NULL: wait for it.
 * \return 0; -DER_UNINIT: before daos_init(); -DER_INVAL: another system's name, or an unknown key; -DER_NO_PERM: the
 *     engine does not inject faults; -DER_OOG: no such rank.
 */
int daos_debug_set_params(const char *grp, d_rank_t rank, unsigned int key_id, uint64_t value,
                          uint64_t value_extra, daos_event_t *ev);

/**
 * Tells the state of a device of the data tier, for tests.
 *
 * \param[in] group  Name of the system; NULL: the agent's.
 * \param[in] blobstore_uuid  UUID of the device, as its superblock has it.
 * \param[out] blobstore_state  0: in service. A device that cannot be opened keeps its engine from starting, so it is
 *     never told as faulty.
 * \param[in] ev  Event that the result goes to; NULL: wait for it.
 * \return 0; -DER_UNINIT: before daos_init(); -DER_INVAL: another system's name, or blobstore_state is NULL;
 *     -DER_NONEXIST: no engine has the device.
 */
int daos_mgmt_get_bs_state(const char *group, uuid_t blobstore_uuid, int *blobstore_state,
                           daos_event_t *ev);

/**
 * Tells what the agent knows of the system: name, provider, ranks with their addresses, management ranks.
 *
 * \param[in] sys  Name of the system; NULL: the agent's.
 * \param[out] info  To be released with daos_mgmt_put_sys_info().
 * \return 0; -DER_UNINIT: before daos_init(); -DER_INVAL: another system's name, or info is NULL; -DER_NOMEM.
 */
int daos_mgmt_get_sys_info(const char *sys, struct daos_sys_info **info);

/**
 * Lists the pools of the system.
 *
 * \param[in] group  Name of the system; NULL: the agent's.
 * \param[in,out] npools  Elements of pools, then the number of pools.
 * \param[out] pools  UUID, label, service ranks and leader of each; the caller frees each mgpi_label with free()
 *     and each mgpi_svc with d_rank_list_free(). NULL: only the number.
 * \param[in] ev  Event that the result goes to; NULL: wait for it.
 * \return 0; -DER_UNINIT: before daos_init(); -DER_INVAL: npools is NULL, or another system's name; -DER_TRUNC:
 *     pools is too small, *npools says what is needed; -DER_NOMEM.
 */
int daos_mgmt_list_pools(const char *group, daos_size_t *npools, daos_mgmt_pool_info_t *pools,
                         daos_event_t *ev);

/**
 * Releases what daos_mgmt_get_sys_info() gave.
 *
 * \param[in] info  That; NULL is no error.
 */
void daos_mgmt_put_sys_info(struct daos_sys_info *info);

/**
 * Makes the leader of a pool's service step down; a replica takes over with all that is stored. Requests under way are
 * repeated by their clients. For tests.
 *
 * \param[in] poh  Pool handle.
 * \param[in] ev  Event that the result goes to; NULL: wait for it.
 * \return 0; -DER_NO_HDL: no such pool handle.
 */
int daos_pool_stop_svc(daos_handle_t poh, daos_event_t *ev);

/**
 * Tells the version of the servers that the process is connected to.
 *
 * \param[out] major  First number.
 * \param[out] minor  Second number.
 * \param[out] patch  Third number.
 * \param[out] tag  Text behind the numbers; lasts as long as the process and must not be freed.
 * \return 0; -DER_UNINIT: not connected to any; -DER_INVAL: a NULL; -DER_NOMEM.
 */
int dc_mgmt_srv_version(uint32_t *major, uint32_t *minor, uint32_t *patch, char **tag);

#if defined(__cplusplus)
}
#endif

#endif /* DAOS_INC_DAOS_MGMT_H */
