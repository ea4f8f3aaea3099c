/*
 * SPDX-License-Identifier: BSD-2-Clause-Patent
 *
 * The few types of the RPC library that prototypes of daos/common.h name. The RPC library itself is no part of the
 * client API.
 */
#ifndef DAOS_INC_CART_TYPES_H
#define DAOS_INC_CART_TYPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <gurt/types.h>

/**
 * A serialiser in progress: a pointer to a struct crt_proc_buffer, which begins as CRT_PROC_BUFFER_INIT. Packing grows
 * it; to unpack, cpb_used is set to 0 and cpb_size to the number of packed bytes.
 */
typedef void *crt_proc_t;

#define CRT_PROC_BUFFER_MAGIC	0x63707062U

/** Initialiser of an empty buffer. */
#define CRT_PROC_BUFFER_INIT	{CRT_PROC_BUFFER_MAGIC, 0, 0, 0, 0}

/** Bytes that records are packed into and unpacked from. */
struct crt_proc_buffer {
	uint32_t cpb_magic;		/**< CRT_PROC_BUFFER_MAGIC */
	uint32_t cpb_reserved;		/**< 0 */
	void *cpb_data;			/**< the bytes, from malloc(); the owner frees them */
	size_t cpb_size;		/**< bytes there is room for; unpacking: that there are */
	size_t cpb_used;		/**< bytes packed or unpacked so far */
};

/** What a serialiser does. */
typedef enum {
	CRT_PROC_ENCODE,
	CRT_PROC_DECODE,
	CRT_PROC_FREE,
} crt_proc_op_t;

/** Options of the RPC library's initialisation; 0 and NULL leave the choice to the library and the environment. */
typedef struct crt_init_options {
	int cio_crt_timeout;			/**< time limit of an RPC, in seconds */
	uint32_t cio_sep_override : 1;
	uint32_t cio_use_sep : 1;
	uint32_t cio_fault_inject : 1;
	uint32_t cio_use_sensors : 1;		/**< count in telemetry */
	uint32_t cio_use_expected_size : 1;	/**< whether cio_max_expected_size counts */
	uint32_t cio_use_unexpected_size : 1;	/**< whether cio_max_unexpected_size counts */
	int cio_ctx_max_num;			/**< number of contexts */
	int cio_ep_credits;			/**< RPCs under way per peer */
	uint32_t cio_max_expected_size;		/**< largest answer, in bytes */
	uint32_t cio_max_unexpected_size;	/**< largest request, in bytes */
	int cio_swim_crt_idx;			/**< context of membership messages */
	char *cio_provider;
	char *cio_interface;
	char *cio_domain;
	char *cio_port;
	char *cio_auth_key;
	char *cio_addr_format;
	bool cio_thread_mode_single;
	bool cio_progress_busy;
	bool cio_mem_device;
	bool cio_progress_legacy;
	unsigned int cio_progress_spindown;	/**< in milliseconds */
} crt_init_options_t;

#endif /* DAOS_INC_CART_TYPES_H */
