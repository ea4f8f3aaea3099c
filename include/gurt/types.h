/*
 * SPDX-License-Identifier: BSD-2-Clause-Patent
 *
 * Base types: I/O vectors, scatter-gather lists, rank lists, strings.
 */
#ifndef DAOS_INC_GURT_TYPES_H
#define DAOS_INC_GURT_TYPES_H

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

#if !defined(__cplusplus)
/** Whether var is a uuid_t, or a pointer to the bytes of one. */
#define d_is_uuid(var) \
	(__builtin_types_compatible_p(__typeof__(var), uuid_t) || \
	 __builtin_types_compatible_p(__typeof__(var), const uuid_t) || \
	 __builtin_types_compatible_p(__typeof__(var), unsigned char *) || \
	 __builtin_types_compatible_p(__typeof__(var), const unsigned char *))

/** Whether var is a character array or a pointer to characters. */
#define d_is_string(var) \
	(__builtin_types_compatible_p(__typeof__(var), char *) || \
	 __builtin_types_compatible_p(__typeof__(var), const char *) || \
	 __builtin_types_compatible_p(__typeof__(var), char[]) || \
	 __builtin_types_compatible_p(__typeof__(var), const char[]))
#endif

/** Whether the compiler knows a warning; gcc, which can't tell, is asked by its major version. */
#if defined(__has_warning)
#define D_HAS_WARNING(gcc_version, warning) __has_warning(warning)
#else
#define D_HAS_WARNING(gcc_version, warning) ((gcc_version) <= __GNUC__)
#endif

/* Typed names of cmocka 2 for programs whose cmocka is older. */
#ifndef assert_int_in_range
#define assert_int_in_range assert_in_range
#endif
#ifndef assert_uint_in_range
#define assert_uint_in_range assert_in_range
#endif
#ifndef will_return_int
#define will_return_int will_return
#endif
#ifndef will_return_ptr
#define will_return_ptr will_return
#endif
#ifndef expect_uint_value
#define expect_uint_value expect_value
#endif
#ifndef expect_int_value
#define expect_int_value expect_value
#endif
#ifndef check_expected_int
#define check_expected_int check_expected
#endif
#ifndef check_expected_uint
#define check_expected_uint check_expected
#endif
#ifndef check_expected_ptr
#define check_expected_ptr check_expected
#endif

#if defined(__cplusplus)
extern "C" {
#endif

typedef uint32_t d_rank_t;

typedef struct {
	d_rank_t *rl_ranks;
	uint32_t rl_nr;
} d_rank_list_t;

typedef d_rank_list_t *d_rank_list_ptr_t;

typedef char *d_string_t;

typedef const char *d_const_string_t;

struct d_uuid {
	uuid_t uuid;
};

typedef struct {
	void *iov_buf;
	size_t iov_buf_len;
	size_t iov_len;
} d_iov_t;

typedef struct {
	d_rank_t lo;
	d_rank_t hi;
} d_rank_range_t;

typedef struct {
	d_rank_range_t *rrl_ranges;
	uint32_t rrl_nr;
} d_rank_range_list_t;

typedef struct {
	uint32_t sg_nr;
	uint32_t sg_nr_out;
	d_iov_t *sg_iovs;
} d_sg_list_t;

struct d_string_buffer_t {
	int status;
	size_t str_size;
	size_t buf_size;
	char *str;
};

/** Makes iov describe a full buffer: size bytes of data in size bytes of room. */
static inline void
d_iov_set(d_iov_t *iov, void *buf, size_t size)
{
	iov->iov_buf     = buf;
	iov->iov_buf_len = size;
	iov->iov_len     = size;
}

#if defined(__cplusplus)
}
#endif

#endif /* DAOS_INC_GURT_TYPES_H */
