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

/**
 * Hands out a descriptor, reset: a free one, else a released one, else a new one.
 *
 * \param[in,out] type  A type of d_slab_register().
 * \return The descriptor, to be given back with d_slab_release(); NULL: sr_max_desc descriptors exist, none could be
 *     reset, or no memory.
 */
void *d_slab_acquire(struct d_slab_type *type);

/**
 * Ends a slab: what is free or released is let go as by d_slab_reclaim(), and the types are freed. Descriptors that
 * are still out are not freed. One that was never initialised (zeroed) or NULL is left alone.
 *
 * \param[in,out] slab  The slab.
 */
void d_slab_destroy(struct d_slab *slab);

/**
 * Begins a slab in memory of the caller's.
 *
 * \param[in,out] slab  The memory.
 * \param[in] arg  A pointer of the caller's, kept as slab_arg.
 * \return 0; -DER_INVAL: slab is NULL.
 */
int d_slab_init(struct d_slab *slab, void *arg);

/**
 * Frees what can be: released descriptors are reset, then every free one is passed to sr_release and freed.
 *
 * \param[in,out] slab  A slab of d_slab_init().
 * \return Whether descriptors are still out.
 */
bool d_slab_reclaim(struct d_slab *slab);

/**
 * Adds a type of descriptors to a slab and makes the first of them.
 *
 * \param[in,out] slab  A slab of d_slab_init().
 * \param[in] reg  The type (see POOL_TYPE_INIT), copied; sr_name must outlive the slab. sr_init(descriptor, arg) sets
 *     up fresh (zeroed) memory; sr_reset(descriptor) prepares for use and says whether that worked (if not, the
 *     descriptor is freed); sr_release(descriptor) comes before freeing. Each may be NULL. sr_offset: where in the
 *     descriptor its list link (d_list_t) stands. sr_max_desc: how many may exist, sr_max_free_desc: how many may be
 *     free; 0: no limit.
 * \param[in] arg  Passed to sr_init.
 * \param[out] type  The type; d_slab_destroy() frees it.
 * \return 0; -DER_INVAL: a NULL, no name, a link outside the descriptor, or not one descriptor could be made;
 *     -DER_NOMEM.
 */
int d_slab_register(struct d_slab *slab, struct d_slab_reg *reg, void *arg,
                    struct d_slab_type **type);

/**
 * Gives a descriptor back. It is reset when it is needed again, or by d_slab_restock().
 *
 * \param[in,out] type  A type of d_slab_register().
 * \param[in] desc  The descriptor.
 */
void d_slab_release(struct d_slab_type *type, void *desc);

/**
 * Resets released descriptors and, when the type has no limit (sr_max_desc), makes new ones, so that as many are free
 * as were ever acquired between two restocks, and one more. For quiet moments: it keeps this work off the path of
 * d_slab_acquire().
 *
 * \param[in,out] type  A type of d_slab_register().
 */
void d_slab_restock(struct d_slab_type *type);

#if defined(__cplusplus)
}
#endif

#endif /* DAOS_INC_GURT_SLAB_H */
