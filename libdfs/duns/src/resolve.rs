//! From a path to pool, container and the path within.

use std::ffi::CString;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use uuid::Uuid;

/// Longest label.
const LABEL_MAX: usize = 127;
/// Name of the extended attribute (`DUNS_XATTR_NAME`).
const XATTR: &std::ffi::CStr = c"user.daos";
/// Longest value of it (`DUNS_MAX_XATTR_LEN`).
const XATTR_MAX_BYTES: usize = 170;
/// Layouts by name; the position is the number (`DAOS_PROP_CO_LAYOUT_*`).
const LAYOUTS: [&str; 9] = ["UNKNOWN", "POSIX", "HDF5", "PYTHON", "SPARK", "DATABASE", "ROOT", "SEISMIC", "METEO"];

/// How to resolve.
#[derive(Clone, Copy, Debug, Default)]
pub struct Options {
    /// The path is `/pool/container/...` with UUIDs.
    pub no_prefix: bool,
    /// Only the path itself may carry the attribute, no folder above it.
    pub no_reverse_lookup: bool,
    /// The path is direct; the file system is not looked at.
    pub no_check_path: bool,
}

/// What a path stands for.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Resolved {
    /// Label or UUID.
    pub pool: String,
    /// Label or UUID; empty when the path names a pool only.
    pub cont: String,
    /// Layout, known only from an attribute.
    pub layout: Option<u32>,
    /// Path within the container, from its root.
    pub rest: Option<Vec<u8>>,
}

/// Resolves a path.
///
/// # Errors
/// EINVAL: neither direct nor on a file system; ENODATA: no folder above it is a container's; errno of the look-ups.
pub fn resolve(path: &Path, options: Options) -> Result<Resolved, i32> {
    let bytes = path.as_os_str().as_bytes();
    if bytes.is_empty() {
        return Err(libc::EINVAL);
    }
    if let Some(resolved) = direct(bytes, options.no_prefix) {
        return Ok(resolved);
    }
    if options.no_check_path {
        return Err(libc::EINVAL);
    }
    on_file_system(path, options.no_reverse_lookup)
}

/// `DAOS.POSIX://pool-uuid/container-uuid`, the attribute's value.
///
/// # Errors
/// EINVAL.
pub fn parse_attribute(value: &[u8]) -> Result<Resolved, i32> {
    let value = value.split(|byte| *byte == 0).next().unwrap_or_default();
    let text = std::str::from_utf8(value).map_err(|_| libc::EINVAL)?;
    let (layout, names) = text.strip_prefix("DAOS.").and_then(|rest| rest.split_once("://")).ok_or(libc::EINVAL)?;
    let layout = LAYOUTS.iter().skip(1).position(|name| name.eq_ignore_ascii_case(layout)).ok_or(libc::EINVAL)? + 1;
    let (pool, cont) = names.split_once('/').ok_or(libc::EINVAL)?;
    let cont = cont.trim_end_matches('/');
    if Uuid::parse_str(pool).is_err() || Uuid::parse_str(cont).is_err() {
        return Err(libc::EINVAL);
    }
    Ok(Resolved { pool: pool.to_owned(), cont: cont.to_owned(), layout: Some(layout as u32), rest: None })
}

fn direct(path: &[u8], no_prefix: bool) -> Option<Resolved> {
    let prefix = b"daos://";
    let names = if no_prefix {
        let start = path.iter().position(|byte| *byte != b'/').filter(|start| *start > 0)?;
        &path[start..]
    } else {
        let head = path.get(..prefix.len())?;
        head.eq_ignore_ascii_case(prefix).then(|| &path[prefix.len()..])?
    };
    let (pool, names) = split_name(names);
    let pool = name(pool, no_prefix)?;
    if names.iter().all(|byte| *byte == b'/') {
        let pool_only = Resolved { pool, ..Resolved::default() };
        return (!no_prefix).then_some(pool_only);
    }
    let (cont, rest) = split_name(&names[1..]);
    let cont = name(cont, no_prefix)?;
    let rest = rest.iter().position(|byte| *byte != b'/').map(|start| [b"/", &rest[start..]].concat());
    Some(Resolved { pool, cont, layout: None, rest })
}

fn split_name(path: &[u8]) -> (&[u8], &[u8]) {
    path.split_at(path.iter().position(|byte| *byte == b'/').unwrap_or(path.len()))
}

/// A label or UUID; only a UUID where `uuid_only`.
fn name(name: &[u8], uuid_only: bool) -> Option<String> {
    let text = std::str::from_utf8(name).ok()?;
    let is_uuid = text.len() == 36 && Uuid::parse_str(text).is_ok();
    let is_label = !text.is_empty()
        && text.len() <= LABEL_MAX
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._:-".contains(&byte));
    (is_uuid || (is_label && !uuid_only)).then(|| text.to_owned())
}

fn on_file_system(path: &Path, no_reverse_lookup: bool) -> Result<Resolved, i32> {
    let real = path.canonicalize().map_err(|error| error.raw_os_error().unwrap_or(libc::EIO))?;
    let mut at = real.as_path();
    loop {
        match attribute(at) {
            Ok(value) => {
                let mut resolved = parse_attribute(&value)?;
                let rest = real.strip_prefix(at).map_err(|_| libc::EIO)?.as_os_str().as_bytes();
                resolved.rest = (!rest.is_empty()).then(|| [b"/", rest].concat());
                return Ok(resolved);
            }
            Err(libc::ENODATA) if !no_reverse_lookup => at = at.parent().ok_or(libc::ENODATA)?,
            Err(errno) => return Err(errno),
        }
    }
}

fn attribute(path: &Path) -> Result<Vec<u8>, i32> {
    let path = CString::new(path.as_os_str().as_bytes()).map_err(|_| libc::EINVAL)?;
    let mut value = [0u8; XATTR_MAX_BYTES];
    // SAFETY: both strings are NUL-terminated and the buffer has the length given.
    let size = unsafe { libc::lgetxattr(path.as_ptr(), XATTR.as_ptr(), value.as_mut_ptr().cast(), value.len()) };
    match usize::try_from(size) {
        Ok(size) => Ok(value[..size].to_vec()),
        Err(_) => Err(std::io::Error::last_os_error().raw_os_error().unwrap_or(libc::EIO)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resolved(path: &str) -> Result<Resolved, i32> {
        resolve(Path::new(path), Options { no_check_path: true, ..Options::default() })
    }

    /// Aim: direct paths of each form, and what is none.
    #[test]
    fn direct_paths() {
        let whole = resolved("daos://pool/cont/dir/file").unwrap();
        assert_eq!((whole.pool.as_str(), whole.cont.as_str()), ("pool", "cont"));
        assert_eq!(whole.rest.as_deref(), Some(&b"/dir/file"[..]));
        assert_eq!(resolved("daos://pool/cont/").unwrap().rest, None);
        assert_eq!(resolved("daos://pool").unwrap().cont, "");
        assert_eq!(resolved("/pool/cont"), Err(libc::EINVAL));
        assert_eq!(resolved("daos://bad name/cont"), Err(libc::EINVAL));
        let uuids = "/f5a8e1b2-5c1f-4c3e-9a55-0d6b1b7c2d3e/01234567-89ab-cdef-0123-456789abcdef/x";
        let options = Options { no_prefix: true, no_check_path: true, ..Options::default() };
        assert_eq!(resolve(Path::new(uuids), options).unwrap().rest.as_deref(), Some(&b"/x"[..]));
        assert!(resolve(Path::new("/pool/cont"), options).is_err());
    }

    /// Aim: the attribute's value parses with and without NUL; other layouts and labels in it are refused.
    #[test]
    fn attribute_values() {
        let value = b"DAOS.POSIX://f5a8e1b2-5c1f-4c3e-9a55-0d6b1b7c2d3e/01234567-89ab-cdef-0123-456789abcdef\0";
        assert_eq!(parse_attribute(value).unwrap().layout, Some(1));
        assert!(parse_attribute(b"DAOS.NONE://a/b").is_err());
        assert!(parse_attribute(b"DAOS.POSIX://pool/cont").is_err());
        assert!(parse_attribute(b"").is_err());
    }
}
