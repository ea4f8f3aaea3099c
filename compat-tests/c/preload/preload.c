/* preload.c: a program that is linked against other libraries of our names; see tests/system/preload.rs. */
#include <daos.h>
#include <daos_fs.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>

static int step(const char *what, int rc)
{
	if (rc != 0) {
		printf("%s: %d\n", what, rc);
		exit(1);
	}
	return rc;
}

int main(void)
{
	daos_handle_t poh, coh;
	dfs_t        *dfs;

	step("daos_init", daos_init());
	step("daos_pool_connect", daos_pool_connect(getenv("DAOS_POOL"), NULL, DAOS_PC_RW, &poh, NULL, NULL));
	step("daos_cont_open", daos_cont_open(poh, getenv("DAOS_CONT"), DAOS_COO_RW, &coh, NULL, NULL));
	step("dfs_mount", dfs_mount(poh, coh, O_RDWR, &dfs));
	step("dfs_mkdir", dfs_mkdir(dfs, NULL, "preload", 0755, 0));
	step("dfs_remove", dfs_remove(dfs, NULL, "preload", 0, NULL));
	step("dfs_umount", dfs_umount(dfs));
	step("daos_cont_close", daos_cont_close(coh, NULL));
	step("daos_pool_disconnect", daos_pool_disconnect(poh, NULL));
	return step("daos_fini", daos_fini());
}
