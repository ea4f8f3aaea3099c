/*
 * SPDX-License-Identifier: BSD-2-Clause-Patent
 *
 * The few types of the RPC library that prototypes of daos/common.h name. They are opaque here: the RPC library itself
 * is no part of the client API.
 */
#ifndef DAOS_INC_CART_TYPES_H
#define DAOS_INC_CART_TYPES_H

#include <stdint.h>
#include <gurt/types.h>

/** A serialiser in progress. */
typedef void *crt_proc_t;

/** What a serialiser does. */
typedef enum {
	CRT_PROC_ENCODE,
	CRT_PROC_DECODE,
	CRT_PROC_FREE,
} crt_proc_op_t;

/** Options of the RPC library's initialisation. */
typedef struct crt_init_options crt_init_options_t;

#endif /* DAOS_INC_CART_TYPES_H */
