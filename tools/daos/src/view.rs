//! How results look, for people and as JSON.

use daos_api::{ContAccess, ContInfo, DfsAttributes, PoolEntry, PoolInfo, SystemInfo, TargetInfo};
use daos_cli::{Outcome, Table};
use daos_common::props::{self, CONT_LAYOUTS, Info, Json};
use daos_common::size::print_size_decimal as size;
use daos_common::wire::pool::PropValue;
use daos_common::{Error, Result, hlc, oclass};
use serde_json::{Value, json};
use uuid::Uuid;

/// A container with everything that is known of it.
#[derive(Clone, Debug)]
pub struct ContView {
    /// UUID of its pool.
    pub pool: Uuid,
    /// Label; empty when it has none.
    pub label: String,
    /// What the query told.
    pub info: ContInfo,
    /// Number of its layout.
    pub layout: u64,
    /// Redundancy factor.
    pub redundancy: u64,
    /// Whether it lost more than its redundancy covers.
    pub unclean: bool,
    /// How it was made, if it is a POSIX container.
    pub posix: Option<DfsAttributes>,
}

/// The name of a container layout.
pub fn layout_name(number: u64) -> &'static str {
    CONT_LAYOUTS.iter().find(|(_, known)| *known == number).map_or("unknown", |(name, _)| name)
}

/// Aligned `name : value` lines.
fn lines(rows: &[(&str, String)]) -> String {
    let width = rows.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
    rows.iter().map(|(name, value)| format!("  {name:<width$} : {value}\n")).collect()
}

/// What `container query` and `container create` show.
pub fn container(view: &ContView) -> Outcome {
    let health = if view.unclean { "UNCLEAN" } else { "HEALTHY" };
    let mut rows = vec![
        ("Container UUID", view.info.uuid.to_string()),
        ("Container Label", view.label.clone()),
        ("Container Type", layout_name(view.layout).to_string()),
        ("Pool UUID", view.pool.to_string()),
        ("Container redundancy factor", view.redundancy.to_string()),
        ("Number of open handles", view.info.handles.to_string()),
        ("Latest open time", time(view.info.open_time)),
        ("Latest close/modify time", time(view.info.modify_time)),
        ("Number of snapshots", view.info.snapshots.to_string()),
        ("Health", health.to_string()),
    ];
    rows.retain(|(name, value)| *name != "Container Label" || !value.is_empty());
    if let Some(posix) = &view.posix {
        rows.push(("Object Class", class_name(posix.class)));
        rows.push(("Dir Object Class", class_name(posix.dir_class)));
        rows.push(("File Object Class", class_name(posix.file_class)));
        rows.push(("Chunk Size", daos_common::size::print_size(posix.chunk_bytes)));
        if !posix.hints.is_empty() {
            rows.push(("Hints", posix.hints.clone()));
        }
    }
    let mut json = json!({
        "pool_uuid": view.pool.to_string(),
        "container_uuid": view.info.uuid.to_string(),
        "latest_snapshot": if view.info.last_snapshot == 0 { String::new() } else { time(view.info.last_snapshot) },
        "redundancy_factor": view.redundancy,
        "num_handles": view.info.handles,
        "num_snapshots": view.info.snapshots,
        "open_time": time(view.info.open_time),
        "close_modify_time": time(view.info.modify_time),
        "container_type": layout_name(view.layout),
        "health": health,
    });
    if !view.label.is_empty() {
        json["container_label"] = json!(view.label);
    }
    if let Some(posix) = &view.posix {
        json["chunk_size"] = json!(posix.chunk_bytes);
        json["object_class"] = json!(class_name(posix.class));
        json["dir_object_class"] = json!(class_name(posix.dir_class));
        json["file_object_class"] = json!(class_name(posix.file_class));
        json["cons_mode"] = json!(posix.mode);
        if !posix.hints.is_empty() {
            json["hints"] = json!(posix.hints);
        }
    }
    Outcome::new(json, lines(&rows))
}

fn class_name(id: u32) -> String {
    if id == 0 { "UNKNOWN".into() } else { oclass::name(id) }
}

/// A time of the hybrid clock in UTC; "never" for 0.
fn time(hlc: u64) -> String {
    if hlc == 0 {
        return "never".into();
    }
    let seconds = hlc::to_unix(hlc).as_secs();
    let (days, rest) = (seconds / 86_400, seconds % 86_400);
    let (year, month, day) = civil_date(days);
    format!("{year:04}-{month:02}-{day:02}T{:02}:{:02}:{:02}Z", rest / 3600, rest / 60 % 60, rest % 60)
}

/// Date of a day since 1970-01-01 in the Gregorian calendar: years are taken to begin in March, so that the leap day
/// is the last of a year.
fn civil_date(days: u64) -> (u64, u64, u64) {
    let shifted = days + 719_468;
    let (era, day_of_era) = (shifted / 146_097, shifted % 146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    (era * 400 + year_of_era + u64::from(month <= 2), month, day)
}

/// What `container list` shows.
pub fn containers(pool: &str, found: &[(Uuid, String)]) -> Outcome {
    let json: Vec<Value> =
        found.iter().map(|(uuid, label)| json!({ "uuid": uuid.to_string(), "label": label })).collect();
    if found.is_empty() {
        return Outcome::new(json!(json), "No containers.");
    }
    let mut table = Table::new(&["UUID", "Label"]);
    for (uuid, label) in found {
        table.row([uuid.to_string(), label.clone()]);
    }
    Outcome::new(json!(json), format!("Containers in pool {pool}:\n{}", table.render()))
}

/// What `list-attr` shows: names, with values when there are any.
pub fn attributes(of: &str, found: &[(String, Option<Vec<u8>>)]) -> Outcome {
    let json: Vec<Value> = match found.iter().all(|(_, value)| value.is_none()) {
        true => found.iter().map(|(name, _)| json!(name)).collect(),
        false => found.iter().map(|(name, value)| attribute_json(name, value.as_deref().unwrap_or_default())).collect(),
    };
    if found.is_empty() {
        return Outcome::new(json!(json), format!("No attributes found on {of}."));
    }
    let with_values = found.iter().any(|(_, value)| value.is_some());
    let mut table = Table::new(if with_values { &["Name", "Value"] } else { &["Name"] });
    for (name, value) in found {
        let value = value.as_ref().map(|value| String::from_utf8_lossy(value).into_owned()).unwrap_or_default();
        table.row([name.clone(), value]);
    }
    Outcome::new(json!(json), format!("Attributes of {of}:\n{}", table.render()))
}

/// The JSON of an attribute: its value, any bytes, in base64.
pub fn attribute_json(name: &str, value: &[u8]) -> Value {
    json!({ "name": name, "value": base64(value) })
}

fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let mut group = [0u8; 3];
        group[..chunk.len()].copy_from_slice(chunk);
        let bits = u32::from_be_bytes([0, group[0], group[1], group[2]]);
        for digit in 0..4 {
            let value = (bits >> (18 - 6 * digit)) & 63;
            text.push(if digit <= chunk.len() { char::from(DIGITS[value as usize]) } else { '=' });
        }
    }
    text
}

/// What `get-prop` shows.
pub fn properties(of: &str, found: &[(&'static Info, Option<PropValue>)]) -> Outcome {
    let mut table = Table::new(&["Name", "Value"]);
    let mut list = Vec::new();
    for (info, value) in found {
        let (text, json) = match value {
            None => ("not set".to_string(), Value::Null),
            Some(value) => (props::print_value(info, value), prop_json(props::json_value(info, value))),
        };
        table.row([format!("{} ({})", info.description, info.key), text]);
        list.push(json!({ "name": info.key, "description": info.description, "value": json }));
    }
    Outcome::new(json!(list), format!("Properties of {of}:\n{}", table.render()))
}

fn prop_json(value: Json) -> Value {
    match value {
        Json::Number(number) => json!(number),
        Json::Text(text) => json!(text),
        Json::Texts(texts) => json!(texts),
        Json::Numbers(numbers) => json!(numbers),
    }
}

/// What `get-acl` shows.
///
/// # Errors
/// INVAL: an entry that has no text.
pub fn access(access: &ContAccess) -> Result<Outcome> {
    let entries = access.acl.to_texts()?;
    let mut text = format!("# Owner: {}\n# Owner Group: {}\n# Entries:\n", access.owner, access.group);
    if entries.is_empty() {
        text.push_str("#   None\n");
    }
    for entry in &entries {
        text.push_str(entry);
        text.push('\n');
    }
    let json = json!({ "entries": entries, "owner_user": access.owner, "owner_group": access.group });
    Ok(Outcome::new(json, text))
}

/// What `pool list` shows; a pool that wasn't asked or didn't answer has no figures.
pub fn pools(found: &[(PoolEntry, Option<Result<PoolInfo>>)], verbose: bool) -> Outcome {
    let json: Vec<Value> = found
        .iter()
        .map(|(entry, answer)| match answer {
            Some(Ok(info)) => pool_json(&entry.label, info, false),
            _ => json!({ "uuid": entry.uuid.to_string(), "label": entry.label, "svc_reps": entry.service_ranks }),
        })
        .collect();
    let json = json!({ "status": 0, "pools": json });
    if found.is_empty() {
        return Outcome::new(json, "No pools in system");
    }
    let short = ["Pool", "Size", "Used", "Disabled"];
    let long = ["Label", "UUID", "SvcReps", "Size", "Used", "Disabled"];
    let mut table = Table::new(if verbose { &long } else { &short });
    for (entry, answer) in found {
        let figures = match answer {
            Some(Ok(info)) => figures(info),
            Some(Err(error)) => [error.code().name().to_string(), "-".into(), "-".into()],
            None => ["-".into(), "-".into(), "-".into()],
        };
        let [total, used, disabled] = figures;
        let ranks: Vec<String> = entry.service_ranks.iter().map(u32::to_string).collect();
        match verbose {
            false => table.row([entry.label.clone(), total, used, disabled]),
            true => {
                table.row([entry.label.clone(), entry.uuid.to_string(), ranks.join(","), total, used, disabled]);
            }
        }
    }
    let failed = found.iter().find_map(|(entry, answer)| match answer {
        Some(Err(error)) => Some(error.clone().at(format!("pool {}", entry.label))),
        _ => None,
    });
    Outcome::new(json, table.render()).with_failure(failed)
}

fn figures(info: &PoolInfo) -> [String; 3] {
    let total: u64 = info.tiers.iter().map(|tier| tier.total).sum();
    let free: u64 = info.tiers.iter().map(|tier| tier.free).sum();
    let used = (u128::from(total.saturating_sub(free)) * 100).checked_div(u128::from(total)).unwrap_or(0);
    [size(total), format!("{used}%"), format!("{}/{}", info.disabled_targets, info.targets)]
}

const TIERS: [&str; 2] = ["SCM", "NVMe"];

/// What `pool query` shows. `enabled`: the ranks are those in use, not those that aren't.
pub fn pool(label: &str, info: &PoolInfo, enabled: bool, health_only: bool) -> Outcome {
    let mut text = format!(
        "Pool {}, ntarget={}, disabled={}, leader={}, version={}, state={}\n",
        info.uuid,
        info.targets,
        info.disabled_targets,
        info.leader,
        info.map_version,
        state(info)
    );
    text.push_str("Pool health info:\n");
    if !info.ranks.is_empty() {
        let ranks: Vec<String> = info.ranks.iter().map(u32::to_string).collect();
        let what = if enabled { "Enabled" } else { "Disabled" };
        text.push_str(&format!("- {what} ranks: {}\n", ranks.join(",")));
    }
    let counts = format!("{} objs, {} recs", info.rebuild.objects, info.rebuild.records);
    text.push_str(&match Error::from_status(info.rebuild.status, "rebuild") {
        Ok(()) => format!("- Rebuild {}, {counts}\n", rebuild_state(info.rebuild.state)),
        Err(error) => format!("- Rebuild failed, status={} ({})\n", info.rebuild.status, error.code().name()),
    });
    if !health_only {
        text.push_str(&format!("Pool space info:\n- Target count:{}\n", info.space_targets));
        for (index, (name, tier)) in TIERS.iter().zip(&info.tiers).enumerate() {
            text.push_str(&format!("- Storage tier {index} ({name}):\n  Total size: {}\n", size(tier.total)));
            let (free, min, max, mean) = (size(tier.free), size(tier.min), size(tier.max), size(tier.mean));
            text.push_str(&format!("  Free: {free}, min:{min}, max:{max}, mean:{mean}\n"));
        }
    }
    Outcome::new(pool_json(label, info, enabled), text)
}

fn state(info: &PoolInfo) -> &'static str {
    if info.disabled_targets == 0 { "Ready" } else { "TargetsExcluded" }
}

fn rebuild_state(state: i32) -> &'static str {
    match state {
        0 => "busy",
        1 => "idle",
        _ => "done",
    }
}

fn pool_json(label: &str, info: &PoolInfo, enabled: bool) -> Value {
    let tiers: Vec<Value> = ["scm", "nvme"]
        .iter()
        .zip(&info.tiers)
        .map(|(media, tier)| {
            json!({
                "total": tier.total, "free": tier.free, "min": tier.min, "max": tier.max, "mean": tier.mean,
                "media_type": media,
            })
        })
        .collect();
    let rebuild = &info.rebuild;
    let mut json = json!({
        "state": state(info),
        "uuid": info.uuid.to_string(),
        "label": label,
        "total_targets": info.targets,
        "active_targets": info.targets - info.disabled_targets.min(info.targets),
        "total_engines": info.engines,
        "disabled_targets": info.disabled_targets,
        "version": info.map_version,
        "svc_ldr": info.leader,
        "rebuild": {
            "status": rebuild.status, "state": rebuild_state(rebuild.state), "objects": rebuild.objects,
            "records": rebuild.records, "total_objects": rebuild.objects_total,
        },
        "tier_stats": tiers,
    });
    if !info.ranks.is_empty() {
        json[if enabled { "enabled_ranks" } else { "disabled_ranks" }] = json!(info.ranks);
    }
    json
}

/// What `pool query-targets` shows.
pub fn targets(rank: u32, found: &[(u32, TargetInfo)]) -> Outcome {
    let state_of = |state: u32| match state {
        1 => "down_out",
        2 => "down",
        3 => "up",
        4 => "up_in",
        5 => "new",
        6 => "drain",
        _ => "unknown",
    };
    let mut text = String::new();
    let mut infos = Vec::new();
    for (target, info) in found {
        text.push_str(&format!("Target {target} of rank {rank}: state {}\n", state_of(info.state)));
        for (index, (name, tier)) in TIERS.iter().zip(&info.tiers).enumerate() {
            let (total, free) = (size(tier.total), size(tier.free));
            text.push_str(&format!("- Storage tier {index} ({name}): total {total}, free {free}\n"));
        }
        let space: Vec<Value> = ["scm", "nvme"]
            .iter()
            .zip(&info.tiers)
            .map(|(media, tier)| json!({ "total": tier.total, "free": tier.free, "media_type": media }))
            .collect();
        infos.push(json!({ "target_state": state_of(info.state), "space": space }));
    }
    Outcome::new(json!({ "status": 0, "Infos": infos }), text)
}

/// What `system query` shows.
pub fn system(info: &SystemInfo) -> Outcome {
    let rank = |(rank, uri): &(u32, String)| json!({ "rank": rank, "uri": uri });
    let management: Vec<Value> =
        info.ranks.iter().filter(|(rank, _)| info.management_ranks.contains(rank)).map(rank).collect();
    let json = json!({
        "system_name": info.name,
        "fabric_provider": info.provider,
        "agent_path": info.agent,
        "rank_uris": info.ranks.iter().map(rank).collect::<Vec<_>>(),
        "access_point_rank_uris": management,
    });
    let mut text = format!("connected to DAOS system:\n  name: {}\n", info.name);
    text.push_str(&format!("  fabric provider: {}\n  agent: {}\n  access point ranks:\n", info.provider, info.agent));
    for (rank, uri) in info.ranks.iter().filter(|(rank, _)| info.management_ranks.contains(rank)) {
        text.push_str(&format!("    {rank}: {uri}\n"));
    }
    text.push_str("  rank URIs:\n");
    for (rank, uri) in &info.ranks {
        text.push_str(&format!("    {rank}: {uri}\n"));
    }
    Outcome::new(json, text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use daos_api::{Rebuild, TierSpace};
    use std::time::Duration;

    fn info() -> PoolInfo {
        PoolInfo {
            uuid: Uuid::from_u128(7),
            targets: 4,
            engines: 1,
            disabled_targets: 0,
            map_version: 1,
            leader: 0,
            space_targets: 4,
            tiers: [TierSpace { total: 1000, free: 250, min: 60, max: 65, mean: 62 }, TierSpace::default()],
            rebuild: Rebuild { state: 1, ..Default::default() },
            ranks: vec![0],
        }
    }

    /// Aim: base64 by the vectors of RFC 4648.
    #[test]
    fn base64_vectors() {
        for (bytes, text) in [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foobar", "Zm9vYmFy")] {
            assert_eq!(base64(bytes.as_bytes()), text);
        }
    }

    /// Aim: a pool's text, JSON and line have its figures.
    #[test]
    fn a_pool() {
        let outcome = pool("tank", &info(), true, false);
        assert!(outcome.text.contains("ntarget=4, disabled=0") && outcome.text.contains("- Enabled ranks: 0\n"));
        assert!(outcome.text.contains("  Free: 250 B, min:60 B, max:65 B, mean:62 B\n"), "{}", outcome.text);
        assert_eq!(outcome.json["enabled_ranks"], json!([0]));
        assert_eq!(outcome.json["tier_stats"][0]["free"], 250);
        let entry = PoolEntry { uuid: Uuid::from_u128(7), label: "tank".into(), service_ranks: vec![0] };
        let list = pools(&[(entry.clone(), Some(Ok(info()))), (entry, None)], false);
        assert_eq!(
            list.text,
            "Pool Size   Used Disabled\n---- ----   ---- --------\ntank 1.0 kB 75%  0/4\ntank -      -    -\n"
        );
    }

    /// Aim: a POSIX container shows how it was made, another doesn't; times are in UTC.
    #[test]
    fn a_container() {
        let opened = hlc::from_unix(Duration::from_secs(1_709_251_199)); // the last second of a leap February
        let mut view = ContView {
            pool: Uuid::from_u128(7),
            label: "home".into(),
            info: ContInfo {
                uuid: Uuid::from_u128(8),
                last_snapshot: 0,
                handles: 1,
                snapshots: 0,
                open_time: opened,
                modify_time: 0,
            },
            layout: 1,
            redundancy: 0,
            unclean: false,
            posix: Some(DfsAttributes { chunk_bytes: 1 << 20, class: 1 << 24 | 0xffff, ..Default::default() }),
        };
        let outcome = container(&view);
        assert!(outcome.text.contains("Chunk Size") && outcome.text.contains("1.0 MiB"), "{}", outcome.text);
        assert_eq!(outcome.json["open_time"], "2024-02-29T23:59:59Z");
        assert_eq!((&outcome.json["container_type"], &outcome.json["object_class"]), (&json!("POSIX"), &json!("SX")));
        view.posix = None;
        assert!(container(&view).json["chunk_size"].is_null());
    }

    /// Aim: attributes with and without values, and none.
    #[test]
    fn attribute_lists() {
        let names = attributes("pool tank", &[("a".into(), None)]);
        assert_eq!((names.json, names.text.as_str()), (json!(["a"]), "Attributes of pool tank:\nName\n----\na\n"));
        let values = attributes("pool tank", &[("a".into(), Some(b"foo".to_vec()))]);
        assert_eq!(values.json, json!([{"name": "a", "value": "Zm9v"}]));
        assert!(attributes("pool tank", &[]).text.contains("No attributes"));
    }
}
