//! Attributes, of pools and containers alike.

use daos_api::{ContRef, PoolRef};
use daos_cli::Outcome;
use daos_common::{Der, Result};
use daos_tool::view;
use serde_json::Value;

/// What has attributes.
pub trait Attributes {
    fn list(&self) -> Result<Vec<String>>;
    fn get(&self, names: &[String]) -> Result<Vec<Vec<u8>>>;
    fn set(&self, pairs: &[(String, Vec<u8>)]) -> Result<()>;
    fn del(&self, names: &[String]) -> Result<()>;
}

macro_rules! attributes {
    ($handle:ident) => {
        impl Attributes for $handle {
            fn list(&self) -> Result<Vec<String>> {
                self.list_attrs()
            }

            fn get(&self, names: &[String]) -> Result<Vec<Vec<u8>>> {
                self.get_attrs(names)
            }

            fn set(&self, pairs: &[(String, Vec<u8>)]) -> Result<()> {
                self.set_attrs(pairs)
            }

            fn del(&self, names: &[String]) -> Result<()> {
                self.del_attrs(names)
            }
        }
    };
}

attributes!(PoolRef);
attributes!(ContRef);

/// Names, and values if wanted.
pub fn list(of: &impl Attributes, place: &str, values: bool) -> Result<Outcome> {
    let names = of.list()?;
    let found = match values && !names.is_empty() {
        false => names.into_iter().map(|name| (name, None)).collect(),
        true => {
            let values = of.get(&names)?;
            names.into_iter().zip(values.into_iter().map(Some)).collect::<Vec<_>>()
        }
    };
    Ok(view::attributes(place, &found))
}

/// Values of the named ones, or of all.
pub fn get(of: &impl Attributes, place: &str, names: &[String]) -> Result<Outcome> {
    if names.is_empty() {
        return list(of, place, true);
    }
    let known = of.list()?;
    if let Some(missing) = names.iter().find(|name| !known.contains(name)) {
        return Err(Der::NONEXIST.err(format!("there is no attribute {missing:?}")));
    }
    let values = of.get(names)?;
    let found: Vec<(String, Option<Vec<u8>>)> = names.iter().cloned().zip(values.into_iter().map(Some)).collect();
    let outcome = view::attributes(place, &found);
    Ok(match found.as_slice() {
        [(name, Some(value))] => Outcome { json: view::attribute_json(name, value), ..outcome },
        _ => outcome,
    })
}

/// Sets them.
pub fn set(of: &impl Attributes, pairs: &[(String, Vec<u8>)]) -> Result<Outcome> {
    of.set(pairs)?;
    Ok(Outcome::new(Value::Null, ""))
}

/// Removes them.
pub fn del(of: &impl Attributes, names: &[String]) -> Result<Outcome> {
    if names.is_empty() {
        return Err(Der::INVAL.err("name at least one attribute"));
    }
    of.del(names)?;
    Ok(Outcome::new(Value::Null, ""))
}
