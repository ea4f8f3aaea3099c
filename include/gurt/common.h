/*
 * SPDX-License-Identifier: BSD-2-Clause-Patent
 *
 * Allocation, locking, time, hashing, rank lists, environment and hybrid-logical-clock helpers of libgurt.
 *
 * Functions with an int result return 0 or -DER_xxx unless it says otherwise. Memory that they hand out comes from the
 * C heap: d_free() (or D_FREE()) takes it. Lists, vectors, sequences and buffers belong to the caller and have no lock;
 * the environment, the clock and the random generator may be used by several threads at a time. Timestamps of the
 * hybrid logical clock are in units of 1/16 ns since 1 January 2021; their low 18 bits count events.
 */
#ifndef DAOS_INC_GURT_COMMON_H
#define DAOS_INC_GURT_COMMON_H

#include <uuid/uuid.h>
#include <unistd.h>
#include <stdbool.h>
#include <string.h>
#include <errno.h>
#include <inttypes.h>
#include <time.h>
#include <limits.h>
#include <stdlib.h>
#include <stdio.h>
#include <pthread.h>
#include <byteswap.h>
#include <daos_errno.h>
#include <gurt/types.h>
#include <gurt/debug.h>
#include <gurt/fault_inject.h>

#ifdef D_HAS_VALGRIND
#include <valgrind/valgrind.h>
#include <valgrind/memcheck.h>
#define D_ON_VALGRIND RUNNING_ON_VALGRIND
#else
#define D_ON_VALGRIND 0
#define __D_IGNORE_RANGE(addr, len) \
	do { \
		(void)(addr); \
		(void)(len); \
	} while (0)
#define VALGRIND_MAKE_MEM_DEFINED(addr, len) __D_IGNORE_RANGE(addr, len)
#define VALGRIND_DISABLE_ADDR_ERROR_REPORTING_IN_RANGE(addr, len) __D_IGNORE_RANGE(addr, len)
#define VALGRIND_ENABLE_ADDR_ERROR_REPORTING_IN_RANGE(addr, len) __D_IGNORE_RANGE(addr, len)
#endif

/* The structure around a member, the number of elements of an array, the smaller and the larger of two. */
#if !defined(container_of)
#define container_of(ptr, type, member) ((type *)((char *)(ptr) - offsetof(type, member)))
#endif
#ifndef offsetof
#define offsetof(typ, memb) __builtin_offsetof(typ, memb)
#endif
#ifndef ARRAY_SIZE
#define ARRAY_SIZE(arr) (sizeof(arr) / sizeof((arr)[0]))
#endif
#ifndef MIN
#define MIN(a, b) ((a) < (b) ? (a) : (b))
#endif
#ifndef MAX
#define MAX(a, b) ((a) > (b) ? (a) : (b))
#endif
#if !defined(__cplusplus)
#ifndef min
#define min(x, y) ((x) < (y) ? (x) : (y))
#endif
#ifndef max
#define max(x, y) ((x) > (y) ? (x) : (y))
#endif
#endif
#ifndef min_t
#define min_t(type, x, y) \
	({ \
		type __min_x = (x); \
		type __min_y = (y); \
		__min_x < __min_y ? __min_x : __min_y; \
	})
#endif
#ifndef max_t
#define max_t(type, x, y) \
	({ \
		type __max_x = (x); \
		type __max_y = (y); \
		__max_x > __max_y ? __max_x : __max_y; \
	})
#endif
#ifndef NSEC_PER_SEC
#define NSEC_PER_SEC 1000000000
#endif
#ifndef NSEC_PER_MSEC
#define NSEC_PER_MSEC 1000000
#endif
#ifndef NSEC_PER_USEC
#define NSEC_PER_USEC 1000
#endif

/** 1 if val has any bit of bit, a mask, else 0. */
#define D_BIT_IS_SET(val, bit) (((val) & (bit)) ? 1 : 0)
/** The lowest bit of x, as a mask. */
#define LOWEST_BIT_SET(x) ((x) & ~((x) - 1))
/** x rounded up to a multiple of a, a power of two. */
#define D_ALIGNUP(x, a) (((x) + ((a) - 1)) & ~((a) - 1))

/* The bytes of a number in reverse order; the S forms change the number at a pointer. */
#define D_SWAP16(x) bswap_16(x)
#define D_SWAP32(x) bswap_32(x)
#define D_SWAP64(x) bswap_64(x)
#define D_SWAP16S(x) do { *(x) = D_SWAP16(*(x)); } while (0)
#define D_SWAP32S(x) do { *(x) = D_SWAP32(*(x)); } while (0)
#define D_SWAP64S(x) do { *(x) = D_SWAP64(*(x)); } while (0)

/** Marks a function that returns fresh memory. */
#define _dalloc_ __attribute__((malloc))

/** Jumps, after evaluating rc (which is usually an assignment). */
#define D_GOTO(label, rc) \
	do { \
		__typeof__(rc) __goto_rc = (rc); \
		(void)__goto_rc; \
		goto label; \
	} while (0)

/** fprintf() that yields 0 or -DER_IO. */
#define D_FPRINTF(...) \
	({ \
		int __print_rc = fprintf(__VA_ARGS__) < 0 ? -DER_IO : 0; \
		if (__print_rc != 0) \
			D_ERROR("can't print to the stream\n"); \
		__print_rc; \
	})

/* ---- allocation ----
 * Each macro sets ptr, to NULL when there is no memory (or a fault is injected), and logs. Memory is zeroed unless the
 * macro's name ends in _NZ; it is freed with D_FREE(), which sets the pointer to NULL.
 */

#define D_CHECK_ALLOC(func, cond, ptr, name, size, count, cname, on_error) \
	do { \
		if ((ptr) != NULL && D_SHOULD_FAIL(d_fault_attr_mem)) { \
			d_free(ptr); \
			(ptr) = NULL; \
		} \
		if ((cond) && (ptr) != NULL) { \
			D_DEBUG(DB_MEM, "alloc(" #func ") '" name "' %zu * %zu ('" cname "') at %p.\n", (size_t)(size), \
				(size_t)(count), (ptr)); \
			break; \
		} \
		(void)(on_error); \
		D_ERROR("out of memory: " #func " '" name "' %zu * %zu\n", (size_t)(size), (size_t)(count)); \
	} while (0)

#define D_ALLOC_CORE(ptr, size, count) \
	do { \
		(ptr) = (__typeof__(ptr))d_calloc((count), (size)); \
		D_CHECK_ALLOC(calloc, true, ptr, #ptr, size, count, #count, 0); \
	} while (0)

#define D_ALLOC_CORE_NZ(ptr, size, count) \
	do { \
		(ptr) = (__typeof__(ptr))d_malloc((size_t)(count) * (size)); \
		D_CHECK_ALLOC(malloc, true, ptr, #ptr, size, count, #count, 0); \
	} while (0)

/** size bytes; one object of ptr's type; an array of count objects of it. */
#define D_ALLOC(ptr, size) D_ALLOC_CORE(ptr, size, 1)
#define D_ALLOC_PTR(ptr) D_ALLOC(ptr, sizeof(*(ptr)))
#define D_ALLOC_ARRAY(ptr, count) D_ALLOC_CORE(ptr, sizeof(*(ptr)), count)
#define D_ALLOC_NZ(ptr, size) D_ALLOC_CORE_NZ(ptr, size, 1)
#define D_ALLOC_PTR_NZ(ptr) D_ALLOC_NZ(ptr, sizeof(*(ptr)))
#define D_ALLOC_ARRAY_NZ(ptr, count) D_ALLOC_CORE_NZ(ptr, sizeof(*(ptr)), count)

/** Copies of at most n characters of s. D_STRNDUP_S takes an array or literal. */
#define D_STRNDUP(ptr, s, n) \
	do { \
		(ptr) = d_strndup(s, n); \
		D_CHECK_ALLOC(strndup, true, ptr, #ptr, n, 1, "1", 0); \
	} while (0)
#define D_STRNDUP_S(ptr, s) \
	do { \
		D_CASSERT(sizeof(s) != sizeof(void *) || \
			  __builtin_types_compatible_p(__typeof__(s), __typeof__("1234567")), "needs an array"); \
		D_STRNDUP(ptr, s, sizeof(s)); \
	} while (0)

/** A formatted string. */
#define D_ASPRINTF(ptr, ...) \
	do { \
		int __asp_rc; \
		(ptr) = d_asprintf2(&__asp_rc, __VA_ARGS__); \
		D_CHECK_ALLOC(asprintf, (ptr) != NULL, ptr, #ptr, __asp_rc + 1, 1, "1", (ptr) = NULL); \
	} while (0)

/** The canonical form of path; errno tells why ptr is NULL. */
#define D_REALPATH(ptr, path) \
	do { \
		(ptr) = d_realpath((path), NULL); \
		if ((ptr) != NULL) { \
			D_CHECK_ALLOC(realpath, true, ptr, #ptr, strlen(ptr) + 1, 1, "1", 0); \
			if ((ptr) == NULL) \
				errno = ENOMEM; \
		} \
	} while (0)

/** size bytes at a multiple of alignment, a power of two. */
#define D_ALIGNED_ALLOC(ptr, alignment, size) \
	do { \
		(ptr) = (__typeof__(ptr))d_aligned_alloc(alignment, size, true); \
		D_CHECK_ALLOC(aligned_alloc, true, ptr, #ptr, size, 1, "1", 0); \
	} while (0)
#define D_ALIGNED_ALLOC_NZ(ptr, alignment, size) \
	do { \
		(ptr) = (__typeof__(ptr))d_aligned_alloc(alignment, size, false); \
		D_CHECK_ALLOC(aligned_alloc, true, ptr, #ptr, size, 1, "1", 0); \
	} while (0)

/*
 * Reallocation into another variable: on success oldptr becomes NULL and bytes beyond the old size are zeroed; on
 * failure newptr is NULL and oldptr still owns the memory. The _NZ forms leave the new bytes as they are, the _Z forms
 * zero everything.
 */
#define D_REALLOC_COMMON(newptr, oldptr, oldsize, size, cnt) \
	do { \
		size_t __re_old = (size_t)(oldsize); \
		size_t __re_new = (size_t)(size) * (size_t)(cnt); \
		D_ASSERT((void *)&(newptr) != (void *)&(oldptr)); \
		if (D_SHOULD_FAIL(d_fault_attr_mem)) \
			(newptr) = NULL; \
		else \
			(newptr) = (__typeof__(newptr))d_realloc((oldptr), __re_new == 0 ? 1 : __re_new); \
		if ((newptr) == NULL) { \
			D_ERROR("out of memory: realloc '" #newptr "' %zu\n", __re_new); \
			break; \
		} \
		(oldptr) = NULL; \
		if (__re_new > __re_old) \
			memset((char *)(newptr) + __re_old, 0, __re_new - __re_old); \
		D_DEBUG(DB_MEM, "realloc '" #newptr "' %zu to %zu at %p.\n", __re_old, __re_new, (newptr)); \
	} while (0)
#define D_REALLOC(newptr, oldptr, oldsize, size) D_REALLOC_COMMON(newptr, oldptr, oldsize, size, 1)
#define D_REALLOC_NZ(newptr, oldptr, size) D_REALLOC_COMMON(newptr, oldptr, size, size, 1)
#define D_REALLOC_Z(newptr, oldptr, size) D_REALLOC_COMMON(newptr, oldptr, 0, size, 1)
#define D_REALLOC_ARRAY(newptr, oldptr, oldcount, count) \
	D_REALLOC_COMMON(newptr, oldptr, (oldcount) * sizeof(*(oldptr)), sizeof(*(oldptr)), count)
#define D_REALLOC_ARRAY_NZ(newptr, oldptr, count) \
	D_REALLOC_COMMON(newptr, oldptr, (count) * sizeof(*(oldptr)), sizeof(*(oldptr)), count)
#define D_REALLOC_ARRAY_Z(newptr, oldptr, count) D_REALLOC_COMMON(newptr, oldptr, 0, sizeof(*(oldptr)), count)

/** Frees memory of the macros above and sets the pointer to NULL; NULL is allowed. */
#define D_FREE(ptr) \
	do { \
		if ((ptr) != NULL) { \
			D_DEBUG(DB_MEM, "free '" #ptr "' at %p.\n", (ptr)); \
			d_free(ptr); \
			(ptr) = NULL; \
		} \
	} while (0)

/* ---- locks: thin wrappers of pthread_ calls that yield 0 or a -DER_ number; a misuse is an assertion failure ----
 * A try-lock yields -DER_BUSY when somebody else holds the lock. The y of an _INIT is that of the pthread_ call:
 * attributes, or whether a spinlock is shared between processes.
 */

#define __D_PTHREAD(fn, x) \
	({ \
		int __pt_rc = fn(x); \
		D_ASSERTF(__pt_rc == 0, #fn "(%p): %s (%d)\n", (void *)(x), strerror(__pt_rc), __pt_rc); \
		d_errno2der(__pt_rc); \
	})
#define __D_PTHREAD_TRYLOCK(fn, x) \
	({ \
		int __pt_rc = fn(x); \
		D_ASSERTF(__pt_rc == 0 || __pt_rc == EBUSY, #fn "(%p): %s (%d)\n", (void *)(x), strerror(__pt_rc), __pt_rc); \
		d_errno2der(__pt_rc); \
	})
#define __D_PTHREAD_INIT(fn, x, y) \
	({ \
		int __pt_rc = fn(x, y); \
		D_ASSERT(__pt_rc != EINVAL); \
		if (__pt_rc != 0) \
			D_ERROR(#fn ": %s (%d)\n", strerror(__pt_rc), __pt_rc); \
		d_errno2der(__pt_rc); \
	})
/* Waits as long as it takes, and says so in the log every ten seconds. */
#define __D_PTHREAD_TIMED(fn, x) \
	({ \
		struct timespec __pt_until; \
		int __pt_rc; \
		for (;;) { \
			clock_gettime(CLOCK_REALTIME, &__pt_until); \
			__pt_until.tv_sec += 10; \
			__pt_rc = fn((x), &__pt_until); \
			if (__pt_rc != ETIMEDOUT) \
				break; \
			D_WARN(#fn "(%p) still waits\n", (void *)(x)); \
		} \
		D_ASSERTF(__pt_rc == 0, #fn "(%p): %s (%d)\n", (void *)(x), strerror(__pt_rc), __pt_rc); \
		d_errno2der(__pt_rc); \
	})

#define D_SPIN_INIT(x, y) __D_PTHREAD_INIT(pthread_spin_init, x, y)
#define D_SPIN_LOCK(x) __D_PTHREAD(pthread_spin_lock, x)
#define D_SPIN_UNLOCK(x) __D_PTHREAD(pthread_spin_unlock, x)
#define D_SPIN_DESTROY(x) __D_PTHREAD(pthread_spin_destroy, x)
#define D_MUTEX_INIT(x, y) __D_PTHREAD_INIT(pthread_mutex_init, x, y)
#define D_MUTEX_TRYLOCK(x) __D_PTHREAD_TRYLOCK(pthread_mutex_trylock, x)
#define D_MUTEX_UNLOCK(x) __D_PTHREAD(pthread_mutex_unlock, x)
#define D_MUTEX_DESTROY(x) __D_PTHREAD(pthread_mutex_destroy, x)
#define D_RWLOCK_INIT(x, y) __D_PTHREAD_INIT(pthread_rwlock_init, x, y)
#define D_RWLOCK_TRYWRLOCK(x) __D_PTHREAD_TRYLOCK(pthread_rwlock_trywrlock, x)
#define D_RWLOCK_UNLOCK(x) __D_PTHREAD(pthread_rwlock_unlock, x)
#define D_RWLOCK_DESTROY(x) __D_PTHREAD(pthread_rwlock_destroy, x)
#define D_COND_INIT(x, y) __D_PTHREAD_INIT(pthread_cond_init, x, y)
#define D_COND_DESTROY(x) __D_PTHREAD(pthread_cond_destroy, x)
#ifdef DAOS_BUILD_RELEASE
#define D_MUTEX_LOCK(x) __D_PTHREAD(pthread_mutex_lock, x)
#define D_RWLOCK_RDLOCK(x) __D_PTHREAD(pthread_rwlock_rdlock, x)
#define D_RWLOCK_WRLOCK(x) __D_PTHREAD(pthread_rwlock_wrlock, x)
#else
#define D_MUTEX_LOCK(x) __D_PTHREAD_TIMED(pthread_mutex_timedlock, x)
#define D_RWLOCK_RDLOCK(x) __D_PTHREAD_TIMED(pthread_rwlock_timedrdlock, x)
#define D_RWLOCK_WRLOCK(x) __D_PTHREAD_TIMED(pthread_rwlock_timedwrlock, x)
#endif

#if defined(__cplusplus)
extern "C" {
#endif

#define D_ON_VALGRIND	0
/** Largest number that d_rand() gives. */
#define D_RAND_MAX	0x7fffffff
/* Factors of d_u64_hash() and d_u32_hash(). */
#define DGOLDEN_RATIO_PRIME_64	0xcbf29ce484222325ULL
#define DGOLDEN_RATIO_PRIME_32	0x9e370001UL

/** Told of an allocation or a release: the argument of d_set_alloc_track_cb() and the bytes. */
typedef void (*d_alloc_track_cb_t)(void *, size_t);

/** A sequence of growing random delays. The fields are d_backoff_seq_init()'s to set. */
struct d_backoff_seq {
	uint8_t bos_flags;	/**< 0 */
	uint8_t bos_nzeros;	/**< zeros still to come */
	uint16_t bos_factor;	/**< growth of the limit */
	uint32_t bos_max;	/**< highest limit */
	uint32_t bos_next;	/**< limit of the next delay that is not 0 */
};

/** A growing array of pointers. */
struct d_vec_pointers {
	void **p_buf;		/**< the pointers; memory of this library's */
	uint32_t p_cap;		/**< room for how many */
	uint32_t p_len;		/**< how many there are */
};

/**
 * Copies the value of an environment variable, of any length.
 *
 * \param[out] str_val  The copy, the caller's to free with d_freeenv_str(); NULL on failure.
 * \param[in] name  Name of the variable.
 * \return 0; -DER_NONEXIST: it is not set; -DER_INVAL: a NULL; -DER_NOMEM.
 */
int d_agetenv_str(char **str_val, const char *name);

/**
 * Allocates memory at an aligned address. D_ALIGNED_ALLOC() also logs and injects faults.
 *
 * \param[in] alignment  Bytes; a power of two.
 * \param[in] size  Bytes; rounded up to a multiple of alignment.
 * \param[in] zero  Whether to zero it.
 * \return The memory, the caller's to free with d_free(); NULL: no memory, or no such alignment.
 */
void *d_aligned_alloc(size_t alignment, size_t size,
                      bool zero) _dalloc_ __attribute__((alloc_size(2)));

/**
 * Makes a string as printf() does.
 *
 * \param[out] strp  The string, the caller's to free with d_free(); NULL on failure.
 * \param[in] fmt  Format, as printf() takes it, with its arguments behind.
 * \return Number of bytes without the NUL; -1: no memory, a format that cannot be converted, or a NULL.
 */
int d_asprintf(char **strp, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/**
 * d_asprintf() with results the other way round; the work of D_ASPRINTF().
 *
 * \param[out] rc  Number of bytes without the NUL; -1 on failure.
 * \param[in] fmt  Format, as printf() takes it, with its arguments behind.
 * \return The string, the caller's to free with d_free(); NULL: no memory, or a format that cannot be converted.
 */
char *d_asprintf2(int *rc, const char *fmt, ...) _dalloc_ __attribute__((format(printf, 2, 3)));

/**
 * Ends a sequence. There is nothing to release; it marks the place where d_backoff_seq_init() may come again.
 *
 * \param[in] seq  The sequence.
 */
void d_backoff_seq_fini(struct d_backoff_seq *seq);

/**
 * Starts a sequence of growing random delays, for retries: first some zeros, then numbers from 0 to next, from 0 to
 * next * factor, and so on, with max as the last limit.
 *
 * \param[out] seq  The sequence; memory of the caller's, for one thread at a time.
 * \param[in] nzeros  How many zeros come first.
 * \param[in] factor  What the limit is multiplied with; not 0.
 * \param[in] next  First limit that is not 0, in a unit of the caller's; not above max.
 * \param[in] max  Highest limit.
 * \return 0; -DER_INVAL: seq is NULL, factor or next is 0, or next is above max.
 */
int d_backoff_seq_init(struct d_backoff_seq *seq, uint8_t nzeros, uint16_t factor, uint32_t next,
                       uint32_t max);

/**
 * Takes the next delay.
 *
 * \param[in,out] seq  The sequence.
 * \return The delay, from 0 to the limit at this place, in the unit that d_backoff_seq_init() was given; 0 for
 *     NULL.
 */
uint32_t d_backoff_seq_next(struct d_backoff_seq *seq);

/**
 * calloc() of this library; D_ALLOC_ARRAY() also logs and injects faults.
 *
 * \param[in] nmemb  Number of elements.
 * \param[in] size  Bytes of each.
 * \return Zeroed memory, the caller's to free with d_free(); NULL: no memory.
 */
void *d_calloc(size_t nmemb, size_t size) _dalloc_ __attribute__((alloc_size(1, 2)));

/**
 * clearenv() under this library's lock on the environment.
 *
 * \return 0; -1: it failed.
 */
int d_clearenv(void);

/**
 * Frees memory.
 *
 * \param[in] ptr  Memory of this library's or of malloc() and its kin; NULL does nothing.
 */
void d_free(void *ptr);

/**
 * Frees the text of a buffer and empties it, its status too, so that it can be used again.
 *
 * \param[in,out] buf  The buffer; NULL does nothing.
 */
void d_free_string(struct d_string_buffer_t *buf);

/**
 * Frees a value that d_agetenv_str() gave.
 *
 * \param[in,out] str_val  The value; becomes NULL. A NULL, either way, does nothing.
 */
void d_freeenv_str(char **str_val);

/**
 * Reads an environment variable as yes or no. Only a number that is 0 means no; all other text, and none, means
 * yes.
 *
 * \param[in] name  Name of the variable.
 * \param[out] bool_val  The answer; untouched on failure.
 * \return 0; -DER_NONEXIST: it is not set; -DER_INVAL: a NULL.
 */
int d_getenv_bool(const char *name, bool *bool_val);

/**
 * Reads an environment variable of one character.
 *
 * \param[in] name  Name of the variable.
 * \param[out] char_val  The character; untouched on failure.
 * \return 0; -DER_NONEXIST: it is not set; -DER_INVAL: it has not just one character, or a NULL.
 */
int d_getenv_char(const char *name, char *char_val);

/**
 * d_getenv_uint() under its old name; deprecated.
 *
 * \param[in] name  Name of the variable.
 * \param[out] uint_val  The number; untouched on failure.
 * \return As d_getenv_uint().
 */
int d_getenv_int(const char *name,
                 unsigned int *uint_val) __attribute__((deprecated("use d_getenv_uint")));

/**
 * Copies the value of an environment variable into a buffer.
 *
 * \param[out] str_val  The value, as far as it fits, always with a NUL; untouched if the variable is not set.
 * \param[in] str_size  Bytes of the buffer; not 0.
 * \param[in] name  Name of the variable.
 * \return 0; -DER_NONEXIST: it is not set; -DER_TRUNC: it did not fit; -DER_INVAL: a NULL, or no buffer.
 */
int d_getenv_str(char *str_val, size_t str_size, const char *name);

/**
 * Reads an environment variable as a decimal number; blanks and a sign may come first, and a negative one is taken
 * modulo 2^32.
 *
 * \param[in] name  Name of the variable.
 * \param[out] uint_val  The number; untouched on failure.
 * \return 0; -DER_NONEXIST: it is not set; -DER_INVAL: not a number, beyond 32 bits, or a NULL.
 */
int d_getenv_uint(const char *name, unsigned int *uint_val);

/**
 * d_getenv_uint() into a uint32_t.
 *
 * \param[in] name  Name of the variable.
 * \param[out] uint32_val  The number; untouched on failure.
 * \return As d_getenv_uint().
 */
int d_getenv_uint32_t(const char *name, uint32_t *uint32_val);

/**
 * d_getenv_uint() of 64 bits.
 *
 * \param[in] name  Name of the variable.
 * \param[out] uint64_val  The number; untouched on failure.
 * \return 0; -DER_NONEXIST: it is not set; -DER_INVAL: not a number, beyond 64 bits, or a NULL.
 */
int d_getenv_uint64_t(const char *name, uint64_t *uint64_val);

/**
 * Jump consistent hash: when the number of buckets grows, only the keys that go to the new ones move. Object
 * placement depends on its values.
 *
 * \param[in] key  The key; well mixed.
 * \param[in] num_buckets  Number of buckets.
 * \return A bucket, below num_buckets; UINT32_MAX if there is none.
 */
uint32_t d_hash_jump(uint64_t key, uint32_t num_buckets);

/**
 * Mixes the bits of a number (Wang's integer hash). Its values are fixed.
 *
 * \param[in] key  The number.
 * \return The hash.
 */
uint64_t d_hash_mix64(uint64_t key);

/**
 * Mixes the bits of three numbers (Jenkins's mix). Its values are fixed.
 *
 * \param[in] a  First number.
 * \param[in] b  Second number.
 * \param[in] c  Third number.
 * \return The hash.
 */
uint32_t d_hash_mix96(uint32_t a, uint32_t b, uint32_t c);

/**
 * MurmurHash64A of bytes. Object placement depends on its values.
 *
 * \param[in] key  The bytes, of any alignment; NULL hashes as none.
 * \param[in] key_len  How many.
 * \param[in] seed  Makes another hash of the same bytes.
 * \return The hash.
 */
uint64_t d_hash_murmur64(const unsigned char *key, unsigned int key_len, unsigned int seed);

/**
 * Finds the range that a value falls into.
 *
 * \param[in] hashes  The starts of the ranges, ascending.
 * \param[in] nhashes  How many.
 * \param[in] value  The value.
 * \return Index of the last start that is not above value; 0 if all are, or there is none.
 */
unsigned int d_hash_srch_u64(uint64_t *hashes, unsigned int nhashes, uint64_t value);

/**
 * Bernstein's hash (times 33 and plus) of bytes. Its values are fixed.
 *
 * \param[in] string  The bytes; need no NUL.
 * \param[in] len  How many.
 * \return The hash.
 */
uint32_t d_hash_string_u32(const char *string, unsigned int len);

/**
 * Time span of a difference of timestamps.
 *
 * \param[in] hlc  Difference, or timestamp: then the time since the clock's start, 1 January 2021.
 * \return Nanoseconds.
 */
uint64_t d_hlc2nsec(uint64_t hlc);

struct timespec;

/**
 * Wall-clock time of a timestamp.
 *
 * \param[in] hlc  The timestamp.
 * \param[out] ts  Seconds and nanoseconds since 1970.
 * \return 0; -DER_INVAL: ts is NULL.
 */
int d_hlc2timespec(uint64_t hlc, struct timespec *ts);

/**
 * Wall-clock time of a timestamp.
 *
 * \param[in] hlc  The timestamp.
 * \return Nanoseconds since 1970.
 */
uint64_t d_hlc2unixnsec(uint64_t hlc);

/**
 * Age of a timestamp by this host's clock.
 *
 * \param[in] hlc  The timestamp.
 * \return Whole seconds; 0 if it lies ahead.
 */
uint64_t d_hlc_age2sec(uint64_t hlc);

/**
 * The largest offset between the clocks of a system that is tolerated; 1 second unless set.
 *
 * \return A difference of timestamps.
 */
uint64_t d_hlc_epsilon_get(void);

/**
 * The latest timestamp that may have been given before this one on a host with another clock.
 *
 * \param[in] hlc  The timestamp.
 * \return The bound.
 */
uint64_t d_hlc_epsilon_get_bound(uint64_t hlc);

/**
 * Sets the largest offset between the clocks of a system that is tolerated, for this process.
 *
 * \param[in] epsilon  A difference of timestamps; rounded up to the resolution of the physical part (about 0.2 ms).
 */
void d_hlc_epsilon_set(uint64_t epsilon);

/**
 * A new timestamp of this process's hybrid logical clock: later than all it gave or learnt of, and not before the
 * wall clock.
 *
 * \return The timestamp: units of 1/16 ns since 1 January 2021, with a counter in the low 18 bits.
 */
uint64_t d_hlc_get(void);

/**
 * Makes the clock later than a timestamp that came with a message, and gives a new one.
 *
 * \param[in] msg  The timestamp that came.
 * \param[out] hlc_out  The new timestamp; NULL: not wanted; untouched on failure.
 * \param[out] offset  How far msg is ahead of this host's clock, a difference of timestamps; NULL: not wanted.
 * \return 0; -DER_HLC_SYNC: further than d_hlc_epsilon_get(); the clock does not move.
 */
int d_hlc_get_msg(uint64_t msg, uint64_t *hlc_out, uint64_t *offset);

/**
 * The latest timestamp that d_hlct_sync() was told of.
 *
 * \return The timestamp; 0: none.
 */
uint64_t d_hlct_get(void);

/**
 * Tells the tracker of a timestamp that was heard of. The clock of d_hlc_get() is another.
 *
 * \param[in] msg  The timestamp; an earlier one than the tracker's changes nothing.
 */
void d_hlct_sync(uint64_t msg);

/**
 * Finds a rank in a list; d_rank_list_find() with an error.
 *
 * \param[in] rank_list  The list.
 * \param[in] rank  The rank.
 * \param[out] idx  Index of its first place; untouched on failure.
 * \return 0; -DER_NONEXIST: it is not there; -DER_INVAL: a NULL.
 */
int d_idx_in_rank_list(d_rank_list_t *rank_list, d_rank_t rank, uint32_t *idx);

/**
 * Tells whether an environment variable is set, be it to nothing.
 *
 * \param[in] name  Name of the variable.
 * \return Whether it is set; false for NULL.
 */
bool d_isenv_def(char *name);

/**
 * malloc() of this library; D_ALLOC_NZ() also logs and injects faults.
 *
 * \param[in] size  Bytes.
 * \return Memory with arbitrary content, the caller's to free with d_free(); NULL: no memory.
 */
void *d_malloc(size_t size) _dalloc_ __attribute__((alloc_size(1)));

/**
 * A time span as a difference of timestamps.
 *
 * \param[in] nsec  Nanoseconds.
 * \return The difference.
 */
uint64_t d_nsec2hlc(uint64_t nsec);

/**
 * putenv() under this library's lock on the environment.
 *
 * \param[in] name  "NAME=value"; becomes part of the environment itself, so it must stay and may not be on the
 *     stack.
 * \return 0; otherwise it failed, and errno tells why: EINVAL: name is NULL; ENOMEM.
 */
int d_putenv(char *name);

/**
 * A random number of a generator that the threads of the process share; not for secrets. Without d_srand() it
 * always gives the same numbers.
 *
 * \return 0 to D_RAND_MAX.
 */
long d_rand(void);

/**
 * A random number of the same generator.
 *
 * \return From 0 up to, but not, 1.
 */
double d_randd(void);

/**
 * Finds a rank in a sorted list.
 *
 * \param[in] rank_list  The list, ascending.
 * \param[in] rank  The rank.
 * \param[out] idx  Index of its place (one of them, if there are several); untouched if it is not there; NULL: not
 *     wanted.
 * \return Whether it is there; false for NULL.
 */
bool d_rank_list_bsearch(d_rank_list_t *rank_list, d_rank_t rank, int *idx);

/**
 * Deletes the first place of a rank in a list.
 *
 * \param[in,out] rank_list  The list.
 * \param[in] rank  The rank; one that is not there is no error.
 * \return 0; -DER_INVAL: rank_list is NULL; -DER_NOMEM: the list is as before.
 */
int d_rank_list_del(d_rank_list_t *rank_list, d_rank_t rank);

/**
 * Deletes a place of a list. The array keeps its size, so this cannot fail.
 *
 * \param[in,out] list  The list.
 * \param[in] idx  Index of the place; one outside of the list changes nothing.
 */
void d_rank_list_del_at(d_rank_list_t *list, int idx);

/**
 * Logs a list, as a debug message of DB_TRACE.
 *
 * \param[in] rank_list  The list.
 * \param[in] name  What to call it.
 * \param[in] name_len  Most bytes that name may have, without the NUL.
 * \return 0; -DER_INVAL: a NULL, or name is longer.
 */
int d_rank_list_dump(d_rank_list_t *rank_list, d_string_t name, int name_len);

/**
 * Frees a list and its array.
 *
 * \param[in] rank_list  Made by this library; NULL does nothing.
 */
void d_rank_list_free(d_rank_list_t *rank_list);

/**
 * Changes the number of ranks of a list. New places hold rank 0.
 *
 * \param[in,out] ptr  The list.
 * \param[in] size  How many; 0 frees the array.
 * \return 0; -DER_INVAL: ptr is NULL; -DER_NOMEM: the list is as before.
 */
int d_rank_list_resize(d_rank_list_t *ptr, uint32_t size);

/**
 * Writes a list as ranges, "[0-3,7]".
 *
 * \param[in,out] rank_list  The list; gets sorted. NULL gives NULL.
 * \param[out] rank_str  The text, the caller's to free with D_FREE().
 * \return 0; -DER_INVAL: rank_str is NULL; -DER_NOMEM.
 */
int d_rank_list_to_str(d_rank_list_t *rank_list, char **rank_str);

/**
 * Makes a list of ranges, all of them 0 to 0.
 *
 * \param[in] size  How many.
 * \return The list, the caller's to free with d_rank_range_list_free(); NULL: no memory.
 */
d_rank_range_list_t *d_rank_range_list_alloc(uint32_t size);

/**
 * Makes the ranges of the ranks in a list: neighbours become one range. A rank that is there twice gives two
 * ranges.
 *
 * \param[in,out] rank_list  The ranks; gets sorted. NULL counts as empty.
 * \return The list, the caller's to free with d_rank_range_list_free(); NULL: no memory.
 */
d_rank_range_list_t *d_rank_range_list_create_from_ranks(d_rank_list_t *rank_list);

/**
 * Frees a list of ranges.
 *
 * \param[in] range_list  Made by this library; NULL does nothing.
 */
void d_rank_range_list_free(d_rank_range_list_t *range_list);

/**
 * Changes the number of ranges of a list. New ones are 0 to 0.
 *
 * \param[in] range_list  The list; NULL makes one.
 * \param[in] size  How many; 0 frees the list.
 * \return The list, at the same address; NULL: freed, or no memory: then it is as before.
 */
d_rank_range_list_t *d_rank_range_list_realloc(d_rank_range_list_t *range_list, uint32_t size);

/**
 * Writes a list of ranges as "[0-3,7]".
 *
 * \param[in] list  The list.
 * \param[out] ranks_str  The text, the caller's to free with D_FREE().
 * \return 0; -DER_INVAL: a NULL; -DER_NOMEM.
 */
int d_rank_range_list_str(d_rank_range_list_t *list, char **ranks_str);

/**
 * realloc() of this library; D_REALLOC() also logs, zeroes what is new and injects faults.
 *
 * \param[in] ptr  Memory of this library's, given up on success; NULL makes new.
 * \param[in] size  Bytes.
 * \return The memory, the caller's to free with d_free(); NULL: no memory, and ptr is as before.
 */
void *d_realloc(void *ptr, size_t size) __attribute__((alloc_size(2)));

/**
 * realpath(): the path without links, "." and "..".
 *
 * \param[in] path  The path; must exist.
 * \param[out] resolved_path  Buffer of PATH_MAX bytes; NULL: allocate.
 * \return resolved_path, or a string that is the caller's to free with d_free(); NULL: it failed, and errno tells
 *     why (for a NULL path it is left as it was).
 */
char *d_realpath(const char *path, char *resolved_path) _dalloc_;

/**
 * Has functions called at every allocation and release of this library's functions in the process.
 *
 * \param[in] alloc_cb  Gets arg and the bytes allocated, which the C library may have rounded up.
 * \param[in] free_cb  Gets arg and the bytes released.
 * \param[in] arg  For both; NULL switches tracking off.
 */
void d_set_alloc_track_cb(d_alloc_track_cb_t alloc_cb, d_alloc_track_cb_t free_cb, void *arg);

/**
 * setenv() under this library's lock on the environment.
 *
 * \param[in] name  Name; not empty and without "=".
 * \param[in] value  Value; copied.
 * \param[in] overwrite  0: leave a variable that is set.
 * \return 0; -1: it failed, and errno tells why: EINVAL: a bad name or a NULL; ENOMEM.
 */
int d_setenv(const char *name, const char *value, int overwrite);

/**
 * Installs handlers, once, for SIGILL, SIGFPE, SIGBUS, SIGSEGV, SIGABRT and SIGTRAP, if d_signal_stack_enable() or
 * a DAOS_SIGNAL_REGISTER in the environment asks for them (that one decides; 0 means no). A handler prints the
 * signal and a backtrace to stderr and to the log file; then the signal goes to the handler that was there before,
 * or ends the process.
 */
void d_signal_register(void);

/**
 * Says whether d_signal_register() is to install handlers that print a backtrace. A new process's answer is no.
 *
 * \param[in] enabled  Whether it is.
 */
void d_signal_stack_enable(bool enabled);

/**
 * Starts the generator of d_rand() anew. The same seed gives the same numbers.
 *
 * \param[in] seed  The low 32 bits count.
 */
void d_srand(long seed);

/**
 * Standard deviation of a whole population.
 *
 * \param[in] array  The numbers.
 * \param[in] nr  How many.
 * \return The standard deviation; 0 if there are none.
 */
double d_stand_div(double *array, int nr);

/**
 * strndup() of this library; D_STRNDUP() also logs and injects faults.
 *
 * \param[in] s  String.
 * \param[in] n  Most bytes to copy; s needs no NUL if it has as many.
 * \return The copy, always with a NUL, the caller's to free with d_free(); NULL: no memory, or s is NULL.
 */
char *d_strndup(const char *s, size_t n) _dalloc_;

/**
 * First timestamp of a wall-clock time.
 *
 * \param[in] ts  Seconds and nanoseconds since 1970; not before 1 January 2021: such times give no useful
 *     timestamp.
 * \param[out] hlc  The timestamp.
 * \return 0; -DER_INVAL: hlc is NULL.
 */
int d_timespec2hlc(struct timespec ts, uint64_t *hlc);

/**
 * First timestamp of a wall-clock time.
 *
 * \param[in] unixnsec  Nanoseconds since 1970.
 * \return The timestamp; 0: before 1 January 2021, or too late to have one.
 */
uint64_t d_unixnsec2hlc(uint64_t unixnsec);

/**
 * unsetenv() under this library's lock on the environment.
 *
 * \param[in] name  Name; not empty and without "=". One that is not set is no error.
 * \return 0; -1: it failed, and errno is EINVAL: a bad name.
 */
int d_unsetenv(const char *name);

/**
 * Adds a pointer; the array grows twofold when it is full.
 *
 * \param[in,out] pointers  The vector.
 * \param[in] pointer  The pointer; what it points at stays the caller's.
 * \return 0; -DER_INVAL: pointers is NULL; -DER_NOMEM: the vector is as before.
 */
int d_vec_pointers_append(struct d_vec_pointers *pointers, void *pointer);

/**
 * Frees a vector's array and empties it.
 *
 * \param[in,out] pointers  The vector; NULL does nothing.
 */
void d_vec_pointers_fini(struct d_vec_pointers *pointers);

/**
 * Makes an empty vector of pointers.
 *
 * \param[out] pointers  The vector; memory of the caller's, to end with d_vec_pointers_fini().
 * \param[in] cap  How many pointers there is room for at once; may be 0.
 * \return 0; -DER_INVAL: pointers is NULL; -DER_NOMEM.
 */
int d_vec_pointers_init(struct d_vec_pointers *pointers, uint32_t cap);

/**
 * Appends to a buffer as printf() does.
 *
 * \param[in,out] buf  The buffer; starts out zeroed, and grows as needed. d_free_string() frees its text. Once an
 *     append failed, its status is that error and all further ones fail.
 * \param[in] fmt  Format, as printf() takes it, with its arguments behind.
 * \return 0; -DER_NO_PERM: buf is NULL, or an earlier append failed; -DER_INVAL: fmt is NULL; -DER_TRUNC: a format
 *     that cannot be converted; -DER_NOMEM.
 */
int d_write_string_buffer(struct d_string_buffer_t *buf, const char *fmt,
                          ...) __attribute__((format(printf, 2, 3)));

/**
 * Tells whether a rank is in a list.
 *
 * \param[in] rank_list  The list.
 * \param[in] rank  The rank.
 * \return Whether it is; false for NULL.
 */
bool d_rank_in_rank_list(d_rank_list_t *rank_list, d_rank_t rank);

/**
 * Makes a list of ranks 0, 1, 2 and so on.
 *
 * \param[in] size  How many.
 * \return The list, the caller's to free with d_rank_list_free(); NULL: no memory.
 */
d_rank_list_t *d_rank_list_alloc(uint32_t size);

/**
 * Appends a rank to a list, whether or not it is there already.
 *
 * \param[in,out] rank_list  The list.
 * \param[in] rank  The rank.
 * \return 0; -DER_INVAL: rank_list is NULL; -DER_NOMEM: the list is as before.
 */
int d_rank_list_append(d_rank_list_t *rank_list, d_rank_t rank);

/**
 * Makes a list the same as another.
 *
 * \param[in,out] dst  List to overwrite; its array is freed or used again.
 * \param[in] src  List to copy.
 * \return 0; -DER_INVAL: a NULL; -DER_NOMEM: dst is as before.
 */
int d_rank_list_copy(d_rank_list_t *dst, d_rank_list_t *src);

/**
 * Makes a copy of a list.
 *
 * \param[out] dst  The copy, the caller's to free with d_rank_list_free(); NULL for NULL, and on failure.
 * \param[in] src  The list.
 * \return 0; -DER_INVAL: dst is NULL; -DER_NOMEM.
 */
int d_rank_list_dup(d_rank_list_t **dst, const d_rank_list_t *src);

/**
 * Makes a copy of a list, ascending and without repetitions.
 *
 * \param[out] dst  The copy, the caller's to free with d_rank_list_free(); NULL for NULL, and on failure.
 * \param[in] src  The list; stays as it is.
 * \return 0; -DER_INVAL: dst is NULL; -DER_NOMEM.
 */
int d_rank_list_dup_sort_uniq(d_rank_list_t **dst, const d_rank_list_t *src);

/**
 * Takes ranks out of a list. The array keeps its size, so this cannot fail. If either list is NULL or has no array,
 * nothing happens.
 *
 * \param[in] src_set  Ranks to go by.
 * \param[in,out] dst_set  List to filter; the order stays.
 * \param[in] exclude  Takes out those that are in src_set; false: those that are not.
 */
void d_rank_list_filter(d_rank_list_t *src_set, d_rank_list_t *dst_set, bool exclude);

/**
 * Finds a rank in a list.
 *
 * \param[in] rank_list  The list.
 * \param[in] rank  The rank.
 * \param[out] idx  Index of its first place; untouched if it is not there; NULL: not wanted.
 * \return Whether it is there; false for NULL.
 */
bool d_rank_list_find(d_rank_list_t *rank_list, d_rank_t rank, int *idx);

/**
 * Compares two lists. The first gets sorted, the second does not: sort it before for a comparison that ignores
 * order.
 *
 * \param[in,out] rank_list1  First list.
 * \param[in] rank_list2  Second list.
 * \return Whether they have the same ranks in the same order then; two NULLs are identical.
 */
bool d_rank_list_identical(d_rank_list_t *rank_list1, d_rank_list_t *rank_list2);

/**
 * Appends to a list the ranks of another that it lacks.
 *
 * \param[in,out] src_set  List to append to.
 * \param[in] merge_set  Ranks to add; NULL counts as empty.
 * \return 0; -DER_INVAL: src_set is NULL; -DER_NOMEM: src_set is as before.
 */
int d_rank_list_merge(d_rank_list_t *src_set, d_rank_list_t *merge_set);

/**
 * Puts a list into random order, with numbers of d_rand().
 *
 * \param[in,out] rank_list  The list; NULL does nothing.
 */
void d_rank_list_shuffle(d_rank_list_t *rank_list);

/**
 * Sorts a list, ascending.
 *
 * \param[in,out] rank_list  The list; NULL does nothing.
 */
void d_rank_list_sort(d_rank_list_t *rank_list);

/**
 * Copies the ranks of a list to an array.
 *
 * \param[in] rl  The list.
 * \param[out] ints  The array, the caller's to free with D_FREE(), also if it has no elements.
 * \param[out] len  Number of its elements.
 * \return 0; -DER_INVAL: a NULL; -DER_NOMEM.
 */
int rank_list_to_uint32_array(d_rank_list_t *rl, uint32_t **ints, size_t *len);

/**
 * Makes a list of the ranks in an array.
 *
 * \param[in] ints  The ranks; NULL counts as none.
 * \param[in] len  How many.
 * \return The list, the caller's to free with d_rank_list_free(); NULL: no memory.
 */
d_rank_list_t *uint32_array_to_rank_list(uint32_t *ints, size_t len);

/** The -DER_ number for an errno value; values without a counterpart become -DER_MISC. */
static inline int
d_errno2der(int err)
{
	switch (err) {
	case 0:
		return 0;
	case EACCES:
	case EPERM:
		return -DER_NO_PERM;
	case ENOMEM:
		return -DER_NOMEM;
	case ENOSPC:
	case EDQUOT:
		return -DER_NOSPACE;
	case EEXIST:
		return -DER_EXIST;
	case ENOENT:
		return -DER_NONEXIST;
	case ECANCELED:
		return -DER_CANCELED;
	case EBUSY:
		return -DER_BUSY;
	}
	return -DER_MISC;
}

/* ---- hashes of integers to the given number of bits, 1 to 64 (32) ---- */

static inline uint64_t
d_u64_hash(uint64_t val, unsigned int bits)
{
	return (val * DGOLDEN_RATIO_PRIME_64) >> (64 - bits);
}

static inline uint32_t
d_u32_hash(uint64_t key, unsigned int bits)
{
	return (uint32_t)((DGOLDEN_RATIO_PRIME_32 * key) >> (32 - bits));
}

/** Number of bits of the smallest power of two that is not below val. */
static inline unsigned int
d_power2_nbits(unsigned int val)
{
	unsigned int bits = 1;

	while (val >> bits != 0)
		bits++;
	return val == LOWEST_BIT_SET(val) ? bits - 1 : bits;
}

/* ---- scatter-gather lists ---- */

/** Gives sgl nr empty vectors. \return 0, or -DER_NOMEM; release with d_sgl_fini(). */
static inline int
d_sgl_init(d_sg_list_t *sgl, unsigned int nr)
{
	sgl->sg_nr     = nr;
	sgl->sg_nr_out = 0;
	sgl->sg_iovs   = NULL;
	if (nr == 0)
		return 0;
	D_ALLOC_ARRAY(sgl->sg_iovs, nr);
	return sgl->sg_iovs != NULL ? 0 : -DER_NOMEM;
}

/** Frees the vectors of sgl and, if asked, the buffers they point at. */
static inline void
d_sgl_fini(d_sg_list_t *sgl, bool free_iovs)
{
	if (sgl == NULL || sgl->sg_iovs == NULL)
		return;
	if (free_iovs) {
		uint32_t i;

		for (i = 0; i < sgl->sg_nr; i++)
			D_FREE(sgl->sg_iovs[i].iov_buf);
	}
	D_FREE(sgl->sg_iovs);
	sgl->sg_nr     = 0;
	sgl->sg_nr_out = 0;
}

/** Room of all vectors together, in bytes. */
static inline size_t
d_sgl_buf_size(d_sg_list_t *sgl)
{
	size_t   bytes = 0;
	uint32_t i;

	for (i = 0; sgl->sg_iovs != NULL && i < sgl->sg_nr; i++)
		bytes += sgl->sg_iovs[i].iov_buf_len;
	return bytes;
}

/** Copies whole buffers, vector by vector, into a list that has at least as many and as long vectors. */
static inline void
d_sgl_buf_copy(d_sg_list_t *dst_sgl, d_sg_list_t *src_sgl)
{
	uint32_t i;

	D_ASSERT(src_sgl->sg_nr <= dst_sgl->sg_nr);
	for (i = 0; i < src_sgl->sg_nr; i++) {
		d_iov_t *from = &src_sgl->sg_iovs[i];
		d_iov_t *to   = &dst_sgl->sg_iovs[i];

		D_ASSERT(from->iov_buf_len <= to->iov_buf_len);
		memcpy(to->iov_buf, from->iov_buf, from->iov_buf_len);
		to->iov_buf_len = from->iov_buf_len;
		to->iov_len     = from->iov_len;
	}
}

/** Whether ptr looks like a local variable of the function that called. */
static inline bool
is_on_stack(void *ptr)
{
	int       here;
	uintptr_t distance = (uintptr_t)ptr - (uintptr_t)&here;

	return distance > 0 && distance < 100;
}

/** d_iov_set() that refuses a buffer on the stack. */
static inline void
d_iov_set_safe(d_iov_t *iov, void *buf, size_t size)
{
	D_ASSERTF(!is_on_stack(buf), "buffer %p is on the stack\n", buf);
	d_iov_set(iov, buf, size);
}

/* ---- time: struct timespec of the monotonic clock ---- */

static inline int
__d_clock_read(clockid_t clock, struct timespec *t)
{
	int err;

	if (clock_gettime(clock, t) == 0)
		return 0;
	err = errno;
	D_ERROR("clock_gettime: %s (%d)\n", strerror(err), err);
	return d_errno2der(err);
}

/** Now. \return 0 or a -DER_ number. */
static inline int
d_gettime(struct timespec *t)
{
	return __d_clock_read(CLOCK_MONOTONIC, t);
}

/** Now, to the kernel's tick: cheaper than d_gettime(). \return 0 or a -DER_ number. */
static inline int
d_gettime_coarse(struct timespec *t)
{
	return __d_clock_read(CLOCK_MONOTONIC_COARSE, t);
}

/** t2 - t1 in nanoseconds. */
static inline int64_t
d_timediff_ns(const struct timespec *t1, const struct timespec *t2)
{
	return ((int64_t)t2->tv_sec - t1->tv_sec) * NSEC_PER_SEC + (t2->tv_nsec - t1->tv_nsec);
}

/** t2 - t1, with the nanoseconds in 0..10^9-1. */
static inline struct timespec
d_timediff(const struct timespec *t1, const struct timespec *t2)
{
	struct timespec diff;

	diff.tv_sec  = t2->tv_sec - t1->tv_sec;
	diff.tv_nsec = t2->tv_nsec - t1->tv_nsec;
	if (diff.tv_nsec < 0) {
		diff.tv_nsec += NSEC_PER_SEC;
		diff.tv_sec--;
	}
	return diff;
}

/** Whether t is 0. */
static inline bool
d_timenull(const struct timespec *t)
{
	return t->tv_sec == 0 && t->tv_nsec == 0;
}

/** Whether t1 is before t2. */
static inline bool
d_timeless(const struct timespec *t1, const struct timespec *t2)
{
	return t1->tv_sec != t2->tv_sec ? t1->tv_sec < t2->tv_sec : t1->tv_nsec < t2->tv_nsec;
}

/** Nanoseconds from now to expiration; 0 when that has passed. */
static inline int64_t
d_timeleft_ns(const struct timespec *expiration)
{
	struct timespec now;
	int64_t         left;

	d_gettime(&now);
	left = d_timediff_ns(&now, expiration);
	return left > 0 ? left : 0;
}

/** Time since start. */
static inline struct timespec
d_time_elapsed(const struct timespec start)
{
	struct timespec now;

	d_gettime(&now);
	return d_timediff(&start, &now);
}

/** The clock sec_diff seconds from now, in microseconds. */
static inline uint64_t
d_timeus_secdiff(unsigned int sec_diff)
{
	struct timespec now;

	d_gettime(&now);
	return ((uint64_t)now.tv_sec + sec_diff) * 1000000 + now.tv_nsec / 1000;
}

/** Adds nanoseconds to *now. */
static inline void
d_timeinc(struct timespec *now, uint64_t ns)
{
	uint64_t nsec = now->tv_nsec + ns;

	now->tv_sec += nsec / NSEC_PER_SEC;
	now->tv_nsec = nsec % NSEC_PER_SEC;
}

/** Adds milliseconds to *now. */
static inline void
d_timeinc_ms(struct timespec *now, unsigned int ms)
{
	d_timeinc(now, (uint64_t)ms * NSEC_PER_MSEC);
}

/** Milliseconds as a timespec. */
static inline struct timespec
d_time_ms(unsigned int ms)
{
	struct timespec t;

	t.tv_sec  = ms / 1000;
	t.tv_nsec = (long)(ms % 1000) * NSEC_PER_MSEC;
	return t;
}

/** A timespec as milliseconds; the two that follow: microseconds, seconds. */
static inline double
d_time2ms(struct timespec t)
{
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static inline double
d_time2us(struct timespec t)
{
	return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static inline double
d_time2s(struct timespec t)
{
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* ---- hybrid logical clock in other units ---- */

static inline uint64_t
d_hlc2usec(uint64_t hlc)
{
	return d_hlc2nsec(hlc) / NSEC_PER_USEC;
}

static inline uint64_t
d_hlc2msec(uint64_t hlc)
{
	return d_hlc2nsec(hlc) / NSEC_PER_MSEC;
}

static inline uint64_t
d_hlc2sec(uint64_t hlc)
{
	return d_hlc2nsec(hlc) / NSEC_PER_SEC;
}

static inline uint64_t
d_usec2hlc(uint64_t usec)
{
	return d_nsec2hlc(usec * NSEC_PER_USEC);
}

static inline uint64_t
d_msec2hlc(uint64_t msec)
{
	return d_nsec2hlc(msec * NSEC_PER_MSEC);
}

static inline uint64_t
d_sec2hlc(uint64_t sec)
{
	return d_nsec2hlc(sec * NSEC_PER_SEC);
}

#if defined(__cplusplus)
}
#endif

#endif /* DAOS_INC_GURT_COMMON_H */
