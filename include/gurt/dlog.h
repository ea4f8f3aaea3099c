/*
 * SPDX-License-Identifier: BSD-2-Clause-Patent
 *
 * Log levels, facilities and the entry points of the logger.
 */
#ifndef DAOS_INC_GURT_DLOG_H
#define DAOS_INC_GURT_DLOG_H

#include <inttypes.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>

/** Swallows its arguments. */
#define D_NOOP(...)

/* Priorities, highest first: ACTION(name, short name, long name, value, arg). */
#define D_FOREACH_PRIO_MASK(ACTION, arg) \
	ACTION(DLOG_EMIT, emit, emit, 0x08000000, arg) \
	ACTION(DLOG_EMERG, fatal, fatal, 0x07000000, arg) \
	ACTION(DLOG_ALERT, alert, alert, 0x06000000, arg) \
	ACTION(DLOG_CRIT, crit, crit, 0x05000000, arg) \
	ACTION(DLOG_ERR, err, err, 0x04000000, arg) \
	ACTION(DLOG_WARN, warn, warn, 0x03000000, arg) \
	ACTION(DLOG_NOTE, note, note, 0x02000000, arg) \
	ACTION(DLOG_INFO, info, info, 0x01000000, arg) \
	ACTION(DLOG_DBG, debug, debug, 0x00ffff00, arg)

#define D_PRIO_ENUM(name, id, longid, mask, arg) name = mask,

enum { D_FOREACH_PRIO_MASK(D_PRIO_ENUM, D_NOOP) };

/** Priority part of a flag word, as a small number. */
#define DLOG_PRI(flag) (((flag)&DLOG_PRINDMASK) >> DLOG_PRISHIFT)

#if defined(__cplusplus)
extern "C" {
#endif

#define DLOG_FLV_LOGPID	1
#define DLOG_FLV_FQDN	2
#define DLOG_FLV_FAC	4
#define DLOG_FLV_YEAR	8
#define DLOG_FLV_TAG	16
#define DLOG_FLV_STDOUT	32
#define DLOG_FLV_STDERR	64
#define DLOG_FLV_DEFAULT	29
#define DLOG_STDERR	0x20000000
#define DLOG_STDOUT	0x10000000
#define DLOG_PRIMASK	0xfffff00
#define DLOG_PRISHIFT	24
#define DLOG_DPRISHIFT	8
#define DLOG_PRINDMASK	0xf000000
#define DLOG_FACMASK	255
#define DLOG_UNINIT	0x80000000U
#define DD_MASK_ENV	"DD_MASK"
#define DD_MASK_DEFAULT	"all"
#define DD_SEP	","
#define DD_STDERR_ENV	"DD_STDERR"
#define DD_FAC_ENV	"DD_SUBSYS"
#define DD_FAC_ALL	"all"

enum d_log_flag_bits {
	D_LOG_SET_AS_DEFAULT = 1,
};

typedef uint64_t d_dbug_t;

typedef void (*d_log_id_cb_t)(uint32_t *, uint64_t *);

struct dlog_fac {
	char *fac_aname;
	char *fac_lname;
	int fac_mask;
	bool is_enabled;
};

struct d_log_xstate {
	char *tag;
	struct dlog_fac *dlog_facs;
	char *nodename;
	int fac_cnt;
};

struct d_debug_data {
	d_dbug_t dd_mask;
	d_dbug_t dd_prio_err;
	int dbg_bit_cnt;
	int dbg_grp_cnt;
};

struct d_debug_priority {
	char *dd_name;
	d_dbug_t dd_prio;
	size_t dd_name_size;
};

struct d_debug_bit {
	d_dbug_t *db_bit;
	char *db_name;
	char *db_lname;
	size_t db_name_size;
	size_t db_lname_size;
};

struct d_debug_grp {
	char *dg_name;
	size_t dg_name_size;
	d_dbug_t dg_mask;
};

extern struct d_debug_data d_dbglog_data;

extern struct d_log_xstate d_log_xst;

void d_log_add_cache(int *cache, int nr);

int d_log_allocfacility(const char *aname, const char *lname);

void d_log_close(void);

int d_log_dbg_bit_alloc(d_dbug_t *dbgbit, char *name, char *lname);

int d_log_dbg_bit_dealloc(char *name);

int d_log_dbg_grp_alloc(d_dbug_t dbgmask, char *grpname, uint32_t flags);

int d_log_dbg_grp_dealloc(char *grpname);

void d_log_disable_logging(void);

void d_log_fini(void);

int d_log_getmasks(char *buf, int discard, int len, int unterm);

int d_log_init(void);

int d_log_init_adv(char *log_tag, char *log_file, unsigned int flavor, d_dbug_t def_mask,
                   d_dbug_t err_mask, d_log_id_cb_t id_cb);

int d_log_open(char *tag, int maxfac_hint, int default_mask, int stderr_mask, char *logfile,
               int flags, d_log_id_cb_t id_cb);

void d_log_rank_setup(int rank);

void d_log_reset(void);

int d_log_setlogmask(int facility, int mask);

int d_log_setmasks(const char *mstr, int mlen);

void d_log_sync(void);

void d_log_sync_mask(void);

void d_log_sync_mask_ex(const char *log_mask, const char *dd_mask);

void d_vlog(int flags, const char *fmt, va_list ap) __attribute__((format(printf, 2, 0)));

/**
 * Decides whether a message is to be logged.
 *
 * \param flags  priority or debug bits, with the facility in the low byte
 * \return       0 to drop the message, else the flags to hand to d_vlog()
 */
static inline int
d_log_check(int flags)
{
	int level    = flags & DLOG_PRIMASK;
	int facility = flags & DLOG_FACMASK;
	int mask;

	if (d_log_xst.tag == NULL)
		return 0;
	if (facility >= d_log_xst.fac_cnt)
		facility = 0;
	if (level < DLOG_ERR && !d_log_xst.dlog_facs[facility].is_enabled)
		return 0;
	mask = d_log_xst.dlog_facs[facility].fac_mask;
	/* Priorities are ordered numbers; debug messages are bits below them. */
	if (level >= DLOG_INFO ? level < mask : (level & mask) == 0)
		return 0;
	return level | facility;
}

static inline void
d_log(int flags, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/** Logs a message that d_log_check() has let through. */
static inline void
d_log(int flags, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	d_vlog(flags, fmt, ap);
	va_end(ap);
}

#if defined(__cplusplus)
}
#endif

#endif /* DAOS_INC_GURT_DLOG_H */
