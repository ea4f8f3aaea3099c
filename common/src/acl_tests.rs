//! Aim: entries survive text and C layout, malformed ones are refused, and the evaluation follows its rules.

use super::*;
use proptest::prelude::*;

fn owner() -> Ownership {
    Ownership { user: "olga@".to_owned(), group: "staff@".to_owned() }
}

fn user(name: &str, groups: &[&str]) -> User {
    User { name: name.to_owned(), groups: groups.iter().map(|group| (*group).to_owned()).collect() }
}

/// Aim: each form of entry parses and prints back; near misses are refused.
#[test]
fn entry_text() {
    for text in ["A::OWNER@:rw", "A:G:GROUP@:r", "A::EVERYONE@:", "A:GP:staff@x:rwcdtTaAo", "UL:SF:bob@:r", "AU:F:b@:w"]
    {
        assert_eq!(Entry::parse(text).unwrap().to_text().unwrap(), text);
    }
    let long = format!("A::{}@:r", "x".repeat(255));
    let bad = [
        "",
        "A",
        "A::",
        "::OWNER@:r",
        "X::OWNER@:r",
        "A:X:OWNER@:r",
        "A::OWNER@:x",
        "A::OWNER@:r:",
        "A::bob:r",
        "A::@:r",
        "A::a@b@:r",
        "A:G:OWNER@:r",
        "A::GROUP@:r",
        "A:S:bob@:r",
        "U::bob@:r",
        "A:: :r",
        &long,
    ];
    for text in bad {
        assert_eq!(Entry::parse(text).unwrap_err().code(), Der::INVAL, "{text}");
    }
}

/// Aim: files with comments parse into order, a second entry for a principal is refused, set and remove work.
#[test]
fn lists() {
    let mut acl = Acl::parse("# who\nA::EVERYONE@:r\n\n  A:G:GROUP@:rw\nA::OWNER@:rwdtTaAo\n").unwrap();
    assert_eq!(acl.to_texts().unwrap(), ["A::OWNER@:rwdtTaAo", "A:G:GROUP@:rw", "A::EVERYONE@:r"]);
    assert!(Acl::parse("A::OWNER@:r\nA::OWNER@:w").is_err());
    acl.set(Entry::parse("A::bob@:r").unwrap()).unwrap();
    acl.set(Entry::parse("A::EVERYONE@:").unwrap()).unwrap();
    assert_eq!(acl.to_texts().unwrap()[1], "A::bob@:r");
    acl.remove(&Principal::parse("u:bob").unwrap()).unwrap();
    assert_eq!(acl.remove(&Principal::parse("u:bob").unwrap()).unwrap_err().code(), Der::NONEXIST);
    assert_eq!(Acl::default_pool().to_texts().unwrap(), ["A::OWNER@:rw", "A:G:GROUP@:rw"]);
    assert_eq!(Acl::default_cont().to_texts().unwrap(), ["A::OWNER@:rwdtTaAo", "A:G:GROUP@:rwtT"]);
}

/// Aim: who gets what: owner's entry first, then name, then union of groups, then everyone, then nothing.
#[test]
fn evaluation() {
    let acl = Acl::parse("A::OWNER@:r\nA::olga@:rw\nA::ann@:t\nA:G:GROUP@:w\nA:G:lab@:r\nA::EVERYONE@:c").unwrap();
    let of = |name: &str, groups: &[&str]| acl.permissions(&owner(), &user(name, groups));
    assert_eq!(of("olga@", &["staff@"]), perm::READ);
    assert_eq!(of("ann@", &["staff@"]), perm::GET_PROP);
    assert_eq!(of("bob@", &["staff@", "lab@"]), perm::READ | perm::WRITE);
    assert_eq!(of("bob@", &["lab@"]), perm::READ);
    assert_eq!(of("bob@", &["other@"]), perm::CREATE_CONT);
    assert_eq!(Acl::default().permissions(&owner(), &user("olga@", &[])), 0);
    let no_owner = Acl::parse("A::olga@:rw").unwrap();
    assert_eq!(no_owner.permissions(&owner(), &user("olga@", &[])), perm::READ | perm::WRITE);
}

/// Aim: how rights become handles of pools and containers.
#[test]
fn handles() {
    let acl = Acl::parse("A::OWNER@:rw\nA::ann@:r\nA::bob@:w\nA::cy@:rd\nA::dan@:t").unwrap();
    let pool = |name: &str, mode| pool_access(&acl, &owner(), &user(name, &[]), mode).map_err(|error| error.code());
    let all = PoolAccess { read: true, create_cont: true, delete_cont: true };
    assert_eq!(pool("olga@", flags::OPEN_RW), Ok(all));
    assert_eq!(pool("olga@", flags::OPEN_RO), Ok(PoolAccess { read: true, ..PoolAccess::default() }));
    assert_eq!(pool("ann@", flags::OPEN_RW), Err(Der::NO_PERM));
    assert_eq!(pool("bob@", flags::OPEN_RO), Err(Der::NO_PERM));
    assert_eq!(pool("cy@", flags::OPEN_EX).map(|access| access.create_cont), Ok(false));
    assert!(pool("dan@", flags::OPEN_RO).is_ok());
    assert_eq!(pool("olga@", 3), Err(Der::INVAL));
    assert_eq!(pool("olga@", 0), Err(Der::INVAL));

    let cont = |name: &str, mode| cont_access(&acl, &owner(), &user(name, &[]), mode).map_err(|error| error.code());
    let owned = perm::READ | perm::WRITE | perm::GET_ACL | perm::SET_ACL;
    assert_eq!(cont("olga@", flags::OPEN_RW).map(|access| access.permissions), Ok(owned));
    assert_eq!(cont("olga@", flags::OPEN_EX | OPEN_EVICT_ALL).map(|a| a.evict_all), Ok(true));
    assert_eq!(cont("ann@", flags::OPEN_RO).map(|access| access.permissions), Ok(perm::READ));
    assert_eq!(cont("ann@", flags::OPEN_RW), Err(Der::NO_PERM));
    assert_eq!(cont("bob@", flags::OPEN_RW), Err(Der::NO_PERM));
    assert_eq!(cont("zed@", flags::OPEN_RO), Err(Der::NO_PERM));
    assert_eq!(cont("olga@", flags::OPEN_RW | OPEN_EVICT_ALL), Err(Der::INVAL));
    assert!(may_delete_cont(PoolAccess::default(), flags::OPEN_RW, &acl, &owner(), &user("cy@", &[])));
    assert!(!may_delete_cont(PoolAccess::default(), flags::OPEN_RO, &acl, &owner(), &user("cy@", &[])));
    assert!(!may_delete_cont(PoolAccess::default(), flags::OPEN_RW, &acl, &owner(), &user("ann@", &[])));
}

/// Aim: the C layout of a known list, byte by byte.
#[test]
fn c_layout() {
    let bytes = Acl::parse("A::OWNER@:rw\nA::bob@:r").unwrap().to_bytes();
    assert_eq!(bytes.len(), 8 + 32 + 40);
    assert_eq!(bytes[..8], [1, 0, 0, 0, 72, 0, 0, 0]);
    assert_eq!(bytes[8..24], [1, 0, 0, 0, 0, 0, 0, 0, 3, 0, 0, 0, 0, 0, 0, 0]);
    assert_eq!(bytes[40..48], [1, 1, 8, 0, 0, 0, 0, 0]);
    assert_eq!(&bytes[72..80], b"bob@\0\0\0\0");
    for cut in 0..bytes.len() {
        assert!(Acl::from_bytes(&bytes[..cut]).is_err());
    }
}

proptest! {
    /// Aim: any list survives text and bytes; changed bytes and any text never panic.
    #[test]
    fn round_trips(lines in proptest::collection::vec("[AUL]{1,3}:[GSFP]{0,4}:([a-z]{1,9}@|OWNER@|GROUP@|EVERYONE@):[rwcdtTaAo]{0,9}", 0..8),
                   at: prop::sample::Index, to: u8, text in ".{0,60}") {
        let mut acl = Acl::default();
        for line in &lines {
            if let Ok(entry) = Entry::parse(line) {
                acl.set(entry).unwrap();
            }
        }
        let mut bytes = acl.to_bytes();
        prop_assert_eq!(&Acl::from_bytes(&bytes).unwrap(), &acl);
        prop_assert_eq!(&Acl::parse(&acl.to_string()).unwrap(), &acl);
        let at = at.index(bytes.len());
        bytes[at] = to;
        if let Ok(changed) = Acl::from_bytes(&bytes) {
            prop_assert_eq!(Acl::from_bytes(&changed.to_bytes()).unwrap(), changed);
        }
        let _ = Entry::parse(&text);
        let _ = Principal::parse(&text);
    }
}
