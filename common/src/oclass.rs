//! Object classes: how an object is protected and over how many redundancy groups it spreads.
//!
//! A class id is a redundancy ordinal in bits 24..32 and a group count below ([`GROUPS_MAX`]: as many as fit). The
//! ordinals and ids are those of `daos_obj_class.h`. Names are `S<g>`, `RP_<r>G<g>`, `EC_<k>P<p>G<g>`, `X` standing
//! for [`GROUPS_MAX`]. Any group count is a class; [`names`] lists the customary ones.
//!
//! The ids below 2^24 are special: [`RP_XSF`] (as many replicas as domains), the echo and specified-rank classes of
//! upstream's tests, and the generic ids (`OC_TINY`, `OC_RP_MAX`, ...), which the header names but no release
//! defines: they answer INVAL here as they do there.

use crate::placement::Placer;
use crate::pool_map::{DomainKind, PoolMap};
use crate::{Der, Error, ObjectId, Result};
use std::fmt;

/// Group count that stands for "as many as fit" (`MAX_NUM_GROUPS`).
pub const GROUPS_MAX: u32 = 0xffff;
/// Let the system choose the class (`OC_UNKNOWN`).
pub const UNKNOWN: u32 = 0;
/// One replica in every redundancy domain (`OC_RP_XSF`).
pub const RP_XSF: u32 = 80;
/// One shard (`OC_S1`).
pub const S1: u32 = 0x0100_0001;
/// One shard on (nearly) every target (`OC_SX`).
pub const SX: u32 = 0x0100_ffff;
/// Longest name of a class in bytes (`MAX_OBJ_CLASS_NAME_LEN`).
pub const NAME_BYTES_MAX: usize = 24;
/// Highest object type (`DAOS_OT_MAX`).
pub const TYPE_MAX: u8 = 14;

const ORDINAL_SHIFT: u32 = 24;
/// Ids below this carry no ordinal.
const FIRST_ORDINAL_ID: u32 = 1 << ORDINAL_SHIFT;
const ECHO_FIRST: u32 = 14;
const SPEC_RANK_FIRST: u32 = 18;

/// How data survives the loss of a domain.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Redundancy {
    /// This many copies; 1 is no protection.
    Replicas(u16),
    /// One copy in every redundancy domain of the pool.
    EveryDomain,
    /// Reed-Solomon over `data` cells with `parity` cells.
    Erasure {
        /// Data cells of a stripe (k).
        data: u16,
        /// Parity cells of a stripe (p).
        parity: u16,
    },
}

/// (ordinal, redundancy) of every ordinal that classes exist for.
const ORDINALS: &[(u8, Redundancy)] = &[
    (1, Redundancy::Replicas(1)),
    (8, Redundancy::Replicas(2)),
    (9, Redundancy::Replicas(3)),
    (10, Redundancy::Replicas(4)),
    (11, Redundancy::Replicas(5)),
    (12, Redundancy::Replicas(6)),
    (32, Redundancy::Erasure { data: 2, parity: 1 }),
    (33, Redundancy::Erasure { data: 2, parity: 2 }),
    (34, Redundancy::Erasure { data: 4, parity: 1 }),
    (35, Redundancy::Erasure { data: 4, parity: 2 }),
    (40, Redundancy::Erasure { data: 4, parity: 3 }),
    (36, Redundancy::Erasure { data: 8, parity: 1 }),
    (37, Redundancy::Erasure { data: 8, parity: 2 }),
    (41, Redundancy::Erasure { data: 8, parity: 3 }),
    (38, Redundancy::Erasure { data: 16, parity: 1 }),
    (39, Redundancy::Erasure { data: 16, parity: 2 }),
    (42, Redundancy::Erasure { data: 16, parity: 3 }),
];

/// A class: redundancy of a group and number of groups.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct ObjectClass {
    id: u32,
    redundancy: Redundancy,
    groups: u32,
}

impl ObjectClass {
    /// The class of an id.
    ///
    /// # Errors
    /// `INVAL`: no class has this id ([`UNKNOWN`] and the generic ids among them).
    pub fn from_id(id: u32) -> Result<ObjectClass> {
        let unknown = || Error::new(Der::INVAL, format!("unknown object class {id}"));
        if id < FIRST_ORDINAL_ID {
            let redundancy = match id {
                RP_XSF => Redundancy::EveryDomain,
                14..=17 => Redundancy::Replicas((id - ECHO_FIRST + 1) as u16),
                18..=20 => Redundancy::Replicas((id - SPEC_RANK_FIRST + 1) as u16),
                _ => return Err(unknown()),
            };
            return Ok(ObjectClass { id, redundancy, groups: 1 });
        }
        let (ordinal, groups) = ((id >> ORDINAL_SHIFT) as u8, id & 0x00ff_ffff);
        if groups == 0 || groups > GROUPS_MAX {
            return Err(unknown());
        }
        let redundancy = ORDINALS.iter().find(|entry| entry.0 == ordinal).ok_or_else(unknown)?.1;
        Ok(ObjectClass { id, redundancy, groups })
    }

    /// The class with these attributes.
    ///
    /// # Errors
    /// `INVAL`: no ordinal has this redundancy, or `groups` is 0 or above [`GROUPS_MAX`].
    pub fn new(redundancy: Redundancy, groups: u32) -> Result<ObjectClass> {
        let ordinal = ORDINALS.iter().find(|entry| entry.1 == redundancy).map(|entry| u32::from(entry.0));
        match ordinal {
            Some(ordinal) if (1..=GROUPS_MAX).contains(&groups) => {
                Ok(ObjectClass { id: (ordinal << ORDINAL_SHIFT) | groups, redundancy, groups })
            }
            _ => Err(Error::new(Der::INVAL, format!("no object class has {redundancy:?} and {groups} groups"))),
        }
    }

    /// The class of a name, e.g. `S1`, `SX`, `RP_2G1`, `EC_4P2GX`; any group count is taken.
    ///
    /// # Errors
    /// `INVAL`: no class has this name.
    pub fn from_name(name: &str) -> Result<ObjectClass> {
        let unknown = || Error::new(Der::INVAL, format!("unknown object class \"{}\"", clip(name)));
        if name.len() > NAME_BYTES_MAX {
            return Err(unknown());
        }
        if let Some(id) = special_ids().find(|&id| special_name(id).as_deref() == Some(name)) {
            return ObjectClass::from_id(id);
        }
        let (redundancy, groups) = split_name(name).ok_or_else(unknown)?;
        ObjectClass::new(redundancy, groups).map_err(|_| unknown())
    }

    /// The id (`daos_oclass_id_t`).
    pub fn id(self) -> u32 {
        self.id
    }

    /// How a group is protected.
    pub fn redundancy(self) -> Redundancy {
        self.redundancy
    }

    /// Number of groups; [`GROUPS_MAX`] for as many as fit.
    pub fn groups(self) -> u32 {
        self.groups
    }

    /// Shards of one group on a pool of `domains` redundancy domains.
    pub fn group_size(self, domains: u32) -> u32 {
        match self.redundancy {
            Redundancy::Replicas(replicas) => u32::from(replicas),
            Redundancy::EveryDomain => domains.max(1),
            Redundancy::Erasure { data, parity } => u32::from(data) + u32::from(parity),
        }
    }

    /// Domains that may fail without loss (`oc_resil_degree`); [`GROUPS_MAX`] for [`RP_XSF`].
    pub fn tolerated_failures(self) -> u32 {
        match self.redundancy {
            Redundancy::Replicas(replicas) => u32::from(replicas) - 1,
            Redundancy::EveryDomain => GROUPS_MAX,
            Redundancy::Erasure { parity, .. } => u32::from(parity),
        }
    }

    /// Whether it is erasure-coded.
    pub fn is_erasure(self) -> bool {
        matches!(self.redundancy, Redundancy::Erasure { .. })
    }

    /// Whether it is a class of upstream's tests (echo, specified rank) that stores no ordinary object.
    pub fn is_private(self) -> bool {
        (ECHO_FIRST..SPEC_RANK_FIRST + 3).contains(&self.id)
    }
}

impl fmt::Display for ObjectClass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(name) = special_name(self.id) {
            return f.write_str(&name);
        }
        match self.redundancy {
            Redundancy::Replicas(1) => f.write_str("S")?,
            Redundancy::Replicas(replicas) => write!(f, "RP_{replicas}G")?,
            Redundancy::EveryDomain => f.write_str("RP_XSF")?,
            Redundancy::Erasure { data, parity } => write!(f, "EC_{data}P{parity}G")?,
        }
        match self.groups {
            GROUPS_MAX => f.write_str("X"),
            groups => write!(f, "{groups}"),
        }
    }
}

/// The name of a class id, `UNKNOWN` for one without a class.
pub fn name(id: u32) -> String {
    ObjectClass::from_id(id).map_or_else(|_| "UNKNOWN".to_owned(), |class| class.to_string())
}

/// The customary classes in upstream's order, the private ones last.
pub fn names() -> Vec<String> {
    const REPLICATED: &[u32] = &[1, 2, 4, 6, 8, 12, 16, 32, GROUPS_MAX];
    const ERASURE: &[u32] = &[1, 2, 4, 8, 12, 16, 32, GROUPS_MAX];
    let of = |redundancy: Redundancy| {
        let groups = if matches!(redundancy, Redundancy::Erasure { .. }) { ERASURE } else { REPLICATED };
        groups.iter().filter_map(move |&count| ObjectClass::new(redundancy, count).ok()).map(|class| class.to_string())
    };
    let erasure = |entry: &&(u8, Redundancy)| matches!(entry.1, Redundancy::Erasure { .. });
    let mut all: Vec<String> = ORDINALS.iter().filter(|entry| !erasure(entry)).flat_map(|entry| of(entry.1)).collect();
    all.push("RP_XSF".to_owned());
    all.extend(ORDINALS.iter().filter(erasure).flat_map(|entry| of(entry.1)));
    all.extend(special_ids().filter(|&id| id != RP_XSF).filter_map(special_name));
    all
}

fn special_ids() -> impl Iterator<Item = u32> {
    (ECHO_FIRST..SPEC_RANK_FIRST + 3).chain([RP_XSF])
}

fn special_name(id: u32) -> Option<String> {
    match id {
        14..=17 => Some(format!("RP_{}G1_ECHO", id - ECHO_FIRST + 1)),
        18..=20 => Some(format!("RP_{}G1_SR", id - SPEC_RANK_FIRST + 1)),
        RP_XSF => Some("RP_XSF".to_owned()),
        _ => None,
    }
}

fn split_name(name: &str) -> Option<(Redundancy, u32)> {
    // Canonical decimals only: no sign, no leading zero.
    fn number<T: std::str::FromStr>(text: &str) -> Option<T> {
        let canonical = text.bytes().all(|byte| byte.is_ascii_digit()) && !text.starts_with('0');
        text.parse().ok().filter(|_| canonical)
    }
    let groups = |text: &str| match text {
        "X" => Some(GROUPS_MAX),
        _ => number::<u32>(text).filter(|&count| count < GROUPS_MAX),
    };
    if let Some(rest) = name.strip_prefix("RP_") {
        let (replicas, count) = rest.split_once('G')?;
        let replicas = number(replicas).filter(|&replicas| replicas > 1)?;
        return Some((Redundancy::Replicas(replicas), groups(count)?));
    }
    if let Some(rest) = name.strip_prefix("EC_") {
        let (cells, count) = rest.split_once('G')?;
        let (data, parity) = cells.split_once('P')?;
        return Some((Redundancy::Erasure { data: number(data)?, parity: number(parity)? }, groups(count)?));
    }
    Some((Redundancy::Replicas(1), groups(name.strip_prefix('S')?)?))
}

fn clip(text: &str) -> String {
    text.chars().take(2 * NAME_BYTES_MAX).collect()
}

/// Bits of the redundancy hint (`DAOS_OCH_RDD_*`).
pub mod hint {
    /// Default.
    pub const REDUNDANCY_DEFAULT: u32 = 1;
    /// No protection.
    pub const REDUNDANCY_NONE: u32 = 2;
    /// Replication.
    pub const REDUNDANCY_REPLICAS: u32 = 4;
    /// Erasure coding.
    pub const REDUNDANCY_ERASURE: u32 = 8;
    /// All redundancy bits.
    pub const REDUNDANCY_MASK: u32 = 0xf;
    /// Default: as many groups as fit for arrays and flat KVs, else one.
    pub const SHARDS_DEFAULT: u32 = 16;
    /// One group.
    pub const SHARDS_TINY: u32 = 32;
    /// max(128, 25 %).
    pub const SHARDS_REGULAR: u32 = 64;
    /// max(256, 50 %).
    pub const SHARDS_HIGH: u32 = 128;
    /// max(1024, 70 %).
    pub const SHARDS_EXTREME: u32 = 256;
    /// As many as fit.
    pub const SHARDS_MAX: u32 = 512;
    /// All sharding bits.
    pub const SHARDS_MASK: u32 = 0x3f0;
}

/// Whether `otype` is one of the array types.
pub fn is_array_type(otype: u8) -> bool {
    matches!(otype, 11..=13)
}

/// Whether `otype` is one of the flat KV types.
pub fn is_kv_type(otype: u8) -> bool {
    matches!(otype, 8..=10)
}

/// What of the pool and the container decides a class.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Surroundings {
    /// Number of redundancy domains of the pool at the container's redundancy level.
    pub domains: u32,
    /// Number of targets of the pool.
    pub targets: u32,
    /// Redundancy factor of the container, 0 to 4.
    pub redundancy_factor: u32,
    /// Targets kept free by "as many as fit" instead of the rule's number (`D_GX_RESERVED`); 0 for the rule.
    pub reserved_targets: u32,
}

impl Surroundings {
    /// Those of a pool for a container of redundancy factor `redundancy_factor` at `level`. What is being added to
    /// the pool does not count before it is in service.
    pub fn of_pool(map: &PoolMap, level: DomainKind, redundancy_factor: u32, reserved_targets: u32) -> Surroundings {
        let targets = map.targets.iter().filter(|target| target.is_placed()).count() as u32;
        let domains = match targets as usize == map.targets.len() {
            true => map.domain_count(level),
            // Rare, so counted the long way; a map that breaks the rules has no domains, which `check` refuses.
            false => Placer::new(map, level).map_or(0, |placer| placer.domains()),
        };
        Surroundings { domains, targets, redundancy_factor, reserved_targets }
    }

    fn check(&self) -> Result<()> {
        if self.domains == 0 || self.targets < self.domains {
            let (domains, targets) = (self.domains, self.targets);
            return Err(Error::new(Der::INVAL, format!("pool map with {targets} targets in {domains} domains")));
        }
        Ok(())
    }

    /// Groups of `group_size` shards on the targets that "as many as fit" leaves free for rebuild.
    fn reserved_groups(&self, group_size: u32) -> u32 {
        let rule = || reserved_domains(self.domains, self.redundancy_factor) * (self.targets / self.domains);
        let wanted = if self.reserved_targets > 0 { self.reserved_targets } else { rule() };
        wanted.min(self.targets.saturating_sub(group_size)).div_ceil(group_size)
    }
}

/// Domains kept free. The steps (16, 32, 64, 128, 256 domains) raise the reserve; at a step the larger pool never
/// gets a smaller layout than the largest pool below the step.
fn reserved_domains(domains: u32, factor: u32) -> u32 {
    let percent = |part: u32| (u64::from(domains) * u64::from(part) / 100) as u32;
    let small = factor + 2;
    let medium = percent(4).max(small);
    let large = percent(6).max(medium);
    let huge = percent(8).max(large);
    let (floor, current, previous) = match domains {
        0..16 => return factor,
        16..32 => (16, factor + 1, factor),
        32..64 => (32, small, factor + 1),
        64..128 => (64, medium, small),
        128..256 => (128, large, medium),
        _ => (256, huge, large),
    };
    let shrinks = i64::from(domains) - i64::from(current) < i64::from(floor - 1) - i64::from(previous);
    if shrinks { previous } else { current }
}

/// The class for an object of type `otype` when the caller names none: from the redundancy factor, the hints
/// ([`hint`]) and the pool.
///
/// # Errors
/// `INVAL`: the pool has fewer domains than the redundancy needs; more than one sharding hint.
pub fn choose(otype: u8, hints: u32, around: &Surroundings) -> Result<ObjectClass> {
    around.check()?;
    let redundancy = choose_redundancy(otype, hints & hint::REDUNDANCY_MASK, around);
    let group_size = ObjectClass::new(redundancy, 1)?.group_size(around.domains);
    if group_size > around.domains {
        return Err(too_few_domains(group_size, around.domains));
    }
    let share = |least: u64, part: u64| least.max(u64::from(around.targets) * part / 100);
    let whole = u64::from(u32::MAX);
    let groups = match hints & hint::SHARDS_MASK {
        0 | hint::SHARDS_DEFAULT if is_array_type(otype) || is_kv_type(otype) => whole,
        0 | hint::SHARDS_DEFAULT | hint::SHARDS_TINY => 1,
        hint::SHARDS_MAX => whole,
        hint::SHARDS_REGULAR => share(128, 25),
        hint::SHARDS_HIGH => share(256, 50),
        hint::SHARDS_EXTREME => share(1024, 70),
        other => return Err(Error::new(Der::INVAL, format!("object class hint with sharding bits {other:#x}"))),
    };
    if groups * u64::from(group_size) > u64::from(around.targets) {
        return ObjectClass::new(redundancy, most_groups(group_size, around));
    }
    ObjectClass::new(redundancy, groups as u32)
}

fn choose_redundancy(otype: u8, wanted: u32, around: &Surroundings) -> Redundancy {
    let domains = around.domains;
    let erasure = wanted == hint::REDUNDANCY_ERASURE || (wanted == 0 && is_array_type(otype));
    // (parity, least domains for 16, 8, 4 and 2 data cells)
    let coded = |parity: u16, least: [u32; 4]| {
        let fits = least.iter().zip([16u16, 8, 4, 2]).find(|(least, _)| domains >= **least);
        fits.map(|(_, data)| Redundancy::Erasure { data, parity })
    };
    match around.redundancy_factor {
        1 if erasure => coded(1, [18, 10, 6, 3]).unwrap_or(Redundancy::Replicas(2)),
        1 => Redundancy::Replicas(2),
        2 if erasure => coded(2, [20, 12, 8, 4]).unwrap_or(Redundancy::Replicas(3)),
        2 => Redundancy::Replicas(3),
        3 if erasure => coded(3, [22, 14, 10, u32::MAX]).unwrap_or(Redundancy::Replicas(4)),
        3 => Redundancy::Replicas(4),
        4 => Redundancy::Replicas(5),
        _ if wanted == hint::REDUNDANCY_REPLICAS && domains >= 2 => Redundancy::Replicas(2),
        _ if wanted == hint::REDUNDANCY_ERASURE => {
            coded(1, [18, 10, 6, 0]).unwrap_or(Redundancy::Erasure { data: 2, parity: 1 })
        }
        _ => Redundancy::Replicas(1),
    }
}

fn most_groups(group_size: u32, around: &Surroundings) -> u32 {
    let (most, reserve) = ((around.targets / group_size).max(1), around.reserved_groups(group_size));
    let groups = if most > reserve { most - reserve } else { most };
    groups.min(GROUPS_MAX - 1)
}

fn too_few_domains(group_size: u32, domains: u32) -> Error {
    let text = format!(
        "a redundancy group of {group_size} shards needs as many fault domains, the pool has {domains}; \
         take a class with less redundancy, or a lower redundancy level or factor of the container"
    );
    Error::new(Der::INVAL, text)
}

/// `class` with "as many groups as fit" replaced by the number that fits.
///
/// # Errors
/// `INVAL`: no such class; the pool has too few domains or targets for it.
pub fn fit(class: u32, around: &Surroundings) -> Result<ObjectClass> {
    around.check()?;
    let class = ObjectClass::from_id(class)?;
    if class.redundancy == Redundancy::EveryDomain {
        return Ok(class);
    }
    let group_size = class.group_size(around.domains);
    if group_size > around.domains {
        return Err(too_few_domains(group_size, around.domains).at(format!("object class {class}")));
    }
    let groups = if class.groups == GROUPS_MAX { most_groups(group_size, around) } else { class.groups };
    let shards = u64::from(groups) * u64::from(group_size);
    if shards > u64::from(around.targets) {
        let text = format!("object class {class} has {shards} shards, the pool only {} targets", around.targets);
        return Err(Error::new(Der::INVAL, text));
    }
    if class.id < FIRST_ORDINAL_ID { Ok(class) } else { ObjectClass::new(class.redundancy, groups) }
}

/// The object id for `user` (its 96 user bits), as `daos_obj_generate_oid` makes it: class `class`, or one chosen
/// by [`choose`] when it is [`UNKNOWN`].
///
/// # Errors
/// `INVAL`: no such type, class or hint; the pool is too small.
pub fn generate_oid(user: ObjectId, otype: u8, class: u32, hints: u32, around: &Surroundings) -> Result<ObjectId> {
    if otype > TYPE_MAX {
        return Err(Error::new(Der::INVAL, format!("unknown object type {otype}")));
    }
    let class = if class == UNKNOWN { choose(otype, hints, around)? } else { fit(class, around)? };
    Ok(user.with_class(otype, class.id()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn pool(domains: u32, targets: u32, redundancy_factor: u32) -> Surroundings {
        Surroundings { domains, targets, redundancy_factor, reserved_targets: 0 }
    }

    /// Aim: ids and names of the header's table agree both ways, and unknown ones are refused.
    #[test]
    fn names_and_ids_agree() {
        for (name, id) in [
            ("S1", S1),
            ("SX", SX),
            ("RP_2G1", 0x0800_0001),
            ("RP_6GX", 0x0c00_ffff),
            ("EC_2P1G32", 0x2000_0020),
            ("EC_4P3GX", 0x2800_ffff),
            ("EC_16P3G1", 0x2a00_0001),
            ("RP_XSF", 80),
            ("RP_1G1_ECHO", 14),
            ("RP_3G1_SR", 20),
            ("S3", 0x0100_0003),
        ] {
            assert_eq!(ObjectClass::from_name(name).map(ObjectClass::id).ok(), Some(id), "{name}");
            assert_eq!(super::name(id), name);
        }
        for name in ["", "S", "S0", "S01", "S-1", "S65535", "RP_1G1", "RP_7G1", "EC_3P1G1", "RP_2", "TINY", "s1"] {
            assert!(ObjectClass::from_name(name).is_err(), "{name}");
        }
        for id in [0, 1, 51, 54, 60, 100, 0x0100_0000, 0x0101_0001, 0x0d00_0001, u32::MAX] {
            assert_eq!(ObjectClass::from_id(id).map_err(|error| error.code()), Err(Der::INVAL), "{id:#x}");
            assert_eq!(super::name(id), "UNKNOWN");
        }
        let all = names();
        assert_eq!(all.len(), 9 * 6 + 1 + 8 * 11 + 7);
        assert!(all.iter().all(|name| ObjectClass::from_name(name).is_ok()));
    }

    /// Aim: the automatic choice follows the table of redundancy factor, hints and domain count.
    #[test]
    fn automatic_class() {
        let chosen =
            |otype, hints, around| choose(otype, hints, &around).map(|class| class.to_string()).unwrap_or_default();
        assert_eq!(chosen(0, 0, pool(4, 16, 0)), "S1");
        assert_eq!(chosen(13, 0, pool(4, 16, 0)), "S16");
        assert_eq!(chosen(8, 0, pool(1, 8, 0)), "S8");
        assert_eq!(chosen(13, 0, pool(18, 18 * 8, 1)), "EC_16P1G7");
        assert_eq!(chosen(13, hint::REDUNDANCY_DEFAULT, pool(18, 144, 1)), "RP_2G64");
        assert_eq!(chosen(0, 0, pool(8, 64, 2)), "RP_3G1");
        assert_eq!(chosen(13, 0, pool(8, 64, 2)), "EC_4P2G7");
        assert_eq!(chosen(13, hint::REDUNDANCY_REPLICAS, pool(8, 64, 3)), "RP_4G10");
        assert_eq!(chosen(0, hint::REDUNDANCY_ERASURE, pool(3, 24, 0)), "EC_2P1G1");
        assert_eq!(chosen(0, hint::SHARDS_MAX, pool(3, 24, 0)), "S24");
        assert_eq!(chosen(0, hint::SHARDS_REGULAR, pool(100, 1600, 0)), "S400");
        assert_eq!(chosen(0, 0, pool(1, 8, 1)), "");
        assert_eq!(chosen(0, hint::SHARDS_MAX | hint::SHARDS_TINY, pool(3, 24, 0)), "");
    }

    /// Aim: "as many as fit" keeps the reserve, the override replaces it, and too large a class is refused.
    #[test]
    fn fitting() {
        let fitted = |id, around: Surroundings| fit(id, &around).map(|class| class.to_string()).unwrap_or_default();
        assert_eq!(fitted(SX, pool(4, 16, 0)), "S16");
        assert_eq!(fitted(SX, pool(4, 16, 1)), "S12");
        assert_eq!(fitted(SX, pool(16, 64, 0)), "S60");
        assert_eq!(fitted(SX, pool(1, 1, 0)), "S1");
        assert_eq!(fitted(SX, Surroundings { reserved_targets: 3, ..pool(4, 16, 0) }), "S13");
        assert_eq!(fitted(0x0800_ffff, pool(4, 16, 1)), "RP_2G6");
        assert_eq!(fitted(0x0800_0001, pool(1, 16, 1)), "");
        assert_eq!(fitted(0x0100_0011, pool(4, 16, 1)), "");
        assert_eq!(fitted(RP_XSF, pool(4, 16, 1)), "RP_XSF");
        assert_eq!(fitted(51, pool(4, 16, 1)), "");
    }

    proptest! {
        /// Aim: a fitted class has at least one group and fits the pool; the oid carries type, class and user bits.
        #[test]
        fn fitted_classes_fit(domains in 1u32..300, per in 1u32..20, factor in 0u32..5, lo: u64, user: u32) {
            let around = pool(domains, domains * per, factor);
            let class = fit(SX, &around).unwrap();
            prop_assert!(class.groups() >= 1 && class.groups() <= around.targets);
            let oid = generate_oid(ObjectId { lo, hi: u64::from(user) }, 11, SX, 0, &around).unwrap();
            prop_assert_eq!((oid.lo, oid.hi as u32, oid.type_byte(), oid.class()), (lo, user, 11, class.id()));
        }

        /// Aim: names parse back to the class they print.
        #[test]
        fn names_round_trip(which in 0..ORDINALS.len(), groups in 1u32..=GROUPS_MAX, junk in ".{0,30}") {
            let class = ObjectClass::new(ORDINALS[which].1, groups).unwrap();
            prop_assert_eq!(ObjectClass::from_name(&class.to_string()).unwrap(), class);
            prop_assert_eq!(ObjectClass::from_id(class.id()).unwrap(), class);
            if let Ok(class) = ObjectClass::from_name(&junk) {
                prop_assert_eq!(class.to_string(), junk);
            }
        }
    }
}
