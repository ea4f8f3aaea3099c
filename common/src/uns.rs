//! The unified namespace: `daos://pool/cont/path` addresses and the `user.daos` attribute of a mount point.

use crate::label::parse_name;
use crate::props::{CONT_LAYOUT_UNKNOWN, CONT_LAYOUTS};
use crate::wire::pool::ContName;
use crate::{Der, Error, Result};

/// Extended attribute that links a directory or file to a container (`DUNS_XATTR_NAME`).
pub const ATTRIBUTE: &str = "user.daos";
/// Longest value of [`ATTRIBUTE`] in bytes (`DUNS_MAX_XATTR_LEN`).
pub const ATTRIBUTE_BYTES_MAX: usize = 170;
/// Scheme of an address.
pub const SCHEME: &str = "daos://";

/// A parsed `daos://` address.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Address {
    /// The pool.
    pub pool: ContName,
    /// The container; `None` for an address of a pool.
    pub cont: Option<ContName>,
    /// What follows the container, with its leading slash; empty if nothing does.
    pub path: String,
}

/// Parses `daos://pool`, `daos://pool/` or `daos://pool/cont[/path]`; pool and cont are labels or UUIDs.
///
/// # Errors
/// `INVAL`: of another form.
pub fn parse_address(text: &str) -> Result<Address> {
    let wrong = || Error::new(Der::INVAL, format!("\"{text}\" is not daos://pool/container[/path]"));
    let rest = text.strip_prefix(SCHEME).ok_or_else(wrong)?;
    let (pool, rest) = rest.split_once('/').unwrap_or((rest, ""));
    let (cont, path) = match rest.find('/') {
        Some(slash) => rest.split_at(slash),
        None => (rest, ""),
    };
    let name = |text| parse_name(text).map_err(|error| error.at(wrong().message()));
    if cont.is_empty() {
        return if path.is_empty() {
            Ok(Address { pool: name(pool)?, cont: None, path: String::new() })
        } else {
            Err(wrong())
        };
    }
    Ok(Address { pool: name(pool)?, cont: Some(name(cont)?), path: path.to_owned() })
}

/// What a [`ATTRIBUTE`] value says.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Link {
    /// Layout of the container (`DAOS_PROP_CO_LAYOUT_*`).
    pub layout: u64,
    /// The pool.
    pub pool: ContName,
    /// The container.
    pub cont: ContName,
}

/// Parses the value of the attribute, `DAOS.<LAYOUT>://<pool>/<cont>`.
///
/// # Errors
/// `INVAL`: of another form; longer than [`ATTRIBUTE_BYTES_MAX`]; an unknown layout.
pub fn parse_attribute(text: &str) -> Result<Link> {
    let wrong = || Error::new(Der::INVAL, format!("\"{}\" is not DAOS.<layout>://pool/container", text.escape_debug()));
    if text.len() > ATTRIBUTE_BYTES_MAX {
        return Err(wrong());
    }
    let rest = text.trim_end_matches('\0').strip_prefix("DAOS.").ok_or_else(wrong)?;
    let (layout, names) = rest.split_once("://").ok_or_else(wrong)?;
    let known = CONT_LAYOUTS.iter().find(|entry| entry.0.eq_ignore_ascii_case(layout)).map(|entry| entry.1);
    let layout = known.filter(|&number| number != CONT_LAYOUT_UNKNOWN).ok_or_else(wrong)?;
    let (pool, cont) = names.split_once('/').ok_or_else(wrong)?;
    let name = |text: &str| parse_name(text.trim()).map_err(|error| error.at(wrong().message()));
    Ok(Link { layout, pool: name(pool)?, cont: name(cont)? })
}

fn text_of(name: &ContName) -> String {
    match name {
        ContName::Uuid(uuid) => uuid.hyphenated().to_string(),
        ContName::Label(label) => label.clone(),
    }
}

impl std::fmt::Display for Address {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{SCHEME}{}", text_of(&self.pool))?;
        self.cont.as_ref().map_or(Ok(()), |cont| write!(f, "/{}{}", text_of(cont), self.path))
    }
}

impl std::fmt::Display for Link {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let layout = CONT_LAYOUTS.iter().find(|entry| entry.1 == self.layout).map_or("unknown", |entry| entry.0);
        write!(f, "DAOS.{layout}://{}/{}", text_of(&self.pool), text_of(&self.cont))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Aim: each form parses and prints back; near misses are refused.
    #[test]
    fn forms() {
        for text in ["daos://p/c", "daos://p/c/", "daos://p/c/a/b", "daos://p"] {
            assert_eq!(parse_address(text).unwrap().to_string(), text);
        }
        assert_eq!(parse_address("daos://p/").unwrap().cont, None);
        for text in ["", "daos:/p/c", "daos://", "daos:///c", "daos://p//x", "daos://p q/c", "http://p/c"] {
            assert!(parse_address(text).is_err(), "{text}");
        }
        let link = parse_attribute("DAOS.POSIX://00000000-0000-0000-0000-000000000001/c1").unwrap();
        assert_eq!(link.layout, 1);
        assert_eq!(link.to_string(), "DAOS.POSIX://00000000-0000-0000-0000-000000000001/c1");
        for text in ["DAOS.NONE://p/c", "DAOS.unknown://p/c", "POSIX://p/c", "DAOS.POSIX://p", "DAOS.POSIX:/p/c"] {
            assert!(parse_attribute(text).is_err(), "{text}");
        }
    }

    proptest! {
        /// Aim: no text panics; what parses prints to something that parses to the same.
        #[test]
        fn any_text(text in "(daos://|DAOS.POSIX://|DAOS.)?[a-c/:. -]{0,40}") {
            if let Ok(address) = parse_address(&text) {
                prop_assert_eq!(&parse_address(&address.to_string()).unwrap(), &address);
            }
            if let Ok(link) = parse_attribute(&text) {
                prop_assert_eq!(&parse_attribute(&link.to_string()).unwrap(), &link);
            }
        }
    }
}
