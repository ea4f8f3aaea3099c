/*
 * SPDX-License-Identifier: BSD-2-Clause-Patent
 *
 * Fault injection points.
 *
 * A place in a program asks D_SHOULD_FAIL() about a fault, and fails if the answer is yes. Which faults happen, and how
 * often, is configured by file (see d_fault_inject_init()) or program. Threads may use all of it at a time.
 */
#ifndef DAOS_INC_GURT_FAULT_INJECT_H
#define DAOS_INC_GURT_FAULT_INJECT_H

#include <stdbool.h>
#include <stdint.h>
#include <pthread.h>
#include <gurt/debug.h>

#if defined(__cplusplus)
extern "C" {
#endif

/** Variable of the environment that names the configuration file. */
#define D_FAULT_CONFIG_ENV	"D_FI_CONFIG"

/** Attributes of a fault. It happens at a hit (a D_SHOULD_FAIL()) if all of them agree. */
struct d_fault_attr_t {
	uint32_t fa_id;				/**< number of the fault; 0 is that of allocations */
	uint32_t fa_interval;			/**< only every so many hits; 0 and 1: at each */
	uint64_t fa_max_faults;			/**< at most so often; 0: no limit */
	uint64_t fa_num_faults;			/**< how often it happened */
	uint64_t fa_num_hits;			/**< how often it was looked at */
	char *fa_argument;			/**< text for the place; NULL: none */
	pthread_spinlock_t fa_lock;		/**< of this library's */
	int32_t fa_err_code;			/**< -DER_ number for the place to answer */
	unsigned short fa_rand_state[3];	/**< of this library's: state of nrand48() */
	uint32_t fa_probability_x;		/**< x in y hits, by chance; 0: never */
	uint32_t fa_probability_y;		/**< 0: always, if x is not 0 */
};

/** The fault of allocations; NULL: none. */
extern struct d_fault_attr_t *d_fault_attr_mem;

/** Not 0: a configuration file was read. */
extern unsigned int d_fault_config_file;

/** Not 0: injection is on. */
extern unsigned int d_fault_inject;

/**
 * Tells the error of a fault, for the place to answer.
 *
 * \param[in] fault_id  Number of the fault.
 * \return fa_err_code; -DER_INVAL: there is no such fault.
 */
int d_fault_attr_err_code(uint32_t fault_id);

/**
 * Finds a fault.
 *
 * \param[in] fault_id  Number of the fault.
 * \return Its attributes, valid until the last d_fault_inject_fini(); change them with d_fault_attr_set() only.
 *     NULL: there is no such fault.
 */
struct d_fault_attr_t *d_fault_attr_lookup(uint32_t fault_id);

/**
 * Sets the attributes of a fault, or makes a new one. Its random numbers begin anew.
 *
 * \param[in] fault_id  Number of the fault; fa_id is not looked at.
 * \param[in] fa_in  The attributes; fa_argument is copied, fa_lock and fa_rand_state are not taken.
 * \return 0; -DER_NOMEM: the fault is as before.
 */
int d_fault_attr_set(uint32_t fault_id, struct d_fault_attr_t fa_in);

/**
 * Turns injection off for the process: D_SHOULD_FAIL() is false everywhere.
 *
 * \return 0.
 */
int d_fault_inject_disable(void);

/**
 * Turns injection on again, after d_fault_inject_disable().
 *
 * \return 0; -DER_NOSYS: there is no configuration file: injection was never on.
 */
int d_fault_inject_enable(void);

/**
 * Undoes one d_fault_inject_init(). The last one turns injection off and frees all faults, those of
 * d_fault_attr_set() too.
 *
 * \return 0.
 */
int d_fault_inject_fini(void);

/**
 * Prepares injection. Calls are counted: each needs its d_fault_inject_fini(). The first reads the YAML file that
 * D_FI_CONFIG in the environment names, if there is one, and turns injection on then; without one it stays off. The
 * file has the keys seed, thread_default, and fault_config, a list with id, probability_x, probability_y, interval,
 * max_faults, err_code and argument of each fault; those not given are 1, 1, 1, 0, 0 and none.
 *
 * \return 0; if the file cannot be read: -DER_NONEXIST, -DER_NO_PERM, -DER_NOMEM, -DER_MISC; -DER_INVAL: it is not
 *     such a file (stderr tells where). After an error nothing has to be undone.
 */
int d_fault_inject_init(void);

/**
 * Tells whether injection is on for the process.
 *
 * \return Whether it is.
 */
bool d_fault_inject_is_enabled(void);

/**
 * Says whether threads get faults that d_fault_inject_thread_enable() did not decide for: they do, unless this or
 * the configuration says otherwise.
 *
 * \param[in] enabled  Whether they do.
 */
void d_fault_inject_thread_default_enable(bool enabled);

/**
 * Says whether the calling thread gets faults, whatever the default is.
 *
 * \param[in] enabled  Whether it does.
 */
void d_fault_inject_thread_enable(bool enabled);

/**
 * Decides whether a fault happens now, and counts it. Places use D_SHOULD_FAIL(), which asks
 * d_fault_inject_is_enabled() first.
 *
 * \param[in] fault_attr_ptr  The fault; NULL never happens.
 * \return Whether it happens.
 */
bool d_should_fail(struct d_fault_attr_t *fault_attr_ptr);

/** Whether a fault is to be injected at this point now. */
#define D_SHOULD_FAIL(fault_attr) \
	({ \
		bool __inject = d_fault_inject && d_should_fail(fault_attr); \
		if (__inject) \
			D_WARN("injecting fault %u\n", (fault_attr)->fa_id); \
		__inject; \
	})

#if defined(__cplusplus)
}
#endif

#endif /* DAOS_INC_GURT_FAULT_INJECT_H */
