/*
 * SPDX-License-Identifier: BSD-2-Clause-Patent
 *
 * Identifiers, states and membership records of distributed transactions.
 */
#ifndef DAOS_INC_DAOS_DTX_H
#define DAOS_INC_DAOS_DTX_H

#include <time.h>
#include <uuid/uuid.h>
#include <inttypes.h>
#include <string.h>
#include <stdbool.h>
#include <daos_types.h>
#include <gurt/debug.h>
#include <gurt/common.h>

#if defined(__cplusplus)
extern "C" {
#endif

/** Transactions that may wait for their commit before one batch goes. */
#define DTX_THRESHOLD_COUNT	512
/** Commits that go along with a request, at most. */
#define DTX_PIGGYBACK_COUNT	64
/** Seconds that a transaction may wait for its commit. */
#define DTX_COMMIT_THRESHOLD_AGE	10
/** Targets of a collective transaction that are listed in its record itself. */
#define DTX_COLL_INLINE_TARGETS	4
/** Flag of an epoch: writes up to the uncertainty of clocks later may have been before. */
#define DTX_EPOCH_UNCERTAIN	1U

/** Flags of dtx_daos_target. */
enum dtx_target_flags {
	DTF_RDONLY = 1,	/**< only read from */
};

/** Flags of dtx_redundancy_group. */
enum dtx_grp_flags {
	DGF_RDONLY = 1,	/**< only read from */
};

/** Flags of dtx_memberships. */
enum dtx_mbs_flags {
	DMF_SRDG_REP = 1,	/**< one group, of replicas */
	DMF_CONTAIN_LEADER = 2,	/**< the leader is the first target */
	DMF_SORTED_TGT_ID = 4,	/**< targets ordered by number */
	DMF_SORTED_SAD_IDX = 8,	/**< targets ordered by shard */
	DMF_COLL_TARGET = 16,	/**< a dtx_coll_target follows the targets */
	DMF_RANK_RANGE = 32,	/**< a range of ranks follows that */
};

/** What an operation looks at a version for: decides what transactions in doubt mean to it. */
enum daos_ops_intent {
	DAOS_INTENT_DEFAULT = 0,
	DAOS_INTENT_PURGE = 1,
	DAOS_INTENT_UPDATE = 2,
	DAOS_INTENT_PUNCH = 3,
	DAOS_INTENT_MIGRATION = 4,
	DAOS_INTENT_CHECK = 5,
	DAOS_INTENT_KILL = 6,
	DAOS_INTENT_IGNORE_NONCOMMITTED = 7,
	DAOS_INTENT_DISCARD = 8,
	DAOS_INTENT_MARK = 9,
};

/** State of a transaction. */
enum dtx_status {
	DTX_ST_INITED = 0,
	DTX_ST_PREPARED = 1,	/**< its changes are there, its outcome is open */
	DTX_ST_COMMITTED = 2,
	DTX_ST_CORRUPTED = 3,	/**< participants do not agree */
	DTX_ST_COMMITTABLE = 4,	/**< prepared everywhere */
	DTX_ST_ABORTED = 5,
	DTX_ST_ABORTING = 6,
	DTX_ST_COMMITTING = 7,
	DTX_ST_PREPARING = 8,
};

/** Whether a version can be seen, as its transaction is. */
enum daos_dtx_alb {
	ALB_UNAVAILABLE = 0,		/**< no: in doubt */
	ALB_AVAILABLE_CLEAN = 1,	/**< yes: committed */
	ALB_AVAILABLE_DIRTY = 2,	/**< yes, though in doubt */
	ALB_AVAILABLE_ABORTED = 3,	/**< it was aborted */
};

/** Flags of a transaction's commit. */
enum daos_tx_flags {
	DTF_RETRY_COMMIT = 1,	/**< it may have been sent before */
};

/** A target that takes part. */
struct dtx_daos_target {
	uint32_t ddt_id;	/**< its number in the pool map */
	union {
		uint32_t ddt_flags;
		uint32_t ddt_padding;
	};
};

/** Targets that hold the same data. */
struct dtx_redundancy_group {
	uint32_t drg_tgt_cnt;		/**< how many */
	uint16_t drg_redundancy;	/**< how many may fail */
	uint16_t drg_flags;		/**< DGF_ */
	uint32_t drg_ids[0];		/**< their numbers in the pool map */
};

/** Who takes part in a collective transaction: from what an object's layout is made, and an engine's own targets. */
struct dtx_coll_target {
	uint32_t dct_fdom_lvl;		/**< level of fault domains */
	uint32_t dct_pda;		/**< performance domain affinity */
	uint32_t dct_pdom_lvl;		/**< level of performance domains */
	uint16_t dct_layout_ver;	/**< version of the layout */
	uint8_t dct_tgt_nr;		/**< number of dct_tgts */
	uint8_t dct_bitmap_sz;		/**< bytes of the bitmap of targets behind them */
	uint32_t dct_tgts[0];		/**< targets listed one by one */
};

/** Who takes part in a transaction: targets, then redundancy groups or a dtx_coll_target. */
struct dtx_memberships {
	uint32_t dm_tgt_cnt;	/**< number of targets */
	uint32_t dm_grp_cnt;	/**< number of groups */
	uint32_t dm_data_size;	/**< bytes behind this header */
	uint16_t dm_flags;	/**< DMF_ */
	union {
		uint16_t dm_dte_flags;
		uint16_t dm_padding;
	};
	union {
		char dm_data[0];
		struct dtx_daos_target dm_tgts[0];
	};
};

/** Identifier of a transaction. */
struct dtx_id {
	uuid_t dti_uuid;	/**< who made it */
	uint64_t dti_hlc;	/**< when; 0: no transaction */
};

/** Epoch of a transaction, and what is known of it. */
struct dtx_epoch {
	daos_epoch_t oe_value;	/**< 0 or DAOS_EPOCH_MAX: not chosen */
	daos_epoch_t oe_first;	/**< that of the first choice */
	uint32_t oe_flags;	/**< DTX_EPOCH_ */
	union {
		uint32_t oe_padding;
		uint32_t oe_rpc_flags;
	};
};

/**
 * Makes an identifier of a transaction: the UUID of the calling thread, which its first call chooses, and a
 * timestamp, later than those before.
 *
 * \param[out] dti  The identifier; NULL does nothing.
 * \param[in] zero  Make the zero identifier, which stands for none.
 */
void daos_dti_gen(struct dtx_id *dti, bool zero);

/**
 * Makes an identifier of a transaction with a UUID of its own.
 *
 * \param[out] dti  The identifier; NULL does nothing.
 */
void daos_dti_gen_unique(struct dtx_id *dti);

/** Forgets the UUID of the calling thread: the next daos_dti_gen() chooses another. For a child after fork(). */
void daos_dti_reset(void);

#ifndef DF_UUID
#define DF_UUID "%.8s"
#define DF_UUIDF "%s"
#endif
#define DF_DTI DF_UUID "." DF_X64
#define DF_DTIF DF_UUIDF "." DF_X64
#define DP_DTI(dti) DP_UUID((dti)->dti_uuid), (dti)->dti_hlc

/** Copies an identifier; NULL stands for the zero one. */
static inline void
daos_dti_copy(struct dtx_id *des, const struct dtx_id *src)
{
	if (src == NULL)
		memset(des, 0, sizeof(*des));
	else
		*des = *src;
}

/** Whether it is the zero identifier. */
static inline bool
daos_is_zero_dti(const struct dtx_id *dti)
{
	return dti->dti_hlc == 0;
}

/** Whether two identifiers are the same. */
static inline bool
daos_dti_equal(struct dtx_id *dti0, struct dtx_id *dti1)
{
	return memcmp(dti0, dti1, sizeof(*dti0)) == 0;
}

/** The range of ranks at the end of the membership data of a collective transaction. */
static inline uint32_t *
dtx_coll_mbs_rankrange(struct dtx_memberships *mbs)
{
	struct dtx_coll_target *coll = (struct dtx_coll_target *)(mbs->dm_tgts + mbs->dm_tgt_cnt);
	size_t                  bytes;

	D_ASSERT(mbs->dm_flags & DMF_COLL_TARGET);
	D_ASSERT(mbs->dm_flags & DMF_RANK_RANGE);
	bytes = (size_t)((char *)coll->dct_tgts - mbs->dm_data);
	bytes += coll->dct_tgt_nr * sizeof(coll->dct_tgts[0]) + coll->dct_bitmap_sz;
	return (uint32_t *)(mbs->dm_data + D_ALIGNUP(bytes, 4));
}

/** The transaction's state that an availability check's answer tells of; errors pass through. */
static inline unsigned int
dtx_alb2state(int alb)
{
	if (alb == ALB_UNAVAILABLE || alb == ALB_AVAILABLE_DIRTY)
		return DTX_ST_PREPARED;
	if (alb == ALB_AVAILABLE_CLEAN)
		return DTX_ST_COMMITTED;
	if (alb == ALB_AVAILABLE_ABORTED)
		return DTX_ST_ABORTED;
	D_ASSERTF(alb < 0, "%d is no availability\n", alb);
	return (unsigned int)alb;
}

/** Whether an epoch has been chosen. */
static inline bool
dtx_epoch_chosen(struct dtx_epoch *epoch)
{
	return epoch->oe_value != 0 && epoch->oe_value != DAOS_EPOCH_MAX;
}

/** Whether two epochs, and what is known of them, are the same. */
static inline bool
dtx_epoch_equal(struct dtx_epoch *a, struct dtx_epoch *b)
{
	return a->oe_value == b->oe_value && a->oe_first == b->oe_first && a->oe_flags == b->oe_flags;
}

#if defined(__cplusplus)
}
#endif

#endif /* DAOS_INC_DAOS_DTX_H */
