//! The check of a caller's version, and our version as one number.

use daos_proto::control::{COMPONENT_KEY, DAOS_VERSION, VERSION_KEY, daos_version};
use tonic::{Request, Status};

/// The version as one number, as `JoinResp.daos_version` has it: 8 bits each.
pub fn packed() -> u32 {
    let (major, minor, patch) = DAOS_VERSION;
    major << 16 | minor << 8 | patch
}

/// Refuses callers whose major version differs. A caller that names no version is let in.
///
/// # Errors
/// FAILED_PRECONDITION naming both versions.
#[allow(clippy::result_large_err)] // tonic's interceptor type
pub fn check_caller(request: Request<()>) -> Result<Request<()>, Status> {
    let metadata = request.metadata();
    let Some(theirs) = metadata.get(VERSION_KEY).and_then(|value| value.to_str().ok()) else {
        return Ok(request);
    };
    let component = metadata.get(COMPONENT_KEY).and_then(|value| value.to_str().ok()).unwrap_or("component");
    let major = theirs.split('.').next().and_then(|part| part.parse::<u32>().ok());
    if major == Some(DAOS_VERSION.0) {
        return Ok(request);
    }
    let ours = daos_version();
    Err(Status::failed_precondition(format!("{component} of version {theirs} can't talk to daos_server {ours}")))
}
