/*
 * SPDX-License-Identifier: BSD-2-Clause-Patent
 *
 * Containers: creation, handles, attributes, properties and snapshots.
 *
 * Functions return 0 or -DER_xxx. Those with an event: NULL makes the call wait until it is done; else it returns
 * at once, the result arrives in ev->ev_error, and everything passed by pointer must stay until then.
 */
#ifndef DAOS_INC_DAOS_CONT_H
#define DAOS_INC_DAOS_CONT_H

#include <daos_security.h>

#if defined(__cplusplus)
extern "C" {
#endif

#define daos_cont_open	daos_cont_open2
#define daos_cont_destroy	daos_cont_destroy2
#define daos_cont_create	daos_cont_create2
#define DAOS_COO_RO	1U
#define DAOS_COO_RW	2U
#define DAOS_COO_EX	4U
#define DAOS_COO_FORCE	8U
#define DAOS_COO_RO_MDSTATS	16U
#define DAOS_COO_EVICT	32U
#define DAOS_COO_EVICT_ALL	64U
#define DAOS_COO_NEW_LAYOUT	128U
#define DAOS_COO_NBITS	8
#define DAOS_COO_MASK	255U
#define DAOS_COO_IO_BASE_MASK	7U
#define DAOS_CONT_HINT_MAX_LEN	128
#define DAOS_SNAPSHOT_MAX_LEN	128

enum daos_snapshot_opts {
	DAOS_SNAP_OPT_CR = 1,
	DAOS_SNAP_OPT_OIT = 2,
};

/** Merges the history of a container up to an epoch. */
int daos_cont_aggregate(daos_handle_t coh, daos_epoch_t epoch, daos_event_t *ev);

/** Reserves num_oids consecutive values, from *oid on, for the low word of object identifiers. */
int daos_cont_alloc_oids(daos_handle_t coh, daos_size_t num_oids, uint64_t *oid, daos_event_t *ev);

/** Releases a container handle; objects opened through it must be closed before. */
int daos_cont_close(daos_handle_t coh, daos_event_t *ev);

/** Creates a container with properties (NULL: defaults); its UUID goes to *uuid unless NULL. */
int daos_cont_create2(daos_handle_t poh, uuid_t *uuid, daos_prop_t *cont_prop, daos_event_t *ev);

/** Makes a snapshot; *epoch names it. */
int daos_cont_create_snap(daos_handle_t coh, daos_epoch_t *epoch, char *name, daos_event_t *ev);

/** Makes a snapshot, with a list of the objects in it when opts ask for one. */
int daos_cont_create_snap_opt(daos_handle_t coh, daos_epoch_t *epoch, char *name,
                              enum daos_snapshot_opts opts, daos_event_t *ev);

/** Creates a container with a label beside other properties. -DER_EXIST: the label is taken. */
int daos_cont_create_with_label(daos_handle_t poh, const char *label, daos_prop_t *cont_prop,
                                uuid_t *uuid, daos_event_t *ev);

/** Deletes n attributes; names that don't exist are no error. */
int daos_cont_del_attr(daos_handle_t coh, int n, const char *const names[], daos_event_t *ev);

/** Removes the entry of one principal. -DER_NONEXIST: none. */
int daos_cont_delete_acl(daos_handle_t coh, enum daos_acl_principal_type type, d_string_t name,
                         daos_event_t *ev);

/** Destroys a container. force 0: -DER_BUSY while others have it open. */
int daos_cont_destroy2(daos_handle_t poh, const char *cont, int force, daos_event_t *ev);

/** Destroys the snapshots of a range of epochs; both ends equal: that one. */
int daos_cont_destroy_snap(daos_handle_t coh, daos_epoch_range_t epr, daos_event_t *ev);

/** The access control list and ownership as properties; *acl_prop is released with daos_prop_free(). */
int daos_cont_get_acl(daos_handle_t coh, daos_prop_t **acl_prop, daos_event_t *ev);

/** Values of n attributes; sizes[i]: room of buffers[i], then what the value takes. */
int daos_cont_get_attr(daos_handle_t coh, int n, const char *const names[], void *const buffers[],
                       size_t sizes[], daos_event_t *ev);

/** Permissions that an access control list and owner give to a user. */
int daos_cont_get_perms(daos_prop_t *cont_prop, uid_t uid, gid_t *gids, size_t nr_gids,
                        uint64_t *perms);

/** Opens the handle that another process has written. */
int daos_cont_global2local(daos_handle_t poh, d_iov_t glob, daos_handle_t *coh);

/** Names of the user attributes, NUL-separated, into buffer; *size: its room, then what the whole takes. */
int daos_cont_list_attr(daos_handle_t coh, char *buffer, size_t *size, daos_event_t *ev);

/** Lists snapshots; *nr: room of epochs and names, then their number. */
int daos_cont_list_snap(daos_handle_t coh, int *nr, daos_epoch_t *epochs, char **names,
                        daos_anchor_t *anchor, daos_event_t *ev);

/**
 * Writes the handle in a form that other processes can open into glob->iov_buf; with iov_buf NULL only its size
 * into iov_buf_len.
 */
int daos_cont_local2global(daos_handle_t coh, d_iov_t *glob);

/**
 * Opens a container by label or UUID string, with DAOS_COO_ flags; *coh is released with daos_cont_close(). info
 * may be NULL.
 */
int daos_cont_open2(daos_handle_t poh, const char *cont, unsigned int flags, daos_handle_t *coh,
                    daos_cont_info_t *info, daos_event_t *ev);

/** Replaces the access control list. */
int daos_cont_overwrite_acl(daos_handle_t coh, struct daos_acl *acl, daos_event_t *ev);

/** Fills, each if not NULL, info and the properties that cont_prop lists (dpp_nr 0: all). */
int daos_cont_query(daos_handle_t coh, daos_cont_info_t *info, daos_prop_t *cont_prop,
                    daos_event_t *ev);

/** Brings a container back to a snapshot. */
int daos_cont_rollback(daos_handle_t coh, daos_epoch_t epoch, daos_event_t *ev);

/** Sets n attributes. */
int daos_cont_set_attr(daos_handle_t coh, int n, const char *const names[],
                       const void *const values[], const size_t sizes[], daos_event_t *ev);

/** Changes owning user and group (NULL: as it is); both must exist here. */
int daos_cont_set_owner(daos_handle_t coh, d_string_t user, d_string_t group, daos_event_t *ev);

/** daos_cont_set_owner() for users and groups that need not exist here. */
int daos_cont_set_owner_no_check(daos_handle_t coh, d_string_t user, d_string_t group,
                                 daos_event_t *ev);

/** Changes properties; those fixed at creation give -DER_NO_PERM. */
int daos_cont_set_prop(daos_handle_t coh, daos_prop_t *prop, daos_event_t *ev);

/** Makes the list of objects of a snapshot. */
int daos_cont_snap_oit_create(daos_handle_t coh, daos_epoch_t epoch, char *name, daos_event_t *ev);

/** Destroys the list of objects of a snapshot, given its open handle. */
int daos_cont_snap_oit_destroy(daos_handle_t coh, daos_handle_t oh, daos_event_t *ev);

/** Declares a container healthy after its losses have been dealt with. */
int daos_cont_status_clear(daos_handle_t coh, daos_event_t *ev);

/** Waits for an epoch to be committed. */
int daos_cont_subscribe(daos_handle_t coh, daos_epoch_t *epoch, daos_event_t *ev);

/** Adds the entries of a list, replacing those of the same principals. */
int daos_cont_update_acl(daos_handle_t coh, struct daos_acl *acl, daos_event_t *ev);

/** Parses ranks between separators; NULL when there are none. Release with d_rank_list_free(). */
d_rank_list_t *daos_rank_list_parse(const char *str, const char *sep);

#if defined(__cplusplus)
}
#endif

#endif /* DAOS_INC_DAOS_CONT_H */
