//! Host lists (`node[1-4],nodeX:10001`) and number lists (`0,2-5`, `[0-3]`).

use daos_common::{Der, Result};

/// Most hosts that one list may name: far over any system, far under what hurts.
const HOSTS_MAX: usize = 100_000;

/// Expands a list of hosts, each `host`, `host:port`, `name[1-4,7]suffix` or a comma-separated run of these; a host
/// without port gets `default_port`. Order is kept, repeats are dropped.
///
/// # Errors
/// INVAL naming the item that isn't a host.
pub fn expand_hosts(list: &[String], default_port: u16) -> Result<Vec<String>> {
    let mut hosts: Vec<String> = Vec::new();
    for item in list.iter().flat_map(|text| split_outside_brackets(text)) {
        for name in expand_ranges(item)? {
            let host = with_port(&name, default_port)?;
            if !hosts.contains(&host) {
                hosts.push(host);
            }
            if hosts.len() > HOSTS_MAX {
                return Err(Der::INVAL.err(format!("host list names more than {HOSTS_MAX} hosts")));
            }
        }
    }
    Ok(hosts)
}

/// Expands `0,2-5` or `[0-3]` into its numbers, in ascending order without repeats; empty text gives none.
///
/// # Errors
/// INVAL naming the part that isn't a number or a range.
pub fn expand_numbers(text: &str) -> Result<Vec<u32>> {
    let inner = text.trim();
    let inner = inner.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(inner);
    let mut numbers = Vec::new();
    for part in inner.split(',').map(str::trim).filter(|part| !part.is_empty()) {
        let bad = || Der::INVAL.err(format!("{part:?} in {text:?} is not a number or a range such as 2-5"));
        let (low, high) = part.split_once('-').unwrap_or((part, part));
        let low: u32 = low.trim().parse().map_err(|_| bad())?;
        let high: u32 = high.trim().parse().map_err(|_| bad())?;
        if low > high || (high - low) as usize > HOSTS_MAX {
            return Err(bad());
        }
        numbers.extend(low..=high);
    }
    numbers.sort_unstable();
    numbers.dedup();
    Ok(numbers)
}

fn split_outside_brackets(text: &str) -> Vec<&str> {
    let mut depth = 0usize;
    let items = text.split(move |c| {
        match c {
            '[' => depth += 1,
            ']' => depth = depth.saturating_sub(1),
            _ => {}
        }
        c == ',' && depth == 0
    });
    items.map(str::trim).filter(|item| !item.is_empty()).collect()
}

/// An IPv6 address stands in brackets at the start and holds a colon; other brackets hold ranges.
fn expand_ranges(item: &str) -> Result<Vec<String>> {
    let bad = || Der::INVAL.err(format!("{item:?} is not a host, host:port or a range such as node[1-4]"));
    if item.starts_with('[') && item.split(']').next().is_some_and(|address| address.contains(':')) {
        return Ok(vec![item.to_string()]);
    }
    let Some((before, rest)) = item.split_once('[') else { return Ok(vec![item.to_string()]) };
    let (inside, after) = rest.split_once(']').ok_or_else(bad)?;
    let suffixes = expand_ranges(after)?;
    let mut names = Vec::new();
    for part in inside.split(',') {
        let (low, high) = part.split_once('-').unwrap_or((part, part));
        let width = low.len();
        let (low, high): (u32, u32) = (low.parse().map_err(|_| bad())?, high.parse().map_err(|_| bad())?);
        if low > high || (high - low) as usize > HOSTS_MAX || names.len() > HOSTS_MAX {
            return Err(bad());
        }
        for number in low..=high {
            names.extend(suffixes.iter().map(|suffix| format!("{before}{number:0width$}{suffix}")));
        }
    }
    Ok(names)
}

fn with_port(name: &str, default_port: u16) -> Result<String> {
    let bad = || Der::INVAL.err(format!("{name:?} is not a host or host:port"));
    let (host, port) = match name.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((address, "")) => (format!("[{address}]"), None),
        Some((address, port)) => (format!("[{address}]"), Some(port.strip_prefix(':').ok_or_else(bad)?)),
        None => match name.split_once(':') {
            Some((host, port)) => (host.to_string(), Some(port)),
            None => (name.to_string(), None),
        },
    };
    let legal = |c: char| c.is_ascii_alphanumeric() || "-._[]:%".contains(c);
    if host.is_empty() || !host.chars().all(legal) {
        return Err(bad());
    }
    let port = match port {
        Some(port) => port.parse::<u16>().ok().filter(|port| *port > 0).ok_or_else(bad)?,
        None => default_port,
    };
    Ok(format!("{host}:{port}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hosts(text: &str) -> Vec<String> {
        expand_hosts(&[text.to_string()], 10001).unwrap()
    }

    /// Aim: plain hosts, ports, ranges with leading zeros, IPv6 and repeats expand as documented.
    #[test]
    fn host_lists() {
        assert_eq!(hosts("localhost"), ["localhost:10001"]);
        assert_eq!(hosts("a:7, a:7,b"), ["a:7", "b:10001"]);
        assert_eq!(hosts("n[08-10,12]:5"), ["n08:5", "n09:5", "n10:5", "n12:5"]);
        assert_eq!(hosts("r[1-2]n[1-2]"), ["r1n1:10001", "r1n2:10001", "r2n1:10001", "r2n2:10001"]);
        assert_eq!(hosts("[::1]:9,[fe80::1]"), ["[::1]:9", "[fe80::1]:10001"]);
        for bad in ["a:b", "a:0", ":5", "n[1-", "n[3-1]", "n[x]", "a b", "a:1:2", "n[0-4294967295]"] {
            let error = expand_hosts(&[bad.to_string()], 1).unwrap_err();
            assert_eq!(error.code(), Der::INVAL, "{bad}");
        }
    }

    /// Aim: number lists come back ascending without repeats; junk is refused.
    #[test]
    fn number_lists() {
        assert_eq!(expand_numbers("[0-3]").unwrap(), [0, 1, 2, 3]);
        assert_eq!(expand_numbers("5,2-3,2").unwrap(), [2, 3, 5]);
        assert_eq!(expand_numbers("").unwrap(), [0u32; 0]);
        for bad in ["a", "3-1", "-1", "1-", "0-4294967295"] {
            assert!(expand_numbers(bad).is_err(), "{bad}");
        }
    }
}
