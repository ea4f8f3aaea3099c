//! The management service: membership, pools, properties of the system.
//!
//! [`Mgmt`] has the operations as plain functions; `service` puts them behind gRPC. All of them need the system
//! database, which only a replica's host has. An operation on a pool is checked here and passed by dRPC to an engine
//! of this host, which knows how to reach the pool's service.

pub mod attach;
pub mod domains;
pub mod events;
mod join;
mod pool;
mod pool_ops;
pub mod pool_size;
mod service;
mod system_ops;

use crate::server::Server;
use crate::system::{State, System};
use daos_common::{Der, Result};
use std::sync::Arc;

/// The management service's operations.
#[derive(Clone)]
pub struct Mgmt {
    server: Arc<Server>,
}

impl Mgmt {
    /// On `server`.
    pub fn new(server: Arc<Server>) -> Mgmt {
        Mgmt { server }
    }

    fn system(&self) -> Result<Arc<System>> {
        self.server.system()
    }

    /// Checks that a request is meant for this system, and gives the current state.
    ///
    /// # Errors
    /// `CONTROL_INCOMPAT` naming both systems; those of [`Server::system`].
    fn checked(&self, sys: &str) -> Result<Arc<State>> {
        self.check_name(sys)?;
        Ok(self.system()?.state())
    }

    fn check_name(&self, sys: &str) -> Result<()> {
        let own = &self.server.config.name;
        let asked = strip_version(sys);
        match asked.is_empty() || asked == own {
            true => Ok(()),
            false => Err(Der::CONTROL_INCOMPAT.err(format!(
                "the request is for system {asked:?}; this is system {own:?}: check `name` on both sides"
            ))),
        }
    }
}

/// Older clients append `-x.y.z` to the system's name.
fn strip_version(sys: &str) -> &str {
    let Some((name, version)) = sys.rsplit_once('-') else { return sys };
    let mut parts = version.split('.');
    let three = (0..3).all(|_| parts.next().is_some_and(|part| part.parse::<u32>().is_ok()));
    match three && parts.next().is_none() {
        true => name,
        false => sys,
    }
}

/// Seconds since 1970 as `YYYY-MM-DDThh:mm:ss.000+00:00`, the form of times in management messages.
pub fn timestamp(seconds: u64) -> String {
    let (days, rest) = (seconds / 86_400, seconds % 86_400);
    let (year, month, day) = civil_date(days);
    format!("{year:04}-{month:02}-{day:02}T{:02}:{:02}:{:02}.000+00:00", rest / 3600, rest / 60 % 60, rest % 60)
}

/// Date of a day since 1970-01-01 in the Gregorian calendar: years are taken to begin in March, so that the leap day
/// is the last of a year.
fn civil_date(days: u64) -> (u64, u64, u64) {
    let shifted = days + 719_468;
    let (era, day_of_era) = (shifted / 146_097, shifted % 146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    (era * 400 + year_of_era + u64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Aim: dates, leap days included.
    #[test]
    fn timestamps() {
        assert_eq!(timestamp(0), "1970-01-01T00:00:00.000+00:00");
        assert_eq!(timestamp(951_782_400), "2000-02-29T00:00:00.000+00:00");
        assert_eq!(timestamp(1_793_577_599), "2026-11-01T23:59:59.000+00:00");
    }

    /// Aim: a version behind the system's name is taken off, a hyphen in the name isn't.
    #[test]
    fn versions_behind_names() {
        assert_eq!(strip_version("sys-2.6.0"), "sys");
        assert_eq!(strip_version("my-sys"), "my-sys");
        assert_eq!(strip_version(""), "");
    }
}
