//! A system of two engines started by `daos_server start`, administered by dmg, used through daos_agent: pools over both
//! ranks, an engine killed and an engine stopped.

use crate::harness::{compile, kill, processes, stage, text, tree};
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// How long anything waited for may take on a loaded machine.
const LIMIT: Duration = Duration::from_secs(60);
pub const LIBRARIES: [&str; 6] = ["dfs", "duns", "daos", "daos_common", "gurt", "uuid"];

/// Server, agent and configuration files in a folder of their own.
pub struct TwoEngines {
    server: Child,
    agent: Child,
    dir: TempDir,
}

impl TwoEngines {
    /// Starts it and waits until both ranks have joined.
    pub fn start() -> TwoEngines {
        let dir = tempfile::Builder::new().prefix("daos").tempdir_in("/tmp").expect("a temporary folder");
        let path = dir.path();
        for folder in ["run", "scm0", "scm1"] {
            std::fs::create_dir(path.join(folder)).expect("a folder");
        }
        write_configuration(path);
        let mut server = daemon(path, "daos_server", &["start", "--auto-format", "-o"], "server.yml");
        server.env("TMPDIR", path);
        let server = server.spawn().expect("daos_server runs");
        let agent = daemon(path, "daos_agent", &["start", "-o"], "agent.yml").spawn().expect("daos_agent runs");
        let system = TwoEngines { server, agent, dir };
        system.wait_for("both ranks joined", || system.states() == "0-1 Joined");
        system.wait_for("the agent's socket", || system.path("run/daos_agent.sock").exists());
        system
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    pub fn command(&self, program: impl AsRef<std::ffi::OsStr>) -> Command {
        let mut command = Command::new(program);
        command.env("DAOS_AGENT_DRPC_DIR", self.path("run")).env("DAOS_CONTROL_CONFIG", self.path("control.yml"));
        command.env("LD_LIBRARY_PATH", stage().join("lib")).env("DAOS_POOL", "tank").env("DAOS_CONT", "posix");
        command.stdin(Stdio::null());
        command
    }

    fn tool(&self, name: &str, arguments: &[&str]) -> Output {
        self.command(stage().join("bin").join(name)).args(arguments).output().expect("the tool runs")
    }

    /// What a tool says that must succeed.
    pub fn said(&self, name: &str, arguments: &[&str]) -> String {
        let output = self.tool(name, arguments);
        assert!(output.status.success(), "{name} {arguments:?}: {}{}", text(&output.stdout), text(&output.stderr));
        text(&output.stdout)
    }

    /// The lines of `dmg system query` below its head, spaces made single.
    pub fn states(&self) -> String {
        let said = text(&self.tool("dmg", &["system", "query"]).stdout);
        let lines = said.lines().skip(2).map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "));
        lines.filter(|line| !line.is_empty()).collect::<Vec<_>>().join(", ")
    }

    /// Process of the engine with this memory tier.
    pub fn engine(&self, index: usize) -> Option<i32> {
        let scm = self.path(&format!("scm{index}"));
        processes("daos_engine", &scm.to_string_lossy()).first().copied()
    }

    pub fn wait_for(&self, what: &str, mut holds: impl FnMut() -> bool) {
        let began = Instant::now();
        while !holds() {
            assert!(began.elapsed() < LIMIT, "{what}: not after {LIMIT:?}; ranks: {}\n{}", self.states(), self.logs());
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// What a file in its folder holds; nothing when it isn't there.
    pub fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(name)).unwrap_or_default()
    }

    pub fn logs(&self) -> String {
        ["server.log", "engine0.log", "engine1.log"].map(|name| self.read(name)).join("\n")
    }

    /// Runs a C program that must succeed.
    fn run(&self, source: &str) {
        let program = compile(&tree().join(source), &LIBRARIES, self.dir.path());
        let output = self.command(program).output().expect("it runs");
        assert!(output.status.success(), "{source}: {}{}", text(&output.stdout), text(&output.stderr));
    }
}

impl Drop for TwoEngines {
    fn drop(&mut self) {
        for child in [&mut self.agent, &mut self.server] {
            // SAFETY: a plain system call.
            unsafe { libc::kill(child.id() as i32, libc::SIGTERM) };
            let began = Instant::now();
            while began.elapsed() < Duration::from_secs(20) && matches!(child.try_wait(), Ok(None)) {
                std::thread::sleep(Duration::from_millis(20));
            }
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

fn daemon(dir: &Path, program: &str, arguments: &[&str], config: &str) -> Command {
    let mut command = Command::new(stage().join("bin").join(program));
    command.args(arguments).arg(dir.join(config)).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command
}

fn write_configuration(dir: &Path) {
    // Held until all three are known, so that they differ.
    let held = [0; 3].map(|_| std::net::TcpListener::bind("127.0.0.1:0").expect("a free port"));
    let [port, fabric @ ..] = held.each_ref().map(|listener| listener.local_addr().expect("bound").port());
    let place = dir.display();
    let mut server = format!(
        "name: daos_server\nport: {port}\nmgmt_svc_replicas: ['127.0.0.1:{port}']\ncontrol_iface: lo\nprovider: \
         ofi+tcp\nsocket_dir: {place}/run\ncontrol_log_file: {place}/server.log\nengine_auto_restart_min_delay: \
         0\nsystem_ram_reserved: 1\ntransport_config:\n  allow_insecure: true\nengines:\n"
    );
    for (index, fabric) in fabric.iter().enumerate() {
        server.push_str(&format!(
            "- targets: 2\n  nr_xs_helpers: 0\n  fabric_iface: lo\n  fabric_iface_port: {fabric}\n  log_file: \
             {place}/engine{index}.log\n  env_vars: [DAOS_MD_CAP=128]\n  storage:\n  - class: ram\n    scm_mount: \
             {place}/scm{index}\n    scm_size: 4\n"
        ));
    }
    let client = format!("name: daos_server\nport: {port}\ntransport_config:\n  allow_insecure: true\n");
    let agent = format!(
        "{client}access_points: ['127.0.0.1:{port}']\nruntime_dir: {place}/run\nlog_file: \
         {place}/agent.log\ncredential_config:\n  client_user_map:\n    default:\n      user: nobody\n      group: \
         nogroup\n"
    );
    let control = format!("{client}hostlist: ['127.0.0.1:{port}']\n");
    for (name, content) in [("server.yml", server), ("agent.yml", agent), ("control.yml", control)] {
        std::fs::write(dir.join(name), content).expect("written");
    }
}

/// Aim: a pool spans both ranks; objects, arrays, key-values and files spread over them hold; records acknowledged while
/// one engine, then the other, is killed are whole; a stopped rank is reported and takes no pool with it, and a pool
/// destroyed meanwhile is gone everywhere once the rank is back.
#[test]
fn two_engines() {
    let system = TwoEngines::start();
    let made = system.said("dmg", &["pool", "create", "tank", "--scm-size", "1G"]);
    assert!(made.lines().any(|line| line.contains("Storage Ranks") && line.ends_with("0-1")), "{made}");
    system.said("daos", &["container", "create", "tank", "posix", "--type", "POSIX"]);
    for source in
        ["compat-tests/c/dfs_basic.c", "libdaos/tests/c/object.c", "libdaos/tests/c/array.c", "libdaos/tests/c/kv.c"]
    {
        system.run(source);
    }
    killed_engines_come_back(&system);
    stopped_rank(&system);
    system.run("compat-tests/c/dfs_basic.c");
}

fn killed_engines_come_back(system: &TwoEngines) {
    let program = compile(&tree().join("compat-tests/c/records.c"), &LIBRARIES, system.dir.path());
    let mut writer = system.command(&program);
    let mut writer = writer.args(["write", "1"]).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().expect("it runs");
    let mut lines = BufReader::new(writer.stdout.take().expect("piped")).lines();
    let mut acked = std::fs::File::create(system.path("acked")).expect("a file");
    let mut collect = |count: usize| {
        for line in lines.by_ref().map_while(Result::ok).take(count) {
            if let Some(number) = line.strip_prefix("ack ") {
                writeln!(acked, "{number}").expect("written");
            }
        }
    };
    collect(20);
    for index in [1, 0, 1] {
        let victim = system.engine(index).expect("it runs");
        kill(victim);
        system.wait_for("another engine", || system.engine(index).is_some_and(|pid| pid != victim));
        collect(20);
    }
    let _ = writer.kill();
    let _ = writer.wait();
    let output = system.command(&program).arg("verify").arg(system.path("acked")).output().expect("it runs");
    println!("{}", text(&output.stdout).trim());
    assert!(output.status.success(), "{}{}", text(&output.stdout), text(&output.stderr));
    system.wait_for("both ranks joined", || system.states() == "0-1 Joined");
}

fn stopped_rank(system: &TwoEngines) {
    let pools =
        |index: usize| std::fs::read_dir(system.path(&format!("scm{index}"))).expect("a folder").flatten().count();
    let before = pools(1);
    system.said("dmg", &["pool", "create", "barrel", "--scm-size", "256M"]);
    assert_eq!(pools(1), before + 1, "the pool has a folder on rank 1");

    system.said("dmg", &["system", "stop", "--ranks", "1"]);
    assert_eq!(system.states(), "0 Joined, 1 Stopped");
    let seen = system.said("dmg", &["pool", "query", "tank"]);
    assert!(seen.contains("Dead ranks: [1]"), "{seen}");
    system.said("daos", &["container", "create", "tank", "more"]);
    system.said("daos", &["container", "destroy", "tank", "more"]);
    let partly = system.tool("dmg", &["pool", "destroy", "barrel"]);
    assert!(!partly.status.success() && text(&partly.stderr).contains("isn't up"), "{}", text(&partly.stderr));

    system.said("dmg", &["system", "start", "--ranks", "1"]);
    let listed = || system.said("dmg", &["pool", "list"]);
    system.wait_for("the destroyed pool is gone", || !listed().contains("barrel"));
    assert_eq!(pools(1), before, "nothing of the pool is left on rank 1");
    assert!(listed().contains("tank"), "{}", listed());
}
