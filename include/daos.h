/*
 * SPDX-License-Identifier: BSD-2-Clause-Patent
 *
 * The whole client API, and its initialisation.
 */
#ifndef DAOS_INC_DAOS_H
#define DAOS_INC_DAOS_H

#include <daos_version.h>
#include <daos_types.h>
#include <daos_event.h>
#include <daos_obj.h>
#include <daos_array.h>
#include <daos_kv.h>
#include <daos_prop.h>
#include <daos_cont.h>
#include <daos_pool.h>
#include <daos_mgmt.h>
#include <daos_security.h>
#include <daos_api.h>

#if defined(__cplusplus)
extern "C" {
#endif

/**
 * Undoes one daos_init(). The last one releases all handles (-DER_NO_HDL from then on) and tells the agent that
 * this process leaves. Call it when no other thread uses the library.
 *
 * \return 0; -DER_UNINIT: there is no daos_init() to undo.
 */
int daos_fini(void);

/**
 * Prepares the library. Calls are counted: each needs its daos_fini(). The first attaches to the system through the
 * local agent (DAOS_AGENT_DRPC_DIR names the directory of its socket); servers are not contacted.
 *
 * \return 0; -DER_AGENT_COMM: no agent, or it does not answer; -DER_NO_PERM: its socket may not be used;
 *     -DER_EXCEEDS_PATH_LEN: the path of its socket is too long; -DER_PROTO: not an agent's answer; -DER_INVAL: the
 *     system has no ranks yet; -DER_UNREACH, -DER_BAD_CERT, -DER_CONTROL_INCOMPAT and others: what the agent
 *     answers, as when it finds no management service.
 */
int daos_init(void);

/**
 * Prepares the library again in a child after fork(), in which all else answers -DER_UNINIT before. Pool, container
 * and object handles of the parent can be used then; closing them here is local, they stay open in the parent.
 * Event queues cannot: make new ones.
 *
 * \return 0; -DER_UNINIT: the parent had not called daos_init(); else as daos_init().
 */
int daos_reinit(void);

#if defined(__cplusplus)
}
#endif

#endif /* DAOS_INC_DAOS_H */
