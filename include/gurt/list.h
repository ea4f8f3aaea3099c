/*
 * SPDX-License-Identifier: BSD-2-Clause-Patent
 *
 * Intrusive doubly linked lists and hash-chain lists.
 */
#ifndef DAOS_INC_GURT_LIST_H
#define DAOS_INC_GURT_LIST_H

#include <stddef.h>

/** Hints that the cache line at a will be read soon. */
#define prefetch(a) __builtin_prefetch((a), 0, 1)

#ifdef NULL
#define NULL_P NULL
#else
#define NULL_P ((void *)0)
#endif

#if defined(__cplusplus)
extern "C" {
#endif

typedef struct d_list_head {
	struct d_list_head *next;
	struct d_list_head *prev;
} d_list_t;

typedef struct d_hlist_node {
	struct d_hlist_node *next;
	struct d_hlist_node **pprev;
} d_hlist_node_t;

typedef struct d_hlist_head {
	d_hlist_node_t *first;
} d_hlist_head_t;

/* ---- doubly linked lists: a head and its entries are all d_list_t; an empty head points at itself ---- */

#define D_LIST_HEAD_INIT(name) { &(name), &(name) }
#define D_LIST_HEAD(name) d_list_t name = D_LIST_HEAD_INIT(name)
#define D_INIT_LIST_HEAD(ptr) \
	do { \
		(ptr)->next = (ptr); \
		(ptr)->prev = (ptr); \
	} while (0)

/** Links newe between two neighbours. */
static inline void
__gurt_list_add(d_list_t *newe, d_list_t *prev, d_list_t *next)
{
	newe->prev = prev;
	newe->next = next;
	prev->next = newe;
	next->prev = newe;
}

/** Links newe first in the list. */
static inline void
d_list_add(d_list_t *newe, d_list_t *head)
{
	__gurt_list_add(newe, head, head->next);
}

/** Links newe last in the list. */
static inline void
d_list_add_tail(d_list_t *newe, d_list_t *head)
{
	__gurt_list_add(newe, head->prev, head);
}

/** Makes two entries neighbours, which drops what was between them. */
static inline void
__gurt_list_del(d_list_t *prev, d_list_t *next)
{
	prev->next = next;
	next->prev = prev;
}

/** Unlinks entry; its own pointers are left as they were. */
static inline void
d_list_del(d_list_t *entry)
{
	__gurt_list_del(entry->prev, entry->next);
}

/** Unlinks entry and makes it an empty list. */
static inline void
d_list_del_init(d_list_t *entry)
{
	d_list_del(entry);
	D_INIT_LIST_HEAD(entry);
}

/** Moves an entry from its list to the front of another. */
static inline void
d_list_move(d_list_t *list, d_list_t *head)
{
	d_list_del(list);
	d_list_add(list, head);
}

/** Moves an entry from its list to the end of another. */
static inline void
d_list_move_tail(d_list_t *list, d_list_t *head)
{
	d_list_del(list);
	d_list_add_tail(list, head);
}

/** Whether the list has no entries. */
static inline int
d_list_empty(d_list_t *head)
{
	return head->next == head;
}

/** Whether the list has no entries, and no other thread is half way through unlinking the last one. */
static inline int
d_list_empty_careful(const d_list_t *head)
{
	return head->next == head && head->prev == head;
}

/** Puts the entries of a list that is not empty in front of those of head; list itself is left as it was. */
static inline void
__gurt_list_splice(d_list_t *list, d_list_t *head)
{
	d_list_t *second = head->next;

	list->next->prev = head;
	head->next       = list->next;
	list->prev->next = second;
	second->prev     = list->prev;
}

/** Puts the entries of list in front of those of head; list must not be used until it is initialised again. */
static inline void
d_list_splice(d_list_t *list, d_list_t *head)
{
	if (d_list_empty(list))
		return;
	__gurt_list_splice(list, head);
}

/** Puts the entries of list in front of those of head and leaves list empty. */
static inline void
d_list_splice_init(d_list_t *list, d_list_t *head)
{
	d_list_splice(list, head);
	D_INIT_LIST_HEAD(list);
}

/** The structure of type that holds the link ptr as its member. */
#define d_list_entry(ptr, type, member) ((type *)((char *)(ptr) - offsetof(type, member)))

/** Unlinks the first entry and yields its structure, or NULL from an empty list. */
#define d_list_pop_entry(list, type, member) \
	({ \
		d_list_t *__first = (list)->next; \
		type     *__popped = NULL_P; \
		if (__first != (list)) { \
			d_list_del_init(__first); \
			__popped = d_list_entry(__first, type, member); \
		} \
		__popped; \
	})

/* Loops over links. The _safe forms allow the body to unlink pos; n holds the entry after it. */

#define d_list_for_each(pos, head) for ((pos) = (head)->next; (pos) != (head); (pos) = (pos)->next)

#define d_list_for_each_prev(pos, head) for ((pos) = (head)->prev; (pos) != (head); (pos) = (pos)->prev)

#define d_list_for_each_safe(pos, n, head) \
	for ((pos) = (head)->next, (n) = (pos)->next; (pos) != (head); (pos) = (n), (n) = (pos)->next)

/* Loops over the structures that hold the links, with the type named ... */

#define d_list_for_each_entry_typed(pos, head, type, member) \
	for ((pos) = d_list_entry((head)->next, type, member); &(pos)->member != (head); \
	     (pos) = d_list_entry((pos)->member.next, type, member))

#define d_list_for_each_entry_reverse_typed(pos, head, type, member) \
	for ((pos) = d_list_entry((head)->prev, type, member); &(pos)->member != (head); \
	     (pos) = d_list_entry((pos)->member.prev, type, member))

#define d_list_for_each_entry_safe_typed(pos, n, head, type, member) \
	for ((pos) = d_list_entry((head)->next, type, member), (n) = d_list_entry((pos)->member.next, type, member); \
	     &(pos)->member != (head); (pos) = (n), (n) = d_list_entry((n)->member.next, type, member))

#define d_list_for_each_entry_safe_from_typed(pos, n, head, type, member) \
	for ((n) = d_list_entry((pos)->member.next, type, member); &(pos)->member != (head); \
	     (pos) = (n), (n) = d_list_entry((n)->member.next, type, member))

/* ... or taken from pos. */

#define d_list_for_each_entry(pos, head, member) d_list_for_each_entry_typed(pos, head, __typeof__(*(pos)), member)

#define d_list_for_each_entry_rcu(pos, head, member) d_list_for_each_entry(pos, head, member)

#define d_list_for_each_entry_reverse(pos, head, member) \
	d_list_for_each_entry_reverse_typed(pos, head, __typeof__(*(pos)), member)

#define d_list_for_each_entry_safe(pos, n, head, member) \
	d_list_for_each_entry_safe_typed(pos, n, head, __typeof__(*(pos)), member)

#define d_list_for_each_entry_safe_from(pos, n, head, member) \
	d_list_for_each_entry_safe_from_typed(pos, n, head, __typeof__(*(pos)), member)

#define d_list_for_each_entry_reverse_safe(pos, n, head, member) \
	for ((pos) = d_list_entry((head)->prev, __typeof__(*(pos)), member), \
	    (n) = d_list_entry((pos)->member.prev, __typeof__(*(pos)), member); \
	     &(pos)->member != (head); (pos) = (n), (n) = d_list_entry((n)->member.prev, __typeof__(*(n)), member))

/** Goes on behind pos. */
#define d_list_for_each_entry_continue(pos, head, member) \
	for ((pos) = d_list_entry((pos)->member.next, __typeof__(*(pos)), member); &(pos)->member != (head); \
	     (pos) = d_list_entry((pos)->member.next, __typeof__(*(pos)), member))

/* ---- hash chains: a head of one pointer; a node knows the pointer that points at it ---- */

#define D_HLIST_HEAD_INIT { NULL_P }
#define D_HLIST_HEAD(name) d_hlist_head_t name = D_HLIST_HEAD_INIT
#define D_INIT_HLIST_HEAD(ptr) ((ptr)->first = NULL_P)
#define D_INIT_HLIST_NODE(ptr) ((ptr)->next = NULL_P, (ptr)->pprev = NULL_P)

/** Whether the node is in no chain. */
static inline int
d_hlist_unhashed(const d_hlist_node_t *h)
{
	return h->pprev == NULL_P;
}

/** Whether the chain has no nodes. */
static inline int
d_hlist_empty(const d_hlist_head_t *h)
{
	return h->first == NULL_P;
}

/** Unlinks a node that is in a chain. */
static inline void
__gurt_hlist_del(d_hlist_node_t *n)
{
	*n->pprev = n->next;
	if (n->next != NULL_P)
		n->next->pprev = n->pprev;
}

/** Unlinks a node that is in a chain; its own pointers are left as they were. */
static inline void
d_hlist_del(d_hlist_node_t *n)
{
	__gurt_hlist_del(n);
}

/** Unlinks a node, if it is in a chain, and marks it unhashed. */
static inline void
d_hlist_del_init(d_hlist_node_t *n)
{
	if (d_hlist_unhashed(n))
		return;
	__gurt_hlist_del(n);
	D_INIT_HLIST_NODE(n);
}

/** Links n first in the chain. */
static inline void
d_hlist_add_head(d_hlist_node_t *n, d_hlist_head_t *h)
{
	n->pprev = &h->first;
	n->next  = h->first;
	h->first = n;
	if (n->next != NULL_P)
		n->next->pprev = &n->next;
}

/** Links n in front of next. */
static inline void
d_hlist_add_before(d_hlist_node_t *n, d_hlist_node_t *next)
{
	n->next     = next;
	n->pprev    = next->pprev;
	*n->pprev   = n;
	next->pprev = &n->next;
}

/** Links n behind prev. */
static inline void
d_hlist_add_after(d_hlist_node_t *n, d_hlist_node_t *prev)
{
	n->next    = prev->next;
	n->pprev   = &prev->next;
	prev->next = n;
	if (n->next != NULL_P)
		n->next->pprev = &n->next;
}

#define d_hlist_entry(ptr, type, member) d_list_entry(ptr, type, member)

#define dhlist_for_each(pos, head) for ((pos) = (head)->first; (pos) != NULL_P; (pos) = (pos)->next)

#define dhlist_for_each_safe(pos, n, head) \
	for ((pos) = (head)->first; (pos) != NULL_P && ((n) = (pos)->next, 1); (pos) = (n))

#define dhlist_for_each_entry_typed(tpos, pos, head, type, member) \
	for ((pos) = (head)->first; (pos) != NULL_P && ((tpos) = d_hlist_entry(pos, type, member), 1); \
	     (pos) = (pos)->next)

#define dhlist_for_each_entry_safe_typed(tpos, pos, n, head, type, member) \
	for ((pos) = (head)->first; \
	     (pos) != NULL_P && ((n) = (pos)->next, 1) && ((tpos) = d_hlist_entry(pos, type, member), 1); (pos) = (n))

#define dhlist_for_each_entry(tpos, pos, head, member) \
	dhlist_for_each_entry_typed(tpos, pos, head, __typeof__(*(tpos)), member)

#define dhlist_for_each_entry_safe(tpos, pos, n, head, member) \
	dhlist_for_each_entry_safe_typed(tpos, pos, n, head, __typeof__(*(tpos)), member)

/** From pos on. */
#define dhlist_for_each_entry_from(tpos, pos, member) \
	for (; (pos) != NULL_P && ((tpos) = d_hlist_entry(pos, __typeof__(*(tpos)), member), 1); (pos) = (pos)->next)

/** From the node behind pos on. */
#define dhlist_for_each_entry_continue(tpos, pos, member) \
	for ((pos) = (pos)->next; \
	     (pos) != NULL_P && ((tpos) = d_hlist_entry(pos, __typeof__(*(tpos)), member), 1); (pos) = (pos)->next)

#if defined(__cplusplus)
}
#endif

#endif /* DAOS_INC_GURT_LIST_H */
