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

#define DTX_THRESHOLD_COUNT	512
#define DTX_PIGGYBACK_COUNT	64
#define DTX_COMMIT_THRESHOLD_AGE	10
#define DTX_COLL_INLINE_TARGETS	4
#define DTX_EPOCH_UNCERTAIN	1U

enum dtx_target_flags {
	DTF_RDONLY = 1,
};

enum dtx_grp_flags {
	DGF_RDONLY = 1,
};

enum dtx_mbs_flags {
	DMF_SRDG_REP = 1,
	DMF_CONTAIN_LEADER = 2,
	DMF_SORTED_TGT_ID = 4,
	DMF_SORTED_SAD_IDX = 8,
	DMF_COLL_TARGET = 16,
	DMF_RANK_RANGE = 32,
};

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

enum dtx_status {
	DTX_ST_INITED = 0,
	DTX_ST_PREPARED = 1,
	DTX_ST_COMMITTED = 2,
	DTX_ST_CORRUPTED = 3,
	DTX_ST_COMMITTABLE = 4,
	DTX_ST_ABORTED = 5,
	DTX_ST_ABORTING = 6,
	DTX_ST_COMMITTING = 7,
	DTX_ST_PREPARING = 8,
};

enum daos_dtx_alb {
	ALB_UNAVAILABLE = 0,
	ALB_AVAILABLE_CLEAN = 1,
	ALB_AVAILABLE_DIRTY = 2,
	ALB_AVAILABLE_ABORTED = 3,
};

enum daos_tx_flags {
	DTF_RETRY_COMMIT = 1,
};

struct dtx_daos_target {
	uint32_t ddt_id;
	union {
		uint32_t ddt_flags;
		uint32_t ddt_padding;
	};
};

struct dtx_redundancy_group {
	uint32_t drg_tgt_cnt;
	uint16_t drg_redundancy;
	uint16_t drg_flags;
	uint32_t drg_ids[0];
};

struct dtx_coll_target {
	uint32_t dct_fdom_lvl;
	uint32_t dct_pda;
	uint32_t dct_pdom_lvl;
	uint16_t dct_layout_ver;
	uint8_t dct_tgt_nr;
	uint8_t dct_bitmap_sz;
	uint32_t dct_tgts[0];
};

struct dtx_memberships {
	uint32_t dm_tgt_cnt;
	uint32_t dm_grp_cnt;
	uint32_t dm_data_size;
	uint16_t dm_flags;
	union {
		uint16_t dm_dte_flags;
		uint16_t dm_padding;
	};
	union {
		char dm_data[0];
		struct dtx_daos_target dm_tgts[0];
	};
};

struct dtx_id {
	uuid_t dti_uuid;
	uint64_t dti_hlc;
};

struct dtx_epoch {
	daos_epoch_t oe_value;
	daos_epoch_t oe_first;
	uint32_t oe_flags;
	union {
		uint32_t oe_padding;
		uint32_t oe_rpc_flags;
	};
};

void daos_dti_gen(struct dtx_id *dti, bool zero);

void daos_dti_gen_unique(struct dtx_id *dti);

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

static inline bool
daos_is_zero_dti(const struct dtx_id *dti)
{
	return dti->dti_hlc == 0;
}

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

static inline bool
dtx_epoch_equal(struct dtx_epoch *a, struct dtx_epoch *b)
{
	return a->oe_value == b->oe_value && a->oe_first == b->oe_first && a->oe_flags == b->oe_flags;
}

#if defined(__cplusplus)
}
#endif

#endif /* DAOS_INC_DAOS_DTX_H */
