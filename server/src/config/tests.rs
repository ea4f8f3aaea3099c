//! Aim: every key of daos_server.yml is read, and every mistake gets a message with file, line and remedy.

use super::*;
use std::path::Path;

/// A configuration with one engine on `dir`, as a test of other modules needs it.
pub(crate) fn sample(dir: &Path) -> ServerConfig {
    let mount = dir.join("scm");
    let text = format!(
        "name: sys\nprovider: ofi+tcp\nsocket_dir: {socket}\ntransport_config:\n  allow_insecure: true\nengines:\n- \
         targets: 2\n  nr_xs_helpers: 0\n  fabric_iface: lo\n  fabric_iface_port: 31316\n  storage:\n  - class: ram\n    \
         scm_mount: {mount}\n    scm_size: 4\n  - class: file\n    bdev_list: [{bdev}]\n    bdev_size: 1\n",
        socket = dir.display(),
        mount = mount.display(),
        bdev = dir.join("bdev0").display(),
    );
    read(&text).unwrap()
}

fn read(text: &str) -> Result<ServerConfig> {
    let path = Path::new("/etc/daos/daos_server.yml");
    resolve(daos_proto::yaml::parse(text, path)?, path)
}

/// The message for a file, without the path.
fn message(text: &str) -> String {
    let error = read(text).map(|_| ()).unwrap_err();
    assert_eq!(error.code(), Der::INVAL);
    let text = error.message().to_string();
    text.strip_prefix("/etc/daos/daos_server.yml").unwrap_or(&text).trim_start().to_string()
}

const ENGINE: &str = "provider: ofi+tcp\nengines:\n- targets: 2\n  fabric_iface: lo\n  fabric_iface_port: 31316\n";
const STORAGE: &str = "  storage:\n  - class: ram\n    scm_mount: /mnt/daos0\n";

fn with_engine(rest: &str) -> String {
    format!("{ENGINE}{STORAGE}{rest}")
}

/// Aim: a file with every key there is, and the values that come of it.
#[test]
fn every_key_is_read() {
    let text = r#"
name: mysys
port: 10042
control_iface: lo
mgmt_svc_replicas: [a, "b:99", c]
control_metadata:
transport_config:
  allow_insecure: true
  ca_cert: /ca
  cert: /cert
  key: /key
  client_cert_dir: /clients
fault_path: /Rack1/Node2
provider: ofi+tcp
crt_timeout: 30
disable_srx: true
fabric_auth_key: abc
secondary_provider_endpoints: [1]
core_dump_filter: 0x23
bdev_exclude: ["0000:81:00.0"]
disable_vfio: false
disable_vmd: false
disable_hotplug: false
hyperthreads: false
socket_dir: /tmp/sock
nr_hugepages: 0
disable_hugepages: true
allow_numa_imbalance: true
allow_thp: true
kernel_config_path: /boot/config
system_ram_reserved: 5
control_log_mask: DEBUG
control_log_file: /tmp/server.log
control_log_json: true
helper_log_file: /tmp/helper.log
firmware_helper_log_file: /tmp/fw.log
telemetry_port: 9191
disable_engine_auto_restart: true
engine_auto_restart_min_delay: 10
client_env_vars: [A=1]
support_config:
  file_transfer_exec: rsync
engines:
- targets: 4
  nr_xs_helpers: 1
  first_core: 2
  modules: vos
  fabric_iface: eth0
  fabric_iface_port: 31316
  bypass_health_chk: true
  log_mask: INFO,obj=DEBUG
  log_file: /tmp/engine.0.log
  env_vars: [X=y]
  env_pass_through: [HOME]
  acceleration: {engine: none, options: [move]}
  spdk_rpc_server: {enable: false, sock_addr: /x}
  bdev_auto_faulty: {enable: true, max_io_errs: 1, max_csum_errs: 2}
  spdk_iobuf: {small_pool_count: 1, large_pool_count: 2}
  storage:
  - class: dcpm
    scm_mount: /mnt/daos0
    scm_list: [/dev/pmem0]
  - class: file
    bdev_list: [/data/a, /data/b]
    bdev_size: 16
"#;
    let config = read(text).unwrap();
    assert_eq!(config.name, "mysys");
    assert_eq!(config.replicas, ["a:10042", "b:99", "c:10042"]);
    assert_eq!(config.fault_path, "/rack1/node2");
    assert_eq!(config.core_dump_filter, 0x23);
    assert_eq!(config.control_log_mask, LogMask::Debug);
    assert!(!config.engine_auto_restart && config.engine_restart_min_delay_s == 10);
    let engine = &config.engines[0];
    assert_eq!((engine.targets, engine.xs_helpers, engine.first_core), (4, 1, Some(2)));
    assert_eq!((engine.provider.as_str(), engine.crt_timeout_s, engine.disable_srx), ("ofi+tcp", 30, true));
    assert_eq!(engine.scm.class, TierClass::Dcpm);
    assert_eq!(engine.bdevs[0].bytes, 16_000_000_000);
    assert_eq!(engine.bdevs[0].devices, ["/data/a", "/data/b"]);
}

/// Aim: what an empty server level defaults to.
#[test]
fn defaults() {
    let config = read("transport_config:\n  allow_insecure: true\n").unwrap();
    assert_eq!((config.name.as_str(), config.port), (DEFAULT_SYSTEM, DEFAULT_PORT));
    assert_eq!(config.replicas, ["localhost:10001"]);
    assert_eq!(config.socket_dir, Path::new(DEFAULT_SOCKET_DIR));
    assert_eq!((config.engine_restart_min_delay_s, config.system_ram_reserved_gib), (300, 64));
    assert!(config.engine_auto_restart && config.engines.is_empty());
    assert!(config.check_transport().is_ok());
    let secure = read("name: x\n").unwrap().check_transport().unwrap_err();
    assert!(secure.message().contains("allow_insecure: true"), "{secure}");
    let old = read("access_points: [h]\nport: 7\n").unwrap();
    assert_eq!(old.replicas, ["h:7"]);
}

/// Aim: shape errors name line, key, and what was expected.
#[test]
fn shape_errors() {
    for (text, parts) in [
        ("nmae: x\n", &["line 1", "unknown key \"nmae\"", "did you mean \"name\""][..]),
        ("name: x\nengines:\n- fabric_ifac: lo\n", &["line 3", "\"fabric_ifac\"", "did you mean \"fabric_iface\""]),
        ("completely_else: 1\n", &["line 1", "\"completely_else\"", "keys allowed here: name, port"]),
        ("name: x\nport: many\n", &["line 2", "\"port\"", "a whole number", "\"many\""]),
        ("name: x\ndisable_srx: perhaps\n", &["line 2", "\"disable_srx\"", "true or false"]),
        ("name: x\nname: y\n", &["line 2", "\"name\" is given twice"]),
        ("engines: lo\n", &["line 1", "\"engines\"", "list"]),
        ("name: [a\n", &["line"]),
        ("core_dump_filter: 300\n", &["line 1", "core_dump_filter", "0 to 255"]),
        ("transport_config:\n  allow_insecur: true\n", &["line 2", "did you mean \"allow_insecure\""]),
        ("crt_timeout: -1\n", &["line 1", "crt_timeout", "not negative"]),
    ] {
        let message = message(text);
        for part in parts {
            assert!(message.contains(part), "{text:?}: {message:?} lacks {part:?}");
        }
    }
}

/// Aim: each rule of the server level is checked and says what to do.
#[test]
fn server_rules() {
    for (text, parts) in [
        ("name: a-name-of-16-byt\n", &["line 1", "1 to 15"][..]),
        ("name: ''\n", &["line 1", "1 to 15"]),
        ("port: 0\n", &["line 1", "1 to 65535"]),
        ("port: 70000\n", &["line 1", "70000"]),
        ("mgmt_svc_replicas: [a, b]\n", &["line 1", "2 entries", "odd"]),
        ("mgmt_svc_replicas: []\n", &["0 entries", "odd"]),
        ("mgmt_svc_replicas:\n- a\n- a:10001\n- b\n", &["line 3", "a:10001 twice"]),
        ("mgmt_svc_replicas: ['a:x']\n", &["line 1", "HOST:PORT"]),
        ("mgmt_svc_replicas: [a]\naccess_points: [b]\n", &["line 2", "access_points"]),
        ("control_metadata:\n  device: /dev/sda\n", &["line 2", "control_metadata.path"]),
        ("fault_path: rack\n", &["line 1", "/NAME"]),
        ("fault_path: /a/b/c\n", &["line 1", "two levels"]),
        ("fault_path: /a\nfault_cb: x\n", &["line 2", "fault_cb"]),
        ("nr_hugepages: 3\ndisable_hugepages: true\n", &["line 1", "disable_hugepages"]),
        ("enable_hotplug: true\ndisable_hotplug: true\n", &["line 1", "enable_hotplug"]),
        ("control_log_mask: LOUD\n", &["line 1", "NOTICE"]),
        ("engine_auto_restart_min_delay: -1\n", &["line 1", "0 or more"]),
        ("system_ram_reserved: 0\n", &["line 1", "1 or more"]),
        ("client_env_vars: [AB]\n", &["line 1", "NAME=VALUE"]),
    ] {
        let message = message(text);
        for part in parts {
            assert!(message.contains(part), "{text:?}: {message:?} lacks {part:?}");
        }
    }
}

/// Aim: each rule of engines and tiers is checked and says what to do.
#[test]
fn engine_rules() {
    assert!(read(&with_engine("")).is_ok());
    let engine = |replace: &str, by: &str| with_engine("").replace(replace, by);
    let two = |a: &str, b: &str| {
        format!("{}- targets: 2\n  fabric_iface: lo\n{a}  storage:\n  - class: ram\n{b}", with_engine(""))
    };
    let bdev = |text: &str| with_engine(&format!("  - class: file\n{text}"));
    for (text, parts) in [
        (engine("targets: 2\n  ", ""), &["engine 0", "targets is missing"][..]),
        (engine("targets: 2", "targets: 0"), &["line 3", "1 to 1024"]),
        (engine("provider: ofi+tcp\n", ""), &["engine 0", "provider is missing"]),
        (engine("ofi+tcp", "a,b"), &["line 1", "exactly one provider"]),
        (engine("  fabric_iface: lo\n", ""), &["fabric_iface is missing"]),
        (engine("  fabric_iface_port: 31316\n", ""), &["fabric_iface_port is missing"]),
        (engine("31316", "99999"), &["line 5", "99999"]),
        (engine("  storage:", "  log_mask: QUIET\n  storage:"), &["line 6", "QUIET"]),
        (engine("  storage:", "  first_core: 1\n  pinned_numa_node: 1\n  storage:"), &["line 7", "first_core"]),
        (ENGINE.to_string(), &["storage is missing"]),
        (engine("class: ram", "class: rum"), &["line 7", "did you mean ram"]),
        (engine("class: ram", "class: file"), &["expected ram or dcpm"]),
        (engine("    scm_mount: /mnt/daos0\n", ""), &["scm_mount is missing"]),
        (with_engine("    scm_size: 3\n"), &["line 9", "at least 4"]),
        (with_engine("    scm_list: [/dev/pmem0]\n"), &["scm_list can't be set with class ram"]),
        (engine("class: ram", "class: dcpm"), &["exactly one device"]),
        (engine("class: ram", "class: dcpm\n    scm_list: [/p]\n    scm_size: 9"), &["scm_size can't be set"]),
        (with_engine("  - class: ram\n    scm_mount: /x\n"), &["line 9", "only the first"]),
        (bdev("    bdev_size: 1\n"), &["line 9", "bdev_list is missing"]),
        (bdev("    bdev_list: [/a]\n"), &["needs bdev_size"]),
        (bdev("    bdev_list: [/a, /a]\n    bdev_size: 1\n"), &["/a twice"]),
        (bdev("    bdev_list: [/a]\n    bdev_size: 1\n    bdev_roles: [date]\n"), &["line 12", "data, meta, wal"]),
        (with_engine("  - class: nvme\n    bdev_list: ['0000:81:00.0']\n"), &["line 9", "isn't available"]),
        (two("  fabric_iface_port: 31316\n", "    scm_mount: /mnt/daos1\n"), &["same provider"]),
        (two("  fabric_iface_port: 31317\n", "    scm_mount: /mnt/daos0\n"), &["same scm_mount"]),
    ] {
        let message = message(&text);
        for part in parts {
            assert!(message.contains(part), "{text}: {message:?} lacks {part:?}");
        }
    }
}

/// Aim: the search order, and a missing file named.
#[test]
fn finding_the_file() {
    let error = find(Some(Path::new("/nonexistent/x.yml"))).unwrap_err();
    assert!(error.message().contains("/nonexistent/x.yml"));
}
