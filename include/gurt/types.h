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

/** Number of an engine in its system. */
typedef uint32_t d_rank_t;

/** A list of ranks. */
typedef struct {
	d_rank_t *rl_ranks;	/**< NULL if there are none */
	uint32_t rl_nr;		/**< how many */
} d_rank_list_t;

typedef d_rank_list_t *d_rank_list_ptr_t;

typedef char *d_string_t;

typedef const char *d_const_string_t;

/** A UUID as a value. */
struct d_uuid {
	uuid_t uuid;
};

/** A buffer. */
typedef struct {
	void *iov_buf;		/**< the bytes */
	size_t iov_buf_len;	/**< room, in bytes */
	size_t iov_len;		/**< data in it, in bytes */
} d_iov_t;

/** A range of ranks, both ends included. */
typedef struct {
	d_rank_t lo;
	d_rank_t hi;
} d_rank_range_t;

/** A list of ranges of ranks. */
typedef struct {
	d_rank_range_t *rrl_ranges;	/**< NULL if there are none */
	uint32_t rrl_nr;		/**< how many */
} d_rank_range_list_t;

/** Buffers that are filled or read one after the other. */
typedef struct {
	uint32_t sg_nr;		/**< how many */
	uint32_t sg_nr_out;	/**< how many a fetch has put data into */
	d_iov_t *sg_iovs;	/**< the buffers */
} d_sg_list_t;

/** A text that grows: start with zeros, write with d_write_string_buffer(), end with d_free_string(). */
struct d_string_buffer_t {
	int status;		/**< 0, or the error that stopped it */
	size_t str_size;	/**< bytes of text, without the NUL */
	size_t buf_size;	/**< room in bytes, with the NUL */
	char *str;		/**< the text; NULL before the first write */
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
