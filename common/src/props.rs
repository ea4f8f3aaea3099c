//! Properties of pools and containers: numbers, command-line keys, kinds of values, defaults, text.
//!
//! [`POOL`] and [`CONTAINER`] are the tables; everything else looks things up there. Numbers are
//! `DAOS_PROP_PO_*` and `DAOS_PROP_CO_*`, keys those of `dmg --properties` and `daos --properties`.

use crate::acl::{self, Acl};
use crate::label;
use crate::size::{parse_size, print_size};
use crate::wire::pool::{Prop, PropValue};
use crate::{Der, Error, ObjectId, Result};

/// Numbers of pool properties (`DAOS_PROP_PO_*`).
#[allow(missing_docs)]
pub mod po {
    pub const LABEL: u32 = 1;
    pub const ACL: u32 = 2;
    pub const SPACE_RB: u32 = 3;
    pub const SELF_HEAL: u32 = 4;
    pub const RECLAIM: u32 = 5;
    pub const OWNER: u32 = 6;
    pub const OWNER_GROUP: u32 = 7;
    pub const SVC_LIST: u32 = 8;
    pub const EC_CELL_SZ: u32 = 9;
    pub const DATA_THRESH: u32 = 10;
    pub const REDUN_FAC: u32 = 11;
    pub const EC_PDA: u32 = 12;
    pub const RP_PDA: u32 = 13;
    pub const GLOBAL_VERSION: u32 = 14;
    pub const UPGRADE_STATUS: u32 = 15;
    pub const SCRUB_MODE: u32 = 16;
    pub const SCRUB_FREQ: u32 = 17;
    pub const SCRUB_THRESH: u32 = 18;
    pub const SVC_REDUN_FAC: u32 = 19;
    pub const OBJ_VERSION: u32 = 20;
    pub const PERF_DOMAIN: u32 = 21;
    pub const CHECKPOINT_MODE: u32 = 22;
    pub const CHECKPOINT_FREQ: u32 = 23;
    pub const CHECKPOINT_THRESH: u32 = 24;
    pub const REINT_MODE: u32 = 25;
    pub const SVC_OPS_ENABLED: u32 = 26;
    pub const SVC_OPS_ENTRY_AGE: u32 = 27;
}

/// Numbers of container properties (`DAOS_PROP_CO_*`).
#[allow(missing_docs)]
pub mod co {
    pub const LABEL: u32 = 0x1001;
    pub const LAYOUT_TYPE: u32 = 0x1002;
    pub const LAYOUT_VER: u32 = 0x1003;
    pub const CSUM: u32 = 0x1004;
    pub const CSUM_CHUNK_SIZE: u32 = 0x1005;
    pub const CSUM_SERVER_VERIFY: u32 = 0x1006;
    pub const REDUN_FAC: u32 = 0x1007;
    pub const REDUN_LVL: u32 = 0x1008;
    pub const SNAPSHOT_MAX: u32 = 0x1009;
    pub const ACL: u32 = 0x100a;
    pub const COMPRESS: u32 = 0x100b;
    pub const ENCRYPT: u32 = 0x100c;
    pub const OWNER: u32 = 0x100d;
    pub const OWNER_GROUP: u32 = 0x100e;
    pub const DEDUP: u32 = 0x100f;
    pub const DEDUP_THRESHOLD: u32 = 0x1010;
    pub const ROOTS: u32 = 0x1011;
    pub const STATUS: u32 = 0x1012;
    pub const ALLOCED_OID: u32 = 0x1013;
    pub const EC_CELL_SZ: u32 = 0x1014;
    pub const EC_PDA: u32 = 0x1015;
    pub const RP_PDA: u32 = 0x1016;
    pub const GLOBAL_VERSION: u32 = 0x1017;
    pub const SCRUBBER_DISABLED: u32 = 0x1018;
    pub const OBJ_VERSION: u32 = 0x1019;
    pub const PERF_DOMAIN: u32 = 0x101a;
}

/// Most entries of a property list (`DAOS_PROP_ENTRIES_MAX_NR`).
pub const ENTRIES_MAX: usize = 128;
/// A container's `status` property: healthy.
pub const STATUS_HEALTHY: u64 = 0;
/// A container's `status` property: it lost more than its redundancy covers.
pub const STATUS_UNCLEAN: u64 = 1;
/// Layout of a container made for nothing in particular.
pub const CONT_LAYOUT_UNKNOWN: u64 = 0;
/// Layout of a DFS container.
pub const CONT_LAYOUT_POSIX: u64 = 1;
/// Names of container layouts (`DAOS_PROP_CO_LAYOUT_*`).
pub const CONT_LAYOUTS: &[(&str, u64)] = &[
    ("unknown", CONT_LAYOUT_UNKNOWN),
    ("POSIX", CONT_LAYOUT_POSIX),
    ("HDF5", 2),
    ("PYTHON", 3),
    ("SPARK", 4),
    ("DATABASE", 5),
    ("ROOT", 6),
    ("SEISMIC", 7),
    ("METEO", 8),
];

const U32: u64 = u32::MAX as u64;

/// What a property's value is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// A label.
    Label,
    /// A principal, `name@`.
    Principal,
    /// One of these words; several may stand for one number, the first prints.
    Choice(&'static [(&'static str, u64)]),
    /// A number in a range.
    Number(u64, u64),
    /// A percentage in a range; prints with `%`.
    Percent(u64, u64),
    /// A size in a range, a multiple of the third; 0 is allowed where it is the default.
    Size(u64, u64, u64),
    /// 0 or 1, printed `false` and `true`.
    Flag,
    /// An access control list in its C layout.
    Acl,
    /// Four object ids.
    Roots,
    /// Ranks of the pool service: little-endian words.
    Ranks,
    /// Container health, packed (see [`pack_status`]).
    Status,
}

/// Who may set a property.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Settable {
    /// The system only.
    Never,
    /// The API at creation, not the command line's `--properties`.
    ByApi,
    /// At creation.
    AtCreate,
    /// At creation and later.
    Always,
}

/// What a property is before anyone sets it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Initial {
    /// This number.
    Number(u64),
    /// This text.
    Text(&'static str),
    /// The default ACL, four nil object ids, or no ranks.
    Structure,
}

/// A property.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Info {
    /// Number.
    pub number: u32,
    /// Key on command lines and name in JSON.
    pub key: &'static str,
    /// Former key, still taken.
    pub alias: Option<&'static str>,
    /// For people.
    pub description: &'static str,
    /// Kind of its value.
    pub kind: Kind,
    /// Value before anyone sets it.
    pub default: Initial,
    /// Who may set it.
    pub settable: Settable,
    /// In JSON its value is a number, not text.
    pub json_number: bool,
}

const fn info(
    number: u32,
    key: &'static str,
    description: &'static str,
    kind: Kind,
    default: Initial,
    settable: Settable,
) -> Info {
    Info { number, key, alias: None, description, kind, default, settable, json_number: false }
}

impl Info {
    const fn json(mut self) -> Info {
        self.json_number = true;
        self
    }

    const fn alias(mut self, alias: &'static str) -> Info {
        self.alias = Some(alias);
        self
    }
}

use Initial::{Number as Num, Structure, Text as Str};
use Settable::{Always, AtCreate, ByApi, Never};

const PERF_DOMAINS: &[(&str, u64)] = &[("root", 255), ("group", 200)];
const SELF_HEAL: &[(&str, u64)] = &[
    ("none", 0),
    ("exclude", 1),
    ("rebuild", 2),
    ("delay_rebuild", 4),
    ("exclude;rebuild", 3),
    ("rebuild;exclude", 3),
    ("exclude;delay_rebuild", 5),
    ("delay_rebuild;exclude", 5),
];
const UPGRADE: &[(&str, u64)] = &[("not started", 0), ("in progress", 1), ("completed", 2), ("failed", 3)];
const CHECKSUMS: &[(&str, u64)] =
    &[("off", 0), ("crc16", 1), ("crc32", 2), ("crc64", 3), ("sha1", 4), ("sha256", 5), ("sha512", 6), ("adler32", 7)];
const COMPRESSIONS: &[(&str, u64)] =
    &[("off", 0), ("lz4", 1), ("deflate", 2), ("deflate1", 3), ("deflate2", 4), ("deflate3", 5), ("deflate4", 6)];
const CIPHERS: &[(&str, u64)] = &[
    ("off", 0),
    ("aes-xts128", 1),
    ("aes-xts256", 2),
    ("aes-cbc128", 3),
    ("aes-cbc192", 4),
    ("aes-cbc256", 5),
    ("aes-gcm128", 6),
    ("aes-gcm256", 7),
];

/// Pool properties in order of number.
#[rustfmt::skip]
pub const POOL: &[Info] = &[
    info(po::LABEL, "label", "Pool label", Kind::Label, Str(label::NO_POOL_LABEL), Always),
    info(po::ACL, "acl", "Access Control List", Kind::Acl, Structure, ByApi),
    info(po::SPACE_RB, "space_rb", "Rebuild space ratio", Kind::Percent(0, 100), Num(5), Always).json(),
    info(po::SELF_HEAL, "self_heal", "Self-healing policy", Kind::Choice(SELF_HEAL), Num(3), Always),
    info(po::RECLAIM, "reclaim", "Reclaim strategy",
         Kind::Choice(&[("disabled", 0), ("lazy", 1), ("snapshot", 2), ("batch", 3), ("time", 4)]), Num(1), Always),
    info(po::OWNER, "owner", "Owner", Kind::Principal, Str("NOBODY@"), ByApi),
    info(po::OWNER_GROUP, "group", "Group", Kind::Principal, Str("NOBODY@"), ByApi),
    info(po::SVC_LIST, "svc_list", "Pool service replica list", Kind::Ranks, Structure, Never),
    info(po::EC_CELL_SZ, "ec_cell_sz", "EC cell size", Kind::Size(4096, 1 << 20, 32), Num(128 << 10), Always).json(),
    info(po::DATA_THRESH, "data_thresh", "Data bdev threshold size", Kind::Size(0, U32, 1), Num(4096), Always).json(),
    info(po::REDUN_FAC, "rd_fac", "Pool redundancy factor", Kind::Number(0, 4), Num(3), AtCreate).json().alias("rf"),
    info(po::EC_PDA, "ec_pda", "Performance domain affinity level of EC", Kind::Number(1, U32), Num(1), Always).json(),
    info(po::RP_PDA, "rp_pda", "Performance domain affinity level of RP", Kind::Number(1, U32), Num(U32), Always).json(),
    info(po::GLOBAL_VERSION, "global_version", "Global Version", Kind::Number(0, U32), Num(4), Never).json(),
    info(po::UPGRADE_STATUS, "upgrade_status", "Upgrade Status", Kind::Choice(UPGRADE), Num(0), Never),
    info(po::SCRUB_MODE, "scrub", "Checksum scrubbing mode",
         Kind::Choice(&[("off", 0), ("lazy", 1), ("timed", 2)]), Num(0), Always),
    info(po::SCRUB_FREQ, "scrub_freq", "Checksum scrubbing frequency", Kind::Number(0, u64::MAX), Num(604_800), Always).json(),
    info(po::SCRUB_THRESH, "scrub_thresh", "Checksum scrubbing threshold", Kind::Number(0, u64::MAX), Num(0), Always).json(),
    info(po::SVC_REDUN_FAC, "svc_rf", "Pool service redundancy factor", Kind::Number(0, 4), Num(2), AtCreate).json(),
    info(po::OBJ_VERSION, "obj_version", "Object Version", Kind::Number(0, U32), Num(2), Never).json(),
    info(po::PERF_DOMAIN, "perf_domain", "Pool performance domain", Kind::Choice(PERF_DOMAINS), Num(255), AtCreate),
    info(po::CHECKPOINT_MODE, "checkpoint", "WAL checkpointing behavior",
         Kind::Choice(&[("disabled", 0), ("timed", 1), ("lazy", 2)]), Num(1), Always),
    info(po::CHECKPOINT_FREQ, "checkpoint_freq", "WAL checkpointing frequency, in seconds",
         Kind::Number(1, 1 << 20), Num(5), Always).json(),
    info(po::CHECKPOINT_THRESH, "checkpoint_thresh", "WAL checkpoint threshold, in percentage",
         Kind::Number(10, 75), Num(50), Always).json(),
    info(po::REINT_MODE, "reintegration", "Reintegration mode",
         Kind::Choice(&[("data_sync", 0), ("no_data_sync", 1), ("incremental", 2)]), Num(0), Always),
    info(po::SVC_OPS_ENABLED, "svc_ops_enabled", "Metadata duplicate operations detection enabled",
         Kind::Number(0, 1), Num(1), AtCreate).json(),
    info(po::SVC_OPS_ENTRY_AGE, "svc_ops_entry_age", "Metadata duplicate operations KVS max entry age, in seconds",
         Kind::Number(60, 600), Num(300), AtCreate).json(),
];

/// Container properties in order of number.
#[rustfmt::skip]
pub const CONTAINER: &[Info] = &[
    info(co::LABEL, "label", "Label", Kind::Label, Str(label::NO_CONT_LABEL), Always),
    info(co::LAYOUT_TYPE, "layout_type",
         "Layout Type (unknown, POSIX, HDF5, PYTHON, SPARK, DATABASE, ROOT, SEISMIC, METEO)",
         Kind::Choice(CONT_LAYOUTS), Num(CONT_LAYOUT_UNKNOWN), ByApi),
    info(co::LAYOUT_VER, "layout_version", "Layout Version", Kind::Number(0, u16::MAX as u64), Num(1), ByApi).json(),
    info(co::CSUM, "cksum", "Checksum", Kind::Choice(CHECKSUMS), Num(0), AtCreate),
    info(co::CSUM_CHUNK_SIZE, "cksum_size", "Checksum Chunk Size", Kind::Size(1, U32, 1), Num(32 << 10), AtCreate).json(),
    info(co::CSUM_SERVER_VERIFY, "srv_cksum", "Server Checksumming", Kind::Choice(&[("off", 0), ("on", 1)]), Num(0), AtCreate),
    info(co::REDUN_FAC, "rd_fac", "Redundancy Factor (0-4)",
         Kind::Choice(&[("0", 0), ("1", 1), ("2", 2), ("3", 3), ("4", 4)]), Num(0), AtCreate).alias("rf"),
    info(co::REDUN_LVL, "rd_lvl", "Redundancy Level (rank=1, node=2)",
         Kind::Choice(&[("rank", 1), ("1", 1), ("node", 2), ("2", 2)]), Num(2), AtCreate).alias("rf_lvl"),
    info(co::SNAPSHOT_MAX, "max_snapshot", "Max Snapshot", Kind::Number(0, u64::MAX), Num(0), ByApi).json(),
    info(co::ACL, "acl", "Access Control List", Kind::Acl, Structure, ByApi),
    info(co::COMPRESS, "compression", "Compression", Kind::Choice(COMPRESSIONS), Num(0), AtCreate),
    info(co::ENCRYPT, "encryption", "Encryption", Kind::Choice(CIPHERS), Num(0), AtCreate),
    info(co::OWNER, "owner", "Owner", Kind::Principal, Str("NOBODY@"), ByApi),
    info(co::OWNER_GROUP, "group", "Group", Kind::Principal, Str("NOBODY@"), ByApi),
    info(co::DEDUP, "dedup", "Deduplication", Kind::Choice(&[("off", 0), ("memcmp", 1), ("hash", 2)]), Num(0), AtCreate),
    info(co::DEDUP_THRESHOLD, "dedup_threshold", "Dedupe Threshold", Kind::Size(1, u64::MAX, 1), Num(4096), AtCreate).json(),
    info(co::ROOTS, "root_oids", "Root OIDs", Kind::Roots, Structure, ByApi),
    info(co::STATUS, "status", "Health", Kind::Status, Num(0), Always),
    info(co::ALLOCED_OID, "alloc_oid", "Highest Allocated OID", Kind::Number(0, u64::MAX), Num(0), Never).json(),
    info(co::EC_CELL_SZ, "ec_cell_sz", "EC Cell Size", Kind::Size(4096, 1 << 20, 32), Num(0), AtCreate).json(),
    info(co::EC_PDA, "ec_pda", "Performance domain affinity level of EC", Kind::Number(1, U32), Num(1), AtCreate),
    info(co::RP_PDA, "rp_pda", "Performance domain affinity level of RP", Kind::Number(1, U32), Num(U32), AtCreate),
    info(co::GLOBAL_VERSION, "global_version", "Global Version", Kind::Number(0, U32), Num(4), Never),
    info(co::SCRUBBER_DISABLED, "scrub_disabled", "Scrubber Disabled", Kind::Flag, Num(0), ByApi),
    info(co::OBJ_VERSION, "obj_version", "Object Version", Kind::Number(0, U32), Num(2), Never),
    info(co::PERF_DOMAIN, "perf_domain", "Performance domain level", Kind::Choice(PERF_DOMAINS), Num(255), AtCreate),
];

/// The table a number belongs to, and its entry there.
///
/// # Errors
/// `INVAL`: no property has this number.
pub fn by_number(number: u32) -> Result<&'static Info> {
    let found = POOL.iter().chain(CONTAINER).find(|info| info.number == number);
    found.ok_or_else(|| Error::new(Der::INVAL, format!("unknown property number {number}")))
}

/// The entry of `table` for a key or former key, in any case.
///
/// # Errors
/// `INVAL`: unknown; lists the keys.
pub fn by_key(table: &'static [Info], key: &str) -> Result<&'static Info> {
    let key = key.trim();
    let is = |name: &str| name.eq_ignore_ascii_case(key);
    let found = table.iter().find(|info| is(info.key) || info.alias.is_some_and(is));
    found.ok_or_else(|| {
        let keys: Vec<&str> = table.iter().filter(|info| info.settable >= AtCreate).map(|info| info.key).collect();
        Error::new(Der::INVAL, format!("unknown property \"{}\" (valid: {})", key.escape_debug(), keys.join(",")))
    })
}

impl PartialOrd for Settable {
    fn partial_cmp(&self, other: &Settable) -> Option<std::cmp::Ordering> {
        (*self as u8).partial_cmp(&(*other as u8))
    }
}

/// Parses a comma-separated list of `key:value` (or `key=value`) of the command line.
///
/// # Errors
/// `INVAL`: a malformed item, an unknown key, a value out of its rules, a key twice, one that may not be set so.
pub fn parse_list(table: &'static [Info], text: &str) -> Result<Vec<Prop>> {
    let mut props: Vec<Prop> = Vec::new();
    for item in text.split(',').filter(|item| !item.trim().is_empty()) {
        let prop = parse_item(table, item)?;
        if props.iter().any(|other| other.number == prop.number) {
            return Err(Error::new(Der::INVAL, format!("property \"{}\" is given twice", by_number(prop.number)?.key)));
        }
        props.push(prop);
    }
    Ok(props)
}

/// Parses one `key:value` or `key=value`.
///
/// # Errors
/// As [`parse_list`].
pub fn parse_item(table: &'static [Info], item: &str) -> Result<Prop> {
    let form = || Error::new(Der::INVAL, format!("property \"{}\" has not the form key:value", item.escape_debug()));
    let (key, value) = item.split_once([':', '=']).ok_or_else(form)?;
    let info = by_key(table, key)?;
    if matches!(info.settable, Never | ByApi) {
        return Err(Error::new(Der::INVAL, format!("property \"{}\" is read-only", info.key)));
    }
    Ok(Prop { number: info.number, value: parse_value(info, value.trim())? })
}

/// Parses a value's text.
///
/// # Errors
/// `INVAL`: out of the rules of its kind; kinds that have no input text ([`Kind::Roots`], [`Kind::Ranks`]).
pub fn parse_value(info: &Info, text: &str) -> Result<PropValue> {
    let wrong =
        |rule: String| Error::new(Der::INVAL, format!("invalid {} \"{}\" ({rule})", info.key, text.escape_debug()));
    let number = |text: &str| text.parse::<u64>().map_err(|_| wrong("expected a number".to_owned()));
    let value = match info.kind {
        Kind::Label | Kind::Principal => PropValue::Text(text.to_owned()),
        Kind::Choice(words) => {
            let found = words.iter().find(|word| word.0.eq_ignore_ascii_case(text));
            let valid = || words.iter().map(|word| word.0).collect::<Vec<_>>().join(",");
            PropValue::Number(found.ok_or_else(|| wrong(format!("valid: {}", valid())))?.1)
        }
        Kind::Number(..) | Kind::Percent(..) => PropValue::Number(number(text.strip_suffix('%').unwrap_or(text))?),
        Kind::Size(..) => PropValue::Number(parse_size(text).map_err(|error| wrong(error.message().to_owned()))?),
        Kind::Flag if text.eq_ignore_ascii_case("true") => PropValue::Number(1),
        Kind::Flag if text.eq_ignore_ascii_case("false") => PropValue::Number(0),
        Kind::Flag => PropValue::Number(number(text)?),
        Kind::Acl => PropValue::Bytes(Acl::parse(&text.replace(", ", "\n"))?.to_bytes()),
        Kind::Status if text.eq_ignore_ascii_case("healthy") => PropValue::Number(pack_status(STATUS_HEALTHY, 0, 0)),
        Kind::Status => return Err(wrong("valid: healthy".to_owned())),
        Kind::Roots | Kind::Ranks => return Err(wrong("it is not set by text".to_owned())),
    };
    validate(info, &value).map_err(|error| wrong(error.message().to_owned()))?;
    Ok(value)
}

/// Checks a value against the rules of its property.
///
/// # Errors
/// `INVAL`: of another kind, or out of range.
pub fn validate(info: &Info, value: &PropValue) -> Result<()> {
    let refuse = |rule: String| Err(Error::new(Der::INVAL, rule));
    let range = |value: u64, low: u64, high: u64| match (low..=high).contains(&value) {
        true => Ok(()),
        false => refuse(format!("valid values: {low}-{high}")),
    };
    match (info.kind, value) {
        (Kind::Label, PropValue::Text(text))
            if Str(text_default(info)) == info.default && text == text_default(info) =>
        {
            Ok(())
        }
        (Kind::Label, PropValue::Text(text)) => label::check_label(text),
        (Kind::Principal, PropValue::Text(text)) => acl::check_principal(text),
        (Kind::Choice(words), PropValue::Number(value)) => match words.iter().any(|word| word.1 == *value) {
            true => Ok(()),
            false => refuse(format!("no such choice: {value}")),
        },
        (Kind::Number(low, high) | Kind::Percent(low, high), PropValue::Number(value)) => range(*value, low, high),
        (Kind::Size(..), PropValue::Number(value)) if info.default == Num(*value) => Ok(()),
        (Kind::Size(low, high, multiple), PropValue::Number(value)) => match value.is_multiple_of(multiple) {
            true => range(*value, low, high),
            false => refuse(format!("it must be a multiple of {multiple}")),
        },
        (Kind::Flag, PropValue::Number(value)) => range(*value, 0, 1),
        (Kind::Status, PropValue::Number(value)) => range(unpack_status(*value).0, STATUS_HEALTHY, STATUS_UNCLEAN),
        (Kind::Acl, PropValue::Bytes(bytes)) => Acl::from_bytes(bytes).map(drop),
        (Kind::Roots, PropValue::Bytes(bytes)) if bytes.len() == 64 => Ok(()),
        (Kind::Ranks, PropValue::Bytes(bytes)) if bytes.len().is_multiple_of(4) => Ok(()),
        _ => refuse(format!("value of the wrong kind for \"{}\"", info.key)),
    }
}

fn text_default(info: &Info) -> &'static str {
    if let Str(text) = info.default { text } else { "" }
}

/// Checks every property of a list, and that none stands twice.
///
/// # Errors
/// `INVAL` naming the property.
pub fn validate_all(props: &[Prop]) -> Result<()> {
    if props.len() > ENTRIES_MAX {
        return Err(Error::new(Der::INVAL, format!("{} properties; {ENTRIES_MAX} are allowed", props.len())));
    }
    for (at, prop) in props.iter().enumerate() {
        let info = by_number(prop.number)?;
        validate(info, &prop.value).map_err(|error| error.at(format!("property \"{}\"", info.key)))?;
        if props[..at].iter().any(|other| other.number == prop.number) {
            return Err(Error::new(Der::INVAL, format!("property \"{}\" stands twice", info.key)));
        }
    }
    Ok(())
}

/// A property's value before anyone sets it.
pub fn default_value(info: &Info) -> PropValue {
    match (info.default, info.kind) {
        (Num(number), _) => PropValue::Number(number),
        (Str(text), _) => PropValue::Text(text.to_owned()),
        (Structure, Kind::Acl) if info.number == po::ACL => PropValue::Bytes(Acl::default_pool().to_bytes()),
        (Structure, Kind::Acl) => PropValue::Bytes(Acl::default_cont().to_bytes()),
        (Structure, Kind::Roots) => PropValue::Bytes(vec![0; 64]),
        (Structure, _) => PropValue::Bytes(Vec::new()),
    }
}

/// All properties of a table at their defaults.
pub fn defaults(table: &[Info]) -> Vec<Prop> {
    table.iter().map(|info| Prop { number: info.number, value: default_value(info) }).collect()
}

/// Puts `changes` into `props`: replaces or adds.
pub fn merge(props: &mut Vec<Prop>, changes: &[Prop]) {
    for change in changes {
        match props.iter_mut().find(|prop| prop.number == change.number) {
            Some(prop) => prop.value = change.value.clone(),
            None => props.push(change.clone()),
        }
    }
}

/// The value of a property of a list.
pub fn get(props: &[Prop], number: u32) -> Option<&PropValue> {
    props.iter().find(|prop| prop.number == number).map(|prop| &prop.value)
}

/// The number of a property of a list, its default if the list has none.
pub fn number(props: &[Prop], number: u32) -> u64 {
    match get(props, number) {
        Some(PropValue::Number(value)) => *value,
        _ => match by_number(number).map(|info| info.default) {
            Ok(Num(value)) => value,
            _ => 0,
        },
    }
}

/// The text of a property of a list; empty if the list has none.
pub fn text(props: &[Prop], number: u32) -> &str {
    if let Some(PropValue::Text(text)) = get(props, number) { text } else { "" }
}

/// A container's status property: state ([`STATUS_HEALTHY`], [`STATUS_UNCLEAN`]), flags, pool map version.
pub fn pack_status(state: u64, flags: u16, map_version: u32) -> u64 {
    (u64::from(flags) << 48) | ((state & 0xffff) << 32) | u64::from(map_version)
}

/// (state, flags, pool map version) of a container's status property.
pub fn unpack_status(value: u64) -> (u64, u16, u32) {
    ((value >> 32) & 0xffff, (value >> 48) as u16, value as u32)
}

/// The bytes of a root object ids property (`struct daos_prop_co_roots`): lo, hi of four ids, native order.
pub fn pack_roots(roots: &[ObjectId; 4]) -> Vec<u8> {
    roots.iter().flat_map(|oid| [oid.lo.to_ne_bytes(), oid.hi.to_ne_bytes()]).flatten().collect()
}

/// The ids of a root object ids property.
///
/// # Errors
/// `INVAL`: not 64 bytes.
pub fn unpack_roots(bytes: &[u8]) -> Result<[ObjectId; 4]> {
    let (words, rest) = bytes.as_chunks::<8>();
    let [a, b, c, d, e, f, g, h] = words else {
        return Err(Error::new(Der::INVAL, format!("root object ids of {} bytes", bytes.len())));
    };
    if !rest.is_empty() {
        return Err(Error::new(Der::INVAL, format!("root object ids of {} bytes", bytes.len())));
    }
    let oid = |lo: &[u8; 8], hi: &[u8; 8]| ObjectId { lo: u64::from_ne_bytes(*lo), hi: u64::from_ne_bytes(*hi) };
    Ok([oid(a, b), oid(c, d), oid(e, f), oid(g, h)])
}

/// A value for JSON.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Json {
    /// A number.
    Number(u64),
    /// Text.
    Text(String),
    /// A list of texts.
    Texts(Vec<String>),
    /// A list of numbers.
    Numbers(Vec<u64>),
}

/// A value as the commands' JSON output has it.
pub fn json_value(info: &Info, value: &PropValue) -> Json {
    match (info.kind, value) {
        (_, PropValue::Number(number)) if info.json_number => Json::Number(*number),
        (Kind::Acl, _) => Json::Texts(acl_texts(value)),
        (Kind::Roots, _) => Json::Texts(root_texts(value)),
        (Kind::Ranks, _) => Json::Numbers(ranks(value).into_iter().map(u64::from).collect()),
        _ => Json::Text(print_value(info, value)),
    }
}

/// A value as the commands print it; `not set` for an empty one.
pub fn print_value(info: &Info, value: &PropValue) -> String {
    let or_unset = |text: String| if text.is_empty() { "not set".to_owned() } else { text };
    match (info.kind, value) {
        (_, PropValue::Text(text)) => or_unset(text.clone()),
        (Kind::Choice(_), PropValue::Number(number)) if info.number == co::PERF_DOMAIN => {
            let word = word_of(PERF_DOMAINS, *number).map_or_else(String::new, |word| format!("{word} "));
            format!("{word}({number})")
        }
        (Kind::Choice(words), PropValue::Number(number)) => {
            word_of(words, *number).map_or_else(|| invalid_text(info, *number), str::to_owned)
        }
        (Kind::Percent(..), PropValue::Number(number)) => format!("{number}%"),
        (Kind::Size(..), PropValue::Number(number)) => print_size(*number),
        (Kind::Flag, PropValue::Number(number @ 0..=1)) => (*number == 1).to_string(),
        (Kind::Status, PropValue::Number(number)) => match unpack_status(*number).0 {
            STATUS_HEALTHY => "HEALTHY".to_owned(),
            STATUS_UNCLEAN => "UNCLEAN".to_owned(),
            _ => invalid_text(info, *number),
        },
        (Kind::Flag, PropValue::Number(number)) => invalid_text(info, *number),
        (_, PropValue::Number(number)) => number.to_string(),
        (Kind::Roots, _) => root_texts(value).join(", "),
        (Kind::Ranks, _) => format!("[{}]", ranks(value).iter().map(u32::to_string).collect::<Vec<_>>().join(",")),
        (_, PropValue::Bytes(_)) => or_unset(acl_texts(value).join(", ")),
    }
}

fn invalid_text(info: &Info, number: u64) -> String {
    format!("property \"{}\": invalid value {number:#x}", info.key)
}

fn word_of(words: &'static [(&'static str, u64)], number: u64) -> Option<&'static str> {
    words.iter().find(|word| word.1 == number).map(|word| word.0)
}

fn acl_texts(value: &PropValue) -> Vec<String> {
    let PropValue::Bytes(bytes) = value else { return Vec::new() };
    Acl::from_bytes(bytes).and_then(|acl| acl.to_texts()).unwrap_or_default()
}

fn root_texts(value: &PropValue) -> Vec<String> {
    let PropValue::Bytes(bytes) = value else { return Vec::new() };
    let roots = unpack_roots(bytes).unwrap_or_default();
    roots.iter().filter(|oid| **oid != ObjectId::default()).map(ObjectId::to_string).collect()
}

fn ranks(value: &PropValue) -> Vec<u32> {
    let PropValue::Bytes(bytes) = value else { return Vec::new() };
    bytes.as_chunks::<4>().0.iter().map(|word| u32::from_le_bytes(*word)).collect()
}

#[cfg(test)]
#[path = "props_tests.rs"]
mod tests;
