/*
 * SPDX-License-Identifier: BSD-2-Clause-Patent
 *
 * Allocation, locking, time, hashing, rank lists, environment and hybrid-logical-clock helpers of libgurt.
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

#define D_BIT_IS_SET(val, bit) (((val) & (bit)) ? 1 : 0)
#define LOWEST_BIT_SET(x) ((x) & ~((x) - 1))
/** x rounded up to a multiple of a, a power of two. */
#define D_ALIGNUP(x, a) (((x) + ((a) - 1)) & ~((a) - 1))

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

/* ---- locks: thin wrappers that yield 0 or a -DER_ number; a misuse is an assertion failure ---- */

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
#define D_RAND_MAX	0x7fffffff
#define DGOLDEN_RATIO_PRIME_64	0xcbf29ce484222325ULL
#define DGOLDEN_RATIO_PRIME_32	0x9e370001UL

typedef void (*d_alloc_track_cb_t)(void *, size_t);

struct d_backoff_seq {
	uint8_t bos_flags;
	uint8_t bos_nzeros;
	uint16_t bos_factor;
	uint32_t bos_max;
	uint32_t bos_next;
};

struct d_vec_pointers {
	void **p_buf;
	uint32_t p_cap;
	uint32_t p_len;
};

int d_agetenv_str(char **str_val, const char *name);

void *d_aligned_alloc(size_t alignment, size_t size,
                      bool zero) _dalloc_ __attribute__((alloc_size(2)));

int d_asprintf(char **strp, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

char *d_asprintf2(int *rc, const char *fmt, ...) _dalloc_ __attribute__((format(printf, 2, 3)));

void d_backoff_seq_fini(struct d_backoff_seq *seq);

int d_backoff_seq_init(struct d_backoff_seq *seq, uint8_t nzeros, uint16_t factor, uint32_t next,
                       uint32_t max);

uint32_t d_backoff_seq_next(struct d_backoff_seq *seq);

void *d_calloc(size_t nmemb, size_t size) _dalloc_ __attribute__((alloc_size(1, 2)));

int d_clearenv(void);

void d_free(void *ptr);

void d_free_string(struct d_string_buffer_t *buf);

void d_freeenv_str(char **str_val);

int d_getenv_bool(const char *name, bool *bool_val);

int d_getenv_char(const char *name, char *char_val);

int d_getenv_int(const char *name,
                 unsigned int *uint_val) __attribute__((deprecated("use d_getenv_uint")));

int d_getenv_str(char *str_val, size_t str_size, const char *name);

int d_getenv_uint(const char *name, unsigned int *uint_val);

int d_getenv_uint32_t(const char *name, uint32_t *uint32_val);

int d_getenv_uint64_t(const char *name, uint64_t *uint64_val);

uint32_t d_hash_jump(uint64_t key, uint32_t num_buckets);

uint64_t d_hash_mix64(uint64_t key);

uint32_t d_hash_mix96(uint32_t a, uint32_t b, uint32_t c);

uint64_t d_hash_murmur64(const unsigned char *key, unsigned int key_len, unsigned int seed);

unsigned int d_hash_srch_u64(uint64_t *hashes, unsigned int nhashes, uint64_t value);

uint32_t d_hash_string_u32(const char *string, unsigned int len);

uint64_t d_hlc2nsec(uint64_t hlc);

struct timespec;
int d_hlc2timespec(uint64_t hlc, struct timespec *ts);

uint64_t d_hlc2unixnsec(uint64_t hlc);

uint64_t d_hlc_age2sec(uint64_t hlc);

uint64_t d_hlc_epsilon_get(void);

uint64_t d_hlc_epsilon_get_bound(uint64_t hlc);

void d_hlc_epsilon_set(uint64_t epsilon);

uint64_t d_hlc_get(void);

int d_hlc_get_msg(uint64_t msg, uint64_t *hlc_out, uint64_t *offset);

uint64_t d_hlct_get(void);

void d_hlct_sync(uint64_t msg);

int d_idx_in_rank_list(d_rank_list_t *rank_list, d_rank_t rank, uint32_t *idx);

bool d_isenv_def(char *name);

void *d_malloc(size_t size) _dalloc_ __attribute__((alloc_size(1)));

uint64_t d_nsec2hlc(uint64_t nsec);

int d_putenv(char *name);

long d_rand(void);

double d_randd(void);

bool d_rank_list_bsearch(d_rank_list_t *rank_list, d_rank_t rank, int *idx);

int d_rank_list_del(d_rank_list_t *rank_list, d_rank_t rank);

void d_rank_list_del_at(d_rank_list_t *list, int idx);

int d_rank_list_dump(d_rank_list_t *rank_list, d_string_t name, int name_len);

void d_rank_list_free(d_rank_list_t *rank_list);

int d_rank_list_resize(d_rank_list_t *ptr, uint32_t size);

int d_rank_list_to_str(d_rank_list_t *rank_list, char **rank_str);

d_rank_range_list_t *d_rank_range_list_alloc(uint32_t size);

d_rank_range_list_t *d_rank_range_list_create_from_ranks(d_rank_list_t *rank_list);

void d_rank_range_list_free(d_rank_range_list_t *range_list);

d_rank_range_list_t *d_rank_range_list_realloc(d_rank_range_list_t *range_list, uint32_t size);

int d_rank_range_list_str(d_rank_range_list_t *list, char **ranks_str);

void *d_realloc(void *, size_t) __attribute__((alloc_size(2)));

char *d_realpath(const char *path, char *resolved_path) _dalloc_;

void d_set_alloc_track_cb(d_alloc_track_cb_t alloc_cb, d_alloc_track_cb_t free_cb, void *arg);

int d_setenv(const char *name, const char *value, int overwrite);

void d_signal_register(void);

void d_signal_stack_enable(bool enabled);

void d_srand(long);

double d_stand_div(double *array, int nr);

char *d_strndup(const char *s, size_t n) _dalloc_;

int d_timespec2hlc(struct timespec ts, uint64_t *hlc);

uint64_t d_unixnsec2hlc(uint64_t unixnsec);

int d_unsetenv(const char *name);

int d_vec_pointers_append(struct d_vec_pointers *pointers, void *pointer);

void d_vec_pointers_fini(struct d_vec_pointers *pointers);

int d_vec_pointers_init(struct d_vec_pointers *pointers, uint32_t cap);

int d_write_string_buffer(struct d_string_buffer_t *buf, const char *fmt,
                          ...) __attribute__((format(printf, 2, 3)));

bool d_rank_in_rank_list(d_rank_list_t *rank_list, d_rank_t rank);

d_rank_list_t *d_rank_list_alloc(uint32_t size);

int d_rank_list_append(d_rank_list_t *rank_list, d_rank_t rank);

int d_rank_list_copy(d_rank_list_t *dst, d_rank_list_t *src);

int d_rank_list_dup(d_rank_list_t **dst, const d_rank_list_t *src);

int d_rank_list_dup_sort_uniq(d_rank_list_t **dst, const d_rank_list_t *src);

void d_rank_list_filter(d_rank_list_t *src_set, d_rank_list_t *dst_set, bool exclude);

bool d_rank_list_find(d_rank_list_t *rank_list, d_rank_t rank, int *idx);

bool d_rank_list_identical(d_rank_list_t *rank_list1, d_rank_list_t *rank_list2);

int d_rank_list_merge(d_rank_list_t *src_set, d_rank_list_t *merge_set);

void d_rank_list_shuffle(d_rank_list_t *rank_list);

void d_rank_list_sort(d_rank_list_t *rank_list);

int rank_list_to_uint32_array(d_rank_list_t *rl, uint32_t **ints, size_t *len);

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

/* ---- hashes of integers to the given number of bits ---- */

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
