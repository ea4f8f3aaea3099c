//! Access control lists of pools.

use crate::context::{CALL_TIMEOUT, Context};
use clap::Args;
use daos_cli::Outcome;
use daos_common::acl::{Acl, Principal};
use daos_common::{Der, Error, Result};
use daos_proto::mgmt::{AccessControlList, AclResp, DeleteAclReq, GetAclReq, ModifyAclReq};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

/// Options of `pool get-acl`.
#[derive(Args)]
pub struct Get {
    /// Label or UUID of the pool
    pool: String,
    /// File to write the list to
    #[arg(short = 'O', long, value_name = "FILE")]
    outfile: Option<PathBuf>,
    /// Overwrite the file if it is there
    #[arg(short = 'f', long)]
    force: bool,
    /// Say what each entry means
    #[arg(short = 'v', long)]
    verbose: bool,
}

/// Options of `pool overwrite-acl`.
#[derive(Args)]
pub struct Overwrite {
    /// Label or UUID of the pool
    pool: String,
    /// File with one entry a line
    #[arg(short = 'a', long, value_name = "FILE")]
    acl_file: PathBuf,
}

/// Options of `pool update-acl`.
#[derive(Args)]
#[command(group(clap::ArgGroup::new("what").required(true)))]
pub struct Update {
    /// Label or UUID of the pool
    pool: String,
    /// File with one entry a line
    #[arg(short = 'a', long, value_name = "FILE", group = "what")]
    acl_file: Option<PathBuf>,
    /// One entry, e.g. A::joe@:rw
    #[arg(short = 'e', long, group = "what")]
    entry: Option<String>,
}

/// Options of `pool delete-acl`.
#[derive(Args)]
pub struct Delete {
    /// Label or UUID of the pool
    pool: String,
    /// Whose entry: u:name@, g:name@, OWNER@, GROUP@ or EVERYONE@
    #[arg(short = 'p', long)]
    principal: String,
}

impl Get {
    /// Runs it.
    pub async fn run(self, context: &Context) -> Result<Outcome> {
        let request = GetAclReq { sys: context.sys(), id: self.pool, svc_ranks: vec![] };
        let answer = context
            .mgmt("asking for the access control list", CALL_TIMEOUT, |mut client| {
                let request = request.clone();
                async move { client.pool_get_acl(request).await }
            })
            .await?;
        let acl = list_of(answer, &request.id)?;
        let text = list_text(&acl, self.verbose);
        let text = match &self.outfile {
            None => text,
            Some(path) => {
                write_file(path, &text, self.force)?;
                format!("Wrote ACL to output file: {}\n", path.display())
            }
        };
        Ok(Outcome::new(list_json(&acl), text))
    }
}

impl Overwrite {
    /// Runs it.
    pub async fn run(self, context: &Context) -> Result<Outcome> {
        let entries = read_file(&self.acl_file)?;
        let request = ModifyAclReq { sys: context.sys(), id: self.pool, entries, svc_ranks: vec![] };
        let answer = context
            .mgmt("replacing the access control list", CALL_TIMEOUT, |mut client| {
                let request = request.clone();
                async move { client.pool_overwrite_acl(request).await }
            })
            .await?;
        changed("overwrite", answer, &request.id)
    }
}

impl Update {
    /// Runs it.
    pub async fn run(self, context: &Context) -> Result<Outcome> {
        let entries = match (&self.acl_file, &self.entry) {
            (Some(path), _) => read_file(path)?,
            (None, entry) => parse_entries(entry.as_deref().unwrap_or_default())?,
        };
        let request = ModifyAclReq { sys: context.sys(), id: self.pool, entries, svc_ranks: vec![] };
        let answer = context
            .mgmt("changing the access control list", CALL_TIMEOUT, |mut client| {
                let request = request.clone();
                async move { client.pool_update_acl(request).await }
            })
            .await?;
        changed("update", answer, &request.id)
    }
}

impl Delete {
    /// Runs it.
    pub async fn run(self, context: &Context) -> Result<Outcome> {
        let principal = delete_principal(&self.principal)?;
        let request = DeleteAclReq { sys: context.sys(), id: self.pool, principal, svc_ranks: vec![] };
        let answer = context
            .mgmt("changing the access control list", CALL_TIMEOUT, |mut client| {
                let request = request.clone();
                async move { client.pool_delete_acl(request).await }
            })
            .await?;
        changed("delete", answer, &request.id)
    }
}

/// The form of a principal in requests: named users and groups with `u:` or `g:` in front.
fn delete_principal(text: &str) -> Result<String> {
    Ok(match Principal::parse(text)? {
        Principal::User(name) => format!("u:{name}"),
        Principal::Group(name) => format!("g:{name}"),
        special => special.name().to_string(),
    })
}

fn list_of(answer: AclResp, pool: &str) -> Result<AccessControlList> {
    Error::from_status(answer.status, format!("access control list of pool {pool}"))?;
    Ok(answer.acl.unwrap_or_default())
}

fn changed(what: &str, answer: AclResp, pool: &str) -> Result<Outcome> {
    let acl = list_of(answer, pool)?;
    let text = format!("Pool-{what}-ACL command succeeded, UUID: {pool}\n{}", list_text(&acl, false));
    Ok(Outcome::new(list_json(&acl), text))
}

fn list_json(acl: &AccessControlList) -> Value {
    json!({ "ACL": {
        "entries": acl.entries, "owner_user": acl.owner_user, "owner_group": acl.owner_group,
    } })
}

fn list_text(acl: &AccessControlList, verbose: bool) -> String {
    let mut text = String::new();
    if !acl.owner_user.is_empty() {
        text.push_str(&format!("# Owner: {}\n", acl.owner_user));
    }
    if !acl.owner_group.is_empty() {
        text.push_str(&format!("# Owner Group: {}\n", acl.owner_group));
    }
    text.push_str("# Entries:\n");
    if acl.entries.is_empty() {
        text.push_str("#   None\n");
    }
    for entry in &acl.entries {
        if verbose {
            text.push_str(&format!("# {}\n", explain(entry)));
        }
        text.push_str(&format!("{entry}\n"));
    }
    text
}

/// An entry in words.
fn explain(entry: &str) -> String {
    let fields: Vec<&str> = entry.split(':').collect();
    let [types, flags, principal, permissions] = fields[..] else { return "not understood".into() };
    let words = |letters: &str, table: &[(char, &'static str)]| {
        let words: Vec<&str> =
            letters.chars().map(|c| table.iter().find(|(l, _)| *l == c).map_or("?", |w| w.1)).collect();
        words.join("/")
    };
    let types = words(types, &[('A', "Allow"), ('U', "Audit"), ('L', "Alarm")]);
    let flags = words(flags, &[('G', "Group"), ('P', "Pool-Inherit"), ('S', "Success"), ('F', "Failure")]);
    let permissions = words(
        permissions,
        &[
            ('r', "Read"),
            ('w', "Write"),
            ('c', "Create-Container"),
            ('d', "Delete-Container"),
            ('t', "Get-Prop"),
            ('T', "Set-Prop"),
            ('a', "Get-ACL"),
            ('A', "Set-ACL"),
            ('o', "Set-Owner"),
        ],
    );
    let permissions = if permissions.is_empty() { "No-Access".into() } else { permissions };
    let flags = if flags.is_empty() { flags } else { format!("{flags}:") };
    format!("{types}:{flags}{principal}:{permissions}")
}

/// Reads and checks a file of entries.
///
/// # Errors
/// NONEXIST, NO_PERM, IO: it can't be read; INVAL naming the line that is wrong.
pub fn read_file(path: &Path) -> Result<Vec<String>> {
    let text =
        std::fs::read_to_string(path).map_err(|error| Error::from(error).at(format!("ACL file {}", path.display())))?;
    parse_entries(&text).map_err(|error| error.at(format!("ACL file {}", path.display())))
}

fn parse_entries(text: &str) -> Result<Vec<String>> {
    Acl::parse(text)?.to_texts()
}

fn write_file(path: &Path, text: &str, force: bool) -> Result<()> {
    let mut options = std::fs::File::options();
    options.write(true).create(true).truncate(true);
    if !force {
        options.create_new(true);
    }
    let place = |error: std::io::Error| match error.kind() {
        std::io::ErrorKind::AlreadyExists => {
            Der::EXIST.err(format!("file {} exists: give -f to overwrite it", path.display()))
        }
        _ => Error::from(error).at(path.display()),
    };
    let mut file = options.open(path).map_err(place)?;
    std::io::Write::write_all(&mut file, text.as_bytes()).map_err(place)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Aim: what a list prints as is read back as the same list, and each entry is put in words.
    #[test]
    fn print_and_read() {
        let acl = AccessControlList {
            entries: vec!["A::OWNER@:rw".into(), "A:G:GROUP@:rw".into()],
            owner_user: "joe@".into(),
            owner_group: "users@".into(),
        };
        let text = list_text(&acl, true);
        assert!(text.starts_with("# Owner: joe@\n# Owner Group: users@\n# Entries:\n"));
        assert!(text.contains("# Allow:OWNER@:Read/Write\n") && text.contains("# Allow:Group:GROUP@:Read/Write\n"));
        assert_eq!(parse_entries(&text).unwrap(), acl.entries);
        assert_eq!(list_json(&acl)["ACL"]["owner_user"], "joe@");
        assert!(parse_entries("A::OWNER@:rw\nnonsense\n").is_err());
    }

    /// Aim: principals of the command line take their form in requests.
    #[test]
    fn principals() {
        assert_eq!(delete_principal("u:joe").unwrap(), "u:joe@");
        assert_eq!(delete_principal("g:users@").unwrap(), "g:users@");
        assert_eq!(delete_principal("EVERYONE@").unwrap(), "EVERYONE@");
        assert!(delete_principal("joe").is_err());
    }
}
