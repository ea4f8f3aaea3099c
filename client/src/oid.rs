//! Making object ids: the class from the caller, or from the container's redundancy and the pool's size.

use crate::container::Container;
use daos_common::oclass::{self, Surroundings};
use daos_common::{ObjectId, Result};

/// Property number of the redundancy factor (`DAOS_PROP_CO_REDUN_FAC`).
const PROP_REDUNDANCY_FACTOR: u32 = 0x1007;

impl Container {
    /// The id for the 96 user bits in `user` (`daos_obj_generate_oid`): type `otype`, class `class`, or one chosen for
    /// the type and `hints` when that is 0.
    ///
    /// # Errors
    /// `INVAL`: no such type or class, or the pool is too small for it. A class that was registered in the container and
    /// that this process has not seen yet is asked for: as [`Container::query`].
    pub fn generate_oid(&self, user: ObjectId, otype: u8, class: u32, hints: u32) -> Result<ObjectId> {
        oclass::generate_oid(user, otype, self.resolve_class(class)?, hints, &self.surroundings())
    }

    /// The class that [`Container::generate_oid`] takes when none is named.
    ///
    /// # Errors
    /// As [`Container::generate_oid`].
    pub fn default_class(&self, otype: u8, hints: u32) -> Result<u32> {
        Ok(oclass::choose(otype, hints, &self.surroundings())?.id())
    }

    fn surroundings(&self) -> Surroundings {
        let reserved = std::env::var("D_GX_RESERVED").ok().and_then(|text| text.trim().parse().ok()).unwrap_or(0);
        let factor = self.number_prop(PROP_REDUNDANCY_FACTOR).and_then(|factor| u32::try_from(factor).ok());
        Surroundings::of_pool(&self.pool.map(), self.redundancy_level(), factor.unwrap_or(0), reserved)
    }
}
