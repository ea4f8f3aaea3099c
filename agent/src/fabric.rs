//! The fabric interfaces of this machine, read from sysfs, and the choice of one for a client: of the class that the
//! servers use, near the client's processor, in turn.

use crate::config::AgentConfig;
use daos_common::{Der, Result};
use daos_proto::mgmt;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Device class of loopback (ARPHRD_LOOPBACK).
const CLASS_LOOPBACK: u32 = 772;
const SYSFS: &str = "/sys";

/// One interface.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Interface {
    pub name: String,
    /// Name of its RDMA device, else of the interface.
    pub domain: String,
    pub numa_node: u32,
    /// Hardware type (ARPHRD_*); `None` for an interface given by hand, which fits every class.
    pub class: Option<u32>,
    has_rdma: bool,
}

impl Interface {
    /// Whether the provider works on it: some need an RDMA device.
    pub fn supports(&self, provider: &str) -> bool {
        let needs_rdma = ["verbs", "cxi", "ucx+rc", "ucx+ud", "ucx+dc"].iter().any(|kind| provider.contains(kind));
        self.has_rdma || !needs_rdma
    }
}

/// What a client's interface must fit.
#[derive(Clone, Copy, Debug)]
pub struct Wanted<'a> {
    /// e.g. `ofi+tcp`, `ofi+verbs;ofi_rxm`.
    pub provider: &'a str,
    /// Hardware type of the servers' interfaces; `None` when they don't say.
    pub class: Option<u32>,
}

/// The interfaces and whose turn it is.
#[derive(Debug)]
pub struct Fabric {
    interfaces: Vec<Interface>,
    turn: AtomicUsize,
}

impl Fabric {
    /// Those of the configuration, else those of this machine that are up and pass its filters.
    pub fn detect(config: &AgentConfig) -> Fabric {
        let by_hand = config.fabric_devices.iter().map(|device| Interface {
            name: device.interface.clone(),
            domain: device.domain.clone(),
            numa_node: device.numa_node,
            class: None,
            has_rdma: true,
        });
        let mut interfaces: Vec<Interface> = by_hand.collect();
        if interfaces.is_empty() {
            interfaces = scan(Path::new(SYSFS));
            interfaces.retain(|interface| {
                let listed = |list: &[String]| list.contains(&interface.name);
                !listed(&config.exclude_interfaces)
                    && (config.include_interfaces.is_empty() || listed(&config.include_interfaces))
            });
        }
        Fabric { interfaces, turn: AtomicUsize::new(0) }
    }

    /// All interfaces.
    pub fn interfaces(&self) -> &[Interface] {
        &self.interfaces
    }

    /// An interface for a client on `numa_node`: one of that node if one fits, else any that fits; in turn.
    ///
    /// # Errors
    /// NONEXIST when none fits; the message names what was wanted and what there is.
    pub fn choose(&self, wanted: Wanted<'_>, numa_node: u32) -> Result<&Interface> {
        let fitting: Vec<&Interface> = self.interfaces.iter().filter(|interface| fits(interface, wanted)).collect();
        let near: Vec<&Interface> = fitting.iter().copied().filter(|found| found.numa_node == numa_node).collect();
        let candidates = if near.is_empty() { fitting } else { near };
        if candidates.is_empty() {
            let names: Vec<&str> = self.interfaces.iter().map(|interface| interface.name.as_str()).collect();
            return Err(Der::NONEXIST.err(format!(
                "no fabric interface of this machine fits provider {} and device class {} (there are: {}): check \
                 include_fabric_ifaces and exclude_fabric_ifaces, or name one under fabric_ifaces in daos_agent.yml",
                wanted.provider,
                wanted.class.map_or("any".to_string(), |class| class.to_string()),
                names.join(", ")
            )));
        }
        let turn = self.turn.fetch_add(1, Ordering::Relaxed);
        Ok(candidates[turn % candidates.len()])
    }

    /// The fitting interfaces by NUMA node, as `GetAttachInfoResp` carries them: one entry per node from 0 on.
    pub fn by_node(&self, wanted: Wanted<'_>) -> Vec<mgmt::FabricInterfaces> {
        let fitting: Vec<&Interface> = self.interfaces.iter().filter(|interface| fits(interface, wanted)).collect();
        let nodes = fitting.iter().map(|interface| interface.numa_node + 1).max().unwrap_or(0);
        let of_node = |node: u32| mgmt::FabricInterfaces {
            numa_node: node,
            ifaces: fitting
                .iter()
                .filter(|interface| interface.numa_node == node)
                .map(|interface| mgmt::FabricInterface {
                    numa_node: node,
                    interface: interface.name.clone(),
                    domain: interface.domain.clone(),
                    provider: wanted.provider.to_string(),
                })
                .collect(),
        };
        (0..nodes).map(of_node).collect()
    }
}

/// The device class to ask for when the management service gives `hint`: 0 is "not said", and then loopback serves
/// only servers that are themselves on loopback.
pub fn wanted_class(hint: u32, rank_uris: &[mgmt::get_attach_info_resp::RankUri]) -> Option<u32> {
    match hint {
        0 if rank_uris.iter().any(|rank| is_loopback_uri(&rank.uri)) => Some(CLASS_LOOPBACK),
        0 => None,
        class => Some(class),
    }
}

fn is_loopback_uri(uri: &str) -> bool {
    uri.split_once("://").is_some_and(|(_, address)| address.starts_with("127.") || address.starts_with("[::1]"))
}

fn fits(interface: &Interface, wanted: Wanted<'_>) -> bool {
    let class = match (interface.class, wanted.class) {
        (None, _) => true,
        (Some(class), None) => class != CLASS_LOOPBACK,
        (Some(class), Some(wanted)) => class == wanted,
    };
    class && interface.supports(wanted.provider)
}

fn scan(sysfs: &Path) -> Vec<Interface> {
    let Ok(entries) = std::fs::read_dir(sysfs.join("class/net")) else { return Vec::new() };
    let mut interfaces: Vec<Interface> = entries.flatten().filter_map(|entry| read_interface(&entry.path())).collect();
    interfaces.sort_by(|a, b| a.name.cmp(&b.name));
    interfaces
}

fn read_interface(folder: &Path) -> Option<Interface> {
    let read = |file: &str| std::fs::read_to_string(folder.join(file)).ok();
    let name = folder.file_name()?.to_str()?.to_string();
    let class = read("type")?.trim().parse().ok()?;
    // Loopback and some virtual devices report "unknown" for ever.
    let state = read("operstate").unwrap_or_default();
    if !matches!(state.trim(), "up" | "unknown") {
        return None;
    }
    let numa_node = read("device/numa_node").and_then(|node| node.trim().parse::<i32>().ok()).unwrap_or(0).max(0);
    let rdma = ["device/infiniband", "device/cxi"].iter().find_map(|kind| {
        let mut devices = std::fs::read_dir(folder.join(kind)).ok()?.flatten();
        devices.next().and_then(|device| device.file_name().into_string().ok())
    });
    Some(Interface {
        domain: rdma.clone().unwrap_or_else(|| name.clone()),
        name,
        numa_node: numa_node.unsigned_abs(),
        class: Some(class),
        has_rdma: rdma.is_some(),
    })
}

/// The NUMA node of the processor that process `pid` last ran on; 0 when the machine has one node or doesn't say.
pub fn numa_node_of(pid: i32) -> u32 {
    let node = || {
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        // The name in parentheses may hold anything; fields are counted from behind it. Field 39 is the processor.
        let processor: u32 = stat.rsplit_once(')')?.1.split_whitespace().nth(36)?.parse().ok()?;
        let folder = std::fs::read_dir(format!("{SYSFS}/devices/system/cpu/cpu{processor}")).ok()?;
        folder.flatten().find_map(|entry| entry.file_name().to_str()?.strip_prefix("node")?.parse().ok())
    };
    node().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn interface(name: &str, numa_node: u32, class: u32, has_rdma: bool) -> Interface {
        Interface { name: name.into(), domain: name.into(), numa_node, class: Some(class), has_rdma }
    }

    /// Aim: class, provider and node decide, near ones in turn, far ones when there is no near one.
    #[test]
    fn the_choice() {
        let interfaces = vec![
            interface("eth0", 0, 1, false),
            interface("eth1", 1, 1, false),
            interface("eth2", 1, 1, false),
            interface("ib0", 0, 32, true),
            interface("lo", 0, CLASS_LOOPBACK, false),
        ];
        let fabric = Fabric { interfaces, turn: AtomicUsize::new(0) };
        let name = |provider, class, node| fabric.choose(Wanted { provider, class }, node).map(|i| i.name.clone());
        let tcp = "ofi+tcp";
        assert_eq!(name(tcp, Some(CLASS_LOOPBACK), 7).unwrap(), "lo");
        assert_eq!(name("ofi+verbs;ofi_rxm", Some(32), 1).unwrap(), "ib0");
        assert_eq!(name("ofi+verbs;ofi_rxm", Some(1), 0).unwrap_err().code(), Der::NONEXIST);
        let mut turns = [name(tcp, Some(1), 1).unwrap(), name(tcp, Some(1), 1).unwrap()];
        turns.sort();
        assert_eq!(turns, ["eth1", "eth2"]);
        assert_ne!(name(tcp, None, 0).unwrap(), "lo", "loopback is taken only when asked for");
        let nodes = fabric.by_node(Wanted { provider: tcp, class: Some(1) });
        assert_eq!(nodes.iter().map(|node| node.ifaces.len()).collect::<Vec<_>>(), [1, 2]);
    }

    /// Aim: servers on loopback lead to loopback when they don't state a class.
    #[test]
    fn class_of_silent_servers() {
        let rank = |uri: &str| mgmt::get_attach_info_resp::RankUri { uri: uri.into(), ..Default::default() };
        assert_eq!(wanted_class(0, &[rank("ofi+tcp://127.0.0.1:31316")]), Some(CLASS_LOOPBACK));
        assert_eq!(wanted_class(0, &[rank("ofi+tcp://10.0.0.1:31316")]), None);
        assert_eq!(wanted_class(32, &[rank("ofi+tcp://127.0.0.1:31316")]), Some(32));
    }

    /// Aim: this machine's own loopback is found, and this process's node is a number.
    #[test]
    fn this_machine() {
        assert!(scan(Path::new(SYSFS)).iter().any(|found| found.class == Some(CLASS_LOOPBACK)));
        assert!(numa_node_of(std::process::id() as i32) < 1024);
        assert_eq!(numa_node_of(-5), 0);
    }
}
