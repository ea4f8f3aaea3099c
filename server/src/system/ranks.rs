//! Sets of ranks as text: `0-3,5` (brackets around it are allowed).

use daos_common::{Der, Result};
use std::collections::BTreeSet;

/// Most ranks that one text may name.
const RANKS_MAX: usize = 1 << 20;

/// Reads a set such as `0-3,5` or `[0-3,5]`; empty text is the empty set.
///
/// # Errors
/// `INVAL` naming the part that is wrong.
pub fn parse(text: &str) -> Result<BTreeSet<u32>> {
    let inner = text.trim();
    let inner = inner.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(inner);
    let mut ranks = BTreeSet::new();
    for part in inner.split(',').map(str::trim).filter(|part| !part.is_empty()) {
        let wrong = || Der::INVAL.err(format!("rank set {text:?}: {part:?} is not a rank or a range of ranks"));
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        let first: u32 = first.trim().parse().map_err(|_| wrong())?;
        let last: u32 = last.trim().parse().map_err(|_| wrong())?;
        if first > last || (last - first) as usize >= RANKS_MAX {
            return Err(wrong());
        }
        ranks.extend(first..=last);
    }
    Ok(ranks)
}

/// Writes a set: `0-3,5`.
pub fn format(ranks: impl IntoIterator<Item = u32>) -> String {
    let ranks: BTreeSet<u32> = ranks.into_iter().collect();
    let mut parts: Vec<(u32, u32)> = Vec::new();
    for rank in ranks {
        match parts.last_mut() {
            Some((_, last)) if last.checked_add(1) == Some(rank) => *last = rank,
            _ => parts.push((rank, rank)),
        }
    }
    let parts: Vec<String> = parts
        .into_iter()
        .map(|(first, last)| match first == last {
            true => first.to_string(),
            false => format!("{first}-{last}"),
        })
        .collect();
    parts.join(",")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Aim: text and set agree in both directions; nonsense is refused by name.
    #[test]
    fn text_and_set() {
        assert_eq!(parse("[0-3,5]").unwrap(), BTreeSet::from([0, 1, 2, 3, 5]));
        assert_eq!(parse("").unwrap(), BTreeSet::new());
        assert_eq!(format([5, 0, 2, 1, 3]), "0-3,5");
        assert_eq!(format([]), "");
        assert_eq!(format([u32::MAX, u32::MAX - 1]), "4294967294-4294967295");
        for bad in ["a", "3-1", "1-", "-2", "0-4294967295"] {
            assert!(parse(bad).unwrap_err().message().contains(bad), "{bad}");
        }
    }
}
