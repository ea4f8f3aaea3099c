//! daos_control.yml: where the servers are.

use daos_common::{Der, Error, Result};
use daos_proto::control::{DEFAULT_PORT, expand_hosts};
use daos_proto::yaml::{self, Key, Transport, error_at, line_of};
use serde::Deserialize;
use serde_saphyr::Spanned;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

/// Environment variable that names the file, as `daos_server dev` sets it.
pub const FILE_VARIABLE: &str = "DAOS_CONTROL_CONFIG";

const SYSTEM_FILE: &str = "/etc/daos/daos_control.yml";
const USER_FILE: &str = ".daos_control.yml";

/// The configuration, complete.
#[derive(Clone, Debug)]
pub struct ControlConfig {
    /// Name of the system.
    pub name: String,
    pub port: u16,
    /// `host:port` of the servers.
    pub hosts: Vec<String>,
    pub allow_insecure: bool,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default, expecting = "a mapping of daos_control.yml keys")]
struct Raw {
    name: Key<String>,
    port: Key<u32>,
    hostlist: Option<Vec<Spanned<String>>>,
    transport_config: Option<Transport>,
}

/// The file to read: `explicit`, else what the environment names, else that of the user, else that of the machine,
/// else none.
pub fn find(explicit: Option<&Path>, environment: Option<OsString>, home: Option<&Path>) -> Option<PathBuf> {
    let own = home.map(|home| home.join(USER_FILE));
    let named = environment.filter(|path| !path.is_empty()).map(PathBuf::from);
    match explicit.or(named.as_deref()) {
        Some(path) => Some(path.to_path_buf()),
        None => own.into_iter().chain([PathBuf::from(SYSTEM_FILE)]).find(|path| path.exists()),
    }
}

/// Reads `path`, or takes the defaults.
///
/// # Errors
/// - NONEXIST, NO_PERM, IO: it can't be read
/// - INVAL: it is empty or wrong; the message names file, line, key and what was expected
pub fn load(path: Option<&Path>) -> Result<ControlConfig> {
    let Some(path) = path else { return resolve(Raw::default(), Path::new("")) };
    let text = std::fs::read_to_string(path)
        .map_err(|error| Error::from(error).at(format!("configuration file {}", path.display())))?;
    if text.trim().is_empty() {
        return Err(Der::INVAL.err(format!("configuration file {} is empty: fill it in or remove it", path.display())));
    }
    resolve(yaml::parse(&text, path)?, path)
}

fn resolve(raw: Raw, path: &Path) -> Result<ControlConfig> {
    let port = match &raw.port {
        None => DEFAULT_PORT,
        Some(port) => u16::try_from(port.value)
            .ok()
            .filter(|port| *port > 0)
            .ok_or_else(|| error_at(path, line_of(port), "key \"port\": expected a port from 1 to 65535"))?,
    };
    let name = match raw.name {
        None => "daos_server".to_string(),
        Some(name) if (1..=15).contains(&name.value.len()) => name.value,
        Some(name) => {
            let message = format!("key \"name\": a system name has 1 to 15 bytes, not {:?}", name.value);
            return Err(error_at(path, line_of(&name), message));
        }
    };
    let mut hosts = Vec::new();
    for host in raw.hostlist.unwrap_or_default() {
        let line = line_of(&host);
        let expanded = expand_hosts(&[host.value], port)
            .map_err(|error| error_at(path, line, format!("key \"hostlist\": {}", error.message())))?;
        hosts.extend(expanded);
    }
    if hosts.is_empty() {
        hosts.push(format!("localhost:{port}"));
    }
    let allow_insecure =
        raw.transport_config.and_then(|transport| transport.allow_insecure).is_some_and(|key| key.value);
    Ok(ControlConfig { name, port, hosts, allow_insecure })
}

impl ControlConfig {
    /// Refuses a configuration that asks for certificates, by saying nothing or `allow_insecure: false`.
    ///
    /// # Errors
    /// NOTSUPPORTED with the remedy.
    pub fn check_transport(&self) -> Result<()> {
        match self.allow_insecure {
            true => Ok(()),
            false => Err(Der::NOTSUPPORTED.err(
                "certificates aren't available in this version: dmg reaches the servers only unencrypted, and only if \
                 that is asked for: give -i, or set `allow_insecure: true` under `transport_config:` in \
                 daos_control.yml",
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<ControlConfig> {
        let path = Path::new("c.yml");
        resolve(yaml::parse(text, path)?, path)
    }

    /// Aim: the keys are understood, and mistakes named by file and line.
    #[test]
    fn files() {
        let config =
            read("name: tank\nport: 7\nhostlist: ['n[1-2]', 'm:9']\ntransport_config:\n  allow_insecure: true\n")
                .unwrap();
        assert_eq!(config.hosts, ["n1:7", "n2:7", "m:9"]);
        assert!(config.allow_insecure && config.name == "tank");
        assert_eq!(load(None).unwrap().hosts, ["localhost:10001"]);
        assert!(load(None).unwrap().check_transport().unwrap_err().message().contains("give -i"));
        let mistake = |text: &str| read(text).unwrap_err().message().to_string();
        assert!(mistake("hostlist: [a]\nports: 1\n").starts_with("c.yml line 2: unknown key \"ports\"; did you mean"));
        assert!(mistake("hostlist:\n- a\n- 'b:x'\n").starts_with("c.yml line 3: key \"hostlist\""));
        assert!(mistake("port: 0\n").starts_with("c.yml line 1: key \"port\""));
    }

    /// Aim: the explicit file wins, then that of the environment, then that of the user.
    #[test]
    fn places() {
        let explicit = Path::new("/x/y.yml");
        assert_eq!(find(Some(explicit), Some("/e".into()), None), Some(explicit.into()));
        assert_eq!(find(None, Some("/e".into()), None), Some("/e".into()));
        let home = std::env::temp_dir().join(format!("dmg-home-{}", std::process::id()));
        std::fs::create_dir_all(&home).unwrap();
        assert_ne!(find(None, None, Some(&home)), Some(home.join(USER_FILE)));
        std::fs::write(home.join(USER_FILE), "").unwrap();
        assert_eq!(find(None, None, Some(&home)), Some(home.join(USER_FILE)));
        assert!(load(Some(&home.join(USER_FILE))).unwrap_err().message().contains("is empty"));
        std::fs::remove_dir_all(&home).unwrap();
        assert_eq!(load(Some(&home.join("none"))).unwrap_err().code(), Der::NONEXIST);
    }
}
