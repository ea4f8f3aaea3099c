//! The shape of daos_server.yml: the keys as they stand in the file, each value with its place.
//!
//! Nothing is checked or defaulted here beyond the shape; `resolve` does that.

use daos_proto::yaml::Key;
use serde::Deserialize;
use serde_saphyr::Spanned;

/// The server level of daos_server.yml.
#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default, expecting = "a mapping of daos_server.yml keys")]
#[allow(missing_docs)]
pub struct RawServer {
    pub name: Key<String>,
    pub port: Key<i64>,
    pub control_iface: Key<String>,
    pub mgmt_svc_replicas: Option<Vec<Spanned<String>>>,
    pub access_points: Option<Vec<Spanned<String>>>,
    pub control_metadata: Option<RawControlMetadata>,
    pub transport_config: Option<RawTransport>,
    pub fault_path: Key<String>,
    pub fault_cb: Key<String>,
    pub provider: Key<String>,
    pub crt_timeout: Key<u32>,
    pub disable_srx: Key<bool>,
    pub fabric_auth_key: Key<String>,
    pub secondary_provider_endpoints: Option<Vec<Spanned<i64>>>,
    pub core_dump_filter: Key<u8>,
    pub bdev_exclude: Option<Vec<Spanned<String>>>,
    pub disable_vfio: Key<bool>,
    pub disable_vmd: Key<bool>,
    pub disable_hotplug: Key<bool>,
    pub enable_hotplug: Key<bool>,
    pub hyperthreads: Key<bool>,
    pub socket_dir: Key<String>,
    pub nr_hugepages: Key<i64>,
    pub disable_hugepages: Key<bool>,
    pub allow_numa_imbalance: Key<bool>,
    pub allow_thp: Key<bool>,
    pub kernel_config_path: Key<String>,
    pub system_ram_reserved: Key<i64>,
    pub control_log_mask: Key<String>,
    pub control_log_file: Key<String>,
    pub control_log_json: Key<bool>,
    pub helper_log_file: Key<String>,
    pub firmware_helper_log_file: Key<String>,
    pub telemetry_port: Key<i64>,
    pub disable_engine_auto_restart: Key<bool>,
    pub engine_auto_restart_min_delay: Key<i64>,
    pub client_env_vars: Option<Vec<Spanned<String>>>,
    pub support_config: Option<RawSupport>,
    pub engines: Option<Vec<Spanned<RawEngine>>>,
}

/// `control_metadata`.
#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default, expecting = "a mapping of control_metadata keys")]
#[allow(missing_docs)]
pub struct RawControlMetadata {
    pub path: Key<String>,
    pub device: Key<String>,
    pub allow_spdk_conf_override: Key<bool>,
}

/// `transport_config`.
#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default, expecting = "a mapping of transport_config keys")]
#[allow(missing_docs)]
pub struct RawTransport {
    pub allow_insecure: Key<bool>,
    pub ca_cert: Key<String>,
    pub cert: Key<String>,
    pub key: Key<String>,
    pub client_cert_dir: Key<String>,
}

/// `support_config`.
#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default, expecting = "a mapping of support_config keys")]
#[allow(missing_docs)]
pub struct RawSupport {
    pub file_transfer_exec: Key<String>,
}

/// One entry of `engines`.
#[derive(Deserialize, Default, Clone, Debug)]
#[serde(deny_unknown_fields, default, expecting = "a mapping of engine keys")]
#[allow(missing_docs)]
pub struct RawEngine {
    pub targets: Key<i64>,
    pub nr_xs_helpers: Key<i64>,
    pub first_core: Key<i64>,
    pub pinned_numa_node: Key<u32>,
    pub modules: Key<String>,
    pub fabric_iface: Key<String>,
    pub fabric_iface_port: Key<i64>,
    pub provider: Key<String>,
    pub crt_timeout: Key<u32>,
    pub disable_srx: Key<bool>,
    pub fabric_auth_key: Key<String>,
    pub secondary_provider_endpoints: Option<Vec<Spanned<i64>>>,
    pub bypass_health_chk: Key<bool>,
    pub log_mask: Key<String>,
    pub log_file: Key<String>,
    pub env_vars: Option<Vec<Spanned<String>>>,
    pub env_pass_through: Option<Vec<Spanned<String>>>,
    pub storage: Option<Vec<Spanned<RawTier>>>,
    pub acceleration: Option<RawAcceleration>,
    pub spdk_rpc_server: Option<RawSpdkRpc>,
    pub bdev_auto_faulty: Option<RawAutoFaulty>,
    pub spdk_iobuf: Option<RawIobuf>,
}

/// One entry of an engine's `storage`.
#[derive(Deserialize, Default, Clone, Debug)]
#[serde(deny_unknown_fields, default, expecting = "a mapping of storage tier keys")]
#[allow(missing_docs)]
pub struct RawTier {
    pub class: Key<String>,
    pub scm_mount: Key<String>,
    pub scm_size: Key<u64>,
    pub scm_hugepages_disabled: Key<bool>,
    pub scm_list: Option<Vec<Spanned<String>>>,
    pub bdev_list: Option<Vec<Spanned<String>>>,
    pub bdev_size: Key<u64>,
    pub bdev_number: Key<i64>,
    pub bdev_busid_range: Key<String>,
    pub bdev_roles: Option<Vec<Spanned<String>>>,
}

/// `acceleration` of an engine.
#[derive(Deserialize, Default, Clone, Debug)]
#[serde(deny_unknown_fields, default, expecting = "a mapping of acceleration keys")]
#[allow(missing_docs)]
pub struct RawAcceleration {
    pub engine: Key<String>,
    pub options: Option<Vec<Spanned<String>>>,
}

/// `spdk_rpc_server` of an engine.
#[derive(Deserialize, Default, Clone, Debug)]
#[serde(deny_unknown_fields, default, expecting = "a mapping of spdk_rpc_server keys")]
#[allow(missing_docs)]
pub struct RawSpdkRpc {
    pub enable: Key<bool>,
    pub sock_addr: Key<String>,
}

/// `bdev_auto_faulty` of an engine.
#[derive(Deserialize, Default, Clone, Debug)]
#[serde(deny_unknown_fields, default, expecting = "a mapping of bdev_auto_faulty keys")]
#[allow(missing_docs)]
pub struct RawAutoFaulty {
    pub enable: Key<bool>,
    pub max_io_errs: Key<u32>,
    pub max_csum_errs: Key<u32>,
}

/// `spdk_iobuf` of an engine.
#[derive(Deserialize, Default, Clone, Debug)]
#[serde(deny_unknown_fields, default, expecting = "a mapping of spdk_iobuf keys")]
#[allow(missing_docs)]
pub struct RawIobuf {
    pub small_pool_count: Key<u32>,
    pub large_pool_count: Key<u32>,
}
