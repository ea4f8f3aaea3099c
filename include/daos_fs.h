/*
 * SPDX-License-Identifier: BSD-2-Clause-Patent
 *
 * DFS: a POSIX namespace in a container. Functions return 0 or a positive errno value.
 *
 * Those with an event: NULL makes the call wait until it is done; else it returns at once, the result arrives in
 * ev->ev_error, and everything passed by pointer must stay until then.
 */
#ifndef DAOS_INC_DAOS_FS_H
#define DAOS_INC_DAOS_FS_H

#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sys/stat.h>
#include <daos_types.h>
#include <daos_obj.h>
#include <daos_obj_class.h>
#include <daos_array.h>
#include <daos_cont.h>

#if defined(__cplusplus)
extern "C" {
#endif

#define DFS_RDONLY O_RDONLY
#define DFS_RDWR O_RDWR

#define DFS_MAX_NAME	255
#define DFS_MAX_PATH	4096
#define DFS_MAX_FSIZE	0xffffffffffffffffULL
#define DFS_DEFAULT_CHUNK_SIZE	0x100000
#define DFS_MAX_XATTR_NAME	255
#define DFS_MAX_XATTR_LEN	65536
#define DAOS_SUPER_MAGIC	0xda05ad10U
#define DFS_BALANCED	4
#define DFS_RELAXED	0
#define DFS_SET_ATTR_MODE	1
#define DFS_SET_ATTR_ATIME	2
#define DFS_SET_ATTR_MTIME	4
#define DFS_SET_ATTR_SIZE	8
#define DFS_SET_ATTR_UID	16
#define DFS_SET_ATTR_GID	32

enum {
	DFS_CHECK_PRINT = 1,
	DFS_CHECK_REMOVE = 2,
	DFS_CHECK_RELINK = 4,
	DFS_CHECK_VERIFY = 8,
	DFS_CHECK_EVICT_ALL = 16,
};

enum {
	DFS_FILTER_NAME = 2,
	DFS_FILTER_NEWER = 4,
	DFS_FILTER_INCLUDE_DIRS = 8,
};

typedef struct dfs_obj dfs_obj_t;

typedef struct dfs dfs_t;

typedef int (*dfs_filler_cb_t)(dfs_t *, dfs_obj_t *, const char *, void *);

typedef struct dfs_pipeline dfs_pipeline_t;

typedef struct {
	uint64_t da_id;
	daos_size_t da_chunk_size;
	daos_oclass_id_t da_oclass_id;
	daos_prop_t *da_props;
	uint32_t da_mode;
	daos_oclass_id_t da_dir_oclass_id;
	daos_oclass_id_t da_file_oclass_id;
	char da_hints[128];
} dfs_attr_t;

typedef struct {
	daos_size_t iod_nr;
	daos_range_t *iod_rgs;
} dfs_iod_t;

typedef struct {
	daos_oclass_id_t doi_oclass_id;
	daos_size_t doi_chunk_size;
	daos_oclass_id_t doi_dir_oclass_id;
	daos_oclass_id_t doi_file_oclass_id;
	daos_obj_id_t doi_oid;
} dfs_obj_info_t;

typedef struct {
	char dp_name[255];
	time_t dp_newer;
	size_t dp_size;
} dfs_predicate_t;

/** 0 when the caller may, EACCES when not; mask as for access(). */
int dfs_access(dfs_t *dfs, dfs_obj_t *parent, const char *name, int mask);

/** Changes the mode of an entry. */
int dfs_chmod(dfs_t *dfs, dfs_obj_t *parent, const char *name, mode_t mode);

/** Changes owner and group of an entry (-1: as it is); for superusers of the container. */
int dfs_chown(dfs_t *dfs, dfs_obj_t *parent, const char *name, uid_t uid, gid_t gid, int flags);

/** Opens pool and container (O_CREAT: creates it) and mounts it; end with dfs_disconnect(). */
int dfs_connect(const char *pool, const char *sys, const char *cont, int flags, dfs_attr_t *attr,
                dfs_t **dfs);

/** dfs_connect() of a snapshot, read-only. */
int dfs_connect_snap(const char *pool, const char *sys, const char *cont, int flags,
                     daos_epoch_t epoch, const char *name, dfs_t **dfs);

/** Finds, and as flags ask repairs, objects that no directory leads to. */
int dfs_cont_check(daos_handle_t poh, const char *cont, uint64_t flags, const char *name);

/**
 * Creates a POSIX container: superblock and root directory. _coh and _dfs, if not NULL, get it open and mounted.
 */
int dfs_cont_create(daos_handle_t poh, uuid_t *uuid, dfs_attr_t *attr, daos_handle_t *coh,
                    dfs_t **dfs);

/** dfs_cont_create() with a label. */
int dfs_cont_create_with_label(daos_handle_t poh, const char *label, dfs_attr_t *attr, uuid_t *uuid,
                               daos_handle_t *coh, dfs_t **dfs);

/** The handle that a mount uses; give it back with dfs_pool_put() or dfs_cont_put(). */
int dfs_cont_get(dfs_t *dfs, daos_handle_t *coh);

/** Gives a handle back. */
int dfs_cont_put(dfs_t *dfs, daos_handle_t coh);

/** Counts and prints what is in a container. */
int dfs_cont_scan(daos_handle_t poh, const char *cont, uint64_t flags, const char *name);

/** Changes the owner of a container and its root directory. */
int dfs_cont_set_owner(daos_handle_t coh, d_string_t user, uid_t uid, d_string_t group, gid_t gid);

/** Destroys a POSIX container by label. */
int dfs_destroy(const char *pool, const char *sys, const char *cont, int force, daos_event_t *ev);

/** The anchor behind a name. */
int dfs_dir_anchor_set(dfs_obj_t *obj, const char name[], daos_anchor_t *anchor);

/** Unmounts and releases what dfs_connect() opened. */
int dfs_disconnect(dfs_t *dfs);

/** Another handle of an open object. */
int dfs_dup(dfs_t *dfs, dfs_obj_t *obj, int flags, dfs_obj_t **new_obj);

/** Exchanges two entries. */
int dfs_exchange(dfs_t *dfs, dfs_obj_t *parent1, const char *name1, dfs_obj_t *parent2,
                 const char *name2);

/** Undoes one dfs_init(). */
int dfs_fini(void);

/** Chunk size of an open file. */
int dfs_get_chunk_size(dfs_obj_t *obj, daos_size_t *chunk_size);

/** The array handle of an open file; the object's, not to be closed. */
int dfs_get_file_oh(dfs_obj_t *obj, daos_handle_t *oh);

/** Mode of an open object. */
int dfs_get_mode(dfs_obj_t *obj, mode_t *mode);

/** Size of a file in bytes. */
int dfs_get_size(dfs_t *dfs, dfs_obj_t *obj, daos_size_t *size);

/** Size of the file that is stored in an object. */
int dfs_get_size_by_oid(dfs_t *dfs, daos_obj_id_t oid, daos_size_t chunk_size, daos_size_t *size);

/** Target of an open symbolic link; *size: room of buf (NULL asks for it), then the size with its NUL. */
int dfs_get_symlink_value(dfs_obj_t *obj, char *buf, daos_size_t *size);

/** Reads an extended attribute; *size: room of value (0 asks for it), then its size. ENODATA: none. */
int dfs_getxattr(dfs_t *dfs, dfs_obj_t *obj, const char *name, void *value, daos_size_t *size);

/** Opens the mount or object that another process has written. */
int dfs_global2local(daos_handle_t poh, daos_handle_t coh, int flags, d_iov_t glob, dfs_t **dfs);

/** Opens the mount or object that another process has written. */
int dfs_global2local_all(int flags, d_iov_t glob, dfs_t **dfs);

/** Prepares the library for dfs_connect(); counted. */
int dfs_init(void);

/** Calls op for the entries of a directory, at most *nr and size bytes of names; op not 0 stops. */
int dfs_iterate(dfs_t *dfs, dfs_obj_t *obj, daos_anchor_t *anchor, uint32_t *nr, size_t size,
                dfs_filler_cb_t op, void *arg);

/** Names of extended attributes, NUL-separated; *size: room of list (0 asks for it), then the size. */
int dfs_listxattr(dfs_t *dfs, dfs_obj_t *obj, char *list, daos_size_t *size);

/**
 * Writes the mount or object in a form that other processes can open into glob->iov_buf; with iov_buf NULL only
 * its size into iov_buf_len. _all: with its pool and container handles.
 */
int dfs_local2global(dfs_t *dfs, d_iov_t *glob);

/**
 * Writes the mount or object in a form that other processes can open into glob->iov_buf; with iov_buf NULL only
 * its size into iov_buf_len. _all: with its pool and container handles.
 */
int dfs_local2global_all(dfs_t *dfs, d_iov_t *glob);

struct stat;
/**
 * Opens the object at an absolute path; *obj is released with dfs_release(). mode and stbuf may be NULL. ENOENT,
 * ENOTDIR, ELOOP.
 */
int dfs_lookup(dfs_t *dfs, const char *path, int flags, dfs_obj_t **obj, mode_t *mode,
               struct stat *stbuf);

/** dfs_lookup() of one name in a directory (NULL: the root). */
int dfs_lookup_rel(dfs_t *dfs, dfs_obj_t *parent, const char *name, int flags, dfs_obj_t **obj,
                   mode_t *mode, struct stat *stbuf);

/** Makes a directory in parent (NULL: the root). */
int dfs_mkdir(dfs_t *dfs, dfs_obj_t *parent, const char *name, mode_t mode, daos_oclass_id_t cid);

/** Mounts an open POSIX container, O_RDONLY or O_RDWR; end with dfs_umount(). EINVAL: it is no POSIX container. */
int dfs_mount(daos_handle_t poh, daos_handle_t coh, int flags, dfs_t **dfs);

/** dfs_mount() of a snapshot, read-only. */
int dfs_mount_snap(daos_handle_t poh, daos_handle_t coh, int flags, daos_epoch_t epoch,
                   const char *name, dfs_t **dfs);

/** Renames; an existing target is replaced, its object identifier goes to *oid unless NULL. */
int dfs_move(dfs_t *dfs, dfs_obj_t *parent, const char *name, dfs_obj_t *new_parent,
             const char *new_name, daos_obj_id_t *oid);

/** Identifier of an open object. */
int dfs_obj2id(dfs_obj_t *obj, daos_obj_id_t *oid);

/** Anchors for listing a directory in parts, as daos_obj_anchor_split() and daos_obj_anchor_set(). */
int dfs_obj_anchor_set(dfs_obj_t *obj, uint32_t index, daos_anchor_t *anchor);

/** Anchors for listing a directory in parts, as daos_obj_anchor_split() and daos_obj_anchor_set(). */
int dfs_obj_anchor_split(dfs_obj_t *obj, uint32_t *nr, daos_anchor_t *anchors);

/** Class, chunk size and identifiers of an open object. */
int dfs_obj_get_info(dfs_t *dfs, dfs_obj_t *obj, dfs_obj_info_t *info);

/** Opens the mount or object that another process has written. */
int dfs_obj_global2local(dfs_t *dfs, int flags, d_iov_t glob, dfs_obj_t **obj);

/**
 * Writes the mount or object in a form that other processes can open into glob->iov_buf; with iov_buf NULL only
 * its size into iov_buf_len. _all: with its pool and container handles.
 */
int dfs_obj_local2global(dfs_t *dfs, dfs_obj_t *obj, d_iov_t *glob);

/** Chunk size of what is created in a directory from now on. */
int dfs_obj_set_chunk_size(dfs_t *dfs, dfs_obj_t *obj, int flags, daos_size_t csize);

/** Object class of what is created in a directory from now on. */
int dfs_obj_set_oclass(dfs_t *dfs, dfs_obj_t *obj, int flags, daos_oclass_id_t cid);

/**
 * Opens, or with O_CREAT creates, a file, directory or symbolic link (value) named name in parent. cid and
 * chunk_size 0: the container's. Release with dfs_release(). EEXIST with O_EXCL.
 */
int dfs_open(dfs_t *dfs, dfs_obj_t *parent, const char *name, mode_t mode, int flags,
             daos_oclass_id_t cid, daos_size_t chunk_size, const char *value, dfs_obj_t **obj);

/** Changes the attributes that flags (DFS_SET_ATTR_) name; stbuf then holds all. */
int dfs_osetattr(dfs_t *dfs, dfs_obj_t *obj, struct stat *stbuf, int flags);

/** Attributes of an open object. */
int dfs_ostat(dfs_t *dfs, dfs_obj_t *obj, struct stat *stbuf);

/** A pipeline for dfs_readdir_with_filter(); free with dfs_pipeline_destroy(). */
int dfs_pipeline_create(dfs_t *dfs, dfs_predicate_t pred, uint64_t flags, dfs_pipeline_t **dpipe);

/** Frees a pipeline. */
int dfs_pipeline_destroy(dfs_pipeline_t *dpipe);

/** The handle that a mount uses; give it back with dfs_pool_put() or dfs_cont_put(). */
int dfs_pool_get(dfs_t *dfs, daos_handle_t *poh);

/** Gives a handle back. */
int dfs_pool_put(dfs_t *dfs, daos_handle_t poh);

/** Deletes len bytes at an offset; DFS_MAX_FSIZE: truncates (or extends) to the offset. */
int dfs_punch(dfs_t *dfs, dfs_obj_t *obj, daos_off_t offset, daos_size_t len);

/** Attributes of a mounted container. */
int dfs_query(dfs_t *dfs, dfs_attr_t *attr);

/** Reads at an offset of a file; *read_size: bytes up to the end of the file. */
int dfs_read(dfs_t *dfs, dfs_obj_t *obj, d_sg_list_t *sgl, daos_off_t off, daos_size_t *read_size,
             daos_event_t *ev);

struct dirent;
/**
 * Names in a directory; *nr: room of dirs, then their number. Goes on from the anchor until daos_anchor_is_eof().
 */
int dfs_readdir(dfs_t *dfs, dfs_obj_t *obj, daos_anchor_t *anchor, uint32_t *nr,
                struct dirent *dirs);

/** dfs_readdir() of the entries that a pipeline lets through. */
int dfs_readdir_with_filter(dfs_t *dfs, dfs_obj_t *obj, dfs_pipeline_t *dpipe,
                            daos_anchor_t *anchor, uint32_t *nr, struct dirent *dirs,
                            daos_obj_id_t *oids, daos_size_t *csizes, uint64_t *nr_scanned);

/** dfs_readdir() with the attributes of each entry. */
int dfs_readdirplus(dfs_t *dfs, dfs_obj_t *obj, daos_anchor_t *anchor, uint32_t *nr,
                    struct dirent *dirs, struct stat *stbufs);

/** dfs_read() of several ranges. */
int dfs_readx(dfs_t *dfs, dfs_obj_t *obj, dfs_iod_t *iod, d_sg_list_t *sgl, daos_size_t *read_size,
              daos_event_t *ev);

/** Releases an open object. */
int dfs_release(dfs_obj_t *obj);

/** Removes an entry; force: a directory with what is in it. *oid, if not NULL: the object that was removed. */
int dfs_remove(dfs_t *dfs, dfs_obj_t *parent, const char *name, bool force, daos_obj_id_t *oid);

/** Removes an extended attribute. */
int dfs_removexattr(dfs_t *dfs, dfs_obj_t *obj, const char *name);

/** Path in front of every path given to lookups, to be cut off. */
int dfs_set_prefix(dfs_t *dfs, const char *prefix);

/** Sets an extended attribute; XATTR_CREATE, XATTR_REPLACE as for setxattr(). */
int dfs_setxattr(dfs_t *dfs, dfs_obj_t *obj, const char *name, const void *value, daos_size_t size,
                 int flags);

/** Attributes of an entry (name NULL: of parent). */
int dfs_stat(dfs_t *dfs, dfs_obj_t *parent, const char *name, struct stat *stbuf);

/** The class that hints ("file:single,dir:max") stand for in a container. */
int dfs_suggest_oclass(dfs_t *dfs, const char *hint, daos_oclass_id_t *cid);

/** Flushes a mount: nothing is held back, so it answers 0. */
int dfs_sync(dfs_t *dfs);

/** Ends a mount; handles stay open. */
int dfs_umount(dfs_t *dfs);

/** Makes an open object know another parent after a rename. */
int dfs_update_parent(dfs_obj_t *obj, dfs_obj_t *src_obj, const char *name);

/** Writes at an offset of a file. */
int dfs_write(dfs_t *dfs, dfs_obj_t *obj, d_sg_list_t *sgl, daos_off_t off, daos_event_t *ev);

/** dfs_write() of several ranges. */
int dfs_writex(dfs_t *dfs, dfs_obj_t *obj, dfs_iod_t *iod, d_sg_list_t *sgl, daos_event_t *ev);

#if defined(__cplusplus)
}
#endif

#endif /* DAOS_INC_DAOS_FS_H */
