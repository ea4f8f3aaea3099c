/*
 * SPDX-License-Identifier: BSD-2-Clause-Patent
 *
 * Pipelines: filters and aggregations run beside the data.
 *
 * Functions return 0 or -DER_xxx. Those with an event: NULL makes the call wait until it is done; else it returns
 * at once, the result arrives in ev->ev_error, and everything passed by pointer must stay until then.
 *
 * Errors that any of them can give and that are not repeated below: -DER_UNINIT before daos_init() and after
 * daos_fini(); -DER_NOMEM; with an event, -DER_INVAL: it was not initialised or was finalised, -DER_NO_PERM: it is in
 * use, -DER_NONEXIST: its queue is being destroyed; of those that talk to servers, -DER_UNREACH and -DER_TIMEDOUT: a
 * server did not answer for too long.
 */
#ifndef DAOS_INC_DAOS_PIPELINE_H
#define DAOS_INC_DAOS_PIPELINE_H

#include <stdint.h>
#include <daos_types.h>
#include <daos_obj.h>

#if defined(__cplusplus)
extern "C" {
#endif

typedef struct {
	d_iov_t part_type;
	d_iov_t data_type;
	uint32_t num_operands;
	daos_key_t akey;
	size_t num_constants;
	d_iov_t *constant;
	size_t data_offset;
	size_t data_len;
} daos_filter_part_t;

typedef struct {
	d_iov_t filter_type;
	uint32_t num_parts;
	daos_filter_part_t **parts;
} daos_filter_t;

typedef struct {
	uint64_t version;
	uint32_t num_filters;
	daos_filter_t **filters;
	uint32_t num_aggr_filters;
	daos_filter_t **aggr_filters;
} daos_pipeline_t;

typedef struct {
	uint64_t nr_objs;
	uint64_t nr_dkeys;
	uint64_t nr_akeys;
} daos_pipeline_stats_t;

/**
 * Appends a part to a filter. Parts stand in prefix order: a function, then its operands, each with its own.
 *
 * \param[in,out] filter  Filter, initialised.
 * \param[in] part  The part; it and what it points to stay the caller's and must be there as long as the filter
 *     is used.
 * \return 0; -DER_INVAL: NULLs; -DER_NOMEM.
 */
int daos_filter_add(daos_filter_t *filter, daos_filter_part_t *part);

/**
 * Makes a filter empty. filter_type is the caller's to set: DAOS_FILTER_CONDITION or DAOS_FILTER_AGGREGATION.
 *
 * \param[out] filter  The filter, the caller's; what it held is not freed.
 */
void daos_filter_init(daos_filter_t *filter);

/**
 * Appends a filter to a pipeline, to its conditions or its aggregations as its type says.
 *
 * \param[in,out] pipeline  Pipeline, initialised.
 * \param[in] filter  The filter; it stays the caller's and must be there as long as the pipeline is used.
 * \return 0; -DER_INVAL: NULLs, or another type of filter; -DER_NOMEM.
 */
int daos_pipeline_add(daos_pipeline_t *pipeline, daos_filter_t *filter);

/**
 * Checks that a pipeline can run: types, numbers of operands and parts, data types that go together, whole
 * constants.
 *
 * \param[in] pipeline  The pipeline.
 * \return 0; -DER_INVAL: it is NULL, or its parts make no sense together; -DER_NOSYS: a type of part or data
 *     that does not exist.
 */
int daos_pipeline_check(daos_pipeline_t *pipeline);

/**
 * Frees the arrays that daos_pipeline_add() and daos_filter_add() made, and leaves the pipeline empty. Filters
 * and parts stay the caller's.
 *
 * \param[in,out] pipeline  The pipeline.
 * \return 0; -DER_INVAL: it is NULL, or its arrays are not whole.
 */
int daos_pipeline_free(daos_pipeline_t *pipeline);

/**
 * Makes a pipeline empty, of version 1.
 *
 * \param[out] pipeline  The pipeline, the caller's; what it held is not freed.
 */
void daos_pipeline_init(daos_pipeline_t *pipeline);

/**
 * Evaluates a pipeline beside the data: gives the records (dkeys with the akeys that iods describe) that meet
 * all conditions, or with aggregations one number for each, of all such records. An akey that isn't there, or
 * that iods do not describe, is null: comparisons with it do not hold, aggregations pass it over. Texts compare
 * by bytes, a shorter one before a longer one that begins with it; a comparison with several constants holds if
 * it does with one. Integers wrap around.
 *
 * \param[in] coh  Container handle, or DAOS_HDL_INVAL; the object's handle decides.
 * \param[in] oh  Object handle.
 * \param[in] pipeline  The pipeline.
 * \param[in] th  Transaction or snapshot to read in, DAOS_TX_NONE for the newest state.
 * \param[in] flags  With dkey: DAOS_COND_DKEY_FETCH, DAOS_COND_AKEY_FETCH, DAOS_COND_PER_AKEY; else not used.
 * \param[in] dkey  Only this dkey is looked at; NULL: all of them.
 * \param[in,out] nr_iods  In: elements of iods; NULL is none. Out, with dkey only: the akeys of the record that
 *     have a value; 0: it does not meet the conditions.
 * \param[in,out] iods  Descriptors, as for daos_obj_fetch(). iod_size: the most bytes that a single value may
 *     have, or the record size of an array; 0 for any. Out, with dkey only: those whose akeys have a value, in
 *     front, with their sizes.
 * \param[in,out] anchor  All zero to begin (or from daos_obj_anchor_set()); moved by each call; at its end when
 *     daos_anchor_is_eof() says so. With dkey or aggregations it is so after one call.
 * \param[in,out] nr_kds  In: how many records are wanted, 0 is none; with aggregations or dkey one at most
 *     comes. Out: records that were given. May be NULL with dkey.
 * \param[out] kds  Array of *nr_kds descriptors, the caller's: lengths of dkeys in bytes. May be NULL with
 *     dkey, or when *nr_kds is 0.
 * \param[in,out] sgl_keys  Buffers, the caller's: dkeys one behind the other, none over the border of two
 *     buffers. Out: iov_len, sg_nr_out. NULL as kds.
 * \param[in,out] sgl_recx  Buffers, the caller's: for each record the values of its akeys in the order of iods,
 *     one behind the other, none over the border of two buffers. A single value takes its size, an array all of
 *     its extents with zeros in holes, or nothing if it holds no data there. NULL if values are not wanted.
 * \param[out] recx_size  Array of *nr_kds times *nr_iods sizes, the caller's, or NULL: bytes of the single
 *     value or of a record, 0: nothing is there.
 * \param[in,out] sgl_agg  With aggregations: as many buffers as there are, of 8 bytes or more each, the
 *     caller's; each gets a double. Of no values: 0 for SUM and AVG, infinity for MIN, minus infinity for MAX.
 *     Else NULL.
 * \param[in,out] stats  Set by the call that begins, added to by those that go on: nr_dkeys looked at; with
 *     dkey nr_akeys. NULL if not wanted.
 * \param[in] ev  Event that the result goes to; NULL: wait for it.
 * \return 0; -DER_NO_HDL: no such object, container or transaction handle; -DER_INVAL: NULLs, a pipeline that
 *     makes no sense, sgl_agg of other buffers, a wrong descriptor, an array of another record size, an anchor
 *     of another object; -DER_NOSYS: a type of part or data that does not exist; -DER_MISMATCH: another version
 *     of the structure; -DER_REC2BIG: the first record does not fit its buffers, a single value is longer than
 *     its descriptor says, or a filter reads a value of more than 64 MiB; the anchor has not moved;
 *     -DER_DIV_BY_ZERO; -DER_NONEXIST: a condition; -DER_NOTSUPPORTED: an erasure-coded object;
 *     -DER_TX_RESTART: the transaction met another one and is to be restarted; -DER_NO_PERM: the transaction is
 *     not open.
 */
int daos_pipeline_run(daos_handle_t coh, daos_handle_t oh, daos_pipeline_t *pipeline,
                      daos_handle_t th, uint64_t flags, daos_key_t *dkey, uint32_t *nr_iods,
                      daos_iod_t *iods, daos_anchor_t *anchor, uint32_t *nr_kds,
                      daos_key_desc_t *kds, d_sg_list_t *sgl_keys, d_sg_list_t *sgl_recx,
                      daos_size_t *recx_size, d_sg_list_t *sgl_agg, daos_pipeline_stats_t *stats,
                      daos_event_t *ev);

#if defined(__cplusplus)
}
#endif

#endif /* DAOS_INC_DAOS_PIPELINE_H */
