//! Aim: `daos_server dev` with the real engine, agent and tools: exit codes, signals, nothing left behind, data found
//! again.
//!
//! Untested when the other programs haven't been built beside daos_server; each test says so then.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

const SERVER: &str = env!("CARGO_BIN_EXE_daos_server");
const LIMIT: Duration = Duration::from_secs(60);

/// Whether the rest of the system is there.
fn complete() -> bool {
    let bin = Path::new(SERVER).parent().unwrap();
    let missing: Vec<_> =
        ["daos_engine", "daos_agent", "daos"].into_iter().filter(|name| !bin.join(name).exists()).collect();
    if !missing.is_empty() {
        eprintln!("not tested: {} not built in {}", missing.join(", "), bin.display());
    }
    missing.is_empty()
}

/// `daos_server dev` with a small memory tier and a temporary directory of its own.
fn dev(temp: &Path, rest: &[&str]) -> Command {
    let mut command = Command::new(SERVER);
    command.args(["dev", "--targets", "1", "--size", "512M", "--data-size", "0"]).args(rest);
    command.env("TMPDIR", temp);
    command
}

fn wait(child: &mut Child) -> std::process::ExitStatus {
    let deadline = Instant::now() + LIMIT;
    loop {
        if let Some(status) = child.try_wait().unwrap() {
            return status;
        }
        assert!(Instant::now() < deadline, "daos_server dev didn't end");
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// Processes whose command line has `text`.
fn processes_with(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    for entry in fs::read_dir("/proc").unwrap().flatten() {
        let line = fs::read(entry.path().join("cmdline")).unwrap_or_default();
        let line = String::from_utf8_lossy(&line).replace('\0', " ");
        if line.contains(text) {
            found.push(line);
        }
    }
    found
}

/// Nothing of the system that used `temp` and `memory` is left.
fn assert_gone(temp: &Path, memory: &Path) {
    let deadline = Instant::now() + Duration::from_secs(5);
    let marker = temp.to_str().unwrap();
    while !processes_with(marker).is_empty() && Instant::now() < deadline {
        std::thread::sleep(Duration::from_millis(20));
    }
    assert_eq!(processes_with(marker), Vec::<String>::new());
    assert_eq!(fs::read_dir(temp).unwrap().count(), 0, "left in {}", temp.display());
    assert!(!memory.exists(), "left: {}", memory.display());
}

/// Where the memory tier of the throw-away system of process `pid` lies.
fn memory_dir(pid: u32) -> PathBuf {
    PathBuf::from(format!("/dev/shm/daos-dev-{pid}-0"))
}

/// Aim: a command sees the variables; its code comes back; its orphans and the system's files don't stay.
#[test]
fn command_and_exit_code() {
    if !complete() {
        return;
    }
    let temp = tempfile::tempdir().unwrap();
    let script = "test -S \"$DAOS_AGENT_DRPC_DIR/daos_agent.sock\" || exit 90; test \"$DAOS_POOL/$DAOS_CONT\" = dev/dev || \
                  exit 91; command -v daos >/dev/null || exit 92; (setsid sleep 987 &) ; exit 7";
    let mut child = dev(temp.path(), &["--", "sh", "-c", script]).spawn().unwrap();
    let memory = memory_dir(child.id());
    assert_eq!(wait(&mut child).code(), Some(7));
    assert_gone(temp.path(), &memory);
    assert!(processes_with("sleep 987").is_empty());
}

/// Aim: a command that a signal ends gives 128 and its number; a program that isn't there is named.
#[test]
fn signals_and_missing_programs() {
    if !complete() {
        return;
    }
    let temp = tempfile::tempdir().unwrap();
    let status = wait(&mut dev(temp.path(), &["--", "sh", "-c", "kill -KILL $$"]).spawn().unwrap());
    assert_eq!(status.code(), Some(137));
    let output = dev(temp.path(), &["--", "no_such_program_here"]).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).contains("no_such_program_here"));
}

/// Aim: SIGTERM in the middle of a command ends everything and leaves nothing.
#[test]
fn terminated_in_the_middle() {
    if !complete() {
        return;
    }
    let temp = tempfile::tempdir().unwrap();
    let mut child = dev(temp.path(), &["--", "sh", "-c", "echo up; sleep 986; true"])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let memory = memory_dir(child.id());
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    assert_eq!(line, "up\n");
    daos_server::sys::signal(child.id(), 15);
    assert_eq!(wait(&mut child).code(), Some(143));
    assert_gone(temp.path(), &memory);
    assert!(processes_with("sleep 986").is_empty());
}

/// Aim: a kept system is found again, with its pool, also when it was killed; it can't run twice.
#[test]
fn kept_system_comes_back() {
    if !complete() {
        return;
    }
    let temp = tempfile::tempdir().unwrap();
    let dir = temp.path().join("system");
    let place = dir.to_str().unwrap();
    let mut pools = Vec::new();
    for round in 0..3 {
        let mut child = dev(temp.path(), &["--dir", place]).stdout(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let first = lines.next().unwrap().unwrap();
        assert!(first.contains("is up"), "{first}");
        let exported: Vec<String> = lines.map_while(Result::ok).take_while(|line| !line.contains("Ctrl-C")).collect();
        assert!(exported.iter().any(|line| line == "export DAOS_POOL='dev'"), "{exported:?}");
        let database = fs::read_to_string(dir.join("scm/control_raft/daos_system.json")).unwrap();
        let uuid = database.lines().find(|line| line.contains("\"uuid\"") && !line.contains("null")).unwrap();
        pools.push(uuid.trim().to_string());
        if round == 0 {
            let output = dev(temp.path(), &["--dir", place]).output().unwrap();
            assert!(String::from_utf8_lossy(&output.stderr).contains("another `daos_server dev`"));
        }
        // The second time it is killed.
        daos_server::sys::signal(child.id(), if round == 1 { 9 } else { 2 });
        wait(&mut child);
        let deadline = Instant::now() + Duration::from_secs(5);
        while !processes_with(place).is_empty() {
            assert!(Instant::now() < deadline, "left: {:?}", processes_with(place));
            std::thread::sleep(Duration::from_millis(20));
        }
    }
    assert!(pools.windows(2).all(|pair| pair[0] == pair[1]), "{pools:?}");
}

/// Aim: wrong arguments are told at once.
#[test]
fn wrong_arguments() {
    let temp = tempfile::tempdir().unwrap();
    for (arguments, part) in [
        (&["--name", "a-name-that-is-too-long"][..], "1 to 15"),
        (&["--pool", "no good"], "label"),
        (&["--log-mask", "LOUD"], "LOUD"),
        (&["--size", "1M"], "--size"),
        (&["--data-size", "1G"], "--data-size"),
    ] {
        let output = Command::new(SERVER).arg("dev").args(arguments).env("TMPDIR", temp.path()).output().unwrap();
        let text = String::from_utf8_lossy(&output.stderr).to_string();
        assert!(output.status.code() == Some(1) && text.contains(part), "{arguments:?}: {text}");
    }
}
