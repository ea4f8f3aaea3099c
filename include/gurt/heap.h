/*
 * SPDX-License-Identifier: BSD-2-Clause-Patent
 *
 * Binary heap over caller-embedded nodes.
 */
#ifndef DAOS_INC_GURT_HEAP_H
#define DAOS_INC_GURT_HEAP_H

#include <pthread.h>
#include <stdint.h>
#include <string.h>
#include <stdbool.h>
#include <gurt/common.h>

#if defined(__cplusplus)
extern "C" {
#endif

#define DBH_SHIFT	9
#define DBH_SIZE	512U
#define DBH_MASK	0x1ffU
#define DBH_NOB	0x1000UL
#define DBH_POISON	0xdeadbeefU

enum d_bh_feats {
	DBH_FT_NOLOCK = 1,
	DBH_FT_RWLOCK = 2,
};

struct d_binheap_node {
	uint32_t chn_idx;
};

struct d_binheap;
struct d_binheap_ops {
	int (*hop_enter)(struct d_binheap *, struct d_binheap_node *);
	int (*hop_exit)(struct d_binheap *, struct d_binheap_node *);
	bool (*hop_compare)(struct d_binheap_node *, struct d_binheap_node *);
};

struct d_binheap {
	union {
		pthread_mutex_t d_bh_mutex;
		pthread_rwlock_t d_bh_rwlock;
	};
	uint32_t d_bh_feats;
	struct d_binheap_node ****d_bh_nodes3;
	struct d_binheap_node ***d_bh_nodes2;
	struct d_binheap_node **d_bh_nodes1;
	struct d_binheap_ops *d_bh_ops;
	void *d_bh_priv;
	uint32_t d_bh_nodes_cnt;
	uint32_t d_bh_hwm;
};

/**
 * Makes a heap.
 *
 * \param[in] feats  DBH_FT_NOLOCK: the caller locks; DBH_FT_RWLOCK: a read-write lock; 0: a mutex.
 * \param[in] count  Nodes to make room for now (it grows when needed, up to 512 + 512^2 + 512^3).
 * \param[in] priv  A pointer of the caller's, kept in the heap as d_bh_priv.
 * \param[in] ops  The callbacks; kept by pointer, so they must outlive the heap. hop_compare tells whether its first
 *     node stands above the second; hop_enter (a failure of which fails the insertion) and hop_exit are called, under
 *     the heap's lock, with every node that comes and goes.
 * \param[out] h  The heap; d_binheap_destroy() frees it.
 * \return 0; -DER_INVAL: no callbacks, no comparison, or h NULL; -DER_NOMEM.
 */
int d_binheap_create(uint32_t feats, uint32_t count, void *priv, struct d_binheap_ops *ops,
                     struct d_binheap **h);

/**
 * Makes a heap in memory of the caller's; what it held before is overwritten.
 *
 * \param[in] feats  As of d_binheap_create().
 * \param[in] count  As of d_binheap_create().
 * \param[in] priv  As of d_binheap_create().
 * \param[in] ops  As of d_binheap_create().
 * \param[in,out] h  The memory; d_binheap_destroy_inplace() ends its use.
 * \return 0; -DER_INVAL: no callbacks, no comparison, or h NULL; -DER_NOMEM.
 */
int d_binheap_create_inplace(uint32_t feats, uint32_t count, void *priv, struct d_binheap_ops *ops,
                             struct d_binheap *h);

/**
 * Frees a heap of d_binheap_create(). Nodes are the caller's and stay untouched; NULL is allowed.
 *
 * \param[in,out] h  The heap.
 */
void d_binheap_destroy(struct d_binheap *h);

/**
 * Frees what a heap of d_binheap_create_inplace() holds and zeroes it. Nodes stay untouched; NULL is allowed.
 *
 * \param[in,out] h  The heap.
 */
void d_binheap_destroy_inplace(struct d_binheap *h);

/**
 * The node at an index: 0 is the top one; no other order is promised.
 *
 * \param[in,out] h  The heap.
 * \param[in] idx  The index.
 * \return The caller's node, still in the heap; NULL when there is none or h is NULL.
 */
struct d_binheap_node *d_binheap_find(struct d_binheap *h, uint32_t idx);

/**
 * Puts a node in, O(log n).
 *
 * \param[in,out] h  The heap.
 * \param[in,out] e  A node in a record of the caller's; it must stay where it is while it is in the heap.
 * \return 0; -DER_INVAL: NULL; -DER_NOMEM: no room; what hop_enter returned.
 */
int d_binheap_insert(struct d_binheap *h, struct d_binheap_node *e);

/**
 * Takes a node out, O(log n). One that isn't in this heap is left alone.
 *
 * \param[in,out] h  The heap.
 * \param[in,out] e  The node.
 */
void d_binheap_remove(struct d_binheap *h, struct d_binheap_node *e);

/**
 * Takes the top node out.
 *
 * \param[in,out] h  The heap.
 * \return The node; NULL when the heap is empty or NULL.
 */
struct d_binheap_node *d_binheap_remove_root(struct d_binheap *h);

/** Number of nodes, or -DER_INVAL for NULL. */
static inline int
d_binheap_size(struct d_binheap *h)
{
	if (h != NULL)
		return (int)h->d_bh_nodes_cnt;
	D_ERROR("the heap is NULL\n");
	return -DER_INVAL;
}

/** Whether the heap has no nodes (NULL has none). */
static inline bool
d_binheap_is_empty(struct d_binheap *h)
{
	return h == NULL || h->d_bh_nodes_cnt == 0;
}

/** The top node, or NULL. */
static inline struct d_binheap_node *
d_binheap_root(struct d_binheap *h)
{
	return d_binheap_find(h, 0);
}

#if defined(__cplusplus)
}
#endif

#endif /* DAOS_INC_GURT_HEAP_H */
