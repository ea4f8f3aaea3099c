/*
 * SPDX-License-Identifier: BSD-2-Clause-Patent
 *
 * Fault injection points.
 */
#ifndef DAOS_INC_GURT_FAULT_INJECT_H
#define DAOS_INC_GURT_FAULT_INJECT_H

#include <stdbool.h>
#include <stdint.h>
#include <pthread.h>
#include <gurt/debug.h>

#if defined(__cplusplus)
extern "C" {
#endif

#define D_FAULT_CONFIG_ENV	"D_FI_CONFIG"

struct d_fault_attr_t {
	uint32_t fa_id;
	uint32_t fa_interval;
	uint64_t fa_max_faults;
	uint64_t fa_num_faults;
	uint64_t fa_num_hits;
	char *fa_argument;
	pthread_spinlock_t fa_lock;
	int32_t fa_err_code;
	unsigned short fa_rand_state[3];
	uint32_t fa_probability_x;
	uint32_t fa_probability_y;
};

extern struct d_fault_attr_t *d_fault_attr_mem;

extern unsigned int d_fault_config_file;

extern unsigned int d_fault_inject;

int d_fault_attr_err_code(uint32_t fault_id);

struct d_fault_attr_t *d_fault_attr_lookup(uint32_t fault_id);

int d_fault_attr_set(uint32_t fault_id, struct d_fault_attr_t fa_in);

int d_fault_inject_disable(void);

int d_fault_inject_enable(void);

int d_fault_inject_fini(void);

int d_fault_inject_init(void);

bool d_fault_inject_is_enabled(void);

void d_fault_inject_thread_default_enable(bool enabled);

void d_fault_inject_thread_enable(bool enabled);

bool d_should_fail(struct d_fault_attr_t *fault_attr_ptr);

/** Whether a fault is to be injected at this point now. */
#define D_SHOULD_FAIL(fault_attr) \
	({ \
		bool __inject = d_fault_inject && d_should_fail(fault_attr); \
		if (__inject) \
			D_WARN("injecting fault %u\n", (fault_attr)->fa_id); \
		__inject; \
	})

#if defined(__cplusplus)
}
#endif

#endif /* DAOS_INC_GURT_FAULT_INJECT_H */
