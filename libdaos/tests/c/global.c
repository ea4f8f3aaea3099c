/* Aim: handles across processes: a child that shares nothing works through the parent's handles; damage is noticed; a
 * forked child without daos_reinit is told so, and works after it. */
#include "check.h"
#include <sys/wait.h>
#include <unistd.h>

struct message {
	char    pool[16384], cont[16384];
	d_iov_t pool_glob, cont_glob;
};

static void
use(daos_handle_t coh, daos_obj_id_t oid, const char *key, const char *expected)
{
	daos_handle_t oh;
	daos_size_t   size = 16;
	char          value[16];

	OK(daos_kv_open(coh, oid, DAOS_OO_RW, &oh, NULL));
	OK(daos_kv_get(oh, DAOS_TX_NONE, 0, "parent", &size, value, NULL));
	CHECK(size == strlen(expected) && memcmp(value, expected, size) == 0);
	OK(daos_kv_put(oh, DAOS_TX_NONE, 0, key, 5, "child", NULL));
	OK(daos_kv_close(oh, NULL));
}

/* Another process: execs itself, so that nothing is inherited but what it reads from standard input. */
static int
other_process(void)
{
	static struct message message;
	daos_obj_id_t         oid;
	daos_handle_t         poh, coh;

	STEP("other process");
	CHECK(fread(&message, sizeof(message), 1, stdin) == 1);
	CHECK(fread(&oid, sizeof(oid), 1, stdin) == 1);
	message.pool_glob.iov_buf = message.pool;
	message.cont_glob.iov_buf = message.cont;
	OK(daos_init());
	OK(daos_pool_global2local(message.pool_glob, &poh));
	OK(daos_cont_global2local(poh, message.cont_glob, &coh));
	use(coh, oid, "other", "here");
	STEP("damaged handles");
	message.pool[message.pool_glob.iov_len / 2] ^= 4;
	CHECK_RC(daos_pool_global2local(message.pool_glob, &coh), -DER_INVAL);
	message.cont_glob.iov_len = message.cont_glob.iov_len / 2;
	CHECK_RC(daos_cont_global2local(poh, message.cont_glob, &coh), -DER_INVAL);
	OK(daos_fini());
	return 0;
}

static void
run_other(const char *self, struct message *message, daos_obj_id_t oid)
{
	int   pipes[2], status;
	pid_t child;

	CHECK(pipe(pipes) == 0);
	child = fork();
	CHECK(child >= 0);
	if (child == 0) {
		dup2(pipes[0], 0);
		close(pipes[1]);
		execl(self, self, "--other", (char *)NULL);
		_exit(127);
	}
	close(pipes[0]);
	CHECK(write(pipes[1], message, sizeof(*message)) == sizeof(*message));
	CHECK(write(pipes[1], &oid, sizeof(oid)) == sizeof(oid));
	close(pipes[1]);
	CHECK(waitpid(child, &status, 0) == child);
	CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

static void
run_forked(daos_handle_t coh, daos_handle_t oh, daos_obj_id_t oid)
{
	int   status;
	pid_t child = fork();

	CHECK(child >= 0);
	if (child == 0) {
		daos_handle_t eqh;

		CHECK_RC(daos_kv_put(oh, DAOS_TX_NONE, 0, "forked", 5, "child", NULL), -DER_UNINIT);
		CHECK_RC(daos_eq_create(&eqh), -DER_UNINIT);
		OK(daos_reinit());
		OK(daos_kv_put(oh, DAOS_TX_NONE, 0, "forked", 5, "child", NULL));
		use(coh, oid, "forked too", "here");
		exit(0);
	}
	CHECK(waitpid(child, &status, 0) == child);
	CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

int
main(int argc, char **argv)
{
	static struct message message;
	daos_handle_t         poh, coh, oh;
	daos_obj_id_t         oid;
	daos_size_t           size;
	char                  value[16];

	if (argc > 1 && strcmp(argv[1], "--other") == 0)
		return other_process();
	check_open(&poh, &coh);
	oid = check_oid(coh, DAOS_OT_KV_HASHED, OC_SX);
	OK(daos_kv_open(coh, oid, DAOS_OO_RW, &oh, NULL));
	OK(daos_kv_put(oh, DAOS_TX_NONE, 0, "parent", 4, "here", NULL));

	STEP("sizes of global handles");
	OK(daos_pool_local2global(poh, &message.pool_glob));
	CHECK(message.pool_glob.iov_buf_len > 0 && message.pool_glob.iov_buf_len <= sizeof(message.pool));
	message.pool_glob.iov_buf     = message.pool;
	message.pool_glob.iov_buf_len = 8;
	CHECK_RC(daos_pool_local2global(poh, &message.pool_glob), -DER_TRUNC);
	OK(daos_pool_local2global(poh, &message.pool_glob));
	OK(daos_cont_local2global(coh, &message.cont_glob));
	CHECK(message.cont_glob.iov_buf_len <= sizeof(message.cont));
	message.cont_glob.iov_buf = message.cont;
	OK(daos_cont_local2global(coh, &message.cont_glob));

	STEP("another process");
	run_other(argv[0], &message, oid);
	size = sizeof(value);
	OK(daos_kv_get(oh, DAOS_TX_NONE, 0, "other", &size, value, NULL));
	CHECK(size == 5 && memcmp(value, "child", 5) == 0);

	STEP("a forked process");
	run_forked(coh, oh, oid);
	size = sizeof(value);
	OK(daos_kv_get(oh, DAOS_TX_NONE, 0, "forked", &size, value, NULL));
	CHECK(size == 5);
	OK(daos_kv_get(oh, DAOS_TX_NONE, 0, "parent", &size, value, NULL));
	OK(daos_kv_close(oh, NULL));
	check_close(poh, coh);
	return 0;
}
