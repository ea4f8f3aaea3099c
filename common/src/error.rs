//! The one error type of the project and the table of DER_ codes.
//!
//! Every failure carries a [`Der`] code (the number an application sees, negated, from the C ABI) and a message
//! that names the thing, the place and, where there is one, the remedy. The numbers are those of `daos_errno.h`
//! and of the `status` field of every management message.

use std::fmt;

/// Result of everything that can fail in this project.
pub type Result<T, E = Error> = std::result::Result<T, E>;

macro_rules! der_table {
    ($($name:ident = $code:literal, $desc:literal;)*) => {
        /// A DER_ error code. The discriminant is the positive number; the C ABI returns it negated.
        #[allow(non_camel_case_types, missing_docs, clippy::upper_case_acronyms)]
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[repr(i32)]
        pub enum Der { $($name = $code,)* }

        impl Der {
            /// Every code, in ascending order.
            pub const ALL: &[Der] = &[$(Der::$name,)*];

            /// The code for a number of either sign; `None` for 0 and for numbers not in the table.
            pub fn from_number(number: i32) -> Option<Der> {
                match number.unsigned_abs() {
                    $($code => Some(Der::$name),)*
                    _ => None,
                }
            }

            /// The upstream name, as `d_errstr` prints it.
            pub fn name(self) -> &'static str {
                match self { $(Der::$name => concat!("DER_", stringify!($name)),)* }
            }

            /// One line on what the code means, as `d_errdesc` prints it.
            pub fn description(self) -> &'static str {
                match self { $(Der::$name => $desc,)* }
            }
        }
    };
}

der_table! {
    NO_PERM = 1001, "no permission";
    NO_HDL = 1002, "invalid handle";
    INVAL = 1003, "invalid parameters";
    EXIST = 1004, "entity already exists";
    NONEXIST = 1005, "the specified entity does not exist";
    UNREACH = 1006, "unreachable node";
    NOSPACE = 1007, "no space on storage target";
    ALREADY = 1008, "operation already performed";
    NOMEM = 1009, "out of memory";
    NOSYS = 1010, "function not implemented";
    TIMEDOUT = 1011, "time out";
    BUSY = 1012, "device or resource busy";
    AGAIN = 1013, "operation would block, try again";
    PROTO = 1014, "incompatible protocol";
    UNINIT = 1015, "not initialised";
    TRUNC = 1016, "buffer too short";
    OVERFLOW = 1017, "data too long for the defined type or buffer";
    CANCELED = 1018, "operation cancelled";
    OOG = 1019, "out-of-group rank";
    HG = 1020, "transport layer error";
    UNREG = 1021, "RPC or protocol version not registered";
    ADDRSTR_GEN = 1022, "address string could not be made";
    PMIX = 1023, "PMIx layer error";
    IVCB_FORWARD = 1024, "callback: cannot handle locally";
    MISC = 1025, "miscellaneous error";
    BADPATH = 1026, "bad path name";
    NOTDIR = 1027, "not a directory";
    CORPC_INCOMPLETE = 1028, "collective RPC failed";
    NO_RAS_RANK = 1029, "no rank subscribed to RAS";
    NOTATTACH = 1030, "service group not attached";
    MISMATCH = 1031, "version mismatch";
    EXCLUDED = 1032, "rank has been excluded";
    NOREPLY = 1033, "no reply for a request";
    DOS = 1034, "denial of service";
    BAD_TARGET = 1035, "wrong target for the RPC";
    GRPVER = 1036, "group versions differ";
    HLC_SYNC = 1037, "clocks too far apart";
    NO_SHMEM = 1038, "not enough shared memory";
    ADD_METRIC_FAILED = 1039, "metric could not be added";
    DURATION_MISMATCH = 1040, "duration end does not match its start";
    OP_NOT_PERMITTED = 1041, "operation not permitted";
    EXCEEDS_PATH_LEN = 1042, "path name exceeds the limit";
    METRIC_NOT_FOUND = 1043, "metric not found";
    SHMEM_PERMS = 1044, "shared memory of another user";
    HG_FATAL = 1045, "fatal transport error";
    QUOTA_LIMIT = 1046, "quota reached";
    IO = 2001, "generic I/O error";
    FREE_MEM = 2002, "memory free error";
    ENOENT = 2003, "entry not found";
    NOTYPE = 2004, "unknown object type";
    NOSCHEMA = 2005, "unknown object schema";
    NOLOCAL = 2006, "object is not local";
    STALE = 2007, "stale pool map version";
    NOTLEADER = 2008, "not the service leader";
    TGT_CREATE = 2009, "target could not be created";
    EP_RO = 2010, "epoch is read-only";
    EP_OLD = 2011, "epoch is too old";
    KEY2BIG = 2012, "key is too large for the buffer";
    REC2BIG = 2013, "record is too large for the buffer";
    IO_INVAL = 2014, "I/O buffers cannot match the object extents";
    EQ_BUSY = 2015, "event queue is busy";
    DOMAIN = 2016, "cluster component cannot be located";
    SHUTDOWN = 2017, "service is shutting down";
    INPROGRESS = 2018, "operation is in progress";
    NOTAPPLICABLE = 2019, "operation is not applicable";
    NOTREPLICA = 2020, "not a service replica";
    CSUM = 2021, "checksum error";
    DF_INVAL = 2022, "durable format is invalid";
    DF_INCOMPT = 2023, "durable format is of an incompatible version";
    REC_SIZE = 2024, "record size error";
    TX_RESTART = 2025, "transaction must restart";
    DATA_LOSS = 2026, "data lost or unrecoverable";
    OP_CANCELED = 2027, "operation cancelled (non-recoverable)";
    TX_BUSY = 2028, "transaction is not yet committed";
    AGENT_INCOMPAT = 2029, "agent is incompatible with libdaos";
    NEED_TX = 2030, "distributed transaction needed";
    RF = 2031, "more failures than the redundancy factor allows";
    FETCH_AGAIN = 2032, "fetch again";
    TX_UNCERTAIN = 2033, "outcome of the transaction is uncertain";
    AGENT_COMM = 2034, "no communication with daos_agent";
    ID_MISMATCH = 2035, "identity mismatch";
    TGT_RETRY = 2036, "retry with another target";
    NOTSUPPORTED = 2037, "operation not supported";
    CONTROL_INCOMPAT = 2038, "control plane is incompatible";
    NO_SERVICE = 2039, "service not available";
    TX_ID_REUSED = 2040, "transaction id may be reused";
    UPDATE_AGAIN = 2041, "update again";
    NVME_IO = 2042, "NVMe I/O error";
    NO_CERT = 2043, "certificate not found";
    BAD_CERT = 2044, "invalid certificate";
    VOS_PARTIAL_UPDATE = 2045, "same epoch partial overwrite of an extent";
    CHKPT_BUSY = 2046, "page is busy with a checkpoint";
    DIV_BY_ZERO = 2047, "division by zero";
    OVERLOAD_RETRY = 2048, "service is overloaded, retry later";
    NOT_RESUME = 2049, "operation cannot be resumed";
    CONT_NONEXIST = 2050, "container does not exist";
    CONT_DESTROYING = 2051, "container is being destroyed";
    IGNORE = 2052, "ignore the result";
    UNKNOWN = 501000, "unknown error";
}

impl Der {
    /// The negative number that the C ABI and the `status` fields carry.
    pub fn rc(self) -> i32 {
        -(self as i32)
    }

    /// An error with this code and a message.
    pub fn err(self, message: impl Into<String>) -> Error {
        Error::new(self, message)
    }

    /// The errno value for this code, by upstream's `daos_der2errno` table (`daos/common.h`); others become EIO.
    pub fn errno(self) -> i32 {
        // Linux numbers, so that `common` needs no libc.
        match self {
            Der::NO_PERM | Der::EP_RO | Der::EP_OLD | Der::CONT_DESTROYING => 1,
            Der::ENOENT | Der::NONEXIST => 2,
            Der::KEY2BIG | Der::REC2BIG => 7,
            Der::AGAIN => 11,
            Der::NOMEM | Der::DOS => 12,
            Der::BUSY | Der::EQ_BUSY => 16,
            Der::EXIST => 17,
            Der::NOTDIR | Der::BADPATH => 20,
            Der::INVAL | Der::NOTYPE | Der::NOSCHEMA | Der::NOLOCAL | Der::NO_HDL | Der::IO_INVAL => 22,
            Der::NOSPACE => 28,
            Der::PROTO => 71,
            Der::OVERFLOW => 75,
            Der::TX_RESTART => 85,
            Der::NOTSUPPORTED => 95,
            Der::TIMEDOUT => 110,
            Der::UNREACH => 113,
            Der::ALREADY => 114,
            Der::STALE => 116,
            Der::CANCELED => 125,
            _ => 5,
        }
    }
}

impl fmt::Debug for Der {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}({})", self.name(), self.rc())
    }
}

impl fmt::Display for Der {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}({}): {}", self.name(), self.rc(), self.description())
    }
}

/// A failure: its DER_ code and a message for people.
#[derive(Clone, PartialEq, Eq)]
pub struct Error {
    code: Der,
    message: String,
}

impl Error {
    /// An error with `code`; `message` names the thing, the place and the remedy.
    pub fn new(code: Der, message: impl Into<String>) -> Error {
        Error { code, message: message.into() }
    }

    /// The DER_ code.
    pub fn code(&self) -> Der {
        self.code
    }

    /// The negative number for the C ABI and `status` fields.
    pub fn rc(&self) -> i32 {
        self.code.rc()
    }

    /// The message without the code.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// The error with "`place`: " in front of its message.
    pub fn at(mut self, place: impl fmt::Display) -> Error {
        self.message = if self.message.is_empty() { place.to_string() } else { format!("{place}: {}", self.message) };
        self
    }

    /// The error that a `status` or `rc` number of either sign stands for; 0 is `Ok`.
    pub fn from_status(number: i32, what: impl fmt::Display) -> Result<()> {
        match number {
            0 => Ok(()),
            _ => Err(Error::new(Der::from_number(number).unwrap_or(Der::MISC), format!("{what} failed ({number})"))),
        }
    }
}

impl From<Der> for Error {
    fn from(code: Der) -> Error {
        Error { code, message: String::new() }
    }
}

impl From<std::io::Error> for Error {
    fn from(error: std::io::Error) -> Error {
        use std::io::ErrorKind;
        let code = match error.kind() {
            ErrorKind::NotFound => Der::NONEXIST,
            ErrorKind::PermissionDenied => Der::NO_PERM,
            ErrorKind::AlreadyExists => Der::EXIST,
            ErrorKind::TimedOut => Der::TIMEDOUT,
            ErrorKind::InvalidInput => Der::INVAL,
            ErrorKind::StorageFull => Der::NOSPACE,
            ErrorKind::OutOfMemory => Der::NOMEM,
            ErrorKind::ConnectionRefused | ErrorKind::ConnectionReset | ErrorKind::HostUnreachable => Der::UNREACH,
            ErrorKind::AddrInUse | ErrorKind::ResourceBusy => Der::BUSY,
            _ => Der::IO,
        };
        Error::new(code, error.to_string())
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}: {}", self.code, self.message)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.message.is_empty() {
            return self.code.fmt(f);
        }
        write!(f, "{} [{}({})]", self.message, self.code.name(), self.rc())
    }
}

impl std::error::Error for Error {}

#[cfg(test)]
mod tests {
    use super::*;

    /// Aim: numbers of either sign find their code, and the table is in ascending order without repeats.
    #[test]
    fn numbers_and_names_agree() {
        assert_eq!(Der::from_number(-1003), Some(Der::INVAL));
        assert_eq!(Der::from_number(2021), Some(Der::CSUM));
        assert_eq!(Der::from_number(0), None);
        assert_eq!(Der::INVAL.name(), "DER_INVAL");
        assert!(Der::ALL.windows(2).all(|pair| pair[0] < pair[1]));
    }
}
