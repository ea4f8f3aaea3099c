/*
 * SPDX-License-Identifier: BSD-2-Clause-Patent
 *
 * Log levels, facilities and the entry points of the logger.
 *
 * A message has a priority or a debug bit, and a facility: the part of the program that it comes from. A facility's
 * mask is the lowest priority that is logged, or for DEBUG the debug bits. Lines go to a file, stdout or stderr.
 * Threads may use all of it at a time. From the environment:
 *
 *   D_LOG_FILE               the file; none: stderr
 *   D_LOG_MASK               masks, as d_log_setmasks() takes them
 *   DD_MASK                  debug bits and groups that DEBUG stands for; all unless set
 *   DD_SUBSYS                facilities, with commas between, that may log below errors; all unless set
 *   DD_STDERR                priority from which on messages go to stderr too
 *   D_LOG_SIZE               bytes (with k, m, g, K, M, G) after which a file is renamed (.first, then .old) and a new
 *                            one begun; 2 GiB unless set, at least 1 MiB
 *   D_LOG_TRUNCATE           above 0: a file loses what was in it before
 *   D_LOG_FILE_APPEND_PID    not 0: the process id is added to the file's name
 *   D_LOG_FILE_APPEND_RANK   not 0: the rank is, once it is known
 *   D_LOG_STDERR_IN_LOG      above 0: the process's stderr goes to the file
 *   D_LOG_FLUSH              without effect: each line is written at once
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

/* Flavors: parts of a line, and where it goes too. */
#define DLOG_FLV_LOGPID	1	/**< behind the tag: process, thread, unit of work */
#define DLOG_FLV_FQDN	2	/**< the host's whole name */
#define DLOG_FLV_FAC	4	/**< facility */
#define DLOG_FLV_YEAR	8	/**< the date's year */
#define DLOG_FLV_TAG	16	/**< the program's tag */
#define DLOG_FLV_STDOUT	32	/**< to stdout, too */
#define DLOG_FLV_STDERR	64	/**< to stderr, too */
#define DLOG_FLV_DEFAULT	29	/**< LOGPID, FAC, YEAR, TAG */
/* Parts of a flag word: where one message goes too, priority and debug bits, facility. */
#define DLOG_STDERR	0x20000000
#define DLOG_STDOUT	0x10000000
#define DLOG_PRIMASK	0xfffff00
#define DLOG_PRISHIFT	24
#define DLOG_DPRISHIFT	8
#define DLOG_PRINDMASK	0xf000000
#define DLOG_FACMASK	255
/** A cached verdict that is not known. */
#define DLOG_UNINIT	0x80000000U
/* Variables of the environment, and what stands in them. */
#define DD_MASK_ENV	"DD_MASK"
#define DD_MASK_DEFAULT	"all"
#define DD_SEP	","
#define DD_STDERR_ENV	"DD_STDERR"
#define DD_FAC_ENV	"DD_SUBSYS"
#define DD_FAC_ALL	"all"

/** Flags of d_log_dbg_grp_alloc(). */
enum d_log_flag_bits {
	D_LOG_SET_AS_DEFAULT = 1,
};

/** Priorities and debug bits. */
typedef uint64_t d_dbug_t;

/** Tells the caller's thread (first place) and unit of work (second) for a line. It must not log. */
typedef void (*d_log_id_cb_t)(uint32_t *, uint64_t *);

/** A facility. */
struct dlog_fac {
	char *fac_aname;	/**< short name */
	char *fac_lname;	/**< long name */
	int fac_mask;		/**< lowest priority, or debug bits */
	bool is_enabled;	/**< false: only errors and above (DD_SUBSYS) */
};

/** State of the logger that d_log_check() reads. */
struct d_log_xstate {
	char *tag;			/**< NULL: the log is closed */
	struct dlog_fac *dlog_facs;	/**< facilities by number */
	char *nodename;			/**< the host */
	int fac_cnt;			/**< number of facilities */
};

/** The debug bits. */
struct d_debug_data {
	d_dbug_t dd_mask;	/**< what DEBUG stands for; 0: all bits */
	d_dbug_t dd_prio_err;	/**< not kept: 0 */
	int dbg_bit_cnt;	/**< how many bits are taken */
	int dbg_grp_cnt;	/**< how many groups there are */
};

/** A priority's name. */
struct d_debug_priority {
	char *dd_name;
	d_dbug_t dd_prio;
	size_t dd_name_size;
};

/** A debug bit's names. */
struct d_debug_bit {
	d_dbug_t *db_bit;
	char *db_name;
	char *db_lname;
	size_t db_name_size;
	size_t db_lname_size;
};

/** A named set of debug bits. */
struct d_debug_grp {
	char *dg_name;
	size_t dg_name_size;
	d_dbug_t dg_mask;
};

/** The debug bits of the process. */
extern struct d_debug_data d_dbglog_data;

/** The logger of the process. */
extern struct d_log_xstate d_log_xst;

/**
 * Registers a cache of verdicts: ints that the D_ macros keep d_log_check()'s answers in, and that become
 * DLOG_UNINIT again whenever masks change. D_LOG_REGISTER_FAC() does it.
 *
 * \param[in] cache  The ints; must stay for good.
 * \param[in] nr  How many.
 */
void d_log_add_cache(int *cache, int nr);

/**
 * Makes a facility, or finds the one with that name. It begins with the log's default mask.
 *
 * \param[in] aname  Short name, which lines show.
 * \param[in] lname  Long name, by which masks can be set, too.
 * \return Its number; -1: there are 256 already, or no memory.
 */
int d_log_allocfacility(const char *aname, const char *lname);

/** Ends the log: files close, and macros log nothing. Facilities keep their numbers. */
void d_log_close(void);

/**
 * Makes a debug bit, or finds the one with that name.
 *
 * \param[out] dbgbit  The bit, as a mask (DLOG_DBG for "all"); a variable that stays for good.
 * \param[in] name  Short name.
 * \param[in] lname  Long name; NULL: none.
 * \return 0; -1: a NULL, or all 16 are taken.
 */
int d_log_dbg_bit_alloc(d_dbug_t *dbgbit, char *name, char *lname);

/**
 * Gives a debug bit up: its variable becomes 0.
 *
 * \param[in] name  Its short name.
 * \return 0; -1: there is no such bit.
 */
int d_log_dbg_bit_dealloc(char *name);

/**
 * Names a set of debug bits, for DD_MASK.
 *
 * \param[in] dbgmask  The bits; not 0.
 * \param[in] grpname  Name.
 * \param[in] flags  D_LOG_SET_AS_DEFAULT: DEBUG stands for this set from now on; else 0.
 * \return 0; -1: no name, or no bits.
 */
int d_log_dbg_grp_alloc(d_dbug_t dbgmask, char *grpname, uint32_t flags);

/**
 * Gives a name of a set of debug bits up.
 *
 * \param[in] grpname  The name.
 * \return 0; -1: there is no such name.
 */
int d_log_dbg_grp_dealloc(char *grpname);

/**
 * Has the log's file no longer written, and does not close it: for a process that has closed descriptors wholesale.
 * What goes to stdout or stderr still goes there.
 */
void d_log_disable_logging(void);

/** Undoes one d_log_init() or d_log_init_adv(). The last one closes the log. */
void d_log_fini(void);

/**
 * Writes the masks of all facilities as "name=PRIO,name=PRIO" with a newline at the end.
 *
 * \param[out] buf  The text, as far as it fits; NULL: only measure.
 * \param[in] discard  Bytes to leave out at the front.
 * \param[in] len  Bytes of buf.
 * \param[in] unterm  0: a NUL ends it.
 * \return Bytes written, NUL included; for a NULL, bytes of the whole text; 0: the log is closed.
 */
int d_log_getmasks(char *buf, int discard, int len, int unterm);

/**
 * Opens the log as the environment says, for programs of their own; see the head of this file. Calls are counted:
 * each needs its d_log_fini(), and one of an open log does no more. Without a file, errors go to stderr; with one,
 * warnings to it and what ends the process to stderr, unless D_LOG_MASK and DD_STDERR say otherwise.
 *
 * \return 0; -DER_UNINIT: the file cannot be written (stderr tells why), or d_log_open() has opened a log;
 *     -DER_NOMEM.
 */
int d_log_init(void);

/**
 * Opens the log, with facilities and debug bits of libgurt. Calls are counted with those of d_log_init(). Call
 * d_log_sync_mask() for masks of the environment.
 *
 * \param[in] log_tag  Name of the program, for lines; not empty.
 * \param[in] log_file  File; NULL or empty: none.
 * \param[in] flavor  DLOG_FLV_ flags.
 * \param[in] def_mask  Mask that facilities begin with; 0: DLOG_WARN.
 * \param[in] err_mask  Priority from which on messages go to stderr too; 0: none. DD_STDERR goes before it.
 * \param[in] id_cb  Tells numbers of the caller for lines; NULL: thread id and 0.
 * \return 0; -DER_UNINIT: the file cannot be written (stderr tells why), no tag, or d_log_open() has opened a log;
 *     -DER_NOMEM.
 */
int d_log_init_adv(char *log_tag, char *log_file, unsigned int flavor, d_dbug_t def_mask,
                   d_dbug_t err_mask, d_log_id_cb_t id_cb);

/**
 * Opens the log alone; d_log_close() ends it. d_log_init_adv() is what programs want as a rule.
 *
 * \param[in] tag  Name of the program, for lines; not empty.
 * \param[in] maxfac_hint  Number of facilities to expect; not negative, else without effect.
 * \param[in] default_mask  Mask that facilities begin with; 0: DLOG_WARN.
 * \param[in] stderr_mask  Priority from which on messages go to stderr too; 0: none.
 * \param[in] logfile  File; NULL or empty: none.
 * \param[in] flags  DLOG_FLV_ flags.
 * \param[in] id_cb  Tells numbers of the caller for lines; NULL: thread id and 0.
 * \return 0; -1: the log is open, the file cannot be written (stderr tells why), or a bad argument.
 */
int d_log_open(char *tag, int maxfac_hint, int default_mask, int stderr_mask, char *logfile,
               int flags, d_log_id_cb_t id_cb);

/**
 * Tells the log the rank of the process. With D_LOG_FILE_APPEND_RANK in the environment, the first call renames the
 * file: ".rank=N" is added.
 *
 * \param[in] rank  The rank.
 */
void d_log_rank_setup(int rank);

/** Has the macros of a child ask for masks anew after fork(). */
void d_log_reset(void);

/**
 * Sets the mask of one facility.
 *
 * \param[in] facility  Its number.
 * \param[in] mask  Priority and debug bits; DLOG_DBG stands for the debug bits that DD_MASK chooses.
 * \return The mask before; -1: there is no such facility.
 */
int d_log_setlogmask(int facility, int mask);

/**
 * Sets masks from a text: "PRIO" for all facilities, "name=PRIO" for one, with commas between; names in any case,
 * short or long. Priorities are EMIT, FATAL (EMRG), ALERT, CRIT, ERR, WARN, NOTE, INFO and DEBUG. What is no
 * priority is left out.
 *
 * \param[in] mstr  The text.
 * \param[in] mlen  Bytes of it to read; negative: all.
 * \return The mask before of the facility that was set last; -1: a facility is unknown (the others are set),
 *     nothing was set, or the log is closed.
 */
int d_log_setmasks(const char *mstr, int mlen);

/** Brings the log's file to its device. Lines are in the file at once; this is for a loss of power. */
void d_log_sync(void);

/** Sets masks from the environment again: DD_MASK, then D_LOG_MASK. Call it when facilities or debug bits have come. */
void d_log_sync_mask(void);

/**
 * d_log_sync_mask() with texts of the caller's.
 *
 * \param[in] log_mask  For D_LOG_MASK; NULL: leave.
 * \param[in] dd_mask  For DD_MASK: debug bits or groups with commas between, or "all"; NULL: leave. Empty: DEBUG
 *     stands for all bits again.
 */
void d_log_sync_mask_ex(const char *log_mask, const char *dd_mask);

/**
 * Writes a message. errno stays as it is. D_ macros come here once d_log_check() has said yes.
 *
 * \param[in] flags  Answer of d_log_check(); 0 writes nothing.
 * \param[in] fmt  Format, as vprintf() takes it; a message is cut after 4095 bytes.
 * \param[in] ap  Its arguments.
 */
void d_vlog(int flags, const char *fmt, va_list ap) __attribute__((format(printf, 2, 0)));

/**
 * Decides whether a message is to be logged.
 *
 * \param[in] flags  Priority or debug bits, with the facility in the low byte.
 * \return 0: no; else the flags to hand to d_vlog().
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
