//! The configuration of fault injection: a YAML file that `D_FI_CONFIG` names. Pure.
//!
//! ```yaml
//! seed: 100              # of the random numbers; 0 unless given
//! thread_default: true   # whether threads that do not say get faults
//! fault_config:
//! - id: 65536            # the fault; needed
//!   probability_x: 1     # x faults in y hits, by chance; 1 in 1 unless given
//!   probability_y: 10
//!   interval: 1          # only every nth hit
//!   max_faults: 0        # 0: no limit
//!   err_code: -1009      # what d_fault_attr_err_code() tells
//!   argument: text       # for the place
//! ```
//!
//! Numbers may be decimal, hexadecimal (`0x10000`) or octal, and in quotes.

use serde::Deserialize;
use serde::de::{Deserializer, Visitor};

/// A whole file.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Config {
    #[serde(deserialize_with = "number")]
    pub seed: i64,
    pub thread_default: Option<bool>,
    pub fault_config: Option<Vec<Fault>>,
}

/// One fault.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Fault {
    #[serde(deserialize_with = "number")]
    pub id: i64,
    #[serde(default = "one", deserialize_with = "number")]
    pub probability_x: i64,
    #[serde(default = "one", deserialize_with = "number")]
    pub probability_y: i64,
    #[serde(default = "one", deserialize_with = "number")]
    pub interval: i64,
    #[serde(default, deserialize_with = "number")]
    pub max_faults: i64,
    #[serde(default, deserialize_with = "number")]
    pub err_code: i64,
    #[serde(default)]
    pub argument: Option<String>,
}

fn one() -> i64 {
    1
}

/// A number, also as text.
fn number<'a, D: Deserializer<'a>>(from: D) -> Result<i64, D::Error> {
    struct Number;

    impl Visitor<'_> for Number {
        type Value = i64;

        fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            formatter.write_str("a whole number")
        }

        fn visit_i64<E: serde::de::Error>(self, value: i64) -> Result<i64, E> {
            Ok(value)
        }

        fn visit_u64<E: serde::de::Error>(self, value: u64) -> Result<i64, E> {
            i64::try_from(value).map_err(E::custom)
        }

        fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<i64, E> {
            parse_number(text).ok_or_else(|| E::custom(format!("expected a whole number, found {text:?}")))
        }
    }

    from.deserialize_any(Number)
}

/// As strtol does with base 0, and nothing behind.
fn parse_number(text: &str) -> Option<i64> {
    let text = text.trim();
    let (negative, digits) = text.strip_prefix('-').map_or((false, text), |digits| (true, digits));
    let value = if let Some(digits) = digits.strip_prefix("0x").or_else(|| digits.strip_prefix("0X")) {
        i64::from_str_radix(digits, 16)
    } else if digits.len() > 1 && digits.starts_with('0') {
        i64::from_str_radix(digits, 8)
    } else {
        digits.parse()
    };
    value.ok().filter(|_| digits.starts_with(|c: char| c.is_ascii_digit())).map(|v| if negative { -v } else { v })
}

/// Reads a file's text.
///
/// # Errors
/// What is wrong, with its place.
pub(crate) fn parse(text: &str) -> Result<Config, String> {
    if text.trim().is_empty() {
        return Ok(Config::default());
    }
    let config: Config = serde_saphyr::from_str(text).map_err(|error| error.without_snippet().to_string())?;
    for fault in config.fault_config.iter().flatten() {
        let in_range = u32::try_from(fault.id).is_ok()
            && [fault.probability_x, fault.probability_y, fault.interval].iter().all(|n| u32::try_from(*n).is_ok())
            && fault.max_faults >= 0
            && i32::try_from(fault.err_code).is_ok();
        if !in_range {
            return Err(format!("a number of fault {} is out of range", fault.id));
        }
    }
    Ok(config)
}
