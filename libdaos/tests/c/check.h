/*
 * What the C tests share: connecting by DAOS_POOL and DAOS_CONT, and checks that say where they failed.
 * Each test is one program that exits 0 or 1; it makes its own objects and needs no other state.
 */
#ifndef CHECK_H
#define CHECK_H

#include <daos.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *check_step = "start";

#define STEP(name) (check_step = (name), printf("- %s\n", check_step), fflush(stdout))

#define CHECK(cond)                                                                                                    \
	do {                                                                                                           \
		if (!(cond)) {                                                                                         \
			fprintf(stderr, "%s:%d: %s: failed: %s\n", __FILE__, __LINE__, check_step, #cond);             \
			exit(1);                                                                                       \
		}                                                                                                      \
	} while (0)

#define CHECK_RC(call, wanted)                                                                                         \
	do {                                                                                                           \
		int rc_ = (call);                                                                                      \
		if (rc_ != (wanted)) {                                                                                 \
			fprintf(stderr, "%s:%d: %s: %s = %d, not %d\n", __FILE__, __LINE__, check_step, #call, rc_,    \
				(int)(wanted));                                                                        \
			exit(1);                                                                                       \
		}                                                                                                      \
	} while (0)

#define OK(call) CHECK_RC(call, 0)

/* Connects to $DAOS_POOL and opens $DAOS_CONT, making it if it isn't there. */
static inline void
check_open(daos_handle_t *poh, daos_handle_t *coh)
{
	const char *pool = getenv("DAOS_POOL");
	const char *cont = getenv("DAOS_CONT");
	int         rc;

	STEP("connect");
	if (pool == NULL || cont == NULL) {
		fprintf(stderr, "DAOS_POOL and DAOS_CONT must name a pool and a container\n");
		exit(1);
	}
	OK(daos_init());
	OK(daos_pool_connect(pool, NULL, DAOS_PC_RW, poh, NULL, NULL));
	rc = daos_cont_open(*poh, cont, DAOS_COO_RW, coh, NULL, NULL);
	if (rc == -DER_NONEXIST) {
		OK(daos_cont_create_with_label(*poh, cont, NULL, NULL, NULL));
		rc = daos_cont_open(*poh, cont, DAOS_COO_RW, coh, NULL, NULL);
	}
	OK(rc);
}

static inline void
check_close(daos_handle_t poh, daos_handle_t coh)
{
	STEP("close");
	OK(daos_cont_close(coh, NULL));
	OK(daos_pool_disconnect(poh, NULL));
	OK(daos_fini());
	printf("ok\n");
}

/* An object id of its own for each call of each process. */
static inline daos_obj_id_t
check_oid(daos_handle_t coh, enum daos_otype_t type, daos_oclass_id_t cid)
{
	daos_obj_id_t oid = {0};
	uint64_t      number;

	OK(daos_cont_alloc_oids(coh, 1, &number, NULL));
	oid.lo = number;
	oid.hi = 7;
	OK(daos_obj_generate_oid(coh, &oid, type, cid, 0, 0));
	return oid;
}

#endif
