/*
 * SPDX-License-Identifier: BSD-2-Clause-Patent
 *
 * DFS by absolute path names. Functions return 0 or a positive errno value.
 *
 * Those with an event: NULL makes the call wait until it is done; else it returns at once, the result arrives in
 * ev->ev_error, and everything passed by pointer must stay until then.
 */
#ifndef DAOS_INC_DAOS_FS_SYS_H
#define DAOS_INC_DAOS_FS_SYS_H

#include <dirent.h>
#include <daos.h>
#include <daos_fs.h>

#if defined(__cplusplus)
extern "C" {
#endif

#define DFS_SYS_NO_CACHE	1
#define DFS_SYS_NO_LOCK	2

typedef struct dfs_sys dfs_sys_t;

/** The mount underneath, for dfs_ functions; dfs_sys's, not to be unmounted. */
int dfs_sys2base(dfs_sys_t *dfs_sys, dfs_t **dfs);

/** As the POSIX function of that name (mkdir_p: with the directories above; setattr: as dfs_osetattr()). */
int dfs_sys_access(dfs_sys_t *dfs_sys, const char *path, int mask, int flags);

/** As the POSIX function of that name (mkdir_p: with the directories above; setattr: as dfs_osetattr()). */
int dfs_sys_chmod(dfs_sys_t *dfs_sys, const char *path, mode_t mode);

/** As the POSIX function of that name (mkdir_p: with the directories above; setattr: as dfs_osetattr()). */
int dfs_sys_chown(dfs_sys_t *dfs_sys, const char *path, uid_t uid, gid_t gid, int flags);

/** Releases what dfs_sys_open() opened. */
int dfs_sys_close(dfs_obj_t *obj);

/** Releases a directory. */
int dfs_sys_closedir(DIR *dirp);

/** Opens pool and container and mounts it; end with dfs_sys_disconnect(). */
int dfs_sys_connect(const char *pool, const char *sys, const char *cont, int mflags, int sflags,
                    dfs_attr_t *attr, dfs_sys_t **dfs_sys);

/** Unmounts and releases what dfs_sys_connect() opened. */
int dfs_sys_disconnect(dfs_sys_t *dfs_sys);

/** Reads an extended attribute; *size: room of value (0 asks for it), then its size. ENODATA: none. */
int dfs_sys_getxattr(dfs_sys_t *dfs_sys, const char *path, const char *name, void *value,
                     daos_size_t *size, int flags);

/** Opens the mount or object that another process has written. */
int dfs_sys_global2local(daos_handle_t poh, daos_handle_t coh, int mflags, int sflags, d_iov_t glob,
                         dfs_sys_t **dfs_sys);

/** Opens the mount or object that another process has written. */
int dfs_sys_global2local_all(int mflags, int sflags, d_iov_t glob, dfs_sys_t **dfs_sys);

/** Names of extended attributes, NUL-separated; *size: room of list (0 asks for it), then the size. */
int dfs_sys_listxattr(dfs_sys_t *dfs_sys, const char *path, char *list, daos_size_t *size,
                      int flags);

/**
 * Writes the mount or object in a form that other processes can open into glob->iov_buf; with iov_buf NULL only
 * its size into iov_buf_len. _all: with its pool and container handles.
 */
int dfs_sys_local2global(dfs_sys_t *dfs_sys, d_iov_t *glob);

/**
 * Writes the mount or object in a form that other processes can open into glob->iov_buf; with iov_buf NULL only
 * its size into iov_buf_len. _all: with its pool and container handles.
 */
int dfs_sys_local2global_all(dfs_sys_t *dfs_sys, d_iov_t *glob);

/** As the POSIX function of that name (mkdir_p: with the directories above; setattr: as dfs_osetattr()). */
int dfs_sys_mkdir(dfs_sys_t *dfs_sys, const char *dir, mode_t mode, daos_oclass_id_t cid);

/** As the POSIX function of that name (mkdir_p: with the directories above; setattr: as dfs_osetattr()). */
int dfs_sys_mkdir_p(dfs_sys_t *dfs_sys, const char *dir_path, mode_t mode, daos_oclass_id_t cid);

/** As the POSIX function of that name (mkdir_p: with the directories above; setattr: as dfs_osetattr()). */
int dfs_sys_mknod(dfs_sys_t *dfs_sys, const char *path, mode_t mode, daos_oclass_id_t cid,
                  daos_size_t chunk_size);

/** Mounts an open POSIX container; end with dfs_sys_umount(). */
int dfs_sys_mount(daos_handle_t poh, daos_handle_t coh, int mflags, int sflags,
                  dfs_sys_t **dfs_sys);

/** Opens or creates the object at a path, as dfs_open(); release with dfs_sys_close(). */
int dfs_sys_open(dfs_sys_t *dfs_sys, const char *path, mode_t mode, int flags, daos_oclass_id_t cid,
                 daos_size_t chunk_size, const char *value, dfs_obj_t **obj);

/** Opens a directory for dfs_sys_readdir(); release with dfs_sys_closedir(). */
int dfs_sys_opendir(dfs_sys_t *dfs_sys, const char *dir, int flags, DIR **dirp);

/** Deletes bytes at an offset of the file at a path, as dfs_punch(). */
int dfs_sys_punch(dfs_sys_t *dfs_sys, const char *path, daos_off_t offset, daos_off_t len);

/** Reads at an offset; *size: room, then bytes read. */
int dfs_sys_read(dfs_sys_t *dfs_sys, dfs_obj_t *obj, void *buf, daos_off_t off, daos_size_t *size,
                 daos_event_t *ev);

/** The next entry, in the directory handle; *_dirent is NULL at the end. */
int dfs_sys_readdir(dfs_sys_t *dfs_sys, DIR *dirp, struct dirent **dirent);

/** Target of a symbolic link; *size: room of buf (NULL asks for it), then the size with its NUL. */
int dfs_sys_readlink(dfs_sys_t *dfs_sys, const char *path, char *buf, daos_size_t *size);

/** Removes what is at a path; force: a directory with what is in it. */
int dfs_sys_remove(dfs_sys_t *dfs_sys, const char *path, bool force, daos_obj_id_t *oid);

/** dfs_sys_remove() if the mode's type is as expected; else ENOTDIR, EISDIR or EINVAL. */
int dfs_sys_remove_type(dfs_sys_t *dfs_sys, const char *path, bool force, mode_t mode,
                        daos_obj_id_t *oid);

/** Removes an extended attribute. */
int dfs_sys_removexattr(dfs_sys_t *dfs_sys, const char *path, const char *name, int flags);

/** Path in front of every path given to lookups, to be cut off. */
int dfs_sys_set_prefix(dfs_sys_t *dfs_sys, const char *prefix);

/** As the POSIX function of that name (mkdir_p: with the directories above; setattr: as dfs_osetattr()). */
int dfs_sys_setattr(dfs_sys_t *dfs_sys, const char *path, struct stat *stbuf, int flags,
                    int sflags);

/** Sets an extended attribute; XATTR_CREATE, XATTR_REPLACE as for setxattr(). */
int dfs_sys_setxattr(dfs_sys_t *dfs_sys, const char *path, const char *name, const void *value,
                     daos_size_t size, int flags, int sflags);

/** As the POSIX function of that name (mkdir_p: with the directories above; setattr: as dfs_osetattr()). */
int dfs_sys_stat(dfs_sys_t *dfs_sys, const char *path, int flags, struct stat *stbuf);

/** As the POSIX function of that name (mkdir_p: with the directories above; setattr: as dfs_osetattr()). */
int dfs_sys_symlink(dfs_sys_t *dfs_sys, const char *target, const char *path);

/** Ends a mount. */
int dfs_sys_umount(dfs_sys_t *dfs_sys);

/** As the POSIX function of that name (mkdir_p: with the directories above; setattr: as dfs_osetattr()). */
int dfs_sys_utimens(dfs_sys_t *dfs_sys, const char *path, const struct timespec times[2],
                    int flags);

/** Writes at an offset; *size: bytes to write, then written. */
int dfs_sys_write(dfs_sys_t *dfs_sys, dfs_obj_t *obj, const void *buf, daos_off_t off,
                  daos_size_t *size, daos_event_t *ev);

#if defined(__cplusplus)
}
#endif

#endif /* DAOS_INC_DAOS_FS_SYS_H */
