//! Starting a daos_engine process: its program, flags, environment, and what becomes of its output.

use crate::config::{EngineConfig, ServerConfig, TierClass};
use crate::sys;
use daos_common::{Der, Error, Result};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use tokio::io::{AsyncBufReadExt, AsyncRead, BufReader};
use tokio::process::{Child, Command};

/// Program name.
pub const PROGRAM: &str = "daos_engine";

/// Finds `program` beside this program's own file, else on PATH.
///
/// # Errors
/// `NONEXIST` naming the places looked at.
pub fn find_program(program: &str) -> Result<PathBuf> {
    let own_dir = std::env::current_exe().ok().and_then(|exe| exe.parent().map(Path::to_path_buf));
    let path = std::env::var_os("PATH").unwrap_or_default();
    let places = own_dir.iter().cloned().chain(std::env::split_paths(&path));
    for dir in places {
        let candidate = dir.join(program);
        if candidate.is_file() {
            return Ok(candidate);
        }
    }
    let own = own_dir.map_or_else(String::new, |dir| format!("not in {} beside daos_server, and ", dir.display()));
    Err(Der::NONEXIST.err(format!("program {program} not found ({own}not on PATH); build or install it")))
}

/// The command line of engine `index`, without the program. `nvme_conf` is the device list, if there is one.
pub fn arguments(config: &ServerConfig, index: usize, engine: &EngineConfig, nvme_conf: Option<&Path>) -> Vec<String> {
    let mut list: Vec<String> = Vec::new();
    let mut add = |flag: &str, value: String| list.extend([flag.to_string(), value]);
    add("-t", engine.targets.to_string());
    add("-x", engine.xs_helpers.to_string());
    if let Some(core) = engine.first_core {
        add("-f", core.to_string());
    }
    add("-g", config.name.clone());
    add("-d", config.socket_dir.display().to_string());
    add("-s", engine.scm.mount.display().to_string());
    add("-T", (1 + engine.bdevs.len()).to_string());
    if let Some(conf) = nvme_conf {
        add("-n", conf.display().to_string());
    }
    if let Some(node) = engine.pinned_numa_node {
        add("-p", node.to_string());
    }
    if let Some(modules) = &engine.modules {
        add("-m", modules.clone());
    }
    add("-I", index.to_string());
    if engine.bypass_health_check {
        list.push("-b".to_string());
    }
    list
}

/// The whole environment of an engine: it gets nothing else.
pub fn environment(engine: &EngineConfig) -> Vec<(String, String)> {
    let mut list: Vec<(String, String)> = Vec::new();
    let mut set = |name: &str, value: String| list.push((name.to_string(), value));
    // Needed to find shared libraries of an installation that isn't the system's.
    for name in ["LD_LIBRARY_PATH"].into_iter().chain(engine.env_pass_through.iter().map(String::as_str)) {
        if let Ok(value) = std::env::var(name) {
            set(name, value);
        }
    }
    set("D_PROVIDER", engine.provider.clone());
    set("D_INTERFACE", engine.fabric_iface.clone());
    set("D_PORT", engine.fabric_port.to_string());
    if engine.crt_timeout_s > 0 {
        set("CRT_TIMEOUT", engine.crt_timeout_s.to_string());
    }
    set("FI_OFI_RXM_USE_SRX", u32::from(!engine.disable_srx).to_string());
    if let Some(key) = &engine.fabric_auth_key {
        set("D_PROVIDER_AUTH_KEY", key.clone());
    }
    set("D_LOG_MASK", engine.log_mask.clone());
    if let Some(file) = &engine.log_file {
        set("D_LOG_FILE", file.display().to_string());
    }
    if let Some(tier) = engine.bdevs.first() {
        let class = match tier.class {
            TierClass::Nvme => "NVME",
            _ => "AIO",
        };
        set("VOS_BDEV_CLASS", class.to_string());
    }
    if engine.scm.class == TierClass::Ram {
        set("PMEMOBJ_CONF", "sds.at_create=0".to_string());
    }
    for entry in &engine.env_vars {
        if let Some((name, value)) = entry.split_once('=') {
            set(name.trim(), value.to_string());
        }
    }
    list
}

/// Starts engine `index`. It dies with this process, is in a process group of its own (a Ctrl-C at the terminal is
/// for the server), and its output goes to the log.
///
/// # Errors
/// `NONEXIST` when the program isn't found; otherwise what the system says.
pub fn spawn(config: &ServerConfig, index: usize, nvme_conf: Option<&Path>) -> Result<Child> {
    let Some(engine) = config.engines.get(index) else {
        return Err(Der::NONEXIST.err(format!("engine {index} isn't in the configuration")));
    };
    let program = match &config.engine_program {
        Some(program) => program.clone(),
        None => find_program(PROGRAM)?,
    };
    let mut command = std::process::Command::new(&program);
    command
        .args(arguments(config, index, engine, nvme_conf))
        .env_clear()
        .envs(environment(engine))
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    std::os::unix::process::CommandExt::process_group(&mut command, 0);
    sys::die_with_parent(&mut command);
    let mut command = Command::from(command);
    command.kill_on_drop(true);
    let mut child =
        command.spawn().map_err(|error| Error::from(error).at(format!("starting {}", program.display())))?;
    if let Some(output) = child.stdout.take() {
        tokio::spawn(copy_lines(output, move |line| tracing::info!("engine {index}: {line}")));
    }
    if let Some(output) = child.stderr.take() {
        tokio::spawn(copy_lines(output, move |line| tracing::error!("engine {index}: {line}")));
    }
    Ok(child)
}

async fn copy_lines(output: impl AsyncRead + Unpin, log: impl Fn(&str)) {
    let mut reader = BufReader::new(output);
    let mut line = Vec::new();
    loop {
        line.clear();
        match reader.read_until(b'\n', &mut line).await {
            Ok(0) | Err(_) => return,
            Ok(_) => log(String::from_utf8_lossy(&line).trim_end()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::tests::sample;

    /// Aim: flags and environment are those that daos_engine documents.
    #[test]
    fn flags_and_environment() {
        let dir = tempfile::tempdir().unwrap();
        let config = sample(dir.path());
        let engine = &config.engines[0];
        let args = arguments(&config, 0, engine, Some(Path::new("/x/daos_nvme.conf"))).join(" ");
        let mount = engine.scm.mount.display();
        let sockets = config.socket_dir.display();
        assert_eq!(args, format!("-t 2 -x 0 -g sys -d {sockets} -s {mount} -T 2 -n /x/daos_nvme.conf -I 0"));
        let environment = environment(engine);
        let get = |name: &str| environment.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_str());
        assert_eq!(get("D_PROVIDER"), Some("ofi+tcp"));
        assert_eq!(get("D_INTERFACE"), Some("lo"));
        assert_eq!(get("D_PORT"), Some("31316"));
        assert_eq!(get("VOS_BDEV_CLASS"), Some("AIO"));
        assert_eq!(get("HOME"), None);
    }

    /// Aim: a missing program is named with the places looked at.
    #[test]
    fn missing_program_is_named() {
        let error = find_program("no_such_daos_program").unwrap_err();
        assert!(error.message().contains("no_such_daos_program") && error.message().contains("PATH"), "{error}");
    }
}
