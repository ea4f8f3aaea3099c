/*
 * SPDX-License-Identifier: BSD-2-Clause-Patent
 *
 * Macros that declare, define and register log facilities and debug bits.
 */
#ifndef DAOS_INC_GURT_DEBUG_SETUP_H
#define DAOS_INC_GURT_DEBUG_SETUP_H

#include <gurt/dlog.h>

/*
 * A library names its facilities with DD_FAC(name); libgurt's own are the default. Each facility f has an int f (its
 * number) and a cache f_cache[] with, per priority and debug bit, the verdict of d_log_check() or DLOG_UNINIT.
 */
#define DD_GURT_FAC(name) d_##name##_logfac

#ifndef DD_FAC
#define DD_FAC DD_GURT_FAC
#define D_USE_GURT_FAC
#endif

#define DD_FAC_DECL(name) DD_FAC(name)

#ifndef D_LOGFAC
#define D_LOGFAC DD_GURT_FAC(misc)
#endif

/* Debug bits of libgurt: ACTION(variable, short name, long name, mask, arg). */
#define D_FOREACH_GURT_DB(ACTION, arg) \
	ACTION(DB_ALL, all, all, 0, arg) \
	ACTION(DB_ANY, any, any, 0, arg) \
	ACTION(DB_TRACE, trace, trace, 0, arg) \
	ACTION(DB_MEM, mem, mem, 0, arg) \
	ACTION(DB_NET, net, net, 0, arg) \
	ACTION(DB_IO, io, io, 0, arg) \
	ACTION(DB_TEST, test, test, 0, arg)

#define DD_CONCAT_CACHE(x, y) x##_cache
#define DD_CONCAT_FLAG(x, y) DD_FLAG_##x##_##y
#define DD_CONCAT(x, y, op) op(x, y)

/** Name of the cache array of a facility. */
#define DD_CACHE(fac) DD_CONCAT(fac, D_NOOP, DD_CONCAT_CACHE)
/** Name of the enumerator (counted from 1) of a priority or debug bit in a facility's cache. */
#define DD_FLAG_NAME(mask, fac) DD_CONCAT(mask, fac, DD_CONCAT_FLAG)
/** The cache element of a priority or debug bit. */
#define DD_FLAG(mask, fac) DD_CACHE(fac)[DD_FLAG_NAME(mask, fac) - 1]

#define D_LOG_DECLARE_DB(flag, s_name, l_name, mask, arg) extern d_dbug_t flag;
#define D_LOG_INSTANTIATE_DB(flag, s_name, l_name, mask, arg) d_dbug_t flag;

#define _D_LOG_ALLOCATE_DBG_BIT(dbgbit, s_name, l_name, mask, rc) \
	if (d_log_dbg_bit_alloc(&dbgbit, (char *)#s_name, (char *)#l_name) < 0) { \
		D_PRINT_ERR("no room for debug bit " #s_name "\n"); \
		rc = -DER_UNINIT; \
		break; \
	}

#define _D_LOG_DEALLOCATE_DBG_BIT(dbgbit, s_name, l_name, mask, rc) \
	if (d_log_dbg_bit_dealloc((char *)#s_name) < 0) { \
		D_PRINT_ERR("debug bit " #s_name " can't be released\n"); \
		rc = -DER_UNINIT; \
		break; \
	}

/** Registers the debug bits of an X-macro; yields 0 or -DER_UNINIT. */
#define D_LOG_REGISTER_DB(db_foreach) \
	({ \
		int __db_rc = 0; \
		do { \
			db_foreach(_D_LOG_ALLOCATE_DBG_BIT, __db_rc) \
		} while (0); \
		__db_rc; \
	})

/** Releases the debug bits of an X-macro; yields 0 or -DER_UNINIT. */
#define D_LOG_DEREGISTER_DB(db_foreach) \
	({ \
		int __db_rc = 0; \
		do { \
			db_foreach(_D_LOG_DEALLOCATE_DBG_BIT, __db_rc) \
		} while (0); \
		__db_rc; \
	})

#define _D_LOG_DECLARE_ENUM(flag, s_name, l_name, mask, fac) DD_FLAG_NAME(flag, fac),
#define _D_LOG_INITIALIZE_FIELD(flag, s_name, l_name, mask, fac) (int)DLOG_UNINIT,

#define _D_LOG_DECLARE_CACHE(s_name, user_dbg_bits) \
	enum { \
		DD_FLAG_NAME(s_name, START), \
		D_FOREACH_PRIO_MASK(_D_LOG_DECLARE_ENUM, DD_FAC(s_name)) \
		D_FOREACH_GURT_DB(_D_LOG_DECLARE_ENUM, DD_FAC(s_name)) \
		user_dbg_bits(_D_LOG_DECLARE_ENUM, DD_FAC(s_name)) \
		DD_FLAG_NAME(s_name, END), \
	}; \
	extern int DD_CACHE(DD_FAC(s_name))[DD_FLAG_NAME(s_name, END) - 1];

#define _D_LOG_INSTANTIATE_CACHE(s_name, user_dbg_bits) \
	int DD_CACHE(DD_FAC(s_name))[DD_FLAG_NAME(s_name, END) - 1] = { \
		D_FOREACH_PRIO_MASK(_D_LOG_INITIALIZE_FIELD, D_NOOP) \
		D_FOREACH_GURT_DB(_D_LOG_INITIALIZE_FIELD, D_NOOP) \
		user_dbg_bits(_D_LOG_INITIALIZE_FIELD, D_NOOP) \
	};

#define _D_ADD_CACHE(s_name) d_log_add_cache(DD_CACHE(DD_FAC(s_name)), ARRAY_SIZE(DD_CACHE(DD_FAC(s_name))));

/** Declares a facility and its cache. */
#define D_LOG_DECLARE_FAC(s_name, l_name, user_dbg_bits) \
	extern int DD_FAC_DECL(s_name); \
	_D_LOG_DECLARE_CACHE(s_name, user_dbg_bits)

/** Defines a facility and its cache. */
#define D_LOG_INSTANTIATE_FAC(s_name, l_name, user_dbg_bits) \
	int DD_FAC_DECL(s_name); \
	_D_LOG_INSTANTIATE_CACHE(s_name, user_dbg_bits)

#define _D_LOG_ALLOCATE_LOG_FACILITY(s_name, l_name, rc) \
	if (d_init_log_facility(&DD_FAC(s_name), #s_name, #l_name) != 0) { \
		D_PRINT_ERR("no room for log facility " #s_name "\n"); \
		rc = -DER_UNINIT; \
		break; \
	} \
	_D_ADD_CACHE(s_name)

/** Registers the facilities of an X-macro; yields 0 or -DER_UNINIT. */
#define D_LOG_REGISTER_FAC(fac_foreach) \
	({ \
		int __fac_rc = 0; \
		do { \
			fac_foreach(_D_LOG_ALLOCATE_LOG_FACILITY, __fac_rc) \
		} while (0); \
		__fac_rc; \
	})

#if defined(__cplusplus)
extern "C" {
#endif

#if defined(__cplusplus)
}
#endif

#endif /* DAOS_INC_GURT_DEBUG_SETUP_H */
