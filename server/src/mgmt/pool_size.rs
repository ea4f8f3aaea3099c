//! How much of each tier a new pool takes on each rank.

use daos_common::{Der, Result};

/// Least bytes of the memory tier per target.
pub const SCM_TARGET_MIN: u64 = 16 << 20;
/// Least bytes of the data tier per target, if the pool uses that tier.
pub const DATA_TARGET_MIN: u64 = 1 << 30;
/// Share of each tier when only a total is given.
pub const DEFAULT_RATIO: [f64; 2] = [0.06, 0.94];

/// What the request says about size.
#[derive(Clone, PartialEq, Debug)]
pub struct Wish<'a> {
    /// Bytes of all tiers on all ranks together, or 0.
    pub total_bytes: u64,
    /// Share of each tier, with a total.
    pub tier_ratio: &'a [f64],
    /// Bytes of each tier on each rank, without a total.
    pub tier_bytes: &'a [u64],
}

/// What the pool is made on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Place {
    /// Ranks.
    pub ranks: u64,
    /// Targets on each.
    pub targets: u64,
    /// Whether engines have a data tier.
    pub has_data_tier: bool,
}

/// Bytes of the memory tier and of the data tier on each rank.
///
/// # Errors
/// `INVAL` for a request that gives no size or two, that is too small, or that wants a tier there isn't.
pub fn per_rank(wish: &Wish, place: Place) -> Result<[u64; 2]> {
    let bytes = match (wish.total_bytes, wish.tier_bytes) {
        (0, [scm, rest @ ..]) if rest.len() <= 1 && wish.tier_ratio.is_empty() => {
            [*scm, rest.first().copied().unwrap_or(0)]
        }
        (total, []) if total > 0 => share(total, wish.tier_ratio, place)?,
        _ => {
            return Err(Der::INVAL
                .err("pool size: give either a total size (with a tier ratio if you like) or the bytes of each tier"));
        }
    };
    check(bytes, place)
}

fn share(total: u64, ratio: &[f64], place: Place) -> Result<[u64; 2]> {
    let ratio = match (place.has_data_tier, ratio) {
        (false, _) => [1.0, 0.0],
        (true, []) => DEFAULT_RATIO,
        (true, [scm]) => [*scm, 1.0 - *scm],
        (true, [scm, data]) => [*scm, *data],
        (true, more) => {
            return Err(Der::INVAL.err(format!("tier ratio has {} parts; there are two tiers", more.len())));
        }
    };
    let fits = ratio.iter().all(|part| (0.0..=1.0).contains(part)) && ratio.iter().sum::<f64>() <= 1.0 + 1e-9;
    if !fits {
        return Err(Der::INVAL.err(format!("tier ratio {ratio:?}: the parts are shares of 1 and add up to at most 1")));
    }
    let ranks = place.ranks.max(1);
    // f64 rounds to 2^-53 of the total, and the conversion saturates.
    Ok(ratio.map(|part| (total as f64 * part).round() as u64 / ranks))
}

fn check(bytes: [u64; 2], place: Place) -> Result<[u64; 2]> {
    let [scm, data] = bytes;
    let ranks = place.ranks.max(1);
    let (scm_min, data_min) = (SCM_TARGET_MIN * place.targets, DATA_TARGET_MIN * place.targets);
    if data > 0 && !place.has_data_tier {
        return Err(Der::INVAL.err(format!(
            "{data} bytes of the data tier were asked for, but the engines have no block tier in their configuration"
        )));
    }
    if scm < scm_min {
        return Err(too_small("memory tier (SCM)", scm, scm_min, ranks));
    }
    if data > 0 && data < data_min {
        return Err(too_small("data tier (NVMe)", data, data_min, ranks));
    }
    Ok(bytes)
}

fn too_small(tier: &str, bytes: u64, least: u64, ranks: u64) -> daos_common::Error {
    Der::INVAL.err(format!(
        "the pool is too small: {bytes} bytes of the {tier} on each rank, at least {least} are needed ({} in all)",
        least.saturating_mul(ranks)
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLACE: Place = Place { ranks: 2, targets: 4, has_data_tier: true };
    const GIB: u64 = 1 << 30;

    fn wish<'a>(total_bytes: u64, tier_ratio: &'a [f64], tier_bytes: &'a [u64]) -> Wish<'a> {
        Wish { total_bytes, tier_ratio, tier_bytes }
    }

    /// Aim: totals are shared by ratio over ranks; bytes per rank are taken as they are.
    #[test]
    fn sizes() {
        let total = 1000 * GIB;
        assert_eq!(per_rank(&wish(total, &[], &[]), PLACE).unwrap(), [30 * GIB, 470 * GIB]);
        assert_eq!(per_rank(&wish(total, &[0.5, 0.5], &[]), PLACE).unwrap(), [250 * GIB, 250 * GIB]);
        assert_eq!(per_rank(&wish(total, &[0.25], &[]), PLACE).unwrap(), [125 * GIB, 375 * GIB]);
        assert_eq!(per_rank(&wish(0, &[], &[GIB, 8 * GIB]), PLACE).unwrap(), [GIB, 8 * GIB]);
        assert_eq!(per_rank(&wish(0, &[], &[GIB]), PLACE).unwrap(), [GIB, 0]);
        let memory_only = Place { has_data_tier: false, ..PLACE };
        assert_eq!(per_rank(&wish(8 * GIB, &[0.06, 0.94], &[]), memory_only).unwrap(), [4 * GIB, 0]);
    }

    /// Aim: everything else is refused with the reason.
    #[test]
    fn refusals() {
        for (wish, place, part) in [
            (wish(0, &[], &[]), PLACE, "give either"),
            (wish(5, &[], &[5, 5]), PLACE, "give either"),
            (wish(0, &[0.5, 0.5], &[5, 5]), PLACE, "give either"),
            (wish(0, &[], &[5, 5, 5]), PLACE, "give either"),
            (wish(GIB, &[0.2, 0.3, 0.5], &[]), PLACE, "two tiers"),
            (wish(GIB, &[0.9, 0.3], &[]), PLACE, "add up"),
            (wish(GIB, &[f64::NAN, 0.3], &[]), PLACE, "add up"),
            (wish(0, &[], &[SCM_TARGET_MIN * 4 - 1, 0]), PLACE, "memory tier"),
            (wish(0, &[], &[SCM_TARGET_MIN * 4, DATA_TARGET_MIN * 4 - 1]), PLACE, "data tier"),
            (wish(0, &[], &[GIB, 8 * GIB]), Place { has_data_tier: false, ..PLACE }, "no block tier"),
        ] {
            let error = per_rank(&wish, place).unwrap_err();
            assert!(error.code() == Der::INVAL && error.message().contains(part), "{wish:?}: {error}");
        }
    }
}
