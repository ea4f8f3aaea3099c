//! The command tree.
//!
//! Commands that this version lacks are in the tree, so that help shows them and scripts get a plain answer; they
//! take any arguments and fail.

use clap::{Args, Parser, Subcommand};
use daos_common::{Der, Result};
use std::ffi::OsString;
use std::path::PathBuf;

/// Containers, pools and objects of a DAOS system, as a user
#[derive(Parser, Debug)]
#[command(name = "daos", disable_version_flag = true, subcommand_required = true, arg_required_else_help = true)]
pub struct Cli {
    /// Options of every command.
    #[command(flatten)]
    pub global: Global,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// Options of every command.
#[derive(Args, Debug)]
pub struct Global {
    /// Log at debug level
    #[arg(long, global = true)]
    pub debug: bool,
    /// Say more
    #[arg(long, global = true)]
    pub verbose: bool,
    /// Print results as JSON
    #[arg(short = 'j', long, global = true)]
    pub json: bool,
    /// Name of the system
    #[arg(short = 'G', long, global = true, value_name = "NAME")]
    pub sys_name: Option<String>,
}

/// Arguments of a command that isn't available yet.
#[derive(Args, Debug)]
pub struct Any {
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, hide = true)]
    _arguments: Vec<OsString>,
}

/// Which container, by pool and container or by path.
#[derive(Args, Debug)]
pub struct ContArgs {
    /// Label or UUID of the pool
    pub pool: Option<String>,
    /// Label or UUID of the container
    pub cont: Option<String>,
    /// Path in the unified namespace (not available yet)
    #[arg(short = 'p', long)]
    pub path: Option<PathBuf>,
}

impl ContArgs {
    /// Pool and container.
    ///
    /// # Errors
    /// INVAL: one of them isn't named or isn't a label or UUID; NOTSUPPORTED: named by path.
    pub fn names(&self) -> Result<(&str, &str)> {
        no_path(self.path.is_some())?;
        match (&self.pool, &self.cont) {
            (Some(pool), Some(cont)) => {
                crate::options::check_name(pool, "pool")?;
                crate::options::check_name(cont, "container")?;
                Ok((pool, cont))
            }
            _ => Err(Der::INVAL.err("name a pool and a container, each by label or UUID")),
        }
    }
}

/// Refuses a path of the unified namespace.
///
/// # Errors
/// NOTSUPPORTED if one is given.
pub fn no_path(given: bool) -> Result<()> {
    match given {
        true => Err(Der::NOTSUPPORTED.err("--path is not available yet in this version: name pool and container")),
        false => Ok(()),
    }
}

/// The groups.
#[derive(Subcommand, Debug)]
#[allow(clippy::large_enum_variant)] // one of them, once
pub enum Command {
    /// Containers
    #[command(alias = "cont", subcommand)]
    Container(Container),
    /// Pools
    #[command(subcommand)]
    Pool(Pool),
    /// The system
    #[command(alias = "sys", subcommand)]
    System(System),
    /// Print the version
    Version,
    /// POSIX containers (not available yet)
    #[command(alias = "fs")]
    Filesystem(Any),
    /// Objects (not available yet)
    #[command(alias = "obj")]
    Object(Any),
    /// Checks of this machine (not available yet)
    Health(Any),
    /// Version of the servers (not available yet)
    ServerVersion(Any),
    /// Injection of faults (not available yet)
    #[command(hide = true)]
    Faults(Any),
}

/// Options of `container create`.
#[derive(Args, Debug, Default)]
pub struct ContCreate {
    /// Label or UUID of the pool
    pub pool: Option<String>,
    /// Label of the new container
    pub label: Option<String>,
    /// Layout: POSIX, HDF5, PYTHON, SPARK, DATABASE, ROOT, SEISMIC, METEO or unknown
    #[arg(short = 't', long = "type", value_name = "LAYOUT")]
    pub layout: Option<String>,
    /// Path in the unified namespace (not available yet)
    #[arg(short = 'p', long)]
    pub path: Option<PathBuf>,
    /// Bytes of a file's chunk (POSIX)
    #[arg(short = 'z', long, value_name = "SIZE")]
    pub chunk_size: Option<String>,
    /// Object class (POSIX)
    #[arg(short = 'o', long, value_name = "CLASS")]
    pub oclass: Option<String>,
    /// Object class of directories (POSIX)
    #[arg(short = 'd', long, value_name = "CLASS")]
    pub dir_oclass: Option<String>,
    /// Object class of files (POSIX)
    #[arg(short = 'f', long, value_name = "CLASS")]
    pub file_oclass: Option<String>,
    /// Hints, e.g. file:max,dir:single (POSIX)
    #[arg(short = 'H', long)]
    pub hints: Option<String>,
    /// name:value,...
    #[arg(long, value_name = "PROPS")]
    pub properties: Option<String>,
    /// Consistency: relaxed or balanced (POSIX)
    #[arg(short = 'M', long)]
    pub mode: Option<String>,
    /// File with the access control list, one entry a line
    #[arg(short = 'A', long, value_name = "FILE")]
    pub acl_file: Option<PathBuf>,
    /// Owning group, name@
    #[arg(short = 'g', long)]
    pub group: Option<String>,
    /// Attributes, name:value,...
    #[arg(short = 'a', long, value_name = "ATTRS")]
    pub attrs: Option<String>,
}

/// Commands of containers.
#[derive(Subcommand, Debug)]
#[allow(missing_docs, clippy::large_enum_variant)] // the documentation is the help; one of them, once
pub enum Container {
    /// Create a container
    Create(ContCreate),
    /// List the containers of a pool
    #[command(alias = "ls")]
    List {
        /// Label or UUID of the pool
        pool: String,
        /// Say more
        #[arg(short = 'v', long)]
        verbose: bool,
    },
    /// Destroy a container
    Destroy {
        #[command(flatten)]
        which: ContArgs,
        /// Although it is open
        #[arg(short = 'f', long)]
        force: bool,
    },
    /// Show the state of a container
    Query(ContArgs),
    /// Show the names of attributes
    #[command(aliases = ["list-attrs", "lsattr"])]
    ListAttr {
        #[command(flatten)]
        which: ContArgs,
        /// Also show the values
        #[arg(short = 'V', long)]
        verbose: bool,
    },
    /// Remove attributes
    #[command(alias = "delattr")]
    DelAttr {
        #[command(flatten)]
        which: ContArgs,
        /// name,...
        names: Option<String>,
        /// One name
        #[arg(short = 'a', long)]
        attr: Option<String>,
    },
    /// Show attributes
    #[command(alias = "getattr")]
    GetAttr {
        #[command(flatten)]
        which: ContArgs,
        /// name,...; none for all
        names: Option<String>,
        /// One name
        #[arg(short = 'a', long)]
        attr: Option<String>,
    },
    /// Set attributes
    #[command(alias = "setattr")]
    SetAttr {
        #[command(flatten)]
        which: ContArgs,
        /// name:value,...
        pairs: Option<String>,
        /// One name
        #[arg(short = 'a', long, requires = "value")]
        attr: Option<String>,
        /// Its value
        #[arg(short = 'v', long, requires = "attr")]
        value: Option<String>,
    },
    /// Show properties
    #[command(alias = "getprop")]
    GetProp {
        #[command(flatten)]
        which: ContArgs,
        /// name,...; none for all
        names: Option<String>,
        /// name,...
        #[arg(long)]
        properties: Option<String>,
    },
    /// Set properties
    #[command(alias = "setprop")]
    SetProp {
        #[command(flatten)]
        which: ContArgs,
        /// name:value,...
        pairs: Option<String>,
        /// name:value,...
        #[arg(long)]
        properties: Option<String>,
    },
    /// Show the access control list
    GetAcl {
        #[command(flatten)]
        which: ContArgs,
        /// File to write the list to
        #[arg(short = 'O', long, value_name = "FILE")]
        outfile: Option<PathBuf>,
        /// Overwrite the file if it is there
        #[arg(short = 'f', long)]
        force: bool,
        /// Say more
        #[arg(short = 'V', long)]
        verbose: bool,
    },
    /// Replace the access control list
    #[command(alias = "replace")]
    OverwriteAcl {
        #[command(flatten)]
        which: ContArgs,
        /// File with one entry a line
        #[arg(short = 'f', long, value_name = "FILE")]
        acl_file: PathBuf,
    },
    /// Add or change entries of the access control list
    #[command(group(clap::ArgGroup::new("what").required(true)))]
    UpdateAcl {
        #[command(flatten)]
        which: ContArgs,
        /// One entry, e.g. A::joe@:rw
        #[arg(short = 'e', long, group = "what")]
        entry: Option<String>,
        /// File with one entry a line
        #[arg(short = 'f', long, value_name = "FILE", group = "what")]
        acl_file: Option<PathBuf>,
    },
    /// Remove an entry of the access control list
    DeleteAcl {
        #[command(flatten)]
        which: ContArgs,
        /// Whose entry: u:name@, g:name@, OWNER@, GROUP@ or EVERYONE@
        #[arg(short = 'P', long)]
        principal: String,
    },
    /// Change the owner
    #[command(alias = "chown", group(clap::ArgGroup::new("who").required(true).multiple(true)))]
    SetOwner {
        #[command(flatten)]
        which: ContArgs,
        /// New owner, name@
        #[arg(short = 'u', long, group = "who")]
        user: Option<String>,
        /// New owning group, name@
        #[arg(short = 'g', long, group = "who")]
        group: Option<String>,
        /// Don't check that they exist on this machine (they aren't checked in this version)
        #[arg(long)]
        no_check: bool,
    },
    /// Link a container into the unified namespace (not available yet)
    Link(Any),
    /// List objects (not available yet)
    #[command(alias = "list-obj")]
    ListObjects(Any),
    /// Show statistics (not available yet)
    Stat(Any),
    /// Copy a container (not available yet)
    Clone(Any),
    /// Compare replicas (not available yet)
    Check(Any),
    /// Close connections to a container (not available yet)
    Evict(Any),
    /// Make a snapshot (not available yet)
    #[command(alias = "snap")]
    CreateSnap(Any),
    /// Remove a snapshot (not available yet)
    DestroySnap(Any),
    /// List snapshots (not available yet)
    #[command(alias = "list-snaps")]
    ListSnap(Any),
    /// Go back to a snapshot (not available yet)
    Rollback(Any),
}

/// Commands of pools.
#[derive(Subcommand, Debug)]
#[allow(missing_docs)] // the documentation is the help
pub enum Pool {
    /// List pools
    #[command(alias = "ls")]
    List {
        /// Also show UUID and ranks of the pool service
        #[arg(short = 'v', long)]
        verbose: bool,
        /// Don't ask the pools themselves
        #[arg(short = 'n', long)]
        no_query: bool,
    },
    /// Show the state of a pool
    Query {
        /// Label or UUID of the pool
        pool: String,
        /// Also show which ranks are in use
        #[arg(short = 'e', long)]
        show_enabled: bool,
        /// Only the health of the pool, not its space
        #[arg(short = 't', long)]
        health_only: bool,
    },
    /// Show the state of targets of a pool
    QueryTargets {
        /// Label or UUID of the pool
        pool: String,
        /// Rank of the engine
        #[arg(long)]
        rank: u32,
        /// The targets, e.g. 0,2-5; none for all
        #[arg(long, value_name = "TARGETS")]
        target_idx: Option<String>,
    },
    /// List the containers of a pool
    #[command(aliases = ["list-cont", "ls-cont"])]
    ListContainers {
        /// Label or UUID of the pool
        pool: String,
        /// Say more
        #[arg(short = 'v', long)]
        verbose: bool,
    },
    /// Show the names of attributes
    #[command(aliases = ["list-attrs", "lsattr"])]
    ListAttr {
        /// Label or UUID of the pool
        pool: String,
        /// Also show the values
        #[arg(short = 'V', long)]
        verbose: bool,
    },
    /// Show attributes
    #[command(alias = "getattr")]
    GetAttr {
        /// Label or UUID of the pool
        pool: String,
        /// name,...; none for all
        names: Option<String>,
    },
    /// Set attributes
    #[command(alias = "setattr")]
    SetAttr {
        /// Label or UUID of the pool
        pool: String,
        /// name:value,...
        pairs: String,
    },
    /// Remove attributes
    #[command(alias = "delattr")]
    DelAttr {
        /// Label or UUID of the pool
        pool: String,
        /// name,...
        names: String,
    },
    /// Try a pool out (not available yet)
    Autotest(Any),
}

/// Commands of the system.
#[derive(Subcommand, Debug)]
pub enum System {
    /// Show what the agent says of the system
    Query,
}

/// The name of a command that isn't available yet.
pub fn unavailable(command: &Command) -> Option<&'static str> {
    Some(match command {
        Command::Filesystem(_) => "filesystem",
        Command::Object(_) => "object",
        Command::Health(_) => "health",
        Command::ServerVersion(_) => "server-version",
        Command::Faults(_) => "faults",
        Command::Container(Container::Link(_)) => "container link",
        Command::Container(Container::ListObjects(_)) => "container list-objects",
        Command::Container(Container::Stat(_)) => "container stat",
        Command::Container(Container::Clone(_)) => "container clone",
        Command::Container(Container::Check(_)) => "container check",
        Command::Container(Container::Evict(_)) => "container evict",
        Command::Container(Container::CreateSnap(_)) => "container create-snap",
        Command::Container(Container::DestroySnap(_)) => "container destroy-snap",
        Command::Container(Container::ListSnap(_)) => "container list-snap",
        Command::Container(Container::Rollback(_)) => "container rollback",
        Command::Pool(Pool::Autotest(_)) => "pool autotest",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    fn parse(line: &str) -> std::result::Result<Cli, clap::Error> {
        Cli::try_parse_from(line.split(' '))
    }

    /// Aim: the tree is consistent, and the documented spellings parse, with globals anywhere.
    #[test]
    fn command_lines() {
        Cli::command().debug_assert();
        for line in [
            "daos container create dev dev --type POSIX",
            "daos cont create tank home -t POSIX -z 1MiB -o SX -d S1 -f SX -H file:max --properties rd_fac:0 -M balanced",
            "daos cont create tank -g users@ -A acl.txt -a color:red,size:7 -j",
            "daos cont ls tank -v",
            "daos container list tank -G daos_server",
            "daos cont destroy tank home -f",
            "daos cont query tank home --json",
            "daos cont set-attr tank home color:red",
            "daos cont setattr tank home -a color -v red",
            "daos cont get-attr tank home color",
            "daos cont lsattr tank home -V",
            "daos cont del-attr tank home color,size",
            "daos cont get-prop tank home rd_fac,label",
            "daos cont get-prop tank home --properties rd_fac",
            "daos cont set-prop tank home status:healthy",
            "daos cont get-acl tank home -O out -f",
            "daos cont update-acl tank home -e A::joe@:rw",
            "daos cont delete-acl tank home -P u:joe@",
            "daos cont chown tank home -u joe@ --no-check",
            "daos pool list -v -n",
            "daos pool query tank -t -e",
            "daos pool query-targets tank --rank=0 --target-idx=0-3",
            "daos pool list-cont tank",
            "daos pool set-attr tank a:b",
            "daos sys query",
            "daos version",
        ] {
            assert!(parse(line).is_ok(), "{line}: {}", parse(line).err().unwrap());
        }
        for line in ["daos", "daos cont", "daos pool query", "daos cont set-attr t c -a x", "daos cont update-acl t c"]
        {
            assert!(parse(line).is_err(), "{line}");
        }
        let query = |line: &str| match parse(line).unwrap().command {
            Command::Container(Container::Query(which)) => which.names().map(|_| ()).map_err(|error| error.code()),
            _ => unreachable!(),
        };
        assert_eq!(query("daos cont query tank home"), Ok(()));
        assert_eq!(query("daos cont query tank"), Err(Der::INVAL));
        assert_eq!(query("daos cont query tank a/b"), Err(Der::INVAL));
        assert_eq!(query("daos cont query -p /mnt/x"), Err(Der::NOTSUPPORTED));
    }

    /// Aim: what isn't there yet is known, whatever its arguments are.
    #[test]
    fn unavailable_commands() {
        for line in ["daos fs copy -s a -d b", "daos cont snap tank home", "daos object query tank home 1.2"] {
            assert!(unavailable(&parse(line).unwrap().command).is_some(), "{line}");
        }
        assert!(unavailable(&parse("daos version").unwrap().command).is_none());
    }
}
