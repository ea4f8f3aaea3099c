/*
 * SPDX-License-Identifier: BSD-2-Clause-Patent
 *
 * Log facilities and debug bits of the DAOS libraries.
 */
#ifndef DAOS_INC_DAOS_DEBUG_H
#define DAOS_INC_DAOS_DEBUG_H

/* Facilities of this library come first: gurt/debug_setup.h takes what is defined here. */
#ifndef DD_FAC
#define DD_FAC(name) daos_##name##_logfac
#endif
#ifndef D_LOGFAC
#define D_LOGFAC DD_FAC(daos)
#endif

#include <stdio.h>
#include <daos_errno.h>
#include <gurt/debug_setup.h>
#include <gurt/debug.h>

/* Log facilities: ACTION(short name, long name, arg). */
#define DAOS_FOREACH_LOG_FAC(ACTION, arg) \
	ACTION(daos, daos, arg) \
	ACTION(array, array, arg) \
	ACTION(kv, kv, arg) \
	ACTION(common, common, arg) \
	ACTION(tree, tree, arg) \
	ACTION(vos, vos, arg) \
	ACTION(pmdk, pmdk, arg) \
	ACTION(dlck, dlck, arg) \
	ACTION(client, client, arg) \
	ACTION(server, server, arg) \
	ACTION(rdb, rdb, arg) \
	ACTION(rsvc, rsvc, arg) \
	ACTION(pool, pool, arg) \
	ACTION(container, container, arg) \
	ACTION(object, object, arg) \
	ACTION(placement, placement, arg) \
	ACTION(rebuild, rebuild, arg) \
	ACTION(mgmt, mgmt, arg) \
	ACTION(bio, bio, arg) \
	ACTION(tests, tests, arg) \
	ACTION(dfs, dfs, arg) \
	ACTION(duns, duns, arg) \
	ACTION(drpc, drpc, arg) \
	ACTION(security, security, arg) \
	ACTION(dtx, dtx, arg) \
	ACTION(chk, chk, arg) \
	ACTION(dfuse, dfuse, arg) \
	ACTION(il, il, arg) \
	ACTION(csum, csum, arg) \
	ACTION(pipeline, pipeline, arg) \
	ACTION(stack, stack, arg) \
	ACTION(ddb, ddb, arg)

/* Debug bits: ACTION(variable, short name, long name, mask, arg). */
#define DAOS_FOREACH_DB(ACTION, arg) \
	ACTION(DB_MD, md, metadata, 0, arg) \
	ACTION(DB_PL, pl, placement, 0, arg) \
	ACTION(DB_MGMT, mgmt, management, 0, arg) \
	ACTION(DB_EPC, epc, epoch, 0, arg) \
	ACTION(DB_DF, df, durable_format, 0, arg) \
	ACTION(DB_REBUILD, rebuild, rebuild, 0, arg) \
	ACTION(DB_SEC, sec, security, 0, arg) \
	ACTION(DB_CSUM, csum, checksum, 0, arg)

#define DB_DEFAULT DLOG_DBG
#define DB_NULL 0
/** The debug bit of messages that fit no other. */
#define DF_MISC DB_ANY

#if defined(__cplusplus)
extern "C" {
#endif
DAOS_FOREACH_DB(D_LOG_DECLARE_DB, D_NOOP)
DAOS_FOREACH_LOG_FAC(D_LOG_DECLARE_FAC, DAOS_FOREACH_DB)
#if defined(__cplusplus)
}
#endif

/* Its inline functions log in the facility chosen above. */
#include <gurt/common.h>

#if defined(__cplusplus)
extern "C" {
#endif

/* What to leave out of I/O, for measurements: a variable of the environment, its names. Without effect here. */
#define DENV_IO_BYPASS	"DAOS_IO_BYPASS"
#define IOBP_ENV_CLI_RPC	"cli_rpc"
#define IOBP_ENV_SRV_BULK	"srv_bulk"
#define IOBP_ENV_TARGET	"target"
#define IOBP_ENV_NVME	"nvme"
#define IOBP_ENV_SRV_BULK_CACHE	"srv_bulk_cache"
#define IOBP_ENV_WAL_COMMIT	"wal_commit"

/* The same as bits of daos_io_bypass. */
enum {
	IOBP_OFF = 0,
};

enum {
	IOBP_CLI_RPC = 1,
};

enum {
	IOBP_SRV_BULK = 2,
};

enum {
	IOBP_TARGET = 4,
};

enum {
	IOBP_NVME = 8,
};

enum {
	IOBP_SRV_BULK_CACHE = 16,
};

enum {
	IOBP_WAL_COMMIT = 32,
};

/** Bits of what to leave out of I/O; 0. */
extern unsigned int daos_io_bypass;

/** Undoes one daos_debug_init() or daos_debug_init_ex(). The last one closes the log. */
void daos_debug_fini(void);

/**
 * Opens the log for programs of DAOS: with facilities and debug bits of the DAOS libraries, and masks from the
 * environment; from errors on unless that says otherwise. Calls are counted: each needs its daos_debug_fini(), and
 * one of an open log does no more.
 *
 * \param[in] logfile  File, if D_LOG_FILE in the environment names none; NULL: none, the log goes to stderr.
 * \return 0; -DER_UNINIT: the file cannot be written (stderr tells why), or there is no room for the facilities;
 *     -DER_NOMEM.
 */
int daos_debug_init(char *logfile);

/**
 * daos_debug_init() with a mask.
 *
 * \param[in] logfile  File, if D_LOG_FILE in the environment names none; NULL: none, the log goes to stderr.
 * \param[in] logmask  Mask that facilities begin with, where the environment does not say otherwise.
 * \return As daos_debug_init().
 */
int daos_debug_init_ex(char *logfile, d_dbug_t logmask);

/**
 * Has a function tell numbers of the caller for lines of the log, in place of the thread id and 0. Call it before
 * daos_debug_init().
 *
 * \param[in] id_cb  Gets two places for them; NULL: none.
 */
void daos_debug_set_id_cb(d_log_id_cb_t id_cb);

#if defined(__cplusplus)
}
#endif

#endif /* DAOS_INC_DAOS_DEBUG_H */
