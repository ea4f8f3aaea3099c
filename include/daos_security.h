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
#define DAOS_ACL_MAX_PRINCIPAL_LEN	255
#define DAOS_ACL_MAX_PRINCIPAL_BUF_LEN 256
#define DAOS_ACL_PRINCIPAL_OWNER	"OWNER@"
#define DAOS_ACL_PRINCIPAL_OWNER_GRP	"GROUP@"
#define DAOS_ACL_PRINCIPAL_EVERYONE	"EVERYONE@"
#define DAOS_ACL_MAX_ACE_LEN	65536
#define DAOS_ACL_MAX_ACE_STR_LEN	319
#define DAOS_ACL_ACCESS_ALL	7
#define DAOS_ACL_FLAG_ALL	15
#define DAOS_ACL_PERM_POOL_ALL	31
#define DAOS_ACL_PERM_CONT_ALL	507
#define DAOS_ACL_PERM_ALL	511

enum daos_acl_principal_type {
	DAOS_ACL_OWNER = 0,
	DAOS_ACL_USER = 1,
	DAOS_ACL_OWNER_GROUP = 2,
	DAOS_ACL_GROUP = 3,
	DAOS_ACL_EVERYONE = 4,
	NUM_DAOS_ACL_TYPES = 5,
};

enum daos_acl_access_type {
	DAOS_ACL_ACCESS_ALLOW = 1,
	DAOS_ACL_ACCESS_AUDIT = 2,
	DAOS_ACL_ACCESS_ALARM = 4,
};

enum daos_acl_flags {
	DAOS_ACL_FLAG_GROUP = 1,
	DAOS_ACL_FLAG_POOL_INHERIT = 2,
	DAOS_ACL_FLAG_ACCESS_FAIL = 4,
	DAOS_ACL_FLAG_ACCESS_SUCCESS = 8,
};

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

struct daos_acl {
	uint16_t dal_ver;
	uint16_t dal_reserv;
	uint32_t dal_len;
	uint8_t dal_ace[];
};

struct daos_ace {
	uint8_t dae_access_types;
	uint8_t dae_principal_type;
	uint16_t dae_principal_len;
	uint16_t dae_access_flags;
	uint16_t dae_reserv;
	uint64_t dae_allow_perms;
	uint64_t dae_audit_perms;
	uint64_t dae_alarm_perms;
	char dae_principal[];
};

/** An entry without permissions for a principal. NULL on failure. Release with daos_ace_free(). */
struct daos_ace *daos_ace_create(enum daos_acl_principal_type type, const char *principal_name);

/** Prints an entry to stdout; for debugging. */
void daos_ace_dump(struct daos_ace *ace, uint32_t tabs);

/** Frees an entry; NULL is allowed. */
void daos_ace_free(struct daos_ace *ace);

/** Parses TYPES:FLAGS:PRINCIPAL:PERMISSIONS. */
int daos_ace_from_str(const char *str, struct daos_ace **ace);

/** The principal's name, inside the entry or static. */
const char *daos_ace_get_principal_str(struct daos_ace *ace);

/** Bytes of an entry, or -DER_INVAL. */
ssize_t daos_ace_get_size(struct daos_ace *ace);

/** Whether an entry is by the rules. */
bool daos_ace_is_valid(struct daos_ace *ace);

/** Writes the text of an entry in words. -DER_TRUNC: too little room. */
int daos_ace_str_get_verbose(const char *ace_str, char *buf, size_t buf_len);

/** Writes the text of an entry. -DER_TRUNC: too little room; what fits is there. */
int daos_ace_to_str(struct daos_ace *ace, char *buf, size_t buf_len);

/** Adds a copy of an entry, or replaces the one of its principal; *acl may move. */
int daos_acl_add_ace(struct daos_acl **acl, struct daos_ace *new_ace);

/** A list of copies of the entries, put into order. NULL on failure. Release with daos_acl_free(). */
struct daos_acl *daos_acl_create(struct daos_ace *aces[], uint16_t num_aces);

/** Prints a list to stdout; for debugging. */
void daos_acl_dump(struct daos_acl *acl);

/** A copy of a list; NULL on failure. */
struct daos_acl *daos_acl_dup(struct daos_acl *acl);

/** Frees a list; NULL is allowed. */
void daos_acl_free(struct daos_acl *acl);

/** Makes a list from the texts of entries. */
int daos_acl_from_strs(const char **ace_strs, size_t ace_nr, struct daos_acl **acl);

/** The entry of a principal, inside the list. -DER_NONEXIST: none. */
int daos_acl_get_ace_for_principal(struct daos_acl *acl, enum daos_acl_principal_type type,
                                   const char *principal, struct daos_ace **ace);

/** The entry behind current_ace (NULL: the first), inside the list; NULL at the end. */
struct daos_ace *daos_acl_get_next_ace(struct daos_acl *acl, struct daos_ace *current_ace);

/** Bytes of a list, header included, or -DER_INVAL. */
ssize_t daos_acl_get_size(struct daos_acl *acl);

/** The principal of a local user or group; free *name. -DER_NONEXIST: none. */
int daos_acl_gid_to_principal(gid_t gid, char **name);

/** Parses u:name, g:name, OWNER@, GROUP@ or EVERYONE@; *name is NULL for the last three, else to be freed. */
int daos_acl_principal_from_str(const char *principal_str, enum daos_acl_principal_type *type,
                                char **name);

/** Whether a string has the form name@ or name@domain. */
bool daos_acl_principal_is_valid(const char *name);

/** The local user or group of a principal. -DER_NONEXIST: none. */
int daos_acl_principal_to_gid(const char *principal, gid_t *gid);

/** The local user or group of a principal. -DER_NONEXIST: none. */
int daos_acl_principal_to_uid(const char *principal, uid_t *uid);

/** Removes the entry of a principal; *acl may move. -DER_NONEXIST: none. */
int daos_acl_remove_ace(struct daos_acl **acl, enum daos_acl_principal_type type,
                        const char *principal_name);

/** Prints a list, one entry a line, with explanations if verbose. */
int daos_acl_to_stream(FILE *stream, struct daos_acl *acl, bool verbose);

/** Texts of the entries: an array of ace_nr strings; free each and the array. */
int daos_acl_to_strs(struct daos_acl *acl, char ***ace_strs, size_t *ace_nr);

/** The principal of a local user or group; free *name. -DER_NONEXIST: none. */
int daos_acl_uid_to_principal(uid_t uid, char **name);

/** 0 for a list by the rules: order, one entry per principal, valid entries; else -DER_INVAL. */
int daos_acl_validate(struct daos_acl *acl);

#if defined(__cplusplus)
}
#endif

#endif /* DAOS_INC_DAOS_SECURITY_H */
