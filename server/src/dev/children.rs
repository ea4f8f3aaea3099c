//! The processes of a `dev` system other than the engine: agent, tools, the user's command.

use crate::sys;
use daos_common::{Der, Error, Result};
use std::ffi::OsString;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::time::{Duration, Instant};
use tokio::process::{Child, Command};

/// How long a process may take to end after SIGTERM before it is killed.
const GRACE: Duration = Duration::from_secs(2);
/// Between two looks at something that can't be waited for.
const LOOK: Duration = Duration::from_millis(2);

/// Variables that programs of the system are started with.
pub type Environment = Vec<(OsString, OsString)>;

/// The agent.
pub struct Agent {
    child: Child,
}

impl Agent {
    /// Starts the agent with its configuration file; its output goes to `log`.
    ///
    /// # Errors
    /// What the system says.
    pub fn start(program: &Path, config: &Path, log: &Path) -> Result<Agent> {
        let output = std::fs::File::options()
            .create(true)
            .append(true)
            .open(log)
            .map_err(|error| Error::from(error).at(log.display()))?;
        let errors = output.try_clone().map_err(|error| Error::from(error).at(log.display()))?;
        let mut command = std::process::Command::new(program);
        command.arg("-o").arg(config).arg("start").stdin(Stdio::null()).stdout(output).stderr(errors);
        // A Ctrl-C at the terminal is for this process, which ends the agent last.
        command.process_group(0);
        sys::die_with_parent(&mut command);
        Ok(Agent { child: spawn(command, program)? })
    }

    /// Waits until the agent answers on its socket.
    ///
    /// # Errors
    /// `AGENT_COMM` when it ends before.
    pub async fn answers(&mut self, socket: &Path) -> Result<()> {
        loop {
            if daos_proto::drpc::AsyncClient::connect(socket).is_ok() {
                return Ok(());
            }
            if let Ok(Some(status)) = self.child.try_wait() {
                return Err(Der::AGENT_COMM.err(format!("daos_agent ended before it answered: {status}")));
            }
            // The agent says nowhere that it listens, and its socket can't be waited for.
            tokio::time::sleep(LOOK).await;
        }
    }

    /// Waits until the agent ends.
    pub async fn ended(&mut self) -> String {
        match self.child.wait().await {
            Ok(status) => status.to_string(),
            Err(error) => error.to_string(),
        }
    }

    /// Ends the agent.
    pub async fn stop(mut self) {
        end(&mut self.child).await;
    }
}

fn spawn(command: std::process::Command, program: &Path) -> Result<Child> {
    let mut command = Command::from(command);
    command.kill_on_drop(true);
    command.spawn().map_err(|error| Error::from(error).at(format!("starting {}", program.display())))
}

async fn end(child: &mut Child) {
    let Some(pid) = child.id() else { return };
    sys::signal(pid, libc::SIGTERM);
    if tokio::time::timeout(GRACE, child.wait()).await.is_err() {
        let _ = child.kill().await;
    }
}

/// Runs a tool to its end.
///
/// # Errors
/// `EXIST` when it says that the thing exists; `MISC` with what it printed when it fails.
pub async fn run_tool(program: &Path, arguments: &[&str], environment: &Environment) -> Result<()> {
    let mut command = std::process::Command::new(program);
    command.args(arguments).envs(environment.iter().cloned()).stdin(Stdio::null());
    sys::die_with_parent(&mut command);
    let mut command = Command::from(command);
    command.kill_on_drop(true);
    let output =
        command.output().await.map_err(|error| Error::from(error).at(format!("starting {}", program.display())))?;
    if output.status.success() {
        return Ok(());
    }
    let mut text = String::from_utf8_lossy(&output.stderr).trim().to_string();
    if text.is_empty() {
        text = String::from_utf8_lossy(&output.stdout).trim().to_string();
    }
    let code = match text.contains("DER_EXIST") || text.contains("-1004") {
        true => Der::EXIST,
        false => Der::MISC,
    };
    let name = program.file_name().unwrap_or_default().to_string_lossy();
    Err(code.err(format!("`{name} {}` ended with {}: {text}", arguments.join(" "), output.status)))
}

/// The user's command.
pub struct UserCommand {
    child: Child,
}

impl UserCommand {
    /// Starts it with this process's terminal and `environment` on top of this process's own.
    ///
    /// # Errors
    /// `NONEXIST` naming the program.
    pub fn start(command_line: &[OsString], environment: &Environment) -> Result<UserCommand> {
        let Some((program, arguments)) = command_line.split_first() else {
            return Err(Der::INVAL.err("no command after --"));
        };
        let program = search(program, environment);
        let mut command = std::process::Command::new(&program);
        command.args(arguments).envs(environment.iter().cloned());
        sys::die_with_parent(&mut command);
        Ok(UserCommand { child: spawn(command, &program)? })
    }

    /// Waits for its end; the exit code that stands for it.
    pub async fn wait(&mut self) -> u8 {
        match self.child.wait().await {
            Ok(status) => exit_code(status),
            Err(_) => 1,
        }
    }

    /// Passes a signal on to it.
    pub fn signal(&self, number: i32) {
        if let Some(pid) = self.child.id() {
            sys::signal(pid, number);
        }
    }

    /// Waits a little for its end, then kills it.
    pub async fn finish(&mut self) {
        if tokio::time::timeout(GRACE, self.child.wait()).await.is_err() {
            let _ = self.child.kill().await;
        }
    }
}

/// A bare name is looked for on the PATH that the command will have.
fn search(program: &OsString, environment: &Environment) -> PathBuf {
    let plain = PathBuf::from(program);
    if plain.components().count() != 1 {
        return plain;
    }
    let path = environment.iter().find(|(name, _)| name == "PATH").map(|(_, value)| value.clone());
    let places = path.iter().flat_map(std::env::split_paths);
    places.map(|dir| dir.join(program)).find(|candidate| candidate.is_file()).unwrap_or(plain)
}

/// As a shell has it: the code, or 128 and the signal's number.
fn exit_code(status: ExitStatus) -> u8 {
    let code = status.code().or_else(|| status.signal().map(|signal| 128 + signal)).unwrap_or(1);
    u8::try_from(code).unwrap_or(1)
}

/// Kills every process that descends from this one, and collects them.
pub async fn end_descendants() {
    let deadline = Instant::now() + GRACE;
    loop {
        let children = own_children();
        if children.is_empty() || Instant::now() > deadline {
            return;
        }
        for pid in children {
            sys::signal(pid, libc::SIGKILL);
            sys::reap(pid);
        }
        // Grandchildren become children when their parent is gone.
        tokio::time::sleep(LOOK).await;
    }
}

fn own_children() -> Vec<u32> {
    let mut list = Vec::new();
    for task in std::fs::read_dir("/proc/self/task").into_iter().flatten().flatten() {
        let text = std::fs::read_to_string(task.path().join("children")).unwrap_or_default();
        list.extend(text.split_whitespace().filter_map(|pid| pid.parse::<u32>().ok()));
    }
    list
}
