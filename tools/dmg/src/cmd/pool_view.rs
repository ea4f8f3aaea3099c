//! Pools as text and JSON.

use super::pool::{Listed, entry_json};
use super::ranks_text;
use daos_cli::{Outcome, Table};
use daos_common::Error;
use daos_common::size::print_size_decimal as size;
use daos_proto::control::expand_numbers;
use daos_proto::mgmt::pool_rebuild_status::State as RebuildState;
use daos_proto::mgmt::{
    PoolCreateResp, PoolQueryResp, PoolQueryTargetInfo, PoolQueryTargetResp, PoolRebuildStatus, StorageMediaType,
    StorageUsageStats,
};
use serde_json::{Value, json};

/// What `pool create` answers.
pub fn created(uuid: &str, answer: &PoolCreateResp) -> Outcome {
    let ranks = answer.tgt_ranks.len() as u64;
    let per_rank: u64 = answer.tier_bytes.iter().sum();
    let share = |bytes: u64| if per_rank == 0 { 0.0 } else { 100.0 * bytes as f64 / per_rank as f64 };
    let ratio: Vec<String> = answer.tier_bytes.iter().map(|bytes| format!("{:.2}%", share(*bytes))).collect();
    let title = format!("Pool created with {} storage tier ratio", ratio.join(","));
    let mut lines = vec![
        ("UUID".to_string(), uuid.to_string()),
        ("Service Leader".to_string(), answer.svc_ldr.to_string()),
        ("Service Ranks".to_string(), ranks_text(&answer.svc_reps)),
        ("Storage Ranks".to_string(), ranks_text(&answer.tgt_ranks)),
        ("Total Size".to_string(), size(per_rank.saturating_mul(ranks))),
    ];
    for (tier, bytes) in answer.tier_bytes.iter().enumerate() {
        let name = tier_name(tier, answer.md_on_ssd_active);
        let text = format!("{} ({} / rank)", size(bytes.saturating_mul(ranks)), size(*bytes));
        lines.push((format!("Storage tier {tier} ({name})"), text));
    }
    let width = lines.iter().map(|(key, _)| key.len()).max().unwrap_or(0);
    let mut text = format!("{title}\n{}\n", "-".repeat(title.len()));
    for (key, value) in lines {
        text.push_str(&format!("  {key:<width$} : {value}\n"));
    }
    let json = json!({
        "uuid": uuid, "svc_ldr": answer.svc_ldr, "svc_reps": answer.svc_reps, "tgt_ranks": answer.tgt_ranks,
        "tier_bytes": answer.tier_bytes, "mem_file_bytes": answer.mem_file_bytes,
        "md_on_ssd_active": answer.md_on_ssd_active,
    });
    Outcome::new(json, text)
}

fn tier_name(tier: usize, md_on_ssd: bool) -> &'static str {
    match (tier, md_on_ssd) {
        (0, false) => "SCM",
        (_, false) => "NVMe",
        (0, true) => "META",
        (_, true) => "DATA",
    }
}

/// What `pool list` answers.
pub fn list_view(pools: &[Listed], verbose: bool, rebuild_only: bool) -> Outcome {
    let json: Vec<Value> = pools
        .iter()
        .map(|pool| match &pool.answer {
            Some(Ok(answer)) => pool_json(answer),
            _ => entry_json(&pool.entry),
        })
        .collect();
    let json = json!({ "status": 0, "pools": json });
    let failure = pools.iter().find_map(|pool| match &pool.answer {
        Some(Err(error)) => Some(error.clone().at(format!("pool {}", name(pool)))),
        _ => None,
    });
    if pools.is_empty() {
        return Outcome::new(json, "No pools in system");
    }
    let text = if rebuild_only { rebuild_table(pools) } else { pools_table(pools, verbose) };
    Outcome::new(json, text).with_failure(failure)
}

fn name(pool: &Listed) -> &str {
    if pool.entry.label.is_empty() { &pool.entry.uuid } else { &pool.entry.label }
}

fn pools_table(pools: &[Listed], verbose: bool) -> String {
    let short = ["Pool", "Size", "State", "Used", "Imbalance", "Disabled"];
    let long = ["Label", "UUID", "State", "SvcReps", "Size", "Used", "Imbalance", "Disabled", "Rebuild State"];
    let mut table = Table::new(if verbose { &long } else { &short });
    for pool in pools {
        let figures = match &pool.answer {
            Some(Ok(answer)) => figures(answer),
            _ => ["-".into(), "-".into(), "-".into(), "-".into()],
        };
        let [total, used, imbalance, disabled] = figures;
        let state = match &pool.answer {
            Some(Err(error)) => error.code().name().to_string(),
            _ => pool.entry.state.clone(),
        };
        let replicas = ranks_text(&pool.entry.svc_reps);
        match verbose {
            false => table.row([name(pool).to_string(), total, state, used, imbalance, disabled]),
            true => table.row([
                name(pool).to_string(),
                pool.entry.uuid.clone(),
                state,
                replicas,
                total,
                used,
                imbalance,
                disabled,
                rebuild_word(pool),
            ]),
        }
    }
    table.render()
}

fn rebuild_table(pools: &[Listed]) -> String {
    let mut table = Table::new(&["Pool", "Rebuild State"]);
    for pool in pools {
        table.row([name(pool).to_string(), rebuild_word(pool)]);
    }
    table.render()
}

fn rebuild_word(pool: &Listed) -> String {
    match &pool.answer {
        Some(Ok(PoolQueryResp { rebuild: Some(rebuild), .. })) => rebuild_state(rebuild).to_string(),
        _ if pool.entry.rebuild_state.is_empty() => "-".into(),
        _ => pool.entry.rebuild_state.clone(),
    }
}

/// Total, share used, imbalance among targets, and disabled targets of all.
fn figures(answer: &PoolQueryResp) -> [String; 4] {
    let total: u64 = answer.tier_stats.iter().map(|tier| tier.total).sum();
    let free: u64 = answer.tier_stats.iter().map(|tier| tier.free).sum();
    let used = if total == 0 { 0 } else { (u128::from(total - free.min(total)) * 100 / u128::from(total)) as u64 };
    let imbalance = answer.tier_stats.iter().map(|tier| imbalance(tier, answer.active_targets)).max().unwrap_or(0);
    [
        size(total),
        format!("{used}%"),
        format!("{imbalance}%"),
        format!("{}/{}", answer.disabled_targets, answer.total_targets),
    ]
}

/// How far the fullest and the emptiest target are apart, in percent of a target's share.
fn imbalance(tier: &StorageUsageStats, targets: u32) -> u64 {
    let share = tier.total.checked_div(u64::from(targets)).unwrap_or(0);
    let apart = u128::from(tier.max.saturating_sub(tier.min));
    (apart * 100).checked_div(u128::from(share)).unwrap_or(0) as u64
}

/// What `pool query` prints.
pub fn query_text(answer: &PoolQueryResp, health_only: bool) -> String {
    let state = answer.state().as_str_name();
    let mut text = format!(
        "Pool {}, ntarget={}, disabled={}, leader={}, version={}, state={state}\n",
        answer.uuid, answer.total_targets, answer.disabled_targets, answer.svc_ldr, answer.version
    );
    text.push_str("Pool health info:\n");
    for (what, ranks) in [
        ("Enabled ranks", &answer.enabled_ranks),
        ("Disabled ranks", &answer.disabled_ranks),
        ("Dead ranks", &answer.dead_ranks),
    ] {
        if !ranks.is_empty() {
            text.push_str(&format!("- {what}: {ranks}\n"));
        }
    }
    if let Some(rebuild) = &answer.rebuild {
        let objects = format!("{} objs, {} recs", rebuild.objects, rebuild.records);
        text.push_str(&match Error::from_status(rebuild.status, "rebuild") {
            Ok(()) => format!("- Rebuild {}, {objects}\n", rebuild_state(rebuild)),
            Err(error) => format!("- Rebuild failed, status={} ({})\n", rebuild.status, error.code().name()),
        });
    }
    if !answer.self_heal_policy.is_empty() {
        text.push_str(&format!("- Self-healing: {}\n", answer.self_heal_policy));
    }
    if health_only {
        return text;
    }
    text.push_str(&format!("Pool space info:\n- Target count:{}\n", answer.active_targets));
    for (index, tier) in answer.tier_stats.iter().enumerate() {
        text.push_str(&format!("- Storage tier {index} ({}):\n", tier_name(index, answer.md_on_ssd_active)));
        text.push_str(&format!("  Total size: {}\n", size(tier.total)));
        text.push_str(&format!(
            "  Free: {}, min:{}, max:{}, mean:{}\n",
            size(tier.free),
            size(tier.min),
            size(tier.max),
            size(tier.mean)
        ));
    }
    text
}

fn rebuild_state(rebuild: &PoolRebuildStatus) -> &'static str {
    match rebuild.state() {
        RebuildState::Busy => "busy",
        RebuildState::Idle => "idle",
        RebuildState::Done => "done",
        RebuildState::Stopping => "stopping",
        RebuildState::Stopped => "stopped",
        RebuildState::Failing => "failing",
        RebuildState::Failed => "failed",
    }
}

fn derived_state(rebuild: &PoolRebuildStatus) -> &'static str {
    rebuild_state(&PoolRebuildStatus { state: rebuild.derived_state, ..Default::default() })
}

fn media(kind: StorageMediaType) -> &'static str {
    match kind {
        StorageMediaType::Scm => "scm",
        StorageMediaType::Nvme => "nvme",
    }
}

/// A pool that has been asked.
pub fn pool_json(answer: &PoolQueryResp) -> Value {
    let tiers: Vec<Value> = answer
        .tier_stats
        .iter()
        .map(|tier| {
            json!({
                "total": tier.total, "free": tier.free, "min": tier.min, "max": tier.max, "mean": tier.mean,
                "media_type": media(tier.media_type()),
            })
        })
        .collect();
    let rebuild = answer.rebuild.as_ref().map(|rebuild| {
        json!({
            "status": rebuild.status, "state": rebuild_state(rebuild), "derived_state": derived_state(rebuild),
            "objects": rebuild.objects, "records": rebuild.records, "degraded": rebuild.degraded,
        })
    });
    let mut json = json!({
        "query_mask": query_mask_text(answer.query_mask),
        "state": answer.state().as_str_name(),
        "uuid": answer.uuid,
        "label": answer.label,
        "total_targets": answer.total_targets,
        "active_targets": answer.active_targets,
        "total_engines": answer.total_engines,
        "disabled_targets": answer.disabled_targets,
        "version": answer.version,
        "svc_ldr": answer.svc_ldr,
        "svc_reps": answer.svc_reps,
        "rebuild": rebuild,
        "tier_stats": tiers,
        "pool_layout_ver": answer.pool_layout_ver,
        "upgrade_layout_ver": answer.upgrade_layout_ver,
        "mem_file_bytes": answer.mem_file_bytes,
        "md_on_ssd_active": answer.md_on_ssd_active,
        "self_heal_policy": answer.self_heal_policy,
    });
    for (key, ranks) in [
        ("enabled_ranks", &answer.enabled_ranks),
        ("disabled_ranks", &answer.disabled_ranks),
        ("dead_ranks", &answer.dead_ranks),
    ] {
        // Ranks that don't parse are shown as they came.
        if !ranks.is_empty() {
            json[key] = expand_numbers(ranks).map_or_else(|_| json!(ranks), |numbers| json!(numbers));
        }
    }
    json
}

fn query_mask_text(mask: u64) -> String {
    const NAMES: &[(u64, &str)] = &[
        (1, "space"),
        (2, "rebuild"),
        (4, "enabled_engines"),
        (8, "disabled_engines"),
        (0x10, "dead_engines"),
        (0x40, "self_heal_policy"),
    ];
    let names: Vec<&str> = NAMES.iter().filter(|(bit, _)| mask & bit != 0).map(|(_, name)| *name).collect();
    names.join(",")
}

/// What `pool query-targets` answers.
pub fn targets_view(rank: u32, targets: &[u32], answer: &PoolQueryTargetResp) -> Outcome {
    let mut text = String::new();
    for (target, info) in targets.iter().zip(&answer.infos) {
        text.push_str(&format!("Target {target} of rank {rank}: state {}\n", target_state(info)));
        for (tier, space) in info.space.iter().enumerate() {
            text.push_str(&format!(
                "- Storage tier {tier} ({}): total {}, free {}\n",
                tier_name(tier, info.md_on_ssd_active),
                size(space.total),
                size(space.free)
            ));
        }
    }
    let infos: Vec<Value> = answer
        .infos
        .iter()
        .map(|info| {
            let space: Vec<Value> = info
                .space
                .iter()
                .map(|s| json!({ "total": s.total, "free": s.free, "media_type": media(s.media_type()) }))
                .collect();
            json!({
                "target_state": target_state(info), "space": space, "mem_file_bytes": info.mem_file_bytes,
                "md_on_ssd_active": info.md_on_ssd_active,
            })
        })
        .collect();
    Outcome::new(json!({ "status": answer.status, "Infos": infos }), text)
}

fn target_state(info: &PoolQueryTargetInfo) -> String {
    info.state().as_str_name().to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pool() -> PoolQueryResp {
        let tier = |total, free, media: StorageMediaType| StorageUsageStats {
            total,
            free,
            min: free / 8 - 10,
            max: free / 8 + 10,
            mean: free / 8,
            media_type: media as i32,
        };
        PoolQueryResp {
            uuid: "abc".into(),
            label: "tank".into(),
            total_targets: 8,
            active_targets: 8,
            total_engines: 1,
            state: 1,
            version: 1,
            rebuild: Some(PoolRebuildStatus { state: 1, derived_state: 1, ..Default::default() }),
            tier_stats: vec![tier(8000, 6000, StorageMediaType::Scm), tier(0, 80, StorageMediaType::Nvme)],
            disabled_ranks: "1,3-4".into(),
            query_mask: 3,
            ..Default::default()
        }
    }

    /// Aim: the figures of a pool, in its line, its text and its JSON.
    #[test]
    fn a_pool() {
        let answer = pool();
        assert_eq!(figures(&answer), ["8.0 kB", "24%", "2%", "0/8"].map(String::from));
        let text = query_text(&answer, false);
        assert!(text.starts_with("Pool abc, ntarget=8, disabled=0, leader=0, version=1, state=Ready\n"), "{text}");
        assert!(text.contains("- Rebuild idle, 0 objs, 0 recs\n") && text.contains("- Disabled ranks: 1,3-4\n"));
        assert!(text.contains("- Storage tier 0 (SCM):\n  Total size: 8.0 kB\n"));
        assert!(!query_text(&answer, true).contains("space"));
        let json = pool_json(&answer);
        assert_eq!(json["disabled_ranks"], json!([1, 3, 4]));
        assert_eq!((&json["state"], &json["rebuild"]["state"]), (&json!("Ready"), &json!("idle")));
        assert_eq!(json["query_mask"], "space,rebuild");
        assert_eq!(json["tier_stats"][1]["media_type"], "nvme");
    }

    /// Aim: a pool without figures, and one that doesn't answer, are listed nevertheless.
    #[test]
    fn a_list() {
        let entry = |label: &str| daos_proto::mgmt::list_pools_resp::Pool {
            label: label.into(),
            state: "Ready".into(),
            uuid: "u".into(),
            ..Default::default()
        };
        let failed = Some(Err(daos_common::Der::TIMEDOUT.err("no answer")));
        let pools = [
            Listed { entry: entry("a"), answer: Some(Ok(pool())) },
            Listed { entry: entry("b"), answer: failed },
            Listed { entry: entry(""), answer: None },
        ];
        let outcome = list_view(&pools, false, false);
        assert_eq!(
            outcome.text,
            "Pool Size   State        Used Imbalance Disabled\n\
             ---- ----   -----        ---- --------- --------\n\
             a    8.0 kB Ready        24%  2%        0/8\n\
             b    -      DER_TIMEDOUT -    -         -\n\
             u    -      Ready        -    -         -\n"
        );
        assert_eq!(outcome.failure.unwrap().message(), "pool b: no answer");
        assert_eq!(outcome.json["pools"][2]["state"], "Ready");
        assert!(list_view(&pools, true, false).text.contains("Rebuild State"));
        assert_eq!(list_view(&[], false, false).text, "No pools in system\n");
    }

    /// Aim: the summary of a new pool has its ranks, sizes and shares.
    #[test]
    fn a_new_pool() {
        let answer = PoolCreateResp {
            svc_reps: vec![0],
            tgt_ranks: vec![0, 1],
            tier_bytes: vec![60_000, 940_000],
            ..Default::default()
        };
        let outcome = created("abc", &answer);
        assert!(outcome.text.starts_with("Pool created with 6.00%,94.00% storage tier ratio\n---"), "{}", outcome.text);
        assert!(outcome.text.contains("  Total Size            : 2.0 MB\n"), "{}", outcome.text);
        assert!(outcome.text.contains("120 kB (60 kB / rank)"), "{}", outcome.text);
        assert_eq!(outcome.json["tier_bytes"], json!([60_000, 940_000]));
    }
}
