//! Reading of arguments.

use daos_common::label::parse_name;
use daos_common::oclass::ObjectClass;
use daos_common::props::{CONT_LAYOUT_UNKNOWN, CONT_LAYOUTS};
use daos_common::size::parse_size;
use daos_common::{Der, Error, Result};
use std::path::Path;

/// Checks that `name` is a label or a UUID.
///
/// # Errors
/// INVAL naming `what` it should be of.
pub fn check_name(name: &str, what: &str) -> Result<()> {
    parse_name(name).map(|_| ()).map_err(|error| error.at(what))
}

/// The number of a container layout by its name, in any case; none given is "unknown".
///
/// # Errors
/// INVAL: no such layout; lists them.
pub fn layout(name: Option<&str>) -> Result<u64> {
    let Some(name) = name else { return Ok(CONT_LAYOUT_UNKNOWN) };
    let found = CONT_LAYOUTS.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
    let names: Vec<&str> = CONT_LAYOUTS.iter().map(|(name, _)| *name).collect();
    match found {
        Some((_, number)) => Ok(*number),
        None => Err(Der::INVAL.err(format!("--type {name:?}: unknown layout (there are: {})", names.join(", ")))),
    }
}

/// The id of an object class by its name; none given is 0, the library's choice.
///
/// # Errors
/// INVAL naming the option.
pub fn class(option: &str, name: Option<&str>) -> Result<u32> {
    name.map_or(Ok(0), |name| ObjectClass::from_name(&name.to_uppercase()).map(ObjectClass::id))
        .map_err(|error| error.at(option))
}

/// The bytes of a chunk; none given is 0, the library's choice.
///
/// # Errors
/// INVAL: not a size over 0.
pub fn chunk_size(text: Option<&str>) -> Result<u64> {
    let Some(text) = text else { return Ok(0) };
    match parse_size(text).map_err(|error| error.at("--chunk-size"))? {
        0 => Err(Der::INVAL.err("--chunk-size: 0 bytes")),
        bytes => Ok(bytes),
    }
}

/// The number of a consistency mode; none given is relaxed.
///
/// # Errors
/// INVAL: neither relaxed nor balanced.
pub fn mode(name: Option<&str>) -> Result<u32> {
    match name.map(str::to_lowercase).as_deref() {
        None | Some("relaxed") => Ok(0),
        Some("balanced") => Ok(4),
        Some(other) => Err(Der::INVAL.err(format!("--mode {other:?}: expected relaxed or balanced"))),
    }
}

/// The names of a list `a,b`.
pub fn names(list: Option<&str>) -> Vec<String> {
    list.unwrap_or_default().split(',').map(str::trim).filter(|name| !name.is_empty()).map(str::to_string).collect()
}

/// The pairs of a list `name:value,...`.
///
/// # Errors
/// INVAL naming the item that isn't a pair.
pub fn pairs(list: &str) -> Result<Vec<(String, Vec<u8>)>> {
    let pair = |item: &str| match item.split_once(':') {
        Some((name, value)) if !name.trim().is_empty() && !value.is_empty() => {
            Ok((name.trim().to_string(), value.as_bytes().to_vec()))
        }
        _ => Err(Der::INVAL.err(format!("{item:?}: expected name:value"))),
    };
    list.split(',').map(pair).collect()
}

/// The numbers of a list `0,2-5` or `[0-3]`.
///
/// # Errors
/// INVAL naming the part that isn't a number or a range.
pub fn numbers(text: &str) -> Result<Vec<u32>> {
    let inner = text.trim();
    let inner = inner.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(inner);
    let mut numbers = Vec::new();
    for part in inner.split(',').map(str::trim).filter(|part| !part.is_empty()) {
        let bad = || Der::INVAL.err(format!("{part:?} in {text:?} is not a number or a range such as 2-5"));
        let (low, high) = part.split_once('-').unwrap_or((part, part));
        let (low, high): (u32, u32) = (low.parse().map_err(|_| bad())?, high.parse().map_err(|_| bad())?);
        if low > high || high - low > 100_000 {
            return Err(bad());
        }
        numbers.extend(low..=high);
    }
    numbers.sort_unstable();
    numbers.dedup();
    Ok(numbers)
}

/// A principal from the command line: a bare name gets its `@`.
pub fn principal(name: &str) -> String {
    if name.contains('@') { name.to_string() } else { format!("{name}@") }
}

/// Reads a text file.
///
/// # Errors
/// NONEXIST, NO_PERM, IO, with the path.
pub fn read(path: &Path) -> Result<String> {
    std::fs::read_to_string(path).map_err(|error| Error::from(error).at(path.display()))
}

/// Writes a text file; one that is there is overwritten only with `force`.
///
/// # Errors
/// EXIST, NO_PERM, NOSPACE, IO, with the path.
pub fn write(path: &Path, text: &str, force: bool) -> Result<()> {
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

    /// Aim: the options of a container are understood, in any case where names are, and junk is refused.
    #[test]
    fn container_options() {
        assert_eq!(layout(Some("posix")).unwrap(), 1);
        assert_eq!(layout(None).unwrap(), 0);
        assert!(layout(Some("tape")).unwrap_err().message().contains("POSIX"));
        assert_eq!(class("--oclass", Some("sx")).unwrap(), 1 << 24 | 0xffff);
        assert_eq!(class("--oclass", None).unwrap(), 0);
        assert!(class("--oclass", Some("Q9")).unwrap_err().message().starts_with("--oclass"));
        assert_eq!(chunk_size(Some("1MiB")).unwrap(), 1 << 20);
        assert!(chunk_size(Some("0")).is_err() && chunk_size(Some("big")).is_err());
        assert_eq!((mode(Some("Balanced")).unwrap(), mode(None).unwrap()), (4, 0));
        assert!(mode(Some("strict")).is_err());
    }

    /// Aim: lists and pairs are read strictly; a value may hold colons.
    #[test]
    fn lists() {
        assert_eq!(pairs("a:b:c").unwrap(), [("a".to_string(), b"b:c".to_vec())]);
        assert!(pairs("a").is_err() && pairs("a:").is_err() && pairs(":b").is_err() && pairs("").is_err());
        assert_eq!(names(Some("a, b,,")), ["a", "b"]);
        assert_eq!(numbers("[0-2],5".trim_end_matches(",5")).unwrap(), [0, 1, 2]);
        assert!(numbers("2-1").is_err() && numbers("x").is_err());
        assert_eq!(principal("joe"), "joe@");
        assert!(check_name("a b", "pool").unwrap_err().message().starts_with("pool"));
    }
}
