//! What this host does on request: gRPC CtlSvc. Methods that aren't here answer UNIMPLEMENTED.

use crate::instance::{Instance, Wanted};
use crate::mgmt::attach::device_class;
use crate::server::Server;
use crate::superblock::Superblock;
use crate::system::{MemberState, ranks};
use crate::{storage, sys};
use daos_common::{Der, Error, Result};
use daos_proto::control::status::status_of;
use daos_proto::ctl::ctl_svc_server::CtlSvc;
use daos_proto::ctl::*;
use daos_proto::drpc::Method;
use daos_proto::shared::RankResult;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tonic::{Request, Response, Status};

/// How long an engine may take to stop, its being killed included.
const STOP_LIMIT: Duration = Duration::from_secs(30);
/// How long an engine may take from its start until it has joined.
const START_LIMIT: Duration = Duration::from_secs(60);

/// The operations of CtlSvc.
pub struct Ctl {
    server: Arc<Server>,
}

impl Ctl {
    /// On `server`.
    pub fn new(server: Arc<Server>) -> Ctl {
        Ctl { server }
    }

    /// The engines that a request selects: those of its ranks, or all.
    fn select(&self, request: &RanksReq) -> Result<Vec<Arc<Instance>>> {
        let wanted = ranks::parse(&request.ranks)?;
        let selected = |instance: &&Arc<Instance>| {
            wanted.is_empty() || self.rank_of(instance).is_some_and(|rank| wanted.contains(&rank))
        };
        Ok(self.server.instances.iter().filter(selected).cloned().collect())
    }

    /// The rank of an engine, running or not.
    fn rank_of(&self, instance: &Instance) -> Option<u32> {
        instance.status().rank.or_else(|| {
            let home = self.server.config.superblock_dir(instance.index)?;
            Superblock::read(&home, &self.server.config.name).ok().flatten()?.rank()
        })
    }

    fn result(&self, instance: &Instance, action: &str, outcome: Result<()>) -> RankResult {
        RankResult {
            rank: self.rank_of(instance).unwrap_or(u32::MAX),
            action: action.to_string(),
            errored: outcome.is_err(),
            msg: outcome.err().map(|error| error.to_string()).unwrap_or_default(),
            state: instance.status().state.name().to_string(),
            addr: self.server.address.clone(),
        }
    }

    /// Tells engines that they will be stopped.
    ///
    /// # Errors
    /// `INVAL` for a rank set that isn't one. What engines answer is in the results.
    pub async fn prepare_shutdown(&self, request: &RanksReq) -> Result<RanksResp> {
        let mut results = Vec::new();
        for instance in self.select(request)? {
            let outcome = match instance.is_joined() {
                true => match instance.command(Method::PrepShutdown, &()).await {
                    // An engine without such a method needs no preparation.
                    Err(error) if error.code() == Der::NOSYS => Ok(()),
                    other => other,
                },
                false => Ok(()),
            };
            results.push(self.result(&instance, "prep shutdown", outcome));
        }
        Ok(RanksResp { results })
    }

    /// Stops engines and waits until they have ended.
    ///
    /// # Errors
    /// As [`Ctl::prepare_shutdown`].
    pub async fn stop(&self, request: &RanksReq) -> Result<RanksResp> {
        let instances = self.select(request)?;
        for instance in &instances {
            instance.want(if request.force { Wanted::Kill } else { Wanted::Stop });
        }
        let ended = [MemberState::Stopped, MemberState::Errored, MemberState::AwaitFormat];
        let mut results = Vec::new();
        for instance in &instances {
            let outcome = wait_for(instance, &ended, STOP_LIMIT).await;
            results.push(self.result(instance, "stop", outcome));
        }
        Ok(RanksResp { results })
    }

    /// Starts engines and waits until they have joined.
    ///
    /// # Errors
    /// As [`Ctl::prepare_shutdown`].
    pub async fn start(&self, request: &RanksReq) -> Result<RanksResp> {
        if request.check_mode {
            return Err(Der::NOTSUPPORTED.err("check mode isn't available in this version"));
        }
        let instances = self.select(request)?;
        for instance in &instances {
            instance.start();
        }
        let mut results = Vec::new();
        for instance in &instances {
            let ends = [MemberState::Joined, MemberState::AwaitFormat, MemberState::Errored];
            let outcome = wait_for(instance, &ends, START_LIMIT).await.and_then(|()| {
                let status = instance.status();
                match status.state {
                    MemberState::Errored => Err(Der::MISC.err(status.info)),
                    _ => Ok(()),
                }
            });
            results.push(self.result(instance, "start", outcome));
        }
        Ok(RanksResp { results })
    }

    /// Removes the superblocks of engines that don't run, so that they await format.
    async fn reset_format(&self, request: &RanksReq) -> Result<RanksResp> {
        let mut results = Vec::new();
        for instance in self.select(request)? {
            let outcome = self.reset_one(&instance);
            results.push(self.result(&instance, "reset format", outcome));
        }
        Ok(RanksResp { results })
    }

    fn reset_one(&self, instance: &Instance) -> Result<()> {
        refuse_running(instance)?;
        let home = self.server.config.superblock_dir(instance.index).unwrap_or_default();
        let path = Superblock::path(&home);
        std::fs::remove_file(&path).map_err(|error| Error::from(error).at(path.display()))?;
        instance.forget();
        instance.start();
        Ok(())
    }

    /// Formats the storage of every engine that awaits it, or with `reformat` of every engine that doesn't run.
    fn format(&self, request: &StorageFormatReq) -> Result<StorageFormatResp> {
        if self.server.instances.is_empty() {
            return Err(Der::INVAL.err("no engines are configured on this host"));
        }
        if request.replace {
            return Err(Der::NOTSUPPORTED.err("replacing a rank (--replace) isn't available in this version"));
        }
        let mut response = StorageFormatResp::default();
        for instance in &self.server.instances {
            let Some(engine) = self.server.config.engines.get(instance.index) else { continue };
            let outcome = refuse_running(instance).and_then(|()| self.format_one(instance, request.reformat));
            let devices = engine.bdevs.iter().flat_map(|tier| tier.devices.iter().map(move |device| (tier, device)));
            if outcome.is_ok() {
                response.crets.extend(devices.map(|(tier, device)| NvmeControllerResult {
                    pci_addr: device.clone(),
                    state: Some(ResponseState::default()),
                    role_bits: tier.roles.iter().map(|role| *role as u32).sum(),
                }));
            }
            response.mrets.push(ScmMountResult {
                mntpoint: engine.scm.mount.display().to_string(),
                state: Some(response_state(&outcome)),
                instanceidx: u32::try_from(instance.index).unwrap_or(u32::MAX),
            });
        }
        Ok(response)
    }

    /// Formats one engine's storage; the answer is a note for the administrator.
    fn format_one(&self, instance: &Instance, reformat: bool) -> Result<String> {
        let formatted = storage::format(&self.server.config, instance.index, reformat)?;
        tracing::info!(
            "engine {}: storage formatted, superblock {} {}",
            instance.index,
            formatted.superblock.uuid,
            formatted.note
        );
        if instance.index == 0 {
            self.server.close_system();
        }
        instance.forget();
        instance.storage_formatted();
        instance.start();
        Ok(formatted.note)
    }

    fn scan(&self, request: &StorageScanReq) -> StorageScanResp {
        StorageScanResp {
            nvme: Some(self.scan_bdevs()),
            scm: Some(self.scan_scm(request.scm.is_some_and(|scm| scm.usage))),
            sys_mem_info: Some(memory_info()),
        }
    }

    fn scan_bdevs(&self) -> ScanNvmeResp {
        let tiers = self.server.config.engines.iter().flat_map(|engine| &engine.bdevs);
        let ctrlrs = tiers
            .flat_map(|tier| tier.devices.iter().map(move |device| (tier, device)))
            .map(|(tier, device)| NvmeController {
                model: format!("{} device", tier.class.name()),
                pci_addr: device.clone(),
                namespaces: vec![nvme_controller::Namespace {
                    id: 1,
                    size: tier.bytes,
                    ctrlr_pci_addr: device.clone(),
                }],
                dev_state: match Path::new(device).exists() {
                    true => NvmeDevState::Normal as i32,
                    false => NvmeDevState::New as i32,
                },
                ..Default::default()
            })
            .collect();
        ScanNvmeResp { ctrlrs, state: Some(ResponseState::default()) }
    }

    fn scan_scm(&self, with_usage: bool) -> ScanScmResp {
        let mut namespaces = Vec::new();
        let mut problem = None;
        for (index, engine) in self.server.config.engines.iter().enumerate() {
            let device = engine.scm.devices.first().cloned().unwrap_or_else(|| "ramdisk".to_string());
            let mut namespace =
                ScmNamespace { blockdev: device.clone(), dev: device, size: engine.scm.bytes, ..Default::default() };
            if engine.scm.mount.is_dir() {
                match storage::scm_usage(engine) {
                    Ok(usage) => {
                        namespace.size = usage.total_bytes;
                        namespace.mount = Some(scm_namespace::Mount {
                            path: engine.scm.mount.display().to_string(),
                            total_bytes: usage.total_bytes,
                            avail_bytes: usage.available_bytes,
                            usable_bytes: if with_usage { usage.available_bytes } else { 0 },
                            class: engine.scm.class.name().to_string(),
                            rank: self
                                .server
                                .instances
                                .get(index)
                                .and_then(|instance| self.rank_of(instance))
                                .unwrap_or(u32::MAX),
                            ..Default::default()
                        });
                    }
                    Err(error) => problem = Some(error),
                }
            }
            namespaces.push(namespace);
        }
        let state = match problem {
            None => ResponseState::default(),
            Some(error) => ResponseState {
                status: ResponseStatus::CtlErrScm as i32,
                error: error.to_string(),
                info: String::new(),
            },
        };
        ScanScmResp { modules: Vec::new(), namespaces, state: Some(state) }
    }

    fn scan_network(&self, request: &NetworkScanReq) -> Result<NetworkScanResp> {
        let provider = match request.provider.as_str() {
            "" | "all" => "ofi+tcp",
            "ofi+tcp" => "ofi+tcp",
            other => {
                return Err(
                    Der::NOTSUPPORTED.err(format!("provider {other:?}: the scan knows ofi+tcp only in this version"))
                );
            }
        };
        let excluded: Vec<&str> = request.excludeinterfaces.split(',').map(str::trim).collect();
        let list = sys::interfaces().map_err(|error| Error::from(error).at("network interfaces"))?;
        let interfaces = list
            .into_iter()
            .filter(|interface| !excluded.contains(&interface.name.as_str()))
            .enumerate()
            .map(|(priority, interface)| FabricInterface {
                provider: provider.to_string(),
                numanode: numa_node(&interface.name),
                priority: u32::try_from(priority).unwrap_or(u32::MAX),
                netdevclass: device_class(&interface.name),
                device: interface.name,
            })
            .collect();
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        Ok(NetworkScanResp { interfaces, numacount: 1, corespernuma: i32::try_from(cores).unwrap_or(i32::MAX) })
    }
}

fn refuse_running(instance: &Instance) -> Result<()> {
    let state = instance.status().state;
    match state {
        MemberState::AwaitFormat | MemberState::Stopped | MemberState::Errored | MemberState::Unknown => Ok(()),
        state => Err(Der::BUSY.err(format!(
            "engine {} is {}; stop it first (dmg system stop)",
            instance.index,
            state.name()
        ))),
    }
}

fn response_state(outcome: &Result<String>) -> ResponseState {
    match outcome {
        Ok(note) => ResponseState { info: note.clone(), ..Default::default() },
        Err(error) => ResponseState {
            status: ResponseStatus::CtlErrScm as i32,
            error: error.message().to_string(),
            info: String::new(),
        },
    }
}

fn numa_node(interface: &str) -> u32 {
    let path = format!("/sys/class/net/{interface}/device/numa_node");
    std::fs::read_to_string(path).ok().and_then(|text| text.trim().parse().ok()).unwrap_or(0)
}

async fn wait_for(instance: &Instance, states: &[MemberState], limit: Duration) -> Result<()> {
    let mut watch = instance.watch();
    let reached = watch.wait_for(|status| states.contains(&status.state));
    match tokio::time::timeout(limit, reached).await {
        Ok(_) => Ok(()),
        Err(_) => {
            let state = instance.status().state.name();
            Err(Der::TIMEDOUT.err(format!("engine {} is still {state} after {limit:?}", instance.index)))
        }
    }
}

/// The machine's memory, from /proc/meminfo.
fn memory_info() -> SysMemInfo {
    let text = std::fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let field = |name: &str| -> u64 {
        let line = text.lines().find(|line| line.strip_prefix(name).is_some_and(|rest| rest.starts_with(':')));
        line.and_then(|line| line.split_whitespace().nth(1)?.parse().ok()).unwrap_or(0)
    };
    SysMemInfo {
        hugepages_total: field("HugePages_Total"),
        hugepages_free: field("HugePages_Free"),
        hugepages_reserved: field("HugePages_Rsvd"),
        hugepages_surplus: field("HugePages_Surp"),
        hugepage_size_kb: u32::try_from(field("Hugepagesize")).unwrap_or(0),
        mem_total_kb: field("MemTotal"),
        mem_free_kb: field("MemFree"),
        mem_available_kb: field("MemAvailable"),
        numa_nodes: Vec::new(),
    }
}

#[allow(clippy::result_large_err)] // tonic's type
fn answer<T>(result: Result<T>) -> Result<Response<T>, Status> {
    result.map(Response::new).map_err(|error| status_of(&error))
}

#[tonic::async_trait]
impl CtlSvc for Ctl {
    async fn storage_scan(&self, request: Request<StorageScanReq>) -> Result<Response<StorageScanResp>, Status> {
        Ok(Response::new(self.scan(request.get_ref())))
    }

    async fn storage_format(&self, request: Request<StorageFormatReq>) -> Result<Response<StorageFormatResp>, Status> {
        answer(self.format(request.get_ref()))
    }

    async fn network_scan(&self, request: Request<NetworkScanReq>) -> Result<Response<NetworkScanResp>, Status> {
        answer(self.scan_network(request.get_ref()))
    }

    async fn prep_shutdown_ranks(&self, request: Request<RanksReq>) -> Result<Response<RanksResp>, Status> {
        answer(self.prepare_shutdown(request.get_ref()).await)
    }

    async fn stop_ranks(&self, request: Request<RanksReq>) -> Result<Response<RanksResp>, Status> {
        answer(self.stop(request.get_ref()).await)
    }

    async fn start_ranks(&self, request: Request<RanksReq>) -> Result<Response<RanksResp>, Status> {
        answer(self.start(request.get_ref()).await)
    }

    async fn reset_format_ranks(&self, request: Request<RanksReq>) -> Result<Response<RanksResp>, Status> {
        answer(self.reset_format(request.get_ref()).await)
    }
}
