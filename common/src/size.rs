//! Sizes in text: `4096`, `128KiB`, `1.5 GB`, as the command lines take and print them.
//!
//! A unit with `i` is a power of 1024 (`k`, `m`, `g`, `t`, `p`, `e`, each with or without `i` and `b`, in any case),
//! one without a power of 1000.

use crate::{Der, Error, Result};

const LETTERS: &[u8] = b"kmgtpe";

/// Parses a size in bytes.
///
/// # Errors
/// `INVAL`: no number, an unknown unit, or more than 64 bits hold.
pub fn parse_size(text: &str) -> Result<u64> {
    let wrong = || Error::new(Der::INVAL, format!("\"{}\" is not a size (try N<unit>)", text.escape_debug()));
    let end = text.find(|c: char| !(c.is_ascii_digit() || c == '.' || c == ',')).unwrap_or(text.len());
    let (number, unit) = text.split_at(end);
    let number = number.replace(',', "");
    let factor = factor_of(unit.trim()).ok_or_else(wrong)?;
    if let Ok(whole) = number.parse::<u64>() {
        return whole.checked_mul(factor).ok_or_else(wrong);
    }
    // Only digits and points are left here, so this cannot be an exponent, an infinity or negative.
    let bytes = number.parse::<f64>().map_err(|_| wrong())? * factor as f64;
    if bytes < u64::MAX as f64 { Ok(bytes as u64) } else { Err(wrong()) }
}

fn factor_of(unit: &str) -> Option<u64> {
    let unit = unit.to_ascii_lowercase();
    let unit = unit.strip_suffix('b').unwrap_or(&unit);
    let (letter, base) = match unit.strip_suffix('i') {
        Some(letter) => (letter, 1024u64),
        None => (unit, 1000),
    };
    match letter.as_bytes() {
        [] if base == 1000 => Some(1),
        [letter] => LETTERS.iter().position(|known| known == letter).and_then(|at| base.checked_pow(at as u32 + 1)),
        _ => None,
    }
}

/// Prints a size with a power of 1024: `512 B`, `128 KiB`, `1.5 MiB`; one digit after the point below ten.
pub fn print_size(bytes: u64) -> String {
    const UNITS: &[&str] = &["B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];
    print_scaled(bytes, 1024, UNITS)
}

/// Prints a size with a power of 1000: `512 B`, `128 kB`, `1.5 MB`.
pub fn print_size_decimal(bytes: u64) -> String {
    const UNITS: &[&str] = &["B", "kB", "MB", "GB", "TB", "PB", "EB"];
    print_scaled(bytes, 1000, UNITS)
}

fn print_scaled(bytes: u64, base: u64, units: &[&str]) -> String {
    if bytes < 10 {
        return format!("{bytes} {}", units[0]);
    }
    let (mut at, mut scale) = (0usize, 1u64);
    while at + 1 < units.len() && bytes / scale >= base {
        scale *= base;
        at += 1;
    }
    let value = (bytes as f64 / scale as f64 * 10.0 + 0.5).floor() / 10.0;
    if value < 10.0 { format!("{value:.1} {}", units[at]) } else { format!("{value:.0} {}", units[at]) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Aim: the units and their two bases, both ways; junk is refused.
    #[test]
    fn units() {
        for (text, bytes) in [
            ("0", 0),
            ("4096", 4096),
            ("128KiB", 128 << 10),
            ("128 kib", 128 << 10),
            ("1K", 1000),
            ("1.5 GB", 1_500_000_000),
            ("1,024MiB", 1 << 30),
            ("2Ti", 2 << 40),
            ("7b", 7),
            ("15EiB", 15 << 60),
        ] {
            assert_eq!(parse_size(text).unwrap(), bytes, "{text}");
        }
        for text in ["", "x", "-1", "1e9", "1X", "1ib", "1i", "16EiB", "1..2", "20EB", "kB"] {
            assert!(parse_size(text).is_err(), "{text}");
        }
        let printed = [0, 9, 10, 1023, 1024, 1 << 20, 3 << 19, 128 << 10, u64::MAX].map(print_size);
        assert_eq!(printed, ["0 B", "9 B", "10 B", "1023 B", "1.0 KiB", "1.0 MiB", "1.5 MiB", "128 KiB", "16 EiB"]);
        assert_eq!(print_size_decimal(1_500_000), "1.5 MB");
    }

    proptest! {
        /// Aim: any text is judged without panicking; whole numbers mean themselves; printing is near the value.
        #[test]
        fn any_size(bytes: u64, text in "[0-9.,kmgtpeiKMGTb -]{0,12}") {
            prop_assert_eq!(parse_size(&bytes.to_string()).unwrap(), bytes);
            if let Ok(again) = parse_size(&print_size(bytes)) {
                prop_assert!(again.abs_diff(bytes) as f64 <= bytes as f64 * 0.06 + 1.0);
            }
            let _ = parse_size(&text);
        }
    }
}
