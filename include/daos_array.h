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
 * server did not answer for too long; with the handle of a transaction, -DER_NO_HDL, -DER_NO_PERM, -DER_INVAL and
 * -DER_TX_RESTART, as daos_api.h says; without one, -DER_TX_BUSY: the outcome of a transaction on the same key was not
 * known for too long.
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

/**
 * Releases an array handle.
 *
 * \param[in] oh  Array handle; no handle afterwards.
 * \param[in] ev  Event that the result goes to; NULL: wait for it.
 * \return 0; -DER_NO_HDL: no such array handle.
 */
int daos_array_close(daos_handle_t oh, daos_event_t *ev);

/**
 * Makes an array that keeps its attributes, and opens it for reading and writing.
 *
 * \param[in] coh  Container handle.
 * \param[in] oid  An identifier of type DAOS_OT_ARRAY, DAOS_OT_ARRAY_ATTR or DAOS_OT_ARRAY_BYTE.
 * \param[in] th  Transaction to change in: the change happens when it commits; DAOS_TX_NONE: at once, by
 *     itself.
 * \param[in] cell_size  Bytes of a cell; not 0.
 * \param[in] chunk_size  Cells of a chunk, what one target holds in a row; not 0.
 * \param[out] oh  Handle; release with daos_array_close().
 * \param[in] ev  Event that the result goes to; NULL: wait for it.
 * \return 0; -DER_NO_HDL: no such container or transaction handle; -DER_INVAL: oh is NULL, no array type, a
 *     size of 0; -DER_EXIST: it is there already; -DER_NO_PERM: the container is open for reading only, or th
 *     is a snapshot or not open; -DER_NOSPACE: the pool is full.
 */
int daos_array_create(daos_handle_t coh, daos_obj_id_t oid, daos_handle_t th, daos_size_t cell_size,
                      daos_size_t chunk_size, daos_handle_t *oh, daos_event_t *ev);

/**
 * Deletes an array with its attributes. The handle stays to be closed.
 *
 * \param[in] oh  Array handle, open for writing.
 * \param[in] th  Transaction to change in: the change happens when it commits; DAOS_TX_NONE: at once, by
 *     itself.
 * \param[in] ev  Event that the result goes to; NULL: wait for it.
 * \return 0; -DER_NO_HDL: no such array or transaction handle; -DER_NO_PERM: open for reading only, or th is a
 *     snapshot or not open; -DER_TX_RESTART: the transaction met another one and is to be restarted.
 */
int daos_array_destroy(daos_handle_t oh, daos_handle_t th, daos_event_t *ev);

/**
 * Tells the attributes of an open array. Sends nothing.
 *
 * \param[in] oh  Array handle.
 * \param[out] chunk_size  Cells of a chunk.
 * \param[out] cell_size  Bytes of a cell.
 * \return 0; -DER_NO_HDL: no such array handle; -DER_INVAL: NULLs.
 */
int daos_array_get_attr(daos_handle_t oh, daos_size_t *chunk_size, daos_size_t *cell_size);

/**
 * Tells the size of an array: the index behind the last cell that holds data.
 *
 * \param[in] oh  Array handle.
 * \param[in] th  Transaction or snapshot to read in, DAOS_TX_NONE for the newest state.
 * \param[out] size  Cells; 0: none holds data.
 * \param[in] ev  Event that the result goes to; NULL: wait for it.
 * \return 0; -DER_NO_HDL: no such array or transaction handle; -DER_INVAL: size is NULL; -DER_TX_RESTART: the
 *     transaction met another one and is to be restarted; -DER_NO_PERM: the transaction is not open.
 */
int daos_array_get_size(daos_handle_t oh, daos_handle_t th, daos_size_t *size, daos_event_t *ev);

/**
 * Makes an array handle of what daos_array_local2global() gave, maybe in another process. Sends nothing.
 *
 * \param[in] coh  Container handle of this process, of the same container.
 * \param[in] glob  The bytes: iov_buf of iov_len.
 * \param[in] mode  DAOS_OO_ mode of the new handle; 0: that of the old one.
 * \param[out] oh  Handle; release with daos_array_close().
 * \return 0; -DER_NO_HDL: no such container handle; -DER_INVAL: oh is NULL, or glob is no array's or another
 *     container's.
 */
int daos_array_global2local(daos_handle_t coh, d_iov_t glob, unsigned int mode, daos_handle_t *oh);

/**
 * Turns an array handle into bytes that other processes can make a handle of. Sends nothing.
 *
 * \param[in] oh  Array handle.
 * \param[in,out] glob  iov_buf NULL: iov_buf_len is set to the size needed; else the bytes are put there and
 *     iov_len is set.
 * \return 0; -DER_NO_HDL: no such array handle; -DER_INVAL: glob is NULL or its lengths contradict each other;
 *     -DER_TRUNC: too small, iov_buf_len tells how much is needed.
 */
int daos_array_local2global(daos_handle_t oh, d_iov_t *glob);

/**
 * Opens an array that keeps its attributes, and reads them.
 *
 * \param[in] coh  Container handle.
 * \param[in] oid  The array, of type DAOS_OT_ARRAY.
 * \param[in] th  Transaction or snapshot to read in, DAOS_TX_NONE for the newest state.
 * \param[in] mode  DAOS_OO_RO or DAOS_OO_RW.
 * \param[out] cell_size  Bytes of a cell.
 * \param[out] chunk_size  Cells of a chunk.
 * \param[out] oh  Handle; release with daos_array_close().
 * \param[in] ev  Event that the result goes to; NULL: wait for it.
 * \return 0; -DER_NO_HDL: no such container or transaction handle; -DER_INVAL: NULLs, another type;
 *     -DER_NONEXIST: it was not created; -DER_NO_PERM: what is there is no array.
 */
int daos_array_open(daos_handle_t coh, daos_obj_id_t oid, daos_handle_t th, unsigned int mode,
                    daos_size_t *cell_size, daos_size_t *chunk_size, daos_handle_t *oh,
                    daos_event_t *ev);

/**
 * Opens an array whose attributes the caller knows. Sends nothing.
 *
 * \param[in] coh  Container handle.
 * \param[in] oid  The array, of type DAOS_OT_ARRAY_ATTR or DAOS_OT_ARRAY_BYTE.
 * \param[in] th  Not used.
 * \param[in] mode  DAOS_OO_RO or DAOS_OO_RW.
 * \param[in] cell_size  Bytes of a cell, the same in all opens; not 0.
 * \param[in] chunk_size  Cells of a chunk, the same in all opens; not 0.
 * \param[out] oh  Handle; release with daos_array_close().
 * \param[in] ev  Event that the result goes to; NULL: wait for it.
 * \return 0; -DER_NO_HDL: no such container handle; -DER_INVAL: oh is NULL, another type, a size of 0.
 */
int daos_array_open_with_attr(daos_handle_t coh, daos_obj_id_t oid, daos_handle_t th,
                              unsigned int mode, daos_size_t cell_size, daos_size_t chunk_size,
                              daos_handle_t *oh, daos_event_t *ev);

/**
 * Deletes ranges of cells: they become holes. The array's size follows from what is left.
 *
 * \param[in] oh  Array handle, open for writing.
 * \param[in] th  Transaction to change in: the change happens when it commits; DAOS_TX_NONE: at once, by
 *     itself.
 * \param[in] iod  arr_rgs: array of arr_nr ranges, each of rg_len cells from rg_idx, in any order; where they
 *     overlap, which of them counts is not defined.
 * \param[in] ev  Event that the result goes to; NULL: wait for it.
 * \return 0; -DER_NO_HDL: no such array or transaction handle; -DER_INVAL: NULLs, a range over the end of 64
 *     bits; -DER_NO_PERM: open for reading only, or th is a snapshot or not open; -DER_NOTSUPPORTED: more than
 *     DAOS_ARRAY_LIST_IO_LIMIT ranges of at most DAOS_ARRAY_RG_LEN_THD cells; -DER_TX_RESTART: the transaction
 *     met another one and is to be restarted.
 */
int daos_array_punch(daos_handle_t oh, daos_handle_t th, daos_array_iod_t *iod, daos_event_t *ev);

/**
 * Reads ranges of cells. In an array of type DAOS_OT_ARRAY_BYTE holes read as zeros, and cells behind the
 * array's end leave the memory as it is and are counted; in others both leave the memory as it is.
 *
 * \param[in] oh  Array handle.
 * \param[in] th  Transaction or snapshot to read in, DAOS_TX_NONE for the newest state.
 * \param[in,out] iod  In: arr_rgs, array of arr_nr ranges, each of rg_len cells from rg_idx, in any order; out:
 *     arr_nr_read cells before the array's end, arr_nr_short_read cells behind it.
 * \param[in,out] sgl  Memory, the caller's, of exactly as many bytes as the ranges have (iov_len counts),
 *     filled in the order of the ranges without regard to the borders of buffers.
 * \param[in] ev  Event that the result goes to; NULL: wait for it.
 * \return 0; -DER_NO_HDL: no such array or transaction handle; -DER_INVAL: NULLs, ranges and memory of
 *     different length, a range over the end of 64 bits; -DER_NOTSUPPORTED: more than DAOS_ARRAY_LIST_IO_LIMIT
 *     ranges of at most DAOS_ARRAY_RG_LEN_THD cells; -DER_CSUM, -DER_IO: the data is damaged or cannot be read;
 *     -DER_DATA_LOSS: no target that has it is in service; -DER_TX_RESTART: the transaction met another one and
 *     is to be restarted; -DER_NO_PERM: the transaction is not open.
 */
int daos_array_read(daos_handle_t oh, daos_handle_t th, daos_array_iod_t *iod, d_sg_list_t *sgl,
                    daos_event_t *ev);

/**
 * Truncates or extends an array: deletes what lies behind, and makes sure that the last cell exists (of zeros,
 * if it did not). Several steps unless th is a transaction: what others write meanwhile may stay.
 *
 * \param[in] oh  Array handle, open for writing.
 * \param[in] th  Transaction to change in: the change happens when it commits; DAOS_TX_NONE: at once, by
 *     itself.
 * \param[in] size  Size in cells; 0 empties it.
 * \param[in] ev  Event that the result goes to; NULL: wait for it.
 * \return 0; -DER_NO_HDL: no such array or transaction handle; -DER_NO_PERM: open for reading only, or th is a
 *     snapshot or not open; -DER_NOSPACE: the pool is full; -DER_TX_RESTART: the transaction met another one
 *     and is to be restarted.
 */
int daos_array_set_size(daos_handle_t oh, daos_handle_t th, daos_size_t size, daos_event_t *ev);

/**
 * Tells size and newest change of an array.
 *
 * \param[in] oh  Array handle.
 * \param[in] th  Transaction or snapshot to read in, DAOS_TX_NONE for the newest state.
 * \param[out] stbuf  st_size: cells, as daos_array_get_size(); st_max_epoch: epoch of the newest change, 0:
 *     never.
 * \param[in] ev  Event that the result goes to; NULL: wait for it.
 * \return 0; -DER_NO_HDL: no such array or transaction handle; -DER_INVAL: stbuf is NULL; -DER_TX_RESTART: the
 *     transaction met another one and is to be restarted; -DER_NO_PERM: the transaction is not open.
 */
int daos_array_stat(daos_handle_t oh, daos_handle_t th, daos_array_stbuf_t *stbuf,
                    daos_event_t *ev);

/**
 * Changes the chunk size that a handle goes by. Right only while the array is empty. Sends nothing.
 *
 * \param[in] oh  Array handle.
 * \param[in] chunk_size  Cells of a chunk; not 0.
 * \return 0; -DER_NO_HDL: no such array handle; -DER_INVAL: chunk_size is 0.
 */
int daos_array_update_chunk_size(daos_handle_t oh, daos_size_t chunk_size);

/**
 * Writes ranges of cells. Each chunk is written whole or not at all; of several chunks some may be written when
 * the call fails, unless th is a transaction.
 *
 * \param[in] oh  Array handle, open for writing.
 * \param[in] th  Transaction to change in: the change happens when it commits; DAOS_TX_NONE: at once, by
 *     itself.
 * \param[in] iod  arr_rgs: array of arr_nr ranges, each of rg_len cells from rg_idx, in any order; where they
 *     overlap, which of them counts is not defined.
 * \param[in] sgl  Data of exactly as many bytes as the ranges have (iov_len counts), in the order of the
 *     ranges, without regard to the borders of buffers.
 * \param[in] ev  Event that the result goes to; NULL: wait for it.
 * \return 0; -DER_NO_HDL: no such array or transaction handle; -DER_INVAL: NULLs, ranges and memory of
 *     different length, a range over the end of 64 bits; -DER_NO_PERM: open for reading only, or th is a
 *     snapshot or not open; -DER_NOTSUPPORTED: more than DAOS_ARRAY_LIST_IO_LIMIT ranges of at most
 *     DAOS_ARRAY_RG_LEN_THD cells; -DER_NOSPACE: the pool is full; -DER_TX_RESTART: the transaction met another
 *     one and is to be restarted.
 */
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
