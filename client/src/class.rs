//! Object classes of a container: those that come with the system, and those that were registered in it.
//!
//! A registration is an attribute of the container with a name that no application's attribute has; so it is as durable,
//! as shared and as protected as they are. It never changes and never goes, so this process remembers those it has seen.

use crate::container::Container;
use crate::context::{Context, block_on};
use crate::fork::Shared;
use daos_common::oclass::{self, ObjectClass, UNKNOWN};
use daos_common::oclass_registered::{ClassAttributes, check_new_id};
use daos_common::wire::pool::AttrAction;
use daos_common::{Der, Result};
use std::collections::BTreeMap;
use std::rc::Rc;
use uuid::Uuid;

/// What names of attributes that are ours begin with.
pub(crate) const HIDDEN_PREFIX: &str = "\u{1}daos.";
/// What names of registrations begin with; the id follows in 8 hexadecimal digits.
const CLASS_PREFIX: &str = "\u{1}daos.oclass.";

/// Registrations that were seen, by container and id.
static SEEN: Shared<BTreeMap<(Uuid, u32), ClassAttributes>> = Shared::new(BTreeMap::new());

fn attribute(id: u32) -> String {
    format!("{CLASS_PREFIX}{id:08x}")
}

impl Container {
    /// Registers a class: an id of its own for attributes. It stays for the container's life.
    ///
    /// # Errors
    /// `EXIST`: the id is taken, by the system or a registration; `INVAL`: it is 0 or reserved; `NO_PERM`: opened for
    /// reading; as [`Container::query`].
    pub async fn register_class(&self, context: &Rc<Context>, id: u32, attributes: ClassAttributes) -> Result<()> {
        check_new_id(id)?;
        if self.registered(context, id).await?.is_some() {
            return Err(Der::EXIST.err(format!("object class {id:#x} is registered already")));
        }
        let value = attributes.to_bytes().to_vec();
        self.raw_attributes(context, AttrAction::Set(vec![(attribute(id), value)])).await?;
        // Another process may have been as fast.
        match self.registered(context, id).await? {
            Some(stored) if stored == attributes => Ok(()),
            _ => Err(Der::EXIST.err(format!("object class {id:#x} was registered by another"))),
        }
    }

    /// Attributes of a class.
    ///
    /// # Errors
    /// `NONEXIST`: no class has this id; as [`Container::query`].
    pub async fn query_class(&self, context: &Rc<Context>, id: u32) -> Result<ClassAttributes> {
        if let Ok(class) = ObjectClass::from_id(id) {
            return Ok(ClassAttributes::of(class));
        }
        let unknown = || Der::NONEXIST.err(format!("no object class has id {id:#x}"));
        if id == UNKNOWN {
            return Err(unknown());
        }
        self.registered(context, id).await?.ok_or_else(unknown)
    }

    /// All classes: the customary ones of the system, then the registered ones by id.
    ///
    /// # Errors
    /// As [`Container::query`].
    pub async fn list_classes(&self, context: &Rc<Context>) -> Result<Vec<(u32, ClassAttributes)>> {
        let customary = oclass::names().into_iter().filter_map(|name| ObjectClass::from_name(&name).ok());
        let mut classes: Vec<_> = customary.map(|class| (class.id(), ClassAttributes::of(class))).collect();
        let names = self.raw_attributes(context, AttrAction::List).await?.names;
        let id = |name: String| u32::from_str_radix(name.strip_prefix(CLASS_PREFIX)?, 16).ok();
        let mut ids: Vec<u32> = names.into_iter().filter_map(id).collect();
        ids.sort_unstable();
        for id in ids {
            if let Some(attributes) = self.registered(context, id).await? {
                classes.push((id, attributes));
            }
        }
        Ok(classes)
    }

    /// The class that objects of class `id` are made with: that of a registration, else `id` itself.
    ///
    /// # Errors
    /// As [`Container::query`].
    pub(crate) fn resolve_class(&self, id: u32) -> Result<u32> {
        if id == UNKNOWN || check_new_id(id).is_err() {
            return Ok(id);
        }
        let registered = block_on(|context| async move { self.registered(&context, id).await })?;
        Ok(registered.map_or(id, |attributes| attributes.class.id()))
    }

    async fn registered(&self, context: &Rc<Context>, id: u32) -> Result<Option<ClassAttributes>> {
        let key = (self.uuid(), id);
        if let Some(known) = SEEN.read().get(&key) {
            return Ok(Some(*known));
        }
        let value = match self.raw_attributes(context, AttrAction::Get(vec![attribute(id)])).await {
            Ok(reply) => reply.values.into_iter().next().unwrap_or_default(),
            Err(error) if error.code() == Der::NONEXIST => return Ok(None),
            Err(error) => return Err(error),
        };
        let attributes = ClassAttributes::from_bytes(&value)?;
        SEEN.write().insert(key, attributes);
        Ok(Some(attributes))
    }
}
