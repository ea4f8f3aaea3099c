//! Bad input and bad luck: each gets the proper code or a clear message, promptly, and loses nothing.

use crate::harness::{System, compile, stage, text, tree};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

/// What counts as promptly on a loaded machine.
const PROMPT: Duration = Duration::from_secs(15);

const NONEXIST: i32 = -1005;
const NOSPACE: i32 = -1007;

fn probe(system: &System) -> PathBuf {
    compile(&tree().join("compat-tests/c/probe/probe.c"), &["daos", "daos_common", "gurt"], system.dir())
}

/// Runs a command within [`PROMPT`]; what it printed.
fn promptly(command: &mut Command) -> Output {
    let started = Instant::now();
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it runs");
    while child.try_wait().expect("a child").is_none() {
        if started.elapsed() > PROMPT {
            let _ = child.kill();
            let output = child.wait_with_output().expect("its output");
            panic!("{command:?} did not end in {PROMPT:?}: {}{}", text(&output.stdout), text(&output.stderr));
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    child.wait_with_output().expect("its output")
}

/// The number that a probe printed for a step.
fn step(output: &Output, name: &str) -> Option<i32> {
    text(&output.stdout).lines().find_map(|line| line.strip_prefix(&format!("{name}="))?.parse().ok())
}

fn assert_step(output: &Output, name: &str, wanted: &[i32]) {
    let got = step(output, name);
    assert!(
        got.is_some_and(|got| wanted.contains(&got)),
        "{name} is {got:?}, not one of {wanted:?}: {}{}",
        text(&output.stdout),
        text(&output.stderr)
    );
}

fn assert_says(output: &Output, words: &[&str]) {
    let said = format!("{}{}", text(&output.stdout), text(&output.stderr));
    assert!(!output.status.success(), "it succeeded: {said}");
    for word in words {
        assert!(said.contains(word), "nothing about {word:?} in: {said}");
    }
}

/// Aim: names that don't exist, wrong systems, a missing agent.
#[test]
fn wrong_names_and_no_agent() {
    let system = System::start(&[]);
    let probe = probe(&system);
    let output = promptly(system.command(&probe).env("DAOS_POOL", "no-such-pool"));
    assert_step(&output, "pool", &[NONEXIST]);
    let output = promptly(system.command(&probe).env("DAOS_CONT", "no-such-container"));
    assert_step(&output, "cont", &[NONEXIST]);
    let output = promptly(system.command(&probe).arg("other_system"));
    // -DER_INVAL from the agent, or -DER_CONTROL_INCOMPAT when the management service refused the name.
    assert_step(&output, "pool", &[-1003, -2038]);
    let output = promptly(system.command(&probe).env("DAOS_AGENT_DRPC_DIR", system.dir().join("nowhere")));
    // Which call finds out is the library's choice; the code is -DER_AGENT_COMM or -DER_BADPATH.
    let code = step(&output, "pool").or(step(&output, "init"));
    assert!(matches!(code, Some(-2034 | -1026)), "{code:?}: {}", text(&output.stdout));

    let output = promptly(system.command(stage().join("bin/daos")).args(["pool", "query", "no-such-pool"]));
    assert_says(&output, &["no-such-pool"]);
    let output = promptly(system.command(&probe).arg(""));
    assert_step(&output, "fetch", &[0]);
}

/// Aim: an agent that serves another system than the server's says so to its clients.
#[test]
fn agent_of_another_system() {
    let system = System::start(&[]);
    let probe = probe(&system);
    let runtime = system.dir().join("a2");
    std::fs::create_dir(&runtime).expect("a folder");
    let original = std::fs::read_to_string(find(system.dir(), "daos_agent.yml")).expect("the agent's configuration");
    let mut changed: String = original
        .lines()
        .filter(|line| !line.starts_with("name:") && !line.starts_with("runtime_dir:"))
        .map(|line| format!("{line}\n"))
        .collect();
    changed.push_str(&format!("name: elsewhere\nruntime_dir: {}\n", runtime.display()));
    let config = runtime.join("agent.yml");
    std::fs::write(&config, changed).expect("written");
    let mut agent = system
        .command(stage().join("bin/daos_agent"))
        .arg("-o")
        .arg(&config)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("it runs");
    let socket = runtime.join("daos_agent.sock");
    let started = Instant::now();
    while !socket.exists() && started.elapsed() < PROMPT {
        std::thread::sleep(Duration::from_millis(10));
    }
    let output = promptly(system.command(&probe).env("DAOS_AGENT_DRPC_DIR", &runtime));
    let _ = agent.kill();
    let _ = agent.wait();
    let code = step(&output, "pool").or(step(&output, "init"));
    assert!(matches!(code, Some(-2038 | -1003)), "{code:?}: {}{}", text(&output.stdout), text(&output.stderr));
}

/// Aim: a dead engine that nobody restarts is an error in seconds, not a hang.
#[test]
fn dead_engine() {
    let system = System::start(&[]);
    let probe = probe(&system);
    // Stopped, the server restarts nothing; the agent still answers from what it knows.
    for pid in system.processes("daos_server") {
        // SAFETY: a plain system call.
        unsafe { libc::kill(pid, libc::SIGSTOP) };
    }
    system.engines().into_iter().for_each(crate::harness::kill);
    let output = promptly(&mut system.command(&probe));
    for pid in system.processes("daos_server") {
        // SAFETY: a plain system call.
        unsafe { libc::kill(pid, libc::SIGCONT) };
    }
    let code = step(&output, "pool").or(step(&output, "init"));
    assert!(matches!(code, Some(-1006 | -1011)), "{code:?}: {}{}", text(&output.stdout), text(&output.stderr));
}

/// Aim: a full pool refuses with NOSPACE and keeps what it has; after a restart too.
#[test]
fn full_pool() {
    let system = System::start(&["--size", "256M", "--data-size", "0"]);
    let probe = probe(&system);
    let output = promptly(system.command(&probe).args(["", "fill"]));
    assert_step(&output, "fill", &[NOSPACE]);
    assert_step(&output, "kept", &[1]);
    let old = system.engines();
    old.iter().copied().for_each(crate::harness::kill);
    system.wait_for_new_engine(&old, Duration::from_secs(30)).expect("the engine comes back");
    let output = promptly(&mut system.command(&probe));
    assert_step(&output, "fetch", &[0]);
}

/// Aim: a truncated and an overwritten store file make the pool unavailable with a message that names the file; the
/// system itself comes up.
#[test]
fn damaged_store() {
    for damage in ["truncate", "overwrite"] {
        let system = System::start(&[]);
        let probe = probe(&system);
        let file = find(system.dir(), "vos-0");
        let old = system.engines();
        // The file changes while no engine has it: the server is held until that is done.
        for pid in system.processes("daos_server") {
            // SAFETY: a plain system call.
            unsafe { libc::kill(pid, libc::SIGSTOP) };
        }
        old.iter().copied().for_each(crate::harness::kill);
        std::thread::sleep(Duration::from_millis(100));
        let store = std::fs::OpenOptions::new().write(true).open(&file).expect("the store's file");
        match damage {
            "truncate" => store.set_len(8192).expect("cut"),
            _ => std::os::unix::fs::FileExt::write_all_at(&store, &[0x5a; 65536], 0).expect("written"),
        }
        drop(store);
        for pid in system.processes("daos_server") {
            // SAFETY: a plain system call.
            unsafe { libc::kill(pid, libc::SIGCONT) };
        }
        system.wait_for_new_engine(&old, Duration::from_secs(30)).expect("the engine comes back");
        let output = promptly(&mut system.command(&probe));
        let results = ["pool", "cont", "update", "fetch"].map(|name| step(&output, name).unwrap_or(-1));
        assert!(results.iter().any(|code| *code != 0), "{damage}: nothing failed: {}", text(&output.stdout));
        let logs = logs(system.dir());
        assert!(logs.contains("vos-0"), "{damage}: no log names the file:\n{logs}");
    }
}

/// Aim: a wrong key, a wrong value and a port already taken are told with file, line, and what was expected.
#[test]
fn wrong_configuration() {
    let dir = tempfile::tempdir().expect("a folder");
    let config = |name: &str, body: &str| {
        let path = dir.path().join(name);
        std::fs::write(&path, body).expect("written");
        path
    };
    let start = |path: &Path| {
        promptly(Command::new(stage().join("bin/daos_server")).args(["start", "-o"]).arg(path).stdin(Stdio::null()))
    };
    let base = format!(
        "name: daos_server\nmgmt_svc_replicas: ['127.0.0.1']\nsocket_dir: {}\ntransport_config:\n  allow_insecure: true\n",
        dir.path().display()
    );
    let output = start(&config("key.yml", &format!("{base}provder: ofi+tcp\n")));
    assert_says(&output, &["key.yml", "provder", "provider"]);
    let output = start(&config("value.yml", &format!("{base}port: many\n")));
    assert_says(&output, &["value.yml", "port"]);
    let listener = std::net::TcpListener::bind("0.0.0.0:0").expect("a port");
    let port = listener.local_addr().expect("its address").port();
    let output = start(&config("port.yml", &format!("{base}port: {port}\n")));
    assert_says(&output, &[&port.to_string()]);
    let output = start(&dir.path().join("missing.yml"));
    assert_says(&output, &["missing.yml"]);
}

/// Aim: a program without its library, and a server without its engine, name what is missing.
#[test]
fn missing_pieces() {
    let dir = tempfile::tempdir().expect("a folder");
    let alone = dir.path().join("daos");
    std::fs::copy(stage().join("bin/daos"), &alone).expect("copied");
    let output = promptly(Command::new(&alone).arg("version").env_remove("LD_LIBRARY_PATH"));
    assert_says(&output, &["libdaos.so.2"]);
    let server = dir.path().join("daos_server");
    std::fs::copy(stage().join("bin/daos_server"), &server).expect("copied");
    let output =
        promptly(Command::new(&server).args(["dev", "--", "true"]).env("PATH", "/usr/bin:/bin").stdin(Stdio::null()));
    assert_says(&output, &["daos_engine"]);
}

/// The file of this name below a folder.
fn find(dir: &Path, name: &str) -> PathBuf {
    let mut folders = vec![dir.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).into_iter().flatten().flatten() {
            let path = entry.path();
            if path.file_name().is_some_and(|file| file == name) {
                return path;
            }
            if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                folders.push(path);
            }
        }
    }
    panic!("no {name} below {}", dir.display());
}

/// All logs of a system, one after another.
fn logs(dir: &Path) -> String {
    let mut all = String::new();
    let mut folders = vec![dir.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).into_iter().flatten().flatten() {
            let path = entry.path();
            if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "log") {
                all.push_str(&std::fs::read_to_string(&path).unwrap_or_default());
            }
        }
    }
    all
}
