//! State of the process: how often the library was initialised, and the system it is attached to.
//!
//! `daos_init` counts; the first attaches through the agent and the last `daos_fini` detaches. A forked child is
//! uninitialised until `daos_reinit` (or another `daos_init`) attaches it anew; handles it inherited stay usable then,
//! but closing them is local, because they belong to the parent.

use crate::agent::Agent;
use crate::fork;
use crate::system::System;
use daos_common::{Der, Result};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

struct State {
    references: u32,
    system: Option<Arc<System>>,
}

static STATE: Mutex<State> = Mutex::new(State { references: 0, system: None });

/// Identity of the attached system's instance; 0 when there is none. What contexts compare before every use.
static ATTACHED: AtomicU64 = AtomicU64::new(0);
static NEXT_IDENTITY: AtomicU64 = AtomicU64::new(1);

/// Initialises the library, or counts another initialisation.
///
/// # Errors
/// `AGENT_COMM`: no agent; what the agent answers (`UNREACH`, `NO_CERT`, ...); `INVAL`: a fabric interface or provider
/// that does not exist here.
pub fn init() -> Result<()> {
    fork::watch();
    let mut state = lock();
    if state.references == 0 || forked(&state) {
        attach(&mut state)?;
    }
    state.references += 1;
    Ok(())
}

/// Undoes one initialisation; whether it was the last one.
///
/// # Errors
/// `UNINIT`: there was none.
pub fn fini() -> Result<bool> {
    let mut state = lock();
    match state.references {
        0 => return Err(uninitialised()),
        1 => {}
        _ => {
            state.references -= 1;
            return Ok(false);
        }
    }
    state.references = 0;
    ATTACHED.store(0, Ordering::Release);
    let inherited = forked(&state);
    if let Some(system) = state.system.take()
        && !inherited
        && let Err(error) = system.agent().notify_exit()
    {
        tracing::debug!("the agent was not told that this process leaves: {error}");
    }
    Ok(true)
}

/// Attaches a forked child anew.
///
/// # Errors
/// `UNINIT`: the parent had not initialised the library; else as [`init`].
pub fn reinit() -> Result<()> {
    let mut state = lock();
    if state.references == 0 {
        return Err(uninitialised());
    }
    attach(&mut state)
}

/// The attached system.
///
/// # Errors
/// `UNINIT`: `daos_init` was not called, or this is a forked child that did not call `daos_reinit`.
pub fn system() -> Result<Arc<System>> {
    let state = lock();
    if forked(&state) {
        return Err(Der::UNINIT.err("this process was forked after daos_init: call daos_reinit first"));
    }
    state.system.clone().ok_or_else(uninitialised)
}

/// Whether `identity` is that of the attached system and this process made it.
pub(crate) fn is_current(identity: u64, fork_depth: u32) -> bool {
    ATTACHED.load(Ordering::Acquire) == identity && fork::depth() == fork_depth
}

fn attach(state: &mut State) -> Result<()> {
    let identity = NEXT_IDENTITY.fetch_add(1, Ordering::Relaxed);
    let system = System::attach(Agent::from_environment(), identity)?;
    ATTACHED.store(identity, Ordering::Release);
    state.system = Some(Arc::new(system));
    Ok(())
}

fn forked(state: &State) -> bool {
    state.system.as_ref().is_some_and(|system| system.fork_depth() != fork::depth())
}

fn uninitialised() -> daos_common::Error {
    Der::UNINIT.err("the DAOS library is not initialised: call daos_init first")
}

/// The state, held over a fork.
pub(crate) struct Held(#[allow(dead_code)] MutexGuard<'static, State>);

/// Keeps other threads out of initialisation and finalisation.
pub(crate) fn hold() -> Held {
    Held(lock())
}

fn lock() -> MutexGuard<'static, State> {
    STATE.lock().unwrap_or_else(PoisonError::into_inner)
}
