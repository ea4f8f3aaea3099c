/*
 * SPDX-License-Identifier: BSD-2-Clause-Patent
 *
 * Logging and assertion macros.
 */
#ifndef DAOS_INC_GURT_DEBUG_H
#define DAOS_INC_GURT_DEBUG_H

#include <stdio.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <assert.h>
#include <gurt/debug_setup.h>
#include <daos_errno.h>

#ifndef likely
#define likely(x) __builtin_expect((uintptr_t)(x), 1)
#endif
#ifndef unlikely
#define unlikely(x) __builtin_expect((uintptr_t)(x), 0)
#endif

/* Log facilities of libgurt: ACTION(short name, long name, arg). */
#define D_FOREACH_GURT_FAC(ACTION, arg) \
	ACTION(misc, misc, arg) \
	ACTION(mem, mem, arg) \
	ACTION(swim, swim, arg) \
	ACTION(fi, fi, arg) \
	ACTION(telem, telem, arg)

#ifndef DF_U64
#define DF_U64 "%" PRIu64
#endif
#ifndef DF_X64
#define DF_X64 "%" PRIx64
#endif
#ifndef DF_HG_RC
#define DF_HG_RC "%d (%s)"
#define DP_HG_RC(rc) rc, HG_Error_to_string(rc)
#endif

/** Prints to stderr, with the place in front. */
#define D_PRINT_ERR(fmt, ...) \
	do { \
		fprintf(stderr, "%s:%d:%s() " fmt, __FILE__, __LINE__, __func__, ##__VA_ARGS__); \
		fflush(stderr); \
	} while (0)

/** Prints to stdout. */
#define D_PRINT(fmt, ...) \
	do { \
		fprintf(stdout, fmt, ##__VA_ARGS__); \
		fflush(stdout); \
	} while (0)

/* Writers: what is called once a message is known to be wanted. */
#define _D_LOG_NOCHECK(mask, fmt, ...) d_log(mask, "%s:%d %s() " fmt, __FILE__, __LINE__, __func__, ##__VA_ARGS__)
#define _D_TRACE_NOCHECK(mask, ptr, fmt, ...) \
	d_log(mask, "%s:%d %s(%p) " fmt, __FILE__, __LINE__, __func__, ptr, ##__VA_ARGS__)

#define _D_LOG_CHECK(func, saved_mask, mask, ...) \
	do { \
		(saved_mask) = d_log_check(mask); \
		if (saved_mask) { \
			func(saved_mask, ##__VA_ARGS__); \
		} \
	} while (0)

#define _D_LOG(func, mask, ...) \
	do { \
		int __log_mask; \
		_D_LOG_CHECK(func, __log_mask, mask, ##__VA_ARGS__); \
	} while (0)

/* saved_mask caches the verdict, so that a message that is switched off costs one load and one branch. */
#define _D_DEBUG_W_SAVED_MASK(func, saved_mask, level, ...) \
	do { \
		if (likely((saved_mask) == 0)) \
			break; \
		if ((saved_mask) == (int)DLOG_UNINIT) { \
			_D_LOG_CHECK(func, saved_mask, (level) | D_LOGFAC, ##__VA_ARGS__); \
		} else { \
			func(saved_mask, ##__VA_ARGS__); \
		} \
	} while (0)

#define _D_DEBUG(func, flag, ...) _D_DEBUG_W_SAVED_MASK(func, DD_FLAG(flag, D_LOGFAC), flag, ##__VA_ARGS__)

/** Whether messages of this priority or debug bit are logged in the current facility. */
#define D_LOG_ENABLED(flag) \
	({ \
		_D_DEBUG(D_NOOP, flag); \
		unlikely(DD_FLAG(flag, D_LOGFAC) != 0); \
	})

/** Logs a message under a priority or debug bit; the _TRACE_ forms add a pointer that identifies the object. */
#define D_DEBUG(flag, fmt, ...) _D_DEBUG(_D_LOG_NOCHECK, flag, fmt, ##__VA_ARGS__)
#define D_TRACE_DEBUG(flag, ptr, fmt, ...) _D_DEBUG(_D_TRACE_NOCHECK, flag, ptr, fmt, ##__VA_ARGS__)

/** Logs under one of two flags. */
#define D_CDEBUG(cond, flag_true, flag_false, ...) \
	do { \
		if (cond) \
			D_DEBUG(flag_true, __VA_ARGS__); \
		else \
			D_DEBUG(flag_false, __VA_ARGS__); \
	} while (0)

#define D_INFO(fmt, ...) D_DEBUG(DLOG_INFO, fmt, ##__VA_ARGS__)
#define D_NOTE(fmt, ...) D_DEBUG(DLOG_NOTE, fmt, ##__VA_ARGS__)
#define D_WARN(fmt, ...) D_DEBUG(DLOG_WARN, fmt, ##__VA_ARGS__)
#define D_ERROR(fmt, ...) D_DEBUG(DLOG_ERR, fmt, ##__VA_ARGS__)
#define D_CRIT(fmt, ...) D_DEBUG(DLOG_CRIT, fmt, ##__VA_ARGS__)
#define D_ALERT(fmt, ...) D_DEBUG(DLOG_ALERT, fmt, ##__VA_ARGS__)
#define D_FATAL(fmt, ...) D_DEBUG(DLOG_EMERG, fmt, ##__VA_ARGS__)
#define D_EMIT(fmt, ...) D_DEBUG(DLOG_EMIT, fmt, ##__VA_ARGS__)

#define D_TRACE_INFO(ptr, fmt, ...) D_TRACE_DEBUG(DLOG_INFO, ptr, fmt, ##__VA_ARGS__)
#define D_TRACE_NOTE(ptr, fmt, ...) D_TRACE_DEBUG(DLOG_NOTE, ptr, fmt, ##__VA_ARGS__)
#define D_TRACE_WARN(ptr, fmt, ...) D_TRACE_DEBUG(DLOG_WARN, ptr, fmt, ##__VA_ARGS__)
#define D_TRACE_ERROR(ptr, fmt, ...) D_TRACE_DEBUG(DLOG_ERR, ptr, fmt, ##__VA_ARGS__)
#define D_TRACE_CRIT(ptr, fmt, ...) D_TRACE_DEBUG(DLOG_CRIT, ptr, fmt, ##__VA_ARGS__)
#define D_TRACE_ALERT(ptr, fmt, ...) D_TRACE_DEBUG(DLOG_ALERT, ptr, fmt, ##__VA_ARGS__)
#define D_TRACE_FATAL(ptr, fmt, ...) D_TRACE_DEBUG(DLOG_EMERG, ptr, fmt, ##__VA_ARGS__)
#define D_TRACE_EMIT(ptr, fmt, ...) D_TRACE_DEBUG(DLOG_EMIT, ptr, fmt, ##__VA_ARGS__)

/** Lineage of objects in the log. */
#define D_TRACE_UP(flag, ptr, parent, type) D_TRACE_DEBUG(flag, ptr, "'%s' registered under %p\n", type, parent)
#define D_TRACE_DOWN(flag, ptr) D_TRACE_DEBUG(flag, ptr, "deregistered\n")
#define D_TRACE_ROOT(flag, ptr, type) D_TRACE_DEBUG(flag, ptr, "'%s' registered as a root\n", type)

/* Messages that end in an error: DL_ and DHL_ take a -DER_ number, DS_ and DHS_ an errno value; DHL_ and DHS_ take a
 * pointer that identifies the object. */
#define DL_INFO(_rc, _fmt, ...) D_DEBUG(DLOG_INFO, _fmt ": " DF_RC "\n", ##__VA_ARGS__, DP_RC(_rc))
#define DL_WARN(_rc, _fmt, ...) D_DEBUG(DLOG_WARN, _fmt ": " DF_RC "\n", ##__VA_ARGS__, DP_RC(_rc))
#define DL_ERROR(_rc, _fmt, ...) D_DEBUG(DLOG_ERR, _fmt ": " DF_RC "\n", ##__VA_ARGS__, DP_RC(_rc))
#define DL_CDEBUG(cond, flag_true, flag_false, _rc, _fmt, ...) \
	D_CDEBUG(cond, flag_true, flag_false, _fmt ": " DF_RC "\n", ##__VA_ARGS__, DP_RC(_rc))
#define DS_INFO(_rc, _fmt, ...) D_DEBUG(DLOG_INFO, _fmt ": %d (%s)\n", ##__VA_ARGS__, _rc, strerror(_rc))
#define DS_WARN(_rc, _fmt, ...) D_DEBUG(DLOG_WARN, _fmt ": %d (%s)\n", ##__VA_ARGS__, _rc, strerror(_rc))
#define DS_ERROR(_rc, _fmt, ...) D_DEBUG(DLOG_ERR, _fmt ": %d (%s)\n", ##__VA_ARGS__, _rc, strerror(_rc))
#define DHL_INFO(_desc, _rc, _fmt, ...) D_TRACE_DEBUG(DLOG_INFO, _desc, _fmt ": " DF_RC "\n", ##__VA_ARGS__, DP_RC(_rc))
#define DHL_WARN(_desc, _rc, _fmt, ...) D_TRACE_DEBUG(DLOG_WARN, _desc, _fmt ": " DF_RC "\n", ##__VA_ARGS__, DP_RC(_rc))
#define DHL_ERROR(_desc, _rc, _fmt, ...) D_TRACE_DEBUG(DLOG_ERR, _desc, _fmt ": " DF_RC "\n", ##__VA_ARGS__, DP_RC(_rc))
#define DHS_INFO(_desc, _rc, _fmt, ...) \
	D_TRACE_DEBUG(DLOG_INFO, _desc, _fmt ": %d (%s)\n", ##__VA_ARGS__, _rc, strerror(_rc))
#define DHS_WARN(_desc, _rc, _fmt, ...) \
	D_TRACE_DEBUG(DLOG_WARN, _desc, _fmt ": %d (%s)\n", ##__VA_ARGS__, _rc, strerror(_rc))
#define DHS_ERROR(_desc, _rc, _fmt, ...) \
	D_TRACE_DEBUG(DLOG_ERR, _desc, _fmt ": %d (%s)\n", ##__VA_ARGS__, _rc, strerror(_rc))

#define __D_ASSERT_FAILED(text) \
	do { \
		d_log_sync(); \
		if (d_alt_assert != NULL) \
			d_alt_assert(0, text, __FILE__, __LINE__); \
		assert(0); \
	} while (0)

/** Aborts with a log message unless e holds; a handler set by d_register_alt_assert() goes first. */
#define D_ASSERT(e) \
	do { \
		if (unlikely(!(e))) { \
			D_FATAL("Assertion '%s' failed\n", #e); \
			__D_ASSERT_FAILED(#e); \
		} \
	} while (0)

#define D_ASSERTF(cond, fmt, ...) \
	do { \
		if (unlikely(!(cond))) { \
			D_FATAL("Assertion '%s' failed: " fmt, #cond, ##__VA_ARGS__); \
			__D_ASSERT_FAILED(#cond); \
		} \
	} while (0)

/** D_ASSERTF() that also dumps memory to the log. */
#define D_ASSERTF_MEM(cond, ptr, size, fmt, ...) \
	do { \
		if (unlikely(!(cond))) { \
			D_FATAL("Assertion '%s' failed: " fmt, #cond, ##__VA_ARGS__); \
			d_log_memory((const uint8_t *)(ptr), size); \
			__D_ASSERT_FAILED(#cond); \
		} \
	} while (0)

/** Compile-time assertion. */
#if defined(__cplusplus)
#define D_CASSERT(cond, ...) static_assert(cond, #cond ": " __VA_ARGS__)
#else
#define D_CASSERT(cond, ...) _Static_assert(cond, #cond ": " __VA_ARGS__)
#endif

#if defined(__cplusplus)
extern "C" {
#endif

/** Called with (0, condition, file, line) when an assertion fails; NULL if none is registered. */
extern void (*d_alt_assert)(const int, const char *, const char *, const int);

#ifdef D_USE_GURT_FAC
D_FOREACH_GURT_FAC(D_LOG_DECLARE_FAC, D_NOOP)
#endif

D_FOREACH_GURT_DB(D_LOG_DECLARE_DB, D_NOOP)

/** Name of all debug bits together. */
#define DB_ALL_BITS	"all"
/* Variables of the environment; gurt/dlog.h tells what they do. */
#define D_LOG_FILE_ENV	"D_LOG_FILE"
#define D_LOG_SIZE_ENV	"D_LOG_SIZE"
#define D_LOG_MASK_ENV	"D_LOG_MASK"
#define D_LOG_FILE_APPEND_PID_ENV	"D_LOG_FILE_APPEND_PID"
#define D_LOG_FILE_APPEND_RANK_ENV	"D_LOG_FILE_APPEND_RANK"
#define D_LOG_TRUNCATE_ENV	"D_LOG_TRUNCATE"
#define D_LOG_FLUSH_ENV	"D_LOG_FLUSH"
#define D_LOG_STDERR_IN_LOG_ENV	"D_LOG_STDERR_IN_LOG"

extern void (*d_alt_assert)(const int, const char *, const char *, const int);

/**
 * Tells a debug bit.
 *
 * \param[out] dbgbit  The bit, as a mask.
 * \param[in] bitname  Its short name, in any case.
 * \return 0, also for a NULL, which does nothing; -1: there is no such bit.
 */
int d_log_getdbgbit(d_dbug_t *dbgbit, char *bitname);

/**
 * Logs memory, as messages of the highest urgency: address and size, then 16 bytes a line.
 *
 * \param[in] ptr  The memory; NULL: only that.
 * \param[in] size  How many bytes.
 */
void d_log_memory(const uint8_t *ptr, size_t size);

/**
 * Has a function called when a D_ASSERT() fails, before the process aborts.
 *
 * \param[in] alt_assert  Gets 0, the condition, file and line. It may end the process in its own way.
 * \return 0; -DER_INVAL: alt_assert is NULL.
 */
int d_register_alt_assert(void (*alt_assert)(const int, const char *, const char *, const int));

/** Allocates a log facility. \return its number, or a negative number when there is no room. */
static inline int
d_add_log_facility(const char *aname, const char *lname)
{
	return d_log_allocfacility(aname, lname);
}

/** Allocates a log facility into *fac. \return 0, or -DER_UNINIT when there is no room. */
static inline int
d_init_log_facility(int *fac, const char *aname, const char *lname)
{
	assert(fac != NULL);
	*fac = d_add_log_facility(aname, lname);
	if (*fac >= 0)
		return DER_SUCCESS;
	D_PRINT_ERR("log facility %s: no room (%d)\n", aname, *fac);
	return -DER_UNINIT;
}

#if defined(__cplusplus)
}
#endif

#endif /* DAOS_INC_GURT_DEBUG_H */
