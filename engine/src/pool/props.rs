//! Properties: what a new pool or container gets, what may change, who owns it.

use super::PoolService;
use super::state::Change;
use daos_common::acl::{Acl, Ownership};
use daos_common::label::check_label;
use daos_common::pool_map::PoolMap;
use daos_common::props::{self, CONTAINER, POOL, Settable, co, po};
use daos_common::wire::pool::{Prop, PropValue};
use daos_common::{Der, Epoch, Rank, Result};
use uuid::Uuid;

/// What a pool service is made with.
pub struct Creation {
    /// The pool.
    pub pool: Uuid,
    /// Its first map.
    pub map: PoolMap,
    /// All of its properties, see [`Creation::props`].
    pub props: Vec<Prop>,
    /// Ranks of the service.
    pub service_ranks: Vec<Rank>,
    /// Now.
    pub created: Epoch,
}

impl Creation {
    /// A new pool's properties: the defaults, those asked for, owner and ACL.
    ///
    /// # Errors
    /// `INVAL`: names the property.
    pub fn props(asked: &[Prop], owner: Ownership, acl: &Acl) -> Result<Vec<Prop>> {
        props::validate_all(asked)?;
        let mut all = props::defaults(POOL);
        props::merge(&mut all, asked);
        let own = [
            Prop { number: po::OWNER, value: PropValue::Text(owner.user) },
            Prop { number: po::OWNER_GROUP, value: PropValue::Text(owner.group) },
            Prop { number: po::ACL, value: PropValue::Bytes(acl.to_bytes()) },
        ];
        props::validate_all(&own)?;
        props::merge(&mut all, &own);
        Ok(all)
    }
}

/// Numbers of the properties that say who may do what: owner, owner group, ACL.
pub type SecurityNumbers = [u32; 3];
/// Those of a pool.
pub const POOL_SECURITY: SecurityNumbers = [po::OWNER, po::OWNER_GROUP, po::ACL];
/// Those of a container.
pub const CONT_SECURITY: SecurityNumbers = [co::OWNER, co::OWNER_GROUP, co::ACL];

/// Owner and ACL of a list of properties.
///
/// # Errors
/// `DF_INVAL`: the stored ACL is damaged.
pub fn security(list: &[Prop], numbers: SecurityNumbers) -> Result<(Ownership, Acl)> {
    let [user, group, acl] = numbers;
    let owner = Ownership { user: props::text(list, user).to_owned(), group: props::text(list, group).to_owned() };
    let acl = match props::get(list, acl) {
        Some(PropValue::Bytes(bytes)) => {
            Acl::from_bytes(bytes).map_err(|error| Der::DF_INVAL.err(format!("stored ACL: {}", error.message())))?
        }
        _ => Acl::default(),
    };
    Ok((owner, acl))
}

/// A new container's properties: the defaults, what it inherits from the pool, the creator's, owner and ACL.
///
/// # Errors
/// `INVAL`: names the property; `NO_PERM`: one that only the system sets.
pub fn for_new_container(asked: &[Prop], pool: &[Prop], owner: &Ownership) -> Result<Vec<Prop>> {
    props::validate_all(asked)?;
    for prop in asked {
        let info = props::by_number(prop.number)?;
        if !CONTAINER.iter().any(|own| own.number == prop.number) {
            return Err(Der::INVAL.err(format!("{:?} is not a property of containers", info.key)));
        }
        if info.settable == Settable::Never {
            return Err(Der::INVAL.err(format!("property {:?} is set by the system only", info.key)));
        }
    }
    let mut all = props::defaults(CONTAINER);
    // A container without a label has none; the default text is for showing.
    all.retain(|prop| prop.number != co::LABEL);
    let inherit = [
        (po::REDUN_FAC, co::REDUN_FAC),
        (po::EC_CELL_SZ, co::EC_CELL_SZ),
        (po::EC_PDA, co::EC_PDA),
        (po::RP_PDA, co::RP_PDA),
        (po::PERF_DOMAIN, co::PERF_DOMAIN),
        (po::OBJ_VERSION, co::OBJ_VERSION),
        (po::GLOBAL_VERSION, co::GLOBAL_VERSION),
    ];
    let inherited = inherit.map(|(from, to)| Prop { number: to, value: PropValue::Number(props::number(pool, from)) });
    props::merge(&mut all, &inherited);
    let owned = [(co::OWNER, &owner.user), (co::OWNER_GROUP, &owner.group)];
    let owned = owned.map(|(number, name)| Prop { number, value: PropValue::Text(name.clone()) });
    props::merge(&mut all, &owned);
    let healthy = props::pack_status(props::STATUS_HEALTHY, 0, 0);
    props::merge(&mut all, &[Prop { number: co::STATUS, value: PropValue::Number(healthy) }]);
    props::merge(&mut all, asked);
    Ok(all)
}

/// Checks properties that are to change after creation.
///
/// # Errors
/// `INVAL`: names the property and why it may not.
pub fn check_changes(changes: &[Prop], table: &'static [props::Info], also: &[u32]) -> Result<()> {
    props::validate_all(changes)?;
    for change in changes {
        let info = props::by_number(change.number)?;
        if !table.iter().any(|own| own.number == change.number) {
            return Err(Der::INVAL.err(format!("property {:?} belongs to something else", info.key)));
        }
        if info.settable != Settable::Always && !also.contains(&change.number) {
            return Err(Der::NO_PERM.err(format!("property {:?} cannot be changed after creation", info.key)));
        }
    }
    Ok(())
}

/// The label of a list; empty if there is none.
pub fn label(list: &[Prop], number: u32) -> &str {
    match props::text(list, number) {
        daos_common::label::NO_CONT_LABEL | daos_common::label::NO_POOL_LABEL => "",
        label => label,
    }
}

/// The properties wanted: all for `[u32::MAX]`.
pub fn select(list: &[Prop], wanted: &[u32]) -> Vec<Prop> {
    let all = wanted == [u32::MAX];
    list.iter().filter(|prop| all || wanted.contains(&prop.number)).cloned().collect()
}

impl PoolService {
    /// Changes pool properties, on an administrator's word.
    ///
    /// # Errors
    /// `INVAL`, `NO_PERM`: names the property; `NOSPACE`.
    pub fn set_props(&self, changes: &[Prop]) -> Result<()> {
        check_changes(changes, POOL, &[])?;
        if let Some(PropValue::Text(label)) = props::get(changes, po::LABEL) {
            check_label(label)?;
        }
        let mut all = self.props();
        props::merge(&mut all, changes);
        self.change(vec![Change::Props(all)])
    }

    /// The pool's ACL with its owner.
    ///
    /// # Errors
    /// `DF_INVAL`: damaged.
    pub fn acl(&self) -> Result<(Ownership, Acl)> {
        self.security()
    }

    /// Changes the ACL.
    ///
    /// # Errors
    /// `INVAL`: a permission that means nothing on a pool; what `edit` says; `NOSPACE`.
    pub fn change_acl(&self, edit: impl FnOnce(&mut Acl) -> Result<()>) -> Result<(Ownership, Acl)> {
        let (owner, mut acl) = self.security()?;
        edit(&mut acl)?;
        let mut all = self.props();
        let value = PropValue::Bytes(acl.to_bytes());
        let change = Prop { number: po::ACL, value };
        props::validate_all(std::slice::from_ref(&change))?;
        props::merge(&mut all, &[change]);
        self.change(vec![Change::Props(all)])?;
        Ok((owner, acl))
    }
}
