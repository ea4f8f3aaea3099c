/*
 * SPDX-License-Identifier: BSD-2-Clause-Patent
 *
 * Atomic types and relaxed-order helpers over C11 atomics.
 */
#ifndef DAOS_INC_GURT_ATOMIC_H
#define DAOS_INC_GURT_ATOMIC_H

#if defined(__cplusplus)
/* C++ sees the plain type: the layout is the same, the operations below are for C. */
#define ATOMIC
#else
#include <stdatomic.h>
#define ATOMIC _Atomic
#endif

/** Replaces oldvalue (an lvalue, updated on failure) by newvalue; may fail spuriously. */
#define atomic_compare_exchange(ptr, oldvalue, newvalue) \
	atomic_compare_exchange_weak_explicit(ptr, &(oldvalue), newvalue, memory_order_relaxed, memory_order_relaxed)

#define atomic_load_relaxed(ptr) atomic_load_explicit(ptr, memory_order_relaxed)
#define atomic_store_relaxed(ptr, value) atomic_store_explicit(ptr, value, memory_order_relaxed)
#define atomic_store_release(ptr, value) atomic_store_explicit(ptr, value, memory_order_release)
#define atomic_fetch_add_relaxed(ptr, value) atomic_fetch_add_explicit(ptr, value, memory_order_relaxed)
#define atomic_fetch_sub_relaxed(ptr, value) atomic_fetch_sub_explicit(ptr, value, memory_order_relaxed)

#if defined(__cplusplus)
extern "C" {
#endif

#if defined(__cplusplus)
}
#endif

#endif /* DAOS_INC_GURT_ATOMIC_H */
