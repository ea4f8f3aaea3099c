//! Credentials: who a caller is, by the kernel's word for its socket, with names from the user database.
//!
//! A credential is a token and a verifier. The token is an encoded `auth.Sys`: machine, user and groups as `name@`.
//! Without certificates the verifier is the SHA-512 of the encoded token: it guards against damage, not against
//! forgery.

use crate::config::{AgentConfig, MappedUser};
use daos_common::{Der, Error, Result};
use daos_proto::Message;
use daos_proto::auth::{Credential, Flavor, Sys, Token};
use daos_proto::drpc::Peer;
use daos_proto::users;
use sha2::{Digest, Sha512};
use std::collections::HashMap;
use std::sync::Mutex;
use std::time::Instant;

/// Who made a credential; names the certificate that would check it.
const ORIGIN: &str = "agent";
/// Most credentials kept for reuse.
const CACHED_MAX: usize = 4096;

/// Makes credentials, and keeps them for as long as the configuration says.
#[derive(Debug, Default)]
pub struct Credentials {
    cached: Mutex<HashMap<(u32, u32), (Instant, Credential)>>,
}

impl Credentials {
    /// The credential of `peer`. Blocks on the user database.
    ///
    /// # Errors
    /// - NONEXIST: the user or one of its groups has no name, and `client_user_map` none to stand in
    /// - IO: the user database can't answer
    pub fn of(&self, peer: Peer, config: &AgentConfig) -> Result<Credential> {
        let key = (peer.uid, peer.gid);
        if let Some((made, credential)) = self.lock().get(&key)
            && made.elapsed() < config.credential_expiration
        {
            return Ok(credential.clone());
        }
        let credential = sign(&identify(peer, config)?);
        if !config.credential_expiration.is_zero() {
            let mut cached = self.lock();
            if cached.len() >= CACHED_MAX {
                cached.clear();
            }
            cached.insert(key, (Instant::now(), credential.clone()));
        }
        Ok(credential)
    }

    /// Forgets the kept credentials.
    pub fn clear(&self) {
        self.lock().clear();
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<(u32, u32), (Instant, Credential)>> {
        self.cached.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}

/// The short name of this machine.
pub fn machine_name() -> String {
    let uname = rustix::system::uname();
    let name = uname.nodename().to_string_lossy();
    name.split('.').next().filter(|short| !short.is_empty()).unwrap_or("localhost").to_string()
}

fn identify(peer: Peer, config: &AgentConfig) -> Result<Sys> {
    let place = |error: std::io::Error| Error::from(error).at("user database");
    let Some(user) = users::user_name(peer.uid).map_err(place)? else {
        return stand_in(peer, config);
    };
    let group = named_group(peer.gid)?;
    let ids = users::group_ids(&user, peer.gid).map_err(place)?;
    let groups = ids.into_iter().map(named_group).collect::<Result<Vec<_>>>()?;
    Ok(sys(&user, &group, &groups))
}

fn stand_in(peer: Peer, config: &AgentConfig) -> Result<Sys> {
    match config.user_map.get(&peer.uid).or(config.default_user.as_ref()) {
        Some(MappedUser { user, group, groups }) => Ok(sys(user, group, groups)),
        None => Err(Der::NONEXIST.err(format!(
            "user id {} has no name on this machine: add the user, or map the id under \
             credential_config.client_user_map in daos_agent.yml",
            peer.uid
        ))),
    }
}

fn named_group(gid: u32) -> Result<String> {
    match users::group_name(gid) {
        Ok(Some(name)) => Ok(name),
        Ok(None) => Err(Der::NONEXIST.err(format!("group id {gid} has no name on this machine: add the group"))),
        Err(error) => Err(Error::from(error).at("user database")),
    }
}

fn sys(user: &str, group: &str, groups: &[String]) -> Sys {
    let principal = |name: &str| format!("{name}@");
    Sys {
        stamp: 0,
        machinename: machine_name(),
        user: principal(user),
        group: principal(group),
        groups: groups.iter().map(|name| principal(name)).collect(),
        secctx: String::new(),
    }
}

fn sign(sys: &Sys) -> Credential {
    let token = Token { flavor: Flavor::AuthSys as i32, data: sys.encode_to_vec() };
    let verifier = Token { flavor: Flavor::AuthSys as i32, data: Sha512::digest(token.encode_to_vec()).to_vec() };
    Credential { token: Some(token), verifier: Some(verifier), origin: ORIGIN.into() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config;

    fn config() -> AgentConfig {
        config::load(None).unwrap()
    }

    /// Aim: the credential of this process names its user and groups, and the verifier is the digest of the token.
    #[test]
    fn own_credential() {
        let peer = Peer { pid: 1, uid: 0, gid: 0 };
        let credential = Credentials::default().of(peer, &config()).unwrap();
        let token = credential.token.unwrap();
        assert_eq!(token.flavor(), Flavor::AuthSys);
        let sys = Sys::decode(token.data.as_slice()).unwrap();
        assert_eq!((sys.user.as_str(), sys.group.as_str()), ("root@", "root@"));
        assert!(sys.groups.contains(&"root@".to_string()));
        assert!(!sys.machinename.is_empty() && !sys.machinename.contains('.'));
        assert_eq!(credential.verifier.unwrap().data, Sha512::digest(token.encode_to_vec()).to_vec());
        assert_eq!(credential.origin, "agent");
    }

    /// Aim: an unknown user id is refused, or stands as what the map says; the exact id before the default.
    #[test]
    fn unknown_users() {
        let peer = Peer { pid: 1, uid: 3_999_999_999, gid: 0 };
        let mut config = config();
        let error = Credentials::default().of(peer, &config).unwrap_err();
        assert!(error.code() == Der::NONEXIST && error.message().contains("client_user_map"), "{error}");
        let mapped = |user: &str| MappedUser { user: user.into(), group: "g".into(), groups: vec!["h".into()] };
        config.default_user = Some(mapped("anyone"));
        let user_of = |config: &AgentConfig| {
            let credential = Credentials::default().of(peer, config).unwrap();
            Sys::decode(credential.token.unwrap().data.as_slice()).unwrap().user
        };
        assert_eq!(user_of(&config), "anyone@");
        config.user_map.insert(peer.uid, mapped("joe"));
        assert_eq!(user_of(&config), "joe@");
    }
}
