/*
 * SPDX-License-Identifier: BSD-2-Clause-Patent
 *
 * Chained hash tables over intrusive links, with handle (d_hhash) and UUID (d_uhash) tables on top.
 */
#ifndef DAOS_INC_GURT_HASH_H
#define DAOS_INC_GURT_HASH_H

#include <inttypes.h>
#include <pthread.h>
#include <stdbool.h>
#include <gurt/list.h>
#include <gurt/types.h>
#include <gurt/atomic.h>

#if defined(__cplusplus)
extern "C" {
#endif

#define D_HASH_DEBUG	0
#define D_HHASH_BITS	16
#define D_HTYPE_BITS	4
#define D_HTYPE_MASK	15ULL

enum {
	D_HTYPE_PTR = 0,
};

enum d_hash_feats {
	D_HASH_FT_NOLOCK = 1,
	D_HASH_FT_MUTEX = 2,
	D_HASH_FT_RWLOCK = 4,
	D_HASH_FT_EPHEMERAL = 8,
	D_HASH_FT_LRU = 16,
	D_HASH_FT_NO_KEYINIT_LOCK = 32,
	D_HASH_FT_GLOCK = 0x8000,
};

typedef int (*d_hash_traverse_cb_t)(d_list_t *, void *);

struct d_hlink;
typedef int (*d_hhash_traverse_cb_t)(struct d_hlink *, void *);

struct d_hash_table;
typedef struct {
	bool (*hop_key_cmp)(struct d_hash_table *, d_list_t *, const void *, unsigned int);
	void (*hop_key_init)(struct d_hash_table *, d_list_t *, void *);
	uint32_t (*hop_key_hash)(struct d_hash_table *, const void *, unsigned int);
	uint32_t (*hop_rec_hash)(struct d_hash_table *, d_list_t *);
	void (*hop_rec_addref)(struct d_hash_table *, d_list_t *);
	bool (*hop_rec_decref)(struct d_hash_table *, d_list_t *);
	int (*hop_rec_ndecref)(struct d_hash_table *, d_list_t *, int);
	void (*hop_rec_free)(struct d_hash_table *, d_list_t *);
} d_hash_table_ops_t;

union d_hash_lock {
	pthread_spinlock_t spin;
	pthread_mutex_t mutex;
	pthread_rwlock_t rwlock;
};

struct d_hash_bucket {
	d_list_t hb_head;
};

struct d_hash_table {
	union d_hash_lock ht_lock;
	uint32_t ht_bits;
	uint32_t ht_feats;
	void *ht_priv;
	d_hash_table_ops_t *ht_ops;
	struct d_hash_bucket *ht_buckets;
	union d_hash_lock *ht_locks;
};

struct d_hlink_ops {
	void (*hop_free)(struct d_hlink *);
};

struct d_rlink {
	d_list_t rl_link;
	ATOMIC uint32_t rl_ref;
	uint32_t rl_initialized : 1;
};

struct d_hlink {
	struct d_rlink hl_link;
	uint64_t hl_key;
	struct d_hlink_ops *hl_ops;
};

struct d_ulink;
struct d_ulink_ops {
	void (*uop_free)(struct d_ulink *);
	bool (*uop_cmp)(struct d_ulink *, void *);
};

struct d_ulink {
	struct d_rlink ul_link;
	struct d_uuid ul_uuid;
	struct d_ulink_ops *ul_ops;
};

void d_hash_rec_addref(struct d_hash_table *htable, d_list_t *link);

void d_hash_rec_decref(struct d_hash_table *htable, d_list_t *link);

bool d_hash_rec_delete(struct d_hash_table *htable, const void *key, unsigned int ksize);

bool d_hash_rec_delete_at(struct d_hash_table *htable, d_list_t *link);

bool d_hash_rec_evict(struct d_hash_table *htable, const void *key, unsigned int ksize);

bool d_hash_rec_evict_at(struct d_hash_table *htable, d_list_t *link);

d_list_t *d_hash_rec_find(struct d_hash_table *htable, const void *key, unsigned int ksize);

d_list_t *d_hash_rec_find_insert(struct d_hash_table *htable, const void *key, unsigned int ksize,
                                 d_list_t *link);

d_list_t *d_hash_rec_first(struct d_hash_table *htable);

int d_hash_rec_insert(struct d_hash_table *htable, const void *key, unsigned int ksize,
                      d_list_t *link, bool exclusive);

int d_hash_rec_insert_anonym(struct d_hash_table *htable, d_list_t *link, void *arg);

int d_hash_rec_ndecref(struct d_hash_table *htable, int count, d_list_t *link);

bool d_hash_rec_unlinked(d_list_t *link);

int d_hash_table_create(uint32_t feats, uint32_t bits, void *priv, d_hash_table_ops_t *hops,
                        struct d_hash_table **htable_pp);

int d_hash_table_create_inplace(uint32_t feats, uint32_t bits, void *priv, d_hash_table_ops_t *hops,
                                struct d_hash_table *htable);

void d_hash_table_debug(struct d_hash_table *htable);

int d_hash_table_destroy(struct d_hash_table *htable, bool force);

int d_hash_table_destroy_inplace(struct d_hash_table *htable, bool force);

int d_hash_table_traverse(struct d_hash_table *htable, d_hash_traverse_cb_t cb, void *arg);

struct d_hhash;
int d_hhash_create(uint32_t feats, uint32_t bits, struct d_hhash **hhash);

void d_hhash_destroy(struct d_hhash *hhash);

void d_hhash_hlink_init(struct d_hlink *hlink, struct d_hlink_ops *hl_ops);

bool d_hhash_is_ptrtype(struct d_hhash *hhash);

bool d_hhash_key_isptr(uint64_t key);

int d_hhash_key_type(uint64_t key);

bool d_hhash_link_delete(struct d_hhash *hhash, struct d_hlink *hlink);

bool d_hhash_link_empty(struct d_hlink *hlink);

void d_hhash_link_getref(struct d_hhash *hhash, struct d_hlink *hlink);

void d_hhash_link_insert(struct d_hhash *hhash, struct d_hlink *hlink, int type);

void d_hhash_link_key(struct d_hlink *hlink, uint64_t *key);

struct d_hlink *d_hhash_link_lookup(struct d_hhash *hhash, uint64_t key);

void d_hhash_link_putref(struct d_hhash *hhash, struct d_hlink *hlink);

int d_hhash_set_ptrtype(struct d_hhash *hhash);

int d_hhash_traverse(struct d_hhash *hhash, int type, d_hhash_traverse_cb_t cb, void *arg);

int d_uhash_create(uint32_t feats, uint32_t bits, struct d_hash_table **htable);

void d_uhash_destroy(struct d_hash_table *htable);

void d_uhash_link_addref(struct d_hash_table *htable, struct d_ulink *ulink);

void d_uhash_link_delete(struct d_hash_table *htable, struct d_ulink *ulink);

bool d_uhash_link_empty(struct d_ulink *ulink);

int d_uhash_link_insert(struct d_hash_table *htable, struct d_uuid *key, void *cmp_args,
                        struct d_ulink *ulink);

bool d_uhash_link_last_ref(struct d_ulink *ulink);

struct d_ulink *d_uhash_link_lookup(struct d_hash_table *htable, struct d_uuid *key,
                                    void *cmp_args);

void d_uhash_link_putref(struct d_hash_table *htable, struct d_ulink *ulink);

void d_uhash_ulink_init(struct d_ulink *ulink, struct d_ulink_ops *ul_ops);

#if defined(__cplusplus)
}
#endif

#endif /* DAOS_INC_GURT_HASH_H */
