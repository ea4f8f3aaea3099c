//! Which process holds which pool connection. A process that ends with connections open (killed, crashed, or gone
//! without a word) gets them closed on its behalf, so that its handles don't block a pool's destruction.

use crate::config::AgentConfig;
use crate::credential::machine_name;
use daos_common::{Der, Error, Result};
use daos_proto::control::{Component, ask_mgmt};
use daos_proto::mgmt::{PoolEvictReq, PoolMonitorReq, SystemCleanupReq};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Mutex, MutexGuard};
use std::time::Duration;
use uuid::Uuid;

/// How often the processes are looked at.
pub const POLL_INTERVAL: Duration = Duration::from_secs(3);
/// Most connections remembered for one process; beyond them the process is trusted to disconnect by itself.
const HANDLES_MAX: usize = 1 << 16;
const EVICT_TIMEOUT: Duration = Duration::from_secs(30);

/// Handles to close, by pool.
pub type Evictions = BTreeMap<Uuid, BTreeSet<Uuid>>;

/// The connections of each process.
#[derive(Debug, Default)]
pub struct Monitor {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    processes: HashMap<i32, Process>,
    /// Left by ended processes and not closed yet.
    pending: Evictions,
}

#[derive(Debug)]
struct Process {
    /// When it started, in clock ticks since boot: another process may get the same id later.
    started: u64,
    handles: Evictions,
}

impl Monitor {
    /// Notes that process `pid` connected to a pool.
    ///
    /// # Errors
    /// - INVAL: pool or handle isn't a UUID
    /// - NONEXIST: no such process is visible from here
    /// - OVERFLOW: the process has too many connections to keep track of
    pub fn connected(&self, pid: i32, request: &PoolMonitorReq) -> Result<()> {
        let (pool, handle) = ids(request)?;
        let Some(started) = start_time(pid) else {
            return Err(Der::NONEXIST.err(format!("process {pid} isn't visible from the agent: not monitored")));
        };
        let mut state = self.lock();
        let fresh = Process { started, handles: Evictions::new() };
        let process = match state.processes.remove(&pid) {
            Some(process) if process.started == started => process,
            Some(ended) => {
                merge(&mut state.pending, ended.handles);
                fresh
            }
            None => fresh,
        };
        let process = state.processes.entry(pid).or_insert(process);
        if process.handles.values().map(BTreeSet::len).sum::<usize>() >= HANDLES_MAX {
            return Err(Der::OVERFLOW.err(format!("process {pid} has more than {HANDLES_MAX} pool connections")));
        }
        process.handles.entry(pool).or_default().insert(handle);
        Ok(())
    }

    /// Notes that process `pid` disconnected from a pool by itself.
    ///
    /// # Errors
    /// INVAL: pool or handle isn't a UUID.
    pub fn disconnected(&self, pid: i32, request: &PoolMonitorReq) -> Result<()> {
        let (pool, handle) = ids(request)?;
        let mut state = self.lock();
        let Some(process) = state.processes.get_mut(&pid) else { return Ok(()) };
        if let Some(handles) = process.handles.get_mut(&pool) {
            handles.remove(&handle);
            if handles.is_empty() {
                process.handles.remove(&pool);
            }
        }
        if process.handles.is_empty() {
            state.processes.remove(&pid);
        }
        Ok(())
    }

    /// Notes that process `pid` is done with DAOS; what it left open is to be closed.
    pub fn exited(&self, pid: i32) {
        let mut state = self.lock();
        if let Some(process) = state.processes.remove(&pid) {
            merge(&mut state.pending, process.handles);
        }
    }

    /// Finds the processes that ended, and takes everything that is to be closed.
    pub fn sweep(&self) -> Evictions {
        let mut state = self.lock();
        let ended: Vec<i32> = state
            .processes
            .iter()
            .filter(|(pid, process)| start_time(**pid) != Some(process.started))
            .map(|(pid, _)| *pid)
            .collect();
        for pid in ended {
            if let Some(process) = state.processes.remove(&pid) {
                tracing::info!(pid, pools = process.handles.len(), "process ended with pool connections open");
                merge(&mut state.pending, process.handles);
            }
        }
        std::mem::take(&mut state.pending)
    }

    /// Takes every connection there is: the agent ends.
    pub fn drain(&self) -> Evictions {
        let mut state = self.lock();
        let mut all = std::mem::take(&mut state.pending);
        for (_, process) in state.processes.drain() {
            merge(&mut all, process.handles);
        }
        all
    }

    /// Puts back what could not be closed, for the next round.
    pub fn put_back(&self, evictions: Evictions) {
        merge(&mut self.lock().pending, evictions);
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}

/// Closes handles through the management service; returns what is still to be closed.
pub async fn evict(evictions: Evictions, config: &AgentConfig) -> Evictions {
    let mut left = Evictions::new();
    for (pool, handles) in evictions {
        let request = PoolEvictReq {
            sys: config.name.clone(),
            id: pool.to_string(),
            handles: handles.iter().map(Uuid::to_string).collect(),
            ..Default::default()
        };
        let answer = ask_mgmt(&config.access_points, Component::Agent, EVICT_TIMEOUT, |mut client| {
            let request = request.clone();
            async move { client.pool_evict(request).await }
        })
        .await
        .and_then(|answer| Error::from_status(answer.status, format!("evicting from pool {pool}")));
        match answer {
            Ok(()) => tracing::info!(%pool, handles = handles.len(), "pool connections closed"),
            Err(error) if error.code() == Der::NONEXIST => {}
            Err(error) => {
                tracing::warn!(%pool, handles = handles.len(), %error, "pool connections not closed, trying again later");
                left.insert(pool, handles);
            }
        }
    }
    left
}

/// Asks the management service to close whatever earlier processes of this machine left open.
pub async fn clean_up_machine(config: &AgentConfig) {
    let request = SystemCleanupReq { sys: config.name.clone(), machine: machine_name() };
    let answer = ask_mgmt(&config.access_points, Component::Agent, EVICT_TIMEOUT, |mut client| {
        let request = request.clone();
        async move { client.system_cleanup(request).await }
    })
    .await;
    match answer {
        Ok(answer) => tracing::info!(pools = answer.results.len(), "connections of earlier processes closed"),
        Err(error) => tracing::warn!(%error, "connections of earlier processes not closed"),
    }
}

fn merge(into: &mut Evictions, from: Evictions) {
    for (pool, handles) in from {
        into.entry(pool).or_default().extend(handles);
    }
}

fn ids(request: &PoolMonitorReq) -> Result<(Uuid, Uuid)> {
    let id = |text: &str, what: &str| {
        Uuid::parse_str(text)
            .map_err(|_| Der::INVAL.err(format!("{what} {text:?} of a pool notification isn't a UUID")))
    };
    Ok((id(&request.pool_uuid, "pool")?, id(&request.pool_handle_uuid, "handle")?))
}

/// Start time of a process (field 22 of its stat); `None` when it is gone or a zombie.
fn start_time(pid: i32) -> Option<u64> {
    if pid <= 0 {
        return None;
    }
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let mut fields = stat.rsplit_once(')')?.1.split_whitespace();
    match fields.next()? {
        "Z" | "X" | "x" => None,
        _ => fields.nth(18)?.parse().ok(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(pool: u128, handle: u128) -> PoolMonitorReq {
        PoolMonitorReq {
            pool_uuid: Uuid::from_u128(pool).to_string(),
            pool_handle_uuid: Uuid::from_u128(handle).to_string(),
            ..Default::default()
        }
    }

    /// Aim: a live process is left alone, a disconnect is forgotten, and the rest is taken once when the process ends.
    #[test]
    fn a_process_ends() {
        let monitor = Monitor::default();
        let mut child = std::process::Command::new("sleep").arg("60").spawn().unwrap();
        let pid = child.id() as i32;
        for handle in 1..=3 {
            monitor.connected(pid, &request(1, handle)).unwrap();
        }
        monitor.connected(pid, &request(2, 9)).unwrap();
        monitor.disconnected(pid, &request(1, 2)).unwrap();
        monitor.disconnected(pid, &request(2, 9)).unwrap();
        assert!(monitor.sweep().is_empty());
        child.kill().unwrap();
        // Not waited for yet: a zombie counts as ended.
        while start_time(pid).is_some() {
            std::thread::sleep(Duration::from_millis(5));
        }
        let taken = monitor.sweep();
        let handles: BTreeSet<Uuid> = [1, 3].map(Uuid::from_u128).into();
        assert_eq!(taken, Evictions::from([(Uuid::from_u128(1), handles)]));
        assert!(monitor.sweep().is_empty());
        monitor.put_back(taken.clone());
        assert_eq!(monitor.sweep(), taken);
        child.wait().unwrap();
    }

    /// Aim: an exit by word leaves the open connections to be closed; nonsense is refused.
    #[test]
    fn exits_and_nonsense() {
        let monitor = Monitor::default();
        let me = std::process::id() as i32;
        monitor.connected(me, &request(1, 1)).unwrap();
        monitor.exited(me);
        assert_eq!(monitor.sweep().len(), 1);
        let nonsense = PoolMonitorReq { pool_uuid: "tank".into(), ..Default::default() };
        assert_eq!(monitor.connected(me, &nonsense).unwrap_err().code(), Der::INVAL);
        assert_eq!(monitor.connected(0, &request(1, 1)).unwrap_err().code(), Der::NONEXIST);
        assert!(monitor.disconnected(me, &request(8, 8)).is_ok());
        monitor.connected(me, &request(1, 1)).unwrap();
        assert_eq!(monitor.drain().len(), 1);
    }
}
