/*
 * SPDX-License-Identifier: BSD-2-Clause-Patent
 *
 * Error numbers. Functions of libdaos return 0 or the negated number (-DER_xxx).
 */
#ifndef DAOS_INC_DAOS_ERRNO_H
#define DAOS_INC_DAOS_ERRNO_H

#if defined(__cplusplus)
extern "C" {
#endif

/*
 * The numbers as X-macros: ACTION(name, description). Descriptions are bare words (no commas, no quotes), to be
 * stringified by the user of the macro.
 */
#define D_FOREACH_GURT_ERR(ACTION) \
	ACTION(DER_NO_PERM, no permission) \
	ACTION(DER_NO_HDL, invalid handle) \
	ACTION(DER_INVAL, invalid parameters) \
	ACTION(DER_EXIST, entity already exists) \
	ACTION(DER_NONEXIST, the specified entity does not exist) \
	ACTION(DER_UNREACH, unreachable node) \
	ACTION(DER_NOSPACE, no space on storage target) \
	ACTION(DER_ALREADY, operation already performed) \
	ACTION(DER_NOMEM, out of memory) \
	ACTION(DER_NOSYS, function not implemented) \
	ACTION(DER_TIMEDOUT, time out) \
	ACTION(DER_BUSY, device or resource busy) \
	ACTION(DER_AGAIN, operation would block: try again) \
	ACTION(DER_PROTO, incompatible protocol) \
	ACTION(DER_UNINIT, not initialised) \
	ACTION(DER_TRUNC, buffer too short) \
	ACTION(DER_OVERFLOW, data too long for the defined type or buffer) \
	ACTION(DER_CANCELED, operation cancelled) \
	ACTION(DER_OOG, out-of-group rank) \
	ACTION(DER_HG, transport layer error) \
	ACTION(DER_UNREG, RPC or protocol version not registered) \
	ACTION(DER_ADDRSTR_GEN, address string could not be made) \
	ACTION(DER_PMIX, PMIx layer error) \
	ACTION(DER_IVCB_FORWARD, callback: cannot handle locally) \
	ACTION(DER_MISC, miscellaneous error) \
	ACTION(DER_BADPATH, bad path name) \
	ACTION(DER_NOTDIR, not a directory) \
	ACTION(DER_CORPC_INCOMPLETE, collective RPC failed) \
	ACTION(DER_NO_RAS_RANK, no rank subscribed to RAS) \
	ACTION(DER_NOTATTACH, service group not attached) \
	ACTION(DER_MISMATCH, version mismatch) \
	ACTION(DER_EXCLUDED, rank has been excluded) \
	ACTION(DER_NOREPLY, no reply for a request) \
	ACTION(DER_DOS, denial of service) \
	ACTION(DER_BAD_TARGET, wrong target for the RPC) \
	ACTION(DER_GRPVER, group versions differ) \
	ACTION(DER_HLC_SYNC, clocks too far apart) \
	ACTION(DER_NO_SHMEM, not enough shared memory) \
	ACTION(DER_ADD_METRIC_FAILED, metric could not be added) \
	ACTION(DER_DURATION_MISMATCH, duration end does not match its start) \
	ACTION(DER_OP_NOT_PERMITTED, operation not permitted) \
	ACTION(DER_EXCEEDS_PATH_LEN, path name exceeds the limit) \
	ACTION(DER_METRIC_NOT_FOUND, metric not found) \
	ACTION(DER_SHMEM_PERMS, shared memory of another user) \
	ACTION(DER_HG_FATAL, fatal transport error) \
	ACTION(DER_QUOTA_LIMIT, quota reached)

#define D_FOREACH_DAOS_ERR(ACTION) \
	ACTION(DER_IO, generic I/O error) \
	ACTION(DER_FREE_MEM, memory free error) \
	ACTION(DER_ENOENT, entry not found) \
	ACTION(DER_NOTYPE, unknown object type) \
	ACTION(DER_NOSCHEMA, unknown object schema) \
	ACTION(DER_NOLOCAL, object is not local) \
	ACTION(DER_STALE, stale pool map version) \
	ACTION(DER_NOTLEADER, not the service leader) \
	ACTION(DER_TGT_CREATE, target could not be created) \
	ACTION(DER_EP_RO, epoch is read-only) \
	ACTION(DER_EP_OLD, epoch is too old) \
	ACTION(DER_KEY2BIG, key is too large for the buffer) \
	ACTION(DER_REC2BIG, record is too large for the buffer) \
	ACTION(DER_IO_INVAL, I/O buffers cannot match the object extents) \
	ACTION(DER_EQ_BUSY, event queue is busy) \
	ACTION(DER_DOMAIN, cluster component cannot be located) \
	ACTION(DER_SHUTDOWN, service is shutting down) \
	ACTION(DER_INPROGRESS, operation is in progress) \
	ACTION(DER_NOTAPPLICABLE, operation is not applicable) \
	ACTION(DER_NOTREPLICA, not a service replica) \
	ACTION(DER_CSUM, checksum error) \
	ACTION(DER_DF_INVAL, durable format is invalid) \
	ACTION(DER_DF_INCOMPT, durable format is of an incompatible version) \
	ACTION(DER_REC_SIZE, record size error) \
	ACTION(DER_TX_RESTART, transaction must restart) \
	ACTION(DER_DATA_LOSS, data lost or unrecoverable) \
	ACTION(DER_OP_CANCELED, operation cancelled (non-recoverable)) \
	ACTION(DER_TX_BUSY, transaction is not yet committed) \
	ACTION(DER_AGENT_INCOMPAT, agent is incompatible with libdaos) \
	ACTION(DER_NEED_TX, distributed transaction needed) \
	ACTION(DER_RF, more failures than the redundancy factor allows) \
	ACTION(DER_FETCH_AGAIN, fetch again) \
	ACTION(DER_TX_UNCERTAIN, outcome of the transaction is uncertain) \
	ACTION(DER_AGENT_COMM, no communication with daos_agent) \
	ACTION(DER_ID_MISMATCH, identity mismatch) \
	ACTION(DER_TGT_RETRY, retry with another target) \
	ACTION(DER_NOTSUPPORTED, operation not supported) \
	ACTION(DER_CONTROL_INCOMPAT, control plane is incompatible) \
	ACTION(DER_NO_SERVICE, service not available) \
	ACTION(DER_TX_ID_REUSED, transaction id may be reused) \
	ACTION(DER_UPDATE_AGAIN, update again) \
	ACTION(DER_NVME_IO, NVMe I/O error) \
	ACTION(DER_NO_CERT, certificate not found) \
	ACTION(DER_BAD_CERT, invalid certificate) \
	ACTION(DER_VOS_PARTIAL_UPDATE, same epoch partial overwrite of an extent) \
	ACTION(DER_CHKPT_BUSY, page is busy with a checkpoint) \
	ACTION(DER_DIV_BY_ZERO, division by zero) \
	ACTION(DER_OVERLOAD_RETRY, service is overloaded: retry later) \
	ACTION(DER_NOT_RESUME, operation cannot be resumed) \
	ACTION(DER_CONT_NONEXIST, container does not exist) \
	ACTION(DER_CONT_DESTROYING, container is being destroyed) \
	ACTION(DER_IGNORE, ignore the result)

/** Ranges of error numbers: ACTION(range, base). */
#define D_FOREACH_ERR_RANGE(ACTION) \
	ACTION(GURT, 1000) \
	ACTION(DAOS, 2000)

#define D_DEFINE_ERRNO(name, desc) name,
#define D_DEFINE_ERRSTR(name, desc) #name,
#define D_DEFINE_ERRDESC(name, desc) #desc,
#define D_DEFINE_RANGE_ERRNO(name, base) \
	DER_ERR_##name##_BASE = (base), D_FOREACH_##name##_ERR(D_DEFINE_ERRNO)

enum daos_errno {
	DER_SUCCESS = 0,
	D_FOREACH_ERR_RANGE(D_DEFINE_RANGE_ERRNO)
	DER_LAST_VALID,
	DER_UNKNOWN = (DER_ERR_GURT_BASE + 500000),
};

/**
 * Tells what a result means, in a few words.
 *
 * \param[in] errnum  A result: 0 or -DER_xxx.
 * \return The words; static, never NULL.
 */
const char *d_errdesc(int errnum);

/**
 * Names a result: "DER_INVAL" for -DER_INVAL.
 *
 * \param[in] errnum  A result: 0 or -DER_xxx.
 * \return The name, "DER_UNKNOWN" for what is no result; static, never NULL.
 */
const char *d_errstr(int errnum);

#define DO_PRAGMA(str) _Pragma(#str)

/** Stands for newe, and tells at compile time that olde is deprecated. */
#define DEPRECATE_ERROR(olde, newe) \
	({ \
		DO_PRAGMA(message(#olde " is deprecated, use " #newe)) \
		newe; \
	})

#define DER_EVICTED DEPRECATE_ERROR(DER_EVICTED, DER_EXCLUDED)

#ifndef DF_RC
/** Format and arguments that print an error number: printf("failed: " DF_RC "\n", DP_RC(rc)). */
#define DF_RC "%s(%d): '%s'"
#define DP_RC(rc) d_errstr(rc), rc, d_errdesc(rc)
#endif

#if defined(__cplusplus)
}
#endif

#endif /* DAOS_INC_DAOS_ERRNO_H */
