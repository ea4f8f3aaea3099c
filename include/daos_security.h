/*
 * SPDX-License-Identifier: BSD-2-Clause-Patent
 *
 * Access control lists.
 */
#ifndef DAOS_INC_DAOS_SECURITY_H
#define DAOS_INC_DAOS_SECURITY_H

#include <stdio.h>
#include <stdint.h>
#include <stdbool.h>
#include <sys/types.h>
#include <daos_prop.h>

#if defined(__cplusplus)
extern "C" {
#endif

#define DAOS_ACL_VERSION	1
/** Longest principal, in bytes; with the NUL. */
#define DAOS_ACL_MAX_PRINCIPAL_LEN	255
#define DAOS_ACL_MAX_PRINCIPAL_BUF_LEN 256
/* Principals that name nobody in particular. */
#define DAOS_ACL_PRINCIPAL_OWNER	"OWNER@"
#define DAOS_ACL_PRINCIPAL_OWNER_GRP	"GROUP@"
#define DAOS_ACL_PRINCIPAL_EVERYONE	"EVERYONE@"
/** Bytes of an access control list's entries, and longest text of one. */
#define DAOS_ACL_MAX_ACE_LEN	65536
#define DAOS_ACL_MAX_ACE_STR_LEN	319
/* All bits of dae_access_types, dae_access_flags and the permissions of pools, of containers, and of both. */
#define DAOS_ACL_ACCESS_ALL	7
#define DAOS_ACL_FLAG_ALL	15
#define DAOS_ACL_PERM_POOL_ALL	31
#define DAOS_ACL_PERM_CONT_ALL	507
#define DAOS_ACL_PERM_ALL	511

/** Whom an entry is for. */
enum daos_acl_principal_type {
	DAOS_ACL_OWNER = 0,		/**< the owner */
	DAOS_ACL_USER = 1,		/**< a user, by name */
	DAOS_ACL_OWNER_GROUP = 2,	/**< members of the owner group */
	DAOS_ACL_GROUP = 3,		/**< members of a group, by name */
	DAOS_ACL_EVERYONE = 4,		/**< all others */
	NUM_DAOS_ACL_TYPES = 5,
};

/** What an entry does; audit and alarm are kept, without effect. */
enum daos_acl_access_type {
	DAOS_ACL_ACCESS_ALLOW = 1,	/**< allow dae_allow_perms */
	DAOS_ACL_ACCESS_AUDIT = 2,	/**< note dae_audit_perms */
	DAOS_ACL_ACCESS_ALARM = 4,	/**< warn of dae_alarm_perms */
};

/** Flags of an entry. */
enum daos_acl_flags {
	DAOS_ACL_FLAG_GROUP = 1,		/**< the principal is a group */
	DAOS_ACL_FLAG_POOL_INHERIT = 2,		/**< kept, without effect */
	DAOS_ACL_FLAG_ACCESS_FAIL = 4,		/**< audit and alarm: failed access */
	DAOS_ACL_FLAG_ACCESS_SUCCESS = 8,	/**< audit and alarm: access that was had */
};

/** Permissions, in pools (CREATE_CONT and DEL_CONT too) and in containers. */
enum daos_acl_perm {
	DAOS_ACL_PERM_READ = 1,
	DAOS_ACL_PERM_WRITE = 2,
	DAOS_ACL_PERM_CREATE_CONT = 4,
	DAOS_ACL_PERM_DEL_CONT = 8,
	DAOS_ACL_PERM_GET_PROP = 16,
	DAOS_ACL_PERM_SET_PROP = 32,
	DAOS_ACL_PERM_GET_ACL = 64,
	DAOS_ACL_PERM_SET_ACL = 128,
	DAOS_ACL_PERM_SET_OWNER = 256,
};

/** An access control list: its entries lie one behind the other; daos_acl_get_next_ace() walks them. */
struct daos_acl {
	uint16_t dal_ver;	/**< version of this layout */
	uint16_t dal_reserv;
	uint32_t dal_len;	/**< bytes of the entries */
	uint8_t dal_ace[];	/**< the entries, each at a multiple of 8 */
};

/** An entry of one. */
struct daos_ace {
	uint8_t dae_access_types;	/**< DAOS_ACL_ACCESS_ bits */
	uint8_t dae_principal_type;	/**< DAOS_ACL_OWNER, _USER, ... */
	uint16_t dae_principal_len;	/**< bytes of dae_principal, a multiple of 8; 0: no name */
	uint16_t dae_access_flags;	/**< DAOS_ACL_FLAG_ bits */
	uint16_t dae_reserv;
	uint64_t dae_allow_perms;	/**< DAOS_ACL_PERM_ bits, as the two that follow */
	uint64_t dae_audit_perms;
	uint64_t dae_alarm_perms;
	char dae_principal[];		/**< the name, with its NULs */
};

/**
 * Makes an entry for a principal, without permissions: the caller sets the dae_ fields.
 *
 * \param[in] type  Kind of principal.
 * \param[in] principal_name  Name, for DAOS_ACL_USER and DAOS_ACL_GROUP; else not looked at.
 * \return The entry, the caller's to free with daos_ace_free(); NULL: no such kind, a missing or too long name, or
 *     no memory.
 */
struct daos_ace *daos_ace_create(enum daos_acl_principal_type type, const char *principal_name);

/**
 * Prints an entry to stdout; for debugging.
 *
 * \param[in] ace  The entry; NULL prints that it is NULL.
 * \param[in] tabs  Tabs before each line; at most 16 are printed.
 */
void daos_ace_dump(struct daos_ace *ace, uint32_t tabs);

/**
 * Frees an entry.
 *
 * \param[in] ace  Made by this library, or NULL.
 */
void daos_ace_free(struct daos_ace *ace);

/**
 * Makes an entry from its text, "A::alice@:rw": types, flags, principal, permissions.
 *
 * \param[in] str  The text.
 * \param[out] ace  The entry, the caller's to free with daos_ace_free().
 * \return 0; -DER_INVAL: a NULL, or not the text of an entry; -DER_NOMEM.
 */
int daos_ace_from_str(const char *str, struct daos_ace **ace);

/**
 * Names the principal as the text of an entry does.
 *
 * \param[in] ace  The entry.
 * \return The name, "OWNER@", "GROUP@" or "EVERYONE@"; lives as long as the entry and must not be freed. NULL for
 *     NULL.
 */
const char *daos_ace_get_principal_str(struct daos_ace *ace);

/**
 * Tells the size of an entry.
 *
 * \param[in] ace  The entry.
 * \return Bytes, name included; -DER_INVAL: NULL.
 */
ssize_t daos_ace_get_size(struct daos_ace *ace);

/**
 * Checks an entry against the rules: a known kind with a name where one belongs, flags and permissions that go
 * together.
 *
 * \param[in] ace  The entry; NULL is none.
 * \return Whether it is valid.
 */
bool daos_ace_is_valid(struct daos_ace *ace);

/**
 * Puts the text of an entry into words, "Allow::Owner:Read/Write".
 *
 * \param[in] ace_str  The text, as daos_ace_to_str() gives it.
 * \param[out] buf  The words, with a NUL.
 * \param[in] buf_len  Bytes of buf; not 0.
 * \return 0; -DER_INVAL: a NULL, no room, or not the text of an entry; -DER_TRUNC: buf holds only the beginning.
 */
int daos_ace_str_get_verbose(const char *ace_str, char *buf, size_t buf_len);

/**
 * Writes an entry as text, "A::alice@:rw".
 *
 * \param[in] ace  The entry.
 * \param[out] buf  The text, with a NUL.
 * \param[in] buf_len  Bytes of buf; not 0. DAOS_ACL_MAX_ACE_STR_LEN and one more are always enough.
 * \return 0; -DER_INVAL: a NULL, no room, or an entry against the rules; -DER_TRUNC: buf holds only the beginning.
 */
int daos_ace_to_str(struct daos_ace *ace, char *buf, size_t buf_len);

/**
 * Adds a copy of an entry to a list, in its place of the order; an entry of the same principal is replaced.
 *
 * \param[in,out] acl  The list, made by this library; it moves, and the old one is freed.
 * \param[in] new_ace  The entry, which stays the caller's.
 * \return 0; -DER_INVAL: a NULL; -DER_NOMEM: nothing has changed.
 */
int daos_acl_add_ace(struct daos_acl **acl, struct daos_ace *new_ace);

/**
 * Makes a list with copies of entries, in the order that the rules demand.
 *
 * \param[in] aces  Entries, which stay the caller's; may be NULL if num_aces is 0.
 * \param[in] num_aces  Number of entries.
 * \return The list, the caller's to free with daos_acl_free(); NULL: an entry is NULL, or no memory.
 */
struct daos_acl *daos_acl_create(struct daos_ace *aces[], uint16_t num_aces);

/**
 * Prints a list to stdout; for debugging.
 *
 * \param[in] acl  The list; NULL prints that it is NULL.
 */
void daos_acl_dump(struct daos_acl *acl);

/**
 * Copies a list.
 *
 * \param[in] acl  The list.
 * \return The copy, the caller's to free with daos_acl_free(); NULL for NULL, or no memory.
 */
struct daos_acl *daos_acl_dup(struct daos_acl *acl);

/**
 * Frees a list.
 *
 * \param[in] acl  Made by this library, or NULL.
 */
void daos_acl_free(struct daos_acl *acl);

/**
 * Makes a list from the texts of entries.
 *
 * \param[in] ace_strs  Texts as daos_ace_from_str() takes them.
 * \param[in] ace_nr  Their number; not 0.
 * \param[out] acl  The list, the caller's to free with daos_acl_free().
 * \return 0; -DER_INVAL: a NULL, no texts, one that is no entry, or two of one principal; -DER_NOMEM.
 */
int daos_acl_from_strs(const char **ace_strs, size_t ace_nr, struct daos_acl **acl);

/**
 * Finds a principal's entry.
 *
 * \param[in] acl  The list.
 * \param[in] type  Kind of principal.
 * \param[in] principal  Name, for DAOS_ACL_USER and DAOS_ACL_GROUP; else not looked at.
 * \param[out] ace  The entry, inside the list.
 * \return 0; -DER_INVAL: a NULL, no such kind, or a missing name; -DER_NONEXIST: the principal has no entry.
 */
int daos_acl_get_ace_for_principal(struct daos_acl *acl, enum daos_acl_principal_type type,
                                   const char *principal, struct daos_ace **ace);

/**
 * Goes through the entries of a list.
 *
 * \param[in] acl  The list.
 * \param[in] current_ace  The entry before, from this list; NULL: begin.
 * \return The next entry, inside the list; NULL at the end, or if current_ace is not of the list.
 */
struct daos_ace *daos_acl_get_next_ace(struct daos_acl *acl, struct daos_ace *current_ace);

/**
 * Tells the size of a list.
 *
 * \param[in] acl  The list.
 * \return Bytes, header included; -DER_INVAL: NULL.
 */
ssize_t daos_acl_get_size(struct daos_acl *acl);

/**
 * Names a group of this node as principal.
 *
 * \param[in] gid  Group number.
 * \param[out] name  "group@", the caller's to free().
 * \return 0; -DER_INVAL: name is NULL; -DER_NONEXIST: no such group; -DER_NOMEM.
 */
int daos_acl_gid_to_principal(gid_t gid, char **name);

/**
 * Takes apart how a principal is written: "u:name@", "g:name@", "OWNER@", "GROUP@" or "EVERYONE@".
 *
 * \param[in] principal_str  The text.
 * \param[out] type  Kind of principal.
 * \param[out] name  Name, the caller's to free(); NULL for the last three.
 * \return 0; -DER_INVAL: a NULL, or no principal; -DER_NOMEM.
 */
int daos_acl_principal_from_str(const char *principal_str, enum daos_acl_principal_type *type,
                                char **name);

/**
 * Checks the name of a user or group.
 *
 * \param[in] name  The name.
 * \return Whether it has the form "name@" or "name@domain", in at most 255 bytes.
 */
bool daos_acl_principal_is_valid(const char *name);

/**
 * Finds the group of this node that a principal names.
 *
 * \param[in] principal  "group@".
 * \param[out] gid  Group number.
 * \return 0; -DER_INVAL: a NULL, or a malformed name; -DER_NONEXIST: no such group; -DER_NOMEM.
 */
int daos_acl_principal_to_gid(const char *principal, gid_t *gid);

/**
 * Finds the user of this node that a principal names.
 *
 * \param[in] principal  "user@".
 * \param[out] uid  User number.
 * \return 0; -DER_INVAL: a NULL, or a malformed name; -DER_NONEXIST: no such user; -DER_NOMEM.
 */
int daos_acl_principal_to_uid(const char *principal, uid_t *uid);

/**
 * Removes a principal's entry from a list.
 *
 * \param[in,out] acl  The list, made by this library; it moves, and the old one is freed.
 * \param[in] type  Kind of principal.
 * \param[in] principal_name  Name, for DAOS_ACL_USER and DAOS_ACL_GROUP; else not looked at.
 * \return 0; -DER_INVAL: a NULL, no such kind, or a missing name; -DER_NONEXIST: the principal has no entry;
 *     -DER_NOMEM: nothing has changed.
 */
int daos_acl_remove_ace(struct daos_acl **acl, enum daos_acl_principal_type type,
                        const char *principal_name);

/**
 * Prints a list, one entry a line.
 *
 * \param[in] stream  Where to.
 * \param[in] acl  The list; NULL prints an empty one.
 * \param[in] verbose  Before each entry a line with it in words.
 * \return 0; -DER_INVAL: stream is NULL, or a list against the rules; -DER_IO: it could not be written.
 */
int daos_acl_to_stream(FILE *stream, struct daos_acl *acl, bool verbose);

/**
 * Writes the entries of a list as texts.
 *
 * \param[in] acl  The list.
 * \param[out] ace_strs  Array of texts; the caller frees each and the array with free(). NULL if there are none.
 * \param[out] ace_nr  Their number.
 * \return 0; -DER_INVAL: a NULL, or a list against the rules; -DER_NOMEM.
 */
int daos_acl_to_strs(struct daos_acl *acl, char ***ace_strs, size_t *ace_nr);

/**
 * Names a user of this node as principal.
 *
 * \param[in] uid  User number.
 * \param[out] name  "user@", the caller's to free().
 * \return 0; -DER_INVAL: name is NULL; -DER_NONEXIST: no such user; -DER_NOMEM.
 */
int daos_acl_uid_to_principal(uid_t uid, char **name);

/**
 * Checks a list against the rules: its version, order, one entry per principal, valid entries.
 *
 * \param[in] acl  The list.
 * \return 0; -DER_INVAL: NULL, or against the rules.
 */
int daos_acl_validate(struct daos_acl *acl);

#if defined(__cplusplus)
}
#endif

#endif /* DAOS_INC_DAOS_SECURITY_H */
