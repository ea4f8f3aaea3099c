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

/** Undoes one daos_init(); the last one closes what is still open. */
int daos_fini(void);

/** Prepares the library; counted, so each call needs its daos_fini(). Contacts nothing but the local agent. */
int daos_init(void);

/** Prepares the library again in a child after fork(). Handles of the parent stay the parent's. */
int daos_reinit(void);

#if defined(__cplusplus)
}
#endif

#endif /* DAOS_INC_DAOS_H */
