//! Addresses: interface names, sockaddrs as libfabric has them, and URIs.

use daos_common::{Der, Error, Result};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// The first address of a network interface, IPv4 before IPv6.
///
/// # Errors
/// `INVAL`: no such interface, or it has no address.
pub(crate) fn interface_address(name: &str) -> Result<IpAddr> {
    let mut list: *mut libc::ifaddrs = std::ptr::null_mut();
    // SAFETY: `list` receives a list that is freed below.
    if unsafe { libc::getifaddrs(&mut list) } != 0 {
        return Err(Error::from(std::io::Error::last_os_error()).at("list of network interfaces"));
    }
    let (mut known, mut v4, mut v6) = (Vec::new(), None, None);
    let mut entry = list;
    while !entry.is_null() {
        // SAFETY: an entry of the list, with a NUL-terminated name and an address or null.
        let (entry_name, address, next) = unsafe {
            let e = &*entry;
            (std::ffi::CStr::from_ptr(e.ifa_name).to_string_lossy().into_owned(), sockaddr_ip(e.ifa_addr), e.ifa_next)
        };
        if entry_name == name {
            match address {
                Some(IpAddr::V4(a)) => v4 = v4.or(Some(a)),
                // Link-local addresses need a scope that a URI doesn't carry.
                Some(IpAddr::V6(a)) if !a.is_unicast_link_local() => v6 = v6.or(Some(a)),
                _ => {}
            }
        }
        if !known.contains(&entry_name) {
            known.push(entry_name);
        }
        entry = next;
    }
    // SAFETY: the list of `getifaddrs`.
    unsafe { libc::freeifaddrs(list) };
    let found = v4.map(IpAddr::V4).or(v6.map(IpAddr::V6));
    found.ok_or_else(|| match known.iter().any(|k| k == name) {
        true => Error::new(Der::INVAL, format!("network interface {name} has no IP address")),
        false => Error::new(Der::INVAL, format!("no network interface {name}; this machine has {}", known.join(", "))),
    })
}

/// # Safety
/// `address` is null or points to a whole sockaddr of its family.
unsafe fn sockaddr_ip(address: *const libc::sockaddr) -> Option<IpAddr> {
    if address.is_null() {
        return None;
    }
    // SAFETY: the caller's promise; the family tells the type.
    unsafe {
        match i32::from((*address).sa_family) {
            libc::AF_INET => {
                let v4 = address.cast::<libc::sockaddr_in>().read_unaligned();
                Some(IpAddr::V4(Ipv4Addr::from(u32::from_be(v4.sin_addr.s_addr))))
            }
            libc::AF_INET6 => {
                let v6 = address.cast::<libc::sockaddr_in6>().read_unaligned();
                Some(IpAddr::V6(Ipv6Addr::from(v6.sin6_addr.s6_addr)))
            }
            _ => None,
        }
    }
}

/// The bytes of a `sockaddr_in` or `sockaddr_in6`.
pub(crate) fn sockaddr_bytes(address: SocketAddr) -> Vec<u8> {
    match address {
        SocketAddr::V4(v4) => {
            let mut out = vec![0u8; 16];
            out[0..2].copy_from_slice(&(libc::AF_INET as u16).to_ne_bytes());
            out[2..4].copy_from_slice(&v4.port().to_be_bytes());
            out[4..8].copy_from_slice(&v4.ip().octets());
            out
        }
        SocketAddr::V6(v6) => {
            let mut out = vec![0u8; 28];
            out[0..2].copy_from_slice(&(libc::AF_INET6 as u16).to_ne_bytes());
            out[2..4].copy_from_slice(&v6.port().to_be_bytes());
            out[8..24].copy_from_slice(&v6.ip().octets());
            out
        }
    }
}

/// The address in the bytes of a `sockaddr_in` or `sockaddr_in6`.
pub(crate) fn socket_address(bytes: &[u8]) -> Option<SocketAddr> {
    let family = u16::from_ne_bytes(bytes.get(0..2)?.try_into().ok()?);
    let port = u16::from_be_bytes(bytes.get(2..4)?.try_into().ok()?);
    match (i32::from(family), bytes.len()) {
        (libc::AF_INET, 16) => {
            let octets: [u8; 4] = bytes[4..8].try_into().ok()?;
            Some(SocketAddr::from((octets, port)))
        }
        (libc::AF_INET6, 28) => {
            let octets: [u8; 16] = bytes[8..24].try_into().ok()?;
            Some(SocketAddr::from((octets, port)))
        }
        _ => None,
    }
}

/// `provider://host:port` for sockaddrs, `provider://hex:...` for any other kind of address.
pub(crate) fn format_uri(provider: &str, address: &[u8]) -> String {
    match socket_address(address) {
        Some(socket) => format!("{provider}://{socket}"),
        None => {
            let hex: String = address.iter().map(|byte| format!("{byte:02x}")).collect();
            format!("{provider}://hex:{hex}")
        }
    }
}

/// The address in a URI of `provider`.
///
/// # Errors
/// `INVAL`: another provider's URI, or none at all.
pub(crate) fn parse_uri(provider: &str, uri: &str) -> Result<Vec<u8>> {
    let Some((scheme, place)) = uri.split_once("://") else {
        return Err(Error::new(Der::INVAL, format!("{uri:?} is not a fabric URI; expected {provider}://host:port")));
    };
    if scheme != provider {
        return Err(Error::new(
            Der::INVAL,
            format!("{uri}: this side's provider is {provider}; both sides must use the same"),
        ));
    }
    let address = match place.strip_prefix("hex:") {
        Some(hex) => parse_hex(hex),
        None => place.parse::<SocketAddr>().ok().map(sockaddr_bytes),
    };
    address.ok_or_else(|| Error::new(Der::INVAL, format!("{uri}: {place:?} is not an IP address and port")))
}

fn parse_hex(hex: &str) -> Option<Vec<u8>> {
    if hex.is_empty() || hex.len() > 510 || !hex.is_ascii() {
        return None;
    }
    hex.as_bytes().chunks(2).map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Aim: URIs of IPv4, IPv6 and opaque addresses come back to the same bytes; wrong ones are INVAL.
    #[test]
    fn uris() {
        for place in ["127.0.0.1:31416", "[::1]:7", "hex:00ff10"] {
            let uri = format!("ofi+tcp://{place}");
            assert_eq!(format_uri("ofi+tcp", &parse_uri("ofi+tcp", &uri).unwrap()), uri);
        }
        let wrong = ["", "127.0.0.1:1", "ofi+verbs://127.0.0.1:1", "ofi+tcp://host", "ofi+tcp://127.0.0.1:70000"];
        for uri in wrong.into_iter().chain(["ofi+tcp://hex:", "ofi+tcp://hex:xyz", "ofi+tcp://hex:\u{e9}\u{e9}"]) {
            assert_eq!(parse_uri("ofi+tcp", uri).unwrap_err().code(), Der::INVAL, "{uri}");
        }
    }

    /// Aim: `lo` is 127.0.0.1; an unknown interface is an error that lists the known ones.
    #[test]
    fn interfaces() {
        assert_eq!(interface_address("lo").unwrap(), IpAddr::V4(Ipv4Addr::LOCALHOST));
        let error = interface_address("nosuch0").unwrap_err();
        assert_eq!(error.code(), Der::INVAL);
        assert!(error.message().contains("nosuch0") && error.message().contains("lo"));
    }
}
