//! What a pool service knows, as records, and the changes of it.
//!
//! | key | value (postcard) |
//! |---|---|
//! | `meta` | [`Meta`] |
//! | `map` | the pool map |
//! | `prop` | pool properties |
//! | `h/` + pool handle | [`PoolHandle`] |
//! | `c/` + container | [`Container`] |
//! | `o/` + container handle | [`ContHandle`] |
//! | `a/` + name | user attribute of the pool (raw) |
//! | `x/` + container + name | user attribute of a container (raw) |
//!
//! UUIDs in keys are their 16 bytes. The state in memory is exactly what the records say: a [`Change`] is written, then
//! applied.

use super::store::Write;
use daos_common::pool_map::PoolMap;
use daos_common::wire::pool::Prop;
use daos_common::{Der, Epoch, ObjectId, Rank, Result, wire};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use uuid::Uuid;

/// Version of the records.
pub const FORMAT_VERSION: u32 = 2;

/// What doesn't change.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Meta {
    /// Version of the records.
    pub format: u32,
    /// The pool.
    pub pool: Uuid,
    /// Ranks of the service.
    pub service_ranks: Vec<Rank>,
    /// When the pool was made.
    pub created: Epoch,
}

/// An open pool handle.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct PoolHandle {
    /// `daos_common::flags::OPEN_*`.
    pub flags: u64,
    /// Name of who opened it, `name@`, validated.
    pub user: String,
    /// Their groups.
    pub groups: Vec<String>,
    /// On which machine.
    pub machine: String,
    /// May create containers.
    pub create_cont: bool,
    /// May delete any container.
    pub delete_cont: bool,
}

/// A container.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Container {
    /// Its properties, label, ACL and owner among them.
    pub props: Vec<Prop>,
    /// Its snapshots, in order of epoch.
    pub snapshots: Vec<Snapshot>,
    /// Next object number to give out.
    pub next_oid: u64,
    /// When it was last opened.
    pub open_time: Epoch,
    /// When its metadata was last changed.
    pub modify_time: Epoch,
    /// Being destroyed: it has no label, and targets may still hold parts of it.
    pub destroying: bool,
    /// On its way back to the snapshot of this epoch: targets may still hold later versions.
    pub rolling_back: Option<Epoch>,
}

/// A snapshot of a container.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Snapshot {
    /// Its epoch.
    pub epoch: Epoch,
    /// Its name; may be empty.
    pub name: String,
    /// The operation that made it, to recognise a resend.
    pub operation: Uuid,
    /// The object that lists the objects of the snapshot, if there is one.
    pub oit: Option<ObjectId>,
}

impl Container {
    /// Epochs of the snapshots, ascending.
    pub fn snapshot_epochs(&self) -> Vec<Epoch> {
        self.snapshots.iter().map(|snapshot| snapshot.epoch).collect()
    }
}

/// An open container handle.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct ContHandle {
    /// The container.
    pub cont: Uuid,
    /// The pool handle it was opened with.
    pub pool_handle: Uuid,
    /// `daos_common::flags::OPEN_*`.
    pub flags: u64,
    /// What it allows: bits of `daos_common::acl::perm`.
    pub permissions: u64,
}

/// One change of one record; `None` removes it.
#[derive(Clone, Debug)]
pub enum Change {
    /// At creation.
    Meta(Meta),
    /// A new map.
    Map(PoolMap),
    /// All pool properties.
    Props(Vec<Prop>),
    /// A pool handle.
    Handle(Uuid, Option<PoolHandle>),
    /// A container.
    Cont(Uuid, Option<Container>),
    /// A container handle.
    ContHandle(Uuid, Option<ContHandle>),
    /// An attribute of the pool.
    PoolAttr(String, Option<Vec<u8>>),
    /// An attribute of a container.
    ContAttr(Uuid, String, Option<Vec<u8>>),
}

/// All of it.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct State {
    /// See [`Meta`].
    pub meta: Option<Meta>,
    /// The pool map.
    pub map: Option<PoolMap>,
    /// Pool properties, by number.
    pub props: Vec<Prop>,
    /// Open pool handles.
    pub handles: BTreeMap<Uuid, PoolHandle>,
    /// Containers, those being destroyed among them.
    pub conts: BTreeMap<Uuid, Container>,
    /// Open container handles.
    pub cont_handles: BTreeMap<Uuid, ContHandle>,
    /// Attributes of the pool.
    pub pool_attrs: BTreeMap<String, Vec<u8>>,
    /// Attributes of containers.
    pub cont_attrs: BTreeMap<(Uuid, String), Vec<u8>>,
}

impl Change {
    /// The record.
    ///
    /// # Errors
    /// `MISC`: not encodable.
    pub fn record(&self) -> Result<Write> {
        fn value<T: Serialize>(value: &Option<T>) -> Result<Option<Vec<u8>>> {
            value.as_ref().map(wire::encode).transpose()
        }
        // A raw attribute may be empty, and an empty record is one that is gone: one byte goes in front.
        let raw = |value: &Option<Vec<u8>>| value.as_ref().map(|value| [&[1], value.as_slice()].concat());
        Ok(match self {
            Change::Meta(meta) => (b"meta".to_vec(), Some(wire::encode(meta)?)),
            Change::Map(map) => (b"map".to_vec(), Some(wire::encode(map)?)),
            Change::Props(props) => (b"prop".to_vec(), Some(wire::encode(props)?)),
            Change::Handle(uuid, handle) => (key(b"h/", uuid, ""), value(handle)?),
            Change::Cont(uuid, cont) => (key(b"c/", uuid, ""), value(cont)?),
            Change::ContHandle(uuid, handle) => (key(b"o/", uuid, ""), value(handle)?),
            Change::PoolAttr(name, bytes) => ([b"a/", name.as_bytes()].concat(), raw(bytes)),
            Change::ContAttr(uuid, name, bytes) => (key(b"x/", uuid, name), raw(bytes)),
        })
    }

    /// The change that a record read from the store stands for.
    ///
    /// # Errors
    /// `DF_INVAL`: not a record of this format.
    pub fn from_record(key: &[u8], value: &[u8]) -> Result<Change> {
        let damaged = |_| Der::DF_INVAL.err(format!("record {:?} is damaged", String::from_utf8_lossy(key)));
        let raw = || value.get(1..).unwrap_or_default().to_vec();
        match key {
            b"meta" => wire::decode(value).map(Change::Meta).map_err(damaged),
            b"map" => wire::decode(value).map(Change::Map).map_err(damaged),
            b"prop" => wire::decode(value).map(Change::Props).map_err(damaged),
            _ => {
                let (kind, rest) = key.split_at_checked(2).ok_or(()).map_err(|()| damaged(Der::DF_INVAL.into()))?;
                if kind == b"a/" {
                    return Ok(Change::PoolAttr(String::from_utf8_lossy(rest).into_owned(), Some(raw())));
                }
                let (uuid, name) =
                    rest.split_first_chunk::<16>().ok_or(()).map_err(|()| damaged(Der::DF_INVAL.into()))?;
                let uuid = Uuid::from_bytes(*uuid);
                match kind {
                    b"h/" => wire::decode(value).map(|handle| Change::Handle(uuid, Some(handle))).map_err(damaged),
                    b"c/" => wire::decode(value).map(|cont| Change::Cont(uuid, Some(cont))).map_err(damaged),
                    b"o/" => wire::decode(value).map(|handle| Change::ContHandle(uuid, Some(handle))).map_err(damaged),
                    b"x/" => Ok(Change::ContAttr(uuid, String::from_utf8_lossy(name).into_owned(), Some(raw()))),
                    _ => Err(damaged(Der::DF_INVAL.into())),
                }
            }
        }
    }
}

fn key(kind: &[u8], uuid: &Uuid, name: &str) -> Vec<u8> {
    [kind, uuid.as_bytes(), name.as_bytes()].concat()
}

impl State {
    /// The state that records stand for.
    ///
    /// # Errors
    /// `DF_INVAL`: a record is damaged or missing; `DF_INCOMPT`: of another version.
    pub fn from_records<'a>(records: impl IntoIterator<Item = (&'a Vec<u8>, &'a Vec<u8>)>) -> Result<State> {
        let mut state = State::default();
        let records: Vec<_> = records.into_iter().collect();
        // The version first: records of another one need not be readable.
        for (key, value) in records.iter().filter(|(key, _)| key.as_slice() == b"meta") {
            if let Change::Meta(meta) = Change::from_record(key, value)?
                && meta.format != FORMAT_VERSION
            {
                return Err(Der::DF_INCOMPT.err(format!("records of format {}, not {FORMAT_VERSION}", meta.format)));
            }
        }
        for (key, value) in records {
            state.apply(Change::from_record(key, value)?);
        }
        match (&state.meta, &state.map) {
            (Some(_), Some(map)) => {
                map.validate().map_err(|error| Der::DF_INVAL.err(error.message()))?;
                Ok(state)
            }
            _ => Err(Der::DF_INVAL.err("the records of the pool itself are missing")),
        }
    }

    /// The newest timestamp in the records; 0 without any.
    pub fn newest_time(&self) -> Epoch {
        let created = self.meta.iter().map(|meta| meta.created);
        let times = |cont: &Container| [cont.open_time, cont.modify_time];
        let conts = self.conts.values().flat_map(|cont| times(cont).into_iter().chain(cont.snapshot_epochs()));
        created.chain(conts).max().unwrap_or(0)
    }

    /// Applies a change.
    pub fn apply(&mut self, change: Change) {
        fn put<K: Ord, V>(map: &mut BTreeMap<K, V>, key: K, value: Option<V>) {
            match value {
                Some(value) => drop(map.insert(key, value)),
                None => drop(map.remove(&key)),
            }
        }
        match change {
            Change::Meta(meta) => self.meta = Some(meta),
            Change::Map(map) => self.map = Some(map),
            Change::Props(props) => self.props = props,
            Change::Handle(uuid, handle) => put(&mut self.handles, uuid, handle),
            Change::Cont(uuid, cont) => put(&mut self.conts, uuid, cont),
            Change::ContHandle(uuid, handle) => put(&mut self.cont_handles, uuid, handle),
            Change::PoolAttr(name, value) => put(&mut self.pool_attrs, name, value),
            Change::ContAttr(uuid, name, value) => put(&mut self.cont_attrs, (uuid, name), value),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use daos_common::pool_map::RankPlace;
    use daos_common::wire::pool::PropValue;

    /// Aim: every kind of change goes through its record and back, a damaged record is an error, and the
    /// newest timestamp is found.
    #[test]
    fn records_round_trip() {
        let place = RankPlace { rank: Rank(0), targets: 2, fault_domain: String::new() };
        let map = PoolMap::from_ranks(1, &[place]).unwrap();
        let (uuid, props) = (Uuid::from_u128(9), vec![Prop { number: 1, value: PropValue::Text("p".into()) }]);
        let handle = PoolHandle {
            flags: 2,
            user: "u@".into(),
            groups: vec!["g@".into()],
            machine: "m".into(),
            create_cont: true,
            delete_cont: false,
        };
        let cont = Container {
            props: props.clone(),
            snapshots: vec![Snapshot { epoch: 5, name: "s".into(), operation: uuid, oit: None }],
            next_oid: 3,
            open_time: 1,
            modify_time: 2,
            destroying: false,
            rolling_back: None,
        };
        let cont_handle = ContHandle { cont: uuid, pool_handle: uuid, flags: 1, permissions: 3 };
        let changes = [
            Change::Meta(Meta { format: FORMAT_VERSION, pool: uuid, service_ranks: vec![Rank(0)], created: 4 }),
            Change::Map(map),
            Change::Props(props),
            Change::Handle(uuid, Some(handle)),
            Change::Cont(uuid, Some(cont)),
            Change::ContHandle(uuid, Some(cont_handle)),
            Change::PoolAttr("name".into(), Some(Vec::new())),
            Change::ContAttr(uuid, "n".into(), Some(b"value".to_vec())),
        ];
        let mut state = State::default();
        let mut records = BTreeMap::new();
        for change in changes {
            let (key, value) = change.record().unwrap();
            records.insert(key, value.unwrap());
            state.apply(change);
        }
        assert_eq!(State::from_records(&records).unwrap(), state);
        assert_eq!(state.newest_time(), 5);
        assert_eq!(State::default().newest_time(), 0);
        let mut old = records.clone();
        let meta = Meta { format: 1, pool: uuid, service_ranks: Vec::new(), created: 4 };
        old.insert(b"meta".to_vec(), wire::encode(&meta).unwrap());
        old.insert(b"c/short".to_vec(), vec![1]);
        assert_eq!(State::from_records(&old).unwrap_err().code(), Der::DF_INCOMPT);
        records.insert(b"c/short".to_vec(), vec![1]);
        assert_eq!(State::from_records(&records).unwrap_err().code(), Der::DF_INVAL);
    }
}
