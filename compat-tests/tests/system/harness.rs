//! A throw-away system and C programs to run on it.

use std::collections::HashMap;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// How long a system may take to come up on a loaded machine.
const START_LIMIT: Duration = Duration::from_secs(60);

/// The staged programs, libraries and headers.
pub fn stage() -> PathBuf {
    let stage = std::env::var_os("DAOS_STAGE").expect("DAOS_STAGE is not set: run the system tests with `make unit`");
    PathBuf::from(stage)
}

/// The tree.
pub fn tree() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").canonicalize().expect("the tree is there")
}

/// Compiles a C program against the staged headers and libraries.
pub fn compile(source: &Path, libraries: &[&str], into: &Path) -> PathBuf {
    let stage = stage();
    let program = into.join(source.file_stem().expect("a C file has a name"));
    let mut cc = Command::new("cc");
    cc.args(["-O1", "-g", "-Wall", "-Werror", "-o"]).arg(&program).arg(source);
    cc.arg("-I").arg(stage.join("include")).arg("-L").arg(stage.join("lib"));
    cc.args(libraries.iter().map(|library| format!("-l{library}")));
    let output = cc.output().expect("cc runs");
    assert!(output.status.success(), "{} does not compile:\n{}", source.display(), text(&output.stderr));
    program
}

/// Text of a program's output.
pub fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Ids of the processes with this name that were given this path.
pub fn processes(name: &str, path: &str) -> Vec<i32> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir("/proc").expect("/proc").flatten() {
        let Ok(pid) = entry.file_name().to_string_lossy().parse::<i32>() else { continue };
        let comm = std::fs::read_to_string(entry.path().join("comm")).unwrap_or_default();
        let arguments = std::fs::read(entry.path().join("cmdline")).unwrap_or_default();
        if comm.trim() == name && text(&arguments).contains(path) {
            found.push(pid);
        }
    }
    found
}

/// Kills a process with SIGKILL.
pub fn kill(pid: i32) {
    // SAFETY: a plain system call.
    unsafe { libc::kill(pid, libc::SIGKILL) };
}

/// A system of its own, in a folder of its own; both are gone when this drops.
pub struct System {
    server: Child,
    dir: TempDir,
    /// What `daos_server dev` said to export.
    pub environment: HashMap<String, String>,
}

impl System {
    /// Starts `daos_server dev` with further arguments and waits until it says what to export.
    pub fn start(arguments: &[&str]) -> System {
        let dir = tempfile::Builder::new().prefix("daos").tempdir_in("/tmp").expect("a temporary folder");
        let mut command = Command::new(stage().join("bin/daos_server"));
        command.arg("dev").arg("--dir").arg(dir.path()).args(arguments);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut server = command.spawn().expect("daos_server runs");
        let (send, lines) = mpsc::channel();
        for stream in [
            Box::new(server.stdout.take().expect("piped")) as Box<dyn std::io::Read + Send>,
            Box::new(server.stderr.take().expect("piped")),
        ] {
            let send = send.clone();
            std::thread::spawn(move || {
                for line in BufReader::new(stream).lines().map_while(Result::ok) {
                    let _ = send.send(line);
                }
            });
        }
        let mut environment = HashMap::new();
        let mut said = String::new();
        let started = Instant::now();
        while ["DAOS_AGENT_DRPC_DIR", "DAOS_POOL", "DAOS_CONT", "DAOS_CONTROL_CONFIG"]
            .iter()
            .any(|name| !environment.contains_key(*name))
        {
            let line = match lines.recv_timeout(START_LIMIT.saturating_sub(started.elapsed())) {
                Ok(line) => line,
                Err(_) => {
                    let _ = server.kill();
                    panic!("the system did not start; daos_server said:\n{said}");
                }
            };
            if let Some((name, value)) = line.trim().strip_prefix("export ").and_then(|rest| rest.split_once('=')) {
                environment.insert(name.to_owned(), value.trim_matches(['\'', '"']).to_owned());
            }
            said.push_str(&line);
            said.push('\n');
        }
        System { server, dir, environment }
    }

    /// The system's folder.
    pub fn dir(&self) -> &Path {
        self.dir.path()
    }

    /// A program with the system's environment.
    pub fn command(&self, program: impl AsRef<std::ffi::OsStr>) -> Command {
        let stage = stage();
        let mut command = Command::new(program);
        command.envs(&self.environment).env("LD_LIBRARY_PATH", stage.join("lib")).stdin(Stdio::null());
        command.env("PATH", format!("{}:{}", stage.join("bin").display(), std::env::var("PATH").unwrap_or_default()));
        command
    }

    /// Runs a staged tool (`daos`, `dmg`).
    pub fn tool(&self, name: &str, arguments: &[&str]) -> Output {
        self.command(stage().join("bin").join(name)).args(arguments).output().expect("the tool runs")
    }

    /// The engines' process ids.
    pub fn engines(&self) -> Vec<i32> {
        self.processes("daos_engine")
    }

    /// Process ids of the system's processes with this name.
    pub fn processes(&self, name: &str) -> Vec<i32> {
        processes(name, &self.dir.path().to_string_lossy())
    }

    /// Waits until an engine runs that is none of `old`.
    pub fn wait_for_new_engine(&self, old: &[i32], limit: Duration) -> Option<i32> {
        let started = Instant::now();
        while started.elapsed() < limit {
            if let Some(pid) = self.engines().into_iter().find(|pid| !old.contains(pid)) {
                return Some(pid);
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        None
    }
}

impl Drop for System {
    fn drop(&mut self) {
        // SAFETY: a plain system call.
        unsafe { libc::kill(self.server.id() as i32, libc::SIGTERM) };
        let started = Instant::now();
        while started.elapsed() < Duration::from_secs(20) {
            if let Ok(Some(_)) = self.server.try_wait() {
                return;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}
