/*
 * SPDX-License-Identifier: BSD-2-Clause-Patent
 *
 * One-dimensional arrays of fixed-size cells.
 *
 * Functions return 0 or -DER_xxx. Those with an event: NULL makes the call wait until it is done; else it returns
 * at once, the result arrives in ev->ev_error, and everything passed by pointer must stay until then.
 *
 * Errors that any of them can give and that are not repeated below: -DER_UNINIT before daos_init() and after
 * daos_fini(); -DER_NOMEM; with an event, -DER_INVAL: it was not initialised or was finalised, -DER_NO_PERM: it is in
 * use, -DER_NONEXIST: its queue is being destroyed; of those that talk to servers, -DER_UNREACH and -DER_TIMEDOUT: a
 * server did not answer for too long.
 */
#ifndef DAOS_INC_DAOS_ARRAY_H
#define DAOS_INC_DAOS_ARRAY_H

#include <daos_types.h>
#include <daos_obj.h>
#include <daos_obj_class.h>

#if defined(__cplusplus)
extern "C" {
#endif

#define DAOS_ARRAY_LIST_IO_LIMIT	16384
#define DAOS_ARRAY_RG_LEN_THD	16

typedef struct {
	daos_off_t rg_idx;
	daos_size_t rg_len;
} daos_range_t;

typedef struct {
	daos_size_t arr_nr;
	daos_range_t *arr_rgs;
	daos_size_t arr_nr_short_read;
	daos_size_t arr_nr_read;
} daos_array_iod_t;

typedef struct {
	daos_size_t st_size;
	daos_epoch_t st_max_epoch;
} daos_array_stbuf_t;

/** Releases an array handle. */
int daos_array_close(daos_handle_t oh, daos_event_t *ev);

/**
 * Creates an array of cells of cell_size bytes, chunk_size cells under a dkey, and opens it. -DER_EXIST: it is
 * there.
 */
int daos_array_create(daos_handle_t coh, daos_obj_id_t oid, daos_handle_t th, daos_size_t cell_size,
                      daos_size_t chunk_size, daos_handle_t *oh, daos_event_t *ev);

/** Deletes an array; its handle stays to be closed. */
int daos_array_destroy(daos_handle_t oh, daos_handle_t th, daos_event_t *ev);

/** Cell and chunk size of an open array. */
int daos_array_get_attr(daos_handle_t oh, daos_size_t *chunk_size, daos_size_t *cell_size);

/** Number of cells: the last one written, plus 1. */
int daos_array_get_size(daos_handle_t oh, daos_handle_t th, daos_size_t *size, daos_event_t *ev);

/** Opens the handle that another process has written. */
int daos_array_global2local(daos_handle_t coh, d_iov_t glob, unsigned int mode, daos_handle_t *oh);

/**
 * Writes the handle in a form that other processes can open into glob->iov_buf; with iov_buf NULL only its size
 * into iov_buf_len.
 */
int daos_array_local2global(daos_handle_t oh, d_iov_t *glob);

/**
 * Opens an array; cell and chunk sizes come from the object. Release with daos_array_close(). -DER_NO_PERM: the
 * object is no array with attributes.
 */
int daos_array_open(daos_handle_t coh, daos_obj_id_t oid, daos_handle_t th, unsigned int mode,
                    daos_size_t *cell_size, daos_size_t *chunk_size, daos_handle_t *oh,
                    daos_event_t *ev);

/**
 * Opens an array whose cell and chunk sizes the caller knows (type DAOS_OT_ARRAY_BYTE or DAOS_OT_ARRAY_ATTR);
 * contacts no server.
 */
int daos_array_open_with_attr(daos_handle_t coh, daos_obj_id_t oid, daos_handle_t th,
                              unsigned int mode, daos_size_t cell_size, daos_size_t chunk_size,
                              daos_handle_t *oh, daos_event_t *ev);

/** Deletes ranges of cells. */
int daos_array_punch(daos_handle_t oh, daos_handle_t th, daos_array_iod_t *iod, daos_event_t *ev);

/**
 * Reads ranges of cells into sgl; what was never written reads as 0 unless it lies behind the end:
 * iod->arr_nr_short_read counts those cells.
 */
int daos_array_read(daos_handle_t oh, daos_handle_t th, daos_array_iod_t *iod, d_sg_list_t *sgl,
                    daos_event_t *ev);

/** Truncates or extends an array to a number of cells. */
int daos_array_set_size(daos_handle_t oh, daos_handle_t th, daos_size_t size, daos_event_t *ev);

/** Size and last change of an array. */
int daos_array_stat(daos_handle_t oh, daos_handle_t th, daos_array_stbuf_t *stbuf,
                    daos_event_t *ev);

/** Changes the chunk size of an open array that was opened with attributes. */
int daos_array_update_chunk_size(daos_handle_t oh, daos_size_t chunk_size);

/** Writes ranges of cells from sgl. */
int daos_array_write(daos_handle_t oh, daos_handle_t th, daos_array_iod_t *iod, d_sg_list_t *sgl,
                     daos_event_t *ev);

/** daos_obj_generate_oid() for an array; add_attr: cell and chunk size are stored in the object. */
static inline int
daos_array_generate_oid(daos_handle_t coh, daos_obj_id_t *oid, bool add_attr, daos_oclass_id_t cid,
			daos_oclass_hints_t hints, uint32_t args)
{
	return daos_obj_generate_oid(coh, oid, add_attr ? DAOS_OT_ARRAY : DAOS_OT_ARRAY_ATTR, cid, hints, args);
}

#if defined(__cplusplus)
}
#endif

#endif /* DAOS_INC_DAOS_ARRAY_H */
