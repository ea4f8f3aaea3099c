//! The ways to say how large a pool is: a total, a share of what is free, or the bytes of each tier on each rank.

use daos_common::size::parse_size;
use daos_common::{Der, Result};

/// A pool's size as the command line gives it.
#[derive(Clone, Debug, PartialEq)]
pub enum PoolSize {
    /// Bytes of all tiers on all ranks, split by the ratio (none given: the servers' default).
    Total { bytes: u64, ratio: Vec<f64> },
    /// Share of the free space of every tier, over 0 up to 1.
    Share(f64),
    /// Bytes of each tier on each rank.
    PerRank([u64; 2]),
}

/// The options as given.
#[derive(Clone, Copy, Debug, Default)]
pub struct Options<'a> {
    pub size: Option<&'a str>,
    pub tier_ratio: Option<&'a str>,
    pub scm_size: Option<&'a str>,
    pub nvme_size: Option<&'a str>,
    pub meta_size: Option<&'a str>,
    pub data_size: Option<&'a str>,
}

/// Makes a size of the options.
///
/// # Errors
/// INVAL naming the option that is wrong, missing, or doesn't go with another.
pub fn parse(options: Options<'_>) -> Result<PoolSize> {
    let by_tier = [options.scm_size, options.nvme_size];
    let by_role = [options.meta_size, options.data_size];
    let given = |tiers: [Option<&str>; 2]| tiers.iter().any(Option::is_some);
    let ways = usize::from(options.size.is_some()) + usize::from(given(by_tier)) + usize::from(given(by_role));
    if ways != 1 {
        return Err(Der::INVAL
            .err("give exactly one of --size, --scm-size (with --nvme-size) and --meta-size (with --data-size)"));
    }
    let Some(size) = options.size else {
        if options.tier_ratio.is_some() {
            return Err(Der::INVAL.err("--tier-ratio goes only with --size"));
        }
        return match given(by_tier) {
            true => per_rank(by_tier, ["--scm-size", "--nvme-size"]),
            false => per_rank(by_role, ["--meta-size", "--data-size"]),
        };
    };
    let Some(percent) = size.trim().strip_suffix('%') else {
        let bytes = option_size("--size", size)?;
        let ratio = options.tier_ratio.map(parse_ratio).transpose()?.unwrap_or_default();
        return Ok(PoolSize::Total { bytes, ratio });
    };
    if options.tier_ratio.is_some() {
        return Err(Der::INVAL.err("--tier-ratio doesn't go with a size in percent: every tier gets the same share"));
    }
    match percent.trim().parse::<f64>() {
        Ok(percent) if percent > 0.0 && percent <= 100.0 => Ok(PoolSize::Share(percent / 100.0)),
        _ => Err(Der::INVAL.err(format!("--size {size:?}: a share is over 0% and at most 100%"))),
    }
}

/// A ratio of tiers: `6,94`, `6%,94%`, or the first alone.
///
/// # Errors
/// INVAL: not percentages, or over 100 together.
pub fn parse_ratio(text: &str) -> Result<Vec<f64>> {
    let bad =
        || Der::INVAL.err(format!("tier ratio {text:?}: expected percentages such as 6 or 6,94 that add up to 100"));
    let parts = text.split(',').map(|part| part.trim().trim_end_matches('%').parse::<f64>().map_err(|_| bad()));
    let mut parts = parts.collect::<Result<Vec<f64>>>()?;
    if let [only] = parts[..] {
        parts.push(100.0 - only);
    }
    let sum: f64 = parts.iter().sum();
    let fits = parts.len() == 2 && parts.iter().all(|part| (0.0..=100.0).contains(part)) && (sum - 100.0).abs() < 1e-6;
    if !fits {
        return Err(bad());
    }
    Ok(parts.into_iter().map(|part| part / 100.0).collect())
}

fn per_rank(sizes: [Option<&str>; 2], names: [&str; 2]) -> Result<PoolSize> {
    let Some(first) = sizes[0] else {
        return Err(Der::INVAL.err(format!("{} needs {}", names[1], names[0])));
    };
    let second = sizes[1].map_or(Ok(0), |size| option_size(names[1], size))?;
    Ok(PoolSize::PerRank([option_size(names[0], first)?, second]))
}

fn option_size(option: &str, text: &str) -> Result<u64> {
    let bytes = parse_size(text).map_err(|error| error.at(option))?;
    match bytes {
        0 => Err(Der::INVAL.err(format!("{option}: 0 bytes"))),
        bytes => Ok(bytes),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn size(size: &str) -> Result<PoolSize> {
        parse(Options { size: Some(size), ..Default::default() })
    }

    /// Aim: totals, shares and sizes per rank are understood.
    #[test]
    fn the_ways() {
        assert_eq!(size("8GiB").unwrap(), PoolSize::Total { bytes: 8 << 30, ratio: vec![] });
        assert_eq!(size("50%").unwrap(), PoolSize::Share(0.5));
        let with_ratio = Options { size: Some("1TB"), tier_ratio: Some("10,90"), ..Default::default() };
        assert_eq!(parse(with_ratio).unwrap(), PoolSize::Total { bytes: 10u64.pow(12), ratio: vec![0.1, 0.9] });
        let by_tier = Options { scm_size: Some("1GiB"), nvme_size: Some("2GiB"), ..Default::default() };
        assert_eq!(parse(by_tier).unwrap(), PoolSize::PerRank([1 << 30, 2 << 30]));
        let by_role = Options { meta_size: Some("64MiB"), ..Default::default() };
        assert_eq!(parse(by_role).unwrap(), PoolSize::PerRank([64 << 20, 0]));
        assert_eq!(parse_ratio("6%").unwrap(), [0.06, 0.94]);
    }

    /// Aim: nonsense and contradictions are refused with the option's name.
    #[test]
    fn refusals() {
        for bad in ["", "x", "0", "0%", "101%", "-1%", "nan%", "8 gigs"] {
            assert_eq!(size(bad).unwrap_err().code(), Der::INVAL, "{bad}");
        }
        let none = parse(Options::default()).unwrap_err();
        assert!(none.message().contains("exactly one of --size"));
        let two = Options { size: Some("1G"), scm_size: Some("1G"), ..Default::default() };
        assert!(parse(two).is_err());
        let lonely = Options { nvme_size: Some("1G"), ..Default::default() };
        assert!(parse(lonely).unwrap_err().message().contains("--nvme-size needs --scm-size"));
        for bad in ["6,95", "a", "6,90,4", "-6,106", ""] {
            assert!(parse_ratio(bad).is_err(), "{bad}");
        }
    }
}
