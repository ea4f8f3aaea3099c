/* probe.c: how far a client gets, as numbers: "init=0 pool=-1005".
 *
 * probe [SYSTEM]       connects to DAOS_POOL, opens DAOS_CONT, writes and reads one value
 * probe SYSTEM fill    then writes 64 KiB values until one fails, and reads the first back: "fill=-1007 kept=1"
 */
#include <daos.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SIZE = 65536 };

static daos_handle_t oh;
static char          data[SIZE];

static int value(int fetch, int number)
{
	char        key[32];
	d_iov_t     dkey, iov;
	d_sg_list_t sgl = {.sg_nr = 1, .sg_iovs = &iov};
	daos_iod_t  iod = {.iod_type = DAOS_IOD_SINGLE, .iod_nr = 1, .iod_size = SIZE};

	snprintf(key, sizeof(key), "probe-%d", number);
	d_iov_set(&dkey, key, strlen(key));
	d_iov_set(&iod.iod_name, "a", 1);
	d_iov_set(&iov, data, SIZE);
	if (fetch)
		return daos_obj_fetch(oh, DAOS_TX_NONE, 0, &dkey, 1, &iod, &sgl, NULL, NULL);
	return daos_obj_update(oh, DAOS_TX_NONE, 0, &dkey, 1, &iod, &sgl, NULL);
}

int main(int argc, char **argv)
{
	const char   *system = argc > 1 && argv[1][0] != 0 ? argv[1] : NULL;
	daos_handle_t poh, coh;
	daos_obj_id_t oid = {.lo = 5, .hi = 0};
	int           rc;

	rc = daos_init();
	printf("init=%d\n", rc);
	if (rc != 0)
		return 1;
	rc = daos_pool_connect(getenv("DAOS_POOL"), system, DAOS_PC_RW, &poh, NULL, NULL);
	printf("pool=%d\n", rc);
	if (rc != 0)
		return 1;
	rc = daos_cont_open(poh, getenv("DAOS_CONT"), DAOS_COO_RW, &coh, NULL, NULL);
	printf("cont=%d\n", rc);
	if (rc != 0)
		return 1;
	rc = daos_obj_generate_oid(coh, &oid, DAOS_OT_MULTI_HASHED, OC_SX, 0, 0);
	if (rc == 0)
		rc = daos_obj_open(coh, oid, DAOS_OO_RW, &oh, NULL);
	printf("open=%d\n", rc);
	if (rc != 0)
		return 1;
	memset(data, 'p', SIZE);
	printf("update=%d\n", value(0, 0));
	printf("fetch=%d\n", value(1, 0));
	if (argc > 2) {
		for (int number = 1; rc == 0; number++)
			rc = value(0, number);
		printf("fill=%d\n", rc);
		memset(data, 0, SIZE);
		rc = value(1, 0);
		printf("kept=%d\n", rc == 0 && data[0] == 'p' && data[SIZE - 1] == 'p');
	}
	fflush(stdout);
	daos_obj_close(oh, NULL);
	daos_cont_close(coh, NULL);
	daos_pool_disconnect(poh, NULL);
	daos_fini();
	return 0;
}
