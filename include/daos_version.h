/*
 * SPDX-License-Identifier: BSD-2-Clause-Patent
 *
 * Versions of the API, the package and the protocol.
 */
#ifndef DAOS_INC_DAOS_VERSION_H
#define DAOS_INC_DAOS_VERSION_H

#include <stdint.h>

#if defined(__cplusplus)
extern "C" {
#endif

#define DAOS_API_VERSION_MAJOR	2
#define DAOS_API_VERSION_MINOR	8
#define DAOS_API_VERSION_FIX	0
#define DAOS_VERSION_MAJOR	2
#define DAOS_VERSION_MINOR	9
#define DAOS_VERSION_FIX	100
#define DAOS_VERSION_PROTOCAL	1

typedef union {
	uint32_t raw;
	struct {
		uint8_t protocol;
		uint8_t patch;
		uint8_t minor;
		uint8_t major;
	};
} daos_version_t;

/** Fills in the version of the package and protocol that the caller was compiled with. */
static inline void
daos_version_pack(daos_version_t *ver)
{
	ver->protocol = DAOS_VERSION_PROTOCAL;
	ver->patch    = DAOS_VERSION_FIX;
	ver->minor    = DAOS_VERSION_MINOR;
	ver->major    = DAOS_VERSION_MAJOR;
}

static inline uint8_t
daos_version_get_protocol(const daos_version_t *ver)
{
	return ver->protocol;
}

#if defined(__cplusplus)
}
#endif

#endif /* DAOS_INC_DAOS_VERSION_H */
