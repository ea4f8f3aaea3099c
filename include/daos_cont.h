/*
 * SPDX-License-Identifier: BSD-2-Clause-Patent
 *
 * Containers: creation, handles, attributes, properties and snapshots.
 *
 * Functions return 0 or -DER_xxx. Those with an event: NULL makes the call wait until it is done; else it returns
 * at once, the result arrives in ev->ev_error, and everything passed by pointer must stay until then.
 *
 * Errors that any of them can give and that are not repeated below: -DER_UNINIT before daos_init() and after
 * daos_fini(); -DER_NOMEM; with an event, -DER_INVAL: it was not initialised or was finalised, -DER_NO_PERM: it is in
 * use, -DER_NONEXIST: its queue is being destroyed; of those that talk to servers, -DER_UNREACH and -DER_TIMEDOUT: a
 * server did not answer for too long.
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
/* How to open a container: one of the first three, with any of the others; see daos_cont_open(). */
#define DAOS_COO_RO	1U	/**< for reading */
#define DAOS_COO_RW	2U	/**< for writing too */
#define DAOS_COO_EX	4U	/**< for writing, with nobody else */
#define DAOS_COO_FORCE	8U	/**< also if it is marked unclean */
#define DAOS_COO_RO_MDSTATS	16U	/**< leave the open time */
#define DAOS_COO_EVICT	32U	/**< revoke the user's other handles */
#define DAOS_COO_EVICT_ALL	64U	/**< revoke all other handles; with EX */
#define DAOS_COO_NEW_LAYOUT	128U	/**< without effect */
#define DAOS_COO_NBITS	8
#define DAOS_COO_MASK	255U
#define DAOS_COO_IO_BASE_MASK	7U
/* Bytes with the NUL, at most. */
#define DAOS_CONT_HINT_MAX_LEN	128
#define DAOS_SNAPSHOT_MAX_LEN	128

/** What daos_cont_create_snap_opt() makes. */
enum daos_snapshot_opts {
	DAOS_SNAP_OPT_CR = 1,	/**< the snapshot */
	DAOS_SNAP_OPT_OIT = 2,	/**< the list of its objects */
};

/**
 * Merges versions: what is overwritten or punched at or before an epoch gives its space back, as far as no snapshot,
 * transaction or write under way needs it. The servers do it by themselves for versions older than DAOS_VOS_AGG_GAP
 * (20 s) unless the pool's property reclaim is disabled; this call does it now, and waits for it.
 *
 * \param[in] coh  Container, open for writing.
 * \param[in] epoch  Up to here; 0: up to now.
 * \param[in] ev  Event that the result goes to; NULL: wait for it.
 * \return 0; -DER_NO_HDL: no such container handle; -DER_NO_PERM: open for reading; -DER_INVAL: DAOS_EPOCH_MAX.
 */
int daos_cont_aggregate(daos_handle_t coh, daos_epoch_t epoch, daos_event_t *ev);

/**
 * Reserves numbers for object identifiers: nobody else gets the same ones from this container. They are taken from
 * a counter that survives restarts; numbers that are not used are lost.
 *
 * \param[in] coh  Container, open for writing.
 * \param[in] num_oids  How many numbers; not 0.
 * \param[out] oid  The first of them; the others follow. They go into the low 64 bits of a daos_obj_id_t before
 *     daos_obj_generate_oid().
 * \param[in] ev  Event that the result goes to; NULL: wait for it.
 * \return 0; -DER_NO_HDL: no such container handle; -DER_INVAL: num_oids is 0 or oid is NULL; -DER_NO_PERM: open
 *     for reading only; -DER_OVERFLOW: the counter's end is reached.
 */
int daos_cont_alloc_oids(daos_handle_t coh, daos_size_t num_oids, uint64_t *oid, daos_event_t *ev);

/**
 * Releases a container handle. Objects that were opened through it can only be closed afterwards.
 *
 * \param[in] coh  Container handle.
 * \param[in] ev  Event that the result goes to; NULL: wait for it.
 * \return 0; -DER_NO_HDL: no such container handle; -DER_UNREACH, -DER_TIMEDOUT: the pool's service can't be reached.
 */
int daos_cont_close(daos_handle_t coh, daos_event_t *ev);

/**
 * Creates a container without a label. The properties that are not given get the pool's defaults.
 *
 * \param[in] poh  Pool, open for writing.
 * \param[out] uuid  UUID of the new container; NULL if not wanted.
 * \param[in] cont_prop  Properties to set (DAOS_PROP_CO_), a copy is taken; NULL: none. A label among them is the
 *     container's.
 * \param[in] ev  Event that the result goes to; NULL: wait for it.
 * \return 0; -DER_NO_HDL: no such pool handle; -DER_NO_PERM: the user may not create containers; -DER_INVAL: a
 *     property that does not exist, has no such value, or is set by the system; -DER_EXIST: the label is taken;
 *     -DER_NOSPACE: no room for its metadata.
 */
int daos_cont_create2(daos_handle_t poh, uuid_t *uuid, daos_prop_t *cont_prop, daos_event_t *ev);

/**
 * Makes a snapshot: it holds every write that was acknowledged before the call, none that began after it returned, and
 * never changes. Read it through daos_tx_open_snap().
 *
 * \param[in] coh  Container, open for writing.
 * \param[out] epoch  Epoch of the snapshot, by which it is known.
 * \param[in] name  A name of at most 127 bytes, which no other snapshot of the container has; NULL: none.
 * \param[in] ev  Event that the result goes to; NULL: wait for it.
 * \return 0; -DER_NO_HDL: no such container handle; -DER_NO_PERM: open for reading; -DER_INVAL: epoch is NULL, or the
 *     name too long; -DER_EXIST: the name is taken; -DER_NOSPACE: the container has as many as its property
 *     max_snapshot allows; -DER_BUSY: it is being rolled back, or a write does not end; -DER_UNREACH: a server of the
 *     pool is away.
 */
int daos_cont_create_snap(daos_handle_t coh, daos_epoch_t *epoch, char *name, daos_event_t *ev);

/**
 * daos_cont_create_snap(), with a table of the objects in the snapshot (daos_oit_open()) if opts ask for it; both or
 * none are made.
 *
 * \param[in] coh  Container, open for writing.
 * \param[out] epoch  Epoch of the snapshot.
 * \param[in] name  As there.
 * \param[in] opts  DAOS_SNAP_OPT_CR, with or without DAOS_SNAP_OPT_OIT.
 * \param[in] ev  Event that the result goes to; NULL: wait for it.
 * \return As daos_cont_create_snap(); -DER_INVAL: other opts; -DER_NOTSUPPORTED: the container's redundancy asks for a
 *     table that cannot be written yet.
 */
int daos_cont_create_snap_opt(daos_handle_t coh, daos_epoch_t *epoch, char *name,
                              enum daos_snapshot_opts opts, daos_event_t *ev);

/**
 * Creates a container with a label, by which it can be opened as by its UUID.
 *
 * \param[in] poh  Pool, open for writing.
 * \param[in] label  1 to 127 characters: letters, digits, and ".", "_", ":", "-"; not in the form of a UUID. A
 *     label in cont_prop is ignored.
 * \param[in] cont_prop  More properties to set (DAOS_PROP_CO_), a copy is taken; NULL: none.
 * \param[out] uuid  UUID of the new container; NULL if not wanted.
 * \param[in] ev  Event that the result goes to; NULL: wait for it.
 * \return 0; -DER_NO_HDL: no such pool handle; -DER_NO_PERM: the user may not create containers; -DER_INVAL: a
 *     malformed label or property; -DER_EXIST: the label is taken; -DER_NOSPACE: no room for its metadata.
 */
int daos_cont_create_with_label(daos_handle_t poh, const char *label, daos_prop_t *cont_prop,
                                uuid_t *uuid, daos_event_t *ev);

/**
 * Deletes user attributes. Names that do not exist are no error.
 *
 * \param[in] coh  Container, open for writing.
 * \param[in] n  Number of names; not 0.
 * \param[in] names  Names of 1 to 511 bytes.
 * \param[in] ev  Event that the result goes to; NULL: wait for it.
 * \return 0; -DER_NO_HDL: no such container handle; -DER_INVAL: no names, a NULL or empty one, or one too long;
 *     -DER_NO_PERM: the handle does not allow it.
 */
int daos_cont_del_attr(daos_handle_t coh, int n, const char *const names[], daos_event_t *ev);

/**
 * Removes one principal's entry from the access control list.
 *
 * \param[in] coh  Container handle whose user may change the list.
 * \param[in] type  Kind of principal (DAOS_ACL_OWNER, _USER, ...).
 * \param[in] name  Name with its "@", for DAOS_ACL_USER and DAOS_ACL_GROUP; else not looked at.
 * \param[in] ev  Event that the result goes to; NULL: wait for it.
 * \return 0; -DER_NO_HDL: no such container handle; -DER_INVAL: no such kind, or a malformed name; -DER_NONEXIST:
 *     no entry for the principal; -DER_NO_PERM: the user may not read or change the list.
 */
int daos_cont_delete_acl(daos_handle_t coh, enum daos_acl_principal_type type, d_string_t name,
                         daos_event_t *ev);

/**
 * Destroys a container with all its objects, snapshots and attributes. Its space returns in the background.
 *
 * \param[in] poh  Pool handle.
 * \param[in] cont  Label or UUID string.
 * \param[in] force  Not 0: handles that are open, here or elsewhere, are revoked (their calls fail with
 *     -DER_NO_HDL).
 * \param[in] ev  Event that the result goes to; NULL: wait for it.
 * \return 0; -DER_NO_HDL: no such pool handle; -DER_INVAL: neither label nor UUID; -DER_NONEXIST: no such
 *     container; -DER_BUSY: open, and force is 0; -DER_NO_PERM: the user may not destroy it.
 */
int daos_cont_destroy2(daos_handle_t poh, const char *cont, int force, daos_event_t *ev);

/**
 * Destroys snapshots and their tables of objects. What only they held is merged away.
 *
 * \param[in] coh  Container, open for writing.
 * \param[in] epr  Those from epr_lo to epr_hi; both equal: that one.
 * \param[in] ev  Event that the result goes to; NULL: wait for it.
 * \return 0, also when a range has none; -DER_NO_HDL: no such container handle; -DER_NO_PERM: open for reading;
 *     -DER_INVAL: epr_lo is greater than epr_hi; -DER_NONEXIST: the one epoch is no snapshot's.
 */
int daos_cont_destroy_snap(daos_handle_t coh, daos_epoch_range_t epr, daos_event_t *ev);

/**
 * Reads the access control list, owner and owner group.
 *
 * \param[in] coh  Container handle.
 * \param[out] acl_prop  Property list with DAOS_PROP_CO_ACL, _OWNER and _OWNER_GROUP, the caller's to release with
 *     daos_prop_free().
 * \param[in] ev  Event that the result goes to; NULL: wait for it.
 * \return 0; -DER_NO_HDL: no such container handle; -DER_INVAL: acl_prop is NULL; -DER_NO_PERM: the user may not
 *     read it; -DER_NOMEM.
 */
int daos_cont_get_acl(daos_handle_t coh, daos_prop_t **acl_prop, daos_event_t *ev);

/**
 * Reads user attributes. All must exist.
 *
 * \param[in] coh  Container handle.
 * \param[in] n  Number of names; not 0.
 * \param[in] names  Names of 1 to 511 bytes.
 * \param[out] buffers  One buffer per name, filled as far as it goes; NULL, or a NULL among them: only the size.
 * \param[in,out] sizes  Bytes of each buffer, then bytes of each value.
 * \param[in] ev  Event that the result goes to; NULL: wait for it.
 * \return 0; -DER_NO_HDL: no such container handle; -DER_INVAL: no names, a bad one, or sizes is NULL;
 *     -DER_NONEXIST: one of them does not exist; -DER_NO_PERM: the handle does not allow it.
 */
int daos_cont_get_attr(daos_handle_t coh, int n, const char *const names[], void *const buffers[],
                       size_t sizes[], daos_event_t *ev);

/**
 * Works out what an access control list and ownership allow a user. Sends nothing.
 *
 * \param[in] cont_prop  Properties with DAOS_PROP_CO_ACL, _OWNER and _OWNER_GROUP, as daos_cont_get_acl() gives
 *     them.
 * \param[in] uid  User.
 * \param[in] gids  Groups of the user; NULL if nr_gids is 0.
 * \param[in] nr_gids  Number of groups.
 * \param[out] perms  DAOS_ACL_PERM_ bits.
 * \return 0; -DER_INVAL: a NULL, or properties that lack one of the three; -DER_NONEXIST: the user or a group is
 *     not known on this node; -DER_NOMEM.
 */
int daos_cont_get_perms(daos_prop_t *cont_prop, uid_t uid, gid_t *gids, size_t nr_gids,
                        uint64_t *perms);

/**
 * Opens a container handle that another process has turned into bytes with daos_cont_local2global(). Sends nothing;
 * each such handle is closed with daos_cont_close() by whoever opened it, the last one ends it on the servers.
 *
 * \param[in] poh  Handle of the same pool, itself opened or from daos_pool_global2local().
 * \param[in] glob  The bytes.
 * \param[out] coh  The handle.
 * \return 0; -DER_NO_HDL: no such pool handle; -DER_INVAL: not such bytes, or those of another pool; -DER_MISMATCH:
 *     made by another version of the library.
 */
int daos_cont_global2local(daos_handle_t poh, d_iov_t glob, daos_handle_t *coh);

/**
 * Lists the names of the user attributes.
 *
 * \param[in] coh  Container handle.
 * \param[out] buffer  Names, each followed by a NUL, as many whole ones as fit; may be NULL if *size is 0.
 * \param[in,out] size  Bytes of buffer, then the bytes that all names take.
 * \param[in] ev  Event that the result goes to; NULL: wait for it.
 * \return 0; -DER_NO_HDL: no such container handle; -DER_INVAL: size is NULL, or buffer is NULL and *size is not 0;
 *     -DER_NO_PERM: the handle does not allow it.
 */
int daos_cont_list_attr(daos_handle_t coh, char *buffer, size_t *size, daos_event_t *ev);

/**
 * Lists all snapshots in order of epoch.
 *
 * \param[in] coh  Container handle.
 * \param[in,out] nr  Elements of epochs and names, then the number of snapshots, which may be greater.
 * \param[out] epochs  Their epochs, as many as fit; NULL if not wanted.
 * \param[out] names  Buffers of DAOS_SNAPSHOT_MAX_LEN bytes that their names go to (empty: without one); NULL if not
 *     wanted.
 * \param[in,out] anchor  Afterwards at the end; may be NULL.
 * \param[in] ev  Event that the result goes to; NULL: wait for it.
 * \return 0; -DER_NO_HDL: no such container handle; -DER_INVAL: nr is NULL; -DER_NO_PERM: the user may not read the
 *     container.
 */
int daos_cont_list_snap(daos_handle_t coh, int *nr, daos_epoch_t *epochs, char **names,
                        daos_anchor_t *anchor, daos_event_t *ev);

/**
 * Turns a handle into bytes with which other processes of the same user can open it.
 *
 * \param[in] coh  Container handle.
 * \param[in,out] glob  iov_buf NULL: only the number of bytes, into iov_buf_len. Else the bytes go there, their
 *     number into iov_len.
 * \return 0; -DER_NO_HDL: no such container handle; -DER_INVAL: glob is NULL or its lengths contradict each other;
 *     -DER_TRUNC: iov_buf_len is too small, and now says what is needed.
 */
int daos_cont_local2global(daos_handle_t coh, d_iov_t *glob);

/**
 * Opens a container.
 *
 * \param[in] poh  Pool handle.
 * \param[in] cont  Label or UUID string.
 * \param[in] flags  One of DAOS_COO_RO, _RW, _EX, with DAOS_COO_FORCE (also if marked unclean), _RO_MDSTATS (leave
 *     the open time), _EVICT (revoke this user's other handles), _EVICT_ALL (with _EX: revoke everybody's).
 * \param[out] coh  Handle, to be released with daos_cont_close().
 * \param[out] info  What daos_cont_query() tells; NULL if not wanted.
 * \param[in] ev  Event that the result goes to; NULL: wait for it.
 * \return 0; -DER_NO_HDL: no such pool handle; -DER_INVAL: flags that contradict each other, a malformed name, coh
 *     is NULL; -DER_NONEXIST: no such container; -DER_NO_PERM: the user or the pool handle does not allow it;
 *     -DER_BUSY: open exclusively by another, or asked exclusively while open; -DER_RF: more has failed than the
 *     container's redundancy covers, and not DAOS_COO_FORCE.
 */
int daos_cont_open2(daos_handle_t poh, const char *cont, unsigned int flags, daos_handle_t *coh,
                    daos_cont_info_t *info, daos_event_t *ev);

/**
 * Replaces the access control list.
 *
 * \param[in] coh  Container handle whose user may change the list.
 * \param[in] acl  The new list; a copy is taken.
 * \param[in] ev  Event that the result goes to; NULL: wait for it.
 * \return 0; -DER_NO_HDL: no such container handle; -DER_INVAL: NULL or not a valid list (daos_acl_validate());
 *     -DER_NO_PERM: the user may not change it.
 */
int daos_cont_overwrite_acl(daos_handle_t coh, struct daos_acl *acl, daos_event_t *ev);

/**
 * Tells about a container.
 *
 * \param[in] coh  Container handle.
 * \param[out] info  UUID, newest snapshot, numbers of handles and snapshots, times of the last open and change (as
 *     hybrid logical clock, see daos_hlc2timespec()); NULL if not wanted.
 * \param[in,out] cont_prop  Properties to fill: those whose dpe_type is set, or all if dpp_nr is 0. Values are
 *     allocated, the caller releases them with daos_prop_fini() or daos_prop_free(). NULL if not wanted.
 * \param[in] ev  Event that the result goes to; NULL: wait for it.
 * \return 0; -DER_NO_HDL: no such container handle; -DER_INVAL: an unknown property is asked for; -DER_NO_PERM: the
 *     user may not read one of them; -DER_NOMEM.
 */
int daos_cont_query(daos_handle_t coh, daos_cont_info_t *info, daos_prop_t *cont_prop,
                    daos_event_t *ev);

/**
 * Takes a container back to a snapshot: everything written later is gone on every server, and so are later snapshots.
 * No other handle may be open; requests through this one wait meanwhile. A server that is restarted in between goes
 * on. Object numbers that were given out are not given out again.
 *
 * \param[in] coh  Container, open for writing.
 * \param[in] epoch  Epoch of the snapshot.
 * \param[in] ev  Event that the result goes to; NULL: wait for it.
 * \return 0; -DER_NO_HDL: no such container handle; -DER_NO_PERM: open for reading; -DER_NONEXIST: no snapshot has
 *     that epoch; -DER_BUSY: other handles are open, or a snapshot is being made.
 */
int daos_cont_rollback(daos_handle_t coh, daos_epoch_t epoch, daos_event_t *ev);

/**
 * Sets user attributes, all or none; those that exist are replaced.
 *
 * \param[in] coh  Container, open for writing.
 * \param[in] n  Number of attributes; not 0.
 * \param[in] names  Names of 1 to 511 bytes.
 * \param[in] values  Values.
 * \param[in] sizes  Bytes of each value; 1 to 1 MiB.
 * \param[in] ev  Event that the result goes to; NULL: wait for it.
 * \return 0; -DER_NO_HDL: no such container handle; -DER_INVAL: no names, a bad name, value or size; -DER_NO_PERM:
 *     the handle does not allow it; -DER_NOSPACE.
 */
int daos_cont_set_attr(daos_handle_t coh, int n, const char *const names[],
                       const void *const values[], const size_t sizes[], daos_event_t *ev);

/**
 * Changes the owner and the owner group.
 *
 * \param[in] coh  Container handle whose user may change the owner.
 * \param[in] user  New owner with its "@", known on this node; NULL: as it is.
 * \param[in] group  New group with its "@", known on this node; NULL: as it is.
 * \param[in] ev  Event that the result goes to; NULL: wait for it.
 * \return 0; -DER_NO_HDL: no such container handle; -DER_INVAL: both NULL, or a malformed name; -DER_NONEXIST: not
 *     known on this node; -DER_NO_PERM: the user may not change it.
 */
int daos_cont_set_owner(daos_handle_t coh, d_string_t user, d_string_t group, daos_event_t *ev);

/**
 * As daos_cont_set_owner(), for names that this node need not know.
 *
 * \param[in] coh  Container handle whose user may change the owner.
 * \param[in] user  New owner with its "@"; NULL: as it is.
 * \param[in] group  New group with its "@"; NULL: as it is.
 * \param[in] ev  Event that the result goes to; NULL: wait for it.
 * \return 0; -DER_NO_HDL: no such container handle; -DER_INVAL: both NULL, or a malformed name; -DER_NO_PERM: the
 *     user may not change it.
 */
int daos_cont_set_owner_no_check(daos_handle_t coh, d_string_t user, d_string_t group,
                                 daos_event_t *ev);

/**
 * Changes properties, all or none.
 *
 * \param[in] coh  Container handle whose user may change properties.
 * \param[in] prop  New values (DAOS_PROP_CO_); a copy is taken.
 * \param[in] ev  Event that the result goes to; NULL: wait for it.
 * \return 0; -DER_NO_HDL: no such container handle; -DER_INVAL: none given, or one that does not exist or has no
 *     such value; -DER_NO_PERM: one is fixed at creation, or the user may not change it; -DER_EXIST: the label is
 *     taken.
 */
int daos_cont_set_prop(daos_handle_t coh, daos_prop_t *prop, daos_event_t *ev);

/**
 * Makes the table of the objects that a snapshot holds, for daos_oit_open().
 *
 * \param[in] coh  Container, open for writing.
 * \param[in] epoch  Epoch of the snapshot.
 * \param[in] name  Not used.
 * \param[in] ev  Event that the result goes to; NULL: wait for it.
 * \return 0; -DER_NO_HDL: no such container handle; -DER_NO_PERM: open for reading; -DER_NONEXIST: no snapshot has
 *     that epoch; -DER_NOSPACE.
 */
int daos_cont_snap_oit_create(daos_handle_t coh, daos_epoch_t epoch, char *name, daos_event_t *ev);

/**
 * Destroys the table of objects of a snapshot. The handle stays open, on an empty table.
 *
 * \param[in] coh  Container, open for writing.
 * \param[in] oh  Handle of daos_oit_open().
 * \param[in] ev  Event that the result goes to; NULL: wait for it.
 * \return 0; -DER_NO_HDL: no such container or object handle; -DER_INVAL: oh is no table's; -DER_NO_PERM: open for
 *     reading; -DER_NONEXIST: the snapshot or its table is gone.
 */
int daos_cont_snap_oit_destroy(daos_handle_t coh, daos_handle_t oh, daos_event_t *ev);

/**
 * Declares a container healthy after losses beyond its redundancy have been dealt with, so that it can be opened
 * without DAOS_COO_FORCE.
 *
 * \param[in] coh  Container handle whose user may change properties.
 * \param[in] ev  Event that the result goes to; NULL: wait for it.
 * \return 0; -DER_NO_HDL: no such container handle; -DER_NO_PERM: the user may not change properties.
 */
int daos_cont_status_clear(daos_handle_t coh, daos_event_t *ev);

/**
 * Waits until the container has a snapshot at or after an epoch.
 *
 * \param[in] coh  Container handle.
 * \param[in,out] epoch  Epoch to wait for; 0: any snapshot. Then the epoch of the first snapshot at or after it.
 * \param[in] ev  Event that the result goes to; NULL: wait for it, however long it takes.
 * \return 0; -DER_NO_HDL: no such container handle; -DER_INVAL: epoch is NULL; -DER_NO_PERM: the user may not read the
 *     container.
 */
int daos_cont_subscribe(daos_handle_t coh, daos_epoch_t *epoch, daos_event_t *ev);

/**
 * Adds the entries of a list to the access control list, replacing those of the same principals.
 *
 * \param[in] coh  Container handle whose user may read and change the list.
 * \param[in] acl  Entries; a copy is taken.
 * \param[in] ev  Event that the result goes to; NULL: wait for it.
 * \return 0; -DER_NO_HDL: no such container handle; -DER_INVAL: NULL or not a valid list; -DER_NO_PERM: the user
 *     may not read or change the list.
 */
int daos_cont_update_acl(daos_handle_t coh, struct daos_acl *acl, daos_event_t *ev);

/**
 * Parses a list of ranks such as "0:1:5".
 *
 * \param[in] str  The text; NULL is an empty one.
 * \param[in] sep  Characters that separate ranks.
 * \return The ranks, the caller's to free with d_rank_list_free(); NULL when there are none, one is no number, or
 *     memory is short.
 */
d_rank_list_t *daos_rank_list_parse(const char *str, const char *sep);

#if defined(__cplusplus)
}
#endif

#endif /* DAOS_INC_DAOS_CONT_H */
