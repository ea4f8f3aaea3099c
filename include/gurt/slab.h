/*
 * SPDX-License-Identifier: BSD-2-Clause-Patent
 *
 * Pools of preallocated, resettable descriptors.
 */
#ifndef DAOS_INC_GURT_SLAB_H
#define DAOS_INC_GURT_SLAB_H

#include <pthread.h>
#include <stddef.h>
#include <stdbool.h>
#include <gurt/list.h>

#if defined(__cplusplus)
extern "C" {
#endif

/** Initialisers of a struct d_slab_reg for descriptors of struct itype linked by its member imember. */
#define POOL_TYPE_INIT(itype, imember) \
	.sr_name = (char *)#itype, .sr_size = sizeof(struct itype), .sr_offset = offsetof(struct itype, imember),

struct d_slab_reg {
	void (*sr_init)(void *, void *);
	bool (*sr_reset)(void *);
	void (*sr_release)(void *);
	char *sr_name;
	int sr_size;
	int sr_offset;
	int sr_max_desc;
	int sr_max_free_desc;
};

struct d_slab;
struct d_slab_type {
	struct d_slab_reg st_reg;
	d_list_t st_type_list;
	d_list_t st_free_list;
	d_list_t st_pending_list;
	pthread_mutex_t st_lock;
	struct d_slab *st_slab;
	void *st_arg;
	int st_count;
	int st_free_count;
	int st_pending_count;
	int st_init_count;
	int st_reset_count;
	int st_release_count;
	int st_op_init;
	int st_op_reset;
	int st_no_restock;
	int st_no_restock_hwm;
};

struct d_slab {
	d_list_t slab_list;
	void *slab_arg;
	pthread_mutex_t slab_lock;
	bool slab_init;
};

void *d_slab_acquire(struct d_slab_type *type);

void d_slab_destroy(struct d_slab *slab);

int d_slab_init(struct d_slab *slab, void *arg);

bool d_slab_reclaim(struct d_slab *slab);

int d_slab_register(struct d_slab *slab, struct d_slab_reg *reg, void *arg,
                    struct d_slab_type **type);

void d_slab_release(struct d_slab_type *type, void *desc);

void d_slab_restock(struct d_slab_type *type);

#if defined(__cplusplus)
}
#endif

#endif /* DAOS_INC_GURT_SLAB_H */
