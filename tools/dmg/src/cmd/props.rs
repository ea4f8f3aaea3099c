//! Properties of pools.

use crate::context::{CALL_TIMEOUT, Context};
use clap::Args;
use daos_cli::{Outcome, Table};
use daos_common::props::{self, Info, POOL, Settable, po};
use daos_common::wire::pool::{Prop, PropValue};
use daos_common::{Der, Error, Result};
use daos_proto::mgmt::pool_property::Value as WireValue;
use daos_proto::mgmt::{PoolGetPropReq, PoolProperty, PoolSetPropReq};
use serde_json::{Value, json};

/// Options of `pool set-prop`.
#[derive(Args)]
pub struct Set {
    /// Label or UUID of the pool
    pool: String,
    /// name:value,...
    #[arg(value_name = "PROPS")]
    props: String,
}

/// Options of `pool get-prop`.
#[derive(Args)]
pub struct Get {
    /// Label or UUID of the pool
    pool: String,
    /// name,...; none for all
    #[arg(value_name = "PROPS")]
    props: Option<String>,
}

impl Set {
    /// Runs it.
    pub async fn run(self, context: &Context) -> Result<Outcome> {
        let changes = props::parse_list(POOL, &self.props)?;
        for change in &changes {
            let info = props::by_number(change.number)?;
            if info.settable != Settable::Always {
                return Err(Der::INVAL.err(format!("property {:?} can't be changed after creation", info.key)));
            }
        }
        let properties = changes.into_iter().map(to_wire).collect();
        let request = PoolSetPropReq { sys: context.sys(), id: self.pool, properties, svc_ranks: vec![] };
        let answer = context
            .mgmt("setting properties", CALL_TIMEOUT, |mut client| {
                let request = request.clone();
                async move { client.pool_set_prop(request).await }
            })
            .await?;
        Error::from_status(answer.status, format!("setting properties of pool {}", request.id))?;
        Ok(Outcome::new(Value::Null, "pool set-prop succeeded"))
    }
}

impl Get {
    /// Runs it.
    pub async fn run(self, context: &Context) -> Result<Outcome> {
        let wanted: Vec<&Info> = match &self.props {
            None => POOL.iter().filter(|info| info.number != po::ACL).collect(),
            Some(list) => list.split(',').map(|key| props::by_key(POOL, key)).collect::<Result<_>>()?,
        };
        let properties = wanted.iter().map(|info| PoolProperty { number: info.number, value: None }).collect();
        let request = PoolGetPropReq { sys: context.sys(), id: self.pool, properties, svc_ranks: vec![] };
        let answer = context
            .mgmt("asking for properties", CALL_TIMEOUT, |mut client| {
                let request = request.clone();
                async move { client.pool_get_prop(request).await }
            })
            .await?;
        Error::from_status(answer.status, format!("properties of pool {}", request.id))?;
        Ok(show(&request.id, &answer.properties))
    }
}

/// A property as requests carry it.
pub fn to_wire(prop: Prop) -> PoolProperty {
    let value = match prop.value {
        PropValue::Number(number) => WireValue::Numval(number),
        PropValue::Text(text) => WireValue::Strval(text),
        PropValue::Bytes(bytes) => WireValue::Byteval(bytes),
    };
    PoolProperty { number: prop.number, value: Some(value) }
}

fn from_wire(property: &PoolProperty) -> Option<PropValue> {
    property.value.as_ref().map(|value| match value {
        WireValue::Numval(number) => PropValue::Number(*number),
        WireValue::Strval(text) => PropValue::Text(text.clone()),
        WireValue::Byteval(bytes) => PropValue::Bytes(bytes.clone()),
    })
}

fn show(pool: &str, properties: &[PoolProperty]) -> Outcome {
    let mut table = Table::new(&["Name", "Value"]);
    let mut list = Vec::new();
    for property in properties {
        // A newer server may have properties that aren't known here.
        let Ok(info) = props::by_number(property.number) else { continue };
        let (text, json) = match from_wire(property) {
            None => ("not set".to_string(), Value::Null),
            // The server sends some structures in their text form.
            Some(PropValue::Text(text)) => (text.clone(), json!(text)),
            Some(value) => (props::print_value(info, &value), json_of(props::json_value(info, &value))),
        };
        table.row([format!("{} ({})", info.description, info.key), text]);
        list.push(json!({ "name": info.key, "description": info.description, "value": json }));
    }
    Outcome::new(json!(list), format!("Pool {pool} properties:\n{}", table.render()))
}

fn json_of(value: props::Json) -> Value {
    match value {
        props::Json::Number(number) => json!(number),
        props::Json::Text(text) => json!(text),
        props::Json::Texts(texts) => json!(texts),
        props::Json::Numbers(numbers) => json!(numbers),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Aim: values of each kind travel and print.
    #[test]
    fn values() {
        let parsed = props::parse_list(POOL, "label:pond,space_rb:7,reclaim:disabled").unwrap();
        let wire: Vec<PoolProperty> = parsed.into_iter().map(to_wire).collect();
        let outcome = show("tank", &wire);
        assert!(outcome.text.contains("Pool label (label)"), "{}", outcome.text);
        assert!(outcome.text.contains("pond") && outcome.text.contains("7%") && outcome.text.contains("disabled"));
        assert_eq!(outcome.json[0], json!({"name": "label", "description": "Pool label", "value": "pond"}));
        assert_eq!(outcome.json[1]["value"], 7);
        let unset = show("tank", &[PoolProperty { number: po::OWNER, value: None }]);
        assert!(unset.text.contains("not set") && unset.json[0]["value"].is_null());
    }
}
