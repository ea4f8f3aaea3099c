//! What every part of the system agrees on and none of it does I/O for: error codes, identifiers, epochs, object
//! classes, the pool map and placement, access control, properties, and the messages of the data plane.
//!
//! Called by everything; imports nothing of ours; opens no file, socket or clock of its own except the wall clock
//! read in [`hlc`].
#![forbid(unsafe_code)]

pub mod acl;
pub mod error;
pub mod flags;
pub mod hash;
pub mod hlc;
pub mod ids;
pub mod iod;
pub mod label;
pub mod oclass;
pub mod oclass_registered;
pub mod pipeline;
pub mod placement;
pub mod pool_map;
pub mod props;
pub mod size;
pub mod telemetry;
pub mod uns;
pub mod wire;

pub use error::{Der, Error, Result};
pub use ids::{Epoch, ObjectId, Rank, TargetIndex, UnitOid};
pub use iod::{Iod, IodKind, Recx};
