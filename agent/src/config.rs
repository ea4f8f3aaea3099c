//! daos_agent.yml: every key of the format, read strictly, checked, with defaults filled in.

use daos_common::{Der, Error, Result};
use daos_proto::control::{DEFAULT_PORT, expand_hosts};
use daos_proto::yaml::{self, Key, Transport, error_at, line_of};
use serde::Deserialize;
use serde_saphyr::Spanned;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tracing::level_filters::LevelFilter;

/// Where the file is looked for when `-o` isn't given; none there means defaults.
pub const DEFAULT_PATH: &str = "/etc/daos/daos_agent.yml";
const SYSTEM_NAME_MAX: usize = 15;

/// What stands for a user whose id this machine doesn't know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MappedUser {
    pub user: String,
    pub group: String,
    pub groups: Vec<String>,
}

/// A fabric device given by hand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FabricDevice {
    pub numa_node: u32,
    pub interface: String,
    pub domain: String,
}

/// The configuration, complete.
#[derive(Clone, Debug)]
pub struct AgentConfig {
    pub name: String,
    /// `host:port` of the management replicas.
    pub access_points: Vec<String>,
    pub runtime_dir: PathBuf,
    pub log_file: Option<PathBuf>,
    pub log_level: LevelFilter,
    pub allow_insecure: bool,
    /// How long a credential is reused; zero means not at all.
    pub credential_expiration: Duration,
    pub user_map: BTreeMap<u32, MappedUser>,
    pub default_user: Option<MappedUser>,
    pub disable_caching: bool,
    /// How long attach information is reused; zero means until the agent ends.
    pub cache_expiration: Duration,
    pub disable_auto_evict: bool,
    pub evict_on_start: bool,
    pub exclude_interfaces: Vec<String>,
    pub include_interfaces: Vec<String>,
    pub fabric_devices: Vec<FabricDevice>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default, expecting = "a mapping of daos_agent.yml keys")]
struct Raw {
    name: Key<String>,
    access_points: Option<Vec<Spanned<String>>>,
    port: Key<u32>,
    runtime_dir: Key<String>,
    log_file: Key<String>,
    control_log_mask: Key<String>,
    transport_config: Option<Transport>,
    credential_config: Option<RawCredential>,
    disable_caching: Key<bool>,
    cache_expiration: Key<u32>,
    disable_auto_evict: Key<bool>,
    enable_evict_on_start: Key<bool>,
    exclude_fabric_ifaces: Option<Spanned<Vec<String>>>,
    include_fabric_ifaces: Option<Spanned<Vec<String>>>,
    fabric_ifaces: Option<Vec<RawFabric>>,
    telemetry_port: Key<u32>,
    telemetry_enabled: Key<bool>,
    telemetry_retain: Key<String>,
    telemetry_enabled_procs: Key<String>,
    telemetry_disabled_procs: Key<String>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default, expecting = "a mapping of credential_config keys")]
struct RawCredential {
    cache_expiration: Key<String>,
    client_user_map: Option<BTreeMap<String, Spanned<RawUser>>>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default, expecting = "a mapping of user, group and groups")]
struct RawUser {
    user: Option<String>,
    group: Option<String>,
    groups: Option<Vec<String>>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default, expecting = "a mapping of numa_node and devices")]
struct RawFabric {
    numa_node: Key<u32>,
    devices: Option<Vec<Spanned<RawDevice>>>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default, expecting = "a mapping of iface and domain")]
struct RawDevice {
    iface: Option<String>,
    domain: Option<String>,
}

/// Reads the file at `explicit`, or at the default place if there is one, else takes the defaults.
///
/// # Errors
/// - NONEXIST: `explicit` doesn't exist
/// - INVAL: the file is wrong; the message names file, line, key and what was expected
/// - IO, NO_PERM: it can't be read
pub fn load(explicit: Option<&Path>) -> Result<AgentConfig> {
    let path = match explicit {
        Some(path) => path,
        None if Path::new(DEFAULT_PATH).exists() => Path::new(DEFAULT_PATH),
        None => return resolve(Raw::default(), Path::new("built-in defaults")),
    };
    let text = std::fs::read_to_string(path)
        .map_err(|error| Error::from(error).at(format!("configuration file {}", path.display())))?;
    resolve(yaml::parse(&text, path)?, path)
}

fn resolve(raw: Raw, path: &Path) -> Result<AgentConfig> {
    check_telemetry(&raw, path)?;
    let port = match &raw.port {
        None => DEFAULT_PORT,
        Some(port) => u16::try_from(port.value)
            .ok()
            .filter(|port| *port > 0)
            .ok_or_else(|| error_at(path, line_of(port), "key \"port\": expected a port from 1 to 65535"))?,
    };
    let (exclude_interfaces, include_interfaces) = interface_filters(&raw, path)?;
    let credential = raw.credential_config.unwrap_or_default();
    let (user_map, default_user) = user_map(credential.client_user_map.unwrap_or_default(), path)?;
    let environment_off = ["DAOS_AGENT_DISABLE_CACHE", "DAOS_AGENT_DISABLE_OFI_CACHE"]
        .iter()
        .any(|name| std::env::var(name).is_ok_and(|value| value.eq_ignore_ascii_case("true") || value == "1"));
    Ok(AgentConfig {
        name: system_name(raw.name, path)?,
        access_points: access_points(raw.access_points, port, path)?,
        runtime_dir: raw.runtime_dir.map_or("/var/run/daos_agent".into(), |dir| dir.value.into()),
        log_file: raw.log_file.map(|file| file.value.into()),
        log_level: log_level(raw.control_log_mask, path)?,
        allow_insecure: flag(raw.transport_config.and_then(|transport| transport.allow_insecure)),
        credential_expiration: duration(credential.cache_expiration, path)?,
        user_map,
        default_user,
        disable_caching: flag(raw.disable_caching) || environment_off,
        cache_expiration: Duration::from_secs(60 * u64::from(raw.cache_expiration.map_or(0, |minutes| minutes.value))),
        disable_auto_evict: flag(raw.disable_auto_evict),
        evict_on_start: flag(raw.enable_evict_on_start),
        exclude_interfaces,
        include_interfaces,
        fabric_devices: fabric_devices(raw.fabric_ifaces.unwrap_or_default(), path)?,
    })
}

impl AgentConfig {
    /// Refuses a configuration that asks for certificates, by saying nothing or `allow_insecure: false`.
    ///
    /// # Errors
    /// NOTSUPPORTED with the remedy.
    pub fn check_transport(&self) -> Result<()> {
        match self.allow_insecure {
            true => Ok(()),
            false => Err(Der::NOTSUPPORTED.err(
                "certificates aren't available in this version: daos_agent reaches the management service only \
                 unencrypted, and only if that is asked for: set `allow_insecure: true` under `transport_config:` in \
                 daos_agent.yml, or start with -i",
            )),
        }
    }
}

fn flag(key: Key<bool>) -> bool {
    key.is_some_and(|key| key.value)
}

fn system_name(name: Key<String>, path: &Path) -> Result<String> {
    match name {
        None => Ok("daos_server".into()),
        Some(name) if (1..=SYSTEM_NAME_MAX).contains(&name.value.len()) => Ok(name.value),
        Some(name) => {
            let message = format!("key \"name\": a system name has 1 to {SYSTEM_NAME_MAX} bytes, not {:?}", name.value);
            Err(error_at(path, line_of(&name), message))
        }
    }
}

fn access_points(points: Option<Vec<Spanned<String>>>, port: u16, path: &Path) -> Result<Vec<String>> {
    let Some(points) = points else { return Ok(vec![format!("localhost:{port}")]) };
    if points.is_empty() {
        return Err(error_at(path, 0, "key \"access_points\": expected at least one host"));
    }
    let mut hosts = Vec::new();
    for point in points {
        let line = line_of(&point);
        let expanded = expand_hosts(&[point.value], port)
            .map_err(|error| error_at(path, line, format!("key \"access_points\": {}", error.message())))?;
        hosts.extend(expanded);
    }
    Ok(hosts)
}

fn log_level(mask: Key<String>, path: &Path) -> Result<LevelFilter> {
    let Some(mask) = mask else { return Ok(LevelFilter::INFO) };
    match mask.value.to_ascii_uppercase().as_str() {
        "DISABLED" => Ok(LevelFilter::OFF),
        "TRACE" => Ok(LevelFilter::TRACE),
        "DEBUG" => Ok(LevelFilter::DEBUG),
        "INFO" => Ok(LevelFilter::INFO),
        "NOTICE" => Ok(LevelFilter::WARN),
        "ERROR" => Ok(LevelFilter::ERROR),
        other => {
            let message = format!(
                "key \"control_log_mask\": expected DISABLED, TRACE, DEBUG, INFO, NOTICE or ERROR, found {other:?}"
            );
            Err(error_at(path, line_of(&mask), message))
        }
    }
}

fn interface_filters(raw: &Raw, path: &Path) -> Result<(Vec<String>, Vec<String>)> {
    match (&raw.exclude_fabric_ifaces, &raw.include_fabric_ifaces) {
        (Some(_), Some(include)) => Err(error_at(
            path,
            line_of(include),
            "\"include_fabric_ifaces\" and \"exclude_fabric_ifaces\" exclude each other: keep one",
        )),
        (exclude, include) => {
            let list = |key: &Option<Spanned<Vec<String>>>| key.as_ref().map(|k| k.value.clone()).unwrap_or_default();
            Ok((list(exclude), list(include)))
        }
    }
}

type UserMap = (BTreeMap<u32, MappedUser>, Option<MappedUser>);

fn user_map(raw: BTreeMap<String, Spanned<RawUser>>, path: &Path) -> Result<UserMap> {
    let (mut map, mut default) = (BTreeMap::new(), None);
    for (key, entry) in raw {
        let line = line_of(&entry);
        let RawUser { user: Some(user), group: Some(group), groups } = entry.value else {
            return Err(error_at(path, line, format!("client_user_map entry {key:?} needs both user and group")));
        };
        let mapped = MappedUser { user, group, groups: groups.unwrap_or_default() };
        if key == "default" {
            default = Some(mapped);
            continue;
        }
        match key.parse::<u32>() {
            Ok(u32::MAX) => return Err(error_at(path, line, format!("client_user_map: user id {key} is reserved"))),
            Ok(uid) => _ = map.insert(uid, mapped),
            Err(_) => {
                let message = format!("client_user_map: expected a user id or \"default\", found {key:?}");
                return Err(error_at(path, line, message));
            }
        }
    }
    Ok((map, default))
}

fn fabric_devices(raw: Vec<RawFabric>, path: &Path) -> Result<Vec<FabricDevice>> {
    let mut devices = Vec::new();
    for node in raw {
        let numa_node = node.numa_node.map_or(0, |node| node.value);
        for device in node.devices.unwrap_or_default() {
            let line = line_of(&device);
            let Some(interface) = device.value.iface else {
                return Err(error_at(path, line, "an entry of fabric_ifaces.devices needs \"iface\""));
            };
            let domain = device.value.domain.unwrap_or_else(|| interface.clone());
            devices.push(FabricDevice { numa_node, interface, domain });
        }
    }
    Ok(devices)
}

fn check_telemetry(raw: &Raw, path: &Path) -> Result<()> {
    let enabled = raw.telemetry_enabled.as_ref().filter(|key| key.value);
    let port = raw.telemetry_port.as_ref().filter(|key| key.value != 0);
    if let (Some(procs), Some(_)) = (&raw.telemetry_enabled_procs, &raw.telemetry_disabled_procs) {
        let message = "\"telemetry_enabled_procs\" and \"telemetry_disabled_procs\" exclude each other: keep one";
        return Err(error_at(path, line_of(procs), message));
    }
    if enabled.is_none()
        && let Some(retain) = raw.telemetry_retain.as_ref().or(raw.telemetry_enabled_procs.as_ref())
    {
        return Err(error_at(path, line_of(retain), "needs \"telemetry_enabled: true\""));
    }
    if let Some(line) = enabled.map(line_of).or(port.map(line_of)) {
        let message = "client telemetry isn't available in this version: remove the telemetry keys";
        return Err(error_at(path, line, message));
    }
    Ok(())
}

fn duration(key: Key<String>, path: &Path) -> Result<Duration> {
    let Some(key) = key else { return Ok(Duration::ZERO) };
    parse_duration(&key.value).ok_or_else(|| {
        let message = format!("expected a duration such as 30s, 1m or 1h30m, found {:?}", key.value);
        error_at(path, line_of(&key), message)
    })
}

/// A duration of numbers with units (`ns`, `us`, `ms`, `s`, `m`, `h`), e.g. `1h30m` or `1.5s`; `0` needs no unit.
fn parse_duration(text: &str) -> Option<Duration> {
    if text == "0" {
        return Some(Duration::ZERO);
    }
    let (mut rest, mut total) = (text, Duration::ZERO);
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let number: f64 = rest[..digits].parse().ok()?;
        rest = &rest[digits..];
        let unit_end = rest.find(|c: char| c.is_ascii_digit() || c == '.').unwrap_or(rest.len());
        let seconds = match &rest[..unit_end] {
            "ns" => 1e-9,
            "us" | "µs" => 1e-6,
            "ms" => 1e-3,
            "s" => 1.0,
            "m" => 60.0,
            "h" => 3600.0,
            _ => return None,
        };
        total = total.checked_add(Duration::try_from_secs_f64(number * seconds).ok()?)?;
        rest = &rest[unit_end..];
    }
    (!text.is_empty()).then_some(total)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<AgentConfig> {
        let path = Path::new("daos_agent.yml");
        resolve(yaml::parse(text, path)?, path)
    }

    fn refusal(text: &str) -> String {
        let error = read(text).unwrap_err();
        assert_eq!(error.code(), Der::INVAL);
        error.message().to_string()
    }

    /// Aim: a full file is understood, key for key.
    #[test]
    fn full_file() {
        let config = read(
            "name: tank\naccess_points: ['a[1-2]', 'b:7']\nport: 9\nruntime_dir: /tmp/x\nlog_file: /tmp/l\n\
             control_log_mask: debug\ntransport_config:\n  allow_insecure: true\n  ca_cert: /c\n  cert: /d\n  \
             key: /e\ncredential_config:\n  cache_expiration: 1h30m\n  client_user_map:\n    default:\n      \
             user: nobody\n      group: nogroup\n    1000:\n      user: joe\n      group: users\n      \
             groups: [a, b]\ndisable_caching: true\ncache_expiration: 30\ndisable_auto_evict: true\n\
             enable_evict_on_start: true\nexclude_fabric_ifaces: [lo]\nfabric_ifaces:\n- numa_node: 1\n  \
             devices:\n  - iface: ib0\n    domain: mlx5_0\n  - iface: eth0\n",
        )
        .unwrap();
        assert_eq!(config.name, "tank");
        assert_eq!(config.access_points, ["a1:9", "a2:9", "b:7"]);
        assert_eq!(config.log_level, LevelFilter::DEBUG);
        assert!(config.allow_insecure && config.disable_caching && config.disable_auto_evict && config.evict_on_start);
        assert_eq!(config.credential_expiration, Duration::from_secs(5400));
        assert_eq!(config.cache_expiration, Duration::from_secs(1800));
        assert_eq!(config.user_map[&1000].groups, ["a", "b"]);
        assert_eq!(config.default_user.unwrap().user, "nobody");
        assert_eq!(config.fabric_devices[1].domain, "eth0");
        assert_eq!(config.fabric_devices[0].numa_node, 1);
    }

    /// Aim: an agent without certificates runs only when told so.
    #[test]
    fn insecure_must_be_asked_for() {
        let config = read("name: tank\n").unwrap();
        assert_eq!(config.access_points, ["localhost:10001"]);
        let error = config.check_transport().unwrap_err();
        assert!(error.code() == Der::NOTSUPPORTED && error.message().contains("allow_insecure: true"));
        assert!(read("transport_config:\n  allow_insecure: true\n").unwrap().check_transport().is_ok());
    }

    /// Aim: each wrong value is named with file, line and what was expected.
    #[test]
    fn mistakes_are_named() {
        for (text, expected) in [
            ("nam: x\n", "daos_agent.yml line 1: unknown key \"nam\"; did you mean \"name\"?"),
            ("port: 1\nname: a_name_of_more_than_fifteen\n", "daos_agent.yml line 2: key \"name\": a system name has"),
            ("port: 70000\n", "daos_agent.yml line 1: key \"port\": expected a port from 1 to 65535"),
            ("port: x\n", "daos_agent.yml line 1: key \"port\": expected a whole number"),
            ("access_points: [a, 'b:c']\n", "daos_agent.yml line 1: key \"access_points\": \"b:c\" is not a host"),
            ("access_points: []\n", "daos_agent.yml: key \"access_points\": expected at least one host"),
            ("control_log_mask: loud\n", "daos_agent.yml line 1: key \"control_log_mask\": expected DISABLED"),
            ("credential_config:\n  cache_expiration: soon\n", "daos_agent.yml line 2: expected a duration"),
            ("include_fabric_ifaces: [a]\nexclude_fabric_ifaces: [b]\n", "daos_agent.yml line 1: \"include_fabric"),
            ("telemetry_port: 9192\n", "daos_agent.yml line 1: client telemetry isn't available"),
            ("transport_config:\n  client_cert_dir: /x\n", "daos_agent.yml line 2: unknown key"),
        ] {
            let message = refusal(text);
            assert!(message.starts_with(expected), "{text:?} gave {message:?}");
        }
        assert!(refusal("credential_config:\n  client_user_map:\n    joe: {user: a, group: b}\n").contains("user id"));
        assert!(refusal("credential_config:\n  client_user_map:\n    7: {user: a}\n").contains("needs both"));
    }

    /// Aim: durations in Go's notation.
    #[test]
    fn durations() {
        assert_eq!(parse_duration("1.5s"), Some(Duration::from_millis(1500)));
        assert_eq!(parse_duration("2h3m4s5ms"), Some(Duration::from_millis(7_384_005)));
        assert_eq!(parse_duration("0"), Some(Duration::ZERO));
        for bad in ["", "5", "s", "1x", "-1s", "1s2"] {
            assert_eq!(parse_duration(bad), None, "{bad}");
        }
    }
}
