//! `daos container`: life, properties, access control.

use crate::{Open, Tool, open_cont};
use daos_api::{Container, DfsAttributes, Pool, PropList, create_posix, query_posix};
use daos_cli::Outcome;
use daos_common::acl::{Acl, Principal};
use daos_common::label::check_label;
use daos_common::props::{self, CONT_LAYOUT_POSIX, CONT_LAYOUT_UNKNOWN, CONTAINER, Info, Kind, Settable, co};
use daos_common::wire::pool::{Prop, PropValue};
use daos_common::{Der, Error, Result};
use daos_tool::cli::{ContArgs, ContCreate, no_path};
use daos_tool::{options, view};
use serde_json::Value;
use std::path::Path;

/// Bit of a pool query: nothing but what is always told.
const QUERY_NOTHING: u64 = 0;

impl Tool {
    pub fn cont_create(&self, wanted: ContCreate) -> Result<Outcome> {
        no_path(wanted.path.is_some())?;
        let Some(pool_name) = wanted.pool.as_deref() else { return Err(Der::INVAL.err("name a pool")) };
        let layout = options::layout(wanted.layout.as_deref())?;
        let attributes = posix_attributes(&wanted)?;
        if layout != CONT_LAYOUT_POSIX && attributes != DfsAttributes::default() {
            let text =
                "--chunk-size, --oclass, --dir-oclass, --file-oclass, --hints and --mode go only with --type POSIX";
            return Err(Der::INVAL.err(text));
        }
        let pairs = wanted.attrs.as_deref().map_or(Ok(vec![]), options::pairs)?;
        let values = create_props(&wanted, layout)?;
        let mut props = PropList::from_values(&values)?;

        let pool = self.connect(pool_name, true)?;
        let made = match layout {
            CONT_LAYOUT_POSIX => create_posix(pool.as_ref(), &mut props, &attributes),
            _ => Container::create(pool.as_ref(), &mut props),
        };
        let name = wanted.label.as_deref().unwrap_or("without label");
        let uuid =
            made.map_err(|error| error.at(format!("creating container {name} in pool {pool_name}")))?.to_string();
        let cont = open_cont(&pool, pool_name, &uuid, Open::Write)?;
        if !pairs.is_empty() {
            cont.as_ref().set_attrs(&pairs).map_err(|error| error.at(format!("attributes of container {uuid}")))?;
        }
        let outcome = describe(&pool, &cont)?;
        let text = format!("Successfully created container {uuid}\n{}", outcome.text);
        Ok(Outcome { text, ..outcome })
    }

    pub fn cont_list(&self, pool: &str) -> Result<Outcome> {
        let handle = self.connect(pool, false)?;
        let found = handle.as_ref().list_containers().map_err(|error| error.at(format!("pool {pool}")))?;
        Ok(view::containers(pool, &found))
    }

    pub fn cont_destroy(&self, which: &ContArgs, force: bool) -> Result<Outcome> {
        let (pool_name, name) = which.names()?;
        let pool = self.connect(pool_name, true)?;
        Container::destroy(pool.as_ref(), name, force)
            .map_err(|error| error.at(format!("destroying container {name} of pool {pool_name}")))?;
        Ok(Outcome::new(Value::Null, format!("Successfully destroyed container {name}")))
    }

    pub fn cont_query(&self, which: &ContArgs) -> Result<Outcome> {
        let (pool_name, name) = which.names()?;
        let pool = self.connect(pool_name, false)?;
        let cont = open_cont(&pool, pool_name, name, Open::Read)?;
        describe(&pool, &cont).map_err(|error| error.at(format!("container {name}")))
    }

    pub fn get_prop(&self, which: &ContArgs, names: Option<&str>) -> Result<Outcome> {
        let wanted: Vec<&'static Info> = match names {
            None => CONTAINER.iter().filter(|info| info.kind != Kind::Acl).collect(),
            Some(list) => {
                options::names(Some(list)).iter().map(|key| props::by_key(CONTAINER, key)).collect::<Result<_>>()?
            }
        };
        self.on_cont(which, Open::Read, |cont, place| {
            let numbers: Vec<u32> = wanted.iter().map(|info| info.number).collect();
            let mut list = PropList::query(&numbers);
            cont.query(&mut list)?;
            let found = wanted.iter().map(|info| Ok((*info, list.value(info)?))).collect::<Result<Vec<_>>>()?;
            Ok(view::properties(&place, &found))
        })
    }

    pub fn set_prop(&self, which: &ContArgs, pairs: Option<&str>) -> Result<Outcome> {
        let Some(pairs) = pairs else { return Err(Der::INVAL.err("name at least one property: name:value,...")) };
        let values = props::parse_list(CONTAINER, pairs)?;
        for value in &values {
            let info = props::by_number(value.number)?;
            if info.settable != Settable::Always {
                return Err(Der::INVAL.err(format!("property {:?} can't be changed after creation", info.key)));
            }
        }
        let mut list = PropList::from_values(&values)?;
        self.on_cont(which, Open::Write, |cont, _| {
            cont.set_props(&mut list)?;
            Ok(Outcome::new(Value::Null, "Properties were successfully set"))
        })
    }

    pub fn get_acl(&self, which: &ContArgs, outfile: Option<&Path>, force: bool) -> Result<Outcome> {
        let outcome = self.on_cont(which, Open::Read, |cont, _| view::access(&cont.access()?))?;
        let Some(path) = outfile else { return Ok(outcome) };
        options::write(path, &outcome.text, force)?;
        Ok(Outcome { text: format!("Wrote ACL to output file: {}\n", path.display()), ..outcome })
    }

    pub fn overwrite_acl(&self, which: &ContArgs, file: &Path) -> Result<Outcome> {
        let acl = read_acl(file)?;
        self.on_cont(which, Open::Write, |cont, _| {
            cont.overwrite_acl(&acl)?;
            view::access(&cont.access()?)
        })
    }

    pub fn update_acl(&self, which: &ContArgs, entry: Option<&str>, file: Option<&Path>) -> Result<Outcome> {
        let acl = match (entry, file) {
            (Some(entry), _) => Acl::parse(entry).map_err(|error| error.at("--entry"))?,
            (None, Some(file)) => read_acl(file)?,
            (None, None) => return Err(Der::INVAL.err("give --entry or --acl-file")),
        };
        self.on_cont(which, Open::Write, |cont, _| {
            cont.update_acl(&acl)?;
            view::access(&cont.access()?)
        })
    }

    pub fn delete_acl(&self, which: &ContArgs, principal: &str) -> Result<Outcome> {
        let principal = Principal::parse(principal)?;
        self.on_cont(which, Open::Write, |cont, _| {
            cont.delete_acl(&principal)?;
            view::access(&cont.access()?)
        })
    }

    pub fn set_owner(&self, which: &ContArgs, user: Option<&str>, group: Option<&str>) -> Result<Outcome> {
        let (user, group) = (user.map(options::principal), group.map(options::principal));
        self.on_cont(which, Open::Write, |cont, place| {
            cont.set_owner(user.as_deref(), group.as_deref())?;
            Ok(Outcome::new(Value::Null, format!("Successfully changed owner of {place}")))
        })
    }
}

fn read_acl(path: &Path) -> Result<Acl> {
    Acl::parse(&options::read(path)?).map_err(|error| error.at(format!("ACL file {}", path.display())))
}

fn posix_attributes(wanted: &ContCreate) -> Result<DfsAttributes> {
    Ok(DfsAttributes {
        chunk_bytes: options::chunk_size(wanted.chunk_size.as_deref())?,
        class: options::class("--oclass", wanted.oclass.as_deref())?,
        dir_class: options::class("--dir-oclass", wanted.dir_oclass.as_deref())?,
        file_class: options::class("--file-oclass", wanted.file_oclass.as_deref())?,
        mode: options::mode(wanted.mode.as_deref())?,
        hints: wanted.hints.clone().unwrap_or_default(),
    })
}

fn create_props(wanted: &ContCreate, layout: u64) -> Result<Vec<Prop>> {
    let mut values = wanted.properties.as_deref().map_or(Ok(vec![]), |text| props::parse_list(CONTAINER, text))?;
    let mut add = |number, value| values.push(Prop { number, value });
    if layout != CONT_LAYOUT_UNKNOWN {
        add(co::LAYOUT_TYPE, PropValue::Number(layout));
    }
    if let Some(group) = &wanted.group {
        add(co::OWNER_GROUP, PropValue::Text(options::principal(group)));
    }
    if let Some(path) = &wanted.acl_file {
        add(co::ACL, PropValue::Bytes(read_acl(path)?.to_bytes()));
    }
    if let Some(label) = &wanted.label {
        check_label(label).map_err(|error| error.at("container"))?;
        if props::get(&values, co::LABEL).is_some() {
            return Err(Der::INVAL.err("the label is given twice: as an argument and as a property"));
        }
        values.push(Prop { number: co::LABEL, value: PropValue::Text(label.clone()) });
    }
    Ok(values)
}

/// Asks for everything that is shown of a container.
fn describe(pool: &Pool, cont: &Container) -> Result<Outcome> {
    let mut list = PropList::query(&[co::LABEL, co::LAYOUT_TYPE, co::REDUN_FAC, co::STATUS]);
    let info = cont.as_ref().query(&mut list)?;
    let number = |number| list.number(number).unwrap_or(0);
    let layout = number(co::LAYOUT_TYPE);
    let posix = match layout {
        // A POSIX container whose file system isn't there, or that can't be read, is shown without it.
        CONT_LAYOUT_POSIX => query_posix(pool.as_ref(), cont).ok(),
        _ => None,
    };
    let label = list.text(co::LABEL).filter(|label| label != daos_common::label::NO_CONT_LABEL).unwrap_or_default();
    let pool = pool.as_ref().query(QUERY_NOTHING).map_err(|error: Error| error.at("pool"))?.uuid;
    Ok(view::container(&view::ContView {
        pool,
        label,
        info,
        layout,
        redundancy: number(co::REDUN_FAC),
        unclean: props::unpack_status(number(co::STATUS)).0 == props::STATUS_UNCLEAN,
        posix,
    }))
}
