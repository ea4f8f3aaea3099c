//! daos: what a user does with pools and containers, over `libdaos.so` and `libdfs.so`.
#![forbid(unsafe_code)]

mod attrs;
mod cont;
mod pool;

use clap::Parser;
use daos_api::{ContRef, Container, Pool, PropList};
use daos_cli::{Outcome, finish};
use daos_common::props::po;
use daos_common::{Der, Error, Result, flags};
use daos_tool::cli::{Cli, Command, ContArgs, Container as Cont, Pool as PoolCommand, System, unavailable};
use daos_tool::{options, view};
use serde_json::json;
use std::process::ExitCode;

/// Version of the library's interface that the tool is built for.
const API_VERSION: &str = "2.8.0";

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            let _ = error.print();
            return ExitCode::from(u8::from(error.use_stderr()));
        }
    };
    let json = cli.global.json;
    finish("daos", json, execute(cli))
}

fn execute(cli: Cli) -> Result<Outcome> {
    if let Some(name) = unavailable(&cli.command) {
        return Err(Der::NOTSUPPORTED.err(format!("command {name:?} is not available yet in this version")));
    }
    if matches!(cli.command, Command::Version) {
        let version = env!("CARGO_PKG_VERSION");
        let text = format!("daos version {version}, libdaos API v{API_VERSION}");
        return Ok(Outcome::new(json!({ "name": "daos", "version": version, "libdaos_version": API_VERSION }), text));
    }
    daos_api::init().map_err(|error| match error.code() {
        // The library's own code for an agent that isn't there.
        Der::NONEXIST | Der::UNREACH => Der::AGENT_COMM.err(error.message()),
        _ => error,
    })?;
    let tool = Tool { system: cli.global.sys_name };
    let result = tool.run(cli.command);
    // The process ends: a failure to clean up has no effect on the result.
    let _ = daos_api::fini();
    result
}

/// What every command works with.
struct Tool {
    system: Option<String>,
}

impl Tool {
    fn run(&self, command: Command) -> Result<Outcome> {
        match command {
            Command::Container(command) => self.container(command),
            Command::Pool(command) => self.pool(command),
            Command::System(System::Query) => {
                let info = daos_api::system_info(self.system.as_deref()).map_err(|error| self.of_system(error))?;
                Ok(view::system(&info))
            }
            // `execute` has answered the others.
            _ => Err(Der::NOTSUPPORTED.into()),
        }
    }

    fn container(&self, command: Cont) -> Result<Outcome> {
        match command {
            Cont::Create(options) => self.cont_create(options),
            Cont::List { pool, .. } => self.cont_list(&pool),
            Cont::Destroy { which, force } => self.cont_destroy(&which, force),
            Cont::Query(which) => self.cont_query(&which),
            Cont::GetProp { which, names, properties } => self.get_prop(&which, names.or(properties).as_deref()),
            Cont::SetProp { which, pairs, properties } => self.set_prop(&which, pairs.or(properties).as_deref()),
            Cont::GetAcl { which, outfile, force, .. } => self.get_acl(&which, outfile.as_deref(), force),
            Cont::OverwriteAcl { which, acl_file } => self.overwrite_acl(&which, &acl_file),
            Cont::UpdateAcl { which, entry, acl_file } => {
                self.update_acl(&which, entry.as_deref(), acl_file.as_deref())
            }
            Cont::DeleteAcl { which, principal } => self.delete_acl(&which, &principal),
            Cont::SetOwner { which, user, group, .. } => self.set_owner(&which, user.as_deref(), group.as_deref()),
            Cont::ListAttr { which, verbose } => {
                self.on_cont(&which, Open::Read, |cont, place| attrs::list(&cont, &place, verbose))
            }
            Cont::GetAttr { which, names, attr } => self.on_cont(&which, Open::Read, |cont, place| {
                attrs::get(&cont, &place, &options::names(names.or(attr).as_deref()))
            }),
            Cont::SetAttr { which, pairs, attr, value } => {
                let pairs = match (pairs, attr, value) {
                    (Some(pairs), None, _) => options::pairs(&pairs)?,
                    (None, Some(name), Some(value)) => vec![(name, value.into_bytes())],
                    _ => return Err(Der::INVAL.err("give name:value,... or --attr with --value")),
                };
                self.on_cont(&which, Open::Write, |cont, _| attrs::set(&cont, &pairs))
            }
            Cont::DelAttr { which, names, attr } => {
                let names = options::names(names.or(attr).as_deref());
                self.on_cont(&which, Open::Write, |cont, _| attrs::del(&cont, &names))
            }
            // `execute` has answered the others.
            _ => Err(Der::NOTSUPPORTED.into()),
        }
    }

    fn pool(&self, command: PoolCommand) -> Result<Outcome> {
        match command {
            PoolCommand::List { verbose, no_query } => self.pool_list(verbose, no_query),
            PoolCommand::Query { pool, show_enabled, health_only } => self.pool_query(&pool, show_enabled, health_only),
            PoolCommand::QueryTargets { pool, rank, target_idx } => {
                self.query_targets(&pool, rank, target_idx.as_deref())
            }
            PoolCommand::ListContainers { pool, .. } => self.cont_list(&pool),
            PoolCommand::ListAttr { pool, verbose } => {
                let handle = self.connect(&pool, false)?;
                attrs::list(&handle.as_ref(), &format!("pool {pool}"), verbose)
            }
            PoolCommand::GetAttr { pool, names } => {
                let handle = self.connect(&pool, false)?;
                attrs::get(&handle.as_ref(), &format!("pool {pool}"), &options::names(names.as_deref()))
            }
            PoolCommand::SetAttr { pool, pairs } => {
                let pairs = options::pairs(&pairs)?;
                attrs::set(&self.connect(&pool, true)?.as_ref(), &pairs)
            }
            PoolCommand::DelAttr { pool, names } => {
                attrs::del(&self.connect(&pool, true)?.as_ref(), &options::names(Some(&names)))
            }
            // `execute` has answered the others.
            PoolCommand::Autotest(_) => Err(Der::NOTSUPPORTED.into()),
        }
    }

    /// An error of a call about the system as a whole, with its name if one was given.
    fn of_system(&self, error: Error) -> Error {
        match &self.system {
            Some(name) => error.at(format!("system {name:?} (is it the one that daos_agent serves?)")),
            None => error,
        }
    }

    /// Connects to a pool by label or UUID.
    fn connect(&self, pool: &str, write: bool) -> Result<Pool> {
        options::check_name(pool, "pool")?;
        Pool::connect(pool, self.system.as_deref(), write).map_err(|error| error.at(format!("pool {pool}")))
    }

    /// Opens a container and does something with it; `work` gets the handle and what to call it.
    fn on_cont(
        &self,
        which: &ContArgs,
        open: Open,
        work: impl FnOnce(ContRef, String) -> Result<Outcome>,
    ) -> Result<Outcome> {
        let (pool_name, name) = which.names()?;
        let pool = self.connect(pool_name, matches!(open, Open::Write))?;
        let cont = open_cont(&pool, pool_name, name, open)?;
        work(cont.as_ref(), format!("container {name}")).map_err(|error| error.at(format!("container {name}")))
    }
}

/// How a container is opened.
#[derive(Clone, Copy)]
enum Open {
    /// To look at it.
    Read,
    /// To change it.
    Write,
}

fn open_cont(pool: &Pool, pool_name: &str, name: &str, open: Open) -> Result<Container> {
    let bits = match open {
        Open::Read => flags::OPEN_RO,
        Open::Write => flags::OPEN_RW,
    };
    Container::open(pool.as_ref(), name, bits as u32)
        .map_err(|error| error.at(format!("container {name} of pool {pool_name}")))
}

/// The label of a connected pool; empty when it has none.
fn pool_label(pool: &Pool) -> Result<String> {
    let mut props = PropList::query(&[po::LABEL]);
    pool.as_ref().query_props(&mut props)?;
    Ok(props.text(po::LABEL).unwrap_or_default())
}
