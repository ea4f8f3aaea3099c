/*
 * Makes histories of transactions for a checker.
 *
 *	histories init			makes the objects; prints their ids: LO HI LO HI
 *	histories work IDS PROCESS SEED	runs transactions on THREADS threads until standard input ends; prints what they saw
 *	histories final IDS		prints all lists and accounts
 *
 * Lists: a value is a list of numbers, each appended once. A line
 *	L THREAD OUTCOME OP...
 * is one transaction: rKEY:LENGTH:HASH read a list of that length and hash, aKEY:NUMBER:LENGTH:HASH appended the number to
 * one. Accounts: "B THREAD OUTCOME FROM TO" moved an amount, "S THREAD SUM" read them all. OUTCOME: o committed, f nothing
 * happened, u not known. THREAD counts over all processes.
 */
#include <daos.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define THREADS  3
#define KEYS     12
#define LONGEST  4096
#define ACCOUNTS 10
#define START    100
#define NUMBER   "%llu"

typedef unsigned long long number;

static daos_handle_t     poh, coh, lists, accounts;
static daos_obj_id_t     ids[2];
static volatile bool     stop;
static int               process;
static number            seed;

static void
must(int rc, const char *what)
{
	if (rc != 0) {
		fprintf(stderr, "%s: %d\n", what, rc);
		exit(1);
	}
}

static number
hash_of(const number *list, size_t length)
{
	number hash = 14695981039346656037ULL;

	for (size_t i = 0; i < length; i++)
		hash = (hash ^ list[i]) * 1099511628211ULL;
	return hash;
}

static int
get(daos_handle_t oh, daos_handle_t th, int key, void *buf, size_t room, size_t *bytes)
{
	char        dkey[16];
	d_iov_t     key_iov, iov;
	d_sg_list_t sgl = {.sg_nr = 1, .sg_iovs = &iov};
	daos_iod_t  iod = {.iod_type = DAOS_IOD_SINGLE, .iod_nr = 1, .iod_size = DAOS_REC_ANY};
	int         rc;

	sprintf(dkey, "key %d", key);
	d_iov_set(&key_iov, dkey, strlen(dkey));
	d_iov_set(&iod.iod_name, "v", 1);
	d_iov_set(&iov, buf, room);
	rc = daos_obj_fetch(oh, th, 0, &key_iov, 1, &iod, &sgl, NULL, NULL);
	*bytes = rc == 0 ? iod.iod_size : 0;
	return rc;
}

static int
put(daos_handle_t oh, daos_handle_t th, int key, void *buf, size_t bytes)
{
	char        dkey[16];
	d_iov_t     key_iov, iov;
	d_sg_list_t sgl = {.sg_nr = 1, .sg_iovs = &iov};
	daos_iod_t  iod = {.iod_type = DAOS_IOD_SINGLE, .iod_nr = 1, .iod_size = bytes};

	sprintf(dkey, "key %d", key);
	d_iov_set(&key_iov, dkey, strlen(dkey));
	d_iov_set(&iod.iod_name, "v", 1);
	d_iov_set(&iov, buf, bytes);
	return daos_obj_update(oh, th, 0, &key_iov, 1, &iod, &sgl, NULL);
}

/* What a commit's result says: o, f, u. */
static char
outcome(int rc)
{
	if (rc == 0)
		return 'o';
	return rc == -DER_TX_RESTART ? 'f' : 'u';
}

/* Ends a try of a transaction: commits it if all went well. Whether it is to be tried again. */
static bool
finish(daos_handle_t th, int rc, char *result)
{
	if (rc == 0) {
		rc = daos_tx_commit(th, NULL);
		*result = outcome(rc);
	} else {
		*result = 'f';
	}
	if (rc == -DER_TX_RESTART)
		return daos_tx_restart(th, NULL) == 0;
	if (rc != 0)
		fprintf(stderr, "a transaction: %d\n", rc);
	return false;
}

static void
list_transaction(int thread, unsigned int *random, number *next)
{
	static __thread number values[4][LONGEST];
	daos_handle_t          th;
	bool                   again;

	must(daos_tx_open(coh, &th, 0, NULL), "daos_tx_open");
	do {
		char   line[512];
		int    at, rc = 0, count = 1 + rand_r(random) % 4, keys[4];
		char   result;
		size_t bytes;

		for (int i = 0; i < count; i++) {
			bool used;

			do {
				keys[i] = rand_r(random) % KEYS;
				used    = false;
				for (int j = 0; j < i; j++)
					used |= keys[j] == keys[i];
			} while (used);
		}
		at = 0;
		for (int i = 0; i < count && rc == 0; i++) {
			rc = get(lists, th, keys[i], values[i], sizeof(values[i]), &bytes);
			if (rc != 0)
				break;
			size_t length = bytes / sizeof(number);
			number hash   = hash_of(values[i], length);

			if (rand_r(random) % 2 == 0 || length == LONGEST) {
				at += sprintf(line + at, " r%d:%zu:" NUMBER, keys[i], length, hash);
				continue;
			}
			values[i][length] = ++*next;
			rc = put(lists, th, keys[i], values[i], (length + 1) * sizeof(number));
			at += sprintf(line + at, " a%d:" NUMBER ":%zu:" NUMBER, keys[i], *next, length, hash);
		}
		again = finish(th, rc, &result);
		if (at > 0)
			printf("L %d %c%s\n", thread, result, line);
	} while (again && !stop);
	daos_tx_close(th, NULL);
}

static void
bank_transaction(int thread, unsigned int *random)
{
	daos_handle_t th;
	bool          again, audit = rand_r(random) % 4 == 0;

	must(daos_tx_open(coh, &th, 0, NULL), "daos_tx_open");
	do {
		int    from = rand_r(random) % ACCOUNTS, to = (from + 1 + rand_r(random) % (ACCOUNTS - 1)) % ACCOUNTS;
		int    amount = 1 + rand_r(random) % 30, balance[ACCOUNTS] = {0}, rc = 0, sum = 0;
		char   result;
		size_t bytes;

		for (int i = 0; i < ACCOUNTS && rc == 0; i++) {
			if (audit || i == from || i == to)
				rc = get(accounts, th, i, &balance[i], sizeof(int), &bytes);
			sum += balance[i];
		}
		if (!audit && rc == 0 && balance[from] >= amount) {
			balance[from] -= amount;
			balance[to] += amount;
			rc = put(accounts, th, from, &balance[from], sizeof(int));
			if (rc == 0)
				rc = put(accounts, th, to, &balance[to], sizeof(int));
		}
		again = finish(th, rc, &result);
		if (!audit)
			printf("B %d %c %d %d\n", thread, result, from, to);
		else if (result == 'o')
			printf("S %d %d\n", thread, sum);
	} while (again && !stop);
	daos_tx_close(th, NULL);
}

static void *
work(void *argument)
{
	int          thread = process * THREADS + (int)(size_t)argument;
	unsigned int random = (unsigned int)seed + 7919 * (unsigned int)thread;
	/* Numbers of a thread's own, also of its process's earlier lives. */
	number       next = ((number)thread + 1) << 40;

	while (!stop) {
		if (rand_r(&random) % 3 == 0)
			bank_transaction(thread, &random);
		else
			list_transaction(thread, &random, &next);
	}
	return NULL;
}

static void
open_all(char **words)
{
	for (int i = 0; i < 2; i++) {
		ids[i].lo = strtoull(words[2 * i], NULL, 10);
		ids[i].hi = strtoull(words[2 * i + 1], NULL, 10);
	}
	must(daos_obj_open(coh, ids[0], DAOS_OO_RW, &lists, NULL), "daos_obj_open");
	must(daos_obj_open(coh, ids[1], DAOS_OO_RW, &accounts, NULL), "daos_obj_open");
}

static void
initialise(void)
{
	number    first;
	char      text[4][24];
	char     *words[4] = {text[0], text[1], text[2], text[3]};

	must(daos_cont_alloc_oids(coh, 2, (uint64_t *)&first, NULL), "daos_cont_alloc_oids");
	for (int i = 0; i < 2; i++) {
		ids[i].lo = first + i;
		ids[i].hi = 0;
		must(daos_obj_generate_oid(coh, &ids[i], 0, OC_SX, 0, 0), "daos_obj_generate_oid");
		sprintf(text[2 * i], NUMBER, (number)ids[i].lo);
		sprintf(text[2 * i + 1], NUMBER, (number)ids[i].hi);
	}
	open_all(words);
	for (int i = 0; i < ACCOUNTS; i++) {
		int balance = START;

		must(put(accounts, DAOS_TX_NONE, i, &balance, sizeof(balance)), "put");
	}
	printf("%s %s %s %s\n", words[0], words[1], words[2], words[3]);
}

static void
print_all(void)
{
	static number list[LONGEST];
	size_t        bytes;

	for (int i = 0; i < KEYS; i++) {
		must(get(lists, DAOS_TX_NONE, i, list, sizeof(list), &bytes), "get");
		printf("F %d", i);
		for (size_t j = 0; j < bytes / sizeof(number); j++)
			printf(" " NUMBER, list[j]);
		printf("\n");
	}
	for (int i = 0; i < ACCOUNTS; i++) {
		int balance = 0;

		must(get(accounts, DAOS_TX_NONE, i, &balance, sizeof(balance), &bytes), "get");
		printf("A %d %d\n", i, balance);
	}
}

int
main(int argc, char **argv)
{
	pthread_t threads[THREADS];

	must(argc < 2, "usage: histories init | work IDS PROCESS SEED | final IDS");
	must(daos_init(), "daos_init");
	must(daos_pool_connect(getenv("DAOS_POOL"), NULL, DAOS_PC_RW, &poh, NULL, NULL), "daos_pool_connect");
	must(daos_cont_open(poh, getenv("DAOS_CONT"), DAOS_COO_RW, &coh, NULL, NULL), "daos_cont_open");
	if (strcmp(argv[1], "init") == 0) {
		initialise();
	} else if (strcmp(argv[1], "final") == 0 && argc == 6) {
		open_all(argv + 2);
		print_all();
	} else if (strcmp(argv[1], "work") == 0 && argc == 8) {
		open_all(argv + 2);
		process = atoi(argv[6]);
		seed    = strtoull(argv[7], NULL, 10);
		for (size_t i = 0; i < THREADS; i++)
			must(pthread_create(&threads[i], NULL, work, (void *)i), "pthread_create");
		while (getchar() != EOF)
			;
		stop = true;
		for (size_t i = 0; i < THREADS; i++)
			pthread_join(threads[i], NULL);
	} else {
		must(1, "arguments");
	}
	fflush(stdout);
	daos_obj_close(lists, NULL);
	daos_obj_close(accounts, NULL);
	daos_cont_close(coh, NULL);
	daos_pool_disconnect(poh, NULL);
	daos_fini();
	return 0;
}
