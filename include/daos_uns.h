/*
 * SPDX-License-Identifier: BSD-2-Clause-Patent
 *
 * Unified namespace: paths of a file system that stand for containers. Functions return 0 or a positive errno value.
 */
#ifndef DAOS_INC_DAOS_UNS_H
#define DAOS_INC_DAOS_UNS_H

#include <daos_prop.h>
#include <daos_obj_class.h>
#include <daos_cont.h>

#if defined(__cplusplus)
extern "C" {
#endif

#define DUNS_XATTR_NAME	"user.daos"
#define DUNS_MAX_XATTR_LEN	170
#define DUNS_XATTR_FMT	"DAOS.%s://%36s/%36s"
#define DUNS_LUSTRE_XATTR_FMT	"%36s/%36s"

enum {
	DUNS_NO_PREFIX = 1,
	DUNS_NO_REVERSE_LOOKUP = 2,
	DUNS_NO_CHECK_PATH = 4,
};

struct duns_attr_t {
	daos_cont_layout_t da_type;
	daos_oclass_id_t da_oclass_id;
	daos_size_t da_chunk_size;
	daos_prop_t *da_props;
	uint32_t da_flags;
	char da_pool[128];
	char da_cont[128];
	char *da_sys;
	char *da_rel_path;
	bool da_on_lustre;
	bool da_no_prefix;
	uuid_t da_puuid;
	uuid_t da_cuuid;
	daos_oclass_id_t da_dir_oclass_id;
	daos_oclass_id_t da_file_oclass_id;
	char da_hints[128];
};

/** Creates a container and ties it to a new file (HDF5) or directory (POSIX) at path. */
int duns_create_path(daos_handle_t poh, const char *path, struct duns_attr_t *attrp);

/** Frees what duns_resolve_path() put into attrp, not attrp itself. */
void duns_destroy_attr(struct duns_attr_t *attrp);

/** Destroys the container that a path is tied to, and the path. */
int duns_destroy_path(daos_handle_t poh, const char *path);

/** Ties an existing container to a new path. */
int duns_link_cont(daos_handle_t poh, const char *cont, const char *path);

/** Parses the value of the attribute DUNS_XATTR_NAME. */
int duns_parse_attr(char *str, daos_size_t len, struct duns_attr_t *attr);

/**
 * Finds the pool and container that a path stands for: daos://pool/container[/path], or an entry of a file system
 * (or one above it) with the attribute DUNS_XATTR_NAME. Release attrp with duns_destroy_attr(). ENODATA: none.
 */
int duns_resolve_path(const char *path, struct duns_attr_t *attr);

/** Names the system that later calls with attrp are about. */
int duns_set_sys_name(struct duns_attr_t *attrp, const char *sys);

#if defined(__cplusplus)
}
#endif

#endif /* DAOS_INC_DAOS_UNS_H */
