//! Names of pools and containers: labels, and text that is a label or a UUID.

use crate::wire::pool::ContName;
use crate::{Der, Error, Result};
use uuid::Uuid;

/// Longest label in bytes (`DAOS_PROP_LABEL_MAX_LEN`).
pub const LABEL_BYTES_MAX: usize = 127;
/// What a pool without a label is called (`DAOS_PROP_NO_PO_LABEL`).
pub const NO_POOL_LABEL: &str = "pool_label_not_set";
/// What a container without a label is called (`DAOS_PROP_NO_CO_LABEL`).
pub const NO_CONT_LABEL: &str = "container_label_not_set";

/// Checks a label: 1 to 127 of `A-Z a-z 0-9 . _ - :`, and not of the form of a UUID. The same for pools and containers.
///
/// # Errors
/// `INVAL` saying which rule it breaks.
pub fn check_label(label: &str) -> Result<()> {
    let refuse = |why: String| Err(Error::new(Der::INVAL, why));
    if label.is_empty() {
        return refuse("label is empty".to_owned());
    }
    if label.len() > LABEL_BYTES_MAX {
        return refuse(format!("label is longer than {LABEL_BYTES_MAX} bytes: {}", label.len()));
    }
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-' | ':');
    if let Some(wrong) = label.chars().find(|&c| !allowed(c)) {
        return refuse(format!(
            "label \"{}\" has {wrong:?}; letters, digits and . _ - : are allowed",
            label.escape_debug()
        ));
    }
    if parse_uuid(label).is_some() {
        return refuse(format!("label \"{label}\" has the form of a UUID"));
    }
    Ok(())
}

/// The UUID of its 36-character form with hyphens, in either case; other forms are none.
pub fn parse_uuid(text: &str) -> Option<Uuid> {
    (text.len() == 36).then(|| Uuid::try_parse(text).ok()).flatten()
}

/// What a user names a pool or container by.
///
/// # Errors
/// `INVAL`: neither a UUID nor a label.
pub fn parse_name(text: &str) -> Result<ContName> {
    if let Some(uuid) = parse_uuid(text) {
        return Ok(ContName::Uuid(uuid));
    }
    check_label(text)?;
    Ok(ContName::Label(text.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Aim: the rules of labels at their edges.
    #[test]
    fn edges() {
        for good in ["a", "A.b_c-d:9", "-", &"x".repeat(127), "00000000-0000-0000-0000-00000000000g"] {
            check_label(good).unwrap();
        }
        for bad in ["", &"x".repeat(128), "a b", "a/b", "ä", "a\n", "00000000-0000-0000-0000-000000000000"] {
            assert_eq!(check_label(bad).unwrap_err().code(), Der::INVAL, "{bad}");
        }
        assert_eq!(parse_name("00000000-0000-0000-0000-00000000000A").unwrap(), ContName::Uuid(Uuid::from_u128(10)));
        assert_eq!(parse_name("00000000000000000000000000000000").unwrap(), ContName::Label("0".repeat(32)));
    }

    proptest! {
        /// Aim: any text is judged without panicking, and a name means one thing.
        #[test]
        fn any_text(text in ".{0,140}") {
            let name = parse_name(&text);
            prop_assert_eq!(name.is_ok(), check_label(&text).is_ok() || parse_uuid(&text).is_some());
        }
    }
}
