//! An engine that keeps objects in maps, and does to its clients what a test asks for.

use crate::agent::{Agent, AttachInfo};
use crate::container::{ContParts, Container};
use crate::context::Context;
use crate::pool::{Pool, PoolParts};
use crate::system::System;
use daos_common::pool_map::{PoolMap, RankPlace};
use daos_common::wire::mgmt::RankInfoReply;
use daos_common::wire::object::{
    DataPath, FetchedIod, ListKind, Listed, ObjFetchReply, ObjFetchRequest, ObjHeader, ObjListReply, ObjListRequest,
    ObjPunchRequest, ObjQueryKeyReply, ObjQueryKeyRequest, ObjUpdateReply, ObjUpdateRequest,
};
use daos_common::wire::pool::PoolMapReply;
use daos_common::wire::tx::{TxCommitRequest, TxEpochReply, TxEpochRequest, TxHeader, TxPart};
use daos_common::wire::{Opcode, decode, encode};
use daos_common::{Der, Iod, IodKind, ObjectId, Rank, Recx, Result};
use daos_fabric::{Endpoint, Incoming, MemoryNetwork, Runtime};
use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, HashMap};
use std::future::Future;
use std::rc::Rc;
use std::sync::Arc;
use uuid::Uuid;

pub(super) const TARGETS: u32 = 3;
/// Class SX over the fake's targets.
pub(super) const CLASS_S3: u32 = 0x0100_0003;

/// A record's bytes by index; a single value is record 0.
type Akey = BTreeMap<u64, Vec<u8>>;

/// Shard, dkey and akey.
type Place = (u32, Vec<u8>, Vec<u8>);

/// State of the engine.
#[derive(Default)]
pub(super) struct Fake {
    pub(super) store: RefCell<BTreeMap<Place, Akey>>,
    /// Operation numbers of updates and punches, in order of arrival.
    pub(super) operations: RefCell<Vec<Uuid>>,
    /// Map versions older than this are answered STALE.
    pub(super) map_version: Cell<u32>,
    /// How many object requests are answered with this code before they are served.
    pub(super) refuse: Cell<Option<(Der, u32)>>,
    /// Epochs and flags of fetches, in order of arrival.
    pub(super) fetched_at: RefCell<Vec<(u64, u64)>>,
    /// Commits of transactions, in order of arrival, also those that were refused.
    pub(super) commits: RefCell<Vec<(TxHeader, Vec<TxPart>)>>,
    /// The clock.
    pub(super) clock: Cell<u64>,
    /// Requests seen, by opcode.
    pub(super) seen: RefCell<HashMap<u16, u32>>,
}

/// A client and an engine of [`TARGETS`] targets in one thread.
pub(super) struct World {
    pub(super) network: MemoryNetwork,
    pub(super) client: Rc<Context>,
    pub(super) container: Arc<Container>,
    pub(super) fake: Rc<Fake>,
    pub(super) engine: Vec<Runtime>,
}

pub(super) const RANK: Rank = Rank(5);

pub(super) fn map(version: u32) -> PoolMap {
    let place = RankPlace { rank: RANK, targets: TARGETS, fault_domain: String::new() };
    PoolMap::from_ranks(version, &[place]).expect("a map of one rank")
}

impl World {
    pub(super) fn new(network: MemoryNetwork) -> World {
        let fake = Rc::new(Fake::default());
        fake.map_version.set(1);
        let engine = start(&network, &fake, 1);
        let info = AttachInfo {
            system: "test".into(),
            uris: HashMap::from([(RANK, "memory://engine-1-0".into())]),
            management_ranks: vec![RANK],
            provider: "memory".into(),
            ..AttachInfo::default()
        };
        let system = Arc::new(System::new(Agent::from_environment(), info, 77));
        let client = Context::over(system, network.open("client").expect("a client")).expect("a context");
        let parts = PoolParts { uuid: Uuid::from_u128(1), handle: Uuid::from_u128(2), flags: 2, props: vec![] };
        let pool = Arc::new(Pool::assemble(parts, map(1), vec![RANK], None));
        let (uuid, handle, label) = (Uuid::from_u128(3), Uuid::from_u128(4), "c".to_owned());
        let parts = ContParts { uuid, handle, flags: 2, label, props: vec![] };
        let container = Arc::new(Container::assemble(pool, parts, None));
        World { network, client, container, fake, engine }
    }

    pub(super) fn run<T>(&self, future: impl Future<Output = T>) -> T {
        let mut runtimes = vec![self.client.runtime()];
        runtimes.extend(&self.engine);
        self.network.block_on(&runtimes, future).expect("the network does not stand still")
    }

    /// Kills the engine's process.
    pub(super) fn crash(&self, life: u32) {
        for context in 0..=TARGETS {
            self.network.crash(&format!("engine-{life}-{context}")).expect("it runs");
        }
    }

    pub(super) fn oid(&self, otype: u8) -> ObjectId {
        ObjectId { lo: 9, hi: 7 }.with_class(otype, CLASS_S3)
    }
}

/// Starts the engine's contexts.
pub(super) fn start(network: &MemoryNetwork, fake: &Rc<Fake>, life: u32) -> Vec<Runtime> {
    let name = |context: u32| format!("engine-{life}-{context}");
    let uris: Vec<String> = (0..=TARGETS).map(|context| format!("memory://{}", name(context))).collect();
    (0..=TARGETS)
        .map(|context| serve(network.open(&name(context)).expect("a name"), fake.clone(), uris.clone()))
        .collect()
}

fn serve(endpoint: Endpoint, fake: Rc<Fake>, uris: Vec<String>) -> Runtime {
    let runtime = Runtime::new(endpoint.clone()).expect("a runtime");
    let accepting = async move {
        loop {
            let request = endpoint.accept().await;
            let answer = fake.answer(&endpoint, &request, &uris).await;
            match answer {
                Ok((body, payload)) => request.reply(&body, &[&payload]),
                Err(error) => request.fail(&error),
            }
        }
    };
    runtime.spawn(accepting).detach();
    runtime
}

impl Fake {
    async fn answer(&self, endpoint: &Endpoint, request: &Incoming, uris: &[String]) -> Result<(Vec<u8>, Vec<u8>)> {
        *self.seen.borrow_mut().entry(request.opcode).or_default() += 1;
        let body = request.message.body();
        let plain = |body: Vec<u8>| Ok((body, Vec::new()));
        match Opcode::from_number(request.opcode).ok_or(Der::UNREG)? {
            Opcode::RankInfo => {
                plain(encode(&RankInfoReply { rank: RANK, incarnation: 1, context_uris: uris.to_vec() })?)
            }
            Opcode::PoolMapFetch => plain(encode(&PoolMapReply { map: map(self.map_version.get()) })?),
            Opcode::ObjUpdate => {
                let update: ObjUpdateRequest = decode(body)?;
                self.operations.borrow_mut().push(update.operation);
                self.check(&update.header)?;
                let data = match &update.data {
                    DataPath::Inline => request.message.payload().to_vec(),
                    DataPath::Bulk(regions) => {
                        let mut data = vec![0; regions.iter().map(|region| region.len as usize).sum()];
                        pull(endpoint, request, regions, &mut data).await?;
                        data
                    }
                };
                self.update(&update, &data);
                plain(encode(&ObjUpdateReply { epoch: 1 })?)
            }
            Opcode::ObjFetch => {
                let fetch: ObjFetchRequest = decode(body)?;
                self.fetched_at.borrow_mut().push((fetch.header.epoch, fetch.header.flags));
                self.check(&fetch.header)?;
                let (reply, data, runs) = self.fetch(&fetch);
                match &fetch.data {
                    DataPath::Inline => Ok((encode(&reply)?, data)),
                    DataPath::Bulk(regions) => {
                        for (offset, bytes) in runs {
                            push(endpoint, request, regions, offset, &data[offset as usize..][..bytes]).await?;
                        }
                        plain(encode(&reply)?)
                    }
                }
            }
            Opcode::ObjPunch => {
                let punch: ObjPunchRequest = decode(body)?;
                self.operations.borrow_mut().push(punch.operation);
                self.check(&punch.header)?;
                self.store.borrow_mut().retain(|(shard, dkey, akey), _| {
                    let inside = *shard == punch.header.oid.shard
                        && (punch.dkeys.is_empty() || punch.dkeys.contains(dkey))
                        && (punch.akeys.is_empty() || punch.akeys.contains(akey));
                    !inside
                });
                plain(encode(&ObjUpdateReply { epoch: 1 })?)
            }
            Opcode::ObjList => {
                let list: ObjListRequest = decode(body)?;
                self.check(&list.header)?;
                plain(encode(&self.list(&list))?)
            }
            Opcode::ObjQueryKey => {
                let query: ObjQueryKeyRequest = decode(body)?;
                self.check(&query.header)?;
                plain(encode(&self.largest(&query))?)
            }
            Opcode::TxEpoch => {
                decode::<TxEpochRequest>(body)?;
                plain(encode(&TxEpochReply { epoch: self.tick() })?)
            }
            Opcode::TxCommit => {
                let TxCommitRequest { header } = decode(body)?;
                let version = header.map_version;
                self.commits.borrow_mut().push((header, decode(request.message.payload())?));
                self.check_version(version)?;
                plain(encode(&TxEpochReply { epoch: self.tick() })?)
            }
            _ => Err(Der::NOSYS.into()),
        }
    }

    /// The next epoch.
    fn tick(&self) -> u64 {
        self.clock.set(self.clock.get() + 10);
        self.clock.get()
    }

    fn check(&self, header: &ObjHeader) -> Result<()> {
        self.check_version(header.map_version)
    }

    fn check_version(&self, version: u32) -> Result<()> {
        if version < self.map_version.get() {
            return Err(Der::STALE.err("old map"));
        }
        if let Some((code, left)) = self.refuse.get().filter(|(_, left)| *left > 0) {
            self.refuse.set(Some((code, left - 1)));
            return Err(code.err("refused by the test"));
        }
        Ok(())
    }

    fn update(&self, update: &ObjUpdateRequest, data: &[u8]) {
        let mut at = 0;
        for iod in &update.iods {
            let key = (update.header.oid.shard, update.dkey.clone(), iod.akey.clone());
            let mut store = self.store.borrow_mut();
            let akey = store.entry(key).or_default();
            for index in indices(iod) {
                match iod.size {
                    0 => drop(akey.remove(&index)),
                    size => drop(akey.insert(index, data[at..at + size as usize].to_vec())),
                }
                at += iod.size as usize;
            }
        }
    }

    /// The answer, the data by rooms, and where in it data is.
    fn fetch(&self, fetch: &ObjFetchRequest) -> (ObjFetchReply, Vec<u8>, Vec<(u64, usize)>) {
        let mut data = vec![0u8; fetch.rooms.iter().sum::<u64>() as usize];
        let (mut start, mut runs, mut iods) = (0u64, Vec::new(), Vec::new());
        for (iod, room) in fetch.iods.iter().zip(&fetch.rooms) {
            let key = (fetch.header.oid.shard, fetch.dkey.clone(), iod.akey.clone());
            let store = self.store.borrow();
            let empty = Akey::new();
            let akey = store.get(&key).unwrap_or(&empty);
            let size = akey.values().next().map_or(0, |record| record.len() as u64);
            let mut present: Vec<Recx> = Vec::new();
            for (place, index) in indices(iod).enumerate() {
                let Some(record) = akey.get(&index) else { continue };
                if iod.kind == IodKind::Array {
                    match present.last_mut().filter(|last| last.idx + last.nr == index) {
                        Some(last) => last.nr += 1,
                        None => present.push(Recx { idx: index, nr: 1 }),
                    }
                }
                let at = start + place as u64 * size;
                if at + size <= start + room {
                    data[at as usize..][..record.len()].copy_from_slice(record);
                    runs.push((at, record.len()));
                }
            }
            iods.push(FetchedIod { size, data_bytes: *room, present });
            start += room;
        }
        let epoch = match fetch.header.epoch {
            0 => self.tick(),
            epoch => epoch,
        };
        (ObjFetchReply { iods, epoch }, data, runs)
    }

    /// Lists dkeys, two at a time.
    fn list(&self, list: &ObjListRequest) -> ObjListReply {
        assert_eq!(list.what, ListKind::Dkeys);
        let store = self.store.borrow();
        let of_shard =
            store.iter().filter(|((shard, ..), records)| *shard == list.header.oid.shard && !records.is_empty());
        let mut dkeys: Vec<Vec<u8>> = of_shard.map(|((_, dkey, _), _)| dkey.clone()).collect();
        dkeys.dedup();
        dkeys.retain(|dkey| list.anchor.is_empty() || *dkey > list.anchor);
        let eof = dkeys.len() <= 2;
        dkeys.truncate(2.min(list.limit as usize));
        let anchor = dkeys.last().cloned().unwrap_or_default();
        ObjListReply { entries: Listed::Keys(dkeys), anchor, eof, key_bytes_needed: 0 }
    }

    fn largest(&self, query: &ObjQueryKeyRequest) -> ObjQueryKeyReply {
        let store = self.store.borrow();
        let mine = store.iter().filter(|((shard, _, akey), records)| {
            *shard == query.header.oid.shard && *akey == query.akey && !records.is_empty()
        });
        let number = |dkey: &Vec<u8>| dkey.as_slice().try_into().map_or(0, u64::from_le_bytes);
        let best = mine.max_by_key(|((_, dkey, _), _)| number(dkey));
        let recx = best.and_then(|(_, records)| records.keys().next_back()).map(|idx| Recx { idx: *idx, nr: 1 });
        ObjQueryKeyReply { dkey: best.map(|((_, dkey, _), _)| dkey.clone()), akey: None, recx, max_epoch: 1 }
    }
}

fn indices(iod: &Iod) -> Box<dyn Iterator<Item = u64> + '_> {
    match iod.kind {
        IodKind::Single => Box::new(std::iter::once(0)),
        IodKind::Array => Box::new(iod.recxs.iter().flat_map(|recx| recx.idx..recx.idx + recx.nr)),
    }
}

type Regions = [daos_common::wire::object::BulkDesc];

#[allow(unsafe_code)]
async fn pull(endpoint: &Endpoint, request: &Incoming, regions: &Regions, data: &mut [u8]) -> Result<()> {
    // SAFETY: `data` is borrowed until the transfer is done.
    unsafe { endpoint.rma_read(request.peer(), regions, 0, data.as_mut_ptr(), data.len()) }.await
}

#[allow(unsafe_code)]
async fn push(endpoint: &Endpoint, request: &Incoming, regions: &Regions, offset: u64, data: &[u8]) -> Result<()> {
    // SAFETY: `data` is borrowed until the transfer is done.
    unsafe { endpoint.rma_write(request.peer(), regions, offset, data.as_ptr(), data.len()) }.await
}
