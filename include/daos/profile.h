/*
 * SPDX-License-Identifier: BSD-2-Clause-Patent
 *
 * Recording of operation timings.
 */
#ifndef DAOS_INC_DAOS_PROFILE_H
#define DAOS_INC_DAOS_PROFILE_H

#include <daos_errno.h>
#include <daos/debug.h>
#include <gurt/hash.h>
#include <gurt/common.h>
#include <daos_types.h>

#if defined(__cplusplus)
extern "C" {
#endif

enum profile_op {
	OBJ_PF_UPDATE_PREP = 0,
	OBJ_PF_UPDATE_DISPATCH = 1,
	OBJ_PF_UPDATE_LOCAL = 2,
	OBJ_PF_UPDATE_END = 3,
	OBJ_PF_BULK_TRANSFER = 4,
	OBJ_PF_UPDATE_REPLY = 5,
	OBJ_PF_UPDATE = 6,
	VOS_UPDATE_END = 7,
	PF_MAX_CNT = 8,
};

struct daos_profile_chunk {
	d_list_t dpc_chunk_list;
	uint32_t dpc_chunk_offset;
	uint32_t dpc_chunk_size;
	uint64_t *dpc_chunks;
};

struct daos_profile_op {
	int dpo_op;
	char *dpo_op_name;
	int dpo_acc_cnt;
	int dpo_acc_val;
	d_list_t dpo_chunk_list;
	d_list_t dpo_chunk_idle_list;
	int dpo_chunk_total_cnt;
	int dpo_chunk_cnt;
	struct daos_profile_chunk *dpo_current_chunk;
};

struct daos_profile {
	struct daos_profile_op *dp_ops;
	int dp_ops_cnt;
	int dp_avg;
	int dp_xid;
	int dp_rank;
	char *dp_dir_path;
	char **dp_names;
	void *dp_dump_thread;
	unsigned int dp_empty : 1;
};

/**
 * Records a value of a step. Every dp_avg values their mean (whole numbers) is kept.
 *
 * \param[in,out] dp  A profile of daos_profile_init().
 * \param[in] id  The step: an enum profile_op.
 * \param[in] val  The value, by convention microseconds.
 * \return 0; -DER_INVAL: dp is NULL or no such step; -DER_NOMEM.
 */
int daos_profile_count(struct daos_profile *dp, int id, int val);

/**
 * Frees a profile; what was not dumped is lost. NULL is allowed.
 *
 * \param[in,out] dp  The profile.
 */
void daos_profile_destroy(struct daos_profile *dp);

/**
 * Appends a line "step mean" for every mean that is kept to the file profile-RANK-TARGET.dump in the profile's
 * folder, and empties the profile. Without any mean no file is made.
 *
 * \param[in,out] dp  The profile.
 */
void daos_profile_dump(struct daos_profile *dp);

/**
 * Makes a profile. It is not for several threads at once.
 *
 * \param[out] dp_p  The profile; daos_profile_destroy() frees it.
 * \param[in] path  Folder of the dump, copied; NULL: the working directory at the time of the dump.
 * \param[in] avg  How many values make a mean; -1: all up to the dump.
 * \param[in] rank  Rank in the file's name.
 * \param[in] tgt_id  Target in the file's name.
 * \return 0; -DER_INVAL: dp_p is NULL; -DER_NOMEM.
 */
int daos_profile_init(struct daos_profile **dp_p, char *path, int avg, int rank, int tgt_id);

/**
 * Declared for source compatibility only; no library defines it.
 *
 * \param[in,out] dp  The profile.
 * \return Nothing: it is not there to be linked.
 */
int daos_profile_stop(struct daos_profile *dp);

#if defined(__cplusplus)
}
#endif

#endif /* DAOS_INC_DAOS_PROFILE_H */
