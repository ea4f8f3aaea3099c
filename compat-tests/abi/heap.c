/*
 * Aim: heaps keep their order in every locking mode, against a sorted model, over pages and pages of pages, and slabs
 * hand out descriptors that were reset, keep their counts and their limits. Exits 0 when all holds.
 */
#include <gurt/common.h>
#include <gurt/heap.h>
#include <gurt/slab.h>

#define CHECK(cond) \
	do { \
		if (!(cond)) { \
			fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #cond); \
			exit(1); \
		} \
	} while (0)

struct entry {
	struct d_binheap_node node;
	uint32_t              value;
	bool                  in;
};

static int inside, refuse;

static int
enter(struct d_binheap *h, struct d_binheap_node *node)
{
	if (refuse)
		return -DER_BUSY;
	inside++;
	return 0;
}

static int
leave(struct d_binheap *h, struct d_binheap_node *node)
{
	inside--;
	return 0;
}

static struct entry *
entry_of(struct d_binheap_node *node)
{
	return container_of(node, struct entry, node);
}

static bool
below(struct d_binheap_node *a, struct d_binheap_node *b)
{
	return entry_of(a)->value < entry_of(b)->value;
}

static struct d_binheap_ops ops = {.hop_enter = enter, .hop_exit = leave, .hop_compare = below};

static uint32_t
least(const struct entry *entries, int count)
{
	uint32_t value = UINT32_MAX;

	for (int i = 0; i < count; i++)
		if (entries[i].in && entries[i].value < value)
			value = entries[i].value;
	return value;
}

/* Random inserts and removals, the root compared with the least of the model. */
static void
against_model(uint32_t feats, unsigned int seed)
{
	struct d_binheap *h;
	struct entry      entries[97] = {0};
	int               count       = 0;

	CHECK(d_binheap_create(feats, 0, NULL, &ops, &h) == 0 && d_binheap_is_empty(h));
	for (int step = 0; step < 4000; step++) {
		struct entry *e = &entries[rand_r(&seed) % 97];

		if (!e->in) {
			e->value = rand_r(&seed) % 1000;
			CHECK(d_binheap_insert(h, &e->node) == 0);
			e->in = true;
			count++;
		} else if (rand_r(&seed) % 3) {
			d_binheap_remove(h, &e->node);
			CHECK(e->node.chn_idx == DBH_POISON);
			e->in = false;
			count--;
		} else {
			struct d_binheap_node *root = d_binheap_remove_root(h);

			CHECK(root != NULL && entry_of(root)->value == least(entries, 97));
			entry_of(root)->in = false;
			count--;
		}
		CHECK(d_binheap_size(h) == count && inside == count);
		CHECK(count == 0 ? d_binheap_root(h) == NULL : entry_of(d_binheap_root(h))->value == least(entries, 97));
		for (int i = 0; i < count; i++)
			CHECK(d_binheap_find(h, i) != NULL && d_binheap_find(h, i)->chn_idx == i);
		CHECK(d_binheap_find(h, count) == NULL);
	}
	inside = 0;
	d_binheap_destroy(h);
}

static void
many(void)
{
	enum { COUNT = 512 + 512 * 512 + 3000 }; /* reaches the third level */
	struct d_binheap h;
	struct entry    *entries = calloc(COUNT, sizeof(*entries));
	uint32_t         last    = 0;

	CHECK(d_binheap_create_inplace(DBH_FT_NOLOCK, 2000, NULL, &ops, &h) == 0 && h.d_bh_hwm >= 2000);
	for (uint32_t i = 0; i < COUNT; i++) {
		entries[i].value = (i * 2654435761u) % 1000003;
		CHECK(d_binheap_insert(&h, &entries[i].node) == 0);
	}
	CHECK(d_binheap_size(&h) == COUNT);
	for (uint32_t i = 0; i < COUNT; i++) {
		struct d_binheap_node *root = d_binheap_remove_root(&h);

		CHECK(root != NULL && entry_of(root)->value >= last);
		last = entry_of(root)->value;
	}
	CHECK(d_binheap_remove_root(&h) == NULL);
	d_binheap_destroy_inplace(&h);
	CHECK(h.d_bh_nodes1 == NULL && h.d_bh_nodes3 == NULL);
	free(entries);
}

static void
heap_edges(void)
{
	struct d_binheap_ops none = {0};
	struct d_binheap    *h;
	struct entry         a = {.value = 1}, stranger = {.value = 2};

	CHECK(d_binheap_create(0, 0, NULL, NULL, &h) == -DER_INVAL);
	CHECK(d_binheap_create(0, 0, NULL, &none, &h) == -DER_INVAL);
	CHECK(d_binheap_create(0, 0, NULL, &ops, NULL) == -DER_INVAL);
	CHECK(d_binheap_create_inplace(0, 0, NULL, &ops, NULL) == -DER_INVAL);
	CHECK(d_binheap_create(0, 0, &a, &ops, &h) == 0 && h->d_bh_priv == &a);
	CHECK(d_binheap_insert(h, NULL) == -DER_INVAL && d_binheap_insert(NULL, &a.node) == -DER_INVAL);
	refuse = 1;
	CHECK(d_binheap_insert(h, &a.node) == -DER_BUSY && d_binheap_is_empty(h));
	refuse = 0;
	CHECK(d_binheap_insert(h, &a.node) == 0);
	d_binheap_remove(h, &stranger.node);
	d_binheap_remove(h, NULL);
	CHECK(d_binheap_size(h) == 1);
	CHECK(d_binheap_remove_root(NULL) == NULL);
	d_binheap_destroy(h);
	d_binheap_destroy(NULL);
	d_binheap_destroy_inplace(NULL);
	inside = 0;
}

struct descriptor {
	int      state; /* 1: set up, 2: reset */
	int      argument;
	d_list_t link;
};

static int released, resets_fail;

static void
set_up(void *descriptor, void *argument)
{
	((struct descriptor *)descriptor)->state    = 1;
	((struct descriptor *)descriptor)->argument = *(int *)argument;
}

static bool
reset(void *descriptor)
{
	((struct descriptor *)descriptor)->state = 2;
	return !resets_fail;
}

static void
let_go(void *descriptor)
{
	released++;
}

static void
slabs(void)
{
	struct d_slab       slab = {0};
	int                 argument = 42;
	struct d_slab_reg   reg = {.sr_init = set_up, .sr_reset = reset, .sr_release = let_go,
				   POOL_TYPE_INIT(descriptor, link) .sr_max_desc = 3};
	struct d_slab_type *type, *free_type;
	struct descriptor  *d[3];

	CHECK(d_slab_init(&slab, NULL) == 0 && slab.slab_init);
	CHECK(d_slab_register(&slab, &reg, &argument, &type) == 0 && type->st_free_count == 1 && type->st_count == 1);
	for (int i = 0; i < 3; i++) {
		d[i] = d_slab_acquire(type);
		CHECK(d[i] != NULL && d[i]->state == 2 && d[i]->argument == 42);
		d[i]->state = 7;
	}
	CHECK(d_slab_acquire(type) == NULL && type->st_count == 3);
	d_slab_release(type, d[1]);
	CHECK(type->st_pending_count == 1);
	CHECK(d_slab_acquire(type) == d[1] && d[1]->state == 2 && type->st_op_reset == 1);
	CHECK(d_slab_reclaim(&slab));
	for (int i = 0; i < 3; i++)
		d_slab_release(type, d[i]);
	d_slab_restock(type);
	CHECK(type->st_pending_count == 0 && type->st_free_count == 3 && type->st_no_restock == 0);
	CHECK(type->st_no_restock_hwm == 5);
	CHECK(!d_slab_reclaim(&slab) && released == 3 && type->st_count == 0);

	/* Without a limit on descriptors a restock makes what the busiest stretch needed, up to the limit of free ones. */
	reg.sr_max_desc      = 0;
	reg.sr_max_free_desc = 2;
	CHECK(d_slab_register(&slab, &reg, &argument, &free_type) == 0);
	for (int i = 0; i < 3; i++)
		d[i] = d_slab_acquire(free_type);
	d_slab_restock(free_type);
	CHECK(free_type->st_free_count == 2);
	resets_fail = 1;
	for (int i = 0; i < 3; i++)
		d_slab_release(free_type, d[i]);
	CHECK(!d_slab_reclaim(&slab) && free_type->st_count == 0);
	reg.sr_name = NULL;
	CHECK(d_slab_register(&slab, &reg, &argument, &type) == -DER_INVAL);
	reg.sr_name   = "odd";
	reg.sr_offset = reg.sr_size - 1;
	CHECK(d_slab_register(&slab, &reg, &argument, &type) == -DER_INVAL);
	reg.sr_offset = offsetof(struct descriptor, link);
	CHECK(d_slab_register(&slab, &reg, &argument, &type) == -DER_INVAL); /* no reset succeeds */
	d_slab_destroy(&slab);
	CHECK(!slab.slab_init);
	d_slab_destroy(&slab);
}

int
main(void)
{
	unsigned int seed = getenv("SEED") ? atoi(getenv("SEED")) : time(NULL);

	printf("heap.c: SEED=%u\n", seed);
	against_model(0, seed);
	against_model(DBH_FT_NOLOCK, seed + 1);
	against_model(DBH_FT_RWLOCK, seed + 2);
	many();
	heap_edges();
	slabs();
	return 0;
}
