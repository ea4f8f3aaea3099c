//! Access control lists of pools and containers: text, C layout, rules of evaluation.
//!
//! Text of an entry: `TYPES:FLAGS:PRINCIPAL:PERMISSIONS`, e.g. `A::OWNER@:rw`, `A:G:staff@:r`.
//!
//! C layout (`struct daos_acl`, native byte order): list header, then entries without gaps.
//!
//! | offset | size | list header | | offset | size | entry |
//! |---|---|---|---|---|---|---|
//! | 0 | 2 | version, 1 | | 0 | 1 | access types |
//! | 2 | 2 | 0 | | 1 | 1 | kind of principal |
//! | 4 | 4 | bytes of entries | | 2 | 2 | bytes of the name: NUL-terminated, padded to 8; 0 for none |
//! | | | | | 4 | 2 | flags |
//! | | | | | 6 | 2 | 0 |
//! | | | | | 8 | 24 | allow, audit and alarm permissions |
//! | | | | | 32 | n | name |
//!
//! Entries stand in the order owner, users, owner group, groups, everyone, one for each principal.

use crate::flags;
use crate::{Der, Error, Result};
use std::fmt;

/// Longest principal in bytes (`DAOS_ACL_MAX_PRINCIPAL_LEN`).
pub const PRINCIPAL_BYTES_MAX: usize = 255;
/// Longest text of an entry in bytes (`DAOS_ACL_MAX_ACE_STR_LEN`).
pub const ENTRY_TEXT_BYTES_MAX: usize = PRINCIPAL_BYTES_MAX + 64;
/// Most bytes of all entries of a list (`DAOS_ACL_MAX_ACE_LEN`).
pub const LIST_BYTES_MAX: usize = 65536;

const LIST_VERSION: u16 = 1;
const LIST_HEADER: usize = 8;
const ENTRY_HEADER: usize = 32;

/// Permission bits (`enum daos_acl_perm`).
pub mod perm {
    /// Read data; on a pool also its properties.
    pub const READ: u64 = 1 << 0;
    /// Write data; on a pool create and delete containers.
    pub const WRITE: u64 = 1 << 1;
    /// Create containers.
    pub const CREATE_CONT: u64 = 1 << 2;
    /// Delete containers, or this container.
    pub const DELETE_CONT: u64 = 1 << 3;
    /// Read properties.
    pub const GET_PROP: u64 = 1 << 4;
    /// Change properties.
    pub const SET_PROP: u64 = 1 << 5;
    /// Read the ACL.
    pub const GET_ACL: u64 = 1 << 6;
    /// Change the ACL.
    pub const SET_ACL: u64 = 1 << 7;
    /// Change owner and group.
    pub const SET_OWNER: u64 = 1 << 8;
    /// All that mean something on a pool.
    pub const POOL_ALL: u64 = READ | WRITE | CREATE_CONT | DELETE_CONT | GET_PROP;
    /// All that mean something on a container.
    pub const CONT_ALL: u64 = READ | WRITE | DELETE_CONT | GET_PROP | SET_PROP | GET_ACL | SET_ACL | SET_OWNER;
}

/// Access types: the entry allows.
pub const TYPE_ALLOW: u8 = 1;
/// Access types: the entry logs.
pub const TYPE_AUDIT: u8 = 2;
/// Access types: the entry notifies.
pub const TYPE_ALARM: u8 = 4;

/// Flags: the principal is a group.
pub const FLAG_GROUP: u16 = 1;
/// Flags: containers inherit the entry from the pool.
pub const FLAG_POOL_INHERIT: u16 = 2;
/// Flags: audit or alarm on failed access.
pub const FLAG_FAIL: u16 = 4;
/// Flags: audit or alarm on successful access.
pub const FLAG_SUCCESS: u16 = 8;

const TYPE_LETTERS: &[(char, u64)] = &[('A', TYPE_ALLOW as u64), ('U', TYPE_AUDIT as u64), ('L', TYPE_ALARM as u64)];
const FLAG_LETTERS: &[(char, u64)] =
    &[('G', FLAG_GROUP as u64), ('S', FLAG_SUCCESS as u64), ('F', FLAG_FAIL as u64), ('P', FLAG_POOL_INHERIT as u64)];
const PERM_LETTERS: &[(char, u64)] = &[
    ('r', perm::READ),
    ('w', perm::WRITE),
    ('c', perm::CREATE_CONT),
    ('d', perm::DELETE_CONT),
    ('t', perm::GET_PROP),
    ('T', perm::SET_PROP),
    ('a', perm::GET_ACL),
    ('A', perm::SET_ACL),
    ('o', perm::SET_OWNER),
];

/// Who an entry is about. Its order is the order of a list.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Principal {
    /// The owning user, `OWNER@`.
    Owner,
    /// A user by name, e.g. `alice@`.
    User(String),
    /// The owning group, `GROUP@`.
    OwnerGroup,
    /// A group by name.
    Group(String),
    /// Whoever no other entry is about, `EVERYONE@`.
    Everyone,
}

impl Principal {
    /// `DAOS_ACL_OWNER` .. `DAOS_ACL_EVERYONE`.
    pub fn number(&self) -> u8 {
        match self {
            Principal::Owner => 0,
            Principal::User(_) => 1,
            Principal::OwnerGroup => 2,
            Principal::Group(_) => 3,
            Principal::Everyone => 4,
        }
    }

    /// Its name in text.
    pub fn name(&self) -> &str {
        match self {
            Principal::Owner => "OWNER@",
            Principal::OwnerGroup => "GROUP@",
            Principal::Everyone => "EVERYONE@",
            Principal::User(name) | Principal::Group(name) => name,
        }
    }

    /// Parses `u:name`, `g:name`, `OWNER@`, `GROUP@` or `EVERYONE@`, as the tools take principals. A name without
    /// `@` gets one.
    ///
    /// # Errors
    /// `INVAL`: of another form.
    pub fn parse(text: &str) -> Result<Principal> {
        let full = |name: &str| if name.contains('@') { name.to_owned() } else { format!("{name}@") };
        let principal = match text.split_once(':') {
            Some(("u", name)) => Principal::User(full(name)),
            Some(("g", name)) => Principal::Group(full(name)),
            _ => match text {
                "OWNER@" => Principal::Owner,
                "GROUP@" => Principal::OwnerGroup,
                "EVERYONE@" => Principal::Everyone,
                _ => {
                    return Err(invalid(format!(
                        "principal \"{text}\": expected u:name, g:name, OWNER@, GROUP@ or EVERYONE@"
                    )));
                }
            },
        };
        check_principal(principal.name())?;
        Ok(principal)
    }

    fn is_group(&self) -> bool {
        matches!(self, Principal::Group(_) | Principal::OwnerGroup)
    }

    fn stored_name(&self) -> &str {
        match self {
            Principal::User(name) | Principal::Group(name) => name,
            _ => "",
        }
    }
}

fn invalid(text: impl Into<String>) -> Error {
    Error::new(Der::INVAL, text)
}

/// Checks the form `name@` or `name@domain` of a principal: 1 to 255 bytes, one `@`, not first.
///
/// # Errors
/// `INVAL`.
pub fn check_principal(name: &str) -> Result<()> {
    let form = matches!(name.split_once('@'), Some((user, domain)) if !user.is_empty() && !domain.contains('@'));
    if !form || name.len() > PRINCIPAL_BYTES_MAX || name.contains('\0') {
        return Err(invalid(format!("principal \"{}\" has not the form name@[domain]", name.escape_debug())));
    }
    Ok(())
}

/// One entry (`struct daos_ace`).
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Entry {
    /// `TYPE_*` bits.
    pub types: u8,
    /// Who.
    pub principal: Principal,
    /// `FLAG_*` bits.
    pub flags: u16,
    /// Allowed; 0 unless [`TYPE_ALLOW`] is set.
    pub allow: u64,
    /// Logged; 0 unless [`TYPE_AUDIT`] is set.
    pub audit: u64,
    /// Notified; 0 unless [`TYPE_ALARM`] is set.
    pub alarm: u64,
}

impl Entry {
    /// An entry that allows `permissions` to `principal`.
    pub fn allow(principal: Principal, permissions: u64) -> Entry {
        let flags = if principal.is_group() { FLAG_GROUP } else { 0 };
        Entry { types: TYPE_ALLOW, principal, flags, allow: permissions, audit: 0, alarm: 0 }
    }

    /// Parses the text of an entry.
    ///
    /// # Errors
    /// `INVAL`: not four fields, an unknown letter, a malformed principal, or an invalid combination.
    pub fn parse(text: &str) -> Result<Entry> {
        let wrong = |why: &str| invalid(format!("access control entry \"{}\": {why}", text.escape_debug()));
        if text.len() > ENTRY_TEXT_BYTES_MAX {
            return Err(invalid(format!(
                "access control entry of {} bytes; {ENTRY_TEXT_BYTES_MAX} are allowed",
                text.len()
            )));
        }
        let fields: Vec<&str> = text.split(':').collect();
        let &[types, flags, identity, permissions] = fields.as_slice() else {
            return Err(wrong("expected TYPE:FLAGS:PRINCIPAL:PERMISSIONS"));
        };
        let types = bits(types, TYPE_LETTERS).ok_or_else(|| wrong("types are A, U, L"))? as u8;
        let flags = bits(flags, FLAG_LETTERS).ok_or_else(|| wrong("flags are G, S, F, P"))? as u16;
        let permissions =
            bits(permissions, PERM_LETTERS).ok_or_else(|| wrong("permissions are r, w, c, d, t, T, a, A, o"))?;
        check_principal(identity).map_err(|error| error.at(wrong("").message()))?;
        let principal = match identity {
            "OWNER@" => Principal::Owner,
            "GROUP@" => Principal::OwnerGroup,
            "EVERYONE@" => Principal::Everyone,
            name if flags & FLAG_GROUP != 0 => Principal::Group(name.to_owned()),
            name => Principal::User(name.to_owned()),
        };
        let of = |kind: u8| if types & kind != 0 { permissions } else { 0 };
        let entry =
            Entry { types, principal, flags, allow: of(TYPE_ALLOW), audit: of(TYPE_AUDIT), alarm: of(TYPE_ALARM) };
        entry.validate().map_err(|error| wrong(error.message()))?;
        Ok(entry)
    }

    /// Text of the entry.
    ///
    /// # Errors
    /// `INVAL`: the access types have different permissions, which the text cannot say.
    pub fn to_text(&self) -> Result<String> {
        let all = self.allow | self.audit | self.alarm;
        let differs = |kind: u8, permissions: u64| self.types & kind != 0 && permissions != all;
        if differs(TYPE_ALLOW, self.allow) || differs(TYPE_AUDIT, self.audit) || differs(TYPE_ALARM, self.alarm) {
            return Err(invalid(format!("entry of {} has other permissions by access type", self.principal.name())));
        }
        let (types, flags) = (letters(self.types.into(), TYPE_LETTERS), letters(self.flags.into(), FLAG_LETTERS));
        Ok(format!("{types}:{flags}:{}:{}", self.principal.name(), letters(all, PERM_LETTERS)))
    }

    /// Checks the combination of fields.
    ///
    /// # Errors
    /// `INVAL` naming the rule.
    pub fn validate(&self) -> Result<()> {
        let rule = |holds: bool, text: &str| if holds { Ok(()) } else { Err(invalid(text)) };
        rule(self.types != 0 && self.types & !7 == 0, "no access type, or an unknown one")?;
        rule(self.principal.is_group() == (self.flags & FLAG_GROUP != 0), "flag G belongs to groups and only to them")?;
        let alerts = self.types & (TYPE_AUDIT | TYPE_ALARM) != 0;
        rule(
            alerts == (self.flags & (FLAG_FAIL | FLAG_SUCCESS) != 0),
            "flags S, F belong to types U, L and only to them",
        )?;
        let unused = |kind: u8, permissions: u64| self.types & kind == 0 && permissions != 0;
        let stray = unused(TYPE_ALLOW, self.allow) || unused(TYPE_AUDIT, self.audit) || unused(TYPE_ALARM, self.alarm);
        rule(!stray, "permissions for an access type that is not set")?;
        check_principal(self.principal.name())
    }

    fn bytes(&self) -> usize {
        match self.principal.stored_name().len() {
            0 => ENTRY_HEADER,
            length => ENTRY_HEADER + (length + 1).next_multiple_of(8),
        }
    }

    fn write(&self, out: &mut Vec<u8>) {
        let end = out.len() + self.bytes();
        let name = self.principal.stored_name();
        out.extend_from_slice(&[self.types, self.principal.number()]);
        out.extend_from_slice(&((self.bytes() - ENTRY_HEADER) as u16).to_ne_bytes());
        out.extend_from_slice(&self.flags.to_ne_bytes());
        out.extend_from_slice(&[0, 0]);
        for permissions in [self.allow, self.audit, self.alarm] {
            out.extend_from_slice(&permissions.to_ne_bytes());
        }
        out.extend_from_slice(name.as_bytes());
        out.resize(end, 0);
    }

    /// Reads an entry; also the bytes behind it.
    fn read(bytes: &[u8]) -> Result<(Entry, &[u8])> {
        let short = || invalid("access control list is truncated");
        let (header, rest) = bytes.split_first_chunk::<ENTRY_HEADER>().ok_or_else(short)?;
        let half = |at: usize| u16::from_ne_bytes([header[at], header[at + 1]]);
        let word = |at: usize| {
            let mut value = [0u8; 8];
            value.copy_from_slice(&header[at..at + 8]);
            u64::from_ne_bytes(value)
        };
        let length = usize::from(half(2));
        if length % 8 != 0 || length > rest.len() {
            return Err(invalid(format!("access control entry with a name of {length} bytes")));
        }
        let (name, rest) = rest.split_at(length);
        let name = || {
            let end = name.iter().position(|&byte| byte == 0).ok_or_else(|| invalid("principal without its NUL"))?;
            let text = std::str::from_utf8(&name[..end]).map_err(|_| invalid("principal is not UTF-8"))?;
            Ok::<String, Error>(text.to_owned())
        };
        let principal = match (header[1], length) {
            (0, 0) => Principal::Owner,
            (1, 1..) => Principal::User(name()?),
            (2, 0) => Principal::OwnerGroup,
            (3, 1..) => Principal::Group(name()?),
            (4, 0) => Principal::Everyone,
            (kind, _) => return Err(invalid(format!("principal kind {kind} with a name of {length} bytes"))),
        };
        let entry =
            Entry { types: header[0], principal, flags: half(4), allow: word(8), audit: word(16), alarm: word(24) };
        entry.validate()?;
        Ok((entry, rest))
    }
}

fn bits(text: &str, letters: &[(char, u64)]) -> Option<u64> {
    text.chars().try_fold(0, |sum, c| letters.iter().find(|entry| entry.0 == c).map(|entry| sum | entry.1))
}

fn letters(bits: u64, letters: &[(char, u64)]) -> String {
    letters.iter().filter(|entry| bits & entry.1 != 0).map(|entry| entry.0).collect()
}

/// A list (`struct daos_acl`): ordered, one entry for each principal.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Acl {
    entries: Vec<Entry>,
}

impl Acl {
    /// A list of these entries, put into order.
    ///
    /// # Errors
    /// `INVAL`: an invalid entry, two for one principal, more than [`LIST_BYTES_MAX`].
    pub fn new(mut entries: Vec<Entry>) -> Result<Acl> {
        entries.sort_by_key(|entry| entry.principal.number());
        let acl = Acl { entries };
        acl.validate()?;
        Ok(acl)
    }

    /// The list a pool gets when its creator gives none: owner and owner group read and write.
    pub fn default_pool() -> Acl {
        let entry = |principal| Entry::allow(principal, perm::READ | perm::WRITE);
        Acl { entries: vec![entry(Principal::Owner), entry(Principal::OwnerGroup)] }
    }

    /// The list a container gets when its creator gives none: the owner may all, the owner group use data and properties.
    pub fn default_cont() -> Acl {
        let group = perm::READ | perm::WRITE | perm::GET_PROP | perm::SET_PROP;
        let entries = vec![Entry::allow(Principal::Owner, perm::CONT_ALL), Entry::allow(Principal::OwnerGroup, group)];
        Acl { entries }
    }

    /// The entries in order.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    fn validate(&self) -> Result<()> {
        self.entries.iter().try_for_each(Entry::validate)?;
        let mut seen = std::collections::HashSet::new();
        if let Some(twice) = self.entries.iter().find(|entry| !seen.insert(&entry.principal)) {
            return Err(invalid(format!("access control list has two entries for {}", twice.principal.name())));
        }
        if !self.entries.windows(2).all(|pair| pair[0].principal.number() <= pair[1].principal.number()) {
            return Err(invalid("access control list is not in order"));
        }
        let bytes: usize = self.entries.iter().map(Entry::bytes).sum();
        if bytes > LIST_BYTES_MAX {
            return Err(invalid(format!("access control list of {bytes} bytes; {LIST_BYTES_MAX} are allowed")));
        }
        Ok(())
    }

    /// Adds an entry, or replaces the one of its principal. The others keep their order.
    ///
    /// # Errors
    /// `INVAL`, leaving the list as it was.
    pub fn set(&mut self, entry: Entry) -> Result<()> {
        let mut entries = self.entries.clone();
        match entries.iter_mut().find(|old| old.principal == entry.principal) {
            Some(old) => *old = entry,
            None => entries.push(entry),
        }
        *self = Acl::new(entries)?;
        Ok(())
    }

    /// Removes the entry of a principal.
    ///
    /// # Errors
    /// `NONEXIST`.
    pub fn remove(&mut self, principal: &Principal) -> Result<()> {
        let at = self.entries.iter().position(|entry| entry.principal == *principal);
        let none = || Error::new(Der::NONEXIST, format!("no access control entry for {}", principal.name()));
        self.entries.remove(at.ok_or_else(none)?);
        Ok(())
    }

    /// A list from lines of text: one entry a line; empty lines and those that begin with `#` are skipped.
    ///
    /// # Errors
    /// `INVAL` naming the line.
    pub fn parse(text: &str) -> Result<Acl> {
        let lines = text.lines().map(str::trim).enumerate();
        let lines = lines.filter(|(_, line)| !line.is_empty() && !line.starts_with('#'));
        let entry = |(at, line)| Entry::parse(line).map_err(|error| error.at(format!("line {}", at + 1)));
        Acl::new(lines.map(entry).collect::<Result<_>>()?)
    }

    /// The entries as text.
    ///
    /// # Errors
    /// As [`Entry::to_text`].
    pub fn to_texts(&self) -> Result<Vec<String>> {
        self.entries.iter().map(Entry::to_text).collect()
    }

    /// The C layout.
    pub fn to_bytes(&self) -> Vec<u8> {
        let size: usize = self.entries.iter().map(Entry::bytes).sum();
        let mut out = Vec::with_capacity(LIST_HEADER + size);
        out.extend_from_slice(&LIST_VERSION.to_ne_bytes());
        out.extend_from_slice(&[0, 0]);
        out.extend_from_slice(&(size as u32).to_ne_bytes());
        self.entries.iter().for_each(|entry| entry.write(&mut out));
        out
    }

    /// The list of a C layout; bytes behind it are ignored.
    ///
    /// # Errors
    /// `INVAL`: another version, truncated, out of order, an invalid or repeated entry.
    pub fn from_bytes(bytes: &[u8]) -> Result<Acl> {
        let (header, rest) =
            bytes.split_first_chunk::<LIST_HEADER>().ok_or_else(|| invalid("access control list is truncated"))?;
        let version = u16::from_ne_bytes([header[0], header[1]]);
        let size = u32::from_ne_bytes([header[4], header[5], header[6], header[7]]) as usize;
        if version != LIST_VERSION {
            return Err(invalid(format!("access control list of version {version}")));
        }
        if size > LIST_BYTES_MAX || size > rest.len() || !size.is_multiple_of(8) {
            return Err(invalid(format!("access control list of {size} bytes")));
        }
        let mut rest = &rest[..size];
        let mut entries = Vec::new();
        while !rest.is_empty() {
            let (entry, after) = Entry::read(rest)?;
            entries.push(entry);
            rest = after;
        }
        let acl = Acl { entries };
        acl.validate()?;
        Ok(acl)
    }

    fn allowed(&self, wanted: &Principal) -> Option<u64> {
        self.entries.iter().find(|entry| entry.principal == *wanted).map(|entry| entry.allow)
    }

    /// Permissions of a user: those of the owner's entry if it is the owner and there is one; else of its own entry;
    /// else the union of those of its groups, the owning one included; else everyone's; else none.
    pub fn permissions(&self, owner: &Ownership, user: &User) -> u64 {
        let as_owner = || user.is_owner(owner).then(|| self.allowed(&Principal::Owner)).flatten();
        let by_name = || self.allowed(&Principal::User(user.name.clone()));
        let by_group = || {
            let owning = user.groups.contains(&owner.group).then(|| self.allowed(&Principal::OwnerGroup)).flatten();
            let named = user.groups.iter().filter_map(|group| self.allowed(&Principal::Group(group.clone())));
            named.chain(owning).reduce(|all, one| all | one)
        };
        let everyone = || self.allowed(&Principal::Everyone);
        as_owner().or_else(by_name).or_else(by_group).or_else(everyone).unwrap_or(0)
    }
}

impl fmt::Display for Acl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for entry in &self.entries {
            match entry.to_text() {
                Ok(text) => writeln!(f, "{text}")?,
                Err(error) => writeln!(f, "# {}", error.message())?,
            }
        }
        Ok(())
    }
}

/// Who owns a pool or container.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Ownership {
    /// Owning user, `name@`.
    pub user: String,
    /// Owning group, `name@`.
    pub group: String,
}

/// Who asks, from a validated credential.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct User {
    /// `name@`.
    pub name: String,
    /// All groups, the primary one included, `name@`.
    pub groups: Vec<String>,
}

impl User {
    /// Whether it is the owning user.
    pub fn is_owner(&self, owner: &Ownership) -> bool {
        self.name == owner.user
    }
}

/// What a pool handle may do.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct PoolAccess {
    /// Connect, read properties, list containers.
    pub read: bool,
    /// Create containers.
    pub create_cont: bool,
    /// Delete any container.
    pub delete_cont: bool,
}

/// What `user` may do with a pool opened with `open_flags` (`OPEN_RO`, `OPEN_RW` or `OPEN_EX`).
///
/// # Errors
/// `INVAL`: not exactly one of the flags. `NO_PERM`: it may not connect like that: no read access, or read-write
/// without any right to modify.
pub fn pool_access(acl: &Acl, owner: &Ownership, user: &User, open_flags: u64) -> Result<PoolAccess> {
    if !matches!(open_flags, flags::OPEN_RO | flags::OPEN_RW | flags::OPEN_EX) {
        return Err(invalid(format!("pool connect flags {open_flags:#x}: exactly one of RO, RW, EX is needed")));
    }
    let permissions = acl.permissions(owner, user);
    let any = |mask: u64| permissions & mask != 0;
    let read = any(perm::READ | perm::GET_PROP);
    let create_cont = any(perm::WRITE | perm::CREATE_CONT);
    let delete_cont = any(perm::WRITE | perm::DELETE_CONT);
    let writes = open_flags != flags::OPEN_RO;
    if !read || (writes && !create_cont && !delete_cont) {
        let mode = if writes { "read-write" } else { "read-only" };
        return Err(Error::new(Der::NO_PERM, format!("the pool's ACL does not let {} connect {mode}", user.name)));
    }
    Ok(PoolAccess { read, create_cont: writes && create_cont, delete_cont: writes && delete_cont })
}

/// What a container handle may do: the `perm` bits that hold, and the owner's extras.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct ContAccess {
    /// `perm` bits: READ, WRITE, DELETE_CONT, GET_PROP, SET_PROP, GET_ACL, SET_ACL, SET_OWNER.
    pub permissions: u64,
    /// Open exclusively.
    pub exclusive: bool,
    /// Evict all other handles.
    pub evict_all: bool,
}

const CONT_READS: u64 = perm::READ | perm::GET_PROP | perm::GET_ACL;
const CONT_WRITES: u64 = perm::WRITE | perm::SET_PROP | perm::SET_ACL | perm::SET_OWNER;

/// Open flag: only properties are read (`DAOS_COO_RO_MDSTATS`).
pub const OPEN_RO_MDSTATS: u64 = 1 << 4;
/// Open flag: evict this user's other handles (`DAOS_COO_EVICT`).
pub const OPEN_EVICT: u64 = 1 << 5;
/// Open flag: evict everyone's handles (`DAOS_COO_EVICT_ALL`).
pub const OPEN_EVICT_ALL: u64 = 1 << 6;

/// Checks the flags of a container open.
///
/// # Errors
/// `INVAL`: unknown bits; not exactly one of RO, RW, EX; EVICT with EVICT_ALL; EVICT_ALL without EX; EX with EVICT.
pub fn check_cont_open_flags(open_flags: u64) -> Result<()> {
    let mode = open_flags & (flags::OPEN_RO | flags::OPEN_RW | flags::OPEN_EX);
    let (evict, all) = (open_flags & OPEN_EVICT != 0, open_flags & OPEN_EVICT_ALL != 0);
    let exclusive = mode == flags::OPEN_EX;
    let known = open_flags & !0xff == 0 && mode.count_ones() == 1;
    let clash = if exclusive { evict } else { all };
    if !known || clash {
        return Err(invalid(format!("container open flags {open_flags:#x} do not go together")));
    }
    Ok(())
}

/// What `user` may do with a container opened with `open_flags`. Its owner always may read and change the ACL.
///
/// # Errors
/// `INVAL`: see [`check_cont_open_flags`]. `NO_PERM`: no right to read anything; no right to change anything although
/// not read-only; exclusive or evict-all by another than the owner.
pub fn cont_access(acl: &Acl, owner: &Ownership, user: &User, open_flags: u64) -> Result<ContAccess> {
    check_cont_open_flags(open_flags)?;
    let owns = user.is_owner(owner);
    let implicit = if owns { perm::GET_ACL | perm::SET_ACL } else { 0 };
    let mut permissions = (acl.permissions(owner, user) | implicit) & perm::CONT_ALL;
    let denied =
        |what: &str| Err(Error::new(Der::NO_PERM, format!("the container's ACL does not let {} {what}", user.name)));
    if open_flags & flags::OPEN_RO != 0 {
        permissions &= CONT_READS;
    } else if permissions & CONT_WRITES == 0 {
        return denied("open it read-write");
    }
    if permissions & CONT_READS == 0 {
        return denied("open it");
    }
    let (exclusive, evict_all) = (open_flags & flags::OPEN_EX != 0, open_flags & OPEN_EVICT_ALL != 0);
    if (exclusive || evict_all) && !owns {
        return denied("open it exclusively: only its owner may");
    }
    Ok(ContAccess { permissions, exclusive, evict_all })
}

/// Whether `user` may delete a container over a pool handle: by its right to delete any container of the pool, or by
/// the container's own ACL when the handle is not read-only.
pub fn may_delete_cont(pool: PoolAccess, pool_flags: u64, acl: &Acl, owner: &Ownership, user: &User) -> bool {
    let by_cont = || {
        let writes = pool_flags & flags::OPEN_RO == 0;
        writes && acl.permissions(owner, user) & perm::DELETE_CONT != 0
    };
    pool.delete_cont || by_cont()
}

#[cfg(test)]
#[path = "acl_tests.rs"]
mod tests;
