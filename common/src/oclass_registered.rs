//! Object classes that applications register: an id of their own for a redundancy and a number of groups.
//!
//! The id names attributes in a container. Objects are made with the class that has these attributes, which every object
//! id can carry; so nothing but the maker of ids needs to know of a registration.

use crate::oclass::{ObjectClass, Redundancy, UNKNOWN};
use crate::{Der, Result};

/// Ids from here on are reserved (`OC_RESERVED`).
const RESERVED_FROM: u32 = 1 << 30;
/// Highest placement schema (`DAOS_OS_DYN_CHUNKED`).
const SCHEMA_MAX: u32 = 3;
/// Schema of the classes that come with the system (`DAOS_OS_STRIPED`).
pub const SCHEMA_STRIPED: u32 = 1;
/// Schema of the private ones (`DAOS_OS_SINGLE`).
pub const SCHEMA_SINGLE: u32 = 0;
/// Version of the stored form.
const FORMAT: u32 = 1;

/// A class with the attributes that only its registration knows.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ClassAttributes {
    /// Its redundancy and groups.
    pub class: ObjectClass,
    /// Placement schema (`enum daos_obj_schema`).
    pub schema: u32,
    /// Bytes of a cell of an erasure-coded class; 0 for the container's.
    pub cell_bytes: u32,
}

impl ClassAttributes {
    /// Attributes of a class that comes with the system.
    pub fn of(class: ObjectClass) -> ClassAttributes {
        let schema = if class.is_private() { SCHEMA_SINGLE } else { SCHEMA_STRIPED };
        ClassAttributes { class, schema, cell_bytes: 0 }
    }

    /// Attributes to register.
    ///
    /// # Errors
    /// `INVAL`: no schema has this number, or no class can have this redundancy and number of groups.
    pub fn new(redundancy: Redundancy, groups: u32, schema: u32, cell_bytes: u32) -> Result<ClassAttributes> {
        if schema > SCHEMA_MAX {
            return Err(Der::INVAL.err(format!("unknown object placement schema {schema}")));
        }
        Ok(ClassAttributes { class: ObjectClass::new(redundancy, groups)?, schema, cell_bytes })
    }

    /// The stored form: format, schema, class id, cell bytes, as u32 little endian.
    pub fn to_bytes(self) -> [u8; 16] {
        let mut bytes = [0; 16];
        for (place, value) in bytes.chunks_exact_mut(4).zip([FORMAT, self.schema, self.class.id(), self.cell_bytes]) {
            place.copy_from_slice(&value.to_le_bytes());
        }
        bytes
    }

    /// Reads the stored form.
    ///
    /// # Errors
    /// `DF_INVAL`: it is none.
    pub fn from_bytes(bytes: &[u8]) -> Result<ClassAttributes> {
        let damaged = || Der::DF_INVAL.err("a registered object class is stored in an unknown form");
        let bytes: [u8; 16] = bytes.try_into().map_err(|_| damaged())?;
        let word = |at: usize| u32::from_le_bytes(std::array::from_fn(|byte| bytes[at * 4 + byte]));
        if word(0) != FORMAT || word(1) > SCHEMA_MAX {
            return Err(damaged());
        }
        let class = ObjectClass::from_id(word(2)).map_err(|_| damaged())?;
        Ok(ClassAttributes { class, schema: word(1), cell_bytes: word(3) })
    }
}

/// That an id is free to be registered as far as the system's own classes go.
///
/// # Errors
/// `EXIST`: a class has it; `INVAL`: it is 0 or reserved.
pub fn check_new_id(id: u32) -> Result<()> {
    if ObjectClass::from_id(id).is_ok() {
        return Err(Der::EXIST.err(format!("object class {id:#x} comes with the system")));
    }
    if id == UNKNOWN || id >= RESERVED_FROM {
        return Err(Der::INVAL.err(format!("object class id {id:#x} is reserved")));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oclass::S1;

    /// Aim: what is stored comes back; anything else is refused; taken and reserved ids are told apart.
    #[test]
    fn attributes_and_ids() {
        let attributes = ClassAttributes::new(Redundancy::Erasure { data: 4, parity: 2 }, 3, 2, 65536).unwrap();
        assert_eq!(ClassAttributes::from_bytes(&attributes.to_bytes()).unwrap(), attributes);
        assert!(ClassAttributes::from_bytes(&attributes.to_bytes()[..15]).is_err());
        assert!(ClassAttributes::from_bytes(&[0; 16]).is_err());
        assert!(ClassAttributes::new(Redundancy::Replicas(7), 1, 1, 0).is_err());
        assert!(ClassAttributes::new(Redundancy::Replicas(2), 0, 1, 0).is_err());
        assert!(ClassAttributes::new(Redundancy::Replicas(2), 1, 4, 0).is_err());
        assert_eq!(check_new_id(S1).unwrap_err().code(), Der::EXIST);
        assert_eq!(check_new_id(0).unwrap_err().code(), Der::INVAL);
        assert_eq!(check_new_id(1 << 30).unwrap_err().code(), Der::INVAL);
        assert!(check_new_id(1000).is_ok());
    }
}
