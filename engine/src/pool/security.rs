//! Who asks: credentials, validated by daos_server.

use crate::service::Service;
use daos_common::acl::User;
use daos_common::{Der, Error, Result};
use daos_proto::drpc::Method;
use daos_proto::{Message, auth};

/// Longest credential in bytes.
const CREDENTIAL_MAX_BYTES: usize = 64 * 1024;

/// A validated user and the machine it is on.
#[derive(Clone, Debug)]
pub struct Caller {
    /// Name and groups.
    pub user: User,
    /// Short host name.
    pub machine: String,
}

/// Has daos_server validate a credential.
///
/// # Errors
/// `NO_PERM`: forged, or not of flavor AUTH_SYS; `INVAL`: not a credential; `NO_CERT`; what reaching daos_server says.
pub async fn validate(service: &Service, credential: &[u8]) -> Result<Caller> {
    if credential.len() > CREDENTIAL_MAX_BYTES {
        return Err(Der::INVAL.err(format!("a credential of {} bytes", credential.len())));
    }
    let malformed = |error| Der::INVAL.err(format!("malformed credential: {error}"));
    let cred = auth::Credential::decode(credential).map_err(malformed)?;
    let request = auth::ValidateCredReq { cred: Some(cred) };
    let answer: auth::ValidateCredResp = service.server.call(&service.home, Method::ValidateCreds, &request).await?;
    status(answer.status, "validation of the credential")?;
    let token = answer.token.ok_or_else(|| Der::PROTO.err("daos_server validated a credential without its token"))?;
    if token.flavor() != auth::Flavor::AuthSys {
        return Err(Der::NO_PERM.err("the credential is not of flavor AUTH_SYS"));
    }
    let identity = auth::Sys::decode(token.data.as_slice()).map_err(malformed)?;
    let mut groups = identity.groups;
    if !identity.group.is_empty() && !groups.contains(&identity.group) {
        groups.insert(0, identity.group);
    }
    if identity.user.is_empty() {
        return Err(Der::NO_PERM.err("the credential names no user"));
    }
    Ok(Caller { user: User { name: identity.user, groups }, machine: identity.machinename })
}

/// The error that a `status` field of a dRPC body stands for.
///
/// # Errors
/// Any but 0.
pub fn status(number: i32, what: impl std::fmt::Display) -> Result<(), Error> {
    match number {
        0 => Ok(()),
        _ => {
            let code = Der::from_number(number).unwrap_or(Der::MISC);
            Err(code.err(format!("{what}: {}", code.description())))
        }
    }
}
