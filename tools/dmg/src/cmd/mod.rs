//! The commands, by group. Each is its options and a `run` that asks, and shows the answer as text and JSON.

pub mod acl;
pub mod cont;
pub mod pool;
pub mod pool_view;
pub mod props;
pub mod storage;
pub mod system;

use daos_cli::Outcome;
use daos_common::{Der, Error, Result};
use daos_proto::control::daos_version;
use daos_proto::users;
use serde_json::json;

/// `dmg version`.
pub fn version() -> Outcome {
    let version = daos_version();
    Outcome::new(json!({ "name": "dmg", "version": version }), format!("DAOS Management Tool v{version}"))
}

/// A principal from the command line: a bare name gets its `@`.
pub fn principal(name: &str) -> String {
    match name.contains('@') {
        true => name.to_string(),
        false => format!("{name}@"),
    }
}

/// The principals of the user and group that dmg runs as.
///
/// # Errors
/// NONEXIST when either has no name; the remedy is to give names.
pub fn own_principals() -> Result<(String, String)> {
    let uid = rustix::process::geteuid().as_raw();
    let gid = rustix::process::getegid().as_raw();
    let named = |name: std::io::Result<Option<String>>, what: String| match name {
        Ok(Some(name)) => Ok(format!("{name}@")),
        Ok(None) => Err(Der::NONEXIST.err(format!("{what} has no name on this machine: give --user and --group"))),
        Err(error) => Err(Error::from(error).at(what)),
    };
    Ok((
        named(users::user_name(uid), format!("user id {uid}"))?,
        named(users::group_name(gid), format!("group id {gid}"))?,
    ))
}

/// Ranks for people: `0-3,7`, or `none`.
pub fn ranks_text(ranks: &[u32]) -> String {
    let mut sorted = ranks.to_vec();
    sorted.sort_unstable();
    sorted.dedup();
    let mut parts: Vec<String> = Vec::new();
    for run in sorted.chunk_by(|a, b| *b == *a + 1) {
        match run {
            [one] => parts.push(one.to_string()),
            [first, .., last] => parts.push(format!("{first}-{last}")),
            [] => {}
        }
    }
    if parts.is_empty() { "none".into() } else { parts.join(",") }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Aim: ranks print as ranges, principals get their @ once.
    #[test]
    fn words() {
        assert_eq!(ranks_text(&[3, 1, 2, 7, 7]), "1-3,7");
        assert_eq!(ranks_text(&[]), "none");
        assert_eq!(principal("joe"), "joe@");
        assert_eq!(principal("joe@lab"), "joe@lab");
    }
}
