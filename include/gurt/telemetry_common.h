/*
 * SPDX-License-Identifier: BSD-2-Clause-Patent
 *
 * Telemetry: metric names, types and the nodes of the shared-memory metric tree.
 */
#ifndef DAOS_INC_GURT_TELEMETRY_COMMON_H
#define DAOS_INC_GURT_TELEMETRY_COMMON_H

#include <sys/types.h>
#include <gurt/atomic.h>
#include <gurt/common.h>

#if defined(__cplusplus)
extern "C" {
#endif

#define D_TM_VERSION	1
#define D_TM_MAX_NAME_LEN	256
#define D_TM_MAX_DESC_LEN	128
#define D_TM_MAX_UNIT_LEN	32
#define D_TM_TIME_BUFF_LEN	26
#define D_TM_SHARED_MEMORY_KEY	0x10242048
#define D_TM_SHARED_MEMORY_SIZE	0x100000
#define D_TM_YEAR	"y"
#define D_TM_MONTH	"mo"
#define D_TM_WEEK	"w"
#define D_TM_DAY	"d"
#define D_TM_HOUR	"h"
#define D_TM_MINUTE	"min"
#define D_TM_SECOND	"s"
#define D_TM_MILLISECOND	"ms"
#define D_TM_MICROSECOND	"us"
#define D_TM_NANOSECOND	"ns"
#define D_TM_BIT	"b"
#define D_TM_BYTE	"B"
#define D_TM_KILOBIT	"kbit"
#define D_TM_KIBIBIT	"Kibit"
#define D_TM_KILOBYTE	"kB"
#define D_TM_KIBIBYTE	"KiB"
#define D_TM_MEGABIT	"Mbit"
#define D_TM_MEBIBIT	"Mibit"
#define D_TM_MEGABYTE	"MB"
#define D_TM_MEBIBYTE	"MiB"
#define D_TM_GIGABIT	"Gbit"
#define D_TM_GIGIBIT	"Gibit"
#define D_TM_GIGABYTE	"GB"
#define D_TM_GIGIBYTE	"GiB"
#define D_TM_TERABIT	"Tbit"
#define D_TM_TEBIBIT	"Tibit"
#define D_TM_TERABYTE	"TB"
#define D_TM_TEBIBYTE	"TiB"
#define D_TM_PETABIT	"Pbit"
#define D_TM_PEBIBIT	"Pibit"
#define D_TM_PETABYTE	"PB"
#define D_TM_PEBIBYTE	"PiB"
#define D_TM_EXABIT	"Ebit"
#define D_TM_EXBIBIT	"Eibit"
#define D_TM_EXABYTE	"EB"
#define D_TM_EXBIBYTE	"EiB"
#define D_TM_ZETTABIT	"Zbit"
#define D_TM_ZEBIBIT	"Zibit"
#define D_TM_ZETTABYTE	"ZB"
#define D_TM_ZEBIBYTE	"ZiB"
#define D_TM_YOTTABIT	"Ybit"
#define D_TM_YOBIBIT	"Yibit"
#define D_TM_YOTTABYTE	"YB"
#define D_TM_YOBIBYTE	"YiB"
#define D_TM_BIT_PER_SECOND	"b/s"
#define D_TM_BYTE_PER_SECOND	"B/s"
#define D_TM_KILOBIT_PER_SECOND	"kbit/s"
#define D_TM_KIBIBIT_PER_SECOND	"Kibit/s"
#define D_TM_KILOBYTE_PER_SECOND	"kB/s"
#define D_TM_KIBIBYTE_PER_SECOND	"KiB/s"
#define D_TM_MEGABIT_PER_SECOND	"Mbit/s"
#define D_TM_MEBIBIT_PER_SECOND	"Mibit/s"
#define D_TM_MEGABYTE_PER_SECOND	"MB/s"
#define D_TM_MEBIBYTE_PER_SECOND	"MiB/s"
#define D_TM_GIGABIT_PER_SECOND	"Gbit/s"
#define D_TM_GIGIBIT_PER_SECOND	"Gibit/s"
#define D_TM_GIGABYTE_PER_SECOND	"GB/s"
#define D_TM_GIGIBYTE_PER_SECOND	"GiB/s"
#define D_TM_TERABIT_PER_SECOND	"Tbit/s"
#define D_TM_TEBIBIT_PER_SECOND	"Tibit/s"
#define D_TM_TERABYTE_PER_SECOND	"TB/s"
#define D_TM_TEBIBYTE_PER_SECOND	"TiB/s"
#define D_TM_PETABIT_PER_SECOND	"Pbit/s"
#define D_TM_PEBIBIT_PER_SECOND	"Pibit/s"
#define D_TM_PETABYTE_PER_SECOND	"PB/s"
#define D_TM_PEBIBYTE_PER_SECOND	"PiB/s"
#define D_TM_EXABIT_PER_SECOND	"Ebit/s"
#define D_TM_EXBIBIT_PER_SECOND	"Eibits"
#define D_TM_EXABYTE_PER_SECOND	"EB/s"
#define D_TM_EXBIBYTE_PER_SECOND	"EiB/s"
#define D_TM_ZETTABIT_PER_SECOND	"Zbit/s"
#define D_TM_ZEBIBIT_PER_SECOND	"Zibit/s"
#define D_TM_ZETTABYTE_PER_SECOND	"ZB/s"
#define D_TM_ZEBIBYTE_PER_SECOND	"ZiB/s"
#define D_TM_YOTTABIT_PER_SECOND	"Ybit/s"
#define D_TM_YOBIBIT_PER_SECOND	"Yibit/s"
#define D_TM_YOTTABYTE_PER_SECOND	"YB/s"
#define D_TM_YOBIBYTE_PER_SECOND	"YiB/s"
#define D_TM_CLOCK_REALTIME_STR	"CLOCK_REALTIME"
#define D_TM_CLOCK_PROCESS_CPUTIME_STR "CLOCK_PROCESS_CPUTIME_ID"
#define D_TM_CLOCK_THREAD_CPUTIME_STR	"CLOCK_THREAD_CPUTIME_ID"
#define D_TM_METRIC_SIZE	624UL

enum {
	D_TM_DIRECTORY = 1,
	D_TM_COUNTER = 2,
	D_TM_TIMESTAMP = 4,
	D_TM_TIMER_SNAPSHOT = 8,
	D_TM_DURATION = 16,
	D_TM_GAUGE = 32,
	D_TM_STATS_GAUGE = 64,
	D_TM_CLOCK_REALTIME = 128,
	D_TM_CLOCK_PROCESS_CPUTIME = 256,
	D_TM_CLOCK_THREAD_CPUTIME = 512,
	D_TM_LINK = 1024,
	D_TM_MEMINFO = 2048,
	D_TM_ALL_NODES = 3199,
};

enum {
	D_TM_SERVER_PROCESS = 0,
	D_TM_SERIALIZATION = 1,
	D_TM_RETAIN_SHMEM = 2,
	D_TM_RETAIN_SHMEM_IF_NON_EMPTY = 4,
	D_TM_OPEN_OR_CREATE = 8,
	D_TM_MULTIPLE_WRITER_LOCK = 16,
	D_TM_NO_SHMEM = 32,
};

enum {
	D_TM_STANDARD = 1,
	D_TM_CSV = 2,
};

enum {
	D_TM_INCLUDE_TIMESTAMP = 1,
	D_TM_INCLUDE_METADATA = 2,
	D_TM_INCLUDE_TYPE = 4,
};

enum {
	D_TM_ITER_READ = 1,
	D_TM_ITER_RESET = 2,
};

struct d_tm_stats_t {
	uint64_t dtm_min;
	uint64_t dtm_max;
	uint64_t dtm_sum;
	double std_dev;
	double mean;
	double sum_of_squares;
	uint64_t sample_size;
};

struct d_tm_node_t;
struct d_tm_bucket_t {
	uint64_t dtb_min;
	uint64_t dtb_max;
	struct d_tm_node_t *dtb_bucket;
};

struct d_tm_histogram_t {
	struct d_tm_bucket_t *dth_buckets;
	bool dth_fast_bucketing;
	int dth_num_buckets;
	int dth_initial_width;
	int dth_value_multiplier;
};

struct d_tm_meminfo_t {
	uint64_t arena;
	uint64_t ordblks;
	uint64_t uordblks;
	uint64_t fordblks;
};

union data {
	uint64_t value;
	struct timespec tms[2];
	struct d_tm_meminfo_t meminfo;
};

struct d_tm_metric_t {
	union data dtm_data;
	struct d_tm_stats_t *dtm_stats;
	struct d_tm_histogram_t *dtm_histogram;
	char *dtm_desc;
	char *dtm_units;
};

struct d_tm_node_t {
	struct d_tm_node_t *dtn_child;
	struct d_tm_node_t *dtn_sibling;
	char *dtn_name;
	int dtn_type;
	key_t dtn_shmem_key;
	pthread_mutex_t dtn_lock;
	struct d_tm_metric_t *dtn_metric;
	bool dtn_protect;
	ATOMIC bool dtn_readable;
};

struct d_tm_nodeList_t {
	struct d_tm_node_t *dtnl_node;
	struct d_tm_nodeList_t *dtnl_next;
};

/**
 * The number with which d_tm_open() opens the segment whose key is this process id.
 *
 * \param[in] pid  Process id.
 * \return The key of shmget().
 */
key_t d_tm_cli_pid_key(int pid);

/**
 * Counts a value in the bucket that it falls into. For metrics in the caller's own memory; one without a histogram,
 * or NULL, is left alone.
 *
 * \param[in] node  A gauge or duration whose pointers are the caller's own.
 * \param[in] value  The value.
 */
void d_tm_compute_histogram(struct d_tm_node_t *node, uint64_t value);

/**
 * Standard deviation of a sample.
 *
 * \param[in] sum_of_squares  Sum of the squares of the values.
 * \param[in] sample_size  Number of values.
 * \param[in] mean  Their mean.
 * \return The deviation; 0 for fewer than two values.
 */
double d_tm_compute_standard_dev(double sum_of_squares, uint64_t sample_size, double mean);

/**
 * Counts a value in a metric's statistics: number, sum, sum of squares, least and greatest. For metrics in the
 * caller's own memory; one without statistics, or NULL, is left alone.
 *
 * \param[in] node  A metric whose pointers are the caller's own.
 * \param[in] value  The value.
 */
void d_tm_compute_stats(struct d_tm_node_t *node, uint64_t value);

struct d_tm_context;
/**
 * The node that a link (D_TM_LINK) stands for: the root of another segment, which is mapped for the context. Mapped
 * again when its writer has ended since.
 *
 * \param[in] ctx  A context of d_tm_open().
 * \param[in] link  A node of the context.
 * \return The node, the context's; link itself when it is no link; NULL: the link is empty, the segment isn't there,
 *     or a bad argument.
 */
struct d_tm_node_t *d_tm_follow_link(struct d_tm_context *ctx, struct d_tm_node_t *link);

/**
 * The key of the shared segment of the engine with this number on its host.
 *
 * \param[in] srv_idx  Number of the engine on its host.
 * \return The key of shmget().
 */
key_t d_tm_get_srv_key(int srv_idx);

/**
 * The version of this interface: D_TM_VERSION.
 *
 * \return D_TM_VERSION.
 */
int d_tm_get_version(void);

/**
 * Adds a node to the end of a list.
 *
 * \param[in] src  The node; the list doesn't own it.
 * \param[in,out] nodelist  The list, or NULL for a new one; d_tm_list_free() frees it.
 * \return 0; -DER_INVAL: nodelist is NULL; -DER_NOMEM.
 */
int d_tm_list_add_node(struct d_tm_node_t *src, struct d_tm_nodeList_t **nodelist);

/**
 * Frees a list, not its nodes. NULL is allowed.
 *
 * \param[in] nodeList  The list.
 */
void d_tm_list_free(struct d_tm_nodeList_t *nodeList);

/**
 * Prints statistics: " [min: 1, max: 9, avg: 5, sum: 15, stddev: 4, samples: 3]", or as columns
 * ",min,max,mean,samples,sum,deviation" (the deviation from three values on). Nothing when an argument is NULL.
 *
 * \param[in] stream  An open stream.
 * \param[in] stats  The statistics.
 * \param[in] format  D_TM_STANDARD or D_TM_CSV.
 */
void d_tm_print_stats(FILE *stream, struct d_tm_stats_t *stats, int format);

#if defined(__cplusplus)
}
#endif

#endif /* DAOS_INC_GURT_TELEMETRY_COMMON_H */
