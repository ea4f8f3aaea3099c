//! The rules of daos_server.yml: ranges, exclusions, defaults, and what engines inherit.

use super::yaml::{RawEngine, RawServer, RawTier};
use super::{
    BdevRole, BdevTier, ControlMetadata, DEFAULT_PORT, DEFAULT_SOCKET_DIR, DEFAULT_SYSTEM, EngineConfig, LogMask,
    SCM_SIZE_MIN_GIB, SYSTEM_NAME_MAX, ScmTier, ServerConfig, TierClass,
};
use daos_common::Result;
use daos_proto::yaml::{Key, error_at, line_of, nearest};
use serde_saphyr::Spanned;
use std::collections::HashMap;
use std::path::{Path, PathBuf};

/// Bytes of one GiB.
const GIB: u64 = 1 << 30;
/// Bytes of one GB, the unit of `bdev_size`.
const GB: u64 = 1_000_000_000;
/// Longest `log_mask`, bytes.
const LOG_MASK_MAX: usize = 1023;

/// Checks `raw`, fills in defaults and inheritance.
///
/// # Errors
/// `INVAL` naming file, line and what was expected.
pub fn resolve(raw: RawServer, path: &Path) -> Result<ServerConfig> {
    let rules = Rules { path };
    let name = rules.system_name(raw.name.as_ref())?;
    let port = rules.port(raw.port.as_ref(), "port", 1)?.unwrap_or(DEFAULT_PORT);
    let replicas = rules.replicas(raw.mgmt_svc_replicas.as_deref(), raw.access_points.as_deref(), port)?;
    let control_metadata = rules.control_metadata(&raw)?;
    rules.hugepages(&raw)?;
    let allow_insecure = Rules::transport(&raw);
    let fault_path = rules.fault_path(&raw)?;
    let engines = rules.engines(&raw, control_metadata.is_some())?;
    let delay = rules.at_least(raw.engine_auto_restart_min_delay.as_ref(), "engine_auto_restart_min_delay", 0)?;
    let ram_reserved = rules.at_least(raw.system_ram_reserved.as_ref(), "system_ram_reserved", 1)?;
    let env_vars = rules.env_vars(raw.client_env_vars.as_deref(), "client_env_vars")?;
    Ok(ServerConfig {
        path: path.to_path_buf(),
        name,
        port,
        control_iface: value(raw.control_iface),
        replicas,
        control_metadata,
        allow_insecure,
        fault_path,
        provider: value(raw.provider),
        core_dump_filter: value(raw.core_dump_filter).unwrap_or(0x13),
        socket_dir: value(raw.socket_dir).map_or_else(|| DEFAULT_SOCKET_DIR.into(), PathBuf::from),
        control_log_mask: rules.control_log_mask(raw.control_log_mask.as_ref())?,
        control_log_file: value(raw.control_log_file).map(PathBuf::from),
        control_log_json: value(raw.control_log_json).unwrap_or(false),
        telemetry_port: rules.port(raw.telemetry_port.as_ref(), "telemetry_port", 0)?.unwrap_or(0),
        engine_auto_restart: !value(raw.disable_engine_auto_restart).unwrap_or(false),
        engine_restart_min_delay_s: delay.map_or(300, |seconds| u32::try_from(seconds).unwrap_or(u32::MAX)),
        client_env_vars: env_vars,
        crt_timeout_s: value(raw.crt_timeout).unwrap_or(0),
        disable_srx: value(raw.disable_srx).unwrap_or(false),
        system_ram_reserved_gib: ram_reserved.map_or(64, |gib| gib.unsigned_abs()),
        engines,
        auto_format: false,
        engine_program: None,
        allow_address_change: false,
    })
}

fn value<T>(key: Key<T>) -> Option<T> {
    key.map(|spanned| spanned.value)
}

fn strings(list: Option<&[Spanned<String>]>) -> Vec<String> {
    list.unwrap_or_default().iter().map(|spanned| spanned.value.clone()).collect()
}

fn first_line<T>(list: &[Spanned<T>]) -> u64 {
    list.first().map_or(0, line_of)
}

struct Rules<'a> {
    path: &'a Path,
}

impl Rules<'_> {
    fn fail<T>(&self, line: u64, message: impl AsRef<str>) -> Result<T> {
        Err(error_at(self.path, line, message))
    }

    fn system_name(&self, key: Option<&Spanned<String>>) -> Result<String> {
        let Some(name) = key else { return Ok(DEFAULT_SYSTEM.to_string()) };
        match name.value.len() {
            1..=SYSTEM_NAME_MAX => Ok(name.value.clone()),
            length => self.fail(
                line_of(name),
                format!("name {:?} has {length} bytes; a system name has 1 to {SYSTEM_NAME_MAX}", name.value),
            ),
        }
    }

    fn port(&self, key: Option<&Spanned<i64>>, name: &str, least: i64) -> Result<Option<u16>> {
        let Some(port) = key else { return Ok(None) };
        match u16::try_from(port.value) {
            Ok(number) if i64::from(number) >= least => Ok(Some(number)),
            _ => self.fail(line_of(port), format!("{name} is {}; expected a port, {least} to 65535", port.value)),
        }
    }

    fn at_least(&self, key: Option<&Spanned<i64>>, name: &str, least: i64) -> Result<Option<i64>> {
        match key {
            Some(number) if number.value < least => {
                self.fail(line_of(number), format!("{name} is {}; expected {least} or more", number.value))
            }
            other => Ok(other.map(|number| number.value)),
        }
    }

    fn replicas(
        &self,
        replicas: Option<&[Spanned<String>]>,
        access_points: Option<&[Spanned<String>]>,
        port: u16,
    ) -> Result<Vec<String>> {
        let (list, key) = match (replicas, access_points) {
            (Some(_), Some(old)) => {
                return self.fail(
                    first_line(old),
                    "both mgmt_svc_replicas and its old name access_points are set; keep mgmt_svc_replicas only",
                );
            }
            (Some(list), None) => (list, "mgmt_svc_replicas"),
            (None, Some(list)) => (list, "access_points"),
            (None, None) => return Ok(vec![format!("localhost:{port}")]),
        };
        let mut result: Vec<String> = Vec::with_capacity(list.len());
        for entry in list {
            let address = self.address(entry, key, port)?;
            if result.contains(&address) {
                return self.fail(line_of(entry), format!("{key} names {address} twice"));
            }
            result.push(address);
        }
        if result.len().is_multiple_of(2) {
            let count = result.len();
            return self.fail(
                first_line(list),
                format!("{key} has {count} entries; an odd number is needed so that a majority exists"),
            );
        }
        Ok(result)
    }

    /// `host` or `host:port` with the port filled in.
    fn address(&self, entry: &Spanned<String>, key: &str, default_port: u16) -> Result<String> {
        let text = entry.value.trim();
        let (host, port) = match text.rsplit_once(':') {
            Some((host, port)) if !host.contains(':') || host.ends_with(']') => (host, Some(port)),
            _ => (text, None),
        };
        let port = match port {
            None => Some(default_port),
            Some(digits) => digits.parse::<u16>().ok().filter(|port| *port > 0),
        };
        match port {
            Some(port) if !host.is_empty() => Ok(format!("{host}:{port}")),
            _ => self.fail(line_of(entry), format!("{key}: {text:?} is not HOST or HOST:PORT")),
        }
    }

    fn control_metadata(&self, raw: &RawServer) -> Result<Option<ControlMetadata>> {
        let Some(metadata) = &raw.control_metadata else { return Ok(None) };
        match (&metadata.path, &metadata.device) {
            (None, Some(device)) => self.fail(line_of(device), "control_metadata.device needs control_metadata.path"),
            (None, None) => Ok(None),
            (Some(path), device) => Ok(Some(ControlMetadata {
                path: PathBuf::from(&path.value),
                device: device.as_ref().map(|device| device.value.clone()),
                allow_spdk_conf_override: metadata.allow_spdk_conf_override.as_ref().is_some_and(|flag| flag.value),
            })),
        }
    }

    fn hugepages(&self, raw: &RawServer) -> Result<()> {
        let none = raw.disable_hugepages.as_ref().is_some_and(|flag| flag.value);
        let number = self.at_least(raw.nr_hugepages.as_ref(), "nr_hugepages", 0)?.unwrap_or(0);
        if let (true, true, Some(key)) = (none, number > 0, &raw.nr_hugepages) {
            return self.fail(line_of(key), "nr_hugepages can't be set together with disable_hugepages: true");
        }
        if let (Some(_), Some(old)) = (&raw.disable_hotplug, &raw.enable_hotplug) {
            return self.fail(
                line_of(old),
                "both disable_hotplug and its old inverse enable_hotplug are set; keep disable_hotplug only",
            );
        }
        Ok(())
    }

    fn transport(raw: &RawServer) -> bool {
        let insecure = raw.transport_config.as_ref().and_then(|transport| transport.allow_insecure.as_ref());
        insecure.is_some_and(|flag| flag.value)
    }

    fn fault_path(&self, raw: &RawServer) -> Result<String> {
        let own = || format!("/{}", crate::sys::host_name());
        let path = match (&raw.fault_path, &raw.fault_cb) {
            (Some(_), Some(callback)) => {
                return self.fail(line_of(callback), "fault_cb can't be set together with fault_path");
            }
            (None, Some(callback)) => return self.run_fault_callback(callback),
            (None, None) => return Ok(own()),
            (Some(path), None) => path,
        };
        self.check_fault_path(&path.value, line_of(path))
    }

    fn check_fault_path(&self, text: &str, line: u64) -> Result<String> {
        let levels: Vec<&str> = text.strip_prefix('/').map(|rest| rest.split('/').collect()).unwrap_or_default();
        if levels.is_empty() || levels.len() > 2 || levels.iter().any(|level| level.trim().is_empty()) {
            return self.fail(line, format!("fault path {text:?}: expected /NAME or /NAME/NAME (at most two levels)"));
        }
        Ok(text.to_lowercase())
    }

    /// Runs the script that prints the fault path. It must live below the directory of the configuration file.
    fn run_fault_callback(&self, callback: &Spanned<String>) -> Result<String> {
        let line = line_of(callback);
        let home = self.path.parent().and_then(|dir| dir.canonicalize().ok());
        let script = Path::new(&callback.value).canonicalize();
        let script = match (script, home) {
            (Ok(script), Some(home)) if script.starts_with(&home) => script,
            (Ok(_), _) => return self.fail(line, "fault_cb must lie in the directory of the configuration file"),
            (Err(error), _) => return self.fail(line, format!("fault_cb {:?}: {error}", callback.value)),
        };
        match std::process::Command::new(&script).output() {
            Ok(output) if output.status.success() => {
                let text = String::from_utf8_lossy(&output.stdout);
                self.check_fault_path(text.trim(), line)
            }
            Ok(output) => self.fail(line, format!("fault_cb {} ended with {}", script.display(), output.status)),
            Err(error) => self.fail(line, format!("fault_cb {} could not run: {error}", script.display())),
        }
    }

    fn control_log_mask(&self, key: Option<&Spanned<String>>) -> Result<LogMask> {
        let Some(mask) = key else { return Ok(LogMask::Info) };
        Ok(match mask.value.to_ascii_uppercase().as_str() {
            "DISABLED" => LogMask::Disabled,
            "TRACE" => LogMask::Trace,
            "DEBUG" => LogMask::Debug,
            "INFO" => LogMask::Info,
            "NOTICE" => LogMask::Notice,
            "ERROR" => LogMask::Error,
            _ => {
                return self.fail(
                    line_of(mask),
                    format!(
                        "control_log_mask {:?}: expected one of DISABLED, TRACE, DEBUG, INFO, NOTICE, ERROR",
                        mask.value
                    ),
                );
            }
        })
    }

    fn env_vars(&self, list: Option<&[Spanned<String>]>, key: &str) -> Result<Vec<String>> {
        for entry in list.unwrap_or_default() {
            if entry.value.split_once('=').is_none_or(|(name, _)| name.trim().is_empty()) {
                return self.fail(line_of(entry), format!("{key}: {:?} is not NAME=VALUE", entry.value));
            }
        }
        Ok(strings(list))
    }

    fn engines(&self, raw: &RawServer, has_metadata: bool) -> Result<Vec<EngineConfig>> {
        let mut engines: Vec<EngineConfig> = Vec::new();
        let mut fabric: HashMap<(String, String, u16), usize> = HashMap::new();
        for (index, entry) in raw.engines.as_deref().unwrap_or_default().iter().enumerate() {
            let line = line_of(entry);
            let engine = self.engine(raw, &entry.value, line, has_metadata).map_err(|error| error_in(error, index))?;
            let endpoint = (engine.provider.clone(), engine.fabric_iface.clone(), engine.fabric_port);
            if let Some(other) = fabric.insert(endpoint, index) {
                return self.fail(
                    entry.value.fabric_iface_port.as_ref().map_or(line, line_of),
                    format!(
                        "engines {other} and {index} have the same provider, fabric_iface and fabric_iface_port \
                         ({}, {}, {}); give each its own port",
                        engine.provider, engine.fabric_iface, engine.fabric_port
                    ),
                );
            }
            self.against_others(&engines, &engine, &entry.value, index, line)?;
            engines.push(engine);
        }
        let with_roles = engines.iter().any(|engine| engine.bdevs.iter().any(|tier| !tier.roles.is_empty()));
        if has_metadata && !with_roles && !engines.is_empty() {
            let line = raw.control_metadata.as_ref().and_then(|m| m.path.as_ref()).map_or(0, line_of);
            return self.fail(line, "control_metadata.path is set, but no engine has a block tier to use it with");
        }
        Ok(engines)
    }

    /// What has to be equal, or different, between the engines of one host.
    fn against_others(
        &self,
        others: &[EngineConfig],
        engine: &EngineConfig,
        raw: &RawEngine,
        index: usize,
        line: u64,
    ) -> Result<()> {
        for (number, other) in others.iter().enumerate() {
            if other.scm.mount == engine.scm.mount {
                let mount = engine.scm.mount.display();
                return self.fail(line, format!("engines {number} and {index} have the same scm_mount {mount}"));
            }
            if engine.log_file.is_some() && other.log_file == engine.log_file {
                let line = raw.log_file.as_ref().map_or(line, line_of);
                return self.fail(line, format!("engines {number} and {index} have the same log_file"));
            }
            for (key, ours, theirs) in
                [("targets", engine.targets, other.targets), ("nr_xs_helpers", engine.xs_helpers, other.xs_helpers)]
            {
                if ours != theirs {
                    return self.fail(
                        line,
                        format!("engine {index} has {key} {ours} and engine {number} {theirs}; all must be equal"),
                    );
                }
            }
            let shared = engine
                .bdevs
                .iter()
                .flat_map(|tier| &tier.devices)
                .find(|device| other.bdevs.iter().any(|tier| tier.devices.contains(device)));
            if let Some(device) = shared {
                return self.fail(line, format!("engines {number} and {index} both use {device} in bdev_list"));
            }
        }
        Ok(())
    }

    fn engine(&self, server: &RawServer, raw: &RawEngine, line: u64, has_metadata: bool) -> Result<EngineConfig> {
        let targets = match &raw.targets {
            None => return self.fail(line, "targets is missing; give the number of targets (1 or more)"),
            Some(targets) => match u32::try_from(targets.value) {
                Ok(number @ 1..=1024) => number,
                _ => {
                    return self.fail(line_of(targets), format!("targets is {}; expected 1 to 1024", targets.value));
                }
            },
        };
        let helpers = self.at_least(raw.nr_xs_helpers.as_ref(), "nr_xs_helpers", 0)?.unwrap_or(2);
        let helpers = u32::try_from(helpers).unwrap_or(u32::MAX).min(2 * targets);
        let first_core = self.at_least(raw.first_core.as_ref(), "first_core", 0)?;
        if let (Some(core), Some(node)) = (&raw.first_core, &raw.pinned_numa_node)
            && core.value != 0
        {
            return self.fail(line_of(node), "pinned_numa_node can't be set together with first_core");
        }
        let Some(provider) = raw.provider.as_ref().or(server.provider.as_ref()) else {
            return self.fail(line, "provider is missing; give one here or at the top of the file, e.g. ofi+tcp");
        };
        if provider.value.is_empty() || provider.value.contains(',') {
            return self
                .fail(line_of(provider), format!("provider {:?}: exactly one provider is expected", provider.value));
        }
        let Some(iface) = &raw.fabric_iface else {
            return self.fail(line, "fabric_iface is missing; name the network interface, e.g. eth0");
        };
        let Some(port) = self.port(raw.fabric_iface_port.as_ref(), "fabric_iface_port", 1)? else {
            return self.fail(line, "fabric_iface_port is missing; give a port, e.g. 31316");
        };
        let endpoints = raw.secondary_provider_endpoints.as_deref().or(server.secondary_provider_endpoints.as_deref());
        for count in endpoints.unwrap_or_default() {
            self.at_least(Some(count), "secondary_provider_endpoints", 1)?;
        }
        let log_mask = raw.log_mask.as_ref().map_or("ERR", |mask| mask.value.as_str());
        if let (Err(reason), Some(key)) = (check_log_mask(log_mask), &raw.log_mask) {
            return self.fail(line_of(key), format!("log_mask: {reason}"));
        }
        let (scm, bdevs) = self.storage(raw.storage.as_deref(), line, has_metadata)?;
        Ok(EngineConfig {
            targets,
            xs_helpers: helpers,
            first_core: first_core.and_then(|core| u32::try_from(core).ok()),
            pinned_numa_node: raw.pinned_numa_node.as_ref().map(|node| node.value),
            modules: raw.modules.as_ref().map(|modules| modules.value.clone()),
            provider: provider.value.clone(),
            fabric_iface: iface.value.clone(),
            fabric_port: port,
            crt_timeout_s: raw.crt_timeout.as_ref().or(server.crt_timeout.as_ref()).map_or(0, |key| key.value),
            disable_srx: raw.disable_srx.as_ref().or(server.disable_srx.as_ref()).is_some_and(|key| key.value),
            fabric_auth_key: raw
                .fabric_auth_key
                .as_ref()
                .or(server.fabric_auth_key.as_ref())
                .map(|key| key.value.clone()),
            bypass_health_check: raw.bypass_health_chk.as_ref().is_some_and(|key| key.value),
            log_mask: log_mask.to_string(),
            log_file: raw.log_file.as_ref().map(|file| PathBuf::from(&file.value)),
            env_vars: self.env_vars(raw.env_vars.as_deref(), "env_vars")?,
            env_pass_through: strings(raw.env_pass_through.as_deref()),
            scm,
            bdevs,
        })
    }

    fn storage(
        &self,
        tiers: Option<&[Spanned<RawTier>]>,
        line: u64,
        has_metadata: bool,
    ) -> Result<(ScmTier, Vec<BdevTier>)> {
        let Some((first, rest)) = tiers.and_then(<[_]>::split_first) else {
            return self.fail(line, "storage is missing; list the tiers, the first of class ram or dcpm");
        };
        let class = self.class(first)?;
        if !class.is_scm() {
            let class = class.name();
            return self
                .fail(line_of(first), format!("the first storage tier is of class {class}; expected ram or dcpm"));
        }
        let scm = self.scm_tier(&first.value, class, line_of(first))?;
        let mut bdevs = Vec::new();
        for tier in rest {
            let class = self.class(tier)?;
            if class.is_scm() {
                return self.fail(line_of(tier), "only the first storage tier can be of class ram or dcpm");
            }
            bdevs.push(self.bdev_tier(&tier.value, class, line_of(tier))?);
        }
        self.roles(rest, &mut bdevs, class, has_metadata)?;
        Ok((scm, bdevs))
    }

    fn class(&self, tier: &Spanned<RawTier>) -> Result<TierClass> {
        const NAMES: [&str; 5] = ["ram", "dcpm", "nvme", "file", "kdev"];
        let Some(class) = &tier.value.class else {
            return self.fail(line_of(tier), "class is missing; expected ram, dcpm, nvme, file or kdev");
        };
        Ok(match class.value.as_str() {
            "ram" => TierClass::Ram,
            "dcpm" => TierClass::Dcpm,
            "nvme" => TierClass::Nvme,
            "file" => TierClass::File,
            "kdev" => TierClass::Kdev,
            other => {
                let guess = nearest(other, NAMES.into_iter()).map(|name| format!("; did you mean {name}?"));
                return self.fail(
                    line_of(class),
                    format!("class {other:?}: expected ram, dcpm, nvme, file or kdev{}", guess.unwrap_or_default()),
                );
            }
        })
    }

    fn scm_tier(&self, raw: &RawTier, class: TierClass, line: u64) -> Result<ScmTier> {
        let Some(mount) = &raw.scm_mount else {
            return self.fail(line, "scm_mount is missing; give the mount point, e.g. /mnt/daos0");
        };
        if mount.value.is_empty() {
            return self.fail(line_of(mount), "scm_mount is empty; give the mount point, e.g. /mnt/daos0");
        }
        if let Some(list) = &raw.bdev_list {
            return self.fail(first_line(list), format!("bdev_list doesn't belong to class {}", class.name()));
        }
        let devices = strings(raw.scm_list.as_deref());
        match (class, &raw.scm_size) {
            (TierClass::Dcpm, Some(size)) if size.value > 0 => {
                return self.fail(line_of(size), "scm_size can't be set with class dcpm; the device has its size");
            }
            (TierClass::Dcpm, _) if devices.len() != 1 => {
                return self.fail(line, "class dcpm needs scm_list with exactly one device, e.g. [/dev/pmem0]");
            }
            (TierClass::Ram, Some(size)) if (1..SCM_SIZE_MIN_GIB).contains(&size.value) => {
                return self.fail(
                    line_of(size),
                    format!(
                        "scm_size is {} (GiB); at least {SCM_SIZE_MIN_GIB} is needed, or 0 for automatic",
                        size.value
                    ),
                );
            }
            (TierClass::Ram, _) if !devices.is_empty() => {
                return self.fail(line, "scm_list can't be set with class ram");
            }
            _ => {}
        }
        Ok(ScmTier {
            class,
            mount: PathBuf::from(&mount.value),
            bytes: raw.scm_size.as_ref().map_or(0, |size| size.value.saturating_mul(GIB)),
            hugepages_disabled: raw.scm_hugepages_disabled.as_ref().is_none_or(|flag| flag.value),
            devices,
        })
    }

    fn bdev_tier(&self, raw: &RawTier, class: TierClass, line: u64) -> Result<BdevTier> {
        if let Some(mount) = &raw.scm_mount {
            return self.fail(line_of(mount), format!("scm_mount doesn't belong to class {}", class.name()));
        }
        if class == TierClass::Nvme || class == TierClass::Kdev {
            let name = class.name();
            return self.fail(
                raw.class.as_ref().map_or(line, line_of),
                format!("class {name} isn't available in this version; use class file with bdev_size"),
            );
        }
        let devices = strings(raw.bdev_list.as_deref());
        if devices.is_empty() {
            return self.fail(line, "bdev_list is missing; list the files, e.g. [/data/daos-bdev0]");
        }
        if let Some(repeated) = devices.iter().enumerate().find(|(i, device)| devices[..*i].contains(device)) {
            return self.fail(line, format!("bdev_list names {} twice", repeated.1));
        }
        let bytes = match &raw.bdev_size {
            Some(size) if size.value > 0 => size.value.saturating_mul(GB),
            _ => return self.fail(line, "class file needs bdev_size, the size of each file in GB"),
        };
        let mut roles = Vec::new();
        for word in raw.bdev_roles.as_deref().unwrap_or_default() {
            roles.push(match word.value.as_str() {
                "data" => BdevRole::Data,
                "meta" => BdevRole::Meta,
                "wal" => BdevRole::Wal,
                other => {
                    return self.fail(line_of(word), format!("bdev_roles: {other:?} is not one of data, meta, wal"));
                }
            });
        }
        Ok(BdevTier { class, devices, bytes, roles })
    }

    /// Checks the roles of an engine's block tiers, and derives them where control metadata is kept apart.
    fn roles(
        &self,
        raw: &[Spanned<RawTier>],
        tiers: &mut [BdevTier],
        scm: TierClass,
        has_metadata: bool,
    ) -> Result<()> {
        let line = first_line(raw);
        let given = tiers.iter().filter(|tier| !tier.roles.is_empty()).count();
        if given == 0 && !has_metadata {
            return match tiers.len() {
                0 | 1 => Ok(()),
                count => {
                    self.fail(line, format!("{count} block tiers without bdev_roles; only one is allowed without"))
                }
            };
        }
        if given == 0 {
            derive_roles(tiers);
        } else if given < tiers.len() {
            return self.fail(line, "bdev_roles must be given for all block tiers or for none");
        }
        if tiers.len() > 3 {
            return self.fail(line, format!("{} block tiers; at most 3 are allowed", tiers.len()));
        }
        for role in [BdevRole::Data, BdevRole::Meta, BdevRole::Wal] {
            if tiers.iter().map(|tier| tier.roles.iter().filter(|r| **r == role).count()).sum::<usize>() > 1 {
                return self.fail(line, format!("role {} is given more than once", role.name()));
            }
        }
        let has = |role| tiers.iter().any(|tier| tier.roles.contains(&role));
        if has(BdevRole::Wal) && has(BdevRole::Data) && !has(BdevRole::Meta) {
            return self.fail(line, "bdev_roles has wal and data without meta");
        }
        if tiers.is_empty() {
            return Ok(());
        }
        if scm != TierClass::Ram || !has_metadata {
            return self.fail(line, "bdev_roles need class ram in the first tier and control_metadata.path");
        }
        self.fail(
            line,
            "metadata on SSD (control_metadata.path with bdev_roles) isn't available in this version; remove both",
        )
    }
}

/// One tier has all roles, two are wal and meta+data, three wal, meta and data.
fn derive_roles(tiers: &mut [BdevTier]) {
    let plan: &[&[BdevRole]] = match tiers.len() {
        1 => &[&[BdevRole::Data, BdevRole::Meta, BdevRole::Wal]],
        2 => &[&[BdevRole::Wal], &[BdevRole::Data, BdevRole::Meta]],
        _ => &[&[BdevRole::Wal], &[BdevRole::Meta], &[BdevRole::Data]],
    };
    for (tier, roles) in tiers.iter_mut().zip(plan) {
        tier.roles = roles.to_vec();
    }
}

fn error_in(error: daos_common::Error, index: usize) -> daos_common::Error {
    // The place stands in front; the engine's number goes behind it.
    let message = match error.message().split_once(": ") {
        Some((place, rest)) => format!("{place}: engine {index}: {rest}"),
        None => format!("engine {index}: {}", error.message()),
    };
    error.code().err(message)
}

/// Checks a `log_mask`: `LEVEL[,FACILITY=LEVEL...]`; the error says what is wrong.
pub fn check_log_mask(mask: &str) -> std::result::Result<(), String> {
    const LEVELS: [&str; 12] =
        ["DEBUG", "DBUG", "INFO", "NOTE", "WARN", "ERROR", "ERR", "CRIT", "ALRT", "FATAL", "EMRG", "EMIT"];
    if mask.len() > LOG_MASK_MAX {
        return Err(format!("{} bytes; at most {LOG_MASK_MAX} are allowed", mask.len()));
    }
    for (position, part) in mask.split(',').enumerate() {
        let (facility, level) = match part.split_once('=') {
            Some((facility, level)) => (Some(facility.trim()), level.trim()),
            None => (None, part.trim()),
        };
        if !LEVELS.iter().any(|name| name.eq_ignore_ascii_case(level)) {
            return Err(format!("level {level:?} is not one of {}", LEVELS.join(", ")));
        }
        if facility.is_some_and(str::is_empty) || (facility.is_none() && position > 0) {
            return Err(format!("{part:?} is not FACILITY=LEVEL"));
        }
    }
    Ok(())
}
