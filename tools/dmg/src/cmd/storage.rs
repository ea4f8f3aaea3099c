//! `dmg storage scan` and `dmg storage format`: every host at once.

use crate::context::{ByHost, CALL_TIMEOUT, Context, LONG_TIMEOUT};
use clap::Args;
use daos_cli::{Outcome, Table};
use daos_common::size::print_size_decimal;
use daos_common::{Der, Error, Result};
use daos_proto::ctl::{
    FormatNvmeReq, FormatScmReq, ResponseState, ResponseStatus, ScanNvmeReq, ScanScmReq, StorageFormatReq,
    StorageFormatResp, StorageScanReq, StorageScanResp,
};
use serde_json::{Map, Value, json};

/// Options of `storage scan`.
#[derive(Args)]
pub struct Scan {
    /// Show each device
    #[arg(short = 'v', long)]
    verbose: bool,
    /// Show the health of NVMe devices
    #[arg(short = 'n', long)]
    nvme_health: bool,
}

/// Options of `storage format`.
#[derive(Args)]
pub struct Format {
    /// Show each device
    #[arg(short = 'v', long)]
    verbose: bool,
    /// Format again what is formatted already: its data is lost
    #[arg(long)]
    force: bool,
    /// Let an engine take the place of the rank that had its addresses
    #[arg(long)]
    replace: bool,
}

impl Scan {
    /// Runs it.
    pub async fn run(self, context: &Context) -> Result<Outcome> {
        let hosts = scan(context, self.nvme_health).await;
        let failure = hosts.failure();
        let text = match self.verbose || self.nvme_health {
            true => scan_details(&hosts, self.nvme_health),
            false => scan_summary(&hosts),
        };
        let json = by_host_json(&hosts, scan_json);
        Ok(Outcome::new(json, text).with_failure(failure))
    }
}

/// Asks every host what storage it has and how much of it is free.
pub async fn scan(context: &Context, health: bool) -> ByHost<StorageScanResp> {
    let request = StorageScanReq {
        nvme: Some(ScanNvmeReq { health, meta: true, basic: false, ..Default::default() }),
        scm: Some(ScanScmReq { usage: true }),
    };
    context
        .each_host(
            "scanning storage",
            CALL_TIMEOUT,
            move |mut client| async move { client.storage_scan(request).await },
        )
        .await
}

fn scan_summary(hosts: &ByHost<StorageScanResp>) -> String {
    let mut table = Table::new(&["Hosts", "SCM Total", "NVMe Total"]);
    for (host, answer) in &hosts.answers {
        let namespaces = answer.scm.as_ref().map(|scm| scm.namespaces.as_slice()).unwrap_or_default();
        let scm: u64 = namespaces.iter().map(|namespace| namespace.size).sum();
        let controllers = answer.nvme.as_ref().map(|nvme| nvme.ctrlrs.as_slice()).unwrap_or_default();
        let nvme: u64 = controllers.iter().flat_map(|c| &c.namespaces).map(|namespace| namespace.size).sum();
        table.row([
            host.clone(),
            format!("{} ({} namespace(s))", print_size_decimal(scm), namespaces.len()),
            format!("{} ({} controller(s))", print_size_decimal(nvme), controllers.len()),
        ]);
    }
    error_lines(hosts) + &if table.is_empty() { String::new() } else { table.render() }
}

fn scan_details(hosts: &ByHost<StorageScanResp>, health: bool) -> String {
    let mut text = error_lines(hosts);
    for (host, answer) in &hosts.answers {
        text.push_str(&format!("Host {host}\n"));
        let mut scm = Table::new(&["SCM Namespace", "Class", "Mount", "Size", "Available", "Rank"]);
        for namespace in answer.scm.iter().flat_map(|scm| &scm.namespaces) {
            let mount = namespace.mount.clone().unwrap_or_default();
            scm.row([
                if namespace.blockdev.is_empty() { "-".into() } else { namespace.blockdev.clone() },
                mount.class,
                mount.path,
                print_size_decimal(namespace.size.max(mount.total_bytes)),
                print_size_decimal(mount.avail_bytes),
                mount.rank.to_string(),
            ]);
        }
        let mut nvme = Table::new(&["NVMe PCI", "Model", "FW Revision", "NUMA node", "Capacity"]);
        for controller in answer.nvme.iter().flat_map(|nvme| &nvme.ctrlrs) {
            let capacity = controller.namespaces.iter().map(|namespace| namespace.size).sum();
            nvme.row([
                controller.pci_addr.clone(),
                controller.model.clone(),
                controller.fw_rev.clone(),
                controller.socket_id.to_string(),
                print_size_decimal(capacity),
            ]);
        }
        for table in [scm, nvme].into_iter().filter(|table| !table.is_empty()) {
            text.push_str(&table.render());
        }
        for controller in answer.nvme.iter().flat_map(|nvme| &nvme.ctrlrs).filter(|_| health) {
            if let Some(stats) = &controller.health_stats {
                text.push_str(&format!(
                    "{}: temperature {} K, media errors {}, read errors {}, write errors {}\n",
                    controller.pci_addr, stats.temperature, stats.media_errs, stats.bio_read_errs, stats.bio_write_errs
                ));
            }
        }
    }
    text
}

fn scan_json(answer: &StorageScanResp) -> Value {
    let namespaces: Vec<Value> = answer
        .scm
        .iter()
        .flat_map(|scm| &scm.namespaces)
        .map(|namespace| {
            let mount = namespace.mount.as_ref().map(|mount| {
                json!({
                    "class": mount.class, "path": mount.path, "device_list": mount.device_list,
                    "total_bytes": mount.total_bytes, "avail_bytes": mount.avail_bytes,
                    "usable_bytes": mount.usable_bytes, "rank": mount.rank,
                })
            });
            json!({
                "uuid": namespace.uuid, "blockdev": namespace.blockdev, "dev": namespace.dev,
                "numa_node": namespace.numa_node, "size": namespace.size, "mount": mount,
            })
        })
        .collect();
    let devices: Vec<Value> = answer
        .nvme
        .iter()
        .flat_map(|nvme| &nvme.ctrlrs)
        .map(|controller| {
            let sizes: Vec<Value> = controller
                .namespaces
                .iter()
                .map(|namespace| json!({ "id": namespace.id, "size": namespace.size }))
                .collect();
            let smd: Vec<Value> = controller
                .smd_devices
                .iter()
                .map(|device| {
                    json!({
                        "uuid": device.uuid, "tgt_ids": device.tgt_ids, "rank": device.rank,
                        "total_bytes": device.total_bytes, "avail_bytes": device.avail_bytes,
                        "usable_bytes": device.usable_bytes, "role_bits": device.role_bits,
                    })
                })
                .collect();
            json!({
                "pci_addr": controller.pci_addr, "model": controller.model, "serial": controller.serial,
                "fw_rev": controller.fw_rev, "socket_id": controller.socket_id, "namespaces": sizes,
                "smd_devices": smd,
            })
        })
        .collect();
    json!({ "scm_namespaces": namespaces, "nvme_devices": devices })
}

impl Format {
    /// Runs it.
    pub async fn run(self, context: &Context) -> Result<Outcome> {
        let request = StorageFormatReq {
            nvme: Some(FormatNvmeReq {}),
            scm: Some(FormatScmReq {}),
            reformat: self.force,
            replace: self.replace,
        };
        let mut hosts = context
            .each_host("formatting storage", LONG_TIMEOUT, move |mut client| async move {
                client.storage_format(request).await
            })
            .await;
        let json = by_host_json(&hosts, format_json);
        let text = format_text(&hosts, self.verbose);
        for (host, answer) in &hosts.answers {
            if let Some(error) = format_failure(answer) {
                hosts.errors.insert(host.clone(), error);
            }
        }
        Ok(Outcome::new(json, text).with_failure(hosts.failure()))
    }
}

fn format_failure(answer: &StorageFormatResp) -> Option<Error> {
    let scm = answer.mrets.iter().map(|result| (format!("mount {}", result.mntpoint), &result.state));
    let nvme = answer.crets.iter().map(|result| (format!("device {}", result.pci_addr), &result.state));
    let wrong: Vec<String> = scm
        .chain(nvme)
        .filter(|(_, state)| !succeeded(state))
        .map(|(place, state)| format!("{place}: {}", state.as_ref().map(|s| s.error.as_str()).unwrap_or_default()))
        .collect();
    (!wrong.is_empty()).then(|| Der::MISC.err(wrong.join("; ")))
}

fn succeeded(state: &Option<ResponseState>) -> bool {
    state.as_ref().is_none_or(|state| state.status() == ResponseStatus::CtlSuccess)
}

fn state_text(state: &Option<ResponseState>) -> String {
    match state {
        Some(state) if !succeeded(&Some(state.clone())) => format!("failed: {}", state.error),
        _ => "success".into(),
    }
}

fn format_text(hosts: &ByHost<StorageFormatResp>, verbose: bool) -> String {
    let mut table = Table::new(&["Hosts", "Storage", "Result"]);
    for (host, answer) in &hosts.answers {
        if verbose || format_failure(answer).is_some() {
            for result in &answer.mrets {
                table.row([host.clone(), result.mntpoint.clone(), state_text(&result.state)]);
            }
            for result in &answer.crets {
                table.row([host.clone(), result.pci_addr.clone(), state_text(&result.state)]);
            }
        } else {
            let what = format!("{} SCM mount(s), {} NVMe device(s)", answer.mrets.len(), answer.crets.len());
            table.row([host.clone(), what, "formatted".into()]);
        }
    }
    error_lines(hosts) + &if table.is_empty() { String::new() } else { table.render() }
}

fn format_json(answer: &StorageFormatResp) -> Value {
    let mounts: Vec<Value> = answer
        .mrets
        .iter()
        .map(|result| {
            json!({ "path": result.mntpoint, "instance": result.instanceidx, "result": state_text(&result.state) })
        })
        .collect();
    let devices: Vec<Value> = answer
        .crets
        .iter()
        .map(|result| json!({ "pci_addr": result.pci_addr, "result": state_text(&result.state) }))
        .collect();
    json!({ "scm_mounts": mounts, "nvme_devices": devices })
}

fn error_lines<T>(hosts: &ByHost<T>) -> String {
    if hosts.errors.is_empty() {
        return String::new();
    }
    let mut table = Table::new(&["Hosts", "Error"]);
    for (host, error) in &hosts.errors {
        table.row([host.clone(), error.message().to_string()]);
    }
    format!("Errors:\n{}\n", table.render())
}

fn by_host_json<T>(hosts: &ByHost<T>, one: impl Fn(&T) -> Value) -> Value {
    let errors: Map<String, Value> =
        hosts.errors.iter().map(|(host, error)| (host.clone(), json!(error.to_string()))).collect();
    let storage: Map<String, Value> = hosts
        .answers
        .iter()
        .map(|(host, answer)| (host.clone(), json!({ "storage": one(answer), "hosts": host })))
        .collect();
    json!({ "host_errors": errors, "HostStorage": storage })
}
