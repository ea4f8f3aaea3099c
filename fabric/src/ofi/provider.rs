//! Which libfabric provider a name such as `ofi+tcp` means, and what it offers.
//!
//! | name | providers, first found wins |
//! |---|---|
//! | `ofi+tcp` | `tcp` (reliable datagrams over TCP, libfabric 2), `net` (the same, 1.16 to 1.17), `tcp;ofi_rxm` |
//! | `ofi+tcp;ofi_rxm`, `ofi+verbs;ofi_rxm`, `ofi+shm`, `ofi+sockets`, any other `ofi+X` | X |
//!
//! Both ends must have the same: `tcp` and `net` understand each other, `tcp;ofi_rxm` is another protocol.

use super::address::interface_address;
use super::rc_error;
use crate::FabricConfig;
use daos_common::{Der, Error, Result};
use libfabric_sys as lf;
use std::ffi::{CStr, CString};

/// A provider's description, freed on drop.
pub(crate) struct Info(*mut lf::fi_info);

impl Info {
    pub(crate) fn as_ptr(&self) -> *mut lf::fi_info {
        self.0
    }

    pub(crate) fn get(&self) -> &lf::fi_info {
        // SAFETY: never null, see `get_info`.
        unsafe { &*self.0 }
    }

    pub(crate) fn domain(&self) -> &lf::fi_domain_attr {
        // SAFETY: libfabric fills the attributes of every info.
        unsafe { &*self.get().domain_attr }
    }

    pub(crate) fn endpoint(&self) -> &lf::fi_ep_attr {
        // SAFETY: as in `domain`.
        unsafe { &*self.get().ep_attr }
    }

    pub(crate) fn transmit(&self) -> &lf::fi_tx_attr {
        // SAFETY: as in `domain`.
        unsafe { &*self.get().tx_attr }
    }

    pub(crate) fn receive(&self) -> &lf::fi_rx_attr {
        // SAFETY: as in `domain`.
        unsafe { &*self.get().rx_attr }
    }

    /// libfabric's name of the provider.
    pub(crate) fn provider_name(&self) -> String {
        // SAFETY: filled by libfabric; the name is NUL-terminated.
        unsafe { CStr::from_ptr((*self.get().fabric_attr).prov_name).to_string_lossy().into_owned() }
    }
}

impl Drop for Info {
    fn drop(&mut self) {
        // SAFETY: made by libfabric, freed once.
        unsafe { lf::fi_freeinfo(self.0) };
    }
}

/// The providers that `name` may mean, best first.
fn candidates(name: &str) -> Result<Vec<&str>> {
    match name {
        "ofi+tcp" => Ok(vec!["tcp", "net", "tcp;ofi_rxm"]),
        _ => match name.strip_prefix("ofi+") {
            Some(provider) if !provider.is_empty() => Ok(vec![provider]),
            _ => Err(Error::new(
                Der::INVAL,
                format!("unknown fabric provider {name:?}; use ofi+tcp, ofi+tcp;ofi_rxm, ofi+verbs;ofi_rxm or ofi+shm"),
            )),
        },
    }
}

/// Finds the provider for a configuration.
///
/// # Errors
/// `INVAL`: unknown name, no such interface, or the installed libfabric has none of the providers.
pub(crate) fn choose(config: &FabricConfig) -> Result<Info> {
    let names = candidates(&config.provider)?;
    let mut last = None;
    for name in &names {
        match get_info(name, config) {
            Ok(info) => return Ok(info),
            // Only "no such thing here" lets the next name be tried.
            Err(error) => last = Some(error),
        }
    }
    let reason = last.map(|error| format!(" ({})", error.message())).unwrap_or_default();
    // SAFETY: no arguments.
    let version = unsafe { lf::fi_version() };
    Err(Error::new(
        Der::INVAL,
        format!(
            "libfabric {}.{} offers no reliable datagram endpoint for provider {}{}{}: tried {}; `fi_info -l` lists \
             what it has",
            version >> 16,
            version & 0xffff,
            config.provider,
            config.interface.as_ref().map(|name| format!(" on interface {name}")).unwrap_or_default(),
            reason,
            names.join(", "),
        ),
    ))
}

/// What one provider offers for the configuration.
fn get_info(provider: &str, config: &FabricConfig) -> Result<Info> {
    let speaks_ip = !matches!(provider, "shm" | "psm" | "psm2" | "psm3");
    // SAFETY: a fresh hints object or null.
    let hints = unsafe { lf::lf_allocinfo() };
    if hints.is_null() {
        return Err(Error::new(Der::NOMEM, "no memory for a fabric description"));
    }
    let hints = Info(hints);
    let text = |what: &str, value: &str| {
        CString::new(value).map_err(|_| Error::new(Der::INVAL, format!("{what} {value:?} holds a NUL byte")))
    };
    let (provider_c, domain_c) =
        (text("provider", provider)?, config.domain.as_deref().map(|d| text("domain", d)).transpose()?);
    // SAFETY: the hints and their attributes are valid; strings are given as malloc'ed copies, which libfabric frees.
    unsafe {
        let info = &mut *hints.as_ptr();
        info.caps = lf::LF_MSG | lf::LF_RMA;
        info.mode = lf::LF_CONTEXT | lf::LF_CONTEXT2;
        (*info.ep_attr).type_ = lf::LF_EP_RDM as _;
        (*info.fabric_attr).prov_name = libc::strdup(provider_c.as_ptr());
        let domain = &mut *info.domain_attr;
        domain.mr_mode =
            lf::LF_MR_LOCAL | lf::LF_MR_VIRT_ADDR | lf::LF_MR_ALLOCATED | lf::LF_MR_PROV_KEY | lf::LF_MR_ENDPOINT;
        domain.threading = lf::LF_THREAD_DOMAIN as _;
        lf::lf_manual_progress(domain);
        if let Some(name) = &domain_c {
            domain.name = libc::strdup(name.as_ptr());
        }
    }
    let node = match &config.interface {
        Some(name) if speaks_ip => Some(interface_address(name)?),
        _ => None,
    };
    let node_c = node.map(|ip| text("address", &ip.to_string())).transpose()?;
    let port_c = match config.port {
        Some(port) if speaks_ip => Some(text("port", &port.to_string())?),
        _ => None,
    };
    let pointer = |value: &Option<CString>| value.as_ref().map_or(std::ptr::null(), |c| c.as_ptr());
    let flags = if node_c.is_some() || port_c.is_some() { lf::LF_SOURCE } else { 0 };
    let mut found: *mut lf::fi_info = std::ptr::null_mut();
    // SAFETY: valid strings or null, valid hints; `found` receives a list that `Info` frees.
    let rc = unsafe {
        lf::fi_getinfo(lf::LF_API_VERSION, pointer(&node_c), pointer(&port_c), flags, hints.as_ptr(), &mut found)
    };
    if rc != 0 || found.is_null() {
        return Err(rc_error(Der::INVAL, rc.into(), &format!("provider {provider}")));
    }
    let list = Info(found);
    pick(list, provider)
}

/// The first of a list that is the provider asked for: a request for `tcp` may be answered with a layered one. Of
/// several addresses, an IPv4 one.
fn pick(list: Info, provider: &str) -> Result<Info> {
    let mut best: *mut lf::fi_info = std::ptr::null_mut();
    let mut entry = list.as_ptr();
    while !entry.is_null() {
        // SAFETY: an entry of libfabric's list.
        let (name, format, next) = unsafe {
            let name = CStr::from_ptr((*(*entry).fabric_attr).prov_name).to_string_lossy().into_owned();
            (name, (*entry).addr_format, (*entry).next)
        };
        let is_v4 = format == lf::LF_SOCKADDR_IN;
        if name == provider && (best.is_null() || is_v4) {
            best = entry;
            if is_v4 {
                break;
            }
        }
        entry = next;
    }
    if best.is_null() {
        return Err(Error::new(Der::INVAL, format!("provider {provider} has no reliable datagram endpoint")));
    }
    // SAFETY: duplicates one entry; the list is freed on return.
    let copy = unsafe { lf::fi_dupinfo(best) };
    if copy.is_null() {
        return Err(Error::new(Der::NOMEM, "no memory for a fabric description"));
    }
    Ok(Info(copy))
}
