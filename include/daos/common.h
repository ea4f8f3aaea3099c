/*
 * SPDX-License-Identifier: BSD-2-Clause-Patent
 *
 * Helpers shared by the client libraries and their consumers.
 *
 * Functions with an int result return 0 or -DER_xxx unless it says otherwise. Memory that they hand out comes from the
 * C heap. Vectors, lists and arrays belong to the caller and have no lock.
 */
#ifndef DAOS_INC_DAOS_COMMON_H
#define DAOS_INC_DAOS_COMMON_H

#include <sys/time.h>
#include <sys/types.h>
#include <sys/param.h>
#include <stdint.h>
#include <inttypes.h>
#include <unistd.h>
#include <stdbool.h>
#include <string.h>
#include <strings.h>
#include <ctype.h>
#include <errno.h>
#include <assert.h>
#include <time.h>
#include <stdlib.h>
#include <stdio.h>
#include <pthread.h>
#include <byteswap.h>
#include <daos_errno.h>
#include <daos/debug.h>
#include <gurt/hash.h>
#include <gurt/common.h>
#include <cart/types.h>
#include <daos_types.h>
#include <daos_obj.h>
#include <daos_prop.h>
#include <daos_security.h>
#include <daos/profile.h>
#include <daos/dtx.h>
#include <daos/cmd_parser.h>

#define DAOS_ON_VALGRIND D_ON_VALGRIND

#ifndef LOWEST_BIT_SET
#define LOWEST_BIT_SET(x) ((x) & ~((x) - 1))
#endif
#ifndef roundup
#define roundup(x, y) ((((x) + ((y) - 1)) / (y)) * (y))
#endif
#ifndef rounddown
#define rounddown(x, y) (((x) / (y)) * (y))
#endif

/* ---- printing: a DF_ format and its DP_ arguments ---- */

#define DF_OID DF_U64 "." DF_U64
#define DP_OID(o) (o).hi, (o).lo
#define DF_UOID DF_OID ".%u.%u"
#define DP_UOID(uo) DP_OID((uo).id_pub), (uo).id_shard, (uo).id_layout_ver
#define DF_BOOL "%s"
#define DP_BOOL(b) ((b) ? "true" : "false")
#define DF_IOV "<%p, %zu/%zu>"
#define DP_IOV(i) (i)->iov_buf, (i)->iov_len, (i)->iov_buf_len
#define DF_SGL_IDX "{idx: %d, offset: " DF_U64 "}"
#define DP_SGL_IDX(i) (i)->iov_idx, (i)->iov_offset
#ifndef DF_UUID
#define DF_UUID "%.8s"
#define DF_UUIDF "%s"
#endif
/** Characters of a UUID that DF_UUID prints. */
#define DF_UUID_MAX 8
#define DF_CONT DF_UUID "/" DF_UUID
#define DF_CONTF DF_UUIDF "/" DF_UUIDF
#define DP_CONT(puuid, cuuid) DP_UUID(puuid), DP_UUID(cuuid)
#define DF_RECX "[" DF_X64 "-" DF_X64 "]"
#define DP_RECX(r) (r).rx_idx, ((r).rx_idx + (r).rx_nr - 1)
#define DF_IOM "{nr: %d, lo: " DF_RECX ", hi: " DF_RECX "}"
#define DP_IOM(m) (m)->iom_nr, DP_RECX((m)->iom_recx_lo), DP_RECX((m)->iom_recx_hi)
/* Release builds keep user data out of the log: lengths in place of keys and names. */
#ifdef DAOS_BUILD_RELEASE
#define DF_KEY "[%d]"
#define DP_KEY(key) (int)((key)->iov_len)
#define DF_DE "de[%zi]"
#define DP_DE(_de) strnlen((_de), NAME_MAX)
#define DF_PATH "path[%zi]"
#define DP_PATH(_path) strnlen((_path), PATH_MAX)
#else
#define DF_KEY "[%d] '%s'"
#define DP_KEY(key) (int)((key)->iov_len), daos_key2str(key)
#define DF_DE "de'%s'"
#define DP_DE(_de) daos_de2str(_de)
#define DF_PATH "path'%s'"
#define DP_PATH(_path) daos_path2str(_path)
#endif

/* ---- scatter-gather cursors: a vector's index and an offset in it, both lvalues ---- */

#define daos_sgl_next_iov(iov_idx, iov_off) \
	do { \
		(iov_idx)++; \
		(iov_off) = 0; \
	} while (0)

/** Room behind the cursor in its vector; room behind the data of a vector. */
#define daos_iov_left(sgl, iov_idx, iov_off) ((sgl)->sg_iovs[iov_idx].iov_buf_len - (iov_off))
#define daos_iov_remaining(iov) ((iov).iov_buf_len > (iov).iov_len ? (iov).iov_buf_len - (iov).iov_len : 0)

/** Moves the cursor forward by move_dist bytes. */
#define daos_sgl_move(sgl, iov_idx, iov_off, move_dist) \
	do { \
		uint64_t __mv_todo = (uint64_t)(move_dist); \
		while (__mv_todo > 0) { \
			uint64_t __mv_left = daos_iov_left(sgl, iov_idx, iov_off); \
			if (__mv_todo < __mv_left) { \
				(iov_off) += __mv_todo; \
				break; \
			} \
			__mv_todo -= __mv_left; \
			daos_sgl_next_iov(iov_idx, iov_off); \
		} \
	} while (0)

/** Describes the next size bytes by vectors in iovs[], sets iov_nr to their number and moves the cursor. */
#define daos_sgl_consume(sgl, iov_idx, iov_off, size, iovs, iov_nr) \
	do { \
		uint64_t __cs_todo = (uint64_t)(size); \
		uint32_t __cs_nr = 0; \
		if (__cs_todo == 0) \
			break; \
		while (__cs_todo > 0) { \
			uint64_t __cs_step = daos_iov_left(sgl, iov_idx, iov_off); \
			__cs_step = MIN(__cs_step, __cs_todo); \
			d_iov_set(&(iovs)[__cs_nr], (char *)(sgl)->sg_iovs[iov_idx].iov_buf + (iov_off), __cs_step); \
			__cs_nr++; \
			__cs_todo -= __cs_step; \
			(iov_off) += __cs_step; \
			if (daos_iov_left(sgl, iov_idx, iov_off) == 0) \
				daos_sgl_next_iov(iov_idx, iov_off); \
		} \
		(iov_nr) = __cs_nr; \
	} while (0)

/** Whether two keys have the same bytes. */
#define daos_key_match(key1, key2) daos_iov_cmp(key1, key2)

/* ---- extents ---- */

#define DAOS_RECX_END(recx) ((recx).rx_idx + (recx).rx_nr)
#define DAOS_RECX_PTR_END(recx) ((recx)->rx_idx + (recx)->rx_nr)
#define DAOS_RECX_OVERLAP(recx_1, recx_2) \
	((recx_1).rx_idx < DAOS_RECX_END(recx_2) && (recx_2).rx_idx < DAOS_RECX_END(recx_1))
#define DAOS_RECX_PTR_OVERLAP(recx_1, recx_2) DAOS_RECX_OVERLAP(*(recx_1), *(recx_2))
#define DAOS_RECX_ADJACENT(recx_1, recx_2) \
	((recx_1).rx_idx == DAOS_RECX_END(recx_2) || (recx_2).rx_idx == DAOS_RECX_END(recx_1))
#define DAOS_RECX_PTR_ADJACENT(recx_1, recx_2) DAOS_RECX_ADJACENT(*(recx_1), *(recx_2))
/** Whether recx_1 lies within recx_2. */
#define DAOS_RECX_COVERED(recx_1, recx_2) \
	((recx_1).rx_idx >= (recx_2).rx_idx && DAOS_RECX_END(recx_1) <= DAOS_RECX_END(recx_2))

/* ---- bitmaps and small things ---- */

#define setbit64(bm, at) setbit((uint8_t *)(bm), at)
#define clrbit64(bm, at) clrbit((uint8_t *)(bm), at)
#define isset64(bm, at) isset((uint8_t *)(bm), at)

/** Whether val is a power of two (or 0). */
#define IS_PO2(val) __is_po2((unsigned long long)(val))

#define daos_hhash_hlink_init(hlink, ops) d_hhash_hlink_init(hlink, ops)
#define daos_hhash_link_empty(hlink) d_hhash_link_empty(hlink)
#define daos_hhash_link_key(hlink, key) d_hhash_link_key(hlink, key)

/* ---- injected faults: group and identifier of a fault location ---- */

#define DAOS_FAIL_CHECK(id) daos_fail_check(id)
#define DAOS_FAIL_ID_GET(fail_loc) ((fail_loc)&DAOS_FAIL_ID_MASK)
#define DAOS_FAIL_GROUP_GET(fail_loc) (((fail_loc)&DAOS_FAIL_GROUP_MASK) >> DAOS_FAIL_GROUP_SHIFT)

#if defined(__cplusplus)
extern "C" {
#endif

/** Sizes that a growing tree node may have, at most. */
#define MAX_TREE_ORDER_INC	7
#define daos_rank_list_dup	d_rank_list_dup
#define daos_rank_list_dup_sort_uniq	d_rank_list_dup_sort_uniq
#define daos_rank_list_filter	d_rank_list_filter
#define daos_rank_list_merge	d_rank_list_merge
#define daos_rank_list_alloc	d_rank_list_alloc
#define daos_rank_list_copy	d_rank_list_copy
#define daos_rank_list_shuffle	d_rank_list_shuffle
#define daos_rank_list_sort	d_rank_list_sort
#define daos_rank_list_find	d_rank_list_find
#define daos_rank_list_identical	d_rank_list_identical
#define daos_rank_in_rank_list	d_rank_in_rank_list
#define daos_rank_list_append	d_rank_list_append
/* Parts of a fault location: its number (with its group: its identifier), and how often it fails. */
#define DAOS_FAIL_MASK_LOC	65535
#define DAOS_FAIL_ONCE	0x1000000
#define DAOS_FAIL_SOME	0x2000000
#define DAOS_FAIL_ALWAYS	0x4000000
#define DAOS_FAIL_ID_MASK	0xffffff
#define DAOS_FAIL_GROUP_MASK	0xff0000
#define DAOS_FAIL_GROUP_SHIFT	16
#define DAOS_FAIL_UNIT_TEST_GROUP_LOC	65536
#define DAOS_FAIL_SYS_TEST_GROUP_LOC	131072
/* Fault locations, of servers for the most part. */
#define DAOS_SHARD_OBJ_UPDATE_TIMEOUT	65537
#define DAOS_SHARD_OBJ_FETCH_TIMEOUT	65538
#define DAOS_SHARD_OBJ_FAIL	65539
#define DAOS_OBJ_UPDATE_NOSPACE	65540
#define DAOS_SHARD_OBJ_RW_CRT_ERROR	65541
#define DAOS_OBJ_REQ_CREATE_TIMEOUT	65542
#define DAOS_SHARD_OBJ_UPDATE_TIMEOUT_SINGLE 65543
#define DAOS_OBJ_SPECIAL_SHARD	65544
#define DAOS_OBJ_TGT_IDX_CHANGE	65545
#define DAOS_REBUILD_DROP_SCAN	65546
#define DAOS_REBUILD_NO_HDL	65547
#define DAOS_REBUILD_DROP_OBJ	65548
#define DAOS_REBUILD_UPDATE_FAIL	65549
#define DAOS_REBUILD_STALE_POOL	65550
#define DAOS_REBUILD_TGT_IV_UPDATE_FAIL 65551
#define DAOS_REBUILD_TGT_START_FAIL	65552
#define DAOS_REBUILD_DISABLE	65553
#define DAOS_REBUILD_TGT_SCAN_HANG	65554
#define DAOS_REBUILD_TGT_REBUILD_HANG	65555
#define DAOS_REBUILD_HANG	65556
#define DAOS_REBUILD_TGT_SEND_OBJS_FAIL 65557
#define DAOS_REBUILD_NO_REBUILD	65558
#define DAOS_REBUILD_NO_UPDATE	65559
#define DAOS_REBUILD_TGT_NOSPACE	65560
#define DAOS_REBUILD_DELAY	65561
#define DAOS_RDB_SKIP_APPENDENTRIES_FAIL 65562
#define DAOS_FORCE_REFRESH_POOL_MAP	65563
#define DAOS_RDB_FAIL_MODIFY_REPLICAS	65564
#define DAOS_FORCE_CAPA_FETCH	65566
#define DAOS_FORCE_PROP_VERIFY	65567
#define DAOS_CSUM_CORRUPT_UPDATE	65568
#define DAOS_CSUM_CORRUPT_FETCH	65569
#define DAOS_CSUM_CORRUPT_UPDATE_AKEY	65570
#define DAOS_CSUM_CORRUPT_FETCH_AKEY	65571
#define DAOS_CSUM_CORRUPT_UPDATE_DKEY	65572
#define DAOS_CSUM_CORRUPT_FETCH_DKEY	65573
#define DAOS_CSUM_CORRUPT_DISK	65574
#define DAOS_FAIL_SHARD_OPEN	65575
#define DAOS_FAIL_AGG_BOUNDRY_MOVED	65576
#define DAOS_FAIL_PARITY_EPOCH_DIFF	65577
#define DAOS_FAIL_SHARD_NONEXIST	65578
#define DAOS_REBUILD_ADMIN_STOP_RECLAIM 65579
#define DAOS_DTX_COMMIT_SYNC	65584
#define DAOS_DTX_LEADER_ERROR	65585
#define DAOS_DTX_NONLEADER_ERROR	65586
#define DAOS_DTX_LOST_RPC_REQUEST	65587
#define DAOS_DTX_LOST_RPC_REPLY	65588
#define DAOS_DTX_LONG_TIME_RESEND	65589
#define DAOS_DTX_RESTART	65590
#define DAOS_DTX_NO_READ_TS	65591
#define DAOS_DTX_SPEC_EPOCH	65592
#define DAOS_DTX_STALE_PM	65593
#define DAOS_DTX_FAIL_IO	65594
#define DAOS_DTX_START_EPOCH	65595
#define DAOS_DTX_NO_BATCHED_CMT	65597
#define DAOS_DTX_NO_COMMITTABLE	65598
#define DAOS_DTX_MISS_COMMIT	65599
#define DAOS_VC_DIFF_REC	65600
#define DAOS_VC_DIFF_DKEY	65601
#define DAOS_VC_LOST_DATA	65602
#define DAOS_VC_LOST_REPLICA	65603
#define DAOS_DTX_MISS_ABORT	65604
#define DAOS_DTX_SPEC_LEADER	65605
#define DAOS_DTX_SRV_RESTART	65606
#define DAOS_DTX_NO_RETRY	65607
#define DAOS_DTX_RESEND_DELAY1	65608
#define DAOS_DTX_UNCERTAIN	65609
#define DAOS_DTX_RESYNC_DELAY	65610
#define DAOS_DTX_FAIL_COMMIT	65611
#define DAOS_OBJ_SYNC_RETRY	65612
#define DAOS_OBJ_COLL_SPARSE	65613
#define DAOS_DTX_RESEND_NONLEADER	65614
#define DAOS_DTX_NOSPACE_NOREFRESH	65615
#define DAOS_NVME_FAULTY	65616
#define DAOS_NVME_WRITE_ERR	65617
#define DAOS_NVME_READ_ERR	65618
#define DAOS_NVME_ALLOCBUF_ERR	65619
#define DAOS_NVME_WAL_TX_LOST	65620
#define DAOS_POOL_CREATE_FAIL_CORPC	65632
#define DAOS_POOL_DESTROY_FAIL_CORPC	65633
#define DAOS_POOL_CONNECT_FAIL_CORPC	65634
#define DAOS_POOL_DISCONNECT_FAIL_CORPC 65635
#define DAOS_POOL_QUERY_FAIL_CORPC	65636
#define DAOS_CONT_DESTROY_FAIL_CORPC	65637
#define DAOS_CONT_CLOSE_FAIL_CORPC	65638
#define DAOS_CONT_QUERY_FAIL_CORPC	65639
#define DAOS_CONT_OPEN_FAIL	65640
#define DAOS_POOL_FAIL_MAP_REFRESH	65641
#define DAOS_CONT_G2L_FAIL	65642
#define DAOS_POOL_CREATE_FAIL_STEP_UP	65643
#define DAOS_MD_OP_PASS_NOREPLY	65644
#define DAOS_MD_OP_FAIL_NOREPLY	65645
#define DAOS_MD_OP_PASS_NOREPLY_NEWLDR 65646
#define DAOS_MD_OP_FAIL_NOREPLY_NEWLDR 65647
#define FLC_SMD_DF_VER	65648
#define FLC_POOL_DF_VER	65649
#define DAOS_FAIL_LOST_REQ	65650
#define DAOS_POOL_UPGRADE_CONT_ABORT	65651
#define DAOS_POOL_FAIL_MAP_REFRESH_SERIOUSLY 65652
#define DAOS_SHARD_OBJ_RW_DROP_REPLY	131200
#define DAOS_OBJ_FETCH_DATA_LOST	131201
#define DAOS_OBJ_TRY_SPECIAL_SHARD	131202
#define DAOS_OBJ_EC_AGG_LEADER_DIFF	131203
#define DAOS_VOS_AGG_RANDOM_YIELD	65680
#define DAOS_VOS_AGG_MW_THRESH	65681
#define DAOS_VOS_NON_LEADER	65682
#define DAOS_VOS_AGG_BLOCKED	65683
#define DAOS_VOS_GC_CONT	65684
#define DAOS_VOS_GC_CONT_NULL	65685
#define DAOS_OBJ_SKIP_PARITY	65686
#define DAOS_OBJ_FORCE_DEGRADE	65687
#define DAOS_FORCE_EC_AGG	65688
#define DAOS_FORCE_EC_AGG_FAIL	65689
#define DAOS_FORCE_EC_AGG_PEER_FAIL	65690
#define DAOS_FAIL_TX_CONVERT	65691
#define DAOS_REBUILD_OBJ_FAIL	65692
#define DAOS_FAIL_POOL_CREATE_VERSION	65693
#define DAOS_FORCE_OBJ_UPGRADE	65694
#define DAOS_OBJ_FAIL_NVME_IO	65695
#define DAOS_POOL_EVICT_FAIL	65696
#define DAOS_POOL_RFCHECK_FAIL	65697
#define DAOS_POOL_REINT_SLOW	65698
#define DAOS_CONT_DESTROY_FAIL_POST	65699
#define DAOS_CONT_DESTROY_AFTER_FORK	65700
#define DAOS_POOL_TGT_UPDATE_SKIP_RF_CHECK 65701
#define DAOS_CHK_CONT_ORPHAN	65712
#define DAOS_CHK_CONT_BAD_LABEL	65713
#define DAOS_CHK_LEADER_BLOCK	65714
#define DAOS_CHK_LEADER_FAIL_REGPOOL	65715
#define DAOS_CHK_PS_NOTIFY_LEADER	65716
#define DAOS_CHK_PS_NOTIFY_ENGINE	65717
#define DAOS_CHK_SYNC_ORPHAN_PROCESS	65718
#define DAOS_CHK_FAIL_REPORT_POOL1	65719
#define DAOS_CHK_FAIL_REPORT_POOL2	65720
#define DAOS_CHK_ENGINE_DEATH	65721
#define DAOS_CHK_VERIFY_CONT_SHARDS	65722
#define DAOS_CHK_ORPHAN_POOL_SHARD	65723
#define DAOS_CHK_REPORT_FAILURE	65724
#define DAOS_MGMT_FAIL_CREATE_QUERY	65760
#define DAOS_WAL_NO_REPLAY	65792
#define DAOS_WAL_FAIL_REPLAY	65793
#define DAOS_MEM_FAIL_CHECKPOINT	65794
#define DLCK_MOCK_ROOT	131328
#define DLCK_FAULT_GETGRNAM	131329
#define DLCK_MOCK_NO_DAOS_SERVER_GROUP 131330
#define DLCK_FAULT_GETGROUPS	131331
#define DLCK_MOCK_NOT_IN_DAOS_SERVER_GROUP 131332
#define DLCK_FAULT_CREATE_LOG_DIR	131333
#define DLCK_FAULT_CREATE_POOL_DIR	131334
#define DLCK_FAULT_ENGINE_START	131335
#define DLCK_FAULT_ENGINE_EXEC	131336
#define DLCK_FAULT_ENGINE_JOIN	131337
#define DLCK_FAULT_ENGINE_STOP	131338
#define DAOS_FAULT_POOL_NVME_HEALTH	131584
#define DAOS_FAULT_POOL_OPEN_BIO	131585
#define DAOS_FAULT_POOL_OPEN_UMEM	131586
#define DAOS_FAULT_POOL_OPEN_MAGIC	131587
#define DAOS_FAULT_POOL_OPEN_VERSION	131588
#define DAOS_FAULT_POOL_OPEN_UUID	131589
#define DAOS_FAULT_BTREE_OPEN_INV_CLASS 131590
#define DAOS_FAULT_BTREE_OPEN_UNREG_CLASS 131591
#define DAOS_FAULT_BTREE_FEATURES	131592
#define DAOS_FAULT_POOL_EXT_PADDING	131593
#define DAOS_FAULT_POOL_EXT_RESERVED	131594
#define DAOS_DTX_SKIP_PREPARE	65605
/** A device that belongs to no NUMA node. */
#define DAOS_NVME_NUMANODE_NONE	(-1)
#define DAOS_NVME_MEM_PRIMARY	0
/** Largest message, in bytes, unless DAOS_RPC_SIZE_LIMIT in the environment says otherwise. */
#define DAOS_RPC_SIZE	20480
/** Most data that a message carries, in bytes; more goes by RMA. */
#define DAOS_BULK_LIMIT	19456
/** Log file of programs that ask for one without naming it. */
#define DAOS_LOG_DEFAULT	"/tmp/daos.log"

/* Groups of fault locations. */
enum {
	DAOS_FAIL_UNIT_TEST_GROUP = 1,
	DAOS_FAIL_SYS_TEST_GROUP = 2,
	DAOS_FAIL_MAX_GROUP = 3,
};

/** Called by daos_sgl_processor() for a piece: its bytes, how many, the argument. Not 0 ends the walk. */
typedef int (*daos_sgl_process_cb)(uint8_t *, size_t, void *);

/** Called by daos_hhash_traverse() for a record, with the argument. Not 0 ends the walk. */
typedef int (*daos_hhash_traverse_cb_t)(struct d_hlink *, void *);

/** Size of a kind of tree node, for estimates of metadata. */
struct daos_node_overhead {
	int no_size;	/**< bytes */
	int no_order;	/**< entries */
};

/** Sizes of a kind of tree, in bytes, for estimates of metadata. */
struct daos_tree_overhead {
	struct daos_node_overhead to_leaf_overhead;	/**< full leaves */
	int to_int_node_size;				/**< inner nodes */
	struct daos_node_overhead to_dyn_overhead[7];	/**< nodes that grow, by size */
	int to_dyn_count;				/**< how many of those sizes there are */
	int to_node_rec_msize;				/**< a record in a node */
	int to_record_msize;				/**< a record's own memory */
};

/** A place in a scatter-gather list. */
struct daos_sgl_idx {
	uint32_t iov_idx;	/**< vector */
	daos_off_t iov_offset;	/**< byte in it */
};

/** What daos_array_sort() and its kin have to know of an array: each gets it first. */
typedef struct {
	/** Swaps two elements. */
	void (*so_swap)(void *, int, int);
	/** Compares two elements: below, equal to or above 0. */
	int (*so_cmp)(void *, int, int);
	/** Compares an element's key with a key: below, equal to or above 0. */
	int (*so_cmp_key)(void *, int, uint64_t);
} daos_sort_ops_t;

/** The type of daos_ht. */
struct daos_hhash_table {
	struct d_hhash *dht_hhash;	/**< NULL before daos_hhash_init() */
};

/** The handle table of the process. */
extern struct daos_hhash_table daos_ht;

/**
 * Writes a UUID for a message, in the usual form of 36 characters; the argument of DF_UUID and DF_UUIDF.
 *
 * \param[in] uuid  16 bytes.
 * \return The text, "?" for NULL; of this thread, valid until it has made 8 more with this and its kin below.
 */
char *DP_UUID(const void *uuid);

/**
 * Packs or unpacks a scatter-gather list with its data. Unpacked buffers lie in the serialiser's
 * memory and live as long.
 *
 * \param[in,out] proc A struct crt_proc_buffer (cart/types.h).
 * \param[in] proc_op CRT_PROC_ENCODE: pack; CRT_PROC_DECODE: unpack; CRT_PROC_FREE: free what was
 *     unpacked.
 * \param[in,out] p The list; unpacking makes sg_iovs, and freeing frees it.
 * \return 0; -DER_INVAL: a NULL, no such buffer or operation, lengths that contradict each other;
 *     -DER_NOMEM; -DER_TRUNC: the bytes end early.
 */
int crt_proc_d_sg_list_t(crt_proc_t proc, crt_proc_op_t proc_op, d_sg_list_t *p);

/**
 * Packs or unpacks a property list. An empty one becomes NULL. Unpacked ACLs lie in the
 * serialiser's memory and live as long.
 *
 * \param[in,out] proc A struct crt_proc_buffer (cart/types.h).
 * \param[in] proc_op CRT_PROC_ENCODE: pack; CRT_PROC_DECODE: unpack; CRT_PROC_FREE: free what was
 *     unpacked.
 * \param[in,out] data The list; an unpacked one is freed with CRT_PROC_FREE, which sets it to NULL.
 * \return 0; -DER_INVAL: a NULL, no such buffer or operation, too many entries; -DER_NOMEM;
 *     -DER_TRUNC: the bytes end early.
 */
int crt_proc_daos_prop_t(crt_proc_t proc, crt_proc_op_t proc_op, daos_prop_t **data);

/**
 * Packs or unpacks an access control list, which lies in the serialiser's memory and lives as long.
 *
 * \param[in,out] proc A struct crt_proc_buffer (cart/types.h).
 * \param[in] proc_op CRT_PROC_ENCODE: pack; CRT_PROC_DECODE: unpack; CRT_PROC_FREE: free what was
 *     unpacked.
 * \param[in,out] data The list, or NULL for none.
 * \return 0; -DER_INVAL: a NULL, no such buffer or operation; -DER_NOMEM; -DER_TRUNC: the bytes end
 *     early.
 */
int crt_proc_struct_daos_acl(crt_proc_t proc, crt_proc_op_t proc_op, struct daos_acl **data);

/**
 * Packs or unpacks the identity of a transaction.
 *
 * \param[in,out] proc A struct crt_proc_buffer (cart/types.h).
 * \param[in] proc_op CRT_PROC_ENCODE: pack; CRT_PROC_DECODE: unpack; CRT_PROC_FREE: free what was
 *     unpacked.
 * \param[in,out] dti The identity.
 * \return 0; -DER_INVAL: a NULL, no such buffer or operation; -DER_HG: no memory, or the bytes end
 *     early.
 */
int crt_proc_struct_dtx_id(crt_proc_t proc, crt_proc_op_t proc_op, struct dtx_id *dti);

/**
 * Finds an element of a sorted array by binary search.
 *
 * \param[in] array  The array, as ops know it.
 * \param[in] len  Number of elements; below 2^31.
 * \param[in] key  The key.
 * \param[in] ops  so_cmp_key is needed.
 * \return Index of the first element with the key; -1: there is none, or a bad argument.
 */
int daos_array_find(void *array, unsigned int len, uint64_t key, daos_sort_ops_t *ops);

/**
 * daos_array_find(), or the element behind where the key would be.
 *
 * \param[in] array  The array, as ops know it.
 * \param[in] len  Number of elements; below 2^31.
 * \param[in] key  The key.
 * \param[in] ops  so_cmp_key is needed.
 * \return Index of the first element whose key is not below the key; -1: there is none, or a bad argument.
 */
int daos_array_find_ge(void *array, unsigned int len, uint64_t key, daos_sort_ops_t *ops);

/**
 * daos_array_find(), or the element before where the key would be.
 *
 * \param[in] array  The array, as ops know it.
 * \param[in] len  Number of elements; below 2^31.
 * \param[in] key  The key.
 * \param[in] ops  so_cmp_key is needed.
 * \return Index of the first element with the key, else of the last one below it; -1: there is none, or a bad
 *     argument.
 */
int daos_array_find_le(void *array, unsigned int len, uint64_t key, daos_sort_ops_t *ops);

/**
 * Puts an array into random order, with numbers of d_rand().
 *
 * \param[in,out] arr  The array, as ops know it.
 * \param[in] len  Number of elements; below 2^31.
 * \param[in] ops  so_swap is needed.
 */
void daos_array_shuffle(void *arr, unsigned int len, daos_sort_ops_t *ops);

/**
 * Sorts an array, ascending; equal elements come in any order.
 *
 * \param[in,out] array  The array, as ops know it.
 * \param[in] len  Number of elements; below 2^31.
 * \param[in] unique  Whether equal elements are an error.
 * \param[in] ops  so_cmp and so_swap are needed.
 * \return 0; -DER_INVAL: there are equal elements, and unique is set (the array is sorted all the same), or a bad
 *     argument.
 */
int daos_array_sort(void *array, unsigned int len, bool unique, daos_sort_ops_t *ops);

/**
 * Counts the bits of a bitmap that are 0.
 *
 * \param[in] used  The bitmap.
 * \param[in] bmap_sz  Number of its words of 64 bits.
 * \return The count; 0 for NULL.
 */
int daos_count_free_bits(uint64_t *used, int bmap_sz);

/**
 * Options for the initialisation of an RPC library, as servers and clients of DAOS have them: DAOS_RPC_SIZE_LIMIT
 * bytes of the environment (DAOS_RPC_SIZE if it is not set) as the largest message, sensors on servers.
 *
 * \param[in] server  Whether it is for a server.
 * \param[in] crt_nr  Number of contexts.
 * \return The options, of the process: the next call changes them, and the caller may set further ones.
 */
crt_init_options_t *daos_crt_init_opt_get(bool server, int crt_nr);

/**
 * Makes the name of a directory entry fit for a message; the argument of DF_DE.
 *
 * \param[in] de  The name.
 * \return The name as it is, "????" if it has control characters or quotes, "<NULL>"; of this thread, valid until
 *     it has made 8 more with this and its kin.
 */
char *daos_de2str(const char *de);

/**
 * Tells whether a fault is to be injected at a place of the program. One of the configuration (D_FI_CONFIG) with
 * the place's identifier decides first; else that of the place's group, which daos_fail_loc_set() sets, if this
 * place is the one.
 *
 * \param[in] id  The place: a DAOS_... location.
 * \return 1: yes; 0: no.
 */
int daos_fail_check(uint64_t id);

/** Undoes one daos_fail_init(), as d_fault_inject_fini(). */
void daos_fail_fini(void);

/**
 * Prepares the injection of faults, as d_fault_inject_init().
 *
 * \return 0; what d_fault_inject_init() answers.
 */
int daos_fail_init(void);

/** Ends what daos_fail_loc_set() began. */
void daos_fail_loc_reset(void);

/**
 * Chooses the place where daos_fail_check() says yes from now on.
 *
 * \param[in] id  The place, with DAOS_FAIL_ONCE, DAOS_FAIL_SOME (daos_fail_num_set() says how often) or
 *     DAOS_FAIL_ALWAYS; 0: none. One of a group that does not exist is ignored.
 */
void daos_fail_loc_set(uint64_t id);

/**
 * Sets how often a place fails that is chosen with DAOS_FAIL_SOME. Call it before daos_fail_loc_set().
 *
 * \param[in] num  How often; not 0.
 */
void daos_fail_num_set(uint64_t num);

/**
 * Tells the value that was set for the places that take one.
 *
 * \return The value.
 */
uint64_t daos_fail_value_get(void);

/**
 * Sets a value for the places that take one.
 *
 * \param[in] val  The value; what it means is the place's to say.
 */
void daos_fail_value_set(uint64_t val);

/**
 * Tells from a path whether it names a DAX device: whether it begins with "/dev/dax".
 *
 * \param[in] pathname  The path.
 * \return Whether it does; false for NULL.
 */
bool daos_file_is_dax(const char *pathname);

/**
 * Finds a run of bits that are 0 in one bitmap, or in two at once.
 *
 * \param[in] used  The bitmap.
 * \param[in] reserved  Second bitmap of the same size; NULL: none.
 * \param[in] bmap_sz  Number of words of 64 bits.
 * \param[in] bits_min  Shortest run that is of use; at least 1.
 * \param[in,out] bits  Length wanted, then the length found.
 * \return Number of the first bit of the first run that has the length wanted, else of the longest one; -1: none
 *     has bits_min, or a bad argument: bits is as before then.
 */
int daos_find_bits(uint64_t *used, uint64_t *reserved, int bmap_sz, int bits_min, int *bits);

/**
 * Tells the UUID that daos_dti_gen() takes for this thread's transactions, and chooses it if need be.
 *
 * \param[out] uuidp  The UUID.
 */
void daos_get_client_uuid(uuid_t *uuidp);

/**
 * Undoes one daos_hhash_init(). The last one ends the table, with the records in it.
 *
 * \return 0; -DER_UNINIT: there is none to undo.
 */
int daos_hhash_fini(void);

/**
 * Makes the handle table of the process, daos_ht. Calls are counted: each needs its daos_hhash_fini().
 *
 * \param[in] feats  D_HASH_FT_ flags, which the first call decides; D_HASH_FT_NO_KEYINIT_LOCK is added.
 * \return 0; -DER_NOMEM.
 */
int daos_hhash_init_feats(uint32_t feats);

/**
 * d_hhash_link_delete() of the process's table.
 *
 * \param[in] hlink  The record.
 * \return Whether it was in the table.
 */
bool daos_hhash_link_delete(struct d_hlink *hlink);

/**
 * d_hhash_link_getref() of the process's table.
 *
 * \param[in] hlink  The record.
 */
void daos_hhash_link_getref(struct d_hlink *hlink);

/**
 * d_hhash_link_insert() into the process's table. In a table of addresses the address becomes the handle.
 *
 * \param[in] hlink  The record, prepared and in no table.
 * \param[in] type  Low bits of the handle; see there.
 */
void daos_hhash_link_insert(struct d_hlink *hlink, int type);

/**
 * d_hhash_link_lookup() in the process's table.
 *
 * \param[in] key  The handle.
 * \return The record, whose reference is the caller's to drop with daos_hhash_link_putref(); NULL: there is none.
 */
struct d_hlink *daos_hhash_link_lookup(uint64_t key);

/**
 * d_hhash_link_putref() of the process's table.
 *
 * \param[in] hlink  The record.
 */
void daos_hhash_link_putref(struct d_hlink *hlink);

/**
 * d_hhash_traverse() over the process's table.
 *
 * \param[in] type  Type of the records.
 * \param[in] cb  Gets the record and arg.
 * \param[in] arg  For cb.
 * \return 0, or the answer of cb that ended the walk; -DER_INVAL: cb is NULL; -DER_UNINIT: there is no table.
 */
int daos_hhash_traverse(int type, daos_hhash_traverse_cb_t cb, void *arg);

/**
 * Allocates a buffer for a vector.
 *
 * \param[out] iov  The vector; daos_iov_free() frees the buffer, which is zeroed.
 * \param[in] size  Bytes; not 0.
 * \param[in] set_full  Whether it counts as full of data; else it is empty.
 * \return 0; -DER_INVAL: iov is NULL, or size is 0; -DER_NOMEM.
 */
int daos_iov_alloc(d_iov_t *iov, daos_size_t size, bool set_full);

/**
 * Puts bytes behind the data of a vector. If there is not the room for all of them, nothing changes.
 *
 * \param[in,out] iov  The vector.
 * \param[in] buf  The bytes.
 * \param[in] buf_len  How many.
 */
void daos_iov_append(d_iov_t *iov, void *buf, uint64_t buf_len);

/**
 * Compares the data of two vectors.
 *
 * \param[in] iov1  First vector.
 * \param[in] iov2  Second vector.
 * \return Whether they have the same bytes; false if one is NULL.
 */
bool daos_iov_cmp(d_iov_t *iov1, d_iov_t *iov2);

/**
 * Allocates a buffer for a vector, as large as another's, with the data of that.
 *
 * \param[out] dst  The vector; daos_iov_free() frees the buffer.
 * \param[in] src  Vector to copy; NULL, or one without a buffer, leaves dst as it is.
 * \return 0; -DER_INVAL: dst is NULL, or src has more data than room; -DER_NOMEM.
 */
int daos_iov_copy(d_iov_t *dst, d_iov_t *src);

/**
 * Frees the buffer of a vector, and empties the vector.
 *
 * \param[in,out] iov  The vector, whose buffer is of the C heap; NULL does nothing.
 */
void daos_iov_free(d_iov_t *iov);

/**
 * Makes a key fit for a message; an argument of DF_KEY.
 *
 * \param[in] key  The key.
 * \return Its printable text (up to 127 bytes, or a NUL) and, for a key of 8 bytes, its number; "????" if it has
 *     neither, "<NULL>" if it is empty; of this thread, valid until it has made 8 more with this and its kin.
 */
char *daos_key2str(daos_key_t *key);

/**
 * Makes a path fit for a message, as daos_de2str() does; the argument of DF_PATH.
 *
 * \param[in] path  The path.
 * \return As daos_de2str().
 */
char *daos_path2str(const char *path);

/**
 * Fills the properties that were asked for from those that came.
 *
 * \param[in,out] prop_req  Properties asked for; each gets a copy of the value, or DAOS_PROP_ENTRY_NOT_SET if it
 *     did not come. An entry of type 0 takes the type at its place in prop_reply, and a list of no entries gets all
 *     of them. The caller releases it with daos_prop_free(), also on failure.
 * \param[in] prop_reply  Properties that came.
 * \return 0; -DER_INVAL: prop_req is NULL, or a value is not well-formed; -DER_PROTO: nothing came; -DER_NOMEM.
 */
int daos_prop_copy(daos_prop_t *prop_req, daos_prop_t *prop_reply);

/**
 * Makes a copy of a list, without the entries that are DAOS_PROP_ENTRY_NOT_SET.
 *
 * \param[in] prop  The list.
 * \param[in] pool  Whether its properties are those of pools; else of containers.
 * \param[in] input  Whether values are checked too, as daos_prop_valid() does.
 * \return The copy, the caller's to release with daos_prop_free(); NULL: not valid, no entry is set, or no memory.
 */
daos_prop_t *daos_prop_dup(daos_prop_t *prop, bool pool, bool input);

/**
 * Copies a property: type, flags and value.
 *
 * \param[in] entry  Property to copy from.
 * \param[in,out] entry_dup  Property to overwrite; its old value is freed, so it must be zeroed or whole. The new
 *     one is released with its list.
 * \return 0; -DER_INVAL: a NULL, or a value that is not well-formed; -DER_NOMEM.
 */
int daos_prop_entry_copy(struct daos_prop_entry *entry, struct daos_prop_entry *entry_dup);

/**
 * Checks a list of properties: types that exist, each once, and values that a program may give.
 *
 * \param[in] prop  The list; NULL is none.
 * \param[in] pool  Whether they have to be properties of pools; else of containers.
 * \param[in] input  Whether values are checked; lists to be filled have none.
 * \return Whether it is valid.
 */
bool daos_prop_valid(daos_prop_t *prop, bool pool, bool input);

/**
 * Allocates extents.
 *
 * \param[in] nr  How many.
 * \return The extents, zeroed, the caller's to free with daos_recx_free(); NULL: no memory.
 */
daos_recx_t *daos_recx_alloc(uint32_t nr);

/**
 * Frees extents.
 *
 * \param[in] recx  Of the C heap; NULL does nothing.
 */
void daos_recx_free(daos_recx_t *recx);

/**
 * daos_sgls_copy_all() of one list.
 *
 * \param[out] dst  The copy; d_sgl_fini(dst, true) frees it.
 * \param[in] src  The list.
 * \return As daos_sgls_copy_all().
 */
int daos_sgl_alloc_copy_data(d_sg_list_t *dst, d_sg_list_t *src);

/**
 * Makes the buffer of one vector of a list larger. What is new is zeroed, the data stays.
 *
 * \param[in,out] sgl  The list, with buffers of the C heap; NULL, or one without vectors, does nothing.
 * \param[in] idx  Index of the vector.
 * \param[in] new_size  Bytes of room; less than it has does nothing.
 * \return 0; -DER_INVAL: no such vector; -DER_NOMEM: the buffer is as before.
 */
int daos_sgl_buf_extend(d_sg_list_t *sgl, int idx, size_t new_size);

/**
 * Room of all vectors of a list.
 *
 * \param[in] sgl  The list.
 * \return Bytes; 0 for NULL.
 */
daos_size_t daos_sgl_buf_size(d_sg_list_t *sgl);

/**
 * Copies the data of a list, vector by vector, into the buffers of another.
 *
 * \param[in,out] dst  The target, with at least as many vectors, each with the room.
 * \param[in] src  The list.
 * \return 0; -DER_INVAL: a NULL, or not the room: vectors before that one are copied.
 */
int daos_sgl_copy_data(d_sg_list_t *dst, d_sg_list_t *src);

/**
 * daos_sgl_copy_data() of the sg_nr_out vectors that a fetch has filled; takes sg_nr_out along.
 *
 * \param[in,out] dst  The target, with at least as many vectors as src, each with the room.
 * \param[in] src  The list.
 * \return As daos_sgl_copy_data().
 */
int daos_sgl_copy_data_out(d_sg_list_t *dst, d_sg_list_t *src);

/**
 * Data in the vectors of a list.
 *
 * \param[in] sgl  The list.
 * \param[in] out  Whether only the sg_nr_out first vectors count.
 * \return Bytes; 0 for NULL.
 */
daos_size_t daos_sgl_data_len(d_sg_list_t *sgl, bool out);

/**
 * Takes the next bytes of a list, as far as they lie in one vector, and moves the index behind them.
 *
 * \param[in] sgl  The list.
 * \param[in] check_buf  Whether the room of the vectors is walked; else their data.
 * \param[in,out] idx  The index; begin with zeros.
 * \param[in] buf_len_req  Most bytes to take.
 * \param[out] p_buf  Where they are, in the list's buffer; NULL behind the end. NULL: not wanted.
 * \param[out] p_buf_len  How many; NULL: not wanted.
 * \return Whether the list ends with them, or has ended.
 */
bool daos_sgl_get_bytes(d_sg_list_t *sgl, bool check_buf, struct daos_sgl_idx *idx,
                        size_t buf_len_req, uint8_t **p_buf, size_t *p_buf_len);

/**
 * Appends copies of the vectors of a list, with their data in buffers of their own, to another.
 *
 * \param[in,out] dst  List to append to, with vectors of the C heap.
 * \param[in] src  The list.
 * \return 0; -DER_INVAL: a NULL; -DER_OVERFLOW: a vector of src has more data than room; -DER_NOMEM; those appended
 *     before stay.
 */
int daos_sgl_merge(d_sg_list_t *dst, d_sg_list_t *src);

/**
 * Not in any library, neither here nor in the reference; daos_sgl_data_len(sgl, true) is the one to call.
 *
 * \param[in] sgl  The list.
 * \return Nothing: it does not link.
 */
daos_size_t daos_sgl_out_data_len(d_sg_list_t *sgl);

/**
 * Calls a function for each piece of the next bytes of a list, as daos_sgl_get_bytes() takes them.
 *
 * \param[in] sgl  The list.
 * \param[in] check_buf  Whether the room of the vectors is walked; else their data.
 * \param[in,out] idx  The index; begin with zeros.
 * \param[in] requested_bytes  Most bytes to walk.
 * \param[in] process_cb  Gets a piece, its bytes and cb_args; an answer other than 0 ends the walk. NULL: only the
 *     index moves.
 * \param[in] cb_args  For process_cb.
 * \return 0, also when the list ends before, or the answer of process_cb that ended the walk; -DER_INVAL: idx is
 *     NULL.
 */
int daos_sgl_processor(d_sg_list_t *sgl, bool check_buf, struct daos_sgl_idx *idx,
                       size_t requested_bytes, daos_sgl_process_cb process_cb, void *cb_args);

/**
 * Makes lists with as many vectors as others have, and empty buffers as large as theirs.
 *
 * \param[out] dst  Array of the lists; d_sgl_fini(..., true) frees each. One for a list without vectors is left as
 *     it is.
 * \param[in] src  Array of the others.
 * \param[in] nr  How many.
 * \return 0; -DER_INVAL: a NULL, or nr is negative; -DER_NOMEM: nothing is left to free.
 */
int daos_sgls_alloc(d_sg_list_t *dst, d_sg_list_t *src, int nr);

/**
 * Room of all vectors of several lists.
 *
 * \param[in] sgls  Array of the lists.
 * \param[in] nr  How many.
 * \return Bytes; 0 for NULL.
 */
daos_size_t daos_sgls_buf_size(d_sg_list_t *sgls, int nr);

/**
 * Makes copies of lists, with buffers of their own, as large, and the data.
 *
 * \param[out] dst  Array of the copies; d_sgl_fini(..., true) frees each. One of a list without vectors is left as
 *     it is.
 * \param[in] dst_nr  Room in it.
 * \param[in] src  Array of the lists.
 * \param[in] src_nr  How many.
 * \return 0; -DER_INVAL: a NULL, not the room, or more data than room in a vector; -DER_NOMEM; either way nothing
 *     is left to free.
 */
int daos_sgls_copy_all(d_sg_list_t *dst, int dst_nr, d_sg_list_t *src, int src_nr);

/**
 * daos_sgl_copy_data_out() of several lists.
 *
 * \param[in,out] dst  Array of the targets.
 * \param[in] dst_nr  How many.
 * \param[in] src  Array of the lists.
 * \param[in] src_nr  How many; not more than targets.
 * \return As daos_sgl_copy_data(); lists before the one that failed are copied.
 */
int daos_sgls_copy_data_out(d_sg_list_t *dst, int dst_nr, d_sg_list_t *src, int src_nr);

/**
 * Makes copies of lists whose vectors point at the same buffers.
 *
 * \param[out] dst  Array of the copies; d_sgl_fini(..., false) frees each. One of a list without vectors is left as
 *     it is.
 * \param[in] dst_nr  Room in it.
 * \param[in] src  Array of the lists; their buffers must stay.
 * \param[in] src_nr  How many.
 * \return 0; -DER_INVAL: a NULL, or not the room; -DER_NOMEM: nothing is left to free.
 */
int daos_sgls_copy_ptr(d_sg_list_t *dst, int dst_nr, d_sg_list_t *src, int src_nr);

/**
 * Size of lists in a message: the room of all buffers, and their descriptions.
 *
 * \param[in] sgls  Array of the lists.
 * \param[in] nr  How many.
 * \param[out] buf_size  The room of the buffers alone; NULL: not wanted.
 * \return Bytes; 0 for NULL.
 */
daos_size_t daos_sgls_packed_size(d_sg_list_t *sgls, int nr, daos_size_t *buf_size);

/**
 * Packs shard numbers into a value for daos_fail_value_set().
 *
 * \param[in] shards  The numbers; none may be 65535.
 * \param[in] nr  How many, 1 to 4.
 * \return The value; 0: no numbers, or too many.
 */
uint64_t daos_shard_fail_value(uint16_t *shards, int nr);

/**
 * Tells whether a shard number is packed into the value of daos_fail_value_set().
 *
 * \param[in] shard  The number.
 * \return Whether it is.
 */
bool daos_shard_in_fail_value(uint16_t shard);

/**
 * Takes white space off both ends of a text, in place.
 *
 * \param[in,out] str  The text; a NUL goes behind its last visible character.
 * \return Its first visible character; NULL: there is none, or str is NULL.
 */
char *daos_str_trimwhite(char *str);

/* ---- walking a scatter-gather list ---- */

/** Moves the index forward within the buffer of its vector, or to the start of the next one at its end. */
static inline void
sgl_move_forward(d_sg_list_t *sgl, struct daos_sgl_idx *sgl_idx, uint64_t bytes)
{
	sgl_idx->iov_offset += bytes;
	if (sgl_idx->iov_offset < sgl->sg_iovs[sgl_idx->iov_idx].iov_buf_len)
		return;
	sgl_idx->iov_offset = 0;
	sgl_idx->iov_idx++;
}

/** The byte at the index, or NULL beyond the vectors that hold data. */
static inline void *
sgl_indexed_byte(d_sg_list_t *sgl, struct daos_sgl_idx *sgl_idx)
{
	if (sgl_idx->iov_idx > sgl->sg_nr_out - 1)
		return NULL;
	return (char *)sgl->sg_iovs[sgl_idx->iov_idx].iov_buf + sgl_idx->iov_offset;
}

/** Moves the index to the next vector unless bytes more of data follow in this one. */
static inline void
sgl_test_forward(d_sg_list_t *sgl, struct daos_sgl_idx *sgl_idx, uint64_t bytes)
{
	if (sgl_idx->iov_offset + bytes <= sgl->sg_iovs[sgl_idx->iov_idx].iov_len)
		return;
	sgl_idx->iov_offset = 0;
	sgl_idx->iov_idx++;
}

/** Whether there is no data. */
static inline bool
daos_iov_empty(d_iov_t *iov)
{
	return iov == NULL || iov->iov_buf == NULL || iov->iov_len == 0;
}

/* ---- hashes, bitmaps (ranges include both ends) ---- */

static inline uint64_t
daos_u64_hash(uint64_t val, unsigned int bits)
{
	return d_u64_hash(val, bits);
}

static inline uint32_t
daos_u32_hash(uint64_t key, unsigned int bits)
{
	return d_u32_hash(key, bits);
}

static inline unsigned int
daos_power2_nbits(unsigned int val)
{
	return d_power2_nbits(val);
}

static inline int
__is_po2(unsigned long long val)
{
	return (val & (val - 1)) == 0;
}

/** Whether all bits of the range are set. */
static inline uint8_t
isset_range(uint8_t *bitmap, uint32_t start, uint32_t end)
{
	for (; start <= end; start++) {
		if (isclr(bitmap, start))
			return 0;
	}
	return 1;
}

/** Whether all bits of the range are clear. */
static inline uint8_t
isclr_range(uint8_t *bitmap, uint32_t start, uint32_t end)
{
	for (; start <= end; start++) {
		if (isset(bitmap, start))
			return 0;
	}
	return 1;
}

/** Sets all bits of the range. */
static inline void
setbit_range(uint8_t *bitmap, uint32_t start, uint32_t end)
{
	for (; start <= end; start++)
		setbit(bitmap, start);
}

/** Clears all bits of the range. */
static inline void
clrbit_range(uint8_t *bitmap, uint32_t start, uint32_t end)
{
	for (; start <= end; start++)
		clrbit(bitmap, start);
}

/** Sets bits, at least one, from at on. */
static inline void
setbits64(uint64_t *bmap, int at, int bits)
{
	setbit_range((uint8_t *)bmap, at, at + bits - 1);
}

/** Clears bits, at least one, from at on. */
static inline void
clrbits64(uint64_t *bmap, int at, int bits)
{
	clrbit_range((uint8_t *)bmap, at, at + bits - 1);
}

/** Whether uuid is not NULL and not all zero. */
static inline bool
daos_uuid_valid(const uuid_t uuid)
{
	return uuid != NULL && uuid_is_null(uuid) == 0;
}

/** Whether the list has ranks. */
static inline bool
daos_rank_list_valid(const d_rank_list_t *rl)
{
	return rl != NULL && rl->rl_ranks != NULL && rl->rl_nr > 0;
}

/* ---- time ---- */

/** Monotonic clock in nanoseconds; _coarse: to the kernel's tick. */
static inline uint64_t
daos_get_ntime(void)
{
	struct timespec now;

	d_gettime(&now);
	return (uint64_t)now.tv_sec * NSEC_PER_SEC + now.tv_nsec;
}

/** Monotonic clock in nanoseconds, to the kernel's tick: cheaper than daos_get_ntime(). */
static inline uint64_t
daos_getntime_coarse(void)
{
	struct timespec now;

	d_gettime_coarse(&now);
	return (uint64_t)now.tv_sec * NSEC_PER_SEC + now.tv_nsec;
}

/** Monotonic clock in microseconds. */
static inline uint64_t
daos_getutime(void)
{
	return daos_get_ntime() / NSEC_PER_USEC;
}

/** Monotonic clock in milliseconds, to the kernel's tick. */
static inline uint64_t
daos_getmtime_coarse(void)
{
	return daos_getntime_coarse() / NSEC_PER_MSEC;
}

/** Monotonic clock in seconds. */
static inline uint64_t
daos_gettime_coarse(void)
{
	return daos_getntime_coarse() / NSEC_PER_SEC;
}

/** Seconds since 1970; 0 when the clock can't be read. */
static inline uint64_t
daos_wallclock_secs(void)
{
	struct timespec now;

	return __d_clock_read(CLOCK_REALTIME, &now) == 0 ? (uint64_t)now.tv_sec : 0;
}

/* ---- errors ---- */

/** The -DER_ number for an errno value (0 or positive). */
static inline int
daos_errno2der(int err)
{
	if (err < 0) {
		D_ERROR("%d is no errno value\n", err);
		return -DER_UNKNOWN;
	}
	switch (err) {
	case EOVERFLOW:
		return -DER_OVERFLOW;
	case EBADF:
		return -DER_NO_HDL;
	case ENOSYS:
		return -DER_NOSYS;
	case ETIMEDOUT:
		return -DER_TIMEDOUT;
	case EWOULDBLOCK:
		return -DER_AGAIN;
	case EPROTO:
		return -DER_PROTO;
	case EINVAL:
		return -DER_INVAL;
	case ENOTDIR:
		return -DER_NOTDIR;
	case EIO:
		return -DER_IO;
	case ENOTSUP:
		return -DER_NOTSUPPORTED;
	default:
		return d_errno2der(err);
	}
}

/** The errno value for a result of libdaos (0 or -DER_xxx); numbers without a counterpart become EIO. */
static inline int
daos_der2errno(int err)
{
	if (err > 0) {
		D_ERROR("%d is no result\n", err);
		return EINVAL;
	}
	switch (-err) {
	case DER_SUCCESS:
		return 0;
	case DER_NO_PERM:
	case DER_EP_RO:
	case DER_EP_OLD:
	case DER_CONT_DESTROYING:
		return EPERM;
	case DER_NONEXIST:
	case DER_ENOENT:
		return ENOENT;
	case DER_KEY2BIG:
	case DER_REC2BIG:
		return E2BIG;
	case DER_AGAIN:
		return EAGAIN;
	case DER_NOMEM:
	case DER_DOS:
		return ENOMEM;
	case DER_BUSY:
	case DER_EQ_BUSY:
		return EBUSY;
	case DER_EXIST:
		return EEXIST;
	case DER_NOTDIR:
	case DER_BADPATH:
		return ENOTDIR;
	case DER_INVAL:
	case DER_NO_HDL:
	case DER_NOTYPE:
	case DER_NOSCHEMA:
	case DER_NOLOCAL:
	case DER_IO_INVAL:
		return EINVAL;
	case DER_NOSPACE:
		return ENOSPC;
	case DER_PROTO:
		return EPROTO;
	case DER_OVERFLOW:
		return EOVERFLOW;
	case DER_TX_RESTART:
		return ERESTART;
	case DER_NOTSUPPORTED:
		return ENOTSUP;
	case DER_TIMEDOUT:
		return ETIMEDOUT;
	case DER_UNREACH:
		return EHOSTUNREACH;
	case DER_ALREADY:
		return EALREADY;
	case DER_STALE:
		return ESTALE;
	case DER_CANCELED:
		return ECANCELED;
	default:
		return EIO;
	}
}

/** Whether an error tells of the network rather than of the request. */
static inline bool
daos_crt_network_error(int err)
{
	switch (-err) {
	case DER_HG:
	case DER_UNREACH:
	case DER_CANCELED:
	case DER_NOREPLY:
	case DER_OOG:
		return true;
	}
	return false;
}

/** Whether an error is too usual to be logged. */
static inline bool
daos_quiet_error(int err)
{
	return err == -DER_GRPVER;
}

/** Opens the handle table of the process. \return 0 or a -DER_ number. */
static inline int
daos_hhash_init(void)
{
	return daos_hhash_init_feats(D_HASH_FT_GLOCK | D_HASH_FT_LRU);
}

/* ---- extents ---- */

/** Makes dst the smallest extent that holds it and [offset, offset + size). */
static inline void
daos_recx_merge_with_offset_size(daos_recx_t *dst, uint64_t offset, uint64_t size)
{
	uint64_t end = MAX(offset + size, DAOS_RECX_PTR_END(dst));

	dst->rx_idx = MIN(offset, dst->rx_idx);
	dst->rx_nr  = end - dst->rx_idx;
}

/** Makes dst the smallest extent that holds both. */
static inline void
daos_recx_merge(daos_recx_t *src, daos_recx_t *dst)
{
	daos_recx_merge_with_offset_size(dst, src->rx_idx, src->rx_nr);
}

/** Whether the extents overlap or touch. */
static inline bool
daos_recx_can_merge_with_offset_size(daos_recx_t *recx, uint64_t offset, uint64_t size)
{
	return recx->rx_idx <= offset + size && offset <= DAOS_RECX_PTR_END(recx);
}

/** The same for two extents. */
static inline bool
daos_recx_can_merge(daos_recx_t *src, daos_recx_t *dst)
{
	return daos_recx_can_merge_with_offset_size(dst, src->rx_idx, src->rx_nr);
}

/* ---- container types ---- */

/** Parses a container type, in any case; unknown names give DAOS_PROP_CO_LAYOUT_UNKNOWN. */
static inline void
daos_parse_ctype(const char *string, daos_cont_layout_t *type)
{
	static const struct {
		const char        *name;
		daos_cont_layout_t type;
	} names[] = {
	    {"POSIX", DAOS_PROP_CO_LAYOUT_POSIX},       {"HDF5", DAOS_PROP_CO_LAYOUT_HDF5},
	    {"PYTHON", DAOS_PROP_CO_LAYOUT_PYTHON},     {"SPARK", DAOS_PROP_CO_LAYOUT_SPARK},
	    {"DATABASE", DAOS_PROP_CO_LAYOUT_DATABASE}, {"DB", DAOS_PROP_CO_LAYOUT_DATABASE},
	    {"ROOT", DAOS_PROP_CO_LAYOUT_ROOT},         {"RNTuple", DAOS_PROP_CO_LAYOUT_ROOT},
	    {"SEISMIC", DAOS_PROP_CO_LAYOUT_SEISMIC},   {"DSG", DAOS_PROP_CO_LAYOUT_SEISMIC},
	    {"METEO", DAOS_PROP_CO_LAYOUT_METEO},       {"FDB", DAOS_PROP_CO_LAYOUT_METEO},
	};
	size_t i;

	*type = DAOS_PROP_CO_LAYOUT_UNKNOWN;
	for (i = 0; i < ARRAY_SIZE(names); i++) {
		if (strcasecmp(string, names[i].name) == 0)
			*type = names[i].type;
	}
}

/** Writes the name of a container type, at most 9 bytes with the NUL. */
static inline void
daos_unparse_ctype(daos_cont_layout_t ctype, char *string)
{
	static const char *const names[DAOS_PROP_CO_LAYOUT_MAX] = {"unknown", "POSIX",    "HDF5", "PYTHON", "SPARK",
								   "DATABASE", "ROOT", "SEISMIC", "METEO"};

	strcpy(string, ctype < DAOS_PROP_CO_LAYOUT_MAX ? names[ctype] : names[0]);
}

/* ---- anchors ---- */

static inline void
daos_anchor_set_flags(daos_anchor_t *anchor, uint32_t flags)
{
	anchor->da_flags = flags;
}

/** Flags of an anchor (DIOF_). */
static inline uint32_t
daos_anchor_get_flags(daos_anchor_t *anchor)
{
	return anchor->da_flags;
}

/** Makes an anchor that of an enumeration's end. */
static inline void
daos_anchor_set_eof(daos_anchor_t *anchor)
{
	anchor->da_type = DAOS_ANCHOR_TYPE_EOF;
}

/** Makes an anchor that of an enumeration's start. */
static inline void
daos_anchor_set_zero(daos_anchor_t *anchor)
{
	anchor->da_type = DAOS_ANCHOR_TYPE_ZERO;
}

/** Whether an anchor is that of an enumeration's start. */
static inline bool
daos_anchor_is_zero(daos_anchor_t *anchor)
{
	return anchor->da_type == DAOS_ANCHOR_TYPE_ZERO;
}

#if defined(__cplusplus)
}
#endif

#endif /* DAOS_INC_DAOS_COMMON_H */
