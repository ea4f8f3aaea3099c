//! Calls of daos_server: dispatch, and those about the engine itself. Those about pools are in [`super::pools`].
//!
//! A call about a pool is carried out where the pool's service is. daos_server asks any engine; the engine hands the
//! call on over the fabric, as it came ([`forwarded`]).

use super::pools;
use crate::logging;
use crate::service::Service;
use daos_common::wire::mgmt::{ForwardReply, ForwardRequest, GroupMember};
use daos_common::{Der, Error, Rank, Result};
use daos_proto::drpc::{Method, Module, Reply, Status, decode_body};
use daos_proto::{Message, ctl, mgmt};
use std::future::Future;
use std::rc::Rc;

/// An answer with a status of its own.
pub trait Answer: Message + Default {
    /// The answer that says only that it failed.
    fn failed(status: i32) -> Self;
}

macro_rules! answers {
    ($($name:ty),* $(,)?) => {
        $(impl Answer for $name {
            fn failed(status: i32) -> Self {
                let mut answer = Self::default();
                answer.status = status;
                answer
            }
        })*
    };
}

answers!(
    mgmt::DaosResp,
    mgmt::GroupUpdateResp,
    mgmt::GetGroupStatusResp,
    mgmt::PoolCreateResp,
    mgmt::PoolDestroyResp,
    mgmt::PoolEvictResp,
    mgmt::PoolQueryResp,
    mgmt::PoolQueryTargetResp,
    mgmt::PoolSetPropResp,
    mgmt::PoolGetPropResp,
    mgmt::ListContResp,
    mgmt::AclResp,
    mgmt::PoolExcludeResp,
    mgmt::PoolDrainResp,
    mgmt::PoolExtendResp,
    mgmt::PoolReintResp,
    ctl::SetLogMasksResp,
    ctl::BioHealthResp,
);

/// Carries out one call.
pub async fn call(service: &Rc<Service>, method: Method, body: &[u8]) -> Reply {
    match method {
        Method::PingRank | Method::PrepShutdown => done::<mgmt::DaosResp>(method, Ok(Default::default())),
        Method::SetUp => {
            service.set_up();
            tracing::info!("rank {} is up", service.rank());
            done::<mgmt::DaosResp>(method, Ok(Default::default()))
        }
        Method::SetRank => {
            let request: mgmt::SetRankReq = decode_body(body)?;
            let set = service.set_rank(Rank(request.rank));
            done::<mgmt::DaosResp>(method, set.map(|()| Default::default()))
        }
        Method::GroupUpdate => {
            let request: mgmt::GroupUpdateReq = decode_body(body)?;
            let member = |engine: mgmt::group_update_req::Engine| GroupMember {
                rank: Rank(engine.rank),
                uri: engine.uri,
                incarnation: engine.incarnation,
            };
            service.update_group(request.map_version, request.engines.into_iter().map(member).collect());
            done::<mgmt::GroupUpdateResp>(method, Ok(Default::default()))
        }
        // Deaths are noticed when an engine is called; nothing watches them yet.
        Method::GroupStatusGet => done::<mgmt::GetGroupStatusResp>(method, Ok(Default::default())),
        Method::SetLogMasks => {
            let request: ctl::SetLogMasksReq = decode_body(body)?;
            let mask = if request.reset_masks { String::new() } else { request.masks };
            done::<ctl::SetLogMasksResp>(method, logging::set_mask(&mask).map(|()| Default::default()))
        }
        _ => match pools::call(service, method, body).await {
            Some(reply) => reply,
            None => unsupported(method),
        },
    }
}

/// Methods that exist and are not built: their answers say so, where the answer has a status.
fn unsupported(method: Method) -> Reply {
    match method {
        Method::PoolExclude => refuse::<mgmt::PoolExcludeResp>(method),
        Method::PoolDrain => refuse::<mgmt::PoolDrainResp>(method),
        Method::PoolExtend => refuse::<mgmt::PoolExtendResp>(method),
        Method::PoolReint => refuse::<mgmt::PoolReintResp>(method),
        Method::BioHealthQuery => refuse::<ctl::BioHealthResp>(method),
        Method::PoolUpgrade | Method::PoolRebuildStart | Method::PoolRebuildStop | Method::PoolSelfHealEval => {
            refuse::<mgmt::DaosResp>(method)
        }
        _ => Err(Status::UnknownMethod),
    }
}

fn refuse<A: Answer>(method: Method) -> Reply {
    done::<A>(method, Err(Der::NOTSUPPORTED.err("this version of the engine cannot do that")))
}

/// The reply for an outcome; an error is logged, because the answer has room for its code only.
pub fn done<A: Answer>(method: Method, outcome: Result<A>) -> Reply {
    let answer = outcome.unwrap_or_else(|error| {
        tracing::error!("{method}: {error}");
        A::failed(error.rc())
    });
    Ok(answer.encode_to_vec())
}

/// Carries out a call that another engine hands on: only where the pool's service is.
///
/// # Errors
/// `INVAL`: not a method; `PROTO`: malformed.
pub async fn forwarded(service: &Rc<Service>, request: ForwardRequest) -> Result<ForwardReply> {
    let method = i32::try_from(request.method).ok().and_then(|number| Method::from_numbers(Module::Mgmt, number));
    let method = method.ok_or_else(|| Der::INVAL.err(format!("no method has the number {}", request.method)))?;
    let answered = pools::call_here(service, method, &request.body).await?;
    let body = answered.map_err(|status| Der::PROTO.err(format!("{method}: {}", status.as_str_name())))?;
    Ok(ForwardReply { body })
}

/// Decodes a call's body, runs it and encodes the answer.
pub async fn run<Q, A, Fut>(method: Method, body: &[u8], job: impl FnOnce(Q) -> Fut) -> Reply
where
    Q: Message + Default,
    A: Answer,
    Fut: Future<Output = Result<A, Error>>,
{
    let request = decode_body(body)?;
    done(method, job(request).await)
}
