/* records.c: writer and verifier of the kill -9 test.
 *
 * records write FIRST    writes records FIRST, FIRST+1, ... for ever; prints "ack N" after each acknowledged one, goes
 *                        on to the next after an error, connecting anew when its handles are gone
 * records verify ACKED   reads "N" lines of acknowledged records from the file ACKED and every record up to ten past the
 *                        last; an acknowledged one must be whole, any other whole or absent; prints what it found
 *
 * A record is one update of two akeys: a single value of 40 to 6,000 bytes, and an extent of 16; both carry its number.
 */
#include <daos.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { EXTENT = 16, LARGEST = 6000 };

static daos_handle_t poh, coh, oh;

static size_t value_size(uint64_t number)
{
	return 40 + number * 7919 % (LARGEST - 40);
}

static void fill(char *value, uint64_t number)
{
	size_t size = value_size(number);

	memcpy(value, &number, sizeof(number));
	for (size_t i = sizeof(number); i < size; i++)
		value[i] = (char)(number * 31 + i);
}

static int connect_all(void)
{
	const char   *pool = getenv("DAOS_POOL"), *cont = getenv("DAOS_CONT");
	daos_obj_id_t oid = {.lo = 77, .hi = 0};
	int           rc;

	if (pool == NULL || cont == NULL) {
		fprintf(stderr, "DAOS_POOL and DAOS_CONT are not set\n");
		exit(2);
	}
	rc = daos_pool_connect(pool, NULL, DAOS_PC_RW, &poh, NULL, NULL);
	if (rc != 0)
		return rc;
	rc = daos_cont_open(poh, cont, DAOS_COO_RW, &coh, NULL, NULL);
	if (rc != 0) {
		daos_pool_disconnect(poh, NULL);
		return rc;
	}
	rc = daos_obj_generate_oid(coh, &oid, DAOS_OT_MULTI_HASHED, OC_SX, 0, 0);
	if (rc == 0)
		rc = daos_obj_open(coh, oid, DAOS_OO_RW, &oh, NULL);
	return rc;
}

static void describe(uint64_t number, char *dkey_text, d_iov_t *dkey, daos_iod_t iods[2], daos_recx_t *recx)
{
	sprintf(dkey_text, "record-%lu", (unsigned long)number);
	d_iov_set(dkey, dkey_text, strlen(dkey_text));
	memset(iods, 0, 2 * sizeof(*iods));
	d_iov_set(&iods[0].iod_name, "value", 5);
	iods[0].iod_type = DAOS_IOD_SINGLE;
	iods[0].iod_nr   = 1;
	d_iov_set(&iods[1].iod_name, "extent", 6);
	iods[1].iod_type = DAOS_IOD_ARRAY;
	iods[1].iod_size = 1;
	iods[1].iod_nr   = 1;
	recx->rx_idx     = number % 1000;
	recx->rx_nr      = EXTENT;
	iods[1].iod_recxs = recx;
}

static int write_record(uint64_t number)
{
	char        dkey_text[64], value[LARGEST], extent[EXTENT];
	d_iov_t     dkey, iovs[2];
	d_sg_list_t sgls[2];
	daos_iod_t  iods[2];
	daos_recx_t recx;

	describe(number, dkey_text, &dkey, iods, &recx);
	fill(value, number);
	memcpy(extent, &number, 8);
	memcpy(extent + 8, &number, 8);
	iods[0].iod_size = value_size(number);
	d_iov_set(&iovs[0], value, value_size(number));
	d_iov_set(&iovs[1], extent, EXTENT);
	for (int i = 0; i < 2; i++)
		sgls[i] = (d_sg_list_t){.sg_nr = 1, .sg_iovs = &iovs[i]};
	return daos_obj_update(oh, DAOS_TX_NONE, 0, &dkey, 2, iods, sgls, NULL);
}

static void write_for_ever(uint64_t number)
{
	for (;; number++) {
		int rc = write_record(number);

		if (rc == 0) {
			printf("ack %lu\n", (unsigned long)number);
			fflush(stdout);
			continue;
		}
		fprintf(stderr, "record %lu: %s\n", (unsigned long)number, d_errstr(rc));
		if (rc == -DER_NO_HDL)
			while (connect_all() != 0)
				usleep(50000);
	}
}

/* 1: whole, 0: absent, -1: torn or wrong. */
static int check_record(uint64_t number)
{
	char        dkey_text[64], value[LARGEST], extent[EXTENT], wanted[LARGEST];
	d_iov_t     dkey, iovs[2];
	d_sg_list_t sgls[2];
	daos_iod_t  iods[2];
	daos_recx_t recx;
	int         rc;

	describe(number, dkey_text, &dkey, iods, &recx);
	memset(value, 0, sizeof(value));
	memset(extent, 0, sizeof(extent));
	iods[0].iod_size = DAOS_REC_ANY;
	d_iov_set(&iovs[0], value, sizeof(value));
	d_iov_set(&iovs[1], extent, EXTENT);
	for (int i = 0; i < 2; i++)
		sgls[i] = (d_sg_list_t){.sg_nr = 1, .sg_iovs = &iovs[i]};
	rc = daos_obj_fetch(oh, DAOS_TX_NONE, 0, &dkey, 2, iods, sgls, NULL, NULL);
	if (rc != 0) {
		fprintf(stderr, "record %lu: fetch: %s\n", (unsigned long)number, d_errstr(rc));
		return -1;
	}
	if (iods[0].iod_size == 0 && iods[1].iod_size == 0)
		return 0;
	fill(wanted, number);
	if (iods[0].iod_size != value_size(number) || memcmp(value, wanted, value_size(number)) != 0 ||
	    memcmp(extent, &number, 8) != 0 || memcmp(extent + 8, &number, 8) != 0) {
		fprintf(stderr, "record %lu: torn: size %lu of %zu\n", (unsigned long)number,
			(unsigned long)iods[0].iod_size, value_size(number));
		return -1;
	}
	return 1;
}

static int verify(const char *path)
{
	FILE         *file = fopen(path, "r");
	uint64_t      acked = 0, lost = 0, torn = 0, extra = 0, next = 1;
	unsigned long number;

	if (file == NULL) {
		perror(path);
		return 2;
	}
	while (fscanf(file, "%lu", &number) == 1) {
		for (; next <= number; next++) {
			int found = check_record(next);

			if (found < 0)
				torn++;
			else if (next == number && found == 0)
				lost++;
			else if (next < number)
				extra += found;
		}
		acked++;
	}
	for (number = next + 10; next < number; next++) {
		int found = check_record(next);

		if (found < 0)
			torn++;
		else
			extra += found;
	}
	printf("%lu acknowledged, %lu lost, %lu torn, %lu whole without acknowledgement\n", (unsigned long)acked,
	       (unsigned long)lost, (unsigned long)torn, (unsigned long)extra);
	fclose(file);
	return lost == 0 && torn == 0 && acked > 0 ? 0 : 1;
}

int main(int argc, char **argv)
{
	int rc;

	if (argc != 3) {
		fprintf(stderr, "records write FIRST | verify ACKED\n");
		return 2;
	}
	rc = daos_init();
	if (rc == 0)
		rc = connect_all();
	if (rc != 0) {
		fprintf(stderr, "can't connect: %s\n", d_errstr(rc));
		return 1;
	}
	if (strcmp(argv[1], "write") == 0)
		write_for_ever(strtoul(argv[2], NULL, 10));
	return verify(argv[2]);
}
