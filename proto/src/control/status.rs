//! DER_ codes through gRPC: the number travels in metadata `x-daos-status` beside the gRPC code and the message.

use daos_common::{Der, Error};
use tonic::metadata::{Ascii, MetadataValue};
use tonic::{Code, Status};

/// Metadata key of the negative DER_ number.
pub const STATUS_KEY: &str = "x-daos-status";

/// The gRPC status that carries `error`, to answer a call with.
pub fn status_of(error: &Error) -> Status {
    let mut status = Status::new(grpc_code(error.code()), error.message());
    if let Ok(number) = error.rc().to_string().parse::<MetadataValue<Ascii>>() {
        status.metadata_mut().insert(STATUS_KEY, number);
    }
    status
}

/// The error that `status` carries: its DER_ code when it has one, else the nearest to the gRPC code.
pub fn error_of(status: &Status) -> Error {
    let code = der_of(status).unwrap_or(match status.code() {
        Code::Unavailable => Der::UNREACH,
        Code::DeadlineExceeded => Der::TIMEDOUT,
        Code::Cancelled => Der::CANCELED,
        Code::InvalidArgument | Code::OutOfRange => Der::INVAL,
        Code::NotFound => Der::NONEXIST,
        Code::AlreadyExists => Der::EXIST,
        Code::PermissionDenied | Code::Unauthenticated => Der::NO_PERM,
        Code::ResourceExhausted => Der::NOSPACE,
        Code::Unimplemented => Der::NOSYS,
        _ => Der::MISC,
    });
    let message = match status.message() {
        "" => format!("gRPC status {:?}", status.code()),
        message => message.to_string(),
    };
    code.err(message)
}

/// Whether a server put a DER_ code on it.
pub fn carries_der(status: &Status) -> bool {
    der_of(status).is_some()
}

fn der_of(status: &Status) -> Option<Der> {
    let number = status.metadata().get(STATUS_KEY)?.to_str().ok()?.parse().ok()?;
    Der::from_number(number)
}

fn grpc_code(code: Der) -> Code {
    match code {
        Der::INVAL | Der::NOTDIR | Der::BADPATH => Code::InvalidArgument,
        Der::NONEXIST | Der::ENOENT | Der::CONT_NONEXIST => Code::NotFound,
        Der::EXIST | Der::ALREADY => Code::AlreadyExists,
        Der::NO_PERM | Der::NO_CERT | Der::BAD_CERT => Code::PermissionDenied,
        Der::NOSPACE | Der::NOMEM | Der::QUOTA_LIMIT => Code::ResourceExhausted,
        Der::TIMEDOUT => Code::DeadlineExceeded,
        Der::UNREACH | Der::AGAIN | Der::SHUTDOWN | Der::NOTLEADER | Der::NOTREPLICA => Code::Unavailable,
        Der::BUSY | Der::CONTROL_INCOMPAT | Der::UNINIT => Code::FailedPrecondition,
        Der::NOSYS | Der::NOTSUPPORTED => Code::Unimplemented,
        Der::CANCELED => Code::Cancelled,
        _ => Code::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Aim: every DER_ code comes back from the status it is put in, with its message.
    #[test]
    fn codes_survive() {
        for code in Der::ALL {
            let back = error_of(&status_of(&code.err("pool tank: no")));
            assert_eq!((back.code(), back.message()), (*code, "pool tank: no"));
        }
        assert_eq!(error_of(&Status::unavailable("gone")).code(), Der::UNREACH);
        assert_eq!(error_of(&Status::new(Code::Unknown, "")).code(), Der::MISC);
    }
}
