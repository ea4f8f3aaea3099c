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

/** Adds a part to a filter; the part must outlive it. */
int daos_filter_add(daos_filter_t *filter, daos_filter_part_t *part);

/** Starts an empty filter. */
void daos_filter_init(daos_filter_t *filter);

/** Adds a filter to a pipeline; the filter must outlive it. */
int daos_pipeline_add(daos_pipeline_t *pipeline, daos_filter_t *filter);

/** 0 for a pipeline that can run, else -DER_INVAL. */
int daos_pipeline_check(daos_pipeline_t *pipeline);

/** Frees the arrays of a pipeline, not the filters' parts. */
int daos_pipeline_free(daos_pipeline_t *pipeline);

/** Starts an empty pipeline. */
void daos_pipeline_init(daos_pipeline_t *pipeline);

/** Runs a pipeline over the dkeys of an object; *nr_iods, *nr_kds: room, then what came. */
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
