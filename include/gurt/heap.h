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

int d_binheap_create(uint32_t feats, uint32_t count, void *priv, struct d_binheap_ops *ops,
                     struct d_binheap **h);

int d_binheap_create_inplace(uint32_t feats, uint32_t count, void *priv, struct d_binheap_ops *ops,
                             struct d_binheap *h);

void d_binheap_destroy(struct d_binheap *h);

void d_binheap_destroy_inplace(struct d_binheap *h);

struct d_binheap_node *d_binheap_find(struct d_binheap *h, uint32_t idx);

int d_binheap_insert(struct d_binheap *h, struct d_binheap_node *e);

void d_binheap_remove(struct d_binheap *h, struct d_binheap_node *e);

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
