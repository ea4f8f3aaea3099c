//! Property lists from and to the values that `daos_common::props` parses and prints.

use crate::PropList;
use daos_common::Result;
use daos_common::props::{Info, Kind};
use daos_common::wire::pool::{Prop, PropValue};

/// Bytes of the root object ids (`struct daos_prop_co_roots`).
const ROOTS_BYTES: usize = 64;

impl PropList {
    /// A list of these properties, to create something with or to change it.
    ///
    /// # Errors
    /// `INVAL`: a text with a NUL byte.
    pub fn from_values(props: &[Prop]) -> Result<PropList> {
        let mut list = PropList::new();
        for prop in props {
            match &prop.value {
                PropValue::Number(number) => list.set_number(prop.number, *number),
                PropValue::Text(text) => list.set_text(prop.number, text)?,
                PropValue::Bytes(bytes) => list.set_bytes(prop.number, bytes),
            }
        }
        Ok(list)
    }

    /// The value of a property; `None` when this lacks it, and for kinds that have no value form.
    ///
    /// # Errors
    /// `INVAL`: an access control list that isn't one.
    pub fn value(&self, info: &Info) -> Result<Option<PropValue>> {
        Ok(match info.kind {
            Kind::Label | Kind::Principal => self.text(info.number).map(PropValue::Text),
            Kind::Acl => self.acl(info.number)?.map(|acl| PropValue::Bytes(acl.to_bytes())),
            // SAFETY: the property points to a structure of this size.
            Kind::Roots => unsafe { self.bytes(info.number, ROOTS_BYTES) }.map(PropValue::Bytes),
            Kind::Ranks => None,
            _ => self.number(info.number).map(PropValue::Number),
        })
    }
}
