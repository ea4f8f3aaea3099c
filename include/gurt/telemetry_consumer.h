/*
 * SPDX-License-Identifier: BSD-2-Clause-Patent
 *
 * Telemetry: reading the metrics of another process.
 */
#ifndef DAOS_INC_GURT_TELEMETRY_CONSUMER_H
#define DAOS_INC_GURT_TELEMETRY_CONSUMER_H

#include <gurt/telemetry_common.h>

#if defined(__cplusplus)
extern "C" {
#endif

typedef void (*d_tm_iter_cb_t)(struct d_tm_context *, struct d_tm_node_t *, int, char *, int, int, void *);

/**
 * The clockid_t of a D_TM_CLOCK_ number; CLOCK_REALTIME for any other.
 *
 * \param[in] clk_id  D_TM_CLOCK_ number.
 * \return The clockid_t.
 */
int d_tm_clock_id(int clk_id);

/**
 * The name of a D_TM_CLOCK_ number's clock, a constant; that of CLOCK_REALTIME for any other.
 *
 * \param[in] clk_id  D_TM_CLOCK_ number.
 * \return The name; constant.
 */
char *d_tm_clock_string(int clk_id);

/**
 * Closes a context: its segments are unmapped, and nodes and names that came from it are gone.
 *
 * \param[in,out] ctx  The context, set to NULL; what isn't open is left alone.
 */
void d_tm_close(struct d_tm_context **ctx);

/**
 * A pointer that the writer put into its segment, as one that this process may use.
 *
 * \param[in] ctx  A context of d_tm_open().
 * \param[in] node  The node of the context that the pointer belongs to.
 * \param[in] ptr  The pointer, as it stands in the node or what hangs on it.
 * \return The pointer; NULL: NULL, outside the segment, or a bad argument. What it points at may be cut off by the
 *     segment's end.
 */
void *d_tm_conv_ptr(struct d_tm_context *ctx, struct d_tm_node_t *node, void *ptr);

/**
 * Counts nodes.
 *
 * \param[in] ctx  A context of d_tm_open().
 * \param[in] node  Where to start, counted too.
 * \param[in] d_tm_type  The kinds that count: bits.
 * \return How many; 0 for bad arguments.
 */
uint64_t d_tm_count_metrics(struct d_tm_context *ctx, struct d_tm_node_t *node, int d_tm_type);

/**
 * Finds a node by its path.
 *
 * \param[in] ctx  A context of d_tm_open().
 * \param[in] path  Names below the root, with '/' between them; links are followed.
 * \return The node, the context's; NULL: there is none, or a bad argument.
 */
struct d_tm_node_t *d_tm_find_metric(struct d_tm_context *ctx, char *path);

/**
 * Unmaps segments that links named and whose writers have ended; nodes of theirs are gone.
 *
 * \param[in] ctx  A context of d_tm_open().
 */
void d_tm_gc_ctx(struct d_tm_context *ctx);

/**
 * Reads a bucket of a histogram.
 *
 * \param[in] ctx  A context of d_tm_open().
 * \param[out] bucket  The bounds, both within, and the counter, a node of the context.
 * \param[in] bucket_id  Number of the bucket, from 0.
 * \param[in] node  A node of the context.
 * \return 0; -DER_INVAL: a NULL, or no open context; -DER_METRIC_NOT_FOUND: the node is not one of the context, or
 *     has no value; -DER_OP_NOT_PERMITTED: it is of another kind; -DER_AGAIN: it may not be read yet.
 */
int d_tm_get_bucket_range(struct d_tm_context *ctx, struct d_tm_bucket_t *bucket, int bucket_id,
                          struct d_tm_node_t *node);

/**
 * The first child of a node; NULL when there is none or an argument is bad.
 *
 * \param[in] ctx  A context of d_tm_open().
 * \param[in] node  A node of the context.
 * \return The child, the context's; NULL as said.
 */
struct d_tm_node_t *d_tm_get_child(struct d_tm_context *ctx, struct d_tm_node_t *node);

/**
 * Reads a counter.
 *
 * \param[in] ctx  A context of d_tm_open(), or NULL: the node is in the caller's own memory.
 * \param[out] val  The value.
 * \param[in] node  A node of the context.
 * \return 0; -DER_INVAL: a NULL, or no open context; -DER_METRIC_NOT_FOUND: the node is not one of the context, or
 *     has no value; -DER_OP_NOT_PERMITTED: it is of another kind; -DER_AGAIN: it may not be read yet.
 */
int d_tm_get_counter(struct d_tm_context *ctx, uint64_t *val, struct d_tm_node_t *node);

/**
 * Reads a duration.
 *
 * \param[in] ctx  A context of d_tm_open().
 * \param[out] tms  The last value.
 * \param[out] stats  Statistics in microseconds, unchanged when there are none; may be NULL.
 * \param[in] node  A node of the context.
 * \return 0; -DER_INVAL: a NULL, or no open context; -DER_METRIC_NOT_FOUND: the node is not one of the context, or
 *     has no value; -DER_OP_NOT_PERMITTED: it is of another kind; -DER_AGAIN: it may not be read yet.
 */
int d_tm_get_duration(struct d_tm_context *ctx, struct timespec *tms, struct d_tm_stats_t *stats,
                      struct d_tm_node_t *node);

/**
 * Reads a gauge.
 *
 * \param[in] ctx  A context of d_tm_open().
 * \param[out] val  The value.
 * \param[out] stats  Statistics, unchanged when there are none; may be NULL.
 * \param[in] node  A node of the context.
 * \return 0; -DER_INVAL: a NULL, or no open context; -DER_METRIC_NOT_FOUND: the node is not one of the context, or
 *     has no value; -DER_OP_NOT_PERMITTED: it is of another kind; -DER_AGAIN: it may not be read yet.
 */
int d_tm_get_gauge(struct d_tm_context *ctx, uint64_t *val, struct d_tm_stats_t *stats,
                   struct d_tm_node_t *node);

/**
 * Copies description and unit. At least one of them must be asked for.
 *
 * \param[in] ctx  A context of d_tm_open().
 * \param[out] desc  The description, NULL when there is none; to be freed with D_FREE.
 * \param[out] units  The unit, likewise.
 * \param[in] node  A node of the context.
 * \return 0; -DER_INVAL: a NULL, or no open context; -DER_METRIC_NOT_FOUND: the node is not one of the context, or
 *     has no value; -DER_OP_NOT_PERMITTED: it is of another kind; -DER_AGAIN: it may not be read yet; -DER_NOMEM.
 */
int d_tm_get_metadata(struct d_tm_context *ctx, char **desc, char **units,
                      struct d_tm_node_t *node);

/**
 * A node's name.
 *
 * \param[in] ctx  A context of d_tm_open().
 * \param[in] node  A node of the context.
 * \return The name, in the segment; NULL for bad arguments.
 */
char *d_tm_get_name(struct d_tm_context *ctx, struct d_tm_node_t *node);

/**
 * Reads how a histogram is divided.
 *
 * \param[in] ctx  A context of d_tm_open().
 * \param[out] histogram  Number of buckets, width of the first, factor from each to the next; other members stay.
 * \param[in] node  A node of the context.
 * \return 0; -DER_INVAL: a NULL, or no open context; -DER_METRIC_NOT_FOUND: the node is not one of the context, or
 *     has no value; -DER_OP_NOT_PERMITTED: it is of another kind; -DER_AGAIN: it may not be read yet.
 */
int d_tm_get_num_buckets(struct d_tm_context *ctx, struct d_tm_histogram_t *histogram,
                         struct d_tm_node_t *node);

/**
 * The root of a context; NULL when it isn't open or its segment is damaged.
 *
 * \param[in] ctx  A context of d_tm_open().
 * \return The root, the context's; NULL as said.
 */
struct d_tm_node_t *d_tm_get_root(struct d_tm_context *ctx);

/**
 * The next node with the same parent; NULL when there is none or an argument is bad.
 *
 * \param[in] ctx  A context of d_tm_open().
 * \param[in] node  A node of the context.
 * \return The sibling, the context's; NULL as said.
 */
struct d_tm_node_t *d_tm_get_sibling(struct d_tm_context *ctx, struct d_tm_node_t *node);

/**
 * Reads a clock that was recorded.
 *
 * \param[in] ctx  A context of d_tm_open().
 * \param[out] tms  The time.
 * \param[in] node  A node of the context.
 * \return 0; -DER_INVAL: a NULL, or no open context; -DER_METRIC_NOT_FOUND: the node is not one of the context, or
 *     has no value; -DER_OP_NOT_PERMITTED: it is of another kind; -DER_AGAIN: it may not be read yet.
 */
int d_tm_get_timer_snapshot(struct d_tm_context *ctx, struct timespec *tms,
                            struct d_tm_node_t *node);

/**
 * Reads a timestamp.
 *
 * \param[in] ctx  A context of d_tm_open().
 * \param[out] val  Seconds since 1970.
 * \param[in] node  A node of the context.
 * \return 0; -DER_INVAL: a NULL, or no open context; -DER_METRIC_NOT_FOUND: the node is not one of the context, or
 *     has no value; -DER_OP_NOT_PERMITTED: it is of another kind; -DER_AGAIN: it may not be read yet.
 */
int d_tm_get_timestamp(struct d_tm_context *ctx, time_t *val, struct d_tm_node_t *node);

/**
 * Calls back for nodes, each before what is below it.
 *
 * \param[in] ctx  A context of d_tm_open().
 * \param[in] node  Where to start.
 * \param[in] level  Passed on for the start, one more per level below.
 * \param[in] filter  The kinds to call back for: bits.
 * \param[in] path  Path above the start; NULL or "/": none.
 * \param[in] format  Passed on.
 * \param[in] opt_fields  Passed on.
 * \param[in] iter_cb  The callback; its path is that of the node's parent and lives as long as the call.
 * \param[in] cb_arg  Passed on.
 */
void d_tm_iterate(struct d_tm_context *ctx, struct d_tm_node_t *node, int level, int filter,
                  char *path, int format, int opt_fields, d_tm_iter_cb_t iter_cb, void *cb_arg);

/**
 * Lists nodes, each before what is below it.
 *
 * \param[in] ctx  A context of d_tm_open().
 * \param[in,out] head  A list that grows at its end, or NULL; d_tm_list_free() frees it, also after a failure.
 * \param[in] node  Where to start.
 * \param[in] d_tm_type  The kinds to list: bits.
 * \return 0; -DER_INVAL: a NULL, no open context, or no node of it; -DER_NOMEM.
 */
int d_tm_list(struct d_tm_context *ctx, struct d_tm_nodeList_t **head, struct d_tm_node_t *node,
              int d_tm_type);

/**
 * Lists the folders below a node.
 *
 * \param[in] ctx  As of d_tm_list().
 * \param[in] head  As of d_tm_list().
 * \param[in] node  As of d_tm_list().
 * \param[out] node_count  Folders in the list; may be NULL.
 * \param[in] max_depth  Levels below the node; negative: all.
 * \return As of d_tm_list().
 */
int d_tm_list_subdirs(struct d_tm_context *ctx, struct d_tm_nodeList_t **head,
                      struct d_tm_node_t *node, uint64_t *node_count, int max_depth);

/**
 * Opens the metrics of an engine on this host for reading.
 *
 * \param[in] id  Number of the engine on its host, as daos_server counts from 0. Where several systems share a host,
 *     an engine whose number is taken has one 256 higher, or 512, ...
 * \return A context, for one thread at a time; d_tm_close() closes it. NULL: there are no metrics with this number,
 *     or they may not be read.
 */
struct d_tm_context *d_tm_open(int id);

/**
 * Prints a counter, without end of line. Nothing when name or stream is NULL.
 *
 * \param[in] val  The value.
 * \param[in] name  Its name.
 * \param[in] format  D_TM_STANDARD or D_TM_CSV.
 * \param[in] units  Its unit, printed in the standard form; may be NULL.
 * \param[in] opt_fields  D_TM_INCLUDE_TYPE: the type too.
 * \param[in] stream  An open stream.
 */
void d_tm_print_counter(uint64_t val, char *name, int format, char *units, int opt_fields,
                        FILE *stream);

/**
 * Prints a duration in microseconds, without end of line. Nothing when tms, name or stream is NULL.
 *
 * \param[in] tms  The duration.
 * \param[in] stats  Printed behind it if there are samples; may be NULL.
 * \param[in] name  Its name.
 * \param[in] tm_type  The metric's kind.
 * \param[in] format  D_TM_STANDARD or D_TM_CSV.
 * \param[in] opt_fields  D_TM_INCLUDE_TYPE: the type too.
 * \param[in] stream  An open stream.
 */
void d_tm_print_duration(struct timespec *tms, struct d_tm_stats_t *stats, char *name, int tm_type,
                         int format, int opt_fields, FILE *stream);

/**
 * Prints the heading of the columns that D_TM_CSV has.
 *
 * \param[in] opt_fields  The D_TM_INCLUDE_ columns beside the values.
 * \param[in] stream  An open stream.
 */
void d_tm_print_field_descriptors(int opt_fields, FILE *stream);

/**
 * Prints a gauge, without end of line. Nothing when name or stream is NULL.
 *
 * \param[in] val  The value.
 * \param[in] stats  Printed behind it if there are samples; may be NULL.
 * \param[in] name  Its name.
 * \param[in] format  D_TM_STANDARD or D_TM_CSV.
 * \param[in] units  Its unit, printed in the standard form; may be NULL.
 * \param[in] opt_fields  D_TM_INCLUDE_TYPE: the type too.
 * \param[in] stream  An open stream.
 */
void d_tm_print_gauge(uint64_t val, struct d_tm_stats_t *stats, char *name, int format, char *units,
                      int opt_fields, FILE *stream);

/**
 * Prints description and unit behind a metric, without end of line.
 *
 * \param[in] desc  What there is, or NULL.
 * \param[in] units  What there is, or NULL.
 * \param[in] format  D_TM_STANDARD or D_TM_CSV.
 * \param[in] stream  An open stream.
 */
void d_tm_print_metadata(char *desc, char *units, int format, FILE *stream);

/**
 * Prints a node with its value: a line of its own. A link is printed as what it stands for.
 *
 * \param[in] ctx  A context of d_tm_open().
 * \param[in] node  A node of the context.
 * \param[in] level  Levels of indentation of the standard form.
 * \param[in] name  Path in front of the name in D_TM_CSV; may be NULL.
 * \param[in] format  D_TM_STANDARD or D_TM_CSV.
 * \param[in] opt_fields  The D_TM_INCLUDE_ fields beside the value.
 * \param[in] stream  An open stream.
 */
void d_tm_print_node(struct d_tm_context *ctx, struct d_tm_node_t *node, int level, char *name,
                     int format, int opt_fields, FILE *stream);

/**
 * Prints a recorded clock in microseconds, without end of line. Nothing when tms, name or stream is NULL.
 *
 * \param[in] tms  The time.
 * \param[in] name  Its name.
 * \param[in] tm_type  The metric's kind.
 * \param[in] format  D_TM_STANDARD or D_TM_CSV.
 * \param[in] opt_fields  D_TM_INCLUDE_TYPE: the type too.
 * \param[in] stream  An open stream.
 */
void d_tm_print_timer_snapshot(struct timespec *tms, char *name, int tm_type, int format,
                               int opt_fields, FILE *stream);

/**
 * Prints a timestamp in local time, without end of line. Nothing when clk, name or stream is NULL.
 *
 * \param[in] clk  Seconds since 1970.
 * \param[in] name  Its name.
 * \param[in] format  D_TM_STANDARD or D_TM_CSV.
 * \param[in] opt_fields  D_TM_INCLUDE_TYPE: the type too.
 * \param[in] stream  An open stream.
 */
void d_tm_print_timestamp(time_t *clk, char *name, int format, int opt_fields, FILE *stream);

/**
 * Sets a metric to 0, with its statistics and buckets: for its writer and every reader. Folders and nodes that may
 * only be read stay.
 *
 * \param[in] ctx  A context of d_tm_open().
 * \param[in] node  A node of the context; a link stands for its target.
 * \param[in] level  Ignored.
 * \param[in] path  Ignored.
 * \param[in] format  Ignored.
 * \param[in] opt_fields  Ignored.
 * \param[in] stream  Where an unknown kind is told; may be NULL.
 */
void d_tm_reset_node(struct d_tm_context *ctx, struct d_tm_node_t *node, int level, char *path,
                     int format, int opt_fields, FILE *stream);

#if defined(__cplusplus)
}
#endif

#endif /* DAOS_INC_GURT_TELEMETRY_CONSUMER_H */
